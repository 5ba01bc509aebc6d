//! Which of the listeners' messages a device of the pair takes, and which queries follow from them.

use harness_wire::{Ip, MldRecord, MldView, checksum_holds};
use std::net::Ipv6Addr;

/// What a router must not drop (RFC 3810 6.2 and 7.4): hop limit 1, Router Alert, link-local
/// source, right checksum.
pub(super) fn is_valid(ip: &Ip<'_>) -> bool {
    let [first, second, ..] = ip.source.octets();
    let link_local = first == 0xfe && second & 0xc0 == 0x80;
    ip.hop_limit == 1 && !ip.router_alerts.is_empty() && link_local && checksum_holds(ip)
}

/// Whether it holds what it announces: what overruns is dropped as a whole.
pub(super) fn is_whole(view: &MldView<'_>) -> bool {
    let message = view.octets();
    let number = |at: usize| {
        let octets: Option<[u8; 2]> = message.get(at..at + 2).and_then(|o| o.try_into().ok());
        usize::from(octets.map_or(0, u16::from_be_bytes))
    };
    match view.kind() {
        143 => message.len() >= 8 && view.records().len() == number(6),
        130 => matches!(message.len(), 24 | 28..) && view.sources().len() == number(26),
        _ => message.len() >= 24,
    }
}

/// The low 64 bits, by which queriers are elected.
pub(super) const fn interface_id(address: Ipv6Addr) -> u64 {
    let [.., a, b, c, d, e, f, g, h] = address.octets();
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// Which queries a router may send because of a message (RFC 3810 7.4.1, 7.4.2, 8.3.2).
#[derive(Debug, Clone, Copy)]
pub(super) struct Asks {
    /// Multicast Address Specific ones.
    group: bool,
    /// Multicast Address and Source Specific ones.
    sources: bool,
}

impl Asks {
    pub(super) const NOTHING: Self = Self::new(false, false);
    pub(super) const ALL: Self = Self::new(true, true);

    const fn new(group: bool, sources: bool) -> Self {
        Self { group, sources }
    }

    /// For such a record, whatever the router holds.
    pub(super) fn of(record: &MldRecord<'_>) -> Self {
        match record.kind {
            1 | 2 | 5 => Self::NOTHING,
            4 => Self::new(false, !record.sources.is_empty()),
            6 => Self::new(false, true),
            _ => Self::ALL,
        }
    }

    /// Whether this query may be one of them.
    pub(super) fn may_be(self, query: &MldView<'_>) -> bool {
        if query.sources().is_empty() {
            self.group
        } else {
            self.sources
        }
    }
}
