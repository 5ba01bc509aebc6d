//! What the oracle looks at of the two devices, as plain data: small enough to stand in a capture.
//!
//! Deadlines are absolute, in milliseconds of the run: a state that only runs down is the same
//! state, so a note stands only where something has changed.

use crate::mld_table::{Record, is_shared};
use dut_device::{Instant, MldGroupSnapshot, MldSourceSnapshot, Snapshot};
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

fn is_nothing(changes: &[DeviceChange; 2]) -> bool {
    changes
        .iter()
        .all(|change| *change == DeviceChange::default())
}

impl GroupState {
    fn of(now: Instant, group: &MldGroupSnapshot) -> Self {
        let end = |ms: u64| now.as_millis() + ms;
        let (requested, excluded): (Vec<&MldSourceSnapshot>, Vec<_>) =
            group.sources.iter().partition(|source| source.timer_ms > 0);
        Self {
            filter: (group.filter_mode == "EXCLUDE").then(|| end(group.filter_timer_ms)),
            requested: (requested.into_iter())
                .map(|source| (source.source, end(source.timer_ms)))
                .collect(),
            excluded: excluded.into_iter().map(|source| source.source).collect(),
            version_1: (group.v1_host_ms > 0).then(|| end(group.v1_host_ms)),
        }
    }

    /// The same with the deadlines of `old` where both have passed, or lie no further apart than
    /// clocks are `exact` (ms): what is over stays over, and doesn't become another state with
    /// every look.
    fn settled(mut self, now: Instant, old: Option<&Self>, exact: u64) -> Self {
        let Some(old) = old else { return self };
        let soon = now.as_millis() + 1;
        let settle = |new: u64, old: Option<u64>| match old {
            Some(old) if old <= soon && new <= soon => old,
            Some(old) if old.abs_diff(new) <= exact => old,
            Some(_) | None => new,
        };
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

    pub(crate) fn of_record(record: &Record) -> Self {
        // Rounded up, as snapshots are.
        let ms = |at: Instant| at.as_nanos().div_ceil(1_000_000);
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
    fn of(snapshot: &Snapshot, old: &Self, exact: u64) -> Self {
        let now = snapshot.at;
        let master = snapshot.rbp.iter().any(|rbp| rbp.master);
        let held = if master {
            let interface = (snapshot.mld.iter()).find(|i| i.name.starts_with("Eth-Trunk"));
            interface.map(|interface| &interface.groups)
        } else {
            snapshot.rbp.first().map(|rbp| &rbp.entries)
        };
        let groups = held.into_iter().flatten();
        let groups = groups.filter(|group| is_shared(group.group)).map(|group| {
            let state = GroupState::of(now, group);
            (
                group.group,
                state.settled(now, old.groups.get(&group.group), exact),
            )
        });
        Self {
            running: true,
            master,
            groups: groups.collect(),
        }
    }

    fn change(&self, new: &Self) -> DeviceChange {
        let differs = |group: &&Ipv6Addr| self.groups.get(*group) != new.groups.get(*group);
        let groups = self.groups.keys().chain(new.groups.keys());
        DeviceChange {
            running: (self.running != new.running).then_some(new.running),
            master: (self.master != new.master).then_some(new.master),
            groups: (groups.filter(differs))
                .map(|group| (*group, new.groups.get(group).cloned()))
                .collect(),
        }
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
    /// The pair now, from the snapshots of those that work. A device that doesn't work keeps what
    /// was last seen of its table, and is no master.
    #[must_use]
    pub fn next(&self, snapshots: [Option<&Snapshot>; 2], way: Way) -> Self {
        let Way {
            faults,
            cut,
            in_flight,
            exact,
        } = way;
        let exact = u64::try_from(exact.as_millis()).unwrap_or(u64::MAX);
        let [a, b] = &self.devices;
        let [of_a, of_b] = snapshots;
        let look = |snapshot: Option<&Snapshot>, old: &DeviceState| match snapshot {
            Some(snapshot) => DeviceState::of(snapshot, old, exact),
            None => DeviceState {
                running: false,
                master: false,
                groups: old.groups.clone(),
            },
        };
        let devices = [look(of_a, a), look(of_b, b)];
        let idle = |snapshot: &Snapshot| {
            let mut rbs = snapshot.rbs.iter();
            let acknowledged =
                rbs.all(|rbs| rbs.tcp_state == "connected" && rbs.unacknowledged == 0);
            let mut groups = snapshot.mld.iter().flat_map(|interface| &interface.groups);
            let series = groups.any(|group| {
                group.query_count > 0 || group.sources.iter().any(|source| source.query_count > 0)
            });
            acknowledged && !series
        };
        let idle = snapshots.iter().all(|snapshot| snapshot.is_some_and(idle));
        let connected = |snapshot: &Snapshot| {
            let mut rbs = snapshot.rbs.iter();
            rbs.any(|rbs| rbs.tcp_state == "connected")
        };
        let up = (snapshots.iter()).all(|snapshot| snapshot.is_some_and(connected));
        let waits = |snapshot: &Snapshot| snapshot.rbs.iter().any(|rbs| rbs.unacknowledged > 0);
        let stuck = (snapshots.iter().flatten()).any(|snapshot| waits(snapshot));
        // TCP sends again what trouble has lost, later and later: until that is acknowledged the
        // channel is no better than one that is down.
        let troubled = faults || cut || !self.connected;
        let mut new = Self {
            devices,
            faults,
            cut,
            connected: up && !(troubled && stuck),
            quiet: false,
        };
        new.quiet = new.connected && idle && in_flight == 0 && !new.same_entries();
        new
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

    /// What differs in `new`.
    #[must_use]
    pub fn change(&self, new: &Self) -> PairChange {
        let [a, b] = &self.devices;
        let [new_a, new_b] = &new.devices;
        PairChange {
            devices: [a.change(new_a), b.change(new_b)],
            faults: (self.faults != new.faults).then_some(new.faults),
            cut: (self.cut != new.cut).then_some(new.cut),
            connected: (self.connected != new.connected).then_some(new.connected),
            quiet: (self.quiet != new.quiet).then_some(new.quiet),
        }
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
