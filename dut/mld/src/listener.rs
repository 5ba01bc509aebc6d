//! The listener that the router itself is (RFC 3810 6, 7): it listens to all sources of a few
//! groups, says so when it starts, and answers the querier.
//!
//! Delays are half of what a listener may take, never random; reports are of the version that the
//! last querier speaks.

use crate::interface::Interface;
use crate::sources::Sources;
use dut_device::Instant;
use dut_wire::mld::{ALL_MLDV2_ROUTERS, Message, Query, Record, RecordType, Report};
use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::time::Duration;

/// The least delay of an answer.
const LEAST_DELAY: Duration = Duration::from_millis(10);
/// Half of [Unsolicited Report Interval], version 2 (RFC 3810 9.11).
const UNSOLICITED: Duration = Duration::from_millis(500);
/// Half of [Unsolicited Report Interval], version 1 (RFC 2710 7.10).
const UNSOLICITED_V1: Duration = Duration::from_secs(5);

/// What the listener has still to say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Listener {
    /// The next unsolicited report, and how many are left.
    unsolicited: Option<(Instant, u8)>,
    /// The pending answer to a general query.
    general: Option<Instant>,
    /// Pending answers to specific queries; an empty list asks for the whole state.
    specific: BTreeMap<Ipv6Addr, (Instant, Sources)>,
    /// Until when the querier is taken for a version 1 router.
    older_version_querier: Option<Instant>,
}

impl Listener {
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        let unsolicited = self.unsolicited.map(|(due, _)| due);
        let specific = self.specific.values().map(|(due, _)| *due).min();
        [unsolicited, self.general, specific]
            .into_iter()
            .flatten()
            .min()
    }

    /// Another listener has reported in version 1: one report is enough (RFC 2710 4).
    pub(crate) fn heard_version_1(&mut self, group: Ipv6Addr) {
        //= MLD-172
        if self.older_version_querier.is_some() {
            self.specific.remove(&group);
        }
    }

    /// RFC 3810 6.2, rules 3 to 5.
    fn schedule(&mut self, group: Ipv6Addr, due: Instant, sources: &[Ipv6Addr], limit: usize) {
        let asked: Sources = sources.iter().copied().collect();
        //= MLD-164
        match self.specific.get_mut(&group) {
            None => {
                self.specific.insert(group, (due, asked));
            }
            Some((pending, listed)) => {
                *pending = due.min(*pending);
                if asked.is_empty() || listed.len().saturating_add(asked.len()) > limit {
                    listed.clear();
                } else if !listed.is_empty() {
                    listed.extend(asked);
                }
            }
        }
    }
}

impl Interface {
    /// Reports the router's own groups, as a listener that starts does (RFC 3810 6.1).
    pub(crate) fn begin_listening(&mut self, now: Instant) {
        //= MLD-158
        self.listener.unsolicited = Some((now, self.config.robustness));
        self.listener_timeout(now);
    }

    fn reports_version_1(&self, now: Instant) -> bool {
        let older = self.listener.older_version_querier;
        self.config.is_version_1() || older.is_some_and(|until| until > now)
    }

    /// Schedules the answer to a query (RFC 3810 6.2).
    pub(crate) fn answer(&mut self, now: Instant, query: &Query) {
        let delay = query.maximum_response_delay();
        //= MLD-161
        //= MLD-167
        let due = now + (delay / 2).max(LEAST_DELAY);
        let general = query.group().is_unspecified();
        //= MLD-170
        //= MLD-171
        if general && matches!(query, Query::V1(_)) {
            let present = self
                .query_interval()
                .saturating_mul(self.robustness_variable().into());
            self.listener.older_version_querier = Some(now + present + delay);
        }
        let version_1 = self.reports_version_1(now);
        let limit = self.config.source_limit;
        if self.listener.general.is_some_and(|pending| pending <= due) {
            return;
        }
        match (general, version_1) {
            (true, false) => self.listener.general = Some(due),
            (true, true) => {
                for group in &self.config.listener_groups {
                    self.listener.schedule(*group, due, &[], limit);
                }
            }
            //= MLD-018
            //= MLD-162
            //= MLD-166
            (false, _) => {
                if self
                    .config
                    .listener_groups
                    .binary_search(&query.group())
                    .is_ok()
                {
                    self.listener
                        .schedule(query.group(), due, query.sources(), limit);
                }
            }
        }
    }

    /// Sends the reports that are due.
    pub(crate) fn listener_timeout(&mut self, now: Instant) {
        let groups = self.config.listener_groups.clone();
        let all = |record_type| -> Vec<Record> {
            let record = |group: &Ipv6Addr| Record {
                record_type,
                group: *group,
                sources: Vec::new(),
            };
            groups.iter().map(record).collect()
        };
        if let Some((due, left)) = self.listener.unsolicited
            && due <= now
        {
            let version_1 = self.reports_version_1(now);
            let gap = if version_1 {
                UNSOLICITED_V1
            } else {
                UNSOLICITED
            };
            self.listener.unsolicited = (left > 1).then(|| (now + gap, left - 1));
            self.report(now, all(RecordType::ChangeToExclude));
        }
        if self.listener.general.is_some_and(|due| due <= now) {
            self.listener.general = None;
            self.report(now, all(RecordType::ModeIsExclude));
        }
        let due = self
            .listener
            .specific
            .extract_if(.., |_, (due, _)| *due <= now);
        let due: Vec<_> = due.collect();
        for (group, (_, sources)) in due {
            let record_type = if sources.is_empty() {
                RecordType::ModeIsExclude
            } else {
                RecordType::ModeIsInclude
            };
            //= MLD-163
            let sources = sources.into_iter().collect();
            let record = Record {
                record_type,
                group,
                sources,
            };
            self.report(now, vec![record]);
        }
    }

    fn report(&mut self, now: Instant, records: Vec<Record>) {
        if records.is_empty() {
            return;
        }
        if self.reports_version_1(now) {
            for Record { group, .. } in records {
                self.send(group, &Message::ReportV1 { group });
            }
            return;
        }
        //= MLD-173
        for report in Report::pack(records, self.mtu()) {
            self.send(ALL_MLDV2_ROUTERS, &Message::Report(report));
        }
    }
}
