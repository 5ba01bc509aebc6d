//! A bridge of three ports that listens in on MLD (RFC 4541): groups go to the ports whose
//! listeners report them and to those behind which a router queries. It looks at groups alone, not
//! at their sources, and says nothing itself.

use super::settings::Settings;
use super::{Received, discard, received_by_bridge};
use dut_device::{
    BuildSpec, Control, ControlError, Device, Event, Instant, MacAddr, PortId, PortInfo, Transmit,
    TxId,
};
use dut_mld::{DiscardReason, Envelope, is_forwardable};
use dut_wire::ether::{self, Frame};
use dut_wire::icmpv6::checksum_holds;
use dut_wire::ipv6::Packet;
use dut_wire::mld::{Message, Query, Record, RecordType, Refused};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::Ipv6Addr;
use std::time::Duration;

/// Most (port, group) pairs and most stations that are remembered; further ones are counted.
const LIMIT: usize = 4096;

/// A snooping bridge.
#[derive(Debug)]
pub(super) struct Snooper {
    ports: Vec<PortInfo>,
    up: BTreeSet<PortId>,
    /// Multicast Address Listening Interval.
    listening: Duration,
    /// Other Querier Present Timeout.
    querier_present: Duration,
    robustness: u32,
    /// Until when a router is taken to stand behind a port.
    routers: BTreeMap<PortId, Instant>,
    /// Until when a port has listeners of a group.
    members: BTreeMap<(Ipv6Addr, PortId), Instant>,
    stations: BTreeMap<[u8; 6], PortId>,
    transmits: VecDeque<Transmit>,
    events: VecDeque<Event>,
    sent: u64,
}

impl Snooper {
    pub(super) fn new(spec: &BuildSpec, settings: &Settings) -> Self {
        let MacAddr([a, b, c, d, e, f]) = spec.base_mac;
        let port = |number: u8| PortInfo {
            id: PortId(number.into()),
            name: format!("eth{number}"),
            mac: MacAddr([a, b, c, d, e, f.wrapping_add(number)]),
        };
        let robustness = u32::from(settings.host.robustness.max(1));
        let present = settings.host.query_interval * robustness;
        Self {
            ports: (0..3).map(port).collect(),
            up: BTreeSet::new(),
            listening: present + settings.query_response_interval,
            querier_present: present + settings.query_response_interval / 2,
            robustness,
            routers: BTreeMap::new(),
            members: BTreeMap::new(),
            stations: BTreeMap::new(),
            transmits: VecDeque::new(),
            events: VecDeque::new(),
            sent: 0,
        }
    }

    fn send(&mut self, from: PortId, frame: &[u8], to: impl Fn(&Self, PortId) -> bool) {
        let ports: Vec<PortId> = self.up.iter().copied().collect();
        for port in ports.into_iter().filter(|port| *port != from) {
            if to(self, port) {
                self.sent += 1;
                self.transmits.push_back(Transmit {
                    port,
                    tx: TxId(self.sent),
                    frame: frame.to_vec(),
                });
            }
        }
    }

    fn has_router(&self, port: PortId) -> bool {
        self.routers.contains_key(&port)
    }

    /// RFC 4541 2.1.1, 3: what passes on, and what is learnt from it. A message that is wrong
    /// teaches nothing and isn't passed on.
    fn mld(&mut self, now: Instant, port: PortId, frame: &[u8], envelope: Envelope, icmp: &[u8]) {
        if let Some(reason) = refuses(&envelope, icmp) {
            self.events.push_back(discard(port, "mld", reason.name()));
            return;
        }
        match Message::parse(icmp) {
            // A report may come from `::`, a query mayn't (RFC 3810 5.1.14).
            Ok(Message::Query(_)) if envelope.source.is_unspecified() => {
                let reason = DiscardReason::SourceUnspecified.name();
                self.events.push_back(discard(port, "mld", reason));
            }
            Ok(Message::Query(query)) => {
                self.routers.insert(port, now + self.querier_present);
                self.lower(now, &query);
                self.send(port, frame, |_, _| true);
            }
            Ok(Message::ReportV1 { group }) => {
                self.member(now, port, group);
                self.send(port, frame, Self::has_router);
            }
            Ok(Message::Report(report)) => {
                let wanting = report.records.iter().filter(|record| wants(record));
                for record in wanting {
                    self.member(now, port, record.group);
                }
                self.send(port, frame, Self::has_router);
            }
            Ok(Message::Done { .. }) => self.send(port, frame, Self::has_router),
            Err(Refused::Type(_)) => self.send(port, frame, |_, _| true),
            Err(_) => self.events.push_back(discard(port, "mld", "malformed")),
        }
    }

    fn member(&mut self, now: Instant, port: PortId, group: Ipv6Addr) {
        let known = self.members.contains_key(&(group, port));
        if !is_forwardable(group) {
            return;
        }
        if !known && self.members.len() >= LIMIT {
            self.events.push_back(discard(port, "mld", "group_limit"));
            return;
        }
        self.members.insert((group, port), now + self.listening);
    }

    /// A specific query asks who is left: listeners answer within its delay, RV times.
    fn lower(&mut self, now: Instant, query: &Query) {
        if query.group().is_unspecified() || query.suppress() || !query.sources().is_empty() {
            return;
        }
        let until = now + query.maximum_response_delay() * self.robustness;
        let group = query.group();
        for ((_, _), expiry) in self.members.iter_mut().filter(|((g, _), _)| *g == group) {
            *expiry = (*expiry).min(until);
        }
    }

    fn data(&mut self, port: PortId, frame: &[u8]) {
        let Ok(Frame {
            destination,
            source,
            ethertype,
            payload,
        }) = Frame::parse(frame)
        else {
            self.events
                .push_back(discard(port, "ethernet", "too_short"));
            return;
        };
        let room = self.stations.len() < LIMIT || self.stations.contains_key(&source);
        if source[0] & 1 == 0 && room {
            self.stations.insert(source, port);
        }
        if let Some(known) = self.stations.get(&destination).copied() {
            return self.send(port, frame, |_, to| to == known);
        }
        let packet = Packet::parse(payload)
            .ok()
            .filter(|_| ethertype == ether::IPV6);
        let group = packet.map(|packet| packet.destination);
        match group.filter(|group| is_forwardable(*group)) {
            // Routers get everything; others what they have asked for (RFC 4541 2.1.2).
            Some(group) => self.send(port, frame, |bridge, to| {
                bridge.has_router(to) || bridge.members.contains_key(&(group, to))
            }),
            None => self.send(port, frame, |_, _| true),
        }
    }
}

/// Whether a record says that there are listeners.
const fn wants(record: &Record) -> bool {
    match record.record_type {
        RecordType::ModeIsExclude | RecordType::ChangeToExclude => true,
        RecordType::ModeIsInclude | RecordType::ChangeToInclude | RecordType::AllowNewSources => {
            !record.sources.is_empty()
        }
        RecordType::BlockOldSources | RecordType::Unknown(_) => false,
    }
}

/// Why nothing is learnt of a message. A report from `::` is a listener's without an address yet.
fn refuses(envelope: &Envelope, icmpv6: &[u8]) -> Option<DiscardReason> {
    let source = envelope.source;
    if !checksum_holds(icmpv6, source, envelope.destination) {
        Some(DiscardReason::BadChecksum)
    } else if envelope.hop_limit != 1 {
        Some(DiscardReason::HopLimit)
    } else if envelope.router_alert.is_none() {
        Some(DiscardReason::NoRouterAlert)
    } else if !source.is_unspecified() && !source.is_unicast_link_local() {
        Some(DiscardReason::SourceNotLinkLocal)
    } else {
        None
    }
}

impl Device for Snooper {
    fn ports(&self) -> &[PortInfo] {
        &self.ports
    }

    fn handle_frame(&mut self, now: Instant, port: PortId, frame: &[u8]) {
        self.handle_timeout(now);
        match received_by_bridge(frame) {
            Received::Mld(envelope, message) => self.mld(now, port, frame, envelope, message),
            Received::Packet | Received::Refused(..) => self.data(port, frame),
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.routers.retain(|_, until| *until > now);
        self.members.retain(|_, until| *until > now);
    }

    fn handle_control(&mut self, _now: Instant, control: &Control) -> Result<(), ControlError> {
        match control {
            Control::LinkUp(port) | Control::LinkDown(port)
                if usize::from(port.0) >= self.ports.len() =>
            {
                Err(ControlError::UnknownPort(*port))
            }
            Control::LinkUp(port) => {
                self.up.insert(*port);
                Ok(())
            }
            Control::LinkDown(port) => {
                self.up.remove(port);
                self.routers.remove(port);
                self.members.retain(|(_, member), _| member != port);
                self.stations.retain(|_, station| station != port);
                Ok(())
            }
            Control::Command(text) => Err(ControlError::UnknownCommand(format!(
                "`{text}`: a snooping bridge takes no commands"
            ))),
        }
    }

    fn handle_transmitted(&mut self, _at: Instant, _tx: TxId) {}

    fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn next_timeout(&self) -> Option<Instant> {
        self.routers
            .values()
            .chain(self.members.values())
            .min()
            .copied()
    }
}
