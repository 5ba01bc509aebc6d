//! Member rows: the role of one Eth-Trunk.

use super::{Decision, Revert, decide};
use dut_wire::etrunk::MemberReason as Why;
use dut_wire::etrunk::MemberRole::{Backup, Master};
use dut_wire::etrunk::{MemberRole, State, WorkMode};

/// What is known of the peer's member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PeerMember {
    /// The peer has no such member, or was never heard.
    Unknown,
    /// It was never link-ready since both devices booted, and the local fail-time runs.
    Negotiating,
    /// The peer was heard once and no longer is.
    Silent,
    /// It is not link-ready, or holds itself back by `force-backup`.
    Down,
    /// Link-ready and Backup on a device that is Backup too.
    Backup,
    /// Link-ready and Backup on a device that is Master or boots: it waits for ours to yield.
    Waiting,
    /// Link-ready and Master by the rules.
    Master,
    /// Link-ready and Master by `force-master`: it never yields.
    ForcedMaster,
}

/// What the member rows read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberInput {
    /// The device's state, after the device rows.
    pub device: State,
    /// `e-trunk mode`.
    pub work_mode: WorkMode,
    /// Whether our Eth-Trunk could carry traffic.
    pub link_ready: bool,
    /// The role until now.
    pub own: MemberRole,
    /// The causation until now.
    pub causation: Why,
    /// The peer's member.
    pub peer: PeerMember,
    /// Whether the member's own wait is over.
    pub revert: Revert,
}

/// The member's next role.
#[must_use]
pub const fn member_row(input: MemberInput) -> Decision<MemberRole, Why> {
    match (input.device, input.work_mode) {
        //= ETRUNK-031
        (State::Initialize, WorkMode::Auto | WorkMode::ForceBackup | WorkMode::ForceMaster) => {
            decide("ETRUNK-ROW-31", Backup, Some(Why::ETrunkInit))
        }
        //= ETRUNK-044
        //= ETRUNK-045
        (State::Backup | State::Master, WorkMode::ForceMaster) => {
            decide("ETRUNK-ROW-32", Master, Some(Why::ForceMaster))
        }
        (State::Backup | State::Master, WorkMode::ForceBackup) => {
            decide("ETRUNK-ROW-33", Backup, Some(Why::ForceBackup))
        }
        (State::Master, WorkMode::Auto) => auto_on_master(input),
        (State::Backup, WorkMode::Auto) => auto_on_backup(input),
    }
}

/// Auto, E-Trunk Master: the member is Master, unless the peer's one serves in its place.
const fn auto_on_master(input: MemberInput) -> Decision<MemberRole, Why> {
    use PeerMember as P;
    match (input.link_ready, input.peer, input.own) {
        (_, P::Unknown | P::Negotiating, _) => {
            decide("ETRUNK-ROW-34", Master, Some(Why::ETrunkMaster))
        }
        (_, P::Silent | P::Down, _) => decide("ETRUNK-ROW-35", Master, Some(Why::PeerMemberDown)),
        // Lost its link: the peer's member may serve.
        //= ETRUNK-041
        //= ETRUNK-046
        (false, P::Backup | P::Waiting | P::Master | P::ForcedMaster, _) => {
            decide("ETRUNK-ROW-36", Backup, Some(Why::PeerMemberUp))
        }
        (true, P::Backup | P::Waiting | P::ForcedMaster, Backup) => {
            decide("ETRUNK-ROW-37", Master, Some(Why::ETrunkMaster))
        }
        (true, P::Backup | P::Waiting | P::ForcedMaster, Master) => {
            let why = peer_is_up(input.causation, Why::ETrunkMaster);
            decide("ETRUNK-ROW-38", Master, Some(why))
        }
        // Two Masters, as after a split: the peer's one yields (row 45).
        (true, P::Master, Master) => decide("ETRUNK-ROW-39", Master, None),
        // Repaired, but the peer's member serves: wait until it has yielded (row 48).
        (true, P::Master, Backup) => decide("ETRUNK-ROW-40", Backup, Some(Why::PeerMemberUp)),
    }
}

/// Auto, E-Trunk Backup: the member is Backup, unless the peer's one is faulty.
const fn auto_on_backup(input: MemberInput) -> Decision<MemberRole, Why> {
    use PeerMember as P;
    let up = peer_is_up(input.causation, Why::ETrunkBackup);
    match (input.link_ready, input.peer, input.own, input.revert) {
        (_, P::Unknown | P::Negotiating | P::Silent, _, _) => {
            decide("ETRUNK-ROW-41", Backup, Some(Why::ETrunkBackup))
        }
        //= ETRUNK-042
        (true, P::Down, _, _) => decide("ETRUNK-ROW-42", Master, Some(Why::PeerMemberDown)),
        (false, P::Down, _, _) => decide("ETRUNK-ROW-43", Backup, Some(Why::ETrunkBackup)),
        (false, P::Backup | P::Waiting | P::Master | P::ForcedMaster, _, _)
        | (true, P::Backup | P::Waiting | P::Master | P::ForcedMaster, Backup, _) => {
            decide("ETRUNK-ROW-44", Backup, Some(up))
        }
        // Two Masters: the one on the Backup device yields.
        (true, P::Master | P::ForcedMaster, Master, _) => decide("ETRUNK-ROW-45", Backup, Some(up)),
        // The device has just yielded (row 23): its member breaks before the peer's one makes.
        (true, P::Backup, Master, _) => decide("ETRUNK-ROW-46", Backup, Some(Why::ETrunkBackup)),
        // The peer's member is repaired and waits.
        (true, P::Waiting, Master, Revert::Waiting) => decide("ETRUNK-ROW-47", Master, None),
        //= ETRUNK-043
        (true, P::Waiting, Master, Revert::Ready) => {
            decide("ETRUNK-ROW-48", Backup, Some(Why::PeerMemberUp))
        }
    }
}

/// The causation while the peer's member is up: PEER_MEMBER_UP after it was down, else `base`.
const fn peer_is_up(last: Why, base: Why) -> Why {
    match last {
        Why::PeerMemberDown | Why::PeerMemberUp => Why::PeerMemberUp,
        Why::ForceBackup
        | Why::ForceMaster
        | Why::ETrunkInit
        | Why::ETrunkBackup
        | Why::ETrunkMaster => base,
    }
}
