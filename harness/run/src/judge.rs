//! Judging: the verdict over steps and invariants, and a case's verdict from its capture alone.

use crate::event::CaseResult;
use crate::measured::Measured;
use crate::notes::{CaseNote, Note};
use crate::watch::PairWatch;
use dut_device::Instant;
use harness_judge::{Difference, Finding, InvariantReport, Invariants, Status, Verdict};
use harness_suite::ExpandedCase;
use harness_tester::{Action, Outcome, Player, Setup, TesterPort};
use harness_trace::{Direction, Point, Record, Trace};
use std::collections::BTreeSet;
use std::time::Duration;
use thiserror::Error;

/// Why a capture can't be judged as a case's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum JudgeError {
    /// It holds no case of ours.
    #[error("the capture holds no case: it was not written by a run")]
    NoCase,
    /// The case can't be played.
    #[error("{0}")]
    Setup(String),
    /// The capture and the case contradict each other.
    #[error("record {record}: {what}")]
    Contradiction {
        /// Index of the record.
        record: usize,
        /// What is wrong.
        what: String,
    },
}

/// The verdict over everything, and why it isn't pass. `oracle`: what the pair's oracle reports.
pub(crate) fn overall(
    case: &ExpandedCase,
    outcome: &Outcome,
    reports: &[InvariantReport],
    oracle: &[InvariantReport],
) -> (Verdict, Option<Finding>) {
    let first = oracle.iter().filter_map(|report| report.broken.as_ref());
    let first = first.min_by_key(|finding| finding.at_ns);
    if outcome.verdict != Verdict::Pass {
        // A step that fails after the pair's state has parted fails because of it.
        let earlier = first.zip(outcome.finding.as_ref());
        let earlier = earlier
            .filter(|(first, step)| outcome.verdict == Verdict::Fail && first.at_ns <= step.at_ns);
        let finding = earlier.map(|(first, step)| Finding {
            what: format!("{}; then {}", first.what, step.what),
            line: step.line,
            ..first.clone()
        });
        return (outcome.verdict, finding.or_else(|| outcome.finding.clone()));
    }
    let broken = reports.iter().find_map(|report| report.broken.as_ref());
    if let Some(finding) = broken.or(first) {
        return (Verdict::Fail, Some(finding.clone()));
    }
    let reports = || reports.iter().chain(oracle);
    // A requirement that an invariant stands for counts as exercised only if its premise held.
    let idle = case.verifies.iter().find(|id| {
        let mut of_id = reports()
            .filter(|report| report.requirement == **id)
            .peekable();
        of_id.peek().is_some() && of_id.all(|report| report.premises == 0)
    });
    match idle {
        Some(id) => {
            let names = reports().filter(|report| report.requirement == *id);
            let names: Vec<&str> = names.map(|report| report.name.as_str()).collect();
            let what = format!("{id} was never exercised: {}", names.join("; "));
            let finding = Finding {
                requirement: Some(id.clone()),
                ..Finding::of(what)
            };
            (Verdict::Inconclusive, Some(finding))
        }
        None => (Verdict::Pass, None),
    }
}

/// The lines of a golden file that a `display` output doesn't match.
///
/// Blank runs are folded; blank lines don't count. A line `~ REASON` explains the line before it:
/// that line of the golden file is as the seed prints it, and the line after `= ` is what is right
/// instead.
pub(crate) fn compare_golden(golden: &str, shown: &str) -> Vec<Difference> {
    let fold = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut wanted: Vec<String> = Vec::new();
    for line in golden.lines().filter(|line| !line.starts_with('#')) {
        if line.starts_with("~ ") {
            continue;
        }
        match line.strip_prefix("= ") {
            Some(right) => {
                wanted.pop();
                wanted.push(fold(right));
            }
            None if line.trim().is_empty() => {}
            None => wanted.push(fold(line)),
        }
    }
    let shown: Vec<String> = shown
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(fold)
        .collect();
    let lines = wanted.len().max(shown.len());
    let none = "no line".to_owned();
    (0..lines)
        .filter_map(|n| {
            let (wanted, shown) = (
                wanted.get(n).unwrap_or(&none),
                shown.get(n).unwrap_or(&none),
            );
            (wanted != shown).then(|| Difference {
                field: format!("line {}", n + 1),
                expected: wanted.clone(),
                seen: shown.clone(),
            })
        })
        .collect()
}

/// Judges a case's trace again, from the trace alone: its case is played against it.
///
/// # Errors
/// [`JudgeError`].
pub fn judge_trace(trace: &Trace) -> Result<CaseResult, JudgeError> {
    let notes = trace.records.iter().filter_map(|record| match record {
        Record::Note { json, .. } => Note::parse(json),
        Record::Frame(_) => None,
    });
    let mut note = None;
    for first in notes {
        match first {
            Note::Unplayed(case, verdict, why) => {
                return Ok(CaseResult::unplayed(&case, 0, verdict, why));
            }
            Note::Case(case) => {
                note = Some(*case);
                break;
            }
            Note::Start
            | Note::Action(_)
            | Note::Probe(_)
            | Note::Display(_)
            | Note::Pair(_)
            | Note::Measured(_)
            | Note::Onto(_)
            | Note::Overrun(..)
            | Note::Done(_) => {}
        }
    }
    let note = note.ok_or(JudgeError::NoCase)?;
    let mut replay = Replay::new(trace, note)?;
    replay.run()?;
    Ok(replay.finish())
}

fn contradiction(record: usize, what: String) -> JudgeError {
    JudgeError::Contradiction { record, what }
}

struct Replay<'a> {
    trace: &'a Trace,
    case: ExpandedCase,
    player: Player,
    invariants: Invariants,
    pair: Option<PairWatch>,
    /// Where the case was decided.
    end: Instant,
    /// Points of the tester's ports.
    own: BTreeSet<usize>,
    measured: Measured,
    tolerance: Duration,
    done: bool,
}

impl<'a> Replay<'a> {
    fn new(trace: &'a Trace, note: CaseNote) -> Result<Self, JudgeError> {
        // A file's interfaces have names only: their ends stand in the note.
        let points: Vec<Point> = trace
            .points
            .iter()
            .zip(&note.ends)
            .map(|(point, (near, far))| Point {
                name: point.name.clone(),
                near: near.clone(),
                far: far.clone(),
            })
            .collect();
        let ports: Vec<TesterPort> = note
            .ports
            .iter()
            .map(|(name, mac)| TesterPort {
                name: name.clone(),
                mac: mac.clone(),
            })
            .collect();
        let own = points
            .iter()
            .enumerate()
            .filter(|(_, point)| ports.iter().any(|port| port.name == point.name))
            .map(|(index, _)| index)
            .collect();
        let tolerance = Duration::from_nanos(note.tolerance);
        let invariants = Invariants::new(&points, &note.devices).tolerating(tolerance);
        let latency = Duration::from_nanos(note.pair_latency);
        let pair = PairWatch::new(&points, &note.pair, &note.case.scope(), latency);
        let setup = Setup {
            case: note.case.clone(),
            points,
            ports,
            frames: note.frames,
            listeners: note.listeners,
            tolerance,
            lateness: Duration::from_nanos(note.lateness),
        };
        let player = Player::new(setup).map_err(|error| JudgeError::Setup(error.to_string()))?;
        Ok(Self {
            trace,
            case: note.case,
            player,
            invariants,
            pair,
            end: Instant::ZERO,
            own,
            measured: Measured::default(),
            tolerance,
            done: false,
        })
    }

    fn run(&mut self) -> Result<(), JudgeError> {
        for index in 0..self.trace.records.len() {
            let Some(record) = self.trace.records.get(index) else {
                break;
            };
            match record {
                Record::Frame(frame) => {
                    let own = self.own.contains(&usize::from(frame.point.0));
                    if own && frame.direction == Direction::Out {
                        self.act(index, record)?;
                    } else {
                        self.timers_before(frame.at);
                        self.show(index);
                    }
                }
                Record::Note { at, json } => self.note(index, *at, json, record)?,
            }
            if self.done {
                break;
            }
        }
        Ok(())
    }

    fn note(
        &mut self,
        index: usize,
        at: Instant,
        json: &str,
        record: &Record,
    ) -> Result<(), JudgeError> {
        match Note::parse(json) {
            Some(Note::Start) => self.player.start(at),
            Some(Note::Action(_) | Note::Probe(_) | Note::Display(_)) => {
                self.act(index, record)?;
            }
            Some(Note::Pair(pair)) => {
                self.timers_before(at);
                let Status { equal, groups } = match &mut self.pair {
                    Some(watch) => watch.noted(at, &pair),
                    None => Status::default(),
                };
                if (equal, groups) != (pair.equal, pair.groups) {
                    let what = format!(
                        "the run says equal {} of {} groups, its frames {equal} of {groups}",
                        pair.equal, pair.groups
                    );
                    return Err(contradiction(index, what));
                }
                self.player.pair_status(at, pair.status());
            }
            Some(Note::Measured(measured)) => self.measured = measured,
            Some(Note::Overrun(verdict, what)) => {
                self.timers_before(at);
                self.player.give_up(verdict, what);
            }
            Some(Note::Done(aborted)) => {
                while self.rests() && self.player.next_timeout().is_some_and(|due| due <= at) {
                    self.timer();
                }
                if let Some(why) = aborted {
                    self.player.abort(why);
                } else if !self.rests() {
                    let what = "the case asks for more than the capture holds".to_owned();
                    return Err(contradiction(index, what));
                }
                self.done = true;
                self.end = at;
            }
            Some(Note::Case(_) | Note::Unplayed(..) | Note::Onto(_)) | None => {}
        }
        Ok(())
    }

    /// Whether the player asks for nothing. While it does, it is shown what came before that was
    /// done, and its timers wait.
    fn rests(&self) -> bool {
        self.player.next_action().is_none()
    }

    fn timer(&mut self) {
        if let Some(due) = self.player.next_timeout() {
            self.player.handle_timeout(due);
        }
    }

    fn timers_before(&mut self, at: Instant) {
        while self.rests() && self.player.next_timeout().is_some_and(|due| due < at) {
            self.timer();
        }
    }

    fn show(&mut self, index: usize) {
        if let Some(Record::Frame(frame)) = self.trace.records.get(index) {
            self.invariants.frame(index, frame);
            if let Some(pair) = &mut self.pair {
                pair.frame(index, frame);
            }
            self.player.observe(index, frame);
        }
    }

    /// A record that shows something done for the player: lets the player's time run until it has
    /// asked for something, which must be this.
    fn act(&mut self, index: usize, record: &Record) -> Result<(), JudgeError> {
        let at = record.at();
        while self.rests() {
            if self.player.next_timeout().is_none_or(|due| due > at) {
                let what = "the case does nothing of this kind at this time".to_owned();
                return Err(contradiction(index, what));
            }
            self.timer();
        }
        let Some(action) = self.player.poll_action() else {
            return Ok(());
        };
        if let (Action::Node { name, action }, Some(pair)) = (&action, &mut self.pair) {
            pair.node(at, name, *action);
        }
        let note = match record {
            Record::Frame(_) => None,
            Record::Note { json, .. } => Note::parse(json),
        };
        if let Some(Note::Action(text)) = &note {
            self.invariants.disturbed(text.starts_with("fault "));
        }
        match (action, record, note) {
            (Action::Send { port, octets }, Record::Frame(frame), _) => {
                let point = self.trace.points.get(usize::from(frame.point.0));
                if frame.octets != octets || point.is_none_or(|point| point.name != port) {
                    let seen = harness_wire::summary(&frame.octets);
                    let wanted = harness_wire::summary(&octets);
                    let what = format!(
                        "the case sends `{wanted}` on {port} here, the capture has `{seen}`"
                    );
                    return Err(contradiction(index, what));
                }
                self.player.sent(at, index);
                self.show(index);
            }
            (Action::Probe { .. }, _, Some(Note::Probe(values))) => {
                self.player.probed(at, &values);
            }
            (Action::Display { .. }, _, Some(Note::Display(differences))) => {
                self.player.displayed(at, differences);
            }
            (
                Action::Link { .. }
                | Action::Node { .. }
                | Action::Fault(..)
                | Action::Heal(_)
                | Action::Command { .. },
                _,
                Some(Note::Action(_)),
            ) => {}
            (action, ..) => {
                let what = format!("the case does something else here: {action:?}");
                return Err(contradiction(index, what));
            }
        }
        self.player.handle_timeout(at);
        Ok(())
    }

    fn finish(self) -> CaseResult {
        let Self {
            trace,
            case,
            player,
            invariants,
            pair,
            end,
            measured,
            tolerance,
            ..
        } = self;
        let outcome = player.outcome().clone();
        let mut reports = invariants.finish();
        let oracle = pair.map(|pair| pair.finish(end)).unwrap_or_default();
        let judged = overall(&case, &outcome, &reports, &oracle);
        let judged = measured.temper(judged, tolerance);
        reports.extend(oracle);
        CaseResult {
            virtual_time: Duration::from_nanos(trace.until.as_nanos()),
            ..CaseResult::played(case, outcome, judged, reports, Trace::default())
        }
    }
}
