//! The device's role (ETRUNK-026 to ETRUNK-040, ETRUNK-046, ETRUNK-047, ETRUNK-055, ETRUNK-057).

use super::{RIGHT, device};
use crate::Defect;
use dut_etrunk::Role;
use dut_etrunk::rows::{Decision, Revert};
use dut_wire::etrunk::Reason;
use std::cmp::Ordering;
use std::time::Duration;

/// The device rows with another decision where this row holds.
macro_rules! row {
    ($row:literal, $change:expr) => {
        |rules| {
            rules.etrunk.device_row = |own, says, rank, revert| {
                let mut decision = device(own, says, rank, revert);
                if decision.row == $row {
                    let change: fn(&mut Decision<Role, Reason>, Role) = $change;
                    change(&mut decision, own);
                }
                decision
            };
        }
    };
}

/// Defects of the device's role.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::data(
        "etrunk-larger-priority-wins",
        &["ETRUNK-026"],
        "the larger Priority wins whatever is configured",
        |rules| {
            rules.etrunk.election = |_, ours, theirs| (RIGHT.election)(true, ours, theirs);
        },
    )
    .seen("a reading that the vendor's own example suggests"),
    Defect::data(
        "etrunk-larger-wins-ignored",
        &["ETRUNK-029"],
        "the smaller Priority wins on a testbed where the larger should",
        |rules| {
            rules.etrunk.election = |_, ours, theirs| (RIGHT.election)(false, ours, theirs);
        },
    ),
    Defect::data(
        "etrunk-system-id-first",
        &["ETRUNK-026"],
        "System_ID is compared before Priority",
        |rules| {
            rules.etrunk.election = |larger_wins, ours, theirs| {
                ours.1
                    .cmp(&theirs.1)
                    .then((RIGHT.election)(larger_wins, ours, theirs))
            };
        },
    ),
    Defect::data(
        "etrunk-larger-system-id-wins",
        &["ETRUNK-027"],
        "of equal priorities the larger System_ID wins",
        |rules| {
            rules.etrunk.election = |larger_wins, ours, theirs| {
                let priority = (RIGHT.election)(larger_wins, (ours.0, [0; 6]), (theirs.0, [0; 6]));
                priority.then(theirs.1.cmp(&ours.1))
            };
        },
    ),
    Defect::data(
        "etrunk-tie-rule-by-testbed",
        &["ETRUNK-029", "ETRUNK-027"],
        "where the larger Priority wins, the larger System_ID does too",
        |rules| {
            rules.etrunk.election = |larger_wins, ours, theirs| {
                let order = ours.cmp(&theirs);
                if larger_wins { order.reverse() } else { order }
            };
        },
    ),
    Defect::data(
        "etrunk-full-tie-is-backup",
        &["ETRUNK-028"],
        "a device that hears nothing valid in a full tie stays Backup",
        |rules| {
            rules.etrunk.system_id = |_, _, _| true;
            rules.etrunk.election =
                |larger_wins, ours, theirs| match (RIGHT.election)(larger_wins, ours, theirs) {
                    Ordering::Equal => Ordering::Greater,
                    order @ (Ordering::Less | Ordering::Greater) => order,
                };
        },
    ),
    Defect::data(
        "etrunk-boots-as-master",
        &["ETRUNK-030", "ETRUNK-031"],
        "a device is Master from its boot on",
        row!("ETRUNK-ROW-01", |decision, _| decision.to = Role::Master),
    ),
    Defect::data(
        "etrunk-initialize-for-ever",
        &["ETRUNK-030", "ETRUNK-055"],
        "a device that hears nobody never leaves Initialize",
        row!("ETRUNK-ROW-02", |decision, own| decision.to = own),
    ),
    Defect::data(
        "etrunk-timeout-said-as-pri",
        &["ETRUNK-034"],
        "a takeover after a timeout gives PRI as its reason",
        row!("ETRUNK-ROW-10", |decision, _| decision.causation =
            Some(Reason::Pri)),
    ),
    Defect::data(
        "etrunk-no-takeover",
        &["ETRUNK-034", "ETRUNK-057"],
        "a Backup whose peer is silent stays Backup",
        row!("ETRUNK-ROW-10", |decision, _| decision.to = Role::Backup),
    ),
    Defect::data(
        "etrunk-preempts",
        &["ETRUNK-032", "ETRUNK-037"],
        "a better device takes over at once beside a Master",
        row!("ETRUNK-ROW-16", |decision, _| decision.to = Role::Master),
    ),
    Defect::data(
        "etrunk-boots-over-a-master",
        &["ETRUNK-032"],
        "a device that boots beside a Master becomes Master too",
        row!("ETRUNK-ROW-08", |decision, _| decision.to = Role::Master),
    ),
    Defect::data(
        "etrunk-own-fail-time",
        &["ETRUNK-033"],
        "silence is measured by the own fail time",
        |rules| rules.etrunk.fail_time = |_, local| local,
    ),
    Defect::data(
        "etrunk-longer-fail-time",
        &["ETRUNK-033"],
        "silence is measured by the longer fail time of both",
        |rules| {
            rules.etrunk.fail_time = |peers, local| peers.map_or(local, |peers| peers.max(local));
        },
    ),
    Defect::data(
        "etrunk-no-fail-time-is-default",
        &["ETRUNK-033"],
        "a peer that says no Fail_Time has the default of 20 s",
        |rules| {
            rules.etrunk.fail_time = |peers, _| peers.unwrap_or(Duration::from_secs(20));
        },
    ),
    Defect::data(
        "etrunk-timeout-a-period-late",
        &["ETRUNK-033", "ETRUNK-034"],
        "silence counts a second after the fail time",
        |rules| {
            rules.etrunk.fail_time =
                |peers, local| (RIGHT.fail_time)(peers, local) + Duration::from_secs(1);
        },
    ),
    Defect::data(
        "etrunk-deaf-at-once",
        &["ETRUNK-035"],
        "a Master yields at the first hello that echoes nothing",
        |rules| rules.etrunk.deaf_periods = 0,
    ),
    Defect::data(
        "etrunk-never-yields-to-the-deaf",
        &["ETRUNK-035"],
        "a Master doesn't yield to a peer that can't hear it",
        row!("ETRUNK-ROW-24", |decision, own| {
            decision.to = own;
            decision.causation = None;
        }),
    ),
    Defect::data(
        "etrunk-deaf-said-as-timeout",
        &["ETRUNK-035"],
        "a Master that yields to a deaf peer gives TIMEOUT as its reason",
        row!("ETRUNK-ROW-24", |decision, _| decision.causation =
            Some(Reason::Timeout)),
    ),
    Defect::data(
        "etrunk-revert-at-once",
        &["ETRUNK-037"],
        "the revert delay is ignored",
        |rules| rules.etrunk.revert_ready = |run, gate| run.is_some() && gate,
    ),
    Defect::data(
        "etrunk-revert-without-gate",
        &["ETRUNK-039"],
        "the revert doesn't wait for equal tables",
        |rules| rules.etrunk.revert_ready = |run, _| run == Some(true),
    ),
    Defect::data(
        "etrunk-revert-although-disabled",
        &["ETRUNK-038"],
        "`revert disable` means no delay",
        |rules| rules.etrunk.revert_ready = |run, gate| run.unwrap_or(true) && gate,
    ),
    Defect::data(
        "etrunk-revert-never",
        &["ETRUNK-037"],
        "a better device never asks",
        |rules| rules.etrunk.expects = |role, _| role,
    ),
    Defect::data(
        "etrunk-make-before-break",
        &["ETRUNK-040"],
        "a better device takes over when its wait is over, before the Master has yielded",
        |rules| {
            rules.etrunk.device_row = |own, says, rank, revert| {
                let mut decision = device(own, says, rank, revert);
                if decision.row == "ETRUNK-ROW-16" && revert == Revert::Ready {
                    decision.to = Role::Master;
                }
                decision
            };
            rules.etrunk.yields = |waited, _| waited;
        },
    ),
    Defect::data(
        "etrunk-yields-unasked",
        &["ETRUNK-040"],
        "a worse Master yields when its own wait is over, asked or not",
        |rules| rules.etrunk.yields = |waited, _| waited,
    ),
    Defect::data(
        "etrunk-yields-when-asked",
        &["ETRUNK-037", "ETRUNK-039"],
        "a worse Master yields when it is asked, whether its wait is over or not",
        |rules| rules.etrunk.yields = |_, expected| expected == Some(Role::Master),
    ),
    Defect::data(
        "etrunk-two-masters-stay",
        &["ETRUNK-026"],
        "of two Masters neither yields",
        row!("ETRUNK-ROW-28", |decision, own| {
            decision.to = own;
            decision.causation = None;
        }),
    ),
    Defect::data(
        "etrunk-two-masters-both-yield",
        &["ETRUNK-026"],
        "of two Masters both yield",
        row!("ETRUNK-ROW-27", |decision, _| decision.to = Role::Backup),
    ),
    Defect::data(
        "etrunk-no-all-member-down",
        &["ETRUNK-047"],
        "a Master without a member keeps its role beside a Backup",
        row!("ETRUNK-ROW-20", |decision, own| {
            decision.to = own;
            decision.causation = None;
        }),
    ),
    Defect::data(
        "etrunk-all-member-down-said-as-pri",
        &["ETRUNK-047"],
        "a Master without a member gives PRI as its reason",
        row!("ETRUNK-ROW-20", |decision, _| decision.causation =
            Some(Reason::Pri)),
    ),
];
