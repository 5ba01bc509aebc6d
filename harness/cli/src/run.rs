//! `tandem run` and `tandem list`.

use crate::args::{Args, SUITES, code};
use crate::factory;
use crate::terminal::Terminal;
use clap::Args as ClapArgs;
use dut_device::Event;
use harness_judge::Verdict;
use harness_run::{CaseResult, Footer, Options, RunEvent};
use harness_sim::LogLine;
use harness_suite::{Catalogue, ExpandedCase, load_profile};
use indicatif::{ProgressBar, ProgressStyle};
use reports::Reports;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// `tandem run`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Run {
    /// Suites, id prefixes or parts of ids; all cases when none is given.
    filter: Vec<String>,
    /// What the device is: a profile of the testbed, as `rfc9777`; other testbeds stay as they are.
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Where the reports go.
    #[arg(long, value_name = "DIR", default_value = "tandem-report")]
    report: PathBuf,
    /// The seed from which everything random comes.
    #[arg(long, default_value_t = 1, value_parser = parse_seed)]
    seed: u64,
    /// Cases side by side (default: one a processor; on a testbed of a device on wires, where most
    /// cases wait, eight beds).
    #[arg(long)]
    jobs: Option<usize>,
    /// A testbed of a device on wires: its name, or its file.
    #[cfg(feature = "live")]
    #[arg(long, value_name = "NAME")]
    pub(crate) testbed: Option<String>,
    /// By which clock a device on wires runs: its own, moved by the run where the testbed says how
    /// (`virtual`, the default there), or the wall clock (`real`).
    #[cfg(feature = "live")]
    #[arg(long, value_name = "CLOCK", value_parser = ["virtual", "real"])]
    pub(crate) clock: Option<String>,
    /// An interface of a testbed whose links are there: `p1@eth1`, or `0-1@eth1` as PTF counts its
    /// ports.
    #[cfg(feature = "live")]
    #[arg(short = 'i', long = "interface", value_name = "PORT@IFACE")]
    pub(crate) interface: Vec<String>,
    /// Stop after this many cases that aren't pass or not-applicable.
    #[arg(long, value_name = "N")]
    max_fail: Option<usize>,
}

/// `tandem list`.
#[derive(Debug, ClapArgs)]
pub(crate) struct List {
    /// Suites, id prefixes or parts of ids.
    filter: Vec<String>,
    /// `text` or `json`.
    #[arg(long, default_value = "text", value_parser = ["text", "json"])]
    format: String,
}

/// A seed, decimal or `0x…`.
pub(crate) fn parse_seed(text: &str) -> Result<u64, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| format!("`{text}` is no seed: a number from 0 to {}", u64::MAX))
}

/// Loads `suites/`, or complains.
pub(crate) fn catalogue(args: &Args, terminal: &Terminal) -> Option<Catalogue> {
    catalogue_for(args, terminal, None)
}

/// The same in a profile.
fn catalogue_for(args: &Args, terminal: &Terminal, profile: Option<&str>) -> Option<Catalogue> {
    match load_profile(&args.suites, profile) {
        Ok(catalogue) => Some(catalogue),
        Err(errors) => {
            for error in &errors {
                terminal.complain(&error.to_string());
            }
            terminal.complain(&format!(
                "{} mistakes in {}",
                errors.len(),
                args.suites.display()
            ));
            None
        }
    }
}

/// The cases that a filter selects: a suite's name, an id, an id's beginning up to a `/` or `#`, or
/// any part of an id.
pub(crate) fn select<'a>(catalogue: &'a Catalogue, filter: &[String]) -> Vec<&'a ExpandedCase> {
    let matches = |case: &ExpandedCase| {
        filter.is_empty()
            || filter.iter().any(|wanted| {
                if catalogue.cases.iter().any(|case| case.suite == *wanted) {
                    return case.suite == *wanted;
                }
                case.id.contains(wanted.as_str())
            })
    };
    catalogue
        .cases
        .iter()
        .filter(|case| matches(case))
        .collect()
}

pub(crate) fn list(args: &Args, list: &List) -> u8 {
    let terminal = Terminal::new();
    let Some(catalogue) = catalogue(args, &terminal) else {
        return code::USAGE;
    };
    let cases = select(&catalogue, &list.filter);
    if list.format == "json" {
        let cases: Vec<serde_json::Value> = cases
            .iter()
            .map(|case| {
                json!({
                    "id": case.id, "suite": case.suite, "title": case.title,
                    "verifies": case.verifies, "negative": case.negative,
                    "testbed": case.testbed, "observers": case.observers,
                    "file": case.file, "settings": case.settings,
                })
            })
            .collect();
        terminal.line(&serde_json::Value::Array(cases).to_string());
    } else {
        for case in &cases {
            terminal.line(&format!("{:<62} {}", case.id, case.title));
        }
    }
    if cases.is_empty() {
        code::NOTHING
    } else {
        code::OK
    }
}

pub(crate) fn run(args: &Args, run: &Run) -> u8 {
    let terminal = Terminal::new();
    let Some(catalogue) = catalogue_for(args, &terminal, run.profile.as_deref()) else {
        return code::USAGE;
    };
    let cases: Vec<ExpandedCase> = select(&catalogue, &run.filter)
        .into_iter()
        .cloned()
        .collect();
    #[cfg(feature = "live")]
    let (plan, cases) = match crate::live::wired(run, &catalogue, cases) {
        Ok(wired) => wired,
        Err(why) => {
            terminal.complain(&why);
            return code::USAGE;
        }
    };
    if cases.is_empty() {
        terminal.complain(&format!("no case matches {}", run.filter.join(" ")));
        return code::NOTHING;
    }
    let Some(mut reports) = open_reports(run, &catalogue, &terminal) else {
        return code::USAGE;
    };
    let jobs = run
        .jobs
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get));
    let options = Options {
        seed: run.seed,
        jobs,
        max_fail: run.max_fail,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        command: command_line(),
    };
    let bar = progress(u64::try_from(cases.len()).unwrap_or(u64::MAX));
    let mut board = Board::default();
    let mut trouble = None;
    let report = run.report.display().to_string();
    let mut sink = |event: RunEvent| {
        if let Err(error) = reports.event(&event) {
            trouble.get_or_insert(error.to_string());
            return false;
        }
        if let RunEvent::Classified(told) = &event {
            board.devices.push(told.to_string());
        }
        if let RunEvent::CaseFinished(result) = event {
            board.count(&result.case.suite, result.verdict);
            bar.inc(1);
            bar.suspend(|| show(&terminal, &result, &catalogue, (args, run), &report));
        }
        true
    };
    #[cfg(feature = "live")]
    let footer = match &plan {
        Some(plan) => {
            let jobs = run.jobs.unwrap_or_else(|| crate::live::beds(plan));
            let options = Options { jobs, ..options };
            harness_live::run(&cases, &catalogue, plan, &options, &mut sink)
        }
        None => simulate(&cases, &catalogue, &options, &mut sink),
    };
    #[cfg(not(feature = "live"))]
    let footer = simulate(&cases, &catalogue, &options, &mut sink);
    bar.finish_and_clear();
    if let Some(error) = trouble {
        terminal.complain(&format!("{}: {error}", run.report.display()));
        return code::INCOMPLETE;
    }
    board.print(&terminal, &footer, run);
    exit_code(&footer)
}

/// A word as a shell takes it.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=@:,".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// What of the command line, beside a case's id, is needed to play it again as it was.
fn again(args: &Args, run: &Run) -> String {
    let mut words = vec![("--seed", run.seed.to_string())];
    let suites = args.suites.display().to_string();
    if suites != SUITES {
        words.push(("--suites", suites));
    }
    words.extend(run.profile.iter().map(|name| ("--profile", name.clone())));
    #[cfg(feature = "live")]
    {
        words.extend(run.testbed.iter().map(|name| ("--testbed", name.clone())));
        words.extend(run.clock.iter().map(|clock| ("--clock", clock.clone())));
        words.extend(run.interface.iter().map(|wire| ("-i", wire.clone())));
    }
    let words = words
        .iter()
        .map(|(name, value)| format!(" {name} {}", quoted(value)));
    words.collect()
}

/// The command line as a shell takes it, without the program's folder.
fn command_line() -> String {
    let arguments = std::env::args().skip(1).map(|text| quoted(&text));
    let words: Vec<String> = std::iter::once("tandem".to_owned())
        .chain(arguments)
        .collect();
    words.join(" ")
}

fn open_reports(run: &Run, catalogue: &Catalogue, terminal: &Terminal) -> Option<Reports> {
    let sentences = (catalogue.requirements.values())
        .map(|r| (r.id.clone(), r.text.clone()))
        .collect();
    let opened = Reports::open(&run.report, sentences);
    let complain = |error| terminal.complain(&format!("{}: {error}", run.report.display()));
    opened.map_err(complain).ok()
}

fn simulate(
    cases: &[ExpandedCase],
    catalogue: &Catalogue,
    options: &Options,
    sink: &mut dyn FnMut(RunEvent) -> bool,
) -> Footer {
    harness_run::run(cases, catalogue, &factory::reference(), options, sink)
}

/// One line of a finished case, its remarks, and all about it when it isn't pass.
fn show(
    terminal: &Terminal,
    result: &CaseResult,
    catalogue: &Catalogue,
    (args, run): (&Args, &Run),
    report: &str,
) {
    terminal.line(&terminal.case(result));
    // Who served when, and what each listener lost, is the pair's story: it is always told.
    if !result.remarks.is_empty() {
        for line in result.log.iter().filter_map(story) {
            terminal.line(&format!("{:16}{line}", ""));
        }
    }
    for remark in &result.remarks {
        terminal.line(&format!("{:16}{remark}", ""));
    }
    if !matches!(result.verdict, Verdict::Pass | Verdict::NotApplicable) {
        terminal.failure(result, catalogue, (report, &again(args, run)));
    }
}

/// A line of the pair's story: what happened to it, and who became what.
fn story(line: &LogLine) -> Option<String> {
    let Event::Notice {
        what: "world" | "e-trunk",
        text,
    } = &line.event
    else {
        return None;
    };
    let at = line.at.as_millis();
    let who = if line.node == "world" {
        String::new()
    } else {
        format!("{}: ", line.node)
    };
    Some(format!("{:>4}.{:03} s  {who}{text}", at / 1000, at % 1000))
}

/// The bar of long work of so many cases or seconds.
pub(crate) fn progress(length: u64) -> ProgressBar {
    let bar = ProgressBar::new(length);
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {elapsed} {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// Cases by suite and verdict, and what was told of the devices.
#[derive(Debug, Default)]
struct Board {
    suites: BTreeMap<String, BTreeMap<Verdict, usize>>,
    /// What the preambles tell of the devices.
    devices: Vec<String>,
}

impl Board {
    fn count(&mut self, suite: &str, verdict: Verdict) {
        *self
            .suites
            .entry(suite.to_owned())
            .or_default()
            .entry(verdict)
            .or_insert(0) += 1;
    }

    fn print(&self, terminal: &Terminal, footer: &Footer, run: &Run) {
        let columns = [
            Verdict::Pass,
            Verdict::Fail,
            Verdict::Inconclusive,
            Verdict::NotApplicable,
            Verdict::Blocked,
            Verdict::Error,
        ];
        if !self.devices.is_empty() {
            terminal.line(&format!("\n{}", terminal.paint("1", "device")));
            for device in &self.devices {
                terminal.line(device);
            }
        }
        terminal.line("");
        let head: String = columns
            .iter()
            .map(|verdict| format!("{verdict:>15}"))
            .collect();
        terminal.line(&terminal.paint("1", &format!("{:<10}{head}", "suite")));
        for (suite, verdicts) in &self.suites {
            let counts: String = columns
                .iter()
                .map(|verdict| format!("{:>15}", verdicts.get(verdict).copied().unwrap_or(0)))
                .collect();
            terminal.line(&format!("{suite:<10}{counts}"));
        }
        let ms = footer.wall_ms;
        let state = if footer.complete { "" } else { " (incomplete)" };
        terminal.line(&format!(
            "seed {} in {}.{:03} s{state}; reports in {}",
            run.seed,
            ms / 1000,
            ms % 1000,
            run.report.display()
        ));
        let count = |verdict: Verdict| footer.verdicts.get(&verdict).copied().unwrap_or(0);
        let other = count(Verdict::Inconclusive) + count(Verdict::Blocked) + count(Verdict::Error);
        let known = match footer.known {
            0 => String::new(),
            known => format!(" ({known} of them known deviations)"),
        };
        let undecided = match other {
            0 => String::new(),
            other => format!(", {other} inconclusive, blocked or error"),
        };
        terminal.line(&format!(
            "{} passed, {} failed{known}{undecided}, {} skipped",
            count(Verdict::Pass),
            count(Verdict::Fail),
            count(Verdict::NotApplicable)
        ));
    }
}

fn exit_code(footer: &Footer) -> u8 {
    let any = |verdict: Verdict| footer.verdicts.get(&verdict).is_some_and(|n| *n > 0);
    let failed = footer.verdicts.get(&Verdict::Fail).copied().unwrap_or(0);
    if !footer.complete {
        code::INCOMPLETE
    } else if failed > footer.known {
        code::FAILED
    } else if [Verdict::Inconclusive, Verdict::Blocked, Verdict::Error]
        .into_iter()
        .any(any)
    {
        code::UNDECIDED
    } else {
        code::OK
    }
}

#[cfg(all(test, feature = "live"))]
mod tests {
    use super::*;
    use crate::args::Command;
    use clap::Parser;

    fn again_of(line: &str) -> String {
        let words = line.split(' ');
        let args = Args::try_parse_from(words).unwrap_or_else(|error| unreachable!("{error}"));
        let Command::Run(run) = &args.command else {
            unreachable!("{line}");
        };
        again(&args, run)
    }

    /// What repeats a failed case holds all that the case depends on, and not how many others were
    /// run, nor where the reports went.
    #[test]
    fn a_case_is_repeated_as_it_was_run() {
        assert_eq!(again_of("tandem run lacp --jobs 3"), " --seed 1");
        let live = "tandem run lacp --testbed ovs --clock real --seed 7 --report r --max-fail 2";
        assert_eq!(again_of(live), " --seed 7 --testbed ovs --clock real");
        let wires =
            "tandem --suites my run mld --profile version-1 --testbed b.yaml -i p1@e1 -i p2@e2";
        assert_eq!(
            again_of(wires),
            " --seed 1 --suites my --profile version-1 --testbed b.yaml -i p1@e1 -i p2@e2"
        );
    }
}
