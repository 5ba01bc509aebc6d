//! `tandem fuzz --defects-sample`: what campaigns are measured by.

use crate::args::code;
use crate::fuzz::{Fuzz, defective};
use crate::terminal::Terminal;
use harness_defects::{Defect, all};
use harness_fuzz::campaign::{Budget, Options, Report, campaign};
use harness_fuzz::plan::Protocol;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Suites of which so many defects each are drawn.
const KINDS: [&[&str]; 4] = [&["lacp"], &["mld"], &["etrunk", "rbs"], &["backup"]];
const EACH: usize = 10;
/// How long the target `pair` is given for a defect.
const TARGET: Duration = Duration::from_secs(10);

/// Ten of each kind, chosen by the seed among those that a suite must kill.
fn chosen(seed: u64) -> Vec<(Protocol, Defect)> {
    let mut chosen = Vec::new();
    for suites in KINDS {
        let mut found: Vec<Defect> = all()
            .into_iter()
            .filter(|defect| suites.contains(&defect.suite) && defect.survives.is_empty())
            .collect();
        // The order is drawn from the seed and the defect's name alone.
        found.sort_by_key(|defect| {
            let step =
                |hash: u64, octet: u8| (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3);
            defect
                .id
                .bytes()
                .fold(0xcbf2_9ce4_8422_2325 ^ seed.wrapping_mul(0x9e37_79b9), step)
        });
        chosen.extend(found.into_iter().take(EACH).map(|defect| {
            let protocol = match defect.suite {
                "mld" => Protocol::Mld,
                "etrunk" => Protocol::Etrunk,
                "rbs" => Protocol::Rbs,
                "backup" => Protocol::Pair,
                _ => Protocol::Lacp,
            };
            (protocol, defect)
        }));
    }
    chosen
}

fn row(defect: &Defect, report: &Report) -> String {
    let Some(group) = report.groups.first() else {
        return format!(
            "| {} | not in {} cases | | {} |",
            defect.id, report.cases, defect.what
        );
    };
    let ms = group.after.as_millis();
    format!(
        "| {} | {}.{:02} | {} | {:?} {} |",
        defect.id,
        ms / 1000,
        ms % 1000 / 10,
        group.messages.1,
        group.found.oracle,
        group.found.requirement.as_deref().unwrap_or("")
    )
}

/// The same defects of the pair before the schedules of the target `pair`, drawn blindly.
fn targets(terminal: &Terminal, fuzz: &Fuzz, sample: &[(Protocol, Defect)]) {
    terminal.line(
        "| defect, before the target `pair` | seconds | schedules | seen |\n|---|---|---|---|",
    );
    let time = fuzz.time.unwrap_or(Duration::from_secs(60)).min(TARGET);
    for (_, defect) in sample.iter().filter(|(_, d)| d.suite == "backup") {
        let done = harness_fuzz::pair::search(&defect.factory(), fuzz.seed, time);
        let found = done.found.unwrap_or_else(|| "nothing".to_owned());
        let found: String = found.chars().take(100).collect();
        terminal.line(&format!(
            "| {} | {}.{:03} | {} | {found} |",
            defect.id,
            done.took.as_secs(),
            done.took.subsec_millis(),
            done.schedules
        ));
    }
}

pub(crate) fn sample(terminal: &Terminal, fuzz: &Fuzz) -> u8 {
    let sample = chosen(fuzz.seed);
    let budget = Budget::Time(fuzz.time.unwrap_or(Duration::from_secs(60)));
    let (next, found) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let failed = Mutex::new(None);
    terminal.line("| defect | seconds | messages, minimised | seen by |\n|---|---|---|---|");
    let work = || {
        while let Some((protocol, defect)) = sample.get(next.fetch_add(1, Ordering::Relaxed)) {
            let options = Options {
                repeat: 1,
                first: true,
                ..Options::new(*protocol, fuzz.seed, budget)
            };
            match campaign(&options, &defective(defect), &|_| {}) {
                Ok(report) => {
                    terminal.line(&row(defect, &report));
                    found.fetch_add(usize::from(!report.groups.is_empty()), Ordering::Relaxed);
                }
                Err(error) => {
                    if let Ok(mut failed) = failed.lock() {
                        *failed = Some(error);
                    }
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..fuzz.jobs.unwrap_or(1).max(1) {
            scope.spawn(work);
        }
    });
    if let Ok(Some(error)) = failed.into_inner() {
        terminal.complain(&error.to_string());
        return code::INCOMPLETE;
    }
    targets(terminal, fuzz, &sample);
    let found = found.into_inner();
    terminal.line(&format!("{found} of {} defects found", sample.len()));
    if found * 5 >= sample.len() * 4 {
        code::OK
    } else {
        code::FAILED
    }
}
