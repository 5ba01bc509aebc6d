//! Switchover, restart, split and merge.

use crate::common::{Dev, ID, World, config_a, config_b, exclude, include, source};
use dut_rbs::{Role, SessionConfig};
use dut_wire::rbs::Body;
use std::time::Duration;

/// A Master with two groups, B in step.
fn two_groups() -> World {
    let mut world = World::settled();
    world.upsert(Dev::A, include("ff3e::1", &[("2001:db8::1", 260_000)]));
    world.upsert(Dev::A, exclude("ff3e::2", 260_000, &[]));
    world.run_ms(50);
    assert!(world.synchronized());
    world
}

/// The roles change hands as at a revert: break before make.
fn hand_over(world: &mut World, from: Dev) {
    world.role(from, false);
    world.run_ms(1);
    world.role(from.other(), true);
    world.run_ms(100);
}

#[test]
fn a_handed_over_table_stays_equal_and_the_new_masters_changes_go_back() {
    let mut world = two_groups();
    hand_over(&mut world, Dev::A);
    assert!(world.synchronized());
    world.assert_equal();
    world.upsert(Dev::B, include("ff3e::1", &[("2001:db8::2", 260_000)]));
    world.upsert(Dev::B, include("ff3e::3", &[("2001:db8::2", 260_000)]));
    world.run_ms(1);
    assert_eq!(world.groups(Dev::A), ["ff3e::1", "ff3e::2", "ff3e::3"]);
    assert_eq!(
        world.entry(Dev::A, "ff3e::1").unwrap().sources,
        [source("2001:db8::2", 260_000)]
    );
    world.run_ms(50);
    assert!(world.synchronized());
    // And back: what B made stays, in its last version.
    hand_over(&mut world, Dev::B);
    assert!(world.synchronized());
    world.assert_equal();
    assert_eq!(world.groups(Dev::A), ["ff3e::1", "ff3e::2", "ff3e::3"]);
}

#[test]
fn a_new_master_deletes_an_entry_of_the_old_ones_origin() {
    let mut world = two_groups();
    hand_over(&mut world, Dev::A);
    let from = world.now;
    world.delete(Dev::B, "ff3e::1");
    world.run_ms(50);
    // First made its own, then deleted: the tombstone is of the entry's origin.
    assert_eq!(world.sent(Dev::B, from), ["UPSERT", "DELETE"]);
    assert_eq!(world.groups(Dev::A), ["ff3e::2"]);
    assert!(world.synchronized());
    world.assert_equal();
}

#[test]
fn a_boot_epoch_above_the_other_devices_does_not_let_old_versions_win() {
    // A's versions compare greater than B's by (epoch, sequence); the master's word still counts.
    let old = SessionConfig {
        boot_epoch: 9,
        ..config_a()
    };
    let mut world = World::new(old, config_b());
    world.with(Dev::B, |s, now| s.start(now));
    world.with(Dev::A, |s, now| s.start(now));
    world.role(Dev::A, true);
    world.run_ms(100);
    world.upsert(Dev::A, include("ff3e::1", &[("2001:db8::1", 260_000)]));
    world.run_ms(50);
    hand_over(&mut world, Dev::A);
    world.upsert(Dev::B, include("ff3e::1", &[("2001:db8::2", 260_000)]));
    world.run_ms(50);
    assert_eq!(world.entry(Dev::A, "ff3e::1").unwrap().sources.len(), 1);
    world.assert_equal();
    assert!(world.synchronized());
}

#[test]
fn an_old_version_does_not_win_over_what_was_made_from_it() {
    // A, of the higher boot epoch, makes an entry; B takes over and changes it unheard.
    let old = SessionConfig {
        boot_epoch: 9,
        ..config_a()
    };
    let mut world = World::new(old, config_b());
    world.with(Dev::B, |s, now| s.start(now));
    world.with(Dev::A, |s, now| s.start(now));
    world.role(Dev::A, true);
    world.run_ms(100);
    world.upsert(Dev::A, include("ff3e::1", &[("2001:db8::1", 260_000)]));
    world.run_ms(50);
    hand_over(&mut world, Dev::A);
    world.path = false;
    world.upsert(Dev::B, include("ff3e::1", &[("2001:db8::2", 260_000)]));
    world.reset();
    world.path = true;
    world.run_ms(5000);
    assert!(world.synchronized());
    world.assert_equal();
    let sources = world.entry(Dev::B, "ff3e::1").unwrap().sources;
    assert_eq!(sources[0].source, source("2001:db8::2", 1).source);
}

/// Proves that a master which becomes slave forgets what it couldn't tell a peer that was master
/// too: else it would never be in step again, and a revert's gate never open.
#[test]
fn what_could_not_be_told_beside_another_master_does_not_keep_a_slave_out_of_step() {
    let meets = |alone: &str| {
        let mut world = two_groups();
        world.role(Dev::B, true);
        world.run_ms(50);
        world.upsert(Dev::A, include(alone, &[("2001:db8::1", 250_000)]));
        world.run_ms(50);
        assert_eq!(world.groups(Dev::B), ["ff3e::1", "ff3e::2"]);
        world.role(Dev::A, false);
        world.run_ms(5000);
        assert!(world.synchronized());
        world.assert_equal();
        world.groups(Dev::B)
    };
    // Only the times differ, which no digest shows.
    assert_eq!(meets("ff3e::1"), ["ff3e::1", "ff3e::2"]);
    // What A alone has heard isn't lost: the digests differ, and the master asks.
    assert_eq!(meets("ff3e::3"), ["ff3e::1", "ff3e::2", "ff3e::3"]);
}

#[test]
fn a_takeover_after_the_masters_crash_keeps_the_table() {
    let mut world = two_groups();
    world.crash(Dev::A);
    world.with(Dev::B, |s, now| s.handle_closed(now));
    world.run_ms(5000);
    world.role(Dev::B, true);
    assert_eq!(world.groups(Dev::B), ["ff3e::1", "ff3e::2"]);
    assert!(!world.session(Dev::B).synchronized(ID));
}

/// A, restarted.
fn restarted_a() -> SessionConfig {
    SessionConfig {
        boot_epoch: 2,
        ..config_a()
    }
}

#[test]
fn a_restarted_slave_gets_the_table_and_sweeps_nothing() {
    let mut world = two_groups();
    world.crash(Dev::A);
    world.with(Dev::B, |s, now| s.handle_closed(now));
    world.role(Dev::B, true);
    world.run_ms(20_000);
    let from = world.now;
    world.boot(Dev::A, restarted_a());
    world.run_ms(100);
    assert_eq!(world.groups(Dev::A), ["ff3e::1", "ff3e::2"]);
    assert!(world.synchronized());
    world.assert_equal();
    assert_eq!(
        world.sent(Dev::A, from),
        ["OPEN", "OPEN_ACK", "SYNC_REQ", "ROLE"]
    );
    let open = world
        .frames
        .iter()
        .rev()
        .find_map(|(_, dev, frame)| match &frame.body {
            Body::Open(open) if *dev == Dev::A => Some(open),
            _ => None,
        });
    assert_eq!(open.unwrap().profiles[0].role, Role::Init);
}

#[test]
fn a_restarted_master_first_fetches_then_gives_and_nobody_loses_an_entry() {
    // The restart is so quick that the election makes A Master again at once, with an empty table.
    let mut world = two_groups();
    world.crash(Dev::A);
    world.with(Dev::B, |s, now| s.handle_closed(now));
    world.run_ms(2000);
    let from = world.now;
    world.boot(Dev::A, restarted_a());
    world.role(Dev::A, true);
    world.upsert(Dev::A, include("ff3e::3", &[("2001:db8::3", 260_000)]));
    world.run_ms(200);
    assert_eq!(world.groups(Dev::A), ["ff3e::1", "ff3e::2", "ff3e::3"]);
    assert_eq!(world.groups(Dev::B), ["ff3e::1", "ff3e::2", "ff3e::3"]);
    assert!(world.synchronized());
    world.assert_equal();
    // Its own batch comes after the end of B's.
    let begins: Vec<Dev> = world
        .frames
        .iter()
        .filter(|(at, _, frame)| *at >= from && matches!(frame.body, Body::SyncBegin { .. }))
        .map(|(_, dev, _)| *dev)
        .collect();
    assert_eq!(begins, [Dev::B, Dev::A]);
}

#[test]
fn two_restarted_devices_do_not_wait_for_each_other() {
    let mut world = World::new(
        restarted_a(),
        SessionConfig {
            boot_epoch: 5,
            ..config_b()
        },
    );
    world.with(Dev::B, |s, now| s.start(now));
    world.with(Dev::A, |s, now| s.start(now));
    world.role(Dev::A, true);
    world.upsert(Dev::A, include("ff3e::3", &[("2001:db8::3", 260_000)]));
    world.run_ms(100);
    assert!(world.synchronized());
    world.assert_equal();
    assert_eq!(world.groups(Dev::B), ["ff3e::3"]);
}

#[test]
fn after_a_split_the_entries_of_both_survive_and_the_tables_are_equal_within_5_s() {
    let mut world = two_groups();
    world.path = false;
    world.run_ms(20_000);
    world.role(Dev::B, true);
    world.upsert(Dev::A, include("ff3e::a", &[("2001:db8::1", 260_000)]));
    world.upsert(Dev::B, include("ff3e::b", &[("2001:db8::1", 260_000)]));
    world.upsert(Dev::A, include("ff3e::1", &[("2001:db8::a", 260_000)]));
    world.upsert(Dev::B, exclude("ff3e::2", 260_000, &[("2001:db8::b", 0)]));
    world.run_ms(20_000);
    // Healing: B yields by election, hellos are heard again.
    world.path = true;
    world.role(Dev::B, false);
    world.with(Dev::A, |s, now| s.retry_now(now));
    world.run_ms(5000);
    assert!(world.synchronized());
    world.assert_equal();
    assert_eq!(
        world.groups(Dev::A),
        ["ff3e::1", "ff3e::2", "ff3e::a", "ff3e::b"]
    );
    // Changed by one side only: that version. A deleted nothing of B's, B nothing of A's.
    assert_eq!(world.entry(Dev::A, "ff3e::1").unwrap().sources.len(), 1);
    assert_eq!(world.entry(Dev::B, "ff3e::2").unwrap().sources.len(), 1);
}

#[test]
fn a_conflict_after_a_split_goes_to_the_greater_version() {
    // (A's boot epoch, B's boot epoch, whose sources win).
    for (a, b, winner) in [(1, 4, "2001:db8::b"), (4, 1, "2001:db8::a")] {
        let mut world = World::new(
            SessionConfig {
                boot_epoch: a,
                ..config_a()
            },
            SessionConfig {
                boot_epoch: b,
                ..config_b()
            },
        );
        world.role(Dev::A, true);
        world.role(Dev::B, true);
        world.upsert(Dev::A, include("ff3e::1", &[("2001:db8::a", 260_000)]));
        world.upsert(Dev::B, include("ff3e::1", &[("2001:db8::b", 260_000)]));
        world.role(Dev::B, false);
        world.with(Dev::B, |s, now| s.start(now));
        world.with(Dev::A, |s, now| s.start(now));
        world.run_ms(5000);
        world.assert_equal();
        let sources = world.entry(Dev::A, "ff3e::1").unwrap().sources;
        assert_eq!(sources.len(), 1);
        assert_eq!(sources[0].source.to_string(), winner);
        assert!(world.synchronized());
        // Settled by one question of the master at most, within a few round trips.
        let sent = world.sent(Dev::A, dut_device::Instant::ZERO);
        assert!(sent.iter().filter(|name| **name == "SYNC_REQ").count() <= 1);
        let last = world
            .frames
            .iter()
            .rfind(|(_, _, frame)| frame.body.is_data());
        assert!(last.unwrap().0 < dut_device::Instant::from_millis(100));
    }
}

#[test]
fn deletes_of_one_side_of_a_split_do_not_reach_the_others_entries() {
    let mut world = two_groups();
    hand_over(&mut world, Dev::A);
    world.upsert(Dev::B, include("ff3e::b", &[("2001:db8::1", 260_000)]));
    world.run_ms(50);
    assert!(world.synchronized());
    world.path = false;
    world.run_ms(16_000);
    // A becomes Master too and ends an entry that B made and still serves.
    world.role(Dev::A, true);
    world.delete(Dev::A, "ff3e::b");
    world.path = true;
    world.role(Dev::A, false);
    world.run_ms(40_000);
    assert!(world.synchronized());
    assert!(world.groups(Dev::A).contains(&"ff3e::b".to_owned()));
    world.assert_equal();
}

/// A Master, B in step; B made `ff3e::b` when it was master itself.
fn made_by_b() -> World {
    let mut world = two_groups();
    hand_over(&mut world, Dev::A);
    world.upsert(Dev::B, include("ff3e::b", &[("2001:db8::1", 260_000)]));
    world.run_ms(50);
    hand_over(&mut world, Dev::B);
    assert!(world.synchronized());
    world
}

#[test]
fn what_its_origin_deleted_during_a_split_does_not_come_back() {
    // (who stays Master) and (whose entry ends, at its origin).
    for stays in [Dev::A, Dev::B] {
        for (origin, group) in [(Dev::A, "ff3e::1"), (Dev::B, "ff3e::b")] {
            let mut world = made_by_b();
            world.path = false;
            world.run_ms(20_000);
            world.role(Dev::B, true);
            world.delete(origin, group);
            world.run_ms(1000);
            world.path = true;
            world.role(stays.other(), false);
            world.with(Dev::A, |s, now| s.retry_now(now));
            world.run_ms(5000);
            assert!(world.synchronized(), "{stays:?} {group}");
            world.assert_equal();
            assert_eq!(world.groups(Dev::A).len(), 2, "{stays:?} {group}");
            assert!(!world.groups(Dev::A).contains(&group.to_owned()));
        }
    }
}

#[test]
fn two_masters_on_a_living_channel_hold_back_until_one_yields() {
    let mut world = two_groups();
    world.role(Dev::B, true);
    world.run_ms(10);
    world.upsert(Dev::A, include("ff3e::a", &[("2001:db8::1", 260_000)]));
    world.upsert(Dev::B, include("ff3e::b", &[("2001:db8::1", 260_000)]));
    world.run_ms(2000);
    assert!(world.connected(), "no storm, no end");
    assert!(!world.synchronized());
    assert!(!world.groups(Dev::B).contains(&"ff3e::a".to_owned()));
    let sent = world.frames.len();
    world.run_ms(5000);
    assert!(world.frames.len() - sent < 20, "keepalives only");
    world.role(Dev::B, false);
    world.run_ms(1000);
    assert!(world.synchronized());
    world.assert_equal();
    assert_eq!(
        world.groups(Dev::A),
        ["ff3e::1", "ff3e::2", "ff3e::a", "ff3e::b"]
    );
}

#[test]
fn the_last_words_of_an_old_master_count_although_the_roles_have_changed() {
    // A's link is cut: it yields at once, B has heard so by a hello before A's frames come.
    let mut world = two_groups();
    world.upsert(Dev::A, include("ff3e::3", &[("2001:db8::1", 260_000)]));
    world.delete(Dev::A, "ff3e::1");
    world.role(Dev::A, false);
    world.role(Dev::B, true);
    world.run_ms(1000);
    assert!(world.synchronized());
    world.assert_equal();
    assert_eq!(world.groups(Dev::B), ["ff3e::2", "ff3e::3"]);
}

#[test]
fn a_slave_alone_offers_nothing_and_waits_for_a_master() {
    let mut world = World::new(config_a(), config_b());
    world.with(Dev::B, |s, now| s.start(now));
    world.with(Dev::A, |s, now| s.start(now));
    world.run_ms(3000);
    assert!(world.connected());
    assert_eq!(
        world.sent(Dev::B, dut_device::Instant::ZERO),
        ["OPEN", "OPEN_ACK"]
    );
    world.role(Dev::A, true);
    let from = world.now;
    world.run_ms(50);
    assert_eq!(world.sent(Dev::A, from), ["ROLE", "SYNC_BEGIN", "SYNC_END"]);
    assert!(world.synchronized());
}

#[test]
fn a_difference_that_only_the_digests_show_is_mended_by_a_new_batch() {
    let mut world = two_groups();
    // B's copy is damaged: it takes a record that A never sent.
    let mut foreign = dut_wire::rbs::Frame {
        session_epoch: 1,
        message_id: 0,
        backup_id: ID,
        service: dut_rbs::Service::Mld,
        body: Body::Keepalive,
    };
    // The id that A's next frame would have; A's own next one then ends the session.
    let last = world
        .frames
        .iter()
        .rev()
        .find(|(_, dev, _)| *dev == Dev::A)
        .unwrap();
    foreign.message_id = last.2.message_id + 1;
    let record = dut_wire::rbs::GroupRecord {
        eth_trunk: 1,
        group: "ff3e::dead".parse().unwrap(),
        filter_mode: dut_rbs::FilterMode::Exclude,
        query_count: 0,
        version: dut_wire::rbs::Version {
            epoch: 1,
            sequence: 99,
            origin: config_a().origin.0,
        },
        filter_timer_ms: 260_000,
        v1_host_ms: 0,
        query_due_ms: 0,
        last_reporter: std::net::Ipv6Addr::UNSPECIFIED,
        sources: std::collections::BTreeMap::new(),
    };
    foreign.body = Body::Upsert {
        generation: 0,
        records: vec![dut_wire::rbs::Record::Group(record)],
    };
    world.inject(Dev::A, &foreign.to_vec());
    assert_eq!(world.groups(Dev::B).len(), 3);
    world.run_ms(10_000);
    assert!(world.synchronized());
    world.assert_equal();
    assert_eq!(world.groups(Dev::B), ["ff3e::1", "ff3e::2"]);
    assert!(world.now > dut_device::Instant::ZERO + Duration::from_secs(10));
}
