//! Two sessions on a byte pipe in virtual time, and one session against hand-made frames.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "tests"
)]

mod bench;
mod common;
mod data;
mod frames;
mod pair;
mod properties;
mod roles;
