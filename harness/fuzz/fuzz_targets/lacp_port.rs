//! See `harness_fuzz::targets::lacp_port`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| harness_fuzz::targets::lacp_port(data));
