//! Defects of an MLD proxy (RFC 4605).

use super::frames::{Mixes, Passes, Repeats, Sends};
use crate::Defect;
use crate::mld::unchecked;
use dut_device::PortId;
use dut_mld::host::{Filter, Sources};
use dut_mld::policy::Variables;
use dut_mld::{DiscardReason, FilterMode, GroupState, is_tracked};
use dut_node::station::policy::{forwardable, subscription};
use dut_wire::ipv6::Packet;
use dut_wire::mld::{QUERY, REPORT_V2};
use std::net::Ipv6Addr;
use std::time::Duration;

/// The upstream port.
const UPSTREAM: PortId = PortId(0);
/// The downstream ports.
const LINKS: [PortId; 2] = [PortId(1), PortId(2)];

/// All that anybody excludes, less what somebody includes.
fn union(filters: &[&Filter]) -> Filter {
    let merged = Filter::merge(filters);
    let excluding = filters.iter().filter(|f| f.mode == FilterMode::Exclude);
    let excluded: Sources = excluding.flat_map(|f| &f.sources).copied().collect();
    match merged.mode {
        FilterMode::Include => merged,
        FilterMode::Exclude => Filter::exclude(excluded),
    }
}

/// What a record asks for, by all sources that it lists.
fn listed(record: &GroupState) -> Filter {
    Filter {
        mode: record.filter_mode,
        sources: record.sources.iter().map(|s| s.source).collect(),
    }
}

/// A packet that is as one which may leave its link, but for this.
fn but_for(packet: &Packet<'_>, change: fn(&mut Packet<'_>)) -> bool {
    let mut other = packet.clone();
    change(&mut other);
    forwardable(&other)
}

/// A proxy's defects.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::data(
        "mld-proxy-waits-for-a-query",
        &["PROXY-001"],
        "a proxy tells changes in answers alone",
        |rules| rules.listener.change_records = |_, _, _| Vec::new(),
    ),
    Defect::data(
        "mld-proxy-tells-once",
        &["PROXY-001"],
        "a proxy tells each change once",
        |rules| rules.listener.copies = |_| 1,
    ),
    Defect::data(
        "mld-proxy-asks-for-all",
        &["PROXY-001", "PROXY-002"],
        "a proxy asks upstream for every source of a group",
        |rules| {
            rules.proxy.subscription = |record| {
                let any = record.map(|_| Filter::exclude(Sources::new()));
                Some(any.unwrap_or_else(Filter::nothing))
            };
        },
    ),
    Defect::data(
        "mld-proxy-one-subscription",
        &["PROXY-002", "PROXY-003"],
        "a proxy's last link to change speaks for all",
        |rules| rules.proxy.subscriber = |_| "proxy",
    ),
    Defect::data(
        "mld-proxy-modes-merged-alone",
        &["PROXY-002", "PROXY-004"],
        "a proxy merges filter modes and forgets the excluded sources",
        |rules| {
            rules.listener.merge = |filters| {
                let merged = Filter::merge(filters);
                match merged.mode {
                    FilterMode::Include => merged,
                    FilterMode::Exclude => Filter::exclude(Sources::new()),
                }
            };
        },
    ),
    Defect::data(
        "mld-proxy-excludes-union",
        &["PROXY-002"],
        "a proxy excludes what any of its links excludes",
        |rules| rules.listener.merge = union,
    ),
    Defect::data(
        "mld-proxy-first-link-includes",
        &["PROXY-002"],
        "a proxy asks for the sources of one link alone",
        |rules| {
            rules.listener.merge = |filters| {
                let merged = Filter::merge(filters);
                let first = filters.iter().find(|f| f.mode == FilterMode::Include);
                match (merged.mode, first) {
                    (FilterMode::Include, Some(first)) => (*first).clone(),
                    _ => merged,
                }
            };
        },
    ),
    Defect::data(
        "mld-proxy-excludes-requested",
        &["PROXY-002"],
        "a proxy excludes upstream what a link's EXCLUDE record requests",
        |rules| {
            rules.proxy.subscription = |record| Some(record.map_or_else(Filter::nothing, listed));
        },
    ),
    Defect::data(
        "mld-proxy-never-leaves",
        &["PROXY-003"],
        "a proxy doesn't tell the end of a subscription",
        |rules| rules.proxy.subscription = |record| record.map(subscription),
    ),
    Defect::data(
        "mld-proxy-leaves-at-once",
        &["PROXY-003"],
        "a proxy ends a subscription at the leave, without asking who is left",
        |rules| {
            rules.mld.variables = |config, robustness, interval| {
                let mut variables = Variables::new(config, robustness, interval);
                variables.llqt = Duration::from_millis(1);
                variables
            };
        },
    ),
    Defect::data(
        "mld-proxy-leaves-late",
        &["PROXY-003"],
        "a proxy waits 10 s for those who are left",
        |rules| {
            rules.mld.variables = |config, robustness, interval| {
                let mut variables = Variables::new(config, robustness, interval);
                variables.llqt = Duration::from_secs(10);
                variables
            };
        },
    ),
    Defect::data(
        "mld-proxy-no-answers",
        &["PROXY-004"],
        "a proxy answers no query upstream",
        |rules| rules.listener.schedule = |_, _| {},
    ),
    Defect::frames(
        "mld-proxy-queries-upstream",
        &["PROXY-005"],
        "a proxy queries upstream, too",
        || {
            Box::new(Repeats(|_, mld| {
                if mld.kind() == QUERY {
                    vec![UPSTREAM]
                } else {
                    Vec::new()
                }
            }))
        },
    ),
    Defect::frames(
        "mld-proxy-no-queries",
        &["PROXY-005"],
        "a proxy doesn't query its links",
        || Box::new(Sends(|_, mld| mld.kind() != QUERY)),
    ),
    Defect::frames(
        "mld-proxy-queries-first-link",
        &["PROXY-005"],
        "a proxy queries its first link alone",
        || Box::new(Sends(|port, mld| mld.kind() != QUERY || port == LINKS[0])),
    ),
    Defect::frames(
        "mld-proxy-no-specific-queries",
        &["PROXY-003", "PROXY-005"],
        "a proxy ends a subscription without querying who is left",
        || Box::new(Sends(|_, mld| !mld.is_specific())),
    ),
    Defect::data(
        "mld-proxy-floods",
        &["PROXY-006"],
        "a proxy forwards to every link",
        |rules| rules.proxy.onto = |_| true,
    ),
    Defect::data(
        "mld-proxy-ignores-sources",
        &["PROXY-006"],
        "a proxy forwards sources that the link excludes",
        |rules| rules.mld.forwards = |_, _| true,
    ),
    Defect::data(
        "mld-proxy-nothing-downstream",
        &["PROXY-006"],
        "a proxy forwards upstream alone",
        |rules| rules.proxy.onto = |to| to.upstream,
    ),
    Defect::data(
        "mld-proxy-nothing-upstream",
        &["PROXY-007"],
        "a proxy doesn't forward upstream",
        |rules| rules.proxy.onto = |to| to.querier && to.subscribed,
    ),
    Defect::data(
        "mld-proxy-links-apart",
        &["PROXY-007"],
        "a proxy forwards from no link to another",
        |rules| {
            rules.proxy.onto = |to| to.upstream || to.from_upstream && to.querier && to.subscribed;
        },
    ),
    Defect::data(
        "mld-proxy-forwards-beside-querier",
        &["PROXY-008"],
        "a proxy forwards onto a link whose querier is another",
        |rules| rules.proxy.onto = |to| to.upstream || to.subscribed,
    ),
    Defect::data(
        "mld-proxy-hop-limit-unchecked",
        &["PROXY-009"],
        "a proxy takes reports whose Hop Limit isn't 1",
        |rules| unchecked(rules, DiscardReason::HopLimit),
    ),
    Defect::data(
        "mld-proxy-router-alert-unchecked",
        &["PROXY-009"],
        "a proxy takes reports without a Router Alert option",
        |rules| unchecked(rules, DiscardReason::NoRouterAlert),
    ),
    Defect::data(
        "mld-proxy-checksum-unchecked",
        &["PROXY-009"],
        "a proxy takes reports whose checksum is wrong",
        |rules| unchecked(rules, DiscardReason::BadChecksum),
    ),
    Defect::data(
        "mld-proxy-global-source-unchecked",
        &["PROXY-009"],
        "a proxy takes reports from an address that isn't link-local",
        |rules| unchecked(rules, DiscardReason::SourceNotLinkLocal),
    ),
    Defect::data(
        "mld-proxy-no-source-unchecked",
        &["PROXY-009"],
        "a proxy takes reports from the unspecified address",
        |rules| {
            unchecked(rules, DiscardReason::SourceUnspecified);
            unchecked(rules, DiscardReason::SourceNotLinkLocal);
        },
    ),
    Defect::frames(
        "mld-proxy-takes-upstream-reports",
        &["PROXY-010"],
        "a report upstream makes subscriptions on the links",
        || {
            Box::new(Mixes(|port, mld| {
                let upstream = port == UPSTREAM && mld.kind() == REPORT_V2;
                if upstream { LINKS.to_vec() } else { Vec::new() }
            }))
        },
    ),
    Defect::frames(
        "mld-proxy-passes-queries",
        &["PROXY-010"],
        "a query upstream is passed on to the links",
        || {
            Box::new(Passes(|port, mld| {
                let upstream = port == UPSTREAM && mld.kind() == QUERY;
                if upstream { LINKS.to_vec() } else { Vec::new() }
            }))
        },
    ),
    Defect::frames(
        "mld-proxy-elects-upstream",
        &["PROXY-010"],
        "a query upstream silences the proxy on its links",
        || {
            Box::new(Mixes(|port, mld| {
                let upstream = port == UPSTREAM && mld.kind() == QUERY;
                if upstream { LINKS.to_vec() } else { Vec::new() }
            }))
        },
    ),
    Defect::frames(
        "mld-proxy-copies-reports-upstream",
        &["PROXY-002"],
        "a proxy passes each report of a link on upstream",
        || {
            Box::new(Passes(|port, mld| {
                let link = port != UPSTREAM && mld.kind() == REPORT_V2;
                if link { vec![UPSTREAM] } else { Vec::new() }
            }))
        },
    ),
    Defect::frames(
        "mld-proxy-copies-reports-across",
        &["PROXY-013"],
        "a proxy passes each report of a link on to the other",
        || {
            Box::new(Passes(|port, mld| {
                let link = port != UPSTREAM && mld.kind() == REPORT_V2;
                let others = LINKS.into_iter().filter(|other| link && *other != port);
                others.collect()
            }))
        },
    ),
    Defect::data(
        "mld-proxy-tells-link-scope",
        &["PROXY-011"],
        "a proxy tells link-local groups upstream",
        |rules| rules.proxy.tells = is_tracked,
    ),
    Defect::data(
        "mld-proxy-forwards-link-scope",
        &["PROXY-012"],
        "a proxy forwards to link-local groups",
        |rules| {
            rules.proxy.forwardable = |packet| {
                but_for(packet, |p| {
                    p.destination = Ipv6Addr::new(0xff1e, 0, 0, 0, 0, 0, 0, 1)
                })
            };
            rules.mld.forwardable = is_tracked;
        },
    ),
    Defect::data(
        "mld-proxy-forwards-link-local-sources",
        &["PROXY-012"],
        "a proxy forwards from link-local sources",
        |rules| {
            rules.proxy.forwardable = |packet| {
                but_for(packet, |p| {
                    p.source = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)
                })
            };
        },
    ),
    Defect::data(
        "mld-proxy-forwards-at-the-end",
        &["PROXY-012"],
        "a proxy forwards packets whose Hop Limit is 1",
        |rules| rules.proxy.forwardable = |packet| but_for(packet, |p| p.hop_limit = 2),
    ),
    Defect::data(
        "mld-proxy-keeps-hop-limit",
        &["PROXY-012"],
        "a proxy doesn't count the Hop Limit down",
        |rules| rules.proxy.hop_limit = |limit| limit,
    ),
    Defect::data(
        "mld-proxy-keeps-cut-links",
        &["PROXY-003"],
        "a proxy's subscriptions outlive their link's carrier",
        |rules| rules.proxy.link_ends = false,
    ),
];
