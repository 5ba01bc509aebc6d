//! Queries, and version 1 messages' fields, that come in (MLD-045 to MLD-058).

use super::frames::{Crash, Memory};
use super::{checked, refused, unchecked};
use crate::Defect;
use crate::octets::{octet, put_all};
use dut_mld::DiscardReason;
use dut_mld::checks::Heard;
use dut_mld::policy::{Candidate, loses};
use dut_wire::icmpv6::checksum_holds;
use dut_wire::mld::{DONE, Message, QUERY, REPORT_V1, Refused};
use std::net::Ipv6Addr;

fn is_query(heard: &Heard<'_>) -> bool {
    octet(heard.icmpv6, 0) == QUERY
}

/// Octets of a query by its count of sources.
fn query_length(message: &[u8]) -> usize {
    let number = usize::from(octet(message, 26)) << 8 | usize::from(octet(message, 27));
    28 + 16 * number
}

/// Defects of the reception of queries and version 1 messages.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::data(
        "mld-query-any-hop-limit",
        &["MLD-045"],
        "the hop limit of a query isn't looked at",
        |rules| {
            checked(rules, DiscardReason::HopLimit, |heard| {
                !is_query(heard) && heard.envelope.hop_limit != 1
            });
        },
    )
    .seen("lwIP; several vendors' routers, Atlasis and Rey 2014"),
    Defect::data(
        "mld-query-no-alert-needed",
        &["MLD-046"],
        "a query needs no Router Alert option",
        |rules| {
            checked(rules, DiscardReason::NoRouterAlert, |heard| {
                !is_query(heard) && heard.envelope.router_alert.is_none()
            });
        },
    ),
    Defect::data(
        "mld-query-any-source",
        &["MLD-047"],
        "a query from a global address counts",
        |rules| {
            checked(rules, DiscardReason::SourceNotLinkLocal, |heard| {
                !is_query(heard) && !heard.envelope.source.is_unicast_link_local()
            });
        },
    ),
    Defect::data(
        "mld-query-from-unspecified",
        &["MLD-047"],
        "a query from the unspecified address wins the election",
        |rules| {
            checked(rules, DiscardReason::SourceUnspecified, |heard| {
                !is_query(heard) && heard.envelope.source.is_unspecified()
            });
            checked(rules, DiscardReason::SourceNotLinkLocal, |heard| {
                let source = heard.envelope.source;
                !(source.is_unicast_link_local() || source.is_unspecified() && is_query(heard))
            });
        },
    ),
    Defect::data(
        "mld-query-any-checksum",
        &["MLD-048"],
        "the checksum of a query isn't verified",
        |rules| {
            checked(rules, DiscardReason::BadChecksum, |heard| {
                !is_query(heard)
                    && !checksum_holds(
                        heard.icmpv6,
                        heard.envelope.source,
                        heard.envelope.destination,
                    )
            });
        },
    ),
    Defect::data(
        "mld-query-short",
        &["MLD-049"],
        "a query of fewer than 24 octets counts as a general one",
        |rules| {
            rules.mld.parse = |message| {
                let mut message = message.to_vec();
                if octet(&message, 0) == QUERY && message.len() < 24 {
                    message.resize(24, 0);
                    put_all(&mut message, 8, &[0; 16]);
                }
                Message::parse(&message)
            };
        },
    ),
    Defect::data(
        "mld-query-25-to-27",
        &["MLD-049"],
        "a query of 25 to 27 octets counts as version 1",
        |rules| {
            rules.mld.parse = |message| {
                let odd = octet(message, 0) == QUERY && (25..28).contains(&message.len());
                Message::parse(if odd {
                    message.get(..24).unwrap_or_default()
                } else {
                    message
                })
            };
        },
    ),
    Defect::data(
        "mld-query-overrun-counts",
        &["MLD-050"],
        "a query that says more sources than it holds counts",
        |rules| {
            rules.mld.parse = |message| {
                let mut message = message.to_vec();
                if octet(&message, 0) == QUERY
                    && message.len() >= 28
                    && query_length(&message) > message.len()
                {
                    let held = u8::try_from((message.len() - 28) / 16).unwrap_or(0);
                    put_all(&mut message, 26, &[0, held]);
                }
                Message::parse(&message)
            };
        },
    ),
    Defect::frames(
        "mld-query-overrun-crash",
        &["MLD-050"],
        "a query that says more sources than it holds stops the router",
        || {
            Crash::on(|mld| {
                mld.kind() == QUERY
                    && mld.message.len() >= 28
                    && query_length(&mld.message) > mld.message.len()
            })
        },
    )
    .seen("FreeBSD SA-19:19"),
    Defect::data(
        "mld-query-unicast-group",
        &["MLD-051"],
        "a query for a unicast address counts in the election",
        |rules| {
            rules.mld.parse = |message| {
                let mut message = message.to_vec();
                if let Err(Refused::Group(_)) = Message::parse(&message)
                    && octet(&message, 0) == QUERY
                {
                    put_all(&mut message, 8, &Ipv6Addr::UNSPECIFIED.octets());
                }
                Message::parse(&message)
            };
        },
    ),
    Defect::frames(
        "mld-query-to-unicast-refused",
        &["MLD-052"],
        "a query to a unicast address is dropped",
        incoming!(|mld| mld.kind() != QUERY || mld.destination.is_multicast()),
    ),
    Defect::data(
        "mld-query-trailer-refused",
        &["MLD-053", "MLD-157"],
        "octets after a query's last source make it invalid",
        |rules| {
            rules.mld.parse = |message| {
                if octet(message, 0) == QUERY
                    && message.len() > 28
                    && query_length(message) < message.len()
                {
                    return Err(refused("exact"));
                }
                Message::parse(message)
            };
        },
    ),
    Defect::frames(
        "mld-query-code-checked",
        &["MLD-054"],
        "a query whose Code isn't 0 is dropped",
        incoming!(|mld| mld.kind() != QUERY || octet(&mld.message, 1) == 0),
    ),
    Defect::frames(
        "mld-query-reserved-checked",
        &["MLD-054"],
        "a query whose Reserved isn't 0 is dropped",
        incoming!(|mld| mld.kind() != QUERY || mld.message.get(6..8) == Some(&[0, 0])),
    ),
    Defect::frames(
        "mld-query-flags-checked",
        &["MLD-054", "MLD-157"],
        "a query with an undefined flag is dropped",
        incoming!(|mld| mld.kind() != QUERY || octet(&mld.message, 24) & 0xf0 == 0),
    ),
    Defect::data(
        "mld-version-1-short",
        &["MLD-055"],
        "a version 1 report of fewer than 24 octets is read as far as it goes",
        |rules| {
            rules.mld.parse = |message| {
                let mut message = message.to_vec();
                if octet(&message, 0) == REPORT_V1 && (12..24).contains(&message.len()) {
                    message.resize(24, 0);
                }
                Message::parse(&message)
            };
        },
    ),
    Defect::frames(
        "mld-version-1-short-crash",
        &["MLD-055"],
        "a version 1 report of 4 octets stops the router",
        || Crash::on(|mld| mld.kind() == REPORT_V1 && mld.message.len() < 8),
    ),
    Defect::data(
        "mld-version-1-long-refused",
        &["MLD-055"],
        "a version 1 report of more than 24 octets is dropped",
        |rules| {
            rules.mld.parse = |message| {
                if octet(message, 0) == REPORT_V1 && message.len() > 24 {
                    return Err(refused("24"));
                }
                Message::parse(message)
            };
        },
    ),
    Defect::frames(
        "mld-version-1-code-checked",
        &["MLD-056"],
        "a version 1 report whose Code isn't 0 is dropped",
        incoming!(|mld| mld.kind() != REPORT_V1 || octet(&mld.message, 1) == 0),
    ),
    Defect::frames(
        "mld-version-1-delay-checked",
        &["MLD-056"],
        "a version 1 report whose delay isn't 0 is dropped",
        incoming!(|mld| mld.kind() != REPORT_V1 || mld.message.get(4..6) == Some(&[0, 0])),
    )
    .seen("FRR issues 13387 and 13391"),
    Defect::frames(
        "mld-version-1-reserved-checked",
        &["MLD-056"],
        "a version 1 report whose Reserved isn't 0 is dropped",
        incoming!(|mld| mld.kind() != REPORT_V1 || mld.message.get(6..8) == Some(&[0, 0])),
    ),
    Defect::data(
        "mld-version-1-report-any-source",
        &["MLD-057"],
        "a version 1 report from any address counts",
        |rules| {
            checked(rules, DiscardReason::SourceUnspecified, |heard| {
                octet(heard.icmpv6, 0) != REPORT_V1 && heard.envelope.source.is_unspecified()
            });
            checked(rules, DiscardReason::SourceNotLinkLocal, |heard| {
                octet(heard.icmpv6, 0) != REPORT_V1
                    && !heard.envelope.source.is_unicast_link_local()
            });
        },
    ),
    Defect::data(
        "mld-done-any-source",
        &["MLD-057"],
        "a Done from any address counts",
        |rules| {
            checked(rules, DiscardReason::SourceUnspecified, |heard| {
                octet(heard.icmpv6, 0) != DONE && heard.envelope.source.is_unspecified()
            });
            checked(rules, DiscardReason::SourceNotLinkLocal, |heard| {
                octet(heard.icmpv6, 0) != DONE && !heard.envelope.source.is_unicast_link_local()
            });
        },
    ),
    Defect::data(
        "mld-own-query-counts",
        &["MLD-058", "MLD-064"],
        "a query from the router's own address makes it yield",
        |rules| {
            unchecked(rules, DiscardReason::OwnMessage);
            rules.mld.loses = |candidate| loses(candidate) || candidate.source == candidate.own;
        },
    ),
    Defect::frames(
        "mld-own-query-crash",
        &["MLD-058"],
        "a query that comes back stops the router",
        || {
            Memory::boxed(
                |memory, _, mld| {
                    memory.frozen |= mld.is_general() && memory.groups.contains(&mld.source);
                    true
                },
                |memory, _, mld| {
                    memory.groups.push(mld.source);
                    true
                },
            )
        },
    ),
    Defect::data(
        "mld-higher-iid-by-whole-address",
        &["MLD-065"],
        "the election compares the first half of the addresses",
        |rules| {
            rules.mld.loses = |candidate: &Candidate<'_>| {
                candidate.source.octets().first_chunk::<8>()
                    < candidate.own.octets().first_chunk::<8>()
            };
        },
    ),
];
