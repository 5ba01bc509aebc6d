//! What a session decides by: who connects, what may come when, what is applied, what a batch
//! sweeps, when something is sent (FORMATS.md section 2).

use dut_wire::rbs::{Body, NakCode, NotifyCode, Role, Version};
use std::net::Ipv6Addr;
use std::time::Duration;

/// A version of the format: major, minor.
pub type FormatVersion = (u8, u8);

/// What happens to a batch that is being received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchEvent {
    /// SYNC_BEGIN: nothing has been mentioned yet.
    Begins,
    /// The connection ends before SYNC_END.
    BreaksOff,
    /// SYNC_END.
    Ends,
}

/// What a NAK makes its receiver do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnNak {
    /// Send a new batch.
    Resync,
    /// Hold the profile back.
    Suspend,
    /// Ask the peer.
    Ask,
    /// Nothing.
    Ignore,
}

/// The decisions; [`Policy::STANDARD`] are the reference's.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// Whether this device connects, by its source address and the peer's.
    pub connects: fn(Ipv6Addr, Ipv6Addr) -> bool,
    /// Whether OPEN is sent when TCP is up, by whether this device has connected.
    pub opens: fn(bool) -> bool,
    /// Whether a session is connected, by whether OPEN and OPEN_ACK have come.
    pub connected: fn(bool, bool) -> bool,
    /// Whether a message that has no place before that is let pass.
    pub early: fn(&Body) -> bool,
    /// Whether a range of versions, minimum and maximum, has ours in it.
    pub version: fn(FormatVersion, FormatVersion, FormatVersion) -> bool,
    /// Why a profile in OPEN is refused, by whether its service is ours; `None` is not configured.
    pub open_profile: fn(Option<bool>) -> Option<NotifyCode>,
    /// Hold time, by ours and the peer's, in units of 100 ms.
    pub hold: fn(u16, u16) -> u16,
    /// Keepalive interval, by the configured one and the hold time in use.
    pub keepalive: fn(u16, u16) -> u16,
    /// Whether a frame is the next one: (Message_ID, expected), (Session_Epoch, known).
    pub in_order: fn((u64, u64), (u64, u64)) -> bool,
    /// First delay before another attempt to connect.
    pub back_off_first: Duration,
    /// The delay after this one.
    pub back_off_next: fn(Duration) -> Duration,
    /// The delay after a connection that was connected, by the one that had grown until then.
    pub back_off_anew: fn(Duration) -> Duration,
    /// Whether a device of this boot epoch has restarted.
    pub restarted: fn(u64) -> bool,
    /// How long a restarted device waits for a batch, by the hold time.
    pub waits: fn(Duration) -> Duration,
    /// Whether the peer is asked for its table: restarted, master, the peer's role.
    pub asks: fn(bool, bool, Option<Role>) -> bool,
    /// Whether a change of role is told: told last, now.
    pub announces: fn(Option<Role>, Role) -> bool,
    /// Whether changes are told in real time: master, the peer's role.
    pub may_upsert: fn(bool, Option<Role>) -> bool,
    /// Whether changes that haven't been told are dropped when the role becomes master (or slave).
    pub drops_changes: fn(bool) -> bool,
    /// Whether deletions are told.
    pub may_delete: fn(bool, Option<Role>) -> bool,
    /// Whether a deletion of a foreign entry is preceded by the entry as the device's own version.
    pub adopts_first: fn(bool) -> bool,
    /// How long a change may wait for others: urgent, content changed.
    pub coalesces: fn(bool, bool) -> Duration,
    /// SYNC_END of a batch by generation, count and digest.
    pub sync_end: fn(u32, u32, [u8; 32]) -> Option<Body>,
    /// Whether a real-time record is taken by a master (or slave).
    pub takes_real_time: fn(bool) -> bool,
    /// Whether a batch is taken: master, has asked.
    pub takes_batch: fn(bool, bool) -> bool,
    /// Whether a version is newer than the one held.
    pub newer: fn(&Version, &Version) -> bool,
    /// Whether a slave takes a batch's record over its own greater version, by whether the two have
    /// the same content: the digests would agree and nobody ask, so the master's times count.
    pub takes_times: fn(bool) -> bool,
    /// Whether a tombstone of this version deletes what is held under the other.
    pub deletes: fn(&Version, &Version) -> bool,
    /// What of a batch sweeps.
    pub sweeps_on: fn(BatchEvent) -> bool,
    /// Whether a device sweeps: master, restarted.
    pub sweeps: fn(bool, bool) -> bool,
    /// Whether a sweep spares an entry: mentioned, made here in this boot.
    pub spares: fn(bool, bool) -> bool,
    /// Whether a SYNC_END is good, by the records that came and the count that it says.
    pub complete: fn(u32, u32) -> bool,
    /// What follows from a NAK, by its code and whether this device is master.
    pub on_nak: fn(NakCode, bool) -> OnNak,
    /// NAKs of malformed records in a row after which the session closes.
    pub refusals_max: u32,
    /// How long an acknowledgement may wait for others.
    pub ack_delay: Duration,
    /// Whether an acknowledgement came late, by the time since the message was sent and the
    /// shortest such time of the connection.
    pub late: fn(Duration, Duration) -> bool,
    /// How far apart a master whose repeats were all late tries the path with one record; `None`
    /// is never.
    pub probe: Option<Duration>,
    /// How a source counts in the digest, by whether it is requested.
    pub digest_source: fn(bool) -> bool,
    /// Whether a DIGEST is answered, by whether it wants that.
    pub answers: fn(bool) -> bool,
    /// Whether a master whose slave's digest differs synchronises anew, by whether all is quiet.
    pub resyncs: fn(bool) -> bool,
    /// Whether configurations differ, by ours and theirs.
    pub differs: fn(&[u8; 32], &[u8; 32]) -> bool,
    /// Whether both hold the same for sure: nothing is under way, the digests are equal.
    pub synchronized: fn(bool, bool) -> bool,
    /// Whether entries run down by themselves: connected, master.
    pub ages: fn(bool, bool) -> bool,
    /// After which time without the channel a slave gives all its entries up.
    pub stale_after: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self::STANDARD
    }
}

impl Policy {
    /// The reference's decisions.
    pub const STANDARD: Self = Self {
        //= RBS-001
        connects: |ours, theirs| ours < theirs,
        opens: |_| true,
        //= RBS-004
        connected: |open, ack| open && ack,
        //= RBS-005
        early: |_| false,
        //= RBS-006
        version: |ours, minimum, maximum| minimum <= ours && ours <= maximum,
        open_profile,
        //= RBS-009
        hold: |ours, theirs| if ours < theirs { ours } else { theirs },
        keepalive,
        //= RBS-010
        in_order: |(id, expected), (epoch, known)| id == expected && epoch == known,
        back_off_first: Duration::from_secs(1),
        back_off_next,
        //= RBS-023
        back_off_anew: |_| Duration::from_secs(1),
        restarted: |epoch| epoch > 1,
        //= RBS-024
        waits: |hold| hold,
        asks,
        //= RBS-030
        announces: |told, role| told != Some(role),
        may_upsert,
        //= RBS-037
        drops_changes: |master| !master,
        may_delete,
        adopts_first: |foreign| foreign,
        coalesces,
        sync_end: |generation, count, digest| {
            Some(Body::SyncEnd {
                generation,
                count,
                digest,
            })
        },
        takes_real_time: |master| !master,
        takes_batch: |master, asked| !master || asked,
        newer: |version, held| version > held,
        //= BACKUP-034
        takes_times: |same_content| same_content,
        deletes,
        //= RBS-013
        //= RBS-014
        sweeps_on: |event| matches!(event, BatchEvent::Ends),
        sweeps: |master, restarted| !master && !restarted,
        spares: |mentioned, own| mentioned || own,
        complete: |received, said| received == said,
        on_nak,
        refusals_max: 3,
        //= RBS-018
        ack_delay: Duration::from_millis(10),
        // The sync bound, beside twice what the path takes.
        late: |took, shortest| took > shortest * 2 + Duration::from_millis(50),
        //= BACKUP-034
        probe: Some(Duration::from_secs(1)),
        digest_source: |requested| requested,
        //= RBS-028
        answers: |wanted| wanted,
        //= RBS-029
        resyncs: |quiet| quiet,
        //= RBS-031
        differs: |ours, theirs| ours != theirs,
        synchronized: |settled, equal| settled && equal,
        ages: |connected, master| !connected && !master,
        // One group membership interval of the default intervals; most end earlier.
        stale_after: Duration::from_secs(260),
    };
}

/// Every Backup_ID is configured here, with the same service.
//= RBS-007
#[must_use]
pub const fn open_profile(same_service: Option<bool>) -> Option<NotifyCode> {
    match same_service {
        None => Some(NotifyCode::UnknownBackupId),
        Some(false) => Some(NotifyCode::ServiceMismatch),
        Some(true) => None,
    }
}

/// Keepalives come thrice in the hold time at least.
//= RBS-008
#[must_use]
pub fn keepalive(configured: u16, hold: u16) -> u16 {
    configured.min((hold / 3).max(1))
}

/// Doubles up to 30 s.
//= RBS-022
#[must_use]
pub fn back_off_next(delay: Duration) -> Duration {
    (delay * 2).min(Duration::from_secs(30))
}

/// A slave asks its master; a restarted device asks whoever has something to give.
//= RBS-011
#[must_use]
pub const fn asks(restarted: bool, master: bool, peer: Option<Role>) -> bool {
    match (restarted, master, peer) {
        (true, _, Some(Role::Slave | Role::Master)) | (false, false, Some(Role::Master)) => true,
        (true, _, Some(Role::Init) | None)
        | (false, false, Some(Role::Init | Role::Slave) | None)
        | (false, true, _) => false,
    }
}

/// By a master, to whoever isn't one too.
#[must_use]
pub const fn may_upsert(master: bool, peer: Option<Role>) -> bool {
    master && matches!(peer, Some(Role::Init | Role::Slave))
}

/// By a master as changes may, and by a slave to its master (of entries that it made and ended
/// itself).
#[must_use]
pub const fn may_delete(master: bool, peer: Option<Role>) -> bool {
    may_upsert(master, peer) || (!master && matches!(peer, Some(Role::Master)))
}

/// A pure timer refresh may wait for others.
//= BACKUP-034
#[must_use]
pub const fn coalesces(urgent: bool, changed: bool) -> Duration {
    if urgent || changed {
        Duration::ZERO
    } else {
        Duration::from_millis(20)
    }
}

/// Only from the entry's origin, only a newer one.
//= RBS-017
//= BACKUP-019
#[must_use]
pub fn deletes(tombstone: &Version, held: &Version) -> bool {
    held.origin == tombstone.origin && tombstone > held
}

/// A batch, unless it would be refused again.
//= RBS-019
#[must_use]
pub const fn on_nak(code: NakCode, master: bool) -> OnNak {
    match (code, master) {
        (NakCode::MalformedRecord | NakCode::Overflow, _) => OnNak::Resync,
        (NakCode::UnknownBackupId, _) | (NakCode::NotTheSlave, true) => OnNak::Suspend,
        // Sent as the master that this device no longer is.
        (NakCode::NotTheSlave, false) => OnNak::Ask,
    }
}
