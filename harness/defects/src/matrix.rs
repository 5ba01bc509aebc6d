//! The kill matrix: which case kills which defect.

use crate::Defect;
use harness_judge::Verdict;
use harness_run::run_case;
use harness_suite::{Catalogue, ExpandedCase, Step};
use std::cmp::Reverse;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

/// What became of one defect.
#[derive(Debug, Clone)]
pub struct Kill {
    /// The defect.
    pub defect: Defect,
    /// Ids of the cases that fail on it, at most as many as were enough.
    pub killed_by: Vec<String>,
    /// Cases that ran on it.
    pub ran: usize,
}

/// Runs the cases of each defect's suite on it, those first that verify most of what it breaks,
/// until `enough` have killed it; `jobs` defects side by side. A case kills a defect by verdict
/// *fail*; one that the reference itself fails says nothing and is left out by the caller.
/// `progress` is called with the number of defects that are done.
#[must_use]
pub fn kill(
    defects: &[Defect],
    catalogue: &Catalogue,
    seed: u64,
    enough: usize,
    jobs: usize,
    progress: &mut dyn FnMut(usize),
) -> Vec<Kill> {
    let next = AtomicUsize::new(0);
    let mut kills: Vec<Option<Kill>> = vec![None; defects.len()];
    std::thread::scope(|scope| {
        let (done, received) = mpsc::channel();
        for _ in 0..jobs.max(1) {
            let (done, next) = (done.clone(), &next);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(defect) = defects.get(index) else {
                        return;
                    };
                    if done
                        .send((index, one(defect, catalogue, seed, enough)))
                        .is_err()
                    {
                        return;
                    }
                }
            });
        }
        drop(done);
        let mut finished = 0;
        while let Ok((index, kill)) = received.recv() {
            finished += 1;
            if let Some(slot) = kills.get_mut(index) {
                *slot = Some(kill);
            }
            progress(finished);
        }
    });
    kills.into_iter().flatten().collect()
}

fn one(defect: &Defect, catalogue: &Catalogue, seed: u64, enough: usize) -> Kill {
    let factory = defect.factory();
    let mut cases: Vec<&ExpandedCase> = catalogue
        .cases
        .iter()
        .filter(|case| case.suite == defect.suite)
        .collect();
    // One kill is enough: the likeliest cases come first, of those floods last.
    cases.sort_by_key(|case| {
        let breaks = |id: &&String| defect.breaks.contains(&id.as_str());
        let hits = case.verifies.iter().filter(breaks).count();
        (Reverse(hits), frames(case) > FLOOD)
    });
    let mut ran = 0;
    let killed_by = cases
        .iter()
        .inspect(|_| ran += 1)
        .filter(|case| {
            run_case(case, catalogue, &factory, seed, Duration::ZERO).verdict == Verdict::Fail
        })
        .map(|case| case.id.clone())
        .take(enough)
        .collect();
    Kill {
        defect: *defect,
        killed_by,
        ran,
    }
}

/// A case that sends more frames than this is dear.
const FLOOD: u32 = 5000;

/// Frames that a case sends, streams and partners left out.
fn frames(case: &ExpandedCase) -> u32 {
    let sends = |located: &harness_suite::Located| {
        if let Step::Send(send) = &located.step {
            send.count.unwrap_or(1)
        } else {
            0
        }
    };
    case.steps.iter().map(sends).sum()
}
