//! One bed that plays cases as they come, for who decides from one case what the next is.

use crate::bed::{LiveBed, Plan};
use crate::drive::{How, play};
use crate::run::runtime;
use harness_judge::Verdict;
use harness_run::{CaseResult, mix};
use harness_suite::{Bed, Catalogue, ExpandedCase};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// A result, and the memory that the device's processes then held, KiB, where that is known.
pub type Outcome = (CaseResult, Option<u64>);

/// A bed on a thread of its own: a thread is in one network namespace.
#[derive(Debug)]
pub struct Bench {
    cases: Option<Sender<(ExpandedCase, u64)>>,
    outcomes: Receiver<Outcome>,
    thread: Option<JoinHandle<()>>,
}

impl Bench {
    /// Makes a bed for cases of a simulated testbed; `number` tells this run's beds apart. `stop`
    /// ends a case under way.
    ///
    /// # Errors
    /// Why there can be none: no such testbed, rights, interfaces, a hook.
    pub fn open(
        plan: Plan,
        (catalogue, name): (Arc<Catalogue>, String),
        number: usize,
        stop: Arc<AtomicBool>,
    ) -> Result<Self, String> {
        let (cases, asked) = channel::<(ExpandedCase, u64)>();
        let (answer, outcomes) = channel();
        let (opened, ready) = channel();
        let simulated: (PathBuf, Bed) = match catalogue.beds.get(&name) {
            Some(bed) => bed.clone(),
            None => return Err(format!("no testbed `{name}`")),
        };
        let work = move || {
            let runtime = match runtime() {
                Ok(runtime) => runtime,
                Err(error) => return drop(opened.send(Err(error.to_string()))),
            };
            runtime.block_on(async {
                let made = LiveBed::make(&plan, number, (&name, &simulated.1)).await;
                let mut bed = match made {
                    Ok(bed) => bed,
                    Err(why) => return drop(opened.send(Err(why))),
                };
                drop(opened.send(Ok(())));
                while let Ok((case, seed)) = asked.recv() {
                    let result = one(&mut bed, &case, &simulated, seed, &stop).await;
                    if answer.send((result, bed.memory)).is_err() {
                        break;
                    }
                }
                // What a last hook says is of no case.
                drop(bed.tear_down().await);
            });
        };
        let thread = std::thread::spawn(work);
        let ready = ready.recv();
        ready.map_err(|_gone| "the bed's thread failed".to_owned())??;
        Ok(Self {
            cases: Some(cases),
            outcomes,
            thread: Some(thread),
        })
    }

    /// Plays a case.
    #[must_use]
    pub fn play(&self, case: &ExpandedCase, seed: u64) -> Outcome {
        let sent = self.cases.as_ref();
        let sent = sent.is_some_and(|cases| cases.send((case.clone(), seed)).is_ok());
        let outcome = if sent {
            self.outcomes.recv().ok()
        } else {
            None
        };
        outcome.unwrap_or_else(|| {
            let why = "the bed's thread failed".to_owned();
            (CaseResult::unplayed(case, seed, Verdict::Error, why), None)
        })
    }
}

async fn one(
    bed: &mut LiveBed<'_>,
    case: &ExpandedCase,
    (folder, simulated): &(PathBuf, Bed),
    seed: u64,
    stop: &AtomicBool,
) -> CaseResult {
    let seed = mix(seed, &case.id);
    if let Some(why) = bed.plan.testbed.inapplicable(case, simulated) {
        return CaseResult::unplayed(case, seed, Verdict::NotApplicable, why);
    }
    let folder: &Path = folder;
    let how = How {
        simulated: (folder, simulated),
        seed,
        lateness: Duration::ZERO,
        goldens: folder.to_path_buf(),
        stop,
    };
    play(bed, case, &how).await
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.cases = None;
        // What uses the namespaces goes before the program ends.
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
