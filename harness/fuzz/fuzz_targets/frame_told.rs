//! See `harness_fuzz::codec::told`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| harness_fuzz::codec::told(data));
