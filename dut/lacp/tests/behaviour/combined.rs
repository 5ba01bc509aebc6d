//! The combined Mux machine of 802.1AX-2020: what its figure and tables make visible.

use crate::bench::{Bench, KEY, SYSTEM, config, port};
use dut_device::PortId;
use dut_lacp::{EthTrunkConfig, MuxControl};
use std::time::Duration;

const PORT: PortId = PortId(1);

fn bench(mux: MuxControl, wait_to_restore: u64) -> Bench {
    let config = EthTrunkConfig {
        mux,
        wait_to_restore: Duration::from_secs(wait_to_restore),
        ..config(SYSTEM, KEY)
    };
    Bench::new(config, vec![port(1)])
}

/// State octets of the LACPDUs that left since the last look.
fn states(bench: &mut Bench) -> Vec<u8> {
    let sent = bench.lacpdus(1);
    sent.iter().map(|(_, pdu)| pdu.actor.state.0).collect()
}

/// With a partner that already collects, the port goes from ATTACH to COLL_DIST in one step: one
/// LACPDU says all, 2 s after the port was selected.
#[test]
fn it_goes_up_in_one_step_and_says_so() {
    for mux in [MuxControl::Combined, MuxControl::CombinedCoupled] {
        let mut bench = bench(mux, 0);
        bench.golden(1, 0x3d);
        bench.at(1_999);
        assert_eq!(bench.port(1).mux, "DETACHED");
        states(&mut bench);
        bench.at(2_000);
        assert_eq!(bench.port(1).mux, "COLL_DIST");
        assert_eq!(states(&mut bench), [0x3d]);
    }
}

/// Independent control stops in COLLECTING until the partner collects, and tells both steps.
#[test]
fn independent_control_collects_first() {
    let mut bench = bench(MuxControl::Combined, 0);
    bench.golden(1, 0x0d);
    bench.at(2_000);
    assert_eq!(bench.port(1).mux, "COLLECTING");
    states(&mut bench);
    bench.at(3_500);
    bench.golden(1, 0x1d);
    assert_eq!(bench.port(1).mux, "COLL_DIST");
    assert_eq!(states(&mut bench), [0x3d], "entering COLL_DIST sets NTT");
    bench.at(5_000);
    bench.golden(1, 0x0d);
    assert_eq!(bench.port(1).mux, "COLLECTING");
    assert!(
        states(&mut bench).is_empty(),
        "not newly collecting: no NTT"
    );
}

/// A loss of the link leaves the port attached; when the carrier is back, WTR time passes, not
/// Aggregate_Wait_Time.
#[test]
fn a_lost_link_is_restored_after_wtr_time() {
    for (wtr, back) in [(0, 0), (5, 5_000)] {
        let mut bench = bench(MuxControl::Combined, wtr);
        bench.golden(1, 0x3d);
        bench.at(2_000);
        bench.with(|trunk, now| trunk.set_port_enabled(now, PORT, false));
        assert_eq!(bench.port(1).mux, "ATTACHED_WTR");
        assert_eq!(bench.port(1).actor.state & 0x38, 0);
        bench.at(9_000);
        bench.with(|trunk, now| trunk.set_port_enabled(now, PORT, true));
        bench.golden(1, 0x3d);
        if back > 0 {
            bench.at(9_000 + back - 1);
            assert_eq!(bench.port(1).mux, "ATTACHED_WTR");
            bench.golden(1, 0x3d);
            bench.at(9_000 + back);
        }
        assert_eq!(bench.port(1).mux, "COLL_DIST");
    }
}

/// A link that is lost while its WTR timer runs loads it anew.
#[test]
fn a_flap_while_wtr_runs_begins_it_anew() {
    let mut bench = bench(MuxControl::Combined, 5);
    bench.golden(1, 0x3d);
    bench.at(2_000);
    for (at, up) in [(3_000, false), (4_000, true), (8_000, false), (8_500, true)] {
        bench.at(at);
        bench.with(|trunk, now| trunk.set_port_enabled(now, PORT, up));
        // Else the partner would be forgotten 3 s after link-up, and the port be detached.
        bench.golden(1, 0x3d);
    }
    bench.at(13_499);
    assert_eq!(bench.port(1).mux, "ATTACHED_WTR");
    bench.at(13_500);
    assert_eq!(bench.port(1).mux, "COLL_DIST");
}

/// A change of the partner while the port waits begins the wait anew, though the Selection Logic
/// keeps its timer.
#[test]
fn an_unselected_port_waits_anew() {
    let mut bench = bench(MuxControl::Combined, 0);
    bench.golden(1, 0x3d);
    bench.at(1_500);
    bench.golden_but(1, 0x3d, |pdu| pdu.actor.key = 99);
    bench.at(3_499);
    assert_eq!(bench.port(1).mux, "DETACHED");
    bench.at(3_500);
    assert_eq!(bench.port(1).mux, "COLL_DIST");
}

/// A port that is unselected is detached at once and says so; one that wasn't in Synchronization
/// has nothing to say.
#[test]
fn detached_is_told_by_who_was_in_sync() {
    let mut bench = bench(MuxControl::Combined, 0);
    bench.golden(1, 0x3d);
    bench.at(3_500);
    states(&mut bench);
    bench.golden_but(1, 0x3d, |pdu| pdu.actor.key = 99);
    assert_eq!(states(&mut bench), [0x05]);
    bench.at(5_000);
    bench.golden_but(1, 0x3d, |pdu| pdu.actor.key = 100);
    assert!(states(&mut bench).is_empty());
}
