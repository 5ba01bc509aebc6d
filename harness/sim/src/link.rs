//! A link between two ends.

use dut_device::PortId;
use harness_trace::PointId;
use std::time::Duration;

/// What a link ends at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// A device's port, by the device's index.
    Device(usize, PortId),
    /// The tester.
    Tester,
}

/// A link.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) name: String,
    /// First-named end: its frames are `Out`.
    pub(crate) near: End,
    pub(crate) far: End,
    pub(crate) latency: Duration,
    /// Whether the cable is whole; a carrier needs both ends alive too.
    pub(crate) whole: bool,
    /// The point that records it.
    pub(crate) point: Option<PointId>,
    /// Raised when the carrier goes: what was in flight before is lost.
    pub(crate) generation: u64,
}
