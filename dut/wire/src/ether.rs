//! Ethernet II frames and IEEE 802.1Q tags.

use crate::reader::fixed;
use crate::{Malformed, Reader};

/// EtherType of the slow protocols.
pub const SLOW_PROTOCOLS: u16 = 0x8809;
/// EtherType of IPv6.
pub const IPV6: u16 = 0x86dd;
/// EtherType of a customer VLAN tag.
pub const C_VLAN: u16 = 0x8100;
/// Octets of an untagged header.
pub const HEADER_LEN: usize = 14;

/// An untagged Ethernet frame without FCS. A tagged one has [`C_VLAN`] as its EtherType.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Destination address.
    pub destination: [u8; 6],
    /// Source address.
    pub source: [u8; 6],
    /// EtherType, or a length below 0x600.
    pub ethertype: u16,
    /// What follows, padding included.
    pub payload: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Parses a frame.
    ///
    /// # Errors
    /// [`Malformed`] when the header is cut short.
    pub fn parse(octets: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(octets);
        let head: &[u8; HEADER_LEN] = reader.chunk("Header")?;
        Ok(Self {
            destination: fixed::octets::<0, 6, _>(head),
            source: fixed::octets::<6, 6, _>(head),
            ethertype: fixed::u16::<12, _>(head),
            payload: reader.rest(),
        })
    }

    /// The frame's octets.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_LEN + self.payload.len());
        header(&mut out, self.destination, self.source, self.ethertype);
        out.extend_from_slice(self.payload);
        out
    }
}

/// Appends an untagged header.
pub fn header(out: &mut Vec<u8>, destination: [u8; 6], source: [u8; 6], ethertype: u16) {
    let mut o = [0; HEADER_LEN];
    fixed::put::<0, 6, _>(&mut o, destination);
    fixed::put::<6, 6, _>(&mut o, source);
    fixed::put::<12, 2, _>(&mut o, ethertype.to_be_bytes());
    out.extend_from_slice(&o);
}
