//! RBS messages, permissively (dut/wire/FORMATS.md section 2).

use crate::build::{BuildError, set_fields};
use crate::decode::{Anomaly, Decoded};
use crate::envelope::u16_at;
use crate::kind::Kind;
use crate::table::{Field, hex, int, ipv6, mac, read};
use crate::value::{Fields, address, integer, parse_hex, to_hex};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// The frame header.
pub const HEAD: [Field; 9] = [
    int("magic", 0, 4),
    int("major", 4, 1),
    int("minor", 5, 1),
    int("type", 6, 1),
    int("flags", 7, 1),
    int("length", 8, 4),
    int("session_epoch", 12, 8),
    int("message_id", 20, 8),
    int("backup_id", 28, 2),
];

/// The header's last field.
pub const SERVICE: [Field; 1] = [int("service", 30, 1)];
const HEAD_LENGTH: usize = 32;

/// Message names by type.
const NAMES: [(&str, u8); 14] = [
    ("OPEN", 1),
    ("OPEN_ACK", 2),
    ("NOTIFY", 3),
    ("KEEPALIVE", 4),
    ("SYNC_REQ", 5),
    ("SYNC_BEGIN", 6),
    ("UPSERT", 7),
    ("DELETE", 8),
    ("SYNC_END", 9),
    ("ACK", 10),
    ("NAK", 11),
    ("DIGEST", 12),
    ("ROLE", 13),
    ("GOODBYE", 14),
];

/// Fields beside the header's. `name` sets the type; `body` is hex in place of the body.
pub(crate) const OWN: &[&str] = &[
    "name",
    "service",
    "body",
    "minimum_major",
    "minimum_minor",
    "maximum_major",
    "maximum_minor",
    "keepalive",
    "hold",
    "capabilities",
    "profiles",
    "code",
    "refused_id",
    "request",
    "generation",
    "count",
    "records",
    "tombstones",
    "digest",
    "digest_of",
    "acknowledged",
    "digest_flags",
    "role",
    "cause",
];

/// Fixed part of OPEN and OPEN_ACK.
pub const OPEN: [Field; 7] = [
    int("minimum_major", 0, 1),
    int("minimum_minor", 1, 1),
    int("maximum_major", 2, 1),
    int("maximum_minor", 3, 1),
    int("keepalive", 4, 2),
    int("hold", 6, 2),
    int("capabilities", 8, 4),
];
/// Fixed part of NOTIFY.
pub const NOTIFY: [Field; 2] = [int("code", 0, 2), int("refused_id", 4, 8)];
/// Fixed part of SYNC_REQ.
pub const REQUEST: [Field; 1] = [int("request", 0, 4)];
/// Fixed part of SYNC_BEGIN, and SYNC_END before its digest.
pub const BEGIN: [Field; 2] = [int("generation", 0, 4), int("count", 4, 4)];
/// Fixed part of UPSERT before its records.
pub const UPSERT: [Field; 1] = [int("generation", 0, 4)];
/// Fixed part of ACK.
pub const ACK: [Field; 1] = [int("acknowledged", 0, 8)];
/// Fixed part of NAK.
pub const NAK: [Field; 2] = [int("refused_id", 0, 8), int("code", 8, 2)];
/// Fixed part of DIGEST before its digest.
pub const DIGEST: [Field; 2] = [int("count", 0, 4), int("digest_flags", 4, 4)];
/// Fixed part of ROLE.
pub const ROLE: [Field; 1] = [int("role", 0, 1)];
/// Fixed part of GOODBYE.
pub const GOODBYE: [Field; 1] = [int("cause", 0, 2)];

/// The fixed part of a body by type.
fn body_table(kind: u8) -> &'static [Field] {
    match kind {
        1 | 2 => &OPEN,
        3 => &NOTIFY,
        5 => &REQUEST,
        6 | 9 => &BEGIN,
        7 => &UPSERT,
        10 => &ACK,
        11 => &NAK,
        12 => &DIGEST,
        13 => &ROLE,
        14 => &GOODBYE,
        _ => &[],
    }
}

/// Octets of the fixed part of a body by type.
const fn body_length(kind: u8) -> usize {
    match kind {
        1 | 2 => 16,
        3 | 11 => 12,
        5 | 8 | 13 | 14 => 4,
        6 | 7 | 9 | 10 | 12 => 8,
        _ => 0,
    }
}

/// A profile of OPEN.
pub const PROFILE: [Field; 7] = [
    int("backup_id", 0, 2),
    int("service", 2, 1),
    int("mode", 3, 1),
    int("role", 4, 1),
    int("e_trunk", 8, 2),
    int("eth_trunk", 10, 2),
    hex("configuration_digest", 16, 32),
];
const PROFILE_LENGTH: usize = 48;

/// A group record.
pub const RECORD: [Field; 14] = [
    int("kind", 2, 1),
    int("flags", 3, 1),
    int("eth_trunk", 4, 2),
    int("filter_mode", 6, 1),
    int("query_count", 7, 1),
    ipv6("group", 8),
    mac("origin", 24),
    int("epoch", 32, 8),
    int("sequence", 40, 8),
    int("filter_timer_ms", 48, 4),
    int("v1_host_ms", 52, 4),
    int("query_due_ms", 56, 4),
    int("number_of_sources", 60, 2),
    ipv6("last_reporter", 64),
];
const RECORD_LENGTH: usize = 96;

/// A source of a group record.
pub const SOURCE: [Field; 3] = [
    ipv6("source", 0),
    int("timer_ms", 16, 4),
    int("query_count", 20, 1),
];
const SOURCE_LENGTH: usize = 24;

/// An interface record.
pub const INTERFACE: [Field; 8] = [
    int("kind", 2, 1),
    int("eth_trunk", 4, 2),
    ipv6("querier", 8),
    mac("origin", 24),
    int("epoch", 32, 8),
    int("sequence", 40, 8),
    int("other_querier_ms", 48, 4),
    int("general_query_ms", 52, 4),
];

/// A tombstone of DELETE.
pub const TOMBSTONE: [Field; 5] = [
    int("eth_trunk", 0, 2),
    ipv6("group", 4),
    mac("origin", 24),
    int("epoch", 32, 8),
    int("sequence", 40, 8),
];
const TOMBSTONE_LENGTH: usize = 48;

/// Builds an RBS message.
///
/// # Errors
/// [`BuildError`] for an unknown field or an impossible value.
pub fn build_message(fields: &Fields) -> Result<Vec<u8>, BuildError> {
    let known = crate::build::field_names(Kind::Rbs);
    if let Some(name) = fields.keys().find(|name| !known.contains(name)) {
        return Err(BuildError::Unknown {
            name: name.clone(),
            known: known.join(", "),
        });
    }
    let mut message = b"TRBS".to_vec();
    message.extend_from_slice(&[1, 0, 4, 0]);
    message.resize(HEAD_LENGTH, 0);
    let one = 1_u64.to_be_bytes();
    for range in [12..20, 20..28] {
        if let Some(field) = message.get_mut(range) {
            field.copy_from_slice(&one);
        }
    }
    let named = fields.get("name").and_then(Value::as_str);
    if let Some(name) = named {
        let kind = NAMES
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, kind)| *kind);
        let kind = kind.ok_or_else(|| BuildError::value("name", &Value::from(name)))?;
        if let Some(octet) = message.get_mut(6) {
            *octet = kind;
        }
    }
    set_fields(&HEAD, &mut message, fields)?;
    set_fields(&SERVICE, &mut message, fields)?;
    let kind = message.get(6).copied().unwrap_or(0);
    if let Some(value) = fields.get("body") {
        let body = value.as_str().and_then(parse_hex);
        message.extend(body.ok_or_else(|| BuildError::value("body", value))?);
    } else {
        message.extend(body(kind, fields)?);
    }
    if !fields.contains_key("length") {
        let length = u32::try_from(message.len()).map_err(|_| BuildError::TooLong)?;
        if let Some(field) = message.get_mut(8..12) {
            field.copy_from_slice(&length.to_be_bytes());
        }
    }
    Ok(message)
}

fn body(kind: u8, fields: &Fields) -> Result<Vec<u8>, BuildError> {
    let mut body = vec![0; body_length(kind)];
    match kind {
        1 | 2 => {
            for (to, from) in body.iter_mut().zip([1, 0, 1, 0, 0, 10, 0, 150, 0, 0, 0, 3]) {
                *to = from;
            }
            set_fields(body_table(kind), &mut body, fields)?;
            let profiles = items(fields, "profiles")?;
            put_count(&mut body, 12, profiles.len());
            for profile in profiles {
                let mut octets = vec![0; PROFILE_LENGTH];
                set_fields(&PROFILE, &mut octets, &profile)?;
                body.extend(octets);
            }
        }
        7 => {
            set_fields(body_table(kind), &mut body, fields)?;
            let records = items(fields, "records")?;
            put_count(&mut body, 4, records.len());
            for record in records {
                body.extend(build_record(&record)?);
            }
        }
        8 => {
            let tombstones = items(fields, "tombstones")?;
            put_count(&mut body, 0, tombstones.len());
            for tombstone in tombstones {
                let mut octets = vec![0; TOMBSTONE_LENGTH];
                set_fields(&TOMBSTONE, &mut octets, &tombstone)?;
                body.extend(octets);
            }
        }
        9 | 12 => {
            set_fields(body_table(kind), &mut body, fields)?;
            body.extend(digest(fields)?);
        }
        _ => set_fields(body_table(kind), &mut body, fields)?,
    }
    Ok(body)
}

fn items(fields: &Fields, name: &str) -> Result<Vec<Fields>, BuildError> {
    let Some(value) = fields.get(name) else {
        return Ok(Vec::new());
    };
    let list = value
        .as_array()
        .ok_or_else(|| BuildError::value(name, value))?;
    let map = |item: &Value| {
        let map = item
            .as_object()
            .ok_or_else(|| BuildError::value(name, item))?;
        Ok(map
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect())
    };
    list.iter().map(map).collect()
}

fn put_count(body: &mut [u8], at: usize, count: usize) {
    if let (Some(field), Ok(count)) = (body.get_mut(at..at + 2), u16::try_from(count)) {
        field.copy_from_slice(&count.to_be_bytes());
    }
}

fn build_record(record: &Fields) -> Result<Vec<u8>, BuildError> {
    if record.get("kind").and_then(integer) == Some(2) {
        let mut octets = vec![0; 64];
        put_count(&mut octets, 0, 64);
        set_fields(&INTERFACE, &mut octets, record)?;
        return Ok(octets);
    }
    let mut octets = vec![0; RECORD_LENGTH];
    for (at, value) in [(2, 1), (5, 1), (6, 2)] {
        if let Some(octet) = octets.get_mut(at) {
            *octet = value;
        }
    }
    let sources = items(record, "sources")?;
    let length = RECORD_LENGTH + SOURCE_LENGTH * sources.len();
    put_count(&mut octets, 0, length);
    put_count(&mut octets, 60, sources.len());
    set_fields(&RECORD, &mut octets, record)?;
    for source in sources {
        let mut entry = vec![0; SOURCE_LENGTH];
        set_fields(&SOURCE, &mut entry, &source)?;
        octets.extend(entry);
    }
    Ok(octets)
}

/// `digest` in hex, or computed of the records in `digest_of`.
fn digest(fields: &Fields) -> Result<Vec<u8>, BuildError> {
    if let Some(value) = fields.get("digest") {
        let digest = value.as_str().and_then(parse_hex);
        return digest.ok_or_else(|| BuildError::value("digest", value));
    }
    let mut records = Vec::new();
    for record in items(fields, "digest_of")? {
        let number = |name: &str, default| record.get(name).and_then(integer).unwrap_or(default);
        let group = record.get("group").and_then(address);
        let group = group.ok_or_else(|| BuildError::value("digest_of", &Value::Null))?;
        let trunk = u16::try_from(number("eth_trunk", 1)).unwrap_or(1);
        let mode = u8::try_from(number("filter_mode", 2)).unwrap_or(2);
        let mut sources = Vec::new();
        for source in items(&record, "sources")? {
            let running = source.get("timer_ms").and_then(integer).unwrap_or(0) > 0;
            sources.extend(source.get("source").and_then(address).map(|a| (a, running)));
        }
        sources.sort_unstable();
        records.push((trunk, group, mode, sources));
    }
    records.sort_unstable();
    let mut hash = Sha256::new();
    for (trunk, group, mode, sources) in records {
        hash.update(trunk.to_be_bytes());
        hash.update(group.octets());
        hash.update([mode]);
        hash.update(
            u16::try_from(sources.len())
                .unwrap_or(u16::MAX)
                .to_be_bytes(),
        );
        for (source, running) in sources {
            hash.update(source.octets());
            hash.update([u8::from(running)]);
        }
    }
    Ok(hash.finalize().to_vec())
}

/// Decodes one RBS message. Never refuses.
#[must_use]
pub fn decode_message(message: &[u8]) -> Decoded {
    let mut fields = Fields::new();
    let mut anomalies = Vec::new();
    read(&HEAD, message, "", &mut fields);
    read(&SERVICE, message, "", &mut fields);
    let kind = message.get(6).copied().unwrap_or(0);
    if let Some((name, _)) = NAMES.iter().find(|(_, k)| *k == kind) {
        fields.insert("name".to_owned(), (*name).into());
    }
    let body = message.get(HEAD_LENGTH..).unwrap_or_default();
    read(body_table(kind), body, "", &mut fields);
    let rest = body.get(body_length(kind)..).unwrap_or_default();
    match kind {
        1 | 2 => {
            fields.insert("profiles".to_owned(), list(rest, PROFILE_LENGTH, &PROFILE));
        }
        7 => {
            fields.insert("records".to_owned(), records(rest, &mut anomalies));
        }
        8 => {
            fields.insert(
                "tombstones".to_owned(),
                list(rest, TOMBSTONE_LENGTH, &TOMBSTONE),
            );
        }
        9 | 12 => {
            fields.insert("digest".to_owned(), to_hex(rest).into());
        }
        _ => {}
    }
    if message.len() < HEAD_LENGTH + body_length(kind) {
        anomalies.push(Anomaly {
            at: message.len(),
            what: "the message is cut short",
        });
    }
    Decoded {
        kind: Kind::Rbs,
        fields,
        anomalies,
    }
}

fn object(fields: Fields) -> Value {
    Value::Object(fields.into_iter().collect::<Map<_, _>>())
}

fn list(octets: &[u8], size: usize, table: &[Field]) -> Value {
    let item = |chunk: &[u8]| {
        let mut fields = Fields::new();
        read(table, chunk, "", &mut fields);
        object(fields)
    };
    Value::Array(octets.chunks_exact(size).map(item).collect())
}

fn records(rest: &[u8], anomalies: &mut Vec<Anomaly>) -> Value {
    let mut walk = RbsRecords(rest);
    let found = walk.by_ref().map(|octets| {
        let mut fields = Fields::new();
        if octets.get(2) == Some(&2) {
            read(&INTERFACE, octets, "", &mut fields);
        } else {
            read(&RECORD, octets, "", &mut fields);
            let sources = octets.get(RECORD_LENGTH..).unwrap_or_default();
            fields.insert("sources".to_owned(), list(sources, SOURCE_LENGTH, &SOURCE));
        }
        object(fields)
    });
    let found = Value::Array(found.collect());
    if walk.0.len() >= 2 {
        anomalies.push(Anomaly {
            at: 0,
            what: "a record overruns the message",
        });
    }
    found
}

/// The records of an UPSERT, each its octets, up to the first that overruns what is left.
#[derive(Debug, Clone)]
pub struct RbsRecords<'a>(&'a [u8]);

impl<'a> RbsRecords<'a> {
    /// Those of a message of type 7.
    #[must_use]
    pub fn of(message: &'a [u8]) -> Self {
        let body = message.get(HEAD_LENGTH..).unwrap_or_default();
        Self(body.get(body_length(7)..).unwrap_or_default())
    }
}

impl<'a> Iterator for RbsRecords<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(u16_at(self.0, 0)?);
        let (octets, rest) = self.0.split_at_checked(length)?;
        if length < 4 {
            return None;
        }
        self.0 = rest;
        Some(octets)
    }
}

/// Cuts complete messages off the front of a byte stream; what is left stays in it. A length field
/// that can't be (below 32 or above 65536) makes the whole rest one message, so that it is seen.
pub fn split_messages(stream: &mut Vec<u8>) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    while let Some(field) = stream.get(8..12).and_then(|f| <[u8; 4]>::try_from(f).ok()) {
        let length = usize::try_from(u32::from_be_bytes(field)).unwrap_or(usize::MAX);
        if !(HEAD_LENGTH..=65_536).contains(&length) {
            messages.push(std::mem::take(stream));
            break;
        }
        if stream.len() < length {
            break;
        }
        let rest = stream.split_off(length);
        messages.push(std::mem::replace(stream, rest));
    }
    messages
}
