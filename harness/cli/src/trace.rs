//! `tandem trace`: requirement × cases × defects, and which case kills which defect.

use crate::args::{Args, code};
use crate::run::{catalogue, parse_seed};
use crate::terminal::Terminal;
use clap::Args as ClapArgs;
use harness_defects::{Kill, all, kill};
use harness_suite::{Catalogue, Requirement};
use indicatif::ProgressBar;
use std::collections::BTreeMap;

/// `tandem trace`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Trace {
    /// Suites to look at; all that have defects when none is given.
    suite: Vec<String>,
    /// The seed of every run.
    #[arg(long, default_value_t = 1, value_parser = parse_seed)]
    seed: u64,
    /// Defects side by side (default: one a processor).
    #[arg(long)]
    jobs: Option<usize>,
    /// Every case that kills a defect, not the first alone.
    #[arg(long, short)]
    verbose: bool,
}

/// Whether a requirement's level makes a hole in it a failure.
fn mandatory(requirement: &Requirement) -> bool {
    ["shall", "MUST", "MUST NOT", "desc", "vendor", "ours"].contains(&requirement.level.as_str())
}

pub(crate) fn trace(args: &Args, trace: &Trace) -> u8 {
    let terminal = Terminal::new();
    let Some(catalogue) = catalogue(args, &terminal) else {
        return code::USAGE;
    };
    let wanted = |suite: &str| trace.suite.is_empty() || trace.suite.iter().any(|s| s == suite);
    let defects: Vec<_> = all()
        .into_iter()
        .filter(|defect| wanted(defect.suite))
        .collect();
    let suites: Vec<&str> = {
        let mut suites: Vec<&str> = defects.iter().map(|defect| defect.suite).collect();
        suites.dedup();
        suites
    };
    if defects.is_empty() {
        terminal.complain("no defects are seeded for these suites");
        return code::NOTHING;
    }
    let jobs = trace
        .jobs
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get));
    // One case settles a defect; only who asks for all of them waits for the whole matrix.
    let enough = if trace.verbose { usize::MAX } else { 1 };
    let bar = ProgressBar::new(u64::try_from(defects.len()).unwrap_or(u64::MAX));
    let kills = kill(
        &defects,
        &catalogue,
        trace.seed,
        enough,
        jobs,
        &mut |done| {
            bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
        },
    );
    bar.finish_and_clear();
    let survivors = print_kills(&terminal, &kills);
    let holes = print_requirements(&terminal, &catalogue, &kills, &suites);
    let killed = kills
        .iter()
        .filter(|kill| !kill.killed_by.is_empty())
        .count();
    terminal.line(&format!(
        "{} defects, {killed} killed, {} survive for a written reason, {survivors} survive \
         without one; {holes} mandatory requirements without a case",
        kills.len(),
        kills.len() - killed - survivors,
    ));
    if survivors + holes > 0 {
        code::FAILED
    } else {
        code::OK
    }
}

/// The kill matrix; how many survive without a reason.
fn print_kills(terminal: &Terminal, kills: &[Kill]) -> usize {
    let mut survivors = 0;
    for kill in kills {
        let defect = &kill.defect;
        let (state, by) = match (kill.killed_by.as_slice(), defect.survives) {
            ([], "") => {
                survivors += 1;
                (
                    terminal.paint("31;1", "SURVIVES"),
                    "no case kills it".to_owned(),
                )
            }
            ([], reason) => (terminal.paint("33", "survives"), reason.to_owned()),
            (killed_by, _) => (terminal.paint("32", "killed"), killed_by.join(", ")),
        };
        terminal.line(&format!("{state:<10} {:<34} {}", defect.id, defect.what));
        terminal.line(&format!("{:11}{} by {by}", "", defect.breaks.join(" ")));
    }
    survivors
}

/// The suite that a requirement is of, by its id: those of MLD's other devices are MLD's.
fn suite_of(id: &str) -> String {
    match id.split('-').next().unwrap_or_default() {
        "PROXY" | "SNOOP" => "mld".to_owned(),
        prefix => prefix.to_lowercase(),
    }
}

/// One line a requirement of these suites; how many mandatory ones have neither case nor exception.
fn print_requirements(
    terminal: &Terminal,
    catalogue: &Catalogue,
    kills: &[Kill],
    suites: &[&str],
) -> usize {
    let mut cases: BTreeMap<&str, usize> = BTreeMap::new();
    for case in catalogue.cases.iter().flat_map(|case| &case.verifies) {
        *cases.entry(case).or_insert(0) += 1;
    }
    let mut holes = 0;
    for requirement in catalogue.requirements.values() {
        if !suites.contains(&suite_of(&requirement.id).as_str()) {
            continue;
        }
        let count = cases.get(requirement.id.as_str()).copied().unwrap_or(0);
        let of_it = |kill: &&Kill| kill.defect.breaks.contains(&requirement.id.as_str());
        let defects = kills.iter().filter(of_it).count();
        let state = match (&requirement.exception, count) {
            (Some(exception), 0) => format!("exception: {}", exception.reason),
            (_, 0) if mandatory(requirement) => {
                holes += 1;
                terminal.paint("31;1", "NO CASE")
            }
            (_, 0) => "no case".to_owned(),
            (_, n) => format!("{n} cases"),
        };
        terminal.line(&format!(
            "{} {:<10} {defects} defects  {state}",
            requirement.id, requirement.level
        ));
    }
    holes
}
