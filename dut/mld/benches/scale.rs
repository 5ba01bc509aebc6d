//! How an interface grows: 1,000, 10,000 and 100,000 groups with 4 sources each. Prints a table:
//! memory a group, cost of a report, of a general-query round and of expiry, and how each grew
//! beside n log n.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a benchmark measures real time"
)]
#![expect(
    clippy::print_stdout,
    clippy::float_arithmetic,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "its output is a table of measurements"
)]

use dut_device::Instant;
use dut_mld::{Envelope, Interface, InterfaceConfig, MldEvent};
use dut_wire::mld::{ALL_MLDV2_ROUTERS, LinkMtu, Message, Record, RecordType, Report};
use peak_alloc::PeakAlloc;
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

/// Nanoseconds that this takes.
fn timed(work: impl FnOnce()) -> f64 {
    let begun = std::time::Instant::now();
    work();
    begun.elapsed().as_nanos() as f64
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
        let records = vec![record(n.wrapping_mul(7919) % groups)];
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
    Row {
        groups,
        memory: held as f64 / f64::from(groups),
        report: report / f64::from(REPORTS),
        round,
        expiry,
    }
}

/// The best of five: what else the machine does only ever adds.
fn best(groups: u32) -> Row {
    let mut best = measure(groups);
    for _ in 1..5 {
        let row = measure(groups);
        best.report = best.report.min(row.report);
        best.round = best.round.min(row.round);
        best.expiry = best.expiry.min(row.expiry);
    }
    best
}

/// How much faster than n log n a total grew from one row to the next: at most 1 is as good.
fn growth(rows: &[Row], total: fn(&Row) -> f64) -> String {
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
    println!("   groups  octets/group  report ns  round ms  round ns/group  expiry ns/group");
    for row in &rows {
        let groups = f64::from(row.groups);
        println!(
            "{:>9}  {:>12.0}  {:>9.0}  {:>8.2}  {:>14.0}  {:>15.0}",
            row.groups,
            row.memory,
            row.report,
            row.round / 1e6,
            row.round / groups,
            row.expiry / groups
        );
    }
    println!(
        "growth over n log n from row to row (1 is n log n; past the caches memory adds to it):"
    );
    println!(
        "  reports of all groups  {}",
        growth(&rows, |row| row.report * f64::from(row.groups))
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
