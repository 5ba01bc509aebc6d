//! Reading classic pcap files.

use crate::read::settle;
use crate::{Direction, Frame, Point, PointId, ReadError, Record, Trace};
use dut_device::Instant;
use std::collections::BTreeMap;
use std::time::Duration;

/// Reads a classic pcap file, microseconds or nanoseconds, either byte order.
pub(crate) fn read(octets: &[u8]) -> Result<Trace, ReadError> {
    let magic: [u8; 4] = take(octets, 0)?;
    let (big, ns_per_unit) = match magic {
        [0xD4, 0xC3, 0xB2, 0xA1] => (false, 1000),
        [0xA1, 0xB2, 0xC3, 0xD4] => (true, 1000),
        [0x4D, 0x3C, 0xB2, 0xA1] => (false, 1),
        [0xA1, 0xB2, 0x3C, 0x4D] => (true, 1),
        _ => return Err(ReadError::NotACapture),
    };
    let u32_at = |at: usize| -> Result<u32, ReadError> {
        let field = take(octets, at)?;
        Ok(if big {
            u32::from_be_bytes(field)
        } else {
            u32::from_le_bytes(field)
        })
    };
    let link_type = u32_at(20)? & 0x0fff_ffff;
    if link_type != 1 {
        return Err(ReadError::LinkType(link_type));
    }
    let mut records = Vec::new();
    let mut cut = BTreeMap::new();
    let mut at = 24;
    while at < octets.len() {
        let packets = records.len();
        let u32_at = |at| u32_at(at).map_err(|error| error.after(packets));
        let seconds = u64::from(u32_at(at)?);
        let units = u64::from(u32_at(at + 4)?);
        let length = usize::try_from(u32_at(at + 8)?).unwrap_or(usize::MAX);
        let original = usize::try_from(u32_at(at + 12)?).unwrap_or(usize::MAX);
        let frame = octets.get(at + 16..(at + 16).saturating_add(length));
        let what = "a packet is cut short";
        let damaged = ReadError::Damaged { packets, at, what };
        let frame = frame.ok_or(damaged)?;
        if original > length {
            cut.insert(packets, original);
        }
        let stamp = seconds
            .saturating_mul(1_000_000_000)
            .saturating_add(units * ns_per_unit);
        let frame = Frame {
            at: Instant::ZERO,
            point: PointId(0),
            direction: Direction::In,
            lost: false,
            octets: frame.to_vec(),
        };
        records.push((stamp, Record::Frame(frame)));
        at = at + 16 + length;
    }
    let point = Point {
        name: "if0".to_owned(),
        near: "out".to_owned(),
        far: "in".to_owned(),
    };
    let resolution = Duration::from_nanos(ns_per_unit);
    Ok(Trace {
        cut,
        ..settle(records, vec![point], resolution)
    })
}

fn take(octets: &[u8], at: usize) -> Result<[u8; 4], ReadError> {
    let field = octets.get(at..at + 4).and_then(|f| f.try_into().ok());
    field.ok_or(ReadError::Damaged {
        packets: 0,
        at,
        what: "the file is cut short",
    })
}
