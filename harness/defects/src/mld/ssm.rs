//! Source-specific multicast and extensions (MLD-153 to MLD-157).

use super::frames::Incoming;
use super::{older_unchecked, record_unchecked};
use crate::Defect;
use crate::octets::{octet, put};
use dut_mld::{DiscardReason, is_source_specific};
use dut_wire::mld::{Message, QUERY, REPORT_V2, Record, RecordType};

/// Gives the check of source-specific addresses another condition.
macro_rules! range {
    ($refuses:expr) => {
        |rules| {
            for check in rules.mld.record_checks.to_mut() {
                if check.reason == DiscardReason::SourceSpecificGroup {
                    check.refuses = $refuses;
                }
            }
        }
    };
}

/// Whether the record is one that replaces the list.
fn replaces(record: &Record) -> bool {
    [RecordType::ModeIsExclude, RecordType::ChangeToExclude].contains(&record.record_type)
}

/// Defects of source-specific multicast.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::data(
        "mld-ssm-exclude-taken",
        &["MLD-153"],
        "exclude-sense records count for source-specific addresses",
        |rules| record_unchecked(rules, DiscardReason::SourceSpecificGroup),
    ),
    Defect::data(
        "mld-ssm-to-ex-taken",
        &["MLD-153"],
        "TO_EX counts for source-specific addresses",
        range!(|record, _| {
            record.record_type == RecordType::ModeIsExclude && is_source_specific(record.group)
        }),
    ),
    Defect::data(
        "mld-ssm-is-ex-taken",
        &["MLD-153"],
        "IS_EX counts for source-specific addresses",
        range!(|record, _| {
            record.record_type == RecordType::ChangeToExclude && is_source_specific(record.group)
        }),
    ),
    Defect::data(
        "mld-ssm-range-96",
        &["MLD-153"],
        "the source-specific range is ff3x::/96",
        range!(|record, _| {
            let [.., e, f, _, _] = record.group.segments();
            replaces(record) && is_source_specific(record.group) && e == 0 && f == 0
        }),
    ),
    Defect::data(
        "mld-ssm-range-12",
        &["MLD-153"],
        "all of ff30::/12 counts as source-specific",
        range!(|record, _| {
            let [first, ..] = record.group.segments();
            replaces(record) && first & 0xfff0 == 0xff30
        }),
    ),
    Defect::data(
        "mld-ssm-drops-report",
        &["MLD-154"],
        "a report with an exclude-sense record for a source-specific address is dropped",
        |rules| {
            rules.mld.parse = |message| {
                let parsed = Message::parse(message)?;
                if let Message::Report(report) = &parsed
                    && report
                        .records
                        .iter()
                        .any(|record| replaces(record) && is_source_specific(record.group))
                {
                    return Message::parse(&[REPORT_V2, 0, 0, 0, 0, 0, 0, 0]);
                }
                Ok(parsed)
            };
        },
    ),
    Defect::data(
        "mld-ssm-version-1-taken",
        &["MLD-155"],
        "version 1 messages count for source-specific addresses",
        |rules| older_unchecked(rules, DiscardReason::SourceSpecificGroup),
    ),
    Defect::data(
        "mld-ssm-allow-ignored",
        &["MLD-156"],
        "ALLOW is ignored for source-specific addresses",
        range!(|record, _| {
            is_source_specific(record.group)
                && (replaces(record) || record.record_type == RecordType::AllowNewSources)
        }),
    ),
    Defect::data(
        "mld-ssm-block-ignored",
        &["MLD-156"],
        "BLOCK is ignored for source-specific addresses",
        range!(|record, _| {
            is_source_specific(record.group)
                && (replaces(record) || record.record_type == RecordType::BlockOldSources)
        }),
    ),
    Defect::frames(
        "mld-report-extension-refused",
        &["MLD-157"],
        "a report with the E flag is dropped",
        || {
            Box::new(Incoming(|mld| {
                mld.kind() != REPORT_V2 || octet(&mld.message, 4) & 0x80 == 0
            }))
        },
    ),
    Defect::frames(
        "mld-query-extension-refused",
        &["MLD-157"],
        "a query with the E flag is dropped",
        || {
            Box::new(Incoming(|mld| {
                mld.kind() != QUERY || octet(&mld.message, 24) & 0x80 == 0
            }))
        },
    ),
    Defect::data(
        "mld-extension-is-a-record",
        &["MLD-157"],
        "the extension area is read as a record",
        |rules| {
            rules.mld.parse = |message| {
                let mut message = message.to_vec();
                if octet(&message, 0) == REPORT_V2 && octet(&message, 4) & 0x80 != 0 {
                    let count = octet(&message, 7);
                    put(&mut message, 7, count + 1);
                }
                Message::parse(&message)
            };
        },
    ),
];
