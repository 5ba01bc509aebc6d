#!/bin/bash -eu
# Puts every target with its seed corpus, dictionary and options into $OUT. `cargo fuzz` builds in
# the service's image; FUZZ_BUILD=stable builds without it and without a sanitizer.
cd "$(dirname "$0")/.."
[ -f Cargo.toml ] || cd "$SRC/tandem"
if [ "${FUZZ_BUILD:-cargo-fuzz}" = stable ]; then
	release=$(harness/fuzz/run.sh build | tail -1)
else
	cargo fuzz build -O --fuzz-dir harness/fuzz --features libfuzzer
	release=$(ls -d target/*/release | head -1)
fi
for source in harness/fuzz/fuzz_targets/*.rs; do
	name=$(basename "$source" .rs)
	# These two are for the smoke run alone.
	case $name in empty | canary) continue ;; esac
	cp "$release/$name" "$OUT/"
	# Whose corpus and dictionary it has: targets.rs, Target::corpus.
	case $name in
	frame_told) corpus=envelope_codec ;;
	*_agreement) corpus=${name%_agreement}_codec ;;
	*) corpus=$name ;;
	esac
	(cd corpus/fuzz && zip -q -r "$OUT/${name}_seed_corpus.zip" "$corpus")
	if [ -f "harness/fuzz/dictionaries/$corpus.dict" ]; then
		cp "harness/fuzz/dictionaries/$corpus.dict" "$OUT/$name.dict"
		printf '[libfuzzer]\ndict = %s.dict\nmax_len = 4096\n' "$name" >"$OUT/$name.options"
	else
		printf '[libfuzzer]\nmax_len = 4096\n' >"$OUT/$name.options"
	fi
done
# The drivers read their testbeds beside the program.
mkdir -p "$OUT/suites"
cp -r suites/testbeds "$OUT/suites/"
