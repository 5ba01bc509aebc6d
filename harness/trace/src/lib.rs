//! Frames, captures, time windows and tolerance.
//!
//! A [`Trace`] is what a simulation, a live run or a capture file leaves behind: timestamped frames
//! at named points, how long it covers, and notes that stand between the frames in the order in
//! which they were made. Judging a trace gives a verdict; nothing here judges.

mod pcap;
mod pcapng;
mod read;

pub use pcapng::{PcapngWriter, to_pcapng};
pub use read::{ReadError, read_capture};

use dut_device::Instant;
use std::collections::BTreeMap;
use std::time::Duration;

/// Index of a point of control and observation in [`Trace::points`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PointId(pub u16);

/// A point of control and observation: a tester's port, or a link that is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// Name, as `p1` or `A-C`.
    pub name: String,
    /// The end whose frames are [`Direction::Out`]: the tester, or a link's first-named end.
    pub near: String,
    /// The end whose frames are [`Direction::In`].
    pub far: String,
}

/// Which end of a point sent a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// The far end sent it: on a tester's port, the device under test.
    In,
    /// The near end sent it: on a tester's port, the tester.
    Out,
}

/// A frame at a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// When: of a tester's own frame when it left, of a received one when it arrived, on a link
    /// when it was sent.
    pub at: Instant,
    /// Where.
    pub point: PointId,
    /// Who sent it.
    pub direction: Direction,
    /// A fault of the simulation took it: the other end never got it.
    pub lost: bool,
    /// From the destination address on, without FCS.
    pub octets: Vec<u8>,
}

/// One line of a trace, in the order in which things happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A frame.
    Frame(Frame),
    /// What isn't a frame: JSON text whose meaning is its writer's.
    Note {
        /// When it was made.
        at: Instant,
        /// JSON object.
        json: String,
    },
}

impl Record {
    /// When it happened.
    #[must_use]
    pub const fn at(&self) -> Instant {
        match self {
            Self::Frame(frame) => frame.at,
            Self::Note { at, .. } => *at,
        }
    }
}

/// Timestamped frames at named points.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trace {
    /// The points, by [`PointId`].
    pub points: Vec<Point>,
    /// Frames and notes in order; their times never go back.
    pub records: Vec<Record>,
    /// Until when the trace would have shown a frame.
    pub until: Instant,
    /// How exact a timestamp is.
    pub resolution: Duration,
    /// Seconds since 1970 of the trace's beginning; 0 where it isn't known.
    pub origin_s: u64,
    /// Records whose frames were captured in part only, with the octets that they had.
    pub cut: BTreeMap<usize, usize>,
}

impl Trace {
    /// The frames with their record's index.
    pub fn frames(&self) -> impl Iterator<Item = (usize, &Frame)> {
        self.records
            .iter()
            .enumerate()
            .filter_map(|(index, record)| match record {
                Record::Frame(frame) => Some((index, frame)),
                Record::Note { .. } => None,
            })
    }

    /// The point of this name.
    #[must_use]
    pub fn point(&self, name: &str) -> Option<PointId> {
        let index = self.points.iter().position(|point| point.name == name)?;
        u16::try_from(index).ok().map(PointId)
    }

    /// A frame's number as Wireshark shows it, from 1; `None` when the record is no frame.
    #[must_use]
    pub fn frame_number(&self, record: usize) -> Option<usize> {
        let before = self.records.get(..=record)?;
        let number = before
            .iter()
            .filter(|r| matches!(r, Record::Frame(_)))
            .count();
        matches!(before.last(), Some(Record::Frame(_))).then_some(number)
    }
}

#[cfg(test)]
mod tests;
