//! Receive machine: expiry, link flaps, what is and isn't taken (6.4.12).

use crate::bench::{Bench, KEY, SYSTEM, config, port};
use dut_device::PortId;
use dut_lacp::{DiscardReason, LacpEvent, PortConfig};
use dut_wire::lacp::Lacpdu;

fn short() -> Bench {
    Bench::new(
        config(SYSTEM, KEY),
        vec![PortConfig {
            timeout_short: true,
            ..port(1)
        }],
    )
}

fn reasons(bench: &mut Bench) -> Vec<&'static str> {
    let reason = |event| match event {
        LacpEvent::Discarded {
            reason,
            port: PortId(1),
        } => Some(DiscardReason::name(reason)),
        LacpEvent::Discarded { .. }
        | LacpEvent::Transition { .. }
        | LacpEvent::Collecting { .. }
        | LacpEvent::Distributing { .. }
        | LacpEvent::OperUp(_) => None,
    };
    bench.events().into_iter().filter_map(reason).collect()
}

#[test]
fn long_timeout_expires_after_90_s_and_defaults_3_s_later() {
    let mut bench = Bench::up();
    bench.at(94_999);
    assert_eq!(
        (bench.port(1).receive.as_str(), bench.port(1).actor.state),
        ("CURRENT", 0x3d)
    );
    bench.sent();
    bench.at(95_000);
    let port = bench.port(1);
    assert_eq!(
        (port.receive.as_str(), port.mux.as_str()),
        ("EXPIRED", "ATTACHED")
    );
    let first = bench.lacpdus(1);
    assert_eq!(first.len(), 1);
    // Collecting and Distributing are gone with the partner's Synchronization; Short is asked for.
    assert_eq!(first[0].1.actor.state.0, 0x8d);
    assert_eq!(first[0].1.partner.state.0, 0x37);
    bench.at(97_999);
    let fast: Vec<u64> = bench
        .lacpdus(1)
        .iter()
        .map(|(at, _)| at.as_millis())
        .collect();
    assert_eq!(fast, [96_000, 97_000]);
    bench.at(98_000);
    let port = bench.port(1);
    assert_eq!(
        (port.receive.as_str(), port.mux.as_str()),
        ("DEFAULTED", "DETACHED")
    );
    assert_eq!(port.actor.state, 0x45);
}

#[test]
fn short_timeout_expires_after_3_s_and_defaults_3_s_later() {
    let mut bench = short();
    bench.golden(1, 0x3d);
    bench.at(2_999);
    assert_eq!(bench.port(1).receive, "CURRENT");
    assert_eq!(bench.port(1).actor.state, 0x3f);
    bench.at(3_000);
    assert_eq!(
        (bench.port(1).receive.as_str(), bench.port(1).actor.state),
        ("EXPIRED", 0x8f)
    );
    bench.at(5_999);
    assert_eq!(bench.port(1).receive, "EXPIRED");
    bench.at(6_000);
    assert_eq!(
        (bench.port(1).receive.as_str(), bench.port(1).actor.state),
        ("DEFAULTED", 0x47)
    );
}

#[test]
fn every_lacpdu_starts_the_timer_anew() {
    let mut bench = short();
    for at in (0..30_000).step_by(2_500) {
        bench.at(at);
        bench.golden(1, 0x3d);
        assert_eq!(bench.port(1).receive, "CURRENT");
    }
    let expired = bench.lacpdus(1);
    assert!(
        expired[1..]
            .iter()
            .all(|(_, pdu)| pdu.actor.state.0 & 0x80 == 0)
    );
}

#[test]
fn a_lacpdu_leads_out_of_expired_and_of_defaulted() {
    for silence in [4_000, 7_000] {
        let mut bench = short();
        bench.golden(1, 0x3d);
        bench.at(silence);
        assert_ne!(bench.port(1).actor.state & 0xc0, 0);
        bench.golden(1, 0x3d);
        assert_eq!(bench.port(1).receive, "CURRENT");
        assert_eq!(bench.port(1).actor.state & 0xc0, 0);
    }
}

#[test]
fn what_is_refused_neither_records_nor_restarts() {
    let mut bench = short();
    bench.golden(1, 0x3d);
    bench.at(2_000);
    bench.events();
    let mut other = bench.golden_pdu(1, 0x3d);
    other.actor.key = 4_242;
    let good = other.octets();
    for length in 1..110 {
        bench.receive(1, &good[..length]);
    }
    for (at, wrong) in [(3, 19), (3, 0), (23, 21), (43, 255)] {
        let mut bad = good;
        bad[at] = wrong;
        bench.receive(1, &bad);
    }
    let found = reasons(&mut bench);
    assert_eq!(found.len(), 113);
    assert!(found[..109].iter().all(|reason| *reason == "too_short"));
    assert!(found[109..].iter().all(|reason| *reason == "bad_length"));
    assert_eq!(bench.port(1).illegal_rx, 113);
    assert_eq!(bench.port(1).lacpdus_rx, 1);
    assert_eq!(bench.port(1).partner.key, 7);
    bench.at(3_000);
    assert_eq!(bench.port(1).receive, "EXPIRED");
}

#[test]
fn subtypes_that_are_not_ours_are_counted_and_change_nothing() {
    let mut bench = Bench::up();
    bench.events();
    let mut frame = bench.golden_pdu(1, 0x05).octets();
    for subtype in [0, 11, 12, 100, 127, 254, 255] {
        frame[0] = subtype;
        bench.receive(1, &frame);
    }
    bench.receive(1, &[]);
    assert_eq!(reasons(&mut bench), ["illegal_subtype"; 8]);
    for subtype in 3..=10 {
        frame[0] = subtype;
        bench.receive(1, &frame);
    }
    assert_eq!(reasons(&mut bench), ["unknown_subtype"; 8]);
    let port = bench.port(1);
    assert_eq!((port.illegal_rx, port.unknown_rx), (8, 8));
    assert_eq!(port.actor.state, 0x3d);
    bench.wait(1_000);
    assert!(bench.sent().is_empty());
}

#[test]
fn tolerated_differences_are_taken() {
    let mut bench = Bench::up();
    let mut octets = bench.golden_pdu(1, 0x3d).octets().to_vec();
    for at in [1, 2, 22, 42, 58, 59] {
        octets[at] = 0x7f;
    }
    octets[13] = 99;
    octets.extend([0x64; 40]);
    bench.receive(1, &octets);
    assert_eq!(bench.port(1).partner.key, 99);
    let (_, answer) = bench.lacpdus(1).pop().unwrap();
    assert_eq!(answer.partner.key, 99);
}

#[test]
fn a_port_without_carrier_takes_and_sends_nothing() {
    let mut bench = Bench::up();
    bench.with(|trunk, now| trunk.set_port_enabled(now, PortId(1), false));
    let port = bench.port(1);
    assert_eq!(
        (port.receive.as_str(), port.periodic.as_str()),
        ("PORT_DISABLED", "NO_PERIODIC")
    );
    assert_eq!(
        port.actor.state & 0x30,
        0,
        "neither collecting nor distributing"
    );
    bench.events();
    bench.golden(1, 0x3d);
    assert_eq!(reasons(&mut bench), ["port_disabled"]);
    bench.wait(100_000);
    assert!(bench.sent().is_empty());
    assert_eq!(bench.trunk().selected_count(), 0);
}

#[test]
fn a_short_flap_needs_no_second_wait() {
    let mut bench = Bench::up();
    bench.with(|trunk, now| trunk.set_port_enabled(now, PortId(1), false));
    bench.wait(2_000);
    bench.with(|trunk, now| trunk.set_port_enabled(now, PortId(1), true));
    let (_, first) = bench.lacpdus(1).pop().unwrap();
    assert_eq!(first.actor.state.0, 0x8d, "expired, with nothing stale");
    assert_eq!(
        first.partner.system,
        crate::bench::PARTNER,
        "the partner is remembered"
    );
    bench.golden(1, 0x3d);
    assert_eq!(bench.port(1).actor.state, 0x3d);
}

#[test]
fn a_reflected_lacpdu_does_not_freeze_the_timer() {
    let mut bench = short();
    bench.golden(1, 0x3d);
    bench.at(2_500);
    let own = bench.lacpdus(1).pop().unwrap().1;
    bench.send(1, &own);
    bench.at(5_499);
    assert_eq!(bench.port(1).receive, "CURRENT");
    bench.at(5_500);
    assert_eq!(bench.port(1).receive, "EXPIRED");
}

#[test]
fn lacp_disabled_is_silent_deaf_and_forgets() {
    let mut bench = Bench::up();
    bench.with(|trunk, now| trunk.set_lacp_enabled(now, PortId(1), false));
    let port = bench.port(1);
    assert_eq!(
        (port.receive.as_str(), port.mux.as_str()),
        ("LACP_DISABLED", "DETACHED")
    );
    assert_eq!((port.actor.state, port.partner.state & 0x04), (0x45, 0));
    assert_eq!(port.selected, "UNSELECTED");
    bench.events();
    bench.golden(1, 0x3d);
    assert_eq!(reasons(&mut bench), ["lacp_disabled"]);
    bench.wait(100_000);
    assert!(bench.sent().is_empty());
    bench.with(|trunk, now| trunk.set_lacp_enabled(now, PortId(1), true));
    assert_eq!(bench.lacpdus(1).pop().unwrap().1.actor.state.0, 0xc5);
    bench.golden(1, 0x3d);
    bench.wait(2_000);
    assert_eq!(bench.port(1).actor.state, 0x3d);
}

#[test]
fn any_state_octet_is_survived() {
    let mut bench = Bench::up();
    for state in 0..=255 {
        bench.golden(1, state);
        bench.wait(2_100);
        for (_, pdu) in bench.lacpdus(1) {
            assert!([0x00, 0x08, 0x18, 0x38].contains(&(pdu.actor.state.0 & 0x38)));
        }
    }
    bench.golden(1, 0x3d);
    bench.wait(2_000);
    bench.golden(1, 0x3d);
    assert_eq!(bench.port(1).actor.state, 0x3d);
}

#[test]
fn transitions_name_machine_boxes_and_arc() {
    let mut bench = Bench::one();
    let arcs = |bench: &mut Bench, of: &str| -> Vec<(&str, &str, &str)> {
        let events = bench.events();
        let arc = |event| match event {
            LacpEvent::Transition {
                port: PortId(1),
                machine,
                from,
                to,
                arc,
            } if machine == of => Some((arc, from, to)),
            LacpEvent::Transition { .. }
            | LacpEvent::Discarded { .. }
            | LacpEvent::Collecting { .. }
            | LacpEvent::Distributing { .. }
            | LacpEvent::OperUp(_) => None,
        };
        events.into_iter().filter_map(arc).collect()
    };
    let expected = [
        ("LACP-RX-01", "INITIALIZE", "INITIALIZE"),
        ("LACP-RX-02", "INITIALIZE", "PORT_DISABLED"),
        ("LACP-RX-05", "PORT_DISABLED", "EXPIRED"),
    ];
    assert_eq!(arcs(&mut bench, "Receive machine"), expected);
    bench.golden(1, 0x05);
    bench.at(2_000);
    let expected = [
        ("LACP-MUX-02", "DETACHED", "WAITING"),
        ("LACP-MUX-04", "WAITING", "ATTACHED"),
    ];
    assert_eq!(arcs(&mut bench, "Mux machine"), expected);
    assert!(Lacpdu::parse(&bench.sent().pop().unwrap().payload).is_ok());
}
