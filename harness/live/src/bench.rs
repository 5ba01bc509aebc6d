//! One bed that plays cases as they come, for who decides from one case what the next is.

use crate::bed::{LiveBed, Plan};
use crate::drive::play;
use crate::run::runtime;
use harness_judge::Verdict;
use harness_run::CaseResult;
use harness_suite::{Catalogue, ExpandedCase};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

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
    /// Makes a bed; `number` tells this run's beds apart. `stop` ends a case under way.
    ///
    /// # Errors
    /// Why there can be none: rights, interfaces, a hook.
    pub fn open(
        plan: Plan,
        catalogue: Arc<Catalogue>,
        number: usize,
        stop: Arc<AtomicBool>,
    ) -> Result<Self, String> {
        let (cases, asked) = channel::<(ExpandedCase, u64)>();
        let (answer, outcomes) = channel();
        let (opened, ready) = channel();
        let work = move || {
            let runtime = match runtime() {
                Ok(runtime) => runtime,
                Err(error) => return drop(opened.send(Err(error.to_string()))),
            };
            runtime.block_on(async {
                let mut bed = match LiveBed::make(&plan, number).await {
                    Ok(bed) => bed,
                    Err(why) => return drop(opened.send(Err(why))),
                };
                drop(opened.send(Ok(())));
                while let Ok((case, seed)) = asked.recv() {
                    let result = play(&mut bed, &case, &catalogue, seed, &stop).await;
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

impl Drop for Bench {
    fn drop(&mut self) {
        self.cases = None;
        // What uses the namespaces goes before the program ends.
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
