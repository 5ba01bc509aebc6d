//! What an Eth-Trunk reports.

use dut_device::PortId;

/// Something that happened in an Eth-Trunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LacpEvent {
    /// A machine took an arc.
    Transition {
        /// Whose machine.
        port: PortId,
        /// The machine's name in the standard.
        machine: &'static str,
        /// Box left.
        from: &'static str,
        /// Box entered.
        to: &'static str,
        /// The arc's id.
        arc: &'static str,
    },
    /// A slow protocol frame was not used.
    Discarded {
        /// Where it came in.
        port: PortId,
        /// Why.
        reason: DiscardReason,
    },
    /// Collecting was enabled or disabled.
    Collecting {
        /// On which port.
        port: PortId,
        /// Whether it collects now.
        on: bool,
    },
    /// Distributing was enabled or disabled.
    Distributing {
        /// On which port.
        port: PortId,
        /// Whether it distributes now.
        on: bool,
    },
    /// The Eth-Trunk came up or went down.
    OperUp(bool),
}

/// Why a slow protocol frame was not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DiscardReason {
    /// Subtype 0 or 11–255, or none at all.
    IllegalSubtype,
    /// Subtype 3–10: legal, but nobody here speaks it.
    UnknownSubtype,
    /// Fewer octets than a PDU of the subtype has.
    TooShort,
    /// A TLV's length octet is another one than the standard's.
    BadLength,
    /// A Marker PDU whose TLV_type is neither Marker nor Marker Response Information.
    BadMarkerType,
    /// The port has no carrier.
    PortDisabled,
    /// LACP is disabled on the port.
    LacpDisabled,
}

impl DiscardReason {
    /// The reason in snake case, as counters are named.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::IllegalSubtype => "illegal_subtype",
            Self::UnknownSubtype => "unknown_subtype",
            Self::TooShort => "too_short",
            Self::BadLength => "bad_length",
            Self::BadMarkerType => "bad_marker_type",
            Self::PortDisabled => "port_disabled",
            Self::LacpDisabled => "lacp_disabled",
        }
    }
}
