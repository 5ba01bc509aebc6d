//! The router on one interface: its parts, its clock, and what it says of itself.

use crate::config::{InterfaceConfig, Variables};
use crate::event::{DiscardReason, MldEvent, Transmit};
use crate::group::Group;
use crate::listener::Listener;
use crate::policy::{Asked, Policy};
use crate::querier::Role;
use crate::rows::{self, Received, Taken};
use crate::series::Specific;
use crate::state::{FilterMode, GroupState};
use crate::table::{Slot, Table};
use crate::version_1;
use dut_device::Instant;
use dut_wire::mld::{LinkMtu, Message, Query};
use std::collections::VecDeque;
use std::net::Ipv6Addr;
use std::time::Duration;

//= MLD-106
/// An MLD router interface.
#[derive(Debug, Clone)]
pub struct Interface {
    pub(crate) config: InterfaceConfig,
    pub(crate) policy: Policy,
    pub(crate) role: Role,
    pub(crate) table: Table,
    pub(crate) listener: Listener,
    /// When a version mismatch was last reported.
    pub(crate) warned: Option<Instant>,
    transmits: VecDeque<Transmit>,
    events: VecDeque<MldEvent>,
    limit_hits: u64,
    /// When the second began whose reports are counted, and how many there were.
    pub(crate) reports: (Instant, u32),
}

impl Interface {
    /// An interface that is down. What can't work in the configuration is replaced by the nearest
    /// that can: a version other than 1 by 2, a Robustness Variable of 0 by 1, a Query Interval
    /// below 1 s by 1 s, a Last Listener Query Interval below 1 ms by 1 ms.
    #[must_use]
    pub fn new(config: InterfaceConfig) -> Self {
        Self::with_policy(config, Policy::default())
    }

    /// The same by other decisions than the standard's: to show that a test notices.
    #[must_use]
    pub fn with_policy(config: InterfaceConfig, policy: Policy) -> Self {
        Self {
            table: Table::new(config.seed),
            config: config.checked(),
            policy,
            role: Role::Down,
            listener: Listener::default(),
            warned: None,
            transmits: VecDeque::new(),
            events: VecDeque::new(),
            limit_hits: 0,
            reports: (Instant::ZERO, 0),
        }
    }

    /// The link has come up and the link-local address may be used: the interface is querier and
    /// sends its startup queries. No effect when it is up already.
    pub fn start(&mut self, now: Instant) {
        //= MLD-059
        //= MLD-082
        if !self.is_up() {
            let count = (self.policy.startup_count)(&self.config);
            self.become_querier(now, count);
            self.begin_listening(now);
        }
    }

    /// The link has gone down: all state is cleared, all timers stop, nothing waits to be sent.
    /// No event says so: who stops the interface knows.
    pub fn stop(&mut self, _now: Instant) {
        self.role = Role::Down;
        self.table = Table::new(self.config.seed);
        self.listener = Listener::default();
        self.warned = None;
        self.transmits.clear();
    }

    /// Whether [`Self::start`] or [`Self::adopt`] has happened since the last [`Self::stop`].
    #[must_use]
    pub const fn is_up(&self) -> bool {
        !matches!(self.role, Role::Down)
    }

    /// The configuration, as checked.
    #[must_use]
    pub const fn config(&self) -> &InterfaceConfig {
        &self.config
    }

    /// Does all that is due. What is late is done once, and its next turn counts from `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        while self.next_timeout().is_some_and(|due| due <= now) {
            if self.role.next_timeout().is_some_and(|due| due <= now) {
                self.querier_timeout(now);
            } else if self.listener.next_timeout().is_some_and(|due| due <= now) {
                self.listener_timeout(now);
            } else if let Some((_, slot)) = self.table.first_timer() {
                self.group_timeout(now, slot);
            }
        }
    }

    /// When [`Self::handle_timeout`] wants to be called next.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Instant> {
        let group = self.table.first_timer().map(|(due, _)| due);
        let others = [self.role.next_timeout(), self.listener.next_timeout()];
        others.into_iter().flatten().chain(group).min()
    }

    /// The next message to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<MldEvent> {
        self.events.pop_front()
    }

    /// Whether traffic from `source` to `group` is forwarded onto this link (RFC 9777 7.3).
    #[must_use]
    pub fn forwards(&self, group: Ipv6Addr, source: Ipv6Addr) -> bool {
        //= MLD-133
        (self.policy.forwardable)(group)
            && self
                .table
                .get(group)
                .is_some_and(|record| (self.policy.forwards)(record, source))
    }

    /// The record of a group, with times remaining at `now`.
    #[must_use]
    pub fn group(&self, now: Instant, group: Ipv6Addr) -> Option<GroupState> {
        self.table.get(group).map(|record| record.state(group, now))
    }

    /// All records in ascending order, with times remaining at `now`.
    #[must_use]
    pub fn groups(&self, now: Instant) -> Vec<GroupState> {
        let sorted = self.table.sorted().into_iter();
        sorted
            .map(|(group, record)| record.state(group, now))
            .collect()
    }

    /// How many groups are held.
    #[must_use]
    pub fn group_count(&self) -> usize {
        self.table.len()
    }

    /// How often a limit has kept out a group or sources since the interface was made.
    #[must_use]
    pub const fn limit_hits(&self) -> u64 {
        self.limit_hits
    }

    /// Robustness Variable in use: adopted from the querier, or configured.
    #[must_use]
    pub fn robustness_variable(&self) -> u8 {
        self.role.robustness().unwrap_or(self.config.robustness)
    }

    /// Query Interval in use: adopted from the querier, or configured.
    #[must_use]
    pub fn query_interval(&self) -> Duration {
        self.role
            .query_interval()
            .unwrap_or(self.config.query_interval)
    }

    /// Multicast Address Listening Interval in use (in version 1: Multicast Listener Interval).
    #[must_use]
    pub fn multicast_address_listening_interval(&self) -> Duration {
        self.variables().listening_interval
    }

    /// Other Querier Present Timeout in use.
    #[must_use]
    pub fn other_querier_present_timeout(&self) -> Duration {
        self.variables().other_querier_present
    }

    /// Last Listener Query Time in use.
    #[must_use]
    pub fn last_listener_query_time(&self) -> Duration {
        self.variables().llqt
    }

    /// Startup Query Interval.
    #[must_use]
    pub fn startup_query_interval(&self) -> Duration {
        self.config.startup_query_interval()
    }

    pub(crate) fn variables(&self) -> Variables {
        (self.policy.variables)(
            &self.config,
            self.robustness_variable(),
            self.query_interval(),
        )
    }

    pub(crate) fn event(&mut self, event: MldEvent) {
        self.events.push_back(event);
    }

    pub(crate) fn discard(&mut self, reason: DiscardReason) {
        self.event(MldEvent::Discarded { reason });
    }

    pub(crate) fn limit_hit(&mut self, group: Ipv6Addr) {
        self.limit_hits += 1;
        self.event(MldEvent::LimitHit { group });
    }

    pub(crate) fn send(&mut self, destination: Ipv6Addr, message: &Message) {
        //= MLD-002
        //= MLD-004
        let message = message.to_vec(self.config.link_local, destination);
        self.transmits.push_back(Transmit {
            destination,
            message,
        });
    }

    pub(crate) fn mtu(&self) -> LinkMtu {
        LinkMtu::new(self.config.mtu)
    }

    /// Sends specific queries to the group, each cut to the MTU.
    fn send_specific(&mut self, group: Ipv6Addr, specific: Vec<Specific>) {
        let llqi = self.config.last_listener_query_interval;
        //= MLD-006
        let destination = (self.policy.destination)(group);
        for Specific { suppress, sources } in specific {
            //= MLD-010
            //= MLD-013
            let asked = Asked {
                group,
                delay: llqi,
                suppress,
                sources,
            };
            match (self.policy.query)(&self.config, asked) {
                Query::V2(query) => {
                    for part in (self.policy.split)(query, self.mtu()) {
                        self.send(destination, &Message::Query(Query::V2(part)));
                    }
                }
                query @ Query::V1(_) => self.send(destination, &Message::Query(query)),
            }
        }
    }

    /// Takes a record for a group, whose own record is at the slot when it has one; `older` when a
    /// version 1 Report stands behind it.
    pub(crate) fn take(
        &mut self,
        now: Instant,
        reporter: Ipv6Addr,
        (address, slot): (Ipv6Addr, Option<Slot>),
        received: Received,
        listed: &[Ipv6Addr],
        older: bool,
    ) {
        let variables = self.variables();
        let querier = self.is_querier();
        let mut new = None;
        let room = self.table.len() < self.config.group_limit;
        let group = match slot.and_then(|slot| self.table.get_mut(slot)) {
            Some(group) => group,
            None => new.insert(Group::new(now)),
        };
        //= MLD-039
        let listed = listed.into();
        let (sources, cut) = (self.policy.admit)(group, received, listed, self.config.source_limit);
        //= MLD-020
        //= MLD-076
        let taken = rows::apply(
            &self.policy.table,
            group,
            received,
            &sources,
            now,
            &variables,
        );
        group.last_reporter = Some(reporter);
        if older {
            let older_version_host = self.policy.older_version_host;
            group.v1_host = older_version_host(now, &variables, group.v1_host);
        }
        let asks = (self.policy.asks)(querier);
        let asked = asks && (taken.query_group || !taken.query_sources.is_empty());
        let sent = if asked {
            (self.policy.trigger)(
                group,
                &taken.query_sources,
                taken.query_group,
                now,
                &variables,
            )
        } else {
            Vec::new()
        };
        let to = group.filter_mode;
        if cut {
            self.limit_hit(address);
        }
        match new {
            Some(group) if group.is_empty() => self.took(address, &taken, to, false),
            Some(_) if !room => self.limit_hit(address),
            Some(group) => {
                self.table.insert(address, group);
                self.took(address, &taken, to, true);
            }
            None => {
                if let Some(slot) = slot {
                    self.table.settle(slot);
                }
                self.took(address, &taken, to, true);
            }
        }
        self.send_specific(address, sent);
    }

    /// Says which row was taken, and what it did to a record that exists.
    fn took(&mut self, group: Ipv6Addr, taken: &Taken, to: FilterMode, exists: bool) {
        self.event(MldEvent::Row {
            group,
            from: taken.from.name(),
            to: to.name(),
            id: taken.row.id(),
        });
        //= MLD-100
        if exists && taken.changed {
            //= MLD-134
            self.event(MldEvent::Changed { group });
        } else if exists {
            self.event(MldEvent::Refreshed { group });
        }
    }

    /// A timer of a group's record has run out.
    fn group_timeout(&mut self, now: Instant, slot: Slot) {
        let variables = self.variables();
        let version_1 = self.config.is_version_1();
        let run_on = (self.policy.series_run_on)(&self.config);
        let may_query = self.is_querier() || run_on;
        let address = self.table.address(slot);
        let (Some(address), Some(group)) = (address, self.table.get_mut(slot)) else {
            return;
        };
        let mut expired = if version_1 && version_1::runs(group) {
            (self.policy.version_1.expire)(group, now)
        } else {
            (self.policy.expire)(group, now)
        };
        let due = group.query_due.is_some_and(|due| due <= now) && !group.is_empty();
        let mut sent = Vec::new();
        if due && may_query {
            sent = (self.policy.transmit)(group, now, &variables);
            if version_1 {
                //= MLD-147
                sent.retain(|specific| specific.sources.is_empty());
                expired.rows.extend(version_1::retransmitted(group));
            }
        } else if due {
            group.stop_series();
        }
        let removed = self.table.settle(slot);
        for (row, from, to) in expired.rows {
            let (group, id) = (address, row.id());
            self.event(MldEvent::Row {
                group,
                from,
                to,
                id,
            });
        }
        //= MLD-135
        let group = address;
        self.event(match (removed, expired.changed) {
            (true, _) => MldEvent::Removed { group },
            (false, true) => MldEvent::Changed { group },
            (false, false) => MldEvent::Refreshed { group },
        });
        self.send_specific(address, sent);
    }

    /// Takes an event of RFC 2710's machine for a group.
    pub(crate) fn take_version_1(
        &mut self,
        now: Instant,
        address: Ipv6Addr,
        event: version_1::Received,
    ) {
        let variables = self.variables();
        let querier = self.is_querier();
        let room = self.table.len() < self.config.group_limit;
        let mut new = None;
        let slot = self.table.find(address);
        let group = match slot.and_then(|slot| self.table.get_mut(slot)) {
            Some(group) => group,
            None => new.insert(Group::new(now)),
        };
        let from = version_1::state(group);
        let apply = self.policy.version_1.apply;
        let Some(taken) = apply(group, event, querier, now, &variables) else {
            return;
        };
        let to = version_1::state(group);
        if let Some(group) = new {
            if !room {
                return self.limit_hit(address);
            }
            self.table.insert(address, group);
        } else if let Some(slot) = slot {
            self.table.settle(slot);
        }
        let group = address;
        self.event(MldEvent::Row {
            group,
            from: from.name(),
            to: to.name(),
            id: taken.row.id(),
        });
        let appeared = from == version_1::State::NoListenersPresent;
        self.event(if appeared || taken.changed {
            MldEvent::Changed { group }
        } else {
            MldEvent::Refreshed { group }
        });
        let sources = Vec::new();
        let suppress = false;
        let query = taken.query.then_some(Specific { suppress, sources });
        self.send_specific(address, query.into_iter().collect());
    }
}
