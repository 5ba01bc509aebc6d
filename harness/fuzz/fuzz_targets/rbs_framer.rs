//! See `harness_fuzz::codec::stream`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| harness_fuzz::codec::stream(data));
