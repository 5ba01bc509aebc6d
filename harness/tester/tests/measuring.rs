//! The measuring steps against devices of known behaviour: a periodic sender that is steady,
//! biased, jittery or drifting, a limiter of each kind, a Mux that isn't the declared one.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use dut_device::Instant;
use harness_judge::Verdict;
use harness_tester::Outcome;
use harness_trace::{Direction, Frame, PointId};
use harness_wire::{Kind, build};
use serde_json::{Value, json};
use std::time::Duration;

/// Plays one step against LACPDUs that come at these times, in milliseconds, with these fields.
fn play(step: Value, came: &[(u64, Value)], lateness: Duration) -> Outcome {
    let mut player = common::player(&["p1"], &[step], lateness);
    for (record, (at, fields)) in came.iter().enumerate() {
        let at = Instant::from_millis(*at);
        while player.next_timeout().is_some_and(|due| due < at) {
            let due = player.next_timeout().unwrap();
            player.handle_timeout(due);
        }
        let octets = build(
            Kind::Lacpdu,
            &serde_json::from_value(fields.clone()).unwrap(),
        );
        let frame = Frame {
            at,
            point: PointId(0),
            direction: Direction::In,
            lost: false,
            octets: octets.unwrap(),
        };
        player.observe(record, &frame);
    }
    while !player.is_done() {
        let due = player.next_timeout().unwrap();
        player.handle_timeout(due);
    }
    player.outcome().clone()
}

/// Samples as many gaps as there are, of LACPDUs with these gaps.
fn gaps(gaps: &[u64], lateness: Duration) -> Outcome {
    let step = json!({"sample": {
        "what": "periodic_timer", "on": "p1", "frame": {"lacpdu": {}},
        "samples": gaps.len(), "expected": "1s",
    }});
    let mut at = 100;
    let mut came = vec![(at, json!({}))];
    for gap in gaps {
        at += gap;
        came.push((at, json!({})));
    }
    play(step, &came, lateness)
}

/// Each timer's verdict, and that the interval is printed whatever it is.
#[test]
fn samples_give_the_verdict_that_they_can() {
    let jitter = [800, 1200, 850, 1150, 990, 1010, 820, 1180];
    let drift: Vec<u64> = (0..20).map(|n| 950 + 5 * n).collect();
    for (name, times, verdict) in [
        ("steady", &[1000; 10][..], Verdict::Pass),
        ("biased within", &[1200; 10], Verdict::Pass),
        ("biased beyond", &[1300; 10], Verdict::Fail),
        ("jittery", &jitter, Verdict::Inconclusive),
        ("drifting", &drift, Verdict::Inconclusive),
        ("too few", &[1000; 3], Verdict::Inconclusive),
    ] {
        let outcome = gaps(times, Duration::ZERO);
        assert_eq!(outcome.verdict, verdict, "{name}: {:?}", outcome.finding);
        let remark = outcome.remarks.first().unwrap();
        assert!(
            remark.contains(" samples, ") && remark.contains("allowed 750 to 1250 ms"),
            "{remark}"
        );
    }
}

/// What the device was measured to be late by widens what is allowed.
#[test]
fn the_measured_tick_widens_the_tolerance() {
    assert_eq!(
        gaps(&[1300; 10], Duration::from_millis(100)).verdict,
        Verdict::Pass
    );
}

/// A device that falls silent doesn't leave the step waiting.
#[test]
fn a_sample_that_does_not_end_fails() {
    let step = json!({"sample": {
        "what": "x", "on": "p1", "frame": {"lacpdu": {}}, "samples": 5, "expected": "1s",
    }});
    let outcome = play(step, &[(100, json!({}))], Duration::ZERO);
    assert_eq!(outcome.verdict, Verdict::Fail);
    assert!(
        outcome
            .finding
            .unwrap()
            .what
            .contains("sample 1 has not ended")
    );
}

fn limiter(times: &[u64]) -> Outcome {
    let step = json!({"classify": {
        "what": "limiter", "on": "p1", "frame": {"lacpdu": {}}, "for": "980ms",
        "classes": [
            {"name": "spacing", "min": 2, "max": 4, "spaced": "200ms"},
            {"name": "sliding-window", "min": 1, "max": 3},
            {"name": "standing-window", "min": 4, "max": 6},
            {"name": "none", "min": 7},
        ],
    }});
    let came: Vec<(u64, Value)> = times.iter().map(|at| (*at, json!({}))).collect();
    play(step, &came, Duration::ZERO)
}

/// Limiters are told apart by what leaves; silence is none of them.
#[test]
fn limiters_are_told_apart() {
    let flood: Vec<u64> = (0..48).map(|n| n * 20).collect();
    for (times, class) in [
        (&[0, 20, 150][..], "sliding-window"),
        (&[0, 20, 150, 170, 190], "standing-window"),
        (&[0, 333, 666], "spacing"),
        (&flood, "none"),
    ] {
        let outcome = limiter(times);
        assert_eq!(outcome.verdict, Verdict::Pass);
        assert_eq!(outcome.classes.get("limiter").unwrap(), class);
    }
    let outcome = limiter(&[]);
    assert_eq!(outcome.verdict, Verdict::Fail);
    assert!(outcome.classes.is_empty());
}

/// A testbed that says coupled of a device that isn't is told so.
#[test]
fn a_wrongly_declared_device_is_told() {
    let step = json!({"classify": {
        "what": "mux", "on": "p1", "frame": {"lacpdu": {}}, "for": "1s", "declared": "coupled",
        "classes": [
            {"name": "coupled", "fields": {"actor.state": 0x3f}},
            {"name": "independent", "fields": {"actor.state": 0x1f}},
        ],
    }});
    let outcome = play(step, &[(10, json!({"actor.state": 0x1f}))], Duration::ZERO);
    assert_eq!(outcome.verdict, Verdict::Fail);
    let what = outcome.finding.unwrap().what;
    assert_eq!(
        what,
        "mux: the testbed says coupled, the device behaves as independent"
    );
    assert_eq!(outcome.classes.get("mux").unwrap(), "independent");
}
