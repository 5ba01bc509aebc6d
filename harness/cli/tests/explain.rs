//! Proves what `tandem explain` prints, for a reader at a terminal of 80 columns.

mod common;

use std::process::Command;

/// What `tandem explain ID` prints, and its exit code.
fn explain(id: &str) -> (String, Option<i32>) {
    let output = common::tandem(&["explain", id]);
    (common::text(&output), output.status.code())
}

/// The words of a text, whatever the line breaks.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The requirement, its clauses, the reason, the field, the cases and the defects all stand there,
/// in this order.
#[test]
fn a_requirement_is_explained_from_its_text_to_its_defects() {
    let (said, status) = explain("lacp-055");
    assert_eq!(status, Some(0), "{said}");
    let said = flat(&said);
    let wanted = [
        "LACP-055 The recorded Partner Synchronization is 0 for an aggregatable partner",
        "Clause 802.1AX-2014 6.4.9 also 802.3-2005 43.4.9; 802.1AX-2008 5.4.9",
        "Level shall",
        "Seen in the packets of one link",
        "Rests on a public standard",
        "Why it matters Synchronization from a partner that talks to somebody else",
        "In the field - VPP's lacp plugin",
        "lacp/rx/no-sync-unless-matched, negative",
        "Seeded defects that break it",
        "lacp-no-match Any partner information counts as a match.",
    ];
    let mut rest = said.as_str();
    for part in wanted {
        let found = rest.split_once(part);
        assert!(
            found.is_some(),
            "`{part}` is missing, or out of order: {said}"
        );
        rest = found.map_or("", |(_, after)| after);
    }
}

/// A requirement without a case says why it has none.
#[test]
fn a_requirement_without_a_case_says_why() {
    let (said, status) = explain("ETRUNK-058");
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("Cases: none"), "{said}");
    assert!(flat(&said).contains("The reference has no BFD"), "{said}");
}

/// What only management shows is said to be so.
#[test]
fn management_only_requirements_are_marked() {
    let (said, _) = explain("LACP-123");
    assert!(flat(&said).contains("Seen by management only"), "{said}");
}

/// Without a terminal nothing is wider than 80 columns and nothing is coloured.
#[test]
fn explanations_fit_a_page_of_80_columns() {
    for id in [
        "LACP-017", "LACP-062", "LACP-105", "MLD-042", "MLD-099", "MLD-125", "MLD-161",
    ] {
        let (said, status) = explain(id);
        assert_eq!(status, Some(0), "{id}");
        assert!(!said.contains('\u{1b}'), "{said}");
        let wide = said.lines().find(|line| line.chars().count() > 80);
        assert_eq!(wide, None, "{id}");
        for heading in ["Why it matters", "Clause", "Cases"] {
            assert!(said.contains(heading), "{id}: no {heading}");
        }
    }
}

/// An id that doesn't exist is an error that names the ids that do.
#[test]
fn an_unknown_id_is_answered_by_the_known_ones() {
    let output = common::tandem(&["explain", "LACP-999"]);
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{complaint}");
    assert!(
        complaint.contains("there are LACP-001 to LACP-130"),
        "{complaint}"
    );
}

/// The plan names what devices in the field do among the possible problems.
#[test]
fn the_plan_names_the_fields_behaviour() {
    let output = common::tandem(&["plan", "lacp"]);
    let said = common::text(&output);
    let case = said
        .split("\n## ")
        .find(|part| part.starts_with("lacp/rx/no-sync-unless-matched"));
    let problems = case.and_then(|case| case.split("**Possible problems.**").nth(1));
    let named = problems.is_some_and(|text| text.contains("Seen in the field: VPP's lacp plugin"));
    assert!(named, "{problems:?}");
}

/// A catalogue in which an LACP requirement has lost its reason is refused, by name.
#[test]
fn lint_asks_for_the_reason() {
    let suites = common::folder("explain-without-why");
    let copied = Command::new("cp")
        .arg("-r")
        .arg(common::root().join("suites/."))
        .arg(&suites)
        .status();
    assert!(copied.is_ok_and(|status| status.success()));
    let file = suites.join("requirements/lacp.yaml");
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    let (before, after) = text.split_once("    why: >-\n").unwrap_or_default();
    let (_, rest) = after.split_once("    visible:").unwrap_or_default();
    let cut = format!("{before}    visible:{rest}");
    assert!(std::fs::write(&file, cut).is_ok());
    let output = common::tandem(&["--suites", &suites.display().to_string(), "lint"]);
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{complaint}");
    assert!(
        complaint.contains("requirement LACP-001 has no `why`"),
        "{complaint}"
    );
}
