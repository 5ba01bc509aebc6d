//! Cases, requirements and testbeds: loading and checking.
