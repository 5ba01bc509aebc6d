//! What is excused around a takeover and at a split's end, and what just outside of it isn't.

use super::*;

fn channel(connected: bool, faults: bool) -> PairChange {
    PairChange {
        connected: Some(connected),
        faults: Some(faults),
        ..PairChange::default()
    }
}

fn devices(a: DeviceChange, b: DeviceChange) -> PairChange {
    PairChange {
        devices: [a, b],
        ..PairChange::default()
    }
}

fn only_a(change: DeviceChange) -> PairChange {
    devices(change, DeviceChange::default())
}

fn only_b(change: DeviceChange) -> PairChange {
    devices(DeviceChange::default(), change)
}

/// Proves that a record which the channel lost, and which was never acknowledged, isn't promised
/// after the master's crash, and that one is which came before the channel was lost.
#[test]
fn what_a_lost_channel_kept_from_the_backup_is_not_promised() {
    let crashes = |heard_ms: u64| {
        let mut bench = Bench::new();
        bench.change(9_000, channel(true, true));
        bench.report(heard_ms, 0, "TO_EX");
        bench.hold(10_001, Some(exclude(heard_ms + 260_000)), None);
        bench.change(10_002, channel(false, true));
        // The faults end as DeviceA crashes, and DeviceB takes over.
        bench.oracle.node("DeviceA", false);
        bench.change(
            11_000,
            PairChange {
                devices: [role(Some(false), Some(false)), role(None, Some(true))],
                ..channel(false, false)
            },
        );
        bench.broken(20_000)
    };
    assert_eq!(crashes(10_000), []);
    // It would have been acknowledged while the channel still worked.
    let finding = only(crashes(9_900), "BACKUP-001");
    assert_eq!(finding.differences[0].seen, "no record (master DeviceB)");
}

/// Proves that a channel which works again promises again.
#[test]
fn what_is_asked_after_the_channels_return_is_promised() {
    let mut bench = Bench::new();
    bench.change(9_000, channel(false, true));
    bench.change(10_000, channel(true, false));
    bench.report(16_000, 0, "TO_EX");
    bench.hold(16_001, Some(exclude(276_001)), Some(exclude(276_001)));
    taken_over(&mut bench, 17_000, None);
    only(bench.broken(20_000), "BACKUP-001");
}

/// DeviceA hangs, DeviceB is Master; DeviceA wakes up as Master while DeviceB hears a report, and
/// DeviceB yields.
fn heard_at_the_end_of_a_split() -> Bench {
    let mut bench = Bench::new();
    bench.oracle.node("DeviceA", false);
    bench.change(10_000, only_a(role(Some(false), Some(false))));
    bench.change(30_000, only_b(role(None, Some(true))));
    bench.lacpdu(1, 0x3d);
    bench.change(34_000, channel(false, false));
    bench.oracle.node("DeviceA", true);
    bench.change(35_000, only_a(role(Some(true), Some(true))));
    bench.report(35_001, 1, "TO_EX");
    let yields = DeviceChange {
        groups: [(G, Some(exclude(295_001)))].into(),
        ..role(None, Some(false))
    };
    bench.change(35_002, only_b(yields));
    bench
}

/// Proves that what the yielding device heard in the instant of a split's end may reach the Master,
/// or not, and nothing else may.
#[test]
fn what_was_heard_as_a_split_ended_may_come_or_not() {
    let copy = Some(exclude(295_001));
    let mut comes = heard_at_the_end_of_a_split();
    comes.hold(35_500, copy.clone(), copy.clone());
    assert_eq!(comes.broken(60_000), []);
    // Once the master holds it, it is asked for like any other.
    let mut goes = heard_at_the_end_of_a_split();
    goes.hold(35_500, copy.clone(), copy.clone());
    goes.hold(36_000, None, None);
    only(goes.broken(60_000), "BACKUP-001");
    let mut never = heard_at_the_end_of_a_split();
    never.hold(35_500, None, None);
    assert_eq!(never.broken(60_000), []);
    let mut another = heard_at_the_end_of_a_split();
    let other = Some(exclude(395_001));
    another.hold(35_500, other.clone(), other);
    only(another.broken(60_000), "BACKUP-001");
    // Too late: the channel is back, and 5 s are over.
    let mut late = heard_at_the_end_of_a_split();
    late.change(35_100, channel(true, false));
    late.hold(35_500, None, None);
    late.hold(41_000, copy.clone(), copy);
    only(late.broken(60_000), "BACKUP-001");
}

/// Proves that what only the yielding half of a split holds may survive in the Master, as it held
/// it, and that nothing else does.
#[test]
fn what_the_other_half_holds_may_survive_a_split() {
    let heals = |survives: GroupState| {
        let mut bench = Bench::new();
        bench.report(8_000, 0, "TO_EX");
        bench.hold(8_001, Some(exclude(268_000)), Some(exclude(268_000)));
        bench.change(10_000, only_b(role(None, Some(true))));
        // It is left: DeviceA alone hears so.
        bench.report(11_000, 0, "TO_IN");
        bench.hold(11_001, Some(exclude(13_000)), Some(exclude(268_000)));
        bench.hold(13_001, None, Some(exclude(268_000)));
        bench.change(20_000, only_b(role(None, Some(false))));
        bench.hold(20_001, Some(survives.clone()), Some(survives));
        bench.broken(40_000)
    };
    assert_eq!(heals(exclude(268_000)), []);
    only(heals(exclude(280_001)), "BACKUP-001");
}

/// Proves that who wakes up as Master and ousts the other has its own record stand, as after a
/// split, and that who takes over awake hasn't.
#[test]
fn who_wakes_up_as_master_ends_a_split_that_nobody_saw() {
    let ousts = |slept: bool| {
        let mut bench = Bench::new();
        bench.report(8_000, 0, "TO_EX");
        bench.hold(8_001, Some(exclude(268_000)), Some(exclude(268_000)));
        bench.lacpdu(1, 0x3d);
        let gone = role(slept.then_some(false), Some(false));
        bench.change(10_000, devices(gone, role(None, Some(true))));
        bench.report(20_000, 1, "TO_EX");
        bench.hold(20_001, Some(exclude(268_000)), Some(exclude(280_000)));
        let woken = role(slept.then_some(true), Some(true));
        bench.change(36_000, devices(woken, role(None, Some(false))));
        bench.hold(36_001, Some(exclude(268_000)), Some(exclude(268_000)));
        bench.broken(60_000)
    };
    assert_eq!(ousts(true), []);
    let found = ousts(false);
    let listeners = found.iter().any(|(of, _)| of == "BACKUP-001");
    assert!(listeners, "{found:?}");
}

/// Proves that the bound begins anew with a change that finds the backup in step with what was
/// before it, and doesn't where the backup still lags.
#[test]
fn each_change_has_the_bound_for_itself() {
    let follows = |follows: bool| {
        let mut bench = Bench::new();
        bench.report(10_000, 0, "TO_EX");
        let old = Some(exclude(270_000));
        bench.hold(10_001, old.clone(), old.clone());
        bench.report(20_000, 0, "IS_EX");
        bench.hold(20_001, Some(exclude(280_000)), old);
        bench.report(20_030, 0, "TO_IN");
        let copy = if follows {
            exclude(280_000)
        } else {
            exclude(270_000)
        };
        bench.hold(20_031, Some(exclude(22_030)), Some(copy));
        bench.hold(20_065, Some(exclude(22_030)), Some(exclude(22_030)));
        bench.broken(20_200)
    };
    assert_eq!(follows(true), []);
    let finding = only(follows(false), "BACKUP-034");
    assert_eq!(finding.at_ns, 20_053_100_000);
}

/// Proves that a query which may have been sent between two reports lowers the timer or doesn't,
/// and that one which came later than both does.
#[test]
fn a_query_that_crosses_two_reports_may_come_before_the_second() {
    let held = |asked_us, end_ms| crossed(&["TO_IN", "TO_EX"], asked_us, end_ms);
    assert_eq!(held(50, 280_000), []);
    assert_eq!(held(50, 22_000), []);
    only(held(50, 200_000), "BACKUP-001");
    assert_eq!(held(5_000, 22_005), []);
    only(held(5_000, 280_000), "BACKUP-001");
}

/// Proves that a query which was due in the instant of a report that asks for none may have been
/// sent before it, and that one which the report asks for can't have been.
#[test]
fn a_query_that_crosses_a_report_which_asks_for_none_may_come_before_it() {
    for kind in ["TO_EX", "IS_EX"] {
        let held = |asked_us, end_ms| crossed(&[kind], asked_us, end_ms);
        assert_eq!(held(50, 280_000), []);
        assert_eq!(held(50, 22_000), []);
        only(held(50, 200_000), "BACKUP-001");
        only(held(5_000, 280_000), "BACKUP-001");
    }
    // TO_IN leaves the timer of 10 s in place; the query that it asks for lowers it.
    assert_eq!(crossed(&["TO_IN"], 50, 22_000), []);
    only(crossed(&["TO_IN"], 50, 270_000), "BACKUP-001");
}

/// What is wrong with devices that hold EXCLUDE until `end_ms` after such reports at 20 s, and
/// a query so much later.
fn crossed(kinds: &[&str], asked_us: u64, end_ms: u64) -> Vec<(String, Finding)> {
    let mut bench = Bench::new();
    bench.report(10_000, 0, "TO_EX");
    bench.hold(10_001, Some(exclude(270_000)), Some(exclude(270_000)));
    for kind in kinds {
        bench.report(20_000, 0, kind);
    }
    let fields = fields(json!({"group": G.to_string(), "max_response_code": 1000}));
    let octets = build(Kind::MldQuery, &fields).unwrap();
    let at = Instant::from_nanos(20_000_000_000 + asked_us * 1000);
    bench.record += 1;
    let frame = Frame {
        at,
        point: PointId(0),
        direction: Direction::Out,
        lost: false,
        octets,
    };
    bench.oracle.frame(bench.record, &frame);
    let state = Some(exclude(end_ms));
    bench.hold(20_010, state.clone(), state);
    bench.broken(20_200)
}
