//! A profile's table and what decides between two versions of an entry.

use crate::entry::{Held, HeldInterface, HeldSource, Key};
use crate::policy::Policy;
use dut_device::Instant;
use dut_wire::rbs::{CanonicalDigest, Tombstone, Version};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Entries that a table holds at most; more is refused (NAK overflow).
pub(crate) const ENTRIES_MAX: usize = 65536;

/// What a master makes of a record that a slave gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Merge {
    /// The record is news and wins.
    Take,
    /// It is the version that the master holds.
    Same,
    /// What the master holds is newer or wins.
    Keep,
    /// The master made it in this boot and no longer has it: it has deleted it.
    Deleted,
}

/// A profile's table.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) entries: BTreeMap<Key, Held>,
    pub(crate) interface: Option<HeldInterface>,
    digest: Option<[u8; 32]>,
    policy: Policy,
}

impl Table {
    pub(crate) const fn new(policy: Policy) -> Self {
        Self {
            entries: BTreeMap::new(),
            interface: None,
            digest: None,
            policy,
        }
    }

    /// The canonical digest.
    pub(crate) fn digest(&self) -> [u8; 32] {
        self.digest.unwrap_or_else(|| self.compute())
    }

    /// The canonical digest, remembered until the content changes.
    pub(crate) fn remembered_digest(&mut self) -> [u8; 32] {
        let digest = self.digest();
        self.digest = Some(digest);
        digest
    }

    fn compute(&self) -> [u8; 32] {
        let mut digest = CanonicalDigest::default();
        for ((eth_trunk, group), held) in &self.entries {
            let sources = held.sources.iter();
            let requested = |s: &HeldSource| (self.policy.digest_source)(s.deadline.is_some());
            let sources = sources.map(|(source, s)| (*source, requested(s)));
            let count = held.sources.len();
            digest.row(*eth_trunk, *group, held.filter_mode, count, sources);
        }
        digest.finish()
    }

    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.entries.len()).unwrap_or(u32::MAX)
    }

    /// Puts a version in; whether the content has changed. `false` in the first place when the
    /// table is full.
    pub(crate) fn put(&mut self, key: Key, held: Held) -> (bool, bool) {
        let old = self.entries.get(&key);
        if old.is_none() && self.entries.len() >= ENTRIES_MAX {
            return (false, false);
        }
        let changed = !old.is_some_and(|old| old.same_content(&held));
        let held = held.replacing(old);
        self.entries.insert(key, held);
        if changed {
            self.digest = None;
        }
        (true, changed)
    }

    pub(crate) fn remove(&mut self, key: &Key) -> Option<Held> {
        let removed = self.entries.remove(key);
        if removed.is_some() {
            self.digest = None;
        }
        removed
    }

    /// Whether a slave (`own`: its origin and boot epoch) takes a version. Of one origin the newer
    /// wins. Between origins the master's word decides, and it is the master that speaks; only a
    /// batch, which the master may have begun without knowing what the slave made while it was
    /// master itself, does not overrule the slave's greater version: the digests then differ, the
    /// master asks, and its answer decides.
    //= RBS-015
    pub(crate) fn slave_takes(
        &self,
        key: &Key,
        version: &Version,
        in_batch: bool,
        own: ([u8; 6], u64),
    ) -> bool {
        let Some(held) = self.entries.get(key) else {
            return true;
        };
        if held.version.origin != version.origin && !(in_batch && held.is_of(own)) {
            return true;
        }
        // A batch repairs what has run down, or was damaged, under its own version.
        (self.policy.newer)(version, &held.version) || (in_batch && *version == held.version)
    }

    /// Whether a deletion is honoured.
    pub(crate) fn deletes(&self, tombstone: &Tombstone) -> bool {
        let held = self.entries.get(&(tombstone.eth_trunk, tombstone.group));
        held.is_some_and(|held| (self.policy.deletes)(&tombstone.version, &held.version))
    }

    /// What a master (`own`: its origin and boot epoch) makes of a slave's version.
    //= BACKUP-018
    pub(crate) fn merge(&self, key: &Key, version: &Version, own: ([u8; 6], u64)) -> Merge {
        let Some(held) = self.entries.get(key) else {
            return if (version.origin, version.epoch) == own {
                Merge::Deleted
            } else {
                Merge::Take
            };
        };
        if held.version.origin != version.origin {
            let covered = held
                .covers
                .as_ref()
                .is_some_and(|covered| covered.origin == version.origin && *version <= *covered);
            return if covered || *version < held.version {
                Merge::Keep
            } else {
                Merge::Take
            };
        }
        match version.cmp(&held.version) {
            Ordering::Greater => Merge::Take,
            Ordering::Equal => Merge::Same,
            Ordering::Less => Merge::Keep,
        }
    }

    /// Lets entries run down by themselves; gives the keys of those that are gone.
    pub(crate) fn age(&mut self, now: Instant) -> Vec<Key> {
        let mut gone = Vec::new();
        for (key, held) in &mut self.entries {
            match held.aged(now) {
                Some(aged) if aged == *held => {}
                Some(aged) => {
                    *held = aged;
                    self.digest = None;
                }
                None => gone.push(*key),
            }
        }
        for key in &gone {
            self.remove(key);
        }
        gone
    }

    /// When [`Table::age`] changes something next.
    pub(crate) fn next_ageing(&self, now: Instant) -> Option<Instant> {
        let entries = self.entries.values();
        entries.filter_map(|held| held.next_ageing(now)).min()
    }
}
