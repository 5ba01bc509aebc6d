//! A campaign: plan after plan of one seed, findings grouped by cause, minimised, run again.

use crate::minimise::minimise;
use crate::oracle::{Found, Oracle, run};
use crate::plan::{GENERATOR, Plan, Protocol, plan};
use harness_run::{CaseResult, Factory};
use harness_suite::{Step, Time};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Octets from which a plan is drawn.
const OCTETS: usize = 4096;

/// When a campaign ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    /// After so long; the case under way is finished.
    Time(Duration),
    /// After so many cases.
    Cases(u64),
}

/// What is to be done.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// What is fuzzed.
    pub protocol: Protocol,
    /// The campaign's seed.
    pub seed: u64,
    /// When it ends.
    pub budget: Budget,
    /// How often a finding is run again.
    pub repeat: u32,
    /// End at the first finding.
    pub first: bool,
}

/// The head of a campaign's report: what makes it repeatable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Changes whenever the same seed gives other plans.
    pub generator: u32,
    /// What is fuzzed.
    pub protocol: Protocol,
    /// The campaign's seed.
    pub seed: u64,
}

/// A group of findings with one cause, by its first.
#[derive(Debug)]
pub struct Group {
    /// What was found, by the minimised plan.
    pub found: Found,
    /// Number of the case, from 0.
    pub case: u64,
    /// The case's own seed.
    pub seed: u64,
    /// Cases that found the same.
    pub times: u64,
    /// The minimised plan.
    pub plan: Plan,
    /// Messages of the stimuli in the plan as it was drawn, and as it is.
    pub messages: (usize, usize),
    /// How often the minimised plan showed it again, of how many runs.
    pub reproduced: (u32, u32),
    /// The minimised plan's run.
    pub result: Option<CaseResult>,
    /// Wall-clock time from the campaign's beginning to the finding; never written to a file.
    pub after: Duration,
}

/// What a campaign gave.
#[derive(Debug)]
pub struct Report {
    /// What makes it repeatable.
    pub header: Header,
    /// Cases that ran.
    pub cases: u64,
    /// Findings by cause, in the order in which they were found.
    pub groups: Vec<Group>,
    /// Plans that could not be run: mistakes of the generator.
    pub errors: Vec<String>,
    /// Findings that the reference shows too: a plan that the reference fails says nothing.
    pub unsound: u64,
}

/// A number mixed out of a seed and another.
const fn mix(seed: u64, number: u64) -> u64 {
    let mut hash = seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

/// The plan of a case of a campaign, and the case's own seed.
#[must_use]
pub fn case(protocol: Protocol, seed: u64, number: u64) -> (Plan, u64) {
    let seed = mix(seed, number);
    let mut octets = vec![0; OCTETS];
    ChaCha8Rng::seed_from_u64(seed).fill_bytes(&mut octets);
    (plan(protocol, &octets), seed)
}

/// The devices of a campaign.
#[derive(Clone)]
pub struct Devices {
    /// Builds what is fuzzed.
    pub under_test: Factory,
    /// Builds the reference, by which each finding's plan is checked; `None` when the reference is
    /// what is fuzzed.
    pub reference: Option<Factory>,
}

impl std::fmt::Debug for Devices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Devices").finish_non_exhaustive()
    }
}

impl Devices {
    /// Whether the reference runs this plan without a finding.
    fn sound(&self, plan: &Plan, id: &str, seed: u64) -> bool {
        self.reference.as_ref().is_none_or(|reference| {
            run(plan, id, reference, seed).is_ok_and(|ran| ran.found.is_none())
        })
    }
}

/// Runs a campaign; `progress` is told the number of cases that ran and of causes found.
pub fn campaign(
    options: &Options,
    devices: &Devices,
    progress: &mut dyn FnMut(u64, usize),
) -> Report {
    let Options {
        protocol,
        seed,
        budget,
        ..
    } = *options;
    let begun = Instant::now();
    let header = Header {
        generator: GENERATOR,
        protocol,
        seed,
    };
    let mut report = Report {
        header,
        cases: 0,
        groups: Vec::new(),
        errors: Vec::new(),
        unsound: 0,
    };
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    loop {
        let over = match budget {
            Budget::Time(time) => begun.elapsed() >= time,
            Budget::Cases(cases) => report.cases >= cases,
        };
        if over || (options.first && !report.groups.is_empty()) {
            return report;
        }
        let number = report.cases;
        report.cases += 1;
        let (plan, seed) = case(protocol, seed, number);
        let id = format!("{}/fuzz/case-{number}", protocol.name());
        match run(&plan, &id, &devices.under_test, seed) {
            Err(error) => report.errors.push(error),
            Ok(ran) => {
                if let Some(found) = ran.found {
                    let after = begun.elapsed();
                    let drawn = Drawn {
                        plan,
                        seed,
                        number,
                        id,
                        after,
                    };
                    sort(&mut report, &mut known, options, devices, drawn, found);
                }
            }
        }
        progress(report.cases, report.groups.len());
    }
}

/// A plan as it was drawn.
struct Drawn {
    plan: Plan,
    seed: u64,
    number: u64,
    id: String,
    after: Duration,
}

/// Puts a finding to those of its cause, or begins a group with it.
fn sort(
    report: &mut Report,
    known: &mut BTreeMap<String, usize>,
    options: &Options,
    devices: &Devices,
    drawn: Drawn,
    found: Found,
) {
    let key = found.key();
    if let Some(group) = known
        .get(&key)
        .and_then(|index| report.groups.get_mut(*index))
    {
        group.times += 1;
        return;
    }
    let Drawn {
        plan,
        seed,
        number,
        id,
        after,
    } = drawn;
    if !devices.sound(&plan, &id, seed) {
        report.unsound += 1;
        return;
    }
    let again = |plan: &Plan| run(plan, &id, &devices.under_test, seed).ok();
    let before = messages(&plan);
    let same = |plan: &Plan| {
        let found = again(plan).and_then(|ran| ran.found);
        found.is_some_and(|found| found.key() == key) && devices.sound(plan, &id, seed)
    };
    let plan = minimise(&plan, &same);
    let mut shown = 0;
    let mut last = None;
    for _ in 0..options.repeat.max(1) {
        last = again(&plan);
        let found = last.as_ref().and_then(|ran| ran.found.as_ref());
        shown += u32::from(found.is_some_and(|found| found.key() == key));
    }
    let mut found = last
        .as_ref()
        .and_then(|ran| ran.found.clone())
        .unwrap_or(found);
    if found.oracle == Oracle::Alive && recovers(&plan, &again) {
        found.oracle = Oracle::Slow;
    }
    known.insert(key, report.groups.len());
    report.groups.push(Group {
        found,
        case: number,
        seed,
        times: 1,
        messages: (before, messages(&plan)),
        reproduced: (shown, options.repeat.max(1)),
        result: last.and_then(|ran| ran.result),
        plan,
        after,
    });
}

/// Quarantine: whether the golden exchange works when it is given a minute for each step.
fn recovers(plan: &Plan, again: &impl Fn(&Plan) -> Option<crate::oracle::Ran>) -> bool {
    let mut patient = plan.clone();
    for step in patient.steps.iter_mut().skip(plan.stimuli.end) {
        if let Step::Expect(expect) = step {
            expect.within = Some(Time::from("60s"));
            expect.first = false;
        }
    }
    again(&patient).is_some_and(|ran| {
        ran.result.is_some() && ran.found.is_none_or(|found| found.oracle != Oracle::Alive)
    })
}

/// Messages that the stimuli send.
#[must_use]
pub fn messages(plan: &Plan) -> usize {
    let stimuli = plan.steps.get(plan.stimuli.clone()).unwrap_or_default();
    let count = |step: &Step| {
        if let Step::Send(send) = step {
            usize::try_from(send.count.unwrap_or(1)).unwrap_or(1)
        } else {
            0
        }
    };
    stimuli.iter().map(count).sum()
}
