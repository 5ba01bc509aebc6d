//! ICMPv6 checksum and the neighbour discovery messages that the node needs (RFC 4443, RFC 4861).

use crate::reader::fixed;
use crate::{Malformed, Reader, ipv6};
use std::net::Ipv6Addr;

/// Octets of a solicitation or advertisement before its options.
const HEADER_LEN: usize = 24;

/// A neighbour discovery message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Neighbor {
    /// Neighbor Solicitation (type 135).
    Solicitation {
        /// Target Address.
        target: Ipv6Addr,
        /// Source Link-Layer Address option; absent in duplicate address detection.
        source_mac: Option<[u8; 6]>,
    },
    /// Neighbor Advertisement (type 136).
    Advertisement {
        /// R flag.
        router: bool,
        /// S flag.
        solicited: bool,
        /// O flag.
        override_: bool,
        /// Target Address.
        target: Ipv6Addr,
        /// Target Link-Layer Address option.
        target_mac: Option<[u8; 6]>,
    },
}

impl Neighbor {
    /// Parses a message of type 135 or 136 whose checksum has been verified.
    ///
    /// # Errors
    /// [`Malformed`] as RFC 4861 7.1.1 and 7.1.2 demand (length, code, target, option lengths).
    pub fn parse(message: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(message);
        let head: &[u8; HEADER_LEN] = reader.chunk("Header")?;
        let [kind, code, ..] = *head;
        if code != 0 {
            return Err(Malformed {
                at: 1,
                field: "Code",
                rule: "must be 0",
            });
        }
        let flags = head[4] >> 5;
        let target = fixed::ipv6::<8, _>(head);
        if target.is_multicast() {
            return Err(Malformed {
                at: 8,
                field: "Target Address",
                rule: "must be unicast",
            });
        }
        let mut mac = None;
        let wanted = if kind == 135 { 1 } else { 2 };
        while !reader.rest().is_empty() {
            let at = reader.at();
            let [option, words] = reader.array("Option")?;
            let length = usize::from(words) * 8;
            let rule = "must not be 0";
            let body = length.checked_sub(2).ok_or(Malformed {
                at,
                field: "Option Length",
                rule,
            })?;
            let body = reader.take(body, "Option")?;
            if option == wanted {
                mac = Some(Reader::new(body).mac("Link-Layer Address")?);
            }
        }
        match kind {
            135 => Ok(Self::Solicitation {
                target,
                source_mac: mac,
            }),
            136 => Ok(Self::Advertisement {
                router: flags & 4 != 0,
                solicited: flags & 2 != 0,
                override_: flags & 1 != 0,
                target,
                target_mac: mac,
            }),
            _ => Err(Malformed {
                at: 0,
                field: "Type",
                rule: "must be 135 or 136",
            }),
        }
    }

    /// The message's octets with the checksum for these addresses.
    #[must_use]
    pub fn to_vec(&self, source: Ipv6Addr, destination: Ipv6Addr) -> Vec<u8> {
        let (kind, flags, target, option, mac) = match *self {
            Self::Solicitation { target, source_mac } => (135, 0, target, 1, source_mac),
            Self::Advertisement {
                router,
                solicited,
                override_,
                target,
                target_mac,
            } => {
                let flags = u8::from(router) << 7 | u8::from(solicited) << 6;
                (136, flags | u8::from(override_) << 5, target, 2, target_mac)
            }
        };
        let mut out = vec![kind, 0, 0, 0, flags, 0, 0, 0];
        out.extend_from_slice(&target.octets());
        if let Some(mac) = mac {
            out.extend_from_slice(&[option, 1]);
            out.extend_from_slice(&mac);
        }
        seal(&mut out, source, destination);
        out
    }
}

/// Stores the checksum of an ICMPv6 message whose checksum field is zero.
pub fn seal(message: &mut [u8], source: Ipv6Addr, destination: Ipv6Addr) {
    let sum = ipv6::checksum(source, destination, ipv6::ICMPV6, message).to_be_bytes();
    if let Some(field) = message.get_mut(2..4) {
        field.copy_from_slice(&sum);
    }
}

/// Whether an ICMPv6 message's checksum is right for these addresses.
#[must_use]
pub fn checksum_holds(message: &[u8], source: Ipv6Addr, destination: Ipv6Addr) -> bool {
    message.len() >= 4 && ipv6::checksum(source, destination, ipv6::ICMPV6, message) == 0
}
