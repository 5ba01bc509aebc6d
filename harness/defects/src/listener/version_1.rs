//! The listener and a version 1 querier (MLD-170 to MLD-172, MLD-179).

use crate::Defect;
use dut_wire::mld::Query;
use std::time::Duration;

/// Defects of version 1.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::data(
        "mld-host-no-version-1",
        &["MLD-170"],
        "a version 1 querier doesn't change the version",
        |rules| rules.listener.falls_back = |_, _| false,
    )
    .seen("Zephyr before its change 66532"),
    Defect::data(
        "mld-host-specific-changes-version",
        &["MLD-171"],
        "a version 1 specific query changes the version",
        |rules| rules.listener.falls_back = |_, query| matches!(query, Query::V1(_)),
    )
    .seen("Linux 6.18"),
    Defect::data(
        "mld-host-always-version-1",
        &["MLD-161", "MLD-170"],
        "any General Query makes the listener speak version 1",
        |rules| rules.listener.falls_back = |_, query| query.group().is_unspecified(),
    ),
    Defect::data(
        "mld-host-present-without-delay",
        &["MLD-170"],
        "the Older Version Querier Present timer leaves the query's delay out",
        |rules| {
            rules.listener.older_version_querier_present =
                |robustness, interval, _| interval * robustness.into();
        },
    ),
    Defect::data(
        "mld-host-present-without-robustness",
        &["MLD-170"],
        "the Older Version Querier Present timer is one Query Interval and the query's delay",
        |rules| {
            rules.listener.older_version_querier_present = |_, interval, delay| interval + delay;
        },
    ),
    Defect::data(
        "mld-host-present-fixed",
        &["MLD-170"],
        "the Older Version Querier Present timer is 260 s whatever the Query Interval is",
        |rules| {
            rules.listener.older_version_querier_present = |_, _, _| Duration::from_secs(260);
        },
    ),
    Defect::data(
        "mld-host-version-1-for-ever",
        &["MLD-170"],
        "the listener never returns to version 2",
        |rules| {
            rules.listener.older_version_querier_present = |_, _, _| Duration::from_secs(1_000_000);
        },
    ),
    Defect::data(
        "mld-host-change-cancels-nothing",
        &["MLD-170"],
        "what is pending survives a change of version",
        |rules| rules.listener.cancels = false,
    ),
    Defect::data(
        "mld-host-version-1-reads-on",
        &["MLD-179"],
        "a listener of version 1 alone reads a version 2 query as version 2",
        |rules| rules.listener.read_in_version_1 = |message| message,
    ),
    Defect::data(
        "mld-host-version-1-refuses-longer",
        &["MLD-179"],
        "a listener of version 1 alone takes no query of more than 24 octets",
        |rules| {
            rules.listener.read_in_version_1 = |message| match message.len() {
                0..=24 => message,
                _ => &[],
            };
        },
    ),
    Defect::data(
        "mld-host-never-suppressed",
        &["MLD-172"],
        "in version 1 a listener reports though another has",
        |rules| rules.listener.suppressed = |_| false,
    ),
    Defect::data(
        "mld-host-suppressed-in-ssm",
        &["MLD-172"],
        "another's version 1 report withholds that of a source-specific group",
        |rules| rules.listener.suppressed = |_| true,
    ),
    Defect::data(
        "mld-host-never-done",
        &["MLD-170", "MLD-172"],
        "in version 1 a leave is never told",
        |rules| rules.listener.done = |_| false,
    )
    .seen("lwIP before its fix 50220"),
    Defect::data(
        "mld-host-always-done",
        &["MLD-172"],
        "in version 1 a leave is told by the listener that didn't report last, too",
        |rules| rules.listener.done = |_| true,
    )
    .survives("RFC 2710 4 says that such a listener may send nothing: telling it is legal"),
];
