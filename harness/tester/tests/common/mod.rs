//! A player without a world: the test is the wire.

use dut_device::Instant;
use harness_suite::{ExpandedCase, Located, Needs, Step};
use harness_tester::{Player, Setup, TesterPort};
use harness_trace::Point;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// A player of these steps on these ports, started, with a device that is late by so much.
pub(crate) fn player(ports: &[&str], steps: &[Value], lateness: Duration) -> Player {
    let located = |step: &Value| Located {
        line: 1,
        step: serde_json::from_value::<Step>(step.clone()).unwrap(),
    };
    let case = ExpandedCase {
        id: "lacp/test/one".to_owned(),
        title: String::new(),
        suite: "lacp".to_owned(),
        verifies: Vec::new(),
        negative: false,
        testbed: String::new(),
        needs: Needs::default(),
        observers: Vec::new(),
        other_profile: None,
        form: String::new(),
        preamble: false,
        frames: BTreeMap::new(),
        settings: BTreeMap::new(),
        constants: BTreeMap::new(),
        file: String::new(),
        steps: steps.iter().map(located).collect(),
    };
    let point = |name: &&str| Point {
        name: (*name).to_owned(),
        near: "tester".to_owned(),
        far: "dut".to_owned(),
    };
    let port = |name: &&str| TesterPort {
        name: (*name).to_owned(),
        mac: "02:00:00:00:01:01".to_owned(),
    };
    let mut player = Player::new(Setup {
        case,
        points: ports.iter().map(point).collect(),
        ports: ports.iter().map(port).collect(),
        frames: BTreeMap::new(),
        listeners: BTreeMap::new(),
        tolerance: Duration::ZERO,
        lateness,
    })
    .unwrap();
    player.start(Instant::ZERO);
    player
}
