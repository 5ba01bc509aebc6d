//! One session against hand-made frames: what is refused, how, and what follows.

use crate::bench::{Bench, PEER, b_is_master, open, record, upsert};
use crate::common::{ID, config_b, include, ip};
use dut_rbs::{FilterMode, Role, Service};
use dut_wire::rbs::{Body, Frame, NakCode, NotifyCode, Open, Tombstone, Version};

const PACKET_ERROR: &str = "TCP closed for packet error.";

#[test]
fn malformed_octets_close_with_notify_1_and_the_vendors_words() {
    for garbage in [
        [0xff; 40].to_vec(),
        b"GET / HTTP/1.1\r\nHost: device.example\r\n\r\n".to_vec(),
    ] {
        let mut bench = Bench::connected(Role::Master);
        bench.raw(&garbage);
        bench.expect_notify(NotifyCode::Malformed, PACKET_ERROR);
        assert_eq!(bench.b.snapshot(bench.now).0.tcp_state, "listening");
    }
}

#[test]
fn what_follows_a_malformed_frame_is_not_read() {
    let mut bench = Bench::master(&[]);
    let mut octets = vec![0xff; 32];
    octets.extend(bench.frame(ID, upsert(0, &[record("ff3e::1", 1)])));
    bench.raw(&octets);
    bench.expect_notify(NotifyCode::Malformed, PACKET_ERROR);
    assert!(bench.groups().is_empty());
}

#[test]
fn another_major_version_is_notify_2() {
    let mut bench = Bench::new(config_b());
    let mut octets = bench.frame(0, Body::Open(open(Role::Master)));
    octets[4] = 2;
    bench.raw(&octets);
    bench.expect_notify(NotifyCode::Version, "TCP closed for version mismatch.");
    let mut bench = Bench::new(config_b());
    let future = Open {
        minimum: (2, 0),
        maximum: (3, 0),
        ..open(Role::Master)
    };
    bench.send(0, Body::Open(future));
    bench.expect_notify(NotifyCode::Version, "TCP closed for version mismatch.");
}

#[test]
fn an_unknown_backup_id_is_notify_3_another_service_notify_4() {
    for alone in [false, true] {
        let mut bench = Bench::new(config_b());
        let mut other = open(Role::Master);
        let mut unknown = other.profiles[0].clone();
        unknown.backup_id = 7;
        if alone {
            other.profiles.clear();
        }
        other.profiles.push(unknown);
        bench.send(0, Body::Open(other));
        let reason = "TCP closed for unknown backup-id.";
        bench.expect_notify(NotifyCode::UnknownBackupId, reason);
    }
    let mut bench = Bench::new(config_b());
    let mut other = open(Role::Master);
    other.profiles[0].service = Service::None;
    bench.send(0, Body::Open(other));
    bench.expect_notify(
        NotifyCode::ServiceMismatch,
        "TCP closed for service mismatch.",
    );
    // In a data message too.
    let mut bench = Bench::connected(Role::Master);
    let mut octets = bench.frame(ID, upsert(0, &[record("ff3e::1", 1)]));
    octets[30] = 0;
    bench.raw(&octets);
    bench.expect_notify(
        NotifyCode::ServiceMismatch,
        "TCP closed for service mismatch.",
    );
}

#[test]
fn before_the_session_is_connected_everything_else_is_notify_8() {
    let reason = "TCP closed for unexpected message.";
    for body in [
        Body::Keepalive,
        Body::Ack { message_id: 1 },
        Body::SyncReq { number: 1 },
        upsert(0, &[record("ff3e::1", 1)]),
        Body::Role { role: Role::Master },
    ] {
        for opened in [false, true] {
            let mut bench = Bench::new(config_b());
            if opened {
                bench.send(0, Body::Open(open(Role::Master)));
            }
            let id = if matches!(body, Body::Keepalive | Body::Ack { .. }) {
                0
            } else {
                ID
            };
            bench.send(id, body.clone());
            bench.expect_notify(NotifyCode::UnexpectedMessage, reason);
        }
    }
    // Twice the same, and again when connected.
    let mut bench = Bench::new(config_b());
    bench.send(0, Body::Open(open(Role::Master)));
    bench.send(0, Body::Open(open(Role::Master)));
    bench.expect_notify(NotifyCode::UnexpectedMessage, reason);
    let mut bench = Bench::connected(Role::Master);
    bench.send(0, Body::OpenAck(open(Role::Master)));
    bench.expect_notify(NotifyCode::UnexpectedMessage, reason);
}

#[test]
fn an_opening_that_is_never_finished_ends_after_the_hold_time() {
    let mut bench = Bench::new(config_b());
    bench.send(0, Body::Open(open(Role::Master)));
    bench.advance(14_900);
    assert!(!bench.closed);
    bench.advance(200);
    bench.expect_notify(
        NotifyCode::HoldTimeExpired,
        "TCP closed for hold time expired.",
    );
}

#[test]
fn message_ids_and_epochs_are_held_to() {
    let reason = "TCP closed for unexpected message.";
    for skip in [1, 2] {
        let mut bench = Bench::connected(Role::Master);
        bench.next_id = bench.next_id + skip - 2 + u64::from(skip == 2);
        bench.send(0, Body::Keepalive);
        bench.expect_notify(NotifyCode::UnexpectedMessage, reason);
    }
    let mut bench = Bench::connected(Role::Master);
    let mut octets = bench.frame(0, Body::Keepalive);
    octets[19] = 2;
    bench.raw(&octets);
    bench.expect_notify(NotifyCode::UnexpectedMessage, reason);
}

#[test]
fn an_acknowledgement_of_what_was_never_sent_is_notify_8() {
    let mut bench = Bench::connected(Role::Master);
    bench.send(0, Body::Ack { message_id: 1000 });
    bench.expect_notify(
        NotifyCode::UnexpectedMessage,
        "TCP closed for unexpected message.",
    );
}

#[test]
fn a_received_notify_closes_with_its_reason() {
    let mut bench = Bench::connected(Role::Master);
    let notify = Body::Notify {
        code: NotifyCode::Malformed,
        refused: 3,
    };
    bench.send(0, notify);
    assert!(bench.closed);
    let (service, _) = bench.b.snapshot(bench.now);
    assert_eq!(service.last_down_reason.as_deref(), Some(PACKET_ERROR));
}

#[test]
fn a_bad_record_alone_is_nak_1_and_the_third_in_a_row_closes() {
    let mut bench = Bench::master(&[record("ff3e::1", 1)]);
    for n in 1..=3 {
        let mut octets = bench.frame(ID, upsert(0, &[record("ff3e::2", 2)]));
        octets[46] = 3;
        bench.raw(&octets);
        if n < 3 {
            bench.expect_nak(NakCode::MalformedRecord);
        }
    }
    bench.expect_notify(NotifyCode::Malformed, PACKET_ERROR);
    assert_eq!(bench.groups(), ["ff3e::1"]);
}

#[test]
fn a_good_record_between_bad_ones_counts_as_progress() {
    let mut bench = Bench::master(&[]);
    for n in 1..=6 {
        let mut octets = bench.frame(ID, upsert(0, &[record("ff3e::2", 1)]));
        octets[46] = 3;
        bench.raw(&octets);
        bench.expect_nak(NakCode::MalformedRecord);
        bench.send(ID, upsert(0, &[record("ff3e::1", n)]));
    }
    assert!(!bench.closed);
}

#[test]
fn an_unknown_backup_id_is_nak_2() {
    let mut bench = Bench::connected(Role::Master);
    bench.send(7, upsert(0, &[record("ff3e::1", 1)]));
    bench.expect_nak(NakCode::UnknownBackupId);
    bench.send(7, Body::SyncReq { number: 1 });
    bench.expect_nak(NakCode::UnknownBackupId);
}

#[test]
fn a_master_refuses_another_masters_records_with_nak_3() {
    let mut bench = Bench::connected(Role::Master);
    bench.b.set_role(bench.now, ID, true);
    bench.send(ID, upsert(0, &[record("ff3e::1", 1)]));
    bench.expect_nak(NakCode::NotTheSlave);
    assert!(bench.groups().is_empty());
    let begin = Body::SyncBegin {
        generation: 5,
        count: 1,
    };
    bench.send(ID, begin);
    bench.expect_nak(NakCode::NotTheSlave);
    bench.send(ID, upsert(5, &[record("ff3e::1", 1)]));
    assert!(bench.groups().is_empty() && !bench.closed);
}

#[test]
fn only_the_masters_records_and_the_origins_deletions_count() {
    let mut bench = b_is_master();
    let entry = include("ff3e::1", &[("2001:db8::1", 260_000)]);
    bench.b.upsert(bench.now, ID, entry, true);
    bench.send(ID, upsert(0, &[record("ff3e::2", 1)]));
    bench.expect_nak(NakCode::NotTheSlave);
    let delete = Body::Delete {
        tombstones: vec![Tombstone {
            eth_trunk: 1,
            group: ip("ff3e::1"),
            version: Version {
                epoch: 9,
                sequence: 9,
                origin: PEER,
            },
        }],
    };
    bench.send(ID, delete);
    bench.expect_nak(NakCode::NotTheSlave);
    assert_eq!(bench.groups(), ["ff3e::1"]);
}

#[test]
fn an_equal_version_changes_nothing() {
    let mut bench = Bench::master(&[record("ff3e::1", 10)]);
    let mut equal = record("ff3e::1", 10);
    equal.sources.clear();
    equal.filter_mode = FilterMode::Exclude;
    bench.send(ID, upsert(0, &[equal]));
    let entry = bench.b.entry(bench.now, ID, 1, ip("ff3e::1")).unwrap();
    assert_eq!(entry.filter_mode, FilterMode::Include);
}

#[test]
fn a_batch_by_command_leaves_at_once() {
    let mut bench = b_is_master();
    bench.seen.clear();
    bench.b.batch_now(bench.now, ID);
    bench.drain();
    bench.take("SYNC_BEGIN");
    bench.take("SYNC_END");
    // A slave has nothing to command.
    let mut bench = Bench::master(&[record("ff3e::1", 1)]);
    bench.b.batch_now(bench.now, ID);
    bench.drain();
    assert!(bench.seen.is_empty());
}

#[test]
fn a_second_connection_is_told_notify_7_and_the_first_goes_on() {
    let mut bench = Bench::connected(Role::Master);
    let told = Frame::parse(&bench.b.refuse_second(bench.now)).unwrap();
    let code = NotifyCode::SecondSession;
    assert_eq!(told.body, Body::Notify { code, refused: 0 });
    assert_eq!(told.message_id, 1);
    assert!(bench.b.is_connected());
    assert_eq!(bench.b.snapshot(bench.now).0.errors["second_session"], 1);
    bench.send(0, Body::Keepalive);
    assert!(bench.b.is_connected());
}
