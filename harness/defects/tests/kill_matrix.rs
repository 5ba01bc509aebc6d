//! Proves that the suites kill a fixed sample of the seeded defects: every sixteenth one; the
//! `tandem trace` tests look at all.

use harness_defects::{all, kill};
use harness_suite::load;
use std::path::Path;

#[test]
fn a_sample_of_defects_is_killed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../suites");
    let catalogue = load(&root).unwrap();
    let defects: Vec<_> = all().into_iter().step_by(16).collect();
    for kill in kill(&defects, &catalogue, 1, 1, 2, &mut |_| {}) {
        let explained = !kill.defect.survives.is_empty();
        assert_eq!(
            kill.killed_by.is_empty(),
            explained,
            "{}: killed by {:?}, survives because {:?}",
            kill.defect.id,
            kill.killed_by,
            kill.defect.survives
        );
    }
}

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
