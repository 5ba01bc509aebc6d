//! One test a row, named by it; then what must hold over all inputs.

use super::*;
use dut_wire::etrunk::State::{Backup, Initialize, Master};
use dut_wire::etrunk::{MemberReason as Why, MemberRole, Reason, State, WorkMode};
use std::collections::BTreeSet;

const STATES: [State; 3] = [Initialize, Backup, Master];
const SAYS: [PeerSays; 7] = [
    PeerSays::Awaited,
    PeerSays::Silent,
    PeerSays::Initialize,
    PeerSays::Backup,
    PeerSays::BackupOfMaster,
    PeerSays::Master,
    PeerSays::DeafMaster,
];
const RANKS: [Rank; 5] = [
    Rank::Better,
    Rank::Worse,
    Rank::Equal,
    Rank::PeerMembersDown,
    Rank::OwnMembersDown,
];
const REVERTS: [Revert; 2] = [Revert::Waiting, Revert::Ready];

/// A device row: own state, what the peer says, ranks → next state, causation.
macro_rules! device {
    ($($name:ident $id:literal: $own:ident, [$($says:ident)+], [$($rank:ident)+], $revert:expr
        => $to:ident, $why:expr;)+) => {
        $(#[test]
        fn $name() {
            for says in [$(PeerSays::$says),+] {
                for rank in [$(Rank::$rank),+] {
                    for revert in $revert {
                        let expected = Decision { row: $id, to: $to, causation: $why };
                        assert_eq!(device_row($own, says, rank, revert), expected);
                    }
                }
            }
        })+
    };
}

device! {
    row_01_initialize_awaits_the_peer "ETRUNK-ROW-01":
        Initialize, [Awaited], [Better Worse Equal PeerMembersDown OwnMembersDown], REVERTS
        => Initialize, Some(Reason::Init);
    row_02_initialize_hears_nobody "ETRUNK-ROW-02":
        Initialize, [Silent], [Better Worse Equal PeerMembersDown OwnMembersDown], REVERTS
        => Master, Some(Reason::Timeout);
    row_03_initialize_wins_the_election "ETRUNK-ROW-03":
        Initialize, [Initialize Backup BackupOfMaster], [Better Equal], REVERTS
        => Master, Some(Reason::Pri);
    row_04_initialize_loses_the_election "ETRUNK-ROW-04":
        Initialize, [Initialize Backup BackupOfMaster], [Worse], REVERTS
        => Backup, Some(Reason::Pri);
    row_05_initialize_beside_a_peer_without_members "ETRUNK-ROW-05":
        Initialize, [Initialize Backup BackupOfMaster], [PeerMembersDown], REVERTS
        => Master, Some(Reason::AllMemberDown);
    row_06_initialize_without_members "ETRUNK-ROW-06":
        Initialize, [Initialize Backup BackupOfMaster], [OwnMembersDown], REVERTS
        => Backup, Some(Reason::AllMemberDown);
    row_07_initialize_in_a_full_tie_beside_a_master "ETRUNK-ROW-07":
        Initialize, [Master DeafMaster], [Equal], REVERTS => Master, Some(Reason::Pri);
    row_08_initialize_beside_a_master "ETRUNK-ROW-08":
        Initialize, [Master DeafMaster], [Better Worse PeerMembersDown OwnMembersDown], REVERTS
        => Backup, Some(Reason::Pri);
    row_09_backup_awaits_nobody "ETRUNK-ROW-09":
        Backup, [Awaited], [Better Worse Equal PeerMembersDown OwnMembersDown], REVERTS
        => Backup, None;
    row_10_backup_times_out "ETRUNK-ROW-10":
        Backup, [Silent], [Better Worse Equal PeerMembersDown OwnMembersDown], REVERTS
        => Master, Some(Reason::Timeout);
    row_11_backup_better_without_a_master "ETRUNK-ROW-11":
        Backup, [Initialize Backup], [Better Equal], REVERTS => Master, Some(Reason::Pri);
    row_30_backup_better_without_an_answer "ETRUNK-ROW-30":
        Backup, [BackupOfMaster], [Better Equal], REVERTS => Backup, None;
    row_12_backup_worse_without_a_master "ETRUNK-ROW-12":
        Backup, [Initialize Backup BackupOfMaster], [Worse], REVERTS => Backup, None;
    row_13_backup_beside_a_peer_without_members "ETRUNK-ROW-13":
        Backup, [Initialize Backup BackupOfMaster], [PeerMembersDown], REVERTS
        => Master, Some(Reason::AllMemberDown);
    row_14_backup_without_members "ETRUNK-ROW-14":
        Backup, [Initialize Backup BackupOfMaster], [OwnMembersDown], REVERTS => Backup, None;
    row_15_backup_in_a_full_tie "ETRUNK-ROW-15":
        Backup, [Master DeafMaster], [Equal], REVERTS => Master, Some(Reason::Pri);
    row_16_backup_better_waits "ETRUNK-ROW-16":
        Backup, [Master DeafMaster], [Better], REVERTS => Backup, None;
    row_17_backup_beside_a_master "ETRUNK-ROW-17":
        Backup, [Master DeafMaster], [Worse PeerMembersDown OwnMembersDown], REVERTS
        => Backup, None;
    row_18_master_alone "ETRUNK-ROW-18":
        Master, [Awaited Silent], [Better Worse Equal PeerMembersDown OwnMembersDown], REVERTS
        => Master, None;
    row_19_master_beside_a_booting_peer "ETRUNK-ROW-19":
        Master, [Initialize], [Better Worse Equal PeerMembersDown], REVERTS => Master, None;
    row_20_master_loses_its_last_member "ETRUNK-ROW-20":
        Master, [Initialize Backup BackupOfMaster], [OwnMembersDown], REVERTS
        => Backup, Some(Reason::AllMemberDown);
    row_21_master_better_beside_a_backup "ETRUNK-ROW-21":
        Master, [Backup BackupOfMaster], [Better Equal PeerMembersDown], REVERTS => Master, None;
    row_22_master_worse_until_the_wait_is_over "ETRUNK-ROW-22":
        Master, [Backup BackupOfMaster], [Worse], [Revert::Waiting] => Master, None;
    row_23_master_worse_yields "ETRUNK-ROW-23":
        Master, [Backup BackupOfMaster], [Worse], [Revert::Ready] => Backup, Some(Reason::Pri);
    row_24_master_yields_to_a_deaf_master "ETRUNK-ROW-24":
        Master, [DeafMaster], [Better Worse OwnMembersDown], REVERTS
        => Backup, Some(Reason::PeerTimeout);
    row_25_master_beside_a_master_without_members "ETRUNK-ROW-25":
        Master, [Master DeafMaster], [PeerMembersDown], REVERTS => Master, None;
    row_26_two_masters_in_a_full_tie "ETRUNK-ROW-26":
        Master, [Master DeafMaster], [Equal], REVERTS => Master, None;
    row_27_the_better_of_two_masters_stays "ETRUNK-ROW-27":
        Master, [Master], [Better], REVERTS => Master, None;
    row_28_the_worse_of_two_masters_yields "ETRUNK-ROW-28":
        Master, [Master], [Worse], REVERTS => Backup, Some(Reason::Pri);
    row_29_a_master_without_members_yields_to_a_master "ETRUNK-ROW-29":
        Master, [Master], [OwnMembersDown], REVERTS => Backup, Some(Reason::AllMemberDown);
}

fn device_inputs() -> Vec<(State, PeerSays, Rank, Revert)> {
    let mut inputs = Vec::new();
    for own in STATES {
        for says in SAYS {
            for rank in RANKS {
                inputs.extend(REVERTS.map(|revert| (own, says, rank, revert)));
            }
        }
    }
    inputs
}

#[test]
fn the_device_rows_are_30_and_each_holds_somewhere() {
    let rows: BTreeSet<&str> = device_inputs()
        .into_iter()
        .map(|(own, says, rank, revert)| device_row(own, says, rank, revert).row)
        .collect();
    let expected: BTreeSet<String> = (1..=30).map(|n| format!("ETRUNK-ROW-{n:02}")).collect();
    assert!(rows.iter().copied().eq(expected.iter().map(String::as_str)));
}

#[test]
fn initialize_is_never_entered() {
    for (own, says, rank, revert) in device_inputs() {
        let to = device_row(own, says, rank, revert).to;
        assert!(to != Initialize || (own == Initialize && says == PeerSays::Awaited));
    }
}

#[test]
fn nobody_takes_the_mastership_from_a_master() {
    for (own, says, rank, revert) in device_inputs() {
        let master = matches!(says, PeerSays::Master | PeerSays::DeafMaster);
        let to = device_row(own, says, rank, revert).to;
        if master && own != Master && rank != Rank::Equal {
            assert_eq!(to, Backup, "{own} {says:?} {rank:?}");
        }
    }
}

const ROLES: [MemberRole; 2] = [MemberRole::Backup, MemberRole::Master];
const UP: [PeerMember; 4] = [
    PeerMember::Backup,
    PeerMember::Waiting,
    PeerMember::Master,
    PeerMember::ForcedMaster,
];
const ALL: [PeerMember; 8] = [
    PeerMember::Unknown,
    PeerMember::Negotiating,
    PeerMember::Silent,
    PeerMember::Down,
    PeerMember::Backup,
    PeerMember::Waiting,
    PeerMember::Master,
    PeerMember::ForcedMaster,
];
const BOTH: [bool; 2] = [false, true];

/// A member row under one last causation: device, modes, link-ready, own roles, peer's members,
/// reverts → role, causation.
macro_rules! member {
    ($($name:ident $id:literal: $device:expr, $modes:expr, $ready:expr, $own:expr, $peer:expr,
        $revert:expr, after $last:ident => $to:ident, $why:expr;)+) => {
        $(#[test]
        fn $name() {
            for device in $device {
                for work_mode in $modes {
                    for link_ready in $ready {
                        for own in $own {
                            for peer in $peer {
                                for revert in $revert {
                                    let input = MemberInput {
                                        device, work_mode, link_ready, own,
                                        causation: Why::$last, peer, revert,
                                    };
                                    let expected = Decision {
                                        row: $id, to: MemberRole::$to, causation: $why,
                                    };
                                    assert_eq!(member_row(input), expected, "{input:?}");
                                }
                            }
                        }
                    }
                }
            }
        })+
    };
}

use MemberRole::{Backup as B, Master as M};
use PeerMember as P;
use WorkMode::{Auto, ForceBackup, ForceMaster};

member! {
    row_31_initialize_holds_every_member "ETRUNK-ROW-31":
        [Initialize], [Auto, ForceBackup, ForceMaster], BOTH, ROLES, ALL, REVERTS,
        after ETrunkMaster => Backup, Some(Why::ETrunkInit);
    row_32_force_master "ETRUNK-ROW-32":
        [Backup, Master], [ForceMaster], BOTH, ROLES, ALL, REVERTS,
        after ETrunkBackup => Master, Some(Why::ForceMaster);
    row_33_force_backup "ETRUNK-ROW-33":
        [Backup, Master], [ForceBackup], BOTH, ROLES, ALL, REVERTS,
        after ETrunkMaster => Backup, Some(Why::ForceBackup);
    row_34_master_without_a_peer_member "ETRUNK-ROW-34":
        [Master], [Auto], BOTH, ROLES, [P::Unknown, P::Negotiating], REVERTS,
        after ETrunkInit => Master, Some(Why::ETrunkMaster);
    row_35_master_beside_a_faulty_peer_member "ETRUNK-ROW-35":
        [Master], [Auto], BOTH, ROLES, [P::Silent, P::Down], REVERTS,
        after ETrunkBackup => Master, Some(Why::PeerMemberDown);
    row_36_master_without_its_link "ETRUNK-ROW-36":
        [Master], [Auto], [false], ROLES, UP, REVERTS,
        after ETrunkMaster => Backup, Some(Why::PeerMemberUp);
    row_37_master_takes_its_member "ETRUNK-ROW-37":
        [Master], [Auto], [true], [B], [P::Backup, P::Waiting, P::ForcedMaster], REVERTS,
        after PeerMemberUp => Master, Some(Why::ETrunkMaster);
    row_38_master_keeps_its_member "ETRUNK-ROW-38":
        [Master], [Auto], [true], [M], [P::Backup, P::Waiting, P::ForcedMaster], REVERTS,
        after ETrunkMaster => Master, Some(Why::ETrunkMaster);
    row_38_master_sees_the_peer_member_return "ETRUNK-ROW-38":
        [Master], [Auto], [true], [M], [P::Backup, P::Waiting, P::ForcedMaster], REVERTS,
        after PeerMemberDown => Master, Some(Why::PeerMemberUp);
    row_39_master_beside_a_master_member "ETRUNK-ROW-39":
        [Master], [Auto], [true], [M], [P::Master], REVERTS,
        after ETrunkMaster => Master, None;
    row_40_master_waits_for_a_serving_member "ETRUNK-ROW-40":
        [Master], [Auto], [true], [B], [P::Master], REVERTS,
        after PeerMemberUp => Backup, Some(Why::PeerMemberUp);
    row_41_backup_without_a_peer_member "ETRUNK-ROW-41":
        [Backup], [Auto], BOTH, ROLES, [P::Unknown, P::Negotiating, P::Silent], REVERTS,
        after ETrunkInit => Backup, Some(Why::ETrunkBackup);
    row_42_backup_serves_for_a_faulty_member "ETRUNK-ROW-42":
        [Backup], [Auto], [true], ROLES, [P::Down], REVERTS,
        after ETrunkBackup => Master, Some(Why::PeerMemberDown);
    row_43_backup_can_not_serve "ETRUNK-ROW-43":
        [Backup], [Auto], [false], ROLES, [P::Down], REVERTS,
        after PeerMemberDown => Backup, Some(Why::ETrunkBackup);
    row_44_backup_stays "ETRUNK-ROW-44":
        [Backup], [Auto], BOTH, [B], UP, REVERTS,
        after ETrunkBackup => Backup, Some(Why::ETrunkBackup);
    row_44_backup_loses_its_link "ETRUNK-ROW-44":
        [Backup], [Auto], [false], [M], UP, REVERTS,
        after PeerMemberDown => Backup, Some(Why::PeerMemberUp);
    row_45_backup_beside_a_master_member "ETRUNK-ROW-45":
        [Backup], [Auto], [true], [M], [P::Master, P::ForcedMaster], REVERTS,
        after PeerMemberDown => Backup, Some(Why::PeerMemberUp);
    row_46_the_yielding_device_breaks_first "ETRUNK-ROW-46":
        [Backup], [Auto], [true], [M], [P::Backup], REVERTS,
        after ETrunkMaster => Backup, Some(Why::ETrunkBackup);
    row_47_the_serving_member_stays_until_the_wait_is_over "ETRUNK-ROW-47":
        [Backup], [Auto], [true], [M], [P::Waiting], [Revert::Waiting],
        after PeerMemberDown => Master, None;
    row_48_the_serving_member_yields "ETRUNK-ROW-48":
        [Backup], [Auto], [true], [M], [P::Waiting], [Revert::Ready],
        after PeerMemberDown => Backup, Some(Why::PeerMemberUp);
}

#[test]
fn the_member_rows_are_18_and_each_holds_somewhere() {
    let mut rows = BTreeSet::new();
    for device in STATES {
        for work_mode in [Auto, ForceBackup, ForceMaster] {
            for link_ready in BOTH {
                for own in ROLES {
                    for peer in ALL {
                        rows.extend(REVERTS.map(|revert| {
                            member_row(MemberInput {
                                device,
                                work_mode,
                                link_ready,
                                own,
                                causation: Why::ETrunkInit,
                                peer,
                                revert,
                            })
                            .row
                        }));
                    }
                }
            }
        }
    }
    let expected: BTreeSet<String> = (31..=48).map(|n| format!("ETRUNK-ROW-{n}")).collect();
    assert!(rows.iter().copied().eq(expected.iter().map(String::as_str)));
}
