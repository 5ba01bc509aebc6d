//! Every case of every suite loads, and a player can be built for it on its testbed.

#![expect(
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a case that can't be played fails the test, and each test is about a few steps only"
)]

use harness_suite::{Bed, Catalogue, ExpandedCase, Expression, Step, load};
use harness_tester::{Player, Setup, TesterPort};
use harness_trace::Point;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

fn catalogue() -> Catalogue {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../suites");
    load(&root).unwrap_or_else(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        panic!("{}", lines.join("\n"))
    })
}

fn device(end: &str) -> String {
    end.split(' ').next().unwrap_or(end).to_owned()
}

fn setup(case: ExpandedCase, bed: &Bed) -> Setup {
    let port = |(name, attach): (&String, &harness_suite::Attach)| TesterPort {
        name: name.clone(),
        mac: attach.mac.clone(),
    };
    let ends = |name: &String, near: &str, far: &str| Point {
        name: name.clone(),
        near: device(near),
        far: device(far),
    };
    let ports = bed
        .ports
        .iter()
        .map(|(name, attach)| ends(name, "tester", &attach.to));
    let links = bed
        .links
        .iter()
        .map(|(name, link)| ends(name, &link.a, &link.b));
    Setup {
        case,
        points: ports.chain(links).collect(),
        ports: bed.ports.iter().map(port).collect(),
        frames: bed.frames.clone(),
        listeners: BTreeMap::new(),
        tolerance: Duration::ZERO,
        lateness: Duration::ZERO,
    }
}

fn bed<'a>(catalogue: &'a Catalogue, case: &ExpandedCase) -> &'a Bed {
    match catalogue.beds.get(&case.testbed) {
        Some((_, bed)) => bed,
        None => panic!("{}: no testbed `{}`", case.id, case.testbed),
    }
}

#[test]
fn a_player_can_be_built_for_every_case() {
    let catalogue = catalogue();
    let mut wrong = Vec::new();
    for case in &catalogue.cases {
        let (id, file) = (case.id.clone(), case.file.clone());
        if let Err(error) = Player::new(setup(case.clone(), bed(&catalogue, case))) {
            wrong.push(format!("{file}: {id}: {error}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(catalogue.cases.len() >= 30, "there are cases");
}

/// The times that a step hangs on and that nothing checks before it is reached.
fn times(step: &Step) -> Vec<&String> {
    match step {
        Step::Expect(step) => [&step.at, &step.within, &step.after]
            .into_iter()
            .flatten()
            .collect(),
        Step::Never(step) => [&step.for_, &step.until].into_iter().flatten().collect(),
        Step::Count(step) => vec![&step.for_],
        Step::Choice(step) => [&step.for_, &step.until].into_iter().flatten().collect(),
        Step::Classify(step) => vec![&step.for_],
        Step::Sample(step) => [&step.expected, &step.longest]
            .into_iter()
            .flatten()
            .collect(),
        Step::Wait(time) | Step::WaitUntil(time) => vec![time],
        _ => Vec::new(),
    }
}

/// The times that a step saves.
fn saves(step: &Step) -> Vec<String> {
    match step {
        Step::Mark(name) => vec![name.clone()],
        Step::Send(step) => step.save.clone().into_iter().collect(),
        Step::Expect(step) => {
            let times = step
                .save
                .iter()
                .filter(|(_, field)| field.as_str() == "time");
            times.map(|(name, _)| name.clone()).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn every_time_in_a_case_is_saved_before_it_is_used() {
    let mut wrong = Vec::new();
    for case in catalogue().cases {
        let mut known: BTreeSet<String> = case.constants.keys().cloned().collect();
        known.extend(["start", "last_sent", "last_received"].map(str::to_owned));
        for located in &case.steps {
            for time in times(&located.step) {
                let names = Expression::parse(time).map(|parsed| {
                    let names = parsed.names().into_iter();
                    names.map(str::to_owned).collect::<Vec<_>>()
                });
                match names {
                    Ok(names) => wrong.extend(
                        names
                            .iter()
                            .filter(|name| !known.contains(*name))
                            .map(|name| format!("{}:{}: `{name}`", case.file, located.line)),
                    ),
                    Err(error) => wrong.push(format!("{}:{}: {error}", case.file, located.line)),
                }
            }
            known.extend(saves(&located.step));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_case_judges_something() {
    for case in catalogue().cases {
        let judges = case.steps.iter().any(|located| {
            matches!(
                located.step,
                Step::Expect(_)
                    | Step::Count(_)
                    | Step::Choice(_)
                    | Step::State(_)
                    | Step::Equal(_)
                    | Step::Loss(_)
                    | Step::Display(_)
                    | Step::Sample(_)
                    | Step::Classify(_)
            )
        });
        assert!(judges, "{}: a case of `never` alone shows nothing", case.id);
    }
}

/// Whether a value waits for the run.
fn open(value: &serde_json::Value) -> bool {
    value.to_string().contains('$')
}

#[test]
fn what_a_case_sends_can_be_built() {
    let mut wrong = Vec::new();
    for case in catalogue().cases {
        for located in &case.steps {
            let Step::Send(send) = &located.step else {
                continue;
            };
            let Some((kind, fields)) = send.frame.only() else {
                continue;
            };
            let fields = fields.clone().into_iter();
            let fields: harness_wire::Fields = fields.filter(|(_, value)| !open(value)).collect();
            if let Err(error) = harness_wire::build(kind, &fields) {
                wrong.push(format!("{}:{}: {error}", case.file, located.line));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Ports that a case names must be those that it says it needs, and control where it takes some. A
/// testbed without tester's ports exists in the simulation only, which has both.
#[test]
fn needs_say_what_a_case_takes() {
    let catalogue = catalogue();
    let mut wrong = Vec::new();
    for case in &catalogue.cases {
        if bed(&catalogue, case).ports.is_empty() {
            continue;
        }
        let mut ports = BTreeSet::new();
        let mut control = false;
        for located in &case.steps {
            match &located.step {
                Step::Send(step) => ports.extend([step.on.clone()]),
                Step::Partner(step) => ports.extend([step.on.clone()]),
                Step::Stream(step) => ports.extend([step.on.clone()]),
                Step::Link(_) | Step::Node(_) | Step::Fault(_) => control = true,
                _ => {}
            }
        }
        let links = usize::from(case.needs.links.unwrap_or(1));
        if ports.len() > links {
            wrong.push(format!("{}: uses {} links", case.id, ports.len()));
        }
        if control && !case.needs.control {
            wrong.push(format!("{}: takes control", case.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
