//! One E-Trunk: its inputs, its timers, and the evaluation of the row tables.

use crate::config::tenths;
use crate::member::Member;
use crate::peer::Peer;
use crate::policy::Policy;
use crate::revert::RevertTimer;
use crate::rows::{MemberInput, PeerMember, PeerSays, Rank, Revert};
use crate::{ETrunkConfig, MemberStatus, Role, WorkMode};
use dut_device::Instant;
use dut_wire::etrunk::{Check, Hello, MEMBERS_MAX, MemberRole, Reason};
use std::cmp::Ordering;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Evaluations after which the device rows must have settled; the longest chain has two rows.
const SETTLE_MAX: usize = 4;

/// Something that an E-Trunk reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ETrunkEvent {
    /// The device's state has changed.
    DeviceRole {
        /// State left.
        from: Role,
        /// State entered.
        to: Role,
        /// Causation in the vendor's word, as `PRI`.
        causation: &'static str,
    },
    /// A member's role has changed: [`Role::Backup`] or [`Role::Master`].
    MemberRole {
        /// Eth-Trunk id.
        eth_trunk: u16,
        /// Role left.
        from: Role,
        /// Role taken.
        to: Role,
        /// Causation in the vendor's word, as `PEER_MEMBER_DOWN`.
        causation: &'static str,
    },
    /// Another row of a table holds than before.
    Row {
        /// The row's id, as `ETRUNK-ROW-11`.
        id: &'static str,
        /// The member it is about; `None` is the device.
        eth_trunk: Option<u16>,
        /// State or role before.
        from: &'static str,
        /// State or role after.
        to: &'static str,
    },
    /// A hello was refused.
    Discarded {
        /// The counter's name, as `authentication_error`.
        reason: &'static str,
    },
}

/// One E-Trunk of one device.
#[derive(Debug, Clone)]
pub struct ETrunk {
    pub(crate) config: ETrunkConfig,
    pub(crate) policy: Policy,
    pub(crate) started: Option<Instant>,
    /// Whether any member was link-ready since the start.
    ever_ready: bool,
    /// The latest time seen.
    pub(crate) now: Instant,
    pub(crate) role: Role,
    pub(crate) causation: Reason,
    row: &'static str,
    pub(crate) members: BTreeMap<u16, Member>,
    pub(crate) peer: Option<Peer>,
    revert: RevertTimer,
    gate: bool,
    /// Whether the peer could ever be reached; the first hello waits for it.
    path: bool,
    /// Sequence of the last hello sent.
    pub(crate) sequence: u64,
    /// When the last hello was sent.
    pub(crate) last_sent: Option<Instant>,
    /// What the last hello said, without flags, sequence and echo.
    pub(crate) announced: Option<Hello>,
    /// CFG_DIGEST of the configuration as it is.
    pub(crate) cfg_digest: [u8; 32],
    pub(crate) next_periodic: Option<Instant>,
    /// Fast hellos still to be sent after a member's change, and when the next is due.
    pub(crate) fast: Option<(u8, Instant)>,
    pub(crate) transmits: VecDeque<Vec<u8>>,
    pub(crate) events: VecDeque<ETrunkEvent>,
    pub(crate) received: u64,
    pub(crate) sent: u64,
    pub(crate) send_drops: u64,
    pub(crate) unknown_tlvs: u64,
    pub(crate) refusals: BTreeMap<Check, u64>,
}

impl ETrunk {
    /// An E-Trunk that has not started: it sends and hears nothing.
    #[must_use]
    pub fn new(config: ETrunkConfig) -> Self {
        Self::with_policy(config, Policy::STANDARD)
    }

    /// The same with other decisions than the reference's.
    #[must_use]
    pub fn with_policy(config: ETrunkConfig, policy: Policy) -> Self {
        let mut members = BTreeMap::new();
        for member in &config.members {
            if members.len() < MEMBERS_MAX {
                members
                    .entry(member.eth_trunk)
                    .or_insert_with(|| Member::new(*member));
            }
        }
        let ids = members.keys().copied().collect();
        let cfg_digest = config.matched(ids, &policy).digest();
        Self {
            config,
            policy,
            started: None,
            ever_ready: false,
            now: Instant::ZERO,
            role: Role::Initialize,
            causation: Reason::Init,
            row: "",
            members,
            peer: None,
            revert: RevertTimer::default(),
            gate: false,
            path: true,
            sequence: 0,
            last_sent: None,
            announced: None,
            cfg_digest,
            next_periodic: None,
            fast: None,
            transmits: VecDeque::new(),
            events: VecDeque::new(),
            received: 0,
            sent: 0,
            send_drops: 0,
            unknown_tlvs: 0,
            refusals: Check::ALL.into_iter().map(|check| (check, 0)).collect(),
        }
    }

    /// Starts it: sends the first hello of this boot, or lets it wait for the path
    /// ([`ETrunk::wait_for_path`]). The local fail-time runs from here.
    pub fn start(&mut self, now: Instant) {
        if self.started.is_some() {
            return;
        }
        self.now = now;
        self.started = Some(now);
        self.evaluate(now);
        if self.path {
            self.send_first(now);
        }
    }

    /// Before [`ETrunk::start`]: no interface leads to the peer yet. A first hello sent now would
    /// be lost, and with it the restart and the request for a reply.
    pub fn wait_for_path(&mut self) {
        self.path = self.started.is_some();
    }

    /// An interface leads to the peer: a first hello that waits for it is sent. A path that is lost
    /// and found again changes nothing, for the periodic hellos go on.
    pub fn path_found(&mut self, now: Instant) {
        if !self.path {
            self.due(now);
            self.path = true;
            if self.started.is_some() {
                self.send_first(now);
            }
        }
    }

    /// Says goodbye; the peer takes over at once. Nothing is sent or heard until the next start.
    pub fn stop(&mut self, now: Instant) {
        self.due(now);
        if self.started.take().is_none() {
            return;
        }
        self.send_goodbye();
        self.next_periodic = None;
        self.fast = None;
        self.announced = None;
        self.peer = None;
        self.change_device(Role::Initialize, Reason::Init);
        self.evaluate_members(now);
    }

    /// Takes what the node sees of a member; unknown Eth-Trunks are ignored.
    pub fn set_member(&mut self, now: Instant, eth_trunk: u16, status: MemberStatus) {
        self.due(now);
        if let Some(member) = self.members.get_mut(&eth_trunk) {
            member.status = status;
            self.ever_ready |= (self.policy.link_ready)(&status);
        }
        self.settle(now);
    }

    /// Opens or closes the gate of a revert: RBS connected, digests equal, nothing unacknowledged.
    /// Closed at the beginning; a node without RBS opens it.
    pub fn set_revert_gate(&mut self, now: Instant, open: bool) {
        self.due(now);
        self.gate = open;
        self.settle(now);
    }

    /// Changes a member's work mode (`e-trunk mode`).
    pub fn set_mode(&mut self, now: Instant, eth_trunk: u16, work_mode: WorkMode) {
        self.due(now);
        if let Some(member) = self.members.get_mut(&eth_trunk) {
            member.config.work_mode = work_mode;
        }
        self.settle(now);
    }

    /// Changes the priority (`priority`).
    pub fn set_priority(&mut self, now: Instant, priority: u8) {
        self.due(now);
        self.config.priority = priority;
        self.settle(now);
    }

    /// Changes `timer hello` and `timer hold-on-failure multiplier`.
    pub fn set_timers(&mut self, now: Instant, hello: Duration, multiplier: u16) {
        self.due(now);
        self.config.hello = hello;
        self.config.multiplier = multiplier;
        self.digest_configuration();
        self.settle(now);
    }

    /// Changes `timer revert delay`; `None` is `revert disable`.
    pub fn set_revert_delay(&mut self, now: Instant, delay: Option<Duration>) {
        self.due(now);
        self.config.revert_delay = delay;
        self.digest_configuration();
        self.settle(now);
    }

    /// Does all that is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.due(now);
    }

    /// When [`ETrunk::handle_timeout`] wants to be called next.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Instant> {
        self.started?;
        let delay = self.config.revert_delay;
        // A delay that has run waits for its gate or for the peer, not for time.
        let reverts = std::iter::once(&self.revert)
            .chain(self.members.values().map(|member| &member.revert))
            .filter_map(|revert| revert.deadline(delay))
            .filter(|deadline| *deadline > self.now);
        let fast = self.fast.map(|(_, at)| at);
        let peer = self
            .peer
            .as_ref()
            .and_then(|peer| peer.settled_at(self.local_fail_time()));
        let period = self.config.period();
        let deaf = (self.peer.as_ref()).and_then(|peer| peer.deaf_at(period, &self.policy));
        let settled = [self.settled_at(), peer, deaf].map(|at| at.filter(|at| *at > self.now));
        // A silence that has been counted needs no further call.
        let silence = self.fail_deadline().filter(|at| *at > self.now);
        [self.next_periodic, fast, silence]
            .into_iter()
            .chain(settled)
            .flatten()
            .chain(reverts)
            .min()
    }

    /// The next hello to send, from `config.source` to `config.peer`, `config.port` at both ends.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.transmits.pop_front()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<ETrunkEvent> {
        self.events.pop_front()
    }

    /// The device's state.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Whether the member may carry traffic; `false` for unknown Eth-Trunks.
    #[must_use]
    pub fn member_is_master(&self, eth_trunk: u16) -> bool {
        let member = self.members.get(&eth_trunk);
        member.is_some_and(|member| member.role == MemberRole::Master)
    }

    /// The configuration in force.
    #[must_use]
    pub const fn config(&self) -> &ETrunkConfig {
        &self.config
    }

    /// Whether the peer's CFG_DIGEST is ours; `None` while it has sent none.
    #[must_use]
    //= ETRUNK-059
    pub fn configuration_matches(&self) -> Option<bool> {
        let theirs = self.peer.as_ref()?.hello.cfg_digest?;
        Some(theirs == self.cfg_digest)
    }

    /// Optional TLVs skipped because nobody knows them.
    #[must_use]
    pub const fn unknown_tlvs(&self) -> u64 {
        self.unknown_tlvs
    }

    /// Late time is legal: what should have happened before an input happens first.
    pub(crate) fn due(&mut self, now: Instant) {
        let since = now.since(self.now);
        self.now = self.now.max(now);
        if self.started.is_none() {
            return;
        }
        let local = self.local_fail_time();
        // Something is due in every period: who comes later than two has stood still.
        if (self.policy.stood_still)(since, self.config.period()) {
            self.hold_back(now);
            if let Some(peer) = &mut self.peer {
                peer.unheard_for(since);
            }
        }
        if let Some(peer) = &mut self.peer
            && now >= peer.fail_deadline(local, &self.policy)
        {
            peer.silent = true;
        }
        self.settle(now);
        self.send_due(now);
    }

    /// When silence counts: the peer's, or in Initialize the network's.
    fn fail_deadline(&self) -> Option<Instant> {
        let local = self.local_fail_time();
        match &self.peer {
            Some(peer) if peer.silent => None,
            Some(peer) => Some(peer.fail_deadline(local, &self.policy)),
            None if self.role == Role::Initialize => Some(self.started? + local),
            None => None,
        }
    }

    /// Evaluates the tables and announces what has changed.
    pub(crate) fn settle(&mut self, now: Instant) {
        if self.started.is_some() {
            self.evaluate(now);
            self.announce_changes(now);
        }
    }

    fn evaluate(&mut self, now: Instant) {
        for _ in 0..SETTLE_MAX {
            let before = self.role;
            self.evaluate_device(now);
            if self.role == before {
                break;
            }
        }
        self.evaluate_members(now);
    }

    fn evaluate_device(&mut self, now: Instant) {
        let (says, rank) = (self.peer_says(now), self.rank());
        self.update_revert(now, says, rank);
        let decision = (self.policy.device_row)(self.role, says, rank, self.yields(now));
        self.report_row(decision.row, decision.to);
        let causation = decision.causation.unwrap_or(self.causation);
        self.change_device(decision.to, causation);
    }

    fn peer_says(&self, now: Instant) -> PeerSays {
        match &self.peer {
            Some(peer) => {
                let period = self.config.period();
                peer.says(now, (self.role, period), &self.policy)
            }
            None if self.fail_deadline().is_some_and(|at| now < at) => PeerSays::Awaited,
            None => PeerSays::Silent,
        }
    }

    /// Members first: a device without a link-ready one is worse than a device with one.
    fn rank(&self) -> Rank {
        let Some(peer) = &self.peer else {
            return Rank::Better;
        };
        let (now, local) = (self.now, self.local_fail_time());
        let own = self.all_members_down();
        // To a Backup that can serve; who has none either waits for the peer's.
        let lost = self.role == Role::Backup && !own && peer.lost_members;
        let peers = lost || peer.all_members_down(now, local, &self.policy);
        match (own, peers) {
            (true, false) => Rank::OwnMembersDown,
            (false, true) => Rank::PeerMembersDown,
            (true, true) | (false, false) => self.rank_by_priority(&peer.hello),
        }
    }

    fn rank_by_priority(&self, hello: &Hello) -> Rank {
        let ours = (self.config.wire_priority().get(), self.config.system_id.0);
        let theirs = (hello.priority.get(), hello.system_id.get());
        match (self.policy.election)(self.config.larger_wins, ours, theirs) {
            Ordering::Less => Rank::Better,
            Ordering::Greater => Rank::Worse,
            Ordering::Equal => Rank::Equal,
        }
    }

    /// Members that are still negotiating after a boot don't count as down before the local
    /// fail-time has run: two devices that boot together are elected by priority, not by which of
    /// their links negotiates first.
    fn all_members_down(&self) -> bool {
        let run = self.settled_at().is_none_or(|at| self.now >= at);
        (self.policy.settled)(self.ever_ready, run) && !self.members.is_empty() && !self.any_ready()
    }

    fn any_ready(&self) -> bool {
        let mut members = self.members.values();
        members.any(|member| (self.policy.link_ready)(&member.status))
    }

    /// When members that were never link-ready begin to count as down.
    fn settled_at(&self) -> Option<Instant> {
        let started = self.started.filter(|_| !self.ever_ready)?;
        Some(started + self.local_fail_time())
    }

    pub(crate) fn local_fail_time(&self) -> Duration {
        tenths(self.config.fail_time(&self.policy).get())
    }

    /// The delay runs on both devices while the better one, heard and link-ready, waits beside
    /// the worse Master.
    //= ETRUNK-037
    //= ETRUNK-038
    fn update_revert(&mut self, now: Instant, says: PeerSays, rank: Rank) {
        let hears_us = self.peer.as_ref().is_some_and(Peer::hears_us);
        // Where nobody's member is ready there is nothing to return to.
        let ready = self.members.is_empty() || self.any_ready();
        let occasion = match (self.role, says, rank) {
            (Role::Backup, PeerSays::Master, Rank::Better)
            | (Role::Master, PeerSays::Backup, Rank::Worse) => {
                (self.policy.revert_occasion)(hears_us, ready)
            }
            (Role::Initialize | Role::Backup | Role::Master, _, _) => false,
        };
        self.revert.update(now, occasion);
    }

    /// Whether the wait is over on this side.
    //= ETRUNK-039
    fn waited(&self, now: Instant) -> bool {
        let delay = self.config.revert_delay;
        self.revert.state(now, delay, self.gate, &self.policy) == Revert::Ready
    }

    /// A worse Master yields when its own wait is over and the better device asks.
    fn yields(&self, now: Instant) -> Revert {
        let asked = self.peer.as_ref().map(|peer| peer.hello.expected_state);
        if (self.policy.yields)(self.waited(now), asked) {
            Revert::Ready
        } else {
            Revert::Waiting
        }
    }

    /// Expected_State: Master in a Backup whose wait is over, which asks the Master to yield.
    pub(crate) fn expected_state(&self, now: Instant) -> Role {
        (self.policy.expects)(self.role, self.waited(now))
    }

    /// A peer that has booted anew is heard anew.
    pub(crate) fn peer_restarted(&mut self) {
        self.revert = RevertTimer::default();
        for member in self.members.values_mut() {
            member.revert = RevertTimer::default();
        }
    }

    fn report_row(&mut self, row: &'static str, to: Role) {
        if self.row != row {
            self.row = row;
            self.events.push_back(ETrunkEvent::Row {
                id: row,
                eth_trunk: None,
                from: self.role.name(),
                to: to.name(),
            });
        }
    }

    fn change_device(&mut self, to: Role, causation: Reason) {
        self.causation = causation;
        // What made this device Master doesn't make it so again.
        if let Some(peer) = self.peer.as_mut().filter(|_| to == Role::Master) {
            peer.lost_members = false;
        }
        if self.role != to {
            let from = std::mem::replace(&mut self.role, to);
            self.events.push_back(ETrunkEvent::DeviceRole {
                from,
                to,
                causation: causation.name(),
            });
        }
    }

    fn evaluate_members(&mut self, now: Instant) {
        let hears_us = self.peer.as_ref().is_some_and(Peer::hears_us);
        let (delay, local) = (self.config.revert_delay, self.local_fail_time());
        for (eth_trunk, member) in &mut self.members {
            let peer = self.peer.as_ref();
            let peer = peer.map_or(PeerMember::Unknown, |peer| {
                peer.member(member.config.remote_id, now, local)
            });
            let occasion = hears_us
                && self.role == Role::Backup
                && member.config.work_mode == WorkMode::Auto
                && member.role == MemberRole::Master
                && (self.policy.link_ready)(&member.status)
                && peer == PeerMember::Waiting;
            member.revert.update(now, occasion);
            let decision = (self.policy.member_row)(MemberInput {
                device: self.role,
                work_mode: member.config.work_mode,
                link_ready: (self.policy.link_ready)(&member.status),
                own: member.role,
                causation: member.causation,
                peer,
                revert: member.revert.state(now, delay, self.gate, &self.policy),
            });
            let from = member.role;
            member.causation = decision.causation.unwrap_or(member.causation);
            member.role = decision.to;
            if member.row != decision.row {
                member.row = decision.row;
                self.events.push_back(ETrunkEvent::Row {
                    id: decision.row,
                    eth_trunk: Some(*eth_trunk),
                    from: from.name(),
                    to: decision.to.name(),
                });
            }
            if from != decision.to {
                self.events.push_back(ETrunkEvent::MemberRole {
                    eth_trunk: *eth_trunk,
                    from: as_role(from),
                    to: as_role(decision.to),
                    causation: member.causation.name(),
                });
            }
        }
    }
}

const fn as_role(role: MemberRole) -> Role {
    match role {
        MemberRole::Backup => Role::Backup,
        MemberRole::Master => Role::Master,
    }
}
