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
pub const HEAD: [Field; 5] = [
    int("type", 0, 1),
    int("code", 1, 1),
    int("checksum", 2, 2),
    int("max_response_code", 4, 2),
    int("reserved", 6, 2),
];

/// The rest of a version 1 message and of a query.
pub const GROUP: [Field; 1] = [ipv6("group", 8)];

/// The rest of a version 2 query.
pub const QUERY: [Field; 6] = [
    bit("e", 24, 7),
    bits("resv", 24, 4, 3),
    bit("s", 24, 3),
    bits("qrv", 24, 0, 3),
    int("qqic", 25, 1),
    int("number_of_sources", 26, 2),
];

/// The fixed part of a version 2 report.
pub const REPORT: [Field; 5] = [
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
        | Kind::PimHello
        | Kind::PimJoinPrune
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
    envelope::seal(fields, &defaults, "icmpv6.checksum", &mut message)?;
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
    anomalies.extend(mld_anomalies(message));
    let view = MldView(message);
    if view.kind() == 143 {
        read(&REPORT, message, "", fields);
        fields.insert(
            "records".to_owned(),
            view.walk().map(record_value).collect(),
        );
        return;
    }
    read(&HEAD, message, "", fields);
    read(&GROUP, message, "", fields);
    if view.kind() != 130 {
        return;
    }
    fields.insert("version".to_owned(), view.version().into());
    fields.insert(
        "max_response_delay_ms".to_owned(),
        view.response_delay_ms().into(),
    );
    if view.version() == 2 {
        read(&QUERY, message, "", fields);
        let sources = view.listed().map(|source| Value::from(source.to_string()));
        fields.insert("sources".to_owned(), sources.collect());
    }
}

fn record_value(record: MldWalked<'_>) -> Value {
    let named = TYPES.iter().find(|(_, kind)| *kind == record.kind);
    let kind = named.map_or_else(|| Value::from(record.kind), |(name, _)| Value::from(*name));
    let sources = record.sources().map(|source| source.to_string().into());
    let mut map = Map::new();
    map.insert("type".to_owned(), kind);
    map.insert("group".to_owned(), record.group.to_string().into());
    map.insert("sources".to_owned(), Value::Array(sources.collect()));
    if !record.aux.is_empty() {
        map.insert("aux".to_owned(), to_hex(record.aux).into());
    }
    Value::Object(map)
}

/// What a strict receiver would object to in an ICMPv6 message of type 130, 131, 132 or 143; its
/// checksum isn't looked at.
pub fn mld_anomalies(message: &[u8]) -> impl Iterator<Item = Anomaly> {
    let view = MldView(message);
    let odd = |is_so: bool, at: usize, what: &'static str| is_so.then_some(Anomaly { at, what });
    let [overrun, other] = match view.kind() {
        143 => {
            let number = usize::from(u16_at(message, 6).unwrap_or(0));
            let (found, end) = view
                .walk()
                .fold((0, 8), |(n, _), record| (n + 1, record.end));
            let after = found == number && end < message.len();
            [
                odd(found < number, 6, "Number of Records overruns the message"),
                odd(after, end, "octets follow the last record"),
            ]
        }
        130 if view.version() == 2 => {
            let number = usize::from(u16_at(message, 26).unwrap_or(0));
            let end = 28 + 16 * number;
            let few = view.listed().len() < number;
            [
                odd(few, 26, "Number of Sources overruns the message"),
                odd(message.len() > end, end, "octets follow the last source"),
            ]
        }
        130 => {
            let neither = view.version() == 0;
            [
                None,
                odd(neither, message.len(), "a query has 24, or 28 and more"),
            ]
        }
        131 | 132 => {
            let short = message.len() < 24;
            [
                None,
                odd(short, message.len(), "version 1 has 24 octets at least"),
            ]
        }
        _ => [None, None],
    };
    overrun.into_iter().chain(other)
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
}

/// The same where it lies, without a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MldWalked<'a> {
    /// Record type.
    pub kind: u8,
    /// Multicast address.
    pub group: Ipv6Addr,
    /// Sources, 16 octets each.
    pub source_octets: &'a [[u8; 16]],
    /// Auxiliary data.
    pub aux: &'a [u8],
    /// Where it ends in the message.
    pub end: usize,
}

impl<'a> MldWalked<'a> {
    /// Its sources.
    pub fn sources(&self) -> impl ExactSizeIterator<Item = Ipv6Addr> + use<'a> {
        self.source_octets
            .iter()
            .copied()
            .map(Ipv6Addr::from_octets)
    }
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

    /// A query's version by its length; 0 where neither has that length.
    #[must_use]
    pub const fn version(&self) -> u8 {
        match self.0.len() {
            24 => 1,
            28.. => 2,
            _ => 0,
        }
    }

    /// A query's Maximum Response Delay in ms, by its version.
    #[must_use]
    pub fn response_delay_ms(&self) -> u64 {
        let code = u16_at(self.0, 4).unwrap_or(0);
        if self.version() == 1 {
            code.into()
        } else {
            floating(code)
        }
    }

    /// Sources of a version 2 query that lie within it.
    #[must_use]
    pub fn sources(&self) -> Vec<Ipv6Addr> {
        self.listed().collect()
    }

    /// The same without a list.
    pub fn listed(&self) -> impl ExactSizeIterator<Item = Ipv6Addr> + use<'a> {
        let (sources, _) = self.0.get(28..).unwrap_or_default().as_chunks::<16>();
        let number = usize::from(u16_at(self.0, 26).unwrap_or(0));
        let within = sources.get(..number).unwrap_or(sources);
        within.iter().copied().map(Ipv6Addr::from_octets)
    }

    /// The records of a version 2 report that lie within it.
    #[must_use]
    pub fn records(&self) -> Vec<MldRecord<'a>> {
        let whole = |record: MldWalked<'a>| MldRecord {
            kind: record.kind,
            group: record.group,
            sources: record.sources().collect(),
            aux: record.aux,
        };
        self.walk().map(whole).collect()
    }

    /// The same without a list.
    pub fn walk(&self) -> impl Iterator<Item = MldWalked<'a>> + use<'a> {
        let message = self.0;
        let mut at = 8;
        let next = move |_| {
            let record = record_at(message, at)?;
            at = record.end;
            Some(record)
        };
        (0..u16_at(message, 6).unwrap_or(0)).map_while(next)
    }
}

fn record_at(message: &[u8], at: usize) -> Option<MldWalked<'_>> {
    let (head, rest) = message.get(at..)?.split_first_chunk::<20>()?;
    let [kind, words, high, low, group @ ..] = *head;
    let sources = usize::from(u16::from_be_bytes([high, low])) * 16;
    let aux = usize::from(words) * 4;
    let (source_octets, _) = rest.get(..sources)?.as_chunks::<16>();
    Some(MldWalked {
        kind,
        group: Ipv6Addr::from_octets(group),
        source_octets,
        aux: rest.get(sources..sources + aux)?,
        end: at + 20 + sources + aux,
    })
}
