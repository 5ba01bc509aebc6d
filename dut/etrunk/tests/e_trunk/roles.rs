//! Roles of two E-Trunks in virtual time: link cut, revert, split, ties, modes.

use crate::common::*;
use dut_device::Instant;
use dut_etrunk::{ETrunkConfig, ETrunkEvent, Role, WorkMode};
use std::time::Duration;

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

/// Proves that a device whose link is back before its peer can have answered doesn't take Master
/// again: the peer is taking over.
#[test]
fn a_link_that_is_back_within_the_latency_leaves_the_peer_master() {
    let mut world = World::settled();
    world.link(Dev::A, 1, false);
    world.link(Dev::A, 1, true);
    assert_eq!(world.members(1), (false, false), "it has been told");
    world.run_ms(5000);
    assert_eq!(world.roles(), BACKUP_MASTER);
    world.assert_never_two_masters_since(Instant::ZERO, 1);
    // And the revert delay runs as after a longer cut.
    world.run_ms(120_000);
    assert_eq!(world.roles(), MASTER_BACKUP);
}

/// Proves that a peer which hears only that its Master gave up, and not that its link was gone,
/// takes over: to DeviceC that link is new, and nobody else would serve. And that what it concluded
/// doesn't outlast its own time as Master.
#[test]
fn a_link_that_is_back_before_the_peer_has_heard_of_it_is_the_peers_to_serve() {
    let mut world = World::settled();
    world.a_to_b = false;
    world.link(Dev::A, 1, false);
    world.link(Dev::A, 1, true);
    world.run_ms(1);
    world.a_to_b = true;
    // The next that it hears is the first fast hello.
    world.run_ms(101);
    assert_eq!(world.roles(), BACKUP_MASTER);
    assert_eq!(world.members(1), (false, true));
    assert_eq!(
        texts(world.causations(Dev::B)),
        ["ALL_MEMBER_DOWN", "ETRUNK_MASTER"]
    );
    world.run_ms(125_000);
    assert_eq!(world.roles(), MASTER_BACKUP);
    world.run_ms(5000);
    assert_eq!(world.roles(), MASTER_BACKUP);
    world.assert_never_two_masters_since(Instant::ZERO, 1);
}

/// A hangs for so long while its link goes and comes back; what it says in the 99 ms after waking
/// up, which happens to tell it of its link only after its timers.
fn wakes(hung: Duration, flaps: bool) -> (World, Vec<Role>) {
    let mut world = World::settled();
    let a = world.a.take();
    world.run_until(world.now + hung);
    world.a = a;
    let woke = world.now;
    world.with(Dev::A, |e, now| e.handle_timeout(now));
    if flaps {
        world.link(Dev::A, 1, false);
        world.link(Dev::A, 1, true);
    }
    world.run_ms(99);
    let says = (world.hellos.iter())
        .filter(|(at, dev, _)| *at >= woke && *dev == Dev::A)
        .map(|(_, _, hello)| hello.state)
        .collect();
    (world, says)
}

/// Proves that a device which stood still until its peer gave it up doesn't say first of all that
/// it is Master, so that the peer, which serves, goes on; and that it is held back no longer than
/// 100 ms, and not at all when it can't have been given up.
#[test]
fn a_device_that_was_given_up_tells_what_it_missed_first() {
    let (mut world, says) = wakes(Duration::from_secs(25), true);
    assert_eq!(says, [Role::Backup; 2]);
    world.run_ms(5000);
    assert_eq!(world.roles(), BACKUP_MASTER);
    let served = world.member_took(Dev::B, Role::Master);
    assert!(
        served < Instant::ZERO + Duration::from_secs(25),
        "and never lost"
    );
    // Nothing to tell: it says what it is, and the worse of two Masters yields.
    let (mut world, says) = wakes(Duration::from_secs(25), false);
    assert_eq!(says, []);
    assert_eq!(world.roles(), (Role::Master, Role::Master));
    world.run_ms(2);
    assert_eq!(world.roles(), MASTER_BACKUP);
    let (world, says) = wakes(Duration::from_secs(15), false);
    assert_eq!(says, [Role::Master]);
    assert_eq!(world.roles(), MASTER_BACKUP);
}

/// Proves that a Backup which stood still for longer than the fail-time doesn't take its own
/// silence for the peer's, and that silence after it counts in full.
#[test]
fn time_in_which_a_device_stood_still_is_no_silence_of_its_peer() {
    let mut world = World::settled();
    let hung = world.b.take();
    world.run_ms(25_000);
    world.b = hung;
    world.with(Dev::B, |e, now| e.handle_timeout(now));
    // It wakes up, and the peer that goes on being silent fails when its fail-time has run.
    let silent = world.now + Duration::from_secs(20);
    world.a_to_b = false;
    world.run_ms(18_000);
    assert_eq!(world.roles(), MASTER_BACKUP);
    world.run_until(silent);
    assert_eq!(world.roles().1, Role::Master);
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
