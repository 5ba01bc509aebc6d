//! A state and its changes: what stands in a capture gives the same state again.

use super::*;
use dut_device::{
    MldGroupSnapshot, MldInterfaceSnapshot, MldSourceSnapshot, RbpSnapshot, RbsSnapshot, Snapshot,
};

impl PairState {
    /// The pair now, from the snapshots of those that work: this state with what [`Self::seen`]
    /// finds.
    fn next(&self, snapshots: [Option<&Snapshot>; 2], way: Way) -> Self {
        let looks = snapshots.map(|snapshot| snapshot.map(PairLook::of));
        let [a, b] = &looks;
        let mut new = self.clone();
        new.apply(self.seen([a.as_ref(), b.as_ref()], way));
        new
    }
}

fn group(last: u16, filter_ms: u64, source_ms: u64) -> MldGroupSnapshot {
    MldGroupSnapshot {
        group: Ipv6Addr::new(0xff1e, 0, 0, 0, 0, 0, 0, last),
        filter_mode: "EXCLUDE".to_owned(),
        filter_timer_ms: filter_ms,
        v1_host_ms: 0,
        sources: vec![MldSourceSnapshot {
            source: "2001:db8::1".parse().unwrap(),
            timer_ms: source_ms,
            query_count: 0,
        }],
        last_reporter: None,
        since: Instant::ZERO,
        query_count: 0,
    }
}

fn device(master: bool, groups: Vec<MldGroupSnapshot>) -> Snapshot {
    let mut snapshot = Snapshot::default();
    let (held, heard) = if master {
        (groups, Vec::new())
    } else {
        (Vec::new(), groups)
    };
    snapshot.mld.push(MldInterfaceSnapshot {
        name: "Eth-Trunk1".to_owned(),
        groups: held,
        ..MldInterfaceSnapshot::default()
    });
    snapshot.rbp.push(RbpSnapshot {
        master,
        entries: heard,
        ..RbpSnapshot::default()
    });
    snapshot.rbs.push(RbsSnapshot {
        tcp_state: "connected".to_owned(),
        ..RbsSnapshot::default()
    });
    snapshot
}

/// The state after `old`, from these snapshots taken at `at`.
fn next(
    old: &PairState,
    at: Instant,
    snapshots: [Option<&Snapshot>; 2],
    faults: bool,
    in_flight: usize,
) -> PairState {
    let taken = snapshots.map(|snapshot| {
        let mut taken = snapshot?.clone();
        taken.at = at;
        Some(taken)
    });
    let [a, b] = &taken;
    let way = Way {
        faults,
        in_flight,
        ..Way::default()
    };
    old.next([a.as_ref(), b.as_ref()], way)
}

#[test]
fn a_state_that_only_runs_down_is_the_same_state() {
    let start = PairState::default();
    let (a, b) = (
        device(true, vec![group(1, 9000, 500)]),
        device(false, vec![]),
    );
    let first = next(
        &start,
        Instant::from_millis(1000),
        [Some(&a), Some(&b)],
        false,
        0,
    );
    let a = device(true, vec![group(1, 8900, 400)]);
    let second = next(
        &first,
        Instant::from_millis(1100),
        [Some(&a), Some(&b)],
        false,
        0,
    );
    assert_eq!(first, second);
    let looks = [&a, &b].map(|device| {
        let mut look = PairLook::of(device);
        look.at = Instant::from_millis(1200);
        look.groups.iter_mut().for_each(|group| {
            group.filter_timer_ms = group.filter_timer_ms.map(|ms| ms - 100);
        });
        look.sources
            .iter_mut()
            .for_each(|source| source.timer_ms -= 100);
        look
    });
    let [a, b] = &looks;
    let change = second.seen([Some(a), Some(b)], Way::default());
    assert_eq!(change.devices, <[DeviceChange; 2]>::default());
    let [a, _] = &first.devices;
    let held = a.groups.values().next().unwrap();
    assert_eq!(held.filter, Some(10_000));
    assert_eq!(held.requested.values().copied().collect::<Vec<_>>(), [1500]);
}

/// On wires two looks at one deadline differ by what clocks and rounding make of it.
#[test]
fn a_deadline_that_moves_less_than_clocks_are_exact_is_the_same() {
    let look = |old: &PairState, at: u64, left: u64| {
        let mut b = device(false, vec![group(1, left, 500)]);
        b.at = Instant::from_millis(at);
        let way = Way {
            in_flight: 1,
            exact: Duration::from_millis(5),
            ..Way::default()
        };
        old.next([None, Some(&b)], way)
    };
    let first = look(&PairState::default(), 1000, 9000);
    assert_eq!(look(&first, 1001, 9003), first);
    assert_ne!(look(&first, 1001, 9005), first);
}

#[test]
fn an_overdue_timer_of_one_millisecond_keeps_its_deadline() {
    let start = PairState::default();
    let b = device(false, vec![group(1, 9000, 1)]);
    let first = next(
        &start,
        Instant::from_millis(1000),
        [None, Some(&b)],
        false,
        0,
    );
    let b = device(false, vec![group(1, 8000, 1)]);
    let second = next(
        &first,
        Instant::from_millis(2000),
        [None, Some(&b)],
        false,
        0,
    );
    assert_eq!(first, second);
}

#[test]
fn changes_carry_what_is_new_and_what_is_gone() {
    let start = PairState::default();
    let a = device(true, vec![group(1, 9000, 500), group(2, 9000, 500)]);
    let b = device(false, vec![group(1, 9000, 500), group(2, 9000, 500)]);
    let first = next(
        &start,
        Instant::from_millis(1000),
        [Some(&a), Some(&b)],
        false,
        0,
    );
    assert!(first.same_entries());
    assert_eq!(first.master(), Some(0));
    let a = device(true, vec![group(2, 8000, 0), group(3, 9000, 500)]);
    let second = next(
        &first,
        Instant::from_millis(2000),
        [Some(&a), Some(&b)],
        true,
        0,
    );
    let looks = [&a, &b].map(|device| {
        let mut look = PairLook::of(device);
        look.at = Instant::from_millis(2000);
        look
    });
    let [look_a, look_b] = &looks;
    let way = Way {
        faults: true,
        ..Way::default()
    };
    let change = first.seen([Some(look_a), Some(look_b)], way);
    let [changed, _] = &change.devices;
    let kept: Vec<bool> = changed.groups.values().map(Option::is_some).collect();
    assert_eq!(kept, [false, true, true]);
    let text = serde_json::to_string(&change).unwrap();
    let mut read = first;
    read.apply(serde_json::from_str(&text).unwrap());
    assert_eq!(read, second);
}

#[test]
fn quiet_means_different_with_nothing_under_way() {
    let start = PairState::default();
    let a = device(true, vec![group(1, 9000, 500)]);
    let mut b = device(false, vec![]);
    let at = Instant::from_millis(1000);
    assert!(next(&start, at, [Some(&a), Some(&b)], false, 0).quiet);
    assert!(!next(&start, at, [Some(&a), Some(&b)], false, 1).quiet);
    b.rbs[0].unacknowledged = 1;
    assert!(!next(&start, at, [Some(&a), Some(&b)], false, 0).quiet);
    b.rbs[0].unacknowledged = 0;
    b.rbp[0].entries = vec![group(1, 9000, 500)];
    assert!(!next(&start, at, [Some(&a), Some(&b)], false, 0).quiet);
}

#[test]
fn a_device_that_hangs_is_no_master_and_no_split() {
    let start = PairState::default();
    let a = device(true, vec![]);
    let at = Instant::from_millis(1000);
    let both = next(&start, at, [Some(&a), Some(&a)], false, 0);
    assert!(both.split());
    assert_eq!(both.master(), None);
    let hung = next(&both, at, [None, Some(&a)], false, 0);
    assert!(!hung.split());
    assert_eq!(hung.master(), Some(1));
}

#[test]
fn what_trouble_left_unacknowledged_keeps_the_channel_down() {
    let mut a = device(true, vec![]);
    let b = device(false, vec![]);
    let start = PairState::default().next([Some(&a), Some(&b)], Way::default());
    assert!(start.connected);
    a.rbs[0].unacknowledged = 1;
    // In peace a message on its way is nothing.
    assert!(start.next([Some(&a), Some(&b)], Way::default()).connected);
    for cut in [false, true] {
        let way = Way {
            faults: !cut,
            cut,
            ..Way::default()
        };
        let during = start.next([Some(&a), Some(&b)], way);
        assert!(!during.connected);
        let after = during.next([Some(&a), Some(&b)], Way::default());
        assert!(!after.connected, "TCP has not sent it again yet");
        a.rbs[0].unacknowledged = 0;
        let done = after.next([Some(&a), Some(&b)], Way::default());
        assert!(done.connected);
        a.rbs[0].unacknowledged = 1;
        assert!(done.next([Some(&a), Some(&b)], Way::default()).connected);
    }
}
