//! The E-Trunk reference hello, permissively (dut/wire/FORMATS.md section 1).

use crate::build::{BuildError, set_fields};
use crate::decode::Anomaly;
use crate::envelope::{self, IpDefaults, u16_at};
use crate::table::{Field, bit, int, ipv6, mac, read};
use crate::value::{Fields, integer, parse_hex, to_hex};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value};
use sha1::Sha1;
use sha2::Sha256;
use std::net::Ipv6Addr;

/// The first octets of a hello.
pub(crate) const MAGIC: &[u8] = b"TETK";

/// The fixed part.
pub const HEAD: [Field; 20] = [
    int("magic", 0, 4),
    int("major", 4, 1),
    int("minor", 5, 1),
    int("type", 6, 1),
    int("flags", 7, 1),
    bit("triggered", 7, 0),
    bit("sequence_present", 7, 1),
    bit("restart", 7, 2),
    bit("reply_requested", 7, 3),
    int("length", 8, 2),
    int("e_trunk_id", 10, 2),
    int("priority", 12, 1),
    int("state", 13, 1),
    int("reason", 14, 1),
    int("expected_state", 15, 1),
    mac("system_id", 16),
    int("send_period", 22, 2),
    int("fail_time", 24, 2),
    int("boot_epoch", 28, 8),
    int("sequence", 36, 8),
];

const HEAD_LENGTH: usize = 44;

/// A MEMBER's value.
pub const MEMBER: [Field; 10] = [
    int("type", 0, 1),
    int("work_mode", 1, 1),
    int("local_id", 2, 2),
    int("remote_id", 4, 2),
    int("link_ready", 6, 1),
    int("oper_up", 7, 1),
    int("selected", 8, 1),
    int("role", 9, 1),
    int("reason", 10, 1),
    int("bandwidth", 12, 4),
];

/// A LACP_SYS's value.
pub const LACP_SYS: [Field; 3] = [
    int("lacp_system_priority", 0, 2),
    mac("lacp_system_id", 2),
    int("lacp_flags", 8, 1),
];

/// An ADDR's value.
pub const ADDR: [Field; 2] = [ipv6("addr.source", 0), ipv6("addr.peer", 16)];

/// An ECHO's value.
pub const ECHO: [Field; 4] = [
    int("echo.epoch", 0, 8),
    int("echo.sequence", 8, 8),
    int("echo.state", 16, 1),
    int("echo.reason", 17, 1),
];

/// Fields beside the fixed part's. `omit` is a list of TLV names left out; `tlvs` hex is put before
/// AUTH.
pub(crate) const OWN: &[&str] = &[
    "members",
    "lacp_system_priority",
    "lacp_system_id",
    "lacp_flags",
    "addr.source",
    "addr.peer",
    "echo.epoch",
    "echo.sequence",
    "echo.state",
    "echo.reason",
    "cfg_digest",
    "caps",
    "auth.algorithm",
    "auth.key",
    "auth.key_id",
    "auth.digest",
    "omit",
    "tlvs",
];

fn default_head() -> Vec<u8> {
    let mut head = MAGIC.to_vec();
    head.extend_from_slice(&[
        1, 0, 1, 0, 0, 0, 0, 1, 100, 2, 1, 2, 2, 0, 0, 0, 0, 2, 0, 10, 0, 200,
    ]);
    head.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    head.resize(HEAD_LENGTH, 0);
    head
}

pub(crate) fn build(fields: &Fields) -> Result<Vec<u8>, BuildError> {
    let defaults = IpDefaults {
        source: Ipv6Addr::new(0x2001, 0xdb8, 0x33, 0, 0, 0, 0, 0x33),
        destination: Ipv6Addr::new(0x2001, 0xdb8, 0x11, 0, 0, 0, 0, 0x11),
        hop_limit: 64,
        router_alert: false,
        next_header: 17,
    };
    let (source, destination) = envelope::endpoints(fields, &defaults)?;
    let mut hello = default_head();
    set_fields(&HEAD, &mut hello, fields)?;
    let omitted = |name: &str| {
        let list = fields.get("omit").and_then(Value::as_array);
        list.is_some_and(|list| list.iter().any(|item| item.as_str() == Some(name)))
    };
    members(fields, &mut hello)?;
    if !omitted("lacp_sys") {
        let mut value = vec![0x80, 0, 2, 0, 0, 0, 0, 9, 0, 0];
        set_fields(&LACP_SYS, &mut value, fields)?;
        tlv(&mut hello, 0x8002, &value);
    }
    if !omitted("addr") {
        let mut value = source.octets().to_vec();
        value.extend_from_slice(&destination.octets());
        set_fields(&ADDR, &mut value, fields)?;
        tlv(&mut hello, 0x8003, &value);
    }
    if !omitted("echo") {
        let mut value = vec![0; 20];
        set_fields(&ECHO, &mut value, fields)?;
        tlv(&mut hello, 0x8004, &value);
    }
    if let Some(value) = fields.get("cfg_digest") {
        let digest = value.as_str().and_then(parse_hex);
        tlv(
            &mut hello,
            5,
            &digest.ok_or_else(|| BuildError::value("cfg_digest", value))?,
        );
    }
    if let Some(value) = fields.get("caps") {
        let caps = integer(value).and_then(|caps| u32::try_from(caps).ok());
        let caps = caps.ok_or_else(|| BuildError::value("caps", value))?;
        tlv(&mut hello, 6, &caps.to_be_bytes());
    }
    if let Some(value) = fields.get("tlvs") {
        let octets = value.as_str().and_then(parse_hex);
        hello.extend(octets.ok_or_else(|| BuildError::value("tlvs", value))?);
    }
    let port = |name: &str| {
        let port = fields.get(name).and_then(integer).unwrap_or(1025);
        u16::try_from(port).unwrap_or(1025)
    };
    let ports = (port("udp.source_port"), port("udp.destination_port"));
    if omitted("auth") {
        set_length(fields, &mut hello);
    } else {
        authenticate(fields, &mut hello, (source, destination), ports)?;
    }
    envelope::udp(fields, &defaults, (1025, 1025), &hello)
}

fn set_length(fields: &Fields, hello: &mut [u8]) {
    let length = u16::try_from(hello.len()).unwrap_or(u16::MAX);
    if let (false, Some(field)) = (fields.contains_key("length"), hello.get_mut(8..10)) {
        field.copy_from_slice(&length.to_be_bytes());
    }
}

fn tlv(hello: &mut Vec<u8>, kind: u16, value: &[u8]) {
    hello.extend_from_slice(&kind.to_be_bytes());
    hello.extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
    hello.extend_from_slice(value);
    while !hello.len().is_multiple_of(4) {
        hello.push(0);
    }
}

fn members(fields: &Fields, hello: &mut Vec<u8>) -> Result<(), BuildError> {
    let Some(value) = fields.get("members") else {
        // A healthy Eth-Trunk 1, held: the backup's.
        let value = [1, 1, 0, 1, 0, 1, 1, 0, 0, 1, 7, 0, 0, 0, 3, 0xe8];
        tlv(hello, 0x8001, &value);
        return Ok(());
    };
    for item in value
        .as_array()
        .ok_or_else(|| BuildError::value("members", value))?
    {
        let map = item
            .as_object()
            .ok_or_else(|| BuildError::value("members", item))?;
        let given: Fields = map.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
        if let Some(name) = given
            .keys()
            .find(|name| !MEMBER.iter().any(|f| f.name == **name))
        {
            let known = MEMBER
                .iter()
                .map(|field| field.name)
                .collect::<Vec<_>>()
                .join(", ");
            return Err(BuildError::Unknown {
                name: name.clone(),
                known,
            });
        }
        let mut value = vec![1, 1, 0, 1, 0, 1, 1, 0, 0, 1, 7, 0, 0, 0, 3, 0xe8];
        set_fields(&MEMBER, &mut value, &given)?;
        tlv(hello, 0x8001, &value);
    }
    Ok(())
}

fn authenticate(
    fields: &Fields,
    hello: &mut Vec<u8>,
    addresses: (Ipv6Addr, Ipv6Addr),
    ports: (u16, u16),
) -> Result<(), BuildError> {
    let number = |name: &str, default: u64| match fields.get(name) {
        None => Ok(default),
        Some(value) => integer(value).ok_or_else(|| BuildError::value(name, value)),
    };
    let algorithm = u8::try_from(number("auth.algorithm", 3)? & 0xff).unwrap_or(3);
    let key_id = u8::try_from(number("auth.key_id", 0)? & 0xff).unwrap_or(0);
    let length = if algorithm == 1 { 20 } else { 32 };
    let mut value = vec![algorithm, key_id, 0, 0];
    value.resize(4 + length, 0);
    tlv(hello, 0x8007, &value);
    set_length(fields, hello);
    let key = envelope::text(fields, "auth.key").unwrap_or_default();
    let digest = match fields.get("auth.digest") {
        Some(value) => {
            let digest = value.as_str().and_then(parse_hex);
            digest.ok_or_else(|| BuildError::value("auth.digest", value))?
        }
        None => digest(algorithm, key.as_bytes(), hello, addresses, ports),
    };
    let at = hello.len().saturating_sub(length);
    if let Some(field) = hello.get_mut(at..)
        && field.len() == digest.len()
    {
        field.copy_from_slice(&digest);
    }
    Ok(())
}

/// The digest over a hello whose digest octets are zero.
pub(crate) fn digest(
    algorithm: u8,
    key: &[u8],
    hello: &[u8],
    (source, destination): (Ipv6Addr, Ipv6Addr),
    (source_port, destination_port): (u16, u16),
) -> Vec<u8> {
    match algorithm {
        1 => <Hmac<Sha1> as KeyInit>::new_from_slice(key)
            .map(|mac| mac.chain_update(hello).finalize().into_bytes().to_vec())
            .unwrap_or_default(),
        2 => hmac_sha256(key, &[hello]),
        _ => {
            let mut info = hello.get(16..22).unwrap_or_default().to_vec();
            info.extend_from_slice(hello.get(10..12).unwrap_or_default());
            let mut derived = [0; 32];
            let salt = b"tandem e-trunk enhanced v1".as_slice();
            // 32 octets are always to be had of HKDF-SHA256; else the digest is wrong and is seen.
            let _: Result<_, _> =
                hkdf::Hkdf::<Sha256>::new(Some(salt), key).expand(&info, &mut derived);
            let length = u32::try_from(hello.len()).unwrap_or(u32::MAX).to_be_bytes();
            let parts: [&[u8]; 7] = [
                &source.octets(),
                &destination.octets(),
                &length,
                &[0, 0, 0, 17],
                &source_port.to_be_bytes(),
                &destination_port.to_be_bytes(),
                hello,
            ];
            hmac_sha256(&derived, &parts)
        }
    }
}

fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(key) else {
        return Vec::new();
    };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

/// Whether a hello's digest is the one that this key gives; `None` when the frame holds no digest.
#[must_use]
pub fn digest_correct(frame: &[u8], key: &str) -> Option<bool> {
    let layers = envelope::layers(frame)?;
    let ip = layers.ip?;
    let ports = (u16_at(ip.payload, 0)?, u16_at(ip.payload, 2)?);
    let mut hello = ip.payload.get(8..)?.to_vec();
    let mut at = HEAD_LENGTH;
    while let (Some(kind), Some(length)) = (u16_at(&hello, at), u16_at(&hello, at + 2)) {
        let length = usize::from(length);
        if kind == 0x8007 {
            let algorithm = *hello.get(at + 4)?;
            let field = hello.get_mut(at + 8..at + 4 + length)?;
            let carried = field.to_vec();
            field.fill(0);
            let addresses = (ip.source, ip.destination);
            return Some(digest(algorithm, key.as_bytes(), &hello, addresses, ports) == carried);
        }
        at += 4 + length.div_ceil(4) * 4;
    }
    None
}

/// Octets that are reserved in a TLV, by its type: first and number.
const fn reserved(kind: u16) -> (usize, usize) {
    match kind {
        0x8001 => (11, 1),
        0x8002 => (9, 1),
        0x8004 => (18, 2),
        0x8007 => (2, 2),
        _ => (0, 0),
    }
}

pub(crate) fn not_zero(octets: Option<&[u8]>) -> usize {
    let octets = octets.unwrap_or_default().iter();
    octets.filter(|octet| **octet != 0).count()
}

/// What is said of a hello whose Length isn't its own.
pub(crate) const WRONG_LENGTH: &str = "Length is that of the payload";
/// What is said of a TLV that is longer than the hello.
pub(crate) const TLV_OVERRUNS: &str = "a TLV overruns the hello";

/// A TLV of a hello where it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EtrunkTlv<'a> {
    /// Its type.
    pub kind: u16,
    /// Where it begins in the hello.
    pub at: usize,
    /// Its value without padding.
    pub value: &'a [u8],
}

/// The TLVs of a hello up to the first that overruns it.
#[derive(Debug, Clone)]
pub struct EtrunkTlvs<'a> {
    hello: &'a [u8],
    at: usize,
}

impl<'a> EtrunkTlvs<'a> {
    /// Those of a hello: what follows its fixed part.
    #[must_use]
    pub const fn of(hello: &'a [u8]) -> Self {
        let at = HEAD_LENGTH;
        Self { hello, at }
    }

    /// What follows the TLVs that were taken.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.hello.get(self.at..).unwrap_or_default()
    }

    /// Whether, behind the TLVs that were taken, one begins that overruns the hello.
    #[must_use]
    pub(crate) fn overruns(&self) -> bool {
        self.rest().len() >= 4
    }
}

/// How many reserved octets and octets of padding of a TLV aren't zero.
pub(crate) fn odd_reserved(hello: &[u8], tlv: &EtrunkTlv<'_>) -> usize {
    let EtrunkTlv { kind, at, value } = *tlv;
    let (first, octets) = reserved(kind);
    let end = at + 4 + value.len();
    let padding = hello.get(end..end.next_multiple_of(4));
    not_zero(value.get(first..first + octets)) + not_zero(padding)
}

impl<'a> Iterator for EtrunkTlvs<'a> {
    type Item = EtrunkTlv<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let (&[a, b, c, d], rest) = self.rest().split_first_chunk::<4>()?;
        let length = usize::from(u16::from_be_bytes([c, d]));
        let tlv = EtrunkTlv {
            kind: u16::from_be_bytes([a, b]),
            at: self.at,
            value: rest.get(..length)?,
        };
        self.at += 4 + length.next_multiple_of(4);
        Some(tlv)
    }
}

pub(crate) fn decode(hello: &[u8], fields: &mut Fields, anomalies: &mut Vec<Anomaly>) {
    read(&HEAD, hello, "", fields);
    let mut odd = not_zero(hello.get(26..28));
    let mut types: Vec<String> = Vec::new();
    if u16_at(hello, 8).map(usize::from) != Some(hello.len()) {
        anomalies.push(Anomaly {
            at: 8,
            what: WRONG_LENGTH,
        });
    }
    let mut members = Vec::new();
    let mut unknown = Vec::new();
    let mut walk = EtrunkTlvs::of(hello);
    for tlv in walk.by_ref() {
        let EtrunkTlv { kind, value, .. } = tlv;
        odd += odd_reserved(hello, &tlv);
        types.push(format!("{kind:04x}"));
        match kind {
            0x8001 => {
                let mut map = Fields::new();
                read(&MEMBER, value, "", &mut map);
                members.push(Value::Object(map.into_iter().collect::<Map<_, _>>()));
            }
            0x8002 => read(&LACP_SYS, value, "", fields),
            0x8003 => read(&ADDR, value, "", fields),
            0x8004 => read(&ECHO, value, "", fields),
            5 => {
                fields.insert("cfg_digest".to_owned(), to_hex(value).into());
            }
            6 => {
                let caps = int("caps", 0, 4).get(value);
                fields.extend(caps.map(|caps| ("caps".to_owned(), caps)));
            }
            0x8007 => {
                read(
                    &[int("auth.algorithm", 0, 1), int("auth.key_id", 1, 1)],
                    value,
                    "",
                    fields,
                );
                let digest = to_hex(value.get(4..).unwrap_or_default());
                fields.insert("auth.digest".to_owned(), digest.into());
            }
            other => unknown.push(Value::from(other)),
        }
    }
    if walk.overruns() {
        anomalies.push(Anomaly {
            at: walk.at,
            what: TLV_OVERRUNS,
        });
    }
    fields.insert("tlvs.types".to_owned(), types.join(" ").into());
    fields.insert("reserved.not_zero".to_owned(), odd.into());
    fields.insert("members".to_owned(), Value::Array(members));
    if !unknown.is_empty() {
        fields.insert("tlvs.unknown".to_owned(), Value::Array(unknown));
    }
}
