//! Proves the router against the tables of RFC 3810 7.4.1 and 7.4.2, row by row and vector by
//! vector, and, in the modules beside, its timers, series, election, version 1, validation,
//! limits, listener role and switchover. Expected values are the documents', in seconds.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "tests"
)]

#[path = "router/adoption.rs"]
mod adoption;
#[path = "router/election.rs"]
mod election;
#[path = "router/lab.rs"]
mod lab;
#[path = "router/limits.rs"]
mod limits;
#[path = "router/listener.rs"]
mod listener;
#[path = "router/series.rs"]
mod series;
#[path = "router/timers.rs"]
mod timers;
#[path = "router/validation.rs"]
mod validation;
#[path = "router/version_1.rs"]
mod version_1;

use dut_mld::{MldEvent, Row};
use lab::{ALLOW, BLOCK, G, IS_EX, IS_IN, LOWER, Lab, TO_EX, TO_IN, config, general, src};

const NONE: [&str; 0] = [];

/// The state in which a row is entered: INCLUDE (A) or EXCLUDE (X,Y), set up at 0.
enum Setup {
    None,
    In(&'static [u16]),
    Ex(&'static [u16], &'static [u16]),
}

/// A router with that state, at 10 s: timers set before have 250 s left, MALI is 260 s.
fn lab(setup: &Setup, querier: bool) -> Lab {
    let mut lab = Lab::new(config());
    if !querier {
        lab.query(LOWER, general(2, 125));
    }
    match setup {
        Setup::None => {}
        Setup::In(a) => {
            lab.include(a);
        }
        Setup::Ex(x, y) => {
            lab.exclude(x, y);
        }
    }
    lab.at(10_000).forget();
    lab
}

fn querier(setup: &Setup) -> Lab {
    lab(setup, true)
}

fn non_querier(setup: &Setup) -> Lab {
    lab(setup, false)
}

#[test]
fn include_is_in() {
    let mut lab = querier(&Setup::In(&[1, 2]));
    lab.record(IS_IN, &[2, 3]);
    assert_eq!(lab.state(), "IN{1:250,2:260,3:260}");
    assert_eq!(lab.rows(), ["MLD-ROW-01"]);
    assert!(lab.has(MldEvent::Changed { group: G }));
    assert_eq!(lab.at(20_000).queries(), NONE);
}

#[test]
fn include_is_ex() {
    let mut lab = querier(&Setup::In(&[1, 2]));
    lab.record(IS_EX, &[2, 3]);
    assert_eq!(lab.state(), "EX({2:250},{3}) 260");
    assert_eq!(lab.rows(), ["MLD-ROW-02"]);
    assert_eq!(lab.forwarded(), [1, 2, 4, 5, 6, 7, 8, 9]);
    assert_eq!(lab.at(20_000).queries(), NONE);
}

#[test]
fn exclude_is_in() {
    let mut lab = querier(&Setup::Ex(&[1], &[2, 3]));
    lab.record(IS_IN, &[2, 4]);
    assert_eq!(lab.state(), "EX({1:250,2:260,4:260},{3}) 250");
    assert_eq!(lab.rows(), ["MLD-ROW-03"]);
    assert_eq!(lab.at(20_000).queries(), NONE);
}

#[test]
fn exclude_is_ex() {
    let mut lab = querier(&Setup::Ex(&[1, 4], &[2, 5]));
    lab.record(IS_EX, &[1, 2, 3]);
    assert_eq!(lab.state(), "EX({1:250,3:260},{2}) 260");
    assert_eq!(lab.rows(), ["MLD-ROW-04"]);
    assert_eq!(lab.forwarded(), [1, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(lab.at(20_000).queries(), NONE);
}

#[test]
fn include_allow() {
    let mut lab = querier(&Setup::In(&[1, 2]));
    lab.record(ALLOW, &[2, 3]);
    assert_eq!(lab.state(), "IN{1:250,2:260,3:260}");
    assert_eq!(lab.rows(), ["MLD-ROW-05"]);
    assert_eq!(lab.at(20_000).queries(), NONE);
}

#[test]
fn include_block() {
    let mut lab = querier(&Setup::In(&[1, 2]));
    lab.record(BLOCK, &[2, 3]);
    assert_eq!(lab.state(), "IN{1:250,2:2}");
    assert_eq!(lab.rows(), ["MLD-ROW-06"]);
    assert!(lab.has(MldEvent::Refreshed { group: G }));
    assert_eq!(lab.queries(), ["10 Q{2}"]);
    lab.at(11_999);
    assert_eq!(lab.forwarded(), [1, 2]);
    lab.at(12_000);
    assert_eq!(lab.state(), "IN{1:248}");
    assert_eq!(lab.at(20_000).queries(), ["10 Q{2}", "11 Q{2}"]);
}

#[test]
fn include_to_ex() {
    let mut lab = querier(&Setup::In(&[1, 2]));
    lab.record(TO_EX, &[2, 3]);
    assert_eq!(lab.state(), "EX({2:2},{3}) 260");
    assert_eq!(lab.rows(), ["MLD-ROW-07"]);
    assert_eq!(lab.queries(), ["10 Q{2}"]);
    lab.at(20_000);
    assert_eq!(lab.state(), "EX({},{2,3}) 250");
    assert_eq!(lab.queries(), ["10 Q{2}", "11 Q{2}"]);
}

#[test]
fn include_to_in() {
    let mut lab = querier(&Setup::In(&[1, 2]));
    lab.record(TO_IN, &[2, 3]);
    assert_eq!(lab.state(), "IN{1:2,2:260,3:260}");
    assert_eq!(lab.rows(), ["MLD-ROW-08"]);
    lab.at(20_000);
    assert_eq!(lab.state(), "IN{2:250,3:250}");
    assert_eq!(lab.queries(), ["10 Q{1}", "11 Q{1}"]);
}

#[test]
fn exclude_allow() {
    let mut lab = querier(&Setup::Ex(&[1], &[2, 3]));
    lab.record(ALLOW, &[2, 4]);
    assert_eq!(lab.state(), "EX({1:250,2:260,4:260},{3}) 250");
    assert_eq!(lab.rows(), ["MLD-ROW-09"]);
    assert_eq!(lab.at(20_000).queries(), NONE);
}

#[test]
fn exclude_block() {
    let mut lab = querier(&Setup::Ex(&[1], &[2, 3]));
    lab.record(BLOCK, &[1, 2, 4]);
    assert_eq!(lab.state(), "EX({1:2,4:2},{2,3}) 250");
    assert_eq!(lab.rows(), ["MLD-ROW-10"]);
    assert_eq!(lab.queries(), ["10 Q{1,4}"]);
    lab.at(20_000);
    assert_eq!(lab.state(), "EX({},{1,2,3,4}) 240");
    assert_eq!(lab.queries(), ["10 Q{1,4}", "11 Q{1,4}"]);
}

#[test]
fn exclude_to_ex() {
    let mut lab = querier(&Setup::Ex(&[1, 5], &[2, 3]));
    lab.record(TO_EX, &[1, 2, 4]);
    assert_eq!(lab.state(), "EX({1:2,4:2},{2}) 260");
    assert_eq!(lab.rows(), ["MLD-ROW-11"]);
    assert_eq!(lab.queries(), ["10 Q{1,4}"]);
    lab.at(20_000);
    assert_eq!(lab.state(), "EX({},{1,2,4}) 250");
    assert_eq!(lab.queries(), ["10 Q{1,4}", "11 Q{1,4}"]);
}

#[test]
fn exclude_to_in() {
    let mut lab = querier(&Setup::Ex(&[1, 2], &[3]));
    lab.record(TO_IN, &[2, 3]);
    assert_eq!(lab.state(), "EX({1:2,2:260,3:260},{}) 2");
    assert_eq!(lab.rows(), ["MLD-ROW-12"]);
    assert_eq!(lab.queries(), ["10 Q{1}", "10 Q"]);
    lab.at(20_000);
    assert_eq!(lab.state(), "IN{2:250,3:250}");
    assert_eq!(lab.queries(), ["10 Q{1}", "10 Q", "11 Q{1}", "11 Q"]);
}

/// Without the lowering that a query brings, BLOCK and TO_EX show the filter timer in what is new.
#[test]
fn new_sources_take_the_filter_timer_from_block_and_to_ex_and_mali_from_is_ex() {
    for (record_type, expected) in [
        (BLOCK, "EX({4:250},{}) 250"),
        (TO_EX, "EX({4:250},{}) 260"),
        (IS_EX, "EX({4:260},{}) 260"),
    ] {
        let mut lab = non_querier(&Setup::Ex(&[], &[]));
        lab.record(record_type, &[4]);
        assert_eq!(lab.state(), expected, "{record_type:?}");
        assert_eq!(lab.at(15_000).queries(), NONE);
    }
}

/// A non-querier takes every row, and neither queries nor lowers a timer by a report.
#[test]
fn non_querier_takes_the_rows_without_queries() {
    for (setup, record_type, sources, expected) in [
        (
            Setup::In(&[1, 2]),
            BLOCK,
            &[2_u16, 3][..],
            "IN{1:250,2:250}",
        ),
        (Setup::In(&[1, 2]), TO_EX, &[2, 3], "EX({2:250},{3}) 260"),
        (Setup::In(&[1, 2]), TO_IN, &[2, 3], "IN{1:250,2:260,3:260}"),
        (
            Setup::Ex(&[1, 2], &[3]),
            TO_IN,
            &[2, 3],
            "EX({1:250,2:260,3:260},{}) 250",
        ),
    ] {
        let mut lab = non_querier(&setup);
        lab.record(record_type, sources);
        assert_eq!(lab.state(), expected);
        assert_eq!(lab.at(15_000).queries(), NONE);
    }
}

#[test]
fn vector_01_to_ex_makes_a_record() {
    let mut lab = querier(&Setup::None);
    lab.record(TO_EX, &[]);
    assert_eq!(lab.state(), "EX({},{}) 260");
    assert_eq!(lab.queries(), NONE);
}

#[test]
fn vector_02_block_of_an_unlisted_source() {
    let mut lab = querier(&Setup::Ex(&[], &[]));
    lab.record(BLOCK, &[1]);
    assert_eq!(lab.state(), "EX({1:2},{}) 250");
    assert_eq!(lab.queries(), ["10 Q{1}"]);
    lab.at(12_000);
    assert_eq!(lab.state(), "EX({},{1}) 248");
}

#[test]
fn vector_03_allow_of_an_excluded_source() {
    let mut lab = querier(&Setup::Ex(&[], &[1]));
    lab.record(ALLOW, &[1]);
    assert_eq!(lab.state(), "EX({1:260},{}) 250");
    assert_eq!(lab.queries(), NONE);
}

#[test]
fn vector_04_is_ex_deletes_a_requested_source() {
    let mut lab = querier(&Setup::Ex(&[1], &[2]));
    lab.record(IS_EX, &[2, 3]);
    assert_eq!(lab.state(), "EX({3:260},{2}) 260");
    assert_eq!(lab.forwarded(), [1, 3, 4, 5, 6, 7, 8, 9]);
}

#[test]
fn vector_05_is_ex_deletes_an_excluded_source() {
    let mut lab = querier(&Setup::Ex(&[], &[1, 2]));
    lab.record(IS_EX, &[2, 3]);
    assert_eq!(lab.state(), "EX({3:260},{2}) 260");
}

#[test]
fn vector_06_to_ex_in_include() {
    let mut lab = querier(&Setup::In(&[1, 2]));
    lab.record(TO_EX, &[2, 3]);
    assert_eq!(lab.state(), "EX({2:2},{3}) 260");
    assert_eq!(lab.forwarded(), [1, 2, 4, 5, 6, 7, 8, 9]);
    assert_eq!(lab.queries(), ["10 Q{2}"]);
}

#[test]
fn vector_07_to_in_in_include() {
    let mut lab = querier(&Setup::In(&[1, 2]));
    lab.record(TO_IN, &[2, 3]);
    assert_eq!(lab.forwarded(), [1, 2, 3]);
    assert_eq!(lab.queries(), ["10 Q{1}"]);
}

#[test]
fn vector_08_to_in_in_exclude_asks_twice() {
    let mut lab = querier(&Setup::Ex(&[1, 2], &[3]));
    lab.record(TO_IN, &[2, 3]);
    assert_eq!(lab.forwarded(), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(lab.queries(), ["10 Q{1}", "10 Q"]);
}

#[test]
fn vector_09_block_of_an_unlisted_source_in_include() {
    let mut lab = querier(&Setup::In(&[1]));
    lab.record(BLOCK, &[9]);
    assert_eq!(lab.state(), "IN{1:250}");
    assert_eq!(lab.at(20_000).queries(), NONE);
}

#[test]
fn vector_10_block_of_an_excluded_source() {
    let mut lab = querier(&Setup::Ex(&[1], &[2]));
    lab.record(BLOCK, &[2]);
    assert_eq!(lab.state(), "EX({1:250},{2}) 250");
    assert_eq!(lab.at(20_000).queries(), NONE);
}

#[test]
fn vector_11_filter_expiry_leaves_the_requested_sources() {
    let mut lab = querier(&Setup::Ex(&[1], &[2]));
    lab.at(100_000).record(IS_IN, &[1]);
    lab.at(259_999);
    assert_eq!(lab.forwarded(), [1, 3, 4, 5, 6, 7, 8, 9]);
    lab.forget().at(260_000);
    assert_eq!(lab.state(), "IN{1:100}");
    assert_eq!(lab.rows(), ["MLD-ROW-15"]);
    assert_eq!(lab.forwarded(), [1]);
}

#[test]
fn vector_12_filter_expiry_deletes_the_record() {
    let mut lab = querier(&Setup::Ex(&[], &[2]));
    lab.at(259_999);
    assert_eq!(lab.forwarded(), [1, 3, 4, 5, 6, 7, 8, 9]);
    lab.forget().at(260_000);
    assert_eq!(lab.state(), "none");
    assert_eq!(lab.rows(), ["MLD-ROW-16"]);
    assert!(lab.has(MldEvent::Removed { group: G }));
    assert!(lab.forwarded().is_empty());
}

#[test]
fn an_empty_query_set_sends_nothing() {
    let mut lab = querier(&Setup::In(&[1]));
    lab.record(TO_IN, &[1]);
    assert_eq!(lab.at(20_000).queries(), NONE);
}

#[test]
fn nothing_comes_of_no_record_and_an_empty_list() {
    for (record_type, sources) in [
        (BLOCK, &[1_u16][..]),
        (TO_IN, &[]),
        (IS_IN, &[]),
        (ALLOW, &[]),
        (BLOCK, &[]),
    ] {
        let mut lab = querier(&Setup::None);
        lab.record(record_type, sources);
        assert_eq!(lab.state(), "none");
        assert_eq!(lab.rows().len(), 1);
        assert!(!lab.has(MldEvent::Refreshed { group: G }));
        assert_eq!(lab.at(20_000).queries(), NONE);
    }
}

#[test]
fn duplicate_records_and_sources_are_sets() {
    let mut lab = querier(&Setup::None);
    let mut twice = lab::record(ALLOW, G, &[1, 1]);
    twice.sources.push(src(1));
    lab.records(vec![twice.clone(), twice]);
    assert_eq!(lab.state(), "IN{1:260}");
    lab.record(TO_EX, &[]).record(TO_EX, &[]);
    assert_eq!(lab.state(), "EX({},{}) 260");
}

#[test]
fn allow_and_block_in_one_report() {
    let mut lab = querier(&Setup::In(&[1]));
    lab.records(vec![
        lab::record(ALLOW, G, &[2]),
        lab::record(BLOCK, G, &[1]),
    ]);
    assert_eq!(lab.state(), "IN{1:2,2:260}");
    assert_eq!(lab.queries(), ["10 Q{1}"]);
}

/// Any two records for one source in one report leave a state that the tables can be in.
#[test]
fn contradictory_records_in_one_report() {
    for first in [IS_IN, IS_EX, TO_IN, TO_EX, ALLOW, BLOCK] {
        for second in [IS_IN, IS_EX, TO_IN, TO_EX, ALLOW, BLOCK] {
            let mut lab = querier(&Setup::None);
            lab.records(vec![
                lab::record(first, G, &[1]),
                lab::record(second, G, &[1]),
            ]);
            assert_eq!(lab.rows().len(), 2);
            // From nothing, the first leaves IN{1}, EX({},{1}) or nothing.
            let expected = match (first, second) {
                (BLOCK, BLOCK) => "none",
                (IS_EX | TO_EX, IS_EX | TO_EX | BLOCK) => "EX({},{1}) 260",
                (BLOCK, IS_EX | TO_EX) => "EX({},{1}) 260",
                (IS_EX | TO_EX, TO_IN) => "EX({1:260},{}) 2",
                (IS_EX | TO_EX, IS_IN | ALLOW) => "EX({1:260},{}) 260",
                (IS_IN | TO_IN | ALLOW, IS_EX) => "EX({1:260},{}) 260",
                (IS_IN | TO_IN | ALLOW, TO_EX) => "EX({1:2},{}) 260",
                (IS_IN | TO_IN | ALLOW, BLOCK) => "IN{1:2}",
                (IS_IN | TO_IN | ALLOW | BLOCK, _) => "IN{1:260}",
                (_, _) => unreachable!("no such record type"),
            };
            assert_eq!(lab.state(), expected, "{first:?} {second:?}");
        }
    }
}

#[test]
fn one_listener_in_exclude_makes_the_link_exclude() {
    let mut lab = querier(&Setup::None);
    lab.record(IS_IN, &[1]).record(IS_EX, &[3]);
    assert_eq!(lab.forwarded(), [1, 2, 4, 5, 6, 7, 8, 9]);
}

#[test]
fn row_ids_are_numbered_without_gaps() {
    for (index, row) in Row::ALL.iter().enumerate() {
        assert_eq!(row.id(), format!("MLD-ROW-{:02}", index + 1));
    }
    assert_eq!(Row::ALL.len(), 26);
}
