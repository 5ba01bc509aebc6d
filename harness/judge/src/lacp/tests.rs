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

/// What becomes of LACP-029 when the device shows Defaulted and Expired this long after the tester
/// has sent its first LACPDU, with this done to the link between.
fn both_after(ms: u64, disturb: Option<bool>) -> Option<String> {
    let points = [harness_trace::Point {
        name: "p1".to_owned(),
        near: "tester".to_owned(),
        far: "dut".to_owned(),
    }];
    let mut invariants = Invariants::new(&points, &["dut".to_owned()]);
    let mut frame = |at: u64, direction: Direction, state: u8, disturb: Option<bool>| {
        let fields = serde_json::from_value(json!({"actor.state": state})).unwrap();
        if let Some(fault) = disturb {
            invariants.disturbed(fault);
        }
        let frame = Frame {
            at: Instant::from_millis(at),
            point: PointId(0),
            direction,
            lost: false,
            octets: build(Kind::Lacpdu, &fields).unwrap(),
        };
        invariants.frame(0, &frame);
    };
    frame(0, Direction::Out, 0x0d, None);
    frame(ms, Direction::In, 0xc7, disturb);
    let mut reports = invariants.finish().into_iter();
    reports.find_map(|report| report.broken?.requirement)
}

/// Two LACPDUs that cross each other on the link break nothing; one that must have been heard does.
#[test]
fn what_may_be_under_way_has_not_been_heard() {
    assert_eq!(both_after(0, None), None);
    assert_eq!(both_after(20, None), None);
    assert_eq!(both_after(400, None).as_deref(), Some("LACP-029"));
}

/// After a link was cut, a device is rightly in EXPIRED with what INITIALIZE or DEFAULTED left.
#[test]
fn a_disturbed_link_begins_anew() {
    assert_eq!(both_after(400, Some(false)), None);
    assert_eq!(both_after(400, Some(true)), None);
}

/// Marker Responses aren't bound by the slow protocols' rate (802.1AX 6.5): requests are.
#[test]
fn marker_responses_do_not_count() {
    let eleven = |kind: u8| {
        let roles = Roles {
            lacp: true,
            ..Roles::default()
        };
        let mut invariants = Invariants::foreign(roles);
        for n in 0..11 {
            let fields = serde_json::from_value(json!({"tlv_type": kind})).unwrap();
            let frame = Frame {
                at: Instant::from_millis(n),
                point: PointId(0),
                direction: Direction::In,
                lost: false,
                octets: build(Kind::Marker, &fields).unwrap(),
            };
            invariants.judge(0, &frame, "device", roles);
        }
        let mut reports = invariants.finish().into_iter();
        reports.find_map(|report| report.broken?.requirement)
    };
    assert_eq!(eleven(1).as_deref(), Some("LACP-010"));
    assert_eq!(eleven(2), None);
}
