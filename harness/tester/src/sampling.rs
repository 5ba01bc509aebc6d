//! The judging steps that look at more than one frame: state, equal, loss, display.

use crate::judging::Judged;
use crate::matching::compare;
use crate::outcome::Action;
use crate::player::{Current, PairStatus, Player};
use dut_device::Instant;
use harness_judge::{Difference, Finding};
use harness_suite::{Equal, Loss, State};
use harness_wire::Fields;
use std::time::Duration;

/// How often a state is looked at while it isn't as wanted.
const SAMPLE: Duration = Duration::from_millis(10);

#[derive(Debug)]
pub(crate) struct Probing {
    node: String,
    has: Fields,
    deadline: Instant,
    /// Then it must stay so until.
    hold: Option<Duration>,
    holding_until: Option<Instant>,
    pub(crate) next: Instant,
    asked: bool,
}

#[derive(Debug)]
pub(crate) struct Equalling {
    groups: u32,
    pub(crate) deadline: Instant,
}

impl Player {
    pub(crate) fn begin_state(&mut self, step: State) -> Result<(), String> {
        let time = |text: &str| self.duration(text).map_err(|error| error.to_string());
        let within = step
            .within
            .as_deref()
            .map(time)
            .transpose()?
            .unwrap_or_default();
        let hold = step.for_.as_deref().map(time).transpose()?;
        self.current = Current::Probing(Probing {
            node: step.node,
            has: step.has,
            deadline: self.now + within,
            hold,
            holding_until: None,
            next: self.now,
            asked: false,
        });
        Ok(())
    }

    pub(crate) fn work_probing(&mut self) -> bool {
        let now = self.now;
        let Current::Probing(probing) = &mut self.current else {
            return false;
        };
        if probing.asked || probing.next > now {
            return false;
        }
        probing.asked = true;
        let (node, pointers) = (probing.node.clone(), probing.has.keys().cloned().collect());
        self.actions.push_back(Action::Probe { node, pointers });
        true
    }

    /// The values that an [`Action::Probe`] asked for, by pointer; absent ones are left out.
    pub fn probed(&mut self, now: Instant, values: &Fields) {
        self.now = self.now.max(now);
        let known = self.known.clone();
        let Current::Probing(probing) = &mut self.current else {
            return;
        };
        probing.asked = false;
        let differences = compare(&probing.has, values, &known);
        if differences.is_empty() {
            match (probing.hold, probing.holding_until) {
                (None, _) => self.decided(Judged::Holds(None)),
                (Some(_), Some(until)) if until <= now => self.decided(Judged::Holds(None)),
                (Some(hold), until) => {
                    let until = until.unwrap_or(now + hold);
                    probing.holding_until = Some(until);
                    probing.next = (now + SAMPLE).min(until).max(now + Duration::from_nanos(1));
                }
            }
        } else if probing.holding_until.is_some() || probing.deadline <= now {
            let stayed = if probing.holding_until.is_some() {
                "did not stay"
            } else {
                "is not"
            };
            let what = format!("the state of {} {stayed} as expected", probing.node);
            let finding = Finding {
                differences,
                ..self.finding(what)
            };
            self.decided(Judged::Fails(finding));
        } else {
            probing.next = (now + SAMPLE)
                .min(probing.deadline)
                .max(now + Duration::from_nanos(1));
        }
        self.handle_timeout(now);
    }

    pub(crate) fn begin_equal(&mut self, step: Equal) -> Result<(), String> {
        let within = self
            .duration(&step.within)
            .map_err(|error| error.to_string())?;
        let groups = step.groups.unwrap_or(1);
        self.current = Current::Equalling(Equalling {
            groups,
            deadline: self.now + within,
        });
        Ok(())
    }

    pub(crate) fn work_equalling(&mut self) -> bool {
        let PairStatus { equal, groups } = self.pair;
        let now = self.now;
        let Current::Equalling(equalling) = &self.current else {
            return false;
        };
        if equal && groups >= equalling.groups {
            self.decided(Judged::Holds(None));
            return true;
        }
        if equalling.deadline > now {
            return false;
        }
        let difference = |field: &str, expected: String, seen: String| Difference {
            field: field.to_owned(),
            expected,
            seen,
        };
        let differences = vec![
            difference("equal", "true".to_owned(), equal.to_string()),
            difference(
                "groups",
                format!("at least {}", equalling.groups),
                groups.to_string(),
            ),
        ];
        let what = "master and backup do not hold the same state".to_owned();
        let finding = Finding {
            differences,
            ..self.finding(what)
        };
        self.decided(Judged::Fails(finding));
        true
    }

    pub(crate) fn judge_loss(&mut self, step: &Loss) -> Result<(), String> {
        let since = self
            .marked(&step.since)
            .ok_or_else(|| format!("no mark `{}`", step.since))?;
        let bound = |text: &Option<String>| -> Result<Option<Duration>, String> {
            text.as_deref()
                .map(|t| self.duration(t).map_err(|e| e.to_string()))
                .transpose()
        };
        let (most, least) = (bound(&step.gap_at_most)?, bound(&step.gap_at_least)?);
        let now = self.now;
        let mut failed = None;
        let mut measured = 0;
        let mut remarks = Vec::new();
        for (listener, group, arrivals) in self.streams.streams() {
            let wanted = step.host.as_deref().is_none_or(|host| host == listener);
            if !wanted || !arrivals.began_before(since) {
                continue;
            }
            measured += 1;
            let gap = arrivals.longest_gap(since, now);
            let (lost, twice) = (arrivals.lost(since, now), arrivals.duplicates(since, now));
            let ms = |d: Duration| format!("{} ms", d.as_millis());
            remarks.push(format!(
                "{listener} {group} since {}: {} received, {lost} lost, {twice} twice, longest gap {}",
                step.since,
                arrivals.received(since, now),
                ms(gap),
            ));
            let twice_ok = twice >= u64::from(step.duplicates_at_least)
                && (twice <= u64::from(step.duplicates_at_most) || step.duplicates_at_least > 0);
            let differences = [
                (
                    most.is_none_or(|most| gap <= most),
                    "longest gap",
                    most.map(|d| format!("at most {}", ms(d))),
                    ms(gap),
                ),
                (
                    least.is_none_or(|least| gap >= least),
                    "longest gap",
                    least.map(|d| format!("at least {}", ms(d))),
                    ms(gap),
                ),
                (
                    twice_ok,
                    "packets twice",
                    Some(format!(
                        "{} to {}",
                        step.duplicates_at_least, step.duplicates_at_most
                    )),
                    twice.to_string(),
                ),
            ];
            let differences: Vec<Difference> = differences
                .into_iter()
                .filter(|(holds, ..)| !holds)
                .map(|(_, field, expected, seen)| Difference {
                    field: format!("{listener} {group}: {field}"),
                    expected: expected.unwrap_or_default(),
                    seen,
                })
                .collect();
            if failed.is_none() && !differences.is_empty() {
                failed = Some(differences);
            }
        }
        self.outcome.remarks.extend(remarks);
        let judged = match (failed, measured) {
            (Some(differences), _) => {
                let what = "a listener lost, or got twice, more of its stream than is allowed";
                Judged::Fails(Finding {
                    differences,
                    ..self.finding(what.to_owned())
                })
            }
            (None, 0) => {
                let what = "no stream had reached the listener before the mark".to_owned();
                Judged::Fails(self.finding(what))
            }
            (None, _) => Judged::Holds(None),
        };
        self.decided(judged);
        Ok(())
    }

    /// What a `display` gave, and the differences from its golden file that nothing explains.
    pub fn displayed(&mut self, now: Instant, differences: Vec<Difference>) {
        self.now = self.now.max(now);
        if !matches!(self.current, Current::Displaying) {
            return;
        }
        let judged = if differences.is_empty() {
            Judged::Holds(None)
        } else {
            let what = "the output differs from the golden file".to_owned();
            Judged::Fails(Finding {
                differences,
                ..self.finding(what)
            })
        };
        self.decided(judged);
        self.handle_timeout(now);
    }
}
