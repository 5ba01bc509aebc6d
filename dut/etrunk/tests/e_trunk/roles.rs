//! Roles of two E-Trunks in virtual time: start, crash, link cut, revert, split, ties, modes.

use crate::common::{Dev, LATENCY, World, config_a, config_b, member};
use dut_device::{Instant, MacAddr};
use dut_etrunk::{ETrunkConfig, ETrunkEvent, Role, WorkMode};
use std::time::Duration;

const BACKUP_MASTER: (Role, Role) = (Role::Backup, Role::Master);
const MASTER_BACKUP: (Role, Role) = (Role::Master, Role::Backup);

fn texts(pair: (String, String)) -> [String; 2] {
    [pair.0, pair.1]
}

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
    let payload = crate::common::forge(&config_a(), &hello);
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
fn a_cut_link_moves_both_members_within_one_latency() {
    let mut world = World::settled();
    let cut = world.now;
    world.link(Dev::A, 1, false);
    assert_eq!(world.members(1), (false, false), "in the same call");
    assert_eq!(
        texts(world.causations(Dev::A)),
        ["ALL_MEMBER_DOWN", "ETRUNK_BACKUP"]
    );
    world.run_ms(1);
    assert_eq!(world.roles(), BACKUP_MASTER);
    assert_eq!(world.members(1), (false, true));
    assert_eq!(world.member_took(Dev::B, Role::Master), cut + LATENCY);
    assert_eq!(
        texts(world.causations(Dev::B)),
        ["ALL_MEMBER_DOWN", "PEER_MEMBER_DOWN"]
    );
}

#[test]
fn a_repaired_link_reverts_after_the_delay_break_before_make() {
    let mut world = World::settled();
    world.link(Dev::A, 1, false);
    world.run_ms(5000);
    let repaired = world.now;
    world.link(Dev::A, 1, true);
    world.run_until(repaired + Duration::from_millis(119_999));
    assert_eq!(world.roles(), BACKUP_MASTER);
    assert_eq!(world.members(1), (false, true));
    world.run_ms(100);
    assert_eq!(world.roles(), MASTER_BACKUP);
    assert_eq!(world.members(1), (true, false));
    // The old master's member breaks and says so; only its hello lets the new one make.
    let broke = world.member_took(Dev::B, Role::Backup);
    assert!(broke >= repaired + Duration::from_secs(120));
    assert_eq!(world.member_took(Dev::A, Role::Master), broke + LATENCY);
    world.assert_never_two_masters_since(Instant::ZERO, 1);
    assert_eq!(texts(world.causations(Dev::A)), ["PRI", "ETRUNK_MASTER"]);
    assert_eq!(texts(world.causations(Dev::B)), ["PRI", "ETRUNK_BACKUP"]);
    let said = world
        .hellos
        .iter()
        .find(|(at, dev, hello)| *at == broke && *dev == Dev::B && hello.state == Role::Backup);
    assert!(said.unwrap().2.triggered);
}

#[test]
fn a_link_that_flaps_while_it_waits_waits_anew() {
    let mut world = World::settled();
    world.link(Dev::A, 1, false);
    world.run_ms(1000);
    world.link(Dev::A, 1, true);
    world.run_ms(100_000);
    world.link(Dev::A, 1, false);
    world.run_ms(10);
    world.link(Dev::A, 1, true);
    world.run_ms(119_000);
    assert_eq!(world.roles(), BACKUP_MASTER);
    world.run_ms(1100);
    assert_eq!(world.roles(), MASTER_BACKUP);
}

/// A cut and repaired, the delay run with these gates (A, B).
fn waited(a_gate: bool, b_gate: bool) -> World {
    let mut world = World::settled();
    world.link(Dev::A, 1, false);
    world.run_ms(1000);
    world.gate(Dev::A, a_gate);
    world.gate(Dev::B, b_gate);
    world.link(Dev::A, 1, true);
    world.run_ms(200_000);
    world
}

#[test]
fn either_gate_holds_the_revert_and_its_opening_releases_it_at_once() {
    for (dev, a_gate, b_gate) in [(Dev::A, false, true), (Dev::B, true, false)] {
        let mut world = waited(a_gate, b_gate);
        assert_eq!(world.roles(), BACKUP_MASTER, "{dev:?}");
        assert_eq!(world.members(1), (false, true));
        world.gate(dev, true);
        world.run_ms(3);
        assert_eq!(world.roles(), MASTER_BACKUP, "{dev:?}");
        assert_eq!(world.members(1), (true, false));
        world.assert_never_two_masters_since(Instant::ZERO, 1);
    }
}

#[test]
fn the_waiting_device_asks_only_when_its_wait_is_over() {
    let world = waited(false, true);
    let expected = |world: &World| {
        let last = world
            .hellos
            .iter()
            .rev()
            .find(|(_, dev, _)| *dev == Dev::A)
            .unwrap();
        last.2.expected_state
    };
    assert_eq!(expected(&world), Role::Backup);
    let mut world = waited(true, false);
    assert_eq!(expected(&world), Role::Master);
    world.gate(Dev::A, false);
    assert_eq!(expected(&world), Role::Backup);
}

#[test]
fn revert_disable_never_reverts() {
    let config = |config| ETrunkConfig {
        revert_delay: None,
        ..config
    };
    let mut world = World::new(config(config_a()), config(config_b()));
    world.boot(Dev::A);
    world.boot(Dev::B);
    world.run_ms(1500);
    world.link(Dev::A, 1, false);
    world.run_ms(1000);
    world.link(Dev::A, 1, true);
    world.run_ms(3_600_000);
    assert_eq!(world.roles(), BACKUP_MASTER);
    assert_eq!(world.members(1), (false, true));
}

#[test]
fn a_revert_delay_of_zero_reverts_at_once_but_still_breaks_first() {
    let config = |config| ETrunkConfig {
        revert_delay: Some(Duration::ZERO),
        ..config
    };
    let mut world = World::new(config(config_a()), config(config_b()));
    world.boot(Dev::A);
    world.boot(Dev::B);
    world.run_ms(1500);
    world.link(Dev::A, 1, false);
    world.run_ms(1000);
    world.link(Dev::A, 1, true);
    world.run_ms(10);
    assert_eq!(world.roles(), MASTER_BACKUP);
    world.assert_never_two_masters_since(Instant::ZERO, 1);
}

#[test]
fn a_restarted_master_stays_backup_until_its_revert_delay_has_run() {
    let mut world = World::settled();
    world.crash(Dev::A);
    world.run_ms(30_000);
    assert_eq!(world.roles().1, Role::Master);
    let booted = world.now;
    let config = ETrunkConfig {
        boot_epoch: 2,
        ..config_a()
    };
    world.restart(Dev::A, config);
    world.run_ms(1000);
    assert_eq!(world.roles(), BACKUP_MASTER);
    assert_eq!(world.members(1), (false, true));
    world.run_until(booted + Duration::from_millis(119_999));
    assert_eq!(world.roles(), BACKUP_MASTER);
    world.run_ms(1100);
    assert_eq!(world.roles(), MASTER_BACKUP);
    world.assert_never_two_masters_since(Instant::ZERO, 1);
}

#[test]
fn the_delay_of_a_restarted_device_runs_from_its_links_readiness() {
    let mut world = World::settled();
    world.crash(Dev::A);
    world.run_ms(30_000);
    world.a = Some(dut_etrunk::ETrunk::new(ETrunkConfig {
        boot_epoch: 2,
        ..config_a()
    }));
    world.with(Dev::A, |e, now| e.start(now));
    world.gate(Dev::A, true);
    world.run_ms(60_000);
    let ready = world.now;
    world.link(Dev::A, 1, true);
    world.run_until(ready + Duration::from_millis(119_999));
    assert_eq!(world.roles(), BACKUP_MASTER);
    world.run_ms(1100);
    assert_eq!(world.roles(), MASTER_BACKUP);
}

#[test]
fn a_split_makes_two_masters_and_healing_resolves_it_by_election_at_once() {
    let mut world = World::settled();
    (world.a_to_b, world.b_to_a) = (false, false);
    world.run_ms(25_000);
    assert_eq!(world.roles(), (Role::Master, Role::Master));
    assert_eq!(world.members(1), (true, true));
    (world.a_to_b, world.b_to_a) = (true, true);
    world.run_ms(1002);
    assert_eq!(world.roles(), MASTER_BACKUP);
    assert_eq!(world.members(1), (true, false));
    // The better one never left.
    let healed = world.now.saturating_sub(Duration::from_millis(1002));
    let moved = world.log.iter().any(|(at, dev, event)| {
        *at >= healed
            && *dev == Dev::A
            && matches!(
                event,
                ETrunkEvent::DeviceRole { .. } | ETrunkEvent::MemberRole { .. }
            )
    });
    assert!(!moved);
}

#[test]
fn a_split_without_the_worse_devices_hearing_leaves_one_master_by_peer_timeout() {
    // A hears B, B does not hear A: B times out, A yields to the deaf Master.
    let mut world = World::settled();
    world.a_to_b = false;
    world.run_ms(25_000);
    assert_eq!(world.roles(), BACKUP_MASTER);
    assert_eq!(world.members(1), (false, true));
    assert_eq!(
        texts(world.causations(Dev::A)),
        ["PEER_TIMEOUT", "ETRUNK_BACKUP"]
    );
    assert_eq!(world.causations(Dev::B).0, "TIMEOUT");
    // No revert while the Master can't hear who asks; after healing it runs.
    world.run_ms(300_000);
    assert_eq!(world.roles(), BACKUP_MASTER);
    world.a_to_b = true;
    world.run_ms(122_000);
    assert_eq!(world.roles(), MASTER_BACKUP);
}

#[test]
fn nobody_asks_a_master_that_does_not_hear_it() {
    let mut world = World::settled();
    world.link(Dev::A, 1, false);
    world.run_ms(100);
    world.a_to_b = false;
    world.run_ms(30_000);
    world.link(Dev::A, 1, true);
    world.run_ms(300_000);
    assert_eq!(world.roles(), BACKUP_MASTER);
    let last = world.hellos.iter().rev().find(|(_, dev, _)| *dev == Dev::A);
    assert_eq!(last.unwrap().2.expected_state, Role::Backup);
}

#[test]
fn one_way_loss_from_the_start_leaves_one_master() {
    let mut world = World::new(config_a(), config_b());
    world.b_to_a = false;
    world.boot(Dev::A);
    world.boot(Dev::B);
    world.run_ms(30_000);
    assert_eq!(world.roles(), MASTER_BACKUP);
    let mut world = World::new(config_a(), config_b());
    world.a_to_b = false;
    world.boot(Dev::A);
    world.boot(Dev::B);
    world.run_ms(30_000);
    assert_eq!(world.roles(), BACKUP_MASTER);
}

#[test]
fn a_priority_changed_at_run_time_moves_the_role_by_revert() {
    let mut world = World::settled();
    let changed = world.now;
    world.with(Dev::B, |e, now| e.set_priority(now, 10));
    world.run_ms(1000);
    assert_eq!(world.roles(), MASTER_BACKUP);
    world.run_until(changed + Duration::from_millis(121_100));
    assert_eq!(world.roles(), BACKUP_MASTER);
    world.assert_never_two_masters_since(Instant::ZERO, 1);
}

#[test]
fn forced_modes_hold_and_leaving_them_reruns_the_rules() {
    let mut world = World::settled();
    world.with(Dev::A, |e, now| e.set_mode(now, 1, WorkMode::ForceBackup));
    world.run_ms(2);
    assert_eq!(
        world.roles(),
        MASTER_BACKUP,
        "the device's state is left alone"
    );
    assert_eq!(world.members(1), (false, true));
    assert_eq!(world.causations(Dev::A).1, "FORCE_BACKUP");
    assert_eq!(world.causations(Dev::B).1, "PEER_MEMBER_DOWN");
    world.with(Dev::A, |e, now| e.set_mode(now, 1, WorkMode::ForceMaster));
    world.run_ms(2);
    assert_eq!(world.members(1), (true, false));
    assert_eq!(world.causations(Dev::A).1, "FORCE_MASTER");
    assert_eq!(world.causations(Dev::B).1, "PEER_MEMBER_UP");
    // Both forced: active-active.
    world.with(Dev::B, |e, now| e.set_mode(now, 1, WorkMode::ForceMaster));
    world.run_ms(2);
    assert_eq!(world.members(1), (true, true));
    for dev in [Dev::A, Dev::B] {
        world.with(dev, |e, now| e.set_mode(now, 1, WorkMode::Auto));
    }
    world.run_ms(3);
    assert_eq!(world.members(1), (true, false));
}

/// Two members.
fn two(config: ETrunkConfig) -> ETrunkConfig {
    ETrunkConfig {
        members: vec![member(1), member(2)],
        ..config
    }
}

#[test]
fn with_another_ready_member_only_the_cut_member_moves_and_it_reverts_by_itself() {
    let mut world = World::new(two(config_a()), two(config_b()));
    world.boot(Dev::A);
    world.boot(Dev::B);
    world.run_ms(1500);
    world.link(Dev::A, 1, false);
    assert_eq!(world.members(1), (false, false));
    world.run_ms(1);
    assert_eq!(world.roles(), MASTER_BACKUP);
    assert_eq!(
        (world.members(1), world.members(2)),
        ((false, true), (true, false))
    );
    assert_eq!(world.causations(Dev::A).1, "PEER_MEMBER_UP");
    assert_eq!(world.causations(Dev::B).1, "PEER_MEMBER_DOWN");
    world.run_ms(1000);
    let repaired = world.now;
    world.gate(Dev::B, false);
    world.link(Dev::A, 1, true);
    world.run_until(repaired + Duration::from_secs(200));
    assert_eq!(world.members(1), (false, true), "the gate holds it");
    world.gate(Dev::B, true);
    world.run_ms(2);
    assert_eq!(world.members(1), (true, false));
    world.assert_never_two_masters_since(Instant::ZERO, 1);
    assert_eq!(
        world.member_took(Dev::A, Role::Master),
        world.member_took(Dev::B, Role::Backup) + LATENCY
    );
}

#[test]
fn a_members_revert_waits_for_the_delay() {
    let mut world = World::new(two(config_a()), two(config_b()));
    world.boot(Dev::A);
    world.boot(Dev::B);
    world.run_ms(1500);
    world.link(Dev::A, 1, false);
    world.run_ms(1000);
    let repaired = world.now;
    world.link(Dev::A, 1, true);
    world.run_until(repaired + Duration::from_secs(120));
    assert_eq!(world.members(1), (false, true));
    world.run_ms(3);
    assert_eq!(world.members(1), (true, false));
}

#[test]
fn when_both_lose_their_links_the_better_one_stays_or_becomes_master() {
    let mut world = World::settled();
    world.link(Dev::A, 1, false);
    world.link(Dev::B, 1, false);
    world.run_ms(10);
    assert_eq!(world.roles(), MASTER_BACKUP);
    world.link(Dev::A, 1, true);
    world.link(Dev::B, 1, true);
    world.run_ms(10);
    assert_eq!(world.roles(), MASTER_BACKUP);
    assert_eq!(world.members(1), (true, false));
}

#[test]
fn members_are_matched_by_remote_id() {
    let map = |config: ETrunkConfig, id, remote| ETrunkConfig {
        members: vec![dut_etrunk::MemberConfig {
            eth_trunk: id,
            remote_id: remote,
            work_mode: WorkMode::Auto,
        }],
        ..config
    };
    let mut world = World::new(map(config_a(), 3, 7), map(config_b(), 7, 3));
    world.boot(Dev::A);
    world.boot(Dev::B);
    world.run_ms(1500);
    assert_eq!((world.members(3).0, world.members(7).1), (true, false));
    world.link(Dev::A, 3, false);
    world.run_ms(1);
    assert_eq!((world.members(3).0, world.members(7).1), (false, true));
}
