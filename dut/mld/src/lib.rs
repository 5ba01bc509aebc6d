//! MLD router on one interface: RFC 9777 and RFC 3810 section 7, RFC 3810 section 8 towards
//! version 1, and RFC 2710 section 6 where version 1 is configured.
//!
//! [`Interface`] is sans-I/O: messages and time in, messages and events out. Drain
//! [`Interface::poll_transmit`] and [`Interface::poll_event`] after each `handle_*` call, then ask
//! [`Interface::next_timeout`]. Nothing a peer sends can make a call fail: what isn't used becomes
//! [`MldEvent::Discarded`].
//!
//! What the router decides by is data ([`Policy`]), its tables are one entry a row ([`Row`]), and
//! nothing in it is random. A listener that is no router is [`host::Host`].

mod adopt;
pub mod checks;
mod config;
mod event;
pub mod group;
pub mod host;
mod interface;
mod listener;
pub mod policy;
mod querier;
mod receive;
mod row;
pub mod rows;
mod scope;
pub mod series;
mod snapshot;
pub mod sources;
mod state;
mod table;
mod timers;
pub mod version_1;

pub use config::{InterfaceConfig, Profile};
pub use event::{DiscardReason, Envelope, MldEvent, Transmit};
pub use interface::Interface;
pub use policy::Policy;
pub use row::Row;
pub use scope::{is_forwardable, is_source_specific, is_tracked};
pub use state::{FilterMode, GroupState, QuerierState, SourceState};
