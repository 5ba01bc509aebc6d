//! Which messages a listener takes (MLD-165), and legal ones that it doesn't.

use super::frames::{Drops, Hears};
use crate::Defect;
use crate::octets::{octet, put_all};
use dut_mld::DiscardReason;
use dut_mld::host::Policy;
use dut_wire::mld::Query;

/// Defects of what is taken.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::data(
        "mld-host-any-hop-limit",
        &["MLD-165"],
        "queries with any Hop Limit are answered",
        |rules| {
            rules.listener.refuses = |envelope, holds| {
                let mut envelope = *envelope;
                envelope.hop_limit = 1;
                (Policy::STANDARD.refuses)(&envelope, holds)
            };
        },
    )
    .seen("lwIP, and several stacks by Atlasis and Rey 2014"),
    Defect::data(
        "mld-host-hop-limit-255",
        &["MLD-165"],
        "a Hop Limit of 255 is taken beside 1, as neighbour discovery's",
        |rules| {
            rules.listener.refuses = |envelope, holds| {
                let mut envelope = *envelope;
                if envelope.hop_limit == 255 {
                    envelope.hop_limit = 1;
                }
                (Policy::STANDARD.refuses)(&envelope, holds)
            };
        },
    ),
    Defect::data(
        "mld-host-no-alert-needed",
        &["MLD-165"],
        "queries without a Router Alert option are answered",
        |rules| {
            rules.listener.refuses = |envelope, holds| {
                let mut envelope = *envelope;
                envelope.router_alert = Some(0);
                (Policy::STANDARD.refuses)(&envelope, holds)
            };
        },
    )
    .seen("lwIP"),
    Defect::data(
        "mld-host-unspecified-querier",
        &["MLD-165"],
        "queries from :: are answered",
        |rules| {
            rules.listener.refuses = |envelope, holds| {
                let reason = (Policy::STANDARD.refuses)(envelope, holds);
                reason.filter(|reason| *reason != DiscardReason::SourceUnspecified)
            };
        },
    ),
    Defect::data(
        "mld-host-global-querier",
        &["MLD-165"],
        "queries from addresses that aren't link-local are answered",
        |rules| {
            rules.listener.refuses = |envelope, holds| {
                let reason = (Policy::STANDARD.refuses)(envelope, holds);
                reason.filter(|reason| *reason != DiscardReason::SourceNotLinkLocal)
            };
        },
    )
    .seen("lwIP"),
    Defect::data(
        "mld-host-loose-link-local",
        &["MLD-165"],
        "fec0::/10 is taken for link-local",
        |rules| {
            rules.listener.refuses = |envelope, holds| {
                let reason = (Policy::STANDARD.refuses)(envelope, holds);
                let [first, ..] = envelope.source.octets();
                reason
                    .filter(|reason| *reason != DiscardReason::SourceNotLinkLocal || first != 0xfe)
            };
        },
    ),
    Defect::data(
        "mld-host-any-checksum",
        &["MLD-165"],
        "the checksum isn't looked at",
        |rules| {
            rules.listener.refuses = |envelope, _| (Policy::STANDARD.refuses)(envelope, true);
        },
    ),
    Defect::data(
        "mld-host-any-destination",
        &["MLD-165"],
        "queries to addresses that aren't the listener's are answered",
        |rules| rules.listener.accepts = |_| true,
    ),
    Defect::frames(
        "mld-host-short-query",
        &["MLD-165"],
        "a query that is too short is taken as if zeros followed",
        || {
            Box::new(Hears(|_, message| {
                if message.len() < 24 {
                    message.resize(28, 0);
                }
            }))
        },
    ),
    Defect::frames(
        "mld-host-length-between",
        &["MLD-165"],
        "a query of 25 to 27 octets is taken for version 2",
        || {
            Box::new(Hears(|_, message| {
                if (25..28).contains(&message.len()) {
                    message.resize(28, 0);
                }
            }))
        },
    ),
    Defect::frames(
        "mld-host-sources-overrun",
        &["MLD-165"],
        "a query that says more sources than it holds is answered for those that it holds",
        || {
            Box::new(Hears(|_, message| {
                let held = message.len().saturating_sub(28) / 16;
                let said = u16::from_be_bytes([octet(message, 26), octet(message, 27)]);
                if usize::from(said) > held {
                    let held = u16::try_from(held).unwrap_or(u16::MAX);
                    put_all(message, 26, &held.to_be_bytes());
                }
            }))
        },
    ),
    Defect::frames(
        "mld-host-general-with-sources",
        &["MLD-165"],
        "a General Query with sources is answered",
        || {
            Box::new(Hears(|_, message| {
                let general = message.get(8..24) == Some(&[0; 16]);
                if general && message.len() > 28 {
                    put_all(message, 26, &[0, 0]);
                }
            }))
        },
    ),
    Defect::frames(
        "mld-host-unicast-group",
        &["MLD-165"],
        "a query for an address that isn't multicast is answered as a General Query",
        || {
            Box::new(Hears(|_, message| {
                if octet(message, 8) != 0xff {
                    put_all(message, 8, &[0; 16]);
                }
            }))
        },
    ),
    Defect::data(
        "mld-host-learns-no-interval",
        &["MLD-170"],
        "the querier's Query Interval isn't learnt",
        |rules| rules.listener.query_interval = |known, _| known,
    ),
    Defect::frames(
        "mld-host-heeds-suppress",
        &["MLD-162"],
        "a query with the S flag isn't answered",
        || Box::new(Drops(|message| octet(message, 24) & 8 != 0)),
    ),
    Defect::frames(
        "mld-host-wants-reserved-zero",
        &["MLD-161"],
        "a query whose reserved bits aren't zero isn't answered",
        || {
            Box::new(Drops(|message| {
                octet(message, 6) | octet(message, 7) | octet(message, 24) >> 4 != 0
            }))
        },
    ),
    Defect::frames(
        "mld-host-wants-code-zero",
        &["MLD-161"],
        "a query whose Code isn't zero isn't answered",
        || Box::new(Drops(|message| octet(message, 1) != 0)),
    ),
    Defect::frames(
        "mld-host-wants-exact-length",
        &["MLD-161"],
        "a query with octets after its last source isn't answered",
        || {
            Box::new(Drops(|message| {
                let said = u16::from_be_bytes([octet(message, 26), octet(message, 27)]);
                message.len() > 28 + 16 * usize::from(said)
            }))
        },
    ),
    Defect::data(
        "mld-host-reads-version-1-as-2",
        &["MLD-170"],
        "the delay of a version 1 query is read as a floating-point number",
        |rules| {
            rules.listener.maximum_response_delay = |query| match query {
                Query::V1(query) => {
                    dut_wire::mld::MaximumResponseCode(query.maximum_response_delay).delay()
                }
                Query::V2(_) => Query::maximum_response_delay(query),
            };
        },
    ),
];
