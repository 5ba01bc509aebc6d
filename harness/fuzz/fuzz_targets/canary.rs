//! See `harness_fuzz::targets::canary`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| harness_fuzz::targets::canary(data));
