//! The step over several ports, the cable that brings frames back, and a partner's whole state
//! octet.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use dut_device::Instant;
use harness_judge::Verdict;
use harness_tester::{Action, Player};
use harness_trace::{Direction, Frame, PointId};
use harness_wire::{Kind, build, decode};
use serde_json::{Value, json};
use std::time::Duration;

const PORTS: [&str; 2] = ["p1", "p2"];

/// A player of these steps on two ports, started.
fn player(steps: &[Value]) -> Player {
    common::player(&PORTS, steps, Duration::ZERO)
}

fn lacpdu(fields: &Value) -> Vec<u8> {
    let fields = serde_json::from_value(fields.clone()).unwrap();
    build(Kind::Lacpdu, &fields).unwrap()
}

/// What `among` says of ports that show Distributing or not: (millisecond, port, whether).
fn among(bounds: &Value, shown: &[(u64, u16, u8)]) -> (Verdict, Vec<String>) {
    let mut step = json!({"on": PORTS, "for": "1s",
        "frame": {"lacpdu": {"actor.distributing": 1}}});
    let more = bounds.as_object().unwrap().clone();
    step.as_object_mut().unwrap().extend(more);
    let mut player = player(&[json!({ "among": step })]);
    for (record, (at, port, on)) in shown.iter().enumerate() {
        let frame = Frame {
            at: Instant::from_millis(*at),
            point: PointId(*port),
            direction: Direction::In,
            lost: false,
            octets: lacpdu(&json!({"actor.distributing": on})),
        };
        player.observe(record, &frame);
    }
    player.handle_timeout(Instant::from_millis(1000));
    let outcome = player.outcome();
    (outcome.verdict, outcome.remarks.clone())
}

/// Two ports that change places within an instant are one at a time, and the last one is told.
#[test]
fn ports_that_change_places_are_one_at_a_time() {
    let shown = [(100, 0, 1), (500, 1, 1), (505, 0, 0)];
    let (verdict, remarks) = among(&json!({"max": 1, "min": 1}), &shown);
    assert_eq!(verdict, Verdict::Pass);
    assert!(remarks.concat().ends_with("on p2"), "{remarks:?}");
}

/// Two ports for longer than an instant are too many, whether a frame or the end shows it.
#[test]
fn ports_that_show_it_together_are_too_many() {
    let together = [(100, 0, 1), (500, 1, 1), (550, 0, 0)];
    assert_eq!(among(&json!({"max": 1}), &together).0, Verdict::Fail);
    let to_the_end = [(100, 0, 1), (500, 1, 1)];
    assert_eq!(among(&json!({"max": 1}), &to_the_end).0, Verdict::Fail);
    assert_eq!(among(&json!({"max": 2}), &to_the_end).0, Verdict::Pass);
}

/// What no port shows at the end is too little, even if one showed it before.
#[test]
fn a_port_that_stopped_does_not_count_at_the_end() {
    let shown = [(100, 0, 1), (500, 0, 0)];
    assert_eq!(among(&json!({"min": 1}), &shown).0, Verdict::Fail);
    assert_eq!(among(&json!({"min": 0}), &shown).0, Verdict::Pass);
}

/// A cable brings every frame back as it is, by the port that it ends at.
#[test]
fn a_cable_brings_frames_back_unchanged() {
    let mut player = player(&[
        json!({"partner": {"on": "p1", "reflect": "p2"}}),
        json!({"wait": "1s"}),
    ]);
    let octets = lacpdu(&json!({"actor.key": 4711, "append": "a5"}));
    let frame = Frame {
        at: Instant::from_millis(10),
        point: PointId(0),
        direction: Direction::In,
        lost: false,
        octets: octets.clone(),
    };
    player.observe(0, &frame);
    let port = "p2".to_owned();
    assert_eq!(player.poll_action(), Some(Action::Send { port, octets }));
    assert_eq!(player.poll_action(), None);
}

/// A partner's whole state octet takes the place of the golden partner's bits.
#[test]
fn a_partner_says_the_state_octet_that_it_is_given() {
    let partner = json!({"on": "p1", "fields": {"actor.state": 0x37, "actor.expired": 1}});
    let mut player = player(&[json!({ "partner": partner }), json!({"wait": "1s"})]);
    let Some(Action::Send { octets, .. }) = player.poll_action() else {
        panic!("nothing was sent");
    };
    // A bit that is given too is set after the octet.
    assert_eq!(
        decode(&octets).fields.get("actor.state"),
        Some(&json!(0xb7))
    );
}
