//! What the table of what listeners asked for becomes when another device is the Master.

use super::{Equivalence, LOOK};
use dut_device::Instant;
use std::net::Ipv6Addr;

impl Equivalence {
    /// The master is gone. Listeners whose entries the other device can't have acknowledged yet are
    /// promised nothing: for them the table goes on with what the survivor holds.
    pub(super) fn follow(&mut self, at: Instant, survivor: usize) {
        let differ = self.entries.differ_since.or(self.timers.differ_since);
        let excused = at <= self.pair_excused_until() && differ.is_some();
        let recent = at.saturating_sub(self.bound + LOOK);
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
            match held.groups.get(&group) {
                Some(held) => self.table.groups.insert(group, held.to_record()),
                None => self.table.groups.remove(&group),
            };
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
    /// What only the other half has heard of is still asked of it.
    pub(super) fn merged(&mut self, master: usize) {
        let Some(held) = self.state.devices.get(master) else {
            return;
        };
        let held = held.groups.iter();
        (self.table.groups).extend(held.map(|(group, state)| (*group, state.to_record())));
    }
}
