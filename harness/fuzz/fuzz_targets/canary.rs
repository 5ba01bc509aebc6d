//! The defect that smoke runs must find.
#![no_main]

#[path = "canary/defect.rs"]
mod defect;

libfuzzer_sys::fuzz_target!(|data: &[u8]| defect::canary(data));
