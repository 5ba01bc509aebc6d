//! `tandem fuzz`: campaigns against a simulated device or one on wires, findings as cases.

use crate::args::{Args, code, parse_time};
use crate::factory;
use crate::fuzz_sample::sample;
use crate::run::{parse_seed, progress};
use crate::terminal::Terminal;
use clap::Args as ClapArgs;
use harness_defects::{Defect, all};
use harness_fuzz::campaign::{Budget, Devices, Options, Report, campaign};
use harness_fuzz::finding;
use harness_fuzz::plan::{GENERATOR, Protocol};
use harness_fuzz::player::Player;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// `tandem fuzz`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Fuzz {
    /// What is fuzzed: lacp, mld, etrunk, rbs or pair.
    #[arg(value_parser = protocol)]
    protocol: Option<Protocol>,
    /// How long (default 60s).
    #[arg(long, value_parser = parse_time, conflicts_with = "cases")]
    pub(crate) time: Option<Duration>,
    /// How many cases: two simulated campaigns of a seed are then equal to the octet.
    #[arg(long)]
    cases: Option<u64>,
    /// The campaign's seed, from which each case's own comes.
    #[arg(long, default_value_t = 1, value_parser = parse_seed)]
    pub(crate) seed: u64,
    /// How often a finding is run again.
    #[arg(long, default_value_t = 3)]
    repeat: u32,
    /// Findings go to a folder of this one, named after what is fuzzed, the testbed and the seed.
    #[arg(long, value_name = "DIR", default_value = "tandem-fuzz")]
    report: PathBuf,
    /// A seeded defect that the simulated device has (`tandem trace` lists them).
    #[arg(long, value_name = "ID")]
    defect: Option<String>,
    /// Repeats a finding from its file.
    #[arg(long, value_name = "FINDING", conflicts_with_all = ["time", "cases"])]
    replay: Option<PathBuf>,
    /// Campaigns against a fixed sample of seeded defects, each until its first finding.
    #[arg(long, conflicts_with_all = ["replay", "defect"])]
    defects_sample: bool,
    /// A testbed of a device on wires: its name, or a file.
    #[cfg(feature = "live")]
    #[arg(long, value_name = "NAME|FILE", conflicts_with_all = ["defect", "defects_sample"])]
    testbed: Option<String>,
    /// Wires a testbed's port: p1@eth1, or 0-1@eth1 as in PTF.
    #[cfg(feature = "live")]
    #[arg(short, long, value_name = "PORT@IFACE", requires = "testbed")]
    interface: Vec<String>,
    /// Beds, or defects of the sample, side by side (default: 8 on wires of our own, else 1).
    #[arg(long)]
    pub(crate) jobs: Option<usize>,
}

fn protocol(text: &str) -> Result<Protocol, String> {
    let known = Protocol::ALL.map(Protocol::name);
    let found = Protocol::ALL
        .into_iter()
        .find(|protocol| protocol.name() == text);
    found.ok_or_else(|| format!("there are {}", known.join(", ")))
}

pub(crate) fn fuzz(args: &Args, fuzz: &Fuzz) -> u8 {
    let terminal = Terminal::new();
    if fuzz.defects_sample {
        return sample(&terminal, fuzz);
    }
    let stop = Arc::new(AtomicBool::new(false));
    #[cfg(feature = "live")]
    harness_live::interrupts(Arc::clone(&stop));
    let devices = match devices(args, fuzz, &stop) {
        Ok(devices) => devices,
        Err(why) => {
            terminal.complain(&why);
            return code::USAGE;
        }
    };
    if let Some(file) = &fuzz.replay {
        return replay(&terminal, file, &devices);
    }
    let Some(protocol) = fuzz.protocol else {
        let known = Protocol::ALL.map(Protocol::name).join(", ");
        terminal.complain(&format!("what is to be fuzzed? There are {known}"));
        return code::USAGE;
    };
    // Campaigns against several devices have one folder each.
    let testbed = fuzz.testbed.as_deref().map(|testbed| {
        let file = Path::new(testbed).file_stem().unwrap_or_default();
        format!("{}-", file.to_string_lossy())
    });
    let name = format!(
        "{}-{}{}",
        protocol.name(),
        testbed.unwrap_or_default(),
        fuzz.seed
    );
    let folder = fuzz.report.join(name);
    let mut options = Options {
        repeat: fuzz.repeat,
        folder: Some(folder.clone()),
        stop,
        ..Options::new(protocol, fuzz.seed, budget(fuzz))
    };
    if devices.under_test.iter().any(Player::is_live) {
        (options.hurry, options.minimise) = (Some(HURRY), TRIES);
        options.commands = false;
    }
    let bar = progress(length(&options.budget));
    let report = campaign(&options, &devices, &|report| {
        let done = match options.budget {
            Budget::Cases(_) => report.cases,
            Budget::Time(_) => bar.elapsed().as_secs(),
        };
        bar.set_position(done);
        let (cases, causes) = (report.cases, report.groups.len());
        bar.set_message(format!("{cases} cases, {causes} causes"));
    });
    bar.finish_and_clear();
    match report {
        Ok(report) => tell(&terminal, &report, &folder),
        Err(error) => {
            terminal.complain(&format!("{}: {error}", folder.display()));
            code::INCOMPLETE
        }
    }
}

/// No stimulus waits longer on wires: most of what it would show there, the simulation shows.
const HURRY: Duration = Duration::from_secs(3);
/// Runs that a finding on wires is worth.
const TRIES: usize = 12;

fn budget(fuzz: &Fuzz) -> Budget {
    match fuzz.cases {
        Some(cases) => Budget::Cases(cases),
        None => Budget::Time(fuzz.time.unwrap_or(Duration::from_secs(60))),
    }
}

/// How far the bar goes: cases, or seconds.
const fn length(budget: &Budget) -> u64 {
    match budget {
        Budget::Cases(cases) => *cases,
        Budget::Time(time) => time.as_secs(),
    }
}

/// What is fuzzed, and what its findings are checked by.
fn devices(args: &Args, fuzz: &Fuzz, stop: &Arc<AtomicBool>) -> Result<Devices, String> {
    #[cfg(feature = "live")]
    if let Some(name) = &fuzz.testbed {
        let beds = live(args, fuzz, name, stop)?;
        return Ok(Devices {
            under_test: beds,
            reference: Some(Player::simulated(factory::reference())),
        });
    }
    #[cfg(not(feature = "live"))]
    let _: (&Args, &Arc<AtomicBool>) = (args, stop);
    match &fuzz.defect {
        None => Ok(Devices {
            under_test: vec![Player::simulated(factory::reference())],
            reference: None,
        }),
        Some(id) => match all().into_iter().find(|defect| defect.id == *id) {
            Some(defect) => Ok(defective(&defect)),
            None => Err(format!(
                "no seeded defect `{id}`: `tandem trace` lists them"
            )),
        },
    }
}

/// Beds of a testbed, side by side.
#[cfg(feature = "live")]
fn live(
    args: &Args,
    fuzz: &Fuzz,
    name: &str,
    stop: &Arc<AtomicBool>,
) -> Result<Vec<Player>, String> {
    use harness_fuzz::player::Played;
    let terminal = Terminal::new();
    let catalogue = crate::run::catalogue(args, &terminal).ok_or("the suites are not whole")?;
    let mut plan = crate::live::plan(name, &fuzz.interface, &catalogue)?;
    crate::live::time(&mut plan, None)?;
    let protocol = match (fuzz.protocol, &fuzz.replay) {
        (Some(protocol), _) => protocol,
        (None, Some(file)) => finding::protocol(file)?,
        (None, None) => return Err("what is to be fuzzed?".to_owned()),
    };
    if !plan
        .testbed
        .stands_for
        .iter()
        .any(|bed| bed == protocol.bed())
    {
        return Err(format!(
            "testbed {name} has no device for {}: it stands for {}",
            protocol.name(),
            plan.testbed.stands_for.join(", ")
        ));
    }
    harness_live::sweep();
    let beds = fuzz.jobs.unwrap_or_else(|| crate::live::beds(&plan)).max(1);
    let catalogue = Arc::new(catalogue);
    let open = |number| {
        let (catalogue, stop) = (Arc::clone(&catalogue), Arc::clone(stop));
        let suites = (catalogue, protocol.bed().to_owned());
        let bench = harness_live::Bench::open(plan.clone(), suites, number, stop)?;
        // A bed plays one case at a time.
        let bench = std::sync::Mutex::new(bench);
        Ok(Player::live(plan.tolerance, move |case, seed| {
            let bench = bench.lock();
            let bench = bench.unwrap_or_else(std::sync::PoisonError::into_inner);
            let (result, memory) = bench.play(case, seed);
            Played { result, memory }
        }))
    };
    (0..beds).map(open).collect()
}

/// A simulated device with a defect, beside the reference.
pub(crate) fn defective(defect: &Defect) -> Devices {
    Devices {
        under_test: vec![Player::simulated(defect.factory())],
        reference: Some(Player::simulated(factory::reference())),
    }
}

fn tell(terminal: &Terminal, report: &Report, folder: &Path) -> u8 {
    show(terminal, report);
    let cut = if report.interrupted {
        " (interrupted)"
    } else {
        ""
    };
    terminal.line(&format!(
        "{} cases of seed {}, generator {GENERATOR}{cut}: {} causes; reports in {}",
        report.cases,
        report.header.seed,
        report.groups.len(),
        folder.display()
    ));
    if report.interrupted {
        code::INCOMPLETE
    } else if !report.groups.is_empty() {
        code::FINDING
    } else if !report.errors.is_empty() {
        code::UNDECIDED
    } else {
        code::OK
    }
}

fn show(terminal: &Terminal, report: &Report) {
    for found in &report.standing {
        terminal.line(&format!(
            "{} {}: {}",
            terminal.paint("33", "without any stimulus"),
            found.requirement.as_deref().unwrap_or("-"),
            found.what
        ));
    }
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
    // A late host is late by another time in each case.
    let mut undecided: BTreeMap<&str, u64> = BTreeMap::new();
    for (why, times) in &report.undecided {
        let why = match why.starts_with(harness_run::LATE) {
            true => "the tester was later than this host may be",
            false => why,
        };
        *undecided.entry(why).or_default() += times;
    }
    for (why, times) in undecided {
        terminal.line(&format!("{times} cases undecided: {why}"));
    }
    if report.unsound > 0 {
        terminal.line(&format!(
            "{} plans that the reference fails too are left out",
            report.unsound
        ));
    }
}

fn replay(terminal: &Terminal, file: &Path, devices: &Devices) -> u8 {
    let Some(player) = devices.under_test.first() else {
        return code::USAGE;
    };
    match finding::replay(file, player) {
        Err(error) => {
            terminal.complain(&error);
            code::USAGE
        }
        Ok((record, ran)) => {
            terminal.line(&format!("was: {}", record.found.what));
            match (ran.found, ran.undecided) {
                (Some(found), _) if found.key() == record.found.key() => {
                    terminal.line(&format!("is:  {}", found.what));
                    code::FINDING
                }
                (Some(found), _) => {
                    terminal.line(&format!("is another: {}", found.what));
                    code::FINDING
                }
                (None, Some(why)) => {
                    terminal.line(&format!("can't be told: {why}"));
                    code::UNDECIDED
                }
                (None, None) => {
                    terminal.line("is no longer seen");
                    code::OK
                }
            }
        }
    }
}
