//! See `harness_fuzz::router::schedule`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| harness_fuzz::router::schedule(data));
