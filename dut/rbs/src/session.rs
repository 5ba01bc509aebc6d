//! The session: its inputs, the link's states, its timers.

use crate::config::{Command, SessionConfig};
use crate::connection::{Connection, Times};
use crate::entry::{Entry, Held, HeldInterface, InterfaceState, Key};
use crate::event::RbsEvent;
use crate::policy::{BatchEvent, Policy};
use crate::profile::{DELETIONS_MAX, Deletion, Profile};
use crate::random::Random;
use dut_device::Instant;
use dut_wire::rbs::{
    BACKUP_ID_MAX, Body, Frame, GoodbyeCause, NotifyCode, SOURCES_MAX, Service, Tombstone, Version,
};
use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv6Addr;
use std::time::Duration;

/// How long an attempt to connect may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Where the TCP connection stands.
#[derive(Debug, Clone)]
pub(crate) enum Link {
    /// Not started, or stopped.
    Idle,
    /// Waits before it connects again.
    BackOff(Instant),
    /// Connects since then.
    Connecting(Instant),
    /// Waits for the peer to connect.
    Listening,
    /// TCP is up.
    Up(Box<Connection>),
}

/// One device's end of a remote backup service.
#[derive(Debug, Clone)]
pub struct Session {
    pub(crate) config: SessionConfig,
    pub(crate) policy: Policy,
    pub(crate) link: Link,
    pub(crate) profiles: BTreeMap<u16, Profile>,
    /// Sequence of the last version made here.
    sequence: u64,
    back_off: Duration,
    random: Random,
    /// The latest time seen.
    now: Instant,
    /// When the last connected session ended; ageing begins there.
    lost_at: Option<Instant>,
    /// When ageing changes something next.
    age_at: Option<Instant>,
    pub(crate) commands: VecDeque<Command>,
    pub(crate) events: VecDeque<RbsEvent>,
    pub(crate) errors: BTreeMap<&'static str, u64>,
    pub(crate) last_up_s: Option<u64>,
    pub(crate) last_down_s: Option<u64>,
    pub(crate) last_down_reason: Option<&'static str>,
}

impl Session {
    /// A session that has not started.
    #[must_use]
    pub fn new(config: SessionConfig) -> Self {
        Self::with_policy(config, Policy::STANDARD)
    }

    /// The same with other decisions than the reference's.
    #[must_use]
    pub fn with_policy(config: SessionConfig, policy: Policy) -> Self {
        let fresh = (policy.restarted)(config.boot_epoch);
        let mut profiles = BTreeMap::new();
        for profile in &config.profiles {
            if (1..=BACKUP_ID_MAX).contains(&profile.backup_id) {
                profiles
                    .entry(profile.backup_id)
                    .or_insert_with(|| Profile::new(profile.clone(), fresh, policy));
            }
        }
        Self {
            random: Random::new(config.seed),
            config,
            policy,
            link: Link::Idle,
            profiles,
            sequence: 0,
            back_off: policy.back_off_first,
            now: Instant::ZERO,
            lost_at: None,
            age_at: None,
            commands: VecDeque::new(),
            events: VecDeque::new(),
            errors: BTreeMap::new(),
            last_up_s: None,
            last_down_s: None,
            last_down_reason: None,
        }
    }

    /// Starts: connects or listens.
    pub fn start(&mut self, now: Instant) {
        self.now = self.now.max(now);
        if matches!(self.link, Link::Idle) {
            self.open_link(now);
        }
    }

    /// Ends the session by command, or because the device restarts.
    //= RBS-032
    pub fn stop(&mut self, now: Instant, cause: GoodbyeCause) {
        self.due(now);
        match &mut self.link {
            Link::Up(connection) => {
                connection.send(now, 0, Body::Goodbye { cause });
                self.end_connection(now, "TCP closed administratively.");
            }
            Link::Connecting(_) => self.commands.push_back(Command::Abort),
            Link::Idle | Link::BackOff(_) | Link::Listening => {}
        }
        self.link = Link::Idle;
    }

    /// The path to the peer is known to be back (its hello is heard again): connects at once
    /// instead of waiting out the back-off or an attempt that began before. Does nothing when
    /// TCP is up, and on the listening side.
    pub fn retry_now(&mut self, now: Instant) {
        self.due(now);
        match self.link {
            Link::Connecting(_) => self.commands.push_back(Command::Abort),
            Link::BackOff(_) => {}
            Link::Idle | Link::Listening | Link::Up(_) => return,
        }
        self.back_off = self.policy.back_off_first;
        self.open_link(now);
    }

    /// TCP is up. A driver that finds a second connection while one is up tells the peer so by
    /// [`Session::refuse_second`]; if it calls this instead, the second replaces the first, which
    /// is aborted, see [`Command::Abort`].
    //= RBS-003
    //= RBS-026
    pub fn handle_connected(&mut self, now: Instant) {
        self.due(now);
        if matches!(self.link, Link::Idle) {
            self.commands.push_back(Command::Abort);
            return;
        }
        if matches!(self.link, Link::Up(_)) {
            self.count("second_session");
            self.drop_unsent();
            self.commands.push_back(Command::Abort);
            self.connection_ended(now, "Replaced by another connection.");
        }
        let (keepalive, hold) = self.intervals();
        let tenths = Duration::from_millis(100);
        let times = Times {
            keepalive: tenths * u32::from(keepalive),
            hold: tenths * u32::from(hold),
            ack_delay: self.policy.ack_delay,
        };
        let connection = Connection::new(now, self.config.boot_epoch, times);
        self.link = Link::Up(Box::new(connection));
        if !self.connects() {
            // The listening socket stands beside the connected one.
            self.commands.push_back(Command::Listen);
        }
        if (self.policy.opens)(self.connects()) {
            self.send_open(now, false);
        }
        self.settle(now);
    }

    /// What a further connection of the peer is told before it is closed, while one is up: the
    /// octets of NOTIFY 7. The first connection goes on.
    //= RBS-025
    pub fn refuse_second(&mut self, now: Instant) -> Vec<u8> {
        self.due(now);
        self.count("second_session");
        let frame = Frame {
            session_epoch: self.config.boot_epoch,
            message_id: 1,
            backup_id: 0,
            service: Service::None,
            body: Body::Notify {
                code: NotifyCode::SecondSession,
                refused: 0,
            },
        };
        frame.to_vec()
    }

    /// Sends a batch now (`batch-backup`), from a master to its connected slave.
    //= RBS-033
    pub fn batch_now(&mut self, now: Instant, backup_id: u16) {
        self.due(now);
        let connected = self.is_connected();
        if let Some(profile) = self.profiles.get_mut(&backup_id)
            && connected
            && profile.may_upsert()
            && !profile.fresh
        {
            profile.begin_batch();
        }
        self.settle(now);
    }

    /// The connection, or the attempt, has ended without the session's doing.
    pub fn handle_closed(&mut self, now: Instant) {
        self.due(now);
        match self.link {
            Link::Up(_) => {
                self.drop_unsent();
                self.connection_ended(now, "TCP closed by peer.");
                self.reopen(now);
            }
            Link::Connecting(_) => self.reopen(now),
            Link::Idle | Link::BackOff(_) | Link::Listening => {}
        }
        self.settle(now);
    }

    /// Octets have come on the connection.
    //= RBS-035
    pub fn handle_bytes(&mut self, now: Instant, bytes: &[u8]) {
        self.due(now);
        let mut input = bytes;
        while let Link::Up(connection) = &mut self.link
            && let Some(frame) = connection.framer.next(&mut input)
        {
            self.handle_frame(now, frame);
        }
        self.settle(now);
    }

    /// The tracked member's role.
    pub fn set_role(&mut self, now: Instant, backup_id: u16, master: bool) {
        self.due(now);
        if let Some(profile) = self.profiles.get_mut(&backup_id)
            && profile.master != master
        {
            profile.set_role(master);
        }
        self.schedule_ageing(now);
        self.settle(now);
    }

    /// Says an entry. `urgent` is sent at once; a pure timer refresh is not urgent and waits up
    /// to 20 ms for others. A change of mode or sources is always urgent. An entry without a
    /// multicast address or with more than 2725 sources is counted and left out.
    pub fn upsert(&mut self, now: Instant, backup_id: u16, entry: Entry, urgent: bool) {
        self.due(now);
        if !entry.group.is_multicast() || entry.sources.len() > SOURCES_MAX {
            self.count("entry_not_representable");
            return;
        }
        let version = self.next_version();
        let Some(profile) = self.profiles.get_mut(&backup_id) else {
            return;
        };
        let key = (entry.eth_trunk, entry.group);
        let (stored, changed) = profile
            .table
            .put(key, Held::from_entry(now, &entry, version));
        if !stored {
            self.count("overflow");
            return;
        }
        profile.deletions.remove(&key);
        profile.changed.insert(key);
        profile.flush_by(now + (profile.policy.coalesces)(urgent, changed));
        self.settle(now);
    }

    /// Says that an entry is gone.
    pub fn delete(&mut self, now: Instant, backup_id: u16, eth_trunk: u16, group: Ipv6Addr) {
        self.due(now);
        let key = (eth_trunk, group);
        let held = self.profiles.get_mut(&backup_id);
        if let Some(held) = held.and_then(|profile| profile.table.remove(&key)) {
            self.bury(now, backup_id, key, held);
        }
        self.settle(now);
    }

    /// Tells the peer that `held` is gone.
    pub(crate) fn bury(&mut self, now: Instant, backup_id: u16, key: Key, held: Held) {
        let own = self.config.origin.0;
        let foreign = held.version.origin != own;
        let adoption = (self.policy.adopts_first)(foreign).then(|| {
            let version = self.next_version();
            held.versioned(version).to_record(now, key)
        });
        let version = self.next_version();
        if let Some(profile) = self.profiles.get_mut(&backup_id) {
            let tombstone = Tombstone {
                eth_trunk: key.0,
                group: key.1,
                version,
            };
            let deletion = Deletion {
                tombstone,
                adoption,
            };
            profile.changed.remove(&key);
            if profile.deletions.len() < DELETIONS_MAX {
                profile.deletions.insert(key, deletion);
            } else {
                profile.deletions.clear();
                profile.call_for_resync(now);
            }
            profile.flush_by(now);
        }
    }

    /// Says an interface's querier state.
    pub fn set_interface(&mut self, now: Instant, backup_id: u16, state: InterfaceState) {
        self.due(now);
        let version = self.next_version();
        if let Some(profile) = self.profiles.get_mut(&backup_id) {
            let held = HeldInterface::from_state(now, &state, version);
            let old = profile.table.interface.replace(held);
            let same = old.is_some_and(|old| old.querier == held.querier);
            profile.interface_changed = true;
            profile.flush_by(now + (profile.policy.coalesces)(!same, false));
        }
        self.settle(now);
    }

    /// A profile's entries in the order of (Eth-Trunk, group), with what remains at `now`.
    #[must_use]
    pub fn entries(&self, now: Instant, backup_id: u16) -> Vec<Entry> {
        let Some(profile) = self.profiles.get(&backup_id) else {
            return Vec::new();
        };
        let ages = self.ages(profile);
        let entries = profile.table.entries.iter().filter_map(|(key, held)| {
            if ages {
                let left = self.left_of(now, held);
                left.map(|held| held.to_entry(now, *key))
            } else {
                Some(held.to_entry(now, *key))
            }
        });
        entries.collect()
    }

    /// What is left of an entry that nobody refreshes.
    pub(crate) fn left_of(&self, now: Instant, held: &Held) -> Option<Held> {
        let stale = self
            .lost_at
            .is_some_and(|at| now >= at + self.policy.stale_after);
        held.aged(now).filter(|_| !stale)
    }

    /// One entry of [`Session::entries`].
    #[must_use]
    pub fn entry(
        &self,
        now: Instant,
        backup_id: u16,
        eth_trunk: u16,
        group: Ipv6Addr,
    ) -> Option<Entry> {
        let key = (eth_trunk, group);
        let held = self.profiles.get(&backup_id)?.table.entries.get(&key)?;
        Some(held.to_entry(now, key))
    }

    /// A profile's interface state, with what remains at `now`.
    #[must_use]
    pub fn interface(&self, now: Instant, backup_id: u16) -> Option<InterfaceState> {
        let held = self.profiles.get(&backup_id)?.table.interface?;
        Some(held.to_state(now))
    }

    /// Whether the session is connected, the peer's last digest of the profile equals ours and
    /// nothing is unacknowledged or waits to be sent: the gate of a revert.
    #[must_use]
    pub fn synchronized(&self, backup_id: u16) -> bool {
        self.profiles.get(&backup_id).is_some_and(|profile| {
            let equal = profile.peer_digest == Some(profile.table.digest());
            (self.policy.synchronized)(self.is_settled(profile), equal)
        })
    }

    /// Everything of [`Session::synchronized`] but the digests.
    pub(crate) fn is_settled(&self, profile: &Profile) -> bool {
        let Link::Up(connection) = &self.link else {
            return false;
        };
        connection.connected
            && connection.unacknowledged.is_empty()
            && !profile.fresh
            && profile.suspended.is_none()
            && profile.is_quiet()
    }

    /// Whether the session is connected.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        matches!(&self.link, Link::Up(connection) if connection.connected)
    }

    /// The next order for the TCP stack.
    pub fn poll_command(&mut self) -> Option<Command> {
        self.commands.pop_front()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<RbsEvent> {
        self.events.pop_front()
    }

    /// Does all that is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.due(now);
        self.settle(now);
    }

    /// When [`Session::handle_timeout`] wants to be called next.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Instant> {
        match &self.link {
            Link::Idle => None,
            Link::BackOff(until) => Some(*until),
            Link::Connecting(since) => Some(*since + CONNECT_TIMEOUT),
            Link::Listening => None,
            Link::Up(connection) => self.connection_timeout(connection),
        }
        .into_iter()
        .chain(self.age_at)
        .min()
    }

    pub(crate) fn next_version(&mut self) -> Version {
        self.sequence = self.sequence.saturating_add(1);
        Version {
            epoch: self.config.boot_epoch,
            sequence: self.sequence,
            origin: self.config.origin.0,
        }
    }

    /// Keepalive interval and hold time in the wire's units of 100 ms.
    pub(crate) fn intervals(&self) -> (u16, u16) {
        let tenths = |d: Duration| u16::try_from(d.as_millis() / 100).unwrap_or(u16::MAX);
        let keepalive = tenths(self.config.keepalive).clamp(1, 600);
        let hold = tenths(self.config.hold).clamp(keepalive.saturating_mul(3), 1800);
        (keepalive, hold)
    }

    fn connects(&self) -> bool {
        (self.policy.connects)(self.config.source, self.config.peer)
    }

    fn open_link(&mut self, now: Instant) {
        if self.connects() {
            self.commands.push_back(Command::Connect);
            self.link = Link::Connecting(now);
        } else {
            self.commands.push_back(Command::Listen);
            self.link = Link::Listening;
        }
    }

    /// After an end: the listener listens, the connector waits.
    //= RBS-022
    pub(crate) fn reopen(&mut self, now: Instant) {
        if self.connects() {
            self.link = Link::BackOff(now + self.random.jitter(self.back_off));
            self.back_off = (self.policy.back_off_next)(self.back_off);
        } else {
            self.open_link(now);
        }
    }

    pub(crate) fn count(&mut self, reason: &'static str) {
        let count = self.errors.entry(reason).or_insert(0);
        *count = count.saturating_add(1);
        self.events.push_back(RbsEvent::Discarded { reason });
    }

    fn wall_s(&self, now: Instant) -> u64 {
        let since = now.as_nanos() / 1_000_000_000;
        self.config.wall_origin_s.saturating_add(since)
    }

    /// The session is connected.
    //= RBS-023
    pub(crate) fn connected(&mut self, now: Instant) {
        self.last_up_s = Some(self.wall_s(now));
        self.back_off = (self.policy.back_off_anew)(self.back_off);
        self.lost_at = None;
        self.age_at = None;
        self.events.push_back(RbsEvent::Up);
    }

    /// Closes the connection from this side, after what was sent.
    pub(crate) fn close(&mut self, now: Instant, reason: &'static str) {
        self.end_connection(now, reason);
        self.reopen(now);
    }

    fn end_connection(&mut self, now: Instant, reason: &'static str) {
        self.drain_connection();
        self.commands.push_back(Command::Close);
        self.connection_ended(now, reason);
    }

    /// What waits for a connection that is gone must not reach the next one.
    fn drop_unsent(&mut self) {
        self.commands
            .retain(|command| !matches!(command, Command::Send(_)));
    }

    /// Forgets the connection.
    fn connection_ended(&mut self, now: Instant, reason: &'static str) {
        if self.is_connected() {
            self.lost_at = Some(now);
        }
        self.last_down_s = Some(self.wall_s(now));
        self.last_down_reason = Some(reason);
        self.link = Link::Listening;
        self.sweep_all(BatchEvent::BreaksOff);
        self.profiles
            .values_mut()
            .for_each(Profile::reset_connection);
        self.events.push_back(RbsEvent::Down { reason });
        self.schedule_ageing(now);
    }

    /// Late time is legal: what should have happened before an input happens first.
    pub(crate) fn due(&mut self, now: Instant) {
        self.now = self.now.max(now);
        self.age(now);
        match &self.link {
            Link::BackOff(until) if now >= *until => self.open_link(now),
            Link::Connecting(since) if now >= *since + CONNECT_TIMEOUT => {
                self.commands.push_back(Command::Abort);
                self.reopen(now);
            }
            Link::Up(connection) if now >= connection.hold_at() => self.hold_expired(now),
            Link::Idle | Link::BackOff(_) | Link::Connecting(_) | Link::Listening | Link::Up(_) => {
            }
        }
    }

    /// A slave without its channel lets its entries run down.
    pub(crate) fn ages(&self, profile: &Profile) -> bool {
        (self.policy.ages)(self.is_connected(), profile.master)
    }

    fn schedule_ageing(&mut self, now: Instant) {
        let stale = self.lost_at.map(|at| at + self.policy.stale_after);
        let profiles = self.profiles.values().filter(|profile| self.ages(profile));
        let deadlines = profiles
            .filter(|p| !p.table.entries.is_empty())
            .filter_map(|profile| {
                let own = profile.table.next_ageing(now);
                let stale = stale.filter(|at| *at > now);
                own.into_iter().chain(stale).min()
            });
        self.age_at = deadlines.min();
    }

    fn age(&mut self, now: Instant) {
        if self.age_at.is_none_or(|at| now < at) {
            return;
        }
        let stale = self
            .lost_at
            .is_some_and(|at| now >= at + self.policy.stale_after);
        let connected = self.is_connected();
        for (backup_id, profile) in &mut self.profiles {
            if !(self.policy.ages)(connected, profile.master) {
                continue;
            }
            let mut gone = profile.table.age(now);
            if stale {
                gone.extend(profile.table.entries.keys().copied());
                for key in &gone {
                    profile.table.remove(key);
                }
            }
            self.events
                .extend(gone.into_iter().map(|key| RbsEvent::Deleted {
                    backup_id: *backup_id,
                    eth_trunk: key.0,
                    group: key.1,
                }));
        }
        self.schedule_ageing(now);
    }
}
