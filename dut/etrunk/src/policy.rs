//! What an E-Trunk decides by: the row tables, the checks on receipt that need the configuration,
//! the timers, and what makes it speak (FORMATS.md section 1).

use crate::rows::{self, Decision, MemberInput, PeerSays, Rank, Revert};
use crate::{MemberStatus, Role};
use dut_wire::etrunk::{
    Addr, AuthenticationMode, Body, Echo, Endpoints, Hello, MemberReason, MemberRole, Reason,
};
use std::cmp::Ordering;
use std::time::Duration;

/// The peer as a check knows it: its System_ID and Boot_Epoch.
pub type Known = ([u8; 6], u64);

/// Priority and System_ID of a device.
pub type Candidate = (u8, [u8; 6]);

/// The decisions; [`Policy::STANDARD`] are the reference's.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// Device rows.
    pub device_row: fn(Role, PeerSays, Rank, Revert) -> Decision<Role, Reason>,
    /// Member rows.
    pub member_row: fn(MemberInput) -> Decision<MemberRole, MemberReason>,
    /// Check 2, by the id that is configured and the one that came.
    pub e_trunk_id: fn(u16, u16) -> bool,
    /// Check 3, by the mirror of our addresses, the datagram's and those in ADDR.
    pub addresses: fn(Addr, Addr, Option<Addr>) -> bool,
    /// Check 5.
    pub authentic: fn(&Body<'_>, AuthenticationMode, &[u8], &Endpoints) -> bool,
    /// Check 6, by `sequence enable`, Boot_Epoch and Sequence, and the last ones accepted.
    pub sequence: fn(bool, u64, Option<u64>, (u64, u64)) -> bool,
    /// Check 7, by our System_ID, what came and what the peer had.
    pub system_id: fn([u8; 6], Known, Option<Known>) -> bool,
    /// After which silence the peer counts as failed, by its Fail_Time and the local one.
    pub fail_time: fn(Option<Duration>, Duration) -> Duration,
    /// Whether this device stood still and heard nothing, by the time since it was last driven and
    /// its period.
    pub stood_still: fn(Duration, Duration) -> bool,
    /// Whether the peer has given this device up, so that a hello which is due after it stood still
    /// is held back, by the time since its last hello and its fail-time.
    pub given_up: fn(Duration, Duration) -> bool,
    /// Local fail-time in units of 100 ms, by Send_Period and multiplier.
    pub local_fail_time: fn(u16, u16) -> u16,
    /// Whether we are better (`Less`), by `larger-wins`, our priority and System_ID and the peer's.
    pub election: fn(bool, Candidate, Candidate) -> Ordering,
    /// Whether members that aren't ready count as down: whether any was ready in this boot, and
    /// whether the local fail-time has run.
    pub settled: fn(bool, bool) -> bool,
    /// Whether a Backup peer has answered what we are, by our role and the one that it echoes.
    pub answered: fn(Role, Option<Role>) -> bool,
    /// Whether a peer that was heard as Master has lost its members meanwhile, by its hello.
    pub lost_members: fn(&Hello) -> bool,
    /// Periods after which a Master that echoes nothing counts as deaf.
    pub deaf_periods: u32,
    /// Whether the revert delay runs beside the other Master: the peer hears us, a member is ready.
    pub revert_occasion: fn(bool, bool) -> bool,
    /// Whether the wait is over: the delay has run (`None` is `revert disable`), the gate is open.
    pub revert_ready: fn(Option<bool>, bool) -> bool,
    /// Whether a worse Master yields: its wait is over, and what the better one expects to be.
    pub yields: fn(bool, Option<Role>) -> bool,
    /// Expected_State, by the role and whether the wait is over.
    pub expects: fn(Role, bool) -> Role,
    /// Link-ready as it is told and judged.
    pub link_ready: fn(&MemberStatus) -> bool,
    /// ECHO, by whether the peer is heard.
    pub echo: fn(bool, Echo) -> Option<Echo>,
    /// Whether what has changed since the last hello is told at once.
    pub tells: fn(&Hello, &Hello) -> bool,
    /// Whether such a change is followed by fast hellos.
    pub hastens: fn(&Hello, &Hello) -> bool,
    /// Fast hellos after a member's change.
    pub fast_count: u8,
    /// Their distance.
    pub fast_period: Duration,
    /// Whether a hello with reply requested (it isn't a goodbye) is answered.
    pub replies: fn(bool) -> bool,
    /// Boot_Epoch that the hellos say.
    pub boot_epoch: fn(u64) -> u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self::STANDARD
    }
}

impl Policy {
    /// The reference's decisions.
    pub const STANDARD: Self = Self {
        device_row: rows::device_row,
        member_row: rows::member_row,
        e_trunk_id: |ours, theirs| ours == theirs,
        addresses,
        authentic: |body, mode, key, endpoints| body.authenticates(mode, key, endpoints),
        sequence,
        system_id,
        fail_time: |peers, local| peers.unwrap_or(local),
        stood_still: |since, period| since > period * 2,
        given_up: |unheard, fail_time| unheard >= fail_time,
        local_fail_time: u16::saturating_mul,
        election,
        settled: |ever_ready, run| ever_ready || run,
        answered: |own, heard| own != Role::Backup || heard != Some(Role::Master),
        lost_members,
        deaf_periods: 3,
        revert_occasion: |hears_us, ready| hears_us && ready,
        revert_ready: |run, gate| run == Some(true) && gate,
        yields: |waited, expected| waited && expected == Some(Role::Master),
        expects,
        link_ready: |status| status.link_ready,
        echo: |heard, echo| heard.then_some(echo),
        tells: |before, after| before != after,
        hastens: |before, after| before.members != after.members,
        fast_count: 3,
        fast_period: Duration::from_millis(100),
        replies: |requested| requested,
        boot_epoch: |epoch| epoch,
    };
}

/// The addresses mirror ours, on the datagram and in ADDR where that is found.
//= ETRUNK-010
#[must_use]
pub fn addresses(mirror: Addr, datagram: Addr, told: Option<Addr>) -> bool {
    datagram == mirror && told.is_none_or(|told| told == mirror)
}

/// The replay window. The feature must be on at both ends or at none.
//= ETRUNK-017
//= ETRUNK-018
//= ETRUNK-019
#[must_use]
pub fn sequence(enabled: bool, epoch: u64, sequence: Option<u64>, last: (u64, u64)) -> bool {
    match (enabled, sequence) {
        (true, Some(sequence)) => (epoch, sequence) > last,
        (false, None) => true,
        (true, None) | (false, Some(_)) => false,
    }
}

/// Not our own (a reflection), and the peer's since its first hello of this boot.
//= ETRUNK-020
#[must_use]
pub fn system_id(ours: [u8; 6], (theirs, epoch): Known, known: Option<Known>) -> bool {
    let changed = known.is_some_and(|(known, since)| known != theirs && epoch <= since);
    theirs != ours && !changed
}

/// Priority, and where that is equal the smaller System_ID.
//= ETRUNK-026
//= ETRUNK-027
//= ETRUNK-028
//= ETRUNK-029
#[must_use]
pub fn election(larger_wins: bool, ours: Candidate, theirs: Candidate) -> Ordering {
    let priority = ours.0.cmp(&theirs.0);
    let priority = if larger_wins {
        priority.reverse()
    } else {
        priority
    };
    priority.then(ours.1.cmp(&theirs.1))
}

/// Backup because all its members were down, though they are ready again, and not asking for its
/// role back.
//= ETRUNK-064
#[must_use]
pub fn lost_members(hello: &Hello) -> bool {
    hello.state == Role::Backup
        && hello.reason == Reason::AllMemberDown
        && hello.expected_state == Role::Backup
        && hello.members.values().any(|member| member.link_ready)
}

/// Master in a Backup whose wait is over, which asks the Master to yield.
#[must_use]
pub fn expects(role: Role, waited: bool) -> Role {
    if role == Role::Backup && waited {
        Role::Master
    } else {
        role
    }
}
