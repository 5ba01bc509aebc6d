//! A case played on wires: the player, the invariants and the trace, without any I/O.
//!
//! The driver tells what arrived and when, lets time pass, and does what the session asks for. Two
//! rules make a session's verdict a function of its trace, however late the driver wakes:
//!
//! - frames are told in the order of their timestamps, and a timer never runs before a frame that
//!   came earlier has been told;
//! - what the player asks for stands in the trace where it was *done*; until then the player is
//!   shown what arrives and begins nothing.

use crate::event::CaseResult;
use crate::judge::overall;
use crate::measured::Measured;
use crate::notes::{CaseNote, Note, ns};
use crate::watch::PairWatch;
use dut_device::{Instant, Snapshot};
use harness_judge::{Difference, Invariants};
use harness_suite::ExpandedCase;
use harness_tester::{Action, Player, Setup, TesterPort};
use harness_trace::{Direction, Frame, Point, PointId, Record, Trace};
use harness_wire::Fields;
use std::collections::BTreeMap;
use std::time::Duration;

/// By how much two readings of one deadline may differ: a millisecond of either clock's rounding,
/// and what a message takes that carries it from one device to the other's.
const EXACT: Duration = Duration::from_millis(3);

/// What a session is made of.
#[derive(Debug, Clone)]
pub struct SessionSpec {
    /// The case.
    pub case: ExpandedCase,
    /// The links that are seen, the tester's ports among them.
    pub points: Vec<Point>,
    /// The tester's ports, each a point.
    pub ports: Vec<TesterPort>,
    /// Hosts by the link that ends at them.
    pub listeners: BTreeMap<String, String>,
    /// Default field values of the tester's frames, by kind.
    pub frames: BTreeMap<String, Fields>,
    /// Devices that the invariants are about.
    pub devices: Vec<String>,
    /// The pair under the equivalence oracle; empty where there is none.
    pub pair: Vec<String>,
    /// How inexact times are on this host.
    pub tolerance: Duration,
    /// How late the device was measured to act.
    pub lateness: Duration,
    /// Seconds since 1970 of the session's time zero.
    pub origin_s: u64,
}

/// A case being played. See the module's page for the order in which things are told.
#[derive(Debug)]
pub struct Session {
    case: ExpandedCase,
    trace: Trace,
    player: Player,
    invariants: Invariants,
    pair: Option<PairWatch>,
    tolerance: Duration,
    /// When the last thing was told: nothing is told before it.
    last: Instant,
    /// When the player asked for what it asks for now.
    asked: Instant,
    aborted: Option<String>,
}

impl Session {
    /// A session that has not begun.
    ///
    /// # Errors
    /// What is wrong with the case, with the step's line.
    pub fn new(spec: SessionSpec) -> Result<Self, String> {
        let SessionSpec { points, ports, .. } = spec;
        let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let note = CaseNote {
            case: spec.case.clone(),
            ports: ports
                .iter()
                .map(|port| (port.name.clone(), port.mac.clone()))
                .collect(),
            frames: spec.frames.clone(),
            listeners: spec.listeners.clone(),
            ends: points
                .iter()
                .map(|p| (p.near.clone(), p.far.clone()))
                .collect(),
            lateness: nanoseconds(spec.lateness),
            tolerance: nanoseconds(spec.tolerance),
            devices: spec.devices.clone(),
            pair: spec.pair.clone(),
            pair_latency: nanoseconds(spec.tolerance),
        };
        let invariants = Invariants::new(&points, &spec.devices).tolerating(spec.tolerance);
        let constants = spec.case.scope();
        // A state is read as late as anything is done on this host.
        let pair = PairWatch::new(&points, &spec.pair, &constants, spec.tolerance);
        let player = Player::new(Setup {
            case: spec.case.clone(),
            points: points.clone(),
            ports,
            frames: spec.frames,
            listeners: spec.listeners,
            tolerance: spec.tolerance,
            lateness: spec.lateness,
        });
        let mut session = Self {
            case: spec.case,
            trace: Trace {
                points,
                resolution: Duration::from_nanos(1),
                origin_s: spec.origin_s,
                ..Trace::default()
            },
            player: player.map_err(|error| error.to_string())?,
            invariants,
            pair,
            tolerance: spec.tolerance,
            last: Instant::ZERO,
            asked: Instant::ZERO,
            aborted: None,
        };
        session.note(Instant::ZERO, &Note::Case(Box::new(note)));
        Ok(session)
    }

    fn note(&mut self, at: Instant, note: &Note) {
        let json = note.text();
        self.trace.records.push(Record::Note { at, json });
    }

    /// `at`, or when the last thing was told, whichever is later.
    fn told(&mut self, at: Instant) -> Instant {
        self.last = self.last.max(at);
        self.last
    }

    /// The first step begins: the bed has come up.
    pub fn start(&mut self, at: Instant) {
        let at = self.told(at);
        self.note(at, &Note::Start);
        self.player.start(at);
        self.asked = at;
    }

    /// A frame was seen at a point: at a tester's port one that came in, on a link between devices
    /// one in either direction.
    pub fn received(&mut self, point: PointId, direction: Direction, at: Instant, octets: Vec<u8>) {
        // A frame that was told too late, by the time that the kernel takes to show it, comes
        // after the timer that has run before it.
        let at = self.told(at);
        while self.action().is_none() && self.player.next_timeout().is_some_and(|due| due < at) {
            self.timer();
        }
        let asked = self.action().is_some();
        self.frame((point, direction), at, false, octets);
        if !asked {
            self.asked = at;
        }
    }

    fn frame(
        &mut self,
        (point, direction): (PointId, Direction),
        at: Instant,
        lost: bool,
        octets: Vec<u8>,
    ) {
        let record = self.trace.records.len();
        let frame = Frame {
            at,
            point,
            direction,
            lost,
            octets,
        };
        self.trace.records.push(Record::Frame(frame.clone()));
        self.invariants.frame(record, &frame);
        if let Some(pair) = &mut self.pair {
            pair.frame(record, &frame);
        }
        self.player.observe(record, &frame);
    }

    fn timer(&mut self) {
        if let Some(due) = self.player.next_timeout() {
            self.player.handle_timeout(due);
            self.asked = due;
            // A frame of the same instant that is told later comes after it.
            self.last = self.last.max(due + Duration::from_nanos(1));
        }
    }

    /// Time has reached `now`, and everything that came until then has been told.
    pub fn pass(&mut self, now: Instant) {
        while self.action().is_none() && self.player.next_timeout().is_some_and(|due| due <= now) {
            self.timer();
        }
    }

    /// What the driver is asked to do now.
    #[must_use]
    pub fn action(&self) -> Option<&Action> {
        self.player.next_action()
    }

    /// When [`Session::pass`] wants to be called next; `None` while an action is asked for.
    pub fn next_timeout(&mut self) -> Option<Instant> {
        match self.player.next_action() {
            Some(_) => None,
            None => self.player.next_timeout(),
        }
    }

    /// Whether the case is decided.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.player.is_done()
    }

    /// The [`Action::Send`] that was asked for left at `at`, or was `lost` for want of a carrier;
    /// how late that was.
    pub fn sent(&mut self, at: Instant, lost: bool) -> Duration {
        let at = self.told(at);
        let late = at.since(self.asked);
        if let Some(Action::Send { port, octets }) = self.player.poll_action()
            && let Some(point) = self.trace.point(&port)
        {
            self.player.sent(at, self.trace.records.len());
            self.frame((point, Direction::Out), at, lost, octets);
        }
        self.done(at);
        late
    }

    /// The player goes on after what it had asked for.
    fn done(&mut self, at: Instant) {
        self.player.handle_timeout(at);
        self.asked = at;
    }

    /// The action that was asked for, which is none of the others, is done at `at`.
    pub fn acted(&mut self, at: Instant, what: &str) {
        let at = self.told(at);
        self.acting(at);
        self.player.poll_action();
        self.invariants.disturbed(what.starts_with("fault "));
        self.note(at, &Note::Action(what.to_owned()));
        self.done(at);
    }

    /// The oracle is told of what is done to a device.
    fn acting(&mut self, at: Instant) {
        if let (Some(Action::Node { name, action }), Some(pair)) =
            (self.player.next_action(), &mut self.pair)
        {
            pair.node(at, name, *action);
        }
    }

    /// The pair's devices, and when their states want to be read next; `None` without a pair, or
    /// while an action is asked for.
    #[must_use]
    pub fn look(&self) -> Option<(&[String; 2], Instant)> {
        let pair = self.pair.as_ref().filter(|_| self.action().is_none());
        pair.map(|pair| (pair.names(), pair.next()))
    }

    /// The pair's states as they were read, each by a device that works, on clocks that show this
    /// session's time. `faults`: links have some.
    pub fn looked(&mut self, at: Instant, states: [Option<&Snapshot>; 2], faults: bool) {
        let at = self.told(at);
        let pair = self.pair.as_mut();
        if let Some(note) = pair.and_then(|pair| pair.read(at, states, faults, EXACT)) {
            let status = note.status();
            self.note(at, &Note::Pair(note));
            self.player.pair_status(at, status);
            self.asked = at;
        }
    }

    /// What the [`Action::Probe`] that was asked for gave.
    pub fn probed(&mut self, at: Instant, values: Fields) {
        let at = self.told(at);
        self.player.poll_action();
        self.player.probed(at, &values);
        self.note(at, &Note::Probe(values));
        self.done(at);
    }

    /// What the [`Action::Display`] that was asked for gave: the output and the golden file's text.
    pub fn displayed(&mut self, at: Instant, shown: &str, golden: &str) {
        let at = self.told(at);
        self.player.poll_action();
        let differences: Vec<Difference> = crate::judge::compare_golden(golden, shown);
        self.player.displayed(at, differences.clone());
        self.note(at, &Note::Display(differences));
        self.done(at);
    }

    /// The driver can't go on.
    pub fn abort(&mut self, what: String) {
        self.aborted.get_or_insert_with(|| what.clone());
        self.player.abort(what);
    }

    /// Ends the session at `now`; its result, tempered by how well it was run. `seed` is the
    /// case's own.
    #[must_use]
    pub fn finish(mut self, now: Instant, measured: Measured, seed: u64) -> CaseResult {
        self.pass(now);
        if !self.is_done() {
            self.abort("the case was ended before it was decided".to_owned());
        }
        let now = self.told(now);
        self.note(now, &Note::Measured(measured.clone()));
        let aborted = self.aborted.take();
        self.note(now, &Note::Done(aborted));
        self.trace.until = now;
        let outcome = self.player.outcome().clone();
        let mut reports = self.invariants.finish();
        let oracle = self.pair.map(|pair| pair.finish(now)).unwrap_or_default();
        let judged = overall(&self.case, &outcome, &reports, &oracle);
        reports.extend(oracle);
        let judged = measured.temper(judged, self.tolerance);
        let begun = self.trace.records.iter().map(Record::at);
        let begun = begun.filter(|at| *at > Instant::ZERO).min();
        let begun = begun.unwrap_or(now);
        let virtual_time = Duration::from_nanos(ns(now).saturating_sub(ns(begun)));
        CaseResult {
            virtual_time,
            seed,
            ..CaseResult::played(self.case, outcome, judged, reports, self.trace)
        }
    }
}

#[cfg(test)]
mod tests;
