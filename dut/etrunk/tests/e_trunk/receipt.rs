//! Receipt and sending of hellos: the eleven refusals with their counters, replay, cadence.

use crate::common::{Dev, UP, World, a_address, b_address, config_a, config_b, decode, forge};
use dut_device::Instant;
use dut_etrunk::{AuthenticationMode, ETrunk, ETrunkConfig, ETrunkEvent, MemberStatus, Role};
use dut_wire::etrunk::{Hello, State, SystemId};
use proptest::prelude::*;
use std::time::Duration;

/// A hello of A as it comes from a started engine.
fn hello_of_a() -> Hello {
    let mut a = ETrunk::new(config_a());
    a.set_member(Instant::ZERO, 1, UP);
    a.start(Instant::ZERO);
    decode(&a.poll_transmit().unwrap())
}

fn started_b(config: ETrunkConfig) -> ETrunk {
    let mut b = ETrunk::new(config);
    b.set_member(Instant::ZERO, 1, UP);
    b.start(Instant::ZERO);
    drain(&mut b);
    b
}

/// Events and hellos since the last call.
fn drain(e: &mut ETrunk) -> (Vec<ETrunkEvent>, Vec<Hello>) {
    let events = std::iter::from_fn(|| e.poll_event()).collect();
    let hellos = std::iter::from_fn(|| e.poll_transmit().map(|p| decode(&p))).collect();
    (events, hellos)
}

fn give(e: &mut ETrunk, payload: &[u8]) {
    let now = Instant::from_millis(10);
    e.handle_hello(now, a_address(), b_address(), 1025, 1025, payload);
}

/// Asserts that B refuses: one count under `counter`, one event, nothing else changed.
fn refused(b: &mut ETrunk, counter: &str, act: impl FnOnce(&mut ETrunk)) {
    drain(b);
    let mut expected = b.snapshot(Instant::ZERO);
    act(b);
    let after = b.snapshot(Instant::ZERO);
    *expected.errors.get_mut(counter).unwrap() += 1;
    expected.rec_drop += 1;
    assert_eq!(after, expected, "{counter}");
    let (events, hellos) = drain(b);
    assert!(
        matches!(events[..], [ETrunkEvent::Discarded { reason }] if reason == counter),
        "{counter}: {events:?}"
    );
    assert!(hellos.is_empty());
}

/// Signs octets anew after a change that no legal hello has.
fn resign(payload: &mut Vec<u8>) {
    // HMAC-SHA256 over the whole payload with a zeroed digest, not through the device's code.
    let at = payload.len() - 32;
    payload.truncate(at);
    let digest = hmac_sha256(b"secret", &[payload.as_slice(), &[0; 32]].concat());
    payload.extend_from_slice(&digest);
}

fn hmac_sha256(key: &[u8], data: &[u8]) -> [u8; 32] {
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key).unwrap();
    mac.update(data);
    mac.finalize().into_bytes().into()
}

fn plain(config: ETrunkConfig) -> ETrunkConfig {
    ETrunkConfig {
        authentication: AuthenticationMode::HmacSha256,
        ..config
    }
}

/// A's hello under HMAC-SHA256, changed and signed anew.
fn signed(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut payload = forge(&plain(config_a()), &hello_of_a());
    change(&mut payload);
    resign(&mut payload);
    payload
}

#[test]
fn the_signing_helper_makes_what_the_device_accepts() {
    let mut b = started_b(plain(config_b()));
    give(&mut b, &signed(|_| {}));
    assert_eq!(b.snapshot(Instant::ZERO).receive, 1);
}

#[test]
fn refusal_1_length_error() {
    let payload = signed(|_| {});
    let mut b = started_b(plain(config_b()));
    refused(&mut b, "length_error", |b| {
        give(b, &payload[..payload.len() - 1])
    });
    refused(&mut b, "length_error", |b| give(b, &[]));
    refused(&mut b, "length_error", |b| give(b, &signed(|p| p[4] = 2)));
}

#[test]
fn refusal_2_e_trunk_id_error() {
    let mut b = started_b(plain(config_b()));
    refused(&mut b, "e_trunk_id_error", |b| {
        give(b, &signed(|p| p[11] = 2))
    });
}

#[test]
fn refusal_3_peer_ip_error() {
    let payload = signed(|_| {});
    let mut b = started_b(plain(config_b()));
    let other = "2001:db8:11::12".parse().unwrap();
    let at = Instant::from_millis(10);
    refused(&mut b, "peer_ip_error", |b| {
        b.handle_hello(at, other, b_address(), 1025, 1025, &payload);
    });
    refused(&mut b, "peer_ip_error", |b| {
        b.handle_hello(at, a_address(), other, 1025, 1025, &payload);
    });
    // ADDR is the fourth TLV: fixed part 44, MEMBER 20, LACP_SYS 16, then header 4.
    refused(&mut b, "peer_ip_error", |b| {
        give(b, &signed(|p| p[84 + 15] ^= 1))
    });
    refused(&mut b, "peer_ip_error", |b| {
        give(b, &signed(|p| p[84 + 31] ^= 1))
    });
}

#[test]
fn refusal_4_tlv_check_error() {
    let mut b = started_b(plain(config_b()));
    refused(&mut b, "tlv_check_error", |b| {
        give(b, &signed(|p| p[45] = 0x55))
    });
}

#[test]
fn refusal_5_authentication_error() {
    let mut b = started_b(plain(config_b()));
    let mut payload = signed(|_| {});
    *payload.last_mut().unwrap() ^= 1;
    refused(&mut b, "authentication_error", |b| give(b, &payload));
    let other_key = ETrunkConfig {
        key: b"other".to_vec(),
        ..plain(config_a())
    };
    let payload = forge(&other_key, &hello_of_a());
    refused(&mut b, "authentication_error", |b| give(b, &payload));
    let payload = forge(&config_a(), &hello_of_a());
    refused(&mut b, "authentication_error", |b| give(b, &payload));
}

#[test]
fn refusal_6_sequence_error_for_a_replay() {
    let mut b = started_b(config_b());
    let mut hello = hello_of_a();
    hello.boot_epoch = 2;
    hello.sequence = Some(5);
    give(&mut b, &forge(&config_a(), &hello));
    for (epoch, sequence) in [(2, 5), (2, 4), (1, 1000), (0, u64::MAX)] {
        let old = Hello {
            boot_epoch: epoch,
            sequence: Some(sequence),
            ..hello.clone()
        };
        refused(&mut b, "sequence_error", |b| {
            give(b, &forge(&config_a(), &old))
        });
    }
    for (epoch, sequence) in [(2, 6), (3, 1)] {
        let new = Hello {
            boot_epoch: epoch,
            sequence: Some(sequence),
            ..hello.clone()
        };
        give(&mut b, &forge(&config_a(), &new));
    }
    assert_eq!(b.snapshot(Instant::ZERO).receive, 3);
}

#[test]
fn one_sided_sequence_is_refused_on_both_sides_and_makes_two_masters() {
    let off = ETrunkConfig {
        sequence: false,
        ..config_b()
    };
    let mut world = World::new(config_a(), off);
    world.boot(Dev::A);
    world.boot(Dev::B);
    world.run_ms(20_001);
    assert_eq!(world.roles(), (Role::Master, Role::Master));
    for e in [&world.a, &world.b] {
        let snapshot = e.as_ref().unwrap().snapshot(world.now);
        assert_eq!(snapshot.receive, 0);
        assert_eq!(snapshot.errors["sequence_error"], snapshot.rec_drop);
        assert!(snapshot.rec_drop >= 20);
    }
}

#[test]
fn without_sequence_on_either_side_they_hear_each_other() {
    let off = |config| ETrunkConfig {
        sequence: false,
        ..config
    };
    let mut world = World::new(off(config_a()), off(config_b()));
    world.boot(Dev::A);
    world.boot(Dev::B);
    world.run_ms(5000);
    assert_eq!(world.roles(), (Role::Master, Role::Backup));
    assert_eq!(world.a.unwrap().snapshot(world.now).rec_drop, 0);
}

#[test]
fn a_mismatch_of_key_or_mode_makes_two_masters() {
    let key = ETrunkConfig {
        key: b"other".to_vec(),
        ..config_b()
    };
    for b in [key, plain(config_b())] {
        let mut world = World::new(config_a(), b);
        world.boot(Dev::A);
        world.boot(Dev::B);
        world.run_ms(20_001);
        assert_eq!(world.roles(), (Role::Master, Role::Master));
        let snapshot = world.a.unwrap().snapshot(world.now);
        assert_eq!(snapshot.errors["authentication_error"], snapshot.rec_drop);
    }
}

#[test]
fn refusal_7_system_id_error() {
    let mut b = started_b(plain(config_b()));
    refused(&mut b, "system_id_error", |b| {
        give(b, &signed(|p| p[16] = 1))
    });
    refused(&mut b, "system_id_error", |b| {
        give(b, &signed(|p| p[16..22].fill(0)))
    });
    // Its own: a reflection.
    refused(&mut b, "system_id_error", |b| {
        give(b, &signed(|p| p[21] = 2))
    });
    // Another than the peer's first one, unless the peer has booted anew.
    let mut hello = hello_of_a();
    give(&mut b, &forge(&plain(config_a()), &hello));
    hello.system_id = SystemId::new([0, 0xe0, 0xfc, 0, 0, 7]).unwrap();
    hello.sequence = Some(9);
    let payload = forge(&plain(config_a()), &hello);
    refused(&mut b, "system_id_error", |b| give(b, &payload));
    hello.boot_epoch = 2;
    give(&mut b, &forge(&plain(config_a()), &hello));
    assert_eq!(b.snapshot(Instant::ZERO).receive, 2);
}

#[test]
fn refusals_8_to_11() {
    let mut b = started_b(plain(config_b()));
    for (at, value, counter) in [
        (12, 0, "priority_error"),
        (12, 255, "priority_error"),
        (23, 4, "fail_time_error"),
        (25, 14, "fail_time_error"),
        (13, 0, "state_error"),
        (15, 4, "state_error"),
        (14, 8, "state_reason_error"),
        // MEMBER: the work mode.
        (49, 9, "state_reason_error"),
    ] {
        refused(&mut b, counter, |b| give(b, &signed(|p| p[at] = value)));
    }
}

#[test]
fn all_wrong_at_once_counts_the_first_check_alone() {
    let mut b = started_b(plain(config_b()));
    let mut payload = signed(|_| {});
    for (at, counter) in [
        (14, "authentication_error"),
        (45, "tlv_check_error"),
        (84 + 15, "peer_ip_error"),
        (11, "e_trunk_id_error"),
        (0, "length_error"),
    ] {
        payload[at] = 0xee;
        refused(&mut b, counter, |b| give(b, &payload));
    }
}

#[test]
fn a_refused_hello_does_not_feed_the_fail_time() {
    let mut world = World::settled();
    world.crash(Dev::A);
    for _ in 0..50 {
        world.run_ms(500);
        world.deliver(Dev::B, &forge(&plain(config_a()), &hello_of_a()));
    }
    assert_eq!(world.roles().1, Role::Master);
}

#[test]
fn before_its_start_it_neither_sends_nor_counts() {
    let mut b = ETrunk::new(config_b());
    give(&mut b, &signed(|_| {}));
    assert_eq!(b.poll_transmit(), None);
    assert_eq!(b.next_timeout(), None);
    assert_eq!(b.snapshot(Instant::ZERO).rec_drop, 0);
}

#[test]
fn the_first_hello_of_a_boot_says_so_and_the_answer_asks_for_none() {
    let mut world = World::new(config_a(), config_b());
    world.boot(Dev::A);
    let (_, _, first) = &world.hellos[0];
    assert!(first.restart && first.reply_requested);
    assert_eq!(
        (first.state, first.echo, first.sequence),
        (State::Initialize, None, Some(1))
    );
    world.run_ms(100);
    world.boot(Dev::B);
    let at = world.now;
    world.run_ms(10);
    let answers: Vec<_> = world
        .hellos
        .iter()
        .filter(|(t, dev, _)| *t > at && *dev == Dev::A)
        .collect();
    assert_eq!(answers.len(), 1, "the triggered hello is the answer");
    assert!(!answers[0].2.reply_requested && !answers[0].2.restart);
    assert_eq!(answers[0].0, at + crate::common::LATENCY);
}

/// (milliseconds since `from`, triggered) of A's hellos.
fn cadence(world: &World, from: Instant) -> Vec<(u64, bool)> {
    world
        .hellos
        .iter()
        .filter(|(at, dev, _)| *at >= from && *dev == Dev::A)
        .map(|(at, _, hello)| {
            (
                at.since(from).as_millis().try_into().unwrap(),
                hello.triggered,
            )
        })
        .collect()
}

#[test]
fn hellos_come_every_send_period() {
    let mut world = World::settled();
    world.run_until(Instant::from_millis(2500));
    let from = world.now;
    world.run_ms(3000);
    assert_eq!(
        cadence(&world, from),
        [(500, false), (1500, false), (2500, false)]
    );
}

#[test]
fn a_members_change_is_told_at_once_and_three_times_more() {
    let mut world = World::settled();
    world.run_until(Instant::from_millis(2100));
    let from = world.now;
    let slower = MemberStatus {
        bandwidth_mbps: 100,
        ..UP
    };
    world.with(Dev::A, |e, now| e.set_member(now, 1, slower));
    world.with(Dev::A, |e, now| e.set_member(now, 1, slower));
    world.run_ms(850);
    assert_eq!(
        cadence(&world, from),
        [(0, true), (100, true), (200, true), (300, true)]
    );
}

#[test]
fn a_changed_timer_is_told_at_once_and_used_at_once() {
    let mut world = World::settled();
    world.run_until(Instant::from_millis(2100));
    let from = world.now;
    let hello = Duration::from_millis(500);
    world.with(Dev::A, |e, now| e.set_timers(now, hello, 30));
    world.run_ms(1200);
    assert_eq!(
        cadence(&world, from),
        [(0, true), (500, false), (1000, false)]
    );
    let b = world.b.unwrap().snapshot(world.now);
    assert_eq!(b.peer_fail_time_100ms, Some(150));
}

#[test]
fn the_echo_names_what_was_heard_and_is_empty_after_the_fail_time() {
    let mut world = World::settled();
    let echo = |world: &World| {
        let last = world
            .hellos
            .iter()
            .rev()
            .find(|(_, dev, _)| *dev == Dev::B)
            .unwrap();
        last.2.echo
    };
    world.run_ms(3000);
    let heard = echo(&world).unwrap();
    assert_eq!((heard.boot_epoch, heard.state), (1, State::Master));
    let sent = world.a.as_ref().unwrap().snapshot(world.now).send;
    assert!(heard.sequence == sent || heard.sequence + 1 == sent);
    world.crash(Dev::A);
    world.run_ms(30_000);
    assert_eq!(echo(&world), None);
}

#[test]
fn late_time_sends_one_periodic_hello() {
    let mut a = ETrunk::new(config_a());
    a.start(Instant::ZERO);
    drain(&mut a);
    a.handle_timeout(Instant::from_secs(10));
    assert_eq!(drain(&mut a).1.len(), 1);
    assert!(a.next_timeout().unwrap() > Instant::from_secs(10));
}

#[test]
fn a_driver_that_never_polls_costs_64_hellos_at_most() {
    let mut a = ETrunk::new(config_a());
    a.start(Instant::ZERO);
    for second in 1..200 {
        a.handle_timeout(Instant::from_secs(second));
    }
    assert_eq!(drain(&mut a).1.len(), 64);
    assert!(a.snapshot(Instant::ZERO).snd_drop > 100);
}

#[test]
fn the_snapshot_has_the_fields_of_the_display() {
    let mut world = World::settled();
    world.run_ms(10);
    let now = world.now;
    let a = world.with(Dev::A, |e, _| e.snapshot(now));
    assert_eq!((a.id, a.priority, a.revert_delay_s), (1, 20, Some(120)));
    assert_eq!((a.send_period_100ms, a.fail_time_100ms), (10, 200));
    assert_eq!((a.state.as_str(), a.causation.as_str()), ("Master", "PRI"));
    assert_eq!(
        (a.peer_priority, a.peer_fail_time_100ms),
        (Some(30), Some(200))
    );
    assert_eq!(a.peer_system_id, Some(config_b().system_id));
    assert_eq!(a.errors.len(), 11);
    let member = &a.members[0];
    assert_eq!((member.id, member.phy_up, member.remote_id), (1, true, 1));
    assert_eq!(
        (member.work_mode.as_str(), member.state.as_str()),
        ("auto", "Master")
    );
    assert_eq!(world.a.unwrap().configuration_matches(), Some(true));
}

#[test]
fn another_configuration_is_noticed() {
    let mut world = World::new(
        config_a(),
        ETrunkConfig {
            revert_delay: Some(Duration::from_secs(60)),
            ..config_b()
        },
    );
    world.boot(Dev::A);
    assert_eq!(world.a.as_ref().unwrap().configuration_matches(), None);
    world.boot(Dev::B);
    world.run_ms(10);
    assert_eq!(world.a.unwrap().configuration_matches(), Some(false));
}

proptest! {
    #[test]
    fn arbitrary_payloads_are_refused_and_change_nothing(
        payload in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut b = started_b(config_b());
        let before = b.snapshot(Instant::ZERO);
        give(&mut b, &payload);
        let after = b.snapshot(Instant::ZERO);
        prop_assert_eq!(after.rec_drop, before.rec_drop + 1);
        prop_assert_eq!(after.state, before.state);
    }

    #[test]
    fn signed_hellos_with_arbitrary_octets_never_panic(
        changes in prop::collection::vec((7_usize..190, any::<u8>()), 1..20),
        step_ms in 0_u64..40_000,
    ) {
        let mut b = started_b(plain(config_b()));
        let payload = signed(|p| changes.iter().for_each(|(at, value)| p[*at] = *value));
        give(&mut b, &payload);
        b.handle_timeout(Instant::from_millis(10 + step_ms));
        let next = b.next_timeout().unwrap();
        prop_assert!(next > Instant::from_millis(10 + step_ms));
    }
}
