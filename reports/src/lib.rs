//! Sinks of run events: JSON lines (the truth), JUnit, pcapng; and results for publication.
//!
//! Everything is written as cases finish: an interrupted run leaves what it had, and its
//! `events.jsonl` has no footer.

mod jsonl;
mod junit;
mod pcapng;
pub mod published;
mod text;

pub use jsonl::JsonLines;
pub use junit::Junit;
pub use pcapng::{capture_name, write_capture};
pub use text::clean;

use harness_run::RunEvent;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// Requirement sentences by id, for the reports.
pub type Sentences = BTreeMap<String, String>;

/// All sinks under one report directory.
#[derive(Debug)]
pub struct Reports {
    directory: PathBuf,
    jsonl: JsonLines,
    junit: Junit,
}

impl Reports {
    /// Opens a report directory, making it where it isn't there. Files of an earlier run in it are
    /// replaced.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn open(directory: &Path, sentences: Sentences) -> io::Result<Self> {
        let captures = directory.join("captures");
        if captures.is_dir() {
            std::fs::remove_dir_all(&captures)?;
        }
        std::fs::create_dir_all(&captures)?;
        let jsonl = JsonLines::create(&directory.join("events.jsonl"))?;
        let junit = Junit::new(directory.join("junit.xml"), sentences);
        Ok(Self {
            directory: directory.to_path_buf(),
            jsonl,
            junit,
        })
    }

    /// Takes an event.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn event(&mut self, event: &RunEvent) -> io::Result<()> {
        if let RunEvent::CaseFinished(result) = event {
            write_capture(&self.directory, result)?;
        }
        self.jsonl.event(event)?;
        self.junit.event(event)
    }
}
