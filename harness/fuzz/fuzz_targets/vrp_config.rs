//! See `harness_fuzz::files::configuration`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| harness_fuzz::files::configuration(data));
