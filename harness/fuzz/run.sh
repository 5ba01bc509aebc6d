#!/bin/sh
# Builds and runs the libFuzzer targets on the stable toolchain, without cargo-fuzz and sanitizers.
#   run.sh build                 all targets; says where they are
#   run.sh smoke                 builds, runs each for SECONDS_EACH, and looks for the canary's defect
#   run.sh one TARGET SECONDS    one target; findings go to corpus/regressions/TARGET
#   run.sh speed                 executions a second of the codecs beside an empty target
#   run.sh coverage [TARGET…]    what the corpora of all targets reach together, after SECONDS_EACH of
#                                fuzzing each (llvm-tools)
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
: "${CARGO:=cargo}" "${SECONDS_EACH:=2}"
# libFuzzer's code in another folder than the workspace's: the flags would rebuild everything.
target=${FUZZ_TARGET_DIR:-${CARGO_TARGET_DIR:-$root/target}/fuzz}

# What cargo-fuzz passes for `-s none`; of it the coverage pass that libFuzzer needs.
flags="--cfg fuzzing -Cdebuginfo=0 -Cdebug-assertions=on -Coverflow-checks=on"
SANCOV="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares"
export SANCOV

names() {
	sed -n 's/.*name: "\([a-z_]*\)".*/\1/p' harness/fuzz/src/targets.rs | sort -u
}

build() {
	# With a triple named, the flags are not for build scripts and macros.
	triple=$(rustc -vV | sed -n 's/^host: //p')
	# One unit a crate, as cargo-fuzz has it: what is instrumented is optimised before, not after.
	CARGO_TARGET_DIR="$target" CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 RUSTFLAGS="$flags" \
		RUSTC_WRAPPER="$root/harness/fuzz/instrument.sh" "$CARGO" build --quiet --release --target "$triple" \
		-p harness-fuzz --features libfuzzer --bins
	bin="$target/$triple/release"
}

# corpus_of TARGET: whose corpus and dictionary it has (targets.rs, Target::corpus).
corpus_of() {
	case $1 in
	frame_told) echo envelope_codec ;;
	*_agreement) echo "${1%_agreement}_codec" ;;
	*) echo "$1" ;;
	esac
}

dictionary() {
	if [ -f "harness/fuzz/dictionaries/$(corpus_of "$1").dict" ]; then
		echo "-dict=harness/fuzz/dictionaries/$(corpus_of "$1").dict"
	fi
}

# smoke TARGET: a bounded run on a copy of the corpus, so that the tree stays as it is.
smoke_one() {
	corpus=$(mktemp -d)
	cp "corpus/fuzz/$(corpus_of "$1")/"* "$corpus/" 2>/dev/null || true
	log="$corpus/../smoke-$1.log"
	# shellcheck disable=SC2046
	if "$bin/$1" $(dictionary "$1") -seed=1 -runs=20000 -max_total_time="$SECONDS_EACH" -rss_limit_mb=2560 -timeout=25 -verbosity=1 \
		-artifact_prefix="$corpus/found-" "$corpus" >"$log" 2>&1; then
		echo "$1: $(sed -n 's/.*stat::number_of_executed_units: *//p; s/^Done \([0-9]*\) runs.*/\1 runs/p' "$log" | tail -1)"
		rm -rf "$corpus" "$log"
	else
		echo "$1: a finding" >&2
		grep -A 3 "panicked at" "$log" >&2 || tail -20 "$log" >&2
		grep "Test unit written" "$log" >&2 || true
		return 1
	fi
}

# rate TARGET: executions a second of processor time, so that what else runs doesn't count.
rate() {
	seeds=$(mktemp -d)
	cp "corpus/fuzz/$(corpus_of "$1")/"* "$seeds/" 2>/dev/null || true
	(
		# shellcheck disable=SC2046
		"$bin/$1" $(dictionary "$1") -seed=1 -max_total_time="${SPEED_SECONDS:-5}" -max_len=256 -print_final_stats=1 "$seeds" \
			>"$seeds.log" 2>&1
		times >"$seeds.times"
	)
	runs=$(sed -n 's/stat::number_of_executed_units: *//p' "$seeds.log")
	tail -1 "$seeds.times" | tr 'ms' '  ' | awk -v runs="$runs" '{ printf "%d", runs / ($1 * 60 + $2 + $3 * 60 + $4) }'
	rm -rf "$seeds.log" "$seeds.times"
	rm -rf "$seeds"
}

# What coverage looks at: the codecs and the engines.
areas="dut/wire dut/lacp dut/mld dut/etrunk dut/rbs harness/wire"

# lines PROFILE: each line of these with how often it was run, in lcov's form.
lines() {
	# shellcheck disable=SC2086
	"$tools/llvm-cov" export -format=lcov -instr-profile="$1" "$reach" --sources $areas
}

# summary NAME: lines reached of a hundred in each area.
summary() {
	awk -v name="$1" -v areas="$areas" -v root="$root/" '
		/^SF:/ { file = substr($0, 4); sub(root, "", file); split(file, part, "/"); area = part[1] "/" part[2] }
		/^DA:/ { split(substr($0, 4), at, ","); all[area]++; if (at[2] > 0) hit[area]++ }
		END {
			printf "%-20s", name
			for (n = split(areas, wanted, " "); i++ < n;) printf " %5.1f", all[wanted[i]] ? 100 * hit[wanted[i]] / all[wanted[i]] : 0
			print ""
		}'
}

# unreached: the lines that nothing ran, with their text.
unreached() {
	awk -v root="$root/" '
		/^SF:/ { file = substr($0, 4); sub(root, "", file); delete text; n = 0; while ((getline line < file) > 0) text[++n] = line }
		/^DA:/ { split(substr($0, 4), at, ","); if (at[2] == 0) printf "%s:%d:%s\n", file, at[1], text[at[1]] }'
}

case ${1:-} in
build)
	build
	echo "$bin"
	;;
smoke)
	build
	failed=0
	for name in $(names); do
		smoke_one "$name" || failed=1
	done
	corpus=$(mktemp -d)
	cp corpus/fuzz/slow_codec/* "$corpus/"
	if "$bin/canary" -dict=harness/fuzz/dictionaries/slow_codec.dict -seed=1 -max_total_time=20 -artifact_prefix="$corpus/" "$corpus" \
		>"$corpus/log" 2>&1; then
		echo "canary: the planted defect was not found within 20 s: the fuzzing is broken" >&2
		failed=1
	elif grep -q "the canary's planted defect" "$corpus/log"; then
		echo "canary: found, as it must be"
	else
		tail -5 "$corpus/log" >&2
		failed=1
	fi
	rm -rf "$corpus"
	# What ClusterFuzzLite runs, as far as it goes without its image: a target works where it is put.
	if command -v zip >/dev/null 2>&1; then
		out=$(mktemp -d)
		OUT="$out" FUZZ_BUILD=stable .clusterfuzzlite/build.sh >/dev/null || failed=1
		(cd "$out" && env -u TANDEM_SUITES ./lacp_port -runs=1 >log 2>&1 && test -f lacp_port_seed_corpus.zip) || {
			echo "clusterfuzzlite: its build doesn't stand alone" >&2
			failed=1
		}
		rm -rf "$out"
	else
		echo "skipped by name: clusterfuzzlite (needs zip: apt-get install zip)"
	fi
	exit $failed
	;;
one)
	build
	mkdir -p "corpus/regressions/$2" "$target/corpus/$2"
	# shellcheck disable=SC2046
	"$bin/$2" $(dictionary "$2") -max_total_time="$3" -rss_limit_mb=2560 -timeout=25 \
		-artifact_prefix="corpus/regressions/$2/" "$target/corpus/$2" "corpus/fuzz/$(corpus_of "$2")"
	;;
speed)
	build
	echo "executions a second of processor time, and of the empty target's; a codec is to have half of it at least"
	empty=
	for name in empty slow_codec mld_codec etrunk_codec rbs_codec envelope_codec slow_agreement mld_agreement \
		etrunk_agreement rbs_agreement envelope_agreement rbs_framer etrunk_digest frame_told built_frames; do
		rate=$(rate "$name")
		: "${empty:=$rate}"
		verdict=
		case $name in
		*_codec) verdict=$([ $((rate * 2)) -ge "$empty" ] && echo "met" || echo "not met") ;;
		esac
		printf '%-20s %9d/s %5d.%d %% %s\n' "$name" "$rate" $((rate * 100 / empty)) $((rate * 1000 / empty % 10)) "$verdict"
	done
	# What one schedule of the pair is, and how many a second without coverage's counters.
	"$CARGO" run --quiet --release -p harness-fuzz --example speed -- pair
	;;
coverage)
	# Coverage of the source needs the LLVM tools of the same toolchain.
	tools=$(find "$(rustc --print sysroot)" -name llvm-profdata | head -1)
	if [ -z "$tools" ]; then
		echo "needs the toolchain's LLVM tools, llvm-profdata and llvm-cov: rustup component add llvm-tools" >&2
		exit 2
	fi
	tools=$(dirname "$tools")
	shift
	chosen=$*
	: "${chosen:=$(names)}"
	build
	seen="$target/coverage/seen"
	mkdir -p "$seen"
	CARGO_TARGET_DIR="$target/coverage" RUSTFLAGS="--cfg fuzzing -Cinstrument-coverage" \
		"$CARGO" build --quiet --release --target "$triple" -p harness-fuzz --example reach
	reach="$target/coverage/$triple/release/examples/reach"
	echo "lines reached, of a hundred: $areas"
	for name in $chosen; do
		mkdir -p "$target/corpus/$name"
		# shellcheck disable=SC2046
		"$bin/$name" $(dictionary "$name") -max_total_time="$SECONDS_EACH" -rss_limit_mb=2560 -timeout=25 \
			-artifact_prefix="$seen/found-$name-" "$target/corpus/$name" "corpus/fuzz/$(corpus_of "$name")" >"$seen/$name.log" 2>&1 ||
			echo "$name: a finding: $seen/found-$name-*" >&2
		LLVM_PROFILE_FILE="$seen/$name.profraw" "$reach" "$name" "$target/corpus/$name" "corpus/fuzz/$(corpus_of "$name")" \
			"corpus/regressions/$name" >"$seen/$name.ran" 2>&1 || tail -3 "$seen/$name.ran" >&2
		"$tools/llvm-profdata" merge -sparse "$seen/$name.profraw" -o "$seen/$name.profdata"
		rm -f "$seen/$name.profraw"
		lines "$seen/$name.profdata" | summary "$name"
	done
	"$tools/llvm-profdata" merge -sparse "$seen"/*.profdata -o "$target/coverage/all.profdata"
	lines "$target/coverage/all.profdata" | summary "all together"
	lines "$target/coverage/all.profdata" | unreached >"$target/coverage/unreached.txt"
	echo "what nothing reaches: $target/coverage/unreached.txt"
	;;
*)
	sed -n '2,9p' "$0"
	exit 2
	;;
esac
