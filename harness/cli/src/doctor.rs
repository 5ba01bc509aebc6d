//! `tandem doctor` and `tandem testbed`: what this host can do, and what it lacks.

use crate::args::{Args, code};
use crate::run::catalogue;
use crate::terminal::Terminal;
use clap::{Args as ClapArgs, Subcommand};
use harness_live::doctor::{Calibration, TimerError, burst, timers};
use harness_suite::Testbed;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// `tandem doctor`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Doctor {
    /// Keep the tolerance that live runs on this host then use.
    #[arg(long)]
    calibrate: bool,
}

/// `tandem testbed`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Testbeds {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Installs what a testbed's hooks need, or says what is missing.
    Install {
        /// The testbed's name.
        name: String,
        /// Only say it.
        #[arg(long)]
        dry_run: bool,
    },
    /// Lists the testbeds, and what each lacks here.
    List,
}

/// How long timers are measured, idle and busy each.
const TIME: Duration = Duration::from_secs(3);
const FRAMES: u64 = 200_000;

fn us(ns: u64) -> String {
    format!("{}.{:03} ms", ns / 1_000_000, ns / 1000 % 1000)
}

fn shown(timers: TimerError) -> String {
    let TimerError {
        p50_ns,
        p999_ns,
        worst_ns,
    } = timers;
    format!(
        "p50 {}, p99.9 {}, worst {}",
        us(p50_ns),
        us(p999_ns),
        us(worst_ns)
    )
}

/// Whether a program is on the path.
fn has(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder| folder.join(program).is_file())
}

pub(crate) fn doctor(doctor: &Doctor) -> u8 {
    let terminal = Terminal::new();
    let mut ill = 0;
    let mut line = |name: &str, good: Result<String, String>| match good {
        Ok(text) => terminal.line(&format!("ok    {name:<11} {text}")),
        Err(text) => {
            ill += 1;
            terminal.line(&format!("no    {name:<11} {text}"));
        }
    };
    let ip = if has("ip") {
        Ok("iproute2".to_owned())
    } else {
        Err("needs `ip`: apt-get install iproute2".to_owned())
    };
    line("programs", ip);
    let preferred = if harness_live::turn::prefer() {
        Ok("granted".to_owned())
    } else {
        Err("not granted: run as root or grant CAP_SYS_NICE".to_owned())
    };
    line("priority", preferred);
    // Namespaces, veth, libpcap and the right to use them: all of it at once, as a bed does.
    let sent = burst(FRAMES).map_err(|why| {
        format!("{why} (run as root: CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN; libpcap0.8)")
    });
    let lossless = sent.and_then(|burst| {
        let per_s = u128::from(burst.sent) * 1_000_000 / burst.took.as_micros().max(1);
        let text = format!(
            "{} frames at {per_s}/s, {} shown, {} dropped",
            burst.sent, burst.shown, burst.dropped
        );
        match burst.shown == burst.sent {
            true => Ok(text),
            false => Err(format!("{text}: such rates are inconclusive here")),
        }
    });
    line("capture", lossless);
    line("timers idle", timers(TIME, false).map(shown));
    let busy = timers(TIME, true);
    line("timers busy", busy.clone().map(shown));
    let source = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    let source = std::fs::read_to_string(source).unwrap_or_default();
    line("clock", Ok(source.trim().to_owned()));
    let kept = Calibration::kept();
    if let (true, Ok(busy)) = (doctor.calibrate, &busy) {
        let calibration = Calibration::of(*busy);
        let kept = calibration.keep();
        let tolerance = us(calibration.tolerance_ns);
        line(
            "tolerance",
            kept.map(|path| format!("{tolerance}, kept in {}", path.display()))
                .map_err(|error| format!("{tolerance} can't be kept: {error}")),
        );
    } else {
        let text = match kept {
            Some(kept) => us(kept.tolerance_ns),
            None => "50 ms, not calibrated: tandem doctor --calibrate".to_owned(),
        };
        line("tolerance", Ok(text));
    }
    if ill == 0 { code::OK } else { code::UNDECIDED }
}

/// Programs that a testbed needs and that aren't there.
fn missing(testbed: &Testbed) -> Vec<&str> {
    let programs = testbed.programs.iter().map(String::as_str);
    programs.filter(|program| !has(program)).collect()
}

pub(crate) fn testbeds(args: &Args, testbeds: &Testbeds) -> u8 {
    let terminal = Terminal::new();
    let Some(catalogue) = catalogue(args, &terminal) else {
        return code::USAGE;
    };
    let (name, dry_run) = match &testbeds.verb {
        Verb::List => {
            for (name, (_, testbed)) in &catalogue.testbeds {
                let missing = missing(testbed);
                let lacks = match missing.is_empty() {
                    true => String::new(),
                    false => format!(" (lacks {})", missing.join(", ")),
                };
                terminal.line(&format!("{name:<16} {}{lacks}", testbed.title));
            }
            return code::OK;
        }
        Verb::Install { name, dry_run } => (name, *dry_run),
    };
    let Some((file, testbed)) = catalogue.testbeds.get(name) else {
        let known: Vec<&str> = catalogue.testbeds.keys().map(String::as_str).collect();
        terminal.complain(&format!(
            "no testbed `{name}`; there are {}",
            known.join(", ")
        ));
        return code::USAGE;
    };
    let lacking = missing(testbed);
    if lacking.is_empty() {
        terminal.line(&format!("{name}: nothing is missing"));
        return code::OK;
    }
    let packages = testbed.packages.join(" ");
    let script = testbed
        .install
        .clone()
        .unwrap_or_else(|| format!("apt-get update -qq && apt-get install -y -qq {packages}"));
    terminal.line(&format!("{name}: lacks {}: {script}", lacking.join(", ")));
    if dry_run {
        return code::UNDECIDED;
    }
    let folder = file.parent().unwrap_or(Path::new("."));
    let ran = Command::new("sh")
        .args(["-e", "-c", &script])
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("TESTBED", folder)
        .status();
    let still = missing(testbed);
    if !ran.is_ok_and(|status| status.success()) || !still.is_empty() {
        terminal.complain(&format!("{name}: still lacks {}", still.join(", ")));
        return code::UNDECIDED;
    }
    code::OK
}
