//! What malformed, foreign and misaddressed frames do to a device that reads them carelessly.

use super::frames::{Dies, Incoming, Memory, Outgoing, at, lacpdu, slow};
use crate::octets::{copy, octet, put_all};
use crate::{Defect, Frames};
use dut_device::{Instant, PortId};
use std::collections::BTreeMap;
use std::time::Duration;

/// Where 802.1AX's slow protocol frames go by default.
const SLOW: [u8; 6] = [0x01, 0x80, 0xc2, 0x00, 0x00, 0x02];
/// Octets of a frame before its EtherType.
const ADDRESSES: usize = 12;

/// Whether a slow protocol frame of this subtype, to whatever address, ends before its 110th octet.
fn cut(frame: &[u8], subtype: u8) -> bool {
    slow(frame, subtype) && frame.len() < at::END
}

/// What a cut frame lacks, taken from another one.
fn completed(frame: &[u8], from: &[u8]) -> Vec<u8> {
    let rest = from.get(frame.len()..).unwrap_or_default();
    [frame, rest].concat()
}

/// Reads frames of these subtypes in a buffer that still holds the last one.
#[derive(Debug)]
struct StaleBuffer(u8, BTreeMap<PortId, Vec<u8>>);

impl Frames for StaleBuffer {
    fn received(&mut self, _now: Instant, port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        if slow(frame, self.0) && frame.len() >= at::END {
            self.1.insert(port, frame.to_vec());
        }
        match self.1.get(&port) {
            Some(last) if cut(frame, self.0) => vec![completed(frame, last)],
            Some(_) | None => vec![frame.to_vec()],
        }
    }
}

/// Checks no length of the first LACPDU after a long silence.
#[derive(Debug, Default)]
struct CutAfterSilence(BTreeMap<PortId, Instant>);

impl Frames for CutAfterSilence {
    fn received(&mut self, now: Instant, port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        if lacpdu(frame) {
            self.0.insert(port, now);
        }
        let silent = self
            .0
            .get(&port)
            .is_some_and(|last| now.since(*last) > Duration::from_secs(6));
        let mut frame = frame.to_vec();
        if silent && cut(&frame, 1) && frame.len() > at::COLLECTOR + 1 {
            frame.resize(at::END, 0);
        }
        vec![frame]
    }
}

/// Takes these for a sign of life of the partner.
#[derive(Debug)]
struct SignOfLife(fn(&[u8]) -> bool, BTreeMap<PortId, Vec<u8>>);

impl SignOfLife {
    fn of(sign: fn(&[u8]) -> bool) -> Box<dyn Frames> {
        Box::new(Self(sign, BTreeMap::new()))
    }
}

impl Frames for SignOfLife {
    fn received(&mut self, _now: Instant, port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        if lacpdu(frame) && frame.starts_with(&SLOW) {
            self.1.insert(port, frame.to_vec());
        }
        let last = self.1.get(&port).filter(|_| (self.0)(frame)).cloned();
        [frame.to_vec()].into_iter().chain(last).collect()
    }
}

/// Takes LACPDUs to the port's own MAC address.
#[derive(Debug, Default)]
struct OwnAddress(BTreeMap<PortId, Vec<u8>>);

impl Frames for OwnAddress {
    fn sent(&mut self, port: PortId, frame: Vec<u8>) -> Vec<Vec<u8>> {
        let source = frame.get(6..ADDRESSES).unwrap_or_default().to_vec();
        self.0.insert(port, source);
        vec![frame]
    }

    fn received(&mut self, _now: Instant, port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        let mut frame = frame.to_vec();
        if self.0.get(&port).is_some_and(|own| frame.starts_with(own)) {
            put_all(&mut frame, 0, &SLOW);
        }
        vec![frame]
    }
}

/// Takes LACPDUs to the usual address beside those to the configured one.
#[derive(Debug, Default)]
struct BothAddresses(BTreeMap<PortId, Vec<u8>>);

impl Frames for BothAddresses {
    fn sent(&mut self, port: PortId, frame: Vec<u8>) -> Vec<Vec<u8>> {
        if lacpdu(&frame) {
            let destination = frame.get(..6).unwrap_or_default().to_vec();
            self.0.insert(port, destination);
        }
        vec![frame]
    }

    fn received(&mut self, _now: Instant, port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        let mut frame = frame.to_vec();
        if let Some(configured) = self.0.get(&port)
            && frame.starts_with(&SLOW)
        {
            put_all(&mut frame, 0, configured);
        }
        vec![frame]
    }
}

/// Removes tags of these types when such a frame is behind them.
fn strip(frame: &mut Vec<u8>, types: &[[u8; 2]], wanted: fn(&[u8]) -> bool) {
    let mut bare = frame.clone();
    while types
        .iter()
        .any(|tag| bare.get(ADDRESSES..ADDRESSES + 2) == Some(tag))
        && bare.len() >= ADDRESSES + 4
    {
        bare.drain(ADDRESSES..ADDRESSES + 4);
    }
    if wanted(&bare) {
        *frame = bare;
    }
}

/// The lengths of the TLVs that follow the Collector TLV, up to a terminator or the end.
fn further(frame: &[u8]) -> Vec<usize> {
    let mut lengths = Vec::new();
    let mut place = at::TERMINATOR;
    while octet(frame, place) != 0 && lengths.len() < 100 {
        let length = usize::from(octet(frame, place + 1));
        lengths.push(length);
        place += length.max(2);
    }
    lengths
}

/// Whether the TLVs after the Collector TLV end beyond the frame.
fn overrun(frame: &[u8]) -> bool {
    at::TERMINATOR + further(frame).iter().sum::<usize>() > frame.len()
}

/// Defects of careless reading.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::frames(
        "lacp-stale-buffer",
        &["LACP-036"],
        "what a cut LACPDU lacks is read from the LACPDU before it",
        || Box::new(StaleBuffer(1, BTreeMap::new())),
    ),
    Defect::frames(
        "lacp-cut-after-silence",
        &["LACP-036"],
        "after a long silence a LACPDU that is cut in its Collector TLV is taken",
        || Box::new(CutAfterSilence::default()),
    ),
    Defect::frames(
        "lacp-long-trailer",
        &["LACP-037"],
        "a LACPDU with more than 1000 octets after its 110th is dropped",
        || Box::new(Incoming(|_, frame| !lacpdu(frame) || frame.len() < 1124)),
    ),
    Defect::frames(
        "lacp-markers-refresh",
        &["LACP-060"],
        "a Marker PDU restarts current_while_timer",
        || SignOfLife::of(|frame| slow(frame, 2)),
    ),
    Defect::frames(
        "lacp-any-slow-frame-refreshes",
        &["LACP-008", "LACP-009"],
        "any slow protocol frame restarts current_while_timer",
        || SignOfLife::of(|frame| frame.get(12..14) == Some(&[0x88, 0x09]) && !slow(frame, 2)),
    ),
    Defect::frames(
        "lacp-any-group-refreshes",
        &["LACP-005"],
        "a LACPDU to another reserved group restarts current_while_timer",
        || SignOfLife::of(|frame| lacpdu(frame) && octet(frame, 0) & 1 == 1),
    ),
    Defect::frames(
        "lacp-tagged-refreshes",
        &["LACP-006"],
        "a LACPDU with a tag restarts current_while_timer",
        || SignOfLife::of(|frame| frame.get(12..14) == Some(&[0x81, 0x00])),
    ),
    Defect::frames(
        "lacp-own-address",
        &["LACP-005"],
        "a LACPDU to the port's own MAC address is taken",
        || Box::new(OwnAddress::default()),
    ),
    Defect::frames(
        "lacp-protocol-da-ignored",
        &["LACP-011"],
        "LACPDUs go to 01-80-C2-00-00-02 whatever is configured",
        || {
            Box::new(Outgoing(|_, frame| {
                put_all(frame, 0, &SLOW);
                true
            }))
        },
    ),
    Defect::frames(
        "lacp-protocol-da-and-default",
        &["LACP-011"],
        "LACPDUs to 01-80-C2-00-00-02 are taken beside those to the configured address",
        || Box::new(BothAddresses::default()),
    ),
    Defect::frames(
        "lacp-service-tags-stripped",
        &["LACP-006"],
        "a service tag before a LACPDU is stripped",
        || {
            Box::new(Incoming(|_, frame| {
                strip(frame, &[[0x88, 0xa8]], lacpdu);
                true
            }))
        },
    ),
    Defect::frames(
        "lacp-tagged-marker-answered",
        &["LACP-006"],
        "a Marker PDU behind a tag is answered",
        || {
            Box::new(Incoming(|_, frame| {
                strip(frame, &[[0x81, 0x00]], |bare| slow(bare, 2));
                true
            }))
        },
    ),
    Defect::frames(
        "lacp-any-ethertype",
        &["LACP-009"],
        "a LACPDU under another EtherType is taken by its address",
        || {
            Box::new(Incoming(|_, frame| {
                if frame.starts_with(&SLOW) && octet(frame, at::SUBTYPE) == 1 {
                    put_all(frame, ADDRESSES, &[0x88, 0x09]);
                }
                true
            }))
        },
    ),
    Defect::frames(
        "lacp-snap-unwrapped",
        &["LACP-009"],
        "a LACPDU in LLC and SNAP headers is taken",
        || {
            Box::new(Incoming(|_, frame| {
                if frame.get(14..17) == Some(&[0xaa, 0xaa, 0x03]) {
                    frame.drain(ADDRESSES..ADDRESSES + 8);
                }
                true
            }))
        },
    ),
    Defect::frames(
        "lacp-marker-read-as-lacpdu",
        &["LACP-130"],
        "a Marker PDU with a LACPDU's TLVs is recorded as one",
        || {
            Box::new(Incoming(|_, frame| {
                if slow(frame, 2) && octet(frame, at::ACTOR + 1) == 20 {
                    put_all(frame, at::SUBTYPE, &[1]);
                }
                true
            }))
        },
    ),
    Defect::frames(
        "lacp-last-actor-wins",
        &["LACP-034", "LACP-038"],
        "of two Actor TLVs the second one is recorded",
        || {
            Box::new(Incoming(|_, frame| {
                let second = frame.get(at::TERMINATOR..at::TERMINATOR + 2) == Some(&[1, 20]);
                if lacpdu(frame) && second {
                    let from = frame.clone();
                    copy(frame, at::ACTOR, &from, at::TERMINATOR, 20);
                }
                true
            }))
        },
    ),
    Defect::frames(
        "lacp-half-by-type",
        &["LACP-033", "LACP-038"],
        "the port number is read from the TLV of its type, all else by place",
        || {
            Box::new(Incoming(|_, frame| {
                if lacpdu(frame) && octet(frame, at::ACTOR) == 2 {
                    let from = frame.clone();
                    copy(
                        frame,
                        at::ACTOR + at::PORT,
                        &from,
                        at::PARTNER + at::PORT,
                        2,
                    );
                }
                true
            }))
        },
    ),
    Defect::frames(
        "lacp-short-tlv-hangs",
        &["LACP-038"],
        "a further TLV with a length below 2 is read for ever",
        || Dies::of(|frame| lacpdu(frame) && further(frame).iter().any(|length| *length < 2)),
    )
    .seen("SnapRoute's gopacket fork"),
    Defect::frames(
        "lacp-overrun-dies",
        &["LACP-038", "LACP-039"],
        "nothing is received any more after a further TLV that ends beyond the frame",
        || Dies::of(|frame| lacpdu(frame) && octet(frame, at::VERSION) == 2 && overrun(frame)),
    ),
    Defect::frames(
        "lacp-marker-stale-buffer",
        &["LACP-130"],
        "what a cut Marker PDU lacks is answered from the one before it",
        || Box::new(StaleBuffer(2, BTreeMap::new())),
    ),
    Defect::frames(
        "lacp-believes-partner-state",
        &["LACP-112"],
        "a port shows the Synchronization that its partner says of it",
        || {
            Memory::boxed(|frame, known| {
                let said = octet(&known.received, at::PARTNER + at::STATE) & 0x08;
                let own = octet(frame, at::ACTOR + at::STATE);
                put_all(frame, at::ACTOR + at::STATE, &[own | said]);
            })
        },
    ),
];
