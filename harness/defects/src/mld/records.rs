//! The records of a report (MLD-027 to MLD-041, MLD-104, MLD-105).

use super::frames::{Crash, Mld};
use super::reports::is_report;
use super::swapped;
use crate::Defect;
use crate::octets::octet;
use dut_wire::mld::{Message, REPORT_V2, Record, RecordType, Refused, Report};
use std::net::Ipv6Addr;

/// The report's records changed; other messages as they are.
fn with_records(
    message: &[u8],
    change: fn(Vec<Record>) -> Vec<Record>,
) -> Result<Message, Refused> {
    Message::parse(message).map(|message| match message {
        Message::Report(report) => Message::Report(Report {
            records: change(report.records),
        }),
        other @ (Message::Query(_) | Message::ReportV1 { .. } | Message::Done { .. }) => other,
    })
}

/// A decoder that changes reports' records so.
macro_rules! records {
    ($change:expr) => {
        |rules| rules.mld.parse = |message| with_records(message, $change)
    };
}

/// The records of a report as a careless decoder finds them: each step says how far the next is.
fn walk(message: &[u8], step: fn(usize, usize) -> usize) -> Vec<Record> {
    let count = usize::from(octet(message, 6)) << 8 | usize::from(octet(message, 7));
    let mut records = Vec::new();
    let mut at = 8;
    while records.len() < count {
        let Some(head) = message.get(at..at + 20) else {
            break;
        };
        let number = usize::from(octet(head, 2)) << 8 | usize::from(octet(head, 3));
        let group = head
            .get(4..20)
            .and_then(|octets| <[u8; 16]>::try_from(octets).ok());
        let list = message
            .get(at + 20..at + 20 + 16 * number)
            .unwrap_or_default();
        let (chunks, _) = list.as_chunks::<16>();
        records.push(Record {
            record_type: RecordType::from_value(octet(head, 0)),
            group: group.map_or(Ipv6Addr::UNSPECIFIED, Ipv6Addr::from),
            sources: chunks.iter().map(|chunk| Ipv6Addr::from(*chunk)).collect(),
        });
        at += 20 + step(16 * number, usize::from(octet(head, 1)));
    }
    records
}

/// Reports decoded so; other messages as they are.
fn walked(message: &[u8], step: fn(usize, usize) -> usize) -> Result<Message, Refused> {
    if octet(message, 0) == REPORT_V2 && message.len() >= 8 {
        Ok(Message::Report(Report {
            records: walk(message, step),
        }))
    } else {
        Message::parse(message)
    }
}

/// Whether the codec refuses it for a count of this field.
fn overruns(mld: &Mld, fields: &[&str]) -> bool {
    let parsed = Message::parse(&mld.message);
    matches!(parsed, Err(Refused::Overrun(malformed)) if fields.contains(&malformed.field))
}

/// Defects of the reception of records.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::data(
        "mld-deaf",
        &["MLD-020"],
        "reports are never processed",
        records!(|_| Vec::new()),
    ),
    Defect::data(
        "mld-aux-in-octets",
        &["MLD-029"],
        "the auxiliary length is taken for octets",
        |rules| {
            rules.mld.parse = |message| walked(message, |sources, aux| sources + aux);
        },
    )
    .seen("mrd6"),
    Defect::data(
        "mld-aux-not-skipped",
        &["MLD-029"],
        "auxiliary data isn't skipped",
        |rules| {
            rules.mld.parse = |message| walked(message, |sources, _| sources);
        },
    ),
    Defect::data(
        "mld-unknown-type-ends",
        &["MLD-030", "MLD-031"],
        "an unknown record type ends the processing of a report",
        records!(|records| {
            let known = |record: &Record| !matches!(record.record_type, RecordType::Unknown(_));
            records.into_iter().take_while(known).collect()
        }),
    ),
    Defect::data(
        "mld-unknown-type-drops",
        &["MLD-030", "MLD-031"],
        "an unknown record type drops the report",
        records!(|records| {
            if records
                .iter()
                .any(|record| matches!(record.record_type, RecordType::Unknown(_)))
            {
                return Vec::new();
            }
            records
        }),
    ),
    Defect::data(
        "mld-unknown-type-excludes",
        &["MLD-030"],
        "an unknown record type counts as TO_EX",
        records!(|mut records| {
            for record in &mut records {
                if matches!(record.record_type, RecordType::Unknown(_)) {
                    record.record_type = RecordType::ChangeToExclude;
                }
            }
            records
        }),
    ),
    Defect::data(
        "mld-unknown-type-allows",
        &["MLD-031"],
        "sources of an unknown record type are allowed",
        records!(|mut records| {
            for record in &mut records {
                if matches!(record.record_type, RecordType::Unknown(_)) {
                    record.record_type = RecordType::AllowNewSources;
                }
            }
            records
        }),
    ),
    Defect::frames(
        "mld-records-overrun-crash",
        &["MLD-035"],
        "a count of records that lies stops the router",
        || Crash::on(|mld| overruns(mld, &["Record"])),
    ),
    Defect::frames(
        "mld-sources-overrun-crash",
        &["MLD-036"],
        "a count of sources that lies stops the router",
        || Crash::on(|mld| is_report(mld) && overruns(mld, &["Source Address"])),
    )
    .seen("FreeBSD SA-19:19 for queries"),
    Defect::frames(
        "mld-aux-overrun-crash",
        &["MLD-037"],
        "an auxiliary length that lies stops the router",
        || Crash::on(|mld| overruns(mld, &["Auxiliary Data"])),
    ),
    Defect::data(
        "mld-sources-past-the-end",
        &["MLD-036"],
        "a list that overruns is read as the whole group",
        |rules| {
            rules.mld.parse = |message| match Message::parse(message) {
                Err(Refused::Overrun(malformed))
                    if malformed.field == "Source Address" && octet(message, 0) == REPORT_V2 =>
                {
                    let mut records = walk(message, |sources, aux| sources + 4 * aux);
                    for record in &mut records {
                        if record.sources.is_empty() {
                            record.record_type = RecordType::ChangeToExclude;
                        }
                    }
                    Ok(Message::Report(Report { records }))
                }
                parsed => parsed,
            };
        },
    ),
    Defect::frames(
        "mld-repeated-source-crash",
        &["MLD-039"],
        "a list that names a source twice stops the router",
        || {
            Crash::on(|mld| {
                mld.records().iter().any(|record| {
                    let mut sources = record.sources.clone();
                    sources.sort_unstable();
                    sources.dedup();
                    sources.len() < record.sources.len()
                })
            })
        },
    ),
    Defect::data(
        "mld-unspecified-source-is-any",
        &["MLD-041"],
        "the unspecified source stands for all sources",
        records!(|mut records| {
            for record in &mut records {
                if record.sources.contains(&Ipv6Addr::UNSPECIFIED) {
                    record.record_type = RecordType::ChangeToExclude;
                    record.sources.clear();
                }
            }
            records
        }),
    )
    .seen("Zephyr PR 72457 added :: as a source"),
    Defect::data(
        "mld-multicast-source-is-any",
        &["MLD-041"],
        "a multicast source stands for all sources",
        records!(|mut records| {
            for record in &mut records {
                if record.sources.iter().any(Ipv6Addr::is_multicast) {
                    record.record_type = RecordType::ChangeToExclude;
                    record.sources.clear();
                }
            }
            records
        }),
    ),
    Defect::data(
        "mld-types-1-2-swapped",
        &["MLD-084", "MLD-087"],
        "MODE_IS_INCLUDE and MODE_IS_EXCLUDE are exchanged",
        records!(|records| swapped(
            records,
            RecordType::ModeIsInclude,
            RecordType::ModeIsExclude
        )),
    ),
    Defect::data(
        "mld-types-3-4-swapped",
        &["MLD-092", "MLD-095"],
        "CHANGE_TO_INCLUDE_MODE and CHANGE_TO_EXCLUDE_MODE are exchanged",
        records!(|records| swapped(
            records,
            RecordType::ChangeToInclude,
            RecordType::ChangeToExclude
        )),
    ),
    Defect::data(
        "mld-types-5-6-swapped",
        &["MLD-088", "MLD-089"],
        "ALLOW and BLOCK are exchanged",
        records!(|records| swapped(
            records,
            RecordType::AllowNewSources,
            RecordType::BlockOldSources
        )),
    ),
    Defect::data(
        "mld-first-record-only",
        &["MLD-104"],
        "only the first record of a report is processed",
        records!(|records| records.into_iter().take(1).collect()),
    ),
    Defect::data(
        "mld-64-records",
        &["MLD-104"],
        "records after the 64th aren't processed",
        records!(|records| records.into_iter().take(64).collect()),
    ),
    Defect::data(
        "mld-one-record-a-group",
        &["MLD-105"],
        "a second record for an address isn't processed",
        records!(|records| {
            let mut seen = Vec::new();
            records
                .into_iter()
                .filter(|record| {
                    let new = !seen.contains(&record.group);
                    seen.push(record.group);
                    new
                })
                .collect()
        }),
    ),
];
