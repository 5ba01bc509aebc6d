//! The listener itself: requests, messages and time in, messages and events out.

use super::answer::{Answers, Ask};
use super::change::{Difference, Pending};
use super::config::{HostConfig, ListenError};
use super::filter::{Filter, Sources};
use super::policy::{Addressed, Policy};
use crate::receive::refusal;
use crate::{DiscardReason, Envelope, FilterMode, is_source_specific};
use dut_device::Instant;
use dut_wire::icmpv6::checksum_holds;
use dut_wire::mld::{LinkMtu, Message, Query, Record};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv6Addr;
use std::time::Duration;

/// A message to send with hop limit 1 and a Hop-by-Hop header that holds Router Alert 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Source address: link-local, or `::` while there is none.
    pub source: Ipv6Addr,
    /// Destination address.
    pub destination: Ipv6Addr,
    /// The whole ICMPv6 message, checksummed.
    pub message: Vec<u8>,
}

/// What a listener reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostEvent {
    /// A message was not used.
    Discarded {
        /// Why.
        reason: DiscardReason,
    },
    /// The version that the listener speaks has changed.
    Version {
        /// 1 or 2.
        version: u8,
    },
}

/// One address that is, or just was, listened to.
#[derive(Debug, Clone)]
struct Membership {
    /// What each socket asks for.
    sockets: BTreeMap<String, Filter>,
    /// The interface's state: the sockets' requests merged.
    filter: Filter,
    pending: Pending,
    /// RFC 2710 4: whether the last report on the link was this listener's.
    reported_last: bool,
}

/// A listener on one interface.
#[derive(Debug)]
pub struct Host {
    config: HostConfig,
    policy: Policy,
    random: ChaCha8Rng,
    up: bool,
    /// When the link-local address can be used; `None` once it can.
    tentative_until: Option<Instant>,
    groups: BTreeMap<Ipv6Addr, Membership>,
    answers: Answers,
    /// Until when the querier is taken for a version 1 router.
    older_version_querier: Option<Instant>,
    /// The Query Interval that the last version 2 querier said, or the configured one.
    query_interval: Duration,
    transmits: VecDeque<Sent>,
    events: VecDeque<HostEvent>,
}

impl Host {
    /// A listener whose link is down; delays are drawn from `seed`.
    #[must_use]
    pub fn new(config: HostConfig, policy: Policy, seed: u64) -> Self {
        Self {
            query_interval: config.query_interval,
            config,
            policy,
            random: ChaCha8Rng::seed_from_u64(seed),
            up: false,
            tentative_until: None,
            groups: BTreeMap::new(),
            answers: Answers::default(),
            older_version_querier: None,
            transmits: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// The link has come up: everything that is listened to is reported as new, and once more when
    /// a link-local address is there.
    pub fn link_up(&mut self, now: Instant) {
        if self.up {
            return;
        }
        self.up = true;
        let tentative = !self.config.address_after.is_zero();
        self.tentative_until = tentative.then(|| now + self.config.address_after);
        self.announce(now);
    }

    /// The link has gone down: what is pending is forgotten, what sockets ask for isn't.
    pub fn link_down(&mut self) {
        self.up = false;
        self.older_version_querier = None;
        self.query_interval = self.config.query_interval;
        self.forget_pending();
    }

    /// Whether an address is listened to.
    #[must_use]
    pub fn listens(&self, group: Ipv6Addr) -> bool {
        let membership = self.groups.get(&group);
        membership.is_some_and(|membership| !membership.filter.is_nothing())
    }

    /// The interface's state, by address.
    pub fn filters(&self) -> impl Iterator<Item = (Ipv6Addr, &Filter)> {
        let listened = self.groups.iter().filter(|(_, m)| !m.filter.is_nothing());
        listened.map(|(group, membership)| (*group, &membership.filter))
    }

    /// Sets what a socket asks of an address: `IPv6MulticastListen` (RFC 3810 3). INCLUDE without
    /// sources ends it. Timers that are due are run first.
    ///
    /// # Errors
    /// [`ListenError`]; nothing has changed then.
    pub fn listen(
        &mut self,
        now: Instant,
        socket: &str,
        group: Ipv6Addr,
        filter: Filter,
    ) -> Result<(), ListenError> {
        self.check(group, &filter)?;
        self.handle_timeout(now);
        let membership = self.groups.entry(group).or_insert_with(|| Membership {
            sockets: BTreeMap::new(),
            filter: Filter::nothing(),
            pending: Pending::default(),
            reported_last: false,
        });
        if filter.is_nothing() {
            membership.sockets.remove(socket);
        } else {
            membership.sockets.insert(socket.to_owned(), filter);
        }
        let requests: Vec<&Filter> = membership.sockets.values().collect();
        let after = (self.policy.merge)(&requests);
        let before = std::mem::replace(&mut membership.filter, after);
        self.changed(now, group, &before);
        self.groups
            .retain(|_, m| !m.filter.is_nothing() || !m.pending.is_empty());
        Ok(())
    }

    fn check(&self, group: Ipv6Addr, filter: &Filter) -> Result<(), ListenError> {
        if !group.is_multicast() {
            return Err(ListenError::NotMulticast(group));
        }
        let unicast = |source: &&Ipv6Addr| source.is_multicast() || source.is_unspecified();
        if let Some(source) = filter.sources.iter().find(unicast) {
            return Err(ListenError::SourceNotUnicast(*source));
        }
        if filter.mode == FilterMode::Exclude && is_source_specific(group) {
            return Err(ListenError::SourceSpecific(group));
        }
        let (sources, most) = (filter.sources.len(), self.config.source_limit);
        if sources > most {
            return Err(ListenError::TooManySources(sources, most));
        }
        let groups = self.groups.len();
        if groups >= self.config.group_limit && !self.groups.contains_key(&group) {
            return Err(ListenError::TooManyGroups(groups));
        }
        Ok(())
    }

    /// An ICMPv6 message of type 130, 131, 132 or 143 was received; the whole message. Timers that
    /// are due are run first.
    pub fn handle_message(&mut self, now: Instant, envelope: &Envelope, icmpv6: &[u8]) {
        self.handle_timeout(now);
        match self.judge(envelope, icmpv6) {
            Ok(Message::Query(query)) => self.query(now, &query),
            Ok(Message::ReportV1 { group }) => self.heard(group),
            // What other listeners say in version 2 withholds nothing.
            Ok(Message::Done { .. } | Message::Report(_)) => {}
            Err(reason) => self.events.push_back(HostEvent::Discarded { reason }),
        }
    }

    fn judge(&self, envelope: &Envelope, icmpv6: &[u8]) -> Result<Message, DiscardReason> {
        if !self.up {
            return Err(DiscardReason::InterfaceDown);
        }
        let holds = checksum_holds(icmpv6, envelope.source, envelope.destination);
        if let Some(reason) = (self.policy.refuses)(envelope, holds) {
            return Err(reason);
        }
        if envelope.source == self.config.link_local {
            return Err(DiscardReason::OwnMessage);
        }
        let to = Addressed {
            destination: envelope.destination,
            link_local: self.config.link_local,
            listened: self.listens(envelope.destination),
        };
        if !(self.policy.accepts)(&to) {
            return Err(DiscardReason::NotAddressed);
        }
        let icmpv6 = match self.config.version {
            1 => (self.policy.read_in_version_1)(icmpv6),
            _ => icmpv6,
        };
        Message::parse(icmpv6).map_err(|refused| refusal(refused, icmpv6))
    }

    /// RFC 3810 6.2 and 8.2.1.
    fn query(&mut self, now: Instant, query: &Query) {
        let maximum = (self.policy.maximum_response_delay)(query);
        if let Query::V2(query) = query {
            self.query_interval = (self.policy.query_interval)(self.query_interval, query);
        }
        let follows = self.config.version > 1 && self.config.compatibility;
        if follows && (self.policy.falls_back)(self.config.profile, query) {
            let robustness = self.config.robustness();
            let present = self.policy.older_version_querier_present;
            let present = present(robustness, self.query_interval, maximum);
            self.older_version_querier
                .is_none()
                .then(|| self.version(1));
            self.older_version_querier = Some(now + present);
        }
        let asked = query.group();
        if self.speaks_version_1() {
            let groups: Vec<Ipv6Addr> = self.filters().map(|(group, _)| group).collect();
            for group in groups {
                if asked.is_unspecified() || asked == group {
                    self.delay_version_1(now, group, maximum);
                }
            }
            return;
        }
        let due = now + (self.policy.response_delay)(self.random.next_u64(), maximum);
        let group = (!asked.is_unspecified()).then_some(asked);
        //= MLD-162
        //= MLD-168
        let concerns = group.is_none_or(|g| self.listens(g) && (self.policy.is_reported)(g));
        if concerns {
            let ask = Ask {
                group,
                sources: query.sources().iter().copied().collect(),
                due,
                limit: self.config.source_limit,
            };
            (self.policy.schedule)(&mut self.answers, ask);
        }
    }

    /// RFC 2710 4: a running timer is set anew only for a query that wants a sooner answer.
    fn delay_version_1(&mut self, now: Instant, group: Ipv6Addr, maximum: Duration) {
        if !(self.policy.is_reported)(group) {
            return;
        }
        let due = now + (self.policy.response_delay)(self.random.next_u64(), maximum);
        let running = self.answers.specific.get(&group).map(|(due, _)| *due);
        if running.is_none_or(|running| maximum < running.since(now)) {
            self.answers.specific.insert(group, (due, Sources::new()));
        }
    }

    /// Another listener's version 1 Report.
    //= MLD-172
    fn heard(&mut self, group: Ipv6Addr) {
        if !self.speaks_version_1() || !(self.policy.suppressed)(group) {
            return;
        }
        let Some(membership) = self.groups.get_mut(&group) else {
            return;
        };
        let answering = self.answers.specific.remove(&group).is_some();
        if answering || membership.pending.due.is_some() {
            membership.pending = Pending::default();
            membership.reported_last = false;
        }
    }

    /// Whether version 1 is spoken now.
    #[must_use]
    pub const fn speaks_version_1(&self) -> bool {
        self.config.version == 1 || self.older_version_querier.is_some()
    }

    fn version(&mut self, version: u8) {
        if self.policy.cancels {
            self.forget_pending();
        }
        for membership in self.groups.values_mut() {
            // Until now the listener has reported for itself: a leave must be told.
            membership.reported_last = true;
        }
        self.events.push_back(HostEvent::Version { version });
    }

    fn forget_pending(&mut self) {
        self.answers = Answers::default();
        for membership in self.groups.values_mut() {
            membership.pending = Pending::default();
        }
        self.groups.retain(|_, m| !m.filter.is_nothing());
    }

    /// Tells a change of an address's state, and begins its retransmissions.
    fn changed(&mut self, now: Instant, group: Ipv6Addr, before: &Filter) {
        let version_1 = self.speaks_version_1();
        let Some(membership) = self.groups.get_mut(&group) else {
            return;
        };
        if *before == membership.filter || !self.up || !(self.policy.is_reported)(group) {
            return;
        }
        if version_1 {
            let (was, is) = (!before.is_nothing(), !membership.filter.is_nothing());
            if is && !was {
                membership.pending = Pending::default();
                membership.pending.filter_mode = (self.policy.copies)(self.config.robustness());
                self.repeat_version_1(now, group);
            } else if was && !is {
                membership.pending = Pending::default();
                self.answers.specific.remove(&group);
                if (self.policy.done)(membership.reported_last) {
                    self.send(&Message::Done { group });
                }
            }
            return;
        }
        let difference = (self.policy.difference)(before, &membership.filter);
        let copies = (self.policy.copies)(self.config.robustness());
        (self.policy.join)(&mut membership.pending, &difference, copies);
        let records = self.next_copy(now, group);
        self.report(records);
    }

    /// Reports everything as new.
    fn announce(&mut self, now: Instant) {
        let copies = (self.policy.copies)(self.config.robustness());
        let reported = self.policy.is_reported;
        if self.speaks_version_1() {
            let groups: Vec<Ipv6Addr> = self.filters().map(|(group, _)| group).collect();
            for group in groups.into_iter().filter(|group| reported(*group)) {
                if let Some(membership) = self.groups.get_mut(&group) {
                    membership.pending = Pending::default();
                    membership.pending.filter_mode = copies;
                }
                self.repeat_version_1(now, group);
            }
            return;
        }
        let mut groups = Vec::new();
        for (group, membership) in &mut self.groups {
            if !reported(*group) || membership.filter.is_nothing() {
                continue;
            }
            let difference = match membership.filter.mode {
                FilterMode::Exclude => Difference::Mode,
                FilterMode::Include => Difference::Sources(membership.filter.sources.clone()),
            };
            membership.pending = Pending::default();
            (self.policy.join)(&mut membership.pending, &difference, copies);
            groups.push(*group);
        }
        let copies = groups.into_iter().map(|group| self.next_copy(now, group));
        let records: Vec<Vec<Record>> = copies.collect();
        self.report(records.concat());
    }

    /// The records of a State Change Report that leaves now; schedules the next copy.
    fn next_copy(&mut self, now: Instant, group: Ipv6Addr) -> Vec<Record> {
        let longest = self.config.unsolicited_report_interval;
        let gap = (self.policy.retransmission_gap)(self.random.next_u64(), longest);
        let Some(membership) = self.groups.get_mut(&group) else {
            return Vec::new();
        };
        let records = (self.policy.change_records)(&membership.pending, group, &membership.filter);
        (self.policy.sent)(&mut membership.pending);
        membership.pending.due = (!membership.pending.is_empty()).then(|| now + gap);
        records
    }

    /// Sends an unsolicited version 1 Report; schedules the next copy.
    fn repeat_version_1(&mut self, now: Instant, group: Ipv6Addr) {
        let longest = self.config.unsolicited_report_interval_v1;
        let gap = (self.policy.retransmission_gap)(self.random.next_u64(), longest);
        if let Some(membership) = self.groups.get_mut(&group) {
            (self.policy.sent)(&mut membership.pending);
            membership.pending.due = (!membership.pending.is_empty()).then(|| now + gap);
        }
        self.report_version_1(group);
    }

    fn report_version_1(&mut self, group: Ipv6Addr) {
        if let Some(membership) = self.groups.get_mut(&group) {
            membership.reported_last = true;
            self.send(&Message::ReportV1 { group });
        }
    }

    /// Time has reached `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        if !self.up {
            return;
        }
        if self.tentative_until.is_some_and(|until| until <= now) {
            self.tentative_until = None;
            if self.policy.reports_again {
                self.announce(now);
            }
        }
        if self.older_version_querier.is_some_and(|until| until <= now) {
            self.older_version_querier = None;
            self.version(2);
        }
        let due = |m: &Membership| m.pending.due.is_some_and(|due| due <= now);
        let copies = self.groups.iter().filter(|(_, m)| due(m));
        let copies: Vec<Ipv6Addr> = copies.map(|(group, _)| *group).collect();
        let mut records = Vec::new();
        for group in copies {
            if self.speaks_version_1() {
                self.repeat_version_1(now, group);
            } else {
                records.extend(self.next_copy(now, group));
            }
        }
        self.report(records);
        self.groups
            .retain(|_, m| !m.filter.is_nothing() || !m.pending.is_empty());
        self.answer(now);
    }

    /// Sends the answers that are due (RFC 3810 6.3).
    fn answer(&mut self, now: Instant) {
        if self.answers.general.is_some_and(|due| due <= now) {
            self.answers.general = None;
            let reported = self
                .filters()
                .filter(|(g, _)| (self.policy.is_reported)(*g));
            let records =
                reported.filter_map(|(group, filter)| (self.policy.current)(group, filter));
            let records = records.collect();
            self.report(records);
        }
        let due = self
            .answers
            .specific
            .extract_if(.., |_, (due, _)| *due <= now);
        let due: Vec<(Ipv6Addr, Sources)> = due.map(|(group, (_, s))| (group, s)).collect();
        for (group, asked) in due {
            if self.speaks_version_1() {
                self.report_version_1(group);
                continue;
            }
            let Some(membership) = self.groups.get(&group) else {
                continue;
            };
            let record = if asked.is_empty() {
                (self.policy.current)(group, &membership.filter)
            } else {
                let wanted = (self.policy.wanted)(&membership.filter, &asked);
                (self.policy.current)(group, &Filter::include(wanted))
            };
            self.report(record.into_iter().collect());
        }
    }

    //= MLD-173
    fn report(&mut self, records: Vec<Record>) {
        for report in (self.policy.pack)(records, LinkMtu::new(self.config.mtu)) {
            self.send(&Message::Report(report));
        }
    }

    fn send(&mut self, message: &Message) {
        let usable = self.tentative_until.is_none();
        let source = (self.policy.source)(self.config.link_local, usable);
        let destination = (self.policy.destination)(message);
        self.transmits.push_back(Sent {
            source,
            destination,
            message: message.to_vec(source, destination),
        });
    }

    /// The next message to send. Drain to `None` after each call.
    pub fn poll_transmit(&mut self) -> Option<Sent> {
        self.transmits.pop_front()
    }

    /// The next event. Drain to `None` after each call.
    pub fn poll_event(&mut self) -> Option<HostEvent> {
        self.events.pop_front()
    }

    /// When [`Host::handle_timeout`] wants to be called next.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Instant> {
        if !self.up {
            return None;
        }
        let copies = self.groups.values().filter_map(|m| m.pending.due).min();
        let others = [
            copies,
            self.answers.next(),
            self.tentative_until,
            self.older_version_querier,
        ];
        others.into_iter().flatten().min()
    }
}
