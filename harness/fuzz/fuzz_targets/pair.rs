//! See `harness_fuzz::pair::schedule`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| harness_fuzz::pair::schedule(data));
