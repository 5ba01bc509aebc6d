//! `tandem explain`: one requirement, why it matters, how it is checked and what breaks it.

use crate::args::{Args, code};
use crate::run::catalogue;
use crate::terminal::Terminal;
use clap::Args as ClapArgs;
use harness_defects::all;
use harness_suite::{Catalogue, ExpandedCase, Requirement};

/// Longer lines are hard to read, however wide the terminal.
const WIDEST: usize = 100;
/// The names of the first facts stand in a column.
const NAMES: usize = 11;

/// `tandem explain`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Explain {
    /// A requirement's id, as `LACP-055`.
    id: String,
}

/// Text for a terminal of some width.
struct Page<'a> {
    terminal: &'a Terminal,
    width: usize,
}

impl Page<'_> {
    /// A paragraph, its first line after `first` and the others below it.
    fn paragraph(&self, first: &str, rest: usize, text: &str) {
        let below = " ".repeat(rest);
        let options = textwrap::Options::new(self.width)
            .initial_indent(first)
            .subsequent_indent(&below)
            .break_words(false)
            .word_splitter(textwrap::WordSplitter::NoHyphenation);
        for line in textwrap::wrap(text, options) {
            self.terminal.line(&line);
        }
    }

    fn heading(&self, text: &str) {
        self.terminal
            .line(&format!("\n{}", self.terminal.paint("1", text)));
    }

    fn fact(&self, name: &str, text: &str) {
        self.paragraph(&format!("  {name:<NAMES$}"), NAMES + 2, text);
    }

    /// A name on a line of its own, with what it means below.
    fn entry(&self, name: &str, text: &str) {
        let name = self.terminal.paint("36", name);
        self.terminal.line(&format!("  {name}"));
        self.paragraph("      ", 6, text);
    }
}

pub(crate) fn explain(args: &Args, explain: &Explain) -> u8 {
    let terminal = Terminal::new();
    let Some(catalogue) = catalogue(args, &terminal) else {
        return code::USAGE;
    };
    let wanted = explain.id.to_uppercase();
    let Some(requirement) = catalogue.requirements.get(&wanted) else {
        terminal.complain(&unknown(&catalogue, &wanted));
        return code::USAGE;
    };
    let page = Page {
        terminal: &terminal,
        width: textwrap::termwidth().min(WIDEST),
    };
    terminal.line(&terminal.paint("1", &wanted));
    page.paragraph("  ", 2, &requirement.text);
    facts(&page, requirement);
    if let Some(why) = &requirement.why {
        page.heading("Why it matters");
        page.paragraph("  ", 2, why);
    }
    if !requirement.field.is_empty() {
        page.heading("In the field");
        for sentence in &requirement.field {
            page.paragraph("  - ", 4, sentence);
        }
    }
    cases(&page, &catalogue, requirement);
    defects(&page, requirement);
    code::OK
}

/// The complaint about an id that doesn't exist.
fn unknown(catalogue: &Catalogue, wanted: &str) -> String {
    let prefix = wanted.split('-').next();
    let mut near = catalogue
        .requirements
        .keys()
        .filter(|id| id.split('-').next() == prefix);
    let first = near.next();
    let known = match (first, near.next_back().or(first)) {
        (Some(first), Some(last)) => format!("there are {first} to {last}"),
        _ => "there are LACP, MLD, PROXY, SNOOP, ETRUNK, RBS and BACKUP ids".to_owned(),
    };
    format!("no requirement `{wanted}`: {known}")
}

/// Where it stands, how strong it is, where it is seen and what it rests on.
fn facts(page: &Page<'_>, requirement: &Requirement) {
    page.terminal.line("");
    let clause = if requirement.clause == "none" {
        "in no document"
    } else {
        &requirement.clause
    };
    page.fact("Clause", clause);
    let others: Vec<String> = requirement
        .editions
        .iter()
        .map(|(edition, clause)| format!("{edition} {clause}"))
        .collect();
    if !others.is_empty() {
        page.fact("", &format!("also {}", others.join("; ")));
    }
    page.fact("Level", level(&requirement.level));
    page.fact("Seen", &requirement.visible.to_string());
    page.fact("Rests on", &requirement.evidence.to_string());
}

/// A level as a reader without the catalogue's words understands it.
fn level(level: &str) -> &str {
    match level {
        "desc" => "stated as a fact by the text, and binding",
        "robustness" => "robustness: no text demands it, and every device should have it",
        "vendor" => "described by the vendor",
        "ours" => "ours: no document demands it",
        other => other,
    }
}

/// The cases that verify it, or why there are none.
fn cases(page: &Page<'_>, catalogue: &Catalogue, requirement: &Requirement) {
    let mut found: Vec<(&str, &ExpandedCase, usize)> = Vec::new();
    for case in &catalogue.cases {
        if !case.verifies.contains(&requirement.id) {
            continue;
        }
        let id = case.written_id();
        match found.last_mut() {
            Some((last, _, variants)) if *last == id => *variants += 1,
            _ => {
                found.push((id, case, 1));
            }
        }
    }
    if found.is_empty() {
        page.heading("Cases: none");
        let reason = requirement
            .exception
            .as_ref()
            .map_or("Planned: none has been written yet.", |exception| {
                exception.reason.as_str()
            });
        page.paragraph("  ", 2, reason);
        return;
    }
    page.heading(&format!("Cases ({})", found.len()));
    for (id, case, variants) in found {
        let mut name = id.to_owned();
        if case.negative {
            name.push_str(", negative");
        }
        if variants > 1 {
            name.push_str(&format!(", {variants} variants"));
        }
        page.entry(&name, &sentence(&case.title));
    }
}

/// A phrase of the catalogue or the defects as a sentence.
fn sentence(phrase: &str) -> String {
    let mut characters = phrase.chars();
    let first = characters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(characters).chain(['.']).collect()
}

/// The seeded defects that break it.
fn defects(page: &Page<'_>, requirement: &Requirement) {
    let mut breaking = all();
    breaking.retain(|defect| defect.breaks.contains(&requirement.id.as_str()));
    if breaking.is_empty() {
        return;
    }
    page.heading(&format!(
        "Seeded defects that break it ({})",
        breaking.len()
    ));
    for defect in breaking {
        let mut text = sentence(defect.what);
        if !defect.seen.is_empty() {
            text.push_str(&format!(" Seen: {}.", defect.seen));
        }
        page.entry(defect.id, &text);
    }
}
