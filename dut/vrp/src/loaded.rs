//! A configuration that was accepted, and where each of its lines stands.

use crate::config::Config;
use crate::diagnostic::Notice;
use std::fmt;

/// What [`crate::parse()`] gives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Lines that were loaded and have no effect, or need a word.
    pub notices: Vec<Notice>,
    /// The accepted lines, in order.
    pub lines: Vec<Line>,
}

/// An accepted line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The view that the command belongs to: empty for the system view, else the line that opens
    /// the view, normalised: `e-trunk 1`, `interface Eth-Trunk1`.
    pub view: String,
    /// The command's keywords without its arguments, as `peer-ipv6 source-ipv6`; empty for the line
    /// that opens the view.
    pub command: String,
    /// The line without its indentation.
    pub text: String,
    /// Where it stands.
    pub place: Place,
    /// First character, from 1.
    pub column: usize,
    /// How many characters.
    pub length: usize,
}

/// A file and a line in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file's name.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl Loaded {
    /// The last line with this command in this view: the one that counts.
    #[must_use]
    pub fn line(&self, view: &str, command: &str) -> Option<&Line> {
        find(&self.lines, view, command)
    }

    /// Where a command of a view stands; where it isn't given, the line that opens the view; where
    /// there is no such view, the first line of all. `None` when nothing was loaded.
    #[must_use]
    pub fn place(&self, view: &str, command: &str) -> Option<Place> {
        self.line(view, command)
            .or_else(|| self.line(view, ""))
            .or_else(|| self.lines.first())
            .map(|line| line.place.clone())
    }
}

pub(crate) fn find<'a>(lines: &'a [Line], view: &str, command: &str) -> Option<&'a Line> {
    lines
        .iter()
        .rev()
        .find(|line| line.view.eq_ignore_ascii_case(view) && line.command == command)
}
