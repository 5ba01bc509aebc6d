//! Seed corpora, made from real frames: what the reference sends and receives in a few cases, the
//! testbeds' configurations, cases, and captures of them.

use crate::beds;
use crate::campaign::case;
use crate::oracle::run;
use crate::plan::Protocol;
use crate::player::Player;
use harness_trace::{Trace, to_pcapng};
use harness_wire::{Kind, build, classify, layers};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// No more files make a seed corpus better.
const MOST: usize = 24;

/// Traces of the first plans of each protocol.
fn traces() -> Vec<Trace> {
    let mut traces = Vec::new();
    for protocol in Protocol::ALL {
        for number in 0..4 {
            let (plan, seed) = case(protocol, 1, number);
            let ran = run(
                &plan,
                "fuzz/seed",
                &Player::simulated(beds::reference()),
                seed,
            );
            traces.extend(ran.ok().and_then(|ran| Some(ran.result?.trace)));
        }
    }
    traces
}

/// Distinct octets that a choice makes of the frames of all traces: one for each kind and length
/// first.
fn of_frames(choose: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Vec<Vec<u8>> {
    let mut shapes = BTreeSet::new();
    let mut found = Vec::new();
    for trace in traces() {
        for (_, frame) in trace.frames() {
            let kind = classify(&frame.octets);
            if let Some(octets) = choose(&frame.octets)
                && shapes.insert((kind, octets.len()))
            {
                found.push(octets);
            }
        }
    }
    found.truncate(MOST);
    found
}

/// Whole frames; PIM's, which the reference doesn't speak, as the tester builds them.
#[must_use]
pub fn frames() -> Vec<Vec<u8>> {
    let tree = json!({"source": "2001:db8:22::22", "wildcard": 1, "rpt": 1});
    let source = json!({"source": "2001:db8:40::1"});
    let group = json!({"group": "ff1e::101", "joined": [source], "pruned": [tree]});
    let pim = [
        (
            Kind::PimHello,
            json!({"addresses": ["2001:db8:20::1"], "override_interval": 2500}),
        ),
        (
            Kind::PimJoinPrune,
            json!({"upstream_neighbor": "fe80::a1", "groups": [group]}),
        ),
    ];
    let built = pim.into_iter().filter_map(|(kind, given)| {
        let given = given.as_object()?.clone().into_iter().collect();
        build(kind, &given).ok()
    });
    let mut found = of_frames(|frame| Some(frame.to_vec()));
    found.extend(built);
    found
}

/// Slow protocol payloads.
#[must_use]
pub fn slow() -> Vec<Vec<u8>> {
    let mut states = BTreeSet::new();
    let mut found = Vec::new();
    for trace in traces() {
        for (_, frame) in trace.frames() {
            let slow = layers(&frame.octets).filter(|layers| layers.ethertype == 0x8809);
            if let Some(payload) = slow.map(|layers| layers.payload.to_vec())
                && states.insert((payload.first().copied(), payload.get(18).copied()))
            {
                found.push(payload);
            }
        }
    }
    found.truncate(MOST);
    found
}

/// MLD messages.
#[must_use]
pub fn mld() -> Vec<Vec<u8>> {
    of_frames(|frame| {
        let ip = layers(frame)?.ip.filter(|ip| ip.next_header == 58)?;
        Some(ip.payload.to_vec())
    })
}

/// The same after the MTU of a link.
#[must_use]
pub fn packed() -> Vec<Vec<u8>> {
    let mtus = [1280_u16, 1500, 9000, 0]
        .map(u16::to_be_bytes)
        .into_iter()
        .cycle();
    let messages = mld().into_iter().zip(mtus);
    messages
        .map(|(message, mtu)| [mtu.to_vec(), message].concat())
        .collect()
}

/// E-Trunk hellos.
#[must_use]
pub fn hellos() -> Vec<Vec<u8>> {
    of_frames(|frame| {
        let payload = layers(frame)?.ip?.payload.get(8..)?.to_vec();
        (classify(frame) == Kind::Etrunk).then_some(payload)
    })
}

/// The same after an octet that chooses algorithm and key.
#[must_use]
pub fn sealed() -> Vec<Vec<u8>> {
    let sealed = |hello: Vec<u8>, choice: u8| [vec![choice], hello].concat();
    let hellos = hellos().into_iter().zip([0, 4, 8, 2, 255]);
    hellos
        .map(|(hello, choice)| sealed(hello, choice))
        .collect()
}

/// RBS messages one after the other, after an octet that says in pieces of how many octets.
#[must_use]
pub fn streams() -> Vec<Vec<u8>> {
    let messages = messages();
    let pieces = [1_u8, 7, 32, 200];
    let stream = |(piece, few): (u8, &[Vec<u8>])| [vec![piece], few.concat()].concat();
    pieces
        .into_iter()
        .zip(messages.chunks(3))
        .map(stream)
        .collect()
}

/// RBS messages, as they stand at the beginning of TCP segments; and one of each name, for a
/// dialogue has few of them.
#[must_use]
pub fn messages() -> Vec<Vec<u8>> {
    let names = [
        "OPEN",
        "NOTIFY",
        "KEEPALIVE",
        "SYNC_REQ",
        "SYNC_BEGIN",
        "UPSERT",
        "DELETE",
        "SYNC_END",
        "ACK",
        "NAK",
        "DIGEST",
        "ROLE",
        "GOODBYE",
    ];
    let of_name = |name: &str| {
        let given = json!({
            "name": name, "backup_id": 10, "service": 1, "generation": 1, "code": 1, "cause": 2,
            "digest": "5a".repeat(32), "records": [{"kind": 2, "querier": "fe80::1"}],
            // Two profiles of one number.
            "profiles": [{"backup_id": 10, "mode": 1}, {"backup_id": 10, "mode": 1}],
            "tombstones": [{"eth_trunk": 1, "group": "ff1e::1"}],
        });
        let given = given.as_object().into_iter().flatten();
        let fields = given.map(|(name, value)| (name.clone(), value.clone()));
        harness_wire::build_message(&fields.collect()).ok()
    };
    let mut found: Vec<Vec<u8>> = names.iter().filter_map(|name| of_name(name)).collect();
    found.extend(spoken());
    found.truncate(MOST);
    found
}

fn spoken() -> Vec<Vec<u8>> {
    of_frames(|frame| {
        let ip = layers(frame)?.ip.filter(|ip| ip.next_header == 6)?;
        let header = usize::from(ip.payload.get(12)? >> 4) * 4;
        let mut stream = ip.payload.get(header..)?.to_vec();
        harness_wire::split_messages(&mut stream).into_iter().next()
    })
}

/// Octets from which choices are drawn.
#[must_use]
pub fn choices() -> Vec<Vec<u8>> {
    let draw = |(seed, length): (u64, usize)| {
        let mut octets = vec![0; length];
        ChaCha8Rng::seed_from_u64(seed).fill_bytes(&mut octets);
        octets
    };
    (1..)
        .zip([64, 64, 128, 128, 256, 256, 512, 512])
        .map(draw)
        .collect()
}

/// Files of `suites` with one of these endings, below a folder.
fn suite_files(folder: &str, ending: &str) -> Vec<Vec<u8>> {
    let mut folders = vec![beds::catalogue().root.join(folder)];
    let mut found = BTreeMap::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == ending) {
                found.extend(fs::read(&path).ok().map(|octets| (path, octets)));
            }
        }
    }
    found.into_values().take(MOST).collect()
}

/// The testbeds' configuration files.
#[must_use]
pub fn configurations() -> Vec<Vec<u8>> {
    suite_files("testbeds", "cfg")
}

/// The first case of each suite's first file, and a small file of its own.
#[must_use]
pub fn cases() -> Vec<Vec<u8>> {
    let first = |file: Vec<u8>| {
        let text = String::from_utf8(file).ok()?;
        let end = text
            .match_indices("\n  - id: ")
            .nth(2)
            .map_or(text.len(), |(at, _)| at + 1);
        text.get(..end).map(|text| text.as_bytes().to_vec())
    };
    let files = ["lacp", "mld", "etrunk", "rbs", "backup"].map(|suite| suite_files(suite, "yaml"));
    let files = files
        .into_iter()
        .flat_map(|files| files.into_iter().take(2));
    files
        .filter_map(first)
        .filter(|text| text.len() < 8192)
        .collect()
}

/// Short captures, as pcapng and as pcap.
#[must_use]
pub fn captures() -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for mut trace in traces() {
        trace.records.truncate(12);
        found.push(to_pcapng(&trace, "a seed", &BTreeMap::new()));
    }
    let mut pcap = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    pcap.extend_from_slice(&[0xff, 0xff, 0, 0, 1, 0, 0, 0]);
    for frame in slow().iter().take(2) {
        let length = u32::try_from(frame.len()).unwrap_or(0).to_le_bytes();
        pcap.extend_from_slice(&[1, 0, 0, 0, 2, 0, 0, 0]);
        pcap.extend_from_slice(&length);
        pcap.extend_from_slice(&length);
        pcap.extend_from_slice(frame);
    }
    found.push(pcap);
    found.truncate(MOST);
    found
}

/// Whole captures of short cases, which hold their case.
#[must_use]
pub fn judged() -> Vec<Vec<u8>> {
    let small = |trace: &Trace| to_pcapng(trace, "a seed", &BTreeMap::new());
    let mut found: Vec<Vec<u8>> = traces().iter().map(small).collect();
    found.retain(|octets| octets.len() < 64_000);
    found.sort_by_key(Vec::len);
    found.truncate(4);
    found
}
