//! See `harness_fuzz::codec::packed`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| harness_fuzz::codec::packed(data));
