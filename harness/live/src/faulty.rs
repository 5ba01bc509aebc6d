//! Faulty links: what a device's process sends is lost or comes late, as if the wire did it.
//!
//! Kernels without `netem` are common in virtual machines, and a relay between the two ends would
//! make every frame late. The process of a reference device therefore loses and delays what leaves
//! it, after the device has sent it and before the interface has it.

use dut_device::Instant;
use harness_sim::{Fault, Faults};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::collections::BTreeMap;

/// The faults of a process's ports, and the frames that they keep.
#[derive(Debug)]
pub(crate) struct Faulty {
    /// Their links are interfaces.
    faults: Faults,
    rng: ChaCha8Rng,
    /// Frames that come late, by when they leave and the order in which they were sent.
    kept: BTreeMap<(Instant, u64), (usize, Vec<u8>)>,
    sent: u64,
}

impl Faulty {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            faults: Faults::default(),
            rng: ChaCha8Rng::seed_from_u64(seed),
            kept: BTreeMap::new(),
            sent: 0,
        }
    }

    /// Begins a fault.
    pub(crate) fn begin(&mut self, fault: Fault) {
        self.faults.begin(fault);
    }

    /// Ends the fault of this name, or all. What was kept still comes late.
    pub(crate) fn heal(&mut self, name: Option<&str>) {
        self.faults.heal(name);
    }

    /// A frame that the device sends now on a port: whether it leaves at once.
    pub(crate) fn send(&mut self, now: Instant, port: (usize, &str), frame: &[u8]) -> bool {
        let (index, interface) = port;
        match self.faults.apply(interface, "", frame, &mut self.rng) {
            Some(delay) if delay.is_zero() => return true,
            Some(delay) => {
                self.sent += 1;
                let kept = (index, frame.to_vec());
                self.kept.insert((now + delay, self.sent), kept);
            }
            None => {}
        }
        false
    }

    /// The next frame that leaves until `now`, with its port.
    pub(crate) fn due(&mut self, now: Instant) -> Option<(usize, Vec<u8>)> {
        let first = self
            .kept
            .first_entry()
            .filter(|entry| entry.key().0 <= now)?;
        Some(first.remove())
    }

    /// When the next frame leaves.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.kept.first_key_value().map(|((at, _), _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use harness_sim::FaultMatch;
    use std::time::Duration;

    fn fault(name: &str, loss: u8, delay: Duration) -> Fault {
        Fault {
            name: name.to_owned(),
            links: vec!["n1".to_owned()],
            matching: FaultMatch::default(),
            loss,
            delay,
        }
    }

    /// Loss and delay meet their interface alone, end with their fault, and delayed frames leave in
    /// the order of their times.
    #[test]
    fn faults_meet_their_interface() {
        let now = Instant::from_secs(1);
        let mut faulty = Faulty::new(1);
        assert!(faulty.send(now, (0, "n1"), b"a"));
        faulty.begin(fault("all", 100, Duration::ZERO));
        assert!(!faulty.send(now, (0, "n1"), b"b"));
        assert!(faulty.send(now, (1, "n2"), b"c"));
        assert_eq!(faulty.next(), None, "what is lost is not kept");
        faulty.heal(Some("all"));
        faulty.begin(fault("late", 0, Duration::from_millis(30)));
        assert!(!faulty.send(now, (0, "n1"), b"d"));
        faulty.heal(None);
        assert!(faulty.send(now, (0, "n1"), b"e"));
        assert_eq!(faulty.next(), Some(now + Duration::from_millis(30)));
        assert_eq!(faulty.due(now), None);
        let later = now + Duration::from_millis(30);
        assert_eq!(faulty.due(later), Some((0, b"d".to_vec())));
        assert_eq!(faulty.due(later), None);
    }

    /// A loss of a fifth loses about a fifth: of 2,000 frames between 300 and 500.
    #[test]
    fn a_share_is_lost() {
        let mut faulty = Faulty::new(7);
        faulty.begin(fault("some", 20, Duration::ZERO));
        let left = (0..2000).filter(|_| faulty.send(Instant::ZERO, (0, "n1"), b"x"));
        let lost = 2000 - left.count();
        assert!((300..500).contains(&lost), "{lost}");
    }
}
