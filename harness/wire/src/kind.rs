//! The kinds of frame that the codec knows.

use serde::{Deserialize, Serialize};

/// A kind of frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// LACPDU.
    Lacpdu,
    /// Marker or Marker Response PDU.
    Marker,
    /// Any other slow protocol frame.
    Slow,
    /// MLD query, version 1 or 2.
    MldQuery,
    /// Version 2 Multicast Listener Report.
    MldReport,
    /// Version 1 Multicast Listener Report.
    MldV1Report,
    /// Version 1 Multicast Listener Done.
    MldDone,
    /// E-Trunk hello.
    Etrunk,
    /// RBS message (inside the TCP connection).
    Rbs,
    /// UDP datagram over IPv6 that is no E-Trunk hello.
    Udp,
    /// Neighbor Solicitation or Advertisement.
    Neighbor,
    /// PIM Hello.
    PimHello,
    /// PIM Join/Prune.
    PimJoinPrune,
    /// Any other frame.
    Frame,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::Lacpdu,
        Self::Marker,
        Self::Slow,
        Self::MldQuery,
        Self::MldReport,
        Self::MldV1Report,
        Self::MldDone,
        Self::Etrunk,
        Self::Rbs,
        Self::Udp,
        Self::Neighbor,
        Self::PimHello,
        Self::PimJoinPrune,
        Self::Frame,
    ];

    /// The name that cases use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lacpdu => "lacpdu",
            Self::Marker => "marker",
            Self::Slow => "slow",
            Self::MldQuery => "mld-query",
            Self::MldReport => "mld-report",
            Self::MldV1Report => "mld-v1-report",
            Self::MldDone => "mld-done",
            Self::Etrunk => "etrunk",
            Self::Rbs => "rbs",
            Self::Udp => "udp",
            Self::Neighbor => "neighbor",
            Self::PimHello => "pim-hello",
            Self::PimJoinPrune => "pim-join-prune",
            Self::Frame => "frame",
        }
    }
}
