//! A campaign: plan after plan of one seed, findings grouped by cause, minimised, run again.

use crate::finding::Writer;
use crate::minimise::minimise;
use crate::oracle::{Found, Oracle, Ran, run, run_beside};
use crate::plan::{GENERATOR, Plan, Protocol, drawn};
use crate::player::Player;
use harness_run::CaseResult;
use harness_suite::{Step, Time};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
#[derive(Debug, Clone)]
pub struct Options {
    /// What is fuzzed.
    pub protocol: Protocol,
    /// The campaign's seed.
    pub seed: u64,
    /// When it ends.
    pub budget: Budget,
    /// How often a finding is run again.
    pub repeat: u32,
    /// Runs that the minimiser may spend on a finding.
    pub minimise: usize,
    /// End at the first finding.
    pub first: bool,
    /// Whether the device takes commands in the reference's language, and its settings.
    pub commands: bool,
    /// No wait among the stimuli is longer: real time is dear.
    pub hurry: Option<Duration>,
    /// Where findings are written as they are found.
    pub folder: Option<PathBuf>,
    /// Set by whoever wants it to end: the case under way is given up.
    pub stop: Arc<AtomicBool>,
}

impl Options {
    /// A campaign as it is where nobody says otherwise.
    #[must_use]
    pub fn new(protocol: Protocol, seed: u64, budget: Budget) -> Self {
        Self {
            protocol,
            seed,
            budget,
            repeat: 3,
            minimise: 150,
            first: false,
            commands: true,
            hurry: None,
            folder: None,
            stop: Arc::default(),
        }
    }
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
    /// Cases of which nothing can be said, by why: a setting that the device can't be given, lost
    /// frames, a late tester.
    pub undecided: BTreeMap<String, u64>,
    /// What the device shows without any stimulus: it is told once and then overlooked, so that
    /// it hides nothing else.
    pub standing: Vec<Found>,
    /// It was ended before its time.
    pub interrupted: bool,
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
    case_with(protocol, seed, number, true)
}

/// The same with commands or without.
fn case_with(protocol: Protocol, seed: u64, number: u64, commands: bool) -> (Plan, u64) {
    let seed = mix(seed, number);
    let mut octets = vec![0; OCTETS];
    ChaCha8Rng::seed_from_u64(seed).fill_bytes(&mut octets);
    (drawn(protocol, &octets, commands), seed)
}

/// The devices of a campaign.
#[derive(Debug, Clone)]
pub struct Devices {
    /// What is fuzzed: one or several alike, which then run cases side by side.
    pub under_test: Vec<Player>,
    /// The reference, by which each finding's plan is checked; `None` when the reference is what
    /// is fuzzed.
    pub reference: Option<Player>,
}

impl Devices {
    /// Whether the reference runs this plan without a finding.
    fn sound(&self, plan: &Plan, id: &str, seed: u64) -> bool {
        self.reference.as_ref().is_none_or(|reference| {
            run(plan, id, reference, seed).is_ok_and(|ran| ran.found.is_none())
        })
    }
}

/// What a campaign has come to; called from the threads that run its cases.
pub type Progress<'a> = dyn Fn(&Report) + Sync + 'a;

/// Runs a campaign; `progress` is shown the report after each case.
///
/// # Errors
/// What the file system says of the folder for the findings.
pub fn campaign(
    options: &Options,
    devices: &Devices,
    progress: &Progress<'_>,
) -> io::Result<Report> {
    let header = Header {
        generator: GENERATOR,
        protocol: options.protocol,
        seed: options.seed,
    };
    let writer = match &options.folder {
        Some(folder) => Some(Writer::begin(folder, &header)?),
        None => None,
    };
    let standing = standing(options, devices);
    let keys = standing.iter().map(Found::key).collect();
    let campaign = Campaign {
        options,
        devices,
        standing: keys,
        begun: Instant::now(),
        progress,
        state: Mutex::new(State {
            report: Report {
                header,
                cases: 0,
                groups: Vec::new(),
                errors: Vec::new(),
                unsound: 0,
                undecided: BTreeMap::new(),
                standing,
                interrupted: false,
            },
            next: 0,
            causes: BTreeMap::new(),
            memory: BTreeMap::new(),
            writer,
            failed: None,
        }),
    };
    match devices.under_test.as_slice() {
        // On this thread, in the cases' order.
        [only] => campaign.work(0, only),
        many => std::thread::scope(|scope| {
            for (number, player) in many.iter().enumerate() {
                let campaign = &campaign;
                scope.spawn(move || campaign.work(number, player));
            }
        }),
    }
    campaign.end()
}

/// Dialogues and golden exchanges by which it is learnt what a device on wires always shows.
const BARE: u64 = 8;

/// What a device that others wrote shows without any stimulus.
fn standing(options: &Options, devices: &Devices) -> Vec<Found> {
    let mut all: Vec<Found> = Vec::new();
    let Some(player) = devices.under_test.first().filter(|player| player.is_live()) else {
        return all;
    };
    let mut keys = BTreeSet::new();
    for number in 0..BARE {
        let Options {
            protocol,
            seed,
            commands,
            ..
        } = *options;
        let (plan, seed) = case_with(protocol, seed, number, commands);
        let plan = plan.bare();
        let id = format!("{}/fuzz/bare-{number}", options.protocol.name());
        // Until nothing more shows: one may hide another.
        while !options.stop.load(Ordering::Relaxed) {
            let ran = run_beside(&plan, &id, player, seed, &keys);
            let Some(found) = ran.ok().and_then(|ran| ran.found) else {
                break;
            };
            keys.insert(found.key());
            all.push(found);
        }
    }
    all
}

/// What the workers share.
struct Campaign<'a> {
    options: &'a Options,
    devices: &'a Devices,
    /// Keys of what the device shows whatever is sent to it.
    standing: BTreeSet<String>,
    begun: Instant,
    progress: &'a Progress<'a>,
    state: Mutex<State>,
}

struct State {
    report: Report,
    /// Number of the next case.
    next: u64,
    causes: BTreeMap<String, Cause>,
    /// What each device held after its first case, KiB.
    memory: BTreeMap<usize, u64>,
    writer: Option<Writer>,
    failed: Option<io::Error>,
}

/// A cause that was seen.
struct Cause {
    times: u64,
    /// Its group, once its first finding is minimised.
    group: Option<usize>,
}

/// A plan as it was drawn.
struct Drawn {
    plan: Plan,
    seed: u64,
    number: u64,
    id: String,
    after: Duration,
}

/// A device that holds so much more than after its first case, KiB, and four times as much, leaks.
const LEAK: u64 = 64 * 1024;

impl Campaign<'_> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stopped(&self) -> bool {
        self.options.stop.load(Ordering::Relaxed)
    }

    /// The number of the next case; `None` when the campaign is over.
    fn next(&self) -> Option<u64> {
        let mut state = self.state();
        if self.stopped() {
            state.report.interrupted = true;
            return None;
        }
        let over = match self.options.budget {
            Budget::Time(time) => self.begun.elapsed() >= time,
            Budget::Cases(cases) => state.next >= cases,
        };
        let found = self.options.first && !state.report.groups.is_empty();
        if over || found || state.failed.is_some() {
            return None;
        }
        state.next += 1;
        Some(state.next - 1)
    }

    /// Runs cases on one device until the campaign is over.
    fn work(&self, device: usize, player: &Player) {
        let Options {
            protocol,
            seed,
            commands,
            ..
        } = *self.options;
        while let Some(number) = self.next() {
            let (mut plan, seed) = case_with(protocol, seed, number, commands);
            if let Some(most) = self.options.hurry {
                plan.hurry(most);
            }
            let id = format!("{}/fuzz/case-{number}", protocol.name());
            let ran = run_beside(&plan, &id, player, seed, &self.standing);
            if self.stopped() {
                self.state().report.interrupted = true;
                return;
            }
            self.state().report.cases += 1;
            match ran {
                Err(error) => self.state().report.errors.push(error),
                Ok(ran) => {
                    let after = self.begun.elapsed();
                    let drawn = Drawn {
                        plan,
                        seed,
                        number,
                        id,
                        after,
                    };
                    self.sort(device, player, drawn, ran);
                }
            }
            (self.progress)(&self.state().report);
        }
    }

    /// Puts what a case gave where it belongs.
    fn sort(&self, device: usize, player: &Player, drawn: Drawn, ran: Ran) {
        if let Some(why) = ran.undecided {
            *self.state().report.undecided.entry(why).or_insert(0) += 1;
            return;
        }
        let leaks = ran.memory.and_then(|held| self.leaks(device, held));
        let Some(found) = ran.found.or(leaks) else {
            return;
        };
        let key = found.key();
        if !self.again(&key) {
            self.first(player, drawn, found, key);
        }
    }

    /// Counts a finding whose cause was seen before; whether it was.
    fn again(&self, key: &str) -> bool {
        let mut state = self.state();
        let cause = state.causes.get_mut(key);
        cause.map(|cause| cause.times += 1).is_some()
    }

    /// Whether a device holds far more memory than after its first case.
    fn leaks(&self, device: usize, held: u64) -> Option<Found> {
        let first = *self.state().memory.entry(device).or_insert(held);
        (held > first.saturating_mul(4) && held > first + LEAK).then(|| Found {
            oracle: Oracle::Resource,
            requirement: None,
            what: format!("the device holds {held} KiB, after its first case {first} KiB"),
        })
    }

    /// The first finding of a cause: minimised, run again, written.
    fn first(&self, player: &Player, drawn: Drawn, found: Found, key: String) {
        let cause = Cause {
            times: 1,
            group: None,
        };
        self.state().causes.insert(key.clone(), cause);
        let group = self.group(player, drawn, found, &key);
        let mut state = self.state();
        let State {
            report,
            causes,
            writer,
            failed,
            ..
        } = &mut *state;
        let Some(group) = group else {
            report.unsound += 1;
            causes.remove(&key);
            return;
        };
        if let Some(Err(error)) = writer.as_mut().map(|writer| writer.cause(&group)) {
            *failed = Some(error);
        }
        if let Some(cause) = causes.get_mut(&key) {
            cause.group = Some(report.groups.len());
        }
        report.groups.push(group);
    }

    /// A finding, minimised; `None` where the reference shows it too.
    fn group(&self, player: &Player, drawn: Drawn, found: Found, key: &str) -> Option<Group> {
        let Drawn {
            plan,
            seed,
            number,
            id,
            after,
        } = drawn;
        let devices = self.devices;
        if !devices.sound(&plan, &id, seed) {
            return None;
        }
        let again = |plan: &Plan| run_beside(plan, &id, player, seed, &self.standing).ok();
        let before = messages(&plan);
        let same = |plan: &Plan| {
            let found = again(plan).and_then(|ran| ran.found);
            found.is_some_and(|found| found.key() == *key) && devices.sound(plan, &id, seed)
        };
        let plan = minimise(&plan, self.options.minimise, &same);
        let mut shown = 0;
        let mut last = None;
        for _ in 0..self.options.repeat.max(1) {
            let ran = again(&plan);
            let found = ran.as_ref().and_then(|ran| ran.found.as_ref());
            let shows = found.is_some_and(|found| found.key() == *key);
            shown += u32::from(shows);
            if shows || last.is_none() {
                last = ran;
            }
        }
        let seen = last.as_ref().and_then(|ran| ran.found.clone());
        let mut found = seen.filter(|seen| seen.key() == *key).unwrap_or(found);
        if found.oracle == Oracle::Alive && recovers(&plan, &again) {
            found.oracle = Oracle::Slow;
        }
        Some(Group {
            found,
            case: number,
            seed,
            times: 1,
            messages: (before, messages(&plan)),
            reproduced: (shown, self.options.repeat.max(1)),
            result: last.and_then(|ran| ran.result),
            plan,
            after,
        })
    }

    fn end(self) -> io::Result<Report> {
        let state = self.state.into_inner();
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = state.failed {
            return Err(error);
        }
        for cause in state.causes.values() {
            if let Some(group) = cause
                .group
                .and_then(|index| state.report.groups.get_mut(index))
            {
                group.times = cause.times;
            }
        }
        if let Some(writer) = state.writer {
            writer.end(&state.report)?;
        }
        Ok(state.report)
    }
}

/// Quarantine: whether the golden exchange works when it is given a minute for each step.
fn recovers(plan: &Plan, again: &impl Fn(&Plan) -> Option<Ran>) -> bool {
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
