//! Group records, interface records and tombstones.

use super::FilterMode;
use crate::{Malformed, Reader};
use std::collections::BTreeMap;
use std::net::Ipv6Addr;

/// Sources that a group record has room for in one frame.
pub const SOURCES_MAX: usize = 2725;

const GROUP: u8 = 1;
const INTERFACE: u8 = 2;
const GROUP_LEN: usize = 96;
const SOURCE_LEN: usize = 24;
const INTERFACE_LEN: usize = 64;
pub(super) const TOMBSTONE_LEN: usize = 48;

/// Who made a version of an entry, and which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Boot epoch of the origin.
    pub epoch: u64,
    /// Entry sequence of the origin.
    pub sequence: u64,
    /// Base MAC of the device that made it.
    pub origin: [u8; 6],
}

/// A source of a group record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceRecord {
    /// Source timer remaining, ms; 0 means excluded.
    pub timer_ms: u32,
    /// Q(G,S) copies still to be sent.
    pub query_count: u8,
}

/// A group record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRecord {
    /// Eth-Trunk id.
    pub eth_trunk: u16,
    /// Multicast address.
    pub group: Ipv6Addr,
    /// Filter mode.
    pub filter_mode: FilterMode,
    /// Q(G) copies still to be sent.
    pub query_count: u8,
    /// Its version.
    pub version: Version,
    /// Filter timer remaining, ms; 0 in INCLUDE.
    pub filter_timer_ms: u32,
    /// Older Version Host Present timer remaining, ms; 0 when not running.
    pub v1_host_ms: u32,
    /// Next specific query due in, ms; 0 when no series runs.
    pub query_due_ms: u32,
    /// Last reporter; `::` when unknown.
    pub last_reporter: Ipv6Addr,
    /// Sources; at most [`SOURCES_MAX`].
    pub sources: BTreeMap<Ipv6Addr, SourceRecord>,
}

/// An interface record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InterfaceRecord {
    /// Eth-Trunk id.
    pub eth_trunk: u16,
    /// The querier's address; `::` none.
    pub querier: Ipv6Addr,
    /// Its version.
    pub version: Version,
    /// Other Querier Present timer remaining, ms.
    pub other_querier_ms: u32,
    /// General query due in, ms.
    pub general_query_ms: u32,
}

/// A record of an UPSERT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// Kind 1.
    Group(GroupRecord),
    /// Kind 2.
    Interface(InterfaceRecord),
}

/// A group that is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tombstone {
    /// Eth-Trunk id.
    pub eth_trunk: u16,
    /// Multicast address.
    pub group: Ipv6Addr,
    /// Version of the deletion.
    pub version: Version,
}

const fn wrong(at: usize, field: &'static str, rule: &'static str) -> Malformed {
    Malformed { at, field, rule }
}

impl Record {
    /// Octets of the record.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Group(record) => GROUP_LEN + SOURCE_LEN * record.sources.len(),
            Self::Interface(_) => INTERFACE_LEN,
        }
    }

    /// Never: a record has octets.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// Parses one record; `octets` are exactly its own.
    ///
    /// # Errors
    /// [`Malformed`] with an offset inside the record.
    pub fn parse(octets: &[u8]) -> Result<Self, Malformed> {
        match octets.get(2) {
            Some(&GROUP) => GroupRecord::parse(octets).map(Self::Group),
            Some(&INTERFACE) => InterfaceRecord::parse(octets).map(Self::Interface),
            _ => Err(wrong(2, "Kind", "must be 1 or 2")),
        }
    }

    /// Appends the record.
    pub fn emit(&self, out: &mut Vec<u8>) {
        match self {
            Self::Group(record) => record.emit(out, self.len()),
            Self::Interface(record) => record.emit(out),
        }
    }
}

impl GroupRecord {
    fn parse(octets: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(octets);
        let length = usize::from(reader.u16("Length")?);
        reader.u8("Kind")?;
        let older = reader.u8("Flags")? & 1 == 1;
        let eth_trunk = reader.u16("Eth-Trunk id")?;
        let mode = FilterMode::from_code(reader.u8("Filter mode")?);
        let filter_mode = mode.ok_or(wrong(6, "Filter mode", "must be 1 or 2"))?;
        let query_count = reader.u8("Q(G) copies")?;
        let group = multicast(reader.ipv6("Multicast address")?, 8)?;
        let origin = reader.mac("Origin")?;
        reader.u16("Reserved")?;
        let epoch = reader.u64("Boot epoch")?;
        let sequence = reader.u64("Entry sequence")?;
        let filter_timer_ms = reader.u32("Filter timer")?;
        let v1_host_ms = reader.u32("Older Version Host Present timer")?;
        let query_due_ms = reader.u32("Next specific query")?;
        let count = usize::from(reader.u16("N")?);
        reader.u16("Reserved")?;
        let last_reporter = reader.ipv6("Last reporter")?;
        reader.take(16, "Reserved")?;
        if count > SOURCES_MAX || length != GROUP_LEN + SOURCE_LEN * count {
            return Err(wrong(0, "Length", "must be 96 + 24 N"));
        }
        if filter_mode == FilterMode::Include && filter_timer_ms != 0 {
            return Err(wrong(48, "Filter timer", "must be 0 in INCLUDE"));
        }
        if older != (v1_host_ms != 0) {
            return Err(wrong(3, "Flags", "must agree with the older version timer"));
        }
        Ok(Self {
            eth_trunk,
            group,
            filter_mode,
            query_count,
            version: Version {
                epoch,
                sequence,
                origin,
            },
            filter_timer_ms,
            v1_host_ms,
            query_due_ms,
            last_reporter,
            sources: sources(&mut reader, count, filter_mode)?,
        })
    }

    fn emit(&self, out: &mut Vec<u8>, length: usize) {
        let length = u16::try_from(length).unwrap_or(u16::MAX);
        let count = u16::try_from(self.sources.len()).unwrap_or(u16::MAX);
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&[GROUP, u8::from(self.v1_host_ms != 0)]);
        out.extend_from_slice(&self.eth_trunk.to_be_bytes());
        out.extend_from_slice(&[self.filter_mode.code(), self.query_count]);
        out.extend_from_slice(&self.group.octets());
        self.version.emit(out);
        out.extend_from_slice(&self.filter_timer_ms.to_be_bytes());
        out.extend_from_slice(&self.v1_host_ms.to_be_bytes());
        out.extend_from_slice(&self.query_due_ms.to_be_bytes());
        out.extend_from_slice(&count.to_be_bytes());
        out.extend_from_slice(&[0; 2]);
        out.extend_from_slice(&self.last_reporter.octets());
        out.extend_from_slice(&[0; 16]);
        for (source, state) in &self.sources {
            out.extend_from_slice(&source.octets());
            out.extend_from_slice(&state.timer_ms.to_be_bytes());
            out.extend_from_slice(&[state.query_count, 0, 0, 0]);
        }
    }
}

fn sources(
    reader: &mut Reader<'_>,
    count: usize,
    mode: FilterMode,
) -> Result<BTreeMap<Ipv6Addr, SourceRecord>, Malformed> {
    let mut sources: BTreeMap<Ipv6Addr, SourceRecord> = BTreeMap::new();
    for _ in 0..count {
        let at = reader.at();
        let source = reader.ipv6("Source")?;
        let timer_ms = reader.u32("Source timer")?;
        let query_count = reader.u8("Q(G,S) copies")?;
        reader.take(3, "Reserved")?;
        if sources.keys().next_back() >= Some(&source) {
            return Err(wrong(at, "Source", "must be ascending"));
        }
        if timer_ms == 0 && mode == FilterMode::Include {
            return Err(wrong(at, "Source timer", "must not be 0 in INCLUDE"));
        }
        let state = SourceRecord {
            timer_ms,
            query_count,
        };
        sources.insert(source, state);
    }
    if !reader.rest().is_empty() {
        return Err(wrong(0, "Length", "must be 96 + 24 N"));
    }
    Ok(sources)
}

impl InterfaceRecord {
    fn parse(octets: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(octets);
        let length = usize::from(reader.u16("Length")?);
        reader.u16("Kind")?;
        let eth_trunk = reader.u16("Eth-Trunk id")?;
        reader.u16("Reserved")?;
        let querier = reader.ipv6("Querier")?;
        let origin = reader.mac("Origin")?;
        reader.u16("Reserved")?;
        let epoch = reader.u64("Boot epoch")?;
        let sequence = reader.u64("Entry sequence")?;
        let other_querier_ms = reader.u32("Other Querier Present timer")?;
        let general_query_ms = reader.u32("General query")?;
        reader.take(8, "Reserved")?;
        if length != INTERFACE_LEN || !reader.rest().is_empty() {
            return Err(wrong(0, "Length", "must be 64"));
        }
        Ok(Self {
            eth_trunk,
            querier,
            version: Version {
                epoch,
                sequence,
                origin,
            },
            other_querier_ms,
            general_query_ms,
        })
    }

    fn emit(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[0, 64, INTERFACE, 0]);
        out.extend_from_slice(&self.eth_trunk.to_be_bytes());
        out.extend_from_slice(&[0; 2]);
        out.extend_from_slice(&self.querier.octets());
        self.version.emit(out);
        out.extend_from_slice(&self.other_querier_ms.to_be_bytes());
        out.extend_from_slice(&self.general_query_ms.to_be_bytes());
        out.extend_from_slice(&[0; 8]);
    }
}

impl Version {
    /// Origin, reserved, epoch, sequence: the order that all three kinds have.
    fn emit(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.origin);
        out.extend_from_slice(&[0; 2]);
        out.extend_from_slice(&self.epoch.to_be_bytes());
        out.extend_from_slice(&self.sequence.to_be_bytes());
    }
}

impl Tombstone {
    pub(super) fn parse(octets: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(octets);
        let eth_trunk = reader.u16("Eth-Trunk id")?;
        reader.u16("Reserved")?;
        let group = multicast(reader.ipv6("Multicast address")?, 4)?;
        reader.u32("Reserved")?;
        let origin = reader.mac("Origin")?;
        reader.u16("Reserved")?;
        Ok(Self {
            eth_trunk,
            group,
            version: Version {
                epoch: reader.u64("Boot epoch")?,
                sequence: reader.u64("Entry sequence")?,
                origin,
            },
        })
    }

    pub(super) fn emit(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.eth_trunk.to_be_bytes());
        out.extend_from_slice(&[0; 2]);
        out.extend_from_slice(&self.group.octets());
        out.extend_from_slice(&[0; 4]);
        self.version.emit(out);
    }
}

fn multicast(group: Ipv6Addr, at: usize) -> Result<Ipv6Addr, Malformed> {
    if group.is_multicast() {
        Ok(group)
    } else {
        Err(wrong(at, "Multicast address", "must be multicast"))
    }
}
