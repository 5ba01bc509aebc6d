//! What is received: the checks of RFC 3810 6.2, 7.4, 7.6 and RFC 2710 6 in order, then the tables.

use crate::checks::Heard;
use crate::event::{DiscardReason, Envelope, MldEvent};
use crate::interface::Interface;
use crate::rows::Received;
use crate::table::Slot;
use crate::version_1;
use dut_device::Instant;
use dut_wire::mld::{
    DONE, Message, QUERY, Query, REPORT_V1, REPORT_V2, Record, RecordType, Refused, Report,
};
use std::net::Ipv6Addr;
use std::time::Duration;

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
        if self.is_up() && icmpv6.first() != Some(&QUERY) && !self.has_time(now) {
            return self.discard(DiscardReason::ReportLimit);
        }
        let first = Report::first_group(icmpv6);
        let mut seems = first.and_then(|group| self.table.expect(None, group));
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
                let mut records = report.records.iter().peekable();
                while let Some(record) = records.next() {
                    let slot = self.table.find_expected(seems, record.group);
                    let next = records.peek();
                    seems = next.and_then(|next| self.table.expect(slot, next.group));
                    self.receive_record(now, source, record, slot);
                }
            }
            Err(reason) => self.discard(reason),
        }
    }

    /// Counts a report; false when this second has had as many as the limit says.
    fn has_time(&mut self, now: Instant) -> bool {
        let (began, count) = &mut self.reports;
        if now.since(*began) >= Duration::from_secs(1) {
            (*began, *count) = (now, 0);
        }
        let room = *count < self.config.report_limit;
        *count = count.saturating_add(u32::from(room));
        room
    }

    fn judge(&self, envelope: &Envelope, icmpv6: &[u8]) -> Result<Message, DiscardReason> {
        if !self.is_up() {
            return Err(DiscardReason::InterfaceDown);
        }
        let config = &self.config;
        let heard = Heard {
            envelope,
            icmpv6,
            config,
        };
        for check in self.policy.checks.iter() {
            if (check.refuses)(&heard) {
                return Err(check.reason);
            }
        }
        (self.policy.parse)(icmpv6).map_err(|refused| refusal(refused, icmpv6))
    }

    fn receive_query(&mut self, now: Instant, source: Ipv6Addr, query: &Query) {
        self.warn(now, source, query);
        self.elect(now, source, query);
        self.answer(now, query);
        let address = query.group();
        if self.config.is_version_1() {
            if address.is_unspecified() || query.suppress() {
                return;
            }
            let event = version_1::Received::SpecificQuery(query.maximum_response_delay());
            return self.take_version_1(now, address, event);
        }
        let until = now + self.variables().llqt;
        let lower = self.policy.lower;
        let Some(slot) = self.table.find(address) else {
            return;
        };
        let group = self.table.get_mut(slot);
        if group.is_some_and(|group| lower(group, query, until)) {
            self.table.settle(slot);
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
        let interval = (self.policy.mismatch_gap)(&self.config);
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
        let config = &self.config;
        let checks = self.policy.older_checks.iter();
        let mut refused = checks.filter(|check| (check.refuses)(group, config));
        let Some(reason) = refused.next().map(|check| check.reason) else {
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
            let (report, _) = self.policy.older;
            let place = (group, self.table.find(group));
            self.take(now, source, place, report, &[], true);
        }
    }

    fn receive_done(&mut self, now: Instant, source: Ipv6Addr, group: Ipv6Addr) {
        if !self.admit_version_1(group) {
            return;
        }
        if !self.config.is_version_1() {
            let (_, done) = self.policy.older;
            let place = (group, self.table.find(group));
            self.take(now, source, place, done, &[], false);
        } else if (self.policy.hears_done)(self.is_querier()) {
            self.take_version_1(now, group, version_1::Received::Done);
        } else {
            self.discard(DiscardReason::DoneAtNonQuerier);
        }
    }

    fn receive_record(
        &mut self,
        now: Instant,
        source: Ipv6Addr,
        record: &Record,
        slot: Option<Slot>,
    ) {
        // Only state-change records ask for it.
        let asks = !matches!(
            record.record_type,
            RecordType::ModeIsInclude | RecordType::ModeIsExclude
        );
        let held = slot.and_then(|slot| self.table.at(slot));
        let older = asks && held.is_some_and(|group| group.v1_host.is_some());
        let checks = self.policy.record_checks.iter();
        let mut refused = checks.filter(|check| (check.refuses)(record, older));
        if let Some(reason) = refused.next().map(|check| check.reason) {
            return self.discard(reason);
        }
        let Some(received) = Received::of(record.record_type) else {
            return self.discard(DiscardReason::UnknownRecordType);
        };
        let lists = (self.policy.lists)(received, older);
        let listed: &[Ipv6Addr] = if lists { &record.sources } else { &[] };
        let place = (record.group, slot);
        self.take(now, source, place, received, listed, false);
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
