//! What a person sees: colours that obey `NO_COLOR` and pipes, one line a case, failures at length.

use harness_judge::Verdict;
use harness_run::CaseResult;
use harness_suite::Catalogue;
use harness_trace::{Direction, Record};
use harness_wire::summary;
use std::io::{self, IsTerminal, Write};

/// Frames shown before and after the deciding one.
const AROUND: usize = 4;

/// Standard output with or without colours.
#[derive(Debug)]
pub(crate) struct Terminal {
    color: bool,
}

impl Terminal {
    pub(crate) fn new() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self {
            color: wanted && io::stdout().is_terminal(),
        }
    }

    pub(crate) const fn colored(&self) -> bool {
        self.color
    }

    /// Prints a line. A closed pipe ends the program's interest, not the run.
    pub(crate) fn line(&self, text: &str) {
        let _: io::Result<()> = writeln!(io::stdout(), "{text}");
    }

    /// Prints a line on standard error.
    pub(crate) fn complain(&self, text: &str) {
        let _: io::Result<()> = writeln!(io::stderr(), "{text}");
    }

    pub(crate) fn paint(&self, code: &str, text: &str) -> String {
        if self.color {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    pub(crate) fn verdict(&self, verdict: Verdict) -> String {
        let code = match verdict {
            Verdict::Pass => "32",
            Verdict::Fail => "31;1",
            Verdict::Error | Verdict::Blocked => "35",
            Verdict::Inconclusive => "33",
            Verdict::NotApplicable => "2",
        };
        self.paint(code, &format!("{verdict:<14}"))
    }

    /// One line of a finished case.
    pub(crate) fn case(&self, result: &CaseResult) -> String {
        let virtual_s = result.virtual_time.as_secs();
        let wall = result.wall.as_millis();
        format!(
            "{} {:<58} {virtual_s:>5} s virtual {wall:>6} ms",
            self.verdict(result.verdict),
            result.case.id
        )
    }

    /// Everything that a person needs of a case that isn't pass.
    pub(crate) fn failure(
        &self,
        result: &CaseResult,
        catalogue: &Catalogue,
        (report, again): (&str, &str),
    ) {
        let Some(finding) = &result.finding else {
            return;
        };
        self.line("");
        let title = format!("{} {}", result.case.id, result.case.title);
        self.line(&format!(
            "{} {}",
            self.verdict(result.verdict),
            self.paint("1", &title)
        ));
        let named = finding.requirement.iter().chain(&result.case.verifies);
        let mut shown: Vec<&String> = Vec::new();
        for id in named {
            if !shown.contains(&id) {
                let sentence = catalogue
                    .requirements
                    .get(id)
                    .map_or("", |r| r.text.as_str());
                self.line(&format!("  {id}: {sentence}"));
                shown.push(id);
            }
        }
        let place = finding.line.map_or_else(
            || "always-on invariant".to_owned(),
            |line| format!("{}:{line}", result.case.file),
        );
        let seconds = finding.at_ns / 1_000_000_000;
        let ms = finding.at_ns / 1_000_000 % 1000;
        self.line(&format!("  at {seconds}.{ms:03} s, {place}"));
        self.line(&format!("  {}", self.paint("31", &finding.what)));
        for difference in &finding.differences {
            let (field, wanted, seen) = (&difference.field, &difference.expected, &difference.seen);
            self.line(&format!("    {field}: expected {wanted}, seen {seen}"));
        }
        self.ladder(result);
        let frame = result
            .record
            .and_then(|record| result.trace.frame_number(record));
        let name = reports::capture_name(&result.case.id);
        let number = frame.map(|n| format!(" frame {n}")).unwrap_or_default();
        self.line(&format!("  capture: {report}/captures/{name}{number}"));
        self.line(&format!("  repeat: tandem run '{}'{again}", result.case.id));
    }

    /// The frames around the deciding one.
    fn ladder(&self, result: &CaseResult) {
        let Some(record) = result.record else { return };
        let first = record.saturating_sub(AROUND);
        let records = result
            .trace
            .records
            .iter()
            .enumerate()
            .skip(first)
            .take(2 * AROUND + 1);
        for (index, entry) in records {
            let Record::Frame(frame) = entry else {
                continue;
            };
            let point = result.trace.points.get(usize::from(frame.point.0));
            let (near, far) = point.map_or(("?", "?"), |p| (p.near.as_str(), p.far.as_str()));
            let arrow = match frame.direction {
                Direction::Out => format!("{near} > {far}"),
                Direction::In => format!("{far} > {near}"),
            };
            let lost = if frame.lost { " (lost)" } else { "" };
            let at = format!("{}", frame.at);
            let at = at.get(..at.len().saturating_sub(6)).unwrap_or(&at);
            let text = format!("    {at:>12} {arrow:<18} {}{lost}", summary(&frame.octets));
            self.line(&if index == record {
                self.paint("1", &format!("{text}  <<"))
            } else {
                text
            });
        }
    }
}
