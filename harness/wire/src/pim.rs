//! PIM Hello and Join/Prune over IPv6 (RFC 7761 4.9), as permissive tables.

use crate::build::{BuildError, set_fields};
use crate::decode::Anomaly;
use crate::envelope::{self, IpDefaults, checksum, u16_at};
use crate::kind::Kind;
use crate::table::{Field, bit, bits, int, ipv6, read};
use crate::value::{Fields, addresses, integer, parse_hex};
use serde_json::{Map, Value};
use std::net::Ipv6Addr;

/// IP protocol number.
pub(crate) const PROTOCOL: u8 = 103;

/// What all messages share.
pub(crate) const HEAD: [Field; 4] = [
    bits("version", 0, 4, 4),
    bits("type", 0, 0, 4),
    int("reserved", 1, 1),
    int("checksum", 2, 2),
];

/// The fixed part of a Join/Prune, from the head's end on: the upstream neighbor in Encoded-Unicast
/// form, then the group count and holdtime.
pub(crate) const JOIN_PRUNE: [Field; 4] = [
    ipv6("upstream_neighbor", 6),
    int("join_prune_reserved", 22, 1),
    int("number_of_groups", 23, 1),
    int("holdtime", 24, 2),
];

/// Fields of a Hello beside the head: options by their names, then any octets.
pub(crate) const HELLO_OWN: &[&str] = &[
    "holdtime",
    "dr_priority",
    "generation_id",
    "propagation_delay",
    "override_interval",
    "addresses",
    "options",
    "pim.checksum",
];

/// Fields of a Join/Prune beside the tables.
pub(crate) const JOIN_PRUNE_OWN: &[&str] = &["groups", "pim.checksum"];

/// Address family and encoding of every encoded address here: IPv6, native.
const IPV6_NATIVE: [u8; 2] = [2, 0];

/// An Encoded-Source address, from its flags on.
const SOURCE: [Field; 5] = [
    bit("sparse", 2, 2),
    bit("wildcard", 2, 1),
    bit("rpt", 2, 0),
    int("mask", 3, 1),
    ipv6("source", 4),
];

/// The kind of a message by its type; `None` of those that nothing here reads.
pub(crate) fn kind_of(message: &[u8]) -> Option<Kind> {
    match message.first()? & 0xf {
        0 => Some(Kind::PimHello),
        3 => Some(Kind::PimJoinPrune),
        _ => None,
    }
}

pub(crate) fn build(kind: Kind, fields: &Fields) -> Result<Vec<u8>, BuildError> {
    let mut message = if kind == Kind::PimHello {
        hello(fields)?
    } else {
        join_prune(fields)?
    };
    let defaults = IpDefaults {
        source: Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0xa1),
        destination: Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xd),
        hop_limit: 1,
        router_alert: false,
        next_header: PROTOCOL,
    };
    envelope::seal(fields, &defaults, "pim.checksum", &mut message)?;
    envelope::ipv6(fields, &defaults, &message)
}

/// An option's value; `none` leaves the option out.
fn option(fields: &Fields, name: &str, default: Option<u32>) -> Result<Option<u32>, BuildError> {
    match fields.get(name) {
        None => Ok(default),
        Some(Value::String(text)) if text == "none" => Ok(None),
        Some(value) => {
            let number = integer(value).and_then(|number| u32::try_from(number).ok());
            number
                .map(Some)
                .ok_or_else(|| BuildError::value(name, value))
        }
    }
}

fn low16(name: &str, number: u32) -> Result<u16, BuildError> {
    u16::try_from(number).map_err(|_| BuildError::value(name, &number.into()))
}

/// Options 1 (Holdtime, 105 s by default), 2 (LAN Prune Delay, where one of its fields is given),
/// 19 (DR Priority, 1), 20 (Generation ID) and 24 (Address List).
fn hello(fields: &Fields) -> Result<Vec<u8>, BuildError> {
    let mut message = vec![0x20, 0, 0, 0];
    set_fields(&HEAD, &mut message, fields)?;
    if let Some(holdtime) = option(fields, "holdtime", Some(105))? {
        put_option(&mut message, 1, &low16("holdtime", holdtime)?.to_be_bytes())?;
    }
    let propagation = option(fields, "propagation_delay", None)?;
    let wait = option(fields, "override_interval", None)?;
    if propagation.is_some() || wait.is_some() {
        let propagation = low16("propagation_delay", propagation.unwrap_or(500))?;
        let wait = low16("override_interval", wait.unwrap_or(2_500))?;
        let delays = [propagation.to_be_bytes(), wait.to_be_bytes()];
        put_option(&mut message, 2, delays.as_flattened())?;
    }
    if let Some(priority) = option(fields, "dr_priority", Some(1))? {
        put_option(&mut message, 19, &priority.to_be_bytes())?;
    }
    if let Some(generation) = option(fields, "generation_id", Some(0x7a5d_0001))? {
        put_option(&mut message, 20, &generation.to_be_bytes())?;
    }
    if let Some(value) = fields.get("addresses") {
        let list = addresses(value).ok_or_else(|| BuildError::value("addresses", value))?;
        let encoded = |address: &Ipv6Addr| [&IPV6_NATIVE[..], &address.octets()].concat();
        let list: Vec<u8> = list.iter().flat_map(encoded).collect();
        put_option(&mut message, 24, &list)?;
    }
    if let Some(value) = fields.get("options") {
        let octets = value.as_str().and_then(parse_hex);
        message.extend(octets.ok_or_else(|| BuildError::value("options", value))?);
    }
    Ok(message)
}

/// OptionType, OptionLength and OptionValue (RFC 7761 4.9.2).
fn put_option(message: &mut Vec<u8>, kind: u16, value: &[u8]) -> Result<(), BuildError> {
    let length = u16::try_from(value.len()).map_err(|_| BuildError::TooLong)?;
    message.extend_from_slice(&kind.to_be_bytes());
    message.extend_from_slice(&length.to_be_bytes());
    message.extend_from_slice(value);
    Ok(())
}

fn join_prune(fields: &Fields) -> Result<Vec<u8>, BuildError> {
    let none = Value::Array(Vec::new());
    let value = fields.get("groups").unwrap_or(&none);
    let wrong = || BuildError::value("groups", value);
    let groups = value.as_array().ok_or_else(wrong)?;
    let mut message = vec![0x23, 0, 0, 0];
    message.extend_from_slice(&IPV6_NATIVE);
    message.extend_from_slice(&[0; 17]);
    message.push(u8::try_from(groups.len()).map_err(|_| BuildError::TooLong)?);
    message.extend_from_slice(&210_u16.to_be_bytes());
    set_fields(&HEAD, &mut message, fields)?;
    set_fields(&JOIN_PRUNE, &mut message, fields)?;
    for group in groups {
        let group = group.as_object().ok_or_else(wrong)?;
        known(group, &["group", "joined", "pruned"])?;
        let address = group.get("group").and_then(crate::value::address);
        message.extend_from_slice(&IPV6_NATIVE);
        message.extend_from_slice(&[0, 128]);
        message.extend_from_slice(&address.ok_or_else(wrong)?.octets());
        let list = |name: &str| match group.get(name) {
            None => Ok(&[][..]),
            Some(value) => value.as_array().map(Vec::as_slice).ok_or_else(wrong),
        };
        let lists = [list("joined")?, list("pruned")?];
        for list in lists {
            let number = u16::try_from(list.len()).map_err(|_| BuildError::TooLong)?;
            message.extend_from_slice(&number.to_be_bytes());
        }
        for source in lists.into_iter().flatten() {
            let source = source.as_object().ok_or_else(wrong)?;
            known(source, &SOURCE.map(|field| field.name))?;
            let [family, encoding] = IPV6_NATIVE;
            let mut octets = [0; 20];
            octets[..4].copy_from_slice(&[family, encoding, 4, 128]);
            let given = source
                .iter()
                .map(|(name, value)| (name.clone(), value.clone()));
            set_fields(&SOURCE, &mut octets, &given.collect())?;
            message.extend_from_slice(&octets);
        }
    }
    Ok(message)
}

fn known(map: &Map<String, Value>, names: &[&str]) -> Result<(), BuildError> {
    match map.keys().find(|name| !names.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(BuildError::Unknown {
            name: name.clone(),
            known: names.join(", "),
        }),
    }
}

/// Decodes a Hello or Join/Prune.
pub(crate) fn decode(ip: &envelope::Ip<'_>, fields: &mut Fields, anomalies: &mut Vec<Anomaly>) {
    let message = ip.payload;
    let right = checksum(ip.source, ip.destination, PROTOCOL, message) == 0;
    let text = if right { "correct" } else { "wrong" };
    fields.insert("pim.checksum".to_owned(), text.into());
    if !right {
        anomalies.push(Anomaly {
            at: 2,
            what: "the PIM checksum is wrong",
        });
    }
    read(&HEAD, message, "", fields);
    if kind_of(message) == Some(Kind::PimHello) {
        decode_hello(message, fields, anomalies);
    } else {
        decode_join_prune(message, fields, anomalies);
    }
}

/// Options by their names, a repeated one by its last value; the types of all in `options.types`.
fn decode_hello(message: &[u8], fields: &mut Fields, anomalies: &mut Vec<Anomaly>) {
    let mut at = 4;
    let mut types: Vec<Value> = Vec::new();
    while at < message.len() {
        let value = u16_at(message, at)
            .zip(u16_at(message, at + 2))
            .and_then(|(kind, length)| {
                let from = at + 4;
                Some((kind, message.get(from..from + usize::from(length))?))
            });
        let Some((kind, value)) = value else {
            let what = "a Hello option overruns the message";
            anomalies.push(Anomaly { at, what });
            break;
        };
        types.push(kind.into());
        let layout: &[Field] = match (kind, value.len()) {
            (1, 2) => &[int("holdtime", 0, 2)],
            (2, 4) => &[
                // Its first bit is T, Tracking Support.
                bits("propagation_delay", 1, 0, 15),
                int("override_interval", 2, 2),
            ],
            (19, 4) => &[int("dr_priority", 0, 4)],
            (20, 4) => &[int("generation_id", 0, 4)],
            (24, length) if length % 18 == 0 => {
                let encoded = value.as_chunks::<18>().0.iter();
                let list = encoded.filter_map(|one| one.last_chunk::<16>());
                let list = list.map(|octets| Ipv6Addr::from_octets(*octets).to_string());
                fields.insert("addresses".to_owned(), list.collect());
                &[]
            }
            (1 | 2 | 19 | 20 | 24, _) => {
                let what = "a Hello option hasn't its length";
                anomalies.push(Anomaly { at, what });
                &[]
            }
            _ => &[],
        };
        read(layout, value, "", fields);
        at += 4 + value.len();
    }
    fields.insert("options.types".to_owned(), types.into());
}

fn decode_join_prune(message: &[u8], fields: &mut Fields, anomalies: &mut Vec<Anomaly>) {
    read(&JOIN_PRUNE, message, "", fields);
    let number = message.get(23).copied().unwrap_or(0);
    let mut at = 26;
    let mut groups: Vec<Value> = Vec::new();
    for _ in 0..number {
        let Some((group, end)) = group_at(message, at) else {
            let what = "Num Groups or a number of sources overruns the message";
            anomalies.push(Anomaly { at, what });
            break;
        };
        groups.push(group);
        at = end;
    }
    if groups.len() == usize::from(number) && at < message.len() {
        let what = "octets follow the last source";
        anomalies.push(Anomaly { at, what });
    }
    fields.insert("groups".to_owned(), groups.into());
}

/// A group with its lists, and where it ends.
fn group_at(message: &[u8], at: usize) -> Option<(Value, usize)> {
    let (head, rest) = message.get(at..)?.split_first_chunk::<24>()?;
    let joined = usize::from(u16_at(head, 20)?);
    let all = joined + usize::from(u16_at(head, 22)?);
    let (sources, _) = rest.get(..all * 20)?.as_chunks::<20>();
    let source = |octets: &[u8; 20]| {
        let mut fields = Fields::new();
        read(&SOURCE, octets, "", &mut fields);
        Value::Object(fields.into_iter().collect())
    };
    let (joined, pruned) = sources.split_at_checked(joined)?;
    let mut map = Map::new();
    let group = Ipv6Addr::from_octets(*head.get(4..)?.first_chunk()?);
    map.insert("group".to_owned(), group.to_string().into());
    map.insert("joined".to_owned(), joined.iter().map(source).collect());
    map.insert("pruned".to_owned(), pruned.iter().map(source).collect());
    Some((Value::Object(map), at + 24 + all * 20))
}

#[cfg(test)]
mod tests;
