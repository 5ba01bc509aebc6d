//! The ordered index of timers. What is added is mostly due after all others, and what is taken is
//! the first: so entries lie in runs, in their order, which the memory reads ahead.

use crate::table::Slot;
use dut_device::Instant;
use std::collections::btree_map::OccupiedEntry;
use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv6Addr;

/// Entries of a run at most.
const RUN: usize = 64;

/// How far ahead an entry is that is first soon: as many groups end while memory answers.
const SOON: usize = 4;

/// When a group is to be looked at; of several at one instant the lowest address comes first. The
/// address is kept as two halves, which compare faster than an address does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Due {
    pub(crate) at: Instant,
    pub(crate) address: [u64; 2],
}

impl Due {
    pub(crate) fn new(at: Instant, address: Ipv6Addr) -> Self {
        let bits = address.to_bits();
        let half = |bits: u128| u64::try_from(bits & u128::from(u64::MAX)).unwrap_or_default();
        Self {
            at,
            address: [half(bits >> 64), half(bits)],
        }
    }
}

/// Ascending.
type Run = VecDeque<(Due, Slot)>;

/// The index.
#[derive(Debug, Clone, Default)]
pub(crate) struct Timers {
    /// By a bound: a run's entries don't come before its key, and come before the next one's. None
    /// is empty.
    runs: BTreeMap<Due, Run>,
}

impl Timers {
    /// Adds an entry; `due` isn't in the index yet.
    pub(crate) fn insert(&mut self, due: Due, slot: Slot) {
        let last = self.runs.last_key_value();
        let more = if last.is_some_and(|(key, _)| *key <= due) {
            let last = self.runs.last_entry();
            last.and_then(|mut last| add(last.get_mut(), due, slot))
        } else if let Some((_, run)) = self.run_of(due) {
            add(run, due, slot)
        } else {
            let first = self.runs.first_entry();
            let first = first.filter(|first| first.get().len() < RUN);
            let mut run = first.map(OccupiedEntry::remove).unwrap_or_default();
            run.push_front((due, slot));
            Some((due, run))
        };
        self.runs.extend(more);
    }

    /// Removes an entry; false when there is none.
    pub(crate) fn remove(&mut self, due: Due) -> bool {
        let Some((key, run)) = self.run_of(due) else {
            return false;
        };
        let at = run.binary_search_by_key(&due, |(held, _)| *held);
        let removed = at.is_ok_and(|at| run.remove(at).is_some());
        if run.is_empty() {
            self.runs.remove(&key);
        }
        removed
    }

    /// The first entry, and one that is first soon where it can be seen.
    pub(crate) fn first(&self) -> Option<(Due, Slot, Option<Slot>)> {
        let (_, run) = self.runs.first_key_value()?;
        let (due, slot) = *run.front()?;
        Some((due, slot, run.get(SOON).map(|(_, slot)| *slot)))
    }

    /// Removes the first entry.
    pub(crate) fn remove_first(&mut self) {
        if let Some(mut first) = self.runs.first_entry() {
            first.get_mut().pop_front();
            if first.get().is_empty() {
                first.remove();
            }
        }
    }

    /// The run where an entry is, or would be, and its key.
    fn run_of(&mut self, due: Due) -> Option<(Due, &mut Run)> {
        let (key, run) = self.runs.range_mut(..=due).next_back()?;
        Some((*key, run))
    }
}

/// Adds an entry to a run where it belongs; gives what the run has no room for.
fn add(run: &mut Run, due: Due, slot: Slot) -> Option<(Due, Run)> {
    let full = run.len() >= RUN;
    if run.back().is_none_or(|(last, _)| *last < due) {
        if !full {
            run.push_back((due, slot));
            return None;
        }
        let mut next = Run::with_capacity(RUN);
        next.push_back((due, slot));
        return Some((due, next));
    }
    let mut upper = if full {
        run.split_off(RUN / 2)
    } else {
        Run::new()
    };
    let above = upper.front().is_some_and(|(first, _)| *first <= due);
    let half = if above { &mut upper } else { run };
    let at = half.partition_point(|(held, _)| *held < due);
    half.insert(at, (due, slot));
    let (key, _) = *upper.front()?;
    Some((key, upper))
}

#[cfg(test)]
mod tests {
    use super::{Due, Timers};
    use crate::table::Slot;
    use dut_device::Instant;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::collections::btree_map::Entry;
    use std::net::Ipv6Addr;

    /// One change of the index.
    #[derive(Debug, Clone)]
    enum Change {
        /// Add at this time, of this address.
        Insert(u64, u8),
        /// Remove the entry that stands there, counted from the first.
        Remove(usize),
        RemoveFirst,
    }

    fn change() -> impl Strategy<Value = Change> {
        prop_oneof![
            4 => (0..500_u64, 0..4_u8).prop_map(|(at, address)| Change::Insert(at, address)),
            // As most are: after all others.
            4 => (500..u64::MAX, 0..4_u8).prop_map(|(at, address)| Change::Insert(at, address)),
            2 => (0..1_000_usize).prop_map(Change::Remove),
            1 => Just(Change::RemoveFirst),
        ]
    }

    proptest! {
        /// The index does what an ordered map does, whatever is added and removed in whatever
        /// order, over many runs.
        #[test]
        fn the_index_is_an_ordered_map(changes in prop::collection::vec(change(), 0..2_000)) {
            let mut timers = Timers::default();
            let mut model = BTreeMap::new();
            for (n, change) in changes.into_iter().enumerate() {
                match change {
                    Change::Insert(at, address) => {
                        // Half of what is late comes in order.
                        let next = 1_000 + u64::try_from(n).unwrap();
                        let at = if at >= 500 && at % 2 == 0 { next } else { at };
                        let address = Ipv6Addr::new(0xff0e, 0, 0, address.into(), 0, 0, 0, 9);
                        let due = Due::new(Instant::from_nanos(at), address);
                        let slot = Slot::new(n).unwrap();
                        if let Entry::Vacant(vacant) = model.entry(due) {
                            vacant.insert(slot);
                            timers.insert(due, slot);
                        }
                    }
                    Change::Remove(n) => {
                        let due = model.keys().nth(n).copied();
                        if let Some(due) = due {
                            model.remove(&due);
                            prop_assert!(timers.remove(due));
                        }
                        let unknown = Due::new(Instant::from_nanos(7), Ipv6Addr::LOCALHOST);
                        prop_assert!(!timers.remove(unknown));
                    }
                    Change::RemoveFirst => {
                        model.pop_first();
                        timers.remove_first();
                    }
                }
                let first = model.first_key_value().map(|(due, slot)| (*due, *slot));
                let held = timers.first().map(|(due, slot, _)| (due, slot));
                prop_assert_eq!(held, first);
            }
            let all: Vec<_> = timers.runs.values().flatten().copied().collect();
            prop_assert_eq!(all, model.into_iter().collect::<Vec<_>>());
            for (key, run) in &timers.runs {
                prop_assert!(run.front().is_some_and(|(due, _)| key <= due));
            }
        }
    }
}
