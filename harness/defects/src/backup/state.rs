//! What the backup holds: content, remaining times, refreshes, deletions (BACKUP-001 to
//! BACKUP-009, BACKUP-018, BACKUP-019, BACKUP-034).

use super::RIGHT;
use crate::Defect;
use dut_node::policy::Change;
use std::time::Duration;

/// A record that is told otherwise.
macro_rules! told {
    ($change:expr) => {
        |rules| {
            rules.pair.entry = |eth_trunk, state| {
                let mut entry = (RIGHT.entry)(eth_trunk, state);
                let change: fn(&mut dut_rbs::Entry) = $change;
                change(&mut entry);
                entry
            };
        }
    };
}

/// A record that is taken over otherwise.
macro_rules! taken {
    ($change:expr) => {
        |rules| {
            rules.pair.group = |entry| {
                let mut group = (RIGHT.group)(entry);
                let change: fn(&mut dut_mld::GroupState) = $change;
                change(&mut group);
                group
            };
        }
    };
}

/// The listening interval of the default intervals.
const LISTENING_INTERVAL: Duration = Duration::from_secs(260);

/// Defects of what the backup holds.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::data(
        "backup-sources-cut",
        &["BACKUP-001", "BACKUP-004"],
        "one source of a group is told, and no more",
        told!(|entry| entry.sources.truncate(1)),
    ),
    Defect::data(
        "backup-excluded-not-told",
        &["BACKUP-001"],
        "excluded sources aren't told",
        told!(|entry| entry.sources.retain(|source| !source.timer.is_zero())),
    ),
    Defect::data(
        "backup-excluded-become-requested",
        &["BACKUP-001", "BACKUP-004"],
        "excluded sources are told as requested",
        told!(|entry| {
            for source in &mut entry.sources {
                source.timer = source.timer.max(Duration::from_secs(1));
            }
        }),
    ),
    Defect::data(
        "backup-timers-full",
        &["BACKUP-005", "BACKUP-006"],
        "timers are told as if they had just begun",
        told!(|entry| {
            if !entry.filter_timer.is_zero() {
                entry.filter_timer = LISTENING_INTERVAL;
            }
        }),
    ),
    Defect::data(
        "backup-timers-absolute",
        &["BACKUP-005", "BACKUP-006"],
        "timers are told by the master's clock",
        told!(|entry| {
            let since = Duration::from_nanos(entry.since.as_nanos());
            if !entry.filter_timer.is_zero() {
                entry.filter_timer += since;
            }
        }),
    ),
    Defect::data(
        "backup-source-timers-full",
        &["BACKUP-005"],
        "source timers are told as if they had just begun",
        told!(|entry| {
            for source in &mut entry.sources {
                if !source.timer.is_zero() {
                    source.timer = LISTENING_INTERVAL;
                }
            }
        }),
    ),
    Defect::data(
        "backup-version-1-not-told",
        &["BACKUP-009"],
        "version 1 mode isn't told",
        told!(|entry| entry.v1_host_timer = Duration::ZERO),
    ),
    Defect::data(
        "backup-version-1-for-ever",
        &["BACKUP-009"],
        "version 1 mode begins anew at a takeover",
        taken!(|group| {
            if !group.v1_host.is_zero() {
                group.v1_host = LISTENING_INTERVAL * 4;
            }
        }),
    ),
    Defect::data(
        "backup-series-not-told",
        &["BACKUP-007"],
        "a running series of queries isn't told",
        told!(|entry| {
            entry.query_count = 0;
            entry.query_due = Duration::ZERO;
        }),
    ),
    Defect::data(
        "backup-series-anew",
        &["BACKUP-007"],
        "a series begins anew at a takeover",
        taken!(|group| {
            if group.query_count > 0 {
                group.query_count = 2;
            }
        }),
    ),
    Defect::data(
        "backup-series-at-once",
        &["BACKUP-008"],
        "the next query of a series leaves at once at a takeover",
        taken!(|group| group.query_due = group.query_due.map(|_| Duration::ZERO)),
    ),
    Defect::data(
        "backup-source-series-not-told",
        &["BACKUP-007"],
        "a running series of source-specific queries isn't told",
        told!(|entry| {
            for source in &mut entry.sources {
                source.query_count = 0;
            }
        }),
    ),
    Defect::data(
        "backup-removal-not-told",
        &["BACKUP-001", "BACKUP-002"],
        "the end of an entry isn't told",
        |rules| rules.pair.tells = |master, what| master && what != Change::Removal,
    ),
    Defect::data(
        "backup-refresh-not-told",
        &["BACKUP-034"],
        "a pure refresh isn't told",
        |rules| rules.pair.tells = |master, what| master && what != Change::Refresh,
    ),
    Defect::data(
        "backup-changes-not-told",
        &["BACKUP-001", "BACKUP-002"],
        "a change of mode or sources isn't told in real time",
        |rules| rules.pair.tells = |master, what| master && what != Change::Record,
    ),
    Defect::data(
        "backup-digest-ignored",
        &["BACKUP-018", "BACKUP-027"],
        "tables that differ are never compared",
        |rules| rules.rbs.resyncs = |_| false,
    ),
    Defect::data(
        "backup-unmentioned-stay",
        &["BACKUP-001", "BACKUP-026"],
        "a batch sweeps nothing",
        |rules| rules.rbs.sweeps = |_, _| false,
    )
    .survives(
        "The digests then differ, the master asks, and deletes what it has ended: equal again at \
         once. rbs/batch/mark-and-sweep sees the missing sweep",
    ),
    Defect::data(
        "backup-deletes-ignored",
        &["BACKUP-001", "BACKUP-002"],
        "the backup ignores deletions",
        |rules| rules.rbs.deletes = |_, _| false,
    ),
    Defect::data(
        "backup-stale-for-ever",
        &["BACKUP-001", "BACKUP-006"],
        "entries don't run down without the channel",
        |rules| rules.rbs.ages = |_, _| false,
    ),
    Defect::data(
        "backup-stale-at-once",
        &["BACKUP-004", "BACKUP-012"],
        "entries are given up a second after the channel is lost",
        |rules| rules.rbs.stale_after = Duration::from_secs(1),
    ),
    Defect::data(
        "backup-late-changes",
        &["BACKUP-002"],
        "changes wait for two seconds",
        |rules| rules.rbs.coalesces = |_, _| Duration::from_secs(2),
    ),
    Defect::data(
        "backup-merge-missing",
        &["BACKUP-018"],
        "what the peer's split half had doesn't reach the master's own table",
        |rules| rules.pair.merges = |_| false,
    ),
    Defect::data(
        "backup-merge-untold",
        &["BACKUP-001", "BACKUP-003", "BACKUP-018"],
        "a master that keeps its own record against its peer's doesn't say so",
        |rules| rules.pair.retells = false,
    ),
    Defect::data(
        "backup-late-timers",
        &["BACKUP-034"],
        "what TCP had to send again is left with the times of the first transmission",
        |rules| rules.rbs.late = |_, _| false,
    ),
    Defect::data(
        "backup-slow-path-given-up",
        &["BACKUP-034"],
        "a master that has repeated itself in vain never learns that the path is fast again",
        |rules| rules.rbs.probe = None,
    ),
    Defect::data(
        "backup-untold-changes-kept",
        &["BACKUP-014", "RBS-037"],
        "a slave keeps the changes that it couldn't tell as master, and is never in step",
        |rules| rules.rbs.drops_changes = |_| false,
    ),
    Defect::data(
        "backup-own-times-kept",
        &["BACKUP-034"],
        "a slave keeps its own times of a record whose content is the master's",
        |rules| rules.rbs.takes_times = |_| false,
    ),
    Defect::data(
        "backup-batch-without-end",
        &["BACKUP-001", "BACKUP-026"],
        "a batch has no SYNC_END",
        |rules| rules.rbs.sync_end = |_, _, _| None,
    ),
];
