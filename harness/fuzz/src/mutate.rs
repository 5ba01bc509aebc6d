//! Choices, and what is changed of a legal frame: one field, several, the structure, a length,
//! single octets.
//!
//! Everything is drawn from octets: libFuzzer's input, or those that a campaign's seed gives. So a
//! generator is written once.

use harness_wire::{FieldForm, FieldInfo, Fields, Kind, build, build_message, field_table, to_hex};
use serde_json::{Value, json};

/// Choices drawn from octets; when they are used up every choice is the first.
#[derive(Debug)]
pub struct Source<'u, 'a>(&'u mut arbitrary::Unstructured<'a>);

impl<'u, 'a> Source<'u, 'a> {
    /// Draws from these.
    #[must_use]
    pub const fn new(octets: &'u mut arbitrary::Unstructured<'a>) -> Self {
        Self(octets)
    }

    /// Whether all is used up.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A number below `n`; 0 when `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        let top = n.saturating_sub(1);
        self.0.int_in_range(0..=top).unwrap_or(0)
    }

    /// One of these. The slice must not be empty: the first element stands for none.
    ///
    /// # Panics
    /// On an empty slice.
    pub fn pick<'c, T>(&mut self, choices: &'c [T]) -> &'c T {
        let index = self.below(choices.len());
        match choices.get(index) {
            Some(choice) => choice,
            None => panic!("nothing to choose from"),
        }
    }

    /// Whether something of this percentage happens; never when all is used up.
    pub fn chance(&mut self, percent: usize) -> bool {
        !self.is_empty() && self.below(100) >= 100 - percent.min(100)
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0.arbitrary().unwrap_or(0)
    }

    /// Up to `most` octets.
    pub fn octets(&mut self, most: usize) -> Vec<u8> {
        let length = self.below(most + 1).min(self.0.len());
        self.0.bytes(length).map(<[u8]>::to_vec).unwrap_or_default()
    }
}

/// Addresses that a receiver may take for something special (mld.md 7.6: none of these is made up).
const ADDRESSES: [&str; 14] = [
    "ff1e::1",
    "ff1e::2",
    "ff3e::8000:1",
    "ff02::1",
    "ff02::16",
    "ff01::1",
    "ff00::",
    "ff0e::1",
    "::",
    "::1",
    "fe80::1",
    "fe80::ffff",
    "2001:db8:40::1",
    "2001:db8:11::11",
];
const MACS: [&str; 6] = [
    "00:00:00:00:00:00",
    "ff:ff:ff:ff:ff:ff",
    "01:80:c2:00:00:02",
    "02:00:00:00:00:99",
    "00:e0:fc:00:00:01",
    "03:00:00:00:00:01",
];
/// Groups and sources of legal reports: few, so that they meet.
pub(crate) const GROUPS: [&str; 4] = ["ff1e::1", "ff1e::2", "ff1e::3", "ff3e::8000:1"];
pub(crate) const SOURCES: [&str; 4] = [
    "2001:db8:40::1",
    "2001:db8:40::2",
    "2001:db8:40::3",
    "2001:db8:40::100",
];
pub(crate) const RECORD_TYPES: [&str; 6] = ["IS_IN", "IS_EX", "TO_IN", "TO_EX", "ALLOW", "BLOCK"];

/// A value for a field: at its bounds, around them, or any.
fn value(source: &mut Source<'_, '_>, field: &FieldInfo) -> Value {
    match field.form {
        FieldForm::Number => {
            let top = 1_u64.checked_shl(u32::try_from(field.bits).unwrap_or(64));
            let top = top.map_or(u64::MAX, |top| top - 1);
            let any = source.number() & top;
            let small = any & 0xff & top;
            let choices = [
                0,
                1,
                2,
                top,
                top - top.min(1),
                top / 2,
                top / 2 + 1,
                small,
                any,
                any,
            ];
            (*source.pick(&choices)).into()
        }
        FieldForm::Mac => (*source.pick(&MACS)).into(),
        FieldForm::Ipv6 => (*source.pick(&ADDRESSES)).into(),
        FieldForm::Octets => {
            let fill = *source.pick(&[0xff_u8, 0, 1, 0xaa]);
            to_hex(&vec![fill; field.bits / 8]).into()
        }
    }
}

/// Fields that only a structural or length change may touch, or which hold a frame together.
const LEFT: [&str; 3] = ["checksum", "magic", "subtype"];

fn one_field(source: &mut Source<'_, '_>, kind: Kind, fields: &mut Fields) {
    let table = field_table(kind);
    let own: Vec<&FieldInfo> = table.iter().filter(|f| !LEFT.contains(&f.name)).collect();
    if own.is_empty() {
        return;
    }
    let field = **source.pick(&own);
    let value = value(source, &field);
    fields.insert(field.name.to_owned(), value);
}

/// An envelope's field.
fn envelope(source: &mut Source<'_, '_>, kind: Kind, fields: &mut Fields) {
    let slow = matches!(kind, Kind::Lacpdu | Kind::Marker | Kind::Slow);
    let ethernet: [(&str, Value); 4] = [
        ("ether.destination", (*source.pick(&MACS)).into()),
        ("ether.source", (*source.pick(&MACS)).into()),
        ("vlan.id", (*source.pick(&[0_u64, 100])).into()),
        (
            "ether.ethertype",
            (*source.pick(&[0x8808_u64, 0x86dd, 0x0800, 110])).into(),
        ),
    ];
    let ip: [(&str, Value); 6] = [
        ("ipv6.source", (*source.pick(&ADDRESSES)).into()),
        ("ipv6.destination", (*source.pick(&ADDRESSES)).into()),
        (
            "ipv6.hop_limit",
            (*source.pick(&[0_u64, 2, 64, 255])).into(),
        ),
        (
            "ipv6.next_header",
            (*source.pick(&[0_u64, 44, 59, 17])).into(),
        ),
        (
            "ipv6.payload_length",
            (*source.pick(&[0_u64, 8, 24, 1280, 65_535])).into(),
        ),
        (
            "icmpv6.checksum",
            (*source.pick(&[0_u64, 1, 0xffff])).into(),
        ),
    ];
    let mld = matches!(
        kind,
        Kind::MldQuery | Kind::MldReport | Kind::MldV1Report | Kind::MldDone
    );
    let known = harness_wire::field_names(kind);
    let all: Vec<&(&str, Value)> = match (slow, mld) {
        (true, _) => ethernet.iter().collect(),
        (false, true) => ethernet.iter().chain(&ip).collect(),
        (false, false) => ethernet.iter().chain(ip.iter().take(5)).collect(),
    };
    if mld && source.chance(25) {
        let options = ["3a00000000000000", "3a00050200010100", "3a00010400000000"];
        fields.insert("hop_by_hop".to_owned(), (*source.pick(&options)).into());
        return;
    }
    let (name, value) = (*source.pick(&all)).clone();
    if known.iter().any(|known| known == name) {
        fields.insert(name.to_owned(), value);
    }
}

/// A record of a version 2 report, or nearly one.
fn odd_record(source: &mut Source<'_, '_>) -> Value {
    let sources: Vec<&str> = (0..source.below(4))
        .map(|_| *source.pick(&ADDRESSES))
        .collect();
    let mut record = json!({
        "type": *source.pick(&[1_u64, 2, 3, 4, 5, 6, 0, 7, 9, 255]),
        "group": *source.pick(&ADDRESSES),
        "sources": sources,
    });
    if let Some(map) = record.as_object_mut() {
        if source.chance(25) {
            map.insert(
                "aux".to_owned(),
                (*source.pick(&["01020304", "0102030405060708"])).into(),
            );
        }
        if source.chance(15) {
            let number = *source.pick(&[0_u64, 1, 5, 89, 4095, 65_535]);
            map.insert("number_of_sources".to_owned(), number.into());
        }
        if source.chance(10) {
            map.insert(
                "aux_length".to_owned(),
                (*source.pick(&[0_u64, 1, 255])).into(),
            );
        }
    }
    record
}

/// A group of a Join/Prune, with any sources.
fn join_prune_group(source: &mut Source<'_, '_>) -> Value {
    let mut lists = [(); 2].map(|()| {
        let entry = |_| {
            let (wildcard, rpt) = (source.chance(30), source.chance(30));
            json!({"source": *source.pick(&ADDRESSES), "wildcard": wildcard, "rpt": rpt})
        };
        (0..2).map(entry).collect::<Vec<Value>>()
    });
    for list in &mut lists {
        list.truncate(source.below(3));
    }
    let [joined, pruned] = lists;
    json!({"group": *source.pick(&ADDRESSES), "joined": joined, "pruned": pruned})
}

/// The lists and TLVs of the reference formats.
fn reference_format(source: &mut Source<'_, '_>, kind: Kind) -> (&'static str, Value) {
    let hello = [
        ("omit", json!(["addr"])),
        ("omit", json!(["echo"])),
        ("omit", json!(["lacp_sys"])),
        ("members", json!([])),
        ("members", json!([{"local_id": 1}, {"local_id": 1}])),
        ("members", json!([{"local_id": 2}, {"local_id": 1}])),
        ("members", json!([{"link_ready": 0, "role": 2}])),
        ("members", json!([{"work_mode": 9}])),
        ("members", json!([{"local_id": 7, "remote_id": 9}])),
        ("tlvs", json!("0011000401020304")),
        ("tlvs", json!("8011000401020304")),
        ("tlvs", json!("0011ffff")),
    ];
    let message = [
        ("count", json!(0)),
        ("count", json!(65_535)),
        ("body", json!("")),
        ("body", json!("00".repeat(12))),
        ("body", json!("ff".repeat(40))),
        ("generation", json!(99)),
        ("acknowledged", json!(1_000_000)),
        ("refused_id", json!(77)),
        ("message_id", json!(1)),
        ("message_id", json!(1_000_000)),
        ("session_epoch", json!(9)),
    ];
    if kind == Kind::Etrunk {
        source.pick(&hello).clone()
    } else {
        source.pick(&message).clone()
    }
}

/// The lists and TLVs of a frame.
fn structure(source: &mut Source<'_, '_>, kind: Kind, fields: &mut Fields) {
    match kind {
        Kind::Lacpdu => {
            let tlvs = [
                "0404deadbeef",
                "64ff",
                "0a02",
                "04020402",
                "0100",
                "0000",
                "0414",
            ];
            let extra = if source.chance(20) {
                "64".repeat(500)
            } else {
                String::new()
            };
            let text = format!("{}{extra}", source.pick(&tlvs));
            fields.insert("tlvs".to_owned(), text.into());
        }
        Kind::MldReport => {
            let records: Vec<Value> = (0..1 + source.below(4))
                .map(|_| odd_record(source))
                .collect();
            fields.insert("records".to_owned(), records.into());
        }
        Kind::MldQuery => {
            let sources: Vec<&str> = (0..source.below(5))
                .map(|_| *source.pick(&ADDRESSES))
                .collect();
            fields.insert("sources".to_owned(), sources.into());
        }
        Kind::Etrunk | Kind::Rbs => {
            let (name, value) = reference_format(source, kind);
            fields.insert(name.to_owned(), value);
        }
        Kind::Marker | Kind::Slow | Kind::MldV1Report | Kind::MldDone => {
            fields.insert("append".to_owned(), "00ff00ff".into());
        }
        Kind::PimHello => {
            fields.insert("options".to_owned(), "0001000100".into());
        }
        Kind::PimJoinPrune => {
            let groups = (0..source.below(4)).map(|_| join_prune_group(source));
            fields.insert("groups".to_owned(), groups.collect());
        }
        Kind::Udp | Kind::Neighbor | Kind::Frame => {}
    }
}

/// The frame's length, or a length in it.
fn length(source: &mut Source<'_, '_>, kind: Kind, fields: &mut Fields) {
    match (kind, source.below(3)) {
        (Kind::Lacpdu, 0) => {
            let names = [
                "actor.length",
                "partner.length",
                "collector.length",
                "terminator.length",
            ];
            let value = *source.pick(&[0_u64, 1, 19, 21, 255]);
            fields.insert((*source.pick(&names)).to_owned(), value.into());
        }
        (Kind::MldQuery | Kind::MldReport | Kind::MldV1Report | Kind::MldDone, 0 | 1) => {
            let value = *source.pick(&[0_u64, 4, 8, 20, 23, 24, 25, 27, 28, 29, 44, 100]);
            fields.insert("message_length".to_owned(), value.into());
        }
        (Kind::Etrunk | Kind::Rbs, 0) => {
            let value = *source.pick(&[0_u64, 31, 32, 44, 45, 65_535]);
            fields.insert("length".to_owned(), value.into());
        }
        (_, 1) => {
            let more = *source.pick(&["00", "ff", "0000000000000000", "64ff64ff"]);
            fields.insert("append".to_owned(), more.into());
        }
        (_, _) => {
            let at = 15 + source.below(140);
            fields.insert("cut".to_owned(), at.into());
        }
    }
}

/// Some octets of the frame, wherever they are.
fn patch(source: &mut Source<'_, '_>, kind: Kind, fields: &mut Fields) {
    let whole = if kind == Kind::Rbs {
        build_message(fields)
    } else {
        build(kind, fields)
    };
    let length = whole.map_or(60, |frame| frame.len());
    let first = if kind == Kind::Rbs { 0 } else { 14 };
    let at = first + source.below(length.saturating_sub(first + 1));
    let octet = *source.pick(&["00", "01", "7f", "80", "ff"]);
    fields.insert("patch".to_owned(), json!([[at, octet]]));
}

/// A legal frame with something changed. What comes out can be built.
pub fn frame(source: &mut Source<'_, '_>, kind: Kind, base: &Fields) -> Fields {
    let mut fields = base.clone();
    match source.below(20) {
        0..=8 => one_field(source, kind, &mut fields),
        9..=11 => (0..2 + source.below(3)).for_each(|_| one_field(source, kind, &mut fields)),
        12 | 13 if kind != Kind::Rbs => envelope(source, kind, &mut fields),
        12..=15 => structure(source, kind, &mut fields),
        16 | 17 => length(source, kind, &mut fields),
        _ => patch(source, kind, &mut fields),
    }
    let built = if kind == Kind::Rbs {
        build_message(&fields)
    } else {
        build(kind, &fields)
    };
    // An RBS message is put into a stream: what is done to a whole frame doesn't apply.
    if kind == Kind::Rbs {
        for name in ["append", "cut", "patch"] {
            fields.remove(name);
        }
    }
    if built.is_ok() { fields } else { base.clone() }
}

/// A legal version 2 report's record over few groups and sources.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Drawn {
    /// Its type's name.
    pub(crate) kind: &'static str,
    /// Its group.
    pub(crate) group: &'static str,
    /// Its sources.
    pub(crate) sources: Vec<&'static str>,
}

/// Draws a record, as fields.
pub fn record(source: &mut Source<'_, '_>) -> Value {
    let Drawn {
        kind,
        group,
        sources,
    } = drawn(source);
    json!({"type": kind, "group": group, "sources": sources})
}

/// Draws a record.
pub(crate) fn drawn(source: &mut Source<'_, '_>) -> Drawn {
    let kind = *source.pick(&RECORD_TYPES);
    let group = *source.pick(&GROUPS);
    let mut sources: Vec<&str> = SOURCES
        .iter()
        .copied()
        .filter(|_| source.chance(50))
        .collect();
    if sources.is_empty() && matches!(kind, "IS_IN" | "ALLOW" | "BLOCK") {
        sources.push(SOURCES[0]);
    }
    Drawn {
        kind,
        group,
        sources,
    }
}

/// A legal RBS message of some type that a peer may send once connected.
pub fn rbs_message(source: &mut Source<'_, '_>, backup_id: u64) -> Fields {
    let group = *source.pick(&GROUPS);
    let sequence = 1 + source.below(6);
    let version = json!({"origin": "00e0-fc00-0a00", "epoch": 1, "sequence": sequence});
    let mut record = if source.chance(60) {
        json!({
            "group": group, "filter_mode": 2, "filter_timer_ms": 200_000,
            "sources": [{"source": SOURCES[0], "timer_ms": *source.pick(&[0_u64, 100_000])}],
        })
    } else {
        json!({
            "group": group, "filter_mode": 1,
            "sources": [{"source": SOURCES[1], "timer_ms": 150_000}],
        })
    };
    let mut tombstone = json!({"eth_trunk": 1, "group": group});
    for item in [&mut record, &mut tombstone] {
        if let (Some(item), Some(version)) = (item.as_object_mut(), version.as_object()) {
            item.extend(version.clone());
        }
    }
    let generation = source.below(3);
    let message = match source.below(11) {
        0 => json!({"name": "KEEPALIVE", "backup_id": 0}),
        1 => json!({"name": "SYNC_REQ", "request": 1}),
        2 => json!({"name": "SYNC_BEGIN", "generation": generation, "count": 1}),
        3 => json!({"name": "DELETE", "tombstones": [tombstone]}),
        4 => json!({
            "name": "SYNC_END", "generation": generation, "count": 1, "digest_of": [record],
        }),
        5 => json!({"name": "ACK", "acknowledged": source.below(8)}),
        6 => json!({"name": "ROLE", "role": 1 + source.below(2)}),
        7 => json!({"name": "DIGEST", "count": 1, "digest_flags": 1, "digest_of": [record]}),
        _ => json!({"name": "UPSERT", "generation": generation, "records": [record]}),
    };
    let mut fields: Fields = match message {
        Value::Object(map) => map.into_iter().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Fields::new()
        }
    };
    fields
        .entry("backup_id".to_owned())
        .or_insert_with(|| backup_id.into());
    let service = u64::from(fields.get("backup_id") != Some(&0.into()));
    fields
        .entry("service".to_owned())
        .or_insert_with(|| service.into());
    fields
}
