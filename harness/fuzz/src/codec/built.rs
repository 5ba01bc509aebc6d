//! Frames that the permissive codec builds, and what it tells of any frame.

use super::{
    envelope, envelope_agreement, hello, hello_agreement, message, message_agreement, mld,
    mld_agreement, slow, slow_agreement,
};
use crate::mutate::{self, Source};
use dut_wire::{ether, ipv6};
use harness_wire::{Fields, Kind, classify, decode, decoded_names, layers, summary};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// The names that a frame of a kind may have.
static NAMES: LazyLock<BTreeMap<Kind, BTreeSet<String>>> = LazyLock::new(|| {
    let names = |kind: Kind| (kind, decoded_names(kind).into_iter().collect());
    Kind::ALL.into_iter().map(names).collect()
});

/// A frame through the permissive codec: a map of names that its kind has, and a line.
pub fn told(frame: &[u8]) {
    if frame.len() > super::LONGEST {
        return;
    }
    let decoded = decode(frame);
    assert_eq!(decoded.kind, classify(frame), "kind");
    let known = NAMES.get(&decoded.kind);
    for name in decoded.fields.keys() {
        let known = known.is_some_and(|known| known.contains(name));
        assert!(known, "{} has no field {name}", decoded.kind.name());
    }
    for odd in &decoded.anomalies {
        assert!(odd.at <= frame.len() + 16 * 0xffff, "octet {}", odd.at);
    }
    assert!(!summary(frame).is_empty(), "a line");
    if decoded.kind == Kind::Etrunk && harness_wire::digest_correct(frame, "k").is_some() {
        let told = decoded.fields.contains_key("auth.digest");
        assert!(told, "the digest that is judged");
    }
}

/// Frames built from field maps: whatever is built by the permissive codec's own table decodes in
/// it to the fields that were given, and goes through the agreement of both codecs.
pub fn built(octets: &[u8]) {
    let mut unstructured = arbitrary::Unstructured::new(octets);
    let mut source = Source::new(&mut unstructured);
    let kinds = [
        Kind::Lacpdu,
        Kind::Marker,
        Kind::MldQuery,
        Kind::MldReport,
        Kind::MldV1Report,
        Kind::MldDone,
        Kind::Etrunk,
        Kind::Rbs,
    ];
    let kind = *source.pick(&kinds);
    let mut base = Fields::new();
    match kind {
        Kind::MldReport => {
            base.insert(
                "records".to_owned(),
                vec![mutate::record(&mut source)].into(),
            );
        }
        Kind::MldV1Report | Kind::MldDone => {
            base.insert("group".to_owned(), "ff1e::1".into());
        }
        Kind::Rbs => base = mutate::rbs_message(&mut source, 10),
        Kind::Lacpdu
        | Kind::Marker
        | Kind::Slow
        | Kind::MldQuery
        | Kind::Etrunk
        | Kind::Udp
        | Kind::Neighbor
        | Kind::PimHello
        | Kind::PimJoinPrune
        | Kind::Frame => {}
    }
    let fields = mutate::frame(&mut source, kind, &base);
    if kind == Kind::Rbs {
        if let Ok(octets) = harness_wire::build_message(&fields) {
            message(&octets);
            message_agreement(&octets);
        }
        return;
    }
    let Ok(frame) = harness_wire::build(kind, &fields) else {
        return;
    };
    kept(kind, &fields, &frame);
    told(&frame);
    envelope(&frame);
    envelope_agreement(&frame);
    let Some(layers) = layers(&frame) else { return };
    if layers.ethertype == ether::SLOW_PROTOCOLS {
        slow(layers.payload);
        slow_agreement(layers.payload);
    }
    match layers.ip {
        Some(ip) if ip.next_header == ipv6::ICMPV6 => {
            mld(ip.payload);
            mld_agreement(ip.payload);
        }
        Some(ip) if ip.next_header == ipv6::UDP => {
            let payload = ip.payload.get(8..).unwrap_or_default();
            hello(payload);
            hello_agreement(payload);
        }
        Some(_) | None => {}
    }
}

/// Fields that were given stand in the frame, where nothing was done to its octets afterwards.
fn kept(kind: Kind, fields: &Fields, frame: &[u8]) {
    let whole = [
        "cut",
        "patch",
        "append",
        "message_length",
        "tlvs",
        "vlan.id",
        "ether.ethertype",
    ];
    let raw = fields.keys().any(|name| {
        whole.contains(&name.as_str()) || name.starts_with("ipv6.") || name == "hop_by_hop"
    });
    let decoded = decode(frame);
    if raw || decoded.kind != kind {
        return;
    }
    for field in harness_wire::field_table(kind) {
        let given = fields.get(field.name).and_then(Value::as_u64);
        let bits = field.name.ends_with(".state") || field.name == "flags";
        if let Some(given) = given.filter(|_| !bits) {
            let read = decoded.fields.get(field.name).and_then(Value::as_u64);
            assert_eq!(read, Some(given), "{}", field.name);
        }
    }
}
