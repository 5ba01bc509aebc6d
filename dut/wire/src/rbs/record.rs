//! Group records, interface records and tombstones.

use super::FilterMode;
use crate::reader::fixed;
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
        let o: &[u8; GROUP_LEN] = reader.chunk("Group record")?;
        let length = usize::from(fixed::u16::<0, _>(o));
        let older = o[3] & 1 == 1;
        let mode = FilterMode::from_code(o[6]);
        let filter_mode = mode.ok_or(wrong(6, "Filter mode", "must be 1 or 2"))?;
        let group = multicast(fixed::ipv6::<8, _>(o), 8)?;
        let filter_timer_ms = fixed::u32::<48, _>(o);
        let v1_host_ms = fixed::u32::<52, _>(o);
        let count = usize::from(fixed::u16::<60, _>(o));
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
            eth_trunk: fixed::u16::<4, _>(o),
            group,
            filter_mode,
            query_count: o[7],
            version: Version::of(fixed::octets::<24, 24, _>(o)),
            filter_timer_ms,
            v1_host_ms,
            query_due_ms: fixed::u32::<56, _>(o),
            last_reporter: fixed::ipv6::<64, _>(o),
            sources: sources(&mut reader, count, filter_mode)?,
        })
    }

    fn emit(&self, out: &mut Vec<u8>, length: usize) {
        let length = u16::try_from(length).unwrap_or(u16::MAX);
        let count = u16::try_from(self.sources.len()).unwrap_or(u16::MAX);
        let mut o = [0; GROUP_LEN];
        fixed::put::<0, 2, _>(&mut o, length.to_be_bytes());
        fixed::put::<2, 2, _>(&mut o, [GROUP, u8::from(self.v1_host_ms != 0)]);
        fixed::put::<4, 2, _>(&mut o, self.eth_trunk.to_be_bytes());
        fixed::put::<6, 2, _>(&mut o, [self.filter_mode.code(), self.query_count]);
        fixed::put::<8, 16, _>(&mut o, self.group.octets());
        fixed::put::<24, 24, _>(&mut o, self.version.octets());
        fixed::put::<48, 4, _>(&mut o, self.filter_timer_ms.to_be_bytes());
        fixed::put::<52, 4, _>(&mut o, self.v1_host_ms.to_be_bytes());
        fixed::put::<56, 4, _>(&mut o, self.query_due_ms.to_be_bytes());
        fixed::put::<60, 2, _>(&mut o, count.to_be_bytes());
        fixed::put::<64, 16, _>(&mut o, self.last_reporter.octets());
        out.extend_from_slice(&o);
        for (source, state) in &self.sources {
            let mut o = [0; SOURCE_LEN];
            fixed::put::<0, 16, _>(&mut o, source.octets());
            fixed::put::<16, 4, _>(&mut o, state.timer_ms.to_be_bytes());
            fixed::put::<20, 1, _>(&mut o, [state.query_count]);
            out.extend_from_slice(&o);
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
        let o: &[u8; SOURCE_LEN] = reader.chunk("Source")?;
        let source = fixed::ipv6::<0, _>(o);
        let timer_ms = fixed::u32::<16, _>(o);
        let query_count = o[20];
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
        let o: &[u8; INTERFACE_LEN] = reader.chunk("Interface record")?;
        let length = usize::from(fixed::u16::<0, _>(o));
        if length != INTERFACE_LEN || !reader.rest().is_empty() {
            return Err(wrong(0, "Length", "must be 64"));
        }
        Ok(Self {
            eth_trunk: fixed::u16::<4, _>(o),
            querier: fixed::ipv6::<8, _>(o),
            version: Version::of(fixed::octets::<24, 24, _>(o)),
            other_querier_ms: fixed::u32::<48, _>(o),
            general_query_ms: fixed::u32::<52, _>(o),
        })
    }

    fn emit(&self, out: &mut Vec<u8>) {
        let mut o = [0; INTERFACE_LEN];
        fixed::put::<0, 3, _>(&mut o, [0, 64, INTERFACE]);
        fixed::put::<4, 2, _>(&mut o, self.eth_trunk.to_be_bytes());
        fixed::put::<8, 16, _>(&mut o, self.querier.octets());
        fixed::put::<24, 24, _>(&mut o, self.version.octets());
        fixed::put::<48, 4, _>(&mut o, self.other_querier_ms.to_be_bytes());
        fixed::put::<52, 4, _>(&mut o, self.general_query_ms.to_be_bytes());
        out.extend_from_slice(&o);
    }
}

impl Version {
    /// Origin, reserved, epoch, sequence.
    const fn of(o: [u8; 24]) -> Self {
        Self {
            origin: fixed::octets::<0, 6, _>(&o),
            epoch: fixed::u64::<8, _>(&o),
            sequence: fixed::u64::<16, _>(&o),
        }
    }

    /// The same, in the order that all three kinds have.
    const fn octets(&self) -> [u8; 24] {
        let mut o = [0; 24];
        fixed::put::<0, 6, _>(&mut o, self.origin);
        fixed::put::<8, 8, _>(&mut o, self.epoch.to_be_bytes());
        fixed::put::<16, 8, _>(&mut o, self.sequence.to_be_bytes());
        o
    }
}

impl Tombstone {
    pub(super) fn parse(o: &[u8; TOMBSTONE_LEN]) -> Result<Self, Malformed> {
        Ok(Self {
            eth_trunk: fixed::u16::<0, _>(o),
            group: multicast(fixed::ipv6::<4, _>(o), 4)?,
            version: Version::of(fixed::octets::<24, 24, _>(o)),
        })
    }

    pub(super) fn emit(&self, out: &mut Vec<u8>) {
        let mut o = [0; TOMBSTONE_LEN];
        fixed::put::<0, 2, _>(&mut o, self.eth_trunk.to_be_bytes());
        fixed::put::<4, 16, _>(&mut o, self.group.octets());
        fixed::put::<24, 24, _>(&mut o, self.version.octets());
        out.extend_from_slice(&o);
    }
}

fn multicast(group: Ipv6Addr, at: usize) -> Result<Ipv6Addr, Malformed> {
    if group.is_multicast() {
        Ok(group)
    } else {
        Err(wrong(at, "Multicast address", "must be multicast"))
    }
}
