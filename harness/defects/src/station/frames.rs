//! MLD messages that a device with several ports passes on, takes or keeps back as it shouldn't.

use crate::Frames;
use crate::mld::frames::Mld;
use dut_device::{Instant, PortId};

/// The ports that a message that came or left concerns beside its own.
pub(super) type Ports = fn(PortId, &Mld) -> Vec<PortId>;

fn copies(ports: Ports, port: PortId, frame: &[u8]) -> Vec<(PortId, Vec<u8>)> {
    let mld = Mld::of(frame);
    let ports = mld.map(|mld| ports(port, &mld)).unwrap_or_default();
    ports.into_iter().map(|to| (to, frame.to_vec())).collect()
}

/// Passes a message that came on to these ports.
#[derive(Debug)]
pub(super) struct Passes(pub(super) Ports);

impl Frames for Passes {
    fn answer(&mut self, _now: Instant, port: PortId, frame: &[u8]) -> Vec<(PortId, Vec<u8>)> {
        copies(self.0, port, frame)
    }
}

/// Takes a message that came as if it had come on these ports, too.
#[derive(Debug)]
pub(super) struct Mixes(pub(super) Ports);

impl Frames for Mixes {
    fn elsewhere(&mut self, _now: Instant, port: PortId, frame: &[u8]) -> Vec<(PortId, Vec<u8>)> {
        copies(self.0, port, frame)
    }
}

/// Sends a message on these ports, too.
#[derive(Debug)]
pub(super) struct Repeats(pub(super) Ports);

impl Frames for Repeats {
    fn beside(&mut self, port: PortId, frame: &[u8]) -> Vec<(PortId, Vec<u8>)> {
        copies(self.0, port, frame)
    }
}

/// Changes a message that leaves; `false` keeps it back.
#[derive(Debug)]
pub(super) struct Sends(pub(super) fn(PortId, &mut Mld) -> bool);

impl Frames for Sends {
    fn sent(&mut self, port: PortId, frame: Vec<u8>) -> Vec<Vec<u8>> {
        let Some(mut mld) = Mld::of(&frame) else {
            return vec![frame];
        };
        if (self.0)(port, &mut mld) {
            vec![mld.frame()]
        } else {
            Vec::new()
        }
    }
}

/// Changes a message that came; `false` loses it.
#[derive(Debug)]
pub(super) struct Hears(pub(super) fn(PortId, &mut Mld) -> bool);

impl Frames for Hears {
    fn received(&mut self, _now: Instant, port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        let Some(mut mld) = Mld::of(frame) else {
            return vec![frame.to_vec()];
        };
        let before = mld.message.clone();
        if !(self.0)(port, &mut mld) {
            Vec::new()
        } else if mld.message == before {
            // What is wrong already stays so.
            vec![frame.to_vec()]
        } else {
            vec![mld.frame()]
        }
    }
}

/// Changes the octets of every other frame that leaves; `false` keeps it back.
#[derive(Debug)]
pub(super) struct Traffic(pub(super) fn(&mut Vec<u8>) -> bool);

impl Frames for Traffic {
    fn sent(&mut self, _port: PortId, mut frame: Vec<u8>) -> Vec<Vec<u8>> {
        if Mld::of(&frame).is_some() || (self.0)(&mut frame) {
            vec![frame]
        } else {
            Vec::new()
        }
    }
}
