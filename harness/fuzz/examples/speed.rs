//! Runs of each target a second, without libFuzzer and sanitizer: `make bench` prints it.
//! `speed TARGET SECONDS` runs one alone, for so long.

#![expect(
    clippy::print_stdout,
    clippy::float_arithmetic,
    clippy::as_conversions,
    reason = "a tool"
)]

use harness_fuzz::pair;
use harness_fuzz::targets::TARGETS;
use std::time::{Duration, Instant};

fn main() {
    let wanted = std::env::args().nth(1);
    let seconds = std::env::args().nth(2).and_then(|text| text.parse().ok());
    let time = Duration::from_secs(seconds.unwrap_or(2));
    for target in TARGETS {
        if wanted
            .as_deref()
            .is_some_and(|wanted| wanted != target.name)
        {
            continue;
        }
        let (begun, mut runs, mut random) = (Instant::now(), 0_u32, 1_u64);
        let mut input = [0; 64];
        while begun.elapsed() < time {
            for octet in &mut input {
                random = random
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                *octet = random.to_be_bytes()[0];
            }
            (target.run)(&input);
            runs += 1;
        }
        let rate = f64::from(runs) / begun.elapsed().as_secs_f64();
        println!("{:<16} {:>9} runs/s", target.name, rate as u64);
        if target.name == "pair" {
            let effort = pair::effort();
            let each = |n: u64| n as f64 / effort.schedules.max(1) as f64;
            println!(
                "    a schedule: {:.2} simulated s, {:.0} events, {:.0} looks at both states; \
                 {} pairs built",
                effort.simulated.as_secs_f64() / effort.schedules.max(1) as f64,
                each(effort.events),
                each(effort.looks),
                effort.built
            );
        }
    }
}
