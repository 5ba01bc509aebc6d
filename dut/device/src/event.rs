//! What is done to a device besides frames, and what it reports besides frames.

use crate::PortId;

/// Something done to a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// The carrier of a port has come.
    LinkUp(PortId),
    /// The carrier of a port has gone.
    LinkDown(PortId),
    /// A command in the device's own language (a reference node: a VRP `reset` or configuration
    /// command; a simulated host: `join`, `leave`, …).
    Command(String),
}

/// Why a [`Control`] was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlError {
    /// The device has no such port.
    UnknownPort(PortId),
    /// The command is not of the device's language; the text says what would be accepted.
    UnknownCommand(String),
}

impl std::fmt::Display for ControlError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::UnknownPort(port) => write!(f, "the device has no port {}", port.0),
            Self::UnknownCommand(text) => write!(f, "{text}"),
        }
    }
}

impl std::error::Error for ControlError {}

/// Something that a device reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A received frame or message was not used. One counter per reason stands behind it.
    Discarded {
        /// Where it came in; `None` for what came over the host stack (TCP).
        port: Option<PortId>,
        /// The protocol that refused it, as `lacp`, `mld`, `etrunk`, `rbs`, `ipv6`, `ethernet`.
        protocol: &'static str,
        /// The typed reason's name in snake case, as `bad_checksum`.
        reason: &'static str,
    },
    /// A state machine or table took an arc or row.
    Transition {
        /// Whose machine: a port, an interface, `e-trunk 1`, a group.
        scope: String,
        /// The machine's or table's name in the standard, as `Receive machine`.
        machine: &'static str,
        /// State left, in the standard's spelling.
        from: &'static str,
        /// State entered, in the standard's spelling.
        to: &'static str,
        /// Id of the arc or row, as `LACP-RX-07`.
        arc: &'static str,
    },
    /// Anything else worth a line in the event log.
    Notice {
        /// What it is about, as `e-trunk`, `rbs`, `load`.
        what: &'static str,
        /// One line of text.
        text: String,
    },
}
