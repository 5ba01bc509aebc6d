//! recordPDU, update_Selected and update_NTT as seen from outside (6.4.9).

use crate::bench::{Bench, KEY, PARTNER, PARTNER_KEY, SYSTEM, config, port};
use dut_lacp::PortConfig;
use dut_wire::lacp::{Information, Lacpdu};

type Change = fn(&mut Information);

/// The five values of an end, each changed alone.
const VALUES: [(&str, Change); 5] = [
    ("Port", |end| end.port = 999),
    ("Port_Priority", |end| end.port_priority = 999),
    ("System", |end| {
        end.system = [0x00, 0xe0, 0xfc, 0x99, 0x99, 0x99]
    }),
    ("System_Priority", |end| end.system_priority = 999),
    ("Key", |end| end.key = 999),
];

fn flip(bit: u8) -> impl Fn(&mut Information) {
    move |end| end.state.0 ^= bit
}

/// Sends one LACPDU to a port that knows nobody; gives the Synchronization that it records and
/// that it echoes.
fn synchronization_after(activity: bool, state: u8, change: impl Fn(&mut Lacpdu)) -> bool {
    let mut bench = Bench::new(
        config(SYSTEM, KEY),
        vec![PortConfig {
            activity,
            ..port(1)
        }],
    );
    bench.golden_but(1, state, change);
    let recorded = bench.port(1).partner.state & 0x08 != 0;
    assert_eq!(bench.port(1).receive, "CURRENT");
    // The wait is over in 2 s; what is collected then tells the same.
    bench.at(2_500);
    assert_eq!(bench.port(1).actor.state & 0x30 != 0, recorded);
    let echoed = bench.lacpdus(1).last().unwrap().1.partner.state;
    assert_eq!(echoed.0 & 0x08 != 0, recorded);
    recorded
}

#[test]
fn record_pdu_stores_what_it_hears() {
    let mut bench = Bench::one();
    bench.golden_but(1, 0x37, |pdu| {
        pdu.actor.system_priority = 0x1234;
        pdu.actor.system = [0x02, 1, 2, 3, 4, 5];
        pdu.actor.key = 0x5678;
        pdu.actor.port_priority = 0x9abc;
        pdu.actor.port = 0xdef0;
        pdu.partner.key = 1;
    });
    let partner = bench.port(1).partner;
    assert_eq!(partner.system_priority, 0x1234);
    assert_eq!(partner.system.0, [0x02, 1, 2, 3, 4, 5]);
    assert_eq!(
        (partner.key, partner.port_priority, partner.port),
        (0x5678, 0x9abc, 0xdef0)
    );
    assert_eq!(partner.state, 0x37);
    assert_eq!(
        bench.port(1).actor.state,
        0x05,
        "neither Defaulted nor Expired"
    );
    // The answer, which the partner's wrong view of this port asks for, shows all of it.
    let (_, answer) = bench.lacpdus(1).pop().unwrap();
    assert_eq!(answer.partner.system, [0x02, 1, 2, 3, 4, 5]);
    assert_eq!(answer.partner.state.0, 0x37);
    assert_eq!((answer.partner.key, answer.partner.port), (0x5678, 0xdef0));
}

#[test]
fn synchronization_is_recorded_when_matched_and_active() {
    assert!(synchronization_after(true, 0x3d, |_| {}));
    assert!(
        !synchronization_after(true, 0x05, |_| {}),
        "the sender says no"
    );
}

#[test]
fn synchronization_is_not_recorded_when_not_matched() {
    for (name, change) in VALUES {
        assert!(
            !synchronization_after(true, 0x3d, |pdu| change(&mut pdu.partner)),
            "{name}"
        );
    }
    assert!(
        !synchronization_after(true, 0x3d, |pdu| flip(0x04)(&mut pdu.partner)),
        "Aggregation"
    );
}

#[test]
fn an_individual_sender_need_not_match() {
    for (name, change) in VALUES {
        assert!(
            synchronization_after(true, 0x39, |pdu| change(&mut pdu.partner)),
            "{name}"
        );
    }
}

#[test]
fn synchronization_needs_an_end_that_maintains_the_link() {
    // The sender is passive and takes this port for passive.
    let passive = |pdu: &mut Lacpdu| pdu.partner.state.0 &= !0x01;
    assert!(!synchronization_after(true, 0x3c, passive));
    // The sender is passive but knows that this port is active.
    assert!(synchronization_after(true, 0x3c, |pdu| pdu
        .partner
        .state
        .0 |= 0x01));
    // The sender is active itself.
    assert!(synchronization_after(true, 0x3d, passive));
    assert!(synchronization_after(false, 0x3d, passive));
    // The sender is passive and wrongly takes this passive port for active.
    let mut bench = Bench::new(
        config(SYSTEM, KEY),
        vec![PortConfig {
            activity: false,
            ..port(1)
        }],
    );
    bench.golden_but(1, 0x3c, |pdu| pdu.partner.state.0 |= 0x01);
    assert_eq!(bench.port(1).partner.state, 0x34);
}

#[test]
fn another_partner_unselects_and_waits_anew() {
    let aggregation: (&str, Change) = ("Aggregation", |end| end.state.0 ^= 0x04);
    for (name, change) in VALUES.into_iter().chain([aggregation]) {
        let mut bench = Bench::up();
        bench.golden_but(1, 0x3d, |pdu| change(&mut pdu.actor));
        assert_eq!(bench.port(1).actor.state, 0x05, "{name}: dropped at once");
        assert_eq!(bench.port(1).mux, "WAITING", "{name}");
        assert_eq!(
            bench.lacpdus(1).pop().unwrap().1.actor.state.0,
            0x05,
            "{name}: and said so"
        );
        bench.wait(1_999);
        assert_eq!(bench.port(1).actor.state, 0x05, "{name}: a whole new wait");
        bench.wait(1);
        assert_ne!(bench.port(1).actor.state & 0x08, 0, "{name}: then back");
    }
}

#[test]
fn other_flags_of_the_partner_do_not_unselect() {
    for bit in [0x01, 0x02, 0x08, 0x10, 0x20, 0x40, 0x80] {
        let mut bench = Bench::up();
        bench.golden_but(1, 0x3d, |pdu| flip(bit)(&mut pdu.actor));
        assert_ne!(bench.port(1).actor.state & 0x08, 0, "{bit:#04x}");
        assert_eq!(bench.port(1).selected, "SELECTED");
        let expected = match bit {
            0x08 => 0x0d,
            0x10 => 0x1d,
            _ => 0x3d,
        };
        assert_eq!(bench.port(1).actor.state, expected, "{bit:#04x}");
    }
}

#[test]
fn a_wrong_view_of_this_port_is_answered() {
    let flags: [(&str, Change); 4] = [
        ("LACP_Activity", |end| end.state.0 ^= 0x01),
        ("LACP_Timeout", |end| end.state.0 ^= 0x02),
        ("Aggregation", |end| end.state.0 ^= 0x04),
        ("Synchronization", |end| end.state.0 ^= 0x08),
    ];
    for (name, change) in VALUES.into_iter().chain(flags) {
        let mut bench = Bench::up();
        let now = bench.net.now;
        bench.golden_but(1, 0x3d, |pdu| change(&mut pdu.partner));
        let sent = bench.lacpdus(1);
        assert_eq!(sent.len(), 1, "{name}");
        assert_eq!(sent[0].0, now, "{name}");
    }
}

#[test]
fn a_view_that_differs_where_it_does_not_matter_is_not_answered() {
    for bit in [0x10, 0x20, 0x40, 0x80] {
        let mut bench = Bench::up();
        bench.golden_but(1, 0x3d, |pdu| flip(bit)(&mut pdu.partner));
        bench.wait(5_000);
        assert_eq!(bench.lacpdus(1).len(), 0, "{bit:#04x}");
    }
    let mut bench = Bench::up();
    bench.golden(1, 0x3d);
    bench.wait(5_000);
    assert_eq!(bench.lacpdus(1).len(), 0, "all matches");
}

#[test]
fn the_answer_already_shows_the_new_partner() {
    let mut bench = Bench::up();
    bench.golden_but(1, 0x3d, |pdu| {
        pdu.actor.key = 4_242;
        pdu.partner.key = 1;
    });
    let (_, answer) = bench.lacpdus(1).pop().unwrap();
    assert_eq!(answer.partner.key, 4_242);
    assert_eq!(answer.partner.state.0, 0x35, "not matched, so not in sync");
}

#[test]
fn defaulted_forgets_the_partner() {
    let mut bench = Bench::up();
    bench.at(98_000);
    let partner = bench.port(1).partner;
    assert_eq!(
        (partner.system.0, partner.key, partner.port),
        ([0; 6], 1, 1)
    );
    assert_ne!((partner.system.0, partner.key), (PARTNER, PARTNER_KEY));
    assert_eq!(
        (bench.port(1).selected.as_str(), bench.port(1).actor.state),
        ("UNSELECTED", 0x45)
    );
}
