//! Data on ports that don't collect or distribute (LACP-118).

use crate::{Defect, Frames};
use dut_device::{Instant, PortId};

fn data(frame: &[u8]) -> bool {
    frame.get(12..14) == Some(&[0x86, 0xdd])
}

/// Floods data to all ports.
#[derive(Debug)]
struct SendsAnywhere;

impl Frames for SendsAnywhere {
    fn answer(&mut self, _now: Instant, _port: PortId, frame: &[u8]) -> Vec<(PortId, Vec<u8>)> {
        // Data that came in by one port leave by the others, whatever their state.
        if data(frame) {
            vec![(PortId(0), frame.to_vec())]
        } else {
            Vec::new()
        }
    }
}

/// Takes data from any port as if the first one had received it.
#[derive(Debug)]
struct TakesAnywhere;

impl Frames for TakesAnywhere {
    fn elsewhere(&mut self, _now: Instant, port: PortId, frame: &[u8]) -> Vec<(PortId, Vec<u8>)> {
        if data(frame) && port != PortId(0) {
            vec![(PortId(0), frame.to_vec())]
        } else {
            Vec::new()
        }
    }
}

/// Defects of the Frame Collector and Distributor.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::frames(
        "lacp-distributes-anywhere",
        &["LACP-118"],
        "data leave by a port that doesn't distribute",
        || Box::new(SendsAnywhere),
    ),
    Defect::frames(
        "lacp-collects-anywhere",
        &["LACP-118"],
        "data are taken from a port that doesn't collect",
        || Box::new(TakesAnywhere),
    ),
];
