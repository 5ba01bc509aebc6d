//! Proves that the seeded defects are named well; `tandem trace` proves that they are killed.

use harness_defects::all;
use harness_suite::load;
use std::path::Path;

/// Two defects of one id, or one of a requirement that isn't there, would vanish from the matrix.
#[test]
fn ids_are_unique_and_requirements_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../suites");
    let catalogue = load(&root).unwrap();
    let defects = all();
    for (one, next) in defects.iter().zip(defects.iter().skip(1)) {
        assert_ne!(one.id, next.id);
    }
    for defect in &defects {
        for requirement in defect.breaks {
            assert!(
                catalogue.requirements.contains_key(*requirement),
                "{}",
                defect.id
            );
        }
    }
}
