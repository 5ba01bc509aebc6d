//! What a listener decides by, as plain functions: [`Policy::STANDARD`] are the texts'.

use super::answer::{Answers, Ask, current, wanted};
use super::change::{Difference, Pending};
use super::filter::{Filter, Sources};
use crate::{DiscardReason, Envelope, Profile, is_source_specific, is_tracked};
use dut_wire::mld::{
    ALL_MLDV2_ROUTERS, ALL_NODES, ALL_ROUTERS, LinkMtu, Message, Query, QueryV2, Record, Report,
};
use std::net::Ipv6Addr;
use std::time::Duration;

/// What the destination of a received message is to the listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addressed {
    /// Destination address.
    pub destination: Ipv6Addr,
    /// The interface's link-local address.
    pub link_local: Ipv6Addr,
    /// Whether the destination is a multicast address that is listened to.
    pub listened: bool,
}

/// The decisions.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// The interface's state from those of its sockets (4.2).
    pub merge: fn(&[&Filter]) -> Filter,
    /// What a change consists of (6.1).
    pub difference: fn(&Filter, &Filter) -> Difference,
    /// Merges a change with what is pending, for so many reports (6.1).
    pub join: fn(&mut Pending, &Difference, u8),
    /// Counts down when a report has left (6.1).
    pub sent: fn(&mut Pending),
    /// The records of a State Change Report (6.1).
    pub change_records: fn(&Pending, Ipv6Addr, &Filter) -> Vec<Record>,
    /// How many reports tell a change, by the Robustness Variable (6.1).
    pub copies: fn(u8) -> u8,
    /// How long until the next copy, by a random number and the Unsolicited Report Interval.
    pub retransmission_gap: fn(u64, Duration) -> Duration,
    /// How long an answer waits, by a random number and the Maximum Response Delay (6.2).
    pub response_delay: fn(u64, Duration) -> Duration,
    /// The Maximum Response Delay of a query (5.1.3).
    pub maximum_response_delay: fn(&Query) -> Duration,
    /// What a listener of version 1 alone reads of a message (RFC 2710 3.7).
    pub read_in_version_1: fn(&[u8]) -> &[u8],
    /// Why a message isn't used, by its envelope and whether its checksum holds (6.2).
    pub refuses: fn(&Envelope, bool) -> Option<DiscardReason>,
    /// Whether a message is for the listener (5.1.15).
    pub accepts: fn(&Addressed) -> bool,
    /// Whether an address is reported at all (6).
    pub is_reported: fn(Ipv6Addr) -> bool,
    /// Rules 1 to 5 of 6.2.
    pub schedule: fn(&mut Answers, Ask),
    /// The Current State Record of an address (6.3).
    pub current: fn(Ipv6Addr, &Filter) -> Option<Record>,
    /// Which of the queried sources the answer names (6.3).
    pub wanted: fn(&Filter, &Sources) -> Sources,
    /// Packs records into reports that fit (5.2.15).
    pub pack: fn(Vec<Record>, LinkMtu) -> Vec<Report>,
    /// Where a message goes (5.2.14, RFC 2710 5).
    pub destination: fn(&Message) -> Ipv6Addr,
    /// Source address, by the link-local one and whether it can be used (5.2.13).
    pub source: fn(Ipv6Addr, bool) -> Ipv6Addr,
    /// Whether all is reported again once there is a link-local address (5.2.13).
    pub reports_again: bool,
    /// The Query Interval from a version 2 query, by that known before (5.1.9).
    pub query_interval: fn(Duration, &QueryV2) -> Duration,
    /// Whether a query makes the listener speak version 1 (8.2.1).
    pub falls_back: fn(Profile, &Query) -> bool,
    /// [Older Version Querier Present Timeout], by Robustness Variable, Query Interval and the
    /// query's delay (9.12).
    pub older_version_querier_present: fn(u8, Duration, Duration) -> Duration,
    /// Whether a change of version cancels what is pending (8.2.1).
    pub cancels: bool,
    /// Whether another's version 1 Report withholds the own one of this address (RFC 2710 4,
    /// RFC 4604 2.2.2).
    pub suppressed: fn(Ipv6Addr) -> bool,
    /// Whether a leave is told in version 1, by whether the listener reported last (RFC 2710 4).
    pub done: fn(bool) -> bool,
}

impl Policy {
    /// The texts' decisions.
    pub const STANDARD: Self = Self {
        merge: Filter::merge,
        difference: Difference::between,
        join: Pending::join,
        sent: Pending::sent,
        change_records: Pending::records,
        copies: |robustness| robustness,
        retransmission_gap: up_to,
        response_delay,
        maximum_response_delay: Query::maximum_response_delay,
        read_in_version_1,
        refuses,
        accepts,
        is_reported: is_tracked,
        schedule: Answers::schedule,
        current,
        wanted,
        pack: Report::pack,
        destination,
        source,
        reports_again: true,
        query_interval,
        falls_back,
        older_version_querier_present,
        cancels: true,
        suppressed: |group| !is_source_specific(group),
        done: |reported_last| reported_last,
    };
}

impl Default for Policy {
    fn default() -> Self {
        Self::STANDARD
    }
}

/// The least time within which answers spread where the querier allows none.
const LEAST_SPREAD: Duration = Duration::from_millis(10);

/// Uniform over (0, `longest`].
//= MLD-161
#[must_use]
fn up_to(random: u64, longest: Duration) -> Duration {
    let span = longest.as_nanos();
    let part = (u128::from(random) * span) >> 64;
    Duration::from_nanos(u64::try_from(part + 1).unwrap_or(u64::MAX)).min(longest)
}

//= MLD-167
fn response_delay(random: u64, maximum: Duration) -> Duration {
    up_to(random, maximum.max(LEAST_SPREAD))
}

//= MLD-165
fn refuses(envelope: &Envelope, checksum_holds: bool) -> Option<DiscardReason> {
    if envelope.hop_limit != 1 {
        Some(DiscardReason::HopLimit)
    } else if envelope.router_alert.is_none() {
        Some(DiscardReason::NoRouterAlert)
    } else if envelope.source.is_unspecified() {
        Some(DiscardReason::SourceUnspecified)
    } else if !envelope.source.is_unicast_link_local() {
        Some(DiscardReason::SourceNotLinkLocal)
    } else if !checksum_holds {
        Some(DiscardReason::BadChecksum)
    } else {
        None
    }
}

//= MLD-166
fn accepts(to: &Addressed) -> bool {
    to.listened || to.destination == to.link_local || to.destination == ALL_NODES
}

//= MLD-174
fn destination(message: &Message) -> Ipv6Addr {
    match message {
        Message::Report(_) => ALL_MLDV2_ROUTERS,
        Message::ReportV1 { group } => *group,
        Message::Done { .. } => ALL_ROUTERS,
        Message::Query(query) => query.group(),
    }
}

//= MLD-169
const fn source(link_local: Ipv6Addr, usable: bool) -> Ipv6Addr {
    if usable {
        link_local
    } else {
        Ipv6Addr::UNSPECIFIED
    }
}

fn query_interval(known: Duration, query: &QueryV2) -> Duration {
    let said = query.qqic.interval();
    if said.is_zero() { known } else { said }
}

/// The first 24 octets: what is behind them belongs to a later version.
//= MLD-179
fn read_in_version_1(message: &[u8]) -> &[u8] {
    message.get(..24).unwrap_or(message)
}

//= MLD-170
//= MLD-171
fn falls_back(profile: Profile, query: &Query) -> bool {
    match query {
        Query::V1(query) => profile == Profile::Rfc3810 || query.group.is_unspecified(),
        Query::V2(_) => false,
    }
}

//= MLD-170
fn older_version_querier_present(robustness: u8, interval: Duration, delay: Duration) -> Duration {
    interval.saturating_mul(robustness.into()) + delay
}
