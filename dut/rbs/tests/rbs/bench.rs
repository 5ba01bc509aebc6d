//! A tester in the peer's place: hand-made frames into one session.

use crate::common::{ID, config_b, ip};
use dut_device::Instant;
use dut_rbs::{Command, FilterMode, RbsEvent, Role, Service, Session, SessionConfig};
use dut_wire::rbs::{
    Body, Frame, Framer, GroupRecord, NakCode, NotifyCode, Open, OpenProfile, Record, SourceRecord,
    Version,
};
use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::time::Duration;

pub(crate) const PEER: [u8; 6] = [0, 0xe0, 0xfc, 0, 0, 1];

/// A tester in the peer's place, B (the listener) under test.
pub(crate) struct Bench {
    pub(crate) b: Session,
    pub(crate) now: Instant,
    pub(crate) next_id: u64,
    pub(crate) framer: Framer,
    /// Frames of B since the last call that took them.
    pub(crate) seen: Vec<Frame>,
    pub(crate) closed: bool,
    pub(crate) events: Vec<RbsEvent>,
}

pub(crate) fn open(role: Role) -> Open {
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

pub(crate) fn record(group: &str, sequence: u64) -> GroupRecord {
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

pub(crate) fn upsert(generation: u32, records: &[GroupRecord]) -> Body {
    Body::Upsert {
        generation,
        records: records.iter().cloned().map(Record::Group).collect(),
    }
}

pub(crate) fn digest_of(records: &[GroupRecord]) -> [u8; 32] {
    dut_wire::rbs::digest_of(records)
}

impl Bench {
    pub(crate) fn new(config: SessionConfig) -> Self {
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
    pub(crate) fn connected(role: Role) -> Self {
        let mut bench = Self::new(config_b());
        bench.send(0, Body::Open(open(role)));
        bench.send(0, Body::OpenAck(open(role)));
        assert!(bench.b.is_connected());
        bench
    }

    /// Connected as a master whose batch of these records B has taken.
    pub(crate) fn master(records: &[GroupRecord]) -> Self {
        let mut bench = Self::connected(Role::Master);
        bench.take("SYNC_REQ");
        bench.batch(1, records);
        bench.advance(20);
        bench.seen.clear();
        bench
    }

    pub(crate) fn batch(&mut self, generation: u32, records: &[GroupRecord]) {
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

    pub(crate) fn drain(&mut self) {
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

    pub(crate) fn frame(&mut self, backup_id: u16, body: Body) -> Vec<u8> {
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

    pub(crate) fn raw(&mut self, octets: &[u8]) {
        self.b.handle_bytes(self.now, octets);
        self.drain();
    }

    pub(crate) fn send(&mut self, backup_id: u16, body: Body) {
        let octets = self.frame(backup_id, body);
        self.raw(&octets);
    }

    pub(crate) fn advance(&mut self, ms: u64) {
        let end = self.now + Duration::from_millis(ms);
        while let Some(next) = self.b.next_timeout().filter(|next| *next <= end) {
            self.now = next;
            self.b.handle_timeout(next);
            self.drain();
        }
        self.now = end;
    }

    /// Takes the first frame named so, and all before it, out of what was seen.
    pub(crate) fn take(&mut self, name: &str) -> Frame {
        let at = self.seen.iter().position(|frame| frame.body.name() == name);
        let names: Vec<_> = self.seen.iter().map(|frame| frame.body.name()).collect();
        assert!(at.is_some(), "no {name} in {names:?}");
        self.seen.drain(..=at.unwrap()).next_back().unwrap()
    }

    pub(crate) fn expect_notify(&mut self, code: NotifyCode, reason: &str) {
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

    pub(crate) fn expect_nak(&mut self, code: NakCode) {
        let refused = self.next_id - 1;
        let nak = self.take("NAK");
        assert_eq!(nak.body, Body::Nak { refused, code });
        assert!(!self.closed);
    }

    pub(crate) fn groups(&self) -> Vec<String> {
        let entries = self.b.entries(self.now, ID);
        entries
            .iter()
            .map(|entry| entry.group.to_string())
            .collect()
    }
}

/// B is Master beside a slave that has taken its first, empty batch.
pub(crate) fn b_is_master() -> Bench {
    slow_master(0)
}

/// The same on a path of so many ms there and back.
pub(crate) fn slow_master(ms: u64) -> Bench {
    let mut bench = Bench::new(config_b());
    bench.b.set_role(bench.now, ID, true);
    bench.advance(ms);
    bench.send(0, Body::Open(open(Role::Slave)));
    bench.send(0, Body::OpenAck(open(Role::Slave)));
    bench.send(ID, Body::SyncReq { number: 1 });
    let id = bench.take("SYNC_END").message_id;
    bench.advance(ms);
    bench.send(0, Body::Ack { message_id: id });
    bench
}
