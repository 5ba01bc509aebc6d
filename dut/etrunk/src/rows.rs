//! The roles as two row tables: device rows 01–30, member rows 31–48.
//!
//! One match arm a row, in this order; [`Decision::row`] is the row's id. A row reads only what
//! its pattern names. Both functions are pure: who calls them holds the timers and the peer.

mod device;
mod member;

pub use device::{PeerSays, Rank, device_row};
pub use member::{MemberInput, PeerMember, member_row};

/// Whether the wait before a return to the better device (or repaired member) is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Revert {
    /// The revert delay runs, its gate is closed, or the peer has not asked.
    Waiting,
    /// The delay has run, the gate is open and, for the device, the peer asks.
    Ready,
}

/// What a row decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision<S, R> {
    /// The row's id, as `ETRUNK-ROW-03`.
    pub row: &'static str,
    /// The role from now on.
    pub to: S,
    /// The causation from now on; `None` leaves it as it is.
    pub causation: Option<R>,
}

const fn decide<S, R>(row: &'static str, to: S, causation: Option<R>) -> Decision<S, R> {
    Decision { row, to, causation }
}

#[cfg(test)]
mod tests;
