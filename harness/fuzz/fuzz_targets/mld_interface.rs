//! See `harness_fuzz::targets::mld_interface`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| harness_fuzz::targets::mld_interface(data));
