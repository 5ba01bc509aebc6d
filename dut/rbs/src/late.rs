//! What the slave holds with remaining times that ran down on the way: TCP had to send it again, or
//! the path was slow. Acknowledgements tell, and the master says it once more (BACKUP-034).

use crate::Session;
use crate::connection::Sent;
use crate::entry::Key;
use crate::profile::Profile;
use dut_device::Instant;
use std::collections::BTreeSet;

/// Repeats in a row of what was acknowledged late: on a path that is always slow they correct
/// nothing.
const REPEATS_MAX: u8 = 8;

impl Session {
    /// A message was acknowledged. What was late is said again with what remains now; after so many
    /// repeats in vain it is owed until something is acknowledged in time.
    //= BACKUP-034
    pub(crate) fn repeat_late(&mut self, now: Instant, sent: Sent, late: bool) {
        let Some(profile) = self.profiles.get_mut(&sent.backup_id) else {
            return;
        };
        if !late {
            profile.repeats = 0;
            let owed = std::mem::take(&mut profile.owed);
            return self.say_again(now, sent.backup_id, owed.keys, owed.interface);
        }
        if !sent.tells_times() || !profile.may_upsert() {
            return;
        }
        // What one acknowledgement covers is repeated together.
        if profile.changed.is_empty() && !profile.interface_changed {
            if profile.repeats >= REPEATS_MAX {
                return owe(now, profile, sent);
            }
            profile.repeats += 1;
        }
        let keys = sent.keys.into_iter().collect();
        self.say_again(now, sent.backup_id, keys, sent.interface);
    }

    /// The path has become fast: all that was told on this connection is told again.
    pub(crate) fn repeat_all(&mut self) {
        let masters = self.profiles.values_mut().filter(|p| p.may_upsert());
        for profile in masters.filter(|profile| profile.policy.probe.is_some()) {
            profile.begin_batch();
        }
    }

    /// One record that is owed tries the path, when it is time.
    pub(crate) fn probe(&mut self, now: Instant) {
        let due = |profile: &Profile| {
            let due = profile.owed.probe_at.is_some_and(|at| now >= at);
            due && profile.may_upsert()
        };
        let mut profiles = self.profiles.iter().filter(|(_, profile)| due(profile));
        let Some(backup_id) = profiles.next().map(|(id, _)| *id) else {
            return;
        };
        let Some(profile) = self.profiles.get_mut(&backup_id) else {
            return;
        };
        profile.owed.probe_at = None;
        let entries = &profile.table.entries;
        profile.owed.keys.retain(|key| entries.contains_key(key));
        let one: BTreeSet<Key> = profile.owed.keys.first().copied().into_iter().collect();
        let interface = profile.owed.interface && one.is_empty();
        self.say_again(now, backup_id, one, interface);
    }

    fn say_again(&mut self, now: Instant, backup_id: u16, keys: BTreeSet<Key>, interface: bool) {
        let Some(profile) = self.profiles.get_mut(&backup_id) else {
            return;
        };
        if keys.is_empty() && !interface {
            return;
        }
        profile.interface_changed |= interface && profile.table.interface.is_some();
        profile.flush_by(now);
        for key in keys {
            self.make_own(now, backup_id, key);
        }
    }
}

fn owe(now: Instant, profile: &mut Profile, sent: Sent) {
    profile.owed.keys.extend(sent.keys);
    profile.owed.interface |= sent.interface;
    if let Some(distance) = profile.policy.probe {
        profile.owed.probe_at.get_or_insert(now + distance);
    }
}
