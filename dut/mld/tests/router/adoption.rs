//! Switchover: remaining times kept, series continued, version-1 mode kept, querier continuity.

use crate::lab::*;
use dut_device::Instant;
use dut_mld::{GroupState, Interface, InterfaceConfig, MldEvent, QuerierState};
use std::time::Duration;

/// A router that is down and takes these records at `at` ms.
fn adopted_by(
    config: InterfaceConfig,
    at: u64,
    entries: &[GroupState],
    querier: Option<QuerierState>,
) -> Lab {
    let mut lab = Lab::new(config.clone());
    lab.router = Interface::new(config);
    lab.forget().at(at);
    lab.router.adopt(lab.now, entries, querier);
    lab.drain();
    lab
}

fn adopted(at: u64, entries: &[GroupState]) -> Lab {
    adopted_by(config(), at, entries, None)
}

#[test]
fn remaining_times_are_kept_to_the_nanosecond() {
    let mut old = Lab::new(config());
    old.exclude(&[1], &[2])
        .records(vec![record(ALLOW, H, &[3])]);
    old.at(100_123).report_v1(addr("ff1e::57"));
    let now = old.now + Duration::from_nanos(7);
    let entries = old.router.groups(now);
    // The clocks of the two devices have nothing in common.
    let new = adopted(5_000_000, &entries);
    assert_eq!(new.router.groups(new.now), entries);
    assert_eq!(new.forwarded(), [1, 3, 4, 5, 6, 7, 8, 9]);
    for group in [G, H] {
        assert!(new.has(MldEvent::Changed { group }));
    }
}

#[test]
fn a_silent_listener_expires_at_its_original_time() {
    let mut old = Lab::new(config());
    old.record(TO_EX, &[]).at(100_000);
    let mut new = adopted(100_050, &old.router.groups(old.now));
    assert_eq!(new.state(), "EX({},{}) 160");
    new.at(260_049);
    assert_eq!(new.forwarded().len(), 9);
    assert_eq!(new.at(260_050).state(), "none");
}

#[test]
fn starts_with_a_general_query_at_once() {
    let mut old = Lab::new(config());
    old.record(TO_EX, &[]).at(100_000);
    let querier = old.router.querier_state(old.now);
    let entries = old.router.groups(old.now);
    // The querier that it takes over from has the same address, or another that is itself gone.
    for querier in [None, Some(querier), Some(QuerierState::default())] {
        let mut new = adopted_by(config(), 100_000, &entries, querier);
        assert!(new.router.is_querier());
        new.at(140_000);
        assert_eq!(new.general_queries(), ["100", "131.25"]);
    }
}

#[test]
fn another_querier_goes_on_with_the_time_it_has_left() {
    let mut old = Lab::new(fast());
    old.record(TO_EX, &[])
        .query(LOWER, general(2, 20))
        .at(10_000);
    let querier = old.router.querier_state(old.now);
    assert_eq!(
        (querier.querier, querier.other_querier_remaining),
        (Some(LOWER), ms(31_500))
    );
    let entries = old.router.groups(old.now);
    let mut new = adopted_by(fast(), 10_000, &entries, Some(querier));
    assert!(!new.router.is_querier());
    let event = MldEvent::Querier {
        address: LOWER,
        other_querier: true,
    };
    assert!(new.has(event));
    new.at(41_499);
    assert!(new.general_queries().is_empty());
    new.at(41_500);
    assert_eq!(new.general_queries(), ["41.5"]);
}

#[test]
fn a_series_is_continued() {
    let mut old = Lab::new(InterfaceConfig {
        robustness: 3,
        ..config()
    });
    old.exclude(&[1, 2], &[])
        .at(10_000)
        .forget()
        .record(TO_IN, &[2])
        .at(11_400);
    assert_eq!(old.queries(), ["10 Q{1}", "10 Q", "11 Q{1}", "11 Q"]);
    let entries = old.router.groups(old.now);
    assert_eq!(
        (entries[0].query_count, entries[0].query_due),
        (1, Some(ms(600)))
    );
    let config = InterfaceConfig {
        robustness: 3,
        ..config()
    };
    let mut new = adopted_by(config, 11_450, &entries, None);
    // Three copies over both devices, a second apart but for the 50 ms of the transfer.
    assert_eq!(new.at(13_000).queries(), ["12.05 Q{1}", "12.05 Q"]);
    // The lowered timers run on: RV * QI + QRI = 385 s for what was refreshed.
    assert_eq!(new.state(), "EX({1:0.05,2:382.05},{}) 0.05");
    new.at(13_050);
    assert_eq!(new.state(), "IN{2:382}");
    assert_eq!(new.at(20_000).queries(), ["12.05 Q{1}", "12.05 Q"]);
}

#[test]
fn an_answer_to_a_continued_series_sets_s() {
    let mut old = Lab::new(config());
    old.record(TO_EX, &[])
        .at(10_000)
        .record(TO_IN, &[])
        .at(10_200);
    let mut new = adopted(10_200, &old.router.groups(old.now));
    new.at(10_500).record(IS_EX, &[]).at(20_000);
    assert_eq!(new.queries(), ["11 Q S"]);
    assert_eq!(new.state(), "EX({},{}) 250.5");
}

#[test]
fn a_non_querier_has_no_series() {
    let mut old = Lab::new(config());
    old.record(TO_EX, &[])
        .at(10_000)
        .record(TO_IN, &[])
        .at(10_200);
    let querier = QuerierState {
        querier: Some(LOWER),
        other_querier_remaining: ms(100_000),
        general_query_in: ms(0),
    };
    let entries = old.router.groups(old.now);
    let mut new = adopted_by(config(), 10_200, &entries, Some(querier));
    assert_eq!(new.state(), "EX({},{}) 1.8");
    assert!(new.at(20_000).queries().is_empty());
    assert_eq!(new.state(), "none");
}

#[test]
fn version_1_mode_is_kept() {
    let mut old = Lab::new(config());
    old.report_v1(G).at(100_000);
    let mut new = adopted(100_000, &old.router.groups(old.now));
    new.at(200_000).record(IS_EX, &[]).record(BLOCK, &[1]);
    assert!(new.queries().is_empty());
    new.at(260_000).record(BLOCK, &[1]);
    assert_eq!(new.queries(), ["260 Q{1}"]);
}

#[test]
fn version_1_checking_is_kept() {
    let config = InterfaceConfig {
        version: 1,
        ..config()
    };
    let mut old = Lab::new(config.clone());
    old.report_v1(G).at(10_000).done(G).at(10_400);
    let mut new = adopted_by(config, 10_400, &old.router.groups(old.now), None);
    new.at(10_500).done(G).at(10_600).report_v1(G).at(20_000);
    assert!(new.queries().is_empty());
    assert!(new.rows().contains(&"MLD-ROW-23"));
}

#[test]
fn what_has_run_out_is_not_adopted() {
    let mut old = Lab::new(config());
    old.exclude(&[1], &[2])
        .records(vec![record(ALLOW, H, &[3])])
        .at(10_000);
    let mut entries = old.router.groups(old.now);
    for entry in &mut entries {
        entry.filter_timer = Duration::ZERO;
        if entry.group == H {
            entry.sources[0].timer = Duration::ZERO;
        }
    }
    let new = adopted(10_000, &entries);
    assert_eq!(
        (new.state().as_str(), new.state_of(H).as_str()),
        ("IN{1:250}", "none")
    );
}

#[test]
fn what_the_interface_has_heard_itself_is_newer() {
    let mut old = Lab::new(config());
    old.record(TO_EX, &[])
        .records(vec![record(ALLOW, H, &[1])])
        .at(100_000);
    let entries = old.router.groups(old.now);
    let mut new = Lab::new(config());
    new.at(100_000).record(TO_EX, &[2]).forget();
    new.router.adopt(new.now, &entries, None);
    new.drain();
    assert_eq!(
        (new.state(), new.state_of(H)),
        ("EX({},{2}) 260".into(), "IN{1:160}".into())
    );
    // It was up: it doesn't start again.
    assert!(new.general_queries().is_empty());
}

#[test]
fn limits_and_scopes_hold_for_what_is_adopted() {
    let mut old = Lab::new(config());
    old.include(&[1, 2, 3])
        .records(vec![record(ALLOW, H, &[1])]);
    let mut entries = old.router.groups(old.now);
    let mut untracked = entries[0].clone();
    untracked.group = addr("ff02::1");
    entries.insert(0, untracked);
    let config = InterfaceConfig {
        group_limit: 1,
        source_limit: 2,
        ..config()
    };
    let new = adopted_by(config, 0, &entries, None);
    assert_eq!(
        (new.state().as_str(), new.router.group_count()),
        ("IN{1:260,2:260}", 1)
    );
    assert_eq!(new.router.limit_hits(), 2);
    assert!(new.has(MldEvent::LimitHit { group: G }) && new.has(MldEvent::LimitHit { group: H }));
}

#[test]
fn since_and_last_reporter_are_kept() {
    let mut old = Lab::new(config());
    old.at(5_000).record(TO_EX, &[]).at(100_000);
    let new = adopted(100_000, &old.router.groups(old.now));
    let state = new.router.group(new.now, G).unwrap();
    assert_eq!(
        (state.since, state.last_reporter),
        (Instant::from_secs(5), Some(HOST))
    );
}
