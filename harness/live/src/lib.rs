//! Any device on libpcap ports in real time, and conformance cases against devices on wires.
//!
//! The one crate with a C dependency. It never sees the reference: [`device`] drives whatever
//! [`dut_device::Device`] it is given, and a testbed starts its device by hooks or as a process.

mod alarm;
mod barrier;
mod bed;
mod bench;
mod cable;
mod carrier;
mod clock;
pub mod control;
pub mod device;
pub mod doctor;
mod drive;
mod faulty;
mod hook;
mod late;
mod link;
mod netns;
pub mod onto;
mod port;
mod readable;
mod reference;
mod run;
pub mod turn;
mod warp;

pub use alarm::Alarm;
pub use bed::Plan;
pub use bench::{Bench, Outcome};
pub use clock::Clock;
pub use hook::{HookError, Hooks};
pub use netns::{JUMBO, Namespaces, Veth, enter, sweep};
pub use port::{Counters, Port, PortError};
pub use run::{interrupts, run, runtime};
