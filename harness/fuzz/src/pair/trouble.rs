//! What a schedule breaks beside the listeners' doings: hellos, listeners' messages and the
//! channel's segments are lost.
//!
//! Left to the campaigns (`tandem fuzz pair`) is what breaks a device or its link to the listeners:
//! there the role moves, and a pair isn't as it was found before a revert delay of 120 s.

use super::{Bench, PORTS, wired};
use crate::mutate::Source;
use harness_sim::{Fault, FaultMatch};
use std::time::Duration;

/// Next Header values.
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMPV6: u8 = 58;

fn fault(links: &[&str], next_header: u8, loss: u8) -> Fault {
    Fault {
        name: "f".to_owned(),
        links: links.iter().map(|link| (*link).to_owned()).collect(),
        matching: FaultMatch {
            next_header: Some(next_header),
            ..FaultMatch::default()
        },
        loss,
        delay: Duration::ZERO,
    }
}

impl Bench {
    /// Hellos are lost, the channel's segments, or the listeners' messages.
    pub(super) fn trouble(&mut self, source: &mut Source<'_, '_>) {
        let loss = *source.pick(&[50, 20]);
        let fault = match source.below(10) {
            0..=4 => fault(&["A-B"], UDP, loss),
            5 | 6 => fault(&["A-B"], TCP, loss),
            _ => fault(&PORTS, ICMPV6, loss),
        };
        wired(self.world.fault(fault));
        self.compare();
    }

    /// All that was broken is mended.
    pub(super) fn mend(&mut self) {
        self.world.heal(None);
        self.compare();
    }
}
