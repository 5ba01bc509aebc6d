//! `tandem replay --onto`: one side of a capture, sent to a real device, and what it answered.

use crate::args::code;
use crate::judge::{Named, foreign};
use crate::live::tolerance;
use crate::replay::Replay;
use crate::run::progress;
use crate::terminal::Terminal;
use dut_device::MacAddr;
use harness_live::onto::{Onto, Played};
use harness_run::{OntoNote, Pace, due};
use harness_trace::{Direction, Trace, read_capture, to_pcapng};
use harness_wire::{Kind, decode};
use indicatif::ProgressBar;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Exit codes as of `tandem judge`: what was lost decides nothing.
pub(crate) fn onto(args: &Replay, interface: &str) -> u8 {
    let terminal = Terminal::new();
    match play(args, interface, &terminal) {
        Ok(code) => code,
        Err(why) => {
            terminal.complain(&why);
            code::USAGE
        }
    }
}

fn play(args: &Replay, interface: &str, terminal: &Terminal) -> Result<u8, String> {
    let file = args.file.display();
    let named = |error: &dyn std::fmt::Display| format!("{file}: {error}");
    let octets = std::fs::read(&args.file).map_err(|error| named(&error))?;
    let capture = read_capture(&octets).map_err(|error| named(&error))?;
    let pace = if args.wire.top {
        Pace::Top
    } else {
        Pace::Times(args.wire.speed)
    };
    let frames = due(&capture, args.from, pace).map_err(|error| named(&error))?;
    writable(&args.wire.record, &args.file)?;
    let stop = Arc::new(AtomicBool::new(false));
    harness_live::interrupts(Arc::clone(&stop));
    let onto = Onto {
        interface,
        frames: &frames,
        timed: pace != Pace::Top,
        linger: args.wire.linger,
    };
    let length = u64::try_from(frames.len()).unwrap_or(u64::MAX);
    let long = frames.last().is_some_and(|last| last.after > LONG) || length > MANY;
    let bar = if long {
        progress(length)
    } else {
        ProgressBar::hidden()
    };
    let _granted = harness_live::turn::prefer();
    let played = onto.play(&stop, &mut |sent| {
        bar.set_position(u64::try_from(sent).unwrap_or(u64::MAX));
    });
    bar.finish_and_clear();
    let mut played = played.map_err(|error| match error {
        harness_live::onto::OntoError::Large { .. } => named(&error),
        harness_live::onto::OntoError::Port(_) | harness_live::onto::OntoError::System(_) => {
            error.to_string()
        }
    })?;
    let note = OntoNote {
        measured: played.measured.clone(),
        tolerance_ns: u64::try_from(tolerance().as_nanos()).unwrap_or(u64::MAX),
    };
    let until = played.trace.until;
    played.trace.records.push(note.record(until));
    let comment = format!("{file} sent to {interface}");
    let octets = to_pcapng(&played.trace, &comment, &BTreeMap::new());
    let record = args.wire.record.display();
    std::fs::write(&args.wire.record, octets).map_err(|error| format!("{record}: {error}"))?;
    tell(terminal, args, interface, &played);
    let roles = match args.wire.role.is_empty() {
        false => args.wire.role.clone(),
        true => seen(&played.trace),
    };
    let again: Vec<String> = roles
        .iter()
        .map(|(mac, role)| format!(" --role {mac}={role}"))
        .collect();
    terminal.line(&format!("again: tandem judge {record}{}", again.concat()));
    let verdict = foreign(terminal, &played.trace, &roles);
    Ok(if played.interrupted {
        code::INCOMPLETE
    } else {
        verdict
    })
}

/// From so long, or so many frames, on a bar is shown.
const LONG: Duration = Duration::from_secs(2);
const MANY: u64 = 1_000_000;

/// Says before anything is sent that nothing could be recorded.
fn writable(record: &Path, capture: &Path) -> Result<(), String> {
    let shown = record.display();
    let same = |path: &Path| std::fs::canonicalize(path).ok();
    if record.exists() && same(record) == same(capture) {
        return Err(format!(
            "{shown}: it is the capture itself; say another with --record"
        ));
    }
    let is_new = !record.exists();
    let opened = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(record);
    let removed = opened.and_then(|_file| match is_new {
        true => std::fs::remove_file(record),
        false => Ok(()),
    });
    removed.map_err(|error| format!("{shown}: {error}"))
}

/// What the devices are by what they send: a role of nothing that they didn't send would say
/// nothing.
fn seen(trace: &Trace) -> Vec<Named> {
    let mut roles = BTreeSet::new();
    for (_, frame) in trace.frames() {
        if frame.direction == Direction::Out {
            continue;
        }
        let role = match decode(&frame.octets).kind {
            Kind::Lacpdu | Kind::Marker => "lacp",
            Kind::MldQuery => "router",
            Kind::MldReport | Kind::MldV1Report | Kind::MldDone => "listener",
            Kind::Etrunk => "e-trunk",
            Kind::Slow
            | Kind::Neighbor
            | Kind::PimHello
            | Kind::PimJoinPrune
            | Kind::Rbs
            | Kind::Udp
            | Kind::Frame => continue,
        };
        let source = frame.octets.get(6..12).and_then(|mac| mac.try_into().ok());
        roles.extend(source.map(|mac| (MacAddr(mac), role.to_owned())));
    }
    roles.into_iter().collect()
}

fn tell(terminal: &Terminal, args: &Replay, interface: &str, played: &Played) {
    let Played {
        sent,
        refused,
        took,
        received,
        measured,
        ..
    } = played;
    let per_second = |count: u64| {
        let ns = took.as_nanos().max(1);
        u128::from(count) * 1_000_000_000 / ns
    };
    let cut = if played.interrupted {
        " (interrupted)"
    } else {
        ""
    };
    let rate = per_second(u64::try_from(*sent).unwrap_or(u64::MAX));
    let kilobits = per_second(played.octets.saturating_mul(8)) / 1000;
    terminal.line(&format!(
        "{sent} frames sent to {interface} in {}.{:06} s{cut}, {refused} refused: {rate} frames/s, \
         {}.{:03} Mbit/s",
        took.as_secs(),
        took.subsec_micros(),
        kilobits / 1000,
        kilobits % 1000,
    ));
    if let Some(late) = played.late {
        let us = |time: Duration| format!("{}.{} us", time.as_micros(), time.as_nanos() / 100 % 10);
        terminal.line(&format!(
            "late: p50 {}, p99 {}, max {}",
            us(late.p50),
            us(late.p99),
            us(late.max)
        ));
    }
    terminal.line(&format!(
        "{received} frames received, {} lost to the kernel; recorded in {}",
        measured.dropped,
        args.wire.record.display()
    ));
}
