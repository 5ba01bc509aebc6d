//! MLD listener on one interface: RFC 3810 sections 3, 4, 6 and 8.2, RFC 2710 section 4 towards a
//! version 1 querier, RFC 4604 section 2 for source-specific groups.
//!
//! [`Host`] is sans-I/O as the router is: requests of sockets, messages and time in, messages and
//! events out. Delays are drawn from a generator that the caller seeds. What no text fixes as a
//! number is a plain function of [`Policy`].

mod answer;
mod change;
mod config;
mod engine;
mod filter;
mod policy;

pub use answer::{Answers, Ask};
pub use change::{Difference, Pending};
pub use config::{HostConfig, ListenError};
pub use engine::{Host, HostEvent, Sent};
pub use filter::{Filter, Sources};
pub use policy::{Addressed, Policy};
