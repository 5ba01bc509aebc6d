//! One side of a capture, to be sent to a real device: which frames, and when; and what the
//! recording of it says about itself.

use crate::measured::Measured;
use crate::notes::Note;
use crate::replay::{frames_of, senders, sources};
use dut_device::{Instant, MacAddr};
use harness_trace::{Record, Trace};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use thiserror::Error;

/// Why nothing of a capture can be sent.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OntoError {
    /// It holds frames of several devices, and nobody said whose are to be sent.
    #[error("there are frames of several devices: say with --from whose are sent: {0}")]
    Several(String),
    /// No frame has this source address.
    #[error("no frame comes from {mac}; there are {known}")]
    NoFrames {
        /// The address.
        mac: MacAddr,
        /// Source addresses with their number of frames.
        known: String,
    },
    /// It holds no frame.
    #[error("there is no frame in it")]
    Empty,
    /// A packet is no Ethernet frame.
    #[error("packet {packet} has {octets} octets: an Ethernet header alone has {HEADER}")]
    Short {
        /// Its number, from 1.
        packet: usize,
        /// Its octets.
        octets: usize,
    },
    /// Only a part of a packet was captured.
    #[error("of packet {packet} only {octets} of {original} octets were captured")]
    Cut {
        /// Its number, from 1.
        packet: usize,
        /// Its octets in the file.
        octets: usize,
        /// Those that it had.
        original: usize,
    },
}

/// Octets of an Ethernet header.
const HEADER: usize = 14;

/// How many times as fast as recorded, in millionths; never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Speed(u64);

const MILLION: u64 = 1_000_000;

impl Speed {
    /// The capture's own.
    pub const ONE: Self = Self(MILLION);

    /// A decimal number above 0 and up to 1 000 000, of at most six places.
    ///
    /// # Errors
    /// A text that is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no speed: a number as 2 or 0.5, up to {MILLION}");
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit());
        if whole.is_empty() || part.len() > 6 || !digits(whole) || !digits(part) {
            return Err(wrong());
        }
        let whole: u64 = whole.parse().map_err(|_| wrong())?;
        let part: u64 = format!("{part:0<6}").parse().map_err(|_| wrong())?;
        let millionths = whole.checked_mul(MILLION).and_then(|n| n.checked_add(part));
        let fits = millionths.filter(|n| (1..=MILLION * MILLION).contains(n));
        fits.map(Self).ok_or_else(wrong)
    }

    /// So long, this many times as fast.
    fn of(self, time: Duration) -> Duration {
        let ns = time.as_nanos() * u128::from(MILLION) / u128::from(self.0);
        Duration::from_nanos(u64::try_from(ns).unwrap_or(u64::MAX))
    }
}

/// When the frames are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// At the capture's times, so many times as fast.
    Times(Speed),
    /// As fast as it goes.
    Top,
}

/// A frame that is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due<'a> {
    /// So long after the first one.
    pub after: Duration,
    /// From the destination address on, without FCS.
    pub octets: &'a [u8],
    /// Its number in the capture, from 1.
    pub packet: usize,
}

/// The frames of one side of a capture: those of a source address, or all where they have one.
///
/// # Errors
/// [`OntoError`].
pub fn due(trace: &Trace, from: Option<MacAddr>, pace: Pace) -> Result<Vec<Due<'_>>, OntoError> {
    let sources = sources(trace);
    let packets = trace.frames().enumerate();
    for (packet, (record, frame)) in packets.map(|(n, frame)| (n + 1, frame)) {
        let octets = frame.octets.len();
        // Whose it is nobody can say.
        if octets < HEADER {
            return Err(OntoError::Short { packet, octets });
        }
        let mine = from.is_none_or(|mac| frame.octets.get(6..12) == Some(&mac.0));
        if let Some(original) = trace.cut.get(&record).copied().filter(|_| mine) {
            return Err(OntoError::Cut {
                packet,
                octets,
                original,
            });
        }
    }
    let mac = match (from, sources.keys().next()) {
        (_, None) => return Err(OntoError::Empty),
        (Some(mac), Some(_)) if sources.contains_key(&mac) => mac,
        (Some(mac), Some(_)) => {
            let known = senders(trace);
            return Err(OntoError::NoFrames { mac, known });
        }
        (None, Some(mac)) if sources.len() == 1 => *mac,
        (None, Some(_)) => return Err(OntoError::Several(senders(trace))),
    };
    let records = frames_of(trace, mac);
    let mut numbers = trace.frames().enumerate();
    let mut first = None;
    let mut all = Vec::with_capacity(records.len());
    for record in records {
        // Both are in the trace's order.
        let found = numbers.find(|(_, (of, _))| *of == record);
        let Some((number, (_, frame))) = found else {
            continue;
        };
        let since = frame.at.since(*first.get_or_insert(frame.at));
        all.push(Due {
            after: match pace {
                Pace::Times(speed) => speed.of(since),
                Pace::Top => Duration::ZERO,
            },
            octets: &frame.octets,
            packet: number + 1,
        });
    }
    Ok(all)
}

/// What a recording of frames that were sent to a device says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OntoNote {
    /// How well it was recorded; `late_ns` is by how much a frame may have left after its time in
    /// the recording.
    pub measured: Measured,
    /// How inexact times may be on the host, nanoseconds.
    pub tolerance_ns: u64,
}

impl OntoNote {
    /// The note as a trace's record.
    #[must_use]
    pub fn record(&self, at: Instant) -> Record {
        let json = Note::Onto(self.clone()).text();
        Record::Note { at, json }
    }

    /// That of a trace, if it has one.
    #[must_use]
    pub fn of(trace: &Trace) -> Option<Self> {
        trace.records.iter().find_map(|record| match record {
            Record::Note { json, .. } => match Note::parse(json)? {
                Note::Onto(note) => Some(note),
                Note::Case(_)
                | Note::Unplayed(..)
                | Note::Start
                | Note::Action(_)
                | Note::Probe(_)
                | Note::Display(_)
                | Note::Pair(_)
                | Note::Measured(_)
                | Note::Overrun(..)
                | Note::Done(_) => None,
            },
            Record::Frame(_) => None,
        })
    }
}

#[cfg(test)]
mod tests;
