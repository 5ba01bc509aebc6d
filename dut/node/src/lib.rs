//! One device: ports, IPv6 host stack, demultiplexing, and what ties the engines.
//!
//! The engines don't see each other: LACP meets E-Trunk, and MLD meets RBS, only here, through
//! typed events and calls. A node is built from a [`BuildSpec`](dut_device::BuildSpec) and nothing
//! else.

mod build;
mod command;
mod ethernet;
mod host;
mod interface;
mod ipv6;
mod multicast;
mod neighbor;
mod node;
mod pair;
pub mod policy;
mod port;
mod route;
mod snapshot;
pub mod station;
mod switch;
mod trunk;

pub use build::{BuildError, Rules, build, build_with};
pub use node::Node;
pub use station::device;
