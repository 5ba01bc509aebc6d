//! How an interface grows, counted and not timed: memory a group, and how often the tables, the
//! limits and the timers are asked for a report of each group, a general-query round and the end
//! of all. What a look-up costs among many groups, the benchmark `scale` measures.

#![expect(clippy::unwrap_used, reason = "a test")]

use dut_device::Instant;
use dut_mld::policy::{Group, Received, Sources};
use dut_mld::{Envelope, Interface, InterfaceConfig, MldEvent, Policy, rows};
use dut_wire::mld::{ALL_MLDV2_ROUTERS, LinkMtu, Message, Record, RecordType, Report};
use peak_alloc::PeakAlloc;
use std::cell::Cell;
use std::net::Ipv6Addr;
use std::time::Duration;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

const HOST: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0xa1);

thread_local! {
    /// Calls of the policy's functions.
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

fn called() {
    CALLS.set(CALLS.get() + 1);
}

fn admit(group: &Group, received: Received, listed: Sources, limit: usize) -> (Sources, bool) {
    called();
    rows::admit(group, received, listed, limit)
}

fn expire(group: &mut Group, now: Instant) -> rows::Expired {
    called();
    rows::expire(group, now)
}

/// What so many groups cost.
#[derive(Debug, PartialEq, Eq)]
struct Cost {
    /// Octets on the heap.
    memory: usize,
    /// Calls that a round of answers made.
    round: u64,
    /// Calls that the end of all groups made.
    expiry: u64,
    /// How often the interface asked to be woken for that.
    wakes: u64,
}

fn record(n: u32) -> Record {
    let source = |s| Ipv6Addr::from_bits(0x2001_0db8 << 96 | u128::from(n * 4 + s));
    Record {
        record_type: RecordType::ModeIsInclude,
        group: Ipv6Addr::from_bits(0xff1e << 112 | u128::from(n)),
        sources: (0..4).map(source).collect(),
    }
}

fn drain(router: &mut Interface) -> u32 {
    while router.poll_transmit().is_some() {}
    let events = std::iter::from_fn(|| router.poll_event());
    let removed = events.filter(|event| matches!(event, MldEvent::Removed { .. }));
    u32::try_from(removed.count()).unwrap()
}

/// All groups answer, beginning at `from`, 10 us apart.
fn answer(router: &mut Interface, from: Instant, answers: &[Vec<u8>]) {
    let envelope = Envelope {
        source: HOST,
        destination: ALL_MLDV2_ROUTERS,
        hop_limit: 1,
        router_alert: Some(0),
    };
    let mut now = from;
    for message in answers {
        now += Duration::from_micros(10);
        router.handle_message(now, &envelope, message);
        drain(router);
    }
}

fn cost(groups: u32) -> Cost {
    let policy = Policy {
        admit,
        expire,
        ..Policy::default()
    };
    let config = InterfaceConfig {
        group_limit: 200_000,
        report_limit: u32::MAX,
        ..InterfaceConfig::new("growth", Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1))
    };
    let mut router = Interface::with_policy(config, policy);
    router.start(Instant::ZERO);
    drain(&mut router);
    let reports = Report::pack((0..groups).map(record).collect(), LinkMtu::new(1500));
    let octets = |report| Message::Report(report).to_vec(HOST, ALL_MLDV2_ROUTERS);
    let answers: Vec<Vec<u8>> = reports.into_iter().map(octets).collect();
    let before = ALLOCATED.current_usage();
    answer(&mut router, Instant::ZERO, &answers);
    let memory = ALLOCATED.current_usage() - before;
    CALLS.set(0);
    answer(&mut router, Instant::from_secs(32), &answers);
    let round = CALLS.take();
    let (mut removed, mut wakes) = (0, 0);
    while removed < groups {
        router.handle_timeout(router.next_timeout().unwrap());
        removed += drain(&mut router);
        wakes += 1;
    }
    Cost {
        memory,
        round,
        expiry: CALLS.take(),
        wakes,
    }
}

/// Memory and work grow with the number of groups and no faster: ten and a hundred times as many
/// groups cost ten and a hundred times as much.
#[test]
fn cost_grows_with_the_number_of_groups() {
    let small = cost(1_000);
    // One call a record, and one a group that ends: nothing is looked at again and again.
    assert_eq!((small.round, small.expiry), (1_000, 1_000));
    // Three lines of cache a record, and at most one for its places in the two indexes.
    assert!(small.memory <= 1_000 * 4 * 64, "{small:?}");
    for times in [10, 100] {
        let large = cost(1_000 * times);
        let factor = u64::from(times);
        assert_eq!(large.round, small.round * factor, "{large:?}");
        assert_eq!(large.expiry, small.expiry * factor, "{large:?}");
        assert!(large.wakes <= (small.wakes + 1) * factor, "{large:?}");
        let most = small.memory * usize::try_from(times).unwrap() * 21 / 20;
        assert!(large.memory <= most, "{large:?} beside {small:?}");
    }
}
