//! What is received: the checks of RFC 3810 6.2, 7.4, 7.6 and RFC 2710 6 in order, then the tables.

use crate::event::{DiscardReason, Envelope, MldEvent};
use crate::interface::Interface;
use crate::rows::Received;
use crate::scope::{is_link_local, is_source_specific, is_tracked};
use crate::version_1;
use dut_device::Instant;
use dut_wire::icmpv6::checksum_holds;
use dut_wire::mld::{DONE, Message, QUERY, Query, REPORT_V1, REPORT_V2, Record, Refused};
use std::net::Ipv6Addr;

impl Interface {
    /// An ICMPv6 message of type 130, 131, 132 or 143 was received on the link; the whole message.
    /// Timers that are due are run first.
    pub fn handle_message(&mut self, now: Instant, envelope: &Envelope, icmpv6: &[u8]) {
        //= MLD-044
        self.handle_timeout(now);
        //= MLD-033
        //= MLD-034
        //= MLD-052
        let source = envelope.source;
        match self.judge(envelope, icmpv6) {
            Ok(Message::Query(query)) => self.receive_query(now, source, &query),
            Ok(Message::ReportV1 { group }) => self.receive_report_v1(now, source, group),
            Ok(Message::Done { group }) => self.receive_done(now, source, group),
            Ok(Message::Report(report)) => {
                if self.config.is_version_1() {
                    return self.discard(DiscardReason::Version2Report);
                }
                //= MLD-032
                //= MLD-040
                //= MLD-104
                //= MLD-105
                for record in &report.records {
                    self.receive_record(now, source, record);
                }
            }
            Err(reason) => self.discard(reason),
        }
    }

    fn judge(&self, envelope: &Envelope, icmpv6: &[u8]) -> Result<Message, DiscardReason> {
        let source = envelope.source;
        if !self.is_up() {
            return Err(DiscardReason::InterfaceDown);
        }
        //= MLD-021
        //= MLD-045
        if envelope.hop_limit != 1 {
            return Err(DiscardReason::HopLimit);
        }
        //= MLD-022
        //= MLD-046
        if self.config.require_router_alert && envelope.router_alert.is_none() {
            return Err(DiscardReason::NoRouterAlert);
        }
        //= MLD-024
        //= MLD-047
        if source.is_unspecified() {
            return Err(DiscardReason::SourceUnspecified);
        }
        //= MLD-025
        //= MLD-057
        if !is_link_local(source) {
            return Err(DiscardReason::SourceNotLinkLocal);
        }
        //= MLD-026
        //= MLD-048
        if !checksum_holds(icmpv6, source, envelope.destination) {
            return Err(DiscardReason::BadChecksum);
        }
        //= MLD-058
        if source == self.config.link_local {
            return Err(DiscardReason::OwnMessage);
        }
        Message::parse(icmpv6).map_err(|refused| refusal(refused, icmpv6))
    }

    fn receive_query(&mut self, now: Instant, source: Ipv6Addr, query: &Query) {
        self.warn(now, source, query);
        self.elect(now, source, query);
        self.answer(now, query);
        let address = query.group();
        //= MLD-079
        //= MLD-081
        if address.is_unspecified() || query.suppress() {
            return;
        }
        if self.config.is_version_1() {
            let event = version_1::Received::SpecificQuery(query.maximum_response_delay());
            return self.take_version_1(now, address, event);
        }
        let until = now + self.variables().llqt();
        let Some(group) = self.table.get_mut(address) else {
            return;
        };
        //= MLD-077
        let lowered = if query.sources().is_empty() {
            group.lower_filter(until)
        } else {
            group.lower_sources(query.sources(), until)
        };
        if lowered {
            self.table.settle(address);
            self.event(MldEvent::Refreshed { group: address });
        }
    }

    /// Reports that a router of the other version queries, at most once a Query Interval.
    fn warn(&mut self, now: Instant, source: Ipv6Addr, query: &Query) {
        //= MLD-149
        let version = match query {
            Query::V1(_) => 1,
            Query::V2(_) => 2,
        };
        let interval = self.config.query_interval;
        let recently = self
            .warned
            .is_some_and(|warned| now.since(warned) < interval);
        if version != self.config.version && !recently {
            self.warned = Some(now);
            self.event(MldEvent::VersionMismatch { source, version });
        }
    }

    /// Whether a version 1 Report or Done for this group is used at all.
    fn admit_version_1(&mut self, group: Ipv6Addr) -> bool {
        let reason = if !is_tracked(group) {
            DiscardReason::GroupNotTracked
        } else if is_source_specific(group) {
            //= MLD-155
            DiscardReason::SourceSpecificGroup
        } else if !self.config.compatibility && !self.config.is_version_1() {
            DiscardReason::CompatibilityOff
        } else {
            return true;
        };
        self.discard(reason);
        false
    }

    fn receive_report_v1(&mut self, now: Instant, source: Ipv6Addr, group: Ipv6Addr) {
        self.listener.heard_version_1(group);
        if !self.admit_version_1(group) {
            return;
        }
        if self.config.is_version_1() {
            self.take_version_1(now, group, version_1::Received::Report(source));
        } else {
            //= MLD-138
            self.take(now, source, group, Received::IsEx, &[], true);
        }
    }

    fn receive_done(&mut self, now: Instant, source: Ipv6Addr, group: Ipv6Addr) {
        if !self.admit_version_1(group) {
            return;
        }
        if !self.config.is_version_1() {
            //= MLD-139
            //= MLD-140
            self.take(now, source, group, Received::ToIn, &[], false);
        } else if self.is_querier() {
            self.take_version_1(now, group, version_1::Received::Done);
        } else {
            self.discard(DiscardReason::DoneAtNonQuerier);
        }
    }

    fn receive_record(&mut self, now: Instant, source: Ipv6Addr, record: &Record) {
        let group = record.group;
        match self.judge_record(record) {
            Ok(received) => {
                let listed: &[Ipv6Addr] = match received {
                    //= MLD-142
                    Received::ToEx if self.is_in_version_1_mode(group) => &[],
                    Received::ToEx
                    | Received::IsIn
                    | Received::IsEx
                    | Received::Allow
                    | Received::Block
                    | Received::ToIn => &record.sources,
                };
                self.take(now, source, group, received, listed, false);
            }
            Err(reason) => self.discard(reason),
        }
    }

    fn judge_record(&self, record: &Record) -> Result<Received, DiscardReason> {
        //= MLD-030
        //= MLD-031
        let unknown = DiscardReason::UnknownRecordType;
        let received = Received::of(record.record_type).ok_or(unknown)?;
        if !record.group.is_multicast() {
            return Err(DiscardReason::RecordNotMulticast);
        }
        if !is_tracked(record.group) {
            return Err(DiscardReason::GroupNotTracked);
        }
        //= MLD-041
        let illegal = |source: &Ipv6Addr| source.is_multicast() || source.is_unspecified();
        if record.sources.iter().any(illegal) {
            return Err(DiscardReason::RecordSource);
        }
        //= MLD-153
        //= MLD-154
        //= MLD-156
        if is_source_specific(record.group) && received.replaces() {
            return Err(DiscardReason::SourceSpecificGroup);
        }
        //= MLD-141
        if received == Received::Block && self.is_in_version_1_mode(record.group) {
            return Err(DiscardReason::BlockInVersion1);
        }
        Ok(received)
    }

    fn is_in_version_1_mode(&self, group: Ipv6Addr) -> bool {
        self.table
            .get(group)
            .is_some_and(|record| record.v1_host.is_some())
    }
}

/// The reason's own name for what the codec has refused.
pub(crate) fn refusal(refused: Refused, icmpv6: &[u8]) -> DiscardReason {
    match (refused, icmpv6.first().copied()) {
        //= MLD-043
        (Refused::Type(_), _) => DiscardReason::UnknownType,
        (Refused::Length(_), Some(QUERY)) => DiscardReason::QueryLength,
        (Refused::Length(_), Some(REPORT_V2)) => DiscardReason::ReportLength,
        //= MLD-055
        (Refused::Length(_), Some(REPORT_V1 | DONE)) => DiscardReason::Version1Length,
        (Refused::Length(_), Some(_) | None) => DiscardReason::UnknownType,
        (Refused::Overrun(_), _) => DiscardReason::Overrun,
        (Refused::Group(_), _) => DiscardReason::GroupNotMulticast,
        (Refused::Sources(_), _) => DiscardReason::GeneralQueryWithSources,
    }
}
