//! Ethernet, VLAN tag, IPv6, Hop-by-Hop, UDP and ICMPv6: built with `pnet_packet`, read from
//! octets.

use crate::build::BuildError;
use crate::value::{Fields, address, integer, parse_hex, parse_mac};
use pnet_packet::ethernet::{EtherType, MutableEthernetPacket};
use pnet_packet::ip::IpNextHeaderProtocol;
use pnet_packet::ipv6::MutableIpv6Packet;
use pnet_packet::udp::MutableUdpPacket;
use pnet_packet::vlan::MutableVlanPacket;
use serde_json::Value;
use std::net::Ipv6Addr;

/// The layers of a received frame, as far as they are there.
#[derive(Debug, Clone, Default)]
pub struct Layers<'a> {
    /// Destination MAC address.
    pub destination: [u8; 6],
    /// Source MAC address.
    pub source: [u8; 6],
    /// VLAN id of the outer tag.
    pub vlan: Option<u16>,
    /// EtherType after tags.
    pub ethertype: u16,
    /// What follows the EtherType.
    pub payload: &'a [u8],
    /// The IPv6 packet in it.
    pub ip: Option<Ip<'a>>,
}

/// An IPv6 packet.
#[derive(Debug, Clone)]
pub struct Ip<'a> {
    /// Source address.
    pub source: Ipv6Addr,
    /// Destination address.
    pub destination: Ipv6Addr,
    /// Hop limit.
    pub hop_limit: u8,
    /// Next Header of the fixed header.
    pub first_header: u8,
    /// Next Header after a Hop-by-Hop header.
    pub next_header: u8,
    /// Router Alert values found by walking the options.
    pub router_alerts: Vec<u16>,
    /// Octets of the Hop-by-Hop header.
    pub hop_by_hop: Option<&'a [u8]>,
    /// What follows the headers, cut to the payload length.
    pub payload: &'a [u8],
    /// Payload length as the header says.
    pub payload_length: u16,
}

/// The layers of a frame; short frames give what is there.
#[must_use]
pub fn layers(frame: &[u8]) -> Option<Layers<'_>> {
    let destination: [u8; 6] = frame.get(..6)?.try_into().ok()?;
    let source: [u8; 6] = frame.get(6..12)?.try_into().ok()?;
    let mut ethertype = u16_at(frame, 12)?;
    let mut at = 14;
    let mut vlan = None;
    while matches!(ethertype, 0x8100 | 0x88a8) {
        let tag = u16_at(frame, at)?;
        vlan.get_or_insert(tag & 0xfff);
        ethertype = u16_at(frame, at + 2)?;
        at += 4;
    }
    let payload = frame.get(at..)?;
    let ip = if ethertype == 0x86dd {
        ip(payload)
    } else {
        None
    };
    Some(Layers {
        destination,
        source,
        vlan,
        ethertype,
        payload,
        ip,
    })
}

pub(crate) fn u16_at(octets: &[u8], at: usize) -> Option<u16> {
    octets
        .get(at..at + 2)?
        .try_into()
        .ok()
        .map(u16::from_be_bytes)
}

fn ip(packet: &[u8]) -> Option<Ip<'_>> {
    let header = packet.get(..40)?;
    if header.first()? >> 4 != 6 {
        return None;
    }
    let octets = |at: usize| -> Option<[u8; 16]> { header.get(at..at + 16)?.try_into().ok() };
    let payload_length = u16_at(header, 4)?;
    let first_header = *header.get(6)?;
    let rest = packet.get(40..)?;
    let mut payload = rest.get(..usize::from(payload_length)).unwrap_or(rest);
    let mut next_header = first_header;
    let (mut hop_by_hop, mut router_alerts) = (None, Vec::new());
    if first_header == 0 {
        let length = 8 + usize::from(*payload.get(1)?) * 8;
        let options = payload.get(..length)?;
        next_header = *options.first()?;
        router_alerts = walk(options.get(2..)?);
        hop_by_hop = Some(options);
        payload = payload.get(length..)?;
    }
    Some(Ip {
        source: Ipv6Addr::from_octets(octets(8)?),
        destination: Ipv6Addr::from_octets(octets(24)?),
        hop_limit: *header.get(7)?,
        first_header,
        next_header,
        router_alerts,
        hop_by_hop,
        payload,
        payload_length,
    })
}

fn walk(mut options: &[u8]) -> Vec<u16> {
    let mut alerts = Vec::new();
    while let Some((kind, rest)) = options.split_first() {
        if *kind == 0 {
            options = rest;
            continue;
        }
        let Some((length, data)) = rest.split_first() else {
            break;
        };
        let length = usize::from(*length);
        if *kind == 5 && length == 2 {
            alerts.extend(u16_at(data, 0));
        }
        options = data.get(length..).unwrap_or_default();
    }
    alerts
}

/// Internet checksum under the IPv6 pseudo-header; zero over a message whose checksum is right.
pub(crate) fn checksum(source: Ipv6Addr, destination: Ipv6Addr, next: u8, message: &[u8]) -> u16 {
    let length = u32::try_from(message.len())
        .unwrap_or(u32::MAX)
        .to_be_bytes();
    let pseudo = [0, 0, 0, next];
    let parts: [&[u8]; 5] = [
        &source.octets(),
        &destination.octets(),
        &length,
        &pseudo,
        message,
    ];
    let mut sum: u64 = parts.into_iter().map(words).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(0)
}

/// The sum of octets as 16-bit words; an odd last octet is a word's first.
fn words(octets: &[u8]) -> u64 {
    let (pairs, last) = octets.as_chunks::<2>();
    let sum: u64 = pairs
        .iter()
        .map(|pair| u64::from(u16::from_be_bytes(*pair)))
        .sum();
    sum + last.first().map_or(0, |octet| u64::from(*octet) << 8)
}

/// Whether the ICMPv6 checksum of a packet is right; a message that ends before it has none.
#[must_use]
pub fn checksum_holds(ip: &Ip<'_>) -> bool {
    ip.payload.len() >= 4 && checksum(ip.source, ip.destination, 58, ip.payload) == 0
}

/// Whether the UDP checksum of a packet is right.
#[must_use]
pub fn datagram_checksum_holds(ip: &Ip<'_>) -> bool {
    checksum(ip.source, ip.destination, 17, ip.payload) == 0
}

pub(crate) fn text<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.get(name).and_then(Value::as_str)
}

fn number(fields: &Fields, name: &str) -> Result<Option<u64>, BuildError> {
    fields
        .get(name)
        .map(|value| integer(value).ok_or_else(|| BuildError::value(name, value)))
        .transpose()
}

fn mac_of(fields: &Fields, name: &str, default: [u8; 6]) -> Result<[u8; 6], BuildError> {
    let Some(value) = fields.get(name) else {
        return Ok(default);
    };
    value
        .as_str()
        .and_then(parse_mac)
        .ok_or_else(|| BuildError::value(name, value))
}

/// An address field, or the default.
pub(crate) fn address_of(
    fields: &Fields,
    name: &str,
    default: Ipv6Addr,
) -> Result<Ipv6Addr, BuildError> {
    let Some(value) = fields.get(name) else {
        return Ok(default);
    };
    address(value).ok_or_else(|| BuildError::value(name, value))
}

/// Multicast MAC address of an IPv6 destination; all ones for a unicast one whose MAC isn't said.
fn mac_for(destination: Ipv6Addr) -> [u8; 6] {
    if destination.is_multicast() {
        let [.., a, b, c, d] = destination.octets();
        [0x33, 0x33, a, b, c, d]
    } else {
        [0xff; 6]
    }
}

/// Adds the Ethernet header, with a VLAN tag when `vlan.id` is there.
pub(crate) fn ethernet(
    fields: &Fields,
    destination: [u8; 6],
    ethertype: u16,
    payload: &[u8],
) -> Result<Vec<u8>, BuildError> {
    let tagged = number(fields, "vlan.id")?;
    let length = if tagged.is_some() { 18 } else { 14 };
    let mut frame = vec![0; length];
    let ethertype = number(fields, "ether.ethertype")?.map_or(ethertype, low16);
    let outer = if tagged.is_some() { 0x8100 } else { ethertype };
    {
        let mut header = MutableEthernetPacket::new(&mut frame).ok_or(BuildError::TooLong)?;
        header.set_destination(mac_of(fields, "ether.destination", destination)?.into());
        header.set_source(mac_of(fields, "ether.source", [2, 0, 0, 0, 0, 1])?.into());
        header.set_ethertype(EtherType::new(outer));
    }
    if let Some(id) = tagged {
        let tag = frame.get_mut(14..).ok_or(BuildError::TooLong)?;
        let mut tag = MutableVlanPacket::new(tag).ok_or(BuildError::TooLong)?;
        tag.set_vlan_identifier(low16(id) & 0xfff);
        let priority = number(fields, "vlan.pcp")?.unwrap_or(0);
        let priority = u8::try_from(priority & 7).unwrap_or(0);
        tag.set_priority_code_point(pnet_packet::vlan::ClassOfService::new(priority));
        tag.set_ethertype(EtherType::new(ethertype));
    }
    frame.extend_from_slice(payload);
    Ok(frame)
}

fn low16(value: u64) -> u16 {
    u16::try_from(value & 0xffff).unwrap_or(0)
}

fn low8(value: u64) -> u8 {
    u8::try_from(value & 0xff).unwrap_or(0)
}

/// Defaults of an IPv6 packet.
pub(crate) struct IpDefaults {
    pub(crate) source: Ipv6Addr,
    pub(crate) destination: Ipv6Addr,
    pub(crate) hop_limit: u8,
    pub(crate) router_alert: bool,
    pub(crate) next_header: u8,
}

/// The addresses that the packet will carry.
pub(crate) fn endpoints(
    fields: &Fields,
    defaults: &IpDefaults,
) -> Result<(Ipv6Addr, Ipv6Addr), BuildError> {
    Ok((
        address_of(fields, "ipv6.source", defaults.source)?,
        address_of(fields, "ipv6.destination", defaults.destination)?,
    ))
}

/// Adds IPv6 and Ethernet headers.
pub(crate) fn ipv6(
    fields: &Fields,
    defaults: &IpDefaults,
    payload: &[u8],
) -> Result<Vec<u8>, BuildError> {
    let (source, destination) = endpoints(fields, defaults)?;
    let next = number(fields, "ipv6.next_header")?.map_or(defaults.next_header, low8);
    let options = hop_by_hop(fields, defaults.router_alert, next)?;
    let length = options.len() + payload.len();
    let length = u16::try_from(length).map_err(|_| BuildError::TooLong)?;
    let mut packet = vec![0; 40];
    {
        let mut header = MutableIpv6Packet::new(&mut packet).ok_or(BuildError::TooLong)?;
        header.set_version(6);
        header.set_payload_length(number(fields, "ipv6.payload_length")?.map_or(length, low16));
        let first = if options.is_empty() { next } else { 0 };
        header.set_next_header(IpNextHeaderProtocol::new(first));
        header.set_hop_limit(number(fields, "ipv6.hop_limit")?.map_or(defaults.hop_limit, low8));
        header.set_source(source);
        header.set_destination(destination);
    }
    packet.extend_from_slice(&options);
    packet.extend_from_slice(payload);
    ethernet(fields, mac_for(destination), 0x86dd, &packet)
}

fn hop_by_hop(fields: &Fields, alert: bool, next: u8) -> Result<Vec<u8>, BuildError> {
    if let Some(value) = fields.get("hop_by_hop") {
        if value.as_str() == Some("none") {
            return Ok(Vec::new());
        }
        let options = value.as_str().and_then(parse_hex);
        let mut options = options.ok_or_else(|| BuildError::value("hop_by_hop", value))?;
        // The options alone: the header's first two octets are ours, unless the length is off.
        while !(options.len() + 2).is_multiple_of(8) {
            options.push(0);
        }
        let length = u8::try_from((options.len() + 2) / 8 - 1).unwrap_or(u8::MAX);
        let mut header = vec![next, length];
        header.append(&mut options);
        return Ok(header);
    }
    let value = match fields.get("hop_by_hop.router_alert") {
        Some(value) if value.as_str() == Some("none") => None,
        Some(value) => {
            let name = "hop_by_hop.router_alert";
            Some(integer(value).ok_or_else(|| BuildError::value(name, value))?)
        }
        None => alert.then_some(0),
    };
    Ok(value.map_or_else(Vec::new, |value| {
        let [high, low] = low16(value).to_be_bytes();
        vec![next, 0, 5, 2, high, low, 1, 0]
    }))
}

/// Adds a UDP header with its checksum, IPv6 and Ethernet headers.
pub(crate) fn udp(
    fields: &Fields,
    defaults: &IpDefaults,
    ports: (u16, u16),
    payload: &[u8],
) -> Result<Vec<u8>, BuildError> {
    let (source, destination) = endpoints(fields, defaults)?;
    let length = u16::try_from(payload.len() + 8).map_err(|_| BuildError::TooLong)?;
    let mut datagram = vec![0; 8];
    {
        let mut header = MutableUdpPacket::new(&mut datagram).ok_or(BuildError::TooLong)?;
        header.set_source(number(fields, "udp.source_port")?.map_or(ports.0, low16));
        header.set_destination(number(fields, "udp.destination_port")?.map_or(ports.1, low16));
        header.set_length(number(fields, "udp.length")?.map_or(length, low16));
    }
    datagram.extend_from_slice(payload);
    let sum = checksum(source, destination, 17, &datagram);
    // A computed zero is sent as all ones (RFC 768, RFC 8200 8.1).
    let sum = if sum == 0 { 0xffff } else { sum };
    let sum = number(fields, "udp.checksum")?.map_or(sum, low16);
    if let Some(field) = datagram.get_mut(6..8) {
        field.copy_from_slice(&sum.to_be_bytes());
    }
    ipv6(fields, defaults, &datagram)
}

/// Stores the checksum over the pseudo-header in an ICMPv6 or PIM message's octets 2 and 3, by the
/// policy of the field `name`: `correct` (default), `zero`, `wrong`, or a number.
pub(crate) fn seal(
    fields: &Fields,
    defaults: &IpDefaults,
    name: &str,
    message: &mut [u8],
) -> Result<(), BuildError> {
    let (source, destination) = endpoints(fields, defaults)?;
    let right = checksum(source, destination, defaults.next_header, message);
    let stored = match (text(fields, name), number(fields, name)) {
        (None | Some("correct"), Ok(None)) | (Some("correct"), _) => right,
        (Some("zero"), _) => 0,
        (Some("wrong"), _) => right ^ 0x5555,
        (_, Ok(Some(value))) => low16(value),
        (_, Err(error)) => return Err(error),
        (Some(_), Ok(None)) => right,
    };
    if let Some(field) = message.get_mut(2..4) {
        field.copy_from_slice(&stored.to_be_bytes());
    }
    Ok(())
}
