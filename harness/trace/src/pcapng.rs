//! Writing pcapng: named interfaces, direction flags, comments, and notes as local blocks.
//!
//! Wall-clock data stands in the section header's hardware option only, so that two runs of one
//! seed differ in one record. Timestamps are nanoseconds since 1970 in a simulation too: the
//! trace's origin is the case's own wall-clock origin, which is part of its configuration.

use crate::{Direction, Frame, Point, PointId, Record, Trace};
use dut_device::Instant;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// First octets of a note.
pub(crate) const MAGIC: &[u8; 4] = b"TNDM";
/// Block type of a note. Types with the high bit are for local use; readers skip them, while they
/// would count a custom block as a frame and all frame numbers would be off.
pub(crate) const NOTE: u32 = 0x8000_544E;
const SECTION: u32 = 0x0A0D_0D0A;
const INTERFACE: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
const LINKTYPE_ETHERNET: u16 = 1;
const SNAP_LENGTH: u32 = 65_535;

/// Writes a pcapng file block by block, so that an interrupted run leaves a readable file.
#[derive(Debug)]
pub struct PcapngWriter<W: Write> {
    out: W,
    origin_ns: u64,
}

impl<W: Write> PcapngWriter<W> {
    /// Begins a section with its interfaces.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn new(mut out: W, comment: &str, points: &[Point], origin_s: u64) -> io::Result<Self> {
        let mut body = Vec::new();
        body.extend_from_slice(&0x1A2B_3C4D_u32.to_le_bytes());
        body.extend_from_slice(&1_u16.to_le_bytes());
        body.extend_from_slice(&0_u16.to_le_bytes());
        body.extend_from_slice(&u64::MAX.to_le_bytes());
        option(&mut body, 1, comment.as_bytes());
        option(&mut body, 4, b"tandem");
        option(&mut body, 0, b"");
        block(&mut out, SECTION, &body)?;
        for point in points {
            let mut body = Vec::new();
            body.extend_from_slice(&LINKTYPE_ETHERNET.to_le_bytes());
            body.extend_from_slice(&0_u16.to_le_bytes());
            body.extend_from_slice(&SNAP_LENGTH.to_le_bytes());
            option(&mut body, 2, point.name.as_bytes());
            let text = format!("out = sent by {}, in = sent by {}", point.near, point.far);
            option(&mut body, 3, text.as_bytes());
            option(&mut body, 9, &[9]);
            option(&mut body, 0, b"");
            block(&mut out, INTERFACE, &body)?;
        }
        let mut writer = Self {
            out,
            origin_ns: origin_s.saturating_mul(1_000_000_000),
        };
        writer.note(Instant::ZERO, &format!("{{\"origin_s\":{origin_s}}}"))?;
        Ok(writer)
    }

    /// Writes one record; a frame with these comments.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn record(&mut self, record: &Record, comments: &[String]) -> io::Result<()> {
        match record {
            Record::Frame(frame) => self.frame(frame, comments),
            Record::Note { at, json } => self.note(*at, json),
        }
    }

    fn frame(&mut self, frame: &Frame, comments: &[String]) -> io::Result<()> {
        let PointId(interface) = frame.point;
        let stamp = self.origin_ns.saturating_add(frame.at.as_nanos());
        let length = u32::try_from(frame.octets.len()).unwrap_or(u32::MAX);
        let mut body = Vec::with_capacity(frame.octets.len() + 64);
        body.extend_from_slice(&u32::from(interface).to_le_bytes());
        body.extend_from_slice(&u32::try_from(stamp >> 32).unwrap_or(u32::MAX).to_le_bytes());
        body.extend_from_slice(
            &u32::try_from(stamp & 0xffff_ffff)
                .unwrap_or(0)
                .to_le_bytes(),
        );
        body.extend_from_slice(&length.to_le_bytes());
        body.extend_from_slice(&length.to_le_bytes());
        body.extend_from_slice(&frame.octets);
        pad(&mut body);
        for comment in comments {
            option(&mut body, 1, comment.as_bytes());
        }
        if frame.lost {
            option(&mut body, 1, LOST.as_bytes());
        }
        let direction: u32 = match frame.direction {
            Direction::In => 1,
            Direction::Out => 2,
        };
        option(&mut body, 2, &direction.to_le_bytes());
        option(&mut body, 0, b"");
        block(&mut self.out, ENHANCED_PACKET, &body)
    }

    fn note(&mut self, at: Instant, json: &str) -> io::Result<()> {
        let mut body = Vec::with_capacity(json.len() + 16);
        body.extend_from_slice(MAGIC);
        body.extend_from_slice(&at.as_nanos().to_le_bytes());
        body.extend_from_slice(json.as_bytes());
        // The padding is blanks, which mean nothing after a JSON object.
        while !body.len().is_multiple_of(4) {
            body.push(b' ');
        }
        block(&mut self.out, NOTE, &body)
    }

    /// Ends the file.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}

/// Comment on a frame that a fault took.
pub(crate) const LOST: &str = "lost: a fault of the simulation took this frame";

/// A whole trace as a pcapng file. `comments` are by record index.
#[must_use]
pub fn to_pcapng(trace: &Trace, comment: &str, comments: &BTreeMap<usize, Vec<String>>) -> Vec<u8> {
    let write = || -> io::Result<Vec<u8>> {
        let size = trace.records.len() * 200;
        let out = Vec::with_capacity(size);
        let mut writer = PcapngWriter::new(out, comment, &trace.points, trace.origin_s)?;
        for (index, record) in trace.records.iter().enumerate() {
            writer.record(record, comments.get(&index).map_or(&[], Vec::as_slice))?;
        }
        writer.finish()
    };
    write().unwrap_or_default()
}

fn pad(body: &mut Vec<u8>) {
    while !body.len().is_multiple_of(4) {
        body.push(0);
    }
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    // An option's length has 16 bits; a longer comment is cut at a character's beginning.
    let mut length = value.len().min(60_000);
    while length < value.len() && value.get(length).is_some_and(|octet| octet & 0xC0 == 0x80) {
        length -= 1;
    }
    let value = value.get(..length).unwrap_or_default();
    body.extend_from_slice(&code.to_le_bytes());
    body.extend_from_slice(&u16::try_from(length).unwrap_or(0).to_le_bytes());
    body.extend_from_slice(value);
    pad(body);
}

fn block<W: Write>(out: &mut W, kind: u32, body: &[u8]) -> io::Result<()> {
    let length = u32::try_from(body.len() + 12).map_err(io::Error::other)?;
    out.write_all(&kind.to_le_bytes())?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(body)?;
    out.write_all(&length.to_le_bytes())
}
