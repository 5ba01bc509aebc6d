//! A run's own events: what it begins with, each case as it ends, and the counts at its end.

use crate::event::{CaseResult, Footer, Header, RunEvent, Subject};
use crate::suite::Options;
use harness_judge::Verdict;
use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A run that has begun: tells `sink` of it and counts.
#[expect(missing_debug_implementations, reason = "a sink is a closure")]
pub struct Tally<'a> {
    sink: &'a mut dyn FnMut(RunEvent) -> bool,
    begun: Instant,
    cases: usize,
    max_fail: Option<usize>,
    verdicts: BTreeMap<Verdict, usize>,
    finished: usize,
    failed: usize,
    /// Of the failed ones, those that are known deviations of the device.
    pub known: usize,
}

impl<'a> Tally<'a> {
    /// Begins a run of so many cases in this world, of a device on wires where one is named.
    pub fn begin(
        (world, subject): (String, Option<Subject>),
        cases: usize,
        options: &Options,
        sink: &'a mut dyn FnMut(RunEvent) -> bool,
    ) -> Self {
        let started = SystemTime::now().duration_since(UNIX_EPOCH);
        sink(RunEvent::Started(Header {
            version: options.version.clone(),
            seed: options.seed,
            world,
            cases,
            started_s: started.unwrap_or(Duration::ZERO).as_secs(),
            command: options.command.clone(),
            subject,
        }));
        Self {
            sink,
            begun: Instant::now(),
            cases,
            max_fail: options.max_fail,
            verdicts: BTreeMap::new(),
            finished: 0,
            failed: 0,
            known: 0,
        }
    }

    /// Tells an event of the run that is none of a case.
    pub fn tell(&mut self, event: RunEvent) {
        (self.sink)(event);
    }

    /// Cases that have ended.
    #[must_use]
    pub const fn finished(&self) -> usize {
        self.finished
    }

    /// A case has ended; whether the run goes on.
    #[must_use]
    pub fn take(&mut self, result: CaseResult) -> bool {
        self.finished += 1;
        *self.verdicts.entry(result.verdict).or_insert(0) += 1;
        self.failed += usize::from(result.verdict > Verdict::NotApplicable);
        let id = result.case.id.clone();
        let mut go_on = (self.sink)(RunEvent::CaseStarted { id });
        go_on &= (self.sink)(RunEvent::CaseFinished(Box::new(result)));
        go_on && self.max_fail.is_none_or(|most| self.failed < most)
    }

    /// Ends the run.
    pub fn end(self) -> Footer {
        let footer = Footer {
            complete: self.finished == self.cases,
            verdicts: self.verdicts,
            known: self.known,
            wall_ms: u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        (self.sink)(RunEvent::Finished(footer.clone()));
        footer
    }
}
