//! Management changes at run time.

use crate::bench::{Bench, SYSTEM};
use dut_device::{MacAddr, PortId};
use dut_lacp::EthTrunk;

const PORT: PortId = PortId(1);

/// Changes something on a port that is up; gives the state octet that it says at once.
fn after(change: impl FnOnce(&mut EthTrunk, dut_device::Instant)) -> (Bench, u8) {
    let mut bench = Bench::up();
    bench.with(change);
    let sent = bench.lacpdus(1);
    assert_eq!(sent.len(), 1, "NTT");
    let state = sent[0].1.actor.state.0;
    (bench, state)
}

#[test]
fn what_is_part_of_the_lag_id_unselects() {
    let (bench, state) = after(|trunk, now| trunk.set_key(now, 306));
    assert_eq!((bench.port(1).actor.key, state), (306, 0x05));
    let (bench, state) = after(|trunk, now| trunk.set_system_priority(now, 100));
    assert_eq!((bench.port(1).actor.system_priority, state), (100, 0x05));
    let system = MacAddr([0x00, 0xe0, 0xfc, 0x12, 0x34, 0x56]);
    let (bench, state) = after(|trunk, now| trunk.set_system_id(now, system, String::new()));
    assert_eq!((bench.port(1).actor.system, state), (system, 0x05));
    assert_eq!(bench.trunk().snapshot(bench.net.now).actor_system, system);
    let (mut bench, state) = after(|trunk, now| trunk.set_aggregation(now, PORT, false));
    assert_eq!(state, 0x01);
    bench.golden(1, 0x3d);
    bench.wait(1_999);
    assert_eq!(bench.port(1).actor.state, 0x01, "a whole new wait");
    bench.wait(1);
    assert_eq!(bench.port(1).actor.state, 0x39);
}

#[test]
fn what_is_not_part_of_it_is_only_said() {
    let (bench, state) = after(|trunk, now| trunk.set_port_priority(now, PORT, 100));
    assert_eq!((bench.port(1).actor.port_priority, state), (100, 0x3d));
    let (_, state) = after(|trunk, now| trunk.set_timeout_short(now, PORT, true));
    assert_eq!(state, 0x3f);
    let (_, state) = after(|trunk, now| trunk.set_activity(now, PORT, false));
    assert_eq!(state, 0x3c);
}

#[test]
fn the_priority_of_an_individual_port_is_part_of_its_lag_id() {
    let mut bench = Bench::one();
    bench.golden(1, 0x39);
    bench.at(5_000);
    assert_eq!(bench.port(1).actor.state, 0x3d);
    bench.with(|trunk, now| trunk.set_port_priority(now, PORT, 100));
    assert_eq!(bench.port(1).actor.state, 0x05);
}

#[test]
fn no_change_says_nothing() {
    let mut bench = Bench::up();
    bench.with(|trunk, now| {
        trunk.set_key(now, 305);
        trunk.set_system_priority(now, 0x8000);
        trunk.set_system_id(now, MacAddr(SYSTEM), "(Local)".to_owned());
        trunk.set_port_priority(now, PORT, 0x8000);
        trunk.set_timeout_short(now, PORT, false);
        trunk.set_activity(now, PORT, true);
        trunk.set_aggregation(now, PORT, true);
        trunk.set_port_enabled(now, PORT, true);
        trunk.set_lacp_enabled(now, PORT, true);
        trunk.set_hold(now, false);
        trunk.set_port_priority(now, PortId(77), 1);
        trunk.handle_slow(now, PortId(77), &[1, 2, 3]);
    });
    assert!(bench.sent().is_empty());
    assert_eq!(bench.port(1).actor.state, 0x3d);
}

#[test]
fn the_new_timeout_counts_from_the_next_lacpdu() {
    let (mut bench, _) = after(|trunk, now| trunk.set_timeout_short(now, PORT, true));
    bench.at(20_000);
    assert_eq!(bench.port(1).receive, "CURRENT");
    bench.golden(1, 0x3d);
    bench.at(23_000);
    assert_eq!(bench.port(1).receive, "EXPIRED");
    assert!(bench.trunk().snapshot(bench.net.now).timeout_fast);
}

#[test]
fn early_and_late_timeouts_are_legal() {
    let mut bench = Bench::up();
    let next = bench.trunk().next_timeout().unwrap();
    bench.with(|trunk, now| trunk.handle_timeout(now));
    assert!(bench.sent().is_empty());
    assert_eq!(bench.trunk().next_timeout(), Some(next));
    // Nobody called for 92 s: what is due is done, and the machine goes on from there.
    bench.net.now = dut_device::Instant::from_secs(97);
    bench.with(|trunk, now| trunk.handle_timeout(now));
    assert_eq!(bench.port(1).receive, "EXPIRED");
    bench.at(100_000);
    assert_eq!(bench.port(1).receive, "DEFAULTED");
}
