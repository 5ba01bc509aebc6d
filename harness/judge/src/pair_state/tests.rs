//! A state and its changes: what stands in a capture gives the same state again.

use super::*;
use dut_device::{MldInterfaceSnapshot, RbpSnapshot, RbsSnapshot};

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

const FAULTS: Way = Way {
    faults: true,
    cut: false,
    in_flight: 0,
};
const FLYING: Way = Way {
    faults: false,
    cut: false,
    in_flight: 1,
};

#[test]
fn a_state_that_only_runs_down_is_the_same_state() {
    let start = PairState::default();
    let (a, b) = (
        device(true, vec![group(1, 9000, 500)]),
        device(false, vec![]),
    );
    let first = start.next(
        Instant::from_millis(1000),
        [Some(&a), Some(&b)],
        Way::default(),
    );
    let a = device(true, vec![group(1, 8900, 400)]);
    let second = first.next(
        Instant::from_millis(1100),
        [Some(&a), Some(&b)],
        Way::default(),
    );
    assert_eq!(first, second);
    assert_eq!(first.change(&second), PairChange::default());
    let [a, _] = &first.devices;
    let held = a.groups.values().next().unwrap();
    assert_eq!(held.filter, Some(10_000));
    assert_eq!(held.requested.values().copied().collect::<Vec<_>>(), [1500]);
}

#[test]
fn an_overdue_timer_of_one_millisecond_keeps_its_deadline() {
    let start = PairState::default();
    let b = device(false, vec![group(1, 9000, 1)]);
    let first = start.next(Instant::from_millis(1000), [None, Some(&b)], Way::default());
    let b = device(false, vec![group(1, 8000, 1)]);
    let second = first.next(Instant::from_millis(2000), [None, Some(&b)], Way::default());
    assert_eq!(first, second);
}

#[test]
fn changes_carry_what_is_new_and_what_is_gone() {
    let start = PairState::default();
    let a = device(true, vec![group(1, 9000, 500), group(2, 9000, 500)]);
    let b = device(false, vec![group(1, 9000, 500), group(2, 9000, 500)]);
    let first = start.next(
        Instant::from_millis(1000),
        [Some(&a), Some(&b)],
        Way::default(),
    );
    assert!(first.same_entries());
    assert_eq!(first.master(), Some(0));
    let a = device(true, vec![group(2, 8000, 0), group(3, 9000, 500)]);
    let second = first.next(Instant::from_millis(2000), [Some(&a), Some(&b)], FAULTS);
    let change = first.change(&second);
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
    assert!(start.next(at, [Some(&a), Some(&b)], Way::default()).quiet);
    assert!(!start.next(at, [Some(&a), Some(&b)], FLYING).quiet);
    b.rbs[0].unacknowledged = 1;
    assert!(!start.next(at, [Some(&a), Some(&b)], Way::default()).quiet);
    b.rbs[0].unacknowledged = 0;
    b.rbp[0].entries = vec![group(1, 9000, 500)];
    assert!(!start.next(at, [Some(&a), Some(&b)], Way::default()).quiet);
}

#[test]
fn a_device_that_hangs_is_no_master_and_no_split() {
    let start = PairState::default();
    let a = device(true, vec![]);
    let at = Instant::from_millis(1000);
    let both = start.next(at, [Some(&a), Some(&a)], Way::default());
    assert!(both.split());
    assert_eq!(both.master(), None);
    let hung = both.next(at, [None, Some(&a)], Way::default());
    assert!(!hung.split());
    assert_eq!(hung.master(), Some(1));
}

#[test]
fn what_trouble_left_unacknowledged_keeps_the_channel_down() {
    let at = Instant::from_millis(1000);
    let mut a = device(true, vec![]);
    let b = device(false, vec![]);
    let start = PairState::default().next(at, [Some(&a), Some(&b)], Way::default());
    assert!(start.connected);
    a.rbs[0].unacknowledged = 1;
    // In peace a message on its way is nothing.
    assert!(
        start
            .next(at, [Some(&a), Some(&b)], Way::default())
            .connected
    );
    for cut in [false, true] {
        let way = Way {
            faults: !cut,
            cut,
            in_flight: 0,
        };
        let during = start.next(at, [Some(&a), Some(&b)], way);
        assert!(!during.connected);
        let after = during.next(at, [Some(&a), Some(&b)], Way::default());
        assert!(!after.connected, "TCP has not sent it again yet");
        a.rbs[0].unacknowledged = 0;
        let done = after.next(at, [Some(&a), Some(&b)], Way::default());
        assert!(done.connected);
        a.rbs[0].unacknowledged = 1;
        assert!(
            done.next(at, [Some(&a), Some(&b)], Way::default())
                .connected
        );
    }
}
