//! The Device contract: frames and time in, frames and events out.
//!
//! Anything sans-I/O that takes frames and time is a [`Device`]: a reference node, a tester, a
//! host. The driver (simulation, live, replay) calls a `handle_*` method, then drains
//! [`Device::poll_transmit`] and [`Device::poll_event`] to `None`, then asks
//! [`Device::next_timeout`]. It answers each transmission with [`Device::handle_transmitted`].
//!
//! Late time is legal, backward time isn't. A peer's bytes can't make these calls fail: a bad frame
//! becomes an [`Event::Discarded`]. This crate holds no logic.

mod build;
mod event;
mod instant;
mod look;
mod mac;
mod snapshot;

pub use build::{BuildSpec, Identity};
pub use event::{Control, ControlError, Event};
pub use instant::Instant;
pub use look::{GroupLook, PairLook, SourceLook};
pub use mac::{MacAddr, ParseMacError};
pub use snapshot::*;

/// One Ethernet port of a device: an index into [`Device::ports`].
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct PortId(pub u16);

/// Names one transmission until the driver has said when it left. Never reused by one device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TxId(pub u64);

/// What a device says of one of its Ethernet ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortInfo {
    /// The port's index.
    pub id: PortId,
    /// The device's own full name for it, as `GigabitEthernet0/1/2`.
    pub name: String,
    /// The address that the port's own frames carry as source.
    pub mac: MacAddr,
}

/// A frame that a device wants sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    /// The port it leaves by.
    pub port: PortId,
    /// What [`Device::handle_transmitted`] will name it by.
    pub tx: TxId,
    /// The frame from the destination address on, without FCS.
    pub frame: Vec<u8>,
}

/// The sans-I/O contract between a device and whatever drives it.
pub trait Device: std::fmt::Debug {
    /// The device's Ethernet ports, in index order. Constant over its life.
    fn ports(&self) -> &[PortInfo];

    /// A frame has been received on `port`.
    fn handle_frame(&mut self, now: Instant, port: PortId, frame: &[u8]);

    /// Time has reached `now`. May be called early (does nothing) and late (does all that is due).
    fn handle_timeout(&mut self, now: Instant);

    /// Something other than a frame has happened to the device.
    ///
    /// # Errors
    /// [`ControlError`] when the device has no such port or knows no such command; its state is
    /// then what it was.
    fn handle_control(&mut self, now: Instant, control: &Control) -> Result<(), ControlError>;

    /// The transmission `tx` left the device at `at`.
    fn handle_transmitted(&mut self, at: Instant, tx: TxId);

    /// The next frame to send. Drain to `None` after each `handle_*` call.
    fn poll_transmit(&mut self) -> Option<Transmit>;

    /// The next event. Drain to `None` after each `handle_*` call.
    fn poll_event(&mut self) -> Option<Event>;

    /// When [`Device::handle_timeout`] wants to be called next; `None` when nothing is pending.
    fn next_timeout(&self) -> Option<Instant>;

    /// The device's state in the standard's names, where it can be looked into.
    /// It may explain the verdict of a conformance case, never make one.
    fn snapshot(&self, _now: Instant) -> Option<Snapshot> {
        None
    }

    /// What state equivalence needs of the device, into a look that is used again; `false` where
    /// it can't be looked into. It says what [`Device::snapshot`] says, for less.
    fn look(&self, now: Instant, look: &mut PairLook) -> bool {
        let snapshot = self.snapshot(now);
        if let Some(snapshot) = &snapshot {
            look.read(snapshot);
        }
        snapshot.is_some()
    }

    /// Answers a `display` command. `None` when the device has no command line.
    fn display(&self, _now: Instant, _command: &str) -> Option<Result<String, String>> {
        None
    }
}
