//! Hellos and RBS messages in frames: taken apart, changed, and put together with right digests and
//! checksums.

use crate::Frames;
use dut_device::{Instant, PortId};
use dut_wire::etrunk::{AuthenticationMode, Endpoints, Envelope, Hello};
use dut_wire::ipv6::{self, Packet};

/// Octets before an untagged frame's IPv6 payload without Hop-by-Hop options.
const HEADERS: usize = 54;
const UDP: usize = 8;
/// The key of the testbed `etrunk`.
const KEY: &[u8] = b"tandem-lab";

fn u16_at(octets: &[u8], at: usize) -> Option<u16> {
    let field: [u8; 2] = octets.get(at..at + 2)?.try_into().ok()?;
    Some(u16::from_be_bytes(field))
}

/// Overwrites octets where they are there.
pub(super) fn put(octets: &mut [u8], at: usize, value: &[u8]) {
    if let Some(field) = octets.get_mut(at..at + value.len()) {
        field.copy_from_slice(value);
    }
}

/// The payload of a hello's datagram.
pub(super) fn hello_payload(frame: &[u8]) -> Option<&[u8]> {
    let payload = frame.get(HEADERS + UDP..)?;
    let udp = frame.get(12..14) == Some(&[0x86, 0xdd]) && frame.get(20) == Some(&17);
    (udp && payload.starts_with(b"TETK")).then_some(payload)
}

/// A hello changed and signed anew; `None` where the frame holds none that is legal.
pub(super) fn resigned(frame: &[u8], change: fn(&mut Hello)) -> Option<Vec<u8>> {
    let payload = hello_payload(frame)?;
    let mut hello = Envelope::parse(payload).ok()?.body().ok()?.hello().ok()?;
    change(&mut hello);
    let packet = Packet::parse(frame.get(14..)?).ok()?;
    let endpoints = Endpoints {
        source: packet.source,
        destination: packet.destination,
        source_port: u16_at(packet.payload, 0)?,
        destination_port: u16_at(packet.payload, 2)?,
    };
    let payload = hello.to_vec(AuthenticationMode::EnhancedHmacSha256, KEY, &endpoints);
    let mut datagram = packet.payload.get(..4)?.to_vec();
    let length = u16::try_from(payload.len() + UDP).ok()?;
    datagram.extend(length.to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(payload);
    let sum = ipv6::checksum(packet.source, packet.destination, ipv6::UDP, &datagram);
    put(&mut datagram, 6, &sum.to_be_bytes());
    let mut changed = frame.get(..14)?.to_vec();
    Packet {
        payload: &datagram,
        ..packet
    }
    .emit(&mut changed);
    Some(changed)
}

/// Changes each RBS message at the beginning of a TCP segment, its length kept; whether there was
/// one.
pub(super) fn messages(frame: &mut [u8], mut change: impl FnMut(&mut [u8])) -> bool {
    let tcp = frame.get(12..14) == Some(&[0x86, 0xdd]) && frame.get(20) == Some(&6);
    let header = frame
        .get(HEADERS + 12)
        .map_or(0, |octet| usize::from(octet >> 4) * 4);
    let mut at = HEADERS + header;
    let mut any = false;
    while tcp
        && frame
            .get(at..)
            .is_some_and(|rest| rest.starts_with(b"TRBS"))
    {
        let length = u16_at(frame, at + 10).map_or(0, usize::from);
        let end = (at + length.max(32)).min(frame.len());
        if let Some(message) = frame.get_mut(at..end) {
            change(message);
        }
        any = true;
        at = end;
    }
    if any {
        put(frame, HEADERS + 16, &[0, 0]);
        let sum = Packet::parse(frame.get(14..).unwrap_or_default())
            .ok()
            .map(|packet| {
                ipv6::checksum(packet.source, packet.destination, ipv6::TCP, packet.payload)
            });
        put(frame, HEADERS + 16, &sum.unwrap_or(0).to_be_bytes());
    }
    any
}

/// The type of an RBS message.
pub(super) fn kind(message: &[u8]) -> u8 {
    message.get(6).copied().unwrap_or(0)
}

/// Hellos leave changed.
#[derive(Debug)]
pub(super) struct Says(pub(super) fn(&mut Hello));

impl Frames for Says {
    fn sent(&mut self, _port: PortId, frame: Vec<u8>) -> Vec<Vec<u8>> {
        vec![resigned(&frame, self.0).unwrap_or(frame)]
    }
}

/// Hellos are heard changed, whatever their digest was.
#[derive(Debug)]
pub(super) struct Hears(pub(super) fn(&mut Hello));

impl Frames for Hears {
    fn received(&mut self, _now: Instant, _port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        vec![resigned(frame, self.0).unwrap_or_else(|| frame.to_vec())]
    }
}

/// RBS messages leave changed.
#[derive(Debug)]
pub(super) struct Tells(pub(super) fn(&mut [u8]));

impl Frames for Tells {
    fn sent(&mut self, _port: PortId, mut frame: Vec<u8>) -> Vec<Vec<u8>> {
        messages(&mut frame, self.0);
        vec![frame]
    }
}

/// RBS messages are heard changed.
#[derive(Debug)]
pub(super) struct Learns(pub(super) fn(&mut [u8]));

impl Frames for Learns {
    fn received(&mut self, _now: Instant, _port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        let mut frame = frame.to_vec();
        messages(&mut frame, self.0);
        vec![frame]
    }
}

/// Octets before a body, and before the first record of an UPSERT or the first tombstone of a
/// DELETE.
pub(super) const BODY: usize = 32;
pub(super) const RECORD: usize = BODY + 8;
pub(super) const TOMBSTONE: usize = BODY + 4;
pub(super) const UPSERT: u8 = 7;
pub(super) const DELETE: u8 = 8;

/// Changes each group record of an UPSERT.
pub(super) fn records(message: &mut [u8], change: fn(&mut [u8])) {
    let mut at = RECORD;
    while kind(message) == UPSERT {
        let length = u16_at(message, at).map_or(0, usize::from);
        let Some(record) = message
            .get_mut(at..at + length)
            .filter(|record| record.len() >= 96)
        else {
            return;
        };
        if record.get(2) == Some(&1) {
            change(record);
        }
        at += length;
    }
}

/// A field of four octets, changed.
pub(super) fn number(octets: &mut [u8], at: usize, change: fn(u32) -> u32) {
    let field: Option<[u8; 4]> = octets
        .get(at..at + 4)
        .and_then(|field| field.try_into().ok());
    if let Some(field) = field {
        put(octets, at, &change(u32::from_be_bytes(field)).to_be_bytes());
    }
}
