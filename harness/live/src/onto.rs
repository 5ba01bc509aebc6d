//! Frames sent to a real device at their times or as fast as it goes, while what comes back is
//! recorded.
//!
//! A thread of its own sends, in batches where several frames are due, through the capture's own
//! socket: the kernel then shows that capture none of them, which would cost as much as sending.
//! A frame's time is the wall clock's before the call that its batch left by.

use crate::alarm::Alarm;
use crate::clock::Clock;
use crate::port::{Port, PortError, drain};
use crate::run::runtime;
use dut_device::Instant;
use harness_run::{Due, Measured};
use harness_trace::{Direction, Frame, Point, PointId, Record, Trace};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags, sendmmsg};
use std::io::IoSlice;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use thiserror::Error;

/// Octets of the capture's buffer: default buffers drop at full rate.
const BUFFER: i32 = 64 << 20;

/// Frames of one call to the kernel.
const BATCH: usize = 64;

/// From so long before a frame is due the sender looks at the clock without a pause: a timer wakes
/// some tens of microseconds late.
const CLOSE: Duration = Duration::from_micros(100);

/// How often the recorder takes what has come; the kernel keeps it, with its time, until then.
const TURN: Duration = Duration::from_millis(2);

/// In which what has come is taken once it is over.
const PATIENCE: Duration = Duration::from_secs(1);

/// The longest pause after which the sender looks whether it is to stop.
const GLANCE: Duration = Duration::from_millis(100);

/// In which the first frame can be prepared.
const LEAD: Duration = Duration::from_millis(5);

/// Why frames can't be sent or recorded.
#[derive(Debug, Error)]
pub enum OntoError {
    /// The interface can't be used.
    #[error(transparent)]
    Port(#[from] PortError),
    /// It takes no frame that is so large.
    #[error("packet {packet} has {octets} octets, more than `{interface}` takes")]
    Large {
        /// Its number in the capture, from 1.
        packet: usize,
        /// Its octets.
        octets: usize,
        /// The interface.
        interface: String,
    },
    /// The system refuses something else.
    #[error("{0}")]
    System(String),
}

/// By how much frames left after their times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Late {
    /// Half left earlier.
    pub p50: Duration,
    /// All but one in a hundred left earlier.
    pub p99: Duration,
    /// The latest.
    pub max: Duration,
}

impl Late {
    /// Of delays in nanoseconds; `None` of none.
    fn of(mut delays: Vec<u64>) -> Option<Self> {
        delays.sort_unstable();
        let last = delays.len().checked_sub(1)?;
        let at = |hundredths: usize| {
            let rank = (delays.len() * hundredths).div_ceil(100).saturating_sub(1);
            let delay = delays.get(rank.min(last)).copied();
            Duration::from_nanos(delay.unwrap_or(0))
        };
        Some(Self {
            p50: at(50),
            p99: at(99),
            max: at(100),
        })
    }
}

/// What came of sending frames to a device.
#[derive(Debug)]
pub struct Played {
    /// What was sent and what was received.
    pub trace: Trace,
    /// Frames that left.
    pub sent: usize,
    /// Their octets.
    pub octets: u64,
    /// Frames that the interface didn't take: it was down, or had no room.
    pub refused: usize,
    /// From before the first frame until after the last.
    pub took: Duration,
    /// Where frames had times.
    pub late: Option<Late>,
    /// Frames received.
    pub received: usize,
    /// How well it was recorded: what was dropped, on receipt or on sending, and how long the
    /// kernel took for a batch.
    pub measured: Measured,
    /// It was ended before its time.
    pub interrupted: bool,
}

/// What is sent where.
#[derive(Debug)]
pub struct Onto<'a> {
    /// The interface, of the thread's network namespace.
    pub interface: &'a str,
    /// The frames, in order.
    pub frames: &'a [Due<'a>],
    /// Whether they have times by which lateness is measured.
    pub timed: bool,
    /// How long what comes back is recorded after the last frame.
    pub linger: Duration,
}

impl Onto<'_> {
    /// Sends the frames and records until `linger` after the last; `progress` is told again
    /// and again how many have left. `stop` ends it early.
    ///
    /// # Errors
    /// [`OntoError`]; nothing is said then of what was sent before.
    pub fn play(
        &self,
        stop: &AtomicBool,
        progress: &mut dyn FnMut(usize),
    ) -> Result<Played, OntoError> {
        let system = |error: std::io::Error| OntoError::System(error.to_string());
        let port = Port::polled(self.interface, BUFFER)?;
        if has_no_carrier(self.interface) {
            let interface = self.interface.to_owned();
            let what = "it has no carrier: the device isn't plugged in, or is off".to_owned();
            return Err(PortError { interface, what }.into());
        }
        let socket = port.socket().map_err(system)?;
        let mut recorder = Recorder {
            ports: vec![port],
            clock: Clock::starting_now(),
            received: Vec::new(),
        };
        let clock = recorder.clock;
        let before = recorder.lost();
        let sender = Sender {
            onto: self,
            socket,
            clock,
            begin: clock.now() + LEAD,
            stop,
            done: AtomicUsize::new(0),
            failed: AtomicBool::new(false),
        };
        let (sent, end) = std::thread::scope(|scope| {
            let thread = scope.spawn(|| sender.send());
            let recorded = recorder.record(
                || thread.is_finished().then(|| sender.linger()),
                || progress(sender.done.load(Ordering::Relaxed)),
                stop,
            );
            let sent = thread.join();
            let sent = sent.map_err(|_panic| OntoError::System("the sender failed".to_owned()));
            Ok::<_, OntoError>((sent??, recorded?))
        })?;
        let dropped = recorder.lost().saturating_sub(before);
        let step = clock.step();
        let ns = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let measured = Measured {
            dropped,
            late_ns: ns(sent.worst_call),
            clock_step_ns: ns(step),
            ..Measured::default()
        };
        Ok(self.played(sent, (recorder.received, end), measured, &clock))
    }

    fn played(
        &self,
        sent: Sent,
        (received, end): (Vec<(Instant, usize, Vec<u8>)>, Instant),
        measured: Measured,
        clock: &Clock,
    ) -> Played {
        let frame = |at, direction, octets| {
            Record::Frame(Frame {
                at,
                point: PointId(0),
                direction,
                lost: false,
                octets,
            })
        };
        let left = self.frames.iter().zip(&sent.at);
        let left = left.filter_map(|(due, at)| Some((due, (*at)?)));
        let mut records = Vec::with_capacity(sent.at.len() + received.len());
        let (mut count, mut octets) = (0, 0);
        for (due, at) in left {
            count += 1;
            octets += u64::try_from(due.octets.len()).unwrap_or(0);
            records.push(frame(at, Direction::Out, due.octets.to_vec()));
        }
        let back = received.len();
        let heard = received.into_iter();
        records.extend(heard.map(|(at, _, octets)| frame(at, Direction::In, octets)));
        // What was sent at an instant stands before what came at it.
        records.sort_by_key(Record::at);
        let until = records.last().map_or(end, |record| record.at().max(end));
        let late = self.timed.then(|| Late::of(sent.delays)).flatten();
        Played {
            trace: Trace {
                points: vec![Point {
                    name: self.interface.to_owned(),
                    near: "tandem".to_owned(),
                    far: "device".to_owned(),
                }],
                records,
                until,
                resolution: Duration::from_nanos(1),
                origin_s: clock.origin_s(),
                ..Trace::default()
            },
            sent: count,
            octets,
            refused: sent.at.len() - count,
            took: sent.took,
            late,
            received: back,
            measured,
            interrupted: sent.at.len() < self.frames.len(),
        }
    }
}

/// Whether the kernel says so; where it says nothing, sending will show.
fn has_no_carrier(interface: &str) -> bool {
    let carrier = std::fs::read_to_string(format!("/sys/class/net/{interface}/carrier"));
    carrier.is_ok_and(|carrier| carrier.trim() == "0")
}

struct Recorder {
    /// One.
    ports: Vec<Port>,
    clock: Clock,
    received: Vec<(Instant, usize, Vec<u8>)>,
}

impl Recorder {
    /// Frames lost so far, received ones and, in the interface, sent ones.
    fn lost(&mut self) -> u64 {
        let lost = self.ports.iter_mut().map(|port| {
            let counters = port.counters();
            counters.capture + counters.interface + counters.sent
        });
        lost.sum()
    }

    /// Takes what arrives until the sender has `ended`, and as long after that as that says; when
    /// that was.
    fn record(
        &mut self,
        ended: impl Fn() -> Option<Duration>,
        mut progress: impl FnMut(),
        stop: &AtomicBool,
    ) -> Result<Instant, PortError> {
        let mut end = None;
        loop {
            let arrived = drain(&mut self.ports, &self.clock)?;
            let idle = arrived.is_empty();
            self.received.extend(arrived);
            let now = self.clock.now();
            end = end.or_else(|| ended().map(|linger| now + linger));
            if let Some(end) = end {
                let over = now >= end || stop.load(Ordering::Relaxed);
                // Who floods without end is not waited for.
                if over && (idle || now >= end + PATIENCE) {
                    return Ok(now);
                }
            }
            progress();
            if !idle {
                continue;
            }
            let left = end.map_or(TURN, |end| end.since(now));
            std::thread::sleep(left.min(TURN));
        }
    }
}

/// What the sender did.
#[derive(Debug, Default)]
struct Sent {
    /// When each frame left; `None` of one that was refused. As far as it came.
    at: Vec<Option<Instant>>,
    /// Nanoseconds by which each was after its time.
    delays: Vec<u64>,
    took: Duration,
    worst_call: Duration,
}

struct Sender<'a> {
    onto: &'a Onto<'a>,
    socket: OwnedFd,
    clock: Clock,
    begin: Instant,
    stop: &'a AtomicBool,
    /// Frames that are done with.
    done: AtomicUsize,
    failed: AtomicBool,
}

impl Sender<'_> {
    fn send(&self) -> Result<Sent, OntoError> {
        let system = |error: std::io::Error| OntoError::System(error.to_string());
        let runtime = runtime().map_err(system);
        let sent = runtime.and_then(|runtime| runtime.block_on(self.all()));
        self.failed.store(sent.is_err(), Ordering::Relaxed);
        sent
    }

    /// How long what comes back is of interest once this has ended.
    fn linger(&self) -> Duration {
        match self.failed.load(Ordering::Relaxed) {
            true => Duration::ZERO,
            false => self.onto.linger,
        }
    }

    async fn all(&self) -> Result<Sent, OntoError> {
        let system = |error: std::io::Error| OntoError::System(error.to_string());
        let alarm = Alarm::new().map_err(system)?;
        let frames = self.onto.frames;
        let mut sent = Sent {
            at: Vec::with_capacity(frames.len()),
            ..Sent::default()
        };
        self.until(&alarm, self.begin).await.map_err(system)?;
        let (mut first, mut last) = (None, self.begin);
        let mut rest = frames;
        while let Some(next) = rest.first() {
            self.until(&alarm, self.begin + next.after)
                .await
                .map_err(system)?;
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let now = self.clock.now();
            first.get_or_insert(now);
            let due = |due: &&Due<'_>| self.begin + due.after <= now;
            let count = rest.iter().take(BATCH).take_while(due).count().max(1);
            let (batch, others) = rest.split_at(count.min(rest.len()));
            let taken = self.batch(batch, now, &mut sent)?;
            rest = rest.get(taken..).unwrap_or(others);
            self.done.store(sent.at.len(), Ordering::Relaxed);
            last = self.clock.now();
            sent.worst_call = sent.worst_call.max(last.since(now));
        }
        sent.took = last.since(first.unwrap_or(last));
        Ok(sent)
    }

    /// Waits until then, or until it is to stop.
    async fn until(&self, alarm: &Alarm, due: Instant) -> std::io::Result<()> {
        loop {
            let left = due.since(self.clock.now());
            if left <= CLOSE || self.stop.load(Ordering::Relaxed) {
                break;
            }
            let pause = (left - CLOSE).min(GLANCE);
            let wall = self.clock.wall(self.clock.now() + pause);
            alarm.until(Some(wall)).await?;
        }
        while self.clock.now() < due && !self.stop.load(Ordering::Relaxed) {
            std::hint::spin_loop();
        }
        Ok(())
    }

    /// Sends frames by one call; how many of them are done with.
    fn batch(&self, batch: &[Due<'_>], now: Instant, sent: &mut Sent) -> Result<usize, OntoError> {
        let slices: Vec<[IoSlice<'_>; 1]> =
            batch.iter().map(|due| [IoSlice::new(due.octets)]).collect();
        let mut controls: Vec<SendAncillaryBuffer<'_, '_, '_>> = batch
            .iter()
            .map(|_| SendAncillaryBuffer::default())
            .collect();
        let messages = slices.iter().zip(&mut controls);
        let mut messages: Vec<MMsgHdr<'_>> = messages
            .map(|(slice, control)| MMsgHdr::new(slice, control))
            .collect();
        let taken = match sendmmsg(&self.socket, &mut messages, SendFlags::empty()) {
            Ok(taken) => {
                sent.at.extend(std::iter::repeat_n(Some(now), taken));
                taken
            }
            Err(Errno::INTR) => return Ok(0),
            // The first of them: what is behind it is tried anew.
            Err(Errno::NOBUFS | Errno::NETDOWN | Errno::AGAIN) => {
                sent.at.push(None);
                1
            }
            Err(Errno::MSGSIZE) => {
                let large = batch.first();
                return Err(OntoError::Large {
                    packet: large.map_or(0, |due| due.packet),
                    octets: large.map_or(0, |due| due.octets.len()),
                    interface: self.onto.interface.to_owned(),
                });
            }
            Err(error) => {
                let interface = self.onto.interface.to_owned();
                let what = error.to_string();
                return Err(PortError { interface, what }.into());
            }
        };
        if self.onto.timed {
            for due in batch.iter().take(taken) {
                let late = now.since(self.begin + due.after);
                sent.delays
                    .push(u64::try_from(late.as_nanos()).unwrap_or(u64::MAX));
            }
        }
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The figures of lateness are ranks of what was measured, of one frame too; of none there are
    /// none.
    #[test]
    fn lateness_is_told_by_ranks() {
        let us = Duration::from_micros;
        assert_eq!(Late::of(Vec::new()), None);
        let one = Late::of(vec![7000]);
        assert_eq!(
            one,
            Some(Late {
                p50: us(7),
                p99: us(7),
                max: us(7)
            })
        );
        let many = Late::of((1..=200).rev().map(|n| n * 1000).collect());
        assert_eq!(
            many,
            Some(Late {
                p50: us(100),
                p99: us(198),
                max: us(200)
            })
        );
    }
}
