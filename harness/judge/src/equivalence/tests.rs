//! Each leg finds what was planted for it, and says nothing of a pair in order.

use super::*;
use crate::pair_state::{DeviceChange, GroupState};
use harness_wire::{Fields, Kind, build};
use serde_json::json;

const G: Ipv6Addr = Ipv6Addr::new(0xff1e, 0, 0, 0, 0, 0, 0, 1);

/// A pair whose DeviceA is Master and takes what the listeners send over A-C.
struct Bench {
    oracle: Equivalence,
    record: usize,
}

fn fields(value: serde_json::Value) -> Fields {
    serde_json::from_value(value).unwrap()
}

fn exclude(end_ms: u64) -> GroupState {
    GroupState {
        filter: Some(end_ms),
        ..GroupState::default()
    }
}

impl Bench {
    fn new() -> Self {
        let point = |name: &str, near: &str| Point {
            name: name.to_owned(),
            near: near.to_owned(),
            far: "DeviceC".to_owned(),
        };
        let points = [point("A-C", "DeviceA"), point("B-C", "DeviceB")];
        let (a, b) = ("DeviceA".to_owned(), "DeviceB".to_owned());
        let latency = Duration::from_micros(100);
        let oracle = Equivalence::new(&points, [&a, &b], &Scope::new(), latency);
        let mut bench = Self { oracle, record: 0 };
        bench.lacpdu(0, 0x3d);
        bench.lacpdu(1, 0x05);
        let role = |master| DeviceChange {
            running: Some(true),
            master: Some(master),
            ..DeviceChange::default()
        };
        bench.oracle.change(
            Instant::ZERO,
            PairChange {
                devices: [role(true), role(false)],
                connected: Some(true),
                ..PairChange::default()
            },
        );
        bench
    }

    fn frame(&mut self, ms: u64, point: u16, direction: Direction, octets: Vec<u8>) {
        self.record += 1;
        let frame = Frame {
            at: Instant::from_millis(ms),
            point: PointId(point),
            direction,
            lost: false,
            octets,
        };
        self.oracle.frame(self.record, &frame);
    }

    fn lacpdu(&mut self, point: u16, state: u8) {
        let octets = build(Kind::Lacpdu, &fields(json!({"actor.state": state}))).unwrap();
        self.frame(0, point, Direction::Out, octets);
    }

    /// A report that DeviceC passes on to a device of the pair.
    fn report(&mut self, ms: u64, point: u16, kind: &str) {
        let records = json!({"records": [{"type": kind, "group": G.to_string()}]});
        let octets = build(Kind::MldReport, &fields(records)).unwrap();
        self.frame(ms, point, Direction::In, octets);
    }

    fn packet(&mut self, ms: u64, point: u16, number: u64) {
        let packet = json!({"ipv6.destination": G.to_string(), "sequence": number});
        let octets = build(Kind::Udp, &fields(packet)).unwrap();
        self.frame(ms, point, Direction::Out, octets);
    }

    /// What the devices hold from now on.
    fn hold(&mut self, ms: u64, a: Option<GroupState>, b: Option<GroupState>) -> Status {
        let groups = |state| DeviceChange {
            groups: [(G, state)].into(),
            ..DeviceChange::default()
        };
        let change = PairChange {
            devices: [groups(a), groups(b)],
            ..PairChange::default()
        };
        self.oracle.change(Instant::from_millis(ms), change)
    }

    fn change(&mut self, ms: u64, change: PairChange) {
        self.oracle.change(Instant::from_millis(ms), change);
    }

    /// The broken reports by requirement.
    fn broken(self, ms: u64) -> Vec<(String, Finding)> {
        let reports = self.oracle.finish(Instant::from_millis(ms));
        let broken = reports.into_iter().filter_map(|report| {
            let finding = report.broken?;
            Some((report.requirement, finding))
        });
        broken.collect()
    }
}

/// The one finding, which must be of this requirement.
fn only(mut broken: Vec<(String, Finding)>, requirement: &str) -> Finding {
    assert_eq!(broken.len(), 1, "{broken:?}");
    let (of, finding) = broken.pop().unwrap();
    assert_eq!(of, requirement, "{finding:?}");
    finding
}

#[test]
fn a_pair_in_order_is_equal_and_exercised() {
    let mut bench = Bench::new();
    bench.report(10_000, 0, "TO_EX");
    let status = bench.hold(10_001, Some(exclude(270_001)), Some(exclude(270_002)));
    assert_eq!(
        status,
        Status {
            equal: true,
            groups: 1
        }
    );
    // Silence: all three let the entry go at 270 s.
    let status = bench.hold(270_001, None, None);
    assert_eq!(
        status,
        Status {
            equal: true,
            groups: 0
        }
    );
    let reports = bench.oracle.finish(Instant::from_secs(300));
    assert!(
        reports.iter().all(|report| report.broken.is_none()),
        "{reports:?}"
    );
    let premises = |id: &str| -> Vec<u64> {
        let of = reports.iter().filter(|report| report.requirement == id);
        of.map(|report| report.premises).collect()
    };
    assert!(premises("BACKUP-001").iter().all(|n| *n > 0));
}

#[test]
fn an_empty_run_exercises_nothing() {
    let bench = Bench::new();
    let reports = bench.oracle.finish(Instant::from_secs(60));
    assert!(
        reports.iter().all(|report| report.premises == 0),
        "{reports:?}"
    );
}

#[test]
fn a_backup_without_the_entry_is_found_after_the_sync_bound() {
    let mut bench = Bench::new();
    bench.report(10_000, 0, "TO_EX");
    let record = bench.record;
    bench.hold(10_001, Some(exclude(270_001)), None);
    let finding = only(bench.broken(10_100), "BACKUP-002");
    // 50 ms, 100 us on the way, 2 ms of resolution.
    assert_eq!(finding.at_ns, 10_053_100_000);
    assert_eq!(finding.record, Some(record));
    assert!(finding.what.contains("TO_EX ff1e::1"), "{}", finding.what);
    assert_eq!(finding.differences[0].field, "ff1e::1 record");
}

#[test]
fn a_backup_that_follows_within_the_bound_is_in_order() {
    let mut bench = Bench::new();
    bench.report(10_000, 0, "TO_EX");
    bench.hold(10_001, Some(exclude(270_001)), None);
    bench.hold(10_050, Some(exclude(270_001)), Some(exclude(270_030)));
    assert_eq!(bench.broken(20_000), []);
}

#[test]
fn with_nothing_under_way_no_bound_is_waited_for() {
    let mut bench = Bench::new();
    bench.report(10_000, 0, "TO_EX");
    bench.hold(10_001, Some(exclude(270_001)), None);
    let quiet = PairChange {
        quiet: Some(true),
        ..PairChange::default()
    };
    bench.change(10_002, quiet);
    let finding = only(bench.broken(10_003), "BACKUP-001");
    assert_eq!(finding.at_ns, 10_002_000_000);
}

#[test]
fn two_empty_tables_dont_pass_when_a_listener_has_joined() {
    let mut bench = Bench::new();
    bench.report(10_000, 0, "TO_EX");
    let status = bench.hold(10_001, None, None);
    assert!(!status.equal);
    let finding = only(bench.broken(10_100), "BACKUP-001");
    assert!(finding.what.starts_with("what the listeners asked for"));
    assert_eq!(finding.differences[0].seen, "no record (master DeviceA)");
}

#[test]
fn two_tables_that_keep_what_was_left_dont_pass() {
    let mut bench = Bench::new();
    bench.report(10_000, 0, "TO_EX");
    bench.hold(10_001, Some(exclude(270_001)), Some(exclude(270_001)));
    bench.report(20_000, 0, "TO_IN");
    // Nobody lowers the timer: the entry would stay. By the document it ends at 22 s.
    let finding = only(bench.broken(30_000), "BACKUP-001");
    assert_eq!(finding.differences[0].field, "ff1e::1 filter timer");
    assert!(
        finding.differences[0]
            .expected
            .starts_with("ends at 22.000 s")
    );
}

#[test]
fn a_backups_timer_that_is_a_second_off_is_found() {
    let mut bench = Bench::new();
    bench.report(10_000, 0, "TO_EX");
    let status = bench.hold(10_001, Some(exclude(270_001)), Some(exclude(271_001)));
    assert!(status.equal, "entries are equal");
    let finding = only(bench.broken(11_000), "BACKUP-034");
    assert_eq!(
        finding.differences[0].seen,
        "ends at 271.001 s (backup DeviceB)"
    );
}

#[test]
fn both_timers_a_second_off_are_found_by_the_third_leg() {
    let mut bench = Bench::new();
    bench.report(10_000, 0, "TO_EX");
    bench.hold(10_001, Some(exclude(271_001)), Some(exclude(271_001)));
    only(bench.broken(11_000), "BACKUP-001");
}

#[test]
fn both_forwarding_is_found() {
    let mut bench = Bench::new();
    bench.packet(10_000, 0, 7);
    bench.packet(10_001, 1, 7);
    bench.packet(10_005, 0, 8);
    let finding = only(bench.broken(11_000), "BACKUP-010");
    assert!(
        finding.what.contains("DeviceA and DeviceB"),
        "{}",
        finding.what
    );
}

#[test]
fn what_a_device_doesnt_take_reaches_nobody() {
    let mut bench = Bench::new();
    // DeviceB's last LACPDU says that it doesn't collect; DeviceA hangs.
    bench.report(10_000, 1, "TO_EX");
    bench.oracle.node("DeviceA", false);
    bench.report(10_010, 0, "TO_EX");
    assert!(bench.oracle.table.groups.is_empty());
}

#[test]
fn differing_is_excused_during_faults_and_5_s_after_them() {
    let faults = |on| PairChange {
        faults: Some(on),
        ..PairChange::default()
    };
    let mut bench = Bench::new();
    bench.change(9_000, faults(true));
    bench.report(10_000, 0, "TO_EX");
    bench.hold(10_001, Some(exclude(270_001)), None);
    bench.change(40_000, faults(false));
    let finding = only(bench.broken(60_000), "BACKUP-003");
    assert_eq!(finding.at_ns, 45_000_000_000);
    // The same with an entry that comes in time.
    let mut bench = Bench::new();
    bench.change(9_000, faults(true));
    bench.report(10_000, 0, "TO_EX");
    bench.hold(10_001, Some(exclude(270_001)), None);
    bench.change(40_000, faults(false));
    bench.hold(44_000, Some(exclude(270_001)), Some(exclude(270_001)));
    assert_eq!(bench.broken(60_000), []);
}

fn role(running: Option<bool>, master: Option<bool>) -> DeviceChange {
    DeviceChange {
        running,
        master,
        ..DeviceChange::default()
    }
}

/// DeviceA is gone, DeviceB takes over with this table.
fn taken_over(bench: &mut Bench, ms: u64, held: Option<GroupState>) {
    bench.oracle.node("DeviceA", false);
    let gone = role(Some(false), Some(false));
    let taken = DeviceChange {
        groups: [(G, held)].into(),
        ..role(None, Some(true))
    };
    bench.change(
        ms,
        PairChange {
            devices: [gone, taken],
            ..PairChange::default()
        },
    );
}

#[test]
fn a_new_master_that_forgot_a_synchronised_entry_is_found() {
    let mut bench = Bench::new();
    bench.report(10_000, 0, "TO_EX");
    bench.hold(10_001, Some(exclude(270_001)), Some(exclude(270_001)));
    taken_over(&mut bench, 20_000, None);
    let finding = only(bench.broken(21_000), "BACKUP-001");
    assert_eq!(finding.differences[0].seen, "no record (master DeviceB)");
}

#[test]
fn an_entry_that_could_not_be_acknowledged_any_more_is_not_promised() {
    let mut bench = Bench::new();
    bench.report(19_990, 0, "TO_EX");
    bench.hold(19_991, Some(exclude(279_990)), None);
    taken_over(&mut bench, 20_000, None);
    assert_eq!(bench.broken(21_000), []);
}

#[test]
fn what_was_said_of_a_new_change_follows_from_records_alone() {
    // Judging a capture advances the oracle less often than a run does: the same comes out.
    let run = |often: bool| {
        let mut bench = Bench::new();
        bench.report(10_000, 0, "TO_EX");
        bench.hold(10_001, Some(exclude(270_001)), Some(exclude(270_001)));
        for ms in (10_000..290_000).step_by(if often { 25 } else { 200_000 }) {
            bench.oracle.advance(Instant::from_millis(ms));
        }
        bench.broken(290_000)
    };
    assert_eq!(run(true), run(false));
    // The table let the entry go at 270 s, the devices never did.
    let finding = only(run(true), "BACKUP-001");
    assert_eq!(finding.at_ns, 270_052_100_000);
}

#[test]
fn a_cut_between_the_devices_excuses_them_and_not_the_master() {
    let cut = |on| PairChange {
        cut: Some(on),
        ..PairChange::default()
    };
    let mut bench = Bench::new();
    bench.change(9_000, cut(true));
    bench.report(10_000, 0, "TO_EX");
    bench.hold(10_001, Some(exclude(270_001)), None);
    bench.change(11_000, cut(false));
    let finding = only(bench.broken(60_000), "BACKUP-003");
    assert_eq!(finding.at_ns, 16_000_000_000);
    // What the listeners asked for reaches the master all the while.
    let mut bench = Bench::new();
    bench.change(9_000, cut(true));
    bench.report(10_000, 0, "TO_EX");
    let finding = only(bench.broken(10_100), "BACKUP-001");
    assert_eq!(finding.at_ns, 10_052_100_000);
}

#[test]
fn a_master_that_hung_and_nobody_replaced_keeps_what_it_was_asked() {
    // The backup has not got the entry, so it would not be promised after a takeover.
    let hangs = |keeps: bool| {
        let mut bench = Bench::new();
        bench.report(10_000, 0, "TO_EX");
        bench.hold(10_001, Some(exclude(270_001)), None);
        bench.oracle.node("DeviceA", false);
        let one = |change| PairChange {
            devices: [change, DeviceChange::default()],
            ..PairChange::default()
        };
        bench.change(10_010, one(role(Some(false), Some(false))));
        bench.oracle.node("DeviceA", true);
        bench.change(11_000, one(role(Some(true), Some(true))));
        let held = keeps.then(|| exclude(270_001));
        bench.hold(11_001, held, Some(exclude(270_001)));
        bench.broken(11_500)
    };
    assert_eq!(hangs(true), []);
    let finding = only(hangs(false), "BACKUP-001");
    assert_eq!(finding.differences[0].seen, "no record (master DeviceA)");
}

#[test]
fn after_a_split_the_masters_record_stands_and_the_others_groups_are_asked_for() {
    let heals = |held: Option<GroupState>| {
        let mut bench = Bench::new();
        bench.lacpdu(1, 0x3d);
        let other = |master| PairChange {
            devices: [DeviceChange::default(), role(None, Some(master))],
            ..PairChange::default()
        };
        if held.is_some() {
            bench.report(8_000, 0, "TO_EX");
            bench.hold(8_001, held.clone(), held.clone());
        }
        bench.change(10_000, other(true));
        bench.report(11_000, 1, "TO_EX");
        bench.change(12_000, other(false));
        bench.hold(12_001, held.clone(), held);
        bench.broken(20_000)
    };
    // DeviceA's timer is its own, not that of the report that DeviceB heard.
    assert_eq!(heals(Some(exclude(268_000))), []);
    only(heals(None), "BACKUP-001");
}

mod takeover;
