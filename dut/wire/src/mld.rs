//! MLD messages, versions 1 and 2 (RFC 2710 3, RFC 3810 5, RFC 9777 5).
//!
//! The ICMPv6 message alone: envelope, Router Alert and checksum are [`crate::ipv6`]'s and
//! [`crate::icmpv6`]'s. Reserved octets, flags and Code are ignored on receipt and zero on
//! transmission; octets after the last defined field are ignored (their checksum is the caller's).

mod code;
mod query;
mod report;
mod room;

pub use code::{MaximumResponseCode, Qqic, delay_v1};
pub use query::{Qrv, Query, QueryV1, QueryV2};
pub use report::{Record, RecordType, Report};

use crate::reader::fixed;
use crate::{Malformed, Reader, icmpv6, ipv6};
use std::net::Ipv6Addr;
use thiserror::Error;

/// ICMPv6 type of a Multicast Listener Query, both versions.
pub const QUERY: u8 = 130;
/// ICMPv6 type of a version 1 Multicast Listener Report.
pub const REPORT_V1: u8 = 131;
/// ICMPv6 type of a version 1 Multicast Listener Done.
pub const DONE: u8 = 132;
/// ICMPv6 type of a version 2 Multicast Listener Report.
pub const REPORT_V2: u8 = 143;

/// ff02::1, where general queries go.
pub const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
/// ff02::2, where version 1 Dones go.
pub const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);
/// ff02::16, where version 2 Reports go.
pub const ALL_MLDV2_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x16);

/// Octets of a version 1 message, and of what all queries begin with.
const V1_LEN: usize = 24;

/// Why octets are no legal MLD message: the rule's family, and the rule itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refused {
    /// No MLD type.
    #[error(transparent)]
    Type(Malformed),
    /// A length that the type can't have (RFC 3810 8.1, RFC 2710 6).
    #[error(transparent)]
    Length(Malformed),
    /// A count runs past the end of the message.
    #[error(transparent)]
    Overrun(Malformed),
    /// A query or version 1 message whose address is no multicast address.
    #[error(transparent)]
    Group(Malformed),
    /// A general query that lists sources.
    #[error(transparent)]
    Sources(Malformed),
}

impl From<Refused> for Malformed {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Type(malformed)
            | Refused::Length(malformed)
            | Refused::Overrun(malformed)
            | Refused::Group(malformed)
            | Refused::Sources(malformed) => malformed,
        }
    }
}

/// An MLD message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Multicast Listener Query (type 130), version 1 or 2.
    Query(Query),
    /// Version 1 Multicast Listener Report (type 131).
    ReportV1 {
        /// Multicast Address; multicast.
        group: Ipv6Addr,
    },
    /// Version 1 Multicast Listener Done (type 132).
    Done {
        /// Multicast Address; multicast.
        group: Ipv6Addr,
    },
    /// Version 2 Multicast Listener Report (type 143).
    Report(Report),
}

impl Message {
    /// Parses the whole ICMPv6 message. The checksum isn't looked at.
    ///
    /// # Errors
    /// [`Refused`] for another type, an impossible length, a count that overruns, an address that
    /// is no multicast address (queries also take `::`), or a general query with sources.
    pub fn parse(message: &[u8]) -> Result<Self, Refused> {
        let mut reader = Reader::new(message);
        match reader.u8("Type").map_err(Refused::Length)? {
            QUERY => Query::parse(message).map(Self::Query),
            REPORT_V1 => parse_v1(message).map(|group| Self::ReportV1 { group }),
            DONE => parse_v1(message).map(|group| Self::Done { group }),
            REPORT_V2 => Report::parse(message).map(Self::Report),
            _ => Err(Refused::Type(Malformed {
                at: 0,
                field: "Type",
                rule: "must be 130, 131, 132 or 143",
            })),
        }
    }

    /// Appends the message with a zero checksum field.
    pub fn emit(&self, out: &mut Vec<u8>) {
        match self {
            Self::Query(query) => query.emit(out),
            Self::ReportV1 { group } => emit_v1(out, REPORT_V1, 0, *group),
            Self::Done { group } => emit_v1(out, DONE, 0, *group),
            Self::Report(report) => report.emit(out),
        }
    }

    /// The message's octets with the checksum for these addresses.
    #[must_use]
    pub fn to_vec(&self, source: Ipv6Addr, destination: Ipv6Addr) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.emitted_len());
        self.emit(&mut out);
        icmpv6::seal(&mut out, source, destination);
        out
    }

    /// How many octets [`Self::emit`] appends.
    #[must_use]
    pub fn emitted_len(&self) -> usize {
        match self {
            Self::Query(query) => query.emitted_len(),
            Self::ReportV1 { .. } | Self::Done { .. } => V1_LEN,
            Self::Report(report) => report.emitted_len(),
        }
    }
}

/// The MTU of a link, at least 1280 octets (RFC 8200 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkMtu(u16);

impl LinkMtu {
    /// `octets`, or 1280 where that is more.
    #[must_use]
    pub const fn new(octets: u16) -> Self {
        Self(if octets < 1280 { 1280 } else { octets })
    }

    /// The MTU in octets.
    #[must_use]
    pub const fn octets(self) -> u16 {
        self.0
    }

    /// Octets for the MLD message: without the IPv6 header and a Hop-by-Hop header of 8 octets.
    #[must_use]
    pub fn message(self) -> usize {
        usize::from(self.0).saturating_sub(ipv6::HEADER_LEN + 8)
    }
}

/// A Report or Done of version 1: its multicast address.
fn parse_v1(message: &[u8]) -> Result<Ipv6Addr, Refused> {
    //= MLD-056
    let head: &[u8; V1_LEN] = Reader::new(message)
        .chunk("Header")
        .map_err(Refused::Length)?;
    let group = fixed::ipv6::<8, _>(head);
    if group.is_multicast() {
        Ok(group)
    } else {
        Err(not_multicast("must be multicast"))
    }
}

const fn not_multicast(rule: &'static str) -> Refused {
    Refused::Group(Malformed {
        at: 8,
        field: "Multicast Address",
        rule,
    })
}

/// Appends the 24 octets that version 1 messages are.
fn emit_v1(out: &mut Vec<u8>, kind: u8, delay: u16, group: Ipv6Addr) {
    let mut o = [0; V1_LEN];
    put_v1(&mut o, kind, delay, group);
    out.extend_from_slice(&o);
}

/// Puts those 24 octets, with which version 2 queries begin too.
const fn put_v1<const L: usize>(o: &mut [u8; L], kind: u8, delay: u16, group: Ipv6Addr) {
    fixed::put::<0, 1, L>(o, [kind]);
    fixed::put::<4, 2, L>(o, delay.to_be_bytes());
    fixed::put::<8, 16, L>(o, group.octets());
}
