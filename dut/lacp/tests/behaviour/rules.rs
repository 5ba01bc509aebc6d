//! Changed rules change the behaviour: what shows a tester that it would notice.

use crate::bench::{Bench, KEY, Net, SYSTEM, config, port};
use dut_device::PortId;
use dut_lacp::{EthTrunk, Rules};
use std::borrow::Cow;

fn bench(change: impl FnOnce(&mut Rules)) -> Bench {
    let mut rules = Rules::default();
    change(&mut rules);
    let trunk = EthTrunk::with_rules(config(SYSTEM, KEY), vec![port(1)], rules);
    let mut bench = Bench {
        net: Net::new(vec![trunk]),
    };
    bench.with(|trunk, now| trunk.set_port_enabled(now, PortId(1), true));
    bench
}

#[test]
fn an_arc_can_be_taken_out() {
    let mut bench = bench(|rules| {
        let arcs = rules
            .mux_independent
            .iter()
            .filter(|arc| arc.id != "LACP-MUX-06")
            .copied();
        rules.mux_independent = Cow::Owned(arcs.collect());
    });
    bench.golden(1, 0x3d);
    bench.at(10_000);
    assert_eq!(
        (bench.port(1).mux.as_str(), bench.port(1).actor.state),
        ("ATTACHED", 0x0d)
    );
}

#[test]
fn a_constant_can_be_changed() {
    let mut bench = bench(|rules| rules.constants.tx_limit = 5);
    bench.at(3_500);
    bench.sent();
    for key in 0..9 {
        bench.golden_but(1, 0x05, |pdu| pdu.partner.key = 1_000 + key);
    }
    assert_eq!(bench.sent().len(), 4, "and the periodic one of 3 s");
}

#[test]
fn a_function_can_be_changed() {
    let mut bench = bench(|rules| rules.functions.matched = |_, _| true);
    bench.golden_but(1, 0x3d, |pdu| pdu.partner.system = [0x02; 6]);
    bench.at(2_000);
    assert_eq!(bench.port(1).actor.state, 0x3d);
}
