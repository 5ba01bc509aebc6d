//! What must be dropped, what must be accepted (RFC 3810 5, 6.2, 7.4, 7.6; RFC 2710 6; RFC 4604 3).

use crate::lab::*;
use dut_mld::{DiscardReason, Envelope, InterfaceConfig, MldEvent, is_source_specific, is_tracked};
use dut_wire::icmpv6;
use dut_wire::mld::{ALL_MLDV2_ROUTERS, ALL_NODES, ALL_ROUTERS, Message, Query, Report};
use std::net::Ipv6Addr;

fn envelope(source: Ipv6Addr, destination: Ipv6Addr) -> Envelope {
    Envelope {
        source,
        destination,
        hop_limit: 1,
        router_alert: Some(0),
    }
}

/// TO_EX({}) for [`G`], a version 1 Report for it, and a general query of a lower router.
fn messages() -> Vec<(Ipv6Addr, Ipv6Addr, Message)> {
    let report = Report {
        records: vec![record(TO_EX, G, &[])],
    };
    vec![
        (HOST, ALL_MLDV2_ROUTERS, Message::Report(report)),
        (HOST, G, Message::ReportV1 { group: G }),
        (LOWER, ALL_NODES, Message::Query(Query::V2(general(2, 125)))),
    ]
}

/// Whether the message had an effect: a record, or a lost election.
fn used(lab: &Lab) -> bool {
    lab.state() != "none" || !lab.router.is_querier()
}

/// Gives each message to a fresh router: all must be dropped for this reason, without effect.
fn dropped(reason: DiscardReason, change: impl Fn(&mut Envelope, &mut Vec<u8>)) {
    for (source, destination, message) in messages() {
        let mut lab = Lab::new(config());
        let mut envelope = envelope(source, destination);
        let mut octets = message.to_vec(source, destination);
        change(&mut envelope, &mut octets);
        lab.forget().octets(envelope, &octets);
        assert_eq!(lab.discards(), [reason], "{message:?}");
        assert!(!used(&lab), "{message:?}");
        // The same message, right: the router still works.
        lab.message(source, destination, &message);
        assert!(used(&lab), "{message:?}");
    }
}

/// Gives each message to a fresh router: all must be used.
fn accepted(change: impl Fn(&mut Envelope, &mut Vec<u8>)) {
    for (source, destination, message) in messages() {
        let mut lab = Lab::new(config());
        let mut envelope = envelope(source, destination);
        let mut octets = message.to_vec(source, destination);
        change(&mut envelope, &mut octets);
        lab.forget().octets(envelope, &octets);
        assert_eq!(lab.discards(), [], "{message:?}");
        assert!(used(&lab), "{message:?}");
    }
}

fn reseal(envelope: &Envelope, octets: &mut [u8]) {
    octets[2..4].fill(0);
    icmpv6::seal(octets, envelope.source, envelope.destination);
}

#[test]
fn hop_limit() {
    for hop_limit in [0, 2, 64, 255] {
        dropped(DiscardReason::HopLimit, |envelope, _| {
            envelope.hop_limit = hop_limit
        });
    }
}

#[test]
fn router_alert() {
    dropped(DiscardReason::NoRouterAlert, |envelope, _| {
        envelope.router_alert = None
    });
    // The text asks for the option; its value is nobody's rule.
    accepted(|envelope, _| envelope.router_alert = Some(1));
}

#[test]
fn router_alert_may_be_waived() {
    for (source, destination, message) in messages() {
        let mut lab = Lab::new(InterfaceConfig {
            require_router_alert: false,
            ..config()
        });
        let envelope = Envelope {
            router_alert: None,
            ..envelope(source, destination)
        };
        lab.octets(envelope, &message.to_vec(source, destination));
        assert!(used(&lab));
    }
}

#[test]
fn source_unspecified() {
    dropped(DiscardReason::SourceUnspecified, |envelope, octets| {
        envelope.source = Ipv6Addr::UNSPECIFIED;
        reseal(envelope, octets);
    });
}

#[test]
fn source_not_link_local() {
    for source in [
        "2001:db8::a1",
        "fd00::a1",
        "::1",
        "ff02::1",
        "fec0::1",
        "fe40::1",
    ] {
        dropped(DiscardReason::SourceNotLinkLocal, |envelope, octets| {
            envelope.source = addr(source);
            reseal(envelope, octets);
        });
    }
}

#[test]
fn bad_checksum() {
    for at in [1, 2, 3, 5, 20] {
        dropped(DiscardReason::BadChecksum, |_, octets| octets[at] ^= 0x10);
    }
    dropped(DiscardReason::BadChecksum, |envelope, _| {
        envelope.destination = addr("ff02::1:3")
    });
    dropped(DiscardReason::BadChecksum, |_, octets| octets.truncate(3));
    dropped(DiscardReason::BadChecksum, |_, octets| octets.clear());
}

#[test]
fn trailing_octets_code_and_reserved() {
    for extra in [1, 5, 7, 8, 64] {
        accepted(|envelope, octets| {
            octets.resize(octets.len() + extra, 0xa5);
            reseal(envelope, octets);
        });
    }
    accepted(|envelope, octets| {
        octets[1] = 0x55;
        reseal(envelope, octets);
    });
    // Reserved of the Report; Delay and Reserved of version 1; Reserved of the query.
    accepted(|envelope, octets| {
        let flags = if octets[0] == 143 { 4..6 } else { 6..8 };
        octets[flags].fill(0xff);
        reseal(envelope, octets);
    });
}

#[test]
fn an_extension_area_makes_no_difference() {
    // E bit and a No-op TLV (RFC 9279).
    accepted(|envelope, octets| {
        match octets[0] {
            143 => octets[4] |= 0x80,
            130 => octets[24] |= 0x80,
            _ => {}
        }
        octets.extend_from_slice(&[0, 0, 0, 3, 1, 2, 3]);
        reseal(envelope, octets);
    });
}

#[test]
fn any_destination_of_the_interface_is_accepted() {
    for destination in [ALL_NODES, ALL_ROUTERS, ROUTER, ALL_MLDV2_ROUTERS] {
        accepted(|envelope, octets| {
            envelope.destination = destination;
            reseal(envelope, octets);
        });
    }
}

fn cut(length: usize, kind: u8) -> (Lab, Vec<DiscardReason>) {
    let mut lab = Lab::new(config());
    let mut octets = vec![0; length];
    octets[0] = kind;
    let envelope = envelope(LOWER, ALL_NODES);
    reseal(&envelope, &mut octets);
    lab.forget().octets(envelope, &octets);
    let discards = lab.discards();
    (lab, discards)
}

#[test]
fn query_length() {
    for length in [4, 8, 20, 23, 25, 26, 27] {
        let (lab, discards) = cut(length, 130);
        assert_eq!(discards, [DiscardReason::QueryLength]);
        assert!(lab.router.is_querier());
    }
    for length in [24, 28, 29] {
        let (lab, discards) = cut(length, 130);
        assert_eq!(discards, []);
        assert!(!lab.router.is_querier());
    }
}

#[test]
fn report_and_version_1_length() {
    for length in [4, 7] {
        assert_eq!(cut(length, 143).1, [DiscardReason::ReportLength]);
    }
    // M = 0 is harmless.
    assert_eq!(cut(8, 143).1, []);
    for kind in [131, 132] {
        for length in [4, 20, 23] {
            assert_eq!(cut(length, kind).1, [DiscardReason::Version1Length]);
        }
        // An address of all zeroes.
        assert_eq!(cut(24, kind).1, [DiscardReason::GroupNotMulticast]);
    }
}

#[test]
fn unknown_types() {
    for kind in [0, 129, 133, 144, 150, 200, 206] {
        let (lab, discards) = cut(28, kind);
        assert_eq!(discards, [DiscardReason::UnknownType]);
        assert!(lab.router.is_querier() && lab.sent.is_empty());
    }
}

/// TO_EX({}) for G, then ALLOW{1} for H with one field overwritten: nothing of it is used.
#[test]
fn overruns() {
    let records = vec![record(TO_EX, G, &[]), record(ALLOW, H, &[1])];
    let whole = Message::Report(Report { records }).to_vec(HOST, ALL_MLDV2_ROUTERS);
    for (at, value) in [(7, 3), (6, 0xff), (29, 9), (29, 255), (31, 3), (30, 0xff)] {
        let mut lab = Lab::new(config());
        let mut octets = whole.clone();
        octets[at] = value;
        let envelope = envelope(HOST, ALL_MLDV2_ROUTERS);
        reseal(&envelope, &mut octets);
        lab.forget().octets(envelope, &octets);
        assert_eq!(lab.discards(), [DiscardReason::Overrun]);
        assert_eq!(
            (lab.state().as_str(), lab.state_of(H).as_str()),
            ("none", "none")
        );
    }
    let mut lab = Lab::new(config());
    let mut octets = Message::Query(Query::V2(query(G, false, &[1]))).to_vec(LOWER, G);
    octets[27] = 2;
    let envelope = envelope(LOWER, G);
    reseal(&envelope, &mut octets);
    lab.forget().octets(envelope, &octets);
    assert_eq!(lab.discards(), [DiscardReason::Overrun]);
    assert!(lab.router.is_querier());
}

#[test]
fn group_not_multicast() {
    let unicast = addr("2001:db8::55");
    let mut lab = Lab::new(config());
    lab.forget().query(LOWER, query(unicast, false, &[]));
    assert_eq!(lab.discards(), [DiscardReason::GroupNotMulticast]);
    assert!(lab.router.is_querier());
    lab.forget()
        .records(vec![record(TO_EX, unicast, &[]), record(TO_EX, G, &[])]);
    assert_eq!(lab.discards(), [DiscardReason::RecordNotMulticast]);
    assert_eq!(lab.router.group_count(), 1);
    assert_eq!(lab.state(), "EX({},{}) 260");
}

#[test]
fn a_general_query_with_sources() {
    let mut lab = Lab::new(config());
    lab.forget()
        .query(LOWER, query(Ipv6Addr::UNSPECIFIED, false, &[1]));
    assert_eq!(lab.discards(), [DiscardReason::GeneralQueryWithSources]);
    assert!(lab.router.is_querier());
}

#[test]
fn unknown_record_types_leave_their_neighbours() {
    for value in [0, 7, 9, 255] {
        for sources in [&[][..], &[1]] {
            let unknown = record(dut_wire::mld::RecordType::from_value(value), G, sources);
            let mut lab = Lab::new(config());
            lab.forget()
                .records(vec![unknown.clone(), record(TO_EX, H, &[]), unknown]);
            let reason = DiscardReason::UnknownRecordType;
            assert_eq!(lab.discards(), [reason, reason]);
            assert_eq!(lab.router.group_count(), 1);
            assert_eq!(lab.state_of(H), "EX({},{}) 260");
        }
    }
}

#[test]
fn illegal_sources_never_become_any_source() {
    for source in ["::", "ff1e::1", "ff02::1"] {
        for record_type in [IS_IN, IS_EX, TO_IN, TO_EX, ALLOW, BLOCK] {
            let mut illegal = record(record_type, G, &[]);
            illegal.sources.push(addr(source));
            let mut lab = Lab::new(config());
            lab.forget().records(vec![illegal, record(ALLOW, H, &[1])]);
            assert_eq!(lab.discards(), [DiscardReason::RecordSource]);
            assert_eq!(lab.state(), "none");
            assert_eq!(lab.state_of(H), "IN{1:260}");
        }
    }
}

#[test]
fn scopes_that_are_not_tracked() {
    for group in ["ff00::77", "ff01::77", "ff11::1", "ff02::1", "ff30::1"] {
        let group = addr(group);
        let mut lab = Lab::new(config());
        lab.forget()
            .records(vec![record(ALLOW, group, &[1])])
            .report_v1(group)
            .done(group);
        let reason = DiscardReason::GroupNotTracked;
        assert_eq!(lab.discards(), [reason, reason, reason]);
        assert_eq!(lab.router.group_count(), 0);
        assert!(!is_tracked(group));
    }
}

#[test]
fn source_specific_groups_take_no_exclude_mode() {
    let (a, b) = (addr("ff3e::8000:1"), addr("ff3e::8000:2"));
    for record_type in [IS_EX, TO_EX] {
        let mut lab = Lab::new(config());
        lab.forget()
            .records(vec![record(record_type, a, &[]), record(ALLOW, b, &[1])]);
        assert_eq!(lab.discards(), [DiscardReason::SourceSpecificGroup]);
        assert_eq!(
            (lab.state_of(a), lab.state_of(b)),
            ("none".into(), "IN{1:260}".into())
        );
    }
}

#[test]
fn source_specific_groups_take_no_version_1() {
    let group = addr("ff3e::8000:2");
    let mut lab = Lab::new(config());
    lab.records(vec![record(ALLOW, group, &[1])])
        .at(10_000)
        .forget();
    lab.report_v1(group).done(group);
    let reason = DiscardReason::SourceSpecificGroup;
    assert_eq!(lab.discards(), [reason, reason]);
    assert_eq!(lab.state_of(group), "IN{1:250}");
    lab.records(vec![record(BLOCK, group, &[1])]);
    assert_eq!(lab.queries(), ["10 Q{1}"]);
    assert_eq!(lab.at(12_000).state_of(group), "none");
}

#[test]
fn the_source_specific_range_is_ff3x_32() {
    for (group, inside) in [
        ("ff35::1", true),
        ("ff3e::8000:1", true),
        ("ff3e:0:1::1", true),
        ("ff3e:1::1", false),
        ("ff2e::1", false),
        ("ff1e::1", false),
        ("ff7e::1", false),
        ("fe3e::1", false),
    ] {
        assert_eq!(is_source_specific(addr(group)), inside, "{group}");
    }
}

#[test]
fn every_reason_has_a_name_of_its_own() {
    let mut names: Vec<&str> = DiscardReason::ALL
        .iter()
        .map(|reason| reason.name())
        .collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), DiscardReason::ALL.len());
    assert!(names.iter().all(|name| {
        name.chars()
            .all(|c| matches!(c, 'a'..='z' | '0'..='9' | '_'))
    }));
}

#[test]
fn seventy_two_records_in_one_report() {
    let group = |n: u16| Ipv6Addr::new(0xff1e, 0, 0, 0, 0, 0, 1, n);
    let mut lab = Lab::new(config());
    lab.records((0..72).map(|n| record(TO_EX, group(n), &[])).collect());
    assert_eq!(lab.router.group_count(), 72);
    assert!((0..72).all(|n| lab.has(MldEvent::Changed { group: group(n) })));
}
