//! Executes cases on a testbed and emits run events.
//!
//! The simulation builds a world from a testbed, lets the player and the world take turns, and
//! gives a [`CaseResult`] with the trace. Judging a trace again plays the same case against it.

mod align;
mod bed;
mod event;
mod judge;
mod measured;
mod notes;
mod onto;
mod replay;
mod session;
mod simulation;
mod suite;
mod tally;
mod watch;

pub use align::Beside;
pub use bed::{BedError, Factory, SimulatedBed, build_bed, mix};
pub use event::{CaseResult, Classification, Footer, Header, RunEvent, Subject};
pub use judge::{JudgeError, judge_trace};
pub use measured::{LATE, Measured};
pub use onto::{Due, OntoError, OntoNote, Pace, Speed, due};
pub use replay::{Happened, Replay, ReplayError, Replayed, identity, replay};
pub use session::{Session, SessionSpec};
pub use simulation::{check_case, default_frames, link_fault, run_case};
pub use suite::{BedForm, Options, bed_of, preambles, run};
pub use tally::Tally;
