//! Proves that the reference passes every suite, that two runs of one seed are equal to the byte,
//! and that each case's verdict can be recomputed from its capture alone.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::collections::BTreeSet;
use std::fs;

/// The lines of `events.jsonl` without the header, where alone wall-clock data stands.
fn events(folder: &std::path::Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join("events.jsonl")).unwrap();
    text.lines()
        .filter(|line| !line.starts_with("{\"header\""))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_case_passes_repeats_itself_and_can_be_judged_again() {
    let (first, second) = (common::folder("suites-1"), common::folder("suites-2"));
    for folder in [&first, &second] {
        let report = folder.display().to_string();
        let output = common::tandem(&["run", "--seed", "7", "--report", &report]);
        let said = common::text(&output);
        assert_eq!(output.status.code(), Some(0), "{said}");
    }
    assert_eq!(events(&first), events(&second));
    let (left, right) = (
        common::files(&first.join("captures")),
        common::files(&second.join("captures")),
    );
    // Beside the cases' lines stand those of the devices and the footer's.
    let cases = events(&first)
        .into_iter()
        .filter(|line| line.starts_with("{\"case\""));
    assert_eq!(left.len(), cases.count());
    for (left, right) in left.iter().zip(&right) {
        assert_eq!(left.file_name(), right.file_name());
        let equal = fs::read(left).unwrap() == fs::read(right).unwrap();
        assert!(
            equal,
            "{} differs between two runs of one seed",
            left.display()
        );
    }
    let against = first.join("events.jsonl").display().to_string();
    let captures: Vec<String> = left.iter().map(|path| path.display().to_string()).collect();
    let mut arguments = vec!["judge", "--against", &against];
    arguments.extend(captures.iter().map(String::as_str));
    let output = common::tandem(&arguments);
    let said = common::text(&output);
    let last = said.lines().last().unwrap_or_default();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(
        last,
        format!("{} verdicts agree with the run's, 0 differ", left.len())
    );
}

#[test]
fn another_seed_passes_too() {
    let folder = common::folder("suites-seed");
    let report = folder.display().to_string();
    let output = common::tandem(&["run", "--seed", "0x5eed", "--report", &report]);
    assert_eq!(output.status.code(), Some(0), "{}", common::text(&output));
}

#[test]
fn the_counts_that_the_suites_promise_are_there() {
    let output = common::tandem(&["list", "--format", "json"]);
    let cases: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    // Variants of a matrix count once.
    let ids = |wanted: &dyn Fn(&serde_json::Value) -> bool| -> BTreeSet<String> {
        let id = |case: &serde_json::Value| {
            Some(
                case.get("id")?
                    .as_str()?
                    .split(['#', '@'])
                    .next()?
                    .to_owned(),
            )
        };
        cases
            .iter()
            .filter(|case| wanted(case))
            .filter_map(id)
            .collect()
    };
    for (suite, least) in [
        ("lacp", 145),
        ("mld", 25),
        ("etrunk", 12),
        ("rbs", 8),
        ("backup", 10),
    ] {
        let of_suite = ids(&|case| case.get("suite") == Some(&suite.into()));
        assert!(of_suite.len() >= least, "{suite}: {} cases", of_suite.len());
    }
    let negative = ids(&|case| case.get("negative") == Some(&true.into()));
    let lacp = |case: &serde_json::Value| case.get("suite") == Some(&"lacp".into());
    let of_lacp = ids(&lacp).len();
    let negative_of_lacp = ids(&|case| lacp(case) && case.get("negative") == Some(&true.into()));
    assert!(
        negative_of_lacp.len() * 5 >= of_lacp * 2,
        "{} of {of_lacp} of LACP are negative",
        negative_of_lacp.len()
    );
    let all = ids(&|_| true);
    assert!(
        negative.len() * 3 >= all.len(),
        "{} of {} are negative",
        negative.len(),
        all.len()
    );
}

#[test]
fn lint_finds_no_mistake_and_the_schemas_are_current() {
    let folder = common::folder("schema");
    let output = common::tandem(&["lint", "--write-schema", &folder.display().to_string()]);
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{complaints}");
    for name in ["case.json", "bed.json", "requirement.json"] {
        let committed =
            fs::read_to_string(common::root().join("suites/schema").join(name)).unwrap();
        let current = fs::read_to_string(folder.join(name)).unwrap();
        assert_eq!(
            committed, current,
            "run `tandem lint --write-schema suites/schema`"
        );
    }
}

/// Proves that the reference passes MLD's suite in each profile, and that what a case isn't about
/// is said to be not applicable.
#[test]
fn the_reference_passes_mld_in_every_profile() {
    for (profile, other) in [("rfc3810", false), ("rfc9777", false), ("version-1", true)] {
        let folder = common::folder(&format!("profile-{profile}"));
        let report = folder.display().to_string();
        let output = common::tandem(&["run", "mld", "--profile", profile, "--report", &report]);
        let said = common::text(&output);
        assert_eq!(output.status.code(), Some(0), "{profile}: {said}");
        let text = fs::read_to_string(folder.join("events.jsonl")).unwrap();
        let left_out = text.contains("isn't about the profile version-1");
        assert_eq!(left_out, other, "{profile}");
    }
    let output = common::tandem(&["run", "mld", "--profile", "nonsense"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("there are rfc3810, rfc9777, version-1"),
        "{said}"
    );
}

/// Proves that each case of the MLD router's tables says what it judges by, and that what a case
/// says is what its steps look at.
#[test]
fn mld_cases_name_their_observers() {
    use harness_suite::{Kind, Observer, Step};
    let catalogue = harness_suite::load(&common::root().join("suites")).unwrap();
    for case in catalogue.cases.iter().filter(|case| case.testbed == "mld") {
        let judged = case
            .steps
            .iter()
            .filter_map(|located| located.step.frames());
        let judged: Vec<Kind> = judged
            .filter(|(.., sends)| !sends)
            .filter_map(|(_, frames, _)| frames.only().map(|(kind, _)| kind))
            .collect();
        let looks = case.steps.iter().any(|l| matches!(l.step, Step::State(_)));
        let has = |observer| case.observers.contains(&observer);
        assert_eq!(
            has(Observer::Forwarding),
            judged.contains(&Kind::Udp),
            "{}",
            case.id
        );
        assert_eq!(has(Observer::Probe), looks, "{}", case.id);
        assert_eq!(
            has(Observer::Upstream),
            judged.contains(&Kind::PimJoinPrune),
            "{}",
            case.id
        );
        assert!(
            !has(Observer::Query) || judged.contains(&Kind::MldQuery),
            "{}",
            case.id
        );
        if case.id.starts_with("mld/state/") {
            assert!(!case.observers.is_empty(), "{}", case.id);
        }
    }
}
