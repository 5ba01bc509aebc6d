//! Layer 3 interfaces.

use dut_device::{MacAddr, PortId};
use dut_mld as mld;
use std::net::Ipv6Addr;

/// What carries a layer 3 interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carrier {
    /// An Ethernet port.
    Port(PortId),
    /// An Eth-Trunk, by its index.
    Trunk(usize),
    /// Nothing: always up.
    Loopback,
}

/// A layer 3 interface.
#[derive(Debug)]
pub(crate) struct Interface {
    pub(crate) name: String,
    pub(crate) carrier: Carrier,
    pub(crate) mac: MacAddr,
    pub(crate) link_local: Ipv6Addr,
    pub(crate) addresses: Vec<(Ipv6Addr, u8)>,
    /// Whether IPv6 packets can be sent and received.
    pub(crate) up: bool,
    pub(crate) mld: Option<mld::Interface>,
    /// Groups that are forwarded here without a listener: (group, source).
    pub(crate) static_groups: Vec<(Ipv6Addr, Option<Ipv6Addr>)>,
    /// Index of the pair's bond whose profile is bound here.
    pub(crate) bond: Option<usize>,
}

impl Interface {
    /// Whether an address is this interface's own.
    pub(crate) fn owns(&self, address: Ipv6Addr) -> bool {
        address == self.link_local || self.addresses.iter().any(|(own, _)| *own == address)
    }

    /// Whether static configuration forwards (source, group) here.
    pub(crate) fn statically_forwards(&self, group: Ipv6Addr, source: Ipv6Addr) -> bool {
        let matches =
            |(g, s): &(Ipv6Addr, Option<Ipv6Addr>)| *g == group && s.is_none_or(|s| s == source);
        self.static_groups.iter().any(matches)
    }
}
