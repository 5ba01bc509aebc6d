//! What a router and a listener say, once right and once with each mistake.

use crate::{InvariantReport, Invariants, Roles};
use dut_device::Instant;
use harness_trace::{Direction, Frame, Point, PointId};
use harness_wire::{Kind, build};
use serde_json::{Value, json};

const ROUTER: Roles = Roles {
    lacp: false,
    router: true,
    listener: false,
    etrunk: false,
};
const LISTENER: Roles = Roles {
    router: false,
    listener: true,
    ..ROUTER
};

struct Bench {
    invariants: Invariants,
    roles: Roles,
    record: usize,
}

impl Bench {
    fn new(roles: Roles) -> Self {
        Self {
            invariants: Invariants::foreign(roles),
            roles,
            record: 0,
        }
    }

    fn frame(&mut self, ms: u64, kind: Kind, fields: Value) -> Frame {
        self.record += 1;
        Frame {
            at: Instant::from_millis(ms),
            point: PointId(0),
            direction: Direction::In,
            lost: false,
            octets: build(kind, &serde_json::from_value(fields).unwrap()).unwrap(),
        }
    }

    fn says(&mut self, ms: u64, kind: Kind, fields: Value) {
        let frame = self.frame(ms, kind, fields);
        let (record, roles) = (self.record, self.roles);
        self.invariants.judge(record, &frame, "device", roles);
    }

    fn other_says(&mut self, ms: u64, kind: Kind, fields: Value) {
        let frame = self.frame(ms, kind, fields);
        self.invariants.frame(self.record, &frame);
    }

    /// Ids of the broken rules.
    fn broken(self) -> Vec<String> {
        let reports = self.invariants.finish().into_iter();
        let broken = reports.filter(|report| report.broken.is_some());
        broken.map(|report| report.requirement).collect()
    }
}

fn general() -> Value {
    json!({"ipv6.source": "fe80::1", "qrv": 2, "qqic": 20, "ether.source": "02:00:00:00:00:01"})
}

fn with(mut fields: Value, name: &str, value: Value) -> Value {
    fields[name] = value;
    fields
}

#[test]
fn a_querier_in_order_breaks_nothing_and_the_rest_is_not_exercised() {
    let mut bench = Bench::new(ROUTER);
    for ms in [0, 5000, 25_000, 45_000] {
        bench.says(ms, Kind::MldQuery, general());
    }
    let reports: Vec<InvariantReport> = bench.invariants.finish();
    let premises = |name: &str| {
        reports
            .iter()
            .find(|r| r.name.contains(name))
            .unwrap()
            .premises
    };
    assert!(reports.iter().all(|report| report.broken.is_none()));
    assert_eq!(premises("come within QQIC"), 3);
    assert_eq!(premises("QRV stays"), 3);
    assert_eq!(premises("a specific query goes"), 0);
}

#[test]
fn a_late_general_query_is_found() {
    let mut bench = Bench::new(ROUTER);
    bench.says(0, Kind::MldQuery, general());
    // An eighth and 250 ms are allowed.
    bench.says(22_750, Kind::MldQuery, general());
    bench.says(45_501, Kind::MldQuery, general());
    assert_eq!(bench.broken(), ["MLD-061"]);
}

#[test]
fn another_querier_excuses_silence_and_adopted_variables() {
    let mut bench = Bench::new(ROUTER);
    bench.says(0, Kind::MldQuery, general());
    let other = with(general(), "ether.source", json!("02:00:00:00:00:02"));
    bench.other_says(1000, Kind::MldQuery, other);
    bench.says(90_000, Kind::MldQuery, with(general(), "qrv", json!(3)));
    bench.says(190_000, Kind::MldQuery, general());
    assert_eq!(bench.broken(), [""; 0]);
}

#[test]
fn changing_variables_and_sources_are_found() {
    for (name, value, id) in [
        ("qrv", json!(3), "MLD-014"),
        ("qqic", json!(21), "MLD-015"),
        ("ipv6.source", json!("fe80::2"), "MLD-002"),
    ] {
        let mut bench = Bench::new(ROUTER);
        bench.says(0, Kind::MldQuery, general());
        bench.says(1000, Kind::MldQuery, with(general(), name, value));
        assert_eq!(bench.broken(), [id]);
    }
}

/// A bridge's copy of a stranger's message isn't judged as the bridge's own; the same message from
/// the bridge alone is.
#[test]
fn what_a_bridge_passes_on_is_not_its_own() {
    let point = |name: &str| Point {
        name: name.into(),
        near: "tester".into(),
        far: "bridge".into(),
    };
    for (passed_on, broken) in [(true, vec![]), (false, vec!["MLD-001"])] {
        let mut bench = Bench::new(ROUTER);
        bench.invariants = Invariants::new(&[point("p1"), point("p2")], &["bridge".into()]);
        let fields = with(general(), "ipv6.hop_limit", json!(2));
        let mut frame = bench.frame(0, Kind::MldQuery, fields);
        if passed_on {
            frame.direction = Direction::Out;
            bench.invariants.frame(1, &frame);
        }
        (frame.direction, frame.point) = (Direction::In, PointId(1));
        bench.invariants.frame(2, &frame);
        assert_eq!(bench.broken(), broken);
    }
}

fn report(kind: &str, group: &str, sources: &[&str]) -> Value {
    json!({"records": [{"type": kind, "group": group, "sources": sources}]})
}

#[test]
fn a_listener_in_order_breaks_nothing() {
    let mut bench = Bench::new(LISTENER);
    bench.says(0, Kind::MldReport, report("TO_EX", "ff1e::1", &[]));
    bench.says(
        1,
        Kind::MldReport,
        report("IS_IN", "ff1e::1", &["2001:db8::1"]),
    );
    bench.says(2, Kind::MldReport, report("TO_EX", "ff02::1:ff00:1", &[]));
    bench.says(3, Kind::MldV1Report, json!({"group": "ff1e::1"}));
    bench.says(4, Kind::MldDone, json!({"group": "ff1e::1"}));
    let unspecified = with(report("TO_EX", "ff1e::1", &[]), "ipv6.source", json!("::"));
    bench.says(5, Kind::MldReport, unspecified);
    assert_eq!(bench.broken(), [""; 0]);
}

#[test]
fn each_mistake_of_a_listener_is_found() {
    let good = || report("TO_EX", "ff1e::1", &[]);
    let to = |address: &str| with(good(), "ipv6.destination", json!(address));
    for (fields, id) in [
        (report("TO_EX", "ff02::1", &[]), "MLD-168"),
        (report("TO_EX", "ff01::5", &[]), "MLD-168"),
        (report("IS_IN", "ff1e::1", &[]), "MLD-175"),
        (report("ALLOW", "ff1e::1", &["ff1e::2"]), "MLD-175"),
        (report("TO_EX", "2001:db8::1", &[]), "MLD-175"),
        (to("ff02::2"), "MLD-174"),
        (with(good(), "ipv6.source", json!("2001:db8::1")), "MLD-169"),
        (with(good(), "ipv6.hop_limit", json!(2)), "MLD-001"),
        (with(good(), "number_of_records", json!(2)), "MLD-175"),
    ] {
        let mut bench = Bench::new(LISTENER);
        bench.says(0, Kind::MldReport, fields.clone());
        assert_eq!(bench.broken(), [id], "{fields}");
    }
    let mut bench = Bench::new(LISTENER);
    let wrong = json!({"group": "ff1e::1", "ipv6.destination": "ff02::16"});
    bench.says(0, Kind::MldV1Report, wrong);
    assert_eq!(bench.broken(), ["MLD-174"]);
}

#[test]
fn a_switch_doesnt_answer_for_what_it_passes_on() {
    let point = |name: &str, near: &str, far: &str| Point {
        name: name.to_owned(),
        near: near.to_owned(),
        far: far.to_owned(),
    };
    let points = [
        point("p1", "tester", "switch"),
        point("A-C", "DeviceA", "switch"),
    ];
    let broken = |sent: u64, relayed: u64| {
        let mut invariants = Invariants::new(&points, &["DeviceA".into(), "switch".into()]);
        let fields = json!({"icmpv6.checksum": 1, "ipv6.source": "fe80::a1"});
        let octets = build(Kind::MldReport, &serde_json::from_value(fields).unwrap()).unwrap();
        let frame = |ms: u64, point: u16, direction: Direction| Frame {
            at: Instant::from_millis(ms),
            point: PointId(point),
            direction,
            lost: false,
            octets: octets.clone(),
        };
        invariants.frame(0, &frame(sent, 0, Direction::Out));
        invariants.frame(1, &frame(relayed, 1, Direction::In));
        let reports = invariants.finish().into_iter();
        let broken = reports.filter(|report| report.broken.is_some());
        broken.map(|report| report.requirement).collect::<Vec<_>>()
    };
    assert!(broken(1000, 1000).is_empty());
    // Nobody has just sent it: then it is the device's own.
    assert_eq!(broken(1000, 2000), ["MLD-004"]);
}
