//! What ties the engines of a pair: LACP with E-Trunk, MLD with RBS.
//!
//! A bond is one Eth-Trunk that is a member of an E-Trunk, with the remote backup profile that
//! tracks it. The E-Trunk decides the member's role; the role holds or releases the Eth-Trunk's
//! LACP, decides who says what over RBS, and adopts the profile's table at a switchover.

use crate::host::{Datagram, Stream};
use crate::node::Node;
use crate::policy::Change;
use dut_device::Instant;
use dut_etrunk::{ETrunk, ETrunkEvent, MemberStatus};
use dut_mld::{GroupState, QuerierState};
use dut_rbs::{Command, Entry, InterfaceState, RbsEvent, Session};
use std::net::Ipv6Addr;
use std::time::Duration;

/// An E-Trunk with its one member, and the profile that tracks them.
#[derive(Debug)]
pub(crate) struct Bond {
    pub(crate) etrunk: ETrunk,
    /// UDP socket of the hellos.
    pub(crate) socket: usize,
    pub(crate) peer: Ipv6Addr,
    pub(crate) port: u16,
    /// The member, by its index.
    pub(crate) trunk: usize,
    pub(crate) trunk_id: u16,
    /// The member's state as last told.
    pub(crate) status: Option<MemberStatus>,
    /// The service of the profile, by its index.
    pub(crate) service: Option<usize>,
    /// 0 when no profile tracks the member.
    pub(crate) backup_id: u16,
    /// The layer 3 interface that the profile is bound to.
    pub(crate) interface: Option<usize>,
    pub(crate) master: bool,
    pub(crate) hello_period: Duration,
    /// When the peer's last hello came.
    pub(crate) last_hello: Option<Instant>,
    /// The peer's configuration digest differs, and this has been said.
    pub(crate) mismatch: bool,
}

impl Node {
    /// The session whose table shadows a bond, while it isn't the master.
    pub(crate) fn shadow(&self, bond: &Bond) -> Option<&Session> {
        let service = bond.service.filter(|_| !bond.master)?;
        self.services.get(service).map(|service| &service.session)
    }

    /// Tells the E-Trunks whose peer can be reached now.
    pub(crate) fn paths_found(&mut self, now: Instant) {
        let interfaces = &self.interfaces;
        for bond in &mut self.bonds {
            let usable = |index: usize| interfaces.get(index).is_some_and(|found| found.up);
            if self.routes.lookup(bond.peer, usable).is_some() {
                bond.etrunk.path_found(now);
            }
        }
    }

    pub(crate) fn settle_bonds(&mut self, now: Instant) -> bool {
        let mut busy = false;
        for index in 0..self.bonds.len() {
            busy |= self.tell_member(now, index);
            while let Some(payload) = self
                .bonds
                .get_mut(index)
                .and_then(|b| b.etrunk.poll_transmit())
            {
                busy = true;
                let bond = self.bonds.get(index).map(|bond| (bond.socket, bond.peer));
                if let Some((socket, peer)) = bond
                    && !self.host.send_datagram(socket, peer, &payload)
                {
                    self.discard(None, "etrunk", "send_failed");
                }
            }
            while let Some(event) = self
                .bonds
                .get_mut(index)
                .and_then(|b| b.etrunk.poll_event())
            {
                busy = true;
                self.etrunk_event(now, index, event);
            }
        }
        busy
    }

    fn tell_member(&mut self, now: Instant, index: usize) -> bool {
        let Some(bond) = self.bonds.get_mut(index) else {
            return false;
        };
        let Some(trunk) = self.trunks.get(bond.trunk) else {
            return false;
        };
        let selected = trunk
            .lacp
            .as_ref()
            .map_or(0, dut_lacp::EthTrunk::selected_count);
        let oper_up = trunk.oper_up();
        let status = MemberStatus {
            link_ready: trunk
                .lacp
                .as_ref()
                .map_or(oper_up, dut_lacp::EthTrunk::link_ready),
            oper_up,
            selected: u8::try_from(selected).unwrap_or(u8::MAX),
            bandwidth_mbps: u32::from(selected).saturating_mul(trunk.port_mbps),
        };
        if bond.status == Some(status) {
            return false;
        }
        bond.status = Some(status);
        bond.etrunk.set_member(now, bond.trunk_id, status);
        true
    }

    fn etrunk_event(&mut self, now: Instant, index: usize, event: ETrunkEvent) {
        match event {
            ETrunkEvent::DeviceRole {
                from,
                to,
                causation,
            } => {
                let text = format!("device {} -> {} {causation}", from.name(), to.name());
                self.notice("e-trunk", text);
            }
            ETrunkEvent::MemberRole {
                eth_trunk,
                from,
                to,
                causation,
            } => {
                let (from, to) = (from.name(), to.name());
                self.notice(
                    "e-trunk",
                    format!("Eth-Trunk{eth_trunk} {from} -> {to} {causation}"),
                );
                self.member_role(now, index);
            }
            ETrunkEvent::Row { id, from, to, .. } => {
                let scope = self.bonds.get(index).map_or(0, |bond| bond.trunk_id);
                let scope = format!("Eth-Trunk{scope}");
                let machine = "E-Trunk role";
                self.transition(scope, machine, (from, to), id);
            }
            ETrunkEvent::Discarded { reason } => self.discard(None, "etrunk", reason),
        }
    }

    /// The member's role has changed: LACP is held or released, and RBS learns who speaks.
    fn member_role(&mut self, now: Instant, index: usize) {
        let Some(bond) = self.bonds.get_mut(index) else {
            return;
        };
        let master = bond.etrunk.member_is_master(bond.trunk_id);
        bond.master = master;
        let (trunk, service, backup_id) = (bond.trunk, bond.service, bond.backup_id);
        let policy = self.policy;
        if let Some(service) = service.and_then(|service| self.services.get_mut(service)) {
            service
                .session
                .set_role(now, backup_id, (policy.speaks)(master));
        }
        // The role comes before the hold: an Eth-Trunk that comes up adopts as master.
        if let Some(lacp) = self
            .trunks
            .get_mut(trunk)
            .and_then(|trunk| trunk.lacp.as_mut())
        {
            lacp.set_hold(now, (policy.holds)(master));
        }
        self.forwarding.clear();
    }

    pub(crate) fn settle_host(&mut self, now: Instant) -> bool {
        self.host.poll(now);
        let mut busy = false;
        for index in 0..self.bonds.len() {
            let Some(socket) = self.bonds.get(index).map(|bond| bond.socket) else {
                continue;
            };
            while let Some(hello) = self.host.datagram(socket) {
                busy = true;
                self.hello(now, index, &hello);
            }
        }
        for index in 0..self.services.len() {
            while let Some(stream) = self.next_stream(index) {
                busy = true;
                self.stream(now, index, stream);
                // A close that this causes must not hit the next connection.
                self.settle_service(now, index);
            }
        }
        while let Some(packet) = self.host.outgoing() {
            busy = true;
            self.route(now, &packet);
        }
        busy
    }

    fn hello(&mut self, now: Instant, index: usize, hello: &Datagram) {
        let Some(bond) = self.bonds.get_mut(index) else {
            return;
        };
        bond.etrunk.handle_hello(
            now,
            hello.source,
            hello.destination,
            hello.source_port,
            bond.port,
            &hello.payload,
        );
        let before = bond.last_hello.replace(now);
        // The way to the peer works again: RBS need not wait for its back-off.
        let retries = self.policy.retries;
        let again = before.is_some_and(|before| retries(now.since(before), bond.hello_period));
        let mismatch = bond.etrunk.configuration_matches() == Some(false);
        let news = mismatch && !bond.mismatch;
        bond.mismatch = mismatch;
        let service = bond.service.filter(|_| again);
        if let Some(service) = service.and_then(|service| self.services.get_mut(service)) {
            service.session.retry_now(now);
        }
        if news {
            //= ETRUNK-059
            self.notice("e-trunk", "the peer's configuration differs".to_owned());
        }
    }

    fn next_stream(&mut self, index: usize) -> Option<Stream> {
        let endpoint = self.services.get(index)?.endpoint;
        self.host.stream(endpoint)
    }

    fn stream(&mut self, now: Instant, index: usize, stream: Stream) {
        let Some(service) = self.services.get_mut(index) else {
            return;
        };
        match stream {
            Stream::Connected => service.session.handle_connected(now),
            Stream::Bytes(octets) => service.session.handle_bytes(now, &octets),
            Stream::Closed => service.session.handle_closed(now),
            //= RBS-025
            Stream::Second => {
                let refusal = service.session.refuse_second(now);
                self.host.refuse(service.endpoint, &refusal);
            }
        }
    }

    pub(crate) fn settle_services(&mut self, now: Instant) -> bool {
        let mut busy = false;
        for index in 0..self.services.len() {
            busy |= self.settle_service(now, index);
        }
        busy
    }

    fn settle_service(&mut self, now: Instant, index: usize) -> bool {
        let mut busy = false;
        while let Some(service) = self.services.get_mut(index)
            && let Some(command) = service.session.poll_command()
        {
            busy = true;
            let endpoint = service.endpoint;
            match command {
                Command::Connect => self.host.connect(endpoint),
                Command::Listen => self.host.listen(endpoint),
                Command::Close => self.host.close(endpoint, false),
                Command::Abort => self.host.close(endpoint, true),
                Command::Send(octets) => self.host.send(endpoint, &octets),
            }
        }
        while let Some(service) = self.services.get_mut(index)
            && let Some(event) = service.session.poll_event()
        {
            busy = true;
            self.rbs_event(now, event);
        }
        busy
    }

    fn rbs_event(&mut self, now: Instant, event: RbsEvent) {
        match event {
            RbsEvent::Upserted {
                backup_id,
                eth_trunk,
                group,
            } => {
                self.shadow_changed(group);
                self.merge(now, backup_id, eth_trunk, group);
            }
            RbsEvent::Deleted { group, .. } => self.shadow_changed(group),
            RbsEvent::Synchronized {
                backup_id,
                synchronized,
            } => {
                let open = (self.policy.gate)(synchronized);
                for bond in self
                    .bonds
                    .iter_mut()
                    .filter(|bond| bond.backup_id == backup_id)
                {
                    bond.etrunk.set_revert_gate(now, open);
                }
                let state = if synchronized {
                    "synchronized"
                } else {
                    "not synchronized"
                };
                self.notice("rbs", format!("backup-id {backup_id} {state}"));
            }
            RbsEvent::Discarded { reason } => self.discard(None, "rbs", reason),
            RbsEvent::Up => self.notice("rbs", "connected".to_owned()),
            RbsEvent::Down { reason } => self.notice("rbs", format!("down: {reason}")),
            RbsEvent::InterfaceChanged { .. } => {}
        }
    }

    /// What the peer has said reaches a master's own table too: after a split its entries survive
    /// beside ours until their timers end. What is held already stays as it is, and the peer is
    /// told so: the profile's table may have taken the peer's version of it.
    fn merge(&mut self, now: Instant, backup_id: u16, eth_trunk: u16, group: Ipv6Addr) {
        let mine = |bond: &&Bond| bond.backup_id == backup_id && bond.trunk_id == eth_trunk;
        let merges = |bond: &&Bond| (self.policy.merges)(bond.master);
        let Some(bond) = self.bonds.iter().find(mine).filter(merges) else {
            return;
        };
        let (service, interface) = (bond.service, bond.interface);
        let entry = service
            .and_then(|service| self.services.get(service))
            .and_then(|service| service.session.entry(now, backup_id, eth_trunk, group));
        let mld = interface
            .and_then(|index| self.interfaces.get_mut(index))
            .and_then(|interface| interface.mld.as_mut())
            .filter(|mld| mld.is_up());
        let (Some(index), Some(entry), Some(mld)) = (interface, entry, mld) else {
            return;
        };
        if mld.group(now, group).is_none() {
            mld.adopt(now, &[(self.policy.group)(&entry)], None);
        } else if self.policy.retells {
            self.back_up(now, index, group, Change::Record);
        }
    }

    /// An MLD record changed: the master tells the backup.
    pub(crate) fn back_up(&mut self, now: Instant, index: usize, group: Ipv6Addr, what: Change) {
        let Some((service, backup_id, trunk_id)) = self.speaks_for(index, what) else {
            return;
        };
        let mld = self
            .interfaces
            .get(index)
            .and_then(|interface| interface.mld.as_ref());
        let Some(state) = mld.and_then(|mld| mld.group(now, group)) else {
            return;
        };
        if !dut_mld::is_tracked(group) {
            return;
        }
        if let Some(service) = self.services.get_mut(service) {
            let entry = (self.policy.entry)(trunk_id, &state);
            let urgent = what == Change::Record;
            service.session.upsert(now, backup_id, entry, urgent);
        }
    }

    pub(crate) fn back_up_removal(&mut self, now: Instant, index: usize, group: Ipv6Addr) {
        let Some((service, backup_id, trunk_id)) = self.speaks_for(index, Change::Removal) else {
            return;
        };
        if let Some(service) = self.services.get_mut(service) {
            service.session.delete(now, backup_id, trunk_id, group);
        }
    }

    pub(crate) fn back_up_querier(&mut self, now: Instant, index: usize) {
        let Some((service, backup_id, trunk_id)) = self.speaks_for(index, Change::Querier) else {
            return;
        };
        let mld = self
            .interfaces
            .get(index)
            .and_then(|interface| interface.mld.as_ref());
        let Some(state) = mld.map(|mld| mld.querier_state(now)) else {
            return;
        };
        if let Some(service) = self.services.get_mut(service) {
            let state = InterfaceState {
                eth_trunk: trunk_id,
                querier: state.querier,
                other_querier_present: state.other_querier_remaining,
                general_query_due: state.general_query_in,
            };
            service.session.set_interface(now, backup_id, state);
        }
    }

    /// Service, backup id and Eth-Trunk id when this device speaks for an interface's listeners.
    fn speaks_for(&self, index: usize, what: Change) -> Option<(usize, u16, u16)> {
        let bond = self
            .interfaces
            .get(index)?
            .bond
            .and_then(|bond| self.bonds.get(bond))?;
        let service = bond
            .service
            .filter(|_| (self.policy.tells)(bond.master, what))?;
        Some((service, bond.backup_id, bond.trunk_id))
    }

    /// What a device that becomes master takes over for its interface.
    pub(crate) fn adoptable(
        &self,
        now: Instant,
        bond: usize,
    ) -> Option<(Vec<GroupState>, Option<QuerierState>)> {
        let bond = self.bonds.get(bond)?;
        let session = &self.services.get(bond.service?)?.session;
        let groups = session
            .entries(now, bond.backup_id)
            .iter()
            .map(self.policy.group)
            .collect();
        let own = bond
            .interface
            .and_then(|index| self.interfaces.get(index))
            .map(|i| i.link_local);
        let querier = session.interface(now, bond.backup_id);
        Some((
            groups,
            querier.and_then(|state| (self.policy.querier)(own, state)),
        ))
    }
}

/// Whether an entry of a profile's table forwards a source.
pub(crate) fn entry_forwards(entry: &Entry, source: Ipv6Addr) -> bool {
    let held = entry.sources.iter().find(|held| held.source == source);
    match (entry.filter_mode, held) {
        (dut_rbs::FilterMode::Include, held) => held.is_some(),
        (dut_rbs::FilterMode::Exclude, held) => held.is_none_or(|held| !held.timer.is_zero()),
    }
}
