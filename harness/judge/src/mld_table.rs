//! The oracle's own MLD router table (RFC 3810 sections 7.2 to 7.6 and 8.3.2, RFC 2710's messages).
//!
//! It is worked out from the listeners' messages alone, from the document's tables and not from the
//! reference: what the pair holds is compared with it. Times are those at which the messages left;
//! whoever compares allows for the way.

use dut_device::Instant;
use harness_suite::{Quantity, Scope};
use harness_wire::MldView;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;
use std::time::Duration;

/// The variables of RFC 3810 section 9 that the table runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MldConstants {
    /// [Multicast Address Listening Interval].
    pub listening_interval: Duration,
    /// [Last Listener Query Time].
    pub last_listener_query_time: Duration,
    /// [Older Version Host Present Timeout].
    pub older_version_host_present: Duration,
    /// [Other Querier Present Timeout].
    pub other_querier_present: Duration,
}

impl MldConstants {
    /// From a testbed's constants, by the RFC's names: `robustness`, `query_interval`,
    /// `query_response_interval`, `multicast_address_listening_interval`,
    /// `last_listener_query_interval`, `last_listener_query_count`, `last_listener_query_time`. The
    /// RFC's defaults and formulas where it has none.
    #[must_use]
    pub fn of(scope: &Scope) -> Self {
        let time = |name: &str, default: Duration| match scope.get(name) {
            Some(Quantity::Time(ns)) => {
                Duration::from_nanos(u64::try_from(*ns).unwrap_or(u64::MAX))
            }
            Some(Quantity::Number(_)) | None => default,
        };
        let seconds = Duration::from_secs;
        // A number is in millionths.
        let number = |name: &str| match scope.get(name) {
            Some(Quantity::Number(n)) => u32::try_from(n / 1_000_000).ok(),
            Some(Quantity::Time(_)) | None => None,
        };
        let robustness = number("robustness").unwrap_or(2);
        let count = number("last_listener_query_count").unwrap_or(robustness);
        let present = time("query_interval", seconds(125)).saturating_mul(robustness);
        let response = time("query_response_interval", seconds(10));
        let last = time("last_listener_query_interval", seconds(1));
        Self {
            listening_interval: time("multicast_address_listening_interval", present + response),
            last_listener_query_time: time("last_listener_query_time", last.saturating_mul(count)),
            older_version_host_present: present + response,
            other_querier_present: present + response / 2,
        }
    }
}

/// A (link, multicast address) record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Record {
    /// When the filter timer ends; `None` in INCLUDE mode.
    pub(crate) filter: Option<Instant>,
    /// Sources whose timers run: INCLUDE's list, EXCLUDE's requested list.
    pub(crate) requested: BTreeMap<Ipv6Addr, Instant>,
    /// EXCLUDE's exclude list.
    pub(crate) excluded: BTreeSet<Ipv6Addr>,
    /// Until when version 1 listeners are taken to be there.
    pub(crate) version_1: Option<Instant>,
}

pub(crate) type Sources = BTreeSet<Ipv6Addr>;

/// A record's type as RFC 3810 5.2.12 numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    IsIn,
    IsEx,
    ToIn,
    ToEx,
    Allow,
    Block,
}

impl Kind {
    const fn of(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::IsIn,
            2 => Self::IsEx,
            3 => Self::ToIn,
            4 => Self::ToEx,
            5 => Self::Allow,
            6 => Self::Block,
            _ => return None,
        })
    }
}

/// What a querier asks about after a record: its sources' timers, and its own, are lowered.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) sources: Sources,
    pub(crate) group: bool,
}

impl Asked {
    const fn sources(sources: Sources) -> Self {
        Self {
            sources,
            group: false,
        }
    }
}

/// The table of one link.
#[derive(Debug, Clone)]
pub(crate) struct MldTable {
    constants: MldConstants,
    pub(crate) groups: BTreeMap<Ipv6Addr, Record>,
    /// Until when another router is the querier: then only its queries lower timers (7.2.3, 7.4.2).
    other_querier: Instant,
}

/// Whether a pair's table has anything to do with a group: interface- and link-local ones are
/// between neighbours (RFC 3810 6: no reports for scopes 0 and 1, none for ff02::1).
pub(crate) const fn is_shared(group: Ipv6Addr) -> bool {
    let [first, scope, ..] = group.octets();
    first == 0xff && scope & 0xf > 2
}

/// Source-specific groups, ff3x::/32 (RFC 4607): their listeners never use EXCLUDE or version 1,
/// and a router takes no notice of those that do (RFC 4604 2.2.2 and 2.2.5).
const fn is_source_specific(group: Ipv6Addr) -> bool {
    matches!(group.octets(), [0xff, flags, 0, 0, ..] if flags & 0xf0 == 0x30)
}

impl Record {
    fn known(&self) -> Sources {
        self.requested.keys().copied().collect()
    }

    /// Sources A get a running timer: (A) := until.
    fn request(&mut self, sources: impl IntoIterator<Item = Ipv6Addr>, until: Instant) {
        for source in sources {
            self.excluded.remove(&source);
            self.requested.insert(source, until);
        }
    }

    /// INCLUDE (A) with IS_EX (B) or TO_EX (B): EXCLUDE (A*B, B-A), A-B deleted.
    fn exclude(&mut self, sources: &Sources, until: Instant) {
        self.requested.retain(|source, _| sources.contains(source));
        self.excluded = sources - &self.known();
        self.filter = Some(until);
    }

    /// EXCLUDE (X,Y) with IS_EX (A) or TO_EX (A): EXCLUDE (A-Y, Y*A), X-A and Y-A deleted. What is
    /// new (A-X-Y) gets `timer`, the filter timer ends at `until`.
    fn exclude_again(&mut self, sources: &Sources, timer: Instant, until: Instant) {
        self.excluded.retain(|source| sources.contains(source));
        self.requested.retain(|source, _| sources.contains(source));
        for source in sources - &self.excluded {
            self.requested.entry(source).or_insert(timer);
        }
        self.filter = Some(until);
    }

    /// The row for `kind` in the record's state (RFC 3810 7.4.1 and 7.4.2).
    fn apply(&mut self, kind: Kind, listed: &Sources, now: Instant, mali: Duration) -> Asked {
        let until = now + mali;
        let known = self.known();
        match (self.filter, kind) {
            // INCLUDE (A)
            (None, Kind::IsIn | Kind::Allow) => self.request(listed.iter().copied(), until),
            (None, Kind::IsEx) => self.exclude(listed, until),
            (None, Kind::Block) => return Asked::sources(&known & listed),
            (None, Kind::ToEx) => {
                self.exclude(listed, until);
                return Asked::sources(&known & listed);
            }
            (None, Kind::ToIn) => {
                self.request(listed.iter().copied(), until);
                return Asked::sources(&known - listed);
            }
            // EXCLUDE (X,Y)
            (Some(_), Kind::IsIn | Kind::Allow) => self.request(listed.iter().copied(), until),
            (Some(_), Kind::IsEx) => self.exclude_again(listed, until, until),
            (Some(filter), Kind::Block) => {
                let asked = listed - &self.excluded;
                for source in &asked {
                    self.requested.entry(*source).or_insert(filter);
                }
                return Asked::sources(asked);
            }
            (Some(filter), Kind::ToEx) => {
                let asked = listed - &self.excluded;
                self.exclude_again(listed, filter, until);
                return Asked::sources(asked);
            }
            (Some(_), Kind::ToIn) => {
                self.request(listed.iter().copied(), until);
                return Asked {
                    sources: &known - listed,
                    group: true,
                };
            }
        }
        Asked::default()
    }

    /// Lowers timers, never raises one (7.6.3).
    fn lower(&mut self, asked: &Asked, until: Instant) {
        for source in &asked.sources {
            if let Some(timer) = self.requested.get_mut(source) {
                *timer = (*timer).min(until);
            }
        }
        if asked.group {
            self.filter = self.filter.map(|filter| filter.min(until));
        }
    }

    fn next(&self) -> Option<Instant> {
        let timers = self.requested.values().copied();
        timers.chain(self.filter).chain(self.version_1).min()
    }

    /// Timers that end at or before `now` (7.2.3); whether the record is still there.
    fn expire(&mut self, now: Instant) -> bool {
        self.version_1 = self.version_1.filter(|until| *until > now);
        let over: Vec<Ipv6Addr> = (self.requested.iter())
            .filter(|(_, until)| **until <= now)
            .map(|(source, _)| *source)
            .collect();
        for source in over {
            self.requested.remove(&source);
            if self.filter.is_some() {
                self.excluded.insert(source);
            }
        }
        if self.filter.is_some_and(|until| until <= now) {
            self.filter = None;
            self.excluded.clear();
        }
        self.filter.is_some() || !self.requested.is_empty()
    }
}

impl MldTable {
    pub(crate) fn new(constants: MldConstants) -> Self {
        Self {
            constants,
            groups: BTreeMap::new(),
            other_querier: Instant::ZERO,
        }
    }

    /// A multicast address record of a version 2 report; unknown types do nothing.
    /// Gives what a querier asks about.
    pub(crate) fn record(
        &mut self,
        now: Instant,
        kind: u8,
        group: Ipv6Addr,
        listed: &Sources,
    ) -> Asked {
        let Some(kind) = Kind::of(kind).filter(|_| is_shared(group)) else {
            return Asked::default();
        };
        if is_source_specific(group) && matches!(kind, Kind::IsEx | Kind::ToEx) {
            return Asked::default();
        }
        let MldConstants {
            listening_interval: mali,
            last_listener_query_time: llqt,
            ..
        } = self.constants;
        let querier = self.other_querier <= now;
        let record = self.groups.entry(group).or_default();
        let none = Sources::new();
        // With version 1 listeners BLOCK is ignored, and TO_EX's sources are (8.3.2).
        let listed = match (record.version_1, kind) {
            (Some(_), Kind::Block) => return Asked::default(),
            (Some(_), Kind::ToEx) => &none,
            (Some(_), Kind::IsIn | Kind::IsEx | Kind::ToIn | Kind::Allow) | (None, _) => listed,
        };
        let asked = record.apply(kind, listed, now, mali);
        if querier {
            record.lower(&asked, now + llqt);
        }
        if !record.expire(now) {
            self.groups.remove(&group);
        }
        if querier { asked } else { Asked::default() }
    }

    /// A version 1 report means IS_EX ({}) and starts the compatibility timer (8.3.2).
    pub(crate) fn report_1(&mut self, now: Instant, group: Ipv6Addr) {
        if is_shared(group) && !is_source_specific(group) {
            self.record(now, 2, group, &Sources::new());
            let until = now + self.constants.older_version_host_present;
            if let Some(record) = self.groups.get_mut(&group) {
                record.version_1 = Some(until);
            }
        }
    }

    /// A version 1 done means TO_IN ({}).
    pub(crate) fn done(&mut self, now: Instant, group: Ipv6Addr) -> Asked {
        if is_source_specific(group) {
            return Asked::default();
        }
        self.record(now, 3, group, &Sources::new())
    }

    /// A query seen on the link without the S flag lowers what it asks about (7.6.1). `other`:
    /// another router sent it, and it is the querier by its address.
    pub(crate) fn query(&mut self, now: Instant, view: &MldView<'_>, other: bool) {
        if other {
            self.other_querier = now + self.constants.other_querier_present;
        }
        let group = view.group().filter(|group| is_shared(*group));
        let suppress = view.octets().get(24).is_some_and(|flags| flags & 8 != 0);
        let Some(record) = group.and_then(|group| self.groups.get_mut(&group)) else {
            return;
        };
        let sources: Sources = view.sources().into_iter().collect();
        let asked = Asked {
            group: sources.is_empty(),
            sources,
        };
        if !suppress {
            record.lower(&asked, now + self.constants.last_listener_query_time);
        }
    }

    /// Whether the listeners of a link want what this source sends to the group (4.2).
    pub(crate) fn wants(&self, group: Ipv6Addr, source: Ipv6Addr) -> bool {
        let record = self.groups.get(&group);
        record.is_some_and(|record| match record.filter {
            Some(_) => !record.excluded.contains(&source),
            None => record.requested.contains_key(&source),
        })
    }

    /// Whether a timer of the group ends within this time from now.
    pub(crate) fn ends_within(&self, group: Ipv6Addr, now: Instant, time: Duration) -> bool {
        let next = self.groups.get(&group).and_then(Record::next);
        next.is_some_and(|next| next <= now + time)
    }

    /// When a timer ends next.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.groups.values().filter_map(Record::next).min()
    }

    /// Lets every timer end that is due; gives the groups that this changed.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<Ipv6Addr> {
        let due = |record: &Record| record.next().is_some_and(|at| at <= now);
        let changed: Vec<Ipv6Addr> = (self.groups.iter())
            .filter(|(_, record)| due(record))
            .map(|(group, _)| *group)
            .collect();
        for group in &changed {
            if !self.groups.get_mut(group).is_some_and(|r| r.expire(now)) {
                self.groups.remove(group);
            }
        }
        changed
    }
}

#[cfg(test)]
mod tests;
