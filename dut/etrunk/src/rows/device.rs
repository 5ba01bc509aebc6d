//! Device rows: the E-Trunk's own state.

use super::{Decision, Revert, decide};
use dut_wire::etrunk::Reason;
use dut_wire::etrunk::State::{self, Backup, Initialize, Master};

/// What is known of the peer's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PeerSays {
    /// Nothing valid has been heard yet, and the local fail-time runs.
    Awaited,
    /// The fail-time has run out, or the peer has said goodbye.
    Silent,
    /// Its last hello says Initialize.
    Initialize,
    /// Its last hello says Backup.
    Backup,
    /// The same, but it still heard this device, which is Backup now, as Master: it may be taking
    /// over.
    BackupOfMaster,
    /// Its last hello says Master.
    Master,
    /// It says Master by TIMEOUT and echoes nothing, though we hear it without a gap: it can't
    /// hear us.
    DeafMaster,
}

/// How this device compares with the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// Better by priority, or by system id when the priorities are equal.
    Better,
    /// Worse by priority or system id.
    Worse,
    /// Equal in both.
    Equal,
    /// No member of the peer is link-ready, one of ours is (or we have none).
    PeerMembersDown,
    /// No member of ours is link-ready, one of the peer's is (or it has none).
    OwnMembersDown,
}

/// The device's next state.
#[must_use]
pub const fn device_row(
    own: State,
    peer: PeerSays,
    rank: Rank,
    revert: Revert,
) -> Decision<State, Reason> {
    match own {
        Initialize => from_initialize(peer, rank),
        Backup => from_backup(peer, rank),
        Master => from_master(peer, rank, revert),
    }
}

const fn from_initialize(peer: PeerSays, rank: Rank) -> Decision<State, Reason> {
    use PeerSays as P;
    use Rank as R;
    match (peer, rank) {
        // Nothing is known yet: members hold Synchronization = 0.
        //= ETRUNK-030
        (P::Awaited, _) => decide("ETRUNK-ROW-01", Initialize, Some(Reason::Init)),
        // Nobody answers.
        (P::Silent, _) => decide("ETRUNK-ROW-02", Master, Some(Reason::Timeout)),
        // Nobody is Master: the election decides at once.
        //= ETRUNK-032
        (P::Initialize | P::Backup | P::BackupOfMaster, R::Better | R::Equal) => {
            decide("ETRUNK-ROW-03", Master, Some(Reason::Pri))
        }
        (P::Initialize | P::Backup | P::BackupOfMaster, R::Worse) => {
            decide("ETRUNK-ROW-04", Backup, Some(Reason::Pri))
        }
        (P::Initialize | P::Backup | P::BackupOfMaster, R::PeerMembersDown) => {
            decide("ETRUNK-ROW-05", Master, Some(Reason::AllMemberDown))
        }
        (P::Initialize | P::Backup | P::BackupOfMaster, R::OwnMembersDown) => {
            decide("ETRUNK-ROW-06", Backup, Some(Reason::AllMemberDown))
        }
        // A full tie makes two Masters.
        (P::Master | P::DeafMaster, R::Equal) => decide("ETRUNK-ROW-07", Master, Some(Reason::Pri)),
        // Booted beside a Master: the revert rules decide later.
        (
            P::Master | P::DeafMaster,
            R::Better | R::Worse | R::PeerMembersDown | R::OwnMembersDown,
        ) => decide("ETRUNK-ROW-08", Backup, Some(Reason::Pri)),
    }
}

const fn from_backup(peer: PeerSays, rank: Rank) -> Decision<State, Reason> {
    use PeerSays as P;
    use Rank as R;
    match (peer, rank) {
        // Does not occur: Initialize is left by a hello or by the fail-time.
        (P::Awaited, _) => decide("ETRUNK-ROW-09", Backup, None),
        //= ETRUNK-034
        //= ETRUNK-055
        (P::Silent, _) => decide("ETRUNK-ROW-10", Master, Some(Reason::Timeout)),
        // Nobody is Master: also the second half of a revert.
        (P::Initialize | P::Backup, R::Better | R::Equal) => {
            decide("ETRUNK-ROW-11", Master, Some(Reason::Pri))
        }
        // Given up, and the peer hasn't answered that yet: its answer is waited for, or both would
        // be Master and the peer, which has the table, would yield.
        //= ETRUNK-061
        (P::BackupOfMaster, R::Better | R::Equal) => decide("ETRUNK-ROW-30", Backup, None),
        (P::Initialize | P::Backup | P::BackupOfMaster, R::Worse) => {
            decide("ETRUNK-ROW-12", Backup, None)
        }
        (P::Initialize | P::Backup | P::BackupOfMaster, R::PeerMembersDown) => {
            decide("ETRUNK-ROW-13", Master, Some(Reason::AllMemberDown))
        }
        (P::Initialize | P::Backup | P::BackupOfMaster, R::OwnMembersDown) => {
            decide("ETRUNK-ROW-14", Backup, None)
        }
        (P::Master | P::DeafMaster, R::Equal) => decide("ETRUNK-ROW-15", Master, Some(Reason::Pri)),
        // Better, but the peer serves: the revert delay runs; when it has, the peer is asked.
        (P::Master | P::DeafMaster, R::Better) => decide("ETRUNK-ROW-16", Backup, None),
        // A Master without members yields by itself (row 20), never by force.
        (P::Master | P::DeafMaster, R::Worse | R::PeerMembersDown | R::OwnMembersDown) => {
            decide("ETRUNK-ROW-17", Backup, None)
        }
    }
}

const fn from_master(peer: PeerSays, rank: Rank, revert: Revert) -> Decision<State, Reason> {
    use PeerSays as P;
    use Rank as R;
    match (peer, rank, revert) {
        (P::Awaited | P::Silent, _, _) => decide("ETRUNK-ROW-18", Master, None),
        // A booting peer, better or not, goes Backup when it hears this Master (row 08).
        (P::Initialize, R::Better | R::Worse | R::Equal | R::PeerMembersDown, _) => {
            decide("ETRUNK-ROW-19", Master, None)
        }
        //= ETRUNK-047
        (P::Initialize | P::Backup | P::BackupOfMaster, R::OwnMembersDown, _) => {
            decide("ETRUNK-ROW-20", Backup, Some(Reason::AllMemberDown))
        }
        (P::Backup | P::BackupOfMaster, R::Better | R::Equal | R::PeerMembersDown, _) => {
            decide("ETRUNK-ROW-21", Master, None)
        }
        (P::Backup | P::BackupOfMaster, R::Worse, Revert::Waiting) => {
            decide("ETRUNK-ROW-22", Master, None)
        }
        // Break before make: this device yields first, the better one follows by row 11.
        //= ETRUNK-040
        (P::Backup | P::BackupOfMaster, R::Worse, Revert::Ready) => {
            decide("ETRUNK-ROW-23", Backup, Some(Reason::Pri))
        }
        // The peer can't hear us and so won't yield: one of the two must.
        //= ETRUNK-035
        (P::DeafMaster, R::Better | R::Worse | R::OwnMembersDown, _) => {
            decide("ETRUNK-ROW-24", Backup, Some(Reason::PeerTimeout))
        }
        // Two Masters, as after a split.
        (P::Master | P::DeafMaster, R::PeerMembersDown, _) => decide("ETRUNK-ROW-25", Master, None),
        (P::Master | P::DeafMaster, R::Equal, _) => decide("ETRUNK-ROW-26", Master, None),
        (P::Master, R::Better, _) => decide("ETRUNK-ROW-27", Master, None),
        (P::Master, R::Worse, _) => decide("ETRUNK-ROW-28", Backup, Some(Reason::Pri)),
        (P::Master, R::OwnMembersDown, _) => {
            decide("ETRUNK-ROW-29", Backup, Some(Reason::AllMemberDown))
        }
    }
}
