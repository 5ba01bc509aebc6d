//! Source addresses and source records, each in one sorted run of memory: a report touches its
//! group's few sources together, and not a node of a tree for each.
//!
//! Look-ups take log n; adding takes n at worst, and [`SourceRecords::put`] adds a whole list at
//! that cost. The source limit (1,024 by default) bounds n.

use crate::group::Source;
use smallvec::SmallVec;
use std::net::Ipv6Addr;
use std::ops::Deref;

/// As many sources as are kept without a further allocation.
const INLINE: usize = 4;

/// A set of source addresses in ascending order, as the tables' A, B, X and Y are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sources(SmallVec<[Ipv6Addr; INLINE]>);

impl Sources {
    /// No source.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the address is one of them.
    #[must_use]
    pub fn contains(&self, address: &Ipv6Addr) -> bool {
        self.find(address).is_ok()
    }

    /// Removes all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    fn find(&self, address: &Ipv6Addr) -> Result<usize, usize> {
        let bits = address.to_bits();
        self.0.binary_search_by_key(&bits, |held| held.to_bits())
    }

    fn sort(&mut self) {
        if !self.0.is_sorted_by(|a, b| a.to_bits() < b.to_bits()) {
            self.0.sort_unstable_by_key(|address| address.to_bits());
            self.0.dedup();
        }
    }
}

impl Deref for Sources {
    type Target = [Ipv6Addr];
    fn deref(&self) -> &[Ipv6Addr] {
        &self.0
    }
}

impl Extend<Ipv6Addr> for Sources {
    fn extend<I: IntoIterator<Item = Ipv6Addr>>(&mut self, addresses: I) {
        self.0.extend(addresses);
        self.sort();
    }
}

impl FromIterator<Ipv6Addr> for Sources {
    fn from_iter<I: IntoIterator<Item = Ipv6Addr>>(addresses: I) -> Self {
        let mut sources = Self(addresses.into_iter().collect());
        sources.sort();
        sources
    }
}

impl From<&[Ipv6Addr]> for Sources {
    fn from(addresses: &[Ipv6Addr]) -> Self {
        let mut sources = Self(addresses.into());
        sources.sort();
        sources
    }
}

impl IntoIterator for Sources {
    type Item = Ipv6Addr;
    type IntoIter = smallvec::IntoIter<[Ipv6Addr; INLINE]>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Sources {
    type Item = &'a Ipv6Addr;
    type IntoIter = std::slice::Iter<'a, Ipv6Addr>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// Source records by address, in ascending order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceRecords(SmallVec<[(Ipv6Addr, Source); INLINE]>);

impl SourceRecords {
    /// No record.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The record of a source.
    #[must_use]
    pub fn get(&self, address: &Ipv6Addr) -> Option<&Source> {
        let at = self.find(address).ok()?;
        self.0.get(at).map(|(_, source)| source)
    }

    /// The record of a source, to change.
    pub fn get_mut(&mut self, address: &Ipv6Addr) -> Option<&mut Source> {
        let at = self.find(address).ok()?;
        self.0.get_mut(at).map(|(_, source)| source)
    }

    /// Whether a source has a record.
    #[must_use]
    pub fn contains_key(&self, address: &Ipv6Addr) -> bool {
        self.find(address).is_ok()
    }

    /// Deletes a source's record, and gives it.
    pub fn remove(&mut self, address: &Ipv6Addr) -> Option<Source> {
        let at = self.find(address).ok()?;
        let (_, source) = self.0.remove(at);
        Some(source)
    }

    /// Deletes all records.
    pub fn clear(&mut self) {
        self.0 = SmallVec::new();
    }

    /// Keeps the records of which `keep` is true.
    pub fn retain(&mut self, mut keep: impl FnMut(&Ipv6Addr, &mut Source) -> bool) {
        self.0.retain(|(address, source)| keep(address, source));
        if self.0.spilled() && self.0.len() <= self.0.capacity() / 4 {
            self.0.shrink_to_fit();
        }
    }

    /// Makes `set` of each of these sources' records, in order; one that isn't there yet is added
    /// as `new`. True when any was added.
    pub fn put(
        &mut self,
        sources: &Sources,
        new: Source,
        mut set: impl FnMut(&mut Source),
    ) -> bool {
        let held = self.0.len();
        let mut at = 0;
        for address in sources {
            let bits = address.to_bits();
            let rest = self.0.get(at..held).unwrap_or_default();
            at += rest.partition_point(|(held, _)| held.to_bits() < bits);
            match self.0.get_mut(at) {
                Some((known, source)) if at < held && known == address => set(source),
                Some(_) | None => {
                    let mut source = new;
                    set(&mut source);
                    self.0.push((*address, source));
                }
            }
        }
        let added = self.0.len() > held;
        if added {
            // Two ascending runs: a stable sort merges them.
            self.0.sort_by_key(|(address, _)| address.to_bits());
        }
        added
    }

    /// Sources and records.
    pub fn iter(&self) -> impl Iterator<Item = (&Ipv6Addr, &Source)> {
        self.into_iter()
    }

    /// Sources.
    pub fn keys(&self) -> impl Iterator<Item = &Ipv6Addr> {
        self.0.iter().map(|(address, _)| address)
    }

    /// Records.
    pub fn values(&self) -> impl Iterator<Item = &Source> {
        self.0.iter().map(|(_, source)| source)
    }

    /// Records, to change.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Source> {
        self.0.iter_mut().map(|(_, source)| source)
    }

    fn find(&self, address: &Ipv6Addr) -> Result<usize, usize> {
        let bits = address.to_bits();
        self.0
            .binary_search_by_key(&bits, |(held, _)| held.to_bits())
    }
}

impl FromIterator<(Ipv6Addr, Source)> for SourceRecords {
    /// Of several records of one source the last counts.
    fn from_iter<I: IntoIterator<Item = (Ipv6Addr, Source)>>(records: I) -> Self {
        let mut records: SmallVec<[(Ipv6Addr, Source); INLINE]> = records.into_iter().collect();
        records.sort_by_key(|(address, _)| address.to_bits());
        records.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                *earlier = *later;
            }
            same
        });
        Self(records)
    }
}

/// Source records in ascending order.
#[derive(Debug, Clone)]
pub struct Iter<'a>(std::slice::Iter<'a, (Ipv6Addr, Source)>);

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a Ipv6Addr, &'a Source);
    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(address, source)| (address, source))
    }
}

impl<'a> IntoIterator for &'a SourceRecords {
    type Item = (&'a Ipv6Addr, &'a Source);
    type IntoIter = Iter<'a>;
    fn into_iter(self) -> Self::IntoIter {
        Iter(self.0.iter())
    }
}

/// Source records in ascending order, to change.
#[derive(Debug)]
pub struct IterMut<'a>(std::slice::IterMut<'a, (Ipv6Addr, Source)>);

impl<'a> Iterator for IterMut<'a> {
    type Item = (&'a Ipv6Addr, &'a mut Source);
    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(address, source)| (&*address, source))
    }
}

impl<'a> IntoIterator for &'a mut SourceRecords {
    type Item = (&'a Ipv6Addr, &'a mut Source);
    type IntoIter = IterMut<'a>;
    fn into_iter(self) -> Self::IntoIter {
        IterMut(self.0.iter_mut())
    }
}

#[cfg(test)]
mod tests {
    use super::{SourceRecords, Sources};
    use crate::group::Source;
    use dut_device::Instant;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};
    use std::net::Ipv6Addr;

    /// One of few addresses, that differ in either half.
    fn address() -> impl Strategy<Value = Ipv6Addr> {
        let address = |(high, low)| Ipv6Addr::new(0x2001, high, 0, 0, 0, 0, 0, low);
        (0..2_u16, 0..12_u16).prop_map(address)
    }

    fn list() -> impl Strategy<Value = Vec<Ipv6Addr>> {
        prop::collection::vec(address(), 0..20)
    }

    /// One change of a group's source records.
    #[derive(Debug, Clone)]
    enum Change {
        Put(Vec<Ipv6Addr>, u64),
        Keep(Vec<Ipv6Addr>),
        Remove(Ipv6Addr),
        Clear,
    }

    fn change() -> impl Strategy<Value = Change> {
        prop_oneof![
            5 => (list(), 0..9_u64).prop_map(|(list, at)| Change::Put(list, at)),
            2 => list().prop_map(Change::Keep),
            2 => address().prop_map(Change::Remove),
            1 => Just(Change::Clear),
        ]
    }

    proptest! {
        /// A set of sources is an ordered set, whatever order and however often they are listed in.
        #[test]
        fn sources_are_an_ordered_set(listed in list(), more in list(), asked in address()) {
            let mut sources = Sources::from(listed.as_slice());
            let mut model: BTreeSet<Ipv6Addr> = listed.iter().copied().collect();
            prop_assert_eq!(&sources, &listed.into_iter().collect::<Sources>());
            prop_assert!(sources.iter().eq(&model));
            sources.extend(more.iter().copied());
            model.extend(more);
            prop_assert!(sources.iter().eq(&model));
            prop_assert_eq!(sources.contains(&asked), model.contains(&asked));
        }

        /// Source records are an ordered map, whatever is put, kept and removed.
        #[test]
        fn source_records_are_an_ordered_map(changes in prop::collection::vec(change(), 0..30)) {
            let mut records = SourceRecords::new();
            let mut model = BTreeMap::new();
            for change in changes {
                match change {
                    Change::Put(listed, at) => {
                        let timer = Some(Instant::from_nanos(at));
                        let sources = Sources::from(listed.as_slice());
                        let new = listed.iter().any(|source| !model.contains_key(source));
                        let added = records.put(&sources, Source::EXCLUDED, |source| {
                            source.query_count += 1;
                            source.timer = timer;
                        });
                        prop_assert_eq!(added, new);
                        for source in &sources {
                            let record = model.entry(*source).or_insert(Source::EXCLUDED);
                            record.query_count += 1;
                            record.timer = timer;
                        }
                    }
                    Change::Keep(listed) => {
                        records.retain(|source, _| listed.contains(source));
                        model.retain(|source, _| listed.contains(source));
                    }
                    Change::Remove(source) => {
                        prop_assert_eq!(records.remove(&source), model.remove(&source));
                    }
                    Change::Clear => {
                        records.clear();
                        model.clear();
                    }
                }
                prop_assert!(records.iter().eq(&model));
                prop_assert_eq!(records.len(), model.len());
                for source in model.keys() {
                    prop_assert_eq!(records.get(source), model.get(source));
                }
            }
        }
    }
}
