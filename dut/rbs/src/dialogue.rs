//! The dialogue: which message may come when, and the session's own messages.

use crate::Session;
use crate::policy::OnNak;
use crate::profile::Profile;
use crate::session::Link;
use dut_device::Instant;
use dut_wire::rbs::{Body, Frame, FrameError, NakCode, NotifyCode, Role, Service};

/// The reason that `display remote-backup-service` prints.
const fn down_reason(code: NotifyCode) -> &'static str {
    match code {
        NotifyCode::Malformed => "TCP closed for packet error.",
        NotifyCode::Version => "TCP closed for version mismatch.",
        NotifyCode::UnknownBackupId => "TCP closed for unknown backup-id.",
        NotifyCode::ServiceMismatch => "TCP closed for service mismatch.",
        NotifyCode::Reserved => "TCP closed for an unknown reason.",
        NotifyCode::HoldTimeExpired => "TCP closed for hold time expired.",
        NotifyCode::SecondSession => "TCP closed for second session.",
        NotifyCode::UnexpectedMessage => "TCP closed for unexpected message.",
        NotifyCode::Administrative => "TCP closed administratively.",
    }
}

impl Session {
    /// Sends NOTIFY and closes.
    pub(crate) fn refuse(&mut self, now: Instant, code: NotifyCode, refused: u64) {
        self.count(code.name());
        if let Link::Up(connection) = &mut self.link {
            connection.send(now, 0, Body::Notify { code, refused });
            self.close(now, down_reason(code));
        }
    }

    pub(crate) fn hold_expired(&mut self, now: Instant) {
        self.refuse(now, NotifyCode::HoldTimeExpired, 0);
    }

    /// A frame, or what is no frame, has come.
    //= RBS-021
    pub(crate) fn handle_frame(&mut self, now: Instant, frame: Result<Frame, FrameError>) {
        let (epoch, id) = match &frame {
            Ok(frame) => (frame.session_epoch, frame.message_id),
            Err(FrameError::Record {
                session_epoch,
                message_id,
                ..
            }) => (*session_epoch, *message_id),
            Err(FrameError::Malformed(_)) => return self.refuse(now, NotifyCode::Malformed, 0),
            Err(FrameError::Version(_)) => return self.refuse(now, NotifyCode::Version, 0),
        };
        let Link::Up(connection) = &mut self.link else {
            return;
        };
        let expected = connection.received_id.saturating_add(1);
        let known = *connection.peer_epoch.get_or_insert(epoch);
        if !(self.policy.in_order)((id, expected), (epoch, known)) {
            return self.refuse(now, NotifyCode::UnexpectedMessage, id);
        }
        connection.received_id = id;
        connection.last_received = now;
        let connected = connection.connected;
        match frame {
            Ok(frame) if connected => self.handle_connected_frame(now, frame),
            Ok(frame) => self.handle_opening_frame(now, &frame),
            Err(_) if !connected => self.refuse(now, NotifyCode::UnexpectedMessage, id),
            Err(error) => self.handle_bad_record(now, &error),
        }
    }

    /// Before the session is connected only OPEN, OPEN_ACK and what ends it may come.
    fn handle_opening_frame(&mut self, now: Instant, frame: &Frame) {
        let id = frame.message_id;
        match &frame.body {
            Body::Open(open) => self.handle_open(now, id, open, false),
            Body::OpenAck(open) => self.handle_open(now, id, open, true),
            Body::Notify { code, .. } => self.handle_notify(now, *code),
            Body::Goodbye { .. } => self.handle_goodbye(now),
            Body::Keepalive
            | Body::SyncReq { .. }
            | Body::SyncBegin { .. }
            | Body::Upsert { .. }
            | Body::Delete { .. }
            | Body::SyncEnd { .. }
            | Body::Ack { .. }
            | Body::Nak { .. }
            | Body::Digest { .. }
            | Body::Role { .. } => {
                if !(self.policy.early)(&frame.body) {
                    self.refuse(now, NotifyCode::UnexpectedMessage, id);
                }
            }
        }
    }

    fn handle_connected_frame(&mut self, now: Instant, frame: Frame) {
        let id = frame.message_id;
        match frame.body {
            Body::Open(_) | Body::OpenAck(_) => {
                self.refuse(now, NotifyCode::UnexpectedMessage, id);
            }
            Body::Notify { code, .. } => self.handle_notify(now, code),
            Body::Goodbye { .. } => self.handle_goodbye(now),
            Body::Keepalive => {}
            Body::Ack { message_id } => self.handle_ack(now, id, message_id),
            Body::Nak { refused, code } => {
                self.handle_nak(now, id, frame.backup_id, refused, code);
            }
            Body::SyncReq { .. }
            | Body::SyncBegin { .. }
            | Body::Upsert { .. }
            | Body::Delete { .. }
            | Body::SyncEnd { .. }
            | Body::Digest { .. }
            | Body::Role { .. } => self.handle_profile_frame(now, frame),
        }
    }

    fn handle_notify(&mut self, now: Instant, code: NotifyCode) {
        self.count("notified");
        self.close(now, down_reason(code));
    }

    fn handle_goodbye(&mut self, now: Instant) {
        self.close(now, "TCP closed by goodbye of the peer.");
    }

    /// An acknowledgement of what was never sent has no place in the dialogue.
    fn handle_ack(&mut self, now: Instant, id: u64, acknowledged: u64) {
        let Link::Up(connection) = &mut self.link else {
            return;
        };
        if acknowledged > connection.sent_id() {
            return self.refuse(now, NotifyCode::UnexpectedMessage, id);
        }
        let (done, faster) = connection.acknowledged(now, acknowledged, self.policy.late);
        for (sent, late) in done {
            self.repeat_late(now, sent, late);
        }
        if faster {
            self.repeat_all();
        }
    }

    fn handle_nak(&mut self, now: Instant, id: u64, backup_id: u16, refused: u64, code: NakCode) {
        let Link::Up(connection) = &mut self.link else {
            return;
        };
        if refused > connection.sent_id() {
            return self.refuse(now, NotifyCode::UnexpectedMessage, id);
        }
        connection.unacknowledged.retain(|sent| sent.id != refused);
        self.count("nak_received");
        let Some(profile) = self.profiles.get_mut(&backup_id) else {
            return;
        };
        let effect = (profile.policy.on_nak)(code, profile.master);
        if effect != OnNak::Ignore {
            profile.out_batch = None;
        }
        match effect {
            OnNak::Resync => profile.call_for_resync(now),
            OnNak::Suspend => profile.suspended = Some(code),
            OnNak::Ask => profile.request_due = true,
            OnNak::Ignore => {}
        }
    }

    pub(crate) fn nak(&mut self, now: Instant, backup_id: u16, refused: u64, code: NakCode) {
        self.count(code.name());
        if let Link::Up(connection) = &mut self.link {
            connection.send(now, backup_id, Body::Nak { refused, code });
        }
    }

    /// A well delimited message with an illegal record is refused alone, but not for ever.
    //= RBS-020
    fn handle_bad_record(&mut self, now: Instant, error: &FrameError) {
        let FrameError::Record {
            message_id,
            backup_id,
            ..
        } = error
        else {
            return;
        };
        self.refuse_batch(*backup_id);
        let in_a_row = self.profiles.get_mut(backup_id).map_or(0, |profile| {
            profile.refusals_in_a_row += 1;
            profile.refusals_in_a_row
        });
        if in_a_row >= self.policy.refusals_max {
            return self.refuse(now, NotifyCode::Malformed, *message_id);
        }
        let code = match self.profiles.contains_key(backup_id) {
            true => NakCode::MalformedRecord,
            false => NakCode::UnknownBackupId,
        };
        self.nak(now, *backup_id, *message_id, code);
    }

    fn handle_profile_frame(&mut self, now: Instant, frame: Frame) {
        let (backup_id, id) = (frame.backup_id, frame.message_id);
        if !self.profiles.contains_key(&backup_id) {
            return self.nak(now, backup_id, id, NakCode::UnknownBackupId);
        }
        if frame.service != Service::Mld {
            return self.refuse(now, NotifyCode::ServiceMismatch, id);
        }
        match frame.body {
            Body::SyncReq { .. } => self.handle_sync_req(backup_id),
            Body::SyncBegin { generation, .. } => {
                self.handle_sync_begin(now, backup_id, id, generation);
            }
            Body::Upsert {
                generation,
                records,
            } => self.handle_upsert(now, backup_id, id, generation, records),
            Body::Delete { tombstones } => self.handle_delete(now, backup_id, id, &tombstones),
            Body::SyncEnd {
                generation,
                count,
                digest,
            } => self.handle_sync_end(now, (backup_id, id), generation, count, digest),
            Body::Digest {
                answer_wanted,
                digest,
                ..
            } => self.handle_digest(now, backup_id, answer_wanted, digest),
            Body::Role { role } => {
                self.peer_role_told(now, backup_id, role);
                self.applied(now, id);
            }
            Body::Open(_)
            | Body::OpenAck(_)
            | Body::Notify { .. }
            | Body::Keepalive
            | Body::Ack { .. }
            | Body::Nak { .. }
            | Body::Goodbye { .. } => {}
        }
    }

    pub(crate) fn applied(&mut self, now: Instant, id: u64) {
        if let Link::Up(connection) = &mut self.link {
            connection.applied(now, id);
        }
    }

    /// Whoever holds a table answers; a restarted device first fetches the peer's.
    fn handle_sync_req(&mut self, backup_id: u16) {
        if let Some(profile) = self.profiles.get_mut(&backup_id) {
            if profile.fresh {
                profile.answer_owed = true;
            } else if profile.suspended.is_none() {
                profile.begin_batch();
            }
        }
    }

    /// The peer's digest. A master whose table differs, while nothing is under way, starts anew.
    fn handle_digest(
        &mut self,
        now: Instant,
        backup_id: u16,
        answer_wanted: bool,
        digest: [u8; 32],
    ) {
        let Link::Up(connection) = &mut self.link else {
            return;
        };
        let Some(profile) = self.profiles.get_mut(&backup_id) else {
            return;
        };
        profile.peer_digest = Some(digest);
        let own = profile.table.remembered_digest();
        if (profile.policy.answers)(answer_wanted) {
            let body = digest_body(profile, own, false);
            connection.send(now, backup_id, body);
        }
        if own == digest {
            profile.in_step();
        } else if profile.role() == Role::Master
            && profile.peer_role == Some(Role::Slave)
            && profile.suspended.is_none()
            && (profile.policy.resyncs)(profile.is_quiet() && connection.unacknowledged.is_empty())
        {
            profile.ask_too = true;
            profile.call_for_resync(now);
        }
    }
}

pub(crate) fn digest_body(profile: &Profile, digest: [u8; 32], answer_wanted: bool) -> Body {
    Body::Digest {
        count: profile.table.count(),
        answer_wanted,
        digest,
    }
}
