//! What a report costs: decoded, taken by an interface that holds many groups, and by the round.

use divan::{Bencher, black_box};
use dut_device::Instant;
use dut_mld::{Envelope, Interface, InterfaceConfig};
use dut_wire::mld::{ALL_MLDV2_ROUTERS, LinkMtu, Message, Record, RecordType, Report};
use std::net::Ipv6Addr;

const HOST: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0xa1);

fn main() {
    divan::main();
}

fn group(n: u32) -> Ipv6Addr {
    Ipv6Addr::from_bits(0xff1e << 112 | u128::from(n))
}

fn record(n: u32, record_type: RecordType) -> Record {
    Record {
        record_type,
        group: group(n),
        sources: Vec::new(),
    }
}

/// The reports, of MTU size, that answer a general query for these groups.
fn answers(groups: u32) -> Vec<Vec<u8>> {
    let records = (0..groups)
        .map(|n| record(n, RecordType::ModeIsExclude))
        .collect();
    let reports = Report::pack(records, LinkMtu::new(1500));
    let octets = |report| Message::Report(report).to_vec(HOST, ALL_MLDV2_ROUTERS);
    reports.into_iter().map(octets).collect()
}

fn envelope() -> Envelope {
    Envelope {
        source: HOST,
        destination: ALL_MLDV2_ROUTERS,
        hop_limit: 1,
        router_alert: Some(0),
    }
}

fn take(router: &mut Interface, now: Instant, octets: &[u8]) {
    router.handle_message(now, &envelope(), octets);
    while let Some(event) = router.poll_event() {
        black_box(event);
    }
    while let Some(transmit) = router.poll_transmit() {
        black_box(transmit);
    }
    black_box(router.next_timeout());
}

/// A router that holds these groups.
fn holding(groups: u32) -> Interface {
    let link_local = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
    let mut router = Interface::new(InterfaceConfig {
        group_limit: 200_000,
        report_limit: u32::MAX,
        ..InterfaceConfig::new("bench", link_local)
    });
    router.start(Instant::ZERO);
    for octets in answers(groups) {
        take(&mut router, Instant::ZERO, &octets);
    }
    router
}

/// A full report of 72 records.
#[divan::bench]
fn decode(bencher: Bencher<'_, '_>) {
    let octets = answers(72).remove(0);
    bencher.bench(|| Message::parse(black_box(&octets)));
}

/// One record for a group that is held, another group each time.
#[divan::bench(args = [1_000, 10_000, 100_000])]
fn report(bencher: Bencher<'_, '_>, groups: u32) {
    let mut router = holding(groups);
    let reports: Vec<Vec<u8>> = (0..groups)
        .map(|n| Report {
            records: vec![record(n, RecordType::ModeIsExclude)],
        })
        .map(|report| Message::Report(report).to_vec(HOST, ALL_MLDV2_ROUTERS))
        .collect();
    let mut now = Instant::from_secs(1);
    let mut order = (0..reports.len()).map(|n| n * 7919 % reports.len()).cycle();
    bencher.bench_local(|| {
        now += std::time::Duration::from_nanos(1);
        if let Some(octets) = order.next().and_then(|n| reports.get(n)) {
            take(&mut router, now, octets);
        }
    });
}

/// What all listeners answer to one general query, in reports of 72 records.
#[divan::bench(args = [1_000, 10_000, 100_000], sample_count = 10)]
fn general_query_round(bencher: Bencher<'_, '_>, groups: u32) {
    let mut router = holding(groups);
    let round = answers(groups);
    let mut now = Instant::from_secs(1);
    bencher.bench_local(|| {
        now += std::time::Duration::from_millis(1);
        for octets in &round {
            take(&mut router, now, octets);
        }
    });
}

/// Asking for the next timeout, with many groups held.
#[divan::bench(args = [1_000, 100_000])]
fn next_timeout(bencher: Bencher<'_, '_>, groups: u32) {
    let router = holding(groups);
    bencher.bench(|| black_box(&router).next_timeout());
}
