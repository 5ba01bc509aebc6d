//! Ethernet, IPv6 and the Hop-by-Hop header, ICMPv6's checksum and neighbor discovery.

use super::{LONGEST, agree, mac, with_buffer};
use dut_wire::icmpv6::Neighbor;
use dut_wire::{ether, icmpv6, ipv6};
use harness_wire::layers;

/// A frame through the strict codec: decoded, encoded, decoded.
pub fn envelope(frame: &[u8]) {
    let Ok(strict) = ether::Frame::parse(frame) else {
        return;
    };
    let packet = match strict.ethertype {
        ether::IPV6 => ipv6::Packet::parse(strict.payload).ok(),
        _ => None,
    };
    // A second Hop-by-Hop header is in no packet that is built.
    let packet = packet.filter(|packet| packet.next_header != ipv6::HOP_BY_HOP);
    with_buffer(|again| {
        ether::header(again, strict.destination, strict.source, strict.ethertype);
        match &packet {
            Some(packet) => packet.emit(again),
            None => again.extend_from_slice(strict.payload),
        }
        // The same octets are read to the same packet.
        if again != frame {
            let parsed = ether::Frame::parse(again);
            let payload = parsed.map_or(&[][..], |parsed| parsed.payload);
            let payload = ether::Frame { payload, ..strict };
            assert_eq!(parsed, Ok(payload), "an Ethernet header encoded again");
            let parsed = ipv6::Packet::parse(payload.payload).ok();
            assert!(packet.is_some() && parsed == packet, "encoded again");
        }
    });
    let neighbor = |packet: &ipv6::Packet<'_>| {
        packet.next_header == ipv6::ICMPV6 && matches!(packet.payload.first(), Some(133..=137))
    };
    if let Some(packet) = packet.filter(neighbor) {
        neighbor_again(&packet);
    }
}

fn neighbor_again(packet: &ipv6::Packet<'_>) {
    let Ok(parsed) = Neighbor::parse(packet.payload) else {
        return;
    };
    let known = matches!(packet.payload.first(), Some(135 | 136));
    assert!(known, "no solicitation and no advertisement");
    let again = parsed.to_vec(packet.source, packet.destination);
    let right = icmpv6::checksum_holds(&again, packet.source, packet.destination);
    assert!(right, "the checksum of an encoded message");
    assert_eq!(
        Neighbor::parse(&again),
        Ok(parsed),
        "a message encoded again"
    );
}

/// A frame in both codecs.
pub fn envelope_agreement(frame: &[u8]) {
    if frame.len() > LONGEST {
        return;
    }
    let permissive = layers(frame);
    let strict = ether::Frame::parse(frame);
    agree(strict.is_ok(), frame.len() >= 14, "Ethernet header", frame);
    let Ok(strict) = strict else { return };
    let Some(permissive) = permissive else {
        let tagged = matches!(strict.ethertype, 0x8100 | 0x88a8);
        assert!(tagged, "the permissive codec finds no layers");
        return;
    };
    let unlike = (mac(strict.destination) ^ mac(permissive.destination))
        | (mac(strict.source) ^ mac(permissive.source));
    assert_eq!(unlike, 0, "addresses of the frame");
    if strict.ethertype != ether::IPV6 {
        return;
    }
    assert_eq!(permissive.ethertype, ether::IPV6, "EtherType");
    let Ok(packet) = ipv6::Packet::parse(strict.payload) else {
        return;
    };
    let Some(ip) = permissive.ip else {
        panic!("the permissive codec finds no packet")
    };
    let unlike = (packet.source.to_bits() ^ ip.source.to_bits())
        | (packet.destination.to_bits() ^ ip.destination.to_bits());
    assert_eq!(unlike, 0, "addresses of the packet");
    let unlike = (packet.hop_limit ^ ip.hop_limit) | (packet.next_header ^ ip.next_header);
    assert_eq!(unlike, 0, "hop limit and next header");
    let alert = ip.router_alerts.first().copied();
    assert_eq!(packet.router_alert, alert, "Router Alert");
    assert_eq!(packet.payload, ip.payload, "payload");
    if packet.next_header == ipv6::ICMPV6 {
        let (from, to) = (packet.source, packet.destination);
        let right = icmpv6::checksum_holds(packet.payload, from, to);
        assert_eq!(right, harness_wire::checksum_holds(&ip), "checksum");
    }
}
