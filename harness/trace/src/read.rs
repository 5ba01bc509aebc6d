//! Reading capture files: classic pcap and pcapng of any origin, and our own notes.

use crate::pcapng::{LOST, MAGIC, NOTE};
use crate::{Direction, Frame, Point, PointId, Record, Trace, pcap};
use dut_device::Instant;
use std::collections::BTreeMap;
use std::time::Duration;
use thiserror::Error;

/// Why a file is no capture that can be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReadError {
    /// Neither a pcap nor a pcapng magic number.
    #[error("not a capture file: it begins with neither a pcap nor a pcapng magic number")]
    NotACapture,
    /// A block or record is cut short or contradicts itself.
    #[error("{}octet {at}: {what}", after(*packets))]
    Damaged {
        /// Packets that were read before it.
        packets: usize,
        /// Offset in the file.
        at: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// The frames are not Ethernet.
    #[error("link type {0} is not Ethernet (1)")]
    LinkType(u32),
}

impl ReadError {
    /// The same, found after so many packets.
    pub(crate) const fn after(self, packets: usize) -> Self {
        match self {
            Self::Damaged { at, what, .. } => Self::Damaged { packets, at, what },
            Self::NotACapture | Self::LinkType(_) => self,
        }
    }
}

fn after(packets: usize) -> String {
    match packets {
        0 => String::new(),
        packets => format!("after packet {packets}, "),
    }
}

/// Reads a pcap or pcapng file. Times become relative to the first packet's second (our own files:
/// to their origin); frames without a direction flag are [`Direction::In`].
///
/// # Errors
/// [`ReadError`] with the offset at which the file can't be read. What was read before a cut is not
/// returned: a damaged file is named, not half used.
pub fn read_capture(octets: &[u8]) -> Result<Trace, ReadError> {
    let magic = octets.get(..4).ok_or(ReadError::NotACapture)?;
    if magic == [0x0A, 0x0D, 0x0D, 0x0A] {
        Reader::new(octets).read()
    } else {
        pcap::read(octets)
    }
}

/// Makes times relative to the first record's second.
pub(crate) fn settle(
    stamped: Vec<(u64, Record)>,
    points: Vec<Point>,
    resolution: Duration,
) -> Trace {
    let origin_s = stamped.first().map_or(0, |(ns, _)| ns / 1_000_000_000);
    settle_at(stamped, points, resolution, origin_s)
}

fn settle_at(
    stamped: Vec<(u64, Record)>,
    points: Vec<Point>,
    resolution: Duration,
    origin_s: u64,
) -> Trace {
    let mut until = Instant::ZERO;
    let records = stamped
        .into_iter()
        .map(|(ns, record)| {
            let at = match &record {
                Record::Frame(_) => {
                    Instant::from_nanos(ns.saturating_sub(origin_s.saturating_mul(1_000_000_000)))
                }
                Record::Note { at, .. } => *at,
            };
            // A capture of several interfaces may be out of order by a little: time never goes
            // back.
            until = until.max(at);
            match record {
                Record::Frame(frame) => Record::Frame(Frame { at: until, ..frame }),
                Record::Note { json, .. } => Record::Note { at, json },
            }
        })
        .collect();
    Trace {
        points,
        records,
        until,
        resolution,
        origin_s,
        cut: BTreeMap::new(),
    }
}

struct Interface {
    /// Units of a second in a timestamp.
    per_second: u64,
    offset_s: u64,
}

struct Reader<'a> {
    octets: &'a [u8],
    at: usize,
    big: bool,
    /// Interfaces of the current section; their index in `points` begins at `first`.
    interfaces: Vec<Interface>,
    first: usize,
    points: Vec<Point>,
    records: Vec<(u64, Record)>,
    packets: usize,
    cut: BTreeMap<usize, usize>,
    origin_s: Option<u64>,
    resolution: Duration,
}

impl<'a> Reader<'a> {
    const fn new(octets: &'a [u8]) -> Self {
        Self {
            octets,
            at: 0,
            big: false,
            interfaces: Vec::new(),
            first: 0,
            points: Vec::new(),
            records: Vec::new(),
            packets: 0,
            cut: BTreeMap::new(),
            origin_s: None,
            resolution: Duration::from_nanos(1),
        }
    }

    const fn damaged(&self, what: &'static str) -> ReadError {
        ReadError::Damaged {
            packets: self.packets,
            at: self.at,
            what,
        }
    }

    fn u16(&self, body: &[u8], at: usize) -> Result<u16, ReadError> {
        let field = body.get(at..at + 2).and_then(|f| f.try_into().ok());
        let field = field.ok_or_else(|| self.damaged("a block is cut short"))?;
        Ok(if self.big {
            u16::from_be_bytes(field)
        } else {
            u16::from_le_bytes(field)
        })
    }

    fn u32(&self, body: &[u8], at: usize) -> Result<u32, ReadError> {
        let field = body.get(at..at + 4).and_then(|f| f.try_into().ok());
        let field = field.ok_or_else(|| self.damaged("a block is cut short"))?;
        Ok(if self.big {
            u32::from_be_bytes(field)
        } else {
            u32::from_le_bytes(field)
        })
    }

    fn read(mut self) -> Result<Trace, ReadError> {
        while self.at < self.octets.len() {
            let rest = self.octets.get(self.at..).unwrap_or_default();
            let kind = rest
                .get(..4)
                .ok_or_else(|| self.damaged("a block is cut short"))?;
            if kind == [0x0A, 0x0D, 0x0D, 0x0A] {
                self.big = rest.get(8..12) == Some(&[0x1A, 0x2B, 0x3C, 0x4D]);
                self.first = self.points.len();
                self.interfaces.clear();
            }
            let kind = self.u32(rest, 0)?;
            let length = self.u32(rest, 4)?;
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            if length < 12 || !length.is_multiple_of(4) {
                return Err(self.damaged("a block's length is impossible"));
            }
            let body = rest.get(8..length.saturating_sub(4));
            let body = body.ok_or_else(|| self.damaged("the last block is cut short"))?;
            if rest.len() < length {
                return Err(self.damaged("the last block is cut short"));
            }
            match kind {
                1 => self.interface(body)?,
                6 => self.packet(body)?,
                NOTE => self.note(body)?,
                3 => return Err(self.damaged("simple packet blocks carry no time")),
                _ => {}
            }
            self.at += length;
        }
        let Self {
            points,
            records,
            resolution,
            origin_s,
            cut,
            ..
        } = self;
        let trace = match origin_s {
            Some(origin_s) => settle_at(records, points, resolution, origin_s),
            None => settle(records, points, resolution),
        };
        Ok(Trace { cut, ..trace })
    }

    fn options<'b>(&self, mut rest: &'b [u8]) -> Result<Vec<(u16, &'b [u8])>, ReadError> {
        let mut found = Vec::new();
        while !rest.is_empty() {
            let code = self.u16(rest, 0)?;
            let length = usize::from(self.u16(rest, 2)?);
            if code == 0 {
                break;
            }
            let value = rest.get(4..4 + length);
            found.push((
                code,
                value.ok_or_else(|| self.damaged("an option is cut short"))?,
            ));
            rest = rest.get(4 + length.div_ceil(4) * 4..).unwrap_or_default();
        }
        Ok(found)
    }

    fn interface(&mut self, body: &[u8]) -> Result<(), ReadError> {
        let link_type = self.u16(body, 0)?;
        if link_type != 1 {
            return Err(ReadError::LinkType(u32::from(link_type)));
        }
        let mut name = format!("if{}", self.points.len());
        let mut interface = Interface {
            per_second: 1_000_000,
            offset_s: 0,
        };
        for (code, value) in self.options(body.get(8..).unwrap_or_default())? {
            match (code, value) {
                (2, text) => name = String::from_utf8_lossy(text).into_owned(),
                (9, [exponent]) => {
                    let power = u32::from(exponent & 0x7f);
                    let base: u64 = if exponent & 0x80 == 0 { 10 } else { 2 };
                    let units = base.checked_pow(power);
                    interface.per_second =
                        units.ok_or_else(|| self.damaged("if_tsresol is out of range"))?;
                }
                (14, offset) => {
                    let offset: Option<[u8; 8]> = offset.try_into().ok();
                    let offset = offset.map(|o| {
                        if self.big {
                            u64::from_be_bytes(o)
                        } else {
                            u64::from_le_bytes(o)
                        }
                    });
                    interface.offset_s = offset.unwrap_or(0);
                }
                _ => {}
            }
        }
        let unit =
            Duration::from_nanos(1_000_000_000 / interface.per_second.clamp(1, 1_000_000_000));
        self.resolution = self.resolution.max(unit);
        self.interfaces.push(interface);
        let near = "out".to_owned();
        self.points.push(Point {
            name,
            near,
            far: "in".to_owned(),
        });
        Ok(())
    }

    fn packet(&mut self, body: &[u8]) -> Result<(), ReadError> {
        let index = usize::try_from(self.u32(body, 0)?).unwrap_or(usize::MAX);
        let interface = self.interfaces.get(index);
        let interface = interface.ok_or_else(|| self.damaged("a packet names no interface"))?;
        let ticks = u128::from(self.u32(body, 4)?) << 32 | u128::from(self.u32(body, 8)?);
        let ns = ticks * 1_000_000_000 / u128::from(interface.per_second);
        let ns = u64::try_from(ns).unwrap_or(u64::MAX);
        let ns = ns.saturating_add(interface.offset_s.saturating_mul(1_000_000_000));
        let length = usize::try_from(self.u32(body, 12)?).unwrap_or(usize::MAX);
        let octets = body.get(20..20_usize.saturating_add(length));
        let octets = octets
            .ok_or_else(|| self.damaged("a packet is cut short"))?
            .to_vec();
        let mut frame = Frame {
            at: Instant::ZERO,
            point: PointId(u16::try_from(self.first + index).unwrap_or(u16::MAX)),
            direction: Direction::In,
            lost: false,
            octets,
        };
        let options = body.get(20 + length.div_ceil(4) * 4..).unwrap_or_default();
        for (code, value) in self.options(options)? {
            if code == 1 && value == LOST.as_bytes() {
                frame.lost = true;
            }
            if code == 2 && self.u32(value, 0)? & 3 == 2 {
                frame.direction = Direction::Out;
            }
        }
        let original = usize::try_from(self.u32(body, 16)?).unwrap_or(usize::MAX);
        if original > length {
            self.cut.insert(self.records.len(), original);
        }
        self.records.push((ns, Record::Frame(frame)));
        self.packets += 1;
        Ok(())
    }

    fn note(&mut self, body: &[u8]) -> Result<(), ReadError> {
        if body.get(..4) != Some(MAGIC) {
            return Ok(());
        }
        let at = body
            .get(4..12)
            .and_then(|f| f.try_into().ok())
            .map(u64::from_le_bytes);
        let at = at.ok_or_else(|| self.damaged("a note is cut short"))?;
        let json = String::from_utf8_lossy(body.get(12..).unwrap_or_default());
        let json = json.trim_end().to_owned();
        if let Some(origin) = origin_of(&json) {
            self.origin_s = Some(origin);
            return Ok(());
        }
        self.records.push((
            0,
            Record::Note {
                at: Instant::from_nanos(at),
                json,
            },
        ));
        Ok(())
    }
}

/// The origin that our own files say in their first note: `{"origin_s":N,…}`.
fn origin_of(json: &str) -> Option<u64> {
    let value: serde_json::Value = serde_json::from_str(json).ok()?;
    value.get("origin_s")?.as_u64()
}
