//! See `harness_fuzz::files::judged`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| harness_fuzz::files::judged(data));
