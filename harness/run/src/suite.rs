//! Many cases: side by side on several threads, reported in their own order as they finish.

use crate::bed::Factory;
use crate::event::{CaseResult, Classification, Footer, RunEvent};
use crate::simulation::run_case;
use crate::tally::Tally;
use harness_judge::Verdict;
use harness_suite::{Catalogue, ExpandedCase};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

/// How a run is made.
#[derive(Debug, Clone)]
pub struct Options {
    /// The seed from which everything random comes.
    pub seed: u64,
    /// Cases side by side.
    pub jobs: usize,
    /// Stop after this many that aren't pass or not-applicable.
    pub max_fail: Option<usize>,
    /// Version of the program, for the header.
    pub version: String,
    /// The command line, for the header.
    pub command: String,
}

/// Runs cases and hands every event to `sink`; case results come in the order of `cases`. The sink
/// ends the run by returning `false` (an interrupt).
pub fn run(
    cases: &[ExpandedCase],
    catalogue: &Catalogue,
    factory: &Factory,
    options: &Options,
    sink: &mut dyn FnMut(RunEvent) -> bool,
) -> Footer {
    let mut tally = Tally::begin(("simulation".to_owned(), None), cases.len(), options, sink);
    let lateness = preamble(cases, catalogue, factory, options.seed, &mut tally);
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (results, received) = mpsc::channel::<(usize, CaseResult)>();
        for _ in 0..options.jobs.max(1) {
            let (results, next, stop) = (results.clone(), &next, &stop);
            let lateness = &lateness;
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(index) else { return };
                    let late = lateness.get(&bed_of(case)).copied().unwrap_or_default();
                    let result = run_case(case, catalogue, factory, options.seed, late);
                    if results.send((index, result)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(results);
        let mut waiting: BTreeMap<usize, CaseResult> = BTreeMap::new();
        while let Ok((index, result)) = received.recv() {
            waiting.insert(index, result);
            while let Some(result) = waiting.remove(&tally.finished()) {
                if !tally.take(result) {
                    stop.store(true, Ordering::Relaxed);
                    return;
                }
            }
        }
    });
    tally.end()
}

/// A testbed in one of its forms.
pub type BedForm = (String, String);

/// The testbed of a case, in its form.
#[must_use]
pub fn bed_of(case: &ExpandedCase) -> BedForm {
    (case.testbed.clone(), case.form.clone())
}

/// The preamble cases of these cases' testbeds, which tell what the device is.
#[must_use]
pub fn preambles<'a>(
    cases: &[ExpandedCase],
    catalogue: &'a Catalogue,
) -> BTreeMap<BedForm, Vec<&'a ExpandedCase>> {
    let beds: BTreeSet<BedForm> = cases.iter().map(bed_of).collect();
    let told = |bed: BedForm| {
        let of_bed = |case: &&ExpandedCase| case.preamble && bed_of(case) == bed;
        let told: Vec<&ExpandedCase> = catalogue.cases.iter().filter(of_bed).collect();
        (bed, told)
    };
    let all = beds.into_iter().map(told);
    all.filter(|(_, told)| !told.is_empty()).collect()
}

impl Classification {
    /// What the preamble cases of a testbed's form tell.
    pub fn of((testbed, form): BedForm, results: &mut dyn Iterator<Item = &CaseResult>) -> Self {
        let mut told = Self {
            testbed,
            form,
            ..Self::default()
        };
        let mut late = Duration::ZERO;
        for result in results {
            told.suite.clone_from(&result.case.suite);
            late = late.max(result.lateness);
            told.classes.extend(result.classes.clone());
            if result.verdict > Verdict::NotApplicable {
                let why = result.finding.as_ref().map(|finding| finding.what.clone());
                let id = result.case.id.clone();
                told.troubles.insert(id, why.unwrap_or_default());
            }
        }
        told.lateness_ns = u64::try_from(late.as_nanos()).unwrap_or(u64::MAX);
        told
    }

    /// How late the device acts.
    #[must_use]
    pub const fn lateness(&self) -> Duration {
        Duration::from_nanos(self.lateness_ns)
    }
}

/// Tells the devices of these cases' testbeds apart by the preamble cases; how late each acts.
fn preamble(
    cases: &[ExpandedCase],
    catalogue: &Catalogue,
    factory: &Factory,
    seed: u64,
    tally: &mut Tally<'_>,
) -> BTreeMap<BedForm, Duration> {
    let mut lateness = BTreeMap::new();
    for (bed, told) in preambles(cases, catalogue) {
        let play = |case| run_case(case, catalogue, factory, seed, Duration::ZERO);
        let results: Vec<CaseResult> = told.into_iter().map(play).collect();
        let classification = Classification::of(bed.clone(), &mut results.iter());
        lateness.insert(bed, classification.lateness());
        tally.tell(RunEvent::Classified(classification));
    }
    lateness
}
