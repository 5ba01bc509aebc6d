//! What roles do to traffic: failover, revert, split, channel (BACKUP-010 to BACKUP-017,
//! BACKUP-026, BACKUP-027, BACKUP-033).

use crate::Defect;
use crate::lacp::frames::{Outgoing, at, lacpdu};
use crate::octets::{octet, put_all};
use dut_etrunk::policy::Policy as ETrunk;
use dut_wire::etrunk::MemberRole;
use std::time::Duration;

const SYNCHRONIZATION: u8 = 0x08;

/// Defects of the pair's roles.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::data(
        "backup-member-not-held",
        &["BACKUP-010", "BACKUP-022"],
        "the backup's member isn't held back, and both forward",
        |rules| rules.pair.holds = |_| false,
    ),
    Defect::data(
        "backup-never-released",
        &["BACKUP-004", "BACKUP-012", "BACKUP-013"],
        "a member that was held back once is never released",
        |rules| rules.pair.holds = |_| true,
    ),
    Defect::data(
        "backup-never-speaks",
        &["BACKUP-001"],
        "a master stays slave in RBS",
        |rules| rules.pair.speaks = |_| false,
    ),
    Defect::data(
        "backup-always-speaks",
        &["BACKUP-001"],
        "a backup is master in RBS",
        |rules| rules.pair.speaks = |_| true,
    ),
    Defect::data(
        "backup-member-down-ignored",
        &["BACKUP-013"],
        "the backup waits for the fail time when the master's member fails",
        |rules| {
            rules.etrunk.member_row = |input| {
                let mut decision = (ETrunk::STANDARD.member_row)(input);
                if decision.row == "ETRUNK-ROW-42" {
                    decision.to = MemberRole::Backup;
                }
                decision
            };
            rules.etrunk.device_row = |own, says, rank, revert| {
                let mut decision = (ETrunk::STANDARD.device_row)(own, says, rank, revert);
                if ["ETRUNK-ROW-13", "ETRUNK-ROW-20", "ETRUNK-ROW-29"].contains(&decision.row) {
                    decision.to = own;
                }
                decision
            };
        },
    ),
    Defect::data(
        "backup-flap-taken-back",
        &["BACKUP-013", "ETRUNK-061"],
        "a device that has given up Master takes an old hello for its peer's answer",
        |rules| rules.etrunk.answered = |_, _| true,
    ),
    Defect::data(
        "backup-own-hang-is-silence",
        &["ETRUNK-062"],
        "a device that stood still takes that for its peer's silence",
        |rules| rules.etrunk.stood_still = |_, _| false,
    ),
    Defect::data(
        "backup-wakes-as-before",
        &["ETRUNK-063"],
        "a device that stood still says first of all that it is what it was",
        |rules| rules.etrunk.given_up = |_, _| false,
    ),
    Defect::data(
        "backup-flap-unheard",
        &["ETRUNK-064"],
        "a Backup waits for a Master that gave up and whose links are ready again",
        |rules| rules.etrunk.lost_members = |_| false,
    ),
    Defect::data(
        "backup-told-by-period",
        &["BACKUP-013"],
        "a failed member is told by the next periodic hello",
        |rules| rules.etrunk.tells = |_, _| false,
    ),
    Defect::data(
        "backup-fail-time-doubled",
        &["BACKUP-012"],
        "a silent peer counts as failed after twice its fail time",
        |rules| {
            rules.etrunk.fail_time = |peers, local| (ETrunk::STANDARD.fail_time)(peers, local) * 2;
        },
    ),
    Defect::data(
        "backup-revert-at-once",
        &["BACKUP-014"],
        "a better device takes its role back without the revert delay",
        |rules| rules.etrunk.revert_ready = |run, gate| run.is_some() && gate,
    ),
    Defect::data(
        "backup-revert-never",
        &["BACKUP-014"],
        "a better device never takes its role back",
        |rules| rules.etrunk.revert_ready = |_, _| false,
    ),
    Defect::data(
        "backup-revert-ungated",
        &["BACKUP-014", "ETRUNK-039"],
        "a revert doesn't wait for the tables to be equal",
        |rules| rules.etrunk.revert_ready = |run, _| run == Some(true),
    ),
    Defect::data(
        "backup-gate-closed",
        &["BACKUP-014", "ETRUNK-039"],
        "the gate of a revert never opens",
        |rules| rules.pair.gate = |_| false,
    ),
    Defect::data(
        "backup-split-stays",
        &["BACKUP-018", "BACKUP-027"],
        "after a split both devices stay Master",
        |rules| {
            rules.etrunk.device_row = |own, says, rank, revert| {
                let mut decision = (ETrunk::STANDARD.device_row)(own, says, rank, revert);
                if ["ETRUNK-ROW-24", "ETRUNK-ROW-28"].contains(&decision.row) {
                    decision.to = own;
                }
                decision
            };
        },
    ),
    Defect::data(
        "backup-no-split",
        &["BACKUP-017", "ETRUNK-055"],
        "a backup that hears nothing stays Backup",
        |rules| {
            rules.etrunk.device_row = |own, says, rank, revert| {
                let mut decision = (ETrunk::STANDARD.device_row)(own, says, rank, revert);
                if decision.row == "ETRUNK-ROW-10" {
                    decision.to = own;
                }
                decision
            };
        },
    ),
    Defect::data(
        "backup-channel-not-retried",
        &["BACKUP-003"],
        "RBS waits out its back-off although hellos come again",
        |rules| rules.pair.retries = |_, _| false,
    ),
    Defect::data(
        "backup-channel-gives-up",
        &["BACKUP-026"],
        "RBS connects again after ten minutes",
        |rules| rules.rbs.back_off_next = |_| Duration::from_secs(600),
    ),
    Defect::data(
        "backup-one-port-number",
        &["BACKUP-033"],
        "both devices use the same LACP port numbers",
        |rules| rules.pair.raises_ports = |_, _| false,
    ),
    Defect::frames(
        "backup-lacp-id-follows-role",
        &["BACKUP-033"],
        "LACP's port number is raised while the member is Backup, and not while it is Master",
        || {
            Box::new(Outgoing(|_, frame| {
                let ours = frame.get(at::ACTOR + at::SYSTEM..at::ACTOR + at::SYSTEM + 6)
                    == Some(&[0x00, 0xe0, 0xfc, 0x12, 0x34, 0x55]);
                if lacpdu(frame) && ours {
                    let held = octet(frame, at::ACTOR + at::STATE) & SYNCHRONIZATION == 0;
                    put_all(frame, at::ACTOR + at::PORT, &[if held { 0x80 } else { 0 }]);
                }
                true
            }))
        },
    ),
];
