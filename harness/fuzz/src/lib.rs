//! Fuzzing: generators, drivers and oracles, shared by the libFuzzer targets and `tandem fuzz`.
#![expect(
    clippy::panic,
    reason = "a driver of a libFuzzer target reports a finding by a panic"
)]

pub mod beds;
pub mod campaign;
pub mod codec;
pub mod files;
pub mod finding;
pub mod listener;
pub mod minimise;
pub mod mutate;
pub mod oracle;
pub mod pair;
pub mod plan;
pub mod player;
pub mod router;
pub mod seeds;
pub mod stream;
pub mod targets;
