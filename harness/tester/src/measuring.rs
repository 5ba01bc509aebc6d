//! The steps that measure: sample, classify.

use crate::judging::{Judged, Watch};
use crate::matching::compare;
use crate::player::{Current, Player};
use dut_device::Instant;
use harness_judge::{Allowed, Interval, Said};
use harness_suite::{Class, Classify, Frames, Sample};
use harness_wire::Fields;
use std::time::Duration;

/// Samples of a time, as they are taken.
#[derive(Debug)]
pub(crate) struct Sampling {
    what: String,
    port: usize,
    stimulus: Option<Frames>,
    fresh: Option<String>,
    started: Option<Watch>,
    from_started: bool,
    ended: Watch,
    rest: Duration,
    stagger: Duration,
    wanted: usize,
    allowed: Option<Allowed>,
    longest: Duration,
    phase: Phase,
    times: Vec<Duration>,
    /// The record that ended each sample.
    records: Vec<usize>,
}

/// Where a sample is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The next one begins then.
    Resting(Instant),
    /// Its stimulus was sent then, and `started` hasn't come.
    Sent(Instant),
    /// It began then; its last frame hasn't come.
    Began(Instant),
}

/// Frames from which a class is told, as they come.
#[derive(Debug)]
pub(crate) struct Classifying {
    what: String,
    pub(crate) watch: Watch,
    pub(crate) until: Instant,
    classes: Vec<(Class, Duration)>,
    declared: Option<String>,
    came: Vec<(Instant, usize, Fields)>,
}

impl Sampling {
    /// The frames that the sample looks at now.
    pub(crate) const fn watch(&self) -> Option<&Watch> {
        match (self.phase, &self.started) {
            (Phase::Resting(_), _) => None,
            (Phase::Sent(_), Some(started)) => Some(started),
            (Phase::Sent(_) | Phase::Began(_), _) => Some(&self.ended),
        }
    }

    /// When something is due.
    pub(crate) fn next(&self) -> Instant {
        match self.phase {
            Phase::Resting(until) => until,
            Phase::Sent(since) | Phase::Began(since) => since + self.longest,
        }
    }

    fn rest_until(&self, now: Instant) -> Instant {
        let number = u32::try_from(self.times.len()).unwrap_or(u32::MAX);
        now + self.rest + self.stagger.saturating_mul(number)
    }
}

impl Player {
    pub(crate) fn begin_sample(&mut self, step: Sample) -> Result<(), String> {
        let time = |text: &str| self.duration(text).map_err(|error| error.to_string());
        let given = |text: &Option<String>| text.as_deref().map(time).transpose();
        let expected = given(&step.expected)?;
        let (early, late) = match &step.tolerance {
            Some(tolerance) => (time(&tolerance.early)?, time(&tolerance.late)?),
            None => (crate::judging::TIMER, crate::judging::TIMER),
        };
        let bed = self.tolerance;
        let allowed = expected.map(|expected| Allowed {
            least: expected.saturating_sub(early + bed),
            most: expected + late + bed,
        });
        let longest = given(&step.longest)?;
        let longest = longest.or(expected.map(|time| time * 2 + Duration::from_secs(1)));
        let longest = longest.ok_or("a sample has `expected` or `longest`")?;
        let wanted = usize::try_from(step.samples).unwrap_or(usize::MAX);
        if !(1..=1000).contains(&wanted) {
            return Err("`samples` is 1 to 1000".to_owned());
        }
        if step.started.is_some() && step.stimulus.is_none() {
            return Err("`started` goes with a `stimulus`".to_owned());
        }
        let started = step.started.as_ref();
        let mut sampling = Sampling {
            port: self.port_index(&step.on)?,
            started: started
                .map(|frames| self.watch(&step.on, None, frames))
                .transpose()?,
            ended: self.watch(&step.on, None, &step.frame)?,
            rest: given(&step.rest)?.unwrap_or_default(),
            stagger: given(&step.stagger)?.unwrap_or_default(),
            what: step.what,
            from_started: step.from_started,
            stimulus: step.stimulus,
            fresh: step.fresh,
            wanted,
            allowed,
            longest,
            phase: Phase::Resting(self.now),
            times: Vec::new(),
            records: Vec::new(),
        };
        sampling.phase = if sampling.stimulus.is_some() {
            Phase::Resting(sampling.rest_until(self.now))
        } else {
            // The first frame only begins the first sample.
            Phase::Sent(self.now)
        };
        self.current = Current::Sampling(Box::new(sampling));
        Ok(())
    }

    /// Sends a stimulus that is due, or ends a sample that takes too long.
    pub(crate) fn work_sampling(&mut self) -> bool {
        let now = self.now;
        let Current::Sampling(sampling) = &mut self.current else {
            return false;
        };
        if sampling.next() > now {
            return false;
        }
        let Phase::Resting(_) = sampling.phase else {
            let what = format!(
                "{}: sample {} has not ended in {:?}",
                sampling.what,
                sampling.times.len() + 1,
                sampling.longest
            );
            let finding = self.finding(what);
            self.decided(Judged::Fails(finding));
            return true;
        };
        sampling.phase = Phase::Sent(now);
        let sent = sampling.stimulus.as_ref().and_then(Frames::only);
        let (port, sent) = (
            sampling.port,
            sent.map(|(kind, fields)| (kind, fields.clone())),
        );
        let fresh = sampling.fresh.clone();
        let done = match sent {
            Some((kind, mut fields)) => {
                if let Some(field) = fresh {
                    fields.insert(field, self.fresh());
                }
                self.transmit(port, kind, &fields)
            }
            None => Err("a frame has exactly one kind".to_owned()),
        };
        if let Err(error) = done {
            self.abort(error);
        }
        true
    }

    /// The stimulus really left then.
    pub(crate) fn sample_sent(&mut self, at: Instant) {
        if let Current::Sampling(sampling) = &mut self.current
            && let Phase::Sent(since) = &mut sampling.phase
            && sampling.stimulus.is_some()
            && at >= *since
        {
            *since = at;
        }
    }

    /// A frame that matches what the sample looks at.
    pub(crate) fn sample_frame(&mut self, at: Instant, record: usize) {
        let Current::Sampling(sampling) = &mut self.current else {
            return;
        };
        let begun = match sampling.phase {
            Phase::Resting(_) => return,
            Phase::Sent(_) if sampling.stimulus.is_none() => {
                sampling.phase = Phase::Began(at);
                return;
            }
            Phase::Sent(since) if sampling.started.is_some() => {
                let from = if sampling.from_started { at } else { since };
                sampling.phase = Phase::Began(from);
                return;
            }
            Phase::Sent(since) | Phase::Began(since) => since,
        };
        sampling.times.push(at.since(begun));
        sampling.records.push(record);
        sampling.phase = if sampling.stimulus.is_some() {
            Phase::Resting(sampling.rest_until(at))
        } else {
            Phase::Began(at)
        };
        if sampling.times.len() >= sampling.wanted {
            self.judge_samples();
        }
    }

    fn judge_samples(&mut self) {
        let Current::Sampling(sampling) = std::mem::replace(&mut self.current, Current::Ready)
        else {
            return;
        };
        let Some(interval) = Interval::of(&sampling.times) else {
            return;
        };
        let last = sampling.records.last().copied();
        let Some(allowed) = sampling.allowed else {
            let remark = format!("{}: {interval}", sampling.what);
            self.outcome.remarks.push(remark);
            self.outcome.lateness = self.outcome.lateness.max(interval.range.1);
            self.decided(Judged::Holds(last));
            return;
        };
        let remark = format!(
            "{}: {interval}; allowed {} to {} ms",
            sampling.what,
            allowed.least.as_millis(),
            allowed.most.as_millis()
        );
        self.outcome.remarks.push(remark.clone());
        match interval.judge(&sampling.times, allowed) {
            Said::Holds => self.decided(Judged::Holds(last)),
            Said::Fails(at) => {
                let mut finding = self.finding(format!("sample {} is outside: {remark}", at + 1));
                finding.record = sampling.records.get(at).copied();
                self.decided(Judged::Fails(finding));
            }
            Said::Undecided(why) => {
                let finding = self.finding(format!("{why}: {remark}"));
                self.decided(Judged::Undecided(finding));
            }
        }
    }

    pub(crate) fn begin_classify(&mut self, step: Classify) -> Result<(), String> {
        let watch = self.watch(&step.on, None, &step.frame)?;
        let time = |text: &str| self.duration(text).map_err(|error| error.to_string());
        let until = self.now + time(&step.for_)?;
        let spaced = |class: Class| {
            let spaced = class.spaced.as_deref().map(time).transpose()?;
            Ok::<_, String>((class, spaced.unwrap_or_default()))
        };
        let classes = step
            .classes
            .into_iter()
            .map(spaced)
            .collect::<Result<_, _>>()?;
        let declared = step.declared.map(|declared| {
            let known = crate::matching::resolve(&declared.clone().into(), &self.known);
            known.as_str().map_or(declared, str::to_owned)
        });
        self.current = Current::Classifying(Box::new(Classifying {
            what: step.what,
            watch,
            until,
            classes,
            declared,
            came: Vec::new(),
        }));
        Ok(())
    }

    /// A frame of the kind that is looked at.
    pub(crate) fn classify_frame(&mut self, at: Instant, record: usize, seen: &Fields) {
        if let Current::Classifying(classifying) = &mut self.current {
            classifying.came.push((at, record, seen.clone()));
        }
    }

    /// The time is over: which class fits.
    pub(crate) fn classified(&mut self) {
        let Current::Classifying(told) = std::mem::replace(&mut self.current, Current::Ready)
        else {
            return;
        };
        let Classifying {
            what,
            classes,
            declared,
            came,
            ..
        } = *told;
        let earlier = self.known.get(&what).and_then(|value| value.as_str());
        let fits = |(class, spaced): &&(Class, Duration)| {
            let was = class.was.as_deref();
            if was.is_some() && was != earlier {
                return false;
            }
            let counts = |(at, _, seen): &(Instant, usize, Fields)| {
                compare(&class.fields, seen, &self.known)
                    .is_empty()
                    .then_some(*at)
            };
            let times: Vec<Instant> = came.iter().filter_map(counts).collect();
            let count = u32::try_from(times.len()).unwrap_or(u32::MAX);
            let apart = times.iter().zip(times.iter().skip(1));
            let apart = apart
                .into_iter()
                .all(|(one, next)| next.since(*one) >= *spaced);
            let fewest = class.min.unwrap_or(1);
            apart && count >= fewest && class.max.is_none_or(|most| count <= most)
        };
        let answer = classes
            .iter()
            .find(fits)
            .map(|(class, _)| class.name.clone());
        let last = came.last().map(|(_, record, _)| *record);
        let wrong = match (&answer, declared) {
            (None, _) => Some(format!(
                "{what}: none of {} fits the {} frames that came",
                classes
                    .iter()
                    .map(|(class, _)| class.name.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
                came.len()
            )),
            (Some(name), Some(declared)) if *name != declared => Some(format!(
                "{what}: the testbed says {declared}, the device behaves as {name}"
            )),
            (Some(_), _) => None,
        };
        if let Some(name) = answer {
            self.outcome.remarks.push(format!("{what}: {name}"));
            self.outcome.classes.insert(what.clone(), name.clone());
            self.known.insert(what, name.into());
        }
        match wrong {
            None => self.decided(Judged::Holds(last)),
            Some(wrong) => {
                let mut finding = self.finding(wrong);
                finding.record = last;
                self.decided(Judged::Fails(finding));
            }
        }
    }
}

/// What a step that sends varies from frame to frame.
#[derive(Debug, Clone, Default)]
pub(crate) struct Varying {
    /// The field and its next value.
    pub(crate) field: Option<(String, u64)>,
    /// The field that gets a fresh value.
    pub(crate) fresh: Option<String>,
}

impl Player {
    /// Puts what varies into the fields of the next frame.
    pub(crate) fn varied(&mut self, varying: &mut Varying, fields: &mut Fields) {
        if let Some((field, value)) = &mut varying.field {
            fields.insert(field.clone(), (*value).into());
            *value += 1;
        }
        if let Some(field) = &varying.fresh {
            fields.insert(field.clone(), self.fresh());
        }
    }

    /// A value of two octets that this case hasn't used, known as `$fresh`.
    pub(crate) fn fresh(&mut self) -> serde_json::Value {
        self.last_fresh += 1;
        let value = serde_json::Value::from(self.last_fresh);
        self.known.insert("fresh".to_owned(), value.clone());
        value
    }
}
