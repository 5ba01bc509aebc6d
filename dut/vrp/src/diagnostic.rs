//! What a load reports: errors with their place, and notices of what has no effect.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use std::fmt;

/// An error in a configuration file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct Diagnostic {
    /// The file's name, as given to [`crate::parse()`].
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// First character, from 1.
    pub column: usize,
    /// How many characters.
    pub length: usize,
    /// What is wrong.
    pub message: String,
    /// What would be accepted there: the nearest commands, as usage lines.
    pub accepted: Vec<String>,
}

/// Why a line is pointed out although it was loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoticeKind {
    /// The command is known and does nothing in this version.
    NoEffectYet,
    /// The command does nothing in this configuration.
    Inert,
    /// The key is a ciphertext that can't be read.
    OpaqueKey,
}

impl fmt::Display for NoticeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoEffectYet => "no effect yet",
            Self::Inert => "inert",
            Self::OpaqueKey => "opaque key",
        })
    }
}

/// A line that was loaded and needs a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Why.
    pub kind: NoticeKind,
    /// The file's name.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// The command as it stands there.
    pub text: String,
    /// The reason, in words.
    pub reason: String,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            file,
            line,
            text,
            reason,
        } = self;
        write!(f, "{file}:{line}: {kind}: `{text}`: {reason}")
    }
}

/// Prints the errors as rustc prints its own, each with its source line; `files` are those that were
/// given to [`crate::parse()`]. Without `color`, plain text.
#[must_use]
pub fn render(diagnostics: &[Diagnostic], files: &[(String, String)], color: bool) -> String {
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let reports: Vec<String> = diagnostics
        .iter()
        .map(|diagnostic| renderer.render(&[group(diagnostic, files)]))
        .collect();
    reports.join("\n\n")
}

fn group<'a>(diagnostic: &'a Diagnostic, files: &'a [(String, String)]) -> Group<'a> {
    let title = Level::ERROR.primary_title(clean(&diagnostic.message));
    let source = files
        .iter()
        .find(|(name, _)| *name == diagnostic.file)
        .and_then(|(_, text)| text.lines().nth(diagnostic.line.saturating_sub(1)))
        .unwrap_or_default();
    let offset = |characters: usize| {
        source
            .char_indices()
            .nth(characters)
            .map_or(source.len(), |(at, _)| at)
    };
    let first = diagnostic.column.saturating_sub(1);
    let span = offset(first)..offset(first.saturating_add(diagnostic.length));
    let snippet = Snippet::source(source)
        .line_start(diagnostic.line)
        .path(diagnostic.file.as_str())
        .annotation(AnnotationKind::Primary.span(span));
    let mut group = title.element(snippet);
    for usage in &diagnostic.accepted {
        group = group.element(Level::HELP.message(format!("accepted: {usage}")));
    }
    group
}

/// Without control characters, which a file may hold and a terminal would obey.
fn clean(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}
