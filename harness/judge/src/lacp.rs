//! LACP's always-on invariants (802.1AX), from one device's frames.

use crate::invariant::{Ledger, Rule};
use dut_device::Instant;
use harness_trace::{Frame, PointId};
use harness_wire::{LacpView, layers, state_bits};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

const SYNCHRONIZATION: u8 = 0x08;
const COLLECTING: u8 = 0x10;
const DISTRIBUTING: u8 = 0x20;
const DEFAULTED: u8 = 0x40;
const EXPIRED: u8 = 0x80;

/// A LACPDU that left so long ago has arrived, and an answer that crossed it has been seen: far
/// longer than any link's latency, and the tolerance that 802.1AX gives to what the device does.
const ARRIVED: Duration = Duration::from_millis(250);

/// Fast_Periodic_Time.
const SECOND: Duration = Duration::from_secs(1);
/// After this silence a port with Short_Timeout is Defaulted.
const SHORT_TIMEOUTS: Duration = Duration::from_secs(6);

const SLOW_RATE: Rule = Rule(
    "LACP-010",
    "at most 10 slow frames of a protocol in any second",
);
const UNTAGGED: Rule = Rule("LACP-003", "slow protocol frames are untagged");
const DESTINATION: Rule = Rule(
    "LACP-001",
    "a port's LACPDUs go to one Protocol_DA, 01-80-C2-00-00-00, -02 or -03",
);
const INDIVIDUAL_SOURCE: Rule = Rule("LACP-002", "the source address is individual");
const LENGTH: Rule = Rule("LACP-004", "a version 1 LACPDU has 110 octets");
const COLLECTING_SYNC: Rule = Rule("LACP-025", "Collecting implies Synchronization");
const DISTRIBUTING_COLLECTING: Rule = Rule("LACP-025", "Distributing implies Collecting");
const RATE: Rule = Rule("LACP-085", "at most 3 LACPDUs in any second");
const SYSTEM: Rule = Rule(
    "LACP-017",
    "Actor_System is individual, not zero, and one for all ports",
);
const DEFAULTED_EXPIRED: Rule = Rule(
    "LACP-029",
    "Defaulted and Expired never together once a LACPDU was heard",
);
const RESERVED: Rule = Rule("LACP-015", "reserved octets are zero");
const TLVS: Rule = Rule(
    "LACP-014",
    "TLV types 1, 2, 3, 0 with lengths 20, 20, 16, 0",
);
const SOURCE: Rule = Rule("LACP-002", "a port sends from one address");
const MAX_DELAY: Rule = Rule("LACP-030", "Collector_Max_Delay is constant");

/// Every rule.
pub(crate) const RULES: &[Rule] = &[
    SLOW_RATE,
    UNTAGGED,
    DESTINATION,
    INDIVIDUAL_SOURCE,
    LENGTH,
    COLLECTING_SYNC,
    DISTRIBUTING_COLLECTING,
    RATE,
    SYSTEM,
    DEFAULTED_EXPIRED,
    RESERVED,
    TLVS,
    SOURCE,
    MAX_DELAY,
];

/// A point, who sent there (`None`: somebody that isn't judged), and to which address.
type Path = (PointId, Option<[u8; 6]>, [u8; 6]);

/// What the rules remember.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// When LACPDUs left, by (point, device).
    lacpdus: BTreeMap<(PointId, String), VecDeque<Instant>>,
    /// When slow protocol frames left, by (point, device, subtype).
    slow: BTreeMap<(PointId, String, u8), VecDeque<Instant>>,
    /// When a device that isn't judged first and last sent a LACPDU at a point, and in a capture of
    /// undisturbed devices any, by its source and destination address.
    heard: BTreeMap<Path, (Instant, Instant)>,
    /// Frames may be under way for any time.
    faults: bool,
    /// Nobody restarts the devices.
    pub(crate) undisturbed: bool,
    /// How inexact times are.
    pub(crate) tolerance: Duration,
    /// Actor_System by device.
    systems: BTreeMap<String, [u8; 6]>,
    /// Destination address by (point, device).
    destinations: BTreeMap<(PointId, String), [u8; 6]>,
    /// Source address and Collector_Max_Delay by (point, device).
    ports: BTreeMap<(PointId, String), ([u8; 6], [u8; 2])>,
}

/// Frames within the last second less the tolerance, this one included.
fn burst(times: &mut VecDeque<Instant>, at: Instant, tolerance: Duration) -> usize {
    times.push_back(at);
    while times
        .front()
        .is_some_and(|first| at.since(*first) + tolerance >= SECOND)
    {
        times.pop_front();
    }
    times.len()
}

impl Rules {
    /// A LACPDU of somebody else; after long silence acquaintance is made anew.
    fn hear(&mut self, who: Path, at: Instant) {
        let (first, last) = self.heard.entry(who).or_insert((at, at));
        if at.since(*last) > SHORT_TIMEOUTS {
            *first = at;
        }
        *last = at;
    }

    /// Somebody else's frame at a point where a judged device listens.
    pub(crate) fn heard(&mut self, frame: &Frame) {
        if !frame.lost
            && let Some(destination) = takeable(frame)
        {
            self.hear((frame.point, None, destination), frame.at);
        }
    }

    /// What was heard until now may be forgotten.
    pub(crate) fn disturbed(&mut self, fault: bool) {
        self.heard.clear();
        self.faults |= fault;
    }

    pub(crate) fn judge(&mut self, ledger: &mut Ledger, record: usize, frame: &Frame, from: &str) {
        let Some(layers) = layers(&frame.octets) else {
            return;
        };
        if layers.ethertype != 0x8809 {
            return;
        }
        let at = (record, frame);
        let subtype = layers.payload.first().copied().unwrap_or(0);
        let key = (frame.point, from.to_owned(), subtype);
        // A Marker Response doesn't count: its rate is that of the requests.
        if subtype != 2 || layers.payload.get(2) != Some(&2) {
            let count = burst(self.slow.entry(key).or_default(), frame.at, self.tolerance);
            ledger.rule(SLOW_RATE, at, count <= 10, || {
                format!("{count} of subtype {subtype}")
            });
        }
        let untagged = layers.vlan.is_none();
        ledger.rule(UNTAGGED, at, untagged, || "a tag".into());
        if subtype != 1 {
            return;
        }
        let destination = layers.destination;
        let key = (frame.point, from.to_owned());
        let first = *self.destinations.entry(key).or_insert(destination);
        let legal = matches!(destination, [0x01, 0x80, 0xc2, 0, 0, 0 | 2 | 3]);
        ledger.rule(DESTINATION, at, legal && destination == first, || {
            format!("{destination:02x?}")
        });
        let individual = layers.source.first().is_some_and(|octet| octet & 1 == 0);
        ledger.rule(INDIVIDUAL_SOURCE, at, individual, || {
            format!("{:02x?}", layers.source)
        });
        let delay = layers.payload.get(44..46).and_then(|o| o.try_into().ok());
        let delay: [u8; 2] = delay.unwrap_or_default();
        let port = self.ports.entry((frame.point, from.to_owned()));
        let (source, first) = *port.or_insert((layers.source, delay));
        ledger.rule(SOURCE, at, layers.source == source, || {
            format!("{:02x?}, at first {source:02x?}", layers.source)
        });
        ledger.rule(MAX_DELAY, at, delay == first, || {
            format!("{delay:?}, at first {first:?}")
        });
        let length = layers.payload.len();
        if layers.payload.get(1) == Some(&1) {
            ledger.rule(LENGTH, at, length == 110, || format!("{length} octets"));
        }
        if let Some(view) = LacpView::of(&frame.octets) {
            self.content(ledger, at, from, &view);
        }
    }

    fn content(
        &mut self,
        ledger: &mut Ledger,
        at: (usize, &Frame),
        from: &str,
        view: &LacpView<'_>,
    ) {
        let frame = at.1;
        let state = view.actor_state();
        let has = |bit: u8| state & bit != 0;
        ledger.rule(
            COLLECTING_SYNC,
            at,
            !has(COLLECTING) || has(SYNCHRONIZATION),
            || state_bits(state),
        );
        ledger.rule(
            DISTRIBUTING_COLLECTING,
            at,
            !has(DISTRIBUTING) || has(COLLECTING),
            || state_bits(state),
        );
        let key = (frame.point, from.to_owned());
        let count = burst(
            self.lacpdus.entry(key).or_default(),
            frame.at,
            self.tolerance,
        );
        ledger.rule(RATE, at, count <= 3, || format!("{count} within 1 s"));
        let pdu = view.octets();
        fixed(ledger, at, view);
        let system: [u8; 6] = pdu
            .get(6..12)
            .and_then(|o| o.try_into().ok())
            .unwrap_or_default();
        let first = *self.systems.entry(from.to_owned()).or_insert(system);
        let legal = system != [0; 6] && system.first().is_some_and(|o| o & 1 == 0);
        ledger.rule(SYSTEM, at, legal && system == first, || {
            format!("{system:02x?}")
        });
        // From link-up to the first LACPDU heard both may stand together (INITIALIZE left
        // Defaulted).
        let mine = frame.octets.get(6..12);
        // A port listens to the Protocol_DA that it sends to, and to no other.
        let destination = frame.octets.get(..6);
        let others = self.heard.iter().filter(|((point, from, to), (first, _))| {
            *point == frame.point
                && destination == Some(&to[..])
                && from.as_ref().map(|mac| &mac[..]) != mine
                && frame.at.since(*first) > ARRIVED
        });
        let heard = others.map(|(_, (_, last))| *last).max();
        if self.undisturbed
            && let Some(mac) = mine.and_then(|mac| mac.try_into().ok())
            && let Some(destination) = takeable(frame)
        {
            self.hear((frame.point, Some(mac), destination), frame.at);
        }
        if has(DEFAULTED) && !has(EXPIRED) {
            // It knows nobody: a carrier that comes anew begins with both.
            self.heard.retain(|(point, ..), _| *point != frame.point);
        } else if let Some(last) = heard.filter(|_| !self.faults) {
            // After so much silence it may have forgotten, and say nothing until the carrier
            // comes anew.
            let forgot = frame.at.since(last) > SHORT_TIMEOUTS;
            let both = has(DEFAULTED) && has(EXPIRED);
            ledger.rule(DEFAULTED_EXPIRED, at, !both || forgot, || state_bits(state));
        }
    }
}

/// The destination of a LACPDU that no port may refuse: untagged, of full length, with the lengths
/// that a port may check.
fn takeable(frame: &Frame) -> Option<[u8; 6]> {
    let layers = layers(&frame.octets).filter(|layers| layers.vlan.is_none())?;
    let pdu = LacpView::of(&frame.octets)?.octets();
    let lengths = [(3, 20), (23, 20), (43, 16)];
    let right = lengths
        .iter()
        .all(|(at, value)| pdu.get(*at) == Some(value));
    right.then_some(layers.destination)
}

/// What a version 1 LACPDU never varies in.
fn fixed(ledger: &mut Ledger, at: (usize, &Frame), view: &LacpView<'_>) {
    if view.version() != 1 {
        return;
    }
    let pdu = view.octets();
    let zero = |range: std::ops::Range<usize>| {
        pdu.get(range)
            .is_some_and(|octets| octets.iter().all(|octet| *octet == 0))
    };
    let reserved = zero(19..22) && zero(39..42) && zero(46..58) && zero(60..110);
    ledger.rule(RESERVED, at, reserved, || "they aren't".into());
    let tlvs = [
        (2, 1),
        (3, 20),
        (22, 2),
        (23, 20),
        (42, 3),
        (43, 16),
        (58, 0),
        (59, 0),
    ];
    let right = tlvs.iter().all(|(at, value)| pdu.get(*at) == Some(value));
    ledger.rule(TLVS, at, right, || "they aren't".into());
}

#[cfg(test)]
mod tests;
