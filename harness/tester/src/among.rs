//! The judging step that looks at several ports together: how many of them show something.

use crate::judging::{Judged, Watch, describe};
use crate::matching::compare;
use crate::player::{Current, Player};
use dut_device::Instant;
use harness_suite::Among;
use harness_trace::{Direction, Frame};
use harness_wire::{Kind, classify};
use std::time::Duration;

/// What one decision of the device may take to be said on several ports.
const ONE_INSTANT: Duration = Duration::from_millis(10);

/// How many of several ports show something.
#[derive(Debug)]
pub(crate) struct Counted {
    /// One a port, with its name and whether its last frame of the kind matches.
    ports: Vec<(String, Watch, bool)>,
    pub(crate) until: Instant,
    max: Option<u32>,
    min: Option<u32>,
    /// Since when there are more than `max`, and the record that made them so.
    over: Option<(Instant, usize)>,
    /// The last record that was looked at.
    record: Option<usize>,
}

impl Counted {
    fn shown(&self) -> Vec<&str> {
        let showing = self.ports.iter().filter(|(.., shows)| *shows);
        showing.map(|(name, ..)| name.as_str()).collect()
    }

    /// How many show it.
    fn count(&self) -> u32 {
        u32::try_from(self.shown().len()).unwrap_or(u32::MAX)
    }

    /// The ports that show it, as text.
    fn names(&self) -> String {
        match self.shown().as_slice() {
            [] => "no port".to_owned(),
            names => names.join(", "),
        }
    }

    fn what(&self) -> String {
        let first = self.ports.first();
        first.map_or_else(String::new, |(_, watch, _)| describe(watch))
    }
}

impl Player {
    pub(crate) fn begin_among(&mut self, step: Among) -> Result<(), String> {
        let until = self.duration(&step.for_).map_err(|e| e.to_string())?;
        let one = |name: &String| Ok((name.clone(), self.watch(name, None, &step.frame)?, false));
        let ports = step.on.iter().map(one).collect::<Result<_, String>>()?;
        self.current = Current::Among(Counted {
            ports,
            until: self.now + until,
            max: step.max,
            min: step.min,
            over: None,
            record: None,
        });
        Ok(())
    }

    /// Shows a frame to the step.
    pub(crate) fn judge_among(&mut self, record: usize, point: usize, frame: &Frame) {
        if frame.lost || frame.direction != Direction::In {
            return;
        }
        if self.judge_over(frame.at) {
            return;
        }
        let kind = classify(&frame.octets);
        let fields = self.decoded(point, &frame.octets);
        let known = self.known.clone();
        let Current::Among(counted) = &mut self.current else {
            return;
        };
        let port = counted.ports.iter_mut().find(|(_, watch, _)| {
            watch.point == point && (watch.kind == kind || watch.kind == Kind::Frame)
        });
        let Some((_, watch, shows)) = port else {
            return;
        };
        *shows = compare(&watch.fields, &fields, &known).is_empty();
        counted.record = Some(record);
        counted.over = if counted.max.is_some_and(|max| counted.count() > max) {
            counted.over.or(Some((frame.at, record)))
        } else {
            None
        };
    }

    /// Fails the step when it has been over its maximum for too long at this time.
    fn judge_over(&mut self, now: Instant) -> bool {
        let Current::Among(counted) = &self.current else {
            return false;
        };
        let Some((since, record)) = counted.over else {
            return false;
        };
        if now.since(since) <= ONE_INSTANT + self.tolerance {
            return false;
        }
        let (what, names) = (counted.what(), counted.names());
        let mut finding = self.finding(format!("{what} is on {names} at one time"));
        finding.record = Some(record);
        self.decided(Judged::Fails(finding));
        true
    }

    /// The step's time is over.
    pub(crate) fn end_among(&mut self) {
        if self.judge_over(self.now) {
            return;
        }
        let Current::Among(counted) = &self.current else {
            return;
        };
        let (what, names, record) = (counted.what(), counted.names(), counted.record);
        if counted.min.is_some_and(|min| counted.count() < min) {
            let what = format!("{what} is on {names} at the end, on fewer ports than wanted");
            let mut finding = self.finding(what);
            finding.record = record;
            self.decided(Judged::Fails(finding));
        } else {
            let line = self.line().unwrap_or_default();
            let remark = format!("line {line}: {what}: on {names}");
            self.outcome.remarks.push(remark);
            self.decided(Judged::Holds(record));
        }
    }
}
