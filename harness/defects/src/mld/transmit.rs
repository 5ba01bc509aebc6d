//! Queries that the router sends (MLD-001 to MLD-019).

use super::frames::{Octets, Outgoing};
use crate::Defect;
use crate::octets::{octet, put, put_all};
use dut_mld::InterfaceConfig;
use dut_mld::policy::{Asked, query};
use dut_mld::series;
use dut_wire::mld::{
    ALL_NODES, ALL_ROUTERS, MaximumResponseCode, QUERY, Qqic, Qrv, Query, QueryV2,
};
use std::net::Ipv6Addr;

/// The standard's query with a change to a version 2 one.
fn changed(
    config: &InterfaceConfig,
    asked: Asked,
    change: impl Fn(&mut QueryV2, &InterfaceConfig),
) -> Query {
    match query(config, asked) {
        Query::V2(mut query) => {
            change(&mut query, config);
            Query::V2(query)
        }
        older @ Query::V1(_) => older,
    }
}

/// A query maker that changes version 2 queries so.
macro_rules! query_with {
    ($change:expr) => {
        |rules| rules.mld.query = |config, asked| changed(config, asked, $change)
    };
}

/// Milliseconds of a delay.
fn ms(delay: std::time::Duration) -> u64 {
    u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)
}

fn code(value: u64) -> MaximumResponseCode {
    MaximumResponseCode(u16::try_from(value).unwrap_or(u16::MAX))
}

/// Changes every outgoing MLD message.
macro_rules! outgoing {
    ($change:expr) => {
        || Box::new(Outgoing($change))
    };
}

/// Defects of what is sent.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::frames(
        "mld-hop-limit-64",
        &["MLD-001"],
        "MLD messages leave with hop limit 64",
        outgoing!(|mld| {
            mld.hop_limit = 64;
            true
        }),
    ),
    Defect::frames(
        "mld-specific-hop-limit-255",
        &["MLD-001"],
        "specific queries leave with hop limit 255",
        outgoing!(|mld| {
            if mld.is_specific() {
                mld.hop_limit = 255;
            }
            true
        }),
    ),
    Defect::frames(
        "mld-global-source",
        &["MLD-002"],
        "queries come from the interface's global address",
        outgoing!(|mld| {
            mld.source = Ipv6Addr::new(0x2001, 0xdb8, 0x15, 0, 0, 0, 0, 1);
            true
        }),
    ),
    Defect::frames(
        "mld-unspecified-source",
        &["MLD-002"],
        "queries come from the unspecified address",
        outgoing!(|mld| {
            if mld.kind() == QUERY {
                mld.source = Ipv6Addr::UNSPECIFIED;
            }
            true
        }),
    )
    .seen("NuttX's querier; Open vSwitch's without a configured address"),
    Defect::frames(
        "mld-source-outside-64",
        &["MLD-002"],
        "queries come from fe80:0:0:1::/64",
        outgoing!(|mld| {
            let mut octets = mld.source.octets();
            put(&mut octets, 7, 1);
            mld.source = Ipv6Addr::from(octets);
            true
        }),
    ),
    Defect::frames(
        "mld-second-source",
        &["MLD-002"],
        "specific queries come from another address than general ones",
        outgoing!(|mld| {
            if mld.is_specific() {
                let mut octets = mld.source.octets();
                put(&mut octets, 15, 0xee);
                mld.source = Ipv6Addr::from(octets);
            }
            true
        }),
    ),
    Defect::frames(
        "mld-no-router-alert",
        &["MLD-003"],
        "no message has a Router Alert option",
        outgoing!(|mld| {
            mld.router_alert = None;
            true
        }),
    ),
    Defect::frames(
        "mld-specific-no-router-alert",
        &["MLD-003"],
        "specific queries have no Router Alert option",
        outgoing!(|mld| {
            if mld.is_specific() {
                mld.router_alert = None;
            }
            true
        }),
    ),
    Defect::frames(
        "mld-router-alert-rsvp",
        &["MLD-003"],
        "the Router Alert option says RSVP",
        outgoing!(|mld| {
            mld.router_alert = Some(1);
            true
        }),
    ),
    Defect::frames(
        "mld-two-router-alerts",
        &["MLD-003"],
        "the Router Alert option stands twice",
        || {
            Box::new(Octets(|frame| {
                if frame.len() > 62 {
                    frame.splice(54..62, [58, 1, 5, 2, 0, 0, 5, 2, 0, 0, 1, 4, 0, 0, 0, 0]);
                    let length = u16::try_from(frame.len() - 54).unwrap_or(0);
                    put_all(frame, 18, &length.to_be_bytes());
                }
            }))
        },
    ),
    Defect::frames(
        "mld-checksum-zero",
        &["MLD-004"],
        "messages leave without a checksum",
        || Box::new(Octets(|frame| put_all(frame, 64, &[0, 0]))),
    ),
    Defect::frames(
        "mld-checksum-of-payload-length",
        &["MLD-004"],
        "the pseudo-header holds the IPv6 payload length",
        || {
            Box::new(Octets(|frame| {
                let sum = u16::from_be_bytes([octet(frame, 64), octet(frame, 65)]);
                // Eight more in the sum are eight fewer in its complement.
                let (less, borrow) = sum.overflowing_sub(8);
                put_all(frame, 64, &(less - u16::from(borrow)).to_be_bytes());
            }))
        },
    ),
    Defect::frames(
        "mld-general-to-all-routers",
        &["MLD-005"],
        "general queries go to ff02::2",
        outgoing!(|mld| {
            if mld.is_general() {
                mld.redirect(ALL_ROUTERS);
            }
            true
        }),
    ),
    Defect::frames(
        "mld-general-broadcast-mac",
        &["MLD-005"],
        "general queries go to the broadcast MAC address",
        outgoing!(|mld| {
            if mld.is_general() {
                put_all(&mut mld.macs, 0, &[0xff; 6]);
            }
            true
        }),
    ),
    Defect::data(
        "mld-specific-to-all-nodes",
        &["MLD-006"],
        "specific queries go to ff02::1",
        |rules| {
            rules.mld.destination = |_| ALL_NODES;
        },
    )
    .seen("mrd6"),
    Defect::frames(
        "mld-specific-mac-all-nodes",
        &["MLD-006"],
        "specific queries go to the MAC address of ff02::1",
        outgoing!(|mld| {
            if mld.is_specific() {
                put_all(&mut mld.macs, 0, &[0x33, 0x33, 0, 0, 0, 1]);
            }
            true
        }),
    ),
    Defect::frames(
        "mld-code-1",
        &["MLD-007"],
        "queries leave with Code 1",
        outgoing!(|mld| {
            put(&mut mld.message, 1, 1);
            true
        }),
    ),
    Defect::frames(
        "mld-reserved-set",
        &["MLD-007"],
        "Reserved of a query isn't zero",
        outgoing!(|mld| {
            if mld.kind() == QUERY {
                put(&mut mld.message, 7, 1);
            }
            true
        }),
    ),
    Defect::frames(
        "mld-e-flag-set",
        &["MLD-007"],
        "queries have the E flag without an extension",
        outgoing!(|mld| {
            if mld.kind() == QUERY && mld.message.len() >= 28 {
                let flags = octet(&mld.message, 24);
                put(&mut mld.message, 24, flags | 0x80);
            }
            true
        }),
    ),
    Defect::frames(
        "mld-query-padded",
        &["MLD-008"],
        "four octets follow the last source",
        outgoing!(|mld| {
            if mld.kind() == QUERY {
                mld.message.extend([0; 4]);
            }
            true
        }),
    ),
    Defect::frames(
        "mld-specific-padded",
        &["MLD-008"],
        "a specific query without sources has room for one",
        outgoing!(|mld| {
            if mld.is_specific() && mld.message.len() == 28 {
                mld.message.extend([0; 16]);
            }
            true
        }),
    ),
    Defect::frames(
        "mld-general-names-all-nodes",
        &["MLD-009"],
        "general queries name ff02::1",
        outgoing!(|mld| {
            if mld.is_general() {
                put_all(&mut mld.message, 8, &ALL_NODES.octets());
            }
            true
        }),
    ),
    Defect::frames(
        "mld-general-lists-source",
        &["MLD-009"],
        "general queries list the unspecified address",
        outgoing!(|mld| {
            if mld.is_general() && mld.message.len() == 28 {
                put(&mut mld.message, 27, 1);
                mld.message.extend([0; 16]);
            }
            true
        }),
    ),
    Defect::frames(
        "mld-specific-names-nothing",
        &["MLD-010"],
        "Q(G) names no address",
        outgoing!(|mld| {
            if mld.is_specific() && mld.message.len() == 28 {
                put_all(&mut mld.message, 8, &[0; 16]);
            }
            true
        }),
    ),
    Defect::data(
        "mld-group-query-lists-sources",
        &["MLD-010", "MLD-096"],
        "Q(G) lists the requested sources",
        |rules| {
            rules.mld.trigger = |group, sources, ask_group, now, variables| {
                let mut sent = series::trigger(group, sources, ask_group, now, variables);
                for specific in &mut sent {
                    if specific.sources.is_empty() {
                        specific.sources = group.requested().into_iter().collect();
                    }
                }
                sent
            };
        },
    ),
    Defect::data(
        "mld-query-forgets-a-source",
        &["MLD-011"],
        "the last source of a list isn't asked for",
        |rules| {
            rules.mld.query = |config, asked| {
                changed(config, asked, |query, _| {
                    if query.sources.len() > 1 {
                        query.sources.pop();
                    }
                })
            };
        },
    ),
    Defect::data(
        "mld-response-interval-fixed",
        &["MLD-012"],
        "general queries say 10 s whatever is configured",
        query_with!(|query, _| {
            if query.group.is_unspecified() {
                query.maximum_response_code = code(10_000);
            }
        }),
    ),
    Defect::data(
        "mld-response-code-in-tenths",
        &["MLD-012", "MLD-013"],
        "the response code counts tenths of a second, as in IGMP",
        |rules| {
            rules.mld.query = |config, asked| {
                let tenths = ms(asked.delay) / 100;
                changed(config, asked, |query, _| {
                    query.maximum_response_code = code(tenths)
                })
            };
        },
    ),
    Defect::data(
        "mld-response-code-linear",
        &["MLD-012"],
        "a long interval isn't encoded in floating point",
        |rules| {
            rules.mld.query = |config, asked| {
                let linear = ms(asked.delay);
                changed(config, asked, |query, _| {
                    query.maximum_response_code = code(linear)
                })
            };
        },
    ),
    Defect::data(
        "mld-response-code-saturates",
        &["MLD-012"],
        "a long interval is said to be 32767 ms",
        query_with!(|query, _| {
            query.maximum_response_code.0 = query.maximum_response_code.0.min(0x7fff);
        }),
    ),
    Defect::data(
        "mld-response-code-exponent",
        &["MLD-012"],
        "the exponent of a long interval is one too great",
        query_with!(|query, _| {
            if query.maximum_response_code.0 >= 0x8000 {
                query.maximum_response_code.0 |= 0x1000;
            }
        }),
    ),
    Defect::data(
        "mld-specific-response-interval",
        &["MLD-013"],
        "specific queries say the Query Response Interval",
        |rules| {
            rules.mld.query = |config, mut asked| {
                asked.delay = config.query_response_interval;
                query(config, asked)
            };
        },
    ),
    Defect::data(
        "mld-specific-code-zero",
        &["MLD-013"],
        "specific queries say 0",
        query_with!(|query, _| {
            if !query.group.is_unspecified() {
                query.maximum_response_code = code(0);
            }
        }),
    )
    .seen("FRR issue 13539: a query with delay 0"),
    Defect::data(
        "mld-specific-code-one-second",
        &["MLD-013", "MLD-122"],
        "specific queries say 1 s whatever is configured",
        query_with!(|query, _| {
            if !query.group.is_unspecified() {
                query.maximum_response_code = code(1000);
            }
        }),
    ),
    Defect::data(
        "mld-qrv-constant",
        &["MLD-014"],
        "QRV is always 2",
        query_with!(|query, _| query.qrv = Qrv::new(2)),
    ),
    Defect::data(
        "mld-qrv-zero",
        &["MLD-014"],
        "QRV is always 0",
        query_with!(|query, _| query.qrv = Qrv::new(0)),
    ),
    Defect::data(
        "mld-qrv-saturates",
        &["MLD-014"],
        "QRV is 7 for any greater Robustness Variable",
        query_with!(|query, config| {
            query.qrv = Qrv::new(config.robustness.min(7));
        }),
    ),
    Defect::data(
        "mld-qrv-wraps",
        &["MLD-014"],
        "QRV holds the low bits of the Robustness Variable",
        query_with!(|query, config| {
            query.qrv = Qrv::new(config.robustness & 7);
        }),
    ),
    Defect::data(
        "mld-qqic-constant",
        &["MLD-015"],
        "QQIC is always 125",
        query_with!(|query, _| query.qqic = Qqic(125)),
    ),
    Defect::data(
        "mld-qqic-saturates",
        &["MLD-015"],
        "QQIC is never above 127",
        query_with!(|query, _| {
            query.qqic = Qqic(query.qqic.0.min(127));
        }),
    ),
    Defect::data(
        "mld-qqic-linear",
        &["MLD-015"],
        "QQIC holds the seconds' low octet",
        query_with!(|query, config| {
            let [.., low] = config.query_interval.as_secs().to_be_bytes();
            query.qqic = Qqic(low);
        }),
    ),
    Defect::data(
        "mld-qqic-rounds-up",
        &["MLD-016"],
        "a Query Interval that QQIC can't hold is rounded up",
        query_with!(|query, config| {
            if query.qqic.interval() < config.query_interval {
                query.qqic = Qqic(query.qqic.0.saturating_add(1));
            }
        }),
    ),
    Defect::data(
        "mld-response-code-rounds-up",
        &["MLD-016"],
        "an interval that the code can't hold is rounded up",
        |rules| {
            rules.mld.query = |config, asked| {
                let delay = asked.delay;
                changed(config, asked, |query, _| {
                    if query.maximum_response_code.delay() < delay {
                        query.maximum_response_code.0 =
                            query.maximum_response_code.0.saturating_add(1);
                    }
                })
            };
        },
    ),
    Defect::data(
        "mld-never-split",
        &["MLD-017"],
        "a query grows beyond the MTU",
        |rules| rules.mld.split = |query, _| vec![query],
    ),
    Defect::data(
        "mld-split-cuts",
        &["MLD-017"],
        "sources that don't fit one query aren't asked for",
        |rules| {
            rules.mld.split = |query, mtu| query.split(mtu).into_iter().take(1).collect();
        },
    ),
    Defect::data(
        "mld-split-repeats",
        &["MLD-017"],
        "each part of a query repeats the first source",
        |rules| {
            rules.mld.split = |query, mtu| {
                let first = query.sources.first().copied();
                let mut parts = query.split(mtu);
                for part in parts.iter_mut().skip(1) {
                    part.sources.pop();
                    part.sources.extend(first);
                }
                parts
            };
        },
    ),
    Defect::data(
        "mld-split-one-each",
        &["MLD-017"],
        "a query that doesn't fit is sent source by source",
        |rules| {
            rules.mld.split = |query, mtu| {
                let parts = query.clone().split(mtu);
                if parts.len() < 2 {
                    return parts;
                }
                let one = |source: &Ipv6Addr| QueryV2 {
                    sources: vec![*source],
                    ..query.clone()
                };
                query.sources.iter().map(one).collect()
            };
        },
    ),
];
