//! Proves that the suites have no mandatory requirement without a case, and kill every seeded
//! defect that is not explained.

mod common;

/// `tandem trace SUITE` finds neither a hole nor an unexplained survivor among at least so many
/// defects.
fn holds(suite: &str, defects: usize) {
    let output = common::tandem(&["trace", suite]);
    let said = common::text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(!said.contains("NO CASE"), "{said}");
    assert!(!said.contains("SURVIVES"), "{said}");
    let killed = said
        .lines()
        .filter(|line| line.starts_with("killed"))
        .count();
    assert!(killed >= defects, "{killed} killed: {said}");
}

/// LACP's suite kills its defects.
#[test]
fn lacp_has_no_hole_and_no_unexplained_survivor() {
    holds("lacp", 160);
}

/// E-Trunk's suite kills its defects.
#[test]
fn etrunk_has_no_hole_and_no_unexplained_survivor() {
    holds("etrunk", 100);
}

/// RBS's suite kills its defects.
#[test]
fn rbs_has_no_hole_and_no_unexplained_survivor() {
    holds("rbs", 65);
}

/// The pair's suite kills its defects.
#[test]
fn the_pair_has_no_hole_and_no_unexplained_survivor() {
    holds("backup", 45);
}

/// MLD's suite kills its defects: those of the router, the listener, the proxy and the bridge.
#[test]
fn mld_has_no_hole_and_no_unexplained_survivor() {
    holds("mld", 560);
}
