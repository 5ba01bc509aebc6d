//! Receipt of data: what a slave takes, what a master merges, what a batch sweeps.

use crate::Session;
use crate::entry::{Held, HeldInterface, Key};
use crate::event::RbsEvent;
use crate::policy::BatchEvent;
use crate::profile::{InBatch, Profile};
use crate::session::Link;
use crate::table::Merge;
use dut_device::Instant;
use dut_wire::rbs::{GroupRecord, InterfaceRecord, NakCode, NotifyCode, Record, Tombstone};
use std::collections::BTreeSet;

/// A record that can't be used.
struct Overflow;

impl Session {
    pub(crate) fn handle_sync_begin(
        &mut self,
        now: Instant,
        backup_id: u16,
        id: u64,
        generation: u32,
    ) {
        let Some(profile) = self.profiles.get_mut(&backup_id) else {
            return;
        };
        let refused = !(profile.policy.takes_batch)(profile.master, profile.asked_at.is_some());
        profile.in_batch = Some(InBatch {
            generation,
            received: 0,
            mentioned: BTreeSet::new(),
            refused,
        });
        self.sweep(backup_id, BatchEvent::Begins);
        if refused {
            self.nak(now, backup_id, id, NakCode::NotTheSlave);
        }
    }

    pub(crate) fn handle_upsert(
        &mut self,
        now: Instant,
        backup_id: u16,
        id: u64,
        generation: u32,
        records: Vec<Record>,
    ) {
        let Some(profile) = self.profiles.get_mut(&backup_id) else {
            return;
        };
        if generation == 0 {
            if !(profile.policy.takes_real_time)(profile.master) {
                return self.nak(now, backup_id, id, NakCode::NotTheSlave);
            }
        } else {
            let batch = profile.in_batch.as_mut();
            let Some(batch) = batch.filter(|batch| batch.generation == generation) else {
                return self.refuse(now, NotifyCode::UnexpectedMessage, id);
            };
            if batch.refused {
                return self.applied(now, id);
            }
            let count = u32::try_from(records.len()).unwrap_or(u32::MAX);
            batch.received = batch.received.saturating_add(count);
        }
        for record in records {
            let taken = match record {
                Record::Group(record) => self.take_group(now, backup_id, generation, &record),
                Record::Interface(record) => {
                    self.take_interface(now, backup_id, &record);
                    Ok(())
                }
            };
            if taken.is_err() {
                self.refuse_batch(backup_id);
                return self.nak(now, backup_id, id, NakCode::Overflow);
            }
        }
        if let Some(profile) = self.profiles.get_mut(&backup_id) {
            profile.refusals_in_a_row = 0;
            profile.digest_due = !profile.master;
        }
        self.applied(now, id);
    }

    /// What is still to come of a batch of which one message was refused is let pass.
    pub(crate) fn refuse_batch(&mut self, backup_id: u16) {
        let profile = self.profiles.get_mut(&backup_id);
        if let Some(batch) = profile.and_then(|profile| profile.in_batch.as_mut()) {
            batch.refused = true;
        }
    }

    fn take_group(
        &mut self,
        now: Instant,
        backup_id: u16,
        generation: u32,
        record: &GroupRecord,
    ) -> Result<(), Overflow> {
        let key = (record.eth_trunk, record.group);
        let Some(profile) = self.profiles.get_mut(&backup_id) else {
            return Ok(());
        };
        if let Some(batch) = &mut profile.in_batch
            && generation != 0
        {
            batch.mentioned.insert(key);
        }
        let own = (self.config.origin.0, self.config.boot_epoch);
        if profile.master {
            return self.merge_group(now, backup_id, record, own);
        }
        let held = Held::from_record(now, record);
        if held.is_of(own) && !profile.table.entries.contains_key(&key) {
            // This device made it and has ended it, which the master has not heard.
            self.bury(now, backup_id, key, held);
            return Ok(());
        }
        let takes = (profile.table).slave_takes(&key, &record.version, generation != 0, own);
        let takes_times = self.policy.takes_times;
        let same = |old: &Held| {
            old.version.origin != record.version.origin && takes_times(old.same_content(&held))
        };
        if !takes && !profile.table.entries.get(&key).is_some_and(same) {
            return Ok(());
        }
        self.put(backup_id, key, held)
    }

    fn put(&mut self, backup_id: u16, key: Key, held: Held) -> Result<(), Overflow> {
        let Some(profile) = self.profiles.get_mut(&backup_id) else {
            return Ok(());
        };
        let (stored, _) = profile.table.put(key, held);
        if !stored {
            return Err(Overflow);
        }
        self.events.push_back(RbsEvent::Upserted {
            backup_id,
            eth_trunk: key.0,
            group: key.1,
        });
        Ok(())
    }

    /// A master that has asked hears the peer's entry: after its own restart, or where the tables
    /// differ after a split. In the second case it answers with its last word, so that both end
    /// with the same; a restarted one gives a whole batch afterwards.
    fn merge_group(
        &mut self,
        now: Instant,
        backup_id: u16,
        record: &GroupRecord,
        own: ([u8; 6], u64),
    ) -> Result<(), Overflow> {
        let key = (record.eth_trunk, record.group);
        let Some(profile) = self.profiles.get_mut(&backup_id) else {
            return Ok(());
        };
        let answers = !profile.fresh;
        let held = Held::from_record(now, record);
        match profile.table.merge(&key, &record.version, own) {
            Merge::Take => {
                self.put(backup_id, key, held)?;
                if answers {
                    self.make_own(now, backup_id, key);
                }
            }
            Merge::Same => {}
            Merge::Keep => {
                if answers {
                    profile.changed.insert(key);
                    profile.flush_by(now);
                }
            }
            Merge::Deleted => self.bury(now, backup_id, key, held),
        }
        Ok(())
    }

    /// What a master takes over from a slave's word, or says again, becomes its own version.
    pub(crate) fn make_own(&mut self, now: Instant, backup_id: u16, key: Key) {
        let version = self.next_version();
        if let Some(profile) = self.profiles.get_mut(&backup_id)
            && let Some(held) = profile.table.entries.get(&key).cloned()
        {
            profile.table.put(key, held.versioned(version));
            profile.changed.insert(key);
            profile.flush_by(now);
        }
    }

    fn take_interface(&mut self, now: Instant, backup_id: u16, record: &InterfaceRecord) {
        let Some(profile) = self.profiles.get_mut(&backup_id) else {
            return;
        };
        let held = HeldInterface::from_record(now, record);
        let older = profile.table.interface.is_some_and(|old| {
            old.version.origin == held.version.origin && held.version < old.version
        });
        // A master's live interface knows better.
        let knows_better = profile.master && profile.table.interface.is_some();
        if !older && !knows_better {
            profile.table.interface = Some(held);
            self.events
                .push_back(RbsEvent::InterfaceChanged { backup_id });
        }
    }

    /// A deletion is honoured only from the entry's origin. That may be a slave: what it ended
    /// while it was master does not come back by a master that has not heard so.
    pub(crate) fn handle_delete(
        &mut self,
        now: Instant,
        backup_id: u16,
        id: u64,
        tombstones: &[Tombstone],
    ) {
        let Some(profile) = self.profiles.get_mut(&backup_id) else {
            return;
        };
        let honoured: Vec<_> = tombstones
            .iter()
            .filter(|t| profile.table.deletes(t))
            .collect();
        if profile.master && honoured.is_empty() {
            return self.nak(now, backup_id, id, NakCode::NotTheSlave);
        }
        for key in honoured.into_iter().map(|t| (t.eth_trunk, t.group)) {
            profile.table.remove(&key);
            profile.changed.remove(&key);
            self.events.push_back(deleted(backup_id, key));
        }
        profile.digest_due = !profile.master;
        self.applied(now, id);
    }

    /// Sweeps where this is the event that does. Neither a master nor a restarted device sweeps.
    fn sweep(&mut self, backup_id: u16, event: BatchEvent) {
        let own = (self.config.origin.0, self.config.boot_epoch);
        if let Some(profile) = self.profiles.get_mut(&backup_id)
            && (self.policy.sweeps_on)(event)
            && (self.policy.sweeps)(profile.master, profile.fresh)
        {
            let gone = swept(profile, own).into_iter();
            self.events.extend(gone.map(|key| deleted(backup_id, key)));
        }
    }

    /// The same for every profile.
    pub(crate) fn sweep_all(&mut self, event: BatchEvent) {
        let ids: Vec<u16> = self.profiles.keys().copied().collect();
        for backup_id in ids {
            self.sweep(backup_id, event);
        }
    }

    pub(crate) fn handle_sync_end(
        &mut self,
        now: Instant,
        (backup_id, id): (u16, u64),
        generation: u32,
        count: u32,
        digest: [u8; 32],
    ) {
        let Some(profile) = self.profiles.get_mut(&backup_id) else {
            return;
        };
        let (refused, received) = match &profile.in_batch {
            Some(batch) if batch.generation == generation => (batch.refused, batch.received),
            Some(_) | None => {
                profile.in_batch = None;
                return self.refuse(now, NotifyCode::UnexpectedMessage, id);
            }
        };
        if refused {
            profile.in_batch = None;
            return self.applied(now, id);
        }
        if !(profile.policy.complete)(received, count) {
            profile.in_batch = None;
            return self.nak(now, backup_id, id, NakCode::MalformedRecord);
        }
        self.sweep(backup_id, BatchEvent::Ends);
        let Some(profile) = self.profiles.get_mut(&backup_id) else {
            return;
        };
        profile.in_batch = None;
        profile.fresh = false;
        profile.asked_at = None;
        profile.peer_digest = Some(digest);
        profile.digest_due = true;
        if let Link::Up(connection) = &mut self.link {
            connection.applied(now, id);
        }
    }
}

/// Deletes what the batch did not mention. Entries that this device made in this boot stay: the
/// digests differ then, the master asks, and its last word on each follows.
fn swept(profile: &mut Profile, own: ([u8; 6], u64)) -> Vec<Key> {
    let Some(batch) = &profile.in_batch else {
        return Vec::new();
    };
    let spares = profile.policy.spares;
    let entries = profile.table.entries.iter();
    let gone: Vec<Key> = entries
        .filter(|(key, held)| !spares(batch.mentioned.contains(key), held.is_of(own)))
        .map(|(key, _)| *key)
        .collect();
    for key in &gone {
        profile.table.remove(key);
    }
    gone
}

const fn deleted(backup_id: u16, key: Key) -> RbsEvent {
    RbsEvent::Deleted {
        backup_id,
        eth_trunk: key.0,
        group: key.1,
    }
}
