//! Defects that were thought of when the suite was finished.

use super::frames::{Memory, Mld};
use crate::{Defect, Frames};
use dut_device::{Instant, PortId};
use dut_mld::FilterMode;
use dut_mld::policy::{Candidate, Variables, loses, lower};
use dut_wire::mld::{Message, QUERY, REPORT_V2, Record};
use std::net::Ipv6Addr;
use std::time::Duration;

/// The address of ff1e::/16 with the same Ethernet address.
fn like(group: Ipv6Addr) -> Ipv6Addr {
    let [.., high, low] = group.segments();
    Ipv6Addr::new(0xff1e, 0, 0, 0, 0, 0, high, low)
}

/// Lets a query that is heard on one link count on the others.
#[derive(Debug)]
struct OneElection;

impl Frames for OneElection {
    fn elsewhere(&mut self, _now: Instant, port: PortId, frame: &[u8]) -> Vec<(PortId, Vec<u8>)> {
        if Mld::of(frame).is_some_and(|mld| mld.kind() == QUERY) {
            vec![(PortId(2 - port.0.min(2)), frame.to_vec())]
        } else {
            Vec::new()
        }
    }
}

/// Defects of all kinds.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::data(
        "mld-one-record-a-mac",
        &["MLD-133"],
        "addresses with one Ethernet address share a record",
        |rules| {
            rules.mld.parse = |message| {
                let mut parsed = Message::parse(message);
                if let Ok(Message::Report(report)) = &mut parsed {
                    let also = |record: &Record| Record {
                        group: like(record.group),
                        ..record.clone()
                    };
                    let others = report.records.iter().filter(|r| like(r.group) != r.group);
                    let others: Vec<Record> = others.map(also).collect();
                    report.records.extend(others);
                }
                parsed
            };
        },
    ),
    Defect::data(
        "mld-timers-of-16-bits",
        &["MLD-125"],
        "timers hold milliseconds in 16 bits",
        |rules| {
            rules.mld.variables = |config, robustness, interval| {
                let mut variables = Variables::new(config, robustness, interval);
                let ms = variables.listening_interval.as_millis() & 0xffff;
                let ms = u64::try_from(ms).unwrap_or_default();
                variables.listening_interval = Duration::from_millis(ms);
                variables
            };
        },
    ),
    Defect::data(
        "mld-s-flag-refreshes",
        &["MLD-079"],
        "a query with the S flag restarts the filter timer",
        |rules| {
            rules.mld.lower = |group, query, until| {
                if query.suppress() && group.filter_mode == FilterMode::Exclude {
                    group.filter_timer = until + Duration::from_secs(41);
                    return true;
                }
                lower(group, query, until)
            };
        },
    ),
    Defect::data(
        "mld-follows-first-querier",
        &["MLD-062", "MLD-066"],
        "a non-querier hears no other lower router than the first",
        |rules| {
            rules.mld.loses = |candidate: &Candidate<'_>| {
                let first = candidate
                    .querier
                    .is_none_or(|querier| querier == candidate.source);
                loses(candidate) && first
            };
        },
    ),
    Defect::data(
        "mld-64-sources",
        &["MLD-084", "MLD-017"],
        "sources of a record after the 64th aren't processed",
        |rules| {
            rules.mld.parse = |message| {
                let mut parsed = Message::parse(message);
                if let Ok(Message::Report(report)) = &mut parsed {
                    for record in &mut report.records {
                        record.sources.truncate(64);
                    }
                }
                parsed
            };
        },
    ),
    Defect::data(
        "mld-older-report-keeps-lists",
        &["MLD-138"],
        "IS_EX without sources, as a version 1 Report is, leaves the lists as they are",
        |rules| {
            rules.mld.admit = |group, received, listed, limit| {
                if received.replaces() && listed.is_empty() {
                    return (group.sources.keys().copied().collect(), false);
                }
                dut_mld::rows::admit(group, received, listed, limit)
            };
        },
    ),
    Defect::data(
        "mld-asked-is-gone",
        &["MLD-131"],
        "a source that is asked for isn't forwarded until somebody answers",
        |rules| {
            rules.mld.forwards = |group, source| {
                let listed = group.sources.get(&source);
                group.forwards(source) && listed.is_none_or(|listed| listed.query_count == 0)
            };
        },
    ),
    Defect::frames(
        "mld-one-election",
        &["MLD-062"],
        "a lower query on one link silences the router on all",
        || Box::new(OneElection),
    ),
    Defect::frames(
        "mld-last-record-again",
        &["MLD-125"],
        "each report refreshes what the one before it named",
        || {
            Memory::hearing(|memory, _, mld| {
                if mld.kind() == REPORT_V2 {
                    let mut again = mld.clone();
                    let groups = std::mem::take(&mut memory.groups);
                    let records = groups.into_iter().map(|group| Record {
                        record_type: dut_wire::mld::RecordType::ModeIsExclude,
                        group,
                        sources: Vec::new(),
                    });
                    again.set_records(records.collect());
                    memory.also = vec![again];
                    let named = mld.records();
                    memory.groups = named.iter().map(|record| record.group).collect();
                }
                true
            })
        },
    ),
];
