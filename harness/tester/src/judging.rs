//! The judging steps that look at frames: expect, never, count.

use crate::matching::compare;
use crate::player::{Current, Player};
use crate::port::Port;
use dut_device::Instant;
use harness_judge::{Difference, Finding};
use harness_suite::{Count, Expect, Never, Step};
use harness_trace::{Direction, Frame};
use harness_wire::{Fields, Kind, classify, decode, digest_correct};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

impl Current {
    /// Whether the step looks at frames.
    pub(crate) fn looks(&self) -> bool {
        matches!(self, Self::Among(_)) || self.watch().is_some()
    }

    /// The frames that the step looks at, when it looks at frames.
    fn watch(&self) -> Option<&Watch> {
        match self {
            Self::Expecting(expecting) => Some(&expecting.watch),
            Self::Forbidding(forbidding) => Some(&forbidding.watch),
            Self::Counting(counting) => Some(&counting.watch),
            Self::Choosing(choosing) => Some(&choosing.watch),
            Self::Sampling(sampling) => sampling.watch(),
            Self::Classifying(classifying) => Some(&classifying.watch),
            Self::Ready
            | Self::Among(_)
            | Self::Sleeping(_)
            | Self::Sending { .. }
            | Self::Probing(_)
            | Self::Equalling(_)
            | Self::Displaying
            | Self::Done => None,
        }
    }
}

/// How a judging step ended.
#[derive(Debug)]
pub(crate) enum Judged {
    /// It holds; the record that shows it.
    Holds(Option<usize>),
    /// It doesn't.
    Fails(Finding),
    /// That can't be told.
    Undecided(Finding),
}

/// Which frames a step looks at.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    pub(crate) point: usize,
    /// `None`: either end.
    direction: Option<Direction>,
    pub(crate) kind: Kind,
    pub(crate) fields: Fields,
}

#[derive(Debug)]
pub(crate) struct Expecting {
    watch: Watch,
    earliest: Instant,
    pub(crate) latest: Instant,
    first: bool,
    save: BTreeMap<String, String>,
    /// The frame of the kind that came closest: (differences, record).
    closest: Option<(Vec<Difference>, usize)>,
    seen: u32,
}

#[derive(Debug)]
pub(crate) struct Forbidding {
    watch: Watch,
    pub(crate) until: Instant,
}

#[derive(Debug)]
pub(crate) struct Counting {
    watch: Watch,
    since: Instant,
    until: Instant,
    min: Option<u32>,
    max: Option<u32>,
    gap: Option<(Duration, Duration)>,
    per: Option<Duration>,
    came: Vec<(Instant, usize)>,
}

impl Counting {
    /// When the step ends: one that wants more waits for what may come late.
    pub(crate) fn over(&self, tolerance: Duration) -> Instant {
        let few = self
            .min
            .is_some_and(|min| u32::try_from(self.came.len()).is_ok_and(|n| n < min));
        self.until + if few { tolerance } else { Duration::ZERO }
    }

    /// How many certainly came within the time: not at its ends.
    fn certain(&self, tolerance: Duration) -> u32 {
        let within = |at: Instant| at >= self.since + tolerance && at + tolerance <= self.until;
        let certain = self.came.iter().filter(|(at, _)| within(*at)).count();
        u32::try_from(certain).unwrap_or(u32::MAX)
    }
}

pub(crate) fn seconds(d: Duration) -> String {
    format!("{}.{:03} s", d.as_secs(), d.subsec_millis())
}

impl Player {
    pub(crate) fn watch(
        &self,
        on: &str,
        from: Option<&str>,
        frames: &harness_suite::Frames,
    ) -> Result<Watch, String> {
        let index = self.points.iter().position(|point| point.name == on);
        let index = index.ok_or_else(|| format!("no port or link `{on}`"))?;
        let point = self.points.get(index).ok_or("no such point")?;
        let direction = match from {
            Some(end) if end == point.near => Some(Direction::Out),
            Some(end) if end == point.far => Some(Direction::In),
            Some(end) => {
                return Err(format!(
                    "`{on}` ends at `{}` and `{}`, not `{end}`",
                    point.near, point.far
                ));
            }
            None if point.near == "tester" => Some(Direction::In),
            None => None,
        };
        let (kind, fields) = frames.only().ok_or("a frame has exactly one kind")?;
        Ok(Watch {
            point: index,
            direction,
            kind,
            fields: fields.clone(),
        })
    }

    /// Begins steps that only look: one segment may bring several messages, and one instant several
    /// frames, each for its own step.
    pub(crate) fn look_on(&mut self) {
        let sent = self.actions.is_empty();
        // When the last frame left isn't known before it has.
        let known = |step: &Step| {
            let at = if let Step::Expect(expect) = step {
                &expect.at
            } else if let Step::Never(never) = step {
                &never.until
            } else {
                &None
            };
            sent || at.as_ref().is_none_or(|at| !at.contains("last_sent"))
        };
        let looks = |step: &Step| {
            let looks = matches!(
                step,
                Step::Expect(_)
                    | Step::Never(_)
                    | Step::Count(_)
                    | Step::Choice(_)
                    | Step::Among(_)
                    | Step::Classify(_)
                    | Step::Mark(_)
            );
            looks && known(step)
        };
        while matches!(self.current, Current::Ready)
            && self
                .case
                .steps
                .get(self.step)
                .is_some_and(|l| looks(&l.step))
        {
            self.begin();
        }
    }

    /// The tester's port at a point.
    pub(crate) fn port_of(&self, point: usize) -> Option<&Port> {
        let name = &self.points.get(point)?.name;
        self.ports.iter().find(|port| port.name == *name)
    }

    fn time(&self, text: &str) -> Result<Duration, String> {
        self.duration(text).map_err(|error| error.to_string())
    }

    pub(crate) fn begin_expect(&mut self, step: Expect) -> Result<(), String> {
        let watch = self.watch(&step.on, step.from.as_deref(), &step.frame)?;
        let (now, bed) = (self.now, self.tolerance);
        let (earliest, latest) = match (&step.at, &step.within, &step.after) {
            (Some(at), None, None) => {
                let at = self.instant(at).map_err(|error| error.to_string())?;
                let (early, late) = match &step.tolerance {
                    Some(tolerance) => (self.time(&tolerance.early)?, self.time(&tolerance.late)?),
                    None => (TIMER, TIMER),
                };
                (at.saturating_sub(early + bed), at + late + bed)
            }
            (None, within, after) => {
                let within = within.as_deref().map(|text| self.time(text)).transpose()?;
                let after = after.as_deref().map(|text| self.time(text)).transpose()?;
                let earliest = after.map_or(now, |after| (now + after).saturating_sub(bed));
                (
                    earliest,
                    now + within.unwrap_or(Duration::from_secs(1)) + bed,
                )
            }
            (Some(_), ..) => return Err("`at` goes without `within` and `after`".to_owned()),
        };
        let (first, save) = (step.first, step.save);
        self.current = Current::Expecting(Expecting {
            watch,
            earliest,
            latest,
            first,
            save,
            closest: None,
            seen: 0,
        });
        Ok(())
    }

    pub(crate) fn begin_never(&mut self, step: Never) -> Result<(), String> {
        let watch = self.watch(&step.on, step.from.as_deref(), &step.frame)?;
        let until = match (&step.for_, &step.until) {
            (Some(time), None) => self.now + self.time(time)?,
            (None, Some(at)) => self.instant(at).map_err(|error| error.to_string())?,
            _ => return Err("a `never` has `for` or `until`".to_owned()),
        };
        self.current = Current::Forbidding(Forbidding { watch, until });
        Ok(())
    }

    pub(crate) fn begin_count(&mut self, step: Count) -> Result<(), String> {
        let watch = self.watch(&step.on, step.from.as_deref(), &step.frame)?;
        let until = self.now + self.time(&step.for_)?;
        let gap = match &step.gap {
            Some(gap) => Some((self.time(&gap.early)?, self.time(&gap.late)?)),
            None => None,
        };
        let per = step
            .per
            .as_deref()
            .map(|text| self.time(text))
            .transpose()?;
        let (min, max) = (step.min, step.max);
        self.current = Current::Counting(Counting {
            watch,
            since: self.now,
            until,
            min,
            max,
            gap,
            per,
            came: Vec::new(),
        });
        Ok(())
    }

    /// Shows a frame to the current step.
    pub(crate) fn judge(&mut self, record: usize, point: usize, frame: &Frame) {
        if matches!(self.current, Current::Among(_)) {
            self.judge_among(record, point, frame);
            return;
        }
        let Some(watch) = self.current.watch() else {
            return;
        };
        let elsewhere = watch
            .direction
            .is_some_and(|direction| direction != frame.direction);
        if watch.point != point || elsewhere || frame.lost {
            return;
        }
        let kind = classify(&frame.octets);
        if watch.kind == kind || watch.kind == Kind::Frame {
            let watched = watch.kind;
            let fields = self.decoded(point, &frame.octets);
            self.judge_fields(point, frame, record, watched, &fields);
        }
    }

    /// A frame's fields; of a hello also whether its digest is that of the bed's key.
    pub(crate) fn decoded(&self, point: usize, frame: &[u8]) -> Fields {
        let mut fields = decode(frame).fields;
        let hello = self
            .port_of(point)
            .and_then(|port| port.defaults.get("etrunk"));
        let key = hello.and_then(|hello| hello.get("auth.key")?.as_str());
        if fields.contains_key("auth.algorithm")
            && let Some(correct) = key.and_then(|key| digest_correct(frame, key))
        {
            fields.insert("auth.correct".to_owned(), u8::from(correct).into());
        }
        fields
    }

    /// Shows decoded fields to the current step.
    pub(crate) fn judge_fields(
        &mut self,
        point: usize,
        frame: &Frame,
        record: usize,
        kind: Kind,
        seen: &Fields,
    ) {
        let known = self.known.clone();
        let differences = |watch: &Watch| -> Option<Vec<Difference>> {
            (watch.point == point && watch.kind == kind)
                .then(|| compare(&watch.fields, seen, &known))
        };
        match &mut self.current {
            Current::Expecting(expecting) => {
                let Some(found) = differences(&expecting.watch) else {
                    return;
                };
                expecting.seen += 1;
                if found.is_empty() {
                    self.matched(frame.at, record, seen);
                } else {
                    let fewer = expecting
                        .closest
                        .as_ref()
                        .is_none_or(|(c, _)| found.len() <= c.len());
                    if fewer {
                        expecting.closest = Some((found, record));
                    }
                    if expecting.first {
                        self.unmet("the first frame of its kind is not as expected");
                    }
                }
            }
            Current::Forbidding(forbidding)
                if differences(&forbidding.watch).is_some_and(|found| found.is_empty()) =>
            {
                let what = format!("{} must not come, and came", describe(&forbidding.watch));
                let mut finding = self.finding(what);
                finding.record = Some(record);
                finding.differences = forbidden(&self.current);
                self.decided(Judged::Fails(finding));
            }
            Current::Counting(counting)
                if differences(&counting.watch).is_some_and(|found| found.is_empty()) =>
            {
                counting.came.push((frame.at, record));
            }
            Current::Choosing(choosing)
                if differences(&choosing.watch).is_some_and(|found| found.is_empty()) =>
            {
                choosing.matched(frame.at, record);
            }
            Current::Sampling(sampling)
                if (sampling.watch().and_then(differences))
                    .is_some_and(|found| found.is_empty()) =>
            {
                self.sample_frame(frame.at, record);
            }
            Current::Classifying(classifying)
                if differences(&classifying.watch).is_some_and(|found| found.is_empty()) =>
            {
                self.classify_frame(frame.at, record, seen);
            }
            Current::Forbidding(_)
            | Current::Counting(_)
            | Current::Choosing(_)
            | Current::Among(_)
            | Current::Sampling(_)
            | Current::Classifying(_)
            | Current::Ready
            | Current::Sleeping(_)
            | Current::Sending { .. }
            | Current::Probing(_)
            | Current::Equalling(_)
            | Current::Displaying
            | Current::Done => {}
        }
    }

    fn matched(&mut self, at: Instant, record: usize, seen: &Fields) {
        let Current::Expecting(expecting) = &self.current else {
            return;
        };
        let (earliest, latest) = (expecting.earliest, expecting.latest);
        if at < earliest || at > latest {
            let off = if at < earliest {
                earliest.since(at)
            } else {
                at.since(latest)
            };
            let way = if at < earliest {
                "too early"
            } else {
                "too late"
            };
            let what = format!("{} came {} {way}", describe(&expecting.watch), seconds(off));
            let mut finding = self.finding(what);
            finding.record = Some(record);
            finding.differences = vec![Difference {
                field: "time".to_owned(),
                expected: format!("{earliest} to {latest}"),
                seen: at.to_string(),
            }];
            self.decided(Judged::Fails(finding));
            return;
        }
        for (name, field) in expecting.save.clone() {
            if field == "time" {
                self.mark(&name, at);
            } else if let Some(value) = seen.get(&field) {
                self.known.insert(name, value.clone());
            }
        }
        self.decided(Judged::Holds(Some(record)));
    }

    fn unmet(&mut self, why: &str) {
        let Current::Expecting(expecting) = &self.current else {
            return;
        };
        let what = format!("{} did not come: {why}", describe(&expecting.watch));
        let (differences, record) = match &expecting.closest {
            Some((differences, record)) => (differences.clone(), Some(*record)),
            None => (wanted(&expecting.watch), None),
        };
        let mut finding = self.finding(what);
        finding.differences = differences;
        finding.record = record;
        self.decided(Judged::Fails(finding));
    }

    /// Ends the current step when its time is over.
    pub(crate) fn deadline(&mut self) -> bool {
        let now = self.now;
        match &self.current {
            Current::Expecting(expecting) if expecting.latest <= now => {
                let why = match expecting.seen {
                    0 => "no frame of this kind was seen".to_owned(),
                    1 => "one frame of this kind was seen, which differs".to_owned(),
                    n => format!("{n} frames of this kind were seen, none as expected"),
                };
                self.unmet(&why);
                true
            }
            Current::Forbidding(forbidding) if forbidding.until <= now => {
                self.decided(Judged::Holds(None));
                true
            }
            Current::Counting(counting) if counting.over(self.tolerance) <= now => {
                let judged = self.judge_count(counting);
                self.decided(judged);
                true
            }
            Current::Choosing(choosing) if choosing.until <= now => {
                self.chosen();
                true
            }
            Current::Among(counted) if counted.until <= now => {
                self.end_among();
                true
            }
            Current::Classifying(classifying) if classifying.until <= now => {
                self.classified();
                true
            }
            Current::Expecting(_)
            | Current::Forbidding(_)
            | Current::Counting(_)
            | Current::Choosing(_)
            | Current::Among(_)
            | Current::Sampling(_)
            | Current::Classifying(_)
            | Current::Ready
            | Current::Sleeping(_)
            | Current::Sending { .. }
            | Current::Probing(_)
            | Current::Equalling(_)
            | Current::Displaying
            | Current::Done => false,
        }
    }

    fn judge_count(&self, counting: &Counting) -> Judged {
        let count = u32::try_from(counting.came.len()).unwrap_or(u32::MAX);
        let last = counting.came.last().map(|(_, record)| *record);
        let fail = |what: String, record: Option<usize>| {
            let mut finding = self.finding(what);
            finding.record = record;
            Judged::Fails(finding)
        };
        let name = describe(&counting.watch);
        if counting.min.is_some_and(|min| count < min) {
            return fail(
                format!("{name} came {count} times, fewer than wanted"),
                last,
            );
        }
        match (counting.per, counting.max) {
            (Some(per), Some(max)) => {
                if let Some((n, record)) =
                    densest(&counting.came, per.saturating_sub(self.tolerance))
                        .filter(|(n, _)| *n > max)
                {
                    return fail(
                        format!("{name} came {n} times within {}", seconds(per)),
                        record,
                    );
                }
            }
            (None, Some(max)) if counting.certain(self.tolerance) > max => {
                return fail(format!("{name} came {count} times, more than wanted"), last);
            }
            _ => {}
        }
        if let Some((least, most)) = counting.gap {
            let times = counting.came.iter().zip(counting.came.iter().skip(1));
            for ((before, _), (after, record)) in times {
                let gap = after.since(*before);
                if gap + self.tolerance < least || gap > most + self.tolerance {
                    let what = format!("{name}: a gap of {} was seen", seconds(gap));
                    return fail(what, Some(*record));
                }
            }
        }
        Judged::Holds(last)
    }
}

/// The implementation tolerance of 802.1AX's timers.
pub(crate) const TIMER: Duration = Duration::from_millis(250);

/// The most frames in any window of this length, with the last of them.
fn densest(came: &[(Instant, usize)], per: Duration) -> Option<(u32, Option<usize>)> {
    (0..came.len())
        .filter_map(|first| {
            let (start, _) = came.get(first)?;
            let within = came
                .get(first..)?
                .iter()
                .take_while(|(at, _)| at.since(*start) < per);
            let records: Vec<usize> = within.map(|(_, record)| *record).collect();
            Some((u32::try_from(records.len()).ok()?, records.last().copied()))
        })
        .max_by_key(|(n, _)| *n)
}

pub(crate) fn describe(watch: &Watch) -> String {
    let fields: Vec<String> = watch
        .fields
        .iter()
        .map(|(name, value)| {
            format!(
                "{name} {}",
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned)
            )
        })
        .collect();
    let kind = watch.kind.name();
    if fields.is_empty() {
        format!("a {kind}")
    } else {
        format!("a {kind} with {}", fields.join(", "))
    }
}

fn wanted(watch: &Watch) -> Vec<Difference> {
    let difference = |(name, value): (&String, &Value)| Difference {
        field: name.clone(),
        expected: value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned),
        seen: "no frame".to_owned(),
    };
    watch.fields.iter().map(difference).collect()
}

fn forbidden(current: &Current) -> Vec<Difference> {
    let Current::Forbidding(forbidding) = current else {
        return Vec::new();
    };
    let difference = |(name, value): (&String, &Value)| {
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        Difference {
            field: name.clone(),
            expected: format!("not {text}"),
            seen: text,
        }
    };
    forbidding.watch.fields.iter().map(difference).collect()
}
