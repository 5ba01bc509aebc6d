//! What this host can do: measured, not guessed.

use crate::alarm::Alarm;
use crate::clock::Clock;
use crate::netns::{JUMBO, Namespaces, Veth, enter};
use crate::port::{Port, drain};
use crate::run::runtime;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How late timers fire, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TimerError {
    /// Half are earlier.
    pub p50_ns: u64,
    /// All but one in a thousand are earlier.
    pub p999_ns: u64,
    /// The latest.
    pub worst_ns: u64,
}

/// What a burst through a veth pair lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Burst {
    /// Frames sent.
    pub sent: u64,
    /// Frames that the capture showed.
    pub shown: u64,
    /// Frames that libpcap and the interface say were dropped.
    pub dropped: u64,
    /// How long sending took.
    pub took: Duration,
}

/// What `tandem doctor --calibrate` leaves for runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calibration {
    /// How inexact times are on this host, nanoseconds.
    pub tolerance_ns: u64,
    /// Timers with every processor busy.
    pub loaded: TimerError,
}

/// No tolerance is smaller: a kernel's tick of 10 ms and a process's turn.
const LEAST: Duration = Duration::from_millis(20);

impl Calibration {
    /// The tolerance that these timers mean: twice the error that one in a thousand exceeds on a
    /// busy host, since the device's timers are no better than the tester's.
    #[must_use]
    pub fn of(loaded: TimerError) -> Self {
        let least = u64::try_from(LEAST.as_nanos()).unwrap_or(u64::MAX);
        Self {
            tolerance_ns: (2 * loaded.p999_ns).max(least),
            loaded,
        }
    }

    /// Where it is kept: `tandem/calibration.json` in the user's configuration folder.
    #[must_use]
    pub fn path() -> Option<PathBuf> {
        let folder = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
        let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".config"));
        Some(folder.or_else(home)?.join("tandem/calibration.json"))
    }

    /// The one that was kept, if any. A file that is none counts as none.
    #[must_use]
    pub fn kept() -> Option<Self> {
        let text = std::fs::read_to_string(Self::path()?).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Keeps it; where.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn keep(&self) -> std::io::Result<PathBuf> {
        let path = Self::path().ok_or_else(|| std::io::Error::other("there is no home folder"))?;
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        let text = serde_json::to_string_pretty(self).map_err(std::io::Error::other)?;
        std::fs::write(&path, text)?;
        Ok(path)
    }
}

/// Measures timers for about so long, with every processor busy or not.
///
/// # Errors
/// What the system refuses.
pub fn timers(time: Duration, busy: bool) -> Result<TimerError, String> {
    let done = Arc::new(AtomicBool::new(false));
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let load: Vec<_> = (0..if busy { processors } else { 0 })
        .map(|_| {
            let done = Arc::clone(&done);
            std::thread::spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            })
        })
        .collect();
    let measured = runtime()
        .map_err(|error| error.to_string())?
        .block_on(sample(time));
    done.store(true, Ordering::Relaxed);
    for thread in load {
        drop(thread.join());
    }
    measured
}

async fn sample(time: Duration) -> Result<TimerError, String> {
    let alarm = Alarm::new().map_err(|error| error.to_string())?;
    let clock = Clock::starting_now();
    let begun = Instant::now();
    let mut late = Vec::new();
    while begun.elapsed() < time {
        // From 0.5 to 2.5 ms on: in no step with a tick.
        let ahead = 500 + u64::try_from(late.len()).unwrap_or(0) * 397 % 2000;
        let due = clock.now() + Duration::from_micros(ahead);
        let done = alarm.until(Some(clock.wall(due))).await;
        done.map_err(|error| error.to_string())?;
        let error = clock.now().since(due);
        late.push(u64::try_from(error.as_nanos()).unwrap_or(u64::MAX));
    }
    late.sort_unstable();
    let at = |thousandths: usize| {
        let index = (late.len() * thousandths / 1000).min(late.len().saturating_sub(1));
        late.get(index).copied().unwrap_or(0)
    };
    Ok(TimerError {
        p50_ns: at(500),
        p999_ns: at(999),
        worst_ns: at(1000),
    })
}

/// Makes namespaces with a veth pair, sends a burst of frames of 124 octets through it as fast as
/// it goes, and counts what the capture shows.
///
/// # Errors
/// What the system refuses: rights, namespaces, veth, libpcap.
pub fn burst(frames: u64) -> Result<Burst, String> {
    let work = move || -> Result<Burst, String> {
        let pair = Veth {
            near: "t1".to_owned(),
            tester: true,
            far: "d1".to_owned(),
            mtu: JUMBO,
        };
        let made = Namespaces::make(usize::MAX, &[pair])?;
        enter(&made.tester())?;
        let runtime = runtime().map_err(|error| error.to_string())?;
        let _entered = runtime.enter();
        let mut ports = vec![Port::open("t1", 64 << 20).map_err(|error| error.to_string())?];
        let clock = Clock::starting_now();
        let device = made.device();
        let sender = std::thread::spawn(move || send(&device, frames));
        let mut burst = Burst::default();
        let mut quiet = Instant::now();
        while !sender.is_finished() || quiet.elapsed() < Duration::from_millis(200) {
            let arrived = drain(&mut ports, &clock).map_err(|error| error.to_string())?;
            let ours = arrived
                .iter()
                .filter(|(_, _, o)| o.get(12..14) == Some(&TYPE));
            burst.shown += u64::try_from(ours.count()).unwrap_or(0);
            if arrived.is_empty() {
                std::thread::sleep(Duration::from_micros(100));
            } else {
                quiet = Instant::now();
            }
        }
        let sent = sender
            .join()
            .map_err(|_panic| "the sender failed".to_owned())?;
        (burst.sent, burst.took) = sent?;
        let counters = ports.iter_mut().map(Port::counters);
        burst.dropped = counters.map(|c| c.capture + c.interface).sum();
        Ok(burst)
    };
    // Of a thread of its own: it changes its namespace.
    let done = std::thread::spawn(work).join();
    done.map_err(|_panic| "the measurement failed".to_owned())?
}

/// EtherType for local experiments.
const TYPE: [u8; 2] = [0x88, 0xb5];

fn send(namespace: &str, frames: u64) -> Result<(u64, Duration), String> {
    enter(namespace)?;
    let text = |error: pcap::Error| error.to_string();
    let opened = pcap::Capture::from_device("d1").map_err(text)?;
    let mut capture = opened.open().map_err(text)?;
    let mut frame = vec![0x02, 0, 0, 0, 0, 0x02, 0x02, 0, 0, 0, 0, 0x01];
    frame.extend(TYPE);
    frame.resize(124, 0);
    let begun = Instant::now();
    let mut sent = 0;
    for _ in 0..frames {
        sent += u64::from(capture.sendpacket(frame.as_slice()).is_ok());
    }
    Ok((sent, begun.elapsed()))
}
