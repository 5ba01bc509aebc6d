//! The simulated world: nodes, links, faults, one seed.
//!
//! Virtual time jumps from event to event. Events of one instant happen in the order in which they
//! were made: the queue is keyed by (time, sequence), and nothing else decides an order, so two
//! runs of one seed are equal to the byte.

mod act;
mod budget;
mod fault;
mod host;
mod hub;
mod link;
mod world;

pub use budget::{Budget, Excess, Overrun};
pub use fault::{Fault, FaultMatch, Faults};
pub use host::Host;
pub use hub::Hub;
pub use world::{LogLine, NodeAction, SetupError, World};
