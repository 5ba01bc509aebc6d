//! See `harness_fuzz::listener::schedule`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| harness_fuzz::listener::schedule(data));
