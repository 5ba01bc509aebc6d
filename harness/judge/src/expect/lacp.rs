//! LACP, from one device's frames and all that it was sent (802.1AX 6.4.9 to 6.4.16).

use super::finding;
use super::lacp_command::{Changes, changes};
pub use super::lacp_heard::LacpConfig;
use super::lacp_heard::{Heard, SHORT};
use super::lacp_pdu::{
    ACTIVITY, AGGREGATION, COLLECTING, DEFAULTED, DISTRIBUTING, EXPIRED, Fate, Pdu,
    SYNCHRONIZATION, TIMEOUT, Tuple, fate,
};
use crate::verdict::Finding;
use dut_device::Instant;
use harness_trace::{Direction, Frame, PointId, Record, Trace};
use harness_wire::{layers, state_bits};
use std::collections::BTreeMap;
use std::time::Duration;

const FAST: Duration = Duration::from_secs(1);
const SLOW: Duration = Duration::from_secs(30);
/// Aggregate_Wait_Time.
const WAIT: Duration = Duration::from_secs(2);
/// A frame that comes so soon after a command may have left before it.
const LEFT: Duration = Duration::from_micros(50);
/// A frame that left less than this before another can't be known to whoever sent the other.
const UNKNOWN: Duration = Duration::from_micros(2);

/// One port of the device.
#[derive(Debug, Default)]
struct Port {
    /// What it may have recorded last, newest last; one where there is no doubt.
    heard: Vec<Heard>,
    /// Sent to it so lately that its last frame may not know it.
    fresh: Vec<(Fate, Instant, usize)>,
    /// Its last LACPDU.
    last: Option<(Pdu, Instant)>,
    /// Octets of its last LACPDUs that were all the same, and the first two ones' times.
    same: Vec<Instant>,
    /// Until when it must send a LACPDU, why, and the record that made it so.
    owes: Option<(Instant, &'static str, usize)>,
    /// When the recorded identity began.
    identity: Option<(Tuple, bool, Instant)>,
    /// The carrier came then.
    up_since: Instant,
    down: bool,
    /// LACP is disabled on it.
    disabled: bool,
    /// What comes before may have left before a command changed the port.
    after: Instant,
    /// What it has recorded is its own business, until it must record something.
    unsure: bool,
    /// Marker PDUs that wait for their response.
    markers: Vec<(Vec<u8>, Instant, usize)>,
}

/// Follows a trace of the tester's ports.
#[derive(Debug)]
pub struct LacpModel {
    config: LacpConfig,
    ports: BTreeMap<PointId, Port>,
    findings: Vec<Finding>,
}

impl LacpModel {
    /// What this device does wrong in a trace between the tester (the near ends) and it.
    #[must_use]
    pub fn judge(config: LacpConfig, trace: &Trace) -> Vec<Finding> {
        let mut model = Self {
            config,
            ports: BTreeMap::new(),
            findings: Vec::new(),
        };
        for (index, record) in trace.records.iter().enumerate() {
            match record {
                Record::Frame(frame) => model.frame(index, frame),
                Record::Note { at, json } => model.note(trace, *at, json),
            }
        }
        model.due(trace.until);
        model.findings.sort_by_key(|finding| finding.at_ns);
        model.findings
    }

    /// A carrier that came or went, or a command to the device: the run's note about it.
    fn note(&mut self, trace: &Trace, at: Instant, json: &str) {
        let action: Option<serde_json::Value> = serde_json::from_str(json).ok();
        let action = action
            .as_ref()
            .and_then(|value| value.get("action")?.as_str());
        let Some(action) = action else { return };
        let words: Vec<&str> = action.split(' ').collect();
        if let ["link", name, state] = words.as_slice() {
            let Some(point) = trace.point(name) else {
                return;
            };
            self.due(at);
            let port = self.ports.entry(point).or_default();
            let down = *state == "down";
            if port.down != down {
                port.down = down;
                port.markers.clear();
                // What is remembered over a loss of carrier is the device's business.
                port.begin(at);
            }
        } else if let Some(changes) = changes(action) {
            self.due(at);
            self.changed(trace, at, changes);
        }
    }

    /// A command that changes what the ports say. What they have recorded was compared with what
    /// they were before, and its timer runs as it did: each is judged by what it hears from now on.
    fn changed(&mut self, trace: &Trace, at: Instant, changes: Changes) {
        let after = at + LEFT + self.config.slack;
        match changes {
            Changes::Short(short) => (self.config.short, self.config.groups) = (short, false),
            Changes::Active(active) => self.config.active = active,
            Changes::Actor => {}
            Changes::Enabled(name, enabled) => {
                let Some(point) = trace.point(&name) else {
                    return;
                };
                let port = self.ports.entry(point).or_default();
                port.disabled = !enabled;
                port.after = after;
                return port.begin(at);
            }
        }
        for port in self.ports.values_mut() {
            port.after = after;
            port.begin(at);
        }
    }

    fn frame(&mut self, record: usize, frame: &Frame) {
        self.due(frame.at);
        let config = self.config.at(frame.point);
        let port = self.ports.entry(frame.point).or_default();
        if frame.direction == Direction::Out {
            if !frame.lost && !port.down {
                match fate(&frame.octets) {
                    Fate::Taken(_) | Fate::Open(_) if port.disabled => {}
                    fate @ (Fate::Taken(_) | Fate::Open(_)) => {
                        // What it has been told before, and knows, gives no cause to speak.
                        let told = port.heard.last().map(|heard| Fate::Taken(heard.pdu));
                        let outdated = match (fate, port.last) {
                            (Fate::Taken(pdu) | Fate::Open(pdu), Some((last, _))) => {
                                pdu.is_outdated(&last)
                            }
                            (_, _) => true,
                        };
                        if Some(fate) != told || !port.fresh.is_empty() || outdated {
                            port.same.clear();
                        }
                        port.fresh.push((fate, frame.at, record));
                    }
                    Fate::Marker => {
                        let payload = frame.octets.get(14..).unwrap_or_default().to_vec();
                        port.markers.push((payload, frame.at, record));
                    }
                    Fate::Refused | Fate::Other => {}
                }
                port.learn(frame.at, config);
            }
            return;
        }
        let at = (record, frame.at);
        if let Some(pdu) = Pdu::of(&frame.octets) {
            if frame.at < port.after {
                return;
            }
            if port.disabled {
                let what = "a LACPDU though LACP is disabled".to_owned();
                self.findings
                    .push(finding("LACP-073", what, record, frame.at));
                return;
            }
            port.learn(frame.at, config);
            port.learn_answered(&pdu, frame.at, config);
            port.sent(config, pdu, at, &mut self.findings);
        } else {
            port.other(&frame.octets, at, &mut self.findings);
        }
    }

    /// What should have come by now.
    fn due(&mut self, now: Instant) {
        let config = self.config;
        for (point, port) in self.ports.iter_mut().filter(|(_, port)| !port.down) {
            port.learn(now, self.config.at(*point));
            if let Some((at, why, record)) = port.owes.filter(|(at, ..)| *at < now) {
                let what = format!("no LACPDU came, though {why}");
                self.findings.push(finding("LACP-083", what, record, at));
                port.owes = None;
            }
            let late = |(_, at, _): &(Vec<u8>, Instant, usize)| *at + config.step() < now;
            if let Some((_, at, record)) = port.markers.iter().find(|marker| late(marker)) {
                let what = "a Marker PDU was not answered".to_owned();
                self.findings
                    .push(finding("LACP-126", what, *record, *at + config.step()));
            }
            port.markers.retain(|marker| !late(marker));
        }
    }
}

impl Port {
    /// Nothing is known of it any more.
    fn begin(&mut self, at: Instant) {
        self.up_since = at;
        (self.owes, self.last, self.identity) = (None, None, None);
        self.unsure = false;
        self.same.clear();
        self.fresh.clear();
        self.heard.clear();
    }

    /// Takes up what the device must know by now.
    fn learn(&mut self, now: Instant, config: LacpConfig) {
        let known = |(_, at, _): &(Fate, Instant, usize)| *at + config.known() <= now;
        self.take(self.fresh.partition_point(known), config);
    }

    /// Takes up the first of what is fresh.
    fn take(&mut self, count: usize, config: LacpConfig) {
        let fresh: Vec<_> = self.fresh.drain(..count).collect();
        for (fate, at, record) in fresh {
            match fate {
                Fate::Taken(pdu) => {
                    self.identify(&pdu, at, config);
                    let old = self.heard.last().map(|old| at.since(old.at));
                    // A port that has forgotten its partner may look otherwise than it said last.
                    let gone = (config.timeout() + SHORT).saturating_sub(config.tolerance());
                    let lately = self.last.is_some_and(|(_, sent)| at.since(sent) < SHORT);
                    let known =
                        lately && self.heard.len() == 1 && old.is_some_and(|age| age < gone);
                    self.heard = vec![Heard { pdu, at, record }];
                    self.unsure = false;
                    self.ask(&pdu, at, record, config, known);
                }
                Fate::Open(pdu) => {
                    if self.heard.is_empty() {
                        self.unsure = true;
                    } else {
                        self.heard.push(Heard { pdu, at, record });
                    }
                    (self.owes, self.identity) = (None, None);
                }
                Fate::Refused | Fate::Marker | Fate::Other => {}
            }
        }
    }

    /// An answer that left just when something came shows whether it knows it.
    fn learn_answered(&mut self, pdu: &Pdu, now: Instant, config: LacpConfig) {
        let maybe = self
            .fresh
            .partition_point(|(_, at, _)| *at + UNKNOWN <= now);
        let knows = |(fate, at, record): &(Fate, Instant, usize)| match fate {
            Fate::Taken(told) | Fate::Open(told) => {
                let heard = Heard {
                    pdu: *told,
                    at: *at,
                    record: *record,
                };
                heard.against(config, pdu, now).is_none()
            }
            Fate::Refused | Fate::Marker | Fate::Other => false,
        };
        let known = self
            .fresh
            .get(..maybe)
            .unwrap_or_default()
            .iter()
            .rposition(knows);
        if let Some(known) = known {
            self.take(known + 1, config);
        }
    }

    /// Since when the partner is the one that it is.
    fn identify(&mut self, pdu: &Pdu, at: Instant, config: LacpConfig) {
        let aggregation = pdu.actor_state & AGGREGATION != 0;
        let old = self.heard.last().filter(|_| self.heard.len() == 1);
        let gone = config.timeout() + SHORT;
        let age = old.map(|old| at.since(old.at));
        let kept = age.is_some_and(|age| age < gone.saturating_sub(config.tolerance()));
        let unsure = age.is_some_and(|age| !kept && age < gone + config.tolerance());
        let same = |(tuple, aggregates, _): &(Tuple, bool, Instant)| {
            *tuple == pdu.actor && *aggregates == aggregation
        };
        self.identity = match self.identity {
            Some(identity) if kept && same(&identity) => Some(identity),
            None if self.heard.is_empty() && !self.unsure && self.up_since == Instant::ZERO => {
                Some((pdu.actor, aggregation, at))
            }
            None => None,
            Some(_) if unsure => None,
            Some(_) => Some((pdu.actor, aggregation, at)),
        };
        // Doubts about the identity end where another one begins.
        if self.identity.is_none() && old.is_some_and(|old| old.pdu.actor != pdu.actor) {
            self.identity = Some((pdu.actor, aggregation, at));
        }
    }

    /// What a LACPDU that was taken makes the device send.
    fn ask(&mut self, pdu: &Pdu, at: Instant, record: usize, config: LacpConfig, known: bool) {
        let Some((last, sent)) = self.last else {
            return;
        };
        let speaks = config.active || pdu.actor_state & ACTIVITY != 0;
        if !speaks {
            self.owes = None;
        } else if if known {
            pdu.is_outdated(&last)
        } else {
            pdu.partner != last.actor
        } {
            let until = at + FAST + config.tolerance();
            self.owes = Some((
                until,
                "the last one received knows the port otherwise",
                record,
            ));
        } else {
            // A rate that has just risen counts from now; silence ends the slow one.
            let slow = (sent.max(at) + SLOW).min(at + config.timeout());
            let fast = pdu.actor_state & TIMEOUT != 0;
            let until = if fast { sent.max(at) + FAST } else { slow };
            let why = "its partner asks for them at this rate";
            self.owes = Some((until + config.tolerance(), why, record));
        }
    }

    /// A LACPDU of the device.
    fn sent(
        &mut self,
        config: LacpConfig,
        pdu: Pdu,
        (record, at): (usize, Instant),
        findings: &mut Vec<Finding>,
    ) {
        let mut wrong = |requirement: &str, what: String| {
            findings.push(finding(requirement, what, record, at));
        };
        let configured =
            (if config.active { ACTIVITY } else { 0 }) | (if config.short { TIMEOUT } else { 0 });
        if pdu.actor_state & (ACTIVITY | TIMEOUT) != configured {
            let what = format!("Actor_State says {}", state_bits(pdu.actor_state));
            wrong("LACP-021", what);
        }
        if let Some((requirement, what)) = self.departs(config, &pdu, at) {
            wrong(requirement, what);
        }
        if let Some((last, before)) = self.last {
            if last.actor != pdu.actor {
                wrong("LACP-018", "the Actor's identity changes".to_owned());
            }
            if let Some((requirement, what)) = self.steps(config, (&last, before), &pdu, at) {
                wrong(requirement, what);
            }
        }
        if pdu.actor_state & COLLECTING != 0 && pdu.partner_state & SYNCHRONIZATION == 0 {
            wrong(
                "LACP-114",
                "it collects, though its partner isn't in Synchronization".to_owned(),
            );
        }
        self.pace(config, &pdu, at, &mut wrong);
        self.owe_next(config, &pdu, at, record);
        self.last = Some((pdu, at));
    }

    /// Whether what it says of its partner is what nobody has told it.
    fn departs(
        &mut self,
        config: LacpConfig,
        pdu: &Pdu,
        at: Instant,
    ) -> Option<(&'static str, String)> {
        if self.unsure {
            return None;
        }
        if self.heard.is_empty() {
            let silent = at.since(self.up_since) > SHORT + config.tolerance();
            let defaulted = pdu.actor_state & DEFAULTED != 0;
            return (silent && !defaulted && self.up_since == Instant::ZERO).then(|| {
                (
                    "LACP-047",
                    "it has heard nobody and is not Defaulted".to_owned(),
                )
            });
        }
        let reasons: Vec<Option<(&'static str, String)>> = self
            .heard
            .iter()
            .map(|heard| heard.against(config, pdu, at))
            .collect();
        if reasons.len() > 1 {
            let mut fits = reasons.iter().map(Option::is_none);
            self.heard.retain(|_| fits.next().unwrap_or(false));
            if self.heard.is_empty() {
                return reasons.into_iter().rev().flatten().next();
            }
            return None;
        }
        reasons.into_iter().flatten().next()
    }

    /// Whether the step from its last LACPDU is one that its machines can take.
    fn steps(
        &self,
        config: LacpConfig,
        (last, before): (&Pdu, Instant),
        pdu: &Pdu,
        at: Instant,
    ) -> Option<(&'static str, String)> {
        let sync = |pdu: &Pdu| pdu.actor_state & SYNCHRONIZATION != 0;
        let [heard] = self.heard.as_slice() else {
            return None;
        };
        if let Some((_, _, since)) = self.identity
            && sync(pdu)
            && at.since(since) + config.tolerance() < WAIT
            && at >= since + config.known()
        {
            let what = format!(
                "in Synchronization {} ms after its partner became the one that it is",
                at.since(since).as_millis()
            );
            return Some(("LACP-067", what));
        }
        let both = |pdu: &Pdu| sync(pdu) && pdu.partner_state & SYNCHRONIZATION != 0;
        let settled = both(last) && both(pdu) && at.since(before) > config.step();
        let gone = at.since(heard.at) + config.tolerance() > config.timeout();
        if settled && !gone && at.since(heard.at) > config.step() {
            if pdu.actor_state & COLLECTING == 0 {
                return Some((
                    "LACP-114",
                    "both are in Synchronization, and it doesn't collect".into(),
                ));
            }
            let partner = pdu.partner_state & COLLECTING != 0 || config.coupled;
            if partner && pdu.actor_state & DISTRIBUTING == 0 {
                return Some(("LACP-115", "both collect, and it doesn't distribute".into()));
            }
        }
        None
    }

    /// LACPDUs that come for no reason: alike, and nothing new was received between.
    fn pace(
        &mut self,
        config: LacpConfig,
        pdu: &Pdu,
        at: Instant,
        wrong: &mut impl FnMut(&str, String),
    ) {
        if self.last.is_none_or(|(last, _)| last != *pdu) {
            self.same.clear();
        }
        self.same.push(at);
        let [heard] = self.heard.as_slice() else {
            return;
        };
        let current = at.since(heard.at) + config.tolerance() < config.timeout();
        let period = if pdu.partner_state & TIMEOUT != 0 {
            FAST
        } else {
            SLOW
        };
        let speaks = config.active || pdu.partner_state & ACTIVITY != 0;
        let Some(first) = self.same.first() else {
            return;
        };
        // One answers what came before, one what came last, one is periodic.
        let more = u32::try_from(self.same.len().saturating_sub(3)).unwrap_or(0);
        let span = at.since(*first);
        if more > 0 && current && speaks && span + config.tolerance() < period * more {
            let what = format!("{} LACPDUs alike within {} ms", more + 3, span.as_millis());
            wrong("LACP-075", what);
            self.same.clear();
        }
        if self.same.len() >= 3 && current && !speaks {
            wrong(
                "LACP-080",
                "LACPDUs though neither end is active".to_owned(),
            );
            self.same.clear();
        }
    }

    /// Until when the next LACPDU must come after this one.
    fn owe_next(&mut self, config: LacpConfig, pdu: &Pdu, at: Instant, record: usize) {
        self.owes = None;
        let [heard] = self.heard.as_slice() else {
            return;
        };
        let speaks = config.active || pdu.partner_state & ACTIVITY != 0;
        let fast = pdu.partner_state & TIMEOUT != 0 && pdu.actor_state & DEFAULTED == 0;
        // Whoever has forgotten its partner isn't asked for anything any more.
        let forgets = heard.at + config.timeout() + SHORT;
        let until = at + FAST + config.tolerance();
        if speaks && fast && until + config.tolerance() < forgets {
            let why = "its partner asks for one a second";
            self.owes = Some((until, why, record));
        } else if speaks && !fast && pdu.actor_state & (DEFAULTED | EXPIRED) == 0 {
            // Nothing changes before the information expires.
            let expires = heard.at + config.timeout();
            let until = (at + SLOW).min(expires) + config.tolerance();
            let why = "thirty seconds have passed, or its partner has fallen silent";
            self.owes = Some((until, why, record));
        }
    }

    /// A frame that is no LACPDU.
    fn other(
        &mut self,
        octets: &[u8],
        (record, at): (usize, Instant),
        findings: &mut Vec<Finding>,
    ) {
        let Some(layers) = layers(octets).filter(|layers| layers.ethertype == 0x8809) else {
            return;
        };
        let mut response = layers.payload.to_vec();
        if let Some(kind) = response.get_mut(2) {
            *kind = 1;
        }
        let asked = self
            .markers
            .iter()
            .position(|(payload, ..)| *payload == response);
        let answers = layers.payload.first() == Some(&2) && layers.payload.get(2) == Some(&2);
        match asked.filter(|_| answers) {
            Some(asked) => drop(self.markers.remove(asked)),
            None => {
                let what = format!(
                    "a slow protocol frame that nobody asked for: {:02x?}",
                    layers.payload.get(..4).unwrap_or_default()
                );
                findings.push(finding("LACP-128", what, record, at));
            }
        }
    }
}
