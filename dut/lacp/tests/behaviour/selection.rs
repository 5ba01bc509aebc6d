//! Selection Logic: who shares the Aggregator, and who doesn't (6.4.14).

use crate::bench::{Bench, KEY, Net, PARTNER, PARTNER_KEY, SYSTEM, config, ms, port};
use dut_device::PortId;
use dut_lacp::{EthTrunk, PortConfig};
use dut_wire::lacp::Lacpdu;

fn two() -> Bench {
    Bench::new(config(SYSTEM, KEY), vec![port(1), port(2)])
}

/// Both links up with one partner at 5 s.
fn two_up() -> Bench {
    let mut bench = two();
    for at in [0, 2_000, 5_000] {
        bench.at(at);
        bench.golden(1, 0x3d);
        bench.golden(2, 0x3d);
    }
    assert_eq!(
        (bench.port(1).actor.state, bench.port(2).actor.state),
        (0x3d, 0x3d)
    );
    bench
}

/// Link 1 from the golden partner, link 2 from one that differs: link 1 alone is selected.
fn only_the_first(change: impl Fn(&mut Lacpdu)) {
    let mut bench = two();
    bench.golden(1, 0x3d);
    bench.golden_but(2, 0x3d, change);
    bench.at(10_000);
    assert_eq!(bench.port(1).actor.state, 0x3d);
    let other = bench.port(2);
    assert_eq!(
        (other.selected.as_str(), other.actor.state),
        ("UNSELECTED", 0x05)
    );
    assert_eq!(other.receive, "CURRENT", "LACP goes on");
}

#[test]
fn one_partner_is_one_lag() {
    let bench = two_up();
    let lag = bench.trunk().lag_id().unwrap();
    let expected =
        "[(8000,00-e0-fc-12-34-55,0131,0000,0000),(8000,00-e0-fc-aa-bb-cc,0007,0000,0000)]";
    assert_eq!(lag.to_string(), expected);
}

#[test]
fn another_key_system_or_system_priority_is_another_lag() {
    only_the_first(|pdu| pdu.actor.key = 8);
    only_the_first(|pdu| pdu.actor.system = [0x00, 0xe0, 0xfc, 0, 0, 1]);
    only_the_first(|pdu| pdu.actor.system_priority = 200);
}

#[test]
fn null_values_and_group_addresses_are_never_selected() {
    let changes: [fn(&mut Lacpdu); 5] = [
        |pdu| pdu.actor.key = 0,
        |pdu| pdu.actor.port = 0,
        |pdu| pdu.actor.system = [0; 6],
        |pdu| pdu.actor.system = [0xff; 6],
        |pdu| pdu.actor.system = [0x01, 0x80, 0xc2, 0, 0, 2],
    ];
    for change in changes {
        only_the_first(change);
        let mut alone = Bench::one();
        alone.golden_but(1, 0x3d, change);
        alone.at(10_000);
        assert_eq!(
            (alone.port(1).actor.state, alone.port(1).receive.as_str()),
            (0x05, "CURRENT")
        );
    }
}

#[test]
fn one_partner_port_on_two_links_is_selected_once() {
    only_the_first(|pdu| pdu.actor.port = 101);
}

#[test]
fn individual_links_come_up_alone() {
    // The partner is Individual on both.
    let mut bench = two();
    for at in [0, 2_000, 5_000] {
        bench.at(at);
        bench.golden(1, 0x39);
        bench.golden(2, 0x39);
    }
    assert_eq!(
        (bench.port(1).actor.state, bench.port(2).actor.state),
        (0x3d, 0x05)
    );
    // This port is Individual; it came first.
    let own = PortConfig {
        aggregation: false,
        ..port(1)
    };
    let mut bench = Bench::new(config(SYSTEM, KEY), vec![own, port(2)]);
    bench.golden(1, 0x3d);
    bench.golden(2, 0x3d);
    bench.at(5_000);
    assert_eq!(
        (bench.port(1).actor.state, bench.port(2).actor.state),
        (0x39, 0x05)
    );
    assert_eq!(bench.trunk().lag_id().unwrap().lower.port, 1);
}

#[test]
fn moving_one_link_to_another_partner_leaves_the_other_alone() {
    let mut bench = two_up();
    bench.sent();
    bench.golden_but(2, 0x3d, |pdu| {
        pdu.actor.system = [0x00, 0xe0, 0xfc, 0, 0, 1]
    });
    assert_eq!(
        (bench.port(1).actor.state, bench.port(2).actor.state),
        (0x3d, 0x05)
    );
    bench.wait(20_000);
    assert!(
        bench
            .lacpdus(1)
            .iter()
            .all(|(_, pdu)| pdu.actor.state.0 == 0x3d)
    );
    assert_eq!(bench.port(2).actor.state, 0x05);
}

#[test]
fn ports_that_wait_attach_together() {
    let mut bench = two();
    bench.golden(1, 0x3d);
    bench.at(900);
    bench.golden(2, 0x3d);
    bench.at(2_899);
    assert_eq!(
        (bench.port(1).actor.state, bench.port(2).actor.state),
        (0x05, 0x05)
    );
    bench.at(2_900);
    assert_eq!(
        (bench.port(1).actor.state, bench.port(2).actor.state),
        (0x3d, 0x3d)
    );
}

#[test]
fn a_later_port_does_not_disturb_those_attached() {
    let mut bench = two();
    bench.golden(1, 0x3d);
    bench.at(3_000);
    bench.sent();
    bench.golden(2, 0x3d);
    assert_eq!(bench.port(1).actor.state, 0x3d);
    bench.at(5_000);
    assert_eq!(
        (bench.port(1).actor.state, bench.port(2).actor.state),
        (0x3d, 0x3d)
    );
    assert!(bench.lacpdus(1).is_empty());
}

#[test]
fn a_lag_that_lost_all_carriers_gives_the_aggregator_up() {
    let mut bench = two();
    bench.golden(1, 0x3d);
    bench.golden_but(2, 0x3d, |pdu| {
        pdu.actor.system = [0x00, 0xe0, 0xfc, 0, 0, 1]
    });
    bench.at(5_000);
    bench.with(|trunk, now| trunk.set_port_enabled(now, PortId(1), false));
    assert_eq!(bench.port(1).selected, "UNSELECTED");
    assert_eq!(
        (bench.port(2).selected.as_str(), bench.port(2).mux.as_str()),
        ("SELECTED", "WAITING")
    );
    bench.at(6_999);
    assert_eq!(bench.port(2).actor.state, 0x05);
    bench.at(7_000);
    assert_eq!(bench.port(2).actor.state, 0x3d);
    assert!(bench.port(2).reference_port);
    // The first partner comes back and finds the Aggregator taken.
    bench.with(|trunk, now| trunk.set_port_enabled(now, PortId(1), true));
    bench.golden(1, 0x3d);
    bench.wait(5_000);
    assert_eq!(
        (bench.port(1).actor.state, bench.port(2).actor.state),
        (0x05, 0x3d)
    );
}

#[test]
fn a_partner_that_moved_to_another_port_is_released_from_the_first() {
    let mut bench = two();
    bench.golden(1, 0x3d);
    bench.at(5_000);
    bench.with(|trunk, now| trunk.set_port_enabled(now, PortId(1), false));
    assert_eq!(
        (bench.port(1).receive.as_str(), bench.port(1).partner.port),
        ("PORT_DISABLED", 101)
    );
    bench.events();
    bench.golden_but(2, 0x3d, |pdu| pdu.actor.port = 101);
    let moved = bench.port(1);
    assert_eq!(
        (moved.receive.as_str(), moved.selected.as_str()),
        ("PORT_DISABLED", "UNSELECTED")
    );
    assert_eq!(
        (moved.partner.port, moved.partner.system.0),
        (1, [0; 6]),
        "forgotten"
    );
    let arcs: Vec<_> = bench
        .events()
        .into_iter()
        .map(|event| format!("{event:?}"))
        .collect();
    assert!(
        arcs.iter().any(|arc| arc.contains("LACP-RX-04")),
        "port_moved"
    );
    bench.wait(2_000);
    assert_eq!(bench.port(2).actor.state, 0x3d);
    // Link 1 comes back with somebody else behind it, who doesn't join.
    bench.with(|trunk, now| trunk.set_port_enabled(now, PortId(1), true));
    bench.golden_but(1, 0x3d, |pdu| {
        pdu.actor.system = [0x00, 0xe0, 0xfc, 0, 0, 1]
    });
    bench.wait(5_000);
    assert_eq!(
        (bench.port(1).actor.state, bench.port(2).actor.state),
        (0x05, 0x3d)
    );
}

#[test]
fn a_partner_port_that_moved_while_the_first_link_is_only_silent() {
    let mut bench = two();
    bench.golden(1, 0x3d);
    bench.at(5_000);
    bench.golden(1, 0x3d);
    bench.at(95_500);
    assert_eq!(
        (
            bench.port(1).receive.as_str(),
            bench.port(1).selected.as_str()
        ),
        ("EXPIRED", "SELECTED")
    );
    bench.golden_but(2, 0x3d, |pdu| pdu.actor.port = 101);
    assert_eq!(bench.port(1).selected, "UNSELECTED");
    bench.wait(2_000);
    assert_eq!(bench.port(2).actor.state, 0x3d);
}

#[test]
fn two_ports_of_one_eth_trunk_cabled_together_never_carry_anything() {
    let trunk = EthTrunk::new(config(SYSTEM, KEY), vec![port(1), port(2)]);
    let mut net = Net::new(vec![trunk]);
    net.cable((0, 1), (0, 2));
    net.run_until(ms(10_000));
    for number in [1, 2] {
        assert_eq!(net.port(0, number).actor.state & 0x30, 0);
        assert_eq!(net.port(0, number).receive, "CURRENT");
    }
    let selected = [1, 2].map(|number| net.port(0, number).selected);
    assert!(
        selected.contains(&"UNSELECTED".to_owned()),
        "not both in one Aggregator"
    );
}

#[test]
fn a_port_that_hears_itself_does_not_join_ports_that_hear_each_other() {
    let trunk = EthTrunk::new(config(SYSTEM, KEY), vec![port(1), port(2), port(3)]);
    let mut net = Net::new(vec![trunk]);
    net.cable((0, 2), (0, 3));
    net.cable((0, 1), (0, 1));
    net.run_until(ms(10_000));
    assert_eq!(net.port(0, 1).partner.port, 1);
    assert_eq!(net.port(0, 1).selected, "UNSELECTED");
    let selected = [2, 3].map(|number| net.port(0, number).selected);
    assert!(selected.contains(&"SELECTED".to_owned()));
}

#[test]
fn ports_of_two_eth_trunks_of_one_system_may_aggregate() {
    let one = EthTrunk::new(config(SYSTEM, KEY), vec![port(1)]);
    let other = EthTrunk::new(config(SYSTEM, KEY + 1), vec![port(2)]);
    let mut net = Net::new(vec![one, other]);
    net.cable((0, 1), (1, 2));
    net.run_until(ms(5_000));
    assert!(net.distributing(0, 1) && net.distributing(1, 2));
}

#[test]
fn the_other_device_of_a_pair_is_the_same_system() {
    // Equal System ID and key, port numbers 1 and 32769: a cable between the two is a loopback.
    let one = EthTrunk::new(config(SYSTEM, KEY), vec![port(1)]);
    let far = PortConfig {
        port_number: 32_769,
        ..port(1)
    };
    let other = EthTrunk::new(config(SYSTEM, KEY), vec![far]);
    let mut net = Net::new(vec![one, other]);
    net.cable((0, 1), (1, 1));
    net.run_until(ms(5_000));
    assert_eq!(
        (net.port(0, 1).selected.as_str(), net.port(0, 1).actor.state),
        ("UNSELECTED", 0x05)
    );
    assert_eq!(net.port(1, 1).selected, "UNSELECTED");
}

#[test]
fn a_port_that_hears_itself_shares_with_nobody_and_keeps_the_limit() {
    let mut bench = two();
    for _ in 0..300 {
        for sent in bench.sent() {
            if sent.port == PortId(1) {
                bench.receive(1, &sent.payload);
            }
        }
        bench.wait(100);
        let last_second = bench
            .net
            .now
            .saturating_sub(std::time::Duration::from_millis(999));
        let recent = bench
            .net
            .sent
            .iter()
            .filter(|s| s.port == PortId(1) && s.at >= last_second);
        assert!(recent.count() <= 3);
    }
    assert_eq!(bench.port(1).partner.system.0, SYSTEM);
    // A real partner on the other link gets the Aggregator.
    bench.golden(2, 0x3d);
    assert_eq!(bench.port(1).selected, "UNSELECTED");
    bench.wait(2_000);
    assert_eq!(bench.port(2).actor.state, 0x3d);
    assert_eq!(bench.port(1).actor.state & 0x38, 0);
}

#[test]
fn two_chassis_of_one_system_are_one_lag() {
    // As a partner of a pair: ports 1 and 32769 of one System; the second chassis holds back.
    let mut bench = two();
    bench.golden_but(1, 0x3d, |pdu| pdu.actor.port = 1);
    bench.golden_but(2, 0x05, |pdu| pdu.actor.port = 32_769);
    bench.at(5_000);
    assert_eq!(
        (bench.port(1).actor.state, bench.port(2).actor.state),
        (0x3d, 0x0d)
    );
    // The first crashes, the second takes over: at once.
    bench.with(|trunk, now| trunk.set_port_enabled(now, PortId(1), false));
    bench.golden_but(2, 0x3d, |pdu| pdu.actor.port = 32_769);
    assert_eq!(bench.port(2).actor.state, 0x3d);
    let lag = bench.trunk().lag_id().unwrap();
    assert_eq!((lag.higher.system, lag.higher.key), (PARTNER, PARTNER_KEY));
}
