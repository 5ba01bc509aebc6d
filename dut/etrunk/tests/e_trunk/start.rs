//! Start, election, negotiation after a boot, crash and goodbye of two E-Trunks in virtual time.

use crate::common::*;
use dut_device::MacAddr;
use dut_etrunk::{ETrunkConfig, Role};
use std::time::Duration;

#[test]
fn the_smaller_priority_is_master_as_soon_as_both_have_heard_each_other() {
    let mut world = World::new(config_a(), config_b());
    world.boot(Dev::A);
    world.boot(Dev::B);
    assert_eq!(world.roles(), (Role::Initialize, Role::Initialize));
    assert_eq!(world.members(1), (false, false));
    world.run_ms(2);
    assert_eq!(world.roles(), MASTER_BACKUP);
    assert_eq!(world.members(1), (true, false));
    assert_eq!(texts(world.causations(Dev::A)), ["PRI", "ETRUNK_MASTER"]);
    assert_eq!(texts(world.causations(Dev::B)), ["PRI", "ETRUNK_BACKUP"]);
}

/// Started with open gates, members not ready yet.
fn negotiating() -> World {
    let mut world = World::new(config_a(), config_b());
    for dev in [Dev::A, Dev::B] {
        world.with(dev, |e, now| {
            e.set_revert_gate(now, true);
            e.start(now);
        });
    }
    world.run_ms(500);
    world
}

#[test]
fn a_pair_that_boots_together_is_not_elected_by_whose_link_negotiates_first() {
    let mut world = negotiating();
    world.link(Dev::B, 1, true);
    world.run_ms(2000);
    assert_eq!(world.roles(), MASTER_BACKUP);
    assert!(!world.members(1).1);
    world.link(Dev::A, 1, true);
    world.run_ms(10);
    assert_eq!(world.roles(), MASTER_BACKUP);
    assert_eq!(world.members(1), (true, false));
    assert_eq!(texts(world.causations(Dev::A)), ["PRI", "ETRUNK_MASTER"]);
}

#[test]
fn a_link_that_never_negotiates_counts_as_down_after_the_local_fail_time() {
    let mut world = negotiating();
    world.link(Dev::B, 1, true);
    world.run_ms(20_000);
    assert_eq!(world.roles(), BACKUP_MASTER);
    assert_eq!(world.members(1), (false, true));
}

#[test]
fn the_member_of_a_quickly_restarted_master_is_replaced_at_once() {
    let mut world = World::settled();
    world.crash(Dev::A);
    world.run_ms(3000);
    let config = ETrunkConfig {
        boot_epoch: 2,
        ..config_a()
    };
    world.a = Some(dut_etrunk::ETrunk::new(config));
    world.with(Dev::A, |e, now| e.start(now));
    world.run_ms(10);
    assert_eq!(world.members(1), (false, true), "B has the state");
    world.link(Dev::A, 1, true);
    world.gate(Dev::A, true);
    let ready = world.now;
    world.run_until(ready + Duration::from_millis(119_999));
    assert_eq!(world.members(1), (false, true));
    world.run_ms(1500);
    assert_eq!(world.members(1), (true, false));
    world.assert_never_two_masters_since(ready, 1);
}

#[test]
fn under_larger_wins_the_larger_priority_is_master() {
    let rule = |config| ETrunkConfig {
        larger_wins: true,
        ..config
    };
    let mut world = World::new(rule(config_a()), rule(config_b()));
    world.boot(Dev::A);
    world.boot(Dev::B);
    world.run_ms(2);
    assert_eq!(world.roles(), BACKUP_MASTER);
}

#[test]
fn between_equal_priorities_the_smaller_system_id_is_master_under_both_rules() {
    for larger_wins in [false, true] {
        let equal = |config| ETrunkConfig {
            priority: 100,
            larger_wins,
            ..config
        };
        let mut world = World::new(equal(config_a()), equal(config_b()));
        world.boot(Dev::B);
        world.boot(Dev::A);
        world.run_ms(2);
        assert_eq!(world.roles(), MASTER_BACKUP, "larger wins: {larger_wins}");
    }
}

#[test]
fn equal_priority_and_system_id_make_two_masters() {
    let tie = |config| ETrunkConfig {
        priority: 100,
        system_id: MacAddr([0, 0xe0, 0xfc, 0, 0, 9]),
        ..config
    };
    let mut world = World::new(tie(config_a()), tie(config_b()));
    world.boot(Dev::A);
    world.boot(Dev::B);
    world.run_ms(20_001);
    assert_eq!(world.roles(), (Role::Master, Role::Master));
    assert_eq!(world.members(1), (true, true));
    let snapshot = world.a.unwrap().snapshot(world.now);
    assert!(snapshot.errors["system_id_error"] > 0);
}

#[test]
fn alone_it_is_master_after_its_local_fail_time_and_not_before() {
    let mut world = World::new(config_a(), config_b());
    world.crash(Dev::B);
    world.boot(Dev::A);
    world.run_ms(19_999);
    assert_eq!(world.roles().0, Role::Initialize);
    assert!(!world.members(1).0);
    world.run_ms(1);
    assert_eq!(world.roles().0, Role::Master);
    assert_eq!(
        texts(world.causations(Dev::A)),
        ["TIMEOUT", "ETRUNK_MASTER"]
    );
    assert_eq!(
        world.rows(Dev::A),
        [
            "ETRUNK-ROW-01",
            "ETRUNK-ROW-31",
            "ETRUNK-ROW-02",
            "ETRUNK-ROW-18",
            "ETRUNK-ROW-34"
        ]
    );
}

/// B's own fail-time is 60 s, A's hello says 20 s.
fn slow_b() -> ETrunkConfig {
    ETrunkConfig {
        multiplier: 60,
        ..config_b()
    }
}

#[test]
fn a_crashed_master_is_replaced_after_the_fail_time_that_its_hello_carried() {
    let mut world = World::new(config_a(), slow_b());
    world.boot(Dev::A);
    world.boot(Dev::B);
    world.run_ms(5500);
    let last = world
        .hellos
        .iter()
        .rev()
        .find(|(_, dev, _)| *dev == Dev::A)
        .unwrap()
        .0;
    world.crash(Dev::A);
    let expected = last + LATENCY + Duration::from_secs(20);
    world.run_until(expected.saturating_sub(Duration::from_nanos(1)));
    assert_eq!(world.roles().1, Role::Backup);
    world.run_until(expected);
    assert_eq!(world.roles().1, Role::Master);
    assert_eq!(world.member_took(Dev::B, Role::Master), expected);
    assert_eq!(
        texts(world.causations(Dev::B)),
        ["TIMEOUT", "PEER_MEMBER_DOWN"]
    );
}

#[test]
fn a_hello_without_fail_time_leaves_the_local_one() {
    let mut world = World::new(config_a(), slow_b());
    world.boot(Dev::A);
    world.boot(Dev::B);
    world.run_ms(2500);
    let mut hello = world
        .hellos
        .iter()
        .rev()
        .find(|(_, d, _)| *d == Dev::A)
        .unwrap()
        .2
        .clone();
    world.crash(Dev::A);
    hello.fail_time = None;
    hello.sequence = Some(1000);
    let payload = forge(&config_a(), &hello);
    world.deliver(Dev::B, &payload);
    world.run_ms(59_999);
    assert_eq!(world.roles().1, Role::Backup);
    world.run_ms(1);
    assert_eq!(world.roles().1, Role::Master);
}

#[test]
fn a_goodbye_hands_over_at_once() {
    let mut world = World::settled();
    world.with(Dev::A, |e, now| e.stop(now));
    assert!(!world.members(1).0);
    world.run_ms(2);
    assert_eq!(world.roles(), (Role::Initialize, Role::Master));
    assert_eq!(world.members(1), (false, true));
}

#[test]
fn a_first_hello_waits_for_the_path_and_only_once() {
    let mut engine = dut_etrunk::ETrunk::new(config_a());
    let at = |ms| dut_device::Instant::ZERO + Duration::from_millis(ms);
    engine.wait_for_path();
    engine.start(at(0));
    engine.handle_timeout(at(500));
    assert_eq!(engine.poll_transmit(), None);
    engine.path_found(at(700));
    assert!(engine.poll_transmit().is_some());
    engine.wait_for_path();
    engine.path_found(at(800));
    assert_eq!(engine.poll_transmit(), None);
}
