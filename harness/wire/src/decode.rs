//! Decoding: every field that is there, and what a strict receiver would object to.

use crate::envelope::{self, Layers, checksum, u16_at};
use crate::kind::Kind;
use crate::table::{Field, bit, int, read};
use crate::value::{Fields, mac_text, to_hex};
use crate::{etrunk, lacp, mld, pim};
use serde_json::Value;
use std::net::Ipv6Addr;

/// Magic octets of a numbered stream's packets.
pub(crate) const STREAM_MAGIC: &[u8] = b"TANDEM-STREAM\0";

/// Something that a strict receiver would object to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anomaly {
    /// Offset in the layer that it is of.
    pub at: usize,
    /// The rule that is broken.
    pub what: &'static str,
}

/// A decoded frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// Its kind.
    pub kind: Kind,
    /// Its fields.
    pub fields: Fields,
    /// What is odd.
    pub anomalies: Vec<Anomaly>,
}

/// A frame's kind, looking at as little as it takes. Any UDP datagram to port 1025 with the
/// reference format's magic is an E-Trunk hello.
#[must_use]
pub fn classify(frame: &[u8]) -> Kind {
    envelope::layers(frame).map_or(Kind::Frame, |layers| kind_of(&layers))
}

fn kind_of(layers: &Layers<'_>) -> Kind {
    if layers.ethertype == 0x8809 {
        return match layers.payload.first() {
            Some(1) => Kind::Lacpdu,
            Some(2) => Kind::Marker,
            _ => Kind::Slow,
        };
    }
    let Some(ip) = &layers.ip else {
        return Kind::Frame;
    };
    match (ip.next_header, ip.payload.first()) {
        (58, Some(130)) => Kind::MldQuery,
        (58, Some(131)) => Kind::MldV1Report,
        (58, Some(132)) => Kind::MldDone,
        (58, Some(143)) => Kind::MldReport,
        (58, Some(135 | 136)) => Kind::Neighbor,
        (17, _) if ip.payload.get(8..12) == Some(etrunk::MAGIC) => Kind::Etrunk,
        (17, _) => Kind::Udp,
        (pim::PROTOCOL, _) => pim::kind_of(ip.payload).unwrap_or(Kind::Frame),
        _ => Kind::Frame,
    }
}

/// What is said of a packet that is shorter than its header says.
pub(crate) const PAYLOAD_OVERRUNS: &str = "Payload Length overruns the frame";

/// Decodes a frame. Never refuses: what can't be told is left out.
#[must_use]
pub fn decode(frame: &[u8]) -> Decoded {
    let mut fields = Fields::new();
    let mut anomalies = Vec::new();
    fields.insert("frame_length".to_owned(), frame.len().into());
    let Some(layers) = envelope::layers(frame) else {
        anomalies.push(Anomaly {
            at: frame.len(),
            what: "an Ethernet header has 14 octets",
        });
        return Decoded {
            kind: Kind::Frame,
            fields,
            anomalies,
        };
    };
    fields.insert(
        "ether.destination".to_owned(),
        mac_text(&layers.destination).into(),
    );
    fields.insert("ether.source".to_owned(), mac_text(&layers.source).into());
    fields.insert("ether.ethertype".to_owned(), layers.ethertype.into());
    if let Some(id) = layers.vlan {
        fields.insert("vlan.id".to_owned(), id.into());
    }
    let kind = kind_of(&layers);
    if layers.ethertype == 0x8809 {
        lacp::decode_slow(layers.payload, &mut fields, &mut anomalies);
    }
    if let Some(ip) = &layers.ip {
        decode_ip(ip, &mut fields);
        if ip.payload.len() < usize::from(ip.payload_length) && ip.hop_by_hop.is_none() {
            anomalies.push(Anomaly {
                at: 4,
                what: PAYLOAD_OVERRUNS,
            });
        }
        match ip.next_header {
            58 => decode_icmpv6(ip, &mut fields, &mut anomalies),
            17 => decode_udp(kind, ip, &mut fields, &mut anomalies),
            6 => decode_tcp(ip, &mut fields),
            pim::PROTOCOL if kind != Kind::Frame => pim::decode(ip, &mut fields, &mut anomalies),
            _ => {}
        }
    }
    Decoded {
        kind,
        fields,
        anomalies,
    }
}

fn decode_ip(ip: &envelope::Ip<'_>, fields: &mut Fields) {
    fields.insert("ipv6.source".to_owned(), ip.source.to_string().into());
    fields.insert(
        "ipv6.destination".to_owned(),
        ip.destination.to_string().into(),
    );
    fields.insert("ipv6.hop_limit".to_owned(), ip.hop_limit.into());
    fields.insert("ipv6.next_header".to_owned(), ip.next_header.into());
    fields.insert("ipv6.payload_length".to_owned(), ip.payload_length.into());
    if let Some(value) = ip.router_alerts.first() {
        fields.insert("hop_by_hop.router_alert".to_owned(), (*value).into());
        fields.insert(
            "hop_by_hop.router_alerts".to_owned(),
            ip.router_alerts.len().into(),
        );
    }
    if let Some(octets) = ip.hop_by_hop {
        fields.insert("hop_by_hop".to_owned(), to_hex(octets).into());
    }
}

fn decode_icmpv6(ip: &envelope::Ip<'_>, fields: &mut Fields, anomalies: &mut Vec<Anomaly>) {
    let message = ip.payload;
    let right = checksum(ip.source, ip.destination, 58, message) == 0;
    let text = if right { "correct" } else { "wrong" };
    fields.insert("icmpv6.checksum".to_owned(), text.into());
    if !right {
        anomalies.push(Anomaly {
            at: 2,
            what: "the ICMPv6 checksum is wrong",
        });
    }
    match message.first() {
        Some(130..=132 | 143) => mld::decode(message, fields, anomalies),
        Some(135 | 136) => decode_neighbor(message, fields),
        Some(other) => {
            fields.insert("type".to_owned(), (*other).into());
        }
        None => {}
    }
}

fn decode_neighbor(message: &[u8], fields: &mut Fields) {
    let kind = message.first().copied().unwrap_or(0);
    fields.insert("type".to_owned(), kind.into());
    fields.insert(
        "flags".to_owned(),
        message.get(4).copied().unwrap_or(0).into(),
    );
    if let Some(target) = message
        .get(8..24)
        .and_then(|o| <[u8; 16]>::try_from(o).ok())
    {
        fields.insert(
            "target".to_owned(),
            Ipv6Addr::from_octets(target).to_string().into(),
        );
    }
    let wanted = if kind == 135 { 1 } else { 2 };
    if message.get(24) == Some(&wanted)
        && let Some(mac) = message.get(26..32)
    {
        fields.insert("link_layer".to_owned(), mac_text(mac).into());
    }
}

/// Ports and flags, and how many octets follow the header.
fn decode_tcp(ip: &envelope::Ip<'_>, fields: &mut Fields) {
    const HEADER: [Field; 6] = [
        int("tcp.source_port", 0, 2),
        int("tcp.destination_port", 2, 2),
        bit("tcp.ack", 13, 4),
        bit("tcp.rst", 13, 2),
        bit("tcp.syn", 13, 1),
        bit("tcp.fin", 13, 0),
    ];
    read(&HEADER, ip.payload, "", fields);
    let header = ip.payload.get(12).map(|octet| usize::from(octet >> 4) * 4);
    let length = header.and_then(|header| ip.payload.len().checked_sub(header));
    fields.extend(length.map(|length| ("tcp.length".to_owned(), length.into())));
}

fn decode_udp(
    kind: Kind,
    ip: &envelope::Ip<'_>,
    fields: &mut Fields,
    anomalies: &mut Vec<Anomaly>,
) {
    for (name, at) in [
        ("udp.source_port", 0),
        ("udp.destination_port", 2),
        ("udp.length", 4),
    ] {
        if let Some(value) = u16_at(ip.payload, at) {
            fields.insert(name.to_owned(), value.into());
        }
    }
    let right = checksum(ip.source, ip.destination, 17, ip.payload) == 0;
    let text = if right { "correct" } else { "wrong" };
    fields.insert("udp.checksum".to_owned(), text.into());
    let payload = ip.payload.get(8..).unwrap_or_default();
    if kind == Kind::Etrunk {
        etrunk::decode(payload, fields, anomalies);
        return;
    }
    if let Some(number) = stream_sequence(payload) {
        fields.insert("sequence".to_owned(), Value::from(number));
    } else {
        fields.insert("payload".to_owned(), to_hex(payload).into());
    }
}

/// Puts another number into a stream's packet, and the UDP checksum right; `None` when it is none.
#[must_use]
pub fn renumber(frame: &mut [u8], number: u64) -> Option<()> {
    const MAGIC: usize = STREAM_MAGIC.len();
    let layers = envelope::layers(frame)?;
    let ip = layers.ip.filter(|ip| ip.next_header == 17)?;
    let (source, destination, length) = (ip.source, ip.destination, ip.payload.len());
    let at = frame.len().checked_sub(length)?;
    let datagram = frame.get_mut(at..)?;
    stream_sequence(datagram.get(8..)?)?;
    datagram
        .get_mut(8 + MAGIC..16 + MAGIC)?
        .copy_from_slice(&number.to_be_bytes());
    datagram.get_mut(6..8)?.fill(0);
    let sum = match checksum(source, destination, 17, datagram) {
        // A computed zero is sent as all ones (RFC 768, RFC 8200 8.1).
        0 => 0xffff,
        sum => sum,
    };
    datagram.get_mut(6..8)?.copy_from_slice(&sum.to_be_bytes());
    Some(())
}

/// The number of a stream's packet, from its UDP payload.
#[must_use]
pub fn stream_sequence(payload: &[u8]) -> Option<u64> {
    let number = payload.strip_prefix(STREAM_MAGIC)?;
    number.get(..8)?.try_into().ok().map(u64::from_be_bytes)
}
