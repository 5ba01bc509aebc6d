//! Churn Detection machines (6.4.17).

use crate::bench::Bench;
use dut_device::PortId;

#[test]
fn partner_churn_is_reported_after_60_s_and_cleared_at_once() {
    let mut bench = Bench::one();
    bench.golden(1, 0x05);
    bench.at(59_999);
    assert_eq!(bench.port(1).partner_churn, "PARTNER_CHURN_MONITOR");
    assert_eq!(bench.port(1).actor_churn, "NO_ACTOR_CHURN");
    bench.at(60_000);
    assert_eq!(bench.port(1).partner_churn, "PARTNER_CHURN");
    bench.golden(1, 0x0d);
    assert_eq!(bench.port(1).partner_churn, "NO_PARTNER_CHURN");
    bench.golden(1, 0x05);
    assert_eq!(bench.port(1).partner_churn, "PARTNER_CHURN_MONITOR");
    bench.at(119_999);
    assert_eq!(bench.port(1).partner_churn, "PARTNER_CHURN_MONITOR");
    bench.at(120_000);
    assert_eq!(bench.port(1).partner_churn, "PARTNER_CHURN");
}

#[test]
fn actor_churn_is_reported_for_a_port_that_is_held() {
    let mut bench = Bench::one();
    bench.with(|trunk, now| trunk.set_hold(now, true));
    bench.golden(1, 0x05);
    bench.at(60_000);
    assert_eq!(bench.port(1).actor_churn, "ACTOR_CHURN");
    bench.with(|trunk, now| trunk.set_hold(now, false));
    assert_eq!(bench.port(1).actor_churn, "NO_ACTOR_CHURN");
}

#[test]
fn the_time_begins_with_the_carrier() {
    let mut bench = Bench::one();
    bench.with(|trunk, now| trunk.set_port_enabled(now, PortId(1), false));
    bench.at(100_000);
    assert_eq!(bench.port(1).actor_churn, "ACTOR_CHURN_MONITOR");
    bench.with(|trunk, now| trunk.set_port_enabled(now, PortId(1), true));
    bench.at(159_999);
    assert_eq!(bench.port(1).actor_churn, "ACTOR_CHURN_MONITOR");
    bench.at(160_000);
    assert_eq!(bench.port(1).actor_churn, "ACTOR_CHURN");
    assert_eq!(bench.port(1).partner_churn, "PARTNER_CHURN");
}
