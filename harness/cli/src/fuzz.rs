//! `tandem fuzz`: campaigns against a simulated device, findings as cases, and the sample of
//! seeded defects by which campaigns are measured.

use crate::args::code;
use crate::factory;
use crate::run::parse_seed;
use crate::terminal::Terminal;
use clap::Args as ClapArgs;
use harness_defects::{Defect, all};
use harness_fuzz::campaign::{Budget, Devices, Options, Report, campaign};
use harness_fuzz::finding;
use harness_fuzz::plan::{GENERATOR, Protocol};
use harness_suite::{Expression, Scope};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// `tandem fuzz`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Fuzz {
    /// What is fuzzed: lacp, mld, etrunk, rbs or pair.
    #[arg(value_parser = protocol)]
    protocol: Option<Protocol>,
    /// How long (default 60s).
    #[arg(long, value_parser = time, conflicts_with = "cases")]
    time: Option<Duration>,
    /// How many cases: two campaigns of a seed are then equal to the octet.
    #[arg(long)]
    cases: Option<u64>,
    /// The campaign's seed, from which each case's own comes.
    #[arg(long, default_value_t = 1, value_parser = parse_seed)]
    seed: u64,
    /// How often a finding is run again.
    #[arg(long, default_value_t = 3)]
    repeat: u32,
    /// Where findings go.
    #[arg(long, value_name = "DIR", default_value = "tandem-fuzz")]
    report: PathBuf,
    /// A seeded defect that the device has (`tandem trace` lists them).
    #[arg(long, value_name = "ID")]
    defect: Option<String>,
    /// Repeats a finding from its file.
    #[arg(long, value_name = "FINDING", conflicts_with_all = ["time", "cases"])]
    replay: Option<PathBuf>,
    /// Campaigns against a fixed sample of seeded defects, each until its first finding.
    #[arg(long, conflicts_with_all = ["replay", "defect"])]
    defects_sample: bool,
}

fn protocol(text: &str) -> Result<Protocol, String> {
    let known = Protocol::ALL.map(Protocol::name);
    let found = Protocol::ALL
        .into_iter()
        .find(|protocol| protocol.name() == text);
    found.ok_or_else(|| format!("there are {}", known.join(", ")))
}

fn time(text: &str) -> Result<Duration, String> {
    let value = Expression::parse(text).and_then(|e| e.duration(&Scope::new()));
    value.map_err(|error| error.to_string())
}

pub(crate) fn fuzz(fuzz: &Fuzz) -> u8 {
    let terminal = Terminal::new();
    let defect = match &fuzz.defect {
        None => None,
        Some(id) => match all().into_iter().find(|defect| defect.id == *id) {
            Some(defect) => Some(defect),
            None => {
                terminal.complain(&format!(
                    "no seeded defect `{id}`: `tandem trace` lists them"
                ));
                return code::USAGE;
            }
        },
    };
    if let Some(file) = &fuzz.replay {
        return replay(&terminal, file, defect.as_ref());
    }
    if fuzz.defects_sample {
        return sample(&terminal, fuzz);
    }
    let Some(protocol) = fuzz.protocol else {
        let known = Protocol::ALL.map(Protocol::name).join(", ");
        terminal.complain(&format!("what is to be fuzzed? There are {known}"));
        return code::USAGE;
    };
    let options = Options {
        protocol,
        seed: fuzz.seed,
        budget: budget(fuzz),
        repeat: fuzz.repeat,
        first: false,
    };
    let report = campaign(&options, &devices(defect.as_ref()), &mut |_, _| {});
    show(&terminal, &report);
    if let Err(error) = finding::write(&fuzz.report, &report) {
        terminal.complain(&format!("{}: {error}", fuzz.report.display()));
        return code::INCOMPLETE;
    }
    terminal.line(&format!(
        "{} cases of seed {}, generator {GENERATOR}: {} causes; reports in {}",
        report.cases,
        fuzz.seed,
        report.groups.len(),
        fuzz.report.display()
    ));
    if !report.groups.is_empty() {
        code::FINDING
    } else if !report.errors.is_empty() {
        code::UNDECIDED
    } else {
        code::OK
    }
}

fn budget(fuzz: &Fuzz) -> Budget {
    match fuzz.cases {
        Some(cases) => Budget::Cases(cases),
        None => Budget::Time(fuzz.time.unwrap_or(Duration::from_secs(60))),
    }
}

fn devices(defect: Option<&Defect>) -> Devices {
    match defect {
        Some(defect) => Devices {
            under_test: defect.factory(),
            reference: Some(factory::reference()),
        },
        None => Devices {
            under_test: factory::reference(),
            reference: None,
        },
    }
}

fn show(terminal: &Terminal, report: &Report) {
    for group in &report.groups {
        let (shown, of) = group.reproduced;
        let (before, after) = group.messages;
        terminal.line(&format!(
            "{} {} case {}: {}",
            terminal.paint("31;1", &format!("{:?}", group.found.oracle)),
            group.found.requirement.as_deref().unwrap_or("-"),
            group.case,
            group.found.what
        ));
        terminal.line(&format!(
            "    {} cases; {before} messages, {after} when minimised; \
             shown in {shown} of {of} runs",
            group.times
        ));
    }
    for error in report.errors.iter().take(3) {
        terminal.complain(&format!("a plan can't be run: {error}"));
    }
    if report.unsound > 0 {
        terminal.line(&format!(
            "{} plans that the reference fails too are left out",
            report.unsound
        ));
    }
}

fn replay(terminal: &Terminal, file: &Path, defect: Option<&Defect>) -> u8 {
    match finding::replay(file, &devices(defect).under_test) {
        Err(error) => {
            terminal.complain(&error);
            code::USAGE
        }
        Ok((record, ran)) => {
            terminal.line(&format!("was: {}", record.found.what));
            match ran.found {
                Some(found) if found.key() == record.found.key() => {
                    terminal.line(&format!("is:  {}", found.what));
                    code::FINDING
                }
                Some(found) => {
                    terminal.line(&format!("is another: {}", found.what));
                    code::FINDING
                }
                None => {
                    terminal.line("is no longer seen");
                    code::OK
                }
            }
        }
    }
}

/// Ten of each kind, chosen by the seed among those that a suite must kill.
fn chosen(seed: u64) -> Vec<(Protocol, Defect)> {
    let kinds: [(&[&str], usize); 4] = [
        (&["lacp"], 10),
        (&["mld"], 10),
        (&["etrunk", "rbs"], 10),
        (&["backup"], 10),
    ];
    let mut chosen = Vec::new();
    for (suites, count) in kinds {
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
        chosen.extend(found.into_iter().take(count).map(|defect| {
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

fn sample(terminal: &Terminal, fuzz: &Fuzz) -> u8 {
    let mut found = 0;
    let sample = chosen(fuzz.seed);
    let budget = Budget::Time(fuzz.time.unwrap_or(Duration::from_secs(60)));
    terminal.line("| defect | seconds | messages, minimised | seen by |\n|---|---|---|---|");
    for (protocol, defect) in &sample {
        let options = Options {
            protocol: *protocol,
            seed: fuzz.seed,
            budget,
            repeat: 1,
            first: true,
        };
        let report = campaign(&options, &devices(Some(defect)), &mut |_, _| {});
        match report.groups.first() {
            Some(group) => {
                found += 1;
                let ms = group.after.as_millis();
                terminal.line(&format!(
                    "| {} | {}.{:02} | {} | {:?} {} |",
                    defect.id,
                    ms / 1000,
                    ms % 1000 / 10,
                    group.messages.1,
                    group.found.oracle,
                    group.found.requirement.as_deref().unwrap_or("")
                ));
            }
            None => terminal.line(&format!(
                "| {} | not in {} cases | | {} |",
                defect.id, report.cases, defect.what
            )),
        }
    }
    terminal.line(&format!("{found} of {} defects found", sample.len()));
    if found * 5 >= sample.len() * 4 {
        code::OK
    } else {
        code::FAILED
    }
}
