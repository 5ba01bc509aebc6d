//! The pair's bench: what is cheap in it says what is dear.

use harness_fuzz::{mutate::Source, pair};

/// Octets that follow from a number.
fn octets(number: u64) -> Vec<u8> {
    let mut random = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        random.to_be_bytes()[0]
    };
    (0..64).map(|_| next()).collect()
}

/// Proves that a device's look says what its snapshot says, at every event of random schedules.
#[test]
fn looks_say_what_snapshots_say() {
    for number in 0..12 {
        pair::checked(&octets(number));
    }
}

/// Proves that schedules are no empty ones: time passes, frames arrive and states are compared.
#[test]
fn a_schedule_is_not_empty() {
    let before = pair::effort();
    for number in 0..50 {
        pair::schedule(&octets(100 + number));
    }
    let after = pair::effort();
    let schedules = after.schedules - before.schedules;
    assert_eq!(schedules, 50);
    assert!(after.built <= 2, "{after:?}");
    assert!(
        (after.events - before.events) / schedules >= 50,
        "{after:?}"
    );
    assert!((after.looks - before.looks) / schedules >= 15, "{after:?}");
    assert!(after.simulated.as_secs() / schedules >= 2, "{after:?}");
}

/// Proves that choices are used up: a schedule without octets has no steps.
#[test]
fn no_octets_no_steps() {
    let mut none = arbitrary::Unstructured::new(&[]);
    assert!(Source::new(&mut none).is_empty());
    pair::schedule(&[]);
}
