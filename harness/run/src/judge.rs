//! Judging: the verdict over steps and invariants, and a case's verdict from its capture alone.

use crate::event::CaseResult;
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
                what,
                line: None,
                requirement: Some(id.clone()),
                differences: Vec::new(),
                record: None,
                at_ns: 0,
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

/// Judges a simulated case's trace again, from the trace alone: its case is played against it.
///
/// # Errors
/// [`JudgeError`].
pub fn judge_trace(trace: &Trace) -> Result<CaseResult, JudgeError> {
    let note = trace.records.iter().find_map(|record| match record {
        Record::Note { json, .. } => match Note::parse(json) {
            Some(Note::Case(note)) => Some(*note),
            _ => None,
        },
        Record::Frame(_) => None,
    });
    let note = note.ok_or(JudgeError::NoCase)?;
    let mut replay = Replay::new(trace, note)?;
    replay.run()?;
    Ok(replay.finish())
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
    consumed: BTreeSet<usize>,
    at: usize,
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
        let invariants = Invariants::new(&points, &note.devices);
        let latency = Duration::from_nanos(note.pair_latency);
        let pair = PairWatch::new(&points, &note.pair, &note.case.scope(), latency);
        let setup = Setup {
            case: note.case.clone(),
            points,
            ports,
            frames: note.frames,
            listeners: note.listeners,
            tolerance: Duration::from_nanos(note.tolerance),
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
            consumed: BTreeSet::new(),
            at: 0,
            done: false,
        })
    }

    fn run(&mut self) -> Result<(), JudgeError> {
        while self.at < self.trace.records.len() && !self.done {
            let index = self.at;
            self.at += 1;
            if self.consumed.contains(&index) {
                continue;
            }
            let Some(record) = self.trace.records.get(index) else {
                break;
            };
            match record {
                Record::Frame(frame) => {
                    let own = self.own.contains(&usize::from(frame.point.0));
                    if own && frame.direction == Direction::Out {
                        self.until_consumed(index, frame.at)?;
                    } else {
                        self.timers_before(frame.at)?;
                        self.show(index);
                        self.act()?;
                    }
                }
                Record::Note { at, json } => self.note(index, *at, json)?,
            }
        }
        Ok(())
    }

    fn note(&mut self, index: usize, at: Instant, json: &str) -> Result<(), JudgeError> {
        match Note::parse(json) {
            Some(Note::Start) => {
                self.player.start(at);
                self.act()
            }
            Some(Note::Action(_) | Note::Probe(_) | Note::Display(_)) => {
                self.until_consumed(index, at)
            }
            Some(Note::Pair(pair)) => {
                self.timers_before(at)?;
                let Status { equal, groups } = match &mut self.pair {
                    Some(watch) => watch.noted(at, &pair),
                    None => Status::default(),
                };
                if (equal, groups) != (pair.equal, pair.groups) {
                    let what = format!(
                        "the run says equal {} of {} groups, its frames {equal} of {groups}",
                        pair.equal, pair.groups
                    );
                    return Err(JudgeError::Contradiction {
                        record: index,
                        what,
                    });
                }
                self.player.pair_status(at, pair.status());
                self.act()
            }
            Some(Note::Done) => {
                while self.next_timeout().is_some_and(|due| due <= at) {
                    self.timer()?;
                }
                self.done = true;
                self.end = at;
                Ok(())
            }
            Some(Note::Case(_)) | None => Ok(()),
        }
    }

    fn next_timeout(&mut self) -> Option<Instant> {
        self.player.next_timeout()
    }

    fn timer(&mut self) -> Result<(), JudgeError> {
        if let Some(due) = self.player.next_timeout() {
            self.player.handle_timeout(due);
            self.act()?;
        }
        Ok(())
    }

    fn timers_before(&mut self, at: Instant) -> Result<(), JudgeError> {
        while self.next_timeout().is_some_and(|due| due < at) {
            self.timer()?;
        }
        Ok(())
    }

    /// Lets the player's time run until it has asked for what this record shows.
    fn until_consumed(&mut self, index: usize, at: Instant) -> Result<(), JudgeError> {
        while !self.consumed.contains(&index) {
            if self.next_timeout().is_none_or(|due| due > at) {
                let what = "the case does nothing of this kind at this time".to_owned();
                return Err(JudgeError::Contradiction {
                    record: index,
                    what,
                });
            }
            self.timer()?;
        }
        Ok(())
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

    fn act(&mut self) -> Result<(), JudgeError> {
        while let Some(action) = self.player.poll_action() {
            let at = self.one(action)?;
            self.player.handle_timeout(at);
        }
        Ok(())
    }

    /// Finds the record that shows what the player asks for.
    fn one(&mut self, action: Action) -> Result<Instant, JudgeError> {
        let wanted = |record: &Record| match (&action, record) {
            (Action::Send { port, .. }, Record::Frame(frame)) => {
                let point = self.trace.points.get(usize::from(frame.point.0));
                frame.direction == Direction::Out && point.is_some_and(|p| p.name == *port)
            }
            (Action::Send { .. }, Record::Note { .. }) | (_, Record::Frame(_)) => false,
            (action, Record::Note { json, .. }) => matches!(
                (action, Note::parse(json)),
                (Action::Probe { .. }, Some(Note::Probe(_)))
                    | (Action::Display { .. }, Some(Note::Display(_)))
                    | (
                        Action::Link { .. }
                            | Action::Node { .. }
                            | Action::Fault(..)
                            | Action::Heal(_)
                            | Action::Command { .. },
                        Some(Note::Action(_))
                    )
            ),
        };
        // The record being looked at may itself be the one.
        let from = self.at.saturating_sub(1);
        let later = self.trace.records.iter().enumerate().skip(from);
        let found = later
            .filter(|(n, _)| !self.consumed.contains(n))
            .find(|(_, r)| wanted(r));
        let (index, record) = found
            .map(|(index, record)| (index, record.clone()))
            .ok_or_else(|| {
                let what = "the case asks for more than the capture holds".to_owned();
                JudgeError::Contradiction {
                    record: self.at,
                    what,
                }
            })?;
        self.consumed.insert(index);
        let at = record.at();
        if let (Action::Node { name, action }, Some(pair)) = (&action, &mut self.pair) {
            pair.node(at, name, *action);
        }
        if let Record::Note { json, .. } = &record
            && let Some(Note::Action(text)) = Note::parse(json)
        {
            self.invariants.disturbed(text.starts_with("fault "));
        }
        match (action, record) {
            (Action::Send { octets, .. }, Record::Frame(frame)) => {
                if frame.octets != octets {
                    let seen = harness_wire::summary(&frame.octets);
                    let wanted = harness_wire::summary(&octets);
                    let what = format!("the case sends `{wanted}` here, the capture has `{seen}`");
                    return Err(JudgeError::Contradiction {
                        record: index,
                        what,
                    });
                }
                self.player.sent(at, index);
                self.show(index);
            }
            (_, Record::Note { json, .. }) => match Note::parse(&json) {
                Some(Note::Probe(values)) => self.player.probed(at, &values),
                Some(Note::Display(differences)) => self.player.displayed(at, differences),
                _ => {}
            },
            _ => {}
        }
        Ok(at)
    }

    fn finish(self) -> CaseResult {
        let Self {
            trace,
            case,
            player,
            invariants,
            pair,
            end,
            ..
        } = self;
        let outcome = player.outcome().clone();
        let mut reports = invariants.finish();
        let oracle = pair.map(|pair| pair.finish(end)).unwrap_or_default();
        let (verdict, finding) = overall(&case, &outcome, &reports, &oracle);
        reports.extend(oracle);
        CaseResult {
            verdict,
            record: finding
                .as_ref()
                .and_then(|finding| finding.record)
                .or(outcome.record),
            finding,
            judged: outcome.judged,
            invariants: reports,
            remarks: outcome.remarks,
            classes: outcome.classes,
            lateness: outcome.lateness,
            virtual_time: Duration::from_nanos(trace.until.as_nanos()),
            wall: Duration::ZERO,
            trace: Trace::default(),
            log: Vec::new(),
            seed: 0,
            case,
        }
    }
}
