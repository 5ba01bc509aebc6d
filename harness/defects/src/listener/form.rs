//! What is reported, in which form and to whom (MLD-168, MLD-169, MLD-173 to MLD-175).

use super::frames::Sends;
use crate::Defect;
use dut_mld::host::Policy;
use dut_wire::mld::{ALL_NODES, ALL_ROUTERS, LinkMtu, Message, RecordType, Report};
use std::net::Ipv6Addr;

/// Defects of form.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::data(
        "mld-host-reports-interface-scope",
        &["MLD-168"],
        "groups of scope 0 and 1 are reported",
        |rules| rules.listener.is_reported = |group| group != ALL_NODES,
    ),
    Defect::data(
        "mld-host-reports-all-nodes",
        &["MLD-168"],
        "ff02::1 is reported",
        |rules| {
            rules.listener.is_reported = |group| group == ALL_NODES || dut_mld::is_tracked(group);
        },
    ),
    Defect::data(
        "mld-host-hides-link-scope",
        &["MLD-168"],
        "link-local groups aren't reported",
        |rules| rules.listener.is_reported = dut_mld::is_forwardable,
    ),
    Defect::data(
        "mld-host-hides-solicited-node",
        &["MLD-168"],
        "solicited-node addresses aren't reported",
        |rules| {
            rules.listener.is_reported = |group| {
                let [_, _, _, _, _, one, high, _] = group.segments();
                dut_mld::is_tracked(group) && !(one == 1 && high >> 8 == 0xff)
            };
        },
    ),
    Defect::data(
        "mld-host-never-splits",
        &["MLD-173"],
        "all records go into one report, however large",
        |rules| {
            rules.listener.pack = |records, _| {
                if records.is_empty() {
                    Vec::new()
                } else {
                    vec![Report { records }]
                }
            };
        },
    ),
    Defect::data(
        "mld-host-one-record-a-report",
        &["MLD-161", "MLD-173"],
        "each record goes into a report of its own",
        |rules| {
            rules.listener.pack = |records, mtu| {
                let one = |record| Report::pack(vec![record], mtu);
                records.into_iter().flat_map(one).collect()
            };
        },
    ),
    Defect::data(
        "mld-host-ignores-mtu",
        &["MLD-173"],
        "reports are packed for 1500 octets on every link",
        |rules| rules.listener.pack = |records, _| Report::pack(records, LinkMtu::new(1500)),
    ),
    Defect::data(
        "mld-host-cuts-include",
        &["MLD-173"],
        "a list of included sources that doesn't fit is cut",
        |rules| {
            rules.listener.pack = |mut records, mtu| {
                let capacity = (mtu.message() - 28) / 16;
                for record in &mut records {
                    record.sources.truncate(capacity);
                }
                Report::pack(records, mtu)
            };
        },
    ),
    Defect::data(
        "mld-host-splits-exclude",
        &["MLD-173"],
        "a list of excluded sources that doesn't fit is told by several records",
        |rules| {
            rules.listener.pack = |records, mtu| {
                let capacity = (mtu.message() - 28) / 16;
                let split = |record: dut_wire::mld::Record| {
                    let exclude = matches!(
                        record.record_type,
                        RecordType::ModeIsExclude | RecordType::ChangeToExclude
                    );
                    if !exclude || record.sources.len() <= capacity {
                        return vec![record];
                    }
                    let part = |sources: &[Ipv6Addr]| dut_wire::mld::Record {
                        sources: sources.to_vec(),
                        ..record.clone()
                    };
                    record.sources.chunks(capacity).map(part).collect()
                };
                Report::pack(records.into_iter().flat_map(split).collect(), mtu)
            };
        },
    ),
    Defect::data(
        "mld-host-first-report-only",
        &["MLD-161", "MLD-173"],
        "of several reports only the first is sent",
        |rules| {
            rules.listener.pack = |records, mtu| {
                let mut reports = Report::pack(records, mtu);
                reports.truncate(1);
                reports
            };
        },
    ),
    Defect::data(
        "mld-host-reports-not-again",
        &["MLD-169"],
        "what was reported from :: isn't reported again from the link-local address",
        |rules| rules.listener.reports_again = false,
    ),
    Defect::data(
        "mld-host-uses-tentative-address",
        &["MLD-169"],
        "reports carry the link-local address while it is still tentative",
        |rules| rules.listener.source = |link_local, _| link_local,
    ),
    Defect::data(
        "mld-host-always-unspecified",
        &["MLD-169"],
        "reports come from :: even when there is a link-local address",
        |rules| rules.listener.source = |_, _| Ipv6Addr::UNSPECIFIED,
    ),
    Defect::data(
        "mld-host-global-source",
        &["MLD-169"],
        "reports come from a global address",
        |rules| {
            rules.listener.source = |_, _| Ipv6Addr::new(0x2001, 0xdb8, 0x15, 0, 0, 0, 0, 0x10);
        },
    ),
    Defect::data(
        "mld-host-reports-to-group",
        &["MLD-174"],
        "version 2 reports go to the group that they report",
        |rules| {
            rules.listener.destination = |message| {
                let Message::Report(report) = message else {
                    return (Policy::STANDARD.destination)(message);
                };
                let first = report.records.first();
                first.map_or(ALL_NODES, |record| record.group)
            };
        },
    ),
    Defect::data(
        "mld-host-done-to-group",
        &["MLD-174"],
        "a Done goes to the group",
        |rules| {
            rules.listener.destination = |message| {
                let Message::Done { group } = message else {
                    return (Policy::STANDARD.destination)(message);
                };
                *group
            };
        },
    )
    .seen("lwIP"),
    Defect::data(
        "mld-host-v1-report-to-routers",
        &["MLD-174"],
        "a version 1 report goes to ff02::2",
        |rules| {
            rules.listener.destination = |message| {
                if matches!(message, Message::ReportV1 { .. }) {
                    ALL_ROUTERS
                } else {
                    (Policy::STANDARD.destination)(message)
                }
            };
        },
    ),
    Defect::data(
        "mld-host-unspecified-among-sources",
        &["MLD-175"],
        "records name :: as a source",
        |rules| {
            rules.listener.pack = |mut records, mtu| {
                for record in &mut records {
                    record.sources.push(Ipv6Addr::UNSPECIFIED);
                }
                Report::pack(records, mtu)
            };
        },
    )
    .seen("Zephyr before its change 72457"),
    Defect::data(
        "mld-host-unknown-record-type",
        &["MLD-175"],
        "ALLOW_NEW_SOURCES has a type that nobody knows",
        |rules| {
            rules.listener.pack = |mut records, mtu| {
                for record in &mut records {
                    if record.record_type == RecordType::AllowNewSources {
                        record.record_type = RecordType::Unknown(7);
                    }
                }
                Report::pack(records, mtu)
            };
        },
    ),
    Defect::frames(
        "mld-host-hop-limit-64",
        &["MLD-001", "MLD-158"],
        "reports leave with Hop Limit 64",
        || Box::new(Sends(|packet, _| packet.hop_limit = 64)),
    ),
    Defect::frames(
        "mld-host-no-router-alert",
        &["MLD-003", "MLD-158"],
        "reports leave without a Router Alert option",
        || Box::new(Sends(|packet, _| packet.router_alert = None)),
    ),
    Defect::frames(
        "mld-host-other-router-alert",
        &["MLD-003", "MLD-158"],
        "the Router Alert option of reports has another value than MLD's",
        || Box::new(Sends(|packet, _| packet.router_alert = Some(1))),
    ),
    Defect::frames(
        "mld-host-octets-after-records",
        &["MLD-175"],
        "four octets follow the last record",
        || {
            Box::new(Sends(|_, message| {
                message.extend_from_slice(&[0; 4]);
            }))
        },
    ),
];
