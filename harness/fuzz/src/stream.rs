//! An RBS session under a byte stream: messages of a legal dialogue with changes, cut anywhere.

use crate::mutate::{self, Source};
use dut_device::{Instant, MacAddr};
use dut_rbs::{Command, Entry, EntrySource, FilterMode, ProfileConfig, Session, SessionConfig};
use harness_wire::{Fields, Kind, build_message, decode_message, split_messages};
use serde_json::{Value, json};
use std::net::Ipv6Addr;
use std::time::Duration;

const BACKUP_ID: u16 = 10;
/// No more is queued for a peer that doesn't read.
const OUTPUT_MAX: usize = 1 << 22;

fn config(boot_epoch: u64) -> SessionConfig {
    let address = |last| Ipv6Addr::new(0x2001, 0xdb8, last, 0, 0, 0, 0, last);
    SessionConfig {
        name: "service1".to_owned(),
        index: 1,
        source: address(0x33),
        peer: address(0x11),
        port: 1025,
        keepalive: Duration::from_secs(1),
        hold: Duration::from_secs(15),
        boot_epoch,
        origin: MacAddr([0, 0xe0, 0xfc, 0, 0x0b, 0]),
        seed: 1,
        wall_origin_s: 0,
        profiles: vec![ProfileConfig {
            index: 0x1000,
            name: "profile1".to_owned(),
            backup_id: BACKUP_ID,
            mld: true,
            e_trunk: 1,
            eth_trunk: 1,
            interfaces: vec!["Eth-Trunk1".to_owned()],
            backup_mode: "hot".to_owned(),
            config_digest: [7; 32],
        }],
    }
}

/// The session and what it has said.
struct Bench {
    session: Session,
    now: Instant,
    output: Vec<u8>,
    /// Messages that a legal peer has sent on this connection.
    sent: u64,
    /// Number of the last message that the session sent on this connection.
    received: u64,
    open: bool,
}

impl Bench {
    fn new(boot_epoch: u64) -> Self {
        let mut bench = Self {
            session: Session::new(config(boot_epoch)),
            now: Instant::ZERO,
            output: Vec::new(),
            sent: 0,
            received: 0,
            open: false,
        };
        bench.session.start(bench.now);
        bench.drain();
        bench
    }

    fn connect(&mut self) {
        self.output.clear();
        (self.sent, self.received, self.open) = (0, 0, true);
        self.session.handle_connected(self.now);
        self.drain();
    }

    /// Takes what the session wants done, and judges what it says.
    fn drain(&mut self) {
        while self.session.poll_event().is_some() {}
        let mut closed = false;
        while let Some(command) = self.session.poll_command() {
            match command {
                Command::Send(octets) => self.output.extend(octets),
                Command::Close | Command::Abort => closed = true,
                Command::Connect | Command::Listen => {}
            }
        }
        assert!(self.output.len() < OUTPUT_MAX, "output without bound");
        for message in split_messages(&mut self.output) {
            let decoded = decode_message(&message);
            assert!(
                decoded.anomalies.is_empty(),
                "it sends {:?}",
                decoded.anomalies
            );
            let id = decoded.fields.get("message_id").and_then(Value::as_u64);
            let next = self.received + 1;
            assert_eq!(id, Some(next), "Message_ID rises by one from 1 (RBS-005)");
            self.received = next;
        }
        assert!(self.output.is_empty(), "it sends a part of a message");
        if closed {
            self.open = false;
        }
        let due = self.session.next_timeout();
        assert!(
            due.is_none_or(|due| due >= self.now),
            "a timeout in the past"
        );
    }

    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        // Every timer of a session is 10 ms apart at least, but what comes at once.
        for _ in 0..20_000 {
            let Some(due) = self.session.next_timeout().filter(|due| *due <= until) else {
                self.now = until;
                return;
            };
            self.now = self.now.max(due);
            self.session.handle_timeout(self.now);
            self.drain();
        }
        panic!("timeouts without end");
    }

    fn send(&mut self, source: &mut Source<'_, '_>, fields: &Fields) {
        let mut fields = fields.clone();
        self.sent += 1;
        fields
            .entry("message_id".to_owned())
            .or_insert_with(|| self.sent.into());
        let Ok(octets) = build_message(&fields) else {
            return;
        };
        let cut = source.below(octets.len() + 1);
        for piece in [octets.get(..cut), octets.get(cut..)].into_iter().flatten() {
            self.session.handle_bytes(self.now, piece);
            self.drain();
        }
    }

    /// Something happens; how many records came.
    fn stimulus(&mut self, source: &mut Source<'_, '_>) -> usize {
        let mut upserts = 0;
        match source.below(16) {
            0 => self.pass(*source.pick(&[
                Duration::from_millis(1),
                Duration::from_millis(10),
                Duration::from_secs(1),
                Duration::from_secs(16),
                Duration::from_secs(300),
            ])),
            1 if !self.open => self.connect(),
            1 => {
                self.session.handle_closed(self.now);
                self.open = false;
                self.drain();
            }
            2 => {
                let master = source.chance(50);
                self.session.set_role(self.now, BACKUP_ID, master);
                self.drain();
            }
            3 => {
                let number = u16::try_from(source.below(2)).unwrap_or(0);
                if source.chance(50) {
                    let entry = own_entry(number);
                    self.session
                        .upsert(self.now, BACKUP_ID, entry, source.chance(50));
                } else {
                    let group = own_entry(number).group;
                    self.session.delete(self.now, BACKUP_ID, 1, group);
                }
                self.drain();
            }
            4 => {
                let noise = source.octets(64);
                self.session.handle_bytes(self.now, &noise);
                self.drain();
            }
            12 | 13 => {
                let fields = rare_message(source);
                upserts += 1;
                self.send(source, &fields);
            }
            14 => {
                self.session.batch_now(self.now, BACKUP_ID);
                self.drain();
            }
            15 => {
                let refusal = decode_message(&self.session.refuse_second(self.now));
                let code = refusal.fields.get("code").and_then(Value::as_u64);
                assert_eq!(code, Some(7), "a second connection is told (RBS-025)");
                self.drain();
            }
            choice => {
                let base = mutate::rbs_message(source, u64::from(BACKUP_ID));
                let records = base.get("records").and_then(Value::as_array);
                upserts += records.map_or(0, Vec::len);
                let fields = if choice < 9 {
                    base
                } else {
                    mutate::frame(source, Kind::Rbs, &base)
                };
                let records = fields.get("records").and_then(Value::as_array);
                upserts += records.map_or(0, Vec::len);
                self.send(source, &fields);
            }
        }
        upserts
    }

    /// What must hold after every stimulus: the table is legal and no greater than its source.
    fn check(&self, upserts: usize) {
        let entries = self.session.entries(self.now, BACKUP_ID);
        assert!(
            entries.len() <= upserts + 2,
            "{} entries of {upserts}",
            entries.len()
        );
        for entry in &entries {
            assert!(entry.group.is_multicast(), "an entry for {}", entry.group);
            let runs = |source: &EntrySource| !source.timer.is_zero();
            let include = entry.filter_mode == FilterMode::Include;
            assert!(
                !include || entry.sources.iter().all(runs),
                "an excluded source in INCLUDE mode"
            );
        }
    }
}

fn map(value: Value) -> Fields {
    match value {
        Value::Object(map) => map.into_iter().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Fields::new()
        }
    }
}

fn open(name: &str, role: u64) -> Fields {
    let profile = json!({
        "backup_id": BACKUP_ID, "service": 1, "mode": 1, "role": role, "e_trunk": 1,
        "eth_trunk": 1, "configuration_digest": "07".repeat(32),
    });
    map(json!({"name": name, "profiles": [profile]}))
}

/// What a dialogue seldom has: refusals, an interface record, a record that isn't legal, one of
/// another origin for a group that the session may hold itself, a good-bye.
fn rare_message(source: &mut Source<'_, '_>) -> Fields {
    let group = own_entry(u16::try_from(source.below(2)).unwrap_or(0)).group;
    let record = |group: &str, origin: &str, sequence: usize| {
        json!({
            "group": group, "filter_mode": 2, "filter_timer_ms": 200_000, "origin": origin,
            "epoch": 1, "sequence": sequence,
        })
    };
    let upsert = |record: Value| {
        json!({
            "name": "UPSERT", "backup_id": BACKUP_ID, "service": 1, "generation": 0,
            "records": [record],
        })
    };
    map(match source.below(7) {
        6 => json!({"name": "NOTIFY", "code": 1 + source.below(9), "refused_id": 1}),
        0 | 1 => json!({
            "name": "NAK", "backup_id": BACKUP_ID, "service": 1,
            "refused_id": source.below(6), "code": 1 + source.below(4),
        }),
        2 => upsert(json!({
            "kind": 2, "eth_trunk": 1, "querier": "fe80::1", "origin": "00e0-fc00-0a00",
            "epoch": 1, "sequence": 1 + source.below(6), "general_query_ms": 1000,
        })),
        3 => upsert(record("2001:db8::1", "00e0-fc00-0a00", 1)),
        4 => {
            let origin = *source.pick(&["00e0-fc00-0a00", "00e0-fc00-0b00", "00e0-fc00-0c00"]);
            upsert(record(&group.to_string(), origin, source.below(8)))
        }
        _ => json!({"name": "GOODBYE", "cause": 1 + source.below(2)}),
    })
}

fn own_entry(number: u16) -> Entry {
    Entry {
        eth_trunk: 1,
        group: Ipv6Addr::new(0xff1e, 0, 0, 0, 0, 0, 1, number),
        filter_mode: FilterMode::Exclude,
        filter_timer: Duration::from_secs(260),
        v1_host_timer: Duration::ZERO,
        query_count: 0,
        query_due: Duration::ZERO,
        sources: Vec::new(),
        last_reporter: None,
        since: Instant::ZERO,
    }
}

/// A schedule from these octets: a dialogue in which messages are legal, changed, or noise; time;
/// ends of the connection; the own side's role and data.
pub fn session(octets: &[u8]) {
    let mut unstructured = arbitrary::Unstructured::new(octets);
    let mut source = Source::new(&mut unstructured);
    let mut bench = Bench::new(1 + u64::from(source.chance(20)));
    let role = if source.chance(50) { 2 } else { 1 };
    bench.session.set_role(bench.now, BACKUP_ID, role == 1);
    bench.connect();
    if source.chance(85) {
        bench.send(&mut source, &open("OPEN", role));
        bench.send(&mut source, &open("OPEN_ACK", role));
    }
    let mut upserts = 0;
    for _ in 0..48 {
        if source.is_empty() {
            break;
        }
        upserts += bench.stimulus(&mut source);
        bench.check(upserts);
    }
    // Whatever came: a new connection and a legal OPEN lead to a connected session again.
    bench.session.handle_closed(bench.now);
    bench.open = false;
    bench.drain();
    bench.pass(Duration::from_secs(40));
    bench.connect();
    bench.send(&mut source, &open("OPEN", 1));
    bench.send(&mut source, &open("OPEN_ACK", 1));
    assert!(
        bench.session.is_connected(),
        "the session never connects again"
    );
}
