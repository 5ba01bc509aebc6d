//! Invariants over a whole Trace, written from the requirement, not from the reference.
//!
//! Nothing here knows how the reference is written: it sees frames, and for the equivalence of
//! master and backup their states as plain data.

mod difference;
mod equivalence;
mod etrunk;
mod expect;
mod foreign;
mod forwarding;
mod interval;
mod invariant;
mod lacp;
mod listener;
mod mld;
mod mld_table;
mod pair_state;
mod stream;
mod verdict;

pub use equivalence::{Equivalence, Status};
pub use expect::{LacpConfig, LacpModel, MldConfig, MldModel};
pub use interval::{Allowed, Interval, Said};
pub use invariant::{InvariantReport, Invariants, Roles};
pub use mld_table::MldConstants;
pub use pair_state::{DeviceChange, DeviceState, GroupState, PairChange, PairState, Way};
pub use stream::{Arrivals, StreamMeter};
pub use verdict::{Difference, Finding, Verdict};
