//! The tester's side: golden LACP partner, E-Trunk and RBS peer, and the player of a case's steps.
//!
//! The [`Player`] is sans-I/O and a function of what it is given: the same observations at the same
//! times give the same actions and the same verdict, whether they come from a simulation, a wire or
//! a file. Judging a capture again is playing its case against it.

mod among;
mod choosing;
mod distribution;
mod etrunk_peer;
mod frames;
mod judging;
mod matching;
mod measuring;
mod outcome;
mod partner;
mod player;
mod port;
mod rbs_peer;
mod sampling;

pub use matching::{Known, compare};
pub use outcome::{Action, Outcome, SetupError};
pub use player::{PairStatus, Player, Setup, TesterPort};
