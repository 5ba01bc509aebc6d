//! What the oracle looks at of the two devices, as plain data: small enough to stand in a capture.
//!
//! Deadlines are absolute, in milliseconds of the run: a state that only runs down is the same
//! state, so a note stands only where something has changed.

use crate::mld_table::{Record, is_shared};
use dut_device::{GroupLook, Instant, PairLook, SourceLook};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;
use std::time::Duration;

/// A (link, multicast address) record.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GroupState {
    /// When the filter timer ends, ms; `None` in INCLUDE mode.
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<u64>,
    /// When each requested source's timer ends, ms.
    #[serde(rename = "r", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub requested: BTreeMap<Ipv6Addr, u64>,
    /// Excluded sources.
    #[serde(rename = "e", default, skip_serializing_if = "BTreeSet::is_empty")]
    pub excluded: BTreeSet<Ipv6Addr>,
    /// When the Older Version Host Present timer ends, ms.
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub version_1: Option<u64>,
}

/// One device.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeviceState {
    /// Whether it works: not crashed, not hung.
    pub running: bool,
    /// Whether its member is Master.
    pub master: bool,
    /// The groups: a master's MLD table, a backup's shadow table.
    pub groups: BTreeMap<Ipv6Addr, GroupState>,
}

/// The pair at one instant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PairState {
    /// The two devices, in the testbed's order.
    pub devices: [DeviceState; 2],
    /// Whether a fault of the simulation is on.
    pub faults: bool,
    /// Whether the way between the devices is cut.
    pub cut: bool,
    /// Whether both say that their synchronisation channel is connected, and what trouble kept
    /// from being acknowledged has been since.
    pub connected: bool,
    /// The devices differ though nothing is under way: no unacknowledged message, no series of
    /// specific queries, no control frame in flight.
    pub quiet: bool,
}

/// What stands between the devices of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Way {
    /// Whether a fault of the simulation is on.
    pub faults: bool,
    /// Whether a link between the two is cut.
    pub cut: bool,
    /// Control frames on the wire.
    pub in_flight: usize,
    /// Two looks at a deadline differ by less than this.
    pub exact: Duration,
}

/// What has changed of a device.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeviceChange {
    /// [`DeviceState::running`].
    #[serde(rename = "run", default, skip_serializing_if = "Option::is_none")]
    pub running: Option<bool>,
    /// [`DeviceState::master`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub master: Option<bool>,
    /// Groups that are new or different; `None` for those that are gone.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<Ipv6Addr, Option<GroupState>>,
}

/// What has changed of a pair.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PairChange {
    /// Changes of the two devices.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub devices: [DeviceChange; 2],
    /// [`PairState::faults`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub faults: Option<bool>,
    /// [`PairState::cut`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<bool>,
    /// [`PairState::connected`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connected: Option<bool>,
    /// [`PairState::quiet`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet: Option<bool>,
}

impl PairChange {
    /// Whether nothing has changed.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

fn is_nothing(changes: &[DeviceChange; 2]) -> bool {
    changes
        .iter()
        .all(|change| *change == DeviceChange::default())
}

/// Rounded up, as snapshots are.
const fn whole_ms(at: Instant) -> u64 {
    at.as_nanos().div_ceil(1_000_000)
}

/// What is over stays over, and clocks are `exact` to so many ms: the deadline as it was known.
const fn settle(soon: u64, new: u64, old: Option<u64>, exact: u64) -> u64 {
    match old {
        Some(old) if old <= soon && new <= soon => old,
        Some(old) if old.abs_diff(new) <= exact => old,
        Some(_) | None => new,
    }
}

impl GroupState {
    fn of(now: Instant, group: &GroupLook, sources: &[SourceLook]) -> Self {
        let end = |ms: u64| now.as_millis() + ms;
        let (requested, excluded): (Vec<&SourceLook>, Vec<_>) =
            sources.iter().partition(|source| source.timer_ms > 0);
        Self {
            filter: group.filter_timer_ms.map(end),
            requested: (requested.into_iter())
                .map(|source| (source.source, end(source.timer_ms)))
                .collect(),
            excluded: excluded.into_iter().map(|source| source.source).collect(),
            version_1: (group.v1_host_ms > 0).then(|| end(group.v1_host_ms)),
        }
    }

    /// Whether a look shows nothing new, told without building what it shows. `false` where only
    /// [`Self::of`] and [`Self::settled`] can tell.
    fn stands(&self, now: Instant, group: &GroupLook, sources: &[SourceLook], exact: u64) -> bool {
        let (now, soon) = (now.as_millis(), now.as_millis() + 1);
        let same = |ms: Option<u64>, old: Option<u64>| match (ms, old) {
            (Some(ms), Some(old)) => settle(soon, now + ms, Some(old), exact) == old,
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        let v1_host = (group.v1_host_ms > 0).then_some(group.v1_host_ms);
        if !same(group.filter_timer_ms, self.filter) || !same(v1_host, self.version_1) {
            return false;
        }
        let (mut requested, mut excluded) = (self.requested.iter(), self.excluded.iter());
        let all = sources.iter().all(|source| {
            if source.timer_ms > 0 {
                let old = requested.next();
                old.is_some_and(|(address, old)| {
                    *address == source.source && same(Some(source.timer_ms), Some(*old))
                })
            } else {
                excluded.next() == Some(&source.source)
            }
        });
        all && requested.next().is_none() && excluded.next().is_none()
    }

    /// The same with the deadlines of `old` where both have passed, or lie no further apart than
    /// clocks are `exact` (ms): what is over stays over, and doesn't become another state with
    /// every look.
    fn settled(mut self, now: Instant, old: Option<&Self>, exact: u64) -> Self {
        let Some(old) = old else { return self };
        let soon = now.as_millis() + 1;
        let settle = |new: u64, old: Option<u64>| settle(soon, new, old, exact);
        self.filter = self.filter.map(|end| settle(end, old.filter));
        for (source, end) in &mut self.requested {
            *end = settle(*end, old.requested.get(source).copied());
        }
        self.version_1 = self.version_1.map(|end| settle(end, old.version_1));
        self
    }

    /// Filter mode and sources, without timers.
    pub(crate) fn same_entries(&self, other: &Self) -> bool {
        self.filter.is_some() == other.filter.is_some()
            && self.requested.keys().eq(other.requested.keys())
            && self.excluded == other.excluded
    }

    /// Filter mode and sources of the oracle's own record.
    pub(crate) fn same_entries_as(&self, record: &Record) -> bool {
        self.filter.is_some() == record.filter.is_some()
            && self.requested.keys().eq(record.requested.keys())
            && self.excluded == record.excluded
    }

    /// Whether all timers lie within so many ms of the record's.
    pub(crate) fn near_record(&self, record: &Record, most: u64) -> bool {
        let near = |own: Option<u64>, at: Option<Instant>| match (own, at.map(whole_ms)) {
            (Some(own), Some(at)) => own.abs_diff(at) <= most,
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        let mut sources = self.requested.iter().zip(&record.requested);
        near(self.filter, record.filter)
            && near(self.version_1, record.version_1)
            && sources.all(|((_, own), (_, at))| near(Some(*own), Some(*at)))
    }

    pub(crate) fn of_record(record: &Record) -> Self {
        let ms = whole_ms;
        Self {
            filter: record.filter.map(ms),
            requested: (record.requested.iter())
                .map(|(source, at)| (*source, ms(*at)))
                .collect(),
            excluded: record.excluded.clone(),
            version_1: record.version_1.map(ms),
        }
    }

    pub(crate) fn to_record(&self) -> Record {
        let at = Instant::from_millis;
        Record {
            filter: self.filter.map(at),
            requested: (self.requested.iter())
                .map(|(source, ms)| (*source, at(*ms)))
                .collect(),
            excluded: self.excluded.clone(),
            version_1: self.version_1.map(at),
        }
    }
}

impl DeviceState {
    /// What a look shows that this state doesn't say.
    fn seen(&self, look: &PairLook, exact: u64) -> DeviceChange {
        let now = look.at;
        let shared = || {
            let records = look.records();
            records.filter(|(group, _)| is_shared(group.group))
        };
        let mut known = self.groups.iter();
        let stands = shared().all(|(group, sources)| {
            let known = known.next();
            known.is_some_and(|(address, known)| {
                *address == group.group && known.stands(now, group, sources, exact)
            })
        });
        if stands && known.next().is_none() {
            return DeviceChange {
                running: (!self.running).then_some(true),
                master: (self.master != look.master).then_some(look.master),
                groups: BTreeMap::new(),
            };
        }
        let mut groups = BTreeMap::new();
        for (group, sources) in shared() {
            let old = self.groups.get(&group.group);
            if old.is_some_and(|old| old.stands(now, group, sources, exact)) {
                groups.remove(&group.group);
            } else {
                let state = GroupState::of(now, group, sources).settled(now, old, exact);
                groups.insert(group.group, Some(state));
            }
        }
        // Where one look names a group twice, or its sources in another order.
        groups.retain(|group, state| state.as_ref() != self.groups.get(group));
        let sorted = look.groups.is_sorted_by_key(|held| held.group);
        let listed = |group: &Ipv6Addr| {
            if sorted {
                let found = look.groups.binary_search_by_key(group, |held| held.group);
                return found.is_ok();
            }
            look.groups.iter().any(|held| held.group == *group)
        };
        let gone = self.groups.keys().filter(|group| !listed(group));
        groups.extend(gone.map(|group| (*group, None)));
        DeviceChange {
            running: (!self.running).then_some(true),
            master: (self.master != look.master).then_some(look.master),
            groups,
        }
    }

    /// A device that doesn't work keeps what was last seen of its table, and is no master.
    fn gone(&self) -> DeviceChange {
        DeviceChange {
            running: self.running.then_some(false),
            master: self.master.then_some(false),
            groups: BTreeMap::new(),
        }
    }

    /// Whether a change is more than timers.
    fn alters(&self, change: &DeviceChange) -> bool {
        let mut groups = change.groups.iter();
        groups.any(|(group, new)| match (new, self.groups.get(group)) {
            (Some(new), Some(old)) => !new.same_entries(old),
            (None, None) => false,
            (Some(_), None) | (None, Some(_)) => true,
        })
    }

    fn apply(&mut self, change: DeviceChange) {
        self.running = change.running.unwrap_or(self.running);
        self.master = change.master.unwrap_or(self.master);
        for (group, state) in change.groups {
            match state {
                Some(state) => self.groups.insert(group, state),
                None => self.groups.remove(&group),
            };
        }
    }
}

impl PairState {
    /// What the looks at those that work show that this state doesn't say. A device that doesn't
    /// work keeps what was last seen of its table, and is no master.
    #[must_use]
    pub fn seen(&self, looks: [Option<&PairLook>; 2], way: Way) -> PairChange {
        let exact = u64::try_from(way.exact.as_millis()).unwrap_or(u64::MAX);
        let [a, b] = &self.devices;
        let [of_a, of_b] = looks;
        let seen = |look: Option<&PairLook>, old: &DeviceState| match look {
            Some(look) => old.seen(look, exact),
            None => old.gone(),
        };
        let devices = [seen(of_a, a), seen(of_b, b)];
        let every = |holds: fn(&PairLook) -> bool| {
            let mut looks = looks.iter();
            looks.all(|look| look.is_some_and(holds))
        };
        let idle = every(|look| {
            look.connected == look.services && look.unacknowledged == 0 && !look.series
        });
        let up = every(|look| look.connected > 0);
        let stuck = (looks.iter().flatten()).any(|look| look.unacknowledged > 0);
        // TCP sends again what trouble has lost, later and later: until that is acknowledged the
        // channel is no better than one that is down.
        let troubled = way.faults || way.cut || !self.connected;
        let connected = up && !(troubled && stuck);
        let same = || {
            let known = self.devices.iter().zip(&devices);
            if known.into_iter().all(|(old, change)| !old.alters(change)) {
                return self.same_entries();
            }
            let mut new = self.clone();
            new.apply(PairChange {
                devices: devices.clone(),
                ..PairChange::default()
            });
            new.same_entries()
        };
        let quiet = connected && idle && way.in_flight == 0 && !same();
        PairChange {
            faults: (self.faults != way.faults).then_some(way.faults),
            cut: (self.cut != way.cut).then_some(way.cut),
            connected: (self.connected != connected).then_some(connected),
            quiet: (self.quiet != quiet).then_some(quiet),
            devices,
        }
    }

    /// Whether both devices hold the same groups, filter modes and sources.
    #[must_use]
    pub fn same_entries(&self) -> bool {
        let [a, b] = &self.devices;
        let same = |((g, a), (h, b)): ((&Ipv6Addr, &GroupState), (&Ipv6Addr, &GroupState))| {
            g == h && a.same_entries(b)
        };
        a.groups.len() == b.groups.len() && a.groups.iter().zip(&b.groups).all(same)
    }

    /// The one working device whose member is Master, by its index.
    #[must_use]
    pub fn master(&self) -> Option<usize> {
        match self
            .devices
            .each_ref()
            .map(|device| device.running && device.master)
        {
            [true, false] => Some(0),
            [false, true] => Some(1),
            [true, true] | [false, false] => None,
        }
    }

    /// Whether both are Master.
    #[must_use]
    pub fn split(&self) -> bool {
        (self.devices.iter()).all(|device| device.running && device.master)
    }

    /// Applies what has changed.
    pub fn apply(&mut self, change: PairChange) {
        let [a, b] = change.devices;
        let [own_a, own_b] = &mut self.devices;
        own_a.apply(a);
        own_b.apply(b);
        self.faults = change.faults.unwrap_or(self.faults);
        self.cut = change.cut.unwrap_or(self.cut);
        self.connected = change.connected.unwrap_or(self.connected);
        self.quiet = change.quiet.unwrap_or(self.quiet);
    }
}

#[cfg(test)]
mod tests;
