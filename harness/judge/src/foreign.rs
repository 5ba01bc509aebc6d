//! What a switch passes on as it is.

use dut_device::Instant;
use harness_trace::Frame;
use harness_wire::layers;
use std::collections::VecDeque;
use std::time::Duration;

/// MLD messages of others, which a switch passes on as they are: no device answers for their
/// octets.
#[derive(Debug, Default)]
pub(crate) struct Foreign(VecDeque<(Instant, Vec<u8>)>);

impl Foreign {
    /// A switch passes a frame on at once.
    const WITHIN: Duration = Duration::from_millis(100);

    /// Somebody else's frame on a link.
    pub(crate) fn heard(&mut self, frame: &Frame) {
        let until = frame.at;
        while (self.0.front()).is_some_and(|(at, _)| *at + Self::WITHIN < until) {
            self.0.pop_front();
        }
        let ip = layers(&frame.octets).and_then(|layers| layers.ip);
        if ip.is_some_and(|ip| ip.next_header == 58) {
            self.0.push_back((frame.at, frame.octets.clone()));
        }
    }

    /// Whether a device's frame is one of them.
    pub(crate) fn relays(&self, frame: &Frame) -> bool {
        let mut known = self.0.iter();
        known.any(|(at, octets)| *octets == frame.octets && *at + Self::WITHIN >= frame.at)
    }

    /// Takes up a frame that a device hears; whether one that it sends is one of them.
    pub(crate) fn passed_on(&mut self, frame: &Frame, hears: bool) -> bool {
        if hears {
            self.heard(frame);
        }
        !hears && self.relays(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use harness_trace::{Direction, PointId};
    use harness_wire::{Fields, Kind, build};
    use serde_json::json;

    fn query(at_ms: u64, group: &str) -> Frame {
        let fields: Fields = [("group".to_owned(), json!(group))].into_iter().collect();
        Frame {
            at: Instant::from_millis(at_ms),
            point: PointId(0),
            direction: Direction::Out,
            lost: false,
            octets: build(Kind::MldQuery, &fields).unwrap_or_default(),
        }
    }

    /// A query that a bridge has heard is not its own when it leaves again at once, on any port;
    /// another one is, and so is the same a while later.
    #[test]
    fn what_is_passed_on_is_nobodys_own() {
        let mut foreign = Foreign::default();
        assert!(!foreign.passed_on(&query(0, "ff1e::1"), true));
        assert!(foreign.passed_on(&query(1, "ff1e::1"), false));
        assert!(foreign.passed_on(&query(2, "ff1e::1"), false));
        assert!(!foreign.passed_on(&query(2, "ff1e::2"), false));
        assert!(!foreign.passed_on(&query(500, "ff1e::1"), false));
    }
}
