//! Ethernet: which engine a received frame is for, and by which port a frame leaves.

use crate::interface::Carrier;
use crate::node::Node;
use crate::port::{Port, PortRole};
use crate::switch::{BridgePort, bridge_port};
use dut_device::{Instant, PortId};
use dut_wire::ether::{self, Frame};

/// Destination of slow protocol frames.
const SLOW_PROTOCOLS_MULTICAST: [u8; 6] = [0x01, 0x80, 0xc2, 0x00, 0x00, 0x02];

impl Node {
    pub(crate) fn ethernet(&mut self, now: Instant, id: PortId, octets: &[u8]) {
        let Some(port) = self.ports.get(usize::from(id.0)) else {
            return;
        };
        if !port.up() {
            return;
        }
        let (role, mac) = (port.role, port.mac);
        let Ok(frame) = Frame::parse(octets) else {
            self.discard(Some(id), "ethernet", "too_short");
            return;
        };
        if frame.ethertype == ether::SLOW_PROTOCOLS {
            self.slow(now, id, role, &frame);
            return;
        }
        let interface = match role {
            PortRole::Trunk(index) => {
                let Some(trunk) = self.trunks.get(index) else {
                    return;
                };
                if !trunk.accepts(id) {
                    //= LACP-118
                    self.discard(Some(id), "ethernet", "not_collecting");
                    return;
                }
                let interface = trunk.interface;
                self.bridge_frame(now, BridgePort::Trunk(index), octets);
                interface
            }
            PortRole::Access(_) => {
                self.bridge_frame(now, BridgePort::Port(id), octets);
                None
            }
            PortRole::Routed(index) => Some(index),
            PortRole::Unused => None,
        };
        let Some(index) = interface else { return };
        if frame.source == mac.0 {
            // A looped frame of our own.
            self.discard(Some(id), "ethernet", "own_source");
            return;
        }
        let Some(interface) = self.interfaces.get(index) else {
            return;
        };
        let multicast = frame
            .destination
            .first()
            .is_some_and(|first| first & 1 == 1);
        if !multicast && frame.destination != interface.mac.0 {
            self.discard(Some(id), "ethernet", "other_destination");
            return;
        }
        if frame.ethertype == ether::IPV6 {
            if multicast && frame.destination.get(..2) != Some(&[0x33, 0x33]) {
                self.discard(Some(id), "ethernet", "other_destination");
                return;
            }
            self.ipv6(now, id, index, frame.payload);
        } else {
            self.discard(Some(id), "ethernet", "unknown_ethertype");
        }
    }

    /// Slow protocol frames end here, whatever they are: they are never forwarded.
    //= LACP-007
    fn slow(&mut self, now: Instant, id: PortId, role: PortRole, frame: &Frame<'_>) {
        let PortRole::Trunk(index) = role else {
            self.discard(Some(id), "lacp", "no_aggregation_port");
            return;
        };
        //= LACP-005
        //= LACP-011
        if self.protocol_da(id) != frame.destination {
            self.discard(Some(id), "lacp", "other_destination");
            return;
        }
        let lacp = self
            .trunks
            .get_mut(index)
            .and_then(|trunk| trunk.lacp.as_mut());
        match lacp {
            Some(lacp) => lacp.handle_slow(now, id, frame.payload),
            None => self.discard(Some(id), "lacp", "no_aggregation_port"),
        }
    }

    /// Protocol_DA of a port; that of the Slow Protocols unless another one is configured.
    fn protocol_da(&self, id: PortId) -> [u8; 6] {
        let of_port = self.trunks.iter().find(|trunk| trunk.ports.contains(&id));
        of_port.map_or(SLOW_PROTOCOLS_MULTICAST, |trunk| trunk.protocol_da)
    }

    //= LACP-001
    //= LACP-003
    //= LACP-011
    pub(crate) fn send_slow(&mut self, id: PortId, payload: &[u8]) {
        let Some(port) = self.ports.get(usize::from(id.0)) else {
            return;
        };
        let frame = Frame {
            destination: self.protocol_da(id),
            source: port.mac.0,
            ethertype: ether::SLOW_PROTOCOLS,
            payload,
        };
        self.send_on_port(id, frame.to_vec());
    }

    fn bridge_frame(&mut self, now: Instant, from: BridgePort, octets: &[u8]) {
        if !self.bridge.is_used() {
            return;
        }
        for to in self.bridge.forward(now, from, octets) {
            match to {
                BridgePort::Port(port) => self.send_on_port(port, octets.to_vec()),
                BridgePort::Trunk(trunk) => {
                    let port = self
                        .trunks
                        .get(trunk)
                        .and_then(|trunk| trunk.choose(octets));
                    if let Some(port) = port {
                        self.send_on_port(port, octets.to_vec());
                    }
                }
            }
        }
    }

    /// Sends a frame out of a layer 3 interface.
    pub(crate) fn send_on_interface(&mut self, index: usize, destination: [u8; 6], packet: &[u8]) {
        let Some(interface) = self.interfaces.get(index).filter(|interface| interface.up) else {
            return;
        };
        let source = interface.mac.0;
        let frame = Frame {
            destination,
            source,
            ethertype: ether::IPV6,
            payload: packet,
        }
        .to_vec();
        let port = match interface.carrier {
            Carrier::Port(port) => Some(port),
            Carrier::Trunk(trunk) => self
                .trunks
                .get(trunk)
                .and_then(|trunk| trunk.choose(&frame)),
            Carrier::Loopback => None,
        };
        if let Some(port) = port {
            self.send_on_port(port, frame);
        }
    }

    /// The bridge port of a port, for the build.
    pub(crate) fn bridge_port_of(port: &Port) -> Option<BridgePort> {
        bridge_port(port.id, port.role)
    }
}
