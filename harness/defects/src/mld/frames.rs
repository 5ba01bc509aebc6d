//! Wrappers of frames that MLD's defects are made with.

use crate::Frames;
use crate::octets::{octet, put_all};
use dut_device::{Instant, PortId};
use dut_wire::icmpv6::seal;
use dut_wire::ipv6::{self, Packet};
use dut_wire::mld::{DONE, Message, QUERY, REPORT_V1, REPORT_V2, Record, Report};
use std::net::Ipv6Addr;

/// Octets before the IPv6 header of an untagged frame.
const ETHERNET: usize = 14;

/// An untagged frame with an MLD message, taken apart.
#[derive(Debug, Clone)]
pub(crate) struct Mld {
    /// The MAC addresses.
    pub(crate) macs: [u8; 12],
    /// IPv6 source.
    pub(crate) source: Ipv6Addr,
    /// IPv6 destination.
    pub(crate) destination: Ipv6Addr,
    /// Hop limit.
    pub(crate) hop_limit: u8,
    /// Value of the Router Alert option.
    pub(crate) router_alert: Option<u16>,
    /// The ICMPv6 message.
    pub(crate) message: Vec<u8>,
}

impl Mld {
    /// Takes a frame apart; `None` when it is no MLD message.
    pub(crate) fn of(frame: &[u8]) -> Option<Self> {
        let macs = frame.first_chunk::<12>().copied()?;
        if frame.get(12..14) != Some(&[0x86, 0xdd]) {
            return None;
        }
        let packet = Packet::parse(frame.get(ETHERNET..)?).ok()?;
        let kind = packet.payload.first().copied()?;
        let mld = packet.next_header == ipv6::ICMPV6
            && [QUERY, REPORT_V1, DONE, REPORT_V2].contains(&kind);
        mld.then(|| Self {
            macs,
            source: packet.source,
            destination: packet.destination,
            hop_limit: packet.hop_limit,
            router_alert: packet.router_alert,
            message: packet.payload.to_vec(),
        })
    }

    /// The frame, its checksum right.
    pub(crate) fn frame(mut self) -> Vec<u8> {
        put_all(&mut self.message, 2, &[0, 0]);
        seal(&mut self.message, self.source, self.destination);
        let mut frame = self.macs.to_vec();
        frame.extend([0x86, 0xdd]);
        let packet = Packet {
            source: self.source,
            destination: self.destination,
            hop_limit: self.hop_limit,
            router_alert: self.router_alert,
            next_header: ipv6::ICMPV6,
            payload: &self.message,
        };
        packet.emit(&mut frame);
        frame
    }

    /// The message's type.
    pub(crate) fn kind(&self) -> u8 {
        octet(&self.message, 0)
    }

    /// The address that a query, a version 1 Report or a Done names.
    pub(crate) fn group(&self) -> Ipv6Addr {
        let octets = self.message.get(8..24).and_then(|o| o.try_into().ok());
        octets.map_or(Ipv6Addr::UNSPECIFIED, |o: [u8; 16]| Ipv6Addr::from(o))
    }

    /// Whether it is a general query.
    pub(crate) fn is_general(&self) -> bool {
        self.kind() == QUERY && self.group().is_unspecified()
    }

    /// Whether it is a specific query.
    pub(crate) fn is_specific(&self) -> bool {
        self.kind() == QUERY && !self.group().is_unspecified()
    }

    /// Sends it to another address and its MAC address.
    pub(crate) fn redirect(&mut self, destination: Ipv6Addr) {
        self.destination = destination;
        put_all(&mut self.macs, 0, &ipv6::multicast_mac(destination));
    }

    /// Records of a version 2 report; none of another message.
    pub(crate) fn records(&self) -> Vec<Record> {
        match Message::parse(&self.message) {
            Ok(Message::Report(report)) => report.records,
            Ok(Message::Query(_) | Message::ReportV1 { .. } | Message::Done { .. }) | Err(_) => {
                Vec::new()
            }
        }
    }

    /// Gives a report other records.
    pub(crate) fn set_records(&mut self, records: Vec<Record>) {
        self.message.clear();
        Message::Report(Report { records }).emit(&mut self.message);
    }
}

/// Changes every MLD message that leaves; `false` keeps it back.
#[derive(Debug)]
pub(crate) struct Outgoing(pub(super) fn(&mut Mld) -> bool);

impl Frames for Outgoing {
    fn sent(&mut self, _port: PortId, frame: Vec<u8>) -> Vec<Vec<u8>> {
        let Some(mut mld) = Mld::of(&frame) else {
            return vec![frame];
        };
        if (self.0)(&mut mld) {
            vec![mld.frame()]
        } else {
            Vec::new()
        }
    }
}

/// Changes the octets of every frame with an MLD message that leaves.
#[derive(Debug)]
pub(crate) struct Octets(pub(super) fn(&mut Vec<u8>));

impl Frames for Octets {
    fn sent(&mut self, _port: PortId, mut frame: Vec<u8>) -> Vec<Vec<u8>> {
        if Mld::of(&frame).is_some() {
            (self.0)(&mut frame);
        }
        vec![frame]
    }
}

/// Changes every MLD message that comes in; `false` drops it.
#[derive(Debug)]
pub(crate) struct Incoming(pub(super) fn(&mut Mld) -> bool);

impl Frames for Incoming {
    fn received(&mut self, _now: Instant, _port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        match Mld::of(frame) {
            Some(mut mld) => {
                let before = (mld.hop_limit, mld.router_alert, mld.message.clone());
                if !(self.0)(&mut mld) {
                    return Vec::new();
                }
                // What the defect leaves alone stays as it came, wrong checksums included.
                if before == (mld.hop_limit, mld.router_alert, mld.message.clone()) {
                    return vec![frame.to_vec()];
                }
                vec![mld.frame()]
            }
            None => vec![frame.to_vec()],
        }
    }
}

/// What a device with a memory does with a message that comes in.
type Remember = fn(&mut Memory, PortId, &Mld) -> bool;
/// What it does with one that leaves.
type Recall = fn(&mut Memory, PortId, &mut Mld) -> bool;

/// A device that remembers: a counter, a flag and the last report are enough for the defects here.
#[derive(Debug)]
pub(crate) struct Memory {
    /// Counts what the defect counts.
    pub(crate) count: u32,
    /// Whether what the defect waits for has happened.
    pub(crate) flag: bool,
    /// Addresses that were seen.
    pub(crate) groups: Vec<Ipv6Addr>,
    /// Whether the device's timers stand still.
    pub(crate) frozen: bool,
    /// Messages that the device is given beside the one that came.
    pub(crate) also: Vec<Mld>,
    received: Remember,
    sent: Recall,
}

impl Memory {
    /// `false` from either function drops the message.
    pub(crate) fn boxed(received: Remember, sent: Recall) -> Box<dyn Frames> {
        Box::new(Self {
            count: 0,
            flag: false,
            groups: Vec::new(),
            frozen: false,
            also: Vec::new(),
            received,
            sent,
        })
    }

    /// One that does nothing to what leaves.
    pub(crate) fn hearing(received: Remember) -> Box<dyn Frames> {
        Self::boxed(received, |_, _, _| true)
    }

    /// One that does nothing to what comes in.
    pub(crate) fn saying(sent: Recall) -> Box<dyn Frames> {
        Self::boxed(|_, _, _| true, sent)
    }
}

impl Frames for Memory {
    fn received(&mut self, _now: Instant, port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        let Some(mld) = Mld::of(frame) else {
            return vec![frame.to_vec()];
        };
        let received = self.received;
        let mut frames = Vec::new();
        if received(self, port, &mld) && !self.frozen {
            frames.push(frame.to_vec());
        }
        frames.extend(std::mem::take(&mut self.also).into_iter().map(Mld::frame));
        frames
    }

    fn sent(&mut self, port: PortId, frame: Vec<u8>) -> Vec<Vec<u8>> {
        let Some(mut mld) = Mld::of(&frame) else {
            return vec![frame];
        };
        let sent = self.sent;
        if sent(self, port, &mut mld) {
            vec![mld.frame()]
        } else {
            Vec::new()
        }
    }

    fn frozen(&self) -> bool {
        self.frozen
    }
}

/// Stands still for ever when a message is one that it can't take.
#[derive(Debug)]
pub(crate) struct Crash(pub(super) fn(&Mld) -> bool, pub(super) bool);

impl Crash {
    /// Crashes on these.
    pub(crate) fn on(fatal: fn(&Mld) -> bool) -> Box<dyn Frames> {
        Box::new(Self(fatal, false))
    }
}

impl Frames for Crash {
    fn received(&mut self, _now: Instant, _port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        self.1 |= Mld::of(frame).is_some_and(|mld| (self.0)(&mld));
        if self.1 {
            Vec::new()
        } else {
            vec![frame.to_vec()]
        }
    }

    fn frozen(&self) -> bool {
        self.1
    }
}
