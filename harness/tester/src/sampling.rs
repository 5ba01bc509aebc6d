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
        let bounds = (bound(&step.gap_at_least)?, bound(&step.gap_at_most)?);
        let now = self.now;
        let mut differences = Vec::new();
        let mut remarks = Vec::new();
        for (listener, group, arrivals) in self.streams.streams() {
            let wanted = step.host.as_deref().is_none_or(|host| host == listener);
            if !wanted || !arrivals.began_before(since) {
                continue;
            }
            let name = format!("{listener} {group}");
            let gap = arrivals.longest_gap(since, now);
            let (lost, twice) = (arrivals.lost(since, now), arrivals.duplicates(since, now));
            remarks.push(format!(
                "{name} since {}: {} received, {lost} lost, {twice} twice, longest gap {} ms",
                step.since,
                arrivals.received(since, now),
                gap.as_millis(),
            ));
            differences.extend(loss_differences(&name, step, bounds, gap, twice));
        }
        let judged = if remarks.is_empty() {
            let what = "no stream had reached the listener before the mark".to_owned();
            Judged::Fails(self.finding(what))
        } else if differences.is_empty() {
            Judged::Holds(None)
        } else {
            let what = "a listener lost, or got twice, another part of its stream than is allowed";
            Judged::Fails(Finding {
                differences,
                ..self.finding(what.to_owned())
            })
        };
        self.outcome.remarks.extend(remarks);
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

/// What of a stream's gap and duplicates is not as a step bounds it.
fn loss_differences(
    name: &str,
    step: &Loss,
    (least, most): (Option<Duration>, Option<Duration>),
    gap: Duration,
    twice: u64,
) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut differ = |what: &str, expected: String, seen: String| {
        differences.push(Difference {
            field: format!("{name}: {what}"),
            expected,
            seen,
        });
    };
    let ms = |d: Duration| format!("{} ms", d.as_millis());
    if let Some(most) = most.filter(|most| gap > *most) {
        differ("longest gap", format!("at most {}", ms(most)), ms(gap));
    }
    if let Some(least) = least.filter(|least| gap < *least) {
        differ("longest gap", format!("at least {}", ms(least)), ms(gap));
    }
    let (fewest, largest) = (
        step.duplicates_at_least,
        step.duplicates_at_most.max(step.duplicates_at_least),
    );
    // A lower bound alone leaves the upper one open: it counts what a split costs.
    let open = fewest > 0 && step.duplicates_at_most == 0;
    if twice < u64::from(fewest) || (!open && twice > u64::from(largest)) {
        let most = if open {
            "any".to_owned()
        } else {
            largest.to_string()
        };
        differ(
            "packets twice",
            format!("{fewest} to {most}"),
            twice.to_string(),
        );
    }
    differences
}
