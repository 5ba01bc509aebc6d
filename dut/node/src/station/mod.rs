//! Devices that aren't routers of the pair: an MLD listener, an MLD proxy, a snooping bridge. Their
//! configuration begins with `tandem device KIND`, and each line of it is one setting of
//! [`Settings`].

mod host;
pub mod policy;
mod proxy;
mod settings;
mod snooper;

use crate::build::{BuildError, Rules, build_with};
use crate::multicast::mld_packet;
use dut_device::{BuildSpec, Device, Event, MacAddr, PortId};
use dut_mld::Envelope;
use dut_wire::ether::{self, Frame};
use dut_wire::ipv6::{self, Packet};
use dut_wire::mld::{DONE, QUERY, REPORT_V1, REPORT_V2};
use host::Station;
use proxy::Proxy;
use settings::{Kind, Settings};
use snooper::Snooper;
use std::net::Ipv6Addr;

/// Builds the device that a configuration describes: a router, unless its first line says
/// `tandem device …`.
///
/// # Errors
/// [`BuildError::Configuration`] with every mistake of the files.
pub fn device(spec: &BuildSpec, rules: &Rules) -> Result<Box<dyn Device>, BuildError> {
    let Some(kind) = settings::kind(spec).map_err(BuildError::Configuration)? else {
        return Ok(Box::new(build_with(spec, rules)?));
    };
    let settings = Settings::parse(spec).map_err(BuildError::Configuration)?;
    Ok(match kind {
        Kind::Host => Box::new(Station::new(spec, &settings, rules.listener)),
        Kind::Snooper => Box::new(Snooper::new(spec, &settings, rules.snooper)),
        Kind::Proxy => Box::new(Proxy::new(spec, &settings, rules)),
    })
}

/// An MLD message in its frame: from `mac`, with hop limit 1 and a Router Alert.
pub(super) fn mld_frame(
    mac: MacAddr,
    (source, destination): (Ipv6Addr, Ipv6Addr),
    message: &[u8],
) -> Vec<u8> {
    let payload = mld_packet(source, destination, message);
    let frame = Frame {
        destination: ipv6::multicast_mac(destination),
        source: mac.0,
        ethertype: ether::IPV6,
        payload: &payload,
    };
    frame.to_vec()
}

/// What a received frame is to a device that cares for MLD alone.
pub(super) enum Received<'a> {
    /// An MLD message with its envelope.
    Mld(Envelope, &'a [u8]),
    /// Any other IPv6 packet.
    Packet,
    /// Not for this device, or nothing that it knows: protocol and reason.
    Refused(&'static str, &'static str),
}

/// Takes a frame apart; one for another station's address is refused.
pub(super) fn received(mac: MacAddr, octets: &[u8]) -> Received<'_> {
    let Ok(frame) = Frame::parse(octets) else {
        return Received::Refused("ethernet", "too_short");
    };
    let multicast = frame.destination.starts_with(&[0x33, 0x33]);
    if !multicast && frame.destination != mac.0 {
        return Received::Refused("ethernet", "other_destination");
    }
    of_frame(&frame)
}

/// Takes a frame apart, whomever it is for.
pub(super) fn received_by_bridge(octets: &[u8]) -> Received<'_> {
    match Frame::parse(octets) {
        Ok(frame) => of_frame(&frame),
        Err(_) => Received::Refused("ethernet", "too_short"),
    }
}

fn of_frame<'a>(frame: &Frame<'a>) -> Received<'a> {
    if frame.ethertype != ether::IPV6 {
        return Received::Refused("ethernet", "unknown_ethertype");
    }
    let Ok(packet) = Packet::parse(frame.payload) else {
        return Received::Refused("ipv6", "malformed");
    };
    let mld = [QUERY, REPORT_V1, DONE, REPORT_V2];
    let kind = packet.payload.first();
    if packet.next_header != ipv6::ICMPV6 || !kind.is_some_and(|kind| mld.contains(kind)) {
        return Received::Packet;
    }
    let envelope = Envelope {
        source: packet.source,
        destination: packet.destination,
        hop_limit: packet.hop_limit,
        router_alert: packet.router_alert,
    };
    Received::Mld(envelope, packet.payload)
}

/// A discard's event.
pub(super) const fn discard(port: PortId, protocol: &'static str, reason: &'static str) -> Event {
    Event::Discarded {
        port: Some(port),
        protocol,
        reason,
    }
}
