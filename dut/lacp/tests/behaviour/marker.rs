//! Marker responder (6.5).

use crate::bench::{Bench, SYSTEM};
use dut_device::PortId;
use dut_lacp::LacpEvent;
use dut_wire::marker::{MarkerKind, MarkerPdu};

fn marker(id: u32) -> Vec<u8> {
    let pdu = MarkerPdu {
        kind: MarkerKind::MarkerInformation,
        requester_port: 101,
        requester_system: SYSTEM,
        requester_transaction_id: id,
    };
    pdu.octets().to_vec()
}

#[test]
fn each_marker_is_answered_once_on_its_link_with_its_own_octets() {
    let mut bench = Bench::up();
    for id in 0..5 {
        let mut request = marker(id);
        request[1] = 9;
        for octet in &mut request[16..] {
            *octet = 0x5a;
        }
        let mut expected = request.clone();
        expected[2] = 2;
        bench.receive(1, &request);
        let sent = bench.sent();
        assert_eq!(sent.len(), 1);
        assert_eq!((sent[0].port, &sent[0].payload), (PortId(1), &expected));
        bench.wait(100);
    }
    let port = bench.port(1);
    assert_eq!(
        (port.markers_rx, port.marker_responses_tx, port.lacpdus_rx),
        (5, 5, 3)
    );
    assert_eq!(port.actor.state, 0x3d);
}

#[test]
fn a_response_is_counted_and_never_answered() {
    let mut bench = Bench::up();
    let mut response = marker(1);
    response[2] = 2;
    bench.receive(1, &response);
    assert!(bench.sent().is_empty());
    let port = bench.port(1);
    assert_eq!(
        (port.markers_rx, port.marker_responses_rx, port.illegal_rx),
        (0, 1, 0)
    );
}

#[test]
fn a_marker_of_another_shape_is_discarded_with_its_reason() {
    let mut bench = Bench::up();
    bench.events();
    for (at, value, expected) in [
        (2, 0, "bad_marker_type"),
        (2, 3, "bad_marker_type"),
        (2, 255, "bad_marker_type"),
        (3, 0, "bad_length"),
        (3, 255, "bad_length"),
    ] {
        let mut request = marker(1);
        request[at] = value;
        bench.receive(1, &request);
        let [LacpEvent::Discarded { reason, .. }] = bench.events()[..] else {
            panic!("{at}")
        };
        assert_eq!(reason.name(), expected);
    }
    for length in [1, 3, 109] {
        bench.receive(1, &marker(1)[..length]);
        let [LacpEvent::Discarded { reason, .. }] = bench.events()[..] else {
            panic!("{length}")
        };
        assert_eq!(reason.name(), "too_short");
    }
    assert!(bench.sent().is_empty());
    assert_eq!(bench.port(1).illegal_rx, 8);
}

#[test]
fn answers_do_not_use_up_the_limit_of_lacpdus() {
    let mut bench = Bench::up();
    for id in 0..10 {
        bench.receive(1, &marker(id));
    }
    assert_eq!(bench.sent().len(), 10);
    bench.golden_but(1, 0x3d, |pdu| pdu.partner.key = 1);
    assert_eq!(bench.lacpdus(1).len(), 1);
}
