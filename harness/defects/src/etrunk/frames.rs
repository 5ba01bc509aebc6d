//! Wrappers that change hellos on their way. Whoever changes one seals it anew, by the key of the
//! single-device testbeds.

use crate::Frames;
use crate::octets::put_all;
use dut_device::{Instant, PortId};
use dut_wire::etrunk::{AuthenticationMode, Endpoints, Envelope, Hello};
use dut_wire::ipv6::{self, Packet};
use std::net::Ipv6Addr;

const KEY: &[u8] = b"tandem-lab";
/// Octets before the IPv6 header of an untagged frame.
const ETHERNET: usize = 14;
/// Where the hello begins, behind IPv6's and UDP's headers.
const PAYLOAD: usize = ETHERNET + 40 + 8;
const UDP: u8 = 17;
const PORT: u16 = 1025;
const MODES: [AuthenticationMode; 3] = [
    AuthenticationMode::HmacSha1,
    AuthenticationMode::HmacSha256,
    AuthenticationMode::EnhancedHmacSha256,
];

/// Offsets in a hello.
pub(super) mod at {
    pub(crate) const MAGIC: usize = 0;
    pub(crate) const MAJOR: usize = 4;
    pub(crate) const LENGTH: usize = 8;
    pub(crate) const PRIORITY: usize = 12;
    pub(crate) const STATE: usize = 13;
    pub(crate) const REASON: usize = 14;
    pub(crate) const SEND_PERIOD: usize = 22;
    pub(crate) const FAIL_TIME: usize = 24;
    pub(crate) const BOOT_EPOCH: usize = 28;
    pub(crate) const SEQUENCE: usize = 36;
}

fn port(frame: &[u8], at: usize) -> u16 {
    let octets = frame.get(at..).and_then(<[u8]>::first_chunk::<2>);
    octets.map_or(0, |octets| u16::from_be_bytes(*octets))
}

fn address(frame: &[u8], at: usize) -> Ipv6Addr {
    let octets = frame.get(at..).and_then(<[u8]>::first_chunk::<16>);
    octets.map_or(Ipv6Addr::UNSPECIFIED, |octets| Ipv6Addr::from(*octets))
}

/// The addresses and ports of an untagged frame with a hello in it.
fn endpoints(frame: &[u8]) -> Option<Endpoints> {
    let udp = frame.get(12..14) == Some(&[0x86, 0xdd]) && frame.get(20) == Some(&UDP);
    let endpoints = Endpoints {
        source: address(frame, 22),
        destination: address(frame, 38),
        source_port: port(frame, 54),
        destination_port: port(frame, 56),
    };
    (udp && endpoints.destination_port == PORT).then_some(endpoints)
}

/// The mode under which a hello's digest is right.
fn mode(payload: &[u8], endpoints: &Endpoints) -> Option<AuthenticationMode> {
    let envelope = Envelope::parse(payload).ok()?;
    let body = envelope.body().ok()?;
    let right = |mode: &AuthenticationMode| body.authenticates(*mode, KEY, endpoints);
    MODES.into_iter().find(right)
}

/// Puts another payload into the frame, the lengths and the checksum right.
fn replaced(frame: &[u8], endpoints: &Endpoints, payload: &[u8]) -> Option<Vec<u8>> {
    let mut message = frame.get(54..58)?.to_vec();
    let length = u16::try_from(payload.len() + 8).ok()?;
    message.extend(length.to_be_bytes());
    message.extend([0, 0]);
    message.extend(payload);
    let checksum = ipv6::checksum(endpoints.source, endpoints.destination, UDP, &message);
    put_all(&mut message, 6, &checksum.to_be_bytes());
    let mut out = frame.get(..ETHERNET)?.to_vec();
    let packet = Packet {
        source: endpoints.source,
        destination: endpoints.destination,
        hop_limit: *frame.get(21)?,
        router_alert: None,
        next_header: UDP,
        payload: &message,
    };
    packet.emit(&mut out);
    Some(out)
}

/// Says something else in every hello; its digest is right.
#[derive(Debug)]
pub(super) struct Says(pub(super) fn(&mut Hello));

impl Says {
    fn change(&self, frame: &[u8]) -> Option<Vec<u8>> {
        let endpoints = endpoints(frame)?;
        let payload = frame.get(PAYLOAD..)?;
        let mode = mode(payload, &endpoints)?;
        let envelope = Envelope::parse(payload).ok()?;
        let mut hello = envelope.body().ok()?.hello().ok()?;
        (self.0)(&mut hello);
        replaced(frame, &endpoints, &hello.to_vec(mode, KEY, &endpoints))
    }
}

impl Frames for Says {
    fn sent(&mut self, _port: PortId, frame: Vec<u8>) -> Vec<Vec<u8>> {
        vec![self.change(&frame).unwrap_or(frame)]
    }
}

/// Changes the octets of every hello that leaves; the digest stays as it is.
#[derive(Debug)]
pub(super) struct Octets(pub(super) fn(&mut [u8]));

impl Frames for Octets {
    fn sent(&mut self, _port: PortId, frame: Vec<u8>) -> Vec<Vec<u8>> {
        let changed = endpoints(&frame).and_then(|endpoints| {
            let mut payload = frame.get(PAYLOAD..)?.to_vec();
            (self.0)(&mut payload);
            replaced(&frame, &endpoints, &payload)
        });
        vec![changed.unwrap_or(frame)]
    }
}

/// Mends what a check would refuse, so that the device inside takes the hello: a check that is
/// missing.
#[derive(Debug)]
pub(super) struct Mends(pub(super) fn(&mut Vec<u8>));

impl Mends {
    fn change(&self, frame: &[u8]) -> Option<Vec<u8>> {
        let endpoints = endpoints(frame)?;
        let came = frame.get(PAYLOAD..)?;
        let mut payload = came.to_vec();
        (self.0)(&mut payload);
        if payload == came {
            return None;
        }
        let envelope = Envelope::parse(&payload).ok()?;
        let hello = envelope.body().ok()?.hello().ok()?;
        let mode = AuthenticationMode::EnhancedHmacSha256;
        replaced(frame, &endpoints, &hello.to_vec(mode, KEY, &endpoints))
    }
}

impl Frames for Mends {
    fn received(&mut self, _now: Instant, _port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        vec![self.change(frame).unwrap_or_else(|| frame.to_vec())]
    }
}

/// Sends a hello to a configured port of its own.
#[derive(Debug)]
pub(super) struct ToPort(pub(super) u16);

impl Frames for ToPort {
    fn sent(&mut self, _port: PortId, frame: Vec<u8>) -> Vec<Vec<u8>> {
        let changed = endpoints(&frame).and_then(|mut endpoints| {
            endpoints.destination_port = self.0;
            let payload = frame.get(PAYLOAD..)?;
            let mut out = frame.clone();
            out.get_mut(56..58)?.copy_from_slice(&self.0.to_be_bytes());
            replaced(&out, &endpoints, payload)
        });
        vec![changed.unwrap_or(frame)]
    }
}

/// Sends of the hellos that leave only those that pass, by how many have left before.
#[derive(Debug)]
pub(super) struct Keeps(pub(super) fn(&Hello, u32) -> bool, pub(super) u32);

impl Frames for Keeps {
    fn sent(&mut self, _port: PortId, frame: Vec<u8>) -> Vec<Vec<u8>> {
        let hello = endpoints(&frame).and_then(|_| {
            let envelope = Envelope::parse(frame.get(PAYLOAD..)?).ok()?;
            envelope.body().ok()?.hello().ok()
        });
        let Some(hello) = hello else {
            return vec![frame];
        };
        let count = self.1;
        self.1 += 1;
        if (self.0)(&hello, count) {
            vec![frame]
        } else {
            Vec::new()
        }
    }
}
