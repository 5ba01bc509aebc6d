//! Ethernet ports.

use dut_device::{MacAddr, PortId};

/// An Ethernet port.
#[derive(Debug, Clone)]
pub(crate) struct Port {
    pub(crate) id: PortId,
    pub(crate) mac: MacAddr,
    /// Whether there is a carrier.
    pub(crate) carrier: bool,
    /// `shutdown`.
    pub(crate) shutdown: bool,
    /// What the port belongs to.
    pub(crate) role: PortRole,
}

/// What a port belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PortRole {
    /// An Eth-Trunk, by its index.
    Trunk(usize),
    /// A layer 3 interface of its own, by its index.
    Routed(usize),
    /// An access port of a VLAN.
    Access(u16),
    /// Nothing: what it receives is dropped.
    Unused,
}

impl Port {
    pub(crate) const fn up(&self) -> bool {
        self.carrier && !self.shutdown
    }
}
