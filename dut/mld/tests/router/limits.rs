//! Limits: what is held stays unharmed, what is newest is left out, each hit is counted; and
//! arbitrary messages and times, which never break the record's own rules.

use crate::lab::*;
use dut_device::Instant;
use dut_mld::{Envelope, FilterMode, Interface, InterfaceConfig, MldEvent};
use dut_wire::icmpv6;
use proptest::prelude::*;
use std::net::Ipv6Addr;
use std::time::Duration;

fn group(n: u16) -> Ipv6Addr {
    Ipv6Addr::new(0xff1e, 0, 0, 0, 0, 0, 1, n)
}

#[test]
fn group_limit() {
    let mut lab = Lab::new(InterfaceConfig {
        group_limit: 3,
        ..config()
    });
    lab.forget()
        .records((0..5).map(|n| record(TO_EX, group(n), &[])).collect());
    assert_eq!(lab.router.group_count(), 3);
    assert_eq!(lab.router.limit_hits(), 2);
    for (n, hit) in [(2, false), (3, true), (4, true)] {
        assert_eq!(lab.has(MldEvent::LimitHit { group: group(n) }), hit);
        assert_eq!(lab.state_of(group(n)) == "none", hit);
    }
    // What is held goes on, and a record that holds nothing is no hit.
    lab.at(10_000).records(vec![
        record(TO_EX, group(0), &[]),
        record(BLOCK, group(9), &[1]),
    ]);
    assert_eq!(lab.state_of(group(0)), "EX({},{}) 260");
    assert_eq!(lab.router.limit_hits(), 2);
    // After a leave a new group is learnt.
    lab.records(vec![record(TO_IN, group(1), &[])]).at(12_000);
    lab.records(vec![record(TO_EX, group(4), &[])]);
    assert_eq!(lab.state_of(group(4)), "EX({},{}) 260");
}

#[test]
fn group_limit_of_version_1() {
    let mut lab = Lab::new(InterfaceConfig {
        version: 1,
        group_limit: 1,
        ..config()
    });
    lab.report_v1(group(0))
        .report_v1(group(1))
        .report_v1(group(0));
    assert_eq!((lab.router.group_count(), lab.router.limit_hits()), (1, 1));
}

#[test]
fn source_limit_in_include() {
    let mut lab = Lab::new(InterfaceConfig {
        source_limit: 3,
        ..config()
    });
    lab.include(&[5, 6])
        .at(10_000)
        .forget()
        .record(ALLOW, &[1, 2, 6, 7]);
    assert_eq!(lab.state(), "IN{1:260,5:250,6:260}");
    assert!(lab.has(MldEvent::LimitHit { group: G }));
    assert_eq!(lab.router.limit_hits(), 1);
    lab.record(ALLOW, &[1, 5, 6]).record(BLOCK, &[8, 9]);
    assert_eq!(lab.state(), "IN{1:260,5:260,6:260}");
    assert_eq!(lab.router.limit_hits(), 1);
}

#[test]
fn source_limit_where_the_list_is_replaced() {
    let mut lab = Lab::new(InterfaceConfig {
        source_limit: 3,
        ..config()
    });
    // INCLUDE (A) IS_EX (B): B alone counts, what is held of it first.
    lab.include(&[7, 8, 9])
        .at(10_000)
        .forget()
        .record(IS_EX, &[1, 2, 3, 9]);
    assert_eq!(lab.state(), "EX({9:250},{1,2}) 260");
    assert_eq!(lab.router.limit_hits(), 1);
    // EXCLUDE (X,Y) IS_EX (A): a full list gives way to another.
    lab.record(IS_EX, &[4, 5, 6]);
    assert_eq!(lab.state(), "EX({4:260,5:260,6:260},{}) 260");
    assert_eq!(lab.router.limit_hits(), 1);
}

#[test]
fn limits_of_nothing_hold_nothing() {
    let mut lab = Lab::new(InterfaceConfig {
        group_limit: 0,
        ..config()
    });
    lab.record(TO_EX, &[]).include(&[1]);
    assert_eq!((lab.router.group_count(), lab.router.limit_hits()), (0, 2));
    let mut lab = Lab::new(InterfaceConfig {
        source_limit: 0,
        ..config()
    });
    lab.include(&[1]).record(TO_EX, &[1]);
    assert_eq!(lab.state(), "EX({},{}) 260");
    assert_eq!(lab.router.limit_hits(), 2);
}

#[test]
fn a_configuration_that_cannot_work_is_mended() {
    let mut lab = Lab::new(InterfaceConfig {
        version: 9,
        robustness: 0,
        query_interval: Duration::ZERO,
        query_response_interval: Duration::ZERO,
        last_listener_query_interval: Duration::ZERO,
        last_listener_query_count: Some(0),
        startup_query_interval: Some(Duration::ZERO),
        startup_query_count: Some(0),
        mtu: 0,
        ..config()
    });
    let config = lab.router.config();
    assert_eq!((config.version, config.robustness), (2, 1));
    assert_eq!(config.query_interval, Duration::from_secs(1));
    lab.record(TO_EX, &[]).record(TO_IN, &[]).at(10_000);
    assert_eq!(lab.general_queries().len(), 11);
}

/// A message of any type with right checksum and envelope, mostly about few groups and sources.
fn message() -> impl Strategy<Value = (u8, Vec<u8>)> {
    let small = prop_oneof![
        4 => 0..4_u8,
        1 => any::<u8>(),
    ];
    let address = (prop::sample::select(vec![0xff_u8, 0x20, 0]), 0..4_u8).prop_map(|(a, n)| {
        let second = if a == 0xff { 0x1e } else { 0 };
        let mut octets = [0; 16];
        octets[0] = a;
        octets[1] = second;
        octets[15] = n;
        octets
    });
    let part = (
        small.clone(),
        prop::bool::ANY,
        address.clone(),
        prop::collection::vec(address, 0..4),
    );
    let records = prop::collection::vec((1..8_u8, part), 0..4).prop_map(|records| {
        let mut octets = vec![143, 0, 0, 0, 0, 0, 0, u8::try_from(records.len()).unwrap()];
        for (kind, (_, aux, group, sources)) in records {
            octets.extend_from_slice(&[
                kind,
                u8::from(aux),
                0,
                u8::try_from(sources.len()).unwrap(),
            ]);
            octets.extend_from_slice(&group);
            octets.extend(sources.iter().flatten());
            octets.extend(std::iter::repeat_n(0x5a, if aux { 4 } else { 0 }));
        }
        octets
    });
    let any_octets = (
        prop::sample::select(vec![130_u8, 131, 132, 143]),
        prop::collection::vec(any::<u8>(), 3..80),
    )
        .prop_map(|(kind, rest)| [vec![kind], rest].concat());
    let query = (small, any::<u8>(), any::<u8>(), 0..4_u8, any::<bool>()).prop_map(
        |(delay, flags, qqic, group, general)| {
            let mut octets = vec![130, 0, 0, 0, delay, delay, 0, 0];
            let mut address = group_octets(group);
            if general {
                address = [0; 16];
            }
            octets.extend_from_slice(&address);
            octets.extend_from_slice(&[flags, qqic, 0, 0]);
            octets
        },
    );
    let version_1 = (131..133_u8, 0..4_u8).prop_map(|(kind, group)| {
        let mut octets = vec![kind, 0, 0, 0, 0, 0, 0, 0];
        octets.extend_from_slice(&group_octets(group));
        octets
    });
    (
        1..6_u8,
        prop_oneof![4 => records, 1 => any_octets, 2 => query, 2 => version_1],
    )
}

fn group_octets(n: u8) -> [u8; 16] {
    let mut octets = [0; 16];
    octets[0] = 0xff;
    octets[1] = 0x1e;
    octets[15] = n;
    octets
}

/// The rules that a record always keeps, and those of the interface.
fn check(router: &Interface, now: Instant) {
    assert!(router.next_timeout().is_none_or(|due| due > now));
    for state in router.groups(now) {
        assert!(dut_mld::is_tracked(state.group));
        match state.filter_mode {
            FilterMode::Include => {
                assert!(!state.sources.is_empty());
                assert!(state.sources.iter().all(|source| !source.timer.is_zero()));
                assert_eq!(state.query_count, 0);
            }
            FilterMode::Exclude => {
                let zero = state.sources.iter().filter(|source| source.timer.is_zero());
                assert!(zero.clone().all(|source| source.query_count == 0));
            }
        }
        let counted = state.query_count > 0 || state.sources.iter().any(|s| s.query_count > 0);
        assert_eq!(state.query_due.is_some(), counted);
        assert!(state.sources.iter().all(|s| !s.source.is_multicast()));
    }
}

proptest! {
    #[test]
    fn arbitrary_messages_and_times(
        version in 1..=2_u8,
        steps in prop::collection::vec((0..3_000_u64, message()), 1..60),
    ) {
        let mut router = Interface::new(InterfaceConfig { version, ..fast() });
        let mut now = Instant::ZERO;
        router.start(now);
        for (wait, (host, mut octets)) in steps {
            now += Duration::from_millis(wait);
            let envelope = Envelope {
                source: Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, host.into()),
                destination: dut_wire::mld::ALL_NODES,
                hop_limit: 1,
                router_alert: Some(0),
            };
            octets[2..4].fill(0);
            icmpv6::seal(&mut octets, envelope.source, envelope.destination);
            router.handle_message(now, &envelope, &octets);
            while router.poll_event().is_some() {}
            while let Some(transmit) = router.poll_transmit() {
                prop_assert!(dut_wire::mld::Message::parse(&transmit.message).is_ok());
            }
            // A version 1 query with a delay of 0 lowers a timer to now.
            if version == 2 {
                check(&router, now);
            }
            router.handle_timeout(now);
            prop_assert!(router.next_timeout().is_none_or(|due| due > now));
        }
        // Silence ends every record: nobody but the querier is left.
        let end = now + Duration::from_secs(10_000_000);
        router.handle_timeout(end);
        prop_assert_eq!(router.group_count(), 0);
    }
}

/// Proves that reports beyond the rate limit are left out and counted, and that the next second
/// takes them again.
#[test]
fn report_limit() {
    let mut lab = Lab::new(InterfaceConfig {
        report_limit: 2,
        ..config()
    });
    lab.forget();
    for n in 0..4 {
        lab.records(vec![record(TO_EX, group(n), &[])]);
    }
    assert_eq!(lab.router.group_count(), 2);
    let reason = dut_mld::DiscardReason::ReportLimit;
    assert!(lab.has(MldEvent::Discarded { reason }));
    lab.at(1000);
    lab.records(vec![record(TO_EX, group(7), &[])]);
    assert_eq!(lab.router.group_count(), 3);
}
