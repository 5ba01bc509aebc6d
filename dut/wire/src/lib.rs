//! Strict codecs of the reference devices, one protocol a file: what can't be legal can't be built.
//!
//! A `parse` checks once and gives an owned value whose fields are all legal, or [`Malformed`].
//! Nothing here knows a state or a clock.

pub mod ether;
pub mod etrunk;
pub mod icmpv6;
pub mod ipv6;
pub mod lacp;
pub mod marker;
pub mod mld;
pub mod rbs;
mod reader;
pub mod udp;

pub use reader::{Malformed, Reader};
