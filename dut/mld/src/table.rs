//! The interface's records, and the ordered index of their timers: one entry a group.

use crate::group::Group;
use dut_device::Instant;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;

/// Records by multicast address.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    groups: BTreeMap<Ipv6Addr, Group>,
    timers: BTreeSet<(Instant, Ipv6Addr)>,
}

impl Table {
    pub(crate) fn len(&self) -> usize {
        self.groups.len()
    }

    pub(crate) fn get(&self, address: Ipv6Addr) -> Option<&Group> {
        self.groups.get(&address)
    }

    /// A record to change; [`Self::settle`] afterwards.
    pub(crate) fn get_mut(&mut self, address: Ipv6Addr) -> Option<&mut Group> {
        self.groups.get_mut(&address)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Ipv6Addr, &Group)> {
        self.groups.iter().map(|(address, group)| (*address, group))
    }

    /// Adds a record and indexes its timers.
    pub(crate) fn insert(&mut self, address: Ipv6Addr, group: Group) {
        self.groups.insert(address, group);
        self.settle(address);
    }

    /// Brings the index up to date with a record that has changed; deletes an empty one.
    /// True when it was deleted.
    pub(crate) fn settle(&mut self, address: Ipv6Addr) -> bool {
        let Some(group) = self.groups.get_mut(&address) else {
            return false;
        };
        if group.query_due.is_some() && !group.series_runs() {
            group.query_due = None;
        }
        //= MLD-126
        let empty = group.is_empty();
        let next = if empty { None } else { group.next_timer() };
        if next != group.indexed {
            if let Some(indexed) = group.indexed {
                self.timers.remove(&(indexed, address));
            }
            if let Some(next) = next {
                self.timers.insert((next, address));
            }
            group.indexed = next;
        }
        if empty {
            self.groups.remove(&address);
        }
        empty
    }

    /// The groups with a running specific-query series.
    pub(crate) fn with_series(&self) -> Vec<Ipv6Addr> {
        let running = self
            .groups
            .iter()
            .filter(|(_, group)| group.query_due.is_some());
        running.map(|(address, _)| *address).collect()
    }

    /// The earliest timer and its group.
    pub(crate) fn first_timer(&self) -> Option<(Instant, Ipv6Addr)> {
        self.timers.first().copied()
    }
}
