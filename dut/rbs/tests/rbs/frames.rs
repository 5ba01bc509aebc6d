//! One session against hand-made frames: what is refused, how, and what follows.

use crate::common::{ID, config_b, include, ip};
use dut_device::Instant;
use dut_rbs::{Command, FilterMode, RbsEvent, Role, Service, Session, SessionConfig};
use dut_wire::rbs::{
    Body, Frame, Framer, GroupRecord, NakCode, NotifyCode, Open, OpenProfile, Record, SourceRecord,
    Tombstone, Version,
};
use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::time::Duration;

const PEER: [u8; 6] = [0, 0xe0, 0xfc, 0, 0, 1];

/// A tester in the peer's place, B (the listener) under test.
struct Bench {
    b: Session,
    now: Instant,
    next_id: u64,
    framer: Framer,
    /// Frames of B since the last call that took them.
    seen: Vec<Frame>,
    closed: bool,
    events: Vec<RbsEvent>,
}

fn open(role: Role) -> Open {
    Open {
        minimum: (1, 0),
        maximum: (1, 0),
        keepalive: 10,
        hold: 150,
        digest: true,
        timers: true,
        profiles: vec![OpenProfile {
            backup_id: ID,
            service: Service::Mld,
            role,
            e_trunk_id: 1,
            eth_trunk: 1,
            configuration_digest: [7; 32],
        }],
    }
}

fn record(group: &str, sequence: u64) -> GroupRecord {
    let state = SourceRecord {
        timer_ms: 260_000,
        query_count: 0,
    };
    GroupRecord {
        eth_trunk: 1,
        group: ip(group),
        filter_mode: FilterMode::Include,
        query_count: 0,
        version: Version {
            epoch: 1,
            sequence,
            origin: PEER,
        },
        filter_timer_ms: 0,
        v1_host_ms: 0,
        query_due_ms: 0,
        last_reporter: Ipv6Addr::UNSPECIFIED,
        sources: BTreeMap::from([(ip("2001:db8::1"), state)]),
    }
}

fn upsert(generation: u32, records: &[GroupRecord]) -> Body {
    Body::Upsert {
        generation,
        records: records.iter().cloned().map(Record::Group).collect(),
    }
}

fn digest_of(records: &[GroupRecord]) -> [u8; 32] {
    dut_wire::rbs::digest_of(records)
}

impl Bench {
    fn new(config: SessionConfig) -> Self {
        let mut bench = Self {
            b: Session::new(config),
            now: Instant::ZERO,
            next_id: 1,
            framer: Framer::new(),
            seen: Vec::new(),
            closed: false,
            events: Vec::new(),
        };
        bench.b.start(bench.now);
        bench.b.handle_connected(bench.now);
        bench.drain();
        bench
    }

    /// Connected; the tester has `role`.
    fn connected(role: Role) -> Self {
        let mut bench = Self::new(config_b());
        bench.send(0, Body::Open(open(role)));
        bench.send(0, Body::OpenAck(open(role)));
        assert!(bench.b.is_connected());
        bench
    }

    /// Connected as a master whose batch of these records B has taken.
    fn master(records: &[GroupRecord]) -> Self {
        let mut bench = Self::connected(Role::Master);
        bench.take("SYNC_REQ");
        bench.batch(1, records);
        bench.advance(20);
        bench.seen.clear();
        bench
    }

    fn batch(&mut self, generation: u32, records: &[GroupRecord]) {
        let count = u32::try_from(records.len()).unwrap();
        self.send(ID, Body::SyncBegin { generation, count });
        if !records.is_empty() {
            self.send(ID, upsert(generation, records));
        }
        let digest = digest_of(records);
        let end = Body::SyncEnd {
            generation,
            count,
            digest,
        };
        self.send(ID, end);
    }

    fn drain(&mut self) {
        while let Some(command) = self.b.poll_command() {
            match command {
                Command::Send(octets) => {
                    let mut input = octets.as_slice();
                    while let Some(frame) = self.framer.next(&mut input) {
                        self.seen.push(frame.unwrap());
                    }
                }
                Command::Close | Command::Abort => self.closed = true,
                Command::Connect | Command::Listen => {}
            }
        }
        while let Some(event) = self.b.poll_event() {
            self.events.push(event);
        }
    }

    fn frame(&mut self, backup_id: u16, body: Body) -> Vec<u8> {
        let message_id = self.next_id;
        self.next_id += 1;
        let service = if backup_id == 0 {
            Service::None
        } else {
            Service::Mld
        };
        let frame = Frame {
            session_epoch: 1,
            message_id,
            backup_id,
            service,
            body,
        };
        frame.to_vec()
    }

    fn raw(&mut self, octets: &[u8]) {
        self.b.handle_bytes(self.now, octets);
        self.drain();
    }

    fn send(&mut self, backup_id: u16, body: Body) {
        let octets = self.frame(backup_id, body);
        self.raw(&octets);
    }

    fn advance(&mut self, ms: u64) {
        let end = self.now + Duration::from_millis(ms);
        while let Some(next) = self.b.next_timeout().filter(|next| *next <= end) {
            self.now = next;
            self.b.handle_timeout(next);
            self.drain();
        }
        self.now = end;
    }

    /// Takes the first frame named so, and all before it, out of what was seen.
    fn take(&mut self, name: &str) -> Frame {
        let at = self.seen.iter().position(|frame| frame.body.name() == name);
        let names: Vec<_> = self.seen.iter().map(|frame| frame.body.name()).collect();
        assert!(at.is_some(), "no {name} in {names:?}");
        self.seen.drain(..=at.unwrap()).next_back().unwrap()
    }

    fn expect_notify(&mut self, code: NotifyCode, reason: &str) {
        let notify = self.take("NOTIFY");
        assert!(matches!(notify.body, Body::Notify { code: seen, .. } if seen == code));
        assert!(self.closed);
        assert!(!self.b.is_connected());
        let (service, _) = self.b.snapshot(self.now);
        assert_eq!(service.errors[code.name()], 1);
        assert_eq!(service.last_down_reason.as_deref(), Some(reason));
        let reason = code.name();
        assert!(self.events.contains(&RbsEvent::Discarded { reason }));
    }

    fn expect_nak(&mut self, code: NakCode) {
        let refused = self.next_id - 1;
        let nak = self.take("NAK");
        assert_eq!(nak.body, Body::Nak { refused, code });
        assert!(!self.closed);
    }

    fn groups(&self) -> Vec<String> {
        let entries = self.b.entries(self.now, ID);
        entries
            .iter()
            .map(|entry| entry.group.to_string())
            .collect()
    }
}

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

/// B is Master beside a slave that has taken its first, empty batch.
fn b_is_master() -> Bench {
    let mut bench = Bench::new(config_b());
    bench.b.set_role(bench.now, ID, true);
    bench.send(0, Body::Open(open(Role::Slave)));
    bench.send(0, Body::OpenAck(open(Role::Slave)));
    bench.send(ID, Body::SyncReq { number: 1 });
    let id = bench.take("SYNC_END").message_id;
    bench.send(0, Body::Ack { message_id: id });
    bench
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
