//! Makes a plan that shows a finding smaller: fewer messages, fields at their defaults, round
//! delays.

use crate::plan::Plan;
use harness_suite::{Fields, Frames, Step};

/// Delays that a reader likes, best first.
const ROUND: [&str; 4] = ["1s", "100ms", "5s", "10s"];

/// The smallest plan found by at most so many runs for which `same` holds; it must hold for
/// `plan`.
#[must_use]
pub fn minimise(plan: &Plan, runs: usize, same: &impl Fn(&Plan) -> bool) -> Plan {
    let mut search = Search {
        best: plan.clone(),
        left: runs,
        same,
    };
    search.messages();
    search.fields();
    search.delays();
    search.best
}

struct Search<'a, F> {
    best: Plan,
    left: usize,
    same: &'a F,
}

impl<F: Fn(&Plan) -> bool> Search<'_, F> {
    /// Takes a candidate where it shows the same.
    fn try_plan(&mut self, candidate: Plan) -> bool {
        if self.left == 0 || candidate == self.best {
            return false;
        }
        self.left -= 1;
        let better = (self.same)(&candidate);
        if better {
            self.best = candidate;
        }
        better
    }

    fn without(&self, from: usize, length: usize) -> Plan {
        let mut candidate = self.best.clone();
        let end = (from + length).min(candidate.stimuli.end);
        candidate.steps.drain(from..end);
        candidate.stimuli.end -= end - from;
        candidate
    }

    /// Halves, quarters, … then single stimuli are left out.
    fn messages(&mut self) {
        let mut length = self.best.stimuli.len();
        while length > 0 {
            let mut at = self.best.stimuli.start;
            while at < self.best.stimuli.end {
                let candidate = self.without(at, length);
                if !self.try_plan(candidate) {
                    at += length;
                }
            }
            length /= 2;
        }
        for at in self.best.stimuli.clone() {
            let mut candidate = self.best.clone();
            if let Some(Step::Send(send)) = candidate.steps.get_mut(at) {
                (send.count, send.every) = (None, None);
                self.try_plan(candidate);
            }
        }
    }

    /// Each field of each message that is sent goes back to its default.
    fn fields(&mut self) {
        for at in self.best.stimuli.clone() {
            let names: Vec<String> = match self.best.steps.get(at) {
                Some(Step::Send(send)) => send
                    .frame
                    .only()
                    .map(|(_, fields)| fields.keys().cloned().collect()),
                Some(Step::Partner(partner)) => Some(partner.fields.keys().cloned().collect()),
                Some(_) | None => None,
            }
            .unwrap_or_default();
            for name in names {
                let mut candidate = self.best.clone();
                let fields = match candidate.steps.get_mut(at) {
                    Some(Step::Send(send)) => only(&mut send.frame),
                    Some(Step::Partner(partner)) => Some(&mut partner.fields),
                    Some(_) | None => None,
                };
                if let Some(fields) = fields {
                    fields.remove(&name);
                    self.try_plan(candidate);
                }
            }
        }
    }

    fn delays(&mut self) {
        for at in self.best.stimuli.clone() {
            for round in ROUND {
                let mut candidate = self.best.clone();
                match candidate.steps.get_mut(at) {
                    Some(Step::Wait(time)) if !ROUND.contains(&time.as_str()) => {
                        round.clone_into(time);
                    }
                    Some(_) | None => break,
                }
                if self.try_plan(candidate) {
                    break;
                }
            }
        }
    }
}

/// The fields of the one frame that a step sends.
fn only(frames: &mut Frames) -> Option<&mut Fields> {
    [
        &mut frames.lacpdu,
        &mut frames.marker,
        &mut frames.slow,
        &mut frames.mld_query,
        &mut frames.mld_report,
        &mut frames.mld_v1_report,
        &mut frames.mld_done,
        &mut frames.etrunk,
        &mut frames.rbs,
        &mut frames.udp,
        &mut frames.neighbor,
        &mut frames.frame,
    ]
    .into_iter()
    .find_map(Option::as_mut)
}
