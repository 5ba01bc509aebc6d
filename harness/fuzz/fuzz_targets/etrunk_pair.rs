//! See `harness_fuzz::targets::etrunk_pair`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| harness_fuzz::targets::etrunk_pair(data));
