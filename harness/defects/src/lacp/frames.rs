//! Wrappers of frames that LACP's defects are made with. Offsets are those of the untagged frame.

use crate::Frames;
use dut_device::{Instant, PortId};
use std::collections::BTreeMap;

/// Offsets in a LACPDU's frame.
pub(crate) mod at {
    pub(crate) const SUBTYPE: usize = 14;
    pub(crate) const VERSION: usize = 15;
    /// Where the Actor TLV begins; the Partner TLV follows 20 octets later.
    pub(crate) const ACTOR: usize = 16;
    pub(crate) const PARTNER: usize = 36;
    pub(crate) const COLLECTOR: usize = 56;
    pub(crate) const TERMINATOR: usize = 72;
    /// Fields from the beginning of an information TLV.
    pub(crate) const SYSTEM_PRIORITY: usize = 2;
    pub(crate) const SYSTEM: usize = 4;
    pub(crate) const KEY: usize = 10;
    pub(crate) const PORT_PRIORITY: usize = 12;
    pub(crate) const PORT: usize = 14;
    pub(crate) const STATE: usize = 16;
    pub(crate) const RESERVED: usize = 17;
    /// Octets of a version 1 LACPDU's frame.
    pub(crate) const END: usize = 124;
}

/// Whether it is an untagged slow protocol frame of this subtype.
pub(crate) fn slow(frame: &[u8], subtype: u8) -> bool {
    frame.get(12..15) == Some(&[0x88, 0x09, subtype])
}

/// Whether it is an untagged LACPDU of full length.
pub(crate) fn lacpdu(frame: &[u8]) -> bool {
    slow(frame, 1) && frame.len() >= at::END
}

/// Changes every LACPDU that leaves; `false` keeps it back.
#[derive(Debug)]
pub(crate) struct Outgoing(pub(crate) fn(PortId, &mut Vec<u8>) -> bool);

impl Frames for Outgoing {
    fn sent(&mut self, port: PortId, mut frame: Vec<u8>) -> Vec<Vec<u8>> {
        if lacpdu(&frame) && !(self.0)(port, &mut frame) {
            return Vec::new();
        }
        vec![frame]
    }
}

/// Changes every frame that comes in; `false` drops it.
#[derive(Debug)]
pub(crate) struct Incoming(pub(crate) fn(PortId, &mut Vec<u8>) -> bool);

impl Frames for Incoming {
    fn received(&mut self, _now: Instant, port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        let mut frame = frame.to_vec();
        if (self.0)(port, &mut frame) {
            vec![frame]
        } else {
            Vec::new()
        }
    }
}

/// Changes LACPDUs on the way out and, so that the device inside doesn't notice, on the way in.
#[derive(Debug)]
pub(crate) struct Translate(
    pub(crate) fn(PortId, &mut Vec<u8>),
    pub(crate) fn(PortId, &mut Vec<u8>),
);

impl Frames for Translate {
    fn sent(&mut self, port: PortId, mut frame: Vec<u8>) -> Vec<Vec<u8>> {
        if lacpdu(&frame) {
            (self.0)(port, &mut frame);
        }
        vec![frame]
    }

    fn received(&mut self, _now: Instant, port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        let mut frame = frame.to_vec();
        if lacpdu(&frame) {
            (self.1)(port, &mut frame);
        }
        vec![frame]
    }
}

/// The frames that a device answers a frame with, and where it sends them.
type Answer = fn(PortId, &[u8]) -> Vec<(PortId, Vec<u8>)>;

/// Sends something for a received frame.
#[derive(Debug)]
pub(crate) struct Answering(pub(crate) Answer);

impl Frames for Answering {
    fn answer(&mut self, _now: Instant, port: PortId, frame: &[u8]) -> Vec<(PortId, Vec<u8>)> {
        (self.0)(port, frame)
    }
}

/// What a port knows when it sends.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    /// LACPDUs received since the one that was sent last, oldest first; at most four.
    pub(crate) fresh: Vec<Vec<u8>>,
    /// The LACPDU that was received last.
    pub(crate) received: Vec<u8>,
    /// The LACPDU that was sent last, as the device inside made it.
    pub(crate) sent: Vec<u8>,
    /// LACPDUs sent so far.
    pub(crate) count: u16,
}

/// Changes every LACPDU that leaves by what the port remembers.
#[derive(Debug)]
pub(crate) struct Memory(fn(&mut Vec<u8>, &Known), BTreeMap<PortId, Known>);

impl Memory {
    /// Changes LACPDUs so.
    pub(crate) fn boxed(change: fn(&mut Vec<u8>, &Known)) -> Box<dyn Frames> {
        Box::new(Self(change, BTreeMap::new()))
    }
}

impl Frames for Memory {
    fn received(&mut self, _now: Instant, port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        if lacpdu(frame) {
            let known = self.1.entry(port).or_default();
            known.received = frame.to_vec();
            if known.fresh.len() < 4 {
                known.fresh.push(frame.to_vec());
            }
        }
        vec![frame.to_vec()]
    }

    fn sent(&mut self, port: PortId, mut frame: Vec<u8>) -> Vec<Vec<u8>> {
        if lacpdu(&frame) {
            let known = self.1.entry(port).or_default();
            let made = frame.clone();
            (self.0)(&mut frame, known);
            known.sent = made;
            known.fresh.clear();
            known.count = known.count.wrapping_add(1);
        }
        vec![frame]
    }
}

/// Takes no frame any more after one of these, on any port.
#[derive(Debug)]
pub(crate) struct Dies(fn(&[u8]) -> bool, bool);

impl Dies {
    /// Dies of such a frame.
    pub(crate) fn of(frame: fn(&[u8]) -> bool) -> Box<dyn Frames> {
        Box::new(Self(frame, false))
    }
}

impl Frames for Dies {
    fn received(&mut self, _now: Instant, _port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        self.1 |= (self.0)(frame);
        if self.1 {
            Vec::new()
        } else {
            vec![frame.to_vec()]
        }
    }
}
