//! What a listener is configured with, and why a socket's request is refused.

use crate::Profile;
use std::net::Ipv6Addr;
use std::time::Duration;
use thiserror::Error;

/// The configuration of a listener's interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostConfig {
    /// Its link-local address.
    pub link_local: Ipv6Addr,
    /// How long duplicate address detection keeps that address from being used; zero: usable at
    /// once. Default zero.
    pub address_after: Duration,
    /// RFC 9777 falls back to version 1 for General Queries of version 1 alone, RFC 3810 for any.
    pub profile: Profile,
    /// 1: the listener is of RFC 2710 alone and never speaks version 2. Default 2.
    pub version: u8,
    /// Robustness Variable; 0 is taken for 1. Default 2.
    pub robustness: u8,
    /// Unsolicited Report Interval of version 2. Default 1 s.
    pub unsolicited_report_interval: Duration,
    /// Unsolicited Report Interval of version 1. Default 10 s.
    pub unsolicited_report_interval_v1: Duration,
    /// Query Interval until a version 2 querier has said its own. Default 125 s.
    pub query_interval: Duration,
    /// Whether the listener follows a version 1 querier (RFC 9777 8.2.1). Default true.
    pub compatibility: bool,
    /// Link MTU in octets, at least 1280. Default 1500.
    pub mtu: u16,
    /// How many addresses are listened to. Default 4096.
    pub group_limit: usize,
    /// How many sources a socket's request and a pending answer may list. Default 1024.
    pub source_limit: usize,
}

impl HostConfig {
    /// The RFC defaults; of the two texts RFC 9777.
    #[must_use]
    pub const fn new(link_local: Ipv6Addr) -> Self {
        Self {
            link_local,
            address_after: Duration::ZERO,
            profile: Profile::Rfc9777,
            version: 2,
            robustness: 2,
            unsolicited_report_interval: Duration::from_secs(1),
            unsolicited_report_interval_v1: Duration::from_secs(10),
            query_interval: Duration::from_secs(125),
            compatibility: true,
            mtu: 1500,
            group_limit: 4096,
            source_limit: 1024,
        }
    }

    /// Robustness Variable in use.
    pub(super) fn robustness(&self) -> u8 {
        self.robustness.max(1)
    }
}

/// Why a socket's request is refused; nothing has changed then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ListenError {
    /// The address is no multicast address.
    #[error("{0} is no multicast address")]
    NotMulticast(Ipv6Addr),
    /// A source is `::` or a multicast address.
    #[error("{0} is no unicast address")]
    SourceNotUnicast(Ipv6Addr),
    /// EXCLUDE for a source-specific address (RFC 4604 2).
    #[error("{0} is source-specific: only INCLUDE can be asked of it")]
    SourceSpecific(Ipv6Addr),
    /// More sources than are held.
    #[error("{0} sources are more than the {1} that a request may list")]
    TooManySources(usize, usize),
    /// More addresses than are held.
    #[error("{0} multicast addresses are listened to, and no more can be")]
    TooManyGroups(usize),
}
