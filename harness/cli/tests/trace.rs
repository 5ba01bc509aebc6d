//! Proves that the suites have no mandatory requirement without a case, and kill every seeded
//! defect that is not explained.

mod common;

#[test]
fn lacp_has_no_hole_and_no_unexplained_survivor() {
    let output = common::tandem(&["trace", "lacp"]);
    let said = common::text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(!said.contains("NO CASE"), "{said}");
    assert!(!said.contains("SURVIVES"), "{said}");
}

/// Proves the same of MLD, router and listener.
#[test]
fn mld_has_no_hole_and_no_unexplained_survivor() {
    let output = common::tandem(&["trace", "mld"]);
    let said = common::text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(!said.contains("NO CASE"), "{said}");
    assert!(!said.contains("SURVIVES"), "{said}");
}
