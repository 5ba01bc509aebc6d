#!/bin/sh
# Builds and runs the libFuzzer targets on the stable toolchain, without cargo-fuzz and sanitizers.
#   run.sh build                 all targets; says where they are
#   run.sh smoke                 builds, runs each for SECONDS_EACH, and looks for the canary's defect
#   run.sh one TARGET SECONDS    one target; findings go to corpus/regressions/TARGET
#   run.sh speed                 executions a second of the codecs beside an empty target
#   run.sh coverage [TARGET…]    what the corpora of all targets reach together, after SECONDS_EACH of
#                                fuzzing each (nightly, llvm-tools)
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
: "${CARGO:=cargo}" "${SECONDS_EACH:=2}"
# libFuzzer's code in another folder than the workspace's: the flags would rebuild everything.
target=${FUZZ_TARGET_DIR:-${CARGO_TARGET_DIR:-$root/target}/fuzz}

# What cargo-fuzz passes for `-s none`, the coverage pass that libFuzzer needs.
flags="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Cdebuginfo=0 -Cdebug-assertions=on -Coverflow-checks=on"

names() {
	sed -n 's/.*name: "\([a-z_]*\)".*/\1/p' harness/fuzz/src/targets.rs | sort -u
}

build() {
	# With a triple named, the flags are not for build scripts and macros.
	triple=$(rustc -vV | sed -n 's/^host: //p')
	# One unit a crate, as cargo-fuzz has it: what is instrumented is optimised before, not after.
	CARGO_TARGET_DIR="$target" CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 RUSTFLAGS="$flags" "$CARGO" build --quiet --release --target "$triple" \
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
			2>&1 | sed -n 's/stat::number_of_executed_units: *//p'
		times | tail -1 | tr 'ms' '  '
	) | awk 'NR == 1 { runs = $1 } NR == 2 { printf "%d", runs / ($1 * 60 + $2 + $3 * 60 + $4) }'
	rm -rf "$seeds"
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
	;;
coverage)
	# Coverage of the source needs the LLVM tools of the same toolchain.
	tools=$(dirname "$(find "$(rustc +nightly --print sysroot)" -name llvm-profdata | head -1)")
	if [ ! -x "$tools/llvm-profdata" ]; then
		echo "needs nightly with llvm-tools: rustup component add --toolchain nightly llvm-tools" >&2
		exit 2
	fi
	triple=$(rustc +nightly -vV | sed -n 's/^host: //p')
	CARGO_TARGET_DIR="$target/coverage" RUSTFLAGS="--cfg fuzzing -Cinstrument-coverage $flags" \
		cargo +nightly build --quiet --release --target "$triple" -p harness-fuzz --features libfuzzer --bin "$2"
	seen="$target/coverage/$2"
	mkdir -p "$seen" "$target/corpus/$2"
	LLVM_PROFILE_FILE="$seen/%p.profraw" "$target/coverage/$triple/release/$2" -runs=0 "$target/corpus/$2" "corpus/fuzz/$2" \
		>/dev/null 2>&1
	"$tools/llvm-profdata" merge -sparse "$seen"/*.profraw -o "$seen/all.profdata"
	"$tools/llvm-cov" report "$target/coverage/$triple/release/$2" -instr-profile="$seen/all.profdata" \
		--sources dut
	echo "lines of dut/wire that nothing reaches:"
	"$tools/llvm-cov" show "$target/coverage/$triple/release/$2" -instr-profile="$seen/all.profdata" \
		--sources dut/wire/src | grep -E '^ +[0-9]+\| +0\|' | head -80 || true
	rm -f "$seen"/*.profraw
	;;
*)
	sed -n '2,9p' "$0"
	exit 2
	;;
esac
