//! Defects of a snooping bridge (RFC 4541).

use super::frames::{Hears, Passes, Sends, Traffic};
use crate::octets::put_all;
use crate::{Defect, octets};
use dut_device::PortId;
use dut_mld::{DiscardReason, Envelope};
use dut_node::station::policy::{answer_within, refuses, wants};
use dut_wire::mld::{DONE, QUERY, REPORT_V1, REPORT_V2, Record, RecordType};
use std::net::Ipv6Addr;
use std::time::Duration;

/// An envelope that passes every check.
const RIGHT: Envelope = Envelope {
    source: Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1),
    destination: Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x16),
    hop_limit: 1,
    router_alert: Some(0),
};

/// All ports but this one.
fn others(port: PortId) -> Vec<PortId> {
    (0..3).map(PortId).filter(|other| *other != port).collect()
}

/// Whether a record says that nobody listens any more.
fn leaves(record: &Record) -> bool {
    record.record_type == RecordType::ChangeToInclude && record.sources.is_empty()
}

/// Whether an ICMPv6 message behind a Hop-by-Hop header is of a type above those in use.
fn is_unknown(frame: &[u8]) -> bool {
    octets::octet(frame, 20) == 0
        && octets::octet(frame, 54) == 58
        && octets::octet(frame, 62) > 161
}

/// A snooping bridge's defects.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::data(
        "mld-snooper-floods-reports",
        &["SNOOP-001"],
        "reports and Dones go to every port",
        |rules| rules.snooper.reports_to = |to| !to.arrived,
    ),
    Defect::data(
        "mld-snooper-reports-to-members",
        &["SNOOP-001"],
        "reports go to the group's other listeners, too",
        |rules| rules.snooper.reports_to = |to| !to.arrived && (to.router || to.member),
    ),
    Defect::data(
        "mld-snooper-keeps-reports",
        &["SNOOP-001"],
        "reports and Dones go nowhere",
        |rules| rules.snooper.reports_to = |_| false,
    ),
    Defect::frames(
        "mld-snooper-keeps-dones",
        &["SNOOP-001", "SNOOP-011"],
        "Dones go nowhere",
        || Box::new(Sends(|_, mld| mld.kind() != DONE)),
    ),
    Defect::frames(
        "mld-snooper-own-reports",
        &["SNOOP-001"],
        "reports are passed on from the bridge's own address",
        || {
            Box::new(Sends(|_, mld| {
                if mld.kind() == REPORT_V2 {
                    mld.source = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0xbb);
                }
                true
            }))
        },
    ),
    Defect::data(
        "mld-snooper-no-router-ports",
        &["SNOOP-002"],
        "a query makes no router's port",
        |rules| rules.snooper.router_for = |_| Duration::ZERO,
    ),
    Defect::data(
        "mld-snooper-forgets-routers",
        &["SNOOP-002"],
        "a router's port is forgotten after one Query Interval",
        |rules| rules.snooper.router_for = |by| by.query_interval,
    ),
    Defect::data(
        "mld-snooper-routers-for-ever",
        &["SNOOP-002"],
        "a router's port is never forgotten",
        |rules| rules.snooper.router_for = |_| Duration::from_secs(1_000_000),
    ),
    Defect::data(
        "mld-snooper-any-router",
        &["SNOOP-003"],
        "a query from the unspecified address makes a router's port",
        |rules| rules.snooper.makes_router = |_| true,
    ),
    Defect::data(
        "mld-snooper-floods-groups",
        &["SNOOP-004"],
        "traffic of groups goes to every port",
        |rules| rules.snooper.traffic_to = |to| !to.arrived,
    ),
    Defect::data(
        "mld-snooper-floods-registered",
        &["SNOOP-004"],
        "traffic of a group that anybody reports goes to every port",
        |rules| rules.snooper.traffic_to = |to| !to.arrived && (to.router || to.registered),
    ),
    Defect::data(
        "mld-snooper-floods-unregistered",
        &["SNOOP-004"],
        "traffic of a group that nobody reports goes to every port",
        |rules| {
            rules.snooper.traffic_to =
                |to| !to.arrived && (to.router || to.member || !to.registered)
        },
    ),
    Defect::data(
        "mld-snooper-starves-routers",
        &["SNOOP-004"],
        "a router's port gets groups that its listeners report alone",
        |rules| rules.snooper.traffic_to = |to| !to.arrived && to.member,
    ),
    Defect::data(
        "mld-snooper-members-for-routers",
        &["SNOOP-004"],
        "a router's port gets groups that anybody reports alone",
        |rules| {
            rules.snooper.traffic_to = |to| !to.arrived && (to.member || to.router && to.registered)
        },
    ),
    Defect::data(
        "mld-snooper-by-mac",
        &["SNOOP-004"],
        "groups with one Ethernet address are one",
        |rules| {
            rules.snooper.key = |group| {
                let [.., high, low] = group.segments();
                Ipv6Addr::new(0xff1e, 0, 0, 0, 0, 0, high, low)
            };
        },
    ),
    Defect::data(
        "mld-snooper-one-group",
        &["SNOOP-004"],
        "a listener's port gets every group",
        |rules| rules.snooper.key = |_| Ipv6Addr::new(0xff1e, 0, 0, 0, 0, 0, 0, 1),
    ),
    Defect::data(
        "mld-snooper-exclude-alone",
        &["SNOOP-004"],
        "listeners of some sources aren't served",
        |rules| {
            rules.snooper.wants = |record| {
                let any = [RecordType::ModeIsExclude, RecordType::ChangeToExclude];
                any.contains(&record.record_type)
            };
        },
    ),
    Defect::data(
        "mld-snooper-changes-alone",
        &["SNOOP-004"],
        "answers to queries aren't looked at",
        |rules| {
            rules.snooper.wants = |record| {
                let current = [RecordType::ModeIsExclude, RecordType::ModeIsInclude];
                wants(record) && !current.contains(&record.record_type)
            };
        },
    ),
    Defect::data(
        "mld-snooper-block-joins",
        &["SNOOP-004"],
        "BLOCK makes a listener's port",
        |rules| {
            rules.snooper.wants =
                |record| wants(record) || record.record_type == RecordType::BlockOldSources
        },
    ),
    Defect::data(
        "mld-snooper-leave-joins",
        &["SNOOP-004"],
        "TO_IN without sources makes a listener's port",
        |rules| rules.snooper.wants = |record| wants(record) || leaves(record),
    ),
    Defect::frames(
        "mld-snooper-first-record",
        &["SNOOP-004"],
        "the first record of a report is looked at alone",
        || {
            Box::new(Hears(|_, mld| {
                if mld.kind() == REPORT_V2 {
                    let mut records = mld.records();
                    if records.len() > 1 {
                        records.truncate(1);
                        mld.set_records(records);
                    }
                }
                true
            }))
        },
    ),
    Defect::frames(
        "mld-snooper-stops-at-unknown",
        &["SNOOP-004"],
        "records after one of an unknown type aren't looked at",
        || {
            Box::new(Hears(|_, mld| {
                let mut records = mld.records();
                let unknown =
                    |record: &Record| matches!(record.record_type, RecordType::Unknown(_));
                if let Some(at) = records.iter().position(unknown) {
                    records.truncate(at);
                    mld.set_records(records);
                }
                true
            }))
        },
    ),
    Defect::data(
        "mld-snooper-filters-link-scope",
        &["SNOOP-005"],
        "link-local groups go to their listeners alone",
        |rules| rules.snooper.restricted = |group| group.is_multicast(),
    ),
    Defect::data(
        "mld-snooper-filters-unlearnt-link-scope",
        &["SNOOP-005"],
        "link-local groups but all-nodes go to router ports alone",
        |rules| {
            rules.snooper.restricted =
                |group| group.is_multicast() && group != dut_wire::mld::ALL_NODES
        },
    )
    .survives("RFC 4541 3 exempts ff02::1 alone: listeners report every other group"),
    Defect::data(
        "mld-snooper-drops-link-scope",
        &["SNOOP-005"],
        "what isn't kept to listeners goes nowhere",
        |rules| rules.snooper.others_to = |_| false,
    ),
    Defect::data(
        "mld-snooper-unspecified-refused",
        &["SNOOP-006"],
        "a report from the unspecified address isn't looked at",
        |rules| {
            rules.snooper.refuses = |envelope, right| {
                let unspecified = envelope.source.is_unspecified();
                let reason = DiscardReason::SourceUnspecified;
                refuses(envelope, right).or(unspecified.then_some(reason))
            };
        },
    ),
    Defect::data(
        "mld-snooper-hop-limit-unchecked",
        &["SNOOP-007"],
        "messages whose Hop Limit isn't 1 are learnt from",
        |rules| {
            rules.snooper.refuses = |envelope, right| {
                let hop_limit = RIGHT.hop_limit;
                let other = Envelope {
                    hop_limit,
                    ..*envelope
                };
                refuses(&other, right)
            };
        },
    ),
    Defect::data(
        "mld-snooper-router-alert-unchecked",
        &["SNOOP-007"],
        "messages without a Router Alert option are learnt from",
        |rules| {
            rules.snooper.refuses = |envelope, right| {
                let router_alert = RIGHT.router_alert;
                let other = Envelope {
                    router_alert,
                    ..*envelope
                };
                refuses(&other, right)
            };
        },
    ),
    Defect::data(
        "mld-snooper-source-unchecked",
        &["SNOOP-007"],
        "messages from an address that isn't link-local are learnt from",
        |rules| {
            rules.snooper.refuses = |envelope, right| {
                let source = RIGHT.source;
                let other = Envelope {
                    source,
                    ..*envelope
                };
                refuses(&other, right)
            };
        },
    ),
    Defect::data(
        "mld-snooper-checksum-unchecked",
        &["SNOOP-007"],
        "messages with a wrong checksum are learnt from",
        |rules| rules.snooper.refuses = |envelope, _| refuses(envelope, true),
    ),
    Defect::frames(
        "mld-snooper-drops-unknown-types",
        &["SNOOP-008"],
        "ICMPv6 messages of unknown types go nowhere",
        || Box::new(Traffic(|frame| !is_unknown(frame))),
    ),
    Defect::data(
        "mld-snooper-queries-to-members",
        &["SNOOP-009"],
        "a query goes to listeners' ports alone",
        |rules| rules.snooper.queries_to = |to| !to.arrived && to.member,
    ),
    Defect::data(
        "mld-snooper-keeps-queries",
        &["SNOOP-009"],
        "queries go nowhere",
        |rules| rules.snooper.queries_to = |_| false,
    ),
    Defect::frames(
        "mld-snooper-own-queries",
        &["SNOOP-009"],
        "queries are passed on from the bridge's own address",
        || {
            Box::new(Sends(|_, mld| {
                if mld.kind() == QUERY {
                    mld.source = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0xbb);
                }
                true
            }))
        },
    ),
    Defect::frames(
        "mld-snooper-own-delay",
        &["SNOOP-009"],
        "queries are passed on with a Maximum Response Delay of 10 s",
        || {
            Box::new(Sends(|_, mld| {
                if mld.kind() == QUERY {
                    put_all(&mut mld.message, 4, &[0x27, 0x10]);
                }
                true
            }))
        },
    ),
    Defect::data(
        "mld-snooper-ages-by-query-interval",
        &["SNOOP-010"],
        "a listener's port is forgotten after one Query Interval",
        |rules| rules.snooper.member_for = |by| by.query_interval,
    ),
    Defect::data(
        "mld-snooper-ages-without-response",
        &["SNOOP-010"],
        "the listening interval leaves the Query Response Interval out",
        |rules| rules.snooper.member_for = |by| by.query_interval * by.robustness,
    ),
    Defect::data(
        "mld-snooper-ages-by-default",
        &["SNOOP-010"],
        "a listener's port is forgotten after 260 s whatever the Query Interval is",
        |rules| rules.snooper.member_for = |_| Duration::from_secs(260),
    ),
    Defect::data(
        "mld-snooper-never-ages",
        &["SNOOP-010"],
        "a listener's port is never forgotten",
        |rules| rules.snooper.member_for = |_| Duration::from_secs(1_000_000),
    ),
    Defect::data(
        "mld-snooper-ignores-specific-queries",
        &["SNOOP-010"],
        "an unanswered specific query ends nothing",
        |rules| rules.snooper.answer_within = |_, _, _| None,
    ),
    Defect::data(
        "mld-snooper-one-specific-query",
        &["SNOOP-010"],
        "a specific query that is unanswered once ends a group",
        |rules| {
            rules.snooper.answer_within = |query, group, by| {
                answer_within(query, group, by).map(|_| query.maximum_response_delay())
            };
        },
    ),
    Defect::data(
        "mld-snooper-general-queries-end",
        &["SNOOP-010"],
        "an unanswered General Query ends every group at its delay",
        |rules| {
            rules.snooper.answer_within = |query, group, by| {
                let general = query.group().is_unspecified();
                let delay = query.maximum_response_delay();
                answer_within(query, group, by).or(general.then_some(delay))
            };
        },
    ),
    Defect::data(
        "mld-snooper-source-queries-end",
        &["SNOOP-010"],
        "an unanswered query for some sources ends the group",
        |rules| {
            rules.snooper.answer_within = |query, group, by| {
                let asks = query.group() == group && !query.suppress();
                asks.then(|| query.maximum_response_delay() * by.robustness)
            };
        },
    ),
    Defect::data(
        "mld-snooper-suppressed-queries-end",
        &["SNOOP-010"],
        "a query with the S flag ends the group when unanswered",
        |rules| {
            rules.snooper.answer_within = |query, group, by| {
                let asks = query.group() == group && query.sources().is_empty();
                asks.then(|| query.maximum_response_delay() * by.robustness)
            };
        },
    ),
    Defect::data(
        "mld-snooper-any-query-ends",
        &["SNOOP-010"],
        "a specific query for one group ends others, too",
        |rules| {
            rules.snooper.answer_within = |query, _, by| answer_within(query, query.group(), by);
        },
    ),
    Defect::data(
        "mld-snooper-fast-leave",
        &["SNOOP-010"],
        "a leave ends its port's listening without a query",
        |rules| rules.snooper.ends = leaves,
    ),
    Defect::data(
        "mld-snooper-fast-block",
        &["SNOOP-010"],
        "BLOCK ends its port's listening",
        |rules| rules.snooper.ends = |record| record.record_type == RecordType::BlockOldSources,
    ),
    Defect::data(
        "mld-snooper-fast-done",
        &["SNOOP-010"],
        "a Done ends its port's listening without a query",
        |rules| rules.snooper.done_ends = true,
    ),
    Defect::frames(
        "mld-snooper-no-version-1",
        &["SNOOP-011"],
        "version 1 Reports are lost",
        || Box::new(Hears(|_, mld| mld.kind() != REPORT_V1)),
    ),
    Defect::frames(
        "mld-snooper-no-version-1-querier",
        &["SNOOP-002", "SNOOP-011"],
        "version 1 queries are lost",
        || {
            Box::new(Hears(|_, mld| {
                mld.kind() != QUERY || mld.message.len() > 24
            }))
        },
    ),
    Defect::data(
        "mld-snooper-traffic-back",
        &["SNOOP-012"],
        "traffic goes back to the port on which it arrived",
        |rules| rules.snooper.traffic_to = |to| to.router || to.member,
    ),
    Defect::data(
        "mld-snooper-queries-back",
        &["SNOOP-012"],
        "queries go back to the port on which they arrived",
        |rules| rules.snooper.queries_to = |_| true,
    ),
    Defect::frames(
        "mld-snooper-reflects-reports",
        &["SNOOP-001", "SNOOP-012"],
        "reports go back to a port on which they arrived",
        || {
            Box::new(Passes(|port, mld| {
                if mld.kind() == REPORT_V2 {
                    vec![port]
                } else {
                    Vec::new()
                }
            }))
        },
    ),
    Defect::frames(
        "mld-snooper-queries-twice",
        &["SNOOP-009"],
        "a General Query is passed on twice",
        || {
            Box::new(Passes(|port, mld| {
                if mld.is_general() {
                    others(port)
                } else {
                    Vec::new()
                }
            }))
        },
    ),
    Defect::frames(
        "mld-snooper-counts-hops",
        &["SNOOP-004"],
        "traffic's Hop Limit is counted down, as a router does",
        || {
            Box::new(Traffic(|frame| {
                let limit = octets::octet(frame, 21).saturating_sub(1);
                octets::put(frame, 21, limit);
                true
            }))
        },
    ),
];
