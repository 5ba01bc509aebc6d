//! Both codecs on the same octets: what one accepts the other finds legal, every field is read
//! alike, and what is encoded again decodes to the same.
//!
//! Each function takes any octets and panics on a finding. What is legal is worked out here from
//! the permissive codec's fields and the format's text, never from the strict codec.

mod etrunk;
mod rbs;

pub(crate) use etrunk::acceptable;
pub use etrunk::hello;
pub use rbs::message;

use crate::mutate::{self, Source};
use dut_wire::lacp::Lacpdu;
use dut_wire::marker::{MarkerKind, MarkerPdu, response_to};
use dut_wire::mld::{Message, Query, Report};
use dut_wire::{ether, icmpv6, ipv6};
use harness_wire::{Decoded, Fields, Kind, MldView, decode, layers};
use serde_json::Value;
use std::net::Ipv6Addr;

/// No frame is longer: its length fields have 16 bits.
const LONGEST: usize = 60_000;

pub(crate) fn number(fields: &Fields, name: &str) -> Option<u64> {
    fields.get(name).and_then(Value::as_u64)
}

/// A strict decoder's answer against what the format says.
pub(crate) fn agree(accepted: bool, legal: bool, what: &str, octets: &[u8]) {
    assert_eq!(
        accepted,
        legal,
        "{what}: the strict codec {} what the format {}: {}",
        if accepted { "accepts" } else { "refuses" },
        if legal { "allows" } else { "forbids" },
        harness_wire::to_hex(octets)
    );
}

fn slow_frame(payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x01, 0x80, 0xc2, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0x09];
    frame.extend_from_slice(payload);
    frame
}

/// A slow protocol frame's payload: LACPDU and Marker PDU.
pub fn slow(payload: &[u8]) {
    if payload.len() > LONGEST {
        return;
    }
    let decoded = decode(&slow_frame(payload));
    lacpdu(payload, &decoded);
    marker(payload, &decoded);
}

fn lacpdu(payload: &[u8], decoded: &Decoded) {
    let has = |name: &str, value: u64| number(&decoded.fields, name) == Some(value);
    let legal = payload.len() >= 110
        && has("subtype", 1)
        && has("actor.length", 20)
        && has("partner.length", 20)
        && has("collector.length", 16);
    let parsed = Lacpdu::parse(payload);
    agree(parsed.is_ok(), legal, "LACPDU", payload);
    let Ok(pdu) = parsed else { return };
    assert!(has("version", u64::from(pdu.version)), "version");
    assert!(
        has("collector.max_delay", u64::from(pdu.collector_max_delay)),
        "max_delay"
    );
    for (end, info) in [("actor", pdu.actor), ("partner", pdu.partner)] {
        for (name, value) in [
            ("system_priority", info.system_priority),
            ("key", info.key),
            ("port_priority", info.port_priority),
            ("port", info.port),
            ("state", u16::from(info.state.0)),
        ] {
            assert!(
                has(&format!("{end}.{name}"), u64::from(value)),
                "{end}.{name}"
            );
        }
        let system = decoded
            .fields
            .get(&format!("{end}.system"))
            .and_then(Value::as_str);
        let own = dut_device::MacAddr(info.system);
        let other = system.and_then(|text| text.parse::<dut_device::MacAddr>().ok());
        assert_eq!(other, Some(own), "{end}.system");
    }
    let again = pdu.octets();
    let same = Lacpdu { version: 1, ..pdu };
    assert_eq!(Lacpdu::parse(&again), Ok(same), "a LACPDU encoded again");
    let anomalies = decode(&slow_frame(&again)).anomalies;
    assert!(
        anomalies.is_empty(),
        "an encoded LACPDU is odd: {anomalies:?}"
    );
}

fn marker(payload: &[u8], decoded: &Decoded) {
    let has = |name: &str, value: u64| number(&decoded.fields, name) == Some(value);
    let kind = number(&decoded.fields, "tlv_type").filter(|kind| matches!(kind, 1 | 2));
    let legal = payload.len() >= 110 && has("subtype", 2) && kind.is_some() && has("length", 16);
    // The number of octets is `length` where the PDU's own isn't read.
    let legal = legal && decoded.kind == Kind::Marker;
    let parsed = MarkerPdu::parse(payload);
    agree(parsed.is_ok(), legal, "Marker PDU", payload);
    let response = response_to(payload);
    assert_eq!(
        response.is_ok(),
        legal && kind == Some(1),
        "who is answered"
    );
    let Ok(pdu) = parsed else { return };
    assert!(
        has("requester_port", u64::from(pdu.requester_port)),
        "requester_port"
    );
    let id = u64::from(pdu.requester_transaction_id);
    assert!(
        has("requester_transaction_id", id),
        "requester_transaction_id"
    );
    assert_eq!(
        MarkerPdu::parse(&pdu.octets()),
        Ok(pdu),
        "a Marker PDU encoded again"
    );
    if let Ok(response) = response {
        let answer = MarkerPdu {
            kind: MarkerKind::MarkerResponseInformation,
            ..pdu
        };
        assert_eq!(
            MarkerPdu::parse(&response),
            Ok(answer),
            "a Marker Response PDU"
        );
        let mut changed = payload
            .iter()
            .zip(&response)
            .enumerate()
            .filter(|(_, (a, b))| a != b);
        assert!(
            changed.all(|(at, _)| at == 2),
            "a response changes the type alone"
        );
    }
}

/// An IPv6 packet around an ICMPv6 message, in an Ethernet frame.
fn icmpv6_frame(message: &[u8]) -> Vec<u8> {
    let mut frame = vec![
        0x33, 0x33, 0, 0, 0, 0x16, 2, 0, 0, 0, 0, 1, 0x86, 0xdd, 0x60, 0, 0, 0,
    ];
    let length = u16::try_from(message.len()).unwrap_or(u16::MAX);
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(&[58, 1]);
    frame.extend_from_slice(&Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0xa1).octets());
    frame.extend_from_slice(&Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x16).octets());
    frame.extend_from_slice(message);
    frame
}

/// An ICMPv6 message: MLD.
pub fn mld(octets: &[u8]) {
    if octets.len() > LONGEST {
        return;
    }
    let decoded = decode(&icmpv6_frame(octets));
    let parsed = Message::parse(octets);
    agree(
        parsed.is_ok(),
        mld_legal(octets, &decoded),
        "MLD message",
        octets,
    );
    let Ok(parsed) = parsed else { return };
    let view = MldView::of(octets);
    let view = view.unwrap_or_else(|| panic!("the permissive codec knows no such type"));
    match &parsed {
        Message::Query(query) => same_query(query, &decoded, &view),
        Message::ReportV1 { group } | Message::Done { group } => {
            assert_eq!(view.group(), Some(*group), "group");
        }
        Message::Report(report) => same_report(report, &view),
    }
    let mut again = Vec::new();
    parsed.emit(&mut again);
    assert_eq!(again.len(), parsed.emitted_len(), "emitted_len");
    assert_eq!(
        Message::parse(&again),
        Ok(parsed),
        "an MLD message encoded again"
    );
    let anomalies = decode(&icmpv6_frame(&again)).anomalies;
    let odd = anomalies
        .iter()
        .find(|odd| odd.what != "the ICMPv6 checksum is wrong");
    assert!(odd.is_none(), "an encoded MLD message is odd: {odd:?}");
}

/// RFC 3810 5 and 8.1, RFC 2710 3 and 6: lengths, counts, addresses.
fn mld_legal(octets: &[u8], decoded: &Decoded) -> bool {
    let overruns = decoded
        .anomalies
        .iter()
        .any(|odd| odd.what.contains("overruns the message"));
    let group = decoded.fields.get("group").and_then(Value::as_str);
    let group: Option<Ipv6Addr> = group.and_then(|text| text.parse().ok());
    let multicast = group.is_some_and(|group| group.is_multicast());
    let general = group.is_some_and(|group| group.is_unspecified());
    match octets.first() {
        Some(130) => {
            let sources = number(&decoded.fields, "number_of_sources").unwrap_or(0);
            let length = octets.len() == 24 || octets.len() >= 28;
            let listed = octets.len() > 24 && sources > 0;
            length && !overruns && (multicast || (general && !listed))
        }
        Some(131 | 132) => octets.len() >= 24 && multicast,
        Some(143) => octets.len() >= 8 && !overruns,
        Some(_) | None => false,
    }
}

fn same_query(query: &Query, decoded: &Decoded, view: &MldView<'_>) {
    let has = |name: &str, value: u64| number(&decoded.fields, name) == Some(value);
    assert_eq!(view.group(), Some(query.group()), "group");
    let delay = u64::try_from(query.maximum_response_delay().as_millis()).unwrap_or(u64::MAX);
    assert!(
        has("max_response_delay_ms", delay),
        "Maximum Response Delay: {delay} ms"
    );
    if let Query::V2(two) = query {
        assert_eq!(view.sources(), query.sources(), "sources");
        assert!(has("s", u64::from(two.suppress)), "S flag");
        assert!(has("qrv", u64::from(two.qrv.get())), "QRV");
        assert!(has("qqic", u64::from(two.qqic.0)), "QQIC");
    }
}

fn same_report(report: &Report, view: &MldView<'_>) {
    let records = view.records();
    assert_eq!(records.len(), report.records.len(), "number of records");
    for (own, other) in report.records.iter().zip(records) {
        assert_eq!(own.record_type.value(), other.kind, "record type");
        assert_eq!(own.group, other.group, "record's group");
        assert_eq!(own.sources, other.sources, "record's sources");
    }
}

/// Ethernet, IPv6 and the Hop-by-Hop header.
pub fn envelope(frame: &[u8]) {
    if frame.len() > LONGEST {
        return;
    }
    let permissive = layers(frame);
    let strict = ether::Frame::parse(frame);
    agree(strict.is_ok(), frame.len() >= 14, "Ethernet header", frame);
    let Ok(strict) = strict else { return };
    assert_eq!(strict.to_vec(), frame, "an Ethernet frame encoded again");
    let Some(permissive) = permissive else {
        let tagged = matches!(strict.ethertype, 0x8100 | 0x88a8);
        assert!(tagged, "the permissive codec finds no layers");
        return;
    };
    assert_eq!(strict.destination, permissive.destination, "destination");
    assert_eq!(strict.source, permissive.source, "source");
    if strict.ethertype != ether::IPV6 {
        return;
    }
    assert_eq!(permissive.ethertype, ether::IPV6, "EtherType");
    let Ok(packet) = ipv6::Packet::parse(strict.payload) else {
        return;
    };
    let ip = permissive
        .ip
        .unwrap_or_else(|| panic!("the permissive codec finds no packet"));
    assert_eq!(packet.source, ip.source, "source address");
    assert_eq!(packet.destination, ip.destination, "destination address");
    assert_eq!(packet.hop_limit, ip.hop_limit, "hop limit");
    assert_eq!(packet.next_header, ip.next_header, "next header");
    assert_eq!(
        packet.router_alert,
        ip.router_alerts.first().copied(),
        "Router Alert"
    );
    assert_eq!(packet.payload, ip.payload, "payload");
    if packet.next_header == ipv6::HOP_BY_HOP {
        // A second such header, which no packet that is built has.
        return;
    }
    let mut again = Vec::new();
    packet.emit(&mut again);
    assert_eq!(
        ipv6::Packet::parse(&again).as_ref(),
        Ok(&packet),
        "a packet encoded again"
    );
    if packet.next_header == ipv6::ICMPV6 {
        let (from, to) = (packet.source, packet.destination);
        let right = icmpv6::checksum_holds(packet.payload, from, to);
        assert_eq!(right, harness_wire::checksum_holds(&ip), "checksum");
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
        | Kind::Frame => {}
    }
    let fields = mutate::frame(&mut source, kind, &base);
    if kind == Kind::Rbs {
        if let Ok(octets) = harness_wire::build_message(&fields) {
            message(&octets);
        }
        return;
    }
    let Ok(frame) = harness_wire::build(kind, &fields) else {
        return;
    };
    kept(kind, &fields, &frame);
    envelope(&frame);
    let Some(layers) = layers(&frame) else { return };
    if layers.ethertype == ether::SLOW_PROTOCOLS {
        slow(layers.payload);
    }
    match layers.ip {
        Some(ip) if ip.next_header == ipv6::ICMPV6 => mld(ip.payload),
        Some(ip) if ip.next_header == ipv6::UDP => hello(ip.payload.get(8..).unwrap_or_default()),
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
            assert_eq!(
                number(&decoded.fields, field.name),
                Some(given),
                "{}",
                field.name
            );
        }
    }
}
