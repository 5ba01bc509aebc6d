//! See `harness_fuzz::codec::message`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| harness_fuzz::codec::message(data));
