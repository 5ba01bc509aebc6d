//! Many cases on beds side by side.

use crate::bed::{LiveBed, Plan};
use crate::cable::Shape;
use crate::drive::{How, play};
use crate::netns::sweep;
use harness_judge::{Finding, Verdict};
use harness_run::{
    BedForm, CaseResult, Classification, Footer, Options, RunEvent, Subject, Tally, bed_of, mix,
    preambles,
};
use harness_suite::{Catalogue, ExpandedCase, Expression, Quantity, Step};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

/// A runtime for one bed or device: the calling thread.
///
/// # Errors
/// Those of the system.
pub fn runtime() -> std::io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// Sets the flag when the process is told to end; a second time ends it at once.
pub fn interrupts(stop: Arc<AtomicBool>) {
    // Without the thread a run is ended by the signal itself, and the next run sweeps up.
    std::thread::spawn(move || {
        let Ok(runtime) = runtime() else { return };
        runtime.block_on(async move {
            let signals = (
                signal(SignalKind::interrupt()),
                signal(SignalKind::terminate()),
                signal(SignalKind::hangup()),
            );
            let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)) = signals else {
                return;
            };
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                    _ = hangup.recv() => {}
                }
                stop.store(true, Ordering::Relaxed);
            }
        });
    });
}

/// How long the steps of a case will about take: the longest begin first, so that the beds end
/// together. A time that is counted from a mark is taken as if the mark were the case's beginning.
fn length(case: &ExpandedCase) -> Duration {
    let known = case.scope();
    let time = |text: &str| {
        let parsed = Expression::parse(text).and_then(|expression| {
            let mut scope = known.clone();
            for name in expression.names() {
                scope.entry(name.to_owned()).or_insert(Quantity::Time(0));
            }
            expression.duration(&scope)
        });
        parsed.unwrap_or_default()
    };
    case.steps
        .iter()
        .map(|located| takes(&located.step, &time))
        .sum()
}

fn takes(step: &Step, time: &dyn Fn(&str) -> Duration) -> Duration {
    match step {
        Step::Wait(text) | Step::WaitUntil(text) => time(text),
        Step::Never(never) => never.for_.as_deref().map(time).unwrap_or_default(),
        Step::Count(count) => time(&count.for_),
        Step::Among(among) => time(&among.for_),
        Step::Choice(choice) => choice.for_.as_deref().map(time).unwrap_or_default(),
        Step::Expect(expect) => {
            let within = expect.within.as_deref().map(time).unwrap_or_default() / 4;
            within + expect.at.as_deref().map(time).unwrap_or_default()
        }
        Step::Classify(classify) => time(&classify.for_),
        Step::Repeat(repeat) => {
            let once: Duration = repeat.steps.iter().map(|step| takes(step, time)).sum();
            once * u32::from(repeat.times)
        }
        Step::Sample(sample) => {
            // What it measures is at most about this, and with it whatever comes before.
            let each = sample.longest.as_ref().or(sample.expected.as_ref());
            let each = [each, sample.rest.as_ref()].into_iter().flatten();
            each.map(|text| time(text)).sum::<Duration>() * sample.samples
        }
        Step::Send(_)
        | Step::Mark(_)
        | Step::Link(_)
        | Step::Node(_)
        | Step::Fault(_)
        | Step::Heal(_)
        | Step::Partner(_)
        | Step::Neighbor(_)
        | Step::EtrunkPeer(_)
        | Step::RbsPeer(_)
        | Step::Stream(_)
        | Step::Command(_)
        | Step::State(_)
        | Step::Equal(_)
        | Step::Loss(_)
        | Step::Listen(_)
        | Step::Collect(_)
        | Step::Uniform(_)
        | Step::Display(_) => Duration::ZERO,
    }
}

/// Runs cases on a testbed and hands every event to `sink`; results come as they are there. The
/// sink ends the run by returning `false`, an interrupt does too; then no bed is left behind.
pub fn run(
    cases: &[ExpandedCase],
    catalogue: &Catalogue,
    plan: &Plan,
    options: &Options,
    sink: &mut dyn FnMut(RunEvent) -> bool,
) -> Footer {
    sweep();
    let world = format!("live: {}", plan.name);
    let subject = subject(plan);
    let mut tally = Tally::begin((world, Some(subject)), cases.len(), options, sink);
    let stop = Arc::new(AtomicBool::new(false));
    interrupts(Arc::clone(&stop));
    let mut pool = Pool {
        plan,
        catalogue,
        options,
        stop: &stop,
        lateness: BTreeMap::new(),
    };
    // What the device is comes first; a preamble case that is selected too isn't played again.
    let preambles = preambles(cases, catalogue);
    let first: Vec<&ExpandedCase> = preambles.values().flatten().copied().collect();
    let mut told: BTreeMap<String, CaseResult> = BTreeMap::new();
    pool.play(&first, &mut |result| {
        told.insert(result.case.id.clone(), result);
        true
    });
    for (bed, of_bed) in preambles {
        let mut results = of_bed.iter().filter_map(|case| told.get(&case.id));
        let classification = Classification::of(bed.clone(), &mut results);
        pool.lateness.insert(bed, classification.lateness());
        tally.tell(RunEvent::Classified(classification));
    }
    let mut take = |mut result: CaseResult| {
        tally.known += usize::from(deviation(plan, &mut result));
        tally.take(result)
    };
    let mut rest = Vec::new();
    for case in cases {
        match told.remove(&case.id) {
            Some(result) => drop(take(result)),
            None => rest.push(case),
        }
    }
    pool.play(&rest, &mut take);
    tally.end()
}

/// What is told of the device. A version that can't be asked for is left out: the cases tell what
/// is wrong with the bed.
fn subject(plan: &Plan) -> Subject {
    let testbed = &plan.testbed;
    let asked = || {
        let mut command = std::process::Command::new("sh");
        command.args(["-e", "-c", testbed.version.as_deref()?]);
        command.env("TANDEM", &plan.program);
        command.env("TESTBED", &plan.folder);
        let output = command.stdin(std::process::Stdio::null()).output().ok()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        said.lines().next().map(|line| line.trim().to_owned())
    };
    Subject {
        testbed: plan.name.clone(),
        title: testbed.title.clone(),
        device: testbed.device.clone(),
        version: asked().unwrap_or_default(),
        clock: match &testbed.clock {
            Some(clock) => {
                let step = clock.step.as_deref().unwrap_or("100ms");
                format!("virtual: the device's own, moved in steps of up to {step}")
            }
            None => "real time".to_owned(),
        },
    }
}

/// Beds side by side.
struct Pool<'a> {
    plan: &'a Plan,
    catalogue: &'a Catalogue,
    options: &'a Options,
    stop: &'a AtomicBool,
    /// How late a device was measured to act.
    lateness: BTreeMap<BedForm, Duration>,
}

impl Pool<'_> {
    /// Plays cases, the longest first; results come as they are there. `take` ends it by `false`.
    fn play(&self, cases: &[&ExpandedCase], take: &mut dyn FnMut(CaseResult) -> bool) {
        let mut order = cases.to_vec();
        order.sort_by_key(|case| std::cmp::Reverse(length(case)));
        let jobs = self.options.jobs.max(1).min(cases.len());
        let queue: Mutex<VecDeque<&ExpandedCase>> = Mutex::new(order.into());
        let beds = AtomicUsize::new(jobs);
        std::thread::scope(|scope| {
            let (results, received) = mpsc::channel::<CaseResult>();
            for number in 0..jobs {
                let worker = Worker {
                    pool: self,
                    queue: &queue,
                    beds: &beds,
                    results: results.clone(),
                };
                scope.spawn(move || worker.run(number));
            }
            drop(results);
            while let Ok(result) = received.recv() {
                if self.stop.load(Ordering::Relaxed) && result.verdict == Verdict::Error {
                    // It was interrupted: it has no verdict.
                    continue;
                }
                if !take(result) {
                    self.stop.store(true, Ordering::Relaxed);
                }
            }
        });
    }
}

/// A known deviation that shows is told and doesn't count; one that doesn't show is a failure.
fn deviation(plan: &Plan, result: &mut CaseResult) -> bool {
    let mut deviations = plan.testbed.deviations.iter();
    let Some(known) = deviations.find(|remark| remark.of(&result.case.id)) else {
        return false;
    };
    match result.verdict {
        Verdict::Fail => {
            let remark = format!("known deviation: {}", known.reason);
            result.remarks.push(remark);
            true
        }
        Verdict::Pass => {
            result.verdict = Verdict::Fail;
            let what = format!("the known deviation no longer shows: {}", known.reason);
            result.finding = Some(Finding::of(what));
            false
        }
        Verdict::NotApplicable | Verdict::Inconclusive | Verdict::Blocked | Verdict::Error => false,
    }
}

/// One bed's thread.
struct Worker<'a> {
    pool: &'a Pool<'a>,
    queue: &'a Mutex<VecDeque<&'a ExpandedCase>>,
    /// Beds that work or may yet.
    beds: &'a AtomicUsize,
    results: mpsc::Sender<CaseResult>,
}

impl<'a> Worker<'a> {
    fn queue(&self) -> MutexGuard<'_, VecDeque<&'a ExpandedCase>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A bed that can't be made leaves its cases to the others; the last one blocks them.
    fn no_bed(&self, why: &str) {
        if self.beds.fetch_sub(1, Ordering::Relaxed) > 1 {
            return;
        }
        loop {
            let Some(case) = self.queue().pop_front() else {
                return;
            };
            let why = format!("no bed can be made: {why}");
            let seed = self.pool.options.seed;
            let result = CaseResult::unplayed(case, seed, Verdict::Blocked, why);
            if self.results.send(result).is_err() {
                return;
            }
        }
    }

    fn run(self, number: usize) {
        let runtime = match runtime() {
            Ok(runtime) => runtime,
            Err(error) => return self.no_bed(&error.to_string()),
        };
        runtime.block_on(async {
            let mut bed: Option<LiveBed<'_>> = None;
            while !self.pool.stop.load(Ordering::Relaxed) {
                let Some(case) = self.queue().pop_front() else {
                    break;
                };
                match self.one(&mut bed, number, case).await {
                    Ok(result) => {
                        if self.results.send(result).is_err() {
                            break;
                        }
                    }
                    Err(why) => {
                        self.queue().push_front(case);
                        return self.no_bed(&why);
                    }
                }
            }
            if let Some(bed) = bed {
                // What a last hook says is of no case.
                drop(bed.tear_down().await);
            }
        });
    }

    /// Plays a case on the bed that is there, or on a new one where that has other wires.
    async fn one(
        &self,
        bed: &mut Option<LiveBed<'a>>,
        number: usize,
        case: &ExpandedCase,
    ) -> Result<CaseResult, String> {
        let Pool {
            plan,
            catalogue,
            options,
            stop,
            lateness,
        } = self.pool;
        let unplayed = |verdict, why| {
            let seed = mix(options.seed, &case.id);
            Ok(CaseResult::unplayed(case, seed, verdict, why))
        };
        let Some((folder, simulated)) = catalogue.beds.get(&case.testbed) else {
            let why = format!("no testbed `{}`", case.testbed);
            return unplayed(Verdict::Error, why);
        };
        if let Some(why) = plan.testbed.inapplicable(case, simulated) {
            return unplayed(Verdict::NotApplicable, why);
        }
        let shape = Shape::of(&case.testbed, simulated);
        if let Some(other) = bed.take_if(|bed| bed.shape != shape) {
            drop(other.tear_down().await);
        }
        let bed = match bed {
            Some(bed) => bed,
            none @ None => {
                let of = (case.testbed.as_str(), simulated);
                none.insert(LiveBed::make(plan, number, of).await?)
            }
        };
        let late = lateness.get(&bed_of(case)).copied().unwrap_or_default();
        let goldens = catalogue.root.join(&case.suite);
        let how = How {
            simulated: (folder, simulated),
            seed: mix(options.seed, &case.id),
            lateness: late,
            goldens,
            stop,
        };
        Ok(play(bed, case, &how).await)
    }
}
