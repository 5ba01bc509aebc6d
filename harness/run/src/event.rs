//! What a run emits: sinks are consumers of these and of nothing else.

use crate::bed::ORIGIN_S;
use crate::notes::{Note, ns};
use dut_device::Instant;
use harness_judge::{Finding, InvariantReport, Verdict};
use harness_sim::LogLine;
use harness_suite::ExpandedCase;
use harness_tester::Outcome;
use harness_trace::{Record, Trace};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// The beginning of a run. In `events.jsonl` wall-clock data stands here only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Version of this program.
    pub version: String,
    /// The seed from which everything random comes.
    pub seed: u64,
    /// Testbed world: `simulation`.
    pub world: String,
    /// Cases that will run.
    pub cases: usize,
    /// Seconds since 1970 at the beginning.
    pub started_s: u64,
    /// The command line that made it.
    #[serde(default)]
    pub command: String,
    /// The device on wires that it was made on, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
}

/// A device on wires, and how it was run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The testbed file's name.
    pub testbed: String,
    /// What the testbed is.
    pub title: String,
    /// The device's name.
    pub device: String,
    /// What it says its version is; empty where it can't be asked.
    pub version: String,
    /// By which clock it ran.
    pub clock: String,
}

/// The end of a run: a run without one is incomplete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Footer {
    /// Whether every case ran that was to run.
    pub complete: bool,
    /// Cases by verdict.
    pub verdicts: BTreeMap<Verdict, usize>,
    /// Of the failed ones, those that are known deviations of the device.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub known: usize,
    /// Wall-clock milliseconds of the whole run; for the terminal, never for a file.
    #[serde(skip)]
    pub wall_ms: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_zero(known: &usize) -> bool {
    *known == 0
}

/// What the preamble tells of a testbed's device, in one of its forms.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Classification {
    /// The suite of the preamble.
    pub suite: String,
    /// The testbed.
    pub testbed: String,
    /// The form; empty for the first.
    pub form: String,
    /// Which of several permitted behaviours it shows, by what was asked.
    pub classes: BTreeMap<String, String>,
    /// What the device needs to act at most, nanoseconds: its tick.
    pub lateness_ns: u64,
    /// Preamble cases that didn't pass, with why.
    pub troubles: BTreeMap<String, String>,
}

/// What became of one case.
#[derive(Debug, Clone)]
pub struct CaseResult {
    /// The case.
    pub case: ExpandedCase,
    /// The verdict over steps and invariants.
    pub verdict: Verdict,
    /// Why it isn't pass.
    pub finding: Option<Finding>,
    /// Judging steps that were decided.
    pub judged: usize,
    /// The record that decided.
    pub record: Option<usize>,
    /// The always-on invariants.
    pub invariants: Vec<InvariantReport>,
    /// Lines for the reader.
    pub remarks: Vec<String>,
    /// Which of several permitted behaviours the device shows, by what was asked.
    pub classes: BTreeMap<String, String>,
    /// The longest of the times that were measured without being judged.
    pub lateness: Duration,
    /// Virtual time that passed.
    pub virtual_time: Duration,
    /// Wall-clock time that it took.
    pub wall: Duration,
    /// What was seen.
    pub trace: Trace,
    /// What the devices said.
    pub log: Vec<LogLine>,
    /// The case's own seed.
    pub seed: u64,
}

impl CaseResult {
    /// The result of a case that was not played, and why.
    #[must_use]
    pub fn unplayed(case: &ExpandedCase, seed: u64, verdict: Verdict, what: String) -> Self {
        let note = Note::Unplayed(Box::new(case.clone()), verdict, what.clone());
        let record = Record::Note {
            at: Instant::ZERO,
            json: note.text(),
        };
        Self {
            case: case.clone(),
            verdict,
            finding: Some(Finding::of(what)),
            judged: 0,
            record: None,
            invariants: Vec::new(),
            remarks: Vec::new(),
            classes: BTreeMap::new(),
            lateness: Duration::ZERO,
            virtual_time: Duration::ZERO,
            wall: Duration::ZERO,
            trace: Trace {
                records: vec![record],
                origin_s: ORIGIN_S,
                ..Trace::default()
            },
            log: Vec::new(),
            seed,
        }
    }

    /// The result of a case that was played over the whole of `trace`: what its steps gave, and
    /// the verdict over everything.
    pub(crate) fn played(
        case: ExpandedCase,
        outcome: Outcome,
        (verdict, finding): (Verdict, Option<Finding>),
        invariants: Vec<InvariantReport>,
        trace: Trace,
    ) -> Self {
        let decisive = finding.as_ref().and_then(|finding| finding.record);
        Self {
            case,
            verdict,
            finding,
            judged: outcome.judged,
            record: decisive.or(outcome.record),
            invariants,
            remarks: outcome.remarks,
            classes: outcome.classes,
            lateness: outcome.lateness,
            virtual_time: Duration::from_nanos(ns(trace.until)),
            wall: Duration::ZERO,
            trace,
            log: Vec::new(),
            seed: 0,
        }
    }
}

/// An event of a run.
#[derive(Debug, Clone)]
pub enum RunEvent {
    /// The run begins.
    Started(Header),
    /// The device of a testbed has been told apart, in one of its forms.
    Classified(Classification),
    /// A case begins.
    CaseStarted {
        /// Its id.
        id: String,
    },
    /// A case has ended.
    CaseFinished(Box<CaseResult>),
    /// The run has ended.
    Finished(Footer),
}

impl std::fmt::Display for Classification {
    /// As `lacp@independent: mux independent, limiter sliding-window; acts within 0.0 ms`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.testbed)?;
        if !self.form.is_empty() {
            write!(f, "@{}", self.form)?;
        }
        let classes: Vec<String> = self
            .classes
            .iter()
            .map(|(what, class)| format!("{what} {class}"))
            .collect();
        let lateness = Duration::from_nanos(self.lateness_ns);
        write!(f, ": {}; acts within {lateness:?}", classes.join(", "))?;
        for (case, why) in &self.troubles {
            write!(f, "; {case}: {why}")?;
        }
        Ok(())
    }
}
