//! One session against hand-made frames: acknowledgements, versions, batches, digests.

use crate::bench::{Bench, PEER, b_is_master, digest_of, open, record, slow_master, upsert};
use crate::common::{ID, config_b, include, ip};
use dut_rbs::{FilterMode, RbsEvent, Role, SessionConfig};
use dut_wire::rbs::{Body, NakCode, NotifyCode, Record, SourceRecord, Tombstone, Version};
use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::time::Duration;

#[test]
fn data_is_acknowledged_within_10_ms_and_followed_by_the_digest() {
    let mut bench = Bench::master(&[]);
    bench.send(ID, upsert(0, &[record("ff3e::1", 1)]));
    bench.send(ID, Body::Role { role: Role::Master });
    let last = bench.next_id - 1;
    bench.advance(10);
    let names: Vec<_> = bench.seen.iter().map(|frame| frame.body.name()).collect();
    assert_eq!(names, ["ACK", "DIGEST"]);
    assert_eq!(bench.seen[0].body, Body::Ack { message_id: last });
    let digest = Body::Digest {
        count: 1,
        answer_wanted: true,
        digest: digest_of(&[record("ff3e::1", 1)]),
    };
    assert_eq!(bench.seen[1].body, digest);
}

#[test]
fn versions_decide_and_only_an_origin_deletes() {
    let mut bench = Bench::master(&[record("ff3e::1", 10)]);
    let mut older = record("ff3e::1", 9);
    older.sources.clear();
    older.filter_mode = FilterMode::Exclude;
    bench.send(ID, upsert(0, &[older]));
    let entry = bench.b.entry(bench.now, ID, 1, ip("ff3e::1")).unwrap();
    assert_eq!(
        entry.filter_mode,
        FilterMode::Include,
        "an older version changes nothing"
    );
    let tombstone = |sequence, origin| Body::Delete {
        tombstones: vec![Tombstone {
            eth_trunk: 1,
            group: ip("ff3e::1"),
            version: Version {
                epoch: 1,
                sequence,
                origin,
            },
        }],
    };
    bench.send(ID, tombstone(99, [2, 0, 0, 0, 0, 9]));
    bench.send(ID, tombstone(10, PEER));
    bench.send(ID, tombstone(9, PEER));
    assert_eq!(bench.groups(), ["ff3e::1"]);
    bench.send(ID, tombstone(11, PEER));
    assert!(bench.groups().is_empty());
    assert!(!bench.closed);
}

#[test]
fn a_newer_epoch_with_a_lower_sequence_is_newer() {
    let mut bench = Bench::master(&[record("ff3e::1", 500)]);
    let mut newer = record("ff3e::1", 1);
    newer.version.epoch = 2;
    newer.sources = BTreeMap::from([(
        ip("2001:db8::2"),
        SourceRecord {
            timer_ms: 1000,
            query_count: 0,
        },
    )]);
    bench.send(ID, upsert(0, &[newer]));
    let entry = bench.b.entry(bench.now, ID, 1, ip("ff3e::1")).unwrap();
    assert_eq!(entry.sources[0].source, ip("2001:db8::2"));
}

#[test]
fn what_a_batch_does_not_mention_goes_at_its_end_and_not_before() {
    let mut bench = Bench::master(&[record("ff3e::1", 1), record("ff3e::2", 2)]);
    let begin = Body::SyncBegin {
        generation: 9,
        count: 1,
    };
    bench.send(ID, begin);
    bench.send(ID, upsert(9, &[record("ff3e::2", 2)]));
    assert_eq!(bench.groups(), ["ff3e::1", "ff3e::2"]);
    // A real-time record interleaves and is kept although the batch ends without it... unless
    // the batch's end does not mention it: it is swept, and the digest shows it.
    let end = Body::SyncEnd {
        generation: 9,
        count: 1,
        digest: digest_of(&[record("ff3e::2", 2)]),
    };
    bench.send(ID, end);
    assert_eq!(bench.groups(), ["ff3e::2"]);
    bench.advance(10);
    assert!(bench.b.synchronized(ID));
}

#[test]
fn a_batch_that_lost_a_record_is_refused_and_sweeps_nothing() {
    let mut bench = Bench::master(&[record("ff3e::1", 1)]);
    let begin = Body::SyncBegin {
        generation: 9,
        count: 2,
    };
    bench.send(ID, begin);
    bench.send(ID, upsert(9, &[record("ff3e::2", 2)]));
    let end = Body::SyncEnd {
        generation: 9,
        count: 2,
        digest: [0; 32],
    };
    bench.send(ID, end);
    bench.expect_nak(NakCode::MalformedRecord);
    assert_eq!(bench.groups(), ["ff3e::1", "ff3e::2"]);
}

#[test]
fn records_of_a_generation_that_never_began_are_notify_8() {
    let mut bench = Bench::master(&[]);
    bench.send(ID, upsert(44, &[record("ff3e::1", 1)]));
    bench.expect_notify(
        NotifyCode::UnexpectedMessage,
        "TCP closed for unexpected message.",
    );
}

#[test]
fn a_wrong_digest_leaves_the_slave_unsynchronized() {
    let mut bench = Bench::master(&[record("ff3e::1", 1)]);
    assert!(bench.b.synchronized(ID));
    let digest = Body::Digest {
        count: 1,
        answer_wanted: false,
        digest: [0; 32],
    };
    bench.send(ID, digest);
    assert!(!bench.b.synchronized(ID));
    let changed = RbsEvent::Synchronized {
        backup_id: ID,
        synchronized: false,
    };
    assert_eq!(bench.events.last(), Some(&changed));
}

#[test]
fn a_digest_that_wants_an_answer_gets_one_that_wants_none() {
    let mut bench = Bench::master(&[record("ff3e::1", 1)]);
    let wanted = Body::Digest {
        count: 0,
        answer_wanted: true,
        digest: [0; 32],
    };
    bench.send(ID, wanted);
    let answer = Body::Digest {
        count: 1,
        answer_wanted: false,
        digest: digest_of(&[record("ff3e::1", 1)]),
    };
    assert_eq!(bench.take("DIGEST").body, answer);
}

#[test]
fn a_nak_makes_the_master_begin_a_new_batch_but_not_a_storm() {
    let mut bench = b_is_master();
    let entry = include("ff3e::1", &[("2001:db8::1", 260_000)]);
    bench.b.upsert(bench.now, ID, entry, true);
    bench.drain();
    let mut refused = bench.take("UPSERT").message_id;
    let mut batches = 0;
    for _ in 0..300 {
        let code = NakCode::MalformedRecord;
        bench.send(ID, Body::Nak { refused, code });
        bench.advance(100);
        bench.send(0, Body::Keepalive);
        if let Some(at) = bench
            .seen
            .iter()
            .position(|f| f.body.name() == "SYNC_BEGIN")
        {
            batches += 1;
            refused = bench.seen[at + 1].message_id;
            bench.seen.clear();
        }
    }
    assert!((2..=8).contains(&batches), "{batches} batches in 30 s");
}

#[test]
fn a_master_holds_back_a_profile_that_the_peer_does_not_have() {
    let mut bench = b_is_master();
    let entry = include("ff3e::1", &[("2001:db8::1", 260_000)]);
    bench.b.upsert(bench.now, ID, entry, true);
    bench.drain();
    let refused = bench.take("UPSERT").message_id;
    let code = NakCode::UnknownBackupId;
    bench.send(ID, Body::Nak { refused, code });
    let entry = include("ff3e::2", &[("2001:db8::1", 260_000)]);
    bench.b.upsert(bench.now, ID, entry, true);
    bench.advance(5000);
    assert!(
        bench
            .seen
            .iter()
            .all(|frame| frame.body.name() == "KEEPALIVE")
    );
    assert!(!bench.b.synchronized(ID));
}

#[test]
fn a_master_is_synchronized_when_the_digests_agree_and_nothing_is_unacknowledged() {
    let mut bench = b_is_master();
    let digest = |bytes| Body::Digest {
        count: 0,
        answer_wanted: true,
        digest: bytes,
    };
    assert!(!bench.b.synchronized(ID));
    bench.send(ID, digest(digest_of(&[])));
    assert!(bench.b.synchronized(ID));
    let entry = include("ff3e::1", &[("2001:db8::1", 260_000)]);
    bench.b.upsert(bench.now, ID, entry, true);
    bench.drain();
    assert!(!bench.b.synchronized(ID));
    let id = bench.take("UPSERT").message_id;
    let right = digest_of(&[record("ff3e::1", 1)]);
    bench.send(ID, digest(right));
    assert!(!bench.b.synchronized(ID), "unacknowledged");
    bench.send(0, Body::Ack { message_id: id });
    assert!(bench.b.synchronized(ID));
    assert_eq!(bench.b.snapshot(bench.now).0.unacknowledged, 0);
}

#[test]
fn a_restarted_device_waits_for_a_batch_no_longer_than_the_hold_time() {
    let mut bench = Bench::new(SessionConfig {
        boot_epoch: 2,
        ..config_b()
    });
    bench.b.set_role(bench.now, ID, true);
    bench.send(0, Body::Open(open(Role::Slave)));
    bench.send(0, Body::OpenAck(open(Role::Slave)));
    bench.take("SYNC_REQ");
    bench.send(ID, Body::SyncReq { number: 1 });
    for _ in 0..14 {
        bench.advance(1000);
        bench.send(0, Body::Keepalive);
    }
    assert!(
        bench
            .seen
            .iter()
            .all(|frame| frame.body.name() == "KEEPALIVE")
    );
    bench.advance(1100);
    assert_eq!(bench.take("ROLE").body, Body::Role { role: Role::Master });
    bench.take("SYNC_BEGIN");
    bench.take("SYNC_END");
}

#[test]
fn a_table_that_is_full_is_nak_4() {
    let mut bench = Bench::master(&[]);
    let records: Vec<_> = (1..=400_u128)
        .map(|n| {
            let mut record = record("ff3e::1", 1);
            record.group = Ipv6Addr::from(0xff3e << 112 | n);
            record
        })
        .collect();
    let mut sent = 0_u128;
    while sent < 65_536 {
        let more = records.iter().map(|r| {
            let mut r = r.clone();
            r.group = Ipv6Addr::from(u128::from(r.group) + sent);
            r
        });
        let more: Vec<_> = more.take(usize::try_from(65_536 - sent).unwrap()).collect();
        sent += 400;
        bench.send(ID, upsert(0, &more));
    }
    assert_eq!(bench.groups().len(), 65_536);
    bench.seen.clear();
    bench.send(ID, upsert(0, &[record("ff05::1", 1)]));
    bench.expect_nak(NakCode::Overflow);
}

#[test]
fn another_configuration_is_counted_and_tolerated() {
    let mut bench = Bench::new(config_b());
    let mut other = open(Role::Master);
    other.profiles[0].configuration_digest = [8; 32];
    bench.send(0, Body::Open(other));
    bench.send(0, Body::OpenAck(open(Role::Master)));
    assert!(bench.b.is_connected());
    assert_eq!(
        bench.b.snapshot(bench.now).0.errors["configuration_mismatch"],
        1
    );
}

#[test]
fn entries_that_no_record_can_carry_are_counted_and_left_out() {
    let mut bench = b_is_master();
    bench
        .b
        .upsert(bench.now, ID, include("2001:db8::1", &[]), true);
    let mut wide = include("ff3e::1", &[]);
    wide.sources = (1..=2726_u128)
        .map(|n| dut_rbs::EntrySource {
            source: Ipv6Addr::from(n),
            timer: Duration::from_secs(1),
            query_count: 0,
        })
        .collect();
    bench.b.upsert(bench.now, ID, wide.clone(), true);
    assert!(bench.groups().is_empty());
    assert_eq!(
        bench.b.snapshot(bench.now).0.errors["entry_not_representable"],
        2
    );
    wide.sources.pop();
    bench.b.upsert(bench.now, ID, wide, true);
    bench.drain();
    bench.take("UPSERT");
}

/// TCP sends again what was lost, with the times of the first transmission: when the
/// acknowledgement tells how late that was, the master says once more what remains.
#[test]
fn what_was_acknowledged_late_is_said_again_with_what_remains() {
    let again = |late_ms: u64| {
        let mut bench = b_is_master();
        let entry = include("ff3e::1", &[("2001:db8::1", 260_000)]);
        bench.b.upsert(bench.now, ID, entry, true);
        bench.drain();
        let id = bench.take("UPSERT").message_id;
        bench.advance(late_ms);
        bench.seen.clear();
        bench.send(0, Body::Ack { message_id: id });
        let records = bench.seen.iter().filter_map(|frame| match &frame.body {
            Body::Upsert { records, .. } => Some(records),
            _ => None,
        });
        let group = |record: &Record| match record {
            Record::Group(group) => Some((group.version.sequence, group.sources.clone())),
            Record::Interface(_) => None,
        };
        let groups: Vec<_> = records.flatten().filter_map(group).collect();
        let said = |(sequence, sources): (u64, BTreeMap<Ipv6Addr, SourceRecord>)| {
            (sequence, sources.values().next().unwrap().timer_ms)
        };
        groups.into_iter().map(said).collect::<Vec<_>>()
    };
    assert!(again(40).is_empty());
    // Behind another segment that was lost it may be late by less than TCP's timer.
    assert_eq!(again(300), [(2, 260_000 - 300)]);
    // A version more, or the slave would take it for what it has.
    assert_eq!(again(1500), [(2, 260_000 - 1500)]);
}

/// On a path that is always slow repeating corrects nothing: it ends.
#[test]
fn repeats_of_what_is_always_late_end() {
    let mut bench = b_is_master();
    let entry = include("ff3e::1", &[("2001:db8::1", 260_000)]);
    bench.b.upsert(bench.now, ID, entry, true);
    bench.drain();
    let mut said = 0;
    while let Some(last) = (bench.seen.iter()).rfind(|frame| frame.body.name() == "UPSERT") {
        said += 1;
        assert!(said < 20, "it goes on for ever");
        let message_id = last.message_id;
        bench.advance(600);
        bench.seen.clear();
        bench.send(0, Body::Ack { message_id });
    }
    assert_eq!(said, 1 + 8);
}

/// The records of the UPSERTs that were seen.
fn told(bench: &mut Bench) -> Vec<Vec<String>> {
    let seen = std::mem::take(&mut bench.seen);
    let upserts = seen.iter().filter_map(|frame| match &frame.body {
        Body::Upsert { records, .. } => Some(records),
        _ => None,
    });
    let group = |record: &Record| match record {
        Record::Group(group) => Some(group.group.to_string()),
        Record::Interface(_) => None,
    };
    let groups = |records: &Vec<Record>| records.iter().filter_map(group).collect();
    upserts.map(groups).collect()
}

/// Proves that a master whose repeats were all late tries the path with one record a second, and
/// says all that is owed once when that is acknowledged in time.
#[test]
fn what_is_owed_on_a_slow_path_is_said_when_it_is_fast_again() {
    let mut bench = b_is_master();
    for group in ["ff3e::1", "ff3e::2"] {
        let entry = include(group, &[("2001:db8::1", 260_000)]);
        bench.b.upsert(bench.now, ID, entry, true);
    }
    bench.drain();
    let last = |bench: &Bench| {
        let upsert = (bench.seen.iter()).rfind(|frame| frame.body.name() == "UPSERT");
        upsert.map(|frame| frame.message_id)
    };
    while let Some(message_id) = last(&bench) {
        bench.advance(600);
        bench.seen.clear();
        bench.send(0, Body::Ack { message_id });
    }
    for _ in 0..20 {
        bench.advance(999);
        assert!(told(&mut bench).is_empty());
        bench.advance(1);
        let message_id = last(&bench).unwrap();
        assert_eq!(told(&mut bench), [["ff3e::1"]]);
        bench.advance(600);
        bench.send(0, Body::Ack { message_id });
    }
    bench.advance(1000);
    let message_id = last(&bench).unwrap();
    assert_eq!(told(&mut bench), [["ff3e::1"]]);
    bench.advance(10);
    bench.send(0, Body::Ack { message_id });
    let message_id = last(&bench).unwrap();
    assert_eq!(told(&mut bench), [["ff3e::1", "ff3e::2"]]);
    bench.advance(10);
    bench.send(0, Body::Ack { message_id });
    bench.advance(5000);
    assert!(told(&mut bench).is_empty(), "nothing is owed any more");
}

/// Proves that a path which was slow from the first and becomes fast makes the master say all: what
/// was in time by the old measure was late.
#[test]
fn a_path_that_was_always_slow_and_is_fast_now_makes_a_master_say_all() {
    let again = |slow: u64, fast: u64| {
        let mut bench = slow_master(slow);
        let entry = include("ff3e::1", &[("2001:db8::1", 260_000)]);
        bench.b.upsert(bench.now, ID, entry, true);
        bench.drain();
        let message_id = bench.take("UPSERT").message_id;
        bench.advance(slow);
        bench.send(0, Body::Ack { message_id });
        assert!(told(&mut bench).is_empty());
        let entry = include("ff3e::2", &[("2001:db8::1", 260_000)]);
        bench.b.upsert(bench.now, ID, entry, true);
        bench.drain();
        let message_id = bench.take("UPSERT").message_id;
        bench.seen.clear();
        bench.advance(fast);
        bench.send(0, Body::Ack { message_id });
        told(&mut bench)
    };
    assert_eq!(again(600, 10), [["ff3e::1", "ff3e::2"]]);
    assert!(again(600, 400).is_empty());
    assert!(again(60, 10).is_empty());
}
