//! The state that an interface shows and hands over: remaining times, never absolute ones.

use std::fmt;
use std::net::Ipv6Addr;
use std::time::Duration;

use dut_device::Instant;

/// Filter mode of a multicast address record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FilterMode {
    /// Only listed sources are forwarded.
    Include,
    /// All but the excluded sources are forwarded.
    Exclude,
}

impl FilterMode {
    /// `INCLUDE` or `EXCLUDE`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Include => "INCLUDE",
            Self::Exclude => "EXCLUDE",
        }
    }
}

impl fmt::Display for FilterMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A multicast address record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupState {
    /// Multicast address.
    pub group: Ipv6Addr,
    /// Filter mode.
    pub filter_mode: FilterMode,
    /// Filter timer remaining; zero in INCLUDE.
    pub filter_timer: Duration,
    /// Older Version Host Present timer remaining; zero when not in version-1 mode.
    pub v1_host: Duration,
    /// Sources in address order.
    pub sources: Vec<SourceState>,
    /// Copies of Q(G) still to be sent.
    pub query_count: u8,
    /// When the next copy of a specific query is due; `None` when no series runs.
    pub query_due: Option<Duration>,
    /// Who reported last.
    pub last_reporter: Option<Ipv6Addr>,
    /// When the record was created.
    pub since: Instant,
}

/// A source record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceState {
    /// Source address.
    pub source: Ipv6Addr,
    /// Source timer remaining; zero in EXCLUDE means excluded.
    pub timer: Duration,
    /// Copies of Q(G,S) that still name this source.
    pub query_count: u8,
}

/// Who queries the link, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QuerierState {
    /// The querier's address; `None` when the interface is down.
    pub querier: Option<Ipv6Addr>,
    /// Other Querier Present timer remaining; zero when this router is the querier.
    pub other_querier_remaining: Duration,
    /// Time to the next general query; zero when another router is the querier.
    pub general_query_in: Duration,
}
