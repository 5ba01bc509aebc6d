//! Remote backup service session and remote backup profiles: FORMATS.md section 2.
//!
//! [`Session`] is one device's end of a remote backup service over an abstract byte stream. Its
//! driver calls a method that takes `now`, drains [`Session::poll_command`] (for the TCP stack)
//! and [`Session::poll_event`] to `None`, then asks [`Session::next_timeout`]. Each profile holds
//! one table: on the master what it has said, on the slave what it has heard. What an entry means
//! for MLD is the node's.

mod batch;
mod config;
mod connection;
mod dialogue;
mod entry;
mod event;
mod late;
mod open;
pub mod policy;
mod profile;
mod pump;
mod random;
mod receive;
mod session;
mod snapshot;
mod table;

pub use config::{Command, ProfileConfig, SessionConfig};
pub use dut_wire::rbs::{FilterMode, GoodbyeCause, Role, Service};
pub use entry::{Entry, EntrySource, InterfaceState};
pub use event::RbsEvent;
pub use session::Session;
