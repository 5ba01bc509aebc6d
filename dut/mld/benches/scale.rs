//! How an interface grows: 1,000, 10,000 and 100,000 groups with 4 sources each. Prints a table:
//! memory a group, cost of a report, of a general-query round and of expiry, and how each grew
//! beside n log n.
//!
//! Time is the thread's CPU time: it waits for nothing, and what else runs on the machine would
//! add to the long phases of many groups alone. Beside a report stands one access to memory of the
//! size that the groups take, in the reports' order: no table can cost less than that.

#![expect(
    clippy::print_stdout,
    clippy::float_arithmetic,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "its output is a table of measurements"
)]

use dut_device::Instant;
use dut_mld::{Envelope, Interface, InterfaceConfig, MldEvent};
use dut_wire::mld::{ALL_MLDV2_ROUTERS, LinkMtu, Message, Record, RecordType, Report};
use peak_alloc::PeakAlloc;
use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use std::net::Ipv6Addr;
use std::time::Duration;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

const HOST: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0xa1);
const SOURCES: u32 = 4;
/// Single reports that are measured.
const REPORTS: u32 = 20_000;

/// What was measured with so many groups.
struct Row {
    groups: u32,
    /// Octets on the heap a group.
    memory: f64,
    /// Nanoseconds a report of one record that refreshes a group.
    report: f64,
    /// Nanoseconds of one access to as much memory, each after the one before.
    access: f64,
    /// Nanoseconds of the round: the query and the answers of all groups.
    round: f64,
    /// Nanoseconds of the expiry of all groups.
    expiry: f64,
}

fn record(n: u32) -> Record {
    let source = |s| Ipv6Addr::from_bits(0x2001_0db8 << 96 | u128::from(n * SOURCES + s));
    Record {
        record_type: RecordType::ModeIsInclude,
        group: Ipv6Addr::from_bits(0xff1e << 112 | u128::from(n)),
        sources: (0..SOURCES).map(source).collect(),
    }
}

fn octets(report: Report) -> Vec<u8> {
    Message::Report(report).to_vec(HOST, ALL_MLDV2_ROUTERS)
}

fn drain(router: &mut Interface) -> u32 {
    let mut removed = 0;
    while let Some(event) = router.poll_event() {
        removed += u32::from(matches!(event, MldEvent::Removed { .. }));
    }
    while let Some(transmit) = router.poll_transmit() {
        black_box(transmit);
    }
    black_box(router.next_timeout());
    removed
}

fn take(router: &mut Interface, now: Instant, message: &[u8]) {
    let envelope = Envelope {
        source: HOST,
        destination: ALL_MLDV2_ROUTERS,
        hop_limit: 1,
        router_alert: Some(0),
    };
    router.handle_message(now, &envelope, message);
    drain(router);
}

/// CPU time of this thread in nanoseconds.
fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// Nanoseconds that this takes.
fn timed(work: impl FnOnce()) -> f64 {
    let begun = cpu();
    work();
    cpu() - begun
}

/// The group that the `n`th single report is of.
const fn reported(n: u32, groups: u32) -> u32 {
    n.wrapping_mul(7919) % groups
}

/// Nanoseconds of reading and writing one word of each reported group's memory.
fn access(groups: u32, octets_per_group: f64) -> f64 {
    let words = octets_per_group as usize / 8;
    // Written as the groups are: each in turn, all of it.
    let mut memory = vec![0_u64; words * groups as usize];
    memory.fill(black_box(0));
    let mut last = 0;
    let total = timed(|| {
        for n in 0..REPORTS {
            // The word read says where the next is: none can be read ahead.
            let at = reported(n, groups) as usize * words + last as usize;
            if let Some(word) = memory.get_mut(at) {
                last = *word;
                *word = black_box(last);
            }
        }
    });
    black_box(last);
    total / f64::from(REPORTS)
}

fn measure(groups: u32) -> Row {
    let link_local = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
    let mut router = Interface::new(InterfaceConfig {
        group_limit: 200_000,
        ..InterfaceConfig::new("scale", link_local)
    });
    router.start(Instant::ZERO);
    drain(&mut router);
    let all = Report::pack((0..groups).map(record).collect(), LinkMtu::new(1500));
    let answers: Vec<Vec<u8>> = all.into_iter().map(octets).collect();
    let single = |n: u32| {
        let records = vec![record(reported(n, groups))];
        octets(Report { records })
    };
    let singles: Vec<Vec<u8>> = (0..REPORTS).map(single).collect();

    let before = ALLOCATED.current_usage();
    for (n, message) in answers.iter().enumerate() {
        // Listeners don't answer at one instant: timers differ.
        let at = Duration::from_micros(u64::try_from(n).unwrap_or(0) * 10);
        take(&mut router, Instant::ZERO + at, message);
    }
    let held = ALLOCATED.current_usage().saturating_sub(before);

    let mut now = Instant::from_secs(2);
    let report = timed(|| {
        for message in &singles {
            now += Duration::from_nanos(100);
            take(&mut router, now, message);
        }
    });
    // The second startup query is due 31.25 s after the first; all groups answer it.
    now = Instant::from_secs(32);
    let round = timed(|| {
        router.handle_timeout(now);
        drain(&mut router);
        for message in &answers {
            now += Duration::from_micros(10);
            take(&mut router, now, message);
        }
    });
    let mut removed = 0;
    let expiry = timed(|| {
        while removed < groups {
            let Some(due) = router.next_timeout() else {
                break;
            };
            router.handle_timeout(due);
            removed += drain(&mut router);
        }
    });
    assert_eq!(removed, groups, "every group expires");
    let memory = held as f64 / f64::from(groups);
    Row {
        groups,
        memory,
        report: report / f64::from(REPORTS),
        access: access(groups, memory),
        round,
        expiry,
    }
}

/// The best of nine: what else the machine does only ever adds.
fn best(groups: u32) -> Row {
    let mut best = measure(groups);
    for _ in 1..9 {
        let row = measure(groups);
        best.report = best.report.min(row.report);
        best.access = best.access.min(row.access);
        best.round = best.round.min(row.round);
        best.expiry = best.expiry.min(row.expiry);
    }
    best
}

/// How much faster than n log n a total grew from one row to the next: at most 1 is as good.
fn growth(rows: &[Row], total: impl Fn(&Row) -> f64) -> String {
    let n_log_n = |row: &Row| f64::from(row.groups) * f64::from(row.groups).log2();
    let pairs = rows.iter().zip(rows.iter().skip(1));
    let ratios = pairs.map(|(a, b)| (total(b) / total(a)) / (n_log_n(b) / n_log_n(a)));
    ratios
        .map(|ratio| format!("{ratio:.2}"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn main() {
    // Other numbers of groups can be given: `cargo bench --bench scale -- 5000 50000`.
    let given: Vec<u32> = std::env::args()
        .filter_map(|word| word.parse().ok())
        .collect();
    let sizes = if given.is_empty() {
        vec![1_000, 10_000, 100_000]
    } else {
        given
    };
    let rows: Vec<Row> = sizes.into_iter().map(best).collect();
    println!("MLD interface, {SOURCES} sources a group");
    println!(
        "   groups  octets/group  report ns  access ns  round ms  round ns/group  expiry ns/group"
    );
    for row in &rows {
        let groups = f64::from(row.groups);
        println!(
            "{:>9}  {:>12.0}  {:>9.0}  {:>9.0}  {:>8.2}  {:>14.0}  {:>15.0}",
            row.groups,
            row.memory,
            row.report,
            row.access,
            row.round / 1e6,
            row.round / groups,
            row.expiry / groups
        );
    }
    println!(
        "growth over n log n from row to row (at most 1 is as good; past the caches memory adds):"
    );
    println!(
        "  reports of all groups  {}",
        growth(&rows, |row| row.report * f64::from(row.groups))
    );
    let fixed = rows.first().map_or(0.0, |row| row.report - row.access);
    println!(
        "    the first row's, with one access each {}",
        growth(&rows, |row| (fixed + row.access) * f64::from(row.groups))
    );
    println!(
        "  general-query round    {}",
        growth(&rows, |row| row.round)
    );
    println!(
        "  expiry of all groups   {}",
        growth(&rows, |row| row.expiry)
    );
}
