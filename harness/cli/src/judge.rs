//! `tandem judge`: a case's verdict from its capture alone, or the invariants over a foreign
//! capture.

use crate::args::code;
use crate::terminal::Terminal;
use clap::Args as ClapArgs;
use dut_device::MacAddr;
use harness_judge::{Finding, InvariantReport, Invariants, Roles, Verdict};
use harness_run::{JudgeError, OntoNote, judge_trace};
use harness_trace::{Direction, Trace, read_capture};
use harness_wire::layers;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// `tandem judge`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Judge {
    /// Captures: of our own cases, or any pcap or pcapng file with `--role`.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// What a device in a foreign capture is: `MAC=router`, `MAC=listener`, `MAC=lacp` or
    /// `MAC=e-trunk`; several by repeating it.
    #[arg(long, value_name = "MAC=ROLE", value_parser = parse_role)]
    role: Vec<Named>,
    /// Verdicts that a run has written: each capture's must be the same.
    #[arg(long, value_name = "EVENTS.JSONL")]
    against: Option<PathBuf>,
}

/// A device and its role: `router`, `listener`, `lacp` or `e-trunk`.
pub(crate) type Named = (MacAddr, String);

/// A device's role, as `MAC=ROLE`.
pub(crate) fn parse_role(text: &str) -> Result<Named, String> {
    let (mac, role) = text
        .split_once('=')
        .ok_or("use MAC=router, MAC=listener, MAC=lacp or MAC=e-trunk")?;
    if !["router", "listener", "lacp", "e-trunk"].contains(&role) {
        return Err(format!(
            "`{role}` is no role: router, listener, lacp or e-trunk"
        ));
    }
    Ok((
        mac.parse()
            .map_err(|error: dut_device::ParseMacError| error.to_string())?,
        role.to_owned(),
    ))
}

pub(crate) fn judge(judge: &Judge) -> u8 {
    let terminal = Terminal::new();
    let expected = match judge.against.as_ref().map(verdicts).transpose() {
        Ok(expected) => expected,
        Err(error) => {
            terminal.complain(&error);
            return code::USAGE;
        }
    };
    let mut tally = Tally {
        expected,
        agree: 0,
        differ: 0,
        worst: code::OK,
    };
    for file in &judge.files {
        let read = std::fs::read(file).map_err(|error| error.to_string());
        let trace =
            read.and_then(|octets| read_capture(&octets).map_err(|error| error.to_string()));
        let trace = match trace {
            Ok(trace) => trace,
            Err(error) => {
                terminal.complain(&format!("{}: {error}", file.display()));
                return code::USAGE;
            }
        };
        if judge.role.is_empty() {
            let shown = file.display().to_string();
            if !tally.own(&terminal, &shown, &trace) {
                return code::USAGE;
            }
        } else {
            tally.worst = tally.worst.max(foreign(&terminal, &trace, &judge.role));
        }
    }
    if tally.expected.is_some() {
        let Tally { agree, differ, .. } = tally;
        terminal.line(&format!(
            "{agree} verdicts agree with the run's, {differ} differ"
        ));
        return if differ == 0 { code::OK } else { code::FAILED };
    }
    tally.worst
}

/// What judging many captures gave so far.
struct Tally {
    expected: Option<BTreeMap<String, Verdict>>,
    agree: usize,
    differ: usize,
    worst: u8,
}

impl Tally {
    /// Judges a capture of one of our cases; `false` when it is none.
    fn own(&mut self, terminal: &Terminal, file: &str, trace: &Trace) -> bool {
        let result = match judge_trace(trace) {
            Ok(result) => result,
            Err(JudgeError::NoCase) => {
                let what = "holds no case of ours: say what its devices are with --role";
                terminal.complain(&format!("{file}: {what}"));
                return false;
            }
            Err(error) => {
                self.differ += 1;
                self.worst = self.worst.max(code::UNDECIDED);
                terminal.complain(&format!("{file}: {error}"));
                return true;
            }
        };
        terminal.line(&format!(
            "{} {}",
            terminal.verdict(result.verdict),
            result.case.id
        ));
        if let Some(finding) = &result.finding {
            terminal.line(&format!("  {}", finding.what));
        }
        match self
            .expected
            .as_ref()
            .map(|verdicts| verdicts.get(&result.case.id))
        {
            None => self.worst = self.worst.max(verdict_code(result.verdict)),
            Some(Some(run)) if *run == result.verdict => self.agree += 1,
            Some(Some(run)) => {
                self.differ += 1;
                terminal.line(&format!("  the run says {run}"));
            }
            Some(None) => {}
        }
        true
    }
}

const fn verdict_code(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Pass | Verdict::NotApplicable => code::OK,
        Verdict::Fail => code::FAILED,
        Verdict::Inconclusive | Verdict::Blocked | Verdict::Error => code::UNDECIDED,
    }
}

fn verdicts(path: &PathBuf) -> Result<BTreeMap<String, Verdict>, String> {
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|error| format!("{}: {error}", path.display()))?;
    let mut verdicts = BTreeMap::new();
    for line in text.lines() {
        let value: serde_json::Value = serde_json::from_str(line).map_err(|e| e.to_string())?;
        let Some(case) = value.get("case") else {
            continue;
        };
        let id = case
            .get("id")
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default();
        let verdict = case.get("verdict").cloned().unwrap_or_default();
        let verdict = serde_json::from_value(verdict).map_err(|error| error.to_string())?;
        verdicts.insert(id.to_owned(), verdict);
    }
    Ok(verdicts)
}

/// Runs the invariants over the frames of the named devices, and prints what they found; the exit
/// code. What a recording of frames that were sent to a device says of itself is heeded.
pub(crate) fn foreign(terminal: &Terminal, trace: &Trace, roles: &[Named]) -> u8 {
    let any = |role: &str| roles.iter().any(|(_, named)| named == role);
    let note = OntoNote::of(trace);
    let tolerance = note.as_ref().map_or(0, |note| note.tolerance_ns);
    let tolerance = Duration::from_nanos(tolerance);
    let mut invariants = Invariants::foreign(Roles {
        lacp: any("lacp"),
        router: any("router"),
        listener: any("listener"),
        etrunk: any("e-trunk"),
    })
    .tolerating(tolerance);
    let mut frames = 0;
    for (record, frame) in trace.frames() {
        let Some(layers) = layers(&frame.octets) else {
            continue;
        };
        let of = |mac: &MacAddr| mac.0 == layers.source;
        let mine: Vec<&str> = roles
            .iter()
            .filter(|(mac, _)| of(mac))
            .map(|(_, role)| role.as_str())
            .collect();
        // What Tandem sent itself is nobody's, whatever its source address is.
        let own = note.is_some() && frame.direction == Direction::Out;
        if mine.is_empty() || own {
            invariants.frame(record, frame);
            continue;
        }
        frames += 1;
        let has = |role: &str| mine.contains(&role);
        let roles = Roles {
            lacp: has("lacp"),
            router: has("router"),
            listener: has("listener"),
            etrunk: has("e-trunk"),
        };
        invariants.judge(record, frame, &MacAddr(layers.source).to_string(), roles);
    }
    terminal.line(&format!(
        "{frames} frames of the named devices in {} s",
        trace.until.as_millis() / 1000
    ));
    let reports = invariants.finish();
    let mut worst = code::OK;
    if reports.iter().all(|report| report.premises == 0) {
        terminal.line("nothing was exercised: no frame of these devices is of their roles");
        worst = code::UNDECIDED;
    }
    for report in &reports {
        let verdict = match (&report.broken, report.premises) {
            (Some(_), _) => Verdict::Fail,
            (None, 0) => Verdict::NotApplicable,
            (None, _) => Verdict::Pass,
        };
        let judged = (verdict, report.broken.clone());
        let judged = match &note {
            Some(note) => note.measured.temper(judged, tolerance),
            None => judged,
        };
        print_report(terminal, trace, report, &judged);
        worst = match (worst, verdict_code(judged.0)) {
            (code::FAILED, _) | (_, code::FAILED) => code::FAILED,
            (worst, this) => worst.max(this),
        };
    }
    worst
}

fn print_report(
    terminal: &Terminal,
    trace: &Trace,
    report: &InvariantReport,
    (verdict, finding): &(Verdict, Option<Finding>),
) {
    let said = |finding: &Finding| {
        let number = finding.record.and_then(|record| trace.frame_number(record));
        let number = number.map(|n| format!("frame {n}: ")).unwrap_or_default();
        format!("{number}{}", finding.what)
    };
    let (state, more) = match (verdict, finding, report.premises) {
        (Verdict::Fail, Some(finding), _) => (terminal.paint("31;1", "broken"), said(finding)),
        (Verdict::Inconclusive, Some(finding), n) => {
            let name = &report.name;
            let more = format!("{name} ({n} times): {}", said(finding));
            (terminal.paint("33", "inconclusive"), more)
        }
        (_, _, 0) => (terminal.paint("2", "not exercised"), report.name.clone()),
        (_, _, n) => (
            terminal.paint("32", "held"),
            format!("{} ({n} times)", report.name),
        ),
    };
    terminal.line(&format!("{state:<14} {:<9} {more}", report.requirement));
}
