//! The interface's records: where one is found, and whose timer is the next.
//!
//! A report of many comes to any group, so it costs what the memory costs that it touches. A record
//! lies in one piece with its few sources; it is found by a hash, which a peer can't foresee where
//! the seed is secret; and the index of the timers isn't touched where a timer only becomes later.
//! Nothing of this shows outside: what is listed is sorted.

use crate::group::Group;
use crate::timers::{Due, Timers};
use dut_device::Instant;
use hashbrown::HashTable;
use prefetch_index::prefetch_index;
use siphasher::sip::SipHasher13;
use std::hash::Hasher;
use std::net::Ipv6Addr;

/// Records by multicast address.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    seed: u64,
    index: HashTable<Slot>,
    entries: Slab,
    /// One entry a group that has a timer: when it is to be looked at, which is never later than
    /// its earliest timer.
    timers: Timers,
    /// The first entry of `timers`; of its group it is the earliest timer.
    first: Option<(Due, Slot)>,
}

/// Where a record is kept, from [`Table::insert`] until [`Table::settle`] deletes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot(u32);

/// A record, and what the table knows of it; it begins with a line of cache.
#[derive(Debug, Clone)]
#[repr(align(64))]
struct Entry {
    address: Ipv6Addr,
    /// When `timers` has it.
    indexed: Option<Instant>,
    group: Group,
}

impl Slot {
    /// The `n`th from the beginning; `None` beyond 2^32.
    pub(crate) fn new(n: usize) -> Option<Self> {
        u32::try_from(n).ok().map(Self)
    }
}

impl Table {
    /// No record; `seed` is the secret of the hash.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            index: HashTable::new(),
            entries: Slab::default(),
            timers: Timers::default(),
            first: None,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    /// Where a group's record is.
    pub(crate) fn find(&self, address: Ipv6Addr) -> Option<Slot> {
        let is = |slot: &Slot| {
            let entry = self.entries.get(*slot);
            entry.is_some_and(|entry| entry.address == address)
        };
        self.index.find(hash(self.seed, address), is).copied()
    }

    /// Where a group's record seems to be, whose turn comes soon: the memory is asked for it, and
    /// has it by then. `last` is where that of the group before it in the report is: a listener
    /// names its groups in one order again and again, in which they were learnt.
    pub(crate) fn expect(&self, last: Option<Slot>, address: Ipv6Addr) -> Option<Slot> {
        let next = last.and_then(|Slot(last)| last.checked_add(1)).map(Slot);
        if next.is_some_and(|next| self.address(next) == Some(address)) {
            return next;
        }
        let slot = *self.index.find(hash(self.seed, address), |_| true)?;
        self.entries.prefetch(slot);
        Some(slot)
    }

    /// Where a group's record is, by what [`Self::expect`] said of it.
    pub(crate) fn find_expected(&self, seems: Option<Slot>, address: Ipv6Addr) -> Option<Slot> {
        let is = |slot: &Slot| self.address(*slot) == Some(address);
        seems.filter(is).or_else(|| self.find(address))
    }

    pub(crate) fn get(&self, address: Ipv6Addr) -> Option<&Group> {
        self.at(self.find(address)?)
    }

    pub(crate) fn at(&self, slot: Slot) -> Option<&Group> {
        self.entries.get(slot).map(|entry| &entry.group)
    }

    /// A record to change; [`Self::settle`] afterwards.
    pub(crate) fn get_mut(&mut self, slot: Slot) -> Option<&mut Group> {
        let entry = self.entries.get_mut(slot)?;
        Some(&mut entry.group)
    }

    /// Whose record it is.
    pub(crate) fn address(&self, slot: Slot) -> Option<Ipv6Addr> {
        self.entries.get(slot).map(|entry| entry.address)
    }

    /// All records in ascending order of address.
    pub(crate) fn sorted(&self) -> Vec<(Ipv6Addr, &Group)> {
        let entries = self.entries.iter();
        let mut all: Vec<_> = entries.map(|(_, e)| (e.address, &e.group)).collect();
        all.sort_unstable_by_key(|(address, _)| address.to_bits());
        all
    }

    /// Adds a record of a group that has none, and indexes its timers.
    pub(crate) fn insert(&mut self, address: Ipv6Addr, group: Group) {
        let slot = self.entries.insert(Entry {
            address,
            indexed: None,
            group,
        });
        let Some(slot) = slot else {
            return;
        };
        let (seed, entries) = (self.seed, &self.entries);
        let rehash = |slot: &Slot| entries.get(*slot).map_or(0, |e| hash(seed, e.address));
        self.index.insert_unique(hash(seed, address), slot, rehash);
        self.settle(slot);
    }

    /// Brings the index up to date with a record that has changed; deletes an empty one.
    /// True when it was deleted.
    pub(crate) fn settle(&mut self, slot: Slot) -> bool {
        let Some(entry) = self.entries.get_mut(slot) else {
            return false;
        };
        let address = entry.address;
        let group = &mut entry.group;
        if group.query_due.is_some() && !group.series_runs() {
            group.query_due = None;
        }
        //= MLD-126
        let empty = group.is_empty();
        let next = if empty { None } else { group.next_timer() };
        let later = matches!((entry.indexed, next), (Some(a), Some(b)) if a <= b);
        let mut first = self.first.is_some_and(|(_, first)| first == slot);
        if !later {
            if first {
                self.timers.remove_first();
            } else if let Some(indexed) = entry.indexed {
                self.timers.remove(Due::new(indexed, address));
            }
            if let Some(next) = next {
                let due = Due::new(next, address);
                self.timers.insert(due, slot);
                first |= self.first.is_none_or(|(first, _)| due < first);
            }
            entry.indexed = next;
        }
        if empty {
            self.remove(slot, address);
        }
        if first {
            self.find_first();
        }
        empty
    }

    fn remove(&mut self, slot: Slot, address: Ipv6Addr) {
        let hash = hash(self.seed, address);
        if let Ok(found) = self.index.find_entry(hash, |held| *held == slot) {
            found.remove();
        }
        self.entries.remove(slot);
        if self.index.is_empty() {
            // What so many groups took isn't kept for the few that may come.
            *self = Self::new(self.seed);
        }
    }

    /// Moves what has become later in the meantime, until the first is where it belongs.
    fn find_first(&mut self) {
        self.first = None;
        while let Some((due, slot, soon)) = self.timers.first() {
            let entry = self.entries.get_mut(slot);
            let next = entry.as_ref().and_then(|entry| entry.group.next_timer());
            if next == Some(due.at) {
                self.first = Some((due, slot));
                if let Some(soon) = soon {
                    self.entries.prefetch(soon);
                }
                return;
            }
            self.timers.remove_first();
            if let Some(at) = next {
                self.timers.insert(Due { at, ..due }, slot);
            }
            if let Some(entry) = entry {
                entry.indexed = next;
            }
        }
    }

    /// Whether a specific-query series of any group runs.
    pub(crate) fn series_runs(&self) -> bool {
        let mut entries = self.entries.iter();
        entries.any(|(_, entry)| entry.group.series_runs())
    }

    /// The groups with a running specific-query series, in ascending order of address.
    pub(crate) fn with_series(&self) -> Vec<(Ipv6Addr, Slot)> {
        let entries = self.entries.iter();
        let running = entries.filter(|(_, entry)| entry.group.query_due.is_some());
        let mut running: Vec<_> = running.map(|(slot, e)| (e.address, slot)).collect();
        running.sort_unstable_by_key(|(address, _)| address.to_bits());
        running
    }

    /// The earliest timer and its group; of several at one instant the lowest address.
    pub(crate) fn first_timer(&self) -> Option<(Instant, Slot)> {
        self.first.map(|(due, slot)| (due.at, slot))
    }
}

fn hash(seed: u64, address: Ipv6Addr) -> u64 {
    let mut hasher = SipHasher13::new_with_keys(seed, 0);
    hasher.write(&address.octets());
    hasher.finish()
}

/// Entries of a chunk: growing copies nothing but the first chunk.
const CHUNK: usize = 256;

/// Entries that stay where they are until they are removed.
#[derive(Debug, Clone, Default)]
struct Slab {
    chunks: Vec<Vec<Option<Entry>>>,
    free: Vec<Slot>,
}

impl Slab {
    fn place(slot: Slot) -> (usize, usize) {
        let at = usize::try_from(slot.0).unwrap_or(usize::MAX);
        (at / CHUNK, at % CHUNK)
    }

    fn get(&self, slot: Slot) -> Option<&Entry> {
        let (chunk, at) = Self::place(slot);
        self.chunks.get(chunk)?.get(at)?.as_ref()
    }

    fn get_mut(&mut self, slot: Slot) -> Option<&mut Entry> {
        let (chunk, at) = Self::place(slot);
        self.chunks.get_mut(chunk)?.get_mut(at)?.as_mut()
    }

    fn prefetch(&self, slot: Slot) {
        let (chunk, at) = Self::place(slot);
        if let Some(chunk) = self.chunks.get(chunk) {
            prefetch_index(chunk, at);
        }
    }

    /// `None` beyond 2^32 entries.
    fn insert(&mut self, entry: Entry) -> Option<Slot> {
        if let Some(slot) = self.free.pop() {
            let (chunk, at) = Self::place(slot);
            *self.chunks.get_mut(chunk)?.get_mut(at)? = Some(entry);
            return Some(slot);
        }
        if self.chunks.last().is_none_or(|last| last.len() == CHUNK) {
            let room = if self.chunks.is_empty() { 0 } else { CHUNK };
            self.chunks.push(Vec::with_capacity(room));
        }
        let full = self.chunks.len().checked_sub(1)? * CHUNK;
        let last = self.chunks.last_mut()?;
        let slot = Slot::new(full + last.len())?;
        last.push(Some(entry));
        Some(slot)
    }

    fn remove(&mut self, slot: Slot) {
        let (chunk, at) = Self::place(slot);
        let held = self.chunks.get_mut(chunk).and_then(|c| c.get_mut(at));
        if let Some(held) = held {
            *held = None;
            self.free.push(slot);
        }
    }

    fn iter(&self) -> impl Iterator<Item = (Slot, &Entry)> {
        let slots = (0_u32..).map(Slot);
        let entries = slots.zip(self.chunks.iter().flatten());
        entries.filter_map(|(slot, entry)| entry.as_ref().map(|entry| (slot, entry)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, Table};
    use crate::group::Group;
    use crate::sources::Sources;
    use dut_device::Instant;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::net::Ipv6Addr;

    /// A record with its few sources is three lines of cache, a vacant place too.
    #[test]
    fn an_entry_is_three_lines_of_cache() {
        assert_eq!(size_of::<Option<Entry>>(), 192);
    }

    /// One change of the table.
    #[derive(Debug, Clone)]
    enum Change {
        /// A group's timer is set to that, earlier or later; the group is made when it isn't there.
        Set(u16, u64),
        /// The group's last source goes.
        End(u16),
        /// The group whose timer is the earliest ends, or begins anew after so long.
        Expire(Option<u64>),
    }

    fn change() -> impl Strategy<Value = Change> {
        let far = 0..1_000_000_u64;
        prop_oneof![
            6 => (0..500_u16, far.clone()).prop_map(|(group, at)| Change::Set(group, at)),
            // Many at one instant, which come in order of their addresses.
            2 => (0..500_u16, 0..3_u64).prop_map(|(group, at)| Change::Set(group, at)),
            1 => (0..500_u16).prop_map(Change::End),
            3 => prop::option::of(far).prop_map(Change::Expire),
        ]
    }

    fn group(at: u64) -> Group {
        let mut group = Group::new(Instant::ZERO);
        let source = [Ipv6Addr::LOCALHOST];
        group.request(&Sources::from(source.as_slice()), Instant::from_nanos(at));
        group
    }

    proptest! {
        /// The table is an ordered map of records, and says the earliest of their timers, of
        /// several the lowest address', at every moment: that its index is lazy is never seen.
        #[test]
        fn the_table_is_an_ordered_map_with_an_earliest_timer(
            changes in prop::collection::vec(change(), 0..1_000),
            seed in any::<u64>(),
        ) {
            let mut table = Table::new(seed);
            let mut model: BTreeMap<Ipv6Addr, u64> = BTreeMap::new();
            for change in changes {
                let address = |n| Ipv6Addr::new(0xff1e, n % 7, 0, 0, 0, 0, 0, n);
                let (address, at) = match change {
                    Change::Set(n, at) => (address(n), Some(at)),
                    Change::End(n) => (address(n), None),
                    Change::Expire(again) => {
                        let first = model.iter().min_by_key(|(address, at)| (**at, **address));
                        let Some((address, _)) = first else {
                            prop_assert_eq!(table.first_timer(), None);
                            continue;
                        };
                        (*address, again)
                    }
                };
                match (table.find(address), at) {
                    (None, None) => prop_assert!(!model.contains_key(&address)),
                    (None, Some(at)) => {
                        prop_assert!(model.insert(address, at).is_none());
                        table.insert(address, group(at));
                    }
                    (Some(slot), Some(at)) => {
                        prop_assert!(model.insert(address, at).is_some());
                        *table.get_mut(slot).unwrap() = group(at);
                        prop_assert!(!table.settle(slot));
                    }
                    (Some(slot), None) => {
                        prop_assert!(model.remove(&address).is_some());
                        *table.get_mut(slot).unwrap() = Group::new(Instant::ZERO);
                        prop_assert!(table.settle(slot));
                    }
                }
                let first = model.iter().map(|(address, at)| (*at, *address)).min();
                let held = table.first_timer();
                let held = held.map(|(at, slot)| (at.as_nanos(), table.address(slot).unwrap()));
                prop_assert_eq!(held, first);
                prop_assert_eq!(table.len(), model.len());
            }
            let mut last = None;
            let sorted = table.sorted();
            prop_assert_eq!(sorted.len(), model.len());
            for ((address, record), (held, at)) in sorted.into_iter().zip(&model) {
                let at = Some(Instant::from_nanos(*at));
                prop_assert_eq!((address, record.next_timer()), (*held, at));
                let slot = table.find(address);
                let seems = table.expect(last, address);
                prop_assert_eq!(table.find_expected(seems, address), slot);
                prop_assert_eq!(table.find_expected(last, address), slot);
                last = slot;
            }
        }
    }
}
