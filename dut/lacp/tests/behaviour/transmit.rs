//! Transmit machine: the limit, what it delays, and silence (6.4.16).

use crate::bench::{Bench, KEY, SYSTEM, config, ms, port};
use dut_device::Instant;
use dut_lacp::PortConfig;
use std::time::Duration;

/// The most LACPDUs in any closed window of Fast_Periodic_Time.
fn densest(times: &[Instant]) -> usize {
    let within = |from: Instant| {
        times
            .iter()
            .filter(|at| **at >= from && **at - from <= Duration::from_secs(1))
            .count()
    };
    times.iter().map(|at| within(*at)).max().unwrap_or(0)
}

#[test]
fn never_more_than_three_in_any_fast_periodic_time() {
    let mut bench = Bench::up();
    for step in 0..60_u16 {
        bench.golden_but(1, 0x3d, |pdu| pdu.partner.key = 1_000 + step);
        bench.wait(50);
    }
    let last = bench.net.now;
    bench.wait(1_100);
    let times: Vec<Instant> = bench.lacpdus(1).iter().map(|(at, _)| *at).collect();
    assert_eq!(densest(&times), 3);
    // 3 s of steady requests are served at the full rate, and not beyond.
    assert!((9..=13).contains(&times.len()), "{times:?}");
    assert!(times.last().unwrap().since(last) <= Duration::from_secs(1));
}

#[test]
fn what_was_delayed_is_sent_once_and_shows_what_is_true_then() {
    let mut bench = Bench::up();
    for key in [11, 12, 13] {
        bench.golden_but(1, 0x3d, |pdu| pdu.actor.key = key);
    }
    let burst: Vec<_> = bench.lacpdus(1);
    assert_eq!(
        burst
            .iter()
            .map(|(_, pdu)| pdu.partner.key)
            .collect::<Vec<_>>(),
        [11, 12, 13]
    );
    for key in [21, 22, 23] {
        bench.wait(100);
        bench.golden_but(1, 0x3d, |pdu| {
            pdu.actor.key = key;
            pdu.partner.key = 1;
        });
    }
    assert!(bench.sent().is_empty(), "blocked");
    bench.at(6_001);
    let late = bench.lacpdus(1);
    assert_eq!(late.len(), 1);
    assert_eq!(late[0].1.partner.key, 23);
    assert!(late[0].0.since(ms(6_000)) <= Duration::from_millis(1));
    bench.wait(1_100);
    assert!(
        bench.sent().is_empty(),
        "the requests have collapsed into one"
    );
}

#[test]
fn the_limit_counts_for_each_port() {
    let mut bench = Bench::new(config(SYSTEM, KEY), vec![port(1), port(2)]);
    bench.golden(1, 0x05);
    bench.golden(2, 0x05);
    bench.at(1_500);
    bench.sent();
    for key in 0..5 {
        bench.golden_but(1, 0x05, |pdu| pdu.partner.key = 1_000 + key);
        bench.golden_but(2, 0x05, |pdu| pdu.partner.key = 1_000 + key);
    }
    let sent = bench.sent();
    let of = |number| sent.iter().filter(|sent| sent.port.0 == number).count();
    assert_eq!((of(1), of(2)), (3, 3));
}

#[test]
fn two_passive_ends_clear_ntt() {
    let passive = PortConfig {
        activity: false,
        ..port(1)
    };
    let mut bench = Bench::new(config(SYSTEM, KEY), vec![passive]);
    bench.golden_but(1, 0x04, |pdu| pdu.partner.key = 9);
    bench.wait(60_000);
    assert!(
        bench.sent().is_empty(),
        "nothing is sent between passive ends"
    );
    // The partner becomes active and knows this port: nothing is left over to be answered.
    bench.golden(1, 0x05);
    assert_eq!(bench.port(1).periodic, "SLOW_PERIODIC");
    bench.at(89_999);
    assert!(bench.sent().is_empty());
    bench.at(90_000);
    assert_eq!(bench.lacpdus(1).len(), 1);
    // And passive again: transmission stops.
    bench.golden(1, 0x04);
    bench.sent();
    bench.wait(60_000);
    assert!(bench.sent().is_empty());
}

#[test]
fn the_partners_timeout_changes_the_rate_at_once_only_upwards() {
    let mut bench = Bench::up();
    bench.golden(1, 0x3f);
    assert_eq!(bench.lacpdus(1).len(), 1, "Long to Short: now");
    bench.at(10_000);
    let times: Vec<u64> = bench
        .lacpdus(1)
        .iter()
        .map(|(at, _)| at.as_millis())
        .collect();
    assert_eq!(times, [6_000, 7_000, 8_000, 9_000, 10_000]);
    bench.golden(1, 0x3d);
    bench.at(39_999);
    assert!(bench.sent().is_empty(), "Short to Long: nothing now");
    bench.at(40_000);
    assert_eq!(bench.lacpdus(1).len(), 1);
}

#[test]
fn reserved_octets_are_zero_whatever_came_in() {
    let mut bench = Bench::up();
    let mut octets = bench.golden_pdu(1, 0x3d).octets();
    for at in (19..22).chain(39..42).chain(46..58).chain(60..110) {
        octets[at] = 0xff;
    }
    octets[13] = 42;
    bench.receive(1, &octets);
    let sent = bench.sent().pop().unwrap().payload;
    assert_eq!(sent.len(), 110);
    assert_eq!((sent[0], sent[1]), (1, 1));
    assert_eq!(
        [sent[2], sent[3], sent[22], sent[23], sent[42], sent[43]],
        [1, 20, 2, 20, 3, 16]
    );
    let reserved = (19..22).chain(39..42).chain(46..110);
    assert!(reserved.into_iter().all(|at| sent[at] == 0));
}

#[test]
fn collector_max_delay_is_the_configured_one() {
    let mut bench = Bench::new(
        dut_lacp::EthTrunkConfig {
            collector_max_delay: 0x1234,
            ..config(SYSTEM, KEY)
        },
        vec![port(1)],
    );
    assert_eq!(
        bench.lacpdus(1).pop().unwrap().1.collector_max_delay,
        0x1234
    );
}
