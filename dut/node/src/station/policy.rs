//! What a proxy and a snooping bridge decide by, as plain functions: the `STANDARD`s are what the
//! texts say. A defect is one entry that is another.

use super::settings::Settings;
use dut_device::PortId;
use dut_mld::host::Filter;
use dut_mld::{DiscardReason, Envelope, FilterMode, GroupState, is_forwardable};
use dut_wire::ipv6::Packet;
use dut_wire::mld::{Query, Record, RecordType};
use std::net::Ipv6Addr;
use std::time::Duration;

/// Where a packet would go, and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Onto {
    /// The packet comes from upstream.
    pub from_upstream: bool,
    /// The port is the upstream one.
    pub upstream: bool,
    /// The proxy is the link's querier; false upstream.
    pub querier: bool,
    /// The link's listeners want the packet; false upstream.
    pub subscribed: bool,
}

/// A proxy's decisions (RFC 4605).
#[derive(Debug, Clone, Copy)]
pub struct ProxyPolicy {
    /// Whether a group that is joined downstream is told upstream.
    pub tells: fn(Ipv6Addr) -> bool,
    /// What a link's record asks for, `None` being no record; nothing is told without an answer.
    pub subscription: fn(Option<&GroupState>) -> Option<Filter>,
    /// Whom the listener upstream takes a downstream port for: subscriptions of one are one.
    pub subscriber: fn(&str) -> &str,
    /// Whether a packet may leave its link.
    pub forwardable: fn(&Packet<'_>) -> bool,
    /// Whether a packet goes onto a link that it doesn't come from.
    pub onto: fn(Onto) -> bool,
    /// The Hop Limit of a packet that is forwarded, by that with which it came.
    pub hop_limit: fn(u8) -> u8,
    /// Whether a link's subscriptions end with its carrier.
    pub link_ends: bool,
}

impl ProxyPolicy {
    /// The text's decisions.
    pub const STANDARD: Self = Self {
        //= PROXY-011
        tells: is_forwardable,
        subscription: |record| Some(record.map_or_else(Filter::nothing, subscription)),
        //= PROXY-002
        subscriber: |port| port,
        forwardable,
        onto,
        hop_limit: |limit| limit.saturating_sub(1),
        link_ends: true,
    };
}

impl Default for ProxyPolicy {
    fn default() -> Self {
        Self::STANDARD
    }
}

/// What a router's record asks for, without its timers (RFC 4605 4.1): in EXCLUDE the sources
/// whose timer has run out, in INCLUDE all that are there.
#[must_use]
pub fn subscription(state: &GroupState) -> Filter {
    let excluded = state.sources.iter().filter(|s| s.timer.is_zero());
    match state.filter_mode {
        FilterMode::Include => Filter::include(state.sources.iter().map(|s| s.source).collect()),
        FilterMode::Exclude => Filter::exclude(excluded.map(|s| s.source).collect()),
    }
}

//= PROXY-012
/// Whether a packet may leave its link: its scope, its source and its Hop Limit say so.
#[must_use]
pub fn forwardable(packet: &Packet<'_>) -> bool {
    let source = packet.source;
    is_forwardable(packet.destination)
        && !source.is_unicast_link_local()
        && !source.is_unspecified()
        && packet.hop_limit >= 2
}

/// RFC 4605 4.2: what comes from upstream goes to subscribed links, what comes from a link also
/// goes upstream; onto a link only where the proxy is its querier.
//= PROXY-006
//= PROXY-007
//= PROXY-008
#[must_use]
pub const fn onto(to: Onto) -> bool {
    to.upstream || to.querier && to.subscribed
}

/// The intervals that a bridge counts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intervals {
    /// Robustness Variable, at least 1.
    pub robustness: u32,
    /// Query Interval.
    pub query_interval: Duration,
    /// Query Response Interval.
    pub query_response_interval: Duration,
}

impl Intervals {
    pub(super) fn of(settings: &Settings) -> Self {
        Self {
            robustness: u32::from(settings.host.robustness.max(1)),
            query_interval: settings.host.query_interval,
            query_response_interval: settings.query_response_interval,
        }
    }
}

/// What a bridge knows of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The port.
    pub port: PortId,
    /// The frame has arrived on it.
    pub arrived: bool,
    /// A router queries behind it.
    pub router: bool,
    /// Listeners of the frame's group are behind it.
    pub member: bool,
    /// Listeners of the frame's group are behind some port.
    pub registered: bool,
}

/// A snooping bridge's decisions (RFC 4541).
#[derive(Debug, Clone, Copy)]
pub struct SnooperPolicy {
    /// Why nothing is learnt of a message and it isn't passed on, by its envelope and whether its
    /// checksum holds.
    pub refuses: fn(&Envelope, bool) -> Option<DiscardReason>,
    /// Whether a query's port becomes a router's, by the query's source; one that doesn't is
    /// dropped.
    pub makes_router: fn(Ipv6Addr) -> bool,
    /// How long a port is a router's after a query.
    pub router_for: fn(Intervals) -> Duration,
    /// How long a port is a listener's after a report.
    pub member_for: fn(Intervals) -> Duration,
    /// Whether a record says that there are listeners.
    pub wants: fn(&Record) -> bool,
    /// Within which time a port's listeners must answer a query, else they are gone: by the
    /// query, the port's group and the intervals. `None` changes nothing.
    pub answer_within: fn(&Query, Ipv6Addr, Intervals) -> Option<Duration>,
    /// Whether a record ends its port's listening at once.
    pub ends: fn(&Record) -> bool,
    /// Whether a Done does.
    pub done_ends: bool,
    /// Where queries go.
    pub queries_to: fn(Known) -> bool,
    /// Where reports and Dones go.
    pub reports_to: fn(Known) -> bool,
    /// Which groups' traffic is kept to where it is wanted.
    pub restricted: fn(Ipv6Addr) -> bool,
    /// What of a group is remembered and compared.
    pub key: fn(Ipv6Addr) -> Ipv6Addr,
    /// Where traffic of such a group goes.
    pub traffic_to: fn(Known) -> bool,
    /// Where the rest goes: what is for no known station, and messages of unknown types.
    pub others_to: fn(Known) -> bool,
}

impl SnooperPolicy {
    /// The text's decisions.
    pub const STANDARD: Self = Self {
        refuses,
        //= SNOOP-003
        makes_router: |source| !source.is_unspecified(),
        //= SNOOP-002
        router_for: |by| by.query_interval * by.robustness + by.query_response_interval / 2,
        //= SNOOP-010
        member_for: |by| by.query_interval * by.robustness + by.query_response_interval,
        wants,
        answer_within,
        ends: |_| false,
        done_ends: false,
        //= SNOOP-009
        queries_to: elsewhere,
        //= SNOOP-001
        reports_to: |to| to.router && !to.arrived,
        //= SNOOP-005
        restricted: is_forwardable,
        key: |group| group,
        //= SNOOP-004
        traffic_to: |to| (to.router || to.member) && !to.arrived,
        //= SNOOP-008
        others_to: elsewhere,
    };
}

impl Default for SnooperPolicy {
    fn default() -> Self {
        Self::STANDARD
    }
}

//= SNOOP-012
/// Every port but that on which the frame arrived.
#[must_use]
pub const fn elsewhere(to: Known) -> bool {
    !to.arrived
}

/// Whether a record says that there are listeners.
#[must_use]
pub const fn wants(record: &Record) -> bool {
    match record.record_type {
        RecordType::ModeIsExclude | RecordType::ChangeToExclude => true,
        RecordType::ModeIsInclude | RecordType::ChangeToInclude | RecordType::AllowNewSources => {
            !record.sources.is_empty()
        }
        RecordType::BlockOldSources | RecordType::Unknown(_) => false,
    }
}

/// Why nothing is learnt of a message. A report from `::` is a listener's without an address yet.
//= SNOOP-006
//= SNOOP-007
#[must_use]
pub const fn refuses(envelope: &Envelope, checksum_holds: bool) -> Option<DiscardReason> {
    let source = envelope.source;
    if !checksum_holds {
        Some(DiscardReason::BadChecksum)
    } else if envelope.hop_limit != 1 {
        Some(DiscardReason::HopLimit)
    } else if envelope.router_alert.is_none() {
        Some(DiscardReason::NoRouterAlert)
    } else if !source.is_unspecified() && !source.is_unicast_link_local() {
        Some(DiscardReason::SourceNotLinkLocal)
    } else {
        None
    }
}

/// A query for a group asks who is left: listeners answer within its delay, Robustness Variable
/// times. One for some sources, or that is suppressed, says nothing of the group.
#[must_use]
pub fn answer_within(query: &Query, group: Ipv6Addr, by: Intervals) -> Option<Duration> {
    let asks = query.group() == group && !query.suppress() && query.sources().is_empty();
    asks.then(|| query.maximum_response_delay() * by.robustness)
}
