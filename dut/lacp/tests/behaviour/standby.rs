//! Standby ports: who decides, who goes first, and who takes over (6.7).

use crate::bench::{Bench, KEY, Net, PARTNER, PARTNER_KEY, SYSTEM, config, ms, port};
use dut_device::PortId;
use dut_lacp::{EthTrunk, EthTrunkConfig, PortConfig};
use std::time::Duration;

/// One active link of two; the own priorities are given.
fn one_of_two(system_priority: u16, priorities: [u16; 2], delay: Option<Duration>) -> Bench {
    let config = EthTrunkConfig {
        max_active: 1,
        system_priority,
        preempt_delay: delay,
        ..config(SYSTEM, KEY)
    };
    let ports = [1, 2].into_iter().zip(priorities);
    let ports = ports.map(|(n, port_priority)| PortConfig {
        port_priority,
        ..port(n)
    });
    Bench::new(config, ports.collect())
}

/// Sends on both links a partner whose Port Priorities are given.
fn hear(bench: &mut Bench, priorities: [u16; 2], state: u8) {
    for (number, priority) in [1, 2].into_iter().zip(priorities) {
        bench.golden_but(number, state, |pdu| pdu.actor.port_priority = priority);
    }
}

fn states(bench: &Bench) -> (u8, u8) {
    (bench.port(1).actor.state, bench.port(2).actor.state)
}

#[test]
fn the_lower_system_id_decides_by_its_lowest_port_ids() {
    // (own System Priority, own Port Priorities, the partner's, who wins)
    let lower = 0x7fff;
    let higher = 0x8001;
    for (system, own, partner, first_wins) in [
        (lower, [10, 20], [20, 10], true),
        (lower, [20, 10], [10, 20], false),
        (higher, [10, 20], [20, 10], false),
        (higher, [20, 10], [10, 20], true),
        // Equal priorities: the numbers decide, 1 before 2 and 101 before 102.
        (lower, [10, 10], [20, 10], true),
        (higher, [20, 10], [10, 10], true),
        // Equal System Priorities: this MAC address is the lower one.
        (0x8000, [20, 10], [10, 20], false),
    ] {
        let mut bench = one_of_two(system, own, None);
        hear(&mut bench, partner, 0x3d);
        bench.at(5_000);
        let expected = if first_wins {
            (0x3d, 0x05)
        } else {
            (0x05, 0x3d)
        };
        assert_eq!(states(&bench), expected, "{system:#x} {own:?} {partner:?}");
        let standby = bench.port(if first_wins { 2 } else { 1 });
        assert_eq!(
            (standby.selected.as_str(), standby.mux.as_str()),
            ("STANDBY", "WAITING")
        );
        assert_eq!(bench.trunk().selected_count(), 1);
    }
}

#[test]
fn a_standby_port_takes_over_at_once() {
    let mut bench = one_of_two(0x7fff, [10, 20], None);
    hear(&mut bench, [1, 1], 0x3d);
    bench.at(5_000);
    bench.with(|trunk, now| trunk.set_port_enabled(now, PortId(1), false));
    assert_eq!(bench.port(1).selected, "STANDBY");
    assert_eq!(bench.port(2).actor.state, 0x3d);
}

#[test]
fn a_standby_port_takes_over_from_one_that_expired() {
    let mut bench = one_of_two(0x7fff, [10, 20], None);
    hear(&mut bench, [1, 1], 0x3d);
    bench.at(60_000);
    bench.golden_but(2, 0x3d, |pdu| pdu.actor.port_priority = 1);
    bench.at(89_999);
    assert_eq!(states(&bench), (0x3d, 0x05));
    bench.at(90_000);
    assert_eq!(states(&bench), (0x85, 0x3d));
}

#[test]
fn without_preemption_a_better_port_that_returns_waits() {
    let mut bench = one_of_two(0x7fff, [10, 20], None);
    hear(&mut bench, [1, 1], 0x3d);
    bench.at(5_000);
    bench.with(|trunk, now| trunk.set_port_enabled(now, PortId(1), false));
    bench.at(6_000);
    bench.with(|trunk, now| trunk.set_port_enabled(now, PortId(1), true));
    hear(&mut bench, [1, 1], 0x3d);
    bench.at(60_000);
    assert_eq!(states(&bench), (0x05, 0x3d));
    // What works no longer keeps its place no longer.
    bench.golden_but(2, 0x05, |pdu| pdu.actor.port_priority = 1);
    assert_eq!(states(&bench), (0x3d, 0x05));
}

#[test]
fn with_preemption_it_takes_its_place_after_the_delay() {
    let mut bench = one_of_two(0x7fff, [10, 20], Some(Duration::from_secs(10)));
    hear(&mut bench, [1, 1], 0x3d);
    bench.at(5_000);
    bench.with(|trunk, now| trunk.set_port_enabled(now, PortId(1), false));
    bench.at(6_000);
    bench.with(|trunk, now| trunk.set_port_enabled(now, PortId(1), true));
    hear(&mut bench, [1, 1], 0x3d);
    bench.at(15_999);
    assert_eq!(states(&bench), (0x05, 0x3d));
    bench.at(16_000);
    assert_eq!(states(&bench), (0x3d, 0x05));
}

#[test]
fn with_preemption_a_better_port_that_goes_again_has_not_waited() {
    let mut bench = one_of_two(0x7fff, [10, 20], Some(Duration::from_secs(10)));
    bench.golden(2, 0x3d);
    bench.at(5_000);
    bench.golden(1, 0x3d);
    bench.at(12_000);
    bench.with(|trunk, now| trunk.set_port_enabled(now, PortId(1), false));
    bench.at(14_000);
    bench.with(|trunk, now| trunk.set_port_enabled(now, PortId(1), true));
    bench.golden(1, 0x3d);
    bench.at(23_999);
    assert_eq!(states(&bench), (0x05, 0x3d));
    bench.at(24_000);
    assert_eq!(states(&bench), (0x3d, 0x05));
}

#[test]
fn preemption_without_delay_is_immediate() {
    let mut bench = one_of_two(0x7fff, [10, 20], Some(Duration::ZERO));
    bench.golden(2, 0x3d);
    bench.at(5_000);
    assert_eq!(bench.port(2).actor.state, 0x3d);
    bench.golden(1, 0x3d);
    assert_eq!(bench.port(2).selected, "STANDBY");
    bench.at(7_000);
    assert_eq!(states(&bench), (0x3d, 0x05));
}

#[test]
fn more_places_let_standby_ports_in() {
    let mut bench = one_of_two(0x7fff, [10, 20], None);
    hear(&mut bench, [1, 1], 0x3d);
    bench.at(5_000);
    bench.with(|trunk, now| trunk.set_max_active(now, 2));
    assert_eq!(states(&bench), (0x3d, 0x3d));
    bench.with(|trunk, now| trunk.set_max_active(now, 1));
    assert_eq!(states(&bench), (0x3d, 0x05));
}

#[test]
fn two_eth_trunks_agree_on_the_active_links() {
    let limited = |system, key, priorities: [u16; 3]| {
        let config = EthTrunkConfig {
            max_active: 2,
            ..config(system, key)
        };
        let ports = [1, 2, 3].into_iter().zip(priorities);
        let ports = ports.map(|(n, port_priority)| PortConfig {
            port_priority,
            ..port(n)
        });
        EthTrunk::new(config, ports.collect())
    };
    // SYSTEM is the lower one: its Port IDs 3 and 1 are the lowest.
    let one = limited(SYSTEM, KEY, [20, 30, 10]);
    let other = limited(PARTNER, PARTNER_KEY, [10, 10, 99]);
    let mut net = Net::new(vec![one, other]);
    for number in [1, 2, 3] {
        net.cable((0, number), (1, number));
    }
    net.run_until(ms(5_000));
    let up = |net: &Net, trunk| [1, 2, 3].map(|number| net.distributing(trunk, number));
    assert_eq!(
        (up(&net, 0), up(&net, 1)),
        ([true, false, true], [true, false, true])
    );
    net.cut((0, 3));
    assert_eq!(
        (up(&net, 0), up(&net, 1)),
        ([true, true, false], [true, true, false])
    );
}

#[test]
fn another_preemption_delay_begins_anew() {
    let mut bench = one_of_two(0x7fff, [10, 20], Some(Duration::from_secs(10)));
    bench.golden(2, 0x3d);
    bench.at(5_000);
    bench.golden(1, 0x3d);
    bench.at(12_000);
    bench.with(|trunk, now| trunk.set_preempt_delay(now, Some(Duration::from_secs(20))));
    bench.at(31_999);
    assert_eq!(states(&bench), (0x05, 0x3d));
    bench.at(32_000);
    assert_eq!(states(&bench), (0x3d, 0x05));
    bench.with(|trunk, now| trunk.set_preempt_delay(now, None));
    assert_eq!(bench.trunk().snapshot(bench.net.now).preempt_delay_s, None);
}
