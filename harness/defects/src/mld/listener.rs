//! The listener that the router is itself (MLD-158 to MLD-173), as far as its frames show it.

use super::frames::{Incoming, Memory, Mld, Outgoing};
use crate::Defect;
use dut_wire::mld::{
    ALL_MLDV2_ROUTERS, ALL_NODES, QUERY, REPORT_V1, REPORT_V2, Record, RecordType,
};

/// A report whose records have this type.
fn of_type(mld: &Mld, wanted: RecordType) -> bool {
    let records = mld.records();
    !records.is_empty() && records.iter().all(|record| record.record_type == wanted)
}

/// The report with one type of record exchanged for another.
fn retyped(mld: &mut Mld, from: RecordType, to: RecordType) {
    let mut records = mld.records();
    if mld.kind() == REPORT_V2 && !records.is_empty() {
        for record in records
            .iter_mut()
            .filter(|record| record.record_type == from)
        {
            record.record_type = to;
        }
        mld.set_records(records);
    }
}

/// Defects of the router's own listener.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::frames(
        "mld-no-listener",
        &["MLD-018", "MLD-161", "MLD-158"],
        "the router reports nothing itself",
        || Box::new(Outgoing(|mld| mld.kind() == QUERY)),
    ),
    Defect::frames(
        "mld-no-listener-of-ff02-16",
        &["MLD-018"],
        "the router doesn't report ff02::16",
        || {
            Box::new(Outgoing(|mld| {
                if mld.kind() == REPORT_V2 {
                    let mut records = mld.records();
                    records.retain(|record| record.group != ALL_MLDV2_ROUTERS);
                    mld.set_records(records);
                }
                true
            }))
        },
    ),
    Defect::frames(
        "mld-listener-joins-once",
        &["MLD-158"],
        "what the router listens to is reported once",
        || {
            Memory::saying(|memory, port, mld| {
                if of_type(mld, RecordType::ChangeToExclude) && port.0 == 0 {
                    memory.count += 1;
                    return memory.count == 1;
                }
                true
            })
        },
    ),
    Defect::frames(
        "mld-listener-joins-as-current",
        &["MLD-158"],
        "a join is reported as current state",
        || {
            Box::new(Outgoing(|mld| {
                retyped(mld, RecordType::ChangeToExclude, RecordType::ModeIsExclude);
                true
            }))
        },
    )
    .seen("Zephyr PR 72457, the other way round"),
    Defect::frames(
        "mld-listener-silent-to-general",
        &["MLD-161"],
        "general queries aren't answered",
        || {
            Box::new(Outgoing(|mld| {
                !(of_type(mld, RecordType::ModeIsExclude) && mld.records().len() > 1)
            }))
        },
    )
    .seen("VPP's hosts; Android asleep"),
    Defect::frames(
        "mld-listener-silent-to-specific",
        &["MLD-162"],
        "specific queries aren't answered",
        || {
            Box::new(Outgoing(|mld| {
                !(of_type(mld, RecordType::ModeIsExclude) && mld.records().len() == 1)
            }))
        },
    ),
    Defect::frames(
        "mld-listener-silent-to-sources",
        &["MLD-163"],
        "source queries aren't answered",
        || Box::new(Outgoing(|mld| !of_type(mld, RecordType::ModeIsInclude))),
    ),
    Defect::frames(
        "mld-listener-answers-sources-in-full",
        &["MLD-163"],
        "a source query is answered with the whole state",
        || {
            Box::new(Outgoing(|mld| {
                if of_type(mld, RecordType::ModeIsInclude) {
                    let whole = |record: Record| Record {
                        record_type: RecordType::ModeIsExclude,
                        sources: Vec::new(),
                        ..record
                    };
                    let records = mld.records().into_iter().map(whole).collect();
                    mld.set_records(records);
                }
                true
            }))
        },
    )
    .seen("Linux 6.18"),
    Defect::frames(
        "mld-listener-splits-answers",
        &["MLD-164"],
        "only the first source of a merged answer is reported",
        || {
            Box::new(Outgoing(|mld| {
                if of_type(mld, RecordType::ModeIsInclude) {
                    let mut records = mld.records();
                    for record in &mut records {
                        record.sources.truncate(1);
                    }
                    mld.set_records(records);
                }
                true
            }))
        },
    ),
    Defect::frames(
        "mld-listener-deaf-at-unicast",
        &["MLD-166"],
        "a specific query to another address than its group is dropped",
        || {
            Box::new(Incoming(|mld| {
                mld.kind() != QUERY || mld.is_general() || mld.destination == mld.group()
            }))
        },
    ),
    Defect::frames(
        "mld-listener-reports-all-nodes",
        &["MLD-168"],
        "ff02::1 is reported",
        || {
            Box::new(Outgoing(|mld| {
                let mut records = mld.records();
                if records.len() > 1 {
                    records.push(Record {
                        record_type: RecordType::ModeIsExclude,
                        group: ALL_NODES,
                        sources: Vec::new(),
                    });
                    mld.set_records(records);
                }
                true
            }))
        },
    ),
    Defect::frames(
        "mld-listener-no-version-1",
        &["MLD-170"],
        "the listener doesn't speak version 1",
        || Box::new(Outgoing(|mld| mld.kind() != REPORT_V1)),
    ),
    Defect::frames(
        "mld-listener-version-1-by-specific",
        &["MLD-171"],
        "a version 1 specific query makes the listener speak version 1",
        || {
            Memory::hearing(|memory, _, mld| {
                if mld.is_specific() && mld.message.len() == 24 {
                    let mut general = mld.clone();
                    if let Some(group) = general.message.get_mut(8..24) {
                        group.fill(0);
                    }
                    memory.also = vec![general];
                }
                true
            })
        },
    )
    .seen("Linux 6.18"),
];
