//! What a schedule breaks beside the listeners' doings: frames on their way, and the link between
//! the two.
//!
//! What breaks a device or its link to the listeners is left to the campaigns (`tandem fuzz pair`).
//! There the role moves; a report that arrives in that instant may be heard by nobody, which no
//! text forbids (the listener says it again, or the next query asks), and which the oracle can't
//! tell from one that was forgotten. In suites and campaigns time passes around a takeover.

use super::{Bench, NAMES, PORTS, wired};
use crate::mutate::Source;
use harness_sim::{Fault, FaultMatch};
use std::time::Duration;

/// Next Header values.
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMPV6: u8 = 58;

fn fault(links: &[&str], next_header: u8, loss: u8, delay: u64) -> Fault {
    Fault {
        name: "f".to_owned(),
        links: links.iter().map(|link| (*link).to_owned()).collect(),
        matching: FaultMatch {
            next_header: Some(next_header),
            ..FaultMatch::default()
        },
        loss,
        delay: Duration::from_millis(delay),
    }
}

impl Bench {
    /// Hellos, the channel's segments or the listeners' messages are lost, the segments come late,
    /// or the link between the two is cut: shorter than the E-Trunk's fail time, so nobody takes
    /// over.
    pub(super) fn trouble(&mut self, source: &mut Source<'_, '_>) {
        let loss = *source.pick(&[50, 20]);
        match source.below(11) {
            0..=4 => wired(self.world.fault(fault(&["A-B"], UDP, loss, 0))),
            5 | 6 => wired(self.world.fault(fault(&["A-B"], TCP, loss, 0))),
            7 | 8 => {
                let delay = *source.pick(&[1, 10, 40, 200]);
                wired(self.world.fault(fault(&["A-B"], TCP, 0, delay)));
            }
            9 => wired(self.world.fault(fault(&PORTS, ICMPV6, loss, 0))),
            _ => wired(self.world.set_link("A-B", false)),
        }
        self.compare();
    }

    /// All that was broken is mended.
    pub(super) fn mend(&mut self) {
        self.world.heal(None);
        if self.world.is_cut(NAMES[0], NAMES[1]) {
            wired(self.world.set_link("A-B", true));
        }
        self.compare();
    }
}
