//! `tandem check A.cfg B.cfg`: what makes a pair fail, from its configuration files.

use crate::args::code;
use crate::terminal::Terminal;
use clap::Args as ClapArgs;
use dut_vrp::{Election, Intent, Loaded, Severity, Side, network_check, pair_check, parse, render};
use std::path::{Path, PathBuf};

/// `tandem check`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Check {
    /// The pair's two files, the intended master's first, then others of the network.
    #[arg(required = true, num_args = 2..)]
    files: Vec<PathBuf>,
    /// The rule that the larger E-Trunk priority wins.
    #[arg(long)]
    larger_wins: bool,
    /// List commands that are known but have no effect yet.
    #[arg(long, short)]
    verbose: bool,
}

fn read(terminal: &Terminal, path: &Path) -> Option<Loaded> {
    let name = path.display().to_string();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            terminal.complain(&format!("{name}: {error}"));
            return None;
        }
    };
    let files = [(name, text)];
    match parse(&files) {
        Ok(loaded) => Some(loaded),
        Err(diagnostics) => {
            terminal.complain(&render(&diagnostics, &files, terminal.colored()));
            None
        }
    }
}

/// Exit code 0 when no error is found, 1 when one is, 2 when a file doesn't load.
pub(crate) fn check(check: &Check) -> u8 {
    let terminal = Terminal::new();
    let loaded: Vec<Option<Loaded>> = check
        .files
        .iter()
        .map(|path| read(&terminal, path))
        .collect();
    let Some(loaded) = loaded.into_iter().collect::<Option<Vec<Loaded>>>() else {
        return code::USAGE;
    };
    if check.verbose {
        for notice in loaded.iter().flat_map(|loaded| &loaded.notices) {
            terminal.line(&format!("{notice}"));
        }
    }
    let [a, b, ..] = loaded.as_slice() else {
        return code::USAGE;
    };
    let election = if check.larger_wins {
        Election::LargerWins
    } else {
        Election::SmallerWins
    };
    let intent = Intent {
        master: Side::A,
        election,
    };
    let mut warnings = pair_check(a, b, Some(intent));
    let names: Vec<String> = check
        .files
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let network: Vec<(&str, &Loaded)> = names
        .iter()
        .map(String::as_str)
        .zip(loaded.iter())
        .collect();
    warnings.extend(network_check(&network));
    let mut errors = 0;
    for warning in &warnings {
        let code = match warning.severity {
            Severity::Error => "31;1",
            Severity::Warning => "33",
            Severity::Note => "2",
        };
        errors += usize::from(warning.severity == Severity::Error);
        terminal.line(&terminal.paint(code, &warning.to_string()));
    }
    terminal.line(&format!("{errors} errors, {} findings", warnings.len()));
    if errors > 0 { code::FAILED } else { code::OK }
}
