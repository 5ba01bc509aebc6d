//! A bridge of three ports that listens in on MLD (RFC 4541): groups go to the ports whose
//! listeners report them and to those behind which a router queries. It looks at groups alone, not
//! at their sources, and says nothing itself.

use super::policy::{Intervals, Known, SnooperPolicy};
use super::settings::Settings;
use super::{Received, discard, received_by_bridge};
use dut_device::{
    BuildSpec, Control, ControlError, Device, Event, Instant, MacAddr, PortId, PortInfo, Transmit,
    TxId,
};
use dut_mld::{DiscardReason, Envelope};
use dut_wire::ether::{self, Frame};
use dut_wire::icmpv6::checksum_holds;
use dut_wire::ipv6::Packet;
use dut_wire::mld::{Message, Query};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::Ipv6Addr;

/// Most (port, group) pairs and most stations that are remembered; further ones are counted.
const LIMIT: usize = 4096;

/// A snooping bridge.
#[derive(Debug)]
pub(super) struct Snooper {
    ports: Vec<PortInfo>,
    up: BTreeSet<PortId>,
    policy: SnooperPolicy,
    intervals: Intervals,
    /// Until when a router is taken to stand behind a port.
    routers: BTreeMap<PortId, Instant>,
    /// Until when a port has listeners of a group, by the group's key.
    members: BTreeMap<(Ipv6Addr, PortId), Instant>,
    stations: BTreeMap<[u8; 6], PortId>,
    transmits: VecDeque<Transmit>,
    events: VecDeque<Event>,
    sent: u64,
}

impl Snooper {
    pub(super) fn new(spec: &BuildSpec, settings: &Settings, policy: SnooperPolicy) -> Self {
        let MacAddr([a, b, c, d, e, f]) = spec.base_mac;
        let port = |number: u8| PortInfo {
            id: PortId(number.into()),
            name: format!("eth{number}"),
            mac: MacAddr([a, b, c, d, e, f.wrapping_add(number)]),
        };
        Self {
            ports: (0..3).map(port).collect(),
            up: BTreeSet::new(),
            policy,
            intervals: Intervals::of(settings),
            routers: BTreeMap::new(),
            members: BTreeMap::new(),
            stations: BTreeMap::new(),
            transmits: VecDeque::new(),
            events: VecDeque::new(),
            sent: 0,
        }
    }

    fn send(&mut self, from: PortId, frame: &[u8], group: Ipv6Addr, to: fn(Known) -> bool) {
        let key = (self.policy.key)(group);
        let registered = self.members.keys().any(|(member, _)| *member == key);
        let known = |port: PortId| Known {
            port,
            arrived: port == from,
            router: self.routers.contains_key(&port),
            member: self.members.contains_key(&(key, port)),
            registered,
        };
        let ports = self.up.iter().copied().filter(|port| to(known(*port)));
        let ports: Vec<PortId> = ports.collect();
        for port in ports {
            self.transmit(port, frame);
        }
    }

    fn transmit(&mut self, port: PortId, frame: &[u8]) {
        self.sent += 1;
        self.transmits.push_back(Transmit {
            port,
            tx: TxId(self.sent),
            frame: frame.to_vec(),
        });
    }

    /// RFC 4541 2.1.1, 3: what passes on, and what is learnt from it. A message that is wrong
    /// teaches nothing and isn't passed on.
    fn mld(&mut self, now: Instant, port: PortId, frame: &[u8], envelope: Envelope, icmp: &[u8]) {
        let policy = self.policy;
        let (source, destination) = (envelope.source, envelope.destination);
        let right = checksum_holds(icmp, source, destination);
        if let Some(reason) = (policy.refuses)(&envelope, right) {
            self.events.push_back(discard(port, "mld", reason.name()));
            return;
        }
        match Message::parse(icmp) {
            // A report may come from `::`, a query mayn't (RFC 3810 5.1.14).
            Ok(Message::Query(_)) if !(policy.makes_router)(source) => {
                let reason = DiscardReason::SourceUnspecified.name();
                self.events.push_back(discard(port, "mld", reason));
            }
            Ok(Message::Query(query)) => {
                let until = now + (policy.router_for)(self.intervals);
                self.routers.insert(port, until);
                self.lower(now, &query);
                self.send(port, frame, query.group(), policy.queries_to);
            }
            //= SNOOP-011
            Ok(Message::ReportV1 { group }) => {
                self.member(now, port, group);
                self.send(port, frame, group, policy.reports_to);
            }
            Ok(Message::Report(report)) => {
                for record in &report.records {
                    if (policy.wants)(record) {
                        self.member(now, port, record.group);
                    } else if (policy.ends)(record) {
                        self.end(port, record.group);
                    }
                }
                self.send(port, frame, destination, policy.reports_to);
            }
            Ok(Message::Done { group }) => {
                if policy.done_ends {
                    self.end(port, group);
                }
                self.send(port, frame, group, policy.reports_to);
            }
            Err(_) => self.events.push_back(discard(port, "mld", "malformed")),
        }
    }

    fn member(&mut self, now: Instant, port: PortId, group: Ipv6Addr) {
        if !(self.policy.restricted)(group) {
            return;
        }
        let key = (self.policy.key)(group);
        let known = self.members.contains_key(&(key, port));
        if !known && self.members.len() >= LIMIT {
            self.events.push_back(discard(port, "mld", "group_limit"));
            return;
        }
        let until = now + (self.policy.member_for)(self.intervals);
        self.members.insert((key, port), until);
    }

    fn end(&mut self, port: PortId, group: Ipv6Addr) {
        self.members.remove(&((self.policy.key)(group), port));
    }

    fn lower(&mut self, now: Instant, query: &Query) {
        for ((group, _), expiry) in &mut self.members {
            if let Some(within) = (self.policy.answer_within)(query, *group, self.intervals) {
                *expiry = (*expiry).min(now + within);
            }
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
            if known != port && self.up.contains(&known) {
                self.transmit(known, frame);
            }
            return;
        }
        let packet = Packet::parse(payload)
            .ok()
            .filter(|_| ethertype == ether::IPV6);
        let group = packet.map_or(Ipv6Addr::UNSPECIFIED, |packet| packet.destination);
        let policy = self.policy;
        if (policy.restricted)(group) {
            // Routers get everything; others what they have asked for (RFC 4541 2.1.2).
            self.send(port, frame, group, policy.traffic_to);
        } else {
            self.send(port, frame, group, policy.others_to);
        }
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
