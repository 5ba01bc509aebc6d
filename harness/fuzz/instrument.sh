#!/bin/sh
# RUSTC_WRAPPER: gives $SANCOV, the coverage pass, to what is tested and not to the drivers of this
# package, whose edges libFuzzer would count at every run too: half of the time of a codec's target.
# The canary's defect is in its driver. Build scripts and macros are compiled without --target.
rustc=$1
shift
case " $* " in
*" --crate-name canary "*) ;;
*" --crate-name harness_fuzz "* | *" harness/fuzz/fuzz_targets/"*) SANCOV= ;;
esac
case " $* " in
*" --target "*) ;;
*) SANCOV= ;;
esac
# shellcheck disable=SC2086
exec "$rustc" "$@" $SANCOV
