//! Opening: OPEN, OPEN_ACK, and when a session is connected.

use crate::Session;
use crate::session::Link;
use dut_device::Instant;
use dut_wire::rbs::{Body, MAJOR, MINOR, NotifyCode, Open, OpenProfile, Role, Service};
use std::time::Duration;

impl Session {
    fn open_body(&self) -> Open {
        let (keepalive, hold) = self.intervals();
        let profiles = self
            .profiles
            .iter()
            .map(|(backup_id, profile)| OpenProfile {
                backup_id: *backup_id,
                service: service(profile.config.mld),
                role: profile.role(),
                e_trunk_id: profile.config.e_trunk,
                eth_trunk: profile.config.eth_trunk,
                configuration_digest: profile.config.config_digest,
            });
        Open {
            minimum: (MAJOR, MINOR),
            maximum: (MAJOR, MINOR),
            keepalive,
            hold,
            digest: true,
            timers: true,
            profiles: profiles.collect(),
        }
    }

    /// Sends OPEN or OPEN_ACK; both tell the roles.
    pub(crate) fn send_open(&mut self, now: Instant, ack: bool) {
        let open = self.open_body();
        if let Link::Up(connection) = &mut self.link {
            let body = if ack {
                Body::OpenAck(open)
            } else {
                Body::Open(open)
            };
            connection.send(now, 0, body);
            for profile in self.profiles.values_mut() {
                profile.announced = Some(profile.role());
            }
        }
    }

    /// OPEN or OPEN_ACK has come.
    pub(crate) fn handle_open(&mut self, now: Instant, id: u64, open: &Open, ack: bool) {
        let Link::Up(connection) = &mut self.link else {
            return;
        };
        let seen = if ack {
            std::mem::replace(&mut connection.got_ack, true)
        } else {
            std::mem::replace(&mut connection.got_open, true)
        };
        if seen {
            return self.refuse(now, NotifyCode::UnexpectedMessage, id);
        }
        if let Err(code) = self.judge_open(open) {
            return self.refuse(now, code, id);
        }
        self.take_intervals(open);
        for theirs in &open.profiles {
            if let Some(profile) = self.profiles.get_mut(&theirs.backup_id) {
                profile.peer_role = Some(theirs.role);
            }
        }
        if !ack {
            self.note_differences(open);
            self.send_open(now, true);
        }
        self.connect_when_both(now);
    }

    /// The versions overlap, and no profile has to be refused.
    fn judge_open(&self, open: &Open) -> Result<(), NotifyCode> {
        let ours = (MAJOR, MINOR);
        if !(self.policy.version)(ours, open.minimum, open.maximum) {
            return Err(NotifyCode::Version);
        }
        for theirs in &open.profiles {
            let ours = self.profiles.get(&theirs.backup_id);
            let same = ours.map(|ours| theirs.service == service(ours.config.mld));
            if let Some(code) = (self.policy.open_profile)(same) {
                return Err(code);
            }
        }
        Ok(())
    }

    fn take_intervals(&mut self, open: &Open) {
        let (keepalive, hold) = self.intervals();
        let hold = (self.policy.hold)(hold, open.hold);
        let keepalive = (self.policy.keepalive)(keepalive, hold);
        if let Link::Up(connection) = &mut self.link {
            let tenths = Duration::from_millis(100);
            connection.hold = tenths * u32::from(hold);
            connection.keepalive = tenths * u32::from(keepalive);
        }
    }

    fn note_differences(&mut self, open: &Open) {
        let differs = open.profiles.iter().any(|theirs| {
            let ours = self.profiles.get(&theirs.backup_id);
            ours.is_some_and(|ours| {
                let ours = &ours.config.config_digest;
                (self.policy.differs)(ours, &theirs.configuration_digest)
            })
        });
        if differs {
            self.count("configuration_mismatch");
        }
    }

    fn connect_when_both(&mut self, now: Instant) {
        let Link::Up(connection) = &mut self.link else {
            return;
        };
        let both = (self.policy.connected)(connection.got_open, connection.got_ack);
        if !both || connection.connected {
            return;
        }
        connection.connected = true;
        connection.opened(now);
        for profile in self.profiles.values_mut() {
            // A batch will tell what changed before.
            profile.changed.clear();
            profile.interface_changed = false;
            profile.deletions.clear();
            profile.flush_at = None;
            profile.digest_sent_at = now;
            profile.request_due = true;
            leave_freshness_together(profile);
        }
        self.connected(now);
    }

    /// The peer has told a profile's role.
    pub(crate) fn peer_role_told(&mut self, now: Instant, backup_id: u16, role: Role) {
        if let Some(profile) = self.profiles.get_mut(&backup_id)
            && profile.peer_role != Some(role)
        {
            profile.peer_role = Some(role);
            profile.peer_digest = None;
            profile.request_due = true;
            if profile.suspended == Some(dut_wire::rbs::NakCode::NotTheSlave) {
                profile.suspended = None;
            }
            if !profile.changed.is_empty() || !profile.deletions.is_empty() {
                profile.flush_by(now);
            }
            leave_freshness_together(profile);
        }
    }
}

/// Two devices that both have nothing to give do not wait for each other.
//= RBS-024
fn leave_freshness_together(profile: &mut crate::profile::Profile) {
    if profile.peer_role == Some(Role::Init) {
        profile.fresh = false;
    }
}

const fn service(mld: bool) -> Service {
    if mld { Service::Mld } else { Service::None }
}
