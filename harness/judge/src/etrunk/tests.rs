//! Hellos in order, and each mistake of a hello's form and numbers.

use crate::{Invariants, Roles};
use dut_device::Instant;
use harness_trace::{Direction, Frame, PointId};
use harness_wire::{Kind, build};
use serde_json::{Value, json};

/// Ids of the rules that these hellos break, a second apart.
fn broken(hellos: &[Value]) -> Vec<String> {
    let roles = Roles {
        etrunk: true,
        ..Roles::default()
    };
    let mut invariants = Invariants::foreign(roles);
    for (record, fields) in hellos.iter().enumerate() {
        let fields = serde_json::from_value(fields.clone()).unwrap();
        let frame = Frame {
            at: Instant::from_secs(u64::try_from(record).unwrap()),
            point: PointId(0),
            direction: Direction::In,
            lost: false,
            octets: build(Kind::Etrunk, &fields).unwrap(),
        };
        invariants.judge(record, &frame, "device", roles);
    }
    let reports = invariants.finish().into_iter();
    let broken = reports.filter(|report| report.broken.is_some());
    broken.map(|report| report.requirement).collect()
}

fn hello(epoch: u64, sequence: u64) -> Value {
    json!({"boot_epoch": epoch, "sequence_present": 1, "sequence": sequence})
}

#[test]
fn hellos_in_order_break_nothing() {
    assert_eq!(
        broken(&[hello(1, 1), hello(1, 2), hello(1, 7), hello(2, 1)]),
        [""; 0]
    );
    let without = json!({"sequence_present": 0, "sequence": 0, "boot_epoch": 1});
    assert_eq!(broken(&[without.clone(), without]), [""; 0]);
}

#[test]
fn a_sequence_that_stands_still_or_falls_is_found() {
    assert_eq!(broken(&[hello(1, 5), hello(1, 5)]), ["ETRUNK-018"]);
    assert_eq!(broken(&[hello(1, 5), hello(1, 4)]), ["ETRUNK-018"]);
}

#[test]
fn a_boot_epoch_that_falls_is_found() {
    assert_eq!(broken(&[hello(2, 1), hello(1, 2)]), ["ETRUNK-003"]);
}

#[test]
fn a_malformed_hello_is_found() {
    let with = |name: &str, value: Value| {
        let mut fields = hello(1, 1);
        fields[name] = value;
        fields
    };
    for fields in [
        with("length", json!(40)),
        with("type", json!(9)),
        with("omit", json!(["addr"])),
        json!({"sequence_present": 0, "sequence": 4}),
    ] {
        assert_eq!(
            broken(std::slice::from_ref(&fields)),
            ["ETRUNK-001"],
            "{fields}"
        );
    }
}
