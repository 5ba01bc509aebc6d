//! The member's role (ETRUNK-041 to ETRUNK-048).

use super::RIGHT;
use crate::Defect;
use crate::etrunk::frames::Says;
use dut_etrunk::rows::{Decision, MemberInput};
use dut_wire::etrunk::{MemberReason, MemberRole};

/// The member rows with another decision where this row holds.
macro_rules! row {
    ($row:literal, $change:expr) => {
        |rules| {
            rules.etrunk.member_row = |input| {
                let mut decision = (RIGHT.member_row)(input);
                if decision.row == $row {
                    let change: fn(&mut Decision<MemberRole, MemberReason>, MemberInput) = $change;
                    change(&mut decision, input);
                }
                decision
            };
        }
    };
}

/// Defects of the member's role.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::data(
        "etrunk-member-serves-in-initialize",
        &["ETRUNK-031"],
        "members are Master while the device is in Initialize",
        row!("ETRUNK-ROW-31", |decision, _| decision.to =
            MemberRole::Master),
    ),
    Defect::data(
        "etrunk-force-master-ignored",
        &["ETRUNK-044"],
        "a member in force-master follows the device's role",
        |rules| {
            rules.etrunk.member_row = |input| {
                let auto = MemberInput {
                    work_mode: dut_etrunk::WorkMode::Auto,
                    ..input
                };
                if input.work_mode == dut_etrunk::WorkMode::ForceMaster {
                    (RIGHT.member_row)(auto)
                } else {
                    (RIGHT.member_row)(input)
                }
            };
        },
    ),
    Defect::data(
        "etrunk-force-backup-ignored",
        &["ETRUNK-044"],
        "a member in force-backup is Master on a Master",
        row!("ETRUNK-ROW-33", |decision, input| {
            if input.device == dut_etrunk::Role::Master {
                decision.to = MemberRole::Master;
            }
        }),
    ),
    Defect::data(
        "etrunk-force-reason-lost",
        &["ETRUNK-044"],
        "a forced member gives ETRUNK_MASTER as its reason",
        row!("ETRUNK-ROW-32", |decision, _| decision.causation =
            Some(MemberReason::ETrunkMaster)),
    ),
    Defect::data(
        "etrunk-peer-member-down-ignored",
        &["ETRUNK-042"],
        "a Backup's member doesn't take over when the peer's fails",
        row!("ETRUNK-ROW-42", |decision, _| decision.to =
            MemberRole::Backup),
    ),
    Defect::data(
        "etrunk-peer-member-down-reason",
        &["ETRUNK-042"],
        "a Backup's member that takes over gives ETRUNK_MASTER as its reason",
        row!("ETRUNK-ROW-42", |decision, _| decision.causation =
            Some(MemberReason::ETrunkMaster)),
    ),
    Defect::data(
        "etrunk-member-keeps-serving",
        &["ETRUNK-043"],
        "a Backup's member never goes back",
        row!("ETRUNK-ROW-48", |decision, _| decision.to =
            MemberRole::Master),
    ),
    Defect::data(
        "etrunk-member-back-at-once",
        &["ETRUNK-043"],
        "a Backup's member goes back at once when the peer's is repaired",
        row!("ETRUNK-ROW-47", |decision, _| decision.to =
            MemberRole::Backup),
    ),
    Defect::data(
        "etrunk-member-without-link-serves",
        &["ETRUNK-041", "ETRUNK-047"],
        "a Master's member stays Master without a link, though the peer's could serve",
        row!("ETRUNK-ROW-36", |decision, _| decision.to =
            MemberRole::Master),
    )
    .survives(
        "With one member an E-Trunk, which is what a node builds, the device itself becomes \
         Backup in the same instant (ETRUNK-ROW-20, ETRUNK-ROW-29)",
    ),
    Defect::data(
        "etrunk-split-members-stay",
        &["ETRUNK-045"],
        "of two Master members the one on the Backup device doesn't yield",
        row!("ETRUNK-ROW-45", |decision, _| decision.to =
            MemberRole::Master),
    ),
    Defect::data(
        "etrunk-ready-is-up",
        &["ETRUNK-048"],
        "link-ready is told as the Eth-Trunk's operational state",
        |rules| rules.etrunk.link_ready = |status| status.oper_up,
    ),
    Defect::frames(
        "etrunk-up-is-ready",
        &["ETRUNK-048"],
        "the operational state is told as link-ready",
        || {
            Box::new(Says(|hello| {
                for member in hello.members.values_mut() {
                    member.oper_up = member.link_ready;
                }
            }))
        },
    ),
    Defect::data(
        "etrunk-always-ready",
        &["ETRUNK-047", "ETRUNK-048"],
        "a member is always told as ready",
        |rules| rules.etrunk.link_ready = |_| true,
    ),
    Defect::data(
        "etrunk-negotiating-is-down",
        &["ETRUNK-042"],
        "members that still negotiate after a boot count as down",
        |rules| rules.etrunk.settled = |_, _| true,
    ),
    Defect::frames(
        "etrunk-reason-of-the-role",
        &["ETRUNK-043"],
        "a member's reason is always that of the device",
        || {
            Box::new(Says(|hello| {
                for member in hello.members.values_mut() {
                    member.reason = match member.role {
                        MemberRole::Backup => MemberReason::ETrunkBackup,
                        MemberRole::Master => MemberReason::ETrunkMaster,
                    };
                }
            }))
        },
    ),
];
