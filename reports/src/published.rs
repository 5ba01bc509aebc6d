//! A device's results for publication: a run's report, and what a person says of each failure.
//!
//! A published folder holds `README.md`, which is made from the other files and never edited;
//! `events.jsonl`, the run's events as far as the page needs them; `notes.yaml`; and one capture a
//! cause, from which anybody can judge its case again. The folder is itself a report that
//! [`Published::read`] takes.

mod notes;
mod page;

pub use notes::{Cause, Confirmation, Notes};

use harness_judge::{Finding, Verdict};
use harness_run::{Footer, Header};
use harness_suite::Requirement;
use harness_trace::read_capture;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The requirements by id, whose sentences the page shows.
pub type Requirements = BTreeMap<String, Requirement>;

/// A published capture is no larger, octets.
const LARGEST: usize = 256 << 10;

/// One case of the run, as `events.jsonl` has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The requirements that it verifies.
    pub verifies: Vec<String>,
    /// Its verdict.
    pub verdict: Verdict,
    /// Why it isn't pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<Finding>,
    /// Number of the deciding frame in its capture, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame: Option<usize>,
    /// That frame in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shows: Option<String>,
    /// Its capture, relative to the report.
    pub capture: String,
}

/// A line of `events.jsonl`; other kinds of lines are of no use here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    Header(Header),
    Case(Box<Case>),
    Classification(serde_json::Value),
    Footer(Footer),
}

/// What is to be published.
#[derive(Debug)]
pub struct Published {
    header: Header,
    /// In the order of their ids.
    cases: Vec<Case>,
    footer: Footer,
    notes: Notes,
    /// `notes.yaml` as it was written.
    notes_text: String,
    /// The captures of the confirmed cases, by path in the folder.
    captures: BTreeMap<String, Vec<u8>>,
}

fn text_of(path: &Path) -> Result<String, Vec<String>> {
    fs::read_to_string(path).map_err(|error| vec![format!("{}: {error}", path.display())])
}

impl Published {
    /// A run's report with the notes on its failures.
    ///
    /// # Errors
    /// Everything that keeps it from being published: what can't be read, an incomplete run or one
    /// of no device, a failed case without a cause, a note on a case that didn't fail, a cause
    /// whose frame isn't in the capture of its case.
    pub fn read(report: &Path, notes: &Path) -> Result<Self, Vec<String>> {
        let path = report.join("events.jsonl");
        let (mut header, mut footer, mut cases) = (None, None, Vec::new());
        for (number, line) in text_of(&path)?.lines().enumerate() {
            let parsed = serde_json::from_str(line);
            match parsed
                .map_err(|error| vec![format!("{}:{}: {error}", path.display(), number + 1)])?
            {
                Line::Header(found) => header = Some(found),
                Line::Footer(found) => footer = Some(found),
                Line::Case(case) => cases.push(*case),
                Line::Classification(_) => {}
            }
        }
        let incomplete = || vec![format!("{}: the run is incomplete", path.display())];
        let header: Header = header.ok_or_else(incomplete)?;
        let footer: Footer = footer
            .filter(|f: &Footer| f.complete)
            .ok_or_else(incomplete)?;
        if header.subject.is_none() {
            return Err(vec![format!(
                "{}: a run of no device on wires",
                path.display()
            )]);
        }
        cases.sort_by(|a, b| a.id.cmp(&b.id));
        for case in cases
            .iter_mut()
            .filter(|case| case.verdict == Verdict::Blocked)
        {
            // It may speak of a crash, which isn't published.
            case.finding = None;
        }
        let notes_text = text_of(notes)?;
        let parsed = serde_saphyr::from_str(&notes_text);
        let notes: Notes = parsed.map_err(|error| vec![format!("{}: {error}", notes.display())])?;
        let mut wrong = notes.mistakes(&cases);
        let mut captures = BTreeMap::new();
        for cause in &notes.causes {
            let confirmed = cases.iter().find(|case| case.id == cause.confirmed.case);
            let Some(case) = confirmed else { continue };
            match capture(report, case, cause.confirmed.frame) {
                Ok(octets) => drop(captures.insert(case.capture.clone(), octets)),
                Err(why) => wrong.push(format!("cause `{}`: {why}", cause.title)),
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        Ok(Self {
            header,
            cases,
            footer,
            notes,
            notes_text,
            captures,
        })
    }

    /// How many cases the run had, and how many of them failed.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        let failed = self
            .cases
            .iter()
            .filter(|case| case.verdict == Verdict::Fail);
        (self.cases.len(), failed.count())
    }

    /// Every file of the folder but the captures, by name.
    fn texts(&self, requirements: &Requirements) -> BTreeMap<&'static str, String> {
        let lines = std::iter::once(Line::Header(self.header.clone()))
            .chain(self.cases.iter().cloned().map(Box::new).map(Line::Case))
            .chain([Line::Footer(self.footer.clone())]);
        // All of it is plain data with text keys: it serializes.
        let lines = lines.map(|line| serde_json::to_string(&line).unwrap_or_default() + "\n");
        BTreeMap::from([
            ("README.md", page::page(self, requirements)),
            ("events.jsonl", lines.collect()),
            ("notes.yaml", self.notes_text.clone()),
        ])
    }

    /// Writes the folder; what an earlier publication left in it is replaced.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, folder: &Path, requirements: &Requirements) -> std::io::Result<()> {
        let captures = folder.join("captures");
        if captures.is_dir() {
            fs::remove_dir_all(&captures)?;
        }
        fs::create_dir_all(&captures)?;
        for (path, octets) in &self.captures {
            fs::write(folder.join(path), octets)?;
        }
        for (name, text) in self.texts(requirements) {
            fs::write(folder.join(name), text)?;
        }
        Ok(())
    }
}

/// A case's capture, which must be small and have that frame.
fn capture(report: &Path, case: &Case, frame: usize) -> Result<Vec<u8>, String> {
    let path = report.join(&case.capture);
    let octets = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    if octets.len() > LARGEST {
        let (size, most) = (octets.len(), LARGEST);
        let what = format!("{} has {size} octets, more than {most}", path.display());
        return Err(format!("{what}: confirm it by a shorter case"));
    }
    let trace = read_capture(&octets).map_err(|error| format!("{}: {error}", path.display()))?;
    let frames = trace.frames().count();
    if frame == 0 || frame > frames {
        let what = format!("{} has frames 1 to {frames}", path.display());
        return Err(format!("{what}, and no frame {frame}"));
    }
    Ok(octets)
}

/// What is wrong with a published folder; nothing when it is what publishing its own report writes.
///
/// # Errors
/// What keeps its report from being published.
pub fn mistakes(folder: &Path, requirements: &Requirements) -> Result<Vec<String>, Vec<String>> {
    let published = Published::read(folder, &folder.join("notes.yaml"))?;
    let mut wrong = Vec::new();
    for (name, expected) in published.texts(requirements) {
        let path = folder.join(name);
        if fs::read_to_string(&path).ok() != Some(expected) {
            wrong.push(format!(
                "{}: not as its report and notes make it",
                path.display()
            ));
        }
    }
    let entries = fs::read_dir(folder.join("captures"))
        .into_iter()
        .flatten()
        .flatten();
    for path in entries.map(|entry| entry.path()) {
        let known = |name: &String| folder.join(name) == path;
        if !published.captures.keys().any(known) {
            wrong.push(format!("{}: no cause is confirmed by it", path.display()));
        }
    }
    Ok(wrong)
}

/// The captures of a published folder.
#[must_use]
pub fn captures(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join("captures"))
        .into_iter()
        .flatten()
        .flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}
