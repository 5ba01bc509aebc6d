//! Specific queries (RFC 3810 7.6.3): counts, spacing, S flag, merging, MTU.

use crate::lab::*;
use dut_mld::{InterfaceConfig, MldEvent};
use dut_wire::mld::Query;

const NONE: [&str; 0] = [];

/// EXCLUDE({},{}) at 0, observed from 10 s on.
fn joined() -> Lab {
    let mut lab = Lab::new(config());
    lab.record(TO_EX, &[]).at(10_000).forget();
    lab
}

/// INCLUDE with these sources at 0, observed from 10 s on.
fn included(sources: &[u16]) -> Lab {
    let mut lab = Lab::new(config());
    lab.include(sources).at(10_000).forget();
    lab
}

#[test]
fn an_unanswered_leave() {
    let mut lab = joined();
    lab.record(TO_IN, &[]);
    assert_eq!(lab.queries(), ["10 Q"]);
    lab.at(11_999);
    assert_eq!(lab.forwarded().len(), 9);
    assert!(!lab.has(MldEvent::Removed { group: G }));
    lab.at(12_000);
    assert!(lab.has(MldEvent::Removed { group: G }));
    assert_eq!(lab.at(20_000).queries(), ["10 Q", "11 Q"]);
}

#[test]
fn an_answered_leave_goes_on_with_s() {
    let mut lab = joined();
    lab.record(TO_IN, &[]).at(10_300).record(IS_EX, &[]);
    assert_eq!(lab.at(20_000).queries(), ["10 Q", "11 Q S"]);
    assert_eq!(lab.state(), "EX({},{}) 250.3");
}

#[test]
fn an_answer_just_before_expiry_counts() {
    let mut lab = joined();
    lab.record(TO_IN, &[]).at(11_950).record(IS_EX, &[]);
    lab.at(20_000);
    assert_eq!(lab.state(), "EX({},{}) 251.95");
}

#[test]
fn refreshed_sources_move_to_a_message_with_s() {
    let mut lab = included(&[1, 2]);
    lab.record(BLOCK, &[1, 2]).at(10_300).record(IS_IN, &[1]);
    assert_eq!(
        lab.at(20_000).queries(),
        ["10 Q{1,2}", "11 Q{1} S", "11 Q{2}"]
    );
    assert_eq!(lab.state(), "IN{1:250.3}");
}

#[test]
fn a_half_without_sources_is_not_sent() {
    let mut lab = included(&[1, 2]);
    lab.record(BLOCK, &[1, 2]).at(10_300).record(ALLOW, &[1, 2]);
    assert_eq!(lab.at(20_000).queries(), ["10 Q{1,2}", "11 Q{1,2} S"]);
}

#[test]
fn a_new_trigger_merges_with_the_running_series() {
    let mut lab = included(&[1, 2]);
    lab.record(BLOCK, &[1]).at(10_500).record(BLOCK, &[2]);
    assert_eq!(
        lab.at(20_000).queries(),
        ["10 Q{1}", "10.5 Q{2}", "11 Q{1,2}"]
    );
    assert_eq!(lab.state(), "none");
}

#[test]
fn a_trigger_just_before_a_transmission_waits_for_the_one_after() {
    let mut lab = included(&[1, 2]);
    lab.record(BLOCK, &[1]).at(10_950).record(BLOCK, &[2]);
    assert_eq!(
        lab.at(12_949).queries(),
        ["10 Q{1}", "10.95 Q{2}", "11 Q{1}", "12 Q{2}"]
    );
    assert_eq!(lab.forwarded(), [2]);
    assert_eq!(lab.at(12_950).state(), "none");
}

#[test]
fn triggers_in_one_instant_share_the_series() {
    let mut lab = included(&[1, 2]);
    lab.records(vec![record(BLOCK, G, &[1]), record(BLOCK, G, &[2])]);
    assert_eq!(
        lab.at(20_000).queries(),
        ["10 Q{1}", "10 Q{2}", "11 Q{1,2}"]
    );
}

#[test]
fn sources_already_lowered_are_not_asked_again() {
    let mut lab = included(&[1, 2]);
    for at in [10_000, 10_300, 10_600, 11_500] {
        lab.at(at).record(BLOCK, &[1]);
    }
    assert_eq!(lab.at(20_000).queries(), ["10 Q{1}", "11 Q{1}"]);
    assert_eq!(lab.state(), "IN{2:240}");
}

#[test]
fn a_repeated_leave_rides_on_its_series() {
    let mut lab = joined();
    lab.record(TO_IN, &[]).at(10_500).record(TO_IN, &[]);
    assert_eq!(lab.at(20_000).queries(), ["10 Q", "11 Q"]);
    assert_eq!(lab.state(), "none");
}

#[test]
fn a_leave_after_an_answer_asks_again() {
    let mut lab = joined();
    lab.record(TO_IN, &[]).at(10_300).record(IS_EX, &[]);
    lab.at(10_600).record(TO_IN, &[]);
    assert_eq!(lab.queries(), ["10 Q", "10.6 Q"]);
    assert_eq!(lab.state(), "EX({},{}) 2");
    assert_eq!(lab.at(20_000).queries(), ["10 Q", "10.6 Q", "11.6 Q"]);
}

#[test]
fn source_and_group_queries_share_one_series() {
    let mut lab = Lab::new(config());
    lab.exclude(&[1, 2], &[]).at(10_000).forget();
    lab.record(BLOCK, &[1]).at(10_200).record(TO_IN, &[1]);
    // TO_IN{1} refreshes 1 and asks for X-A = {2} and for the group.
    assert_eq!(lab.queries(), ["10 Q{1}", "10.2 Q{2}", "10.2 Q"]);
    let all = [
        "10 Q{1}",
        "10.2 Q{2}",
        "10.2 Q",
        "11 Q{1} S",
        "11 Q{2}",
        "11 Q",
    ];
    assert_eq!(lab.at(20_000).queries(), all);
    assert_eq!(lab.state(), "IN{1:250.2}");
}

#[test]
fn allow_between_copies_shows_in_the_next_one() {
    let mut lab = included(&[1]);
    lab.record(BLOCK, &[1]).at(10_500).record(ALLOW, &[1]);
    assert_eq!(lab.at(20_000).queries(), ["10 Q{1}", "11 Q{1} S"]);
}

#[test]
fn a_source_that_is_deleted_leaves_the_series() {
    let mut lab = included(&[1, 2]);
    lab.record(BLOCK, &[1]).at(10_500).record(IS_EX, &[2]);
    assert_eq!(lab.at(20_000).queries(), ["10 Q{1}"]);
    assert_eq!(lab.router.group(lab.now, G).unwrap().query_due, None);
}

#[test]
fn interval_and_count_are_configurable() {
    let mut lab = Lab::new(InterfaceConfig {
        last_listener_query_interval: ms(500),
        last_listener_query_count: Some(3),
        ..config()
    });
    lab.record(TO_EX, &[]).at(10_000).record(TO_IN, &[]);
    let Some(Query::V2(query)) = parse_query(&lab.sent.last().unwrap().1) else {
        panic!("no version 2 query");
    };
    assert_eq!(query.maximum_response_code.0, 500);
    lab.at(11_499);
    assert_eq!(lab.forwarded().len(), 9);
    lab.at(11_500);
    assert_eq!(lab.state(), "none");
    assert_eq!(lab.at(20_000).queries(), ["10 Q", "10.5 Q", "11 Q"]);
}

#[test]
fn the_count_follows_the_robustness_variable() {
    let mut lab = Lab::new(InterfaceConfig {
        robustness: 3,
        ..config()
    });
    lab.record(TO_EX, &[]).at(10_000).record(TO_IN, &[]);
    assert_eq!(lab.at(12_999).queries(), ["10 Q", "11 Q", "12 Q"]);
    assert_eq!(lab.forwarded().len(), 9);
    assert_eq!(lab.at(13_000).state(), "none");
    let mut lab = Lab::new(InterfaceConfig {
        last_listener_query_count: Some(1),
        ..config()
    });
    lab.record(TO_EX, &[]).at(10_000).record(TO_IN, &[]);
    assert_eq!(lab.at(11_000).state(), "none");
    assert_eq!(lab.queries(), ["10 Q"]);
}

/// The golden frames G2 (here with S clear) and G3 without their envelopes.
#[test]
fn specific_queries_are_octet_exact() {
    let mut lab = Lab::new(InterfaceConfig::new("g2", ROUTER));
    lab.exclude(&[1, 2], &[])
        .at(10_000)
        .forget()
        .record(TO_IN, &[]);
    let group = G.octets();
    let head = |source: &[u8]| [&[0x03, 0xe8, 0, 0], group.as_slice(), source].concat();
    let mut sources = vec![0x02, 0x7d, 0, 2];
    sources.extend_from_slice(&src(1).octets());
    sources.extend_from_slice(&src(2).octets());
    let expected = [head(&sources), head(&[0x02, 0x7d, 0, 0])];
    assert_eq!(lab.sent.len(), 2);
    for ((_, transmit), expected) in lab.sent.iter().zip(expected) {
        assert_eq!(transmit.destination, G);
        assert_eq!(transmit.message[..2], [0x82, 0]);
        assert_eq!(transmit.message[4..], expected);
    }
}

#[test]
fn long_lists_are_split_to_the_mtu() {
    let sources: Vec<u16> = (1..=180).collect();
    for (mtu, lengths) in [(1500, vec![89, 89, 2]), (1280, vec![75, 75, 30])] {
        let mut lab = Lab::new(InterfaceConfig { mtu, ..config() });
        lab.include(&sources)
            .at(10_000)
            .forget()
            .record(BLOCK, &sources);
        let mut listed = Vec::new();
        let mut seen = Vec::new();
        for (_, transmit) in &lab.sent {
            let query = parse_query(transmit).unwrap();
            assert_eq!(transmit.message.len(), 28 + 16 * query.sources().len());
            assert!(transmit.message.len() + 48 <= usize::from(mtu));
            seen.push(query.sources().len());
            listed.extend_from_slice(query.sources());
        }
        assert_eq!(seen, lengths);
        assert_eq!(listed, sources.iter().map(|n| src(*n)).collect::<Vec<_>>());
        // The retransmission is split alike.
        lab.forget().at(11_000);
        assert_eq!(lab.sent.len(), lengths.len());
        assert_eq!(lab.at(12_000).state(), "none");
    }
}

#[test]
fn current_state_records_never_ask() {
    let mut lab = included(&[1, 2, 3]);
    lab.record(IS_IN, &[1])
        .record(IS_EX, &[2])
        .record(IS_EX, &[])
        .record(IS_IN, &[4]);
    assert_eq!(lab.at(20_000).queries(), NONE);
}

#[test]
fn counters_are_shown() {
    let mut lab = Lab::new(config());
    lab.exclude(&[1, 2], &[]).at(10_000).record(TO_IN, &[2]);
    lab.at(10_250);
    let state = lab.router.group(lab.now, G).unwrap();
    assert_eq!((state.query_count, state.query_due), (1, Some(ms(750))));
    let counts: Vec<u8> = state
        .sources
        .iter()
        .map(|source| source.query_count)
        .collect();
    assert_eq!(counts, [1, 0]);
    lab.at(11_000);
    let state = lab.router.group(lab.now, G).unwrap();
    assert_eq!((state.query_count, state.query_due), (0, None));
    assert_eq!(lab.state_of(H), "none");
}

#[test]
fn a_leave_near_the_natural_end_raises_nothing() {
    let mut lab = Lab::new(config());
    lab.record(TO_EX, &[])
        .at(259_000)
        .forget()
        .record(TO_IN, &[]);
    assert_eq!(lab.state(), "EX({},{}) 1");
    assert_eq!(lab.queries(), ["259 Q"]);
    assert_eq!(lab.at(260_000).state(), "none");
    assert_eq!(lab.at(270_000).queries(), ["259 Q"]);
}
