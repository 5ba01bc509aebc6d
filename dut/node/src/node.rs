//! The node as a [`Device`]: what comes in, what goes out, and the settling in between.

use crate::host::Host;
use crate::interface::{Carrier, Interface};
use crate::multicast::Forwarding;
use crate::neighbor::Neighbors;
use crate::pair::Bond;
use crate::policy::Policy;
use crate::port::{Port, PortRole};
use crate::route::Routes;
use crate::switch::{Bridge, BridgePort};
use crate::trunk::Trunk;
use dut_device::{
    Control, ControlError, Device, Event, Instant, MldSettings, PairLook, PortId, PortInfo,
    Snapshot, Transmit, TxId,
};
use dut_lacp::LacpEvent;
use dut_rbs::Session;
use std::collections::{BTreeMap, VecDeque};

/// A remote backup service with its TCP endpoint in the host stack.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) session: Session,
    pub(crate) endpoint: usize,
}

/// A reference device. Built by [`build`](crate::build).
#[derive(Debug)]
pub struct Node {
    pub(crate) infos: Vec<PortInfo>,
    pub(crate) sysname: String,
    /// Settings that displays print and no engine keeps.
    pub(crate) settings: Settings,
    pub(crate) wall_origin_s: u64,
    pub(crate) ports: Vec<Port>,
    pub(crate) trunks: Vec<Trunk>,
    pub(crate) interfaces: Vec<Interface>,
    pub(crate) bridge: Bridge,
    pub(crate) routes: Routes,
    pub(crate) neighbors: Neighbors,
    pub(crate) host: Host,
    pub(crate) services: Vec<Service>,
    pub(crate) bonds: Vec<Bond>,
    pub(crate) policy: Policy,
    pub(crate) forwarding: Forwarding,
    pub(crate) discards: BTreeMap<(&'static str, &'static str), u64>,
    pub(crate) transmits: VecDeque<Transmit>,
    pub(crate) events: VecDeque<Event>,
    pub(crate) next_tx: u64,
    pub(crate) started: bool,
    pub(crate) timeout: Option<Instant>,
}

/// Settings that displays print and no engine keeps.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) e_trunk_descriptions: BTreeMap<u16, String>,
    pub(crate) mld: BTreeMap<String, MldSettings>,
}

/// Rounds of one settling: each hands something from one engine to another.
const ROUNDS: usize = 256;

impl Node {
    /// Queues a frame on a port; one without carrier sends nothing.
    pub(crate) fn send_on_port(&mut self, port: PortId, frame: Vec<u8>) {
        let up = self.ports.get(usize::from(port.0)).is_some_and(Port::up);
        if up {
            self.next_tx += 1;
            self.transmits.push_back(Transmit {
                port,
                tx: TxId(self.next_tx),
                frame,
            });
        }
    }

    /// Counts and reports something that wasn't used.
    pub(crate) fn discard(
        &mut self,
        port: Option<PortId>,
        protocol: &'static str,
        reason: &'static str,
    ) {
        *self.discards.entry((protocol, reason)).or_insert(0) += 1;
        self.events.push_back(Event::Discarded {
            port,
            protocol,
            reason,
        });
    }

    /// Reports an arc or row that a machine of `scope` took, with the states left and entered.
    pub(crate) fn transition(
        &mut self,
        scope: String,
        machine: &'static str,
        (from, to): (&'static str, &'static str),
        arc: &'static str,
    ) {
        self.events.push_back(Event::Transition {
            scope,
            machine,
            from,
            to,
            arc,
        });
    }

    pub(crate) fn notice(&mut self, what: &'static str, text: String) {
        self.events.push_back(Event::Notice { what, text });
    }

    fn port_name(&self, port: PortId) -> String {
        self.infos
            .get(usize::from(port.0))
            .map_or_else(String::new, |info| info.name.clone())
    }

    /// Begins at the first time that it is told.
    fn begin(&mut self, now: Instant) {
        if self.started {
            return;
        }
        self.started = true;
        for bond in &mut self.bonds {
            bond.etrunk.wait_for_path();
            bond.etrunk.start(now);
        }
        self.paths_found(now);
        for service in &mut self.services {
            service.session.start(now);
        }
        for index in 0..self.interfaces.len() {
            self.refresh_interface(now, index);
        }
    }

    fn set_carrier(&mut self, now: Instant, id: PortId, carrier: bool) -> Result<(), ControlError> {
        let port = self
            .ports
            .get_mut(usize::from(id.0))
            .ok_or(ControlError::UnknownPort(id))?;
        port.carrier = carrier;
        let (up, role) = (port.up(), port.role);
        match role {
            PortRole::Trunk(index) => {
                let Some(trunk) = self.trunks.get_mut(index) else {
                    return Ok(());
                };
                if let Some(lacp) = &mut trunk.lacp {
                    lacp.set_port_enabled(now, id, up);
                } else {
                    trunk.manual_up.retain(|port| *port != id);
                    if up {
                        trunk.manual_up.push(id);
                    }
                    self.trunk_changed(now, index);
                }
            }
            PortRole::Routed(index) => self.refresh_interface(now, index),
            PortRole::Access(_) if !up => self.bridge.forget(BridgePort::Port(id)),
            PortRole::Access(_) | PortRole::Unused => {}
        }
        Ok(())
    }

    /// An Eth-Trunk has come up or gone down.
    fn trunk_changed(&mut self, now: Instant, index: usize) {
        let Some(trunk) = self.trunks.get(index) else {
            return;
        };
        let (interface, up) = (trunk.interface, trunk.oper_up());
        if !up {
            self.bridge.forget(BridgePort::Trunk(index));
        }
        if let Some(interface) = interface {
            self.refresh_interface(now, interface);
        }
    }

    /// Brings an interface up or down by what carries it.
    pub(crate) fn refresh_interface(&mut self, now: Instant, index: usize) {
        let Some(interface) = self.interfaces.get(index) else {
            return;
        };
        let up = match interface.carrier {
            Carrier::Port(port) => self.ports.get(usize::from(port.0)).is_some_and(Port::up),
            Carrier::Trunk(trunk) => self.trunks.get(trunk).is_some_and(Trunk::oper_up),
            Carrier::Loopback => true,
        };
        if up == interface.up {
            return;
        }
        if let Some(interface) = self.interfaces.get_mut(index) {
            interface.up = up;
        }
        self.forwarding.clear();
        if up {
            self.paths_found(now);
            self.interface_up(now, index);
        } else {
            self.neighbors.forget(index);
            let mld = self.interfaces.get_mut(index).and_then(|i| i.mld.as_mut());
            if let Some(mld) = mld {
                mld.stop(now);
            }
        }
    }

    fn interface_up(&mut self, now: Instant, index: usize) {
        // Whoever takes over an address says so, or the switch would go on sending to the other
        // device (RFC 4861 7.2.6).
        if self.policy.announces {
            self.announce(index);
        }
        let bond = self
            .interfaces
            .get(index)
            .and_then(|interface| interface.bond);
        let held = bond.and_then(|bond| self.adoptable(now, bond));
        let held = held.filter(|_| (self.policy.adopts)(bond.is_some()));
        let mld = self.interfaces.get_mut(index).and_then(|i| i.mld.as_mut());
        let Some(mld) = mld else { return };
        match held {
            Some((groups, querier)) => mld.adopt(now, &groups, querier),
            None => mld.start(now),
        }
    }

    /// Hands what each engine wants to say to whom it concerns, until all are silent.
    pub(crate) fn settle(&mut self, now: Instant) {
        for _ in 0..ROUNDS {
            let mut busy = self.settle_trunks(now);
            busy |= self.settle_bonds(now);
            busy |= self.settle_services(now);
            busy |= self.settle_mld(now);
            busy |= self.settle_host(now);
            busy |= self.settle_neighbors(now);
            if !busy {
                break;
            }
        }
        self.timeout = self.earliest(now);
    }

    fn settle_trunks(&mut self, now: Instant) -> bool {
        let mut busy = false;
        for index in 0..self.trunks.len() {
            while let Some((port, payload)) = self
                .trunks
                .get_mut(index)
                .and_then(|trunk| trunk.lacp.as_mut())
                .and_then(dut_lacp::EthTrunk::poll_transmit)
            {
                busy = true;
                self.send_slow(port, &payload);
            }
            while let Some(event) = self
                .trunks
                .get_mut(index)
                .and_then(|trunk| trunk.lacp.as_mut())
                .and_then(dut_lacp::EthTrunk::poll_event)
            {
                busy = true;
                match event {
                    LacpEvent::Transition {
                        port,
                        machine,
                        from,
                        to,
                        arc,
                    } => {
                        let scope = self.port_name(port);
                        self.transition(scope, machine, (from, to), arc);
                    }
                    LacpEvent::Discarded { port, reason } => {
                        self.discard(Some(port), "lacp", reason.name());
                    }
                    LacpEvent::Collecting { .. } | LacpEvent::Distributing { .. } => {
                        self.forwarding.clear();
                    }
                    LacpEvent::OperUp(_) => self.trunk_changed(now, index),
                }
            }
        }
        busy
    }

    fn settle_neighbors(&mut self, _now: Instant) -> bool {
        let mut busy = false;
        while let Some(wish) = self.neighbors.poll() {
            busy = true;
            self.grant(wish);
        }
        busy
    }

    fn earliest(&mut self, now: Instant) -> Option<Instant> {
        let trunks = self
            .trunks
            .iter()
            .filter_map(|trunk| trunk.lacp.as_ref()?.next_timeout());
        let bonds = self
            .bonds
            .iter()
            .filter_map(|bond| bond.etrunk.next_timeout());
        let services = self
            .services
            .iter()
            .filter_map(|service| service.session.next_timeout());
        let mld = self
            .interfaces
            .iter()
            .filter_map(|interface| interface.mld.as_ref()?.next_timeout());
        let earliest = trunks.chain(bonds).chain(services).chain(mld).min();
        let rest = [self.neighbors.next_timeout(), self.host.next_timeout(now)];
        rest.into_iter().flatten().chain(earliest).min()
    }
}

impl Device for Node {
    fn ports(&self) -> &[PortInfo] {
        &self.infos
    }

    fn handle_frame(&mut self, now: Instant, port: PortId, frame: &[u8]) {
        self.begin(now);
        self.ethernet(now, port, frame);
        self.settle(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.begin(now);
        for trunk in &mut self.trunks {
            if let Some(lacp) = &mut trunk.lacp
                && lacp.next_timeout().is_some_and(|due| due <= now)
            {
                lacp.handle_timeout(now);
            }
        }
        for bond in &mut self.bonds {
            if bond.etrunk.next_timeout().is_some_and(|due| due <= now) {
                bond.etrunk.handle_timeout(now);
            }
        }
        for service in &mut self.services {
            if service.session.next_timeout().is_some_and(|due| due <= now) {
                service.session.handle_timeout(now);
            }
        }
        for interface in &mut self.interfaces {
            if let Some(mld) = &mut interface.mld
                && mld.next_timeout().is_some_and(|due| due <= now)
            {
                mld.handle_timeout(now);
            }
        }
        if self.neighbors.next_timeout().is_some_and(|due| due <= now) {
            self.neighbors.handle_timeout(now);
        }
        self.settle(now);
    }

    fn handle_control(&mut self, now: Instant, control: &Control) -> Result<(), ControlError> {
        self.begin(now);
        let done = match control {
            Control::LinkUp(port) => self.set_carrier(now, *port, true),
            Control::LinkDown(port) => self.set_carrier(now, *port, false),
            Control::Command(text) => self.command(now, text),
        };
        self.settle(now);
        done
    }

    fn handle_transmitted(&mut self, _at: Instant, _tx: TxId) {}

    fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn next_timeout(&self) -> Option<Instant> {
        if self.started {
            self.timeout
        } else {
            Some(Instant::ZERO)
        }
    }

    fn snapshot(&self, now: Instant) -> Option<Snapshot> {
        Some(self.take_snapshot(now))
    }

    fn look(&self, now: Instant, look: &mut PairLook) -> bool {
        self.take_look(now, look);
        true
    }

    fn display(&self, now: Instant, command: &str) -> Option<Result<String, String>> {
        let snapshot = self.take_snapshot(now);
        Some(dut_vrp::display(command, &snapshot, self.wall_origin_s))
    }
}
