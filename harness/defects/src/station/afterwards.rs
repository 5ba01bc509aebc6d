//! Defects of both that were thought of when the suite was finished.

use super::frames::{Sends, Traffic};
use crate::Defect;
use crate::octets::octet;
use dut_node::station::policy::answer_within;
use dut_wire::mld::{Query, REPORT_V2, Record, RecordType};

/// Keeps records back that a report has; `false` when none is left.
fn without(mld: &mut crate::mld::frames::Mld, dropped: fn(&Record) -> bool) -> bool {
    if mld.kind() != REPORT_V2 {
        return true;
    }
    let before = mld.records();
    let kept: Vec<Record> = before.iter().filter(|r| !dropped(r)).cloned().collect();
    if kept.len() < before.len() {
        mld.set_records(kept.clone());
    }
    !kept.is_empty()
}

/// Defects of all kinds.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::frames(
        "mld-proxy-never-blocks",
        &["PROXY-003"],
        "a proxy doesn't tell upstream that a source isn't wanted any more",
        || {
            Box::new(Sends(|_, mld| {
                without(mld, |r| r.record_type == RecordType::BlockOldSources)
            }))
        },
    ),
    Defect::frames(
        "mld-proxy-stays-exclude",
        &["PROXY-002"],
        "a proxy doesn't tell upstream a change to INCLUDE that keeps sources",
        || {
            Box::new(Sends(|_, mld| {
                without(mld, |record| {
                    let include = record.record_type == RecordType::ChangeToInclude;
                    include && !record.sources.is_empty()
                })
            }))
        },
    ),
    Defect::frames(
        "mld-snooper-drops-hop-limit-1",
        &["SNOOP-004"],
        "traffic whose Hop Limit is 1 goes nowhere",
        || Box::new(Traffic(|frame| octet(frame, 21) != 1)),
    ),
    Defect::data(
        "mld-snooper-version-1-query-ends-nothing",
        &["SNOOP-010", "SNOOP-011"],
        "a version 1 specific query that is unanswered ends nothing",
        |rules| {
            rules.snooper.answer_within = |query, group, by| match query {
                Query::V1(_) => None,
                Query::V2(_) => answer_within(query, group, by),
            };
        },
    ),
];
