//! Times of the codecs: reading and writing one PDU.

use divan::{Bencher, black_box};
use dut_wire::lacp::{Information, Lacpdu, State};
use dut_wire::marker::{MarkerKind, MarkerPdu, response_to};

fn main() {
    divan::main();
}

fn lacpdu() -> Lacpdu {
    let actor = Information {
        system_priority: 0x8000,
        system: [0x00, 0xe0, 0xfc, 0x12, 0x34, 0x55],
        key: 305,
        port_priority: 0x8000,
        port: 1,
        state: State(0x3d),
    };
    let partner = Information { port: 2, ..actor };
    Lacpdu {
        version: 1,
        actor,
        partner,
        collector_max_delay: 0,
    }
}

#[divan::bench]
fn lacpdu_decode(bencher: Bencher<'_, '_>) {
    let octets = lacpdu().octets();
    bencher.bench_local(|| Lacpdu::parse(black_box(&octets)));
}

#[divan::bench]
fn lacpdu_encode(bencher: Bencher<'_, '_>) {
    let pdu = lacpdu();
    bencher.bench_local(|| black_box(&pdu).octets());
}

#[divan::bench]
fn marker_response(bencher: Bencher<'_, '_>) {
    let marker = MarkerPdu {
        kind: MarkerKind::MarkerInformation,
        requester_port: 1,
        requester_system: [0x00, 0xe0, 0xfc, 0x12, 0x34, 0x55],
        requester_transaction_id: 7,
    };
    let octets = marker.octets();
    bencher.bench_local(|| response_to(black_box(&octets)));
}
