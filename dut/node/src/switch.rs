//! The VLAN bridge of a switch (DeviceC): learns source addresses, never forwards slow protocols.

use crate::port::PortRole;
use dut_device::{Instant, PortId};
use std::collections::BTreeMap;
use std::time::Duration;

/// Ageing time of a learnt address (IEEE 802.1Q 8.8.3's default).
const AGEING: Duration = Duration::from_secs(300);
/// Addresses kept: a flood must not fill the memory.
const ADDRESSES: usize = 4096;

/// A port of the bridge: an access port, or an Eth-Trunk as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum BridgePort {
    /// An Ethernet port.
    Port(PortId),
    /// An Eth-Trunk, by its index.
    Trunk(usize),
}

/// The bridge.
#[derive(Debug, Default)]
pub(crate) struct Bridge {
    /// Members by VLAN.
    pub(crate) members: BTreeMap<u16, Vec<BridgePort>>,
    learnt: BTreeMap<(u16, [u8; 6]), (BridgePort, Instant)>,
}

impl Bridge {
    /// The VLAN of a bridge port.
    pub(crate) fn vlan_of(&self, port: BridgePort) -> Option<u16> {
        let member = |(_, ports): &(&u16, &Vec<BridgePort>)| ports.contains(&port);
        self.members.iter().find(member).map(|(vlan, _)| *vlan)
    }

    /// Where a frame goes that came in by `from`.
    pub(crate) fn forward(
        &mut self,
        now: Instant,
        from: BridgePort,
        frame: &[u8],
    ) -> Vec<BridgePort> {
        let Some(vlan) = self.vlan_of(from) else {
            return Vec::new();
        };
        let mac = |at: usize| {
            frame
                .get(at..at + 6)
                .and_then(|mac| <[u8; 6]>::try_from(mac).ok())
        };
        let (Some(destination), Some(source)) = (mac(0), mac(6)) else {
            return Vec::new();
        };
        // 01-80-C2-00-00-00 to -0F stay on their link (IEEE 802.1Q 8.6.3).
        if matches!(destination, [0x01, 0x80, 0xc2, 0, 0, last] if last < 0x10) {
            return Vec::new();
        }
        if source.first().is_some_and(|first| first & 1 == 0) {
            if self.learnt.len() >= ADDRESSES {
                self.learnt.retain(|_, (_, seen)| now.since(*seen) < AGEING);
            }
            if self.learnt.len() < ADDRESSES || self.learnt.contains_key(&(vlan, source)) {
                self.learnt.insert((vlan, source), (from, now));
            }
        }
        let known = self.learnt.get(&(vlan, destination));
        match known.filter(|(_, seen)| now.since(*seen) < AGEING) {
            Some((to, _)) if *to == from => Vec::new(),
            Some((to, _)) => vec![*to],
            None => {
                let members = self
                    .members
                    .get(&vlan)
                    .map(Vec::as_slice)
                    .unwrap_or_default();
                members.iter().copied().filter(|to| *to != from).collect()
            }
        }
    }

    /// A port went down: what was learnt there is forgotten.
    pub(crate) fn forget(&mut self, port: BridgePort) {
        self.learnt.retain(|_, (at, _)| *at != port);
    }

    /// Whether this device bridges at all.
    pub(crate) fn is_used(&self) -> bool {
        !self.members.is_empty()
    }
}

/// The bridge port that a port's frames belong to.
pub(crate) const fn bridge_port(port: PortId, role: PortRole) -> Option<BridgePort> {
    match role {
        PortRole::Trunk(trunk) => Some(BridgePort::Trunk(trunk)),
        PortRole::Access(_) => Some(BridgePort::Port(port)),
        PortRole::Routed(_) | PortRole::Unused => None,
    }
}
