//! What the table of what listeners asked for becomes when another device is the Master, and where
//! either of two states is right.

use super::{CROSSING, Equivalence, LOOK};
use crate::difference::{Table, differ};
use crate::mld_table::Record;
use crate::pair_state::{GroupState, PairChange};
use dut_device::Instant;
use harness_wire::MldView;
use std::collections::BTreeMap;
use std::net::Ipv6Addr;

/// Groups of which a Master may hold something else than the table says, and what (`None`: no
/// record). What arrived in the instant of a takeover may have been heard by the device that lost
/// its role, which tells the Master once the channel works; so may what the other half of a split
/// holds. Either is right until then, and nothing third.
pub(super) type Unsure = BTreeMap<Ipv6Addr, Other>;

/// The other right thing, and until when it is at least.
#[derive(Debug, Clone)]
pub(super) struct Other {
    record: Option<Record>,
    until: Instant,
}

impl Equivalence {
    /// The master is gone. Listeners whose entries the other device can't have acknowledged yet are
    /// promised nothing: for them the table goes on with what the survivor holds. They are those
    /// that changed just before, and those that changed since the channel delivers nothing.
    pub(super) fn follow(&mut self, at: Instant, survivor: usize) {
        let differ = self.entries.differ_since.or(self.timers.differ_since);
        let excused = at <= self.pair_excused_until() && differ.is_some();
        let lost = self.channel_down_since.unwrap_or(at).min(at);
        let recent = lost.saturating_sub(self.bound + LOOK);
        let Some(held) = self.state.devices.get(survivor) else {
            return;
        };
        if !held.running {
            self.table.groups.clear();
            return;
        }
        let own = self.own_table();
        let groups: Vec<Ipv6Addr> = own.keys().chain(held.groups.keys()).copied().collect();
        for group in groups {
            let fresh = self
                .causes
                .get(&group)
                .is_none_or(|cause| cause.at >= recent);
            if !excused && !fresh {
                continue;
            }
            let asked = match held.groups.get(&group) {
                Some(held) => self.table.groups.insert(group, held.to_record()),
                None => self.table.groups.remove(&group),
            };
            self.unsure.entry(group).or_insert(Other {
                record: asked,
                until: at,
            });
        }
    }

    /// There is one Master. If it is the one that was gone, what it has kept meanwhile is what its
    /// listeners asked for: it only hung, and nobody took over.
    pub(super) fn returned(&mut self, master: usize) {
        let Some((gone, asked)) = self.left.take() else {
            return;
        };
        let Some(held) = self.state.devices.get(master).filter(|_| gone == master) else {
            return;
        };
        let kept = asked.into_iter();
        (self.table.groups).extend(kept.filter(|(group, _)| held.groups.contains_key(group)));
    }

    /// A split has ended: of what both halves may have heard of the master's record stands (D-17).
    /// What only the other half has heard of is still asked of it, and what only the other half
    /// holds may survive until its timers end.
    pub(super) fn merged(&mut self, master: usize) {
        let [a, b] = &self.state.devices;
        let (held, other) = if master == 0 { (a, b) } else { (b, a) };
        for (group, state) in &held.groups {
            self.unsure.remove(group);
            self.table.groups.insert(*group, state.to_record());
        }
        for (group, state) in &other.groups {
            if !held.groups.contains_key(group) && !self.table.groups.contains_key(group) {
                self.unsure.entry(*group).or_insert_with(|| Other {
                    record: Some(state.to_record()),
                    until: Instant::ZERO,
                });
            }
        }
    }

    /// The Master asks. Where two messages about the group came just before, the query may have
    /// been sent between them, and what the second set lasts. So may it before a single one from
    /// which no such query follows: it was due, and left before the message was heard.
    pub(super) fn asked(&mut self, at: Instant, view: &MldView<'_>) {
        let cause = |group: &Ipv6Addr| self.causes.get(group);
        let crosses = |group: &Ipv6Addr| {
            cause(group).is_some_and(|cause| !cause.asks.may_be(view) && at <= cause.at + CROSSING)
        };
        let group = view.group().filter(crosses);
        let before = group.and_then(|group| self.table.groups.get(&group).cloned());
        self.table.query(at, view, false);
        if let (Some(group), Some(before)) = (group, before) {
            let other = Other {
                record: Some(before),
                until: at + self.bound,
            };
            self.unsure.insert(group, other);
        }
    }

    /// Where the Master holds the other of two right things, so does the table. Neither is left
    /// open for longer than the two devices may differ.
    pub(super) fn resolve(&mut self, at: Instant) {
        if self.unsure.is_empty() {
            return;
        }
        let excused = self.pair_excused_until();
        (self.unsure).retain(|_, other| at <= other.until.max(excused));
        let held = self.state.master();
        let Some(held) = held.and_then(|master| self.state.devices.get(master)) else {
            return;
        };
        let most = u64::try_from(self.bound.as_millis()).unwrap_or(u64::MAX);
        let is = |held: Option<&GroupState>, record: &Option<Record>| match (held, record) {
            (Some(held), Some(record)) => {
                held.same_entries_as(record) && held.near_record(record, most)
            }
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        let groups = &mut self.table.groups;
        self.unsure.retain(|group, other| {
            let taken = is(held.groups.get(group), &other.record);
            if taken {
                match other.record.take() {
                    Some(record) => groups.insert(*group, record),
                    None => groups.remove(group),
                };
            }
            !taken
        });
    }

    /// The Master and its table before this change of it, while the backup differs.
    pub(super) fn followed(&self, change: &PairChange) -> Option<(usize, Table)> {
        let differs = self.entries.differ_since.or(self.timers.differ_since);
        differs?;
        let master = self.state.master()?;
        let changes = change.devices.get(master)?;
        let held = self.state.devices.get(master)?;
        (!changes.groups.is_empty()).then(|| (master, held.groups.clone()))
    }

    /// A backup that holds now what the Master held until this change has caught up with that: what
    /// it lacks is this change alone, and the bound begins with it.
    pub(super) fn caught_up(&mut self, followed: Option<(usize, Table)>) {
        let Some((master, held)) = followed else {
            return;
        };
        let copy = self.state.devices.get(1 - master);
        let Some(copy) = copy.filter(|_| self.state.master() == Some(master)) else {
            return;
        };
        let bound = self.bound;
        if !differ(&held, &copy.groups, None) {
            self.entries.differ_since = None;
        }
        if !differ(&held, &copy.groups, Some(bound)) {
            self.timers.differ_since = None;
        }
    }
}
