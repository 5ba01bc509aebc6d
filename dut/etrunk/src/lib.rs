//! E-Trunk: hello, election, member role, authentication, replay window.
//!
//! [`ETrunk`] is one E-Trunk of one device, sans-I/O. Its driver calls a method that takes `now`,
//! drains [`ETrunk::poll_event`] and [`ETrunk::poll_transmit`] to `None`, then asks
//! [`ETrunk::next_timeout`]. The roles are two row tables ([`rows`]); the hello's octets are
//! `dut-wire`'s. What a role means for LACP and MLD is the node's.

mod config;
mod engine;
mod member;
mod peer;
pub mod policy;
mod receive;
mod revert;
pub mod rows;
mod snapshot;
mod transmit;

pub use config::{ETrunkConfig, MemberConfig, MemberStatus};
pub use dut_wire::etrunk::{AuthenticationMode, State as Role, WorkMode};
pub use engine::{ETrunk, ETrunkEvent};
