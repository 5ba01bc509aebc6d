//! Building frames: a legal default, fields overridden by name, then raw patches.

use crate::envelope::{self, IpDefaults};
use crate::kind::Kind;
use crate::table::{Field, Form};
use crate::value::{Fields, parse_hex};
use crate::{etrunk, lacp, mld, pim, rbs};
use serde_json::Value;
use thiserror::Error;

/// Why a frame can't be built as asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BuildError {
    /// A field that this kind of frame hasn't.
    #[error("no field `{name}`; there are {known}")]
    Unknown {
        /// The name.
        name: String,
        /// The kind's fields.
        known: String,
    },
    /// A value that isn't of the field's form or doesn't fit.
    #[error("field `{name}`: {value} is not of its form or doesn't fit")]
    Value {
        /// The field.
        name: String,
        /// The value.
        value: String,
    },
    /// Longer than a frame or its length field can be.
    #[error("the frame would be too long")]
    TooLong,
}

impl BuildError {
    pub(crate) fn value(name: &str, value: &Value) -> Self {
        Self::Value {
            name: name.to_owned(),
            value: value.to_string(),
        }
    }
}

/// Fields that every kind takes: envelopes and raw patches, applied in this order.
const COMMON: [&str; 17] = [
    "ether.destination",
    "ether.source",
    "ether.ethertype",
    "vlan.id",
    "vlan.pcp",
    "ipv6.source",
    "ipv6.destination",
    "ipv6.hop_limit",
    "ipv6.next_header",
    "ipv6.payload_length",
    "hop_by_hop",
    "hop_by_hop.router_alert",
    "icmpv6.checksum",
    "append",
    "append_octets",
    "cut",
    "patch",
];

/// Fields that decoding adds to those that can be built.
const DECODED: [&str; 25] = [
    "frame_length",
    "length",
    "max_response_delay_ms",
    "version",
    "sources",
    "hop_by_hop.router_alerts",
    "udp.source_port",
    "udp.destination_port",
    "udp.checksum",
    "udp.length",
    "tlvs.unknown",
    "tlvs.types",
    "options.types",
    "reserved.not_zero",
    "auth.correct",
    "connection",
    "tcp.source_port",
    "tcp.destination_port",
    "tcp.syn",
    "tcp.ack",
    "tcp.fin",
    "tcp.rst",
    "tcp.length",
    "type",
    "code",
];

/// The names of the fields that `build` takes for a kind, common ones last.
#[must_use]
pub fn field_names(kind: Kind) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut table = |fields: &[Field]| names.extend(fields.iter().map(|f| f.name.to_owned()));
    let own: &[&str] = match kind {
        Kind::Lacpdu => {
            table(&lacp::LACPDU);
            &["tlvs"]
        }
        Kind::Marker => {
            table(&lacp::MARKER);
            &[]
        }
        Kind::Slow => {
            table(&lacp::SLOW_TABLE);
            &["payload"]
        }
        Kind::MldQuery => {
            table(&mld::tables(kind));
            &["version", "sources", "trailer", "message_length"]
        }
        Kind::MldReport => {
            table(&mld::tables(kind));
            &["records", "trailer", "message_length"]
        }
        Kind::MldV1Report | Kind::MldDone => {
            table(&mld::tables(kind));
            &["trailer", "message_length"]
        }
        Kind::Etrunk => {
            table(&etrunk::HEAD);
            etrunk::OWN
        }
        Kind::Rbs => {
            table(&rbs::HEAD);
            rbs::OWN
        }
        Kind::Udp => &["payload", "sequence"],
        Kind::Neighbor => &["type", "target", "link_layer", "flags"],
        Kind::PimHello => {
            table(&pim::HEAD);
            pim::HELLO_OWN
        }
        Kind::PimJoinPrune => {
            table(&pim::HEAD);
            table(&pim::JOIN_PRUNE);
            pim::JOIN_PRUNE_OWN
        }
        Kind::Frame => &["octets"],
    };
    names.extend(own.iter().map(|name| (*name).to_owned()));
    if matches!(kind, Kind::Etrunk | Kind::Udp) {
        names.extend(
            [
                "udp.source_port",
                "udp.destination_port",
                "udp.length",
                "udp.checksum",
            ]
            .map(str::to_owned),
        );
    }
    names.extend(COMMON.map(str::to_owned));
    names
}

/// How a field's value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldForm {
    /// A number.
    Number,
    /// A MAC address.
    Mac,
    /// An IPv6 address.
    Ipv6,
    /// Octets in hex.
    Octets,
}

/// A field of a frame's fixed layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldInfo {
    /// Its name.
    pub name: &'static str,
    /// Its width in bits.
    pub bits: usize,
    /// How its value is written.
    pub form: FieldForm,
}

/// The fields of a kind's fixed layouts, in their order: what one value each can be put into.
/// Lists, TLVs and envelopes are not among them.
#[must_use]
pub fn field_table(kind: Kind) -> Vec<FieldInfo> {
    let fields: Vec<Field> = match kind {
        Kind::Lacpdu => lacp::LACPDU.to_vec(),
        Kind::Marker => lacp::MARKER.to_vec(),
        Kind::Slow => lacp::SLOW_TABLE.to_vec(),
        Kind::MldQuery | Kind::MldReport | Kind::MldV1Report | Kind::MldDone => mld::tables(kind),
        Kind::Etrunk => [
            &etrunk::HEAD[..],
            &etrunk::LACP_SYS,
            &etrunk::ADDR,
            &etrunk::ECHO,
        ]
        .concat(),
        Kind::Rbs => rbs::HEAD.to_vec(),
        Kind::PimHello => pim::HEAD.to_vec(),
        Kind::PimJoinPrune => [&pim::HEAD[..], &pim::JOIN_PRUNE].concat(),
        Kind::Udp | Kind::Neighbor | Kind::Frame => Vec::new(),
    };
    let info = |field: Field| FieldInfo {
        name: field.name,
        bits: field.bits,
        form: match field.form {
            Form::Int => FieldForm::Number,
            Form::Mac => FieldForm::Mac,
            Form::Ipv6 => FieldForm::Ipv6,
            Form::Hex => FieldForm::Octets,
        },
    };
    fields.into_iter().map(info).collect()
}

/// The names that decoding a frame of a kind may give: what an expectation can be about.
#[must_use]
pub fn decoded_names(kind: Kind) -> Vec<String> {
    let mut names = field_names(kind);
    names.extend(DECODED.map(str::to_owned));
    names
}

/// Builds a frame of a kind. (An RBS message has no frame of its own: see
/// [`build_message`](crate::build_message).)
///
/// # Errors
/// [`BuildError`] for an unknown field or an impossible value; the frame itself may be as illegal
/// as asked.
pub fn build(kind: Kind, fields: &Fields) -> Result<Vec<u8>, BuildError> {
    let known = field_names(kind);
    if let Some(name) = fields.keys().find(|name| !known.contains(name)) {
        return Err(BuildError::Unknown {
            name: name.clone(),
            known: known.join(", "),
        });
    }
    let mut frame = match kind {
        Kind::Lacpdu => lacp::build_lacpdu(fields)?,
        Kind::Marker => lacp::build_marker(fields)?,
        Kind::Slow => lacp::build_slow(fields)?,
        Kind::MldQuery | Kind::MldReport | Kind::MldV1Report | Kind::MldDone => {
            mld::build(kind, fields)?
        }
        Kind::Etrunk => etrunk::build(fields)?,
        Kind::Rbs => rbs::build_message(fields)?,
        Kind::Udp => datagram(fields)?,
        Kind::Neighbor => neighbor(fields)?,
        Kind::PimHello | Kind::PimJoinPrune => pim::build(kind, fields)?,
        Kind::Frame => {
            let octets = fields.get("octets").unwrap_or(&Value::Null);
            let octets = octets.as_str().and_then(parse_hex);
            octets.ok_or_else(|| BuildError::value("octets", &Value::Null))?
        }
    };
    patch(fields, &mut frame)?;
    Ok(frame)
}

/// `append` hex, `append_octets` as many of 0xa5, then `cut` to a length, then `patch`
/// [[offset, hex]…], on the whole frame.
fn patch(fields: &Fields, frame: &mut Vec<u8>) -> Result<(), BuildError> {
    if let Some(value) = fields.get("append") {
        let octets = value.as_str().and_then(parse_hex);
        frame.extend(octets.ok_or_else(|| BuildError::value("append", value))?);
    }
    let number = |value: &Value| value.as_u64().and_then(|n| usize::try_from(n).ok());
    if let Some(value) = fields.get("append_octets") {
        let octets = number(value).filter(|octets| *octets <= 9_000);
        let octets = octets.ok_or_else(|| BuildError::value("append_octets", value))?;
        frame.resize(frame.len() + octets, 0xa5);
    }
    if let Some(value) = fields.get("cut") {
        let length = number(value);
        frame.truncate(length.ok_or_else(|| BuildError::value("cut", value))?);
    }
    if let Some(value) = fields.get("patch") {
        for item in value.as_array().into_iter().flatten() {
            let at = item
                .get(0)
                .and_then(Value::as_u64)
                .and_then(|at| usize::try_from(at).ok());
            let octets = item.get(1).and_then(Value::as_str).and_then(parse_hex);
            let (Some(at), Some(octets)) = (at, octets) else {
                return Err(BuildError::value("patch", item));
            };
            let field = frame.get_mut(at..at.saturating_add(octets.len()));
            let field = field.ok_or_else(|| BuildError::value("patch", item))?;
            field.copy_from_slice(&octets);
        }
    }
    Ok(())
}

/// Stores those of `fields` that stand in `table`.
pub(crate) fn set_fields(
    table: &[Field],
    octets: &mut [u8],
    fields: &Fields,
) -> Result<(), BuildError> {
    // A whole octet first, then its bits: `actor.state` and `actor.expired` together make sense.
    let whole = |field: &&Field| field.bits.is_multiple_of(8) || field.form != Form::Int;
    let set = |octets: &mut [u8], field: &Field| match fields.get(field.name) {
        None => Ok(()),
        Some(value) => field
            .set(octets, value)
            .ok_or_else(|| BuildError::value(field.name, value)),
    };
    for field in table.iter().filter(whole) {
        set(octets, field)?;
    }
    for field in table.iter().filter(|field| !whole(field)) {
        set(octets, field)?;
    }
    Ok(())
}

fn datagram(fields: &Fields) -> Result<Vec<u8>, BuildError> {
    let mut payload = match fields.get("payload") {
        None => Vec::new(),
        Some(value) => value
            .as_str()
            .and_then(parse_hex)
            .ok_or_else(|| BuildError::value("payload", value))?,
    };
    if let Some(value) = fields.get("sequence") {
        let number = value
            .as_u64()
            .ok_or_else(|| BuildError::value("sequence", value))?;
        payload.extend_from_slice(crate::decode::STREAM_MAGIC);
        payload.extend_from_slice(&number.to_be_bytes());
    }
    let defaults = IpDefaults {
        source: std::net::Ipv6Addr::new(0x2001, 0xdb8, 0x40, 0, 0, 0, 0, 0x100),
        destination: std::net::Ipv6Addr::new(0xff1e, 0, 0, 0, 0, 0, 0, 1),
        hop_limit: 64,
        router_alert: false,
        next_header: 17,
    };
    envelope::udp(fields, &defaults, (5000, 5000), &payload)
}

fn neighbor(fields: &Fields) -> Result<Vec<u8>, BuildError> {
    let number = |name: &str, default: u64| match fields.get(name) {
        None => Ok(default),
        Some(value) => value.as_u64().ok_or_else(|| BuildError::value(name, value)),
    };
    let kind = u8::try_from(number("type", 136)?).unwrap_or(136);
    // Of an advertisement: Solicited and Override.
    let flags = number("flags", if kind == 136 { 0x60 } else { 0 })?;
    let target = envelope::address_of(fields, "target", std::net::Ipv6Addr::UNSPECIFIED)?;
    let mut message = vec![
        kind,
        0,
        0,
        0,
        u8::try_from(flags & 0xff).unwrap_or(0),
        0,
        0,
        0,
    ];
    message.extend_from_slice(&target.octets());
    if let Some(value) = fields.get("link_layer") {
        let mac = value.as_str().and_then(crate::value::parse_mac);
        message.extend_from_slice(&[if kind == 135 { 1 } else { 2 }, 1]);
        message.extend_from_slice(&mac.ok_or_else(|| BuildError::value("link_layer", value))?);
    }
    let defaults = IpDefaults {
        source: target,
        destination: std::net::Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1),
        hop_limit: 255,
        router_alert: false,
        next_header: 58,
    };
    envelope::seal(fields, &defaults, "icmpv6.checksum", &mut message)?;
    envelope::ipv6(fields, &defaults, &message)
}
