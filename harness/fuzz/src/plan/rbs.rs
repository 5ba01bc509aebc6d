//! RBS: the device as slave of a master that is the tester, and as master of a slave. What it must
//! hold is worked out while the plan is made; it is asked for by DIGEST.

use super::{Plan, Protocol};
use crate::mutate::{self, Source};
use harness_wire::{Fields, Kind, build_message, decode_message};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const GROUPS: [&str; 4] = ["ff1e::1", "ff1e::2", "ff1e::3", "ff3e::8000:1"];
const SOURCES: [&str; 3] = ["2001:db8:40::1", "2001:db8:40::2", "2001:db8:40::100"];
/// The tester's base MAC: the origin of its entries.
const ORIGIN: &str = "00e0-fc00-0b00";

pub(super) fn plan(source: &mut Source<'_, '_>, commands: bool) -> Plan {
    let mut plan = Plan::new(Protocol::Rbs);
    plan.step(json!({"neighbor": {"on": "p1", "addresses": ["2001:db8:10::2"]}}));
    if source.chance(60) || source.is_empty() {
        slave(source, &mut plan, commands);
    } else {
        master(source, &mut plan, commands);
    }
    plan
}

/// What a slave holds: record and sequence by group; sequences of deletions too.
#[derive(Default)]
struct Held {
    records: BTreeMap<&'static str, Value>,
    sequences: BTreeMap<&'static str, usize>,
    generation: usize,
}

impl Held {
    /// The digest of all records, as the permissive codec works it out of the format's text.
    fn digest(&self) -> (usize, Value) {
        let records: Vec<&Value> = self.records.values().collect();
        let message = json!({"name": "DIGEST", "digest_of": records});
        let fields: Fields = message
            .as_object()
            .cloned()
            .unwrap_or_default()
            .into_iter()
            .collect();
        let octets = build_message(&fields).unwrap_or_default();
        let digest = decode_message(&octets).fields.get("digest").cloned();
        (records.len(), digest.unwrap_or(Value::Null))
    }
}

fn send(plan: &mut Plan, message: &Value) {
    let mut message = message.clone();
    if let Some(map) = message.as_object_mut() {
        map.entry("backup_id").or_insert_with(|| 10.into());
        map.entry("service").or_insert_with(|| 1.into());
    }
    plan.step(json!({"send": {"on": "p1", "frame": {"rbs": message}}}));
}

fn expect(plan: &mut Plan, message: &Value, within: &str) {
    plan.step(json!({"expect": {"on": "p1", "frame": {"rbs": message}, "within": within}}));
}

fn record(source: &mut Source<'_, '_>, group: &str, sequence: usize) -> Value {
    let timer = 200_000 + source.below(60_000);
    let address = *source.pick(&SOURCES);
    let (mode, filter, sources) = match source.below(4) {
        0 => (2, timer, json!([])),
        1 => (2, timer, json!([{"source": address, "timer_ms": 0}])),
        2 => (2, timer, json!([{"source": address, "timer_ms": timer}])),
        _ => (1, 0, json!([{"source": address, "timer_ms": timer}])),
    };
    json!({
        "group": group, "origin": ORIGIN, "epoch": 1, "sequence": sequence, "filter_mode": mode,
        "filter_timer_ms": filter, "sources": sources,
    })
}

fn batch(plan: &mut Plan, held: &mut Held, records: &[(&'static str, usize, Value)]) {
    held.generation += 1;
    let generation = held.generation;
    let all: Vec<&Value> = records.iter().map(|(_, _, record)| record).collect();
    let count = all.len();
    send(
        plan,
        &json!({"name": "SYNC_BEGIN", "generation": generation, "count": count}),
    );
    if count > 0 {
        send(
            plan,
            &json!({"name": "UPSERT", "generation": generation, "records": all}),
        );
    }
    send(
        plan,
        &json!({
            "name": "SYNC_END", "generation": generation, "count": count, "digest_of": all,
        }),
    );
    held.records.clear();
    held.sequences.clear();
    for (group, sequence, record) in records {
        held.records.insert(group, record.clone());
        held.sequences.insert(group, *sequence);
    }
    let (count, digest) = held.digest();
    expect(
        plan,
        &json!({"name": "DIGEST", "count": count, "digest": digest}),
        "50ms",
    );
}

/// Asks what it holds.
fn ask(plan: &mut Plan, held: &Held) {
    let (count, digest) = held.digest();
    // Asked with what it should hold, so that the answer is all that follows.
    send(
        plan,
        &json!({"name": "DIGEST", "count": count, "digest": digest, "digest_flags": 1}),
    );
    let answer = json!({"name": "DIGEST", "digest_flags": 0, "count": count, "digest": digest});
    expect(plan, &answer, "50ms");
}

fn slave(source: &mut Source<'_, '_>, plan: &mut Plan, commands: bool) {
    // The peer serves, so that the device stays slave.
    let serves = json!({"priority": 10, "state": 3, "expected_state": 3});
    plan.step(json!({"etrunk-peer": {"on": "p1", "fields": serves}}));
    let peer = json!({"auto": ["open", "keepalive", "ack"], "role": 2});
    plan.step(json!({"rbs-peer": {"on": "p1", "fields": peer}}));
    expect(
        plan,
        &json!({"name": "OPEN", "profiles": [{"backup_id": 10, "service": 1, "role": 1}]}),
        "5s",
    );
    expect(
        plan,
        &json!({"name": "SYNC_REQ", "backup_id": 10, "service": 1}),
        "1s",
    );
    let mut held = Held {
        generation: 6,
        ..Held::default()
    };
    let mut records = Vec::new();
    for (group, sequence) in GROUPS.into_iter().zip(1..) {
        if source.chance(40) {
            records.push((group, sequence, record(source, group, sequence)));
        }
    }
    batch(plan, &mut held, &records);
    plan.begin();
    let mut sequence = 10;
    for _ in 0..1 + source.below(6) {
        // A batch's records have numbers of their own between two.
        sequence += 100;
        real_time(source, plan, &mut held, sequence);
    }
    if source.chance(20) {
        noise(source, plan);
        return;
    }
    if commands && source.chance(30) {
        shut_down(source, plan);
        expect(
            plan,
            &json!({"name": "SYNC_REQ", "backup_id": 10, "service": 1}),
            "1s",
        );
        let number = sequence + 100;
        let group = *source.pick(&GROUPS);
        let records = [(group, number, record(source, group, number))];
        batch(plan, &mut held, &records);
    }
    plan.end();
    ask(plan, &held);
    plan.step(json!({"count": {
        "on": "p1", "frame": {"rbs": {"name": "KEEPALIVE"}}, "for": "4s", "min": 3, "max": 5,
    }}));
    let last = record(source, "ff1e::77", 9999);
    send(plan, &json!({"name": "UPSERT", "records": [last]}));
    expect(plan, &json!({"name": "ACK"}), "50ms");
    held.records.insert("ff1e::77", last);
    ask(plan, &held);
}

/// One stimulus for a slave, and what must follow.
fn real_time(source: &mut Source<'_, '_>, plan: &mut Plan, held: &mut Held, sequence: usize) {
    let group = *source.pick(&GROUPS);
    let known = held.sequences.get(group).copied().unwrap_or(0);
    match source.below(10) {
        0..=2 => {
            let new = record(source, group, sequence);
            send(plan, &json!({"name": "UPSERT", "records": [new]}));
            expect(plan, &json!({"name": "ACK"}), "50ms");
            held.records.insert(group, new);
            held.sequences.insert(group, sequence);
        }
        3 => {
            // An older version of the same origin changes nothing.
            let old = record(source, group, known.saturating_sub(1));
            if known > 1 && held.records.contains_key(group) {
                send(plan, &json!({"name": "UPSERT", "records": [old]}));
                expect(plan, &json!({"name": "ACK"}), "50ms");
            }
        }
        4 | 5 => {
            let tombstone = json!({
                "eth_trunk": 1, "group": group, "origin": ORIGIN, "epoch": 1, "sequence": sequence,
            });
            send(plan, &json!({"name": "DELETE", "tombstones": [tombstone]}));
            expect(plan, &json!({"name": "ACK"}), "50ms");
            if held.records.remove(group).is_some() {
                held.sequences.insert(group, sequence);
            }
        }
        6 => {
            let mut records = Vec::new();
            for (other, number) in GROUPS.into_iter().zip(sequence + 1..) {
                if source.chance(40) {
                    records.push((other, number, record(source, other, number)));
                }
            }
            batch(plan, held, &records);
        }
        7 => {
            // Content that is illegal is refused alone.
            let mut bad = record(source, group, sequence);
            let changes = [
                ("filter_mode", json!(3)),
                ("group", json!("2001:db8::1")),
                ("number_of_sources", json!(9)),
                ("kind", json!(7)),
            ];
            let (name, value) = source.pick(&changes);
            if let Some(map) = bad.as_object_mut() {
                map.insert((*name).to_owned(), value.clone());
            }
            send(plan, &json!({"name": "UPSERT", "records": [bad]}));
            plan.step(json!({"wait": "50ms"}));
            let good = record(source, group, sequence);
            send(plan, &json!({"name": "UPSERT", "records": [good]}));
            expect(plan, &json!({"name": "ACK"}), "50ms");
            held.records.insert(group, good);
            held.sequences.insert(group, sequence);
        }
        8 => plan.step(json!({"wait": *source.pick(&["1s", "3s", "14s"])})),
        _ => {
            // What a master may say besides data.
            let message = *source.pick(&["KEEPALIVE", "ROLE"]);
            if message == "ROLE" {
                send(plan, &json!({"name": "ROLE", "role": 2}));
            } else {
                send(
                    plan,
                    &json!({"name": "KEEPALIVE", "backup_id": 0, "service": 0}),
                );
            }
        }
    }
    ask(plan, held);
}

/// Something malformed at the end: whatever it does to the session, the device connects again.
fn noise(source: &mut Source<'_, '_>, plan: &mut Plan) {
    for _ in 0..1 + source.below(3) {
        let base = mutate::rbs_message(source, 10);
        let fields = mutate::frame(source, Kind::Rbs, &base);
        send(plan, &json!(fields));
    }
    plan.step(json!({"wait": "100ms"}));
    plan.end();
    // The peer listens again; the back-off is 30 s at most.
    plan.step(json!({"rbs-peer": {"on": "p1", "stop": true}}));
    expect(plan, &json!({"name": "OPEN"}), "40s");
}

/// The service is shut down, which the peer is told, and enabled again (RBS-032).
fn shut_down(source: &mut Source<'_, '_>, plan: &mut Plan) {
    plan.command("remote-backup-service shutdown");
    expect(plan, &json!({"name": "GOODBYE", "cause": 1}), "20ms");
    if source.chance(20) {
        plan.command("batch-backup");
        plan.command("remote-backup-service shutdown");
    }
    plan.step(json!({"wait": "1ms"}));
    let time = *source.pick(&["1s", "20s", "70s"]);
    let syn = json!({"tcp.syn": 1, "tcp.ack": 0});
    plan.step(json!({"never": {"on": "p1", "frame": {"frame": syn}, "for": time}}));
    plan.command("undo remote-backup-service shutdown");
    expect(plan, &json!({"name": "OPEN", "message_id": 1}), "5s");
}

/// The device as master: what its listeners do is told at once.
fn master(source: &mut Source<'_, '_>, plan: &mut Plan, commands: bool) {
    plan.step(json!({"rbs-peer": {"on": "p1", "fields": {"auto": ["open", "keepalive", "ack"]}}}));
    expect(
        plan,
        &json!({"name": "OPEN_ACK", "profiles": [{"backup_id": 10, "role": 1}]}),
        "5s",
    );
    plan.step(json!({"partner": {"on": "p2", "fields": {"actor.lacp_timeout": 1}}}));
    plan.step(json!({"wait": "3500ms"}));
    plan.step(json!({"etrunk-peer": {"on": "p1"}}));
    expect(
        plan,
        &json!({"name": "ROLE", "backup_id": 10, "service": 1, "role": 2}),
        "50ms",
    );
    plan.step(json!({"wait": "2s"}));
    plan.begin();
    for number in 0..1 + source.below(4) {
        listener(source, plan, number);
    }
    if commands && source.chance(30) {
        plan.step(json!({"wait": "1s"}));
        plan.command("batch-backup");
        expect(plan, &json!({"name": "SYNC_BEGIN"}), "20ms");
        expect(plan, &json!({"name": "SYNC_END"}), "50ms");
    }
    if commands && source.chance(30) {
        shut_down(source, plan);
        plan.step(json!({"wait": "100ms"}));
        send(plan, &json!({"name": "SYNC_REQ", "request": 99}));
        expect(plan, &json!({"name": "SYNC_BEGIN"}), "50ms");
        expect(plan, &json!({"name": "SYNC_END"}), "50ms");
        plan.step(json!({"wait": "100ms"}));
    }
    plan.end();
    let last = json!({"type": "TO_EX", "group": "ff1e::77"});
    plan.step(json!({"send": {"on": "p2", "frame": {"mld-report": {"records": [last]}}}}));
    let told = json!({"name": "UPSERT", "records": [{"group": "ff1e::77", "filter_mode": 2}]});
    expect(plan, &told, "50ms");
}

/// A listener that joins and perhaps leaves, and what must be told of it; perhaps a batch.
fn listener(source: &mut Source<'_, '_>, plan: &mut Plan, number: usize) {
    let group = format!("ff1e::{}", number + 1);
    let address = *source.pick(&SOURCES);
    let (mode, sources) = if source.chance(50) {
        (2, json!([]))
    } else {
        let timer = json!({"min": 259_000, "max": 260_000});
        (
            1,
            json!([{"source": address, "timer_ms": timer, "query_count": 0}]),
        )
    };
    let told = json!({
        "group": group, "filter_mode": mode, "eth_trunk": 1, "kind": 1, "sources": sources,
        "origin": "00e0-fc00-0a00", "last_reporter": "fe80::a1",
    });
    let report = |report: &Value| {
        let frame = json!({"mld-report": {"records": [report]}});
        json!({"send": {"on": "p2", "frame": frame}})
    };
    plan.step(report(&if mode == 2 {
        json!({"type": "TO_EX", "group": group})
    } else {
        json!({"type": "ALLOW", "group": group, "sources": [address]})
    }));
    let upsert = json!({"name": "UPSERT", "generation": 0, "backup_id": 10, "records": [told]});
    expect(plan, &upsert, "50ms");
    plan.step(json!({"wait": *source.pick(&["100ms", "1s", "10s"])}));
    let mut left = false;
    if source.chance(50) {
        plan.step(report(&if mode == 2 {
            json!({"type": "TO_IN", "group": group})
        } else {
            json!({"type": "BLOCK", "group": group, "sources": [address]})
        }));
        plan.step(json!({"expect": {
            "on": "p2", "frame": {"mld-query": {"group": group}}, "within": "100ms",
        }}));
        let gone = json!({"name": "DELETE", "tombstones": [{"group": group, "eth_trunk": 1}]});
        left = true;
        // Last Listener Query Time is 2 s.
        expect(plan, &gone, "2200ms");
    }
    if source.chance(30) {
        send(plan, &json!({"name": "SYNC_REQ", "request": number + 1}));
        expect(plan, &json!({"name": "SYNC_BEGIN"}), "50ms");
        // What has just joined is among the records.
        let end = if left {
            json!({"name": "SYNC_END"})
        } else {
            json!({"name": "SYNC_END", "count": {"min": 1, "max": 100}})
        };
        expect(plan, &end, "50ms");
    }
}
