//! IPv6: what is for the node, what it forwards, and neighbour discovery on its links.

use crate::neighbor::Wish;
use crate::node::Node;
use dut_device::{Instant, PortId};
use dut_mld::Envelope;
use dut_wire::icmpv6::{self, Neighbor};
use dut_wire::ipv6::{self, Packet};
use std::net::Ipv6Addr;

const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

impl Node {
    pub(crate) fn ipv6(&mut self, now: Instant, port: PortId, index: usize, octets: &[u8]) {
        let Ok(packet) = Packet::parse(octets) else {
            self.discard(Some(port), "ipv6", "malformed");
            return;
        };
        if packet.source.is_multicast() {
            self.discard(Some(port), "ipv6", "multicast_source");
            return;
        }
        if packet.next_header == ipv6::ICMPV6 && self.icmpv6(now, port, index, &packet) {
            return;
        }
        if packet.destination.is_multicast() {
            self.forward_multicast(now, port, index, &packet, octets);
        } else if self.owns(packet.destination) {
            self.host.receive(octets);
        } else {
            self.forward_unicast(now, port, &packet, octets);
        }
    }

    /// Whether any interface has this address.
    pub(crate) fn owns(&self, address: Ipv6Addr) -> bool {
        self.interfaces
            .iter()
            .any(|interface| interface.owns(address))
    }

    /// Neighbour discovery, MLD and echo; `false` when the packet is to be handled as any other.
    fn icmpv6(&mut self, now: Instant, port: PortId, index: usize, packet: &Packet<'_>) -> bool {
        match packet.payload.first() {
            Some(130..=132 | 143) => {
                self.mld(now, port, index, packet);
                true
            }
            Some(135 | 136) => {
                self.neighbor_discovery(now, port, index, packet);
                true
            }
            Some(128) if self.owns(packet.destination) => {
                self.echo(now, port, packet);
                true
            }
            _ => false,
        }
    }

    fn mld(&mut self, now: Instant, port: PortId, index: usize, packet: &Packet<'_>) {
        let Some(interface) = self.interfaces.get_mut(index) else {
            return;
        };
        // A message to any address of the receiving interface counts; to somebody else's it
        // doesn't.
        if !packet.destination.is_multicast() && !interface.owns(packet.destination) {
            self.discard(Some(port), "mld", "other_destination");
            return;
        }
        let Some(mld) = interface.mld.as_mut().filter(|mld| mld.is_up()) else {
            self.discard(Some(port), "mld", "not_enabled");
            return;
        };
        let envelope = Envelope {
            source: packet.source,
            destination: packet.destination,
            hop_limit: packet.hop_limit,
            router_alert: packet.router_alert,
        };
        mld.handle_message(now, &envelope, packet.payload);
    }

    fn neighbor_discovery(
        &mut self,
        now: Instant,
        port: PortId,
        index: usize,
        packet: &Packet<'_>,
    ) {
        if packet.hop_limit != 255 {
            self.discard(Some(port), "nd", "hop_limit");
            return;
        }
        if !icmpv6::checksum_holds(packet.payload, packet.source, packet.destination) {
            self.discard(Some(port), "nd", "bad_checksum");
            return;
        }
        let Ok(message) = Neighbor::parse(packet.payload) else {
            self.discard(Some(port), "nd", "malformed");
            return;
        };
        match message {
            Neighbor::Solicitation { target, source_mac } => {
                let probe = packet.source.is_unspecified();
                if probe && source_mac.is_some() {
                    self.discard(Some(port), "nd", "malformed");
                    return;
                }
                if let (Some(mac), false) = (source_mac, probe) {
                    self.neighbors.heard(index, packet.source, mac);
                }
                self.advertise(index, target, packet.source, source_mac);
            }
            Neighbor::Advertisement {
                solicited,
                override_,
                target,
                target_mac,
                ..
            } => {
                self.neighbors
                    .advertised(now, index, target, target_mac, solicited, override_);
            }
        }
    }

    /// Answers a solicitation for one of the interface's addresses.
    fn advertise(&mut self, index: usize, target: Ipv6Addr, to: Ipv6Addr, mac: Option<[u8; 6]>) {
        let Some(interface) = self.interfaces.get(index).filter(|i| i.owns(target)) else {
            return;
        };
        // To duplicate address detection the answer goes to all nodes, unsolicited.
        let probe = to.is_unspecified();
        let destination = if probe { ALL_NODES } else { to };
        let advertisement = Neighbor::Advertisement {
            router: true,
            solicited: !probe,
            override_: true,
            target,
            target_mac: Some(interface.mac.0),
        };
        let message = advertisement.to_vec(target, destination);
        let packet = nd_packet(target, destination, &message);
        let destination_mac = match mac {
            Some(mac) if !probe => mac,
            _ => ipv6::multicast_mac(destination),
        };
        if destination.is_multicast() || mac.is_some() {
            self.send_on_interface(index, destination_mac, &packet);
        }
    }

    /// Says unsolicited that the interface's addresses are here.
    pub(crate) fn announce(&mut self, index: usize) {
        let Some(interface) = self.interfaces.get(index) else {
            return;
        };
        let mac = interface.mac.0;
        let global = interface.addresses.iter().map(|(address, _)| *address);
        let addresses: Vec<Ipv6Addr> = global.chain([interface.link_local]).collect();
        for target in addresses {
            let advertisement = Neighbor::Advertisement {
                router: true,
                solicited: false,
                override_: true,
                target,
                target_mac: Some(mac),
            };
            let message = advertisement.to_vec(target, ALL_NODES);
            let packet = nd_packet(target, ALL_NODES, &message);
            self.send_on_interface(index, ipv6::multicast_mac(ALL_NODES), &packet);
        }
    }

    fn echo(&mut self, now: Instant, port: PortId, packet: &Packet<'_>) {
        if !icmpv6::checksum_holds(packet.payload, packet.source, packet.destination) {
            self.discard(Some(port), "ipv6", "bad_checksum");
            return;
        }
        let mut message = packet.payload.to_vec();
        for (to, from) in message.iter_mut().zip([129, 0, 0, 0]) {
            *to = from;
        }
        icmpv6::seal(&mut message, packet.destination, packet.source);
        let reply = Packet {
            source: packet.destination,
            destination: packet.source,
            hop_limit: 64,
            router_alert: None,
            next_header: ipv6::ICMPV6,
            payload: &message,
        };
        let mut octets = Vec::new();
        reply.emit(&mut octets);
        self.route(now, &octets);
    }

    fn forward_unicast(&mut self, now: Instant, port: PortId, packet: &Packet<'_>, octets: &[u8]) {
        let scoped = packet.destination.is_unicast_link_local()
            || packet.source.is_unicast_link_local()
            || packet.destination.is_loopback();
        if scoped {
            self.discard(Some(port), "ipv6", "link_local_not_forwarded");
            return;
        }
        match decremented(octets) {
            Some(forwarded) => self.route(now, &forwarded),
            None => self.discard(Some(port), "ipv6", "hop_limit_exceeded"),
        }
    }

    /// Sends a packet by the routing table.
    pub(crate) fn route(&mut self, now: Instant, octets: &[u8]) {
        let Ok(packet) = Packet::parse(octets) else {
            return;
        };
        let destination = packet.destination;
        let interfaces = &self.interfaces;
        let usable = |index: usize| interfaces.get(index).is_some_and(|interface| interface.up);
        let Some(route) = self.routes.lookup(destination, usable) else {
            self.discard(None, "ipv6", "no_route");
            return;
        };
        let next = route.next_hop.unwrap_or(destination);
        if let Some(mac) = self.neighbors.resolve(now, route.interface, next, octets) {
            self.send_on_interface(route.interface, mac, octets);
        }
    }

    pub(crate) fn grant(&mut self, wish: Wish) {
        match wish {
            Wish::Send {
                interface,
                mac,
                packet,
            } => self.send_on_interface(interface, mac, &packet),
            Wish::Solicit {
                interface,
                target,
                unicast,
            } => {
                let Some(own) = self.interfaces.get(interface) else {
                    return;
                };
                let on_link = |(address, length): &&(Ipv6Addr, u8)| {
                    let shift = 128_u32.saturating_sub(u32::from(*length));
                    let prefix = |a: Ipv6Addr| u128::from(a).checked_shr(shift);
                    prefix(*address) == prefix(target)
                };
                let global = own
                    .addresses
                    .iter()
                    .find(on_link)
                    .map(|(address, _)| *address);
                let source = global.unwrap_or(own.link_local);
                let group = ipv6::solicited_node(target);
                let destination = if unicast.is_some() { target } else { group };
                let solicitation = Neighbor::Solicitation {
                    target,
                    source_mac: Some(own.mac.0),
                };
                let message = solicitation.to_vec(source, destination);
                let packet = nd_packet(source, destination, &message);
                let mac = unicast.unwrap_or_else(|| ipv6::multicast_mac(group));
                self.send_on_interface(interface, mac, &packet);
            }
        }
    }
}

fn nd_packet(source: Ipv6Addr, destination: Ipv6Addr, message: &[u8]) -> Vec<u8> {
    let packet = Packet {
        source,
        destination,
        hop_limit: 255,
        router_alert: None,
        next_header: ipv6::ICMPV6,
        payload: message,
    };
    let mut octets = Vec::with_capacity(ipv6::HEADER_LEN + message.len());
    packet.emit(&mut octets);
    octets
}

/// A packet with its hop limit one lower; `None` when that ends its way.
pub(crate) fn decremented(octets: &[u8]) -> Option<Vec<u8>> {
    let mut forwarded = octets.to_vec();
    let limit = forwarded.get_mut(7)?;
    *limit = limit.checked_sub(1).filter(|limit| *limit > 0)?;
    Some(forwarded)
}
