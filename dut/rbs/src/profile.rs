//! One profile: its table, roles, pending changes and batches.

use crate::ProfileConfig;
use crate::entry::Key;
use crate::policy::Policy;
use crate::table::Table;
use dut_device::Instant;
use dut_wire::rbs::{GroupRecord, NakCode, Role, Tombstone};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// First distance between two batches that a difference caused; doubles up to the last.
const RESYNC_FIRST: Duration = Duration::from_secs(1);
const RESYNC_LAST: Duration = Duration::from_secs(30);
/// Deletions that may wait; beyond them a batch tells what is left.
pub(crate) const DELETIONS_MAX: usize = 65536;

/// A deletion that waits to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Deletion {
    pub(crate) tombstone: Tombstone,
    /// An entry of another origin is first made the sender's own: only an origin may delete.
    pub(crate) adoption: Option<GroupRecord>,
}

/// A batch being sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OutBatch {
    pub(crate) generation: u32,
    pub(crate) begun: bool,
    pub(crate) interface: bool,
    pub(crate) keys: VecDeque<Key>,
    pub(crate) sent: u32,
}

/// A batch being received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InBatch {
    pub(crate) generation: u32,
    pub(crate) received: u32,
    pub(crate) mentioned: BTreeSet<Key>,
    /// It came where none was asked for: its records are not used.
    pub(crate) refused: bool,
}

/// What the peer holds with times that ran down on a slow path, and isn't repeated before the path
/// is known to be fast again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Owed {
    pub(crate) keys: BTreeSet<Key>,
    pub(crate) interface: bool,
    /// When one record tries the path.
    pub(crate) probe_at: Option<Instant>,
}

/// A profile.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    pub(crate) config: ProfileConfig,
    pub(crate) policy: Policy,
    pub(crate) table: Table,
    /// Whether the tracked member is Master; not until the node has said so.
    pub(crate) master: bool,
    /// Restarted, and neither has a batch been received nor has waiting for one timed out.
    pub(crate) fresh: bool,
    /// Role told last on this connection.
    pub(crate) announced: Option<Role>,
    /// The peer's role; `None` while it has not named the profile on this connection.
    pub(crate) peer_role: Option<Role>,
    /// A NAK holds the profile back: code 2 for this connection, code 3 until a role changes.
    pub(crate) suspended: Option<NakCode>,
    /// Entries whose last version has not been sent.
    pub(crate) changed: BTreeSet<Key>,
    pub(crate) interface_changed: bool,
    pub(crate) deletions: BTreeMap<Key, Deletion>,
    /// When the changes are to be sent.
    pub(crate) flush_at: Option<Instant>,
    pub(crate) out_batch: Option<OutBatch>,
    pub(crate) in_batch: Option<InBatch>,
    generation: u32,
    /// SYNC_REQ is to be sent as soon as the roles call for it.
    pub(crate) request_due: bool,
    request_number: u32,
    /// When a restarted device, or a master whose slave differs, asked for the peer's table; not
    /// for longer than the hold time.
    pub(crate) asked_at: Option<Instant>,
    /// The peer's SYNC_REQ that a restarted device does not answer yet.
    pub(crate) answer_owed: bool,
    pub(crate) peer_digest: Option<[u8; 32]>,
    /// The peer is to be told our digest after the next acknowledgement.
    pub(crate) digest_due: bool,
    pub(crate) digest_sent_at: Instant,
    /// When a batch that a difference or a NAK calls for may begin.
    pub(crate) resync_at: Option<Instant>,
    /// The digests differ: the peer is asked for its table too.
    pub(crate) ask_too: bool,
    resync_not_before: Instant,
    resync_distance: Duration,
    /// NAKs of code 1 sent since the last record was applied.
    pub(crate) refusals_in_a_row: u32,
    /// Repeats in a row of what was acknowledged late, and what was late after the last of them.
    pub(crate) repeats: u8,
    pub(crate) owed: Owed,
    /// [`crate::Session::synchronized`] as last reported.
    pub(crate) synchronized: bool,
}

impl Profile {
    pub(crate) fn new(config: ProfileConfig, fresh: bool, policy: Policy) -> Self {
        Self {
            config,
            policy,
            table: Table::new(policy),
            master: false,
            fresh,
            announced: None,
            peer_role: None,
            suspended: None,
            changed: BTreeSet::new(),
            interface_changed: false,
            deletions: BTreeMap::new(),
            flush_at: None,
            out_batch: None,
            in_batch: None,
            generation: 0,
            request_due: false,
            request_number: 0,
            asked_at: None,
            answer_owed: false,
            peer_digest: None,
            digest_due: false,
            digest_sent_at: Instant::ZERO,
            resync_at: None,
            ask_too: false,
            resync_not_before: Instant::ZERO,
            resync_distance: RESYNC_FIRST,
            refusals_in_a_row: 0,
            repeats: 0,
            owed: Owed::default(),
            synchronized: false,
        }
    }

    /// The role as the peer is told it: a restarted device has none yet.
    pub(crate) const fn role(&self) -> Role {
        match (self.fresh, self.master) {
            (true, _) => Role::Init,
            (false, true) => Role::Master,
            (false, false) => Role::Slave,
        }
    }

    /// The tracked member's role has changed.
    pub(crate) fn set_role(&mut self, master: bool) {
        self.master = master;
        self.peer_digest = None;
        self.suspended = None;
        self.request_due = true;
        self.forget_late();
        if (self.policy.drops_changes)(master) {
            // A slave can't tell them. What it made while it was master shows in its digest, and
            // the master asks.
            self.changed.clear();
            self.interface_changed = false;
        }
    }

    /// Forgets what belonged to a connection.
    pub(crate) fn reset_connection(&mut self) {
        self.announced = None;
        self.peer_role = None;
        self.suspended = None;
        self.changed.clear();
        self.interface_changed = false;
        self.deletions.clear();
        self.flush_at = None;
        self.out_batch = None;
        self.in_batch = None;
        self.request_due = false;
        self.asked_at = None;
        self.answer_owed = false;
        self.peer_digest = None;
        self.digest_due = false;
        self.resync_at = None;
        self.ask_too = false;
        self.refusals_in_a_row = 0;
        self.forget_late();
    }

    /// Nothing was late yet: with another connection or role all is told anew.
    pub(crate) fn forget_late(&mut self) {
        self.repeats = 0;
        self.owed = Owed::default();
    }

    /// Whether changes may be sent in real time.
    pub(crate) fn may_upsert(&self) -> bool {
        self.suspended.is_none() && (self.policy.may_upsert)(self.master, self.peer_role)
    }

    /// Whether deletions may be sent.
    pub(crate) fn may_delete(&self) -> bool {
        self.suspended.is_none() && (self.policy.may_delete)(self.master, self.peer_role)
    }

    /// Whether nothing waits to be sent.
    pub(crate) fn is_quiet(&self) -> bool {
        self.changed.is_empty()
            && !self.interface_changed
            && self.deletions.is_empty()
            && self.out_batch.is_none()
            && self.in_batch.is_none()
    }

    pub(crate) fn flush_by(&mut self, at: Instant) {
        self.flush_at = Some(self.flush_at.map_or(at, |old| old.min(at)));
    }

    pub(crate) const fn next_generation(&mut self) -> u32 {
        self.generation = self.generation.wrapping_add(1);
        if self.generation == 0 {
            self.generation = 1;
        }
        self.generation
    }

    pub(crate) const fn next_request(&mut self) -> u32 {
        self.request_number = self.request_number.wrapping_add(1);
        self.request_number
    }

    /// Calls for a batch, not more often than the distance allows.
    pub(crate) fn call_for_resync(&mut self, now: Instant) {
        if self.resync_at.is_none() {
            let at = now.max(self.resync_not_before);
            self.resync_at = Some(at);
            self.resync_not_before = at + self.resync_distance;
            self.resync_distance = (self.resync_distance * 2).min(RESYNC_LAST);
        }
    }

    /// The digests agree.
    pub(crate) const fn in_step(&mut self) {
        self.resync_at = None;
        self.ask_too = false;
        self.resync_distance = RESYNC_FIRST;
    }

    /// Begins a batch of everything; changes that wait are part of it.
    pub(crate) fn begin_batch(&mut self) {
        let generation = self.next_generation();
        self.changed.clear();
        self.interface_changed = false;
        self.resync_at = None;
        self.answer_owed = false;
        self.out_batch = Some(OutBatch {
            generation,
            begun: false,
            interface: self.table.interface.is_some(),
            keys: self.table.entries.keys().copied().collect(),
            sent: 0,
        });
    }
}
