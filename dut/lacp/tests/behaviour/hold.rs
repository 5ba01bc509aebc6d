//! The hold of an E-Trunk backup: Synchronization = 0 with LACP running, and no second wait.

use crate::bench::{Bench, KEY, Net, PARTNER, PARTNER_KEY, SYSTEM, config, ms, port};
use dut_device::PortId;
use dut_lacp::{EthTrunk, LacpEvent};

/// A held Eth-Trunk and its neighbour, on two links.
fn held_pair() -> Net {
    let held = EthTrunk::new(config(SYSTEM, KEY), vec![port(1), port(2)]);
    let other = EthTrunk::new(config(PARTNER, PARTNER_KEY), vec![port(1), port(2)]);
    let mut net = Net::new(vec![held, other]);
    net.with(0, |trunk, now| trunk.set_hold(now, true));
    net.cable((0, 1), (1, 1));
    net.cable((0, 2), (1, 2));
    net
}

#[test]
fn a_held_eth_trunk_runs_lacp_out_of_sync() {
    let mut net = held_pair();
    net.run_until(ms(60_000));
    for number in [1, 2] {
        let port = net.port(0, number);
        assert_eq!(
            (port.selected.as_str(), port.mux.as_str()),
            ("STANDBY", "WAITING")
        );
        assert_eq!((port.receive.as_str(), port.actor.state), ("CURRENT", 0x05));
        // The neighbour has attached its end and stays there.
        assert_eq!(net.port(1, number).actor.state, 0x0d);
        assert_eq!(port.partner.state, 0x0d);
    }
    let trunk = &net.trunks[0];
    assert!(trunk.held() && trunk.link_ready() && !trunk.oper_up());
    assert_eq!(trunk.selected_count(), 0);
    assert!(
        net.sent
            .iter()
            .filter(|s| s.trunk == 0)
            .all(|s| s.lacpdu().actor.state.0 & 0x38 == 0)
    );
}

#[test]
fn release_attaches_at_once_when_the_wait_is_over() {
    let mut net = held_pair();
    net.run_until(ms(60_000));
    net.with(0, |trunk, now| trunk.set_hold(now, false));
    for (trunk, number) in [(0, 1), (0, 2), (1, 1), (1, 2)] {
        assert_eq!(net.port(trunk, number).actor.state, 0x3d);
    }
    assert!(net.trunks[0].oper_up());
    assert_eq!(net.trunks[0].selected_count(), 2);
}

#[test]
fn release_before_the_end_of_the_wait_waits_for_it() {
    let mut net = held_pair();
    net.run_until(ms(500));
    net.with(0, |trunk, now| trunk.set_hold(now, false));
    net.run_until(ms(1_999));
    assert_eq!(net.port(0, 1).actor.state, 0x05);
    net.run_until(ms(2_000));
    assert_eq!(net.port(0, 1).actor.state, 0x3d);
}

#[test]
fn hold_leaves_the_aggregate_at_once_and_comes_back_at_once() {
    let mut net = held_pair();
    net.run_until(ms(10_000));
    net.with(0, |trunk, now| trunk.set_hold(now, false));
    net.run_until(ms(20_000));
    net.events.clear();
    net.with(0, |trunk, now| trunk.set_hold(now, true));
    assert_eq!(
        (net.port(0, 1).actor.state, net.port(1, 1).actor.state),
        (0x05, 0x0d)
    );
    let of_port = |event: &&LacpEvent| {
        let port = PortId(1);
        [
            LacpEvent::Distributing { port, on: false },
            LacpEvent::Collecting { port, on: false },
        ]
        .contains(event)
    };
    let mine = net
        .events
        .iter()
        .filter(|(_, trunk, _)| *trunk == 0)
        .map(|(_, _, event)| event);
    let mine: Vec<_> = mine.filter(of_port).collect();
    assert!(matches!(
        mine[..],
        [LacpEvent::Distributing { .. }, LacpEvent::Collecting { .. }]
    ));
    net.run_until(ms(22_000));
    net.with(0, |trunk, now| trunk.set_hold(now, false));
    assert_eq!(net.port(0, 1).actor.state, 0x3d);
}

#[test]
fn a_port_whose_wait_is_over_does_not_wait_for_one_whose_is_not() {
    let mut bench = Bench::new(config(SYSTEM, KEY), vec![port(1), port(2)]);
    bench.with(|trunk, now| trunk.set_hold(now, true));
    bench.golden(1, 0x3d);
    bench.at(2_500);
    bench.golden(2, 0x3d);
    bench.at(3_000);
    bench.with(|trunk, now| trunk.set_hold(now, false));
    assert_eq!(
        (bench.port(1).actor.state, bench.port(2).actor.state),
        (0x3d, 0x05)
    );
    bench.at(4_500);
    assert_eq!(bench.port(2).actor.state, 0x3d);
}

#[test]
fn a_flap_while_held_needs_no_second_wait() {
    let mut bench = Bench::one();
    bench.with(|trunk, now| trunk.set_hold(now, true));
    bench.golden(1, 0x0d);
    bench.at(3_000);
    bench.with(|trunk, now| trunk.set_port_enabled(now, PortId(1), false));
    assert!(!bench.trunk().link_ready());
    bench.wait(1_000);
    bench.with(|trunk, now| trunk.set_port_enabled(now, PortId(1), true));
    assert!(!bench.trunk().link_ready(), "nothing heard yet");
    bench.golden(1, 0x3d);
    assert!(bench.trunk().link_ready());
    bench.with(|trunk, now| trunk.set_hold(now, false));
    assert_eq!(bench.port(1).actor.state, 0x3d);
}

#[test]
fn release_without_a_partner_selects_nothing() {
    let mut bench = Bench::one();
    bench.with(|trunk, now| trunk.set_hold(now, true));
    bench.at(10_000);
    assert!(!bench.trunk().link_ready());
    bench.with(|trunk, now| trunk.set_hold(now, false));
    bench.wait(10_000);
    assert_eq!(
        (bench.port(1).selected.as_str(), bench.port(1).actor.state),
        ("UNSELECTED", 0x45)
    );
}
