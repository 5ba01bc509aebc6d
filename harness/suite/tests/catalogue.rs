//! The repository's requirement catalogue: every file loads, and its ids, levels and sentences are
//! whole.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't read the catalogue has failed"
)]

use harness_suite::{Edition, Requirement, RequirementFile, load};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// File, prefix of its ids, and how many requirements it holds at least.
const FILES: [(&str, &str, usize); 9] = [
    ("lacp", "LACP", 130),
    // 173 of the reference list, and two of what listeners' frames must be.
    ("mld", "MLD", 175),
    // Limits of a router, numbered on from the list.
    ("mld-limits", "MLD", 3),
    ("mld-host", "MLD", 1),
    ("mld-proxy", "PROXY", 10),
    ("mld-snooper", "SNOOP", 10),
    ("etrunk", "ETRUNK", 30),
    ("rbs", "RBS", 20),
    ("backup", "BACKUP", 20),
];

const LEVELS: [&str; 10] = [
    "shall",
    "should",
    "may",
    "MUST",
    "SHOULD",
    "MAY",
    "desc",
    "robustness",
    "vendor",
    "ours",
];

fn suites() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../suites")
}

fn file(name: &str) -> RequirementFile {
    let path = suites().join("requirements").join(format!("{name}.yaml"));
    let text = fs::read_to_string(&path).expect("the file is there");
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn all() -> Vec<Requirement> {
    let files = FILES.iter().map(|(name, ..)| file(name));
    files.flat_map(|file| file.requirements).collect()
}

#[test]
fn the_reference_lists_are_complete_and_ours_long_enough() {
    for (name, _, least) in FILES {
        let count = file(name).requirements.len();
        match name {
            "lacp" | "mld" => assert_eq!(count, least, "{name}"),
            _ => assert!(count >= least, "{name} has {count}"),
        }
    }
}

#[test]
fn ids_are_contiguous_from_001() {
    let mut last: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, prefix, _) in FILES {
        for requirement in file(name).requirements {
            let number = last.entry(prefix).or_default();
            *number += 1;
            assert_eq!(requirement.id, format!("{prefix}-{number:03}"));
        }
    }
}

#[test]
fn every_requirement_says_something_under_a_known_level() {
    for requirement in all() {
        let id = &requirement.id;
        assert!(!requirement.clause.trim().is_empty(), "{id}: clause");
        assert!(LEVELS.contains(&requirement.level.as_str()), "{id}: level");
        let text = requirement.text.trim_end();
        assert!(text.len() > 20 && text.ends_with('.'), "{id}: {text}");
        assert!(!text.contains('\n'), "{id}: a sentence is one line: {text}");
    }
}

#[test]
fn no_two_requirements_say_the_same() {
    let mut seen = BTreeSet::new();
    for requirement in all() {
        assert!(
            seen.insert(requirement.text.clone()),
            "{}: {}",
            requirement.id,
            requirement.text
        );
    }
}

/// The explanations are sentences of their own: none is empty, shorter than a reason can be, long
/// enough to be an essay, or carried over from another requirement.
#[test]
fn every_explanation_is_of_its_own_requirement() {
    let mut seen = BTreeSet::new();
    for requirement in all() {
        let id = &requirement.id;
        for text in requirement.why.iter().chain(&requirement.field) {
            let text = text.trim_end();
            assert!(text.ends_with('.') && !text.contains('\n'), "{id}: {text}");
            assert!(text.len() <= 420, "{id}: {} octets: {text}", text.len());
        }
        let Some(why) = requirement.why else { continue };
        assert!(why.len() >= 80, "{id}: {why}");
        // A sentence that stands in two requirements says nothing of either.
        for sentence in why.split_inclusive(". ") {
            assert!(seen.insert(sentence.trim().to_owned()), "{id}: {sentence}");
        }
    }
}

/// The clause numbers of 802.3-2005 and 802.1AX-2008 follow from those of 2014 by the documents'
/// regular correspondence, with the two that moved.
#[test]
fn clauses_of_older_editions_correspond_to_those_of_2014() {
    let mut compared = 0;
    for requirement in file("lacp").requirements {
        let older = [
            (Edition::Ieee8023Of2005, "43"),
            (Edition::Ieee8021AxOf2008, "5"),
        ];
        for (edition, clause) in older {
            let Some(stated) = requirement.editions.get(&edition) else {
                continue;
            };
            let of_2014 = requirement.clause.split(';').next().unwrap_or_default();
            let numbers = of_2014.trim_start_matches("802.1AX-2014 ").split(", ");
            let expected: Vec<String> = numbers
                .map(|number| {
                    // An item's letter is only known of 2014.
                    let number = number.split(' ').next().unwrap_or(number);
                    let rest = match number.strip_prefix('6').unwrap_or(number) {
                        ".4.2.3" => ".4.2.2",
                        ".7" => ".6",
                        rest => rest,
                    };
                    format!("{clause}{rest}")
                })
                .collect();
            assert_eq!(*stated, expected.join(", "), "{}", requirement.id);
            compared += 1;
        }
    }
    assert!(compared > 200, "{compared}");
}

#[test]
fn every_document_is_named() {
    for (name, ..) in FILES {
        assert!(!file(name).document.trim().is_empty(), "{name}");
    }
}

#[test]
fn the_folder_loads_and_holds_exactly_these_requirements() {
    let catalogue = load(&suites()).unwrap_or_else(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        panic!("{}", lines.join("\n"))
    });
    let loaded: BTreeSet<String> = catalogue.requirements.into_keys().collect();
    let written: BTreeSet<String> = all().into_iter().map(|r| r.id).collect();
    assert_eq!(loaded, written);
}

/// The other way round, a requirement that is still marked though a case covers it, is for the
/// trace to report: suites grow side by side.
#[test]
fn a_requirement_without_a_case_is_planned_or_excepted() {
    let catalogue = load(&suites()).map_err(|errors| errors.len()).unwrap();
    let covered: BTreeSet<&String> = catalogue.cases.iter().flat_map(|c| &c.verifies).collect();
    for (id, requirement) in &catalogue.requirements {
        let said = requirement.planned || requirement.exception.is_some();
        assert!(
            said || covered.contains(id),
            "{id}: has neither case nor mark"
        );
    }
}
