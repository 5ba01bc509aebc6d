//! An Eth-Trunk in the node: LACP or manual, its ports, and which of them a frame leaves by.

use dut_device::{MacAddr, PortId};
use dut_lacp::EthTrunk;

/// An Eth-Trunk.
#[derive(Debug)]
pub(crate) struct Trunk {
    pub(crate) id: u16,
    pub(crate) mac: MacAddr,
    pub(crate) ports: Vec<PortId>,
    /// Protocol_DA of its ports.
    pub(crate) protocol_da: [u8; 6],
    /// `None` in manual mode.
    pub(crate) lacp: Option<EthTrunk>,
    /// Ports with a carrier, in manual mode.
    pub(crate) manual_up: Vec<PortId>,
    /// The layer 3 interface on it, by its index.
    pub(crate) interface: Option<usize>,
    /// Index of the pair's bond that it is a member of.
    pub(crate) bond: Option<usize>,
    /// Megabits per second of one port.
    pub(crate) port_mbps: u32,
}

impl Trunk {
    /// Whether it carries traffic.
    pub(crate) fn oper_up(&self) -> bool {
        match &self.lacp {
            Some(lacp) => lacp.oper_up(),
            None => !self.manual_up.is_empty(),
        }
    }

    /// Whether data that came in by a port is taken.
    pub(crate) fn accepts(&self, port: PortId) -> bool {
        match &self.lacp {
            //= LACP-118
            Some(lacp) => lacp.oper_up() && lacp.collecting(port),
            None => self.manual_up.contains(&port),
        }
    }

    /// The port that a frame leaves by: one conversation always takes the same while the set of
    /// distributing ports stays.
    pub(crate) fn choose(&self, frame: &[u8]) -> Option<PortId> {
        if !self.oper_up() {
            return None;
        }
        let usable = |port: &&PortId| match &self.lacp {
            Some(lacp) => lacp.distributing(**port),
            None => self.manual_up.contains(port),
        };
        let count = self.ports.iter().filter(usable).count();
        let index = flow_hash(frame).checked_rem(u64::try_from(count).ok()?)?;
        self.ports
            .iter()
            .filter(usable)
            .nth(usize::try_from(index).ok()?)
            .copied()
    }
}

/// FNV-1a over the addresses of a flow: Ethernet's, and IPv6's where there are any.
fn flow_hash(frame: &[u8]) -> u64 {
    let ethernet = frame.get(..12).unwrap_or_default();
    let ipv6 = match frame.get(12..14) {
        Some([0x86, 0xdd]) => frame.get(22..54).unwrap_or_default(),
        _ => &[],
    };
    let step = |hash: u64, octet: &u8| (hash ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3);
    let hash = ethernet
        .iter()
        .chain(ipv6)
        .fold(0xcbf2_9ce4_8422_2325, step);
    // The low bits of FNV are weak for few ports.
    hash ^ (hash >> 29)
}
