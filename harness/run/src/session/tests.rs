//! Proves the two rules of a session, and that its trace gives its verdict again.

use super::{Session, SessionSpec};
use crate::measured::Measured;
use crate::{CaseResult, judge_trace};
use dut_device::Instant;
use harness_judge::Verdict;
use harness_suite::{ExpandedCase, load};
use harness_tester::TesterPort;
use harness_trace::{Direction, Point, PointId};
use std::path::Path;
use std::time::Duration;

fn ms(n: u64) -> Instant {
    Instant::from_millis(n)
}

/// The smallest LACPDU: what a case can wait for.
fn lacpdu() -> Vec<u8> {
    let mut octets = vec![
        1, 0x80, 0xc2, 0, 0, 2, 0, 0xe0, 0xfc, 0, 0, 2, 0x88, 9, 1, 1,
    ];
    octets.extend([
        1, 20, 0x80, 0, 0, 0xe0, 0xfc, 0, 0, 1, 0, 1, 0x80, 0, 0, 1, 0x45, 0, 0, 0,
    ]);
    octets.extend([2, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    octets.extend([3, 16]);
    octets.resize(124, 0);
    octets
}

/// A session of a case of one port with these steps, at a tolerance of 20 ms.
fn session(steps: &str) -> Session {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../suites");
    let catalogue = load(&root).unwrap();
    let mut case: ExpandedCase = (catalogue.cases.into_iter())
        .find(|case| case.id == "lacp/tx/version")
        .unwrap();
    case.verifies.clear();
    case.steps = serde_json::from_str(steps).unwrap();
    let port = TesterPort {
        name: "p1".to_owned(),
        mac: "02:00:00:00:01:01".to_owned(),
    };
    Session::new(SessionSpec {
        case,
        points: vec![Point {
            name: "p1".to_owned(),
            near: "tester".to_owned(),
            far: "dut".to_owned(),
        }],
        ports: vec![port],
        listeners: std::collections::BTreeMap::new(),
        frames: std::collections::BTreeMap::new(),
        pair: Vec::new(),
        lateness: Duration::ZERO,
        devices: vec!["dut".to_owned()],
        tolerance: Duration::from_millis(20),
        origin_s: 0,
    })
    .unwrap()
}

/// Ends a session, and judges its trace again: the same verdict for the same reason.
fn end(session: Session, at: Instant, measured: Measured) -> CaseResult {
    let result = session.finish(at, measured, 1);
    let again = judge_trace(&result.trace).unwrap();
    let why = |result: &CaseResult| result.finding.as_ref().map(|f| f.what.clone());
    assert_eq!((again.verdict, why(&again)), (result.verdict, why(&result)));
    result
}

const NEVER: &str = r#"[
    {"line": 1, "step": {"never": {"on": "p1", "frame": {"lacpdu": {}}, "for": "100ms"}}},
    {"line": 2, "step": {"expect": {"on": "p1", "frame": {"lacpdu": {}}, "within": "1s"}}}
]"#;

/// A driver that wakes late tells a frame from after the deadline, which the deadline precedes.
#[test]
fn a_late_driver_does_not_turn_a_late_frame_into_a_forbidden_one() {
    let mut session = session(NEVER);
    session.start(ms(1000));
    session.received(PointId(0), Direction::In, ms(1105), lacpdu());
    session.pass(ms(1500));
    assert_eq!(
        end(session, ms(1500), Measured::default()).verdict,
        Verdict::Pass
    );
}

/// And one from before the deadline breaks it, however late it is told.
#[test]
fn a_frame_from_before_the_deadline_breaks_it() {
    let mut session = session(NEVER);
    session.start(ms(1000));
    session.received(PointId(0), Direction::In, ms(1095), lacpdu());
    session.pass(ms(1500));
    assert_eq!(
        end(session, ms(1500), Measured::default()).verdict,
        Verdict::Fail
    );
}

const ANSWER: &str = r#"[
    {"line": 1, "step": {"send": {"on": "p1", "frame": {"lacpdu": {}}}}},
    {"line": 2, "step": {"expect": {"on": "p1", "frame": {"lacpdu": {}}, "within": "100ms"}}}
]"#;

/// What arrived before a frame really left is no answer to it.
#[test]
fn a_frame_from_before_a_late_send_is_no_answer() {
    let mut session = session(ANSWER);
    session.start(ms(1000));
    assert!(session.action().is_some());
    session.received(PointId(0), Direction::In, ms(1010), lacpdu());
    assert_eq!(session.sent(ms(1015), false), Duration::from_millis(15));
    session.pass(ms(2000));
    assert_eq!(
        end(session, ms(2000), Measured::default()).verdict,
        Verdict::Fail
    );
}

/// The answer's time counts from when the frame left, plus the host's tolerance and no more.
#[test]
fn an_answers_time_counts_from_the_real_send() {
    for (at, verdict) in [(1134, Verdict::Pass), (1136, Verdict::Fail)] {
        let mut session = session(ANSWER);
        session.start(ms(1000));
        session.sent(ms(1015), false);
        session.received(PointId(0), Direction::In, ms(at), lacpdu());
        session.pass(ms(2000));
        assert_eq!(
            end(session, ms(2000), Measured::default()).verdict,
            verdict,
            "{at}"
        );
    }
}

fn failing(measured: Measured) -> CaseResult {
    let mut session = session(ANSWER);
    session.start(ms(1000));
    session.sent(ms(1000), false);
    session.pass(ms(2000));
    end(session, ms(2000), measured)
}

/// With frames lost, the clock set or the tester late nothing has failed; a device that died is
/// blocked; each says why.
#[test]
fn what_can_not_be_judged_is_no_failure() {
    let of = |verdict: Verdict, measured: Measured, words: &str| {
        let result = failing(measured);
        let what = result.finding.unwrap().what;
        assert_eq!(result.verdict, verdict, "{what}");
        assert!(what.contains(words), "{what}");
    };
    let none = Measured::default;
    of(Verdict::Fail, none(), "did not come");
    let dropped = Measured {
        dropped: 3,
        ..none()
    };
    of(Verdict::Inconclusive, dropped, "3 frames were lost");
    let late_ns = 20_000_001;
    of(
        Verdict::Inconclusive,
        Measured { late_ns, ..none() },
        "20.000 ms late",
    );
    of(
        Verdict::Fail,
        Measured {
            late_ns: 20_000_000,
            ..none()
        },
        "did not come",
    );
    let clock_step_ns = 1_000_000_000;
    of(
        Verdict::Inconclusive,
        Measured {
            clock_step_ns,
            ..none()
        },
        "the clock was set",
    );
    let blocked = Some("it died".to_owned());
    of(Verdict::Blocked, Measured { blocked, ..none() }, "it died");
}

/// A pass with frames lost is none: what was lost may have been what must not come.
#[test]
fn a_pass_with_frames_lost_is_inconclusive() {
    let mut session = session(ANSWER);
    session.start(ms(1000));
    session.sent(ms(1000), false);
    session.received(PointId(0), Direction::In, ms(1001), lacpdu());
    session.pass(ms(2000));
    let dropped = Measured {
        dropped: 1,
        ..Measured::default()
    };
    assert_eq!(
        end(session, ms(2000), dropped).verdict,
        Verdict::Inconclusive
    );
}
