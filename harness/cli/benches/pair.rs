//! Cost of the simulated seed network: idle, with many groups, and of one report on its way to the
//! backup. Items are virtual seconds, or reports: items per second is what counts.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark")]

use divan::Bencher;
use divan::counter::ItemsCount;
use dut_device::{BuildSpec, Device, Instant};
use harness_run::{Factory, build_bed};
use harness_sim::World;
use harness_suite::load_bed;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

fn main() {
    divan::main();
}

fn world(bed: &str) -> World {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../suites/testbeds")
        .join(bed);
    let bed = load_bed(&folder.join("bed.yaml")).unwrap();
    let factory: Factory = Arc::new(|spec: &BuildSpec| {
        let node: Box<dyn Device> =
            Box::new(dut_node::build(spec).map_err(|error| error.to_string())?);
        Ok(node)
    });
    let mut world = build_bed(&bed, &folder, None, &factory, 1).unwrap().world;
    world.set_recording(false);
    world.start();
    world.run_until(Instant::from_secs(60));
    world
}

/// Virtual seconds of the idle network per second.
#[divan::bench]
fn idle_seed_network(bencher: Bencher<'_, '_>) {
    let mut world = world("seed-twin");
    bencher.counter(ItemsCount::new(60_usize)).bench_local(|| {
        let until = world.now() + Duration::from_secs(60);
        world.run_until(until);
    });
}

/// Virtual seconds per second while a listener keeps this many groups joined.
#[divan::bench(args = [10, 100, 1000])]
fn with_groups(bencher: Bencher<'_, '_>, groups: u32) {
    let mut world = world("seed-twin");
    for group in 0..groups {
        world
            .command("H1", &format!("join ff1e::{group:x}:1"))
            .unwrap();
    }
    let until = world.now() + Duration::from_secs(130);
    world.run_until(until);
    let held = world
        .snapshot("DeviceB")
        .unwrap()
        .rbp
        .first()
        .map(|rbp| rbp.entries.len());
    assert_eq!(
        held,
        Some(usize::try_from(groups).unwrap()),
        "the backup holds them all"
    );
    bencher.counter(ItemsCount::new(125_usize)).bench_local(|| {
        let until = world.now() + Duration::from_secs(125);
        world.run_until(until);
    });
}

/// A join and a leave on their way through DeviceC, the master and RBS to the backup, with acks.
#[divan::bench]
fn report_to_the_backup(bencher: Bencher<'_, '_>) {
    let mut world = world("seed-twin");
    let mut number: u32 = 0;
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| {
        number = number.wrapping_add(1) % 60_000;
        world
            .command("H1", &format!("join ff1e::2:{number:x}"))
            .expect("a host joins");
        let until = world.now() + Duration::from_millis(20);
        world.run_until(until);
    });
}
