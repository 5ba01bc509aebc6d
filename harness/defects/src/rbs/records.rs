//! Records in real time: versions, deletions, acknowledgements (RBS-015 to RBS-018, RBS-030,
//! BACKUP-002, BACKUP-019).

use crate::Defect;
use dut_node::policy::Change;
use dut_wire::rbs::Role;
use std::time::Duration;

/// Defects of records.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::data(
        "rbs-any-version-applied",
        &["RBS-015"],
        "a record is applied whatever its version",
        |rules| rules.rbs.newer = |_, _| true,
    ),
    Defect::data(
        "rbs-epoch-not-compared",
        &["RBS-015"],
        "versions are compared by sequence alone",
        |rules| rules.rbs.newer = |version, held| version.sequence > held.sequence,
    ),
    Defect::data(
        "rbs-sequence-not-compared",
        &["RBS-015"],
        "any record of the same or a later boot is newer",
        |rules| rules.rbs.newer = |version, held| version.epoch >= held.epoch,
    ),
    Defect::data(
        "rbs-deletes-of-anyone",
        &["RBS-017"],
        "a tombstone of any origin deletes",
        |rules| {
            rules.rbs.deletes = |tombstone, held| {
                (tombstone.epoch, tombstone.sequence) > (held.epoch, held.sequence)
            };
        },
    ),
    Defect::data(
        "rbs-deletes-of-any-version",
        &["RBS-017"],
        "an old tombstone deletes",
        |rules| rules.rbs.deletes = |tombstone, held| tombstone.origin == held.origin,
    ),
    Defect::data(
        "rbs-never-deletes",
        &["RBS-017"],
        "tombstones are acknowledged and ignored",
        |rules| rules.rbs.deletes = |_, _| false,
    ),
    Defect::data(
        "rbs-ack-of-each",
        &["RBS-018"],
        "each message is acknowledged for itself",
        |rules| rules.rbs.ack_delay = Duration::ZERO,
    ),
    Defect::data(
        "rbs-late-ack",
        &["RBS-018"],
        "acknowledgements wait for 50 ms",
        |rules| rules.rbs.ack_delay = Duration::from_millis(50),
    ),
    Defect::data(
        "rbs-master-takes-records",
        &["RBS-030"],
        "a master applies real-time records",
        |rules| rules.rbs.takes_real_time = |_| true,
    ),
    Defect::data(
        "rbs-slave-refuses-records",
        &["RBS-016", "RBS-018", "RBS-030"],
        "a slave takes records in batches alone",
        |rules| rules.rbs.takes_real_time = |_| false,
    ),
    Defect::data(
        "rbs-no-real-time",
        &["BACKUP-002", "RBS-030"],
        "changes are told in batches alone",
        |rules| rules.rbs.may_upsert = |_, _| false,
    ),
    Defect::data(
        "rbs-delete-not-sent",
        &["BACKUP-002"],
        "the end of an entry isn't told",
        |rules| rules.pair.tells = |master, what| master && what != Change::Removal,
    ),
    Defect::data(
        "rbs-slow-changes",
        &["BACKUP-002"],
        "changes wait for a second",
        |rules| rules.rbs.coalesces = |_, _| Duration::from_secs(1),
    ),
    Defect::data(
        "rbs-slow-refreshes",
        &["BACKUP-002", "BACKUP-034"],
        "a pure refresh waits for a second",
        |rules| {
            rules.rbs.coalesces = |urgent, changed| {
                if urgent || changed {
                    Duration::ZERO
                } else {
                    Duration::from_secs(1)
                }
            };
        },
    ),
    Defect::data(
        "rbs-tells-a-master",
        &["RBS-030"],
        "a master tells its changes to another master too",
        |rules| {
            rules.rbs.may_upsert = |master, peer| {
                master && matches!(peer, Some(Role::Slave | Role::Master | Role::Init))
            };
        },
    ),
    Defect::data(
        "rbs-no-own-version-before-delete",
        &["RBS-017"],
        "a master deletes an entry of another origin without making it its own first",
        |rules| rules.rbs.adopts_first = |_| false,
    )
    .survives(
        "A node that becomes master makes every entry its own by adopting it, so that it never \
         deletes another's",
    ),
];
