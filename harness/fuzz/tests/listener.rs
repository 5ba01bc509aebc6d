//! The listener's target: clean on the texts' decisions, and none of them can change unseen.

use dut_mld::FilterMode;
use dut_mld::host::{Answers, Filter, Pending, Policy};
use dut_wire::mld::{ALL_NODES, Report};
use harness_fuzz::listener::{schedule, schedule_of};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::panic::catch_unwind;
use std::time::Duration;

fn drawn(seed: u64) -> Vec<u8> {
    let mut octets = vec![0; 400];
    ChaCha8Rng::seed_from_u64(seed).fill_bytes(&mut octets);
    octets
}

/// Proves that random schedules find nothing in a listener that decides as the texts do.
#[test]
fn the_standard_listener_is_clean() {
    for seed in 0..2000 {
        let octets = drawn(seed);
        let run = catch_unwind(|| schedule(&octets));
        assert!(run.is_ok(), "schedule {seed}");
    }
}

type Wrong = (&'static str, fn(&mut Policy));

/// Decisions that no text allows, each with what it does.
const WRONG: [Wrong; 20] = [
    ("a change is told once too rarely", |policy| {
        policy.copies = |robustness| robustness.max(2) - 1;
    }),
    ("a change is told once too often", |policy| {
        policy.copies = |robustness| robustness + 1;
    }),
    ("copies are late", |policy| {
        policy.retransmission_gap = |_, longest| longest * 2;
    }),
    ("answers are late", |policy| {
        policy.response_delay = |_, longest| longest.max(Duration::from_millis(10)) * 2;
    }),
    ("the code is linear", |policy| {
        policy.maximum_response_delay = |_| Duration::from_secs(60);
    }),
    ("INCLUDE wins over EXCLUDE", |policy| {
        policy.merge = |requests| {
            let of = |mode| requests.iter().filter(move |one| one.mode == mode);
            match of(FilterMode::Include).count() {
                0 => Filter::merge(requests),
                _ => Filter::include(
                    of(FilterMode::Include)
                        .flat_map(|one| one.sources.clone())
                        .collect(),
                ),
            }
        };
    }),
    ("everything is reported", |policy| {
        policy.is_reported = |_| true;
    }),
    ("ff02::1 is reported", |policy| {
        let standard = Policy::STANDARD.is_reported;
        assert!(!standard(ALL_NODES), "the standard's never is");
        policy.is_reported = |group| group == ALL_NODES || (Policy::STANDARD.is_reported)(group);
    }),
    ("all queried sources are answered", |policy| {
        policy.wanted = |_, asked| asked.clone();
    }),
    ("no queried source is answered", |policy| {
        policy.wanted = |_, _| Default::default();
    }),
    ("reports are beyond the MTU", |policy| {
        policy.pack = |records, _| vec![Report { records }];
    }),
    ("a source that isn't usable yet", |policy| {
        policy.source = |link_local, _| link_local;
    }),
    ("nothing is said when there is an address", |policy| {
        policy.reports_again = false;
    }),
    ("a version 1 querier is not followed", |policy| {
        policy.falls_back = |_, _| false;
    }),
    ("a version 1 querier is followed too shortly", |policy| {
        policy.older_version_querier_present = |_, interval, _| interval;
    }),
    ("a change of version cancels nothing", |policy| {
        policy.cancels = false;
    }),
    ("messages without Router Alert are used", |policy| {
        policy.refuses = |_, _| None;
    }),
    ("a query to whomever is answered", |policy| {
        policy.accepts = |_| true;
    }),
    ("a later query puts an answer off", |policy| {
        policy.schedule = |answers: &mut Answers, ask| {
            if let Some(group) = ask.group {
                answers.specific.insert(group, (ask.due, ask.sources));
            } else {
                answers.general = Some(ask.due);
            }
        };
    }),
    ("a new mode is told without its sources", |policy| {
        policy.change_records = |pending: &Pending, group, filter| {
            let mut records = pending.records(group, filter);
            for record in records.iter_mut().filter(|_| pending.filter_mode > 0) {
                record.sources.clear();
            }
            records
        };
    }),
];

/// Proves that the target finds each of them.
#[test]
fn every_wrong_decision_is_found() {
    for (what, change) in WRONG {
        let mut policy = Policy::STANDARD;
        change(&mut policy);
        let found = (0..4000).any(|seed| {
            let octets = drawn(seed);
            catch_unwind(|| schedule_of(&octets, policy)).is_err()
        });
        assert!(found, "not found: {what}");
    }
}
