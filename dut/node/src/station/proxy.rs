//! An MLD proxy (RFC 4605): a listener on `eth0`, upstream, and a router on `eth1` and `eth2`,
//! downstream. What the routers hold is what the listener asks for.

use super::host::listener;
use super::policy::{Onto, ProxyPolicy};
use super::settings::Settings;
use super::{Received, discard, mld_frame, received};
use crate::build::Rules;
use dut_device::{
    BuildSpec, Control, ControlError, Device, Event, Instant, MacAddr, PortId, PortInfo, Transmit,
    TxId,
};
use dut_mld::host::{Filter, Host, HostConfig, HostEvent};
use dut_mld::{Interface, InterfaceConfig, MldEvent};
use dut_wire::ether::Frame;
use dut_wire::ipv6;
use dut_wire::mld::{ALL_MLDV2_ROUTERS, ALL_ROUTERS};
use std::collections::VecDeque;
use std::net::Ipv6Addr;
use std::time::Duration;

/// The upstream port.
const UPSTREAM: PortId = PortId(0);

/// A proxy with one upstream and two downstream ports.
#[derive(Debug)]
pub(super) struct Proxy {
    ports: Vec<PortInfo>,
    up: Vec<bool>,
    host: Host,
    /// By port, from port 1.
    routers: Vec<Interface>,
    policy: ProxyPolicy,
    transmits: VecDeque<Transmit>,
    events: VecDeque<Event>,
    sent: u64,
}

/// The port's own address: the bridge address and the port's number.
const fn mac(base: MacAddr, port: u8) -> MacAddr {
    let [a, b, c, d, e, f] = base.0;
    MacAddr([a, b, c, d, e, f.wrapping_add(port)])
}

impl Proxy {
    pub(super) fn new(spec: &BuildSpec, settings: &Settings, rules: &Rules) -> Self {
        let port = |number: u8| PortInfo {
            id: PortId(number.into()),
            name: format!("eth{number}"),
            mac: mac(spec.base_mac, number),
        };
        let ports: Vec<PortInfo> = (0..3).map(port).collect();
        let link_local = mac(spec.base_mac, 0).link_local();
        let config = HostConfig {
            link_local,
            ..settings.host.clone()
        };
        let router = |port: &PortInfo| {
            let config = InterfaceConfig {
                robustness: settings.host.robustness,
                query_interval: settings.host.query_interval,
                query_response_interval: settings.query_response_interval,
                // No PIM router: ff02::d is left out.
                listener_groups: vec![
                    ALL_ROUTERS,
                    ALL_MLDV2_ROUTERS,
                    ipv6::solicited_node(port.mac.link_local()),
                ],
                seed: spec.seed,
                ..InterfaceConfig::new(port.name.clone(), port.mac.link_local())
            };
            Interface::with_policy(config, rules.mld.clone())
        };
        Self {
            up: vec![false; ports.len()],
            host: listener(config, rules.listener, spec.seed ^ spec.boot_epoch),
            routers: ports.iter().skip(1).map(router).collect(),
            policy: rules.proxy,
            ports,
            transmits: VecDeque::new(),
            events: VecDeque::new(),
            sent: 0,
        }
    }

    fn transmit(&mut self, port: PortId, frame: Vec<u8>) {
        self.sent += 1;
        let tx = TxId(self.sent);
        self.transmits.push_back(Transmit { port, tx, frame });
    }

    fn router(&mut self, port: PortId) -> Option<&mut Interface> {
        let index = usize::from(port.0).checked_sub(1)?;
        self.routers.get_mut(index)
    }

    /// Hands what the routers report to the listener, and sends what all have to send.
    fn collect(&mut self, now: Instant) {
        for index in 0..self.routers.len() {
            self.collect_router(now, index);
        }
        let upstream = self.ports.first().map(|port| port.mac);
        while let (Some(sent), Some(mac)) = (self.host.poll_transmit(), upstream) {
            let ends = (sent.source, sent.destination);
            self.transmit(UPSTREAM, mld_frame(mac, ends, &sent.message));
        }
        while let Some(event) = self.host.poll_event() {
            if let HostEvent::Discarded { reason } = event {
                self.events
                    .push_back(discard(UPSTREAM, "mld", reason.name()));
            }
        }
    }

    fn collect_router(&mut self, now: Instant, index: usize) {
        let Some(info) = self.ports.get(index + 1) else {
            return;
        };
        let (port, mac, name) = (info.id, info.mac, info.name.clone());
        let Some(router) = self.routers.get_mut(index) else {
            return;
        };
        let mut frames = Vec::new();
        while let Some(sent) = router.poll_transmit() {
            let ends = (router.config().link_local, sent.destination);
            frames.push(mld_frame(mac, ends, &sent.message));
        }
        let mut changed = Vec::new();
        while let Some(event) = router.poll_event() {
            match event {
                MldEvent::Changed { group } | MldEvent::Removed { group } => changed.push(group),
                MldEvent::Discarded { reason } => {
                    self.events.push_back(discard(port, "mld", reason.name()));
                }
                MldEvent::Refreshed { .. }
                | MldEvent::Querier { .. }
                | MldEvent::Row { .. }
                | MldEvent::LimitHit { .. }
                | MldEvent::VersionMismatch { .. } => {}
            }
        }
        let policy = self.policy;
        changed.retain(|group| (policy.tells)(*group));
        let wanted = |group: &Ipv6Addr| (policy.subscription)(router.group(now, *group).as_ref());
        let told = changed.iter().map(|group| (*group, wanted(group)));
        let told: Vec<_> = told.collect();
        for (group, filter) in told {
            let Some(filter) = filter else {
                continue;
            };
            let subscriber = (policy.subscriber)(&name);
            if let Err(error) = self.host.listen(now, subscriber, group, filter) {
                let text = error.to_string();
                self.events.push_back(Event::Notice { what: "mld", text });
            }
        }
        for frame in frames {
            self.transmit(port, frame);
        }
    }

    fn forward(&mut self, from: PortId, octets: &[u8]) {
        let Ok(frame) = Frame::parse(octets) else {
            return;
        };
        let Ok(packet) = ipv6::Packet::parse(frame.payload) else {
            return;
        };
        if !(self.policy.forwardable)(&packet) {
            self.events
                .push_back(discard(from, "ipv6", "not_forwarded"));
            return;
        }
        let mut payload = frame.payload.to_vec();
        if let Some(limit) = payload.get_mut(7) {
            *limit = (self.policy.hop_limit)(*limit);
        }
        let (group, source) = (packet.destination, packet.source);
        let wants = |port: &PortInfo| {
            let router = usize::from(port.id.0).checked_sub(1);
            let router = router.and_then(|index| self.routers.get(index));
            (self.policy.onto)(Onto {
                from_upstream: from == UPSTREAM,
                upstream: port.id == UPSTREAM,
                querier: router.is_some_and(Interface::is_querier),
                subscribed: router.is_some_and(|router| router.forwards(group, source)),
            })
        };
        let up = |port: &PortInfo| self.up.get(usize::from(port.id.0)) == Some(&true);
        let to = self
            .ports
            .iter()
            .filter(|p| p.id != from && up(p) && wants(p));
        let to: Vec<(PortId, MacAddr)> = to.map(|port| (port.id, port.mac)).collect();
        for (port, mac) in to {
            let copy = Frame {
                source: mac.0,
                payload: &payload,
                ..frame
            };
            let copy = copy.to_vec();
            self.transmit(port, copy);
        }
    }

    fn link(&mut self, now: Instant, port: PortId, up: bool) -> Result<(), ControlError> {
        let state = self.up.get_mut(usize::from(port.0));
        *state.ok_or(ControlError::UnknownPort(port))? = up;
        match (self.router(port).is_some(), up) {
            (false, true) => self.host.link_up(now),
            (false, false) => self.host.link_down(),
            (true, _) => self.restart(now, port, up),
        }
        Ok(())
    }

    fn restart(&mut self, now: Instant, port: PortId, up: bool) {
        let Some(router) = self.router(port) else {
            return;
        };
        let held: Vec<Ipv6Addr> = router.groups(now).iter().map(|g| g.group).collect();
        if up {
            router.start(now);
        } else {
            router.stop(now);
        }
        let policy = self.policy;
        let index = usize::from(port.0);
        let name = self.ports.get(index).map(|port| port.name.clone());
        let name = name.as_deref().unwrap_or_default();
        let told = held.into_iter().filter(|group| (policy.tells)(*group));
        for group in told.filter(|_| policy.link_ends) {
            // To ask for nothing is never refused.
            let subscriber = (policy.subscriber)(name);
            let ended = self.host.listen(now, subscriber, group, Filter::nothing());
            debug_assert!(ended.is_ok(), "{ended:?}");
        }
    }
}

impl Device for Proxy {
    fn ports(&self) -> &[PortInfo] {
        &self.ports
    }

    fn handle_frame(&mut self, now: Instant, port: PortId, frame: &[u8]) {
        let Some(info) = self.ports.get(usize::from(port.0)) else {
            return;
        };
        match received(info.mac, frame) {
            Received::Mld(envelope, message) => match self.router(port) {
                Some(router) => router.handle_message(now, &envelope, message),
                None => self.host.handle_message(now, &envelope, message),
            },
            Received::Packet => self.forward(port, frame),
            Received::Refused(protocol, reason) => {
                self.events.push_back(discard(port, protocol, reason));
            }
        }
        self.collect(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        for router in &mut self.routers {
            router.handle_timeout(now);
        }
        self.host.handle_timeout(now);
        self.collect(now);
    }

    fn handle_control(&mut self, now: Instant, control: &Control) -> Result<(), ControlError> {
        let result = match control {
            Control::LinkUp(port) => self.link(now, *port, true),
            Control::LinkDown(port) => self.link(now, *port, false),
            Control::Command(text) => Err(ControlError::UnknownCommand(format!(
                "`{text}`: a proxy takes no commands"
            ))),
        };
        self.collect(now);
        result
    }

    fn handle_transmitted(&mut self, _at: Instant, _tx: TxId) {}

    fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn next_timeout(&self) -> Option<Instant> {
        let routers = self.routers.iter().filter_map(Interface::next_timeout);
        routers.chain(self.host.next_timeout()).min()
    }
}

/// Query Response Interval of the downstream routers by default.
pub(super) const QUERY_RESPONSE_INTERVAL: Duration = Duration::from_secs(10);
