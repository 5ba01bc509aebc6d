//! `events.jsonl`: header, cases, footer. The source of truth; other reports derive from the same
//! events.

use crate::pcapng::capture_name;
use harness_run::{CaseResult, RunEvent};
use harness_trace::Record;
use harness_wire::summary;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Writes one JSON object a line, flushed after each.
#[derive(Debug)]
pub struct JsonLines {
    out: BufWriter<File>,
}

impl JsonLines {
    /// Creates the file.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn create(path: &Path) -> io::Result<Self> {
        Ok(Self {
            out: BufWriter::new(File::create(path)?),
        })
    }

    /// Takes an event. Wall-clock data stands in the header only: all other lines of two runs of
    /// one seed are equal to the byte.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn event(&mut self, event: &RunEvent) -> io::Result<()> {
        let line = match event {
            RunEvent::Started(header) => json!({"header": header}),
            RunEvent::Classified(told) => json!({"classification": told}),
            RunEvent::CaseStarted { .. } => return Ok(()),
            RunEvent::CaseFinished(result) => case(result),
            RunEvent::Finished(footer) => json!({"footer": footer}),
        };
        writeln!(self.out, "{line}")?;
        self.out.flush()
    }
}

fn case(result: &CaseResult) -> Value {
    let premises: serde_json::Map<String, Value> = result
        .invariants
        .iter()
        .map(|report| {
            (
                format!("{} {}", report.requirement, report.name),
                report.premises.into(),
            )
        })
        .collect();
    let frame = result
        .record
        .and_then(|record| result.trace.frame_number(record));
    let shown = result
        .record
        .and_then(|record| result.trace.records.get(record));
    let shows = match shown {
        Some(Record::Frame(frame)) if result.finding.is_some() => Some(summary(&frame.octets)),
        Some(Record::Frame(_) | Record::Note { .. }) | None => None,
    };
    json!({"case": {
        "id": result.case.id,
        "title": result.case.title,
        "verifies": result.case.verifies,
        "negative": result.case.negative,
        "observers": result.case.observers,
        "testbed": result.case.testbed,
        "file": result.case.file,
        "verdict": result.verdict,
        "finding": result.finding,
        "judged": result.judged,
        "frame": frame,
        "shows": shows,
        "invariants": premises,
        "remarks": result.remarks,
        "classes": result.classes,
        "virtual_ms": u64::try_from(result.virtual_time.as_millis()).unwrap_or(u64::MAX),
        "seed": result.seed,
        "capture": format!("captures/{}", capture_name(&result.case.id)),
    }})
}
