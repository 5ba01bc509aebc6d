//! Defects that change MLD messages on their way in or out.

use crate::Frames;
use crate::octets::put_all;
use dut_device::{Instant, PortId};
use dut_wire::ether::Frame;
use dut_wire::icmpv6;
use dut_wire::ipv6::{ICMPV6, Packet};
use dut_wire::mld::{DONE, QUERY, REPORT_V1, REPORT_V2};

/// What is done to a packet and the message in it; its checksum is made right afterwards.
pub(super) type Change = fn(&mut Packet<'_>, &mut Vec<u8>);

/// A frame with its MLD message changed; any other frame as it was.
fn changed(octets: &[u8], kinds: &[u8], change: Change) -> Vec<u8> {
    let unchanged = || octets.to_vec();
    let Ok(frame) = Frame::parse(octets) else {
        return unchanged();
    };
    let Ok(mut packet) = Packet::parse(frame.payload) else {
        return unchanged();
    };
    let mut message = packet.payload.to_vec();
    let ours = message.first().is_some_and(|kind| kinds.contains(kind));
    // A message that is wrong already stays so.
    let right = icmpv6::checksum_holds(&message, packet.source, packet.destination);
    if packet.next_header != ICMPV6 || !ours || !right {
        return unchanged();
    }
    change(&mut packet, &mut message);
    put_all(&mut message, 2, &[0, 0]);
    icmpv6::seal(&mut message, packet.source, packet.destination);
    packet.payload = &message;
    let mut payload = Vec::new();
    packet.emit(&mut payload);
    let frame = Frame {
        payload: &payload,
        ..frame
    };
    frame.to_vec()
}

/// Changes what the listener sends.
#[derive(Debug)]
pub(super) struct Sends(pub(super) Change);

impl Frames for Sends {
    fn sent(&mut self, _port: PortId, frame: Vec<u8>) -> Vec<Vec<u8>> {
        vec![changed(&frame, &[REPORT_V1, DONE, REPORT_V2], self.0)]
    }
}

/// Changes the queries that the listener gets.
#[derive(Debug)]
pub(super) struct Hears(pub(super) Change);

impl Frames for Hears {
    fn received(&mut self, _now: Instant, _port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        vec![changed(frame, &[QUERY], self.0)]
    }
}

/// Drops the queries for which this holds.
#[derive(Debug)]
pub(super) struct Drops(pub(super) fn(&[u8]) -> bool);

impl Frames for Drops {
    fn received(&mut self, _now: Instant, _port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        let packet = Frame::parse(frame).ok().map(|frame| frame.payload);
        let packet = packet.and_then(|octets| Packet::parse(octets).ok());
        let message = packet.map_or(&[][..], |packet| packet.payload);
        if message.first() == Some(&QUERY) && (self.0)(message) {
            Vec::new()
        } else {
            vec![frame.to_vec()]
        }
    }
}
