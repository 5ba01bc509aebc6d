//! See `harness_fuzz::stream::session`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| harness_fuzz::stream::session(data));
