//! Proves that the suites have no mandatory requirement without a case, and kill every seeded
//! defect that is not explained.

mod common;

/// Requirements of MLD's listener half, which has no device yet.
const LISTENER: &[&str] = &[
    "MLD-159", "MLD-160", "MLD-167", "MLD-169", "MLD-172", "MLD-173", "MLD-174", "MLD-175",
];

#[test]
fn lacp_has_no_hole_and_no_unexplained_survivor() {
    let output = common::tandem(&["trace", "lacp"]);
    let said = common::text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(!said.contains("NO CASE"), "{said}");
    assert!(!said.contains("SURVIVES"), "{said}");
}

/// Proves the same of the MLD router.
#[test]
fn mld_has_no_hole_and_no_unexplained_survivor() {
    let output = common::tandem(&["trace", "mld"]);
    let said = common::text(&output);
    assert!(!said.contains("SURVIVES"), "{said}");
    let holes = said.lines().filter(|line| line.contains("NO CASE"));
    let unknown: Vec<&str> = holes
        .filter(|line| !LISTENER.iter().any(|id| line.starts_with(id)))
        .collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
    assert!(said.contains(" 0 survive without one"), "{said}");
}
