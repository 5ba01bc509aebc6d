//! See `harness_fuzz::codec::sealed`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| harness_fuzz::codec::sealed(data));
