//! MLD messages, as permissive tables (RFC 2710, RFC 3810).

use crate::build::{BuildError, set_fields};
use crate::decode::Anomaly;
use crate::envelope::{self, IpDefaults, u16_at};
use crate::kind::Kind;
use crate::table::{Field, bit, bits, int, ipv6, read};
use crate::value::{Fields, address, addresses, integer, parse_hex, to_hex};
use serde_json::{Map, Value};
use std::net::Ipv6Addr;

/// What versions 1 and 2 share.
pub(crate) const HEAD: [Field; 5] = [
    int("type", 0, 1),
    int("code", 1, 1),
    int("checksum", 2, 2),
    int("max_response_code", 4, 2),
    int("reserved", 6, 2),
];

/// The rest of a version 1 message and of a query.
const GROUP: [Field; 1] = [ipv6("group", 8)];

/// The rest of a version 2 query.
const QUERY: [Field; 6] = [
    bit("e", 24, 7),
    bits("resv", 24, 4, 3),
    bit("s", 24, 3),
    bits("qrv", 24, 0, 3),
    int("qqic", 25, 1),
    int("number_of_sources", 26, 2),
];

/// The fixed part of a version 2 report.
const REPORT: [Field; 5] = [
    int("type", 0, 1),
    int("code", 1, 1),
    int("checksum", 2, 2),
    int("flags", 4, 2),
    int("number_of_records", 6, 2),
];

/// Record types by their RFC names.
const TYPES: [(&str, u8); 6] = [
    ("IS_IN", 1),
    ("IS_EX", 2),
    ("TO_IN", 3),
    ("TO_EX", 4),
    ("ALLOW", 5),
    ("BLOCK", 6),
];

/// Every fixed field, for the list of names.
pub(crate) fn tables(kind: Kind) -> Vec<Field> {
    let mut table = Vec::new();
    if kind == Kind::MldReport {
        table.extend(REPORT);
    } else {
        table.extend(HEAD);
        table.extend(GROUP);
        if kind == Kind::MldQuery {
            table.extend(QUERY);
        }
    }
    table
}

fn constant(text: &str) -> Ipv6Addr {
    text.parse().unwrap_or(Ipv6Addr::UNSPECIFIED)
}

pub(crate) fn build(kind: Kind, fields: &Fields) -> Result<Vec<u8>, BuildError> {
    let group = envelope::address_of(fields, "group", Ipv6Addr::UNSPECIFIED)?;
    let (mut message, destination) = match kind {
        Kind::MldReport => (report(fields)?, constant("ff02::16")),
        Kind::MldQuery if group.is_unspecified() => (query(fields)?, constant("ff02::1")),
        Kind::MldQuery => (query(fields)?, group),
        Kind::MldDone => (version1(132, fields)?, constant("ff02::2")),
        Kind::Lacpdu
        | Kind::Marker
        | Kind::Slow
        | Kind::MldV1Report
        | Kind::Etrunk
        | Kind::Rbs
        | Kind::Udp
        | Kind::Neighbor
        | Kind::Frame => (version1(131, fields)?, group),
    };
    if let Some(value) = fields.get("trailer") {
        let trailer = value.as_str().and_then(parse_hex);
        message.extend(trailer.ok_or_else(|| BuildError::value("trailer", value))?);
    }
    if let Some(value) = fields.get("message_length") {
        let length = integer(value).and_then(|length| usize::try_from(length).ok());
        let length = length.filter(|length| *length <= 65_000);
        message.resize(
            length.ok_or_else(|| BuildError::value("message_length", value))?,
            0,
        );
    }
    let defaults = IpDefaults {
        source: constant("fe80::a1"),
        destination,
        hop_limit: 1,
        router_alert: true,
        next_header: 58,
    };
    envelope::seal(fields, &defaults, &mut message)?;
    envelope::ipv6(fields, &defaults, &message)
}

fn version1(kind: u8, fields: &Fields) -> Result<Vec<u8>, BuildError> {
    let mut message = vec![0; 24];
    if let Some(first) = message.first_mut() {
        *first = kind;
    }
    set_fields(&HEAD, &mut message, fields)?;
    set_fields(&GROUP, &mut message, fields)?;
    Ok(message)
}

fn query(fields: &Fields) -> Result<Vec<u8>, BuildError> {
    let version = fields.get("version").map_or(Some(2), integer);
    let mut message = version1(130, fields)?;
    let group = fields
        .get("group")
        .and_then(address)
        .is_some_and(|g| !g.is_unspecified());
    if !fields.contains_key("max_response_code") {
        // 10 s of a general query, 1 s of a specific one: the RFC's defaults.
        let code: u16 = if group { 1000 } else { 10_000 };
        if let Some(field) = message.get_mut(4..6) {
            field.copy_from_slice(&code.to_be_bytes());
        }
    }
    if version == Some(1) {
        return Ok(message);
    }
    let sources = list(fields, "sources")?;
    message.extend_from_slice(&[2, 125]);
    message.extend_from_slice(&count(sources.len())?.to_be_bytes());
    set_fields(&QUERY, &mut message, fields)?;
    for source in sources {
        message.extend_from_slice(&source.octets());
    }
    Ok(message)
}

fn count(length: usize) -> Result<u16, BuildError> {
    u16::try_from(length).map_err(|_| BuildError::TooLong)
}

fn list(fields: &Fields, name: &str) -> Result<Vec<Ipv6Addr>, BuildError> {
    let Some(value) = fields.get(name) else {
        return Ok(Vec::new());
    };
    addresses(value).ok_or_else(|| BuildError::value(name, value))
}

fn report(fields: &Fields) -> Result<Vec<u8>, BuildError> {
    let none = Value::Array(Vec::new());
    let value = fields.get("records").unwrap_or(&none);
    let records = value
        .as_array()
        .ok_or_else(|| BuildError::value("records", value))?;
    let mut message = vec![143, 0, 0, 0, 0, 0];
    message.extend_from_slice(&count(records.len())?.to_be_bytes());
    set_fields(&REPORT, &mut message, fields)?;
    for value in records {
        let map = value
            .as_object()
            .ok_or_else(|| BuildError::value("records", value))?;
        record(map, &mut message)?;
    }
    Ok(message)
}

fn record(map: &Map<String, Value>, message: &mut Vec<u8>) -> Result<(), BuildError> {
    const KNOWN: [&str; 6] = [
        "type",
        "group",
        "sources",
        "aux",
        "number_of_sources",
        "aux_length",
    ];
    if let Some(name) = map.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        return Err(BuildError::Unknown {
            name: name.clone(),
            known: KNOWN.join(", "),
        });
    }
    let wrong = |name: &str| BuildError::value(name, map.get(name).unwrap_or(&Value::Null));
    let kind = map.get("type").ok_or_else(|| wrong("type"))?;
    let named = kind
        .as_str()
        .and_then(|name| TYPES.iter().find(|(n, _)| *n == name));
    let kind = named.map(|(_, kind)| *kind);
    let kind = kind.or_else(|| integer(map.get("type")?).and_then(|n| u8::try_from(n).ok()));
    let group = map
        .get("group")
        .and_then(address)
        .ok_or_else(|| wrong("group"))?;
    let sources = match map.get("sources") {
        Some(value) => addresses(value).ok_or_else(|| wrong("sources"))?,
        None => Vec::new(),
    };
    let aux = match map.get("aux") {
        Some(value) => value
            .as_str()
            .and_then(parse_hex)
            .ok_or_else(|| wrong("aux"))?,
        None => Vec::new(),
    };
    let given = |name: &str| -> Result<Option<u64>, BuildError> {
        map.get(name)
            .map(|value| integer(value).ok_or_else(|| wrong(name)))
            .transpose()
    };
    let aux_length = match given("aux_length")? {
        Some(length) => u8::try_from(length).map_err(|_| wrong("aux_length"))?,
        None => u8::try_from(aux.len().div_ceil(4)).map_err(|_| BuildError::TooLong)?,
    };
    let number = match given("number_of_sources")? {
        Some(number) => u16::try_from(number).map_err(|_| wrong("number_of_sources"))?,
        None => count(sources.len())?,
    };
    message.extend_from_slice(&[kind.ok_or_else(|| wrong("type"))?, aux_length]);
    message.extend_from_slice(&number.to_be_bytes());
    message.extend_from_slice(&group.octets());
    for source in sources {
        message.extend_from_slice(&source.octets());
    }
    message.extend_from_slice(&aux);
    Ok(())
}

/// What a Maximum Response Code means, in milliseconds (RFC 3810 5.1.3).
fn floating(code: u16) -> u64 {
    let code = u64::from(code);
    if code < 0x8000 {
        code
    } else {
        ((code & 0xfff) | 0x1000) << (((code >> 12) & 7) + 3)
    }
}

pub(crate) fn decode(message: &[u8], fields: &mut Fields, anomalies: &mut Vec<Anomaly>) {
    fields.insert("length".to_owned(), message.len().into());
    if message.first() == Some(&143) {
        read(&REPORT, message, "", fields);
        decode_records(message, fields, anomalies);
        return;
    }
    read(&HEAD, message, "", fields);
    read(&GROUP, message, "", fields);
    if message.first() != Some(&130) {
        if message.len() < 24 {
            anomalies.push(Anomaly {
                at: message.len(),
                what: "version 1 has 24 octets at least",
            });
        }
        return;
    }
    let version = match message.len() {
        24 => 1,
        28.. => 2,
        _ => 0,
    };
    fields.insert("version".to_owned(), version.into());
    let code = u16_at(message, 4).unwrap_or(0);
    let delay = if version == 1 {
        u64::from(code)
    } else {
        floating(code)
    };
    fields.insert("max_response_delay_ms".to_owned(), delay.into());
    match version {
        0 => anomalies.push(Anomaly {
            at: message.len(),
            what: "a query has 24, or 28 and more",
        }),
        2 => decode_query(message, fields, anomalies),
        _ => {}
    }
}

fn decode_query(message: &[u8], fields: &mut Fields, anomalies: &mut Vec<Anomaly>) {
    read(&QUERY, message, "", fields);
    let number = usize::from(u16_at(message, 26).unwrap_or(0));
    let sources: Vec<Value> = (0..number)
        .map_while(|n| source_at(message, 28 + 16 * n))
        .collect();
    if sources.len() < number {
        anomalies.push(Anomaly {
            at: 26,
            what: "Number of Sources overruns the message",
        });
    }
    let end = 28 + 16 * number;
    if message.len() > end {
        anomalies.push(Anomaly {
            at: end,
            what: "octets follow the last source",
        });
    }
    fields.insert("sources".to_owned(), Value::Array(sources));
}

fn source_at(message: &[u8], at: usize) -> Option<Value> {
    let octets: [u8; 16] = message.get(at..at + 16)?.try_into().ok()?;
    Some(Value::from(Ipv6Addr::from_octets(octets).to_string()))
}

fn decode_records(message: &[u8], fields: &mut Fields, anomalies: &mut Vec<Anomaly>) {
    let number = u16_at(message, 6).unwrap_or(0);
    let view = MldView(message);
    let mut records = Vec::new();
    let mut end = 8;
    for record in view.records() {
        end = record.end;
        let name = TYPES
            .iter()
            .find(|(_, kind)| *kind == record.kind)
            .map(|(name, _)| *name);
        let kind = name.map_or_else(|| Value::from(record.kind), Value::from);
        let sources: Vec<Value> = record
            .sources
            .iter()
            .map(|source| Value::from(source.to_string()))
            .collect();
        let mut map = Map::new();
        map.insert("type".to_owned(), kind);
        map.insert("group".to_owned(), record.group.to_string().into());
        map.insert("sources".to_owned(), Value::Array(sources));
        if !record.aux.is_empty() {
            map.insert("aux".to_owned(), to_hex(record.aux).into());
        }
        records.push(Value::Object(map));
    }
    if records.len() < usize::from(number) {
        anomalies.push(Anomaly {
            at: 6,
            what: "Number of Records overruns the message",
        });
    } else if end < message.len() {
        anomalies.push(Anomaly {
            at: end,
            what: "octets follow the last record",
        });
    }
    fields.insert("records".to_owned(), Value::Array(records));
}

/// An MLD message's parts that invariants look at, without a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MldView<'a>(&'a [u8]);

/// A multicast address record, as far as it lies within the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MldRecord<'a> {
    /// Record type.
    pub kind: u8,
    /// Multicast address.
    pub group: Ipv6Addr,
    /// Sources.
    pub sources: Vec<Ipv6Addr>,
    /// Auxiliary data.
    pub aux: &'a [u8],
    end: usize,
}

impl<'a> MldView<'a> {
    /// The view of an ICMPv6 message of type 130, 131, 132 or 143.
    #[must_use]
    pub fn of(message: &'a [u8]) -> Option<Self> {
        matches!(message.first(), Some(130 | 131 | 132 | 143)).then_some(Self(message))
    }

    /// ICMPv6 type.
    #[must_use]
    pub fn kind(&self) -> u8 {
        self.0.first().copied().unwrap_or(0)
    }

    /// Octets of the message.
    #[must_use]
    pub const fn octets(&self) -> &'a [u8] {
        self.0
    }

    /// Multicast Address of a query or version 1 message.
    #[must_use]
    pub fn group(&self) -> Option<Ipv6Addr> {
        let octets: [u8; 16] = self.0.get(8..24)?.try_into().ok()?;
        Some(Ipv6Addr::from_octets(octets))
    }

    /// Sources of a version 2 query that lie within it.
    #[must_use]
    pub fn sources(&self) -> Vec<Ipv6Addr> {
        let number = usize::from(u16_at(self.0, 26).unwrap_or(0));
        let at = |n: usize| -> Option<Ipv6Addr> {
            let octets: [u8; 16] = self.0.get(28 + 16 * n..44 + 16 * n)?.try_into().ok()?;
            Some(Ipv6Addr::from_octets(octets))
        };
        (0..number).map_while(at).collect()
    }

    /// The records of a version 2 report that lie within it.
    #[must_use]
    pub fn records(&self) -> Vec<MldRecord<'a>> {
        let number = u16_at(self.0, 6).unwrap_or(0);
        let mut at = 8;
        let mut records = Vec::new();
        for _ in 0..number {
            let Some(record) = self.record(at) else { break };
            at = record.end;
            records.push(record);
        }
        records
    }

    fn record(&self, at: usize) -> Option<MldRecord<'a>> {
        let head = self.0.get(at..at + 20)?;
        let number = usize::from(u16_at(head, 2)?);
        let aux = usize::from(*head.get(1)?) * 4;
        let group: [u8; 16] = head.get(4..20)?.try_into().ok()?;
        let sources = self.0.get(at + 20..at + 20 + 16 * number)?;
        let octets = |chunk: &[u8]| {
            chunk
                .try_into()
                .ok()
                .map(|o: [u8; 16]| Ipv6Addr::from_octets(o))
        };
        let end = at + 20 + 16 * number + aux;
        Some(MldRecord {
            kind: *head.first()?,
            group: Ipv6Addr::from_octets(group),
            sources: sources.chunks(16).filter_map(octets).collect(),
            aux: self.0.get(end - aux..end)?,
            end,
        })
    }
}
