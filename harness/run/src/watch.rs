//! Watching a pair: when it is looked at, what of it is noted, and the oracle over both.
//!
//! A run looks at the devices and writes notes; judging a capture reads the notes. The oracle is
//! fed the same in both.

use crate::notes::PairNote;
use dut_device::{Instant, PairLook, Snapshot};
use harness_judge::{Equivalence, InvariantReport, PairChange, PairState, Status, Way};
use harness_sim::World;
use harness_suite::{NodeAction, Scope};
use harness_trace::{Frame, Point};
use harness_wire::{layers, stream_sequence};
use std::time::Duration;

/// How often the pair is looked at.
const LOOK: Duration = Duration::from_millis(25);
/// And how often after something has happened, for so long.
const CLOSE_LOOK: Duration = Duration::from_millis(1);
const CLOSELY: Duration = Duration::from_millis(60);

/// A pair under its oracle.
#[derive(Debug)]
pub(crate) struct PairWatch {
    names: [String; 2],
    oracle: Equivalence,
    state: PairState,
    looks: [PairLook; 2],
    status: Option<Status>,
    next: Instant,
    closely_until: Instant,
}

impl PairWatch {
    /// `None` where the testbed has no pair.
    pub(crate) fn new(
        points: &[Point],
        pair: &[String],
        constants: &Scope,
        latency: Duration,
    ) -> Option<Self> {
        let [a, b] = pair else { return None };
        Some(Self {
            names: [a.clone(), b.clone()],
            oracle: Equivalence::new(points, [a, b], constants, latency),
            state: PairState::default(),
            looks: <[PairLook; 2]>::default(),
            status: None,
            next: Instant::ZERO + LOOK,
            closely_until: Instant::ZERO,
        })
    }

    /// When the pair is to be looked at next.
    pub(crate) const fn next(&self) -> Instant {
        self.next
    }

    /// A frame of the trace.
    pub(crate) fn frame(&mut self, record: usize, frame: &Frame) {
        if self.oracle.frame(record, frame) {
            self.look_soon(frame.at);
        }
    }

    /// Something is about to be done to a node.
    pub(crate) fn node(&mut self, now: Instant, name: &str, action: NodeAction) {
        let running = match action {
            NodeAction::Crash | NodeAction::Hang => false,
            NodeAction::Resume | NodeAction::Restart => true,
        };
        self.oracle.node(name, running);
        self.look_soon(now);
    }

    /// States are looked at on whole milliseconds, so that a deadline is the same number every
    /// time.
    fn look_soon(&mut self, now: Instant) {
        let next = Instant::from_millis(now.as_nanos().div_ceil(1_000_000));
        self.next = self.next.min(next.max(now));
        self.closely_until = now + CLOSELY;
    }

    /// The pair's devices.
    pub(crate) const fn names(&self) -> &[String; 2] {
        &self.names
    }

    /// Looks at the pair in the simulation; what has changed.
    pub(crate) fn look(&mut self, now: Instant, world: &World) -> Option<PairNote> {
        let [a, b] = &mut self.looks;
        let [name_a, name_b] = &self.names;
        let way = Way {
            faults: world.has_faults(),
            cut: world.is_cut(name_a, name_b),
            in_flight: world.in_flight(|octets| !is_stream(octets)),
            exact: Duration::ZERO,
        };
        let looked = |name: &String, look| world.is_running(name) && world.look(name, look);
        let (seen_a, seen_b) = (looked(name_a, a), looked(name_b, b));
        let looks = [seen_a.then_some(&*a), seen_b.then_some(&*b)];
        let change = self.state.seen(looks, way);
        self.seen(now, change)
    }

    /// The pair's states were read on wires, inexact by `exact`; what has changed. Nobody knows
    /// what is on its way there: something always may be. `faults`: links have some.
    pub(crate) fn read(
        &mut self,
        now: Instant,
        snapshots: [Option<&Snapshot>; 2],
        faults: bool,
        exact: Duration,
    ) -> Option<PairNote> {
        let way = Way {
            faults,
            in_flight: 1,
            exact,
            ..Way::default()
        };
        let looks = snapshots.map(|snapshot| snapshot.map(PairLook::of));
        let [a, b] = &looks;
        let change = self.state.seen([a.as_ref(), b.as_ref()], way);
        self.seen(now, change)
    }

    fn seen(&mut self, now: Instant, change: PairChange) -> Option<PairNote> {
        let changed = !change.is_nothing();
        if changed {
            self.closely_until = now + CLOSELY;
        }
        self.oracle.advance(now);
        let noted = changed || self.status != Some(self.oracle.status());
        // Judging feeds the oracle what is noted, and nothing else.
        let status = if noted {
            self.oracle.change(now, change.clone())
        } else {
            self.oracle.status()
        };
        if changed {
            self.state.apply(change.clone());
        }
        self.status = Some(status);
        let close = now < self.closely_until && !status.equal;
        self.next = now + if close { CLOSE_LOOK } else { LOOK };
        noted.then_some(PairNote {
            equal: status.equal,
            groups: status.groups,
            change,
        })
    }

    /// What a note says has changed; what the oracle makes of it.
    pub(crate) fn noted(&mut self, at: Instant, note: &PairNote) -> Status {
        self.state.apply(note.change.clone());
        self.oracle.change(at, note.change.clone())
    }

    /// What the oracle has found until `at`.
    pub(crate) fn finish(self, at: Instant) -> Vec<InvariantReport> {
        self.oracle.finish(at)
    }
}

fn is_stream(octets: &[u8]) -> bool {
    let ip = layers(octets).and_then(|layers| layers.ip);
    ip.is_some_and(|ip| {
        let payload = ip.payload.get(8..).filter(|_| ip.next_header == 17);
        payload.and_then(stream_sequence).is_some()
    })
}
