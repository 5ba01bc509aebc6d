//! Opening, batch, real-time changes, timers, loss of the channel, reconnection.

use crate::common::{Dev, ID, LATENCY, World, config_a, config_b, exclude, include, ip, source};
use dut_device::Instant;
use dut_rbs::{
    Command, FilterMode, GoodbyeCause, InterfaceState, RbsEvent, Session, SessionConfig,
};
use dut_wire::rbs::{Body, Record};
use std::time::Duration;

#[test]
fn the_lower_address_connects_the_other_listens_and_listens_on() {
    let mut a = Session::new(config_a());
    let mut b = Session::new(config_b());
    a.start(Instant::ZERO);
    b.start(Instant::ZERO);
    assert_eq!(a.poll_command(), Some(Command::Connect));
    assert_eq!(b.poll_command(), Some(Command::Listen));
    assert_eq!((a.poll_command(), b.poll_command()), (None, None));
    assert_eq!(a.snapshot(Instant::ZERO).0.tcp_state, "connecting");
    assert_eq!(b.snapshot(Instant::ZERO).0.tcp_state, "listening");
    b.handle_connected(Instant::ZERO);
    assert_eq!(
        b.poll_command(),
        Some(Command::Listen),
        "beside the connected one"
    );
    assert!(matches!(b.poll_command(), Some(Command::Send(_))));
}

#[test]
fn both_open_answer_and_the_slave_asks_for_the_batch() {
    let world = World::settled();
    assert!(world.connected());
    assert_eq!(
        world.sent(Dev::A, Instant::ZERO),
        ["OPEN", "OPEN_ACK", "SYNC_BEGIN", "SYNC_END"]
    );
    assert_eq!(
        world.sent(Dev::B, Instant::ZERO),
        ["OPEN", "OPEN_ACK", "SYNC_REQ"]
    );
    let (service, profiles) = world.session(Dev::A).snapshot(world.now);
    assert_eq!(service.tcp_state, "connected");
    assert_eq!(service.last_up_s, Some(1_622_258_460));
    assert!(profiles[0].master && profiles[0].synchronized);
    // SHA-256 of nothing: the digest of an empty table.
    assert!(profiles[0].digest.starts_with("e3b0c44298fc1c14"));
    for (number, (_, _, frame)) in (1..).zip(world.frames.iter().filter(|f| f.1 == Dev::A)) {
        assert_eq!(frame.message_id, number);
        assert_eq!(frame.session_epoch, 1);
    }
}

#[test]
fn a_batch_carries_what_was_there_before() {
    let mut world = World::new(config_a(), config_b());
    world.role(Dev::A, true);
    world.upsert(Dev::A, include("ff3e::1", &[("2001:db8::1", 260_000)]));
    world.upsert(Dev::A, exclude("ff3e::2", 260_000, &[("2001:db8::9", 0)]));
    world.with(Dev::B, |s, now| s.start(now));
    world.with(Dev::A, |s, now| s.start(now));
    world.run_ms(100);
    assert!(world.synchronized());
    world.assert_equal();
    assert_eq!(world.groups(Dev::B), ["ff3e::1", "ff3e::2"]);
    let batch: Vec<_> = world
        .frames
        .iter()
        .filter_map(|(_, _, frame)| match &frame.body {
            Body::SyncBegin { generation, count } => Some((*generation, *count)),
            Body::Upsert {
                generation,
                records,
            } => Some((*generation, u32::try_from(records.len()).unwrap())),
            Body::SyncEnd {
                generation, count, ..
            } => Some((*generation, *count)),
            _ => None,
        })
        .collect();
    assert_eq!(batch, [(1, 2), (1, 2), (1, 2)]);
}

#[test]
fn a_change_reaches_the_slave_after_one_latency() {
    let mut world = World::settled();
    let at = world.now;
    world.upsert(Dev::A, include("ff3e::1", &[("2001:db8::1", 260_000)]));
    assert!(!world.session(Dev::A).synchronized(ID), "unacknowledged");
    world.run_ms(1);
    assert_eq!(world.groups(Dev::B), ["ff3e::1"]);
    let upserted = RbsEvent::Upserted {
        backup_id: ID,
        eth_trunk: 1,
        group: ip("ff3e::1"),
    };
    assert!(world.events.contains(&(at + LATENCY, Dev::B, upserted)));
    // Acknowledged within 10 ms, digests exchanged after that.
    world.run_ms(13);
    assert!(world.synchronized());
    let acked = world.frames.iter().find(|(t, dev, frame)| {
        *t > at && *dev == Dev::B && matches!(frame.body, Body::Ack { .. })
    });
    assert!(acked.unwrap().0 <= at + LATENCY + Duration::from_millis(10));
    // Nothing that only refreshes may be late either: 50 ms and the latency.
    let refresh = include("ff3e::1", &[("2001:db8::1", 250_000)]);
    let at = world.now;
    world.with(Dev::A, |s, now| s.upsert(now, ID, refresh, false));
    world.run_ms(51);
    let sent = world
        .frames
        .iter()
        .rev()
        .find(|(_, dev, frame)| *dev == Dev::A && matches!(frame.body, Body::Upsert { .. }));
    let sent = sent.unwrap().0;
    assert!(sent > at && sent <= at + Duration::from_millis(20));
    assert!(world.synchronized());
}

#[test]
fn refreshes_within_the_window_leave_in_one_frame() {
    let mut world = World::settled();
    for n in 1..=5 {
        world.upsert(
            Dev::A,
            include(&format!("ff3e::{n}"), &[("2001:db8::1", 260_000)]),
        );
    }
    world.run_ms(100);
    let from = world.now;
    for n in 1..=5 {
        let entry = include(&format!("ff3e::{n}"), &[("2001:db8::1", 200_000)]);
        world.with(Dev::A, |s, now| s.upsert(now, ID, entry, false));
        world.run_ms(2);
    }
    world.run_ms(50);
    assert_eq!(world.sent(Dev::A, from), ["UPSERT"]);
    // A changed source is no refresh, whatever the caller says.
    let from = world.now;
    let entry = include("ff3e::1", &[("2001:db8::2", 200_000)]);
    world.with(Dev::A, |s, now| s.upsert(now, ID, entry, false));
    world.run_ms(1);
    assert_eq!(world.sent(Dev::A, from), ["UPSERT"]);
    world.assert_equal();
}

#[test]
fn a_deletion_reaches_the_slave_after_one_latency() {
    let mut world = World::settled();
    world.upsert(Dev::A, include("ff3e::1", &[("2001:db8::1", 260_000)]));
    world.run_ms(50);
    let at = world.now;
    world.delete(Dev::A, "ff3e::1");
    world.run_ms(1);
    assert!(world.groups(Dev::B).is_empty());
    let deleted = RbsEvent::Deleted {
        backup_id: ID,
        eth_trunk: 1,
        group: ip("ff3e::1"),
    };
    assert!(world.events.contains(&(at + LATENCY, Dev::B, deleted)));
    world.run_ms(50);
    assert!(world.synchronized());
    assert_eq!(world.sent(Dev::A, at), ["DELETE"]);
}

#[test]
fn every_field_of_an_entry_arrives_with_what_remains() {
    let mut world = World::settled();
    let mut entry = exclude(
        "ff3e::1",
        260_000,
        &[("2001:db8::1", 1000), ("2001:db8::9", 0)],
    );
    entry.v1_host_timer = Duration::from_millis(5000);
    entry.query_count = 2;
    entry.query_due = Duration::from_millis(1000);
    entry.sources[0].query_count = 1;
    world.upsert(Dev::A, entry);
    world.run_ms(101);
    // 1 ms on the way, 100 ms on the slave; the path's millisecond is not taken off.
    let heard = world.entry(Dev::B, "ff3e::1").unwrap();
    assert_eq!(heard.filter_mode, FilterMode::Exclude);
    assert_eq!(heard.filter_timer, Duration::from_millis(259_900));
    assert_eq!(heard.v1_host_timer, Duration::from_millis(4900));
    assert_eq!(
        (heard.query_count, heard.query_due),
        (2, Duration::from_millis(900))
    );
    let mut running = source("2001:db8::1", 900);
    running.query_count = 1;
    assert_eq!(heard.sources, [running, source("2001:db8::9", 0)]);
    assert_eq!(heard.last_reporter, Some(ip("fe80::1")));
    let said = world.entry(Dev::A, "ff3e::1").unwrap();
    assert_eq!(said.filter_timer, Duration::from_millis(259_899));
}

#[test]
fn the_slave_lets_timers_run_out_but_deletes_nothing_while_connected() {
    let mut world = World::settled();
    world.upsert(Dev::A, include("ff3e::1", &[("2001:db8::1", 2000)]));
    world.run_ms(60_000);
    let heard = world.entry(Dev::B, "ff3e::1").unwrap();
    assert_eq!(
        heard.sources,
        [source("2001:db8::1", 1)],
        "still requested, at its end"
    );
    assert!(world.synchronized());
    world.assert_equal();
}

#[test]
fn the_interface_record_arrives() {
    let mut world = World::settled();
    let state = InterfaceState {
        eth_trunk: 1,
        querier: Some(ip("fe80::5")),
        other_querier_present: Duration::from_secs(255),
        general_query_due: Duration::ZERO,
    };
    world.with(Dev::A, |s, now| s.set_interface(now, ID, state));
    world.run_ms(1001);
    let heard = world.session(Dev::B).interface(world.now, ID).unwrap();
    assert_eq!(heard.querier, Some(ip("fe80::5")));
    assert_eq!(heard.other_querier_present, Duration::from_secs(254));
    assert_eq!(heard.general_query_due, Duration::ZERO);
    assert!(world.synchronized());
    // And in a batch.
    world.reset();
    world.run_ms(3000);
    assert!(world.synchronized());
    let records = world
        .frames
        .iter()
        .rev()
        .find_map(|(_, dev, frame)| match &frame.body {
            Body::Upsert {
                records,
                generation,
            } if *dev == Dev::A && *generation > 0 => Some(records),
            _ => None,
        });
    assert!(matches!(records.unwrap()[..], [Record::Interface(_)]));
}

#[test]
fn keepalives_keep_an_idle_session_and_digests_come_every_ten_seconds() {
    let mut world = World::settled();
    let from = world.now;
    world.run_ms(60_000);
    assert!(world.synchronized());
    let sent = |kind: &str| {
        let frames = world
            .frames
            .iter()
            .filter(|(at, dev, frame)| *at >= from && *dev == Dev::B && frame.body.name() == kind);
        frames.count()
    };
    assert!((5..=6).contains(&sent("DIGEST")));
    assert!((50..=60).contains(&sent("KEEPALIVE")));
}

#[test]
fn silence_for_the_hold_time_ends_the_session_with_notify_6() {
    let mut world = World::settled();
    let cut = world.now;
    world.path = false;
    world.run_ms(14_000);
    assert!(world.connected());
    world.run_ms(1500);
    assert!(!world.session(Dev::A).is_connected() && !world.session(Dev::B).is_connected());
    assert_eq!(world.errors(Dev::A, "hold_time_expired"), 1);
    assert_eq!(world.sent(Dev::B, cut).last(), Some(&"NOTIFY"));
    let (service, _) = world.session(Dev::B).snapshot(world.now);
    assert_eq!(service.last_down_s, Some(1_622_258_460 + 15));
    assert_eq!(service.tcp_state, "listening");
}

#[test]
fn the_smaller_hold_time_of_both_counts() {
    let short = SessionConfig {
        keepalive: Duration::from_millis(300),
        hold: Duration::from_millis(900),
        ..config_b()
    };
    let mut world = World::new(config_a(), short);
    world.with(Dev::B, |s, now| s.start(now));
    world.with(Dev::A, |s, now| s.start(now));
    world.run_ms(10_000);
    assert!(
        world.connected(),
        "A sends its keepalives thrice in the shorter time"
    );
    assert_eq!(world.sent(Dev::A, Instant::ZERO), ["OPEN", "OPEN_ACK"]);
    world.path = false;
    world.run_ms(1000);
    assert!(!world.session(Dev::A).is_connected());
}

#[test]
fn attempts_are_repeated_after_1_2_4_to_30_seconds_with_a_tenth_of_jitter() {
    let mut a = Session::new(config_a());
    a.start(Instant::ZERO);
    assert_eq!(a.poll_command(), Some(Command::Connect));
    let mut now = Instant::ZERO;
    for expected_ms in [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000_u64] {
        a.handle_closed(now);
        let next = a.next_timeout().unwrap();
        let waited = u64::try_from(next.since(now).as_millis()).unwrap();
        let tenth = expected_ms / 10;
        assert!(
            waited >= expected_ms - tenth && waited <= expected_ms + tenth,
            "{waited}"
        );
        now = next;
        a.handle_timeout(now);
        assert_eq!(a.poll_command(), Some(Command::Connect));
    }
    // Same seed, same jitter; another seed, another.
    let waited = |seed| {
        let mut a = Session::new(SessionConfig { seed, ..config_a() });
        a.start(Instant::ZERO);
        a.handle_closed(Instant::ZERO);
        a.next_timeout()
    };
    assert_eq!(waited(1), waited(1));
    assert_ne!(waited(1), waited(2));
}

#[test]
fn a_connected_session_resets_the_back_off_and_retry_now_cuts_it() {
    let mut world = World::settled();
    world.path = false;
    world.run_ms(60_000);
    world.path = true;
    world.with(Dev::A, |s, now| s.retry_now(now));
    world.run_ms(100);
    assert!(world.synchronized());
    let from = world.now;
    world.reset();
    world.run_until(from + Duration::from_millis(1200));
    assert!(world.synchronized(), "the first delay again");
}

#[test]
fn an_attempt_that_hangs_is_given_up() {
    let mut a = Session::new(config_a());
    a.start(Instant::ZERO);
    a.poll_command();
    let at = a.next_timeout().unwrap();
    a.handle_timeout(at);
    assert_eq!(a.poll_command(), Some(Command::Abort));
    assert!(a.next_timeout().unwrap() > at);
}

#[test]
fn after_a_tcp_reset_the_batch_brings_what_was_missed_and_sweeps_what_is_gone() {
    let mut world = World::settled();
    world.upsert(Dev::A, include("ff3e::1", &[("2001:db8::1", 260_000)]));
    world.upsert(Dev::A, include("ff3e::2", &[("2001:db8::1", 260_000)]));
    world.run_ms(50);
    world.path = false;
    world.reset();
    world.delete(Dev::A, "ff3e::1");
    world.upsert(Dev::A, include("ff3e::3", &[("2001:db8::1", 260_000)]));
    world.upsert(Dev::A, include("ff3e::2", &[("2001:db8::7", 260_000)]));
    assert_eq!(
        world.groups(Dev::B),
        ["ff3e::1", "ff3e::2"],
        "kept meanwhile"
    );
    world.path = true;
    world.run_ms(5000);
    assert!(world.synchronized());
    assert_eq!(world.groups(Dev::B), ["ff3e::2", "ff3e::3"]);
    world.assert_equal();
    assert_eq!(world.down_reason(Dev::A), "TCP closed by peer.");
}

#[test]
fn without_the_channel_entries_age_out_by_their_own_timers() {
    let mut world = World::settled();
    world.upsert(
        Dev::A,
        include(
            "ff3e::1",
            &[("2001:db8::1", 10_000), ("2001:db8::2", 30_000)],
        ),
    );
    world.upsert(
        Dev::A,
        exclude(
            "ff3e::2",
            10_000,
            &[("2001:db8::1", 20_000), ("2001:db8::9", 0)],
        ),
    );
    world.run_ms(50);
    world.crash(Dev::A);
    world.with(Dev::B, |s, now| s.handle_closed(now));
    world.run_ms(9000);
    assert_eq!(world.groups(Dev::B), ["ff3e::1", "ff3e::2"]);
    world.run_ms(2000);
    let first = world.entry(Dev::B, "ff3e::1").unwrap();
    assert_eq!(first.sources.len(), 1);
    let second = world.entry(Dev::B, "ff3e::2").unwrap();
    assert_eq!(
        second.filter_mode,
        FilterMode::Include,
        "what is still requested"
    );
    assert_eq!(second.sources.len(), 1);
    world.run_ms(10_000);
    assert_eq!(world.groups(Dev::B), ["ff3e::1"]);
    world.run_ms(10_000);
    assert!(world.groups(Dev::B).is_empty());
    let deleted = world
        .events
        .iter()
        .filter(|(_, _, e)| matches!(e, RbsEvent::Deleted { .. }));
    assert_eq!(deleted.count(), 2);
}

#[test]
fn without_the_channel_nothing_is_kept_longer_than_a_group_membership_interval() {
    let mut world = World::settled();
    world.upsert(Dev::A, exclude("ff3e::2", 3_600_000, &[]));
    world.run_ms(50);
    world.crash(Dev::A);
    world.with(Dev::B, |s, now| s.handle_closed(now));
    world.run_ms(259_900);
    assert_eq!(world.groups(Dev::B), ["ff3e::2"]);
    world.run_ms(200);
    assert!(world.groups(Dev::B).is_empty());
}

#[test]
fn a_master_without_the_channel_keeps_what_its_mld_has_not_ended() {
    let mut world = World::settled();
    world.upsert(Dev::A, include("ff3e::1", &[("2001:db8::1", 1000)]));
    world.crash(Dev::B);
    world.with(Dev::A, |s, now| s.handle_closed(now));
    world.run_ms(400_000);
    assert_eq!(world.groups(Dev::A), ["ff3e::1"]);
}

#[test]
fn a_goodbye_ends_both_sides() {
    let mut world = World::settled();
    world.with(Dev::A, |s, now| s.stop(now, GoodbyeCause::Administrative));
    world.run_ms(10);
    assert!(!world.session(Dev::B).is_connected());
    assert_eq!(
        world.session(Dev::A).snapshot(world.now).0.tcp_state,
        "init"
    );
    assert_eq!(world.session(Dev::A).next_timeout(), None);
    assert_eq!(
        world.down_reason(Dev::B),
        "TCP closed by goodbye of the peer."
    );
    world.with(Dev::A, |s, now| s.start(now));
    world.run_ms(100);
    assert!(world.synchronized());
}

#[test]
fn a_peer_that_connects_again_replaces_its_old_connection() {
    let mut world = World::settled();
    world.upsert(Dev::A, include("ff3e::1", &[("2001:db8::1", 260_000)]));
    world.run_ms(50);
    // A forgets the connection without a word; B's listener still stands.
    world.crash(Dev::A);
    let again = SessionConfig {
        boot_epoch: 2,
        ..config_a()
    };
    world.boot(Dev::A, again);
    world.run_ms(100);
    assert!(world.connected());
}

#[test]
fn a_second_connection_told_without_the_end_of_the_first_aborts_the_first() {
    let mut b = Session::new(config_b());
    b.start(Instant::ZERO);
    b.handle_connected(Instant::ZERO);
    while b.poll_command().is_some() {}
    b.handle_connected(Instant::from_millis(5));
    assert_eq!(b.poll_command(), Some(Command::Abort));
    assert_eq!(b.poll_command(), Some(Command::Listen));
    assert!(matches!(b.poll_command(), Some(Command::Send(_))));
    assert_eq!(b.poll_command(), None);
}

#[test]
fn a_large_table_passes_with_bounded_frames_and_window() {
    let mut world = World::new(config_a(), config_b());
    world.role(Dev::A, true);
    for n in 0..20_000_u32 {
        let group = format!("ff3e::{:x}:{:x}", n >> 16 | 1, n & 0xffff);
        world.upsert(
            Dev::A,
            include(&group, &[("2001:db8::1", 260_000), ("2001:db8::2", 1000)]),
        );
    }
    world.with(Dev::B, |s, now| s.start(now));
    world.with(Dev::A, |s, now| s.start(now));
    world.run_ms(1000);
    assert!(world.synchronized());
    assert_eq!(world.groups(Dev::B).len(), 20_000);
    let mut unacknowledged = 0_u32;
    for (_, dev, frame) in &world.frames {
        if *dev == Dev::A && frame.body.is_data() {
            unacknowledged += 1;
            assert!(frame.to_vec().len() <= 17 * 1024);
        } else if *dev == Dev::B && matches!(frame.body, Body::Ack { .. }) {
            unacknowledged = 0;
        }
        assert!(
            unacknowledged <= 64 + 64,
            "64 and what is in flight beside an ACK"
        );
    }
}

#[test]
fn changes_during_a_batch_are_not_lost() {
    let mut world = World::new(config_a(), config_b());
    world.role(Dev::A, true);
    for n in 0..20_000_u32 {
        let group = format!("ff3e::{:x}", n + 1);
        if n < 0xfff0 {
            world.upsert(Dev::A, include(&group, &[("2001:db8::1", 260_000)]));
        }
    }
    world.with(Dev::B, |s, now| s.start(now));
    world.with(Dev::A, |s, now| s.start(now));
    world.run_ms(6);
    // The batch is under way, its window is full.
    assert!(!world.synchronized());
    world.delete(Dev::A, "ff3e::1");
    world.delete(Dev::A, "ff3e::4e20");
    world.upsert(Dev::A, include("ff3e::2", &[("2001:db8::7", 260_000)]));
    world.upsert(Dev::A, include("ff3f::1", &[("2001:db8::7", 260_000)]));
    world.run_ms(1000);
    assert!(world.synchronized());
    world.assert_equal();
    assert_eq!(world.groups(Dev::B).len(), 19_999);
}
