//! Multicast Listener Query (RFC 2710 3, RFC 3810 5.1). The version follows from the length alone.

use super::room::{Room, count};
use super::{
    LinkMtu, MaximumResponseCode, QUERY, Qqic, Refused, V1_LEN, emit_v1, not_multicast, put_v1,
};
use crate::reader::fixed;
use crate::{Malformed, Reader};
use std::net::Ipv6Addr;
use std::time::Duration;

/// Octets of a version 2 query without sources.
const V2_LEN: usize = 28;

/// A query of either version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// 24 octets.
    V1(QueryV1),
    /// 28 octets or more.
    V2(QueryV2),
}

/// A version 1 query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryV1 {
    /// Maximum Response Delay in ms, linear.
    pub maximum_response_delay: u16,
    /// Multicast Address; `::` in a general query.
    pub group: Ipv6Addr,
}

/// A version 2 query.
///
/// ```text
/// | Type 130      | Code          | Checksum                      |
/// | Maximum Response Code         | Reserved                      |
/// | Multicast Address (16 octets)                                 |
/// | Resv  |S| QRV | QQIC          | Number of Sources             |
/// | Source Address [i] (16 octets each)                           |
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryV2 {
    /// Maximum Response Code.
    pub maximum_response_code: MaximumResponseCode,
    /// Multicast Address; `::` in a general query, which lists no sources.
    pub group: Ipv6Addr,
    /// S flag: Suppress Router-Side Processing.
    pub suppress: bool,
    /// Querier's Robustness Variable.
    pub qrv: Qrv,
    /// Querier's Query Interval Code.
    pub qqic: Qqic,
    /// Source addresses; at most 65535 are emitted.
    pub sources: Vec<Ipv6Addr>,
}

/// Querier's Robustness Variable, 0–7; 0 stands for more than 7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Qrv(u8);

impl Qrv {
    /// The field's value for a Robustness Variable: 0 where it is more than 7.
    #[must_use]
    pub const fn new(robustness_variable: u8) -> Self {
        //= MLD-014
        Self(if robustness_variable > 7 {
            0
        } else {
            robustness_variable
        })
    }

    /// The Robustness Variable, when the field says it.
    #[must_use]
    pub const fn robustness_variable(self) -> Option<u8> {
        if self.0 == 0 { None } else { Some(self.0) }
    }

    /// The field's value.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl Query {
    /// Parses the whole ICMPv6 message of type 130.
    pub(super) fn parse(message: &[u8]) -> Result<Self, Refused> {
        //= MLD-049
        let length = message.len();
        if length != V1_LEN && length < V2_LEN {
            return Err(Refused::Length(Malformed {
                at: length,
                field: "Length",
                rule: "must be 24, or 28 or more",
            }));
        }
        //= MLD-054
        let mut reader = Reader::new(message);
        let head: &[u8; V1_LEN] = reader.chunk("Header").map_err(Refused::Length)?;
        let delay = fixed::u16::<4, _>(head);
        let group = fixed::ipv6::<8, _>(head);
        //= MLD-051
        if !group.is_multicast() && !group.is_unspecified() {
            return Err(not_multicast("must be multicast or ::"));
        }
        if length == V1_LEN {
            return Ok(Self::V1(QueryV1 {
                maximum_response_delay: delay,
                group,
            }));
        }
        QueryV2::parse_rest(&mut reader, MaximumResponseCode(delay), group).map(Self::V2)
    }

    pub(super) fn emit(&self, out: &mut Vec<u8>) {
        match self {
            Self::V1(query) => emit_v1(out, QUERY, query.maximum_response_delay, query.group),
            Self::V2(query) => query.emit(out),
        }
    }

    pub(super) fn emitted_len(&self) -> usize {
        match self {
            Self::V1(_) => V1_LEN,
            Self::V2(query) => V2_LEN + 16 * usize::from(count(&query.sources)),
        }
    }

    /// Multicast Address; `::` in a general query.
    #[must_use]
    pub const fn group(&self) -> Ipv6Addr {
        match self {
            Self::V1(query) => query.group,
            Self::V2(query) => query.group,
        }
    }

    /// Source addresses; none in version 1.
    #[must_use]
    pub fn sources(&self) -> &[Ipv6Addr] {
        match self {
            Self::V1(_) => &[],
            Self::V2(query) => &query.sources,
        }
    }

    /// S flag; clear in version 1.
    #[must_use]
    pub const fn suppress(&self) -> bool {
        match self {
            Self::V1(_) => false,
            Self::V2(query) => query.suppress,
        }
    }

    /// Maximum Response Delay: linear in version 1, the code's in version 2.
    #[must_use]
    pub fn maximum_response_delay(&self) -> Duration {
        match self {
            Self::V1(query) => Duration::from_millis(query.maximum_response_delay.into()),
            Self::V2(query) => query.maximum_response_code.delay(),
        }
    }
}

impl QueryV2 {
    fn parse_rest(
        reader: &mut Reader<'_>,
        maximum_response_code: MaximumResponseCode,
        group: Ipv6Addr,
    ) -> Result<Self, Refused> {
        let rest: &[u8; V2_LEN - V1_LEN] = reader.chunk("S, QRV").map_err(Refused::Length)?;
        let [flags, qqic, ..] = *rest;
        let count = fixed::u16::<2, _>(rest);
        if group.is_unspecified() && count > 0 {
            return Err(Refused::Sources(Malformed {
                at: 26,
                field: "Number of Sources",
                rule: "must be 0 in a general query",
            }));
        }
        //= MLD-050
        let list = reader.take(usize::from(count) * 16, "Source Address");
        //= MLD-053
        Ok(Self {
            maximum_response_code,
            group,
            suppress: flags & 8 != 0,
            qrv: Qrv(flags & 7),
            qqic: Qqic(qqic),
            sources: addresses(list.map_err(Refused::Overrun)?),
        })
    }

    fn emit(&self, out: &mut Vec<u8>) {
        //= MLD-007
        //= MLD-008
        let count = count(&self.sources);
        let mut o = [0; V2_LEN];
        put_v1(&mut o, QUERY, self.maximum_response_code.0, self.group);
        fixed::put::<24, 2, _>(
            &mut o,
            [u8::from(self.suppress) << 3 | self.qrv.0, self.qqic.0],
        );
        fixed::put::<26, 2, _>(&mut o, count.to_be_bytes());
        let mut room = Room::new(out, V2_LEN + 16 * usize::from(count));
        room.put_list(o, &self.sources, count);
    }

    /// The query as one or more that each fit the MTU; the sources keep their order.
    #[must_use]
    pub fn split(self, mtu: LinkMtu) -> Vec<Self> {
        //= MLD-017
        let capacity = mtu.message().saturating_sub(V2_LEN) / 16;
        if self.sources.len() <= capacity {
            return vec![self];
        }
        let part = |sources: &[Ipv6Addr]| Self {
            sources: sources.to_vec(),
            ..self
        };
        self.sources.chunks(capacity.max(1)).map(part).collect()
    }
}

/// The addresses in a list of 16 octets each.
pub(super) fn addresses(octets: &[u8]) -> Vec<Ipv6Addr> {
    let (chunks, _) = octets.as_chunks::<16>();
    if chunks.is_empty() {
        // Most records list no source.
        return Vec::new();
    }
    let address = |chunk: &[u8; 16]| Ipv6Addr::from_octets(*chunk);
    chunks.iter().map(address).collect()
}
