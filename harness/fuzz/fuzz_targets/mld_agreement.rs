//! See `harness_fuzz::codec::mld_agreement`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| harness_fuzz::codec::mld_agreement(data));
