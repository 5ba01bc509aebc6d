//! Two Eth-Trunks that find each other.

use crate::bench::{Bench, KEY, Net, PARTNER, PARTNER_KEY, SYSTEM, config, ms, port};
use dut_device::{MacAddr, PortId};
use dut_lacp::{EthTrunk, EthTrunkConfig, LacpEvent, MuxControl, PortConfig};
use std::time::Duration;

fn pair(
    change: impl Fn(usize, &mut EthTrunkConfig),
    ports: impl Fn(usize) -> Vec<PortConfig>,
) -> Net {
    let trunk = |at: usize, system, key| {
        let mut config = config(system, key);
        change(at, &mut config);
        EthTrunk::new(config, ports(at))
    };
    Net::new(vec![trunk(0, SYSTEM, KEY), trunk(1, PARTNER, PARTNER_KEY)])
}

#[test]
fn two_links_are_up_after_one_wait_and_three_exchanges() {
    let mut net = pair(|_, _| {}, |_| vec![port(1), port(2)]);
    net.cable((0, 1), (1, 1));
    net.cable((0, 2), (1, 2));
    net.run_until(ms(1_999));
    for (trunk, number) in [(0, 1), (0, 2), (1, 1), (1, 2)] {
        assert_eq!(net.port(trunk, number).mux, "WAITING");
        assert_eq!(net.port(trunk, number).actor.state, 0x05);
    }
    assert!(!net.trunks[0].oper_up());
    net.sent.clear();
    net.run_until(ms(2_000));
    for (trunk, number) in [(0, 1), (0, 2), (1, 1), (1, 2)] {
        let port = net.port(trunk, number);
        assert_eq!(
            (port.actor.state, port.mux.as_str()),
            (0x3d, "DISTRIBUTING")
        );
        // Distributing alone is no reason to transmit: it may be heard with the next period only.
        assert!([0x1d, 0x3d].contains(&port.partner.state));
        let sent = net
            .sent
            .iter()
            .filter(|s| (s.trunk, s.port) == (trunk, PortId(number)));
        assert!(sent.count() <= 3);
    }
    assert!(net.trunks[0].oper_up() && net.trunks[1].oper_up());
    net.run_until(ms(32_000));
    assert_eq!(
        [net.port(0, 1), net.port(1, 2)].map(|port| port.partner.state),
        [0x3d; 2]
    );
    let snapshot = net.trunks[0].snapshot(net.now);
    assert_eq!((snapshot.up_ports, snapshot.operate_up), (2, true));
    assert_eq!(snapshot.actor_system, MacAddr(SYSTEM));
    assert!(snapshot.ports[0].reference_port && !snapshot.ports[1].reference_port);
}

#[test]
fn what_is_up_stays_up_and_sends_at_the_slow_rate() {
    let mut net = pair(|_, _| {}, |_| vec![port(1)]);
    net.cable((0, 1), (1, 1));
    net.run_until(ms(2_000));
    net.sent.clear();
    net.events.clear();
    net.run_until(ms(302_000));
    let state = |sent: &crate::bench::Sent| sent.lacpdu().actor.state.0;
    assert!(net.sent.iter().all(|sent| state(sent) == 0x3d));
    for trunk in [0, 1] {
        let sent: Vec<_> = net.sent.iter().filter(|sent| sent.trunk == trunk).collect();
        assert_eq!(sent.len(), 10);
        for gap in sent.windows(2) {
            assert_eq!(gap[1].at - gap[0].at, Duration::from_secs(30));
        }
    }
    let only_rate_and_refresh = net.events.iter().all(|(_, _, event)| {
        matches!(event, LacpEvent::Transition { machine, from, to, .. }
            if from == to || *machine == "Periodic Transmission machine")
    });
    assert!(only_rate_and_refresh, "{:?}", net.events);
}

#[test]
fn the_partners_timeout_sets_the_rate() {
    let ports = |at| {
        vec![PortConfig {
            timeout_short: at == 1,
            ..port(1)
        }]
    };
    let mut net = pair(|_, _| {}, ports);
    net.cable((0, 1), (1, 1));
    net.run_until(ms(3_000));
    net.sent.clear();
    net.run_until(ms(63_000));
    let count = |trunk| net.sent.iter().filter(|sent| sent.trunk == trunk).count();
    assert_eq!((count(0), count(1)), (60, 2));
    assert_eq!(net.port(0, 1).actor.state, 0x3d);
    assert_eq!(net.port(0, 1).partner.state, 0x3f);
}

#[test]
fn either_control_meets_either() {
    let controls = [MuxControl::Independent, MuxControl::Coupled];
    for (one, other) in controls
        .into_iter()
        .flat_map(|one| controls.map(|other| (one, other)))
    {
        let change = |at, config: &mut EthTrunkConfig| {
            config.mux = if at == 0 { one } else { other };
        };
        let mut net = pair(change, |_| vec![port(1)]);
        net.cable((0, 1), (1, 1));
        net.run_until(ms(2_000));
        assert_eq!(net.port(0, 1).actor.state, 0x3d, "{one:?} with {other:?}");
        assert_eq!(net.port(1, 1).actor.state, 0x3d, "{one:?} with {other:?}");
        let distributing = ["DISTRIBUTING", "COLLECTING_DISTRIBUTING"];
        assert_eq!(
            net.port(0, 1).mux,
            distributing[usize::from(one == MuxControl::Coupled)]
        );
    }
}

#[test]
fn no_lacpdu_ever_shows_distributing_without_collecting_or_that_without_synchronization() {
    let mut net = pair(|_, _| {}, |_| vec![port(1), port(2)]);
    net.cable((0, 1), (1, 1));
    net.cable((0, 2), (1, 2));
    net.run_until(ms(10_000));
    net.with(1, |trunk, now| trunk.set_key(now, 8));
    net.run_until(ms(20_000));
    net.with(0, |trunk, now| trunk.set_hold(now, true));
    net.run_until(ms(30_000));
    net.cut((0, 1));
    net.run_until(ms(40_000));
    assert!(net.sent.len() > 20);
    for sent in &net.sent {
        let state = sent.lacpdu().actor.state.0;
        let legal = [0x00, 0x08, 0x18, 0x38].contains(&(state & 0x38));
        assert!(legal, "{state:#04x} at {}", sent.at);
    }
}

#[test]
fn the_first_lacpdu_after_link_up_is_expired_and_defaulted() {
    let mut bench = Bench::one();
    let sent = bench.lacpdus(1);
    let [(at, first)] = sent.as_slice() else {
        panic!("one at once: {sent:?}")
    };
    assert_eq!(*at, ms(0));
    assert_eq!(first.version, 1);
    assert_eq!(first.actor.state.0, 0xc5);
    assert_eq!(
        (first.actor.system_priority, first.actor.system),
        (0x8000, SYSTEM)
    );
    assert_eq!(
        (first.actor.key, first.actor.port_priority, first.actor.port),
        (KEY, 0x8000, 1)
    );
    // Partner_Admin: null system, key and port are the port's own number; EXPIRED says Short.
    assert_eq!(
        (first.partner.system_priority, first.partner.system),
        (0, [0; 6])
    );
    let partner = first.partner;
    assert_eq!(
        (partner.key, partner.port_priority, partner.port),
        (1, 0, 1)
    );
    assert_eq!(partner.state.0, 0x02);
    // Fast in EXPIRED, and DEFAULTED after 3 s: passive partner, long timeout.
    bench.at(2_999);
    let gaps: Vec<u64> = bench
        .lacpdus(1)
        .iter()
        .map(|(at, _)| at.as_millis())
        .collect();
    assert_eq!(gaps, [1_000, 2_000]);
    bench.at(3_000);
    assert_eq!(bench.port(1).receive, "DEFAULTED");
    assert_eq!(
        (bench.port(1).actor.state, bench.port(1).partner.state),
        (0x45, 0x00)
    );
    bench.at(123_000);
    let slow: Vec<_> = bench.lacpdus(1);
    assert!(
        slow.iter()
            .all(|(_, pdu)| pdu.actor.state.0 == 0x45 && pdu.partner.state.0 == 0)
    );
    let times: Vec<u64> = slow.iter().map(|(at, _)| at.as_millis()).collect();
    assert_eq!(times, [3_000, 33_000, 63_000, 93_000, 123_000]);
    assert_eq!(bench.port(1).selected, "UNSELECTED");
}

#[test]
fn without_cor1_the_first_lacpdu_is_the_periodic_one() {
    let config = EthTrunkConfig {
        ntt_on_expired: false,
        ..config(SYSTEM, KEY)
    };
    let mut bench = Bench::new(config, vec![port(1)]);
    bench.at(1_500);
    let sent = bench.lacpdus(1);
    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0].0, sent[0].1.actor.state.0), (ms(1_000), 0xc5));
}

#[test]
fn passive_is_silent_until_it_hears_an_active_one() {
    let passive = |_| {
        vec![PortConfig {
            activity: false,
            ..port(1)
        }]
    };
    let mut net = pair(|_, _| {}, passive);
    net.cable((0, 1), (1, 1));
    net.run_until(ms(60_000));
    assert!(net.sent.is_empty());
    assert_eq!(net.port(0, 1).periodic, "NO_PERIODIC");
    net.with(1, |trunk, now| trunk.set_activity(now, PortId(1), true));
    // DEFAULTED by now, so that the active one begins at the slow rate, unless NTT asks.
    net.run_until(ms(63_000));
    assert_eq!(net.port(0, 1).actor.state, 0x3c);
    assert_eq!(net.port(1, 1).actor.state, 0x3d);
}

#[test]
fn the_eth_trunk_is_up_from_its_least_active_links_on() {
    let change = |at, config: &mut EthTrunkConfig| {
        config.least_active = if at == 0 { 2 } else { 1 };
    };
    let mut net = pair(change, |_| vec![port(1), port(2)]);
    net.cable((0, 1), (1, 1));
    net.run_until(ms(2_000));
    assert!(net.distributing(0, 1));
    assert!(!net.trunks[0].oper_up() && net.trunks[1].oper_up());
    net.cable((0, 2), (1, 2));
    net.run_until(ms(4_000));
    assert!(net.trunks[0].oper_up());
    net.cut((0, 1));
    assert!(!net.trunks[0].oper_up() && net.trunks[1].oper_up());
    let of_first = net.events.iter().filter(|(_, trunk, _)| *trunk == 0);
    let up: Vec<bool> = of_first
        .filter_map(|(_, _, event)| match event {
            LacpEvent::OperUp(up) => Some(*up),
            LacpEvent::Transition { .. }
            | LacpEvent::Discarded { .. }
            | LacpEvent::Collecting { .. }
            | LacpEvent::Distributing { .. } => None,
        })
        .collect();
    assert_eq!(up, [true, false]);
}

#[test]
fn two_runs_are_equal() {
    let run = || {
        let mut net = pair(|_, _| {}, |_| vec![port(1), port(2)]);
        net.cable((0, 1), (1, 1));
        net.cable((0, 2), (1, 2));
        net.run_until(ms(100_000));
        let sent = net
            .sent
            .iter()
            .map(|sent| (sent.at, sent.trunk, sent.payload.clone()));
        (sent.collect::<Vec<_>>(), net.events)
    };
    assert_eq!(run(), run());
}
