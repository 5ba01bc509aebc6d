//! Many cases on beds side by side.

use crate::bed::{LiveBed, Plan};
use crate::drive::play;
use crate::netns::sweep;
use harness_judge::{Finding, Verdict};
use harness_run::{CaseResult, Footer, Options, RunEvent, Subject, Tally};
use harness_suite::{Catalogue, ExpandedCase, Expression, Step};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
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
fn interrupts(stop: Arc<AtomicBool>) {
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
/// together.
fn length(case: &ExpandedCase) -> Duration {
    let scope = case.scope();
    let time = |text: &str| {
        let parsed = Expression::parse(text).and_then(|e| e.duration(&scope));
        parsed.unwrap_or_default()
    };
    case.steps
        .iter()
        .map(|located| takes(&located.step, &time))
        .sum()
}

fn takes(step: &Step, time: &dyn Fn(&str) -> Duration) -> Duration {
    match step {
        Step::Wait(text) => time(text),
        Step::Never(never) => never.for_.as_deref().map(time).unwrap_or_default(),
        Step::Count(count) => time(&count.for_),
        Step::Among(among) => time(&among.for_),
        Step::Choice(choice) => choice.for_.as_deref().map(time).unwrap_or_default(),
        Step::Expect(expect) => expect.within.as_deref().map(time).unwrap_or_default() / 4,
        Step::Classify(classify) => time(&classify.for_),
        Step::Repeat(repeat) => {
            let once: Duration = repeat.steps.iter().map(|step| takes(step, time)).sum();
            once * u32::from(repeat.times)
        }
        // How long a sample takes is what it measures.
        Step::Sample(_)
        | Step::WaitUntil(_)
        | Step::Send(_)
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
    let mut order: Vec<&ExpandedCase> = cases.iter().collect();
    order.sort_by_key(|case| std::cmp::Reverse(length(case)));
    let queue: Mutex<VecDeque<&ExpandedCase>> = Mutex::new(order.into());
    let beds = AtomicUsize::new(options.jobs.max(1));
    std::thread::scope(|scope| {
        let (results, received) = mpsc::channel::<CaseResult>();
        for number in 0..options.jobs.max(1) {
            let worker = Worker {
                plan,
                catalogue,
                queue: &queue,
                beds: &beds,
                seed: options.seed,
                stop: &stop,
                results: results.clone(),
            };
            scope.spawn(move || worker.run(number));
        }
        drop(results);
        while let Ok(mut result) = received.recv() {
            if stop.load(Ordering::Relaxed) && result.verdict == Verdict::Error {
                // It was interrupted: it has no verdict.
                continue;
            }
            tally.known += usize::from(deviation(plan, &mut result));
            if !tally.take(result) {
                stop.store(true, Ordering::Relaxed);
            }
        }
    });
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
    plan: &'a Plan,
    catalogue: &'a Catalogue,
    queue: &'a Mutex<VecDeque<&'a ExpandedCase>>,
    /// Beds that work or may yet.
    beds: &'a AtomicUsize,
    seed: u64,
    stop: &'a AtomicBool,
    results: mpsc::Sender<CaseResult>,
}

impl Worker<'_> {
    fn next(&self) -> Option<&ExpandedCase> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.pop_front()
    }

    /// A bed that can't be made leaves its cases to the others; the last one blocks them.
    fn no_bed(&self, why: &str) {
        if self.beds.fetch_sub(1, Ordering::Relaxed) > 1 {
            return;
        }
        while let Some(case) = self.next() {
            let why = format!("no bed can be made: {why}");
            let result = CaseResult::unplayed(case, self.seed, Verdict::Blocked, why);
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
            let mut bed = match LiveBed::make(self.plan, number).await {
                Ok(bed) => bed,
                Err(why) => return self.no_bed(&why),
            };
            while !self.stop.load(Ordering::Relaxed) {
                let Some(case) = self.next() else { break };
                let result = play(&mut bed, case, self.catalogue, self.seed, self.stop).await;
                if self.results.send(result).is_err() {
                    break;
                }
            }
            // What a last hook says is of no case.
            drop(bed.tear_down().await);
        });
    }
}
