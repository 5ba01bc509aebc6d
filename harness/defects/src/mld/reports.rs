//! Reports that come in (MLD-020 to MLD-044).

use super::frames::{Crash, Incoming, Memory, Mld};
use super::{checked, record_unchecked, refused};
use crate::octets::{octet, put};
use crate::{Defect, Frames};
use dut_device::{Instant, PortId};
use dut_mld::DiscardReason;
use dut_wire::icmpv6::checksum_holds;
use dut_wire::mld::{Message, QUERY, REPORT_V1, REPORT_V2, RecordType};
use std::net::Ipv6Addr;

/// Octets that a message's own counts account for.
fn accounted(message: &[u8]) -> usize {
    match Message::parse(message) {
        Ok(message) => message.emitted_len(),
        Err(_) => message.len(),
    }
}

/// Whether it is a report.
pub(super) fn is_report(mld: &Mld) -> bool {
    mld.kind() == REPORT_V2
}

/// Gives what p1's side reports to p3's side too.
#[derive(Debug)]
pub(super) struct OneLink;

impl Frames for OneLink {
    fn elsewhere(&mut self, _now: Instant, port: PortId, frame: &[u8]) -> Vec<(PortId, Vec<u8>)> {
        if Mld::of(frame).is_some_and(|mld| mld.kind() != QUERY) {
            vec![(PortId(2 - port.0.min(2)), frame.to_vec())]
        } else {
            Vec::new()
        }
    }
}

/// Takes the obsolete type 206 for a report.
#[derive(Debug)]
struct Obsolete;

impl Frames for Obsolete {
    fn received(&mut self, _now: Instant, _port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        let mut frame = frame.to_vec();
        if octet(&frame, 62) == 206 {
            put(&mut frame, 62, REPORT_V2);
            if let Some(mld) = Mld::of(&frame) {
                return vec![mld.frame()];
            }
        }
        vec![frame]
    }
}

/// Complains about ICMPv6 types that it doesn't know.
#[derive(Debug)]
struct Complains;

impl Frames for Complains {
    fn answer(&mut self, _now: Instant, port: PortId, frame: &[u8]) -> Vec<(PortId, Vec<u8>)> {
        let unknown = frame.get(12..14) == Some(&[0x86, 0xdd])
            && octet(frame, 20) == 0
            && octet(frame, 54) == 58
            && octet(frame, 62) >= 144;
        if !unknown {
            return Vec::new();
        }
        let mut answer = frame.to_vec();
        put(&mut answer, 62, 4);
        vec![(port, answer)]
    }
}

/// Takes a Hop-by-Hop header for a Router Alert.
#[derive(Debug)]
struct AnyHopByHop;

impl Frames for AnyHopByHop {
    fn received(&mut self, _now: Instant, _port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        match Mld::of(frame) {
            Some(mut mld) if octet(frame, 20) == 0 && mld.router_alert.is_none() => {
                mld.router_alert = Some(0);
                vec![mld.frame()]
            }
            Some(_) | None => vec![frame.to_vec()],
        }
    }
}

/// Sees a Router Alert only where it stands first, in a header of 8 octets.
#[derive(Debug)]
struct AlertFirst;

impl Frames for AlertFirst {
    fn received(&mut self, _now: Instant, _port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        let first = frame.get(55..58) == Some(&[0, 5, 2]);
        if Mld::of(frame).is_some_and(|mld| mld.router_alert.is_some()) && !first {
            Vec::new()
        } else {
            vec![frame.to_vec()]
        }
    }
}

/// Defects of the reception of reports.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::frames(
        "mld-second-report-joins",
        &["MLD-134", "MLD-020"],
        "the first report of a group only announces it",
        || {
            Memory::hearing(|memory, _, mld| {
                let new: Vec<Ipv6Addr> = mld
                    .records()
                    .iter()
                    .map(|record| record.group)
                    .filter(|group| !memory.groups.contains(group))
                    .collect();
                memory.groups.extend(&new);
                new.is_empty()
            })
        },
    ),
    Defect::data(
        "mld-report-any-hop-limit",
        &["MLD-021"],
        "the hop limit of a report isn't looked at",
        |rules| {
            checked(rules, DiscardReason::HopLimit, |heard| {
                octet(heard.icmpv6, 0) == QUERY && heard.envelope.hop_limit != 1
            });
        },
    )
    .seen("several vendors' routers, Atlasis and Rey 2014"),
    Defect::data(
        "mld-report-hop-limit-0",
        &["MLD-021"],
        "a hop limit of 0 counts as 1",
        |rules| {
            checked(rules, DiscardReason::HopLimit, |heard| {
                heard.envelope.hop_limit > 1
            });
        },
    ),
    Defect::data(
        "mld-report-hop-limit-255",
        &["MLD-021"],
        "a hop limit of 255 is taken too",
        |rules| {
            checked(rules, DiscardReason::HopLimit, |heard| {
                ![1, 255].contains(&heard.envelope.hop_limit)
            });
        },
    ),
    Defect::data(
        "mld-report-no-alert-needed",
        &["MLD-022"],
        "a report needs no Router Alert option",
        |rules| {
            checked(rules, DiscardReason::NoRouterAlert, |heard| {
                octet(heard.icmpv6, 0) == QUERY && heard.envelope.router_alert.is_none()
            });
        },
    ),
    Defect::frames(
        "mld-any-hop-by-hop",
        &["MLD-022", "MLD-046"],
        "any Hop-by-Hop header counts as a Router Alert",
        || Box::new(AnyHopByHop),
    ),
    Defect::frames(
        "mld-alert-first",
        &["MLD-023"],
        "a Router Alert counts only as the first option",
        || Box::new(AlertFirst),
    ),
    Defect::data(
        "mld-report-from-unspecified",
        &["MLD-024"],
        "a version 2 report from the unspecified address is taken",
        |rules| {
            checked(rules, DiscardReason::SourceUnspecified, |heard| {
                octet(heard.icmpv6, 0) != REPORT_V2 && heard.envelope.source.is_unspecified()
            });
            checked(rules, DiscardReason::SourceNotLinkLocal, |heard| {
                !heard.envelope.source.is_unicast_link_local()
                    && !heard.envelope.source.is_unspecified()
            });
        },
    ),
    Defect::data(
        "mld-report-any-source",
        &["MLD-025"],
        "a version 2 report from any address but :: is taken",
        |rules| {
            checked(rules, DiscardReason::SourceNotLinkLocal, |heard| {
                octet(heard.icmpv6, 0) != REPORT_V2
                    && !heard.envelope.source.is_unicast_link_local()
            });
        },
    ),
    Defect::data(
        "mld-report-unique-local",
        &["MLD-025"],
        "a unique local address counts as link-local",
        |rules| {
            checked(rules, DiscardReason::SourceNotLinkLocal, |heard| {
                !heard.envelope.source.is_unicast_link_local()
                    && !heard.envelope.source.is_unique_local()
            });
        },
    ),
    Defect::data(
        "mld-report-site-local",
        &["MLD-025"],
        "a site-local address counts as link-local",
        |rules| {
            checked(rules, DiscardReason::SourceNotLinkLocal, |heard| {
                let [first, ..] = heard.envelope.source.segments();
                first & 0xff80 != 0xfe80
            });
        },
    ),
    Defect::data(
        "mld-report-any-checksum",
        &["MLD-026"],
        "the checksum of a report isn't verified",
        |rules| {
            checked(rules, DiscardReason::BadChecksum, |heard| {
                octet(heard.icmpv6, 0) == QUERY
                    && !checksum_holds(
                        heard.icmpv6,
                        heard.envelope.source,
                        heard.envelope.destination,
                    )
            });
        },
    ),
    Defect::data(
        "mld-checksum-zero-taken",
        &["MLD-026", "MLD-048"],
        "a checksum of 0 counts as none, as in UDP over IPv4",
        |rules| {
            checked(rules, DiscardReason::BadChecksum, |heard| {
                heard.icmpv6.get(2..4) != Some(&[0, 0])
                    && !checksum_holds(
                        heard.icmpv6,
                        heard.envelope.source,
                        heard.envelope.destination,
                    )
            });
        },
    ),
    Defect::data(
        "mld-report-trailer-refused",
        &["MLD-027"],
        "octets after the last record make a report invalid",
        |rules| {
            rules.mld.parse = |message| {
                if octet(message, 0) == REPORT_V2 && accounted(message) < message.len() {
                    return Err(refused("exact"));
                }
                Message::parse(message)
            };
        },
    ),
    Defect::data(
        "mld-report-trailer-parsed",
        &["MLD-027"],
        "records are read until the end, whatever the count says",
        |rules| {
            rules.mld.parse = |message| {
                let mut message = message.to_vec();
                if octet(&message, 0) == REPORT_V2 && accounted(&message) + 20 <= message.len() {
                    let count = octet(&message, 7);
                    put(&mut message, 7, count + 1);
                }
                Message::parse(&message)
            };
        },
    ),
    Defect::data(
        "mld-report-trailer-not-summed",
        &["MLD-027"],
        "octets after the last record aren't checksummed",
        |rules| {
            checked(rules, DiscardReason::BadChecksum, |heard| {
                let message = heard
                    .icmpv6
                    .get(..accounted(heard.icmpv6))
                    .unwrap_or_default();
                !checksum_holds(message, heard.envelope.source, heard.envelope.destination)
            });
        },
    ),
    Defect::frames(
        "mld-report-code-checked",
        &["MLD-028"],
        "a report whose Code isn't 0 is dropped",
        incoming!(|mld| !is_report(mld) || octet(&mld.message, 1) == 0),
    ),
    Defect::frames(
        "mld-report-flags-checked",
        &["MLD-028", "MLD-157"],
        "a report with a flag is dropped",
        incoming!(|mld| !is_report(mld) || mld.message.get(4..6) == Some(&[0, 0])),
    ),
    Defect::data(
        "mld-aux-refused",
        &["MLD-029"],
        "a report with auxiliary data is dropped",
        |rules| {
            rules.mld.parse = |message| {
                if octet(message, 0) == REPORT_V2 && octet(message, 9) != 0 {
                    return Err(refused("no auxiliary data"));
                }
                Message::parse(message)
            };
        },
    ),
    Defect::data(
        "mld-unknown-sources-not-skipped",
        &["MLD-031"],
        "the sources of a record of unknown type aren't skipped",
        |rules| {
            rules.mld.parse = |message| {
                let mut message = message.to_vec();
                if octet(&message, 0) == REPORT_V2 && octet(&message, 8) > 6 {
                    put(&mut message, 11, 0);
                }
                Message::parse(&message)
            };
        },
    ),
    Defect::frames(
        "mld-empty-report-crash",
        &["MLD-032"],
        "a report without records stops the router",
        || Crash::on(|mld| is_report(mld) && mld.message.get(6..8) == Some(&[0, 0])),
    ),
    Defect::frames(
        "mld-short-report-crash",
        &["MLD-032"],
        "a report of fewer than 8 octets stops the router",
        || Crash::on(|mld| is_report(mld) && mld.message.len() < 8),
    ),
    Defect::frames(
        "mld-report-to-unicast",
        &["MLD-033"],
        "a version 1 report to a unicast address is dropped",
        incoming!(|mld| mld.kind() != REPORT_V1 || mld.destination.is_multicast()),
    ),
    Defect::data(
        "mld-unicast-groups",
        &["MLD-038"],
        "a record for a unicast address creates state",
        |rules| {
            record_unchecked(rules, DiscardReason::RecordNotMulticast);
            record_unchecked(rules, DiscardReason::GroupNotTracked);
        },
    ),
    Defect::frames(
        "mld-unicast-group-crash",
        &["MLD-038"],
        "a version 1 report for a unicast address stops the router",
        || Crash::on(|mld| mld.kind() == REPORT_V1 && !mld.group().is_multicast()),
    ),
    Defect::frames(
        "mld-contradiction-crash",
        &["MLD-040"],
        "TO_IN after TO_EX for one address stops the router",
        || {
            Crash::on(|mld| {
                let types: Vec<RecordType> = mld
                    .records()
                    .iter()
                    .map(|record| record.record_type)
                    .collect();
                types == [RecordType::ChangeToExclude, RecordType::ChangeToInclude]
            })
        },
    ),
    Defect::frames(
        "mld-type-206",
        &["MLD-043"],
        "the obsolete type 206 is taken for a report",
        || Box::new(Obsolete),
    )
    .seen("mrd6"),
    Defect::frames(
        "mld-unknown-type-answered",
        &["MLD-043"],
        "a message of unknown type is answered",
        || Box::new(Complains),
    ),
    Defect::frames(
        "mld-leaks-reports",
        &["MLD-044"],
        "each report takes memory until there is none",
        || {
            Memory::hearing(|memory, _, mld| {
                memory.count += u32::from(is_report(mld));
                memory.frozen = memory.count > 5000;
                true
            })
        },
    )
    .seen("Linux CVE-2022-0742"),
    Defect::frames(
        "mld-one-table-for-all-links",
        &["MLD-106"],
        "a report counts on every link",
        || Box::new(OneLink),
    ),
    Defect::frames(
        "mld-mac-filter",
        &["MLD-019"],
        "reports to addresses beyond ff02::/16 and ff1e::/64 are filtered out",
        || {
            Box::new(Incoming(|mld| {
                let [a, b, c, d, ..] = mld.destination.segments();
                !mld.destination.is_multicast() || a == 0xff02 || [a, b, c, d] == [0xff1e, 0, 0, 0]
            }))
        },
    ),
    Defect::frames(
        "mld-first-group-only",
        &["MLD-019", "MLD-104"],
        "the interface has room for one group address",
        || {
            Memory::hearing(|memory, _, mld| {
                if mld.kind() != REPORT_V1 && mld.kind() != REPORT_V2 {
                    return true;
                }
                let named = named(mld);
                if memory.groups.is_empty() {
                    memory.groups.extend(named.first());
                }
                named.iter().all(|group| memory.groups.contains(group))
            })
        },
    ),
];

/// The groups that a report names.
fn named(mld: &Mld) -> Vec<Ipv6Addr> {
    let records = mld.records();
    if records.is_empty() {
        vec![mld.group()]
    } else {
        records.iter().map(|record| record.group).collect()
    }
}
