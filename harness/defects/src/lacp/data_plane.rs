//! Data on ports that don't collect or distribute (LACP-118).

use crate::{Defect, Frames};
use dut_device::{Instant, PortId};

fn data(frame: &[u8]) -> bool {
    frame.get(12..14) == Some(&[0x86, 0xdd])
}

/// Sends each data frame once more by the next port that hears its partner.
#[derive(Debug, Default)]
struct SendsAnywhere(Option<(PortId, Vec<u8>)>);

impl Frames for SendsAnywhere {
    fn sent(&mut self, port: PortId, frame: Vec<u8>) -> Vec<Vec<u8>> {
        if data(&frame) {
            self.0 = Some((port, frame.clone()));
        }
        vec![frame]
    }

    fn answer(&mut self, _now: Instant, port: PortId, _frame: &[u8]) -> Vec<(PortId, Vec<u8>)> {
        let other = self.0.take_if(|(from, _)| *from != port);
        other.map(|(_, frame)| (port, frame)).into_iter().collect()
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
        || Box::new(SendsAnywhere::default()),
    ),
    Defect::frames(
        "lacp-collects-anywhere",
        &["LACP-118"],
        "data are taken from a port that doesn't collect",
        || Box::new(TakesAnywhere),
    ),
];
