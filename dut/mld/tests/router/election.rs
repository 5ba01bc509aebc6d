//! Querier election and the non-querier's duties (RFC 3810 7.6.1, 7.6.2).

use crate::lab::*;
use dut_mld::{InterfaceConfig, MldEvent};
use dut_wire::mld::QueryV2;
use std::net::Ipv6Addr;

/// The fast profile with `link_local` as own address.
fn lab_with(link_local: Ipv6Addr) -> dut_mld::Interface {
    dut_mld::Interface::new(InterfaceConfig {
        link_local,
        ..fast()
    })
}

/// The time of the first general query after one from a lower router at 1 s.
fn takeover(query: QueryV2) -> Vec<String> {
    let mut lab = Lab::new(fast());
    lab.at(1_000).forget().query(LOWER, query);
    assert!(!lab.router.is_querier());
    lab.at(1_000_000);
    lab.general_queries().into_iter().take(2).collect()
}

#[test]
fn a_lower_address_silences() {
    let mut lab = Lab::new(fast());
    lab.at(1_000).forget();
    for at in [1_000, 21_000, 41_000, 61_000] {
        lab.at(at).query(LOWER, general(2, 20));
    }
    let event = MldEvent::Querier {
        address: LOWER,
        other_querier: true,
    };
    assert_eq!(lab.events.iter().filter(|e| **e == event).count(), 1);
    let state = lab.router.querier_state(lab.now);
    assert_eq!(
        (state.querier, state.other_querier_remaining),
        (Some(LOWER), ms(41_500))
    );
    assert_eq!(state.general_query_in, ms(0));
    lab.at(102_499);
    assert!(lab.general_queries().is_empty());
    lab.forget().at(102_500);
    assert_eq!(lab.general_queries(), ["102.5"]);
    let own = MldEvent::Querier {
        address: ROUTER,
        other_querier: false,
    };
    assert!(lab.has(own));
}

#[test]
fn a_higher_address_changes_nothing() {
    let mut lab = Lab::new(fast());
    lab.query(HIGHER, general(3, 10)).at(45_000);
    assert_eq!(lab.general_queries(), ["0", "5", "25", "45"]);
    assert_eq!(lab.router.robustness_variable(), 2);
}

#[test]
fn an_equal_address_changes_nothing() {
    let mut lab = Lab::new(fast());
    lab.query(ROUTER, general(2, 20));
    assert_eq!(lab.discards(), [dut_mld::DiscardReason::OwnMessage]);
    // The same interface id under another prefix of fe80::/10 is equal too.
    lab.query(addr("fe80:1::2"), general(2, 20)).at(45_000);
    assert_eq!(lab.general_queries(), ["0", "5", "25", "45"]);
}

#[test]
fn interface_ids_are_compared_big_endian() {
    for (own, other, wins) in [
        ("fe80::2", "fe80::1", true),
        ("fe80::1", "fe80::2", false),
        ("fe80::1:0:0:ff", "fe80::2:0:0:1", false),
        ("fe80::2:0:0:1", "fe80::1:0:0:ff", true),
        ("fe80::8000:0:0:0", "fe80::7fff:ffff:ffff:ffff", true),
        ("fe80::7fff:ffff:ffff:ffff", "fe80::8000:0:0:0", false),
        ("fe80::200:0:0:1", "fe80::1:0:0:2", true),
        ("fe80::100", "fe80::ff", true),
        // The prefix doesn't count.
        ("fe80::2", "fe80:0:0:1::1", true),
    ] {
        let mut router = lab_with(addr(own));
        let now = dut_device::Instant::ZERO;
        router.start(now);
        let envelope = dut_mld::Envelope {
            source: addr(other),
            destination: dut_wire::mld::ALL_NODES,
            hop_limit: 1,
            router_alert: Some(0),
        };
        let query = dut_wire::mld::Message::Query(dut_wire::mld::Query::V2(general(2, 20)));
        let octets = query.to_vec(envelope.source, envelope.destination);
        router.handle_message(now, &envelope, &octets);
        assert_eq!(!router.is_querier(), wins, "{own} hears {other}");
    }
}

#[test]
fn takeover_follows_the_adopted_values() {
    // OQPI = RV * QI + QRI / 2, QRI 3 s and, where the query says nothing, RV 2 and QI 20 s.
    for (qrv, qqic, first, second) in [
        (2, 20, "42.5", "62.5"),
        (3, 10, "32.5", "52.5"),
        (0, 10, "22.5", "42.5"),
        (2, 0, "42.5", "62.5"),
        (1, 0x80, "130.5", "150.5"),
        (7, 4, "30.5", "50.5"),
    ] {
        assert_eq!(
            takeover(general(qrv, qqic)),
            [first, second],
            "QRV {qrv} QQIC {qqic}"
        );
    }
}

#[test]
fn adopted_values_are_in_use_and_given_back() {
    let mut lab = Lab::new(fast());
    lab.query(LOWER, general(3, 10));
    assert_eq!(lab.router.robustness_variable(), 3);
    assert_eq!(lab.router.query_interval(), ms(10_000));
    // 3 * 10 + 3.
    lab.record(TO_EX, &[]);
    assert_eq!(lab.state(), "EX({},{}) 33");
    let snapshot = lab.router.snapshot(lab.now);
    assert_eq!(
        (
            snapshot.query_interval_ms,
            snapshot.negotiated_query_interval_ms
        ),
        (20_000, 10_000)
    );
    assert_eq!(snapshot.other_querier_ms, Some(31_500));
    lab.at(31_500);
    assert!(lab.router.is_querier());
    assert_eq!(lab.router.robustness_variable(), 2);
    assert_eq!(lab.state(), "EX({},{}) 1.5");
}

#[test]
fn only_lower_addresses_refresh_the_timer() {
    let mut lab = Lab::new(fast());
    lab.query(LOWER, general(2, 20)).forget();
    for at in (5_000..41_000).step_by(5_000) {
        lab.at(at).query(HIGHER, general(2, 20));
    }
    lab.at(41_500);
    assert_eq!(lab.general_queries(), ["41.5"]);
}

#[test]
fn s_and_specific_queries_count_in_the_election() {
    for query in [
        query(Ipv6Addr::UNSPECIFIED, true, &[]),
        query(G, false, &[]),
        query(G, true, &[]),
        query(G, false, &[1]),
    ] {
        let mut lab = Lab::new(fast());
        lab.query(LOWER, query);
        assert!(!lab.router.is_querier());
    }
}

#[test]
fn a_query_to_the_routers_own_address_counts() {
    let mut lab = Lab::new(fast());
    let message = dut_wire::mld::Message::Query(dut_wire::mld::Query::V2(general(2, 20)));
    lab.message(LOWER, ROUTER, &message);
    assert!(!lab.router.is_querier());
}

#[test]
fn non_querier_is_silent_and_keeps_its_state() {
    let mut lab = Lab::new(fast());
    lab.query(LOWER, general(2, 20)).forget();
    lab.record(TO_EX, &[])
        .record(TO_IN, &[])
        .record(BLOCK, &[1]);
    lab.done(G).at(20_000).record(IS_EX, &[]).at(41_499);
    assert!(lab.queries().is_empty() && lab.general_queries().is_empty());
    assert_eq!(lab.forwarded().len(), 9);
    lab.at(41_500);
    assert_eq!(lab.general_queries(), ["41.5"]);
    assert_eq!(lab.forwarded().len(), 9);
}

#[test]
fn non_querier_lowers_the_filter_timer_by_the_query() {
    let mut lab = Lab::new(config());
    lab.query(LOWER, general(2, 125)).record(TO_EX, &[]);
    lab.at(10_000).query(LOWER, query(G, false, &[]));
    assert_eq!(lab.state(), "EX({},{}) 2");
    // A second one a second later doesn't postpone the end.
    lab.at(11_000).query(LOWER, query(G, false, &[]));
    assert_eq!(lab.state(), "EX({},{}) 1");
    assert_eq!(lab.at(12_000).state(), "none");
    assert!(lab.queries().is_empty());
}

#[test]
fn non_querier_lowers_listed_sources_alone() {
    let mut lab = Lab::new(config());
    lab.query(LOWER, general(2, 125)).include(&[1, 2]);
    lab.at(10_000)
        .forget()
        .query(LOWER, query(G, false, &[1, 9]));
    assert_eq!(lab.state(), "IN{1:2,2:250}");
    assert!(lab.has(MldEvent::Refreshed { group: G }));
    assert_eq!(lab.at(12_000).state(), "IN{2:248}");
}

#[test]
fn s_leaves_timers_alone() {
    let mut lab = Lab::new(config());
    lab.query(LOWER, general(2, 125)).exclude(&[1], &[2]);
    lab.at(10_000)
        .query(LOWER, query(G, true, &[]))
        .query(LOWER, query(G, true, &[1]));
    assert_eq!(lab.state(), "EX({1:250},{2}) 250");
}

#[test]
fn a_general_query_changes_no_listener_timer() {
    let mut lab = Lab::new(config());
    lab.record(TO_EX, &[]);
    for at in (2_000..260_000).step_by(2_000) {
        lab.at(at).query(LOWER, general(2, 125));
    }
    assert_eq!(lab.at(259_999).forwarded().len(), 9);
    assert_eq!(lab.at(260_000).state(), "none");
}

#[test]
fn losing_the_election_ends_the_series() {
    let mut lab = Lab::new(config());
    lab.exclude(&[1], &[])
        .at(10_000)
        .forget()
        .record(TO_IN, &[]);
    assert_eq!(lab.queries(), ["10 Q{1}", "10 Q"]);
    lab.at(10_500).query(LOWER, general(2, 125));
    let state = lab.router.group(lab.now, G).unwrap();
    assert_eq!((state.query_count, state.query_due), (0, None));
    assert_eq!(state.sources[0].query_count, 0);
    lab.at(20_000);
    assert_eq!(lab.queries(), ["10 Q{1}", "10 Q"]);
    // What was lowered stays lowered.
    assert_eq!(lab.state(), "none");
}

#[test]
fn startup_queries_end_with_the_election() {
    let mut lab = Lab::new(fast());
    lab.at(1_000).query(LOWER, general(2, 20)).at(42_499);
    assert_eq!(lab.general_queries(), ["0"]);
}
