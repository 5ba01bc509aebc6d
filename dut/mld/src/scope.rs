//! What the scope of a multicast address decides (RFC 4291 2.7, RFC 3810 6, RFC 4607 1).

use dut_wire::mld::ALL_NODES;
use std::net::Ipv6Addr;

/// The scope field.
const fn scope(group: Ipv6Addr) -> u8 {
    let [_, flags_and_scope, ..] = group.octets();
    flags_and_scope & 0x0f
}

/// Whether listeners of this group are tracked: multicast, wider than interface-local, and not
/// all-nodes.
#[must_use]
pub fn is_tracked(group: Ipv6Addr) -> bool {
    //= MLD-038
    //= MLD-108
    group.is_multicast() && scope(group) > 1 && group != ALL_NODES
}

/// Whether a router forwards to this group at all: wider than link-local.
#[must_use]
pub fn is_forwardable(group: Ipv6Addr) -> bool {
    //= MLD-107
    is_tracked(group) && scope(group) > 2
}

/// Whether the group is source-specific: ff3x::/32.
#[must_use]
pub const fn is_source_specific(group: Ipv6Addr) -> bool {
    let [first, second, third, fourth, ..] = group.octets();
    first == 0xff && second >> 4 == 3 && third == 0 && fourth == 0
}

/// Whether an address is in fe80::/10.
pub(crate) const fn is_link_local(address: Ipv6Addr) -> bool {
    address.is_unicast_link_local()
}

/// The low 64 bits, which the querier election compares as one big-endian number.
pub(crate) const fn interface_id(address: Ipv6Addr) -> u64 {
    //= MLD-065
    let [.., a, b, c, d, e, f, g, h] = address.octets();
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}
