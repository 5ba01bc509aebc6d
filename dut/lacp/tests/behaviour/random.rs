//! Whatever comes in, in whatever order, an Eth-Trunk keeps its invariants, comes to rest, and
//! finds a well-behaved partner afterwards.

use crate::bench::{Bench, KEY, SYSTEM, config, port};
use dut_device::{Instant, PortId};
use dut_lacp::selection::LagId;
use dut_lacp::{EthTrunkConfig, LacpEvent, MuxControl};
use dut_wire::lacp::{Information, Lacpdu, State};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use std::collections::BTreeSet;
use std::time::Duration;

/// One thing that is done to an Eth-Trunk of three ports.
#[derive(Debug, Clone)]
enum Op {
    Wait(u64),
    Enabled(u16, bool),
    LacpEnabled(u16, bool),
    Hold(bool),
    Key(u16),
    Priority(u16, u16),
    Short(u16, bool),
    Active(u16, bool),
    Aggregation(u16, bool),
    MaxActive(u16),
    Preempt(Option<u64>),
    /// A LACPDU on a port: the partner's system, key and port, both state octets, and whether it
    /// knows the port.
    Pdu(u16, u8, u16, u16, u8, u8, bool),
    /// The port's own last LACPDU comes in by a port.
    Reflect(u16, u16),
    Octets(u16, Vec<u8>),
}

fn op() -> impl Strategy<Value = Op> {
    let number = || 1..=3_u16;
    let pdu = (
        number(),
        0..3_u8,
        6..9_u16,
        100..104_u16,
        any::<u8>(),
        any::<u8>(),
        any::<bool>(),
    );
    prop_oneof![
        4 => prop_oneof![0..100_u64, 900..2_100_u64, 3_000..100_000_u64].prop_map(Op::Wait),
        2 => (number(), any::<bool>()).prop_map(|(n, on)| Op::Enabled(n, on)),
        1 => (number(), any::<bool>()).prop_map(|(n, on)| Op::LacpEnabled(n, on)),
        1 => any::<bool>().prop_map(Op::Hold),
        1 => (304..307_u16).prop_map(Op::Key),
        1 => (number(), 0..3_u16).prop_map(|(n, priority)| Op::Priority(n, priority)),
        1 => (number(), any::<bool>()).prop_map(|(n, on)| Op::Short(n, on)),
        1 => (number(), any::<bool>()).prop_map(|(n, on)| Op::Active(n, on)),
        1 => (number(), any::<bool>()).prop_map(|(n, on)| Op::Aggregation(n, on)),
        1 => (0..4_u16).prop_map(Op::MaxActive),
        1 => proptest::option::of(0..5_000_u64).prop_map(Op::Preempt),
        9 => pdu.prop_map(|(n, s, k, p, actor, partner, known)| {
            Op::Pdu(n, s, k, p, actor, partner, known)
        }),
        2 => (number(), number()).prop_map(|(from, to)| Op::Reflect(from, to)),
        1 => (number(), proptest::collection::vec(any::<u8>(), 0..130))
            .prop_map(|(n, octets)| Op::Octets(n, octets)),
    ]
}

fn system(which: u8) -> [u8; 6] {
    // One below this System, one above, and this System itself.
    [
        [0x00, 0xe0, 0xfc, 0, 0, 1],
        [0x00, 0xe0, 0xfc, 0xaa, 0xbb, 0xcc],
        SYSTEM,
    ][usize::from(which)]
}

fn apply(bench: &mut Bench, op: Op) {
    match op {
        Op::Wait(ms) => bench.wait(ms),
        Op::Enabled(n, on) => bench.with(|trunk, now| trunk.set_port_enabled(now, PortId(n), on)),
        Op::LacpEnabled(n, on) => {
            bench.with(|trunk, now| trunk.set_lacp_enabled(now, PortId(n), on));
        }
        Op::Hold(hold) => bench.with(|trunk, now| trunk.set_hold(now, hold)),
        Op::Key(key) => bench.with(|trunk, now| trunk.set_key(now, key)),
        Op::Priority(n, priority) => {
            bench.with(|trunk, now| trunk.set_port_priority(now, PortId(n), priority));
        }
        Op::Short(n, on) => bench.with(|trunk, now| trunk.set_timeout_short(now, PortId(n), on)),
        Op::Active(n, on) => bench.with(|trunk, now| trunk.set_activity(now, PortId(n), on)),
        Op::Aggregation(n, on) => {
            bench.with(|trunk, now| trunk.set_aggregation(now, PortId(n), on));
        }
        Op::MaxActive(max) => bench.with(|trunk, now| trunk.set_max_active(now, max)),
        Op::Preempt(ms) => {
            let delay = ms.map(Duration::from_millis);
            bench.with(|trunk, now| trunk.set_preempt_delay(now, delay));
        }
        Op::Pdu(n, which, key, number, actor, partner, known) => {
            bench.golden_but(n, actor, |pdu| {
                pdu.actor.system = system(which);
                pdu.actor.key = key;
                pdu.actor.port = number;
                if !known {
                    pdu.partner = Information {
                        state: State(partner),
                        ..Information::default()
                    };
                }
            });
        }
        Op::Reflect(from, to) => {
            let last = bench
                .net
                .sent
                .iter()
                .rfind(|sent| sent.port == PortId(from));
            if let Some(payload) = last.map(|sent| sent.payload.clone()) {
                bench.receive(to, &payload);
            }
        }
        Op::Octets(n, octets) => bench.receive(n, &octets),
    }
}

fn information(info: &dut_device::LacpInfo) -> Information {
    Information {
        system_priority: info.system_priority,
        system: info.system.0,
        key: info.key,
        port_priority: info.port_priority,
        port: info.port,
        state: State(info.state),
    }
}

/// What holds at every moment, whatever happened.
fn check(bench: &Bench, max_active: u16) {
    let trunk = bench.trunk();
    assert!(
        trunk.next_timeout().is_none_or(|next| next > bench.net.now),
        "it would never rest"
    );
    let ports = trunk.snapshot(bench.net.now).ports;
    let attached: Vec<_> = ports
        .iter()
        .filter(|port| port.actor.state & 0x08 != 0)
        .collect();
    let lag = |port: &dut_device::AggregationPortSnapshot| {
        LagId::of(&information(&port.actor), &information(&port.partner))
    };
    let lags: BTreeSet<LagId> = attached.iter().map(|port| lag(port)).collect();
    assert!(lags.len() <= 1, "one Aggregator has one LAG: {lags:?}");
    assert!(attached.len() <= usize::from(max_active.max(1)));
    assert!(
        !trunk.held() || attached.is_empty(),
        "a held port is in sync"
    );
    for port in &ports {
        let state = port.actor.state;
        assert!(
            [0x00, 0x08, 0x18, 0x38].contains(&(state & 0x38)),
            "{state:#04x}"
        );
        assert!(
            state & 0x10 == 0 || state & 0xc0 == 0,
            "collecting without a current partner"
        );
        assert!(
            state & 0x08 == 0 || state & 0x40 == 0,
            "in sync with a Defaulted partner"
        );
        assert!(state & 0x30 == 0 || port.port_enabled);
    }
}

/// No port sends more than three LACPDUs in any closed second, and no LACPDU is malformed.
fn check_sent(bench: &mut Bench) {
    let sent = bench.sent();
    for number in 1..=3 {
        let of_port = sent.iter().filter(|sent| sent.port == PortId(number));
        let of_port = of_port.filter(|sent| sent.payload[0] == 1);
        let times: Vec<Instant> = of_port.clone().map(|sent| sent.at).collect();
        for four in times.windows(4) {
            assert!(four[3] - four[0] > Duration::from_secs(1), "{four:?}");
        }
        for sent in of_port {
            assert_eq!(sent.payload.len(), 110);
            let state = Lacpdu::parse(&sent.payload).unwrap().actor.state.0;
            assert!(
                [0x00, 0x08, 0x18, 0x38].contains(&(state & 0x38)),
                "{state:#04x}"
            );
        }
    }
}

fn converges(bench: &mut Bench) {
    bench.with(|trunk, now| {
        trunk.set_hold(now, false);
        trunk.set_max_active(now, 3);
        for number in 1..=3 {
            trunk.set_port_enabled(now, PortId(number), true);
            trunk.set_lacp_enabled(now, PortId(number), true);
            trunk.set_aggregation(now, PortId(number), true);
        }
    });
    for _ in 0..8 {
        for number in 1..=3 {
            bench.golden(number, 0x3d);
        }
        bench.wait(1_000);
    }
    for number in 1..=3 {
        assert_eq!(bench.port(number).actor.state & 0x3c, 0x3c, "port {number}");
    }
}

fn arcs(bench: &mut Bench) -> BTreeSet<&'static str> {
    let arc = |event| match event {
        LacpEvent::Transition { arc, .. } => Some(arc),
        LacpEvent::Discarded { .. }
        | LacpEvent::Collecting { .. }
        | LacpEvent::Distributing { .. }
        | LacpEvent::OperUp(_) => None,
    };
    bench.events().into_iter().filter_map(arc).collect()
}

fn run(ops: Vec<Op>, mux: MuxControl) -> BTreeSet<&'static str> {
    let config = EthTrunkConfig {
        mux,
        max_active: 2,
        ..config(SYSTEM, KEY)
    };
    let mut bench = Bench::new(config, vec![port(1), port(2), port(3)]);
    let mut max_active = 2;
    for op in ops {
        if let Op::MaxActive(max) = op {
            max_active = max;
        }
        apply(&mut bench, op);
        check(&bench, max_active);
    }
    converges(&mut bench);
    check_sent(&mut bench);
    arcs(&mut bench)
}

/// Every Mux machine.
const MUXES: [MuxControl; 4] = [
    MuxControl::Coupled,
    MuxControl::Independent,
    MuxControl::Combined,
    MuxControl::CombinedCoupled,
];

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]
    #[test]
    fn invariants_hold_and_a_good_partner_is_found(
        ops in proptest::collection::vec(op(), 1..60),
        mux in 0..4_usize,
    ) {
        run(ops, MUXES[mux]);
    }
}

#[test]
fn every_arc_is_taken_by_some_sequence() {
    let mut seen = BTreeSet::new();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let sequence = proptest::collection::vec(op(), 80);
    for round in 0..120 {
        let ops = sequence.new_tree(&mut runner).unwrap().current();
        seen.extend(run(ops, MUXES[round % 4]));
    }
    let count = |prefix: &str| seen.iter().filter(|arc| arc.starts_with(prefix)).count();
    let machines = [
        "LACP-RX-",
        "LACP-PT-",
        "LACP-MUX-",
        "LACP-MUXC-",
        "LACP-MUX20-",
        "LACP-TX-",
        "LACP-ACD-",
    ];
    assert_eq!(machines.map(count), [12, 7, 9, 7, 7, 3, 5], "{seen:?}");
    assert_eq!(count("LACP-PCD-"), 5, "{seen:?}");
}
