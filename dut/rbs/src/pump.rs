//! After every input: what follows from it is sent, and what has changed is reported.

use crate::Session;
use crate::batch;
use crate::config::Command;
use crate::connection::Connection;
use crate::dialogue::digest_body;
use crate::event::RbsEvent;
use crate::profile::Profile;
use crate::session::Link;
use dut_device::Instant;
use dut_wire::rbs::{Body, Role};
use std::time::Duration;

/// Distance of a slave's digests when nothing else calls for one.
const DIGEST_PERIOD: Duration = Duration::from_secs(10);

impl Session {
    /// Sends what is due and reports what has changed.
    pub(crate) fn settle(&mut self, now: Instant) {
        self.probe(now);
        if let Link::Up(connection) = &mut self.link
            && connection.connected
        {
            for (backup_id, profile) in &mut self.profiles {
                if profile.peer_role.is_some() {
                    advance(now, *backup_id, profile, connection);
                }
            }
            acknowledge(now, connection, &mut self.profiles);
            if now >= connection.keepalive_at() {
                connection.send(now, 0, Body::Keepalive);
            }
        }
        self.drain_connection();
        self.report_synchronized();
    }

    /// Hands the connection's frames to the TCP stack.
    pub(crate) fn drain_connection(&mut self) {
        if let Link::Up(connection) = &mut self.link {
            let frames = connection.outgoing.drain(..).map(Command::Send);
            self.commands.extend(frames);
        }
    }

    fn report_synchronized(&mut self) {
        let ids: Vec<u16> = self.profiles.keys().copied().collect();
        for backup_id in ids {
            let settled = self
                .profiles
                .get(&backup_id)
                .is_some_and(|p| self.is_settled(p));
            if let Some(profile) = self.profiles.get_mut(&backup_id) {
                let equal = profile.peer_digest.is_some()
                    && profile.peer_digest == Some(profile.table.remembered_digest());
                let synchronized = (profile.policy.synchronized)(settled, equal);
                if profile.synchronized != synchronized {
                    profile.synchronized = synchronized;
                    self.events.push_back(RbsEvent::Synchronized {
                        backup_id,
                        synchronized,
                    });
                }
            }
        }
    }

    pub(crate) fn connection_timeout(&self, connection: &Connection) -> Option<Instant> {
        if !connection.connected {
            return Some(connection.hold_at());
        }
        let room = connection.has_room();
        let profiles = self.profiles.values().filter(|p| p.peer_role.is_some());
        let profiles = profiles.filter_map(|p| profile_timeout(p, connection, room));
        [connection.hold_at(), connection.keepalive_at()]
            .into_iter()
            .chain(connection.ack_due)
            .chain(profiles)
            .min()
    }
}

fn profile_timeout(profile: &Profile, connection: &Connection, room: bool) -> Option<Instant> {
    let sends = profile.may_upsert() || (profile.may_delete() && !profile.deletions.is_empty());
    let flush = profile.flush_at.filter(|_| room && sends);
    let probe = profile.owed.probe_at.filter(|_| profile.may_upsert());
    let digest = (!profile.master).then(|| profile.digest_sent_at + DIGEST_PERIOD);
    // Only a restarted device gives up waiting; a master that asked may wait for ever.
    let waits = (profile.policy.waits)(connection.hold);
    let asked = profile.asked_at.filter(|_| profile.fresh);
    let waited = asked.map(|at| at + waits);
    [flush, probe, profile.resync_at, digest, waited]
        .into_iter()
        .flatten()
        .min()
}

fn advance(now: Instant, backup_id: u16, profile: &mut Profile, to: &mut Connection) {
    stop_waiting(now, profile, to);
    announce_role(now, backup_id, profile, to);
    request(now, backup_id, profile, to);
    resynchronize(now, backup_id, profile, to);
    if profile.answer_owed && !profile.fresh {
        profile.begin_batch();
    }
    batch::flush(now, backup_id, profile, to);
    batch::pump(now, backup_id, profile, to);
}

/// Whoever has asked waits for the peer's batch no longer than the hold time.
fn stop_waiting(now: Instant, profile: &mut Profile, connection: &Connection) {
    let waits = (profile.policy.waits)(connection.hold);
    if profile.asked_at.is_some_and(|at| now >= at + waits) {
        profile.fresh = false;
        profile.asked_at = None;
    }
}

fn announce_role(now: Instant, backup_id: u16, profile: &mut Profile, to: &mut Connection) {
    let role = profile.role();
    if (profile.policy.announces)(profile.announced, role) {
        profile.announced = Some(role);
        to.send(now, backup_id, Body::Role { role });
    }
}

fn request(now: Instant, backup_id: u16, profile: &mut Profile, to: &mut Connection) {
    let wanted = (profile.policy.asks)(profile.fresh, profile.master, profile.peer_role);
    if !profile.request_due || !wanted {
        return;
    }
    profile.request_due = false;
    let number = profile.next_request();
    to.send(now, backup_id, Body::SyncReq { number });
    if profile.fresh {
        profile.asked_at = Some(now);
    }
}

/// A batch that a difference or a NAK calls for. Where the tables differ the master also asks
/// what the slave has: it may hold what it made while it was master itself.
fn resynchronize(now: Instant, backup_id: u16, profile: &mut Profile, to: &mut Connection) {
    if profile.resync_at.is_none_or(|at| now < at) {
        return;
    }
    profile.resync_at = None;
    if profile.role() != Role::Master || profile.suspended.is_some() {
        return;
    }
    if std::mem::take(&mut profile.ask_too) {
        let number = profile.next_request();
        to.send(now, backup_id, Body::SyncReq { number });
        profile.asked_at = Some(now);
    }
    profile.begin_batch();
}

/// ACK, and after it the digests of what was applied; a slave's digest also from time to time.
fn acknowledge(
    now: Instant,
    connection: &mut Connection,
    profiles: &mut std::collections::BTreeMap<u16, Profile>,
) {
    let acknowledges = connection.ack_due.is_some_and(|at| now >= at);
    if acknowledges {
        connection.ack_due = None;
        let message_id = connection.applied_id;
        connection.send(now, 0, Body::Ack { message_id });
    }
    for (backup_id, profile) in profiles {
        if profile.peer_role.is_none() {
            continue;
        }
        let idle = !profile.master && now >= profile.digest_sent_at + DIGEST_PERIOD;
        if (acknowledges && profile.digest_due) || idle {
            profile.digest_due = false;
            profile.digest_sent_at = now;
            let own = profile.table.remembered_digest();
            connection.send(now, *backup_id, digest_body(profile, own, true));
        }
    }
}
