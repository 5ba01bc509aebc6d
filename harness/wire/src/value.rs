//! Values of fields.

use serde_json::Value;
use std::collections::BTreeMap;
use std::net::Ipv6Addr;

/// Field names with their values: integers, MAC and IPv6 addresses as text, octets as hex text,
/// lists and maps for records.
pub type Fields = BTreeMap<String, Value>;

/// Octets as lower-case hex.
#[must_use]
pub fn to_hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Octets of hex text; blanks, `:` and `-` between them are skipped.
#[must_use]
pub fn parse_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text
        .chars()
        .filter(|c| !" :-_\n".contains(*c))
        .map(|c| c.to_digit(16))
        .collect::<Option<_>>()?;
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let octet = |pair: &[u32]| match pair {
        [high, low] => u8::try_from(high * 16 + low).ok(),
        _ => None,
    };
    digits.chunks(2).map(octet).collect()
}

/// A MAC address as `01:80:c2:00:00:02`.
#[must_use]
pub fn mac_text(octets: &[u8]) -> String {
    octets
        .iter()
        .map(|octet| format!("{octet:02x}"))
        .collect::<Vec<_>>()
        .join(":")
}

/// A MAC address in colon, hyphen or the vendor's notation.
pub(crate) fn parse_mac(text: &str) -> Option<[u8; 6]> {
    text.parse::<dut_device::MacAddr>().ok().map(|mac| mac.0)
}

/// An integer, also from a boolean or `0x…` text.
pub(crate) fn integer(value: &Value) -> Option<u64> {
    match value {
        Value::Bool(bit) => Some(u64::from(*bit)),
        Value::Number(number) => number.as_u64(),
        Value::String(text) => match text.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).ok(),
            None => text.parse().ok(),
        },
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

pub(crate) fn address(value: &Value) -> Option<Ipv6Addr> {
    value.as_str()?.parse().ok()
}

pub(crate) fn addresses(value: &Value) -> Option<Vec<Ipv6Addr>> {
    value.as_array()?.iter().map(address).collect()
}
