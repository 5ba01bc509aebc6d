//! Reading the files: views, indentation and `#` as the vendor writes them.
//!
//! A line at the left margin belongs to the system view and may open another; an indented line
//! belongs to the view that is open. `#` at the margin closes the view, an indented `#` separates
//! within it; what follows a `#` is a remark. `return` ends a file.

use crate::builder::{Builder, Problem, View};
use crate::commands::{self, Effect};
use crate::diagnostic::{Diagnostic, NoticeKind};
use crate::grammar::{self, Mismatch, Part, Token, Why};
use crate::loaded::{Line, Loaded, Place};
use crate::{check, config};
use std::cmp::Reverse;

/// How many commands an error offers at most.
const OFFERS: usize = 5;

/// Loads a device's configuration: its own file first, then fragments that are merged into it.
/// `files` holds name and text of each.
///
/// # Errors
/// Everything that is wrong in any of the files, in their order; nothing is half applied.
pub fn parse(files: &[(String, String)]) -> Result<Loaded, Vec<Diagnostic>> {
    let mut builder = Builder::default();
    for (name, text) in files {
        read(&mut builder, name, text);
    }
    check::finish(&mut builder);
    let order = |name: &str| files.iter().position(|(file, _)| file == name);
    if builder.diagnostics.is_empty() {
        builder
            .notices
            .sort_by_key(|notice| (order(&notice.file), notice.line));
        return Ok(Loaded {
            config: builder.config,
            notices: builder.notices,
            lines: builder.lines,
        });
    }
    builder
        .diagnostics
        .sort_by_key(|found| (order(&found.file), found.line, found.column));
    builder.diagnostics.dedup();
    Err(builder.diagnostics)
}

fn read(b: &mut Builder, file: &str, text: &str) {
    b.open(View::System);
    // Whether the line that should have opened a view was refused: its lines are passed over.
    let mut lost = false;
    let mut returned = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.strip_prefix('\u{feff}').unwrap_or(line);
        let place = Place {
            file: file.to_owned(),
            line: index + 1,
        };
        let tokens = grammar::tokens(line);
        let Some(first) = tokens.first() else {
            continue;
        };
        let indented = first.start > 0;
        if !indented {
            b.open(View::System);
            lost = false;
        }
        if first.text.starts_with('#') {
            continue;
        }
        let whole = whole(&tokens);
        if returned {
            let message = "nothing is read after `return`".to_owned();
            b.error_at(&place, &whole, message, Vec::new());
            return;
        }
        if !indented && whole.text.eq_ignore_ascii_case("return") {
            returned = true;
        } else if !indented {
            lost = !command(b, &place, &tokens);
        } else if b.view == View::System {
            if !lost {
                let message = "an indented line, and no view is open".to_owned();
                b.error_at(&place, &whole, message, Vec::new());
            }
        } else {
            command(b, &place, &tokens);
        }
    }
    b.open(View::System);
}

/// The whole line as one token.
fn whole(tokens: &[Token]) -> Token {
    let start = tokens.first().map_or(0, |token| token.start);
    let end = tokens
        .last()
        .map_or(start, |token| token.start + token.length);
    let texts: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
    Token {
        text: texts.join(" "),
        start,
        length: end - start,
    }
}

/// Carries a line out in the view that is open. Whether it was accepted.
fn command(b: &mut Builder, place: &Place, tokens: &[Token]) -> bool {
    let (_, tables) = commands::tables(&b.view);
    for command in tables.iter().copied().flatten() {
        let Ok(args) = grammar::matches(command.parts, tokens) else {
            continue;
        };
        let whole = whole(tokens);
        let view = b.view.clone();
        b.lines.push(Line {
            view: view.name(),
            command: grammar::keywords(command.parts),
            text: whole.text.clone(),
            place: place.clone(),
            column: whole.start + 1,
            length: whole.length,
        });
        if let Err(problem) = (command.run)(b, &args) {
            b.lines.pop();
            let Problem {
                argument,
                message,
                accepted,
            } = problem;
            let token = argument.and_then(|at| args.token(at)).unwrap_or(&whole);
            b.error_at(place, token, message, accepted);
            return false;
        }
        let opened = (b.view != view).then(|| b.view.name());
        if let (Some(view), Some(line)) = (opened, b.lines.last_mut()) {
            line.view = view;
            line.command = String::new();
        }
        if let Effect::NotYet(reason) = command.effect {
            b.notice(NoticeKind::NoEffectYet, reason);
        }
        return true;
    }
    refuse(b, place, tokens);
    false
}

/// Characters of a refused line that are compared with the commands.
const COMPARED: usize = 80;

/// Says why the line is no command of the view that is open.
fn refuse(b: &mut Builder, place: &Place, tokens: &[Token]) {
    let (view, tables) = commands::tables(&b.view);
    let whole = whole(tokens);
    let homes: Vec<&str> = commands::ALL
        .iter()
        .filter(|(_, tables)| {
            (tables.iter().copied().flatten())
                .any(|command| grammar::matches(command.parts, tokens).is_ok())
        })
        .map(|(name, _)| *name)
        .collect();
    let mut misses: Vec<(Mismatch, &[Part])> = tables
        .iter()
        .copied()
        .flatten()
        .filter_map(|command| {
            Some((
                grammar::matches(command.parts, tokens).err()?,
                command.parts,
            ))
        })
        .collect();
    // As many characters of the line as the longest command has, or distances would take time by
    // the square of whatever somebody typed.
    let typed: String = whole.text.to_lowercase().chars().take(COMPARED).collect();
    let first = tokens.first().map_or("", |token| token.text.as_str());
    let first: String = first.chars().take(COMPARED).collect();
    let similar = |parts: &[Part]| {
        let keywords = grammar::keywords(parts);
        let keyword = keywords.split(' ').next().unwrap_or_default();
        let of_first = strsim::damerau_levenshtein(&first, keyword);
        (of_first, strsim::damerau_levenshtein(&typed, &keywords))
    };
    let fitting = misses.iter().map(|(miss, _)| miss.fitting).max();
    let fitting = fitting.unwrap_or(0);
    misses.sort_by_cached_key(|(miss, parts)| {
        // Only those that fit best are offered.
        let similar = (miss.fitting == fitting).then(|| similar(parts));
        (Reverse(miss.fitting), Reverse(miss.why.clone()), similar)
    });
    let best = misses.first().map(|(miss, _)| miss.clone());
    let accepted = misses
        .iter()
        .filter(|(miss, _)| miss.fitting == fitting)
        .take(OFFERS)
        .map(|(_, parts)| grammar::usage(parts))
        .collect();
    if !homes.is_empty() {
        let message = format!(
            "`{}` belongs to the {} view, not to the {view} view",
            whole.text,
            homes.join(" or the ")
        );
        b.error_at(place, &whole, message, accepted);
        return;
    }
    let (token, message) = explain(best, tokens, &whole, view);
    b.error_at(place, &token, message, accepted);
}

fn explain(best: Option<Mismatch>, tokens: &[Token], whole: &Token, view: &str) -> (Token, String) {
    let unknown = || {
        let first = tokens.first().map_or("", |token| token.text.as_str());
        let message = format!("unknown command `{first}` in the {view} view");
        (tokens.first().unwrap_or(whole).clone(), message)
    };
    let Some(miss) = best.filter(|miss| miss.fitting > 0) else {
        return unknown();
    };
    let token = tokens.get(miss.fitting).cloned().unwrap_or(Token {
        text: String::new(),
        start: whole.start + whole.length,
        length: 1,
    });
    let message = match miss.why {
        Why::Word => format!("`{}` isn't expected here", token.text),
        Why::TooLong => format!("the command ends before `{}`", token.text),
        Why::TooShort => "the command isn't complete".to_owned(),
        Why::Value(message) => message,
    };
    (token, message)
}

impl Loaded {
    /// The configuration's interface of this name.
    #[must_use]
    pub fn interface(&self, name: &str) -> Option<&config::Interface> {
        self.config
            .interfaces
            .iter()
            .find(|interface| interface.name == name)
    }
}
