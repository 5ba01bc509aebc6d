//! Timers of known behaviour, and what samples of them must and mustn't say.

use super::{Allowed, Interval, Said};
use std::time::Duration;

/// One second, within 250 ms.
const SECOND: Allowed = Allowed {
    least: Duration::from_millis(750),
    most: Duration::from_millis(1250),
};

fn said(ms: &[u64]) -> Said {
    let times: Vec<Duration> = ms.iter().map(|ms| Duration::from_millis(*ms)).collect();
    Interval::of(&times).unwrap().judge(&times, SECOND)
}

/// A steady timer holds, also when it is steadily off by less than is allowed.
#[test]
fn a_steady_timer_holds() {
    assert_eq!(said(&[1000; 20]), Said::Holds);
    assert_eq!(
        said(&[1100, 1101, 1099, 1100, 1100, 1101, 1099, 1100]),
        Said::Holds
    );
}

/// One time outside breaks a requirement that is about every time, however many are inside.
#[test]
fn a_biased_timer_fails_by_its_first_sample_outside() {
    assert_eq!(said(&[1300; 10]), Said::Fails(0));
    assert_eq!(
        said(&[1000, 1000, 1000, 1000, 1000, 749, 1000]),
        Said::Fails(5)
    );
    assert_eq!(said(&[1000, 1251]), Said::Fails(1));
}

/// Samples that are all inside don't show that a jittery timer stays inside.
#[test]
fn a_jittery_timer_is_undecided() {
    let jitter = [800, 1200, 850, 1150, 990, 1010, 820, 1180];
    assert_eq!(
        said(&jitter),
        Said::Undecided("the times differ too much from each other")
    );
}

/// Nor do few samples, even equal ones.
#[test]
fn too_few_samples_are_undecided() {
    assert_eq!(
        said(&[1000; 4]),
        Said::Undecided("there are too few samples")
    );
    assert!(Interval::of(&[]).is_none());
}

/// A timer that is inside and on its way out isn't said to hold.
#[test]
fn a_drifting_timer_is_undecided() {
    let drifting: Vec<u64> = (0..20).map(|n| 950 + 5 * n).collect();
    assert_eq!(said(&drifting), Said::Undecided("the times drift"));
    let there: Vec<u64> = (0..40).map(|n| 1060 + 5 * n).collect();
    assert!(
        matches!(said(&there), Said::Fails(_)),
        "and fails once it is out"
    );
}

/// More samples of the same jitter decide: the interval's factor falls with their number. By
/// Howe's formula 5 samples give k = 5.1, 30 give k = 2.55 (tables: 5.08 and 2.55).
#[test]
fn more_samples_decide() {
    let few = [960, 1040, 960, 1040, 1000];
    let many: Vec<u64> = few.iter().cycle().take(30).copied().collect();
    assert!(matches!(
        said(&[900, 1100, 900, 1100, 1000]),
        Said::Undecided(_)
    ));
    assert_eq!(said(&many), Said::Holds);
    let interval = |ms: &[u64]| {
        let times: Vec<Duration> = ms.iter().map(|ms| Duration::from_millis(*ms)).collect();
        Interval::of(&times).unwrap()
    };
    // 40 ms to either side, standard deviation 40 ms: 1000 - 5.08 * 40.
    let (low, _) = interval(&few).tolerance_ms.unwrap();
    assert!((790.0..800.0).contains(&low), "{low}");
    let (low, _) = interval(&many).tolerance_ms.unwrap();
    assert!((900.0..912.0).contains(&low), "{low}");
}

/// The printed line has all that the verdict hangs on.
#[test]
fn the_interval_is_printed() {
    let times = [1000, 1010, 990, 1000, 1005].map(Duration::from_millis);
    let text = Interval::of(&times).unwrap().to_string();
    assert!(
        text.starts_with("5 samples, 990.0 to 1010.0 ms, mean 1001.0 ms (95 %: ±"),
        "{text}"
    );
    assert!(text.contains("95 % of all (95 %): 96"), "{text}");
}
