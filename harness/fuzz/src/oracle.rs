//! One plan on a simulated testbed, and what the oracles say of it, in their order: alive,
//! unharmed, invariant, state, resource.

use crate::plan::{Plan, Protocol};
use crate::player::Player;
use harness_judge::{Finding, LacpConfig, LacpModel, MldConfig, MldModel, Verdict};
use harness_run::CaseResult;
use harness_suite::Step;
use harness_trace::Direction;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// What saw a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Oracle {
    /// The device panicked or died, or a golden exchange no longer works.
    Alive,
    /// The golden exchange works again, but took longer than it may.
    Slow,
    /// Another link, group or stream suffered.
    Unharmed,
    /// An always-on invariant.
    Invariant,
    /// The device's state is not what the standard makes of what it was sent: by an expectation of
    /// the plan, a model of the standard, or the pair's equivalence.
    State,
    /// More frames than anything calls for, or more and more memory.
    Resource,
    /// The valid dialogue before the first stimulus.
    Dialogue,
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// What saw it.
    pub oracle: Oracle,
    /// The requirement that is broken, where one is known.
    pub requirement: Option<String>,
    /// What was seen.
    pub what: String,
}

impl Found {
    /// Findings with the same cause have the same key: oracle, requirement, and what was seen
    /// without its numbers.
    #[must_use]
    pub fn key(&self) -> String {
        let what = self
            .what
            .split([':', ';', '[', '('])
            .next()
            .unwrap_or_default();
        let words = what.split(|c: char| !c.is_alphabetic() && c != ' ');
        let words: String = words.collect::<Vec<_>>().join("");
        format!(
            "{:?} {} {words}",
            self.oracle,
            self.requirement.as_deref().unwrap_or("-")
        )
    }
}

/// What became of one plan.
#[derive(Debug)]
pub struct Ran {
    /// The run, where the device didn't panic.
    pub result: Option<CaseResult>,
    /// The first finding by the oracles' order.
    pub found: Option<Found>,
    /// Why nothing can be said: the device can't be set so, or the wires were not to be trusted.
    pub undecided: Option<String>,
    /// Memory that the device's processes hold afterwards, KiB, where that is known.
    pub memory: Option<u64>,
}

impl Ran {
    const fn found(oracle: Oracle, what: String) -> Self {
        Self {
            result: None,
            found: Some(Found {
                oracle,
                requirement: None,
                what,
            }),
            undecided: None,
            memory: None,
        }
    }
}

/// No tester's port sees more frames of the device in a case: a hundred thousand is a flood.
const FLOOD: usize = 100_000;

/// Runs a plan. `seed` is the case's own.
///
/// # Errors
/// What is wrong with the plan itself: a generator's mistake, never the device's.
pub fn run(plan: &Plan, id: &str, player: &Player, seed: u64) -> Result<Ran, String> {
    run_beside(plan, id, player, seed, &BTreeSet::new())
}

/// The same on a device that shows findings with these keys whatever is sent to it: the first
/// other one counts.
///
/// # Errors
/// As [`run`].
pub fn run_beside(
    plan: &Plan,
    id: &str,
    player: &Player,
    seed: u64,
    standing: &BTreeSet<String>,
) -> Result<Ran, String> {
    let case = plan.case(id).map_err(|error| error.to_string())?;
    let Ok(played) = catch_unwind(AssertUnwindSafe(|| player.play(&case, seed))) else {
        return Ok(Ran::found(Oracle::Alive, "the device panics".to_owned()));
    };
    let result = played.result;
    let why = result.finding.as_ref();
    let why = why.map_or_else(String::new, |finding| finding.what.clone());
    let undecided = match result.verdict {
        Verdict::Pass | Verdict::Fail => None,
        Verdict::Inconclusive if !player.is_live() => None,
        Verdict::Inconclusive | Verdict::NotApplicable if player.is_live() => Some(why),
        // What died under this case is the finding; that it is there for the next is its hooks'
        // affair.
        Verdict::Blocked if player.is_live() => {
            return Ok(Ran::found(
                Oracle::Alive,
                format!("the device is gone: {why}"),
            ));
        }
        Verdict::Inconclusive | Verdict::NotApplicable | Verdict::Blocked | Verdict::Error => {
            return Err(format!("{id}: {:?}: {why}", result.verdict));
        }
    };
    let found = match undecided {
        None => judge(plan, &result, player.slack()),
        Some(_) => Vec::new(),
    };
    let found = found
        .into_iter()
        .find(|found| !standing.contains(&found.key()));
    Ok(Ran {
        result: Some(result),
        found,
        undecided,
        memory: played.memory,
    })
}

/// All that the oracles found, in their order.
fn judge(plan: &Plan, result: &CaseResult, slack: Duration) -> Vec<Found> {
    let by = |oracle: Oracle, finding: &Finding| Found {
        oracle,
        requirement: finding.requirement.clone(),
        what: finding.what.clone(),
    };
    let broken = result
        .invariants
        .iter()
        .filter_map(|report| report.broken.as_ref());
    let mut broken: Vec<&Finding> = broken.collect();
    broken.sort_by_key(|finding| finding.at_ns);
    let step = result
        .finding
        .as_ref()
        .filter(|_| result.verdict == Verdict::Fail);
    let step = step.and_then(|finding| Some((step_oracle(plan, finding.line?), finding)));
    let first = [Oracle::Alive, Oracle::Unharmed];
    let (harm, step): (Vec<_>, Vec<_>) = step
        .into_iter()
        .partition(|(oracle, _)| first.contains(oracle));
    let of_step = |(oracle, finding): (Oracle, &Finding)| by(oracle, finding);
    let mut found: Vec<Found> = harm.into_iter().map(of_step).collect();
    found.extend(broken.into_iter().map(|finding| {
        let pair = finding
            .requirement
            .as_deref()
            .is_some_and(|id| id.starts_with("BACKUP"));
        by(
            if pair {
                Oracle::State
            } else {
                Oracle::Invariant
            },
            finding,
        )
    }));
    found.extend(step.into_iter().map(of_step));
    let model = model(plan, result, slack);
    found.extend(model.iter().map(|finding| by(Oracle::State, finding)));
    let frames = result
        .trace
        .frames()
        .filter(|(_, frame)| frame.direction == Direction::In);
    let frames = frames.count();
    found.extend((frames > FLOOD).then(|| Found {
        oracle: Oracle::Resource,
        requirement: None,
        what: format!("{frames} frames"),
    }));
    found
}

/// Which oracle a step of this line (its number, from 1) stands for.
fn step_oracle(plan: &Plan, line: u64) -> Oracle {
    let index = usize::try_from(line).unwrap_or(0).saturating_sub(1);
    if index < plan.stimuli.start {
        return Oracle::Dialogue;
    }
    if index < plan.stimuli.end {
        return Oracle::State;
    }
    let on = match plan.steps.get(index) {
        Some(Step::Expect(step)) => step.on.as_str(),
        Some(Step::Never(step)) => step.on.as_str(),
        Some(_) | None => "p1",
    };
    if on == "p1" || plan.protocol == Protocol::Pair {
        Oracle::Alive
    } else {
        Oracle::Unharmed
    }
}

/// What the standard's model says of the trace.
fn model(plan: &Plan, result: &CaseResult, slack: Duration) -> Vec<Finding> {
    let set = |name: &str, value: &str| {
        result
            .case
            .settings
            .get(name)
            .and_then(|found| found.as_str())
            == Some(value)
    };
    match plan.protocol {
        Protocol::Lacp => {
            let config = LacpConfig {
                short: set("lacp.timeout", "short"),
                active: set("lacp.activity", "active"),
                coupled: set("lacp.mux", "coupled"),
                groups: set("lacp.groups", "two"),
                slack,
            };
            LacpModel::judge(config, &result.trace)
        }
        Protocol::Mld => {
            let config = MldConfig::of(&result.case.scope(), slack);
            MldModel::judge(&config, &result.trace)
        }
        Protocol::Etrunk | Protocol::Rbs | Protocol::Pair => Vec::new(),
    }
}
