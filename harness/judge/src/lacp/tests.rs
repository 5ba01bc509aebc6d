//! What must stay the same from LACPDU to LACPDU.

use crate::{Invariants, Roles};
use dut_device::Instant;
use harness_trace::{Direction, Frame, PointId};
use harness_wire::{Kind, build};
use serde_json::{Value, json};

/// Ids of the rules that these LACPDUs break, a second apart.
fn broken(pdus: &[Value]) -> Vec<String> {
    let roles = Roles {
        lacp: true,
        ..Roles::default()
    };
    let mut invariants = Invariants::foreign(roles);
    for (record, fields) in pdus.iter().enumerate() {
        let fields = serde_json::from_value(fields.clone()).unwrap();
        let frame = Frame {
            at: Instant::from_secs(u64::try_from(record).unwrap()),
            point: PointId(0),
            direction: Direction::In,
            lost: false,
            octets: build(Kind::Lacpdu, &fields).unwrap(),
        };
        invariants.judge(record, &frame, "device", roles);
    }
    let reports = invariants.finish().into_iter();
    let broken = reports.filter(|report| report.broken.is_some());
    broken.map(|report| report.requirement).collect()
}

#[test]
fn equal_lacpdus_break_nothing() {
    assert_eq!(broken(&[json!({}), json!({}), json!({})]), [""; 0]);
}

#[test]
fn a_second_source_address_of_a_port_is_found() {
    let other = json!({"ether.source": "02:00:00:00:00:99"});
    assert_eq!(broken(&[json!({}), other]), ["LACP-002"]);
}

#[test]
fn a_collector_max_delay_that_changes_is_found() {
    let other = json!({"collector.max_delay": 5});
    assert_eq!(broken(&[json!({}), other]), ["LACP-030"]);
}
