//! IPv6 header and the Hop-by-Hop options header (RFC 8200, RFC 2711).

use crate::reader::fixed;
use crate::{Malformed, Reader};
use std::net::Ipv6Addr;

/// Next Header of the Hop-by-Hop options header.
pub const HOP_BY_HOP: u8 = 0;
/// Next Header of UDP.
pub const UDP: u8 = 17;
/// Next Header of TCP.
pub const TCP: u8 = 6;
/// Next Header of ICMPv6.
pub const ICMPV6: u8 = 58;
/// Octets of the fixed header.
pub const HEADER_LEN: usize = 40;

/// A received IPv6 packet whose Hop-by-Hop header, if any, has been walked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Source address.
    pub source: Ipv6Addr,
    /// Destination address.
    pub destination: Ipv6Addr,
    /// Hop limit.
    pub hop_limit: u8,
    /// Value of the first Router Alert option.
    pub router_alert: Option<u16>,
    /// Next Header after the Hop-by-Hop header.
    pub next_header: u8,
    /// What follows, cut to the payload length.
    pub payload: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Parses an IPv6 packet; octets after its payload length (Ethernet padding) are left out.
    ///
    /// # Errors
    /// [`Malformed`] when the version isn't 6 or a length overruns.
    pub fn parse(octets: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(octets);
        let head: &[u8; HEADER_LEN] = reader.chunk("Header")?;
        if head[0] >> 4 != 6 {
            return Err(Malformed {
                at: 0,
                field: "Version",
                rule: "must be 6",
            });
        }
        let length = fixed::u16::<4, _>(head);
        let mut next_header = head[6];
        let hop_limit = head[7];
        let source = fixed::ipv6::<8, _>(head);
        let destination = fixed::ipv6::<24, _>(head);
        let mut payload = reader.take(usize::from(length), "Payload")?;
        let mut router_alert = None;
        if next_header == HOP_BY_HOP {
            (next_header, router_alert, payload) = hop_by_hop(payload)?;
        }
        Ok(Self {
            source,
            destination,
            hop_limit,
            router_alert,
            next_header,
            payload,
        })
    }

    /// Appends the packet with a Hop-by-Hop header when there is a Router Alert.
    pub fn emit(&self, out: &mut Vec<u8>) {
        let options = if self.router_alert.is_some() { 8 } else { 0 };
        let length = u16::try_from(self.payload.len() + options).unwrap_or(u16::MAX);
        let first = if options > 0 {
            HOP_BY_HOP
        } else {
            self.next_header
        };
        let mut o = [0; HEADER_LEN];
        fixed::put::<0, 1, _>(&mut o, [0x60]);
        fixed::put::<4, 2, _>(&mut o, length.to_be_bytes());
        fixed::put::<6, 2, _>(&mut o, [first, self.hop_limit]);
        fixed::put::<8, 16, _>(&mut o, self.source.octets());
        fixed::put::<24, 16, _>(&mut o, self.destination.octets());
        out.extend_from_slice(&o);
        if let Some(alert) = self.router_alert {
            let [high, low] = alert.to_be_bytes();
            out.extend_from_slice(&[self.next_header, 0, 5, 2, high, low, 1, 0]);
        }
        out.extend_from_slice(self.payload);
    }
}

/// Walks a Hop-by-Hop header: (next header, router alert, rest).
fn hop_by_hop(payload: &[u8]) -> Result<(u8, Option<u16>, &[u8]), Malformed> {
    let mut reader = Reader::new(payload);
    let [next_header, words] = reader.array("Hop-by-Hop header")?;
    let length = usize::from(words) * 8 + 6;
    let mut options = reader.take(length, "Hop-by-Hop Options")?;
    let mut alert = None;
    loop {
        let at = 2 + length - options.len();
        let wrong = |at, field, rule| Malformed { at, field, rule };
        let (kind, rest) = match options {
            [] => break,
            [0, rest @ ..] => {
                options = rest;
                continue;
            }
            [_] => return Err(wrong(at, "Opt Data Len", "is cut short")),
            [kind, length, rest @ ..] => (*kind, rest.split_at_checked(usize::from(*length))),
        };
        let Some((data, rest)) = rest else {
            return Err(wrong(at, "Option Data", "is cut short"));
        };
        options = rest;
        if kind == 5 {
            let [high, low] = data else {
                return Err(wrong(at, "Router Alert", "must be two octets"));
            };
            alert.get_or_insert(u16::from_be_bytes([*high, *low]));
        } else if kind >> 6 != 0 {
            return Err(wrong(at, "Option Type", "must be known"));
        }
    }
    Ok((next_header, alert, reader.rest()))
}

/// Internet checksum of an upper-layer message under the IPv6 pseudo-header (RFC 8200 8.1).
/// Zero over a message whose checksum field is right; the value to store where it is zero.
#[must_use]
pub fn checksum(source: Ipv6Addr, destination: Ipv6Addr, next_header: u8, message: &[u8]) -> u16 {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    let mut sum = add(0, &source.octets());
    sum = add(sum, &destination.octets());
    sum = add(sum, &length.to_be_bytes());
    sum = add(sum, &[0, 0, 0, next_header]);
    sum = add(sum, message);
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(u16::MAX)
}

fn add(mut sum: u64, octets: &[u8]) -> u64 {
    let mut words = octets.chunks_exact(4);
    for word in &mut words {
        if let Ok(word) = word.try_into() {
            sum += u64::from(u32::from_be_bytes(word));
        }
    }
    let mut last = [0; 4];
    for (to, from) in last.iter_mut().zip(words.remainder()) {
        *to = *from;
    }
    sum += u64::from(u32::from_be_bytes(last));
    sum
}

/// The Ethernet address of an IPv6 multicast address (RFC 2464 7).
#[must_use]
pub const fn multicast_mac(group: Ipv6Addr) -> [u8; 6] {
    let [.., a, b, c, d] = group.octets();
    [0x33, 0x33, a, b, c, d]
}

/// The solicited-node multicast address of a unicast address (RFC 4291 2.7.1).
#[must_use]
pub const fn solicited_node(address: Ipv6Addr) -> Ipv6Addr {
    let [.., a, b, c] = address.octets();
    Ipv6Addr::from_octets([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, a, b, c])
}
