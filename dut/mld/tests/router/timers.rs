//! Expiry (RFC 3810 7.2.3, 7.5), MALI of both profiles, forwarding, general queries.

use crate::lab::*;
use dut_device::Instant;
use dut_mld::{InterfaceConfig, MldEvent, Profile};
use dut_wire::mld::{ALL_NODES, Query};
use std::net::Ipv6Addr;

#[test]
fn mali_of_both_profiles() {
    for (profile, expected) in [(Profile::Rfc3810, 260_000), (Profile::Rfc9777, 270_000)] {
        let mut lab = Lab::new(InterfaceConfig {
            profile,
            ..config()
        });
        lab.at(7_000).include(&[1]);
        lab.at(7_000 + expected - 1);
        assert_eq!(lab.forwarded(), [1]);
        lab.forget().at(7_000 + expected);
        assert_eq!(lab.state(), "none");
        assert_eq!(lab.rows(), ["MLD-ROW-13"]);
        assert!(lab.has(MldEvent::Removed { group: G }));
    }
}

#[test]
fn the_fast_profile_expires_at_43_and_46_s() {
    for (profile, expected) in [(Profile::Rfc3810, 43), (Profile::Rfc9777, 46)] {
        let mut lab = Lab::new(InterfaceConfig { profile, ..fast() });
        lab.record(TO_EX, &[]);
        assert_eq!(lab.state(), format!("EX({{}},{{}}) {expected}"));
        // What RFC 9777 didn't change.
        assert_eq!(lab.router.other_querier_present_timeout(), ms(41_500));
        lab.report_v1(H);
        let state = lab.router.group(lab.now, H).unwrap();
        assert_eq!(state.v1_host, ms(43_000));
    }
}

#[test]
fn include_source_expires_alone() {
    let mut lab = Lab::new(config());
    lab.include(&[1, 2]).at(100_000).record(IS_IN, &[2]);
    lab.forget().at(260_000);
    assert_eq!(lab.state(), "IN{2:100}");
    assert!(lab.has(MldEvent::Changed { group: G }));
    lab.at(360_000);
    assert_eq!(lab.state(), "none");
    lab.forget().record(BLOCK, &[2]);
    assert!(lab.queries().is_empty());
}

#[test]
fn exclude_source_expires_into_the_exclude_list() {
    let mut lab = Lab::new(config());
    lab.exclude(&[1], &[]).at(200_000).record(IS_IN, &[]);
    // Only IS_EX with the source listed keeps it; the filter timer is refreshed beside it.
    lab.record(IS_EX, &[1]).forget().at(260_000);
    assert_eq!(lab.state(), "EX({},{1}) 200");
    assert_eq!(lab.rows(), ["MLD-ROW-14"]);
    assert_eq!(lab.forwarded(), [2, 3, 4, 5, 6, 7, 8, 9]);
}

#[test]
fn excluded_sources_last_as_long_as_the_filter_timer() {
    let mut lab = Lab::new(config());
    lab.exclude(&[], &[2]);
    for at in [200_000, 400_000, 600_000] {
        lab.at(at).record(IS_EX, &[2]);
        assert_eq!(lab.state(), "EX({},{2}) 260");
    }
    lab.at(860_000);
    assert_eq!(lab.state(), "none");
}

#[test]
fn filter_and_source_timers_that_expire_together_delete_the_record() {
    let mut lab = Lab::new(config());
    lab.exclude(&[1], &[2]).forget().at(260_000);
    assert_eq!(lab.state(), "none");
    assert_eq!(lab.rows(), ["MLD-ROW-14", "MLD-ROW-16"]);
}

#[test]
fn a_listener_that_answers_every_second_query_is_kept() {
    let mut lab = Lab::new(config());
    for round in 0..5 {
        lab.at(round * 250_000).record(IS_EX, &[]);
        lab.at(round * 250_000 + 249_999);
        assert_eq!(lab.forwarded().len(), 9);
    }
}

#[test]
fn late_time_does_what_is_due_once() {
    let mut lab = Lab::new(config());
    lab.record(TO_EX, &[]).forget();
    lab.now = Instant::from_secs(5_000);
    lab.router.handle_timeout(lab.now);
    lab.drain();
    assert_eq!(lab.general_queries(), ["5000"]);
    assert_eq!(lab.state(), "none");
}

#[test]
fn early_time_does_nothing() {
    let mut lab = Lab::new(config());
    lab.record(TO_EX, &[]).at(1_000).forget();
    let before = lab.router.groups(Instant::ZERO);
    lab.router.handle_timeout(Instant::from_millis(1_001));
    lab.drain();
    assert!(lab.sent.is_empty() && lab.events.is_empty());
    assert_eq!(lab.router.groups(Instant::ZERO), before);
}

#[test]
fn no_record_and_link_scope_are_not_forwarded() {
    let mut lab = Lab::new(config());
    assert!(!lab.router.forwards(G, src(1)));
    for group in ["ff02::77", "ff02::16", "ff12::77"] {
        let group = addr(group);
        lab.records(vec![record(TO_EX, group, &[])]);
        assert_eq!(lab.state_of(group), "EX({},{}) 260");
        assert!(!lab.router.forwards(group, src(1)));
    }
    for group in ["ff05::77", "ff0e::77", "ff03::1", "ff1e::77"] {
        let group = addr(group);
        lab.records(vec![record(TO_EX, group, &[])]);
        assert!(lab.router.forwards(group, src(1)));
    }
}

#[test]
fn groups_are_shown_in_ascending_order_and_are_independent() {
    let mut lab = Lab::new(config());
    lab.records(vec![record(TO_EX, H, &[]), record(ALLOW, G, &[1])]);
    let shown: Vec<Ipv6Addr> = lab.router.groups(lab.now).iter().map(|s| s.group).collect();
    assert_eq!(shown, [G, H]);
    lab.record(BLOCK, &[1]).at(2_000);
    assert_eq!(
        (lab.state(), lab.state_of(H)),
        ("none".to_owned(), "EX({},{}) 258".to_owned())
    );
}

#[test]
fn general_queries_start_and_go_on() {
    let mut lab = Lab::new(config());
    lab.at(300_000);
    assert_eq!(lab.general_queries(), ["0", "31.25", "156.25", "281.25"]);
    let mut lab = Lab::new(InterfaceConfig {
        robustness: 3,
        ..fast()
    });
    lab.at(50_000);
    assert_eq!(lab.general_queries(), ["0", "5", "10", "30", "50"]);
    let mut lab = Lab::new(InterfaceConfig {
        startup_query_count: Some(4),
        startup_query_interval: Some(ms(1_000)),
        ..fast()
    });
    lab.at(30_000);
    assert_eq!(lab.general_queries(), ["0", "1", "2", "3", "23"]);
}

/// The general query of the golden frame G1 without its envelope.
#[test]
fn the_general_query_is_the_golden_one() {
    let mut router = dut_mld::Interface::new(InterfaceConfig::new("g1", LOWER));
    router.start(Instant::ZERO);
    let transmit = router.poll_transmit().unwrap();
    assert_eq!(transmit.destination, ALL_NODES);
    let mut expected = vec![0x82, 0x00, 0x56, 0x96, 0x27, 0x10, 0, 0];
    expected.extend_from_slice(&[0; 16]);
    expected.extend_from_slice(&[0x02, 0x7d, 0, 0]);
    assert_eq!(transmit.message, expected);
}

#[test]
fn general_query_carries_the_configuration() {
    // (QRI ms, RV, QI s) and the MRC, QRV, QQIC that say so, rounded down.
    for (qri, rv, qi, mrc, qrv, qqic) in [
        (3_000, 2, 20, 3_000, 2, 0x14),
        (33_000, 7, 130, 0x801d, 7, 0x80),
        (10_000, 8, 256, 10_000, 0, 0x90),
    ] {
        let lab = Lab::new(InterfaceConfig {
            query_response_interval: ms(qri),
            robustness: rv,
            query_interval: ms(qi * 1000),
            ..config()
        });
        let Some(Query::V2(query)) = parse_query(&lab.sent[0].1) else {
            panic!("no version 2 query");
        };
        let said = (query.maximum_response_code.0, query.qrv.get(), query.qqic.0);
        assert_eq!(said, (mrc, qrv, qqic));
        assert_eq!(lab.sent[0].1.message.len(), 28);
    }
}

#[test]
fn link_down_clears_and_link_up_starts_again() {
    let mut lab = Lab::new(config());
    lab.record(TO_EX, &[]).at(50_000).forget();
    lab.router.stop(lab.now);
    assert!(!lab.router.is_up());
    assert_eq!(
        (lab.state().as_str(), lab.router.next_timeout()),
        ("none", None)
    );
    assert_eq!(lab.router.querier_state(lab.now).querier, None);
    lab.record(TO_EX, &[]);
    assert_eq!(lab.discards(), [dut_mld::DiscardReason::InterfaceDown]);
    lab.at(60_000);
    lab.router.start(lab.now);
    lab.drain();
    lab.at(91_250);
    assert_eq!(lab.general_queries(), ["60", "91.25"]);
    assert_eq!(lab.state(), "none");
}

#[test]
fn start_of_a_running_interface_changes_nothing() {
    let mut lab = Lab::new(config());
    lab.record(TO_EX, &[]).at(10_000).forget();
    lab.router.start(lab.now);
    lab.drain();
    assert!(lab.sent.is_empty());
    assert_eq!(lab.state(), "EX({},{}) 250");
}

#[test]
fn snapshot_shows_remaining_milliseconds_rounded_up() {
    let mut lab = Lab::new(config());
    lab.exclude(&[1], &[2]).at(10_000);
    lab.record(BLOCK, &[1]);
    let snapshot = lab
        .router
        .snapshot(lab.now + std::time::Duration::from_nanos(1));
    assert!(snapshot.up && snapshot.querier);
    assert_eq!((snapshot.version, snapshot.robustness), (2, 2));
    assert_eq!(snapshot.query_interval_ms, 125_000);
    assert_eq!(snapshot.other_querier_ms, None);
    assert_eq!(snapshot.general_query_ms, Some(21_250));
    let group = &snapshot.groups[0];
    assert_eq!(
        (group.filter_mode.as_str(), group.filter_timer_ms),
        ("EXCLUDE", 250_000)
    );
    let sources: Vec<_> = group
        .sources
        .iter()
        .map(|s| (s.timer_ms, s.query_count))
        .collect();
    assert_eq!(sources, [(2_000, 1), (0, 0)]);
    assert_eq!(group.last_reporter, Some(HOST));
    assert_eq!(group.since, Instant::ZERO);
}
