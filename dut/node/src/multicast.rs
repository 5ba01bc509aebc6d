//! Multicast forwarding: which interfaces a (source, group) leaves by, and MLD's part in it.

use crate::interface::Interface;
use crate::ipv6::decremented;
use crate::node::Node;
use crate::pair::entry_forwards;
use crate::policy::Change;
use dut_device::{Instant, PortId};
use dut_mld::MldEvent;
use dut_wire::ipv6::{self, Packet};
use std::collections::BTreeMap;
use std::net::Ipv6Addr;

/// Entries kept: a flood of sources must not fill the memory.
const ENTRIES: usize = 65_536;

/// What is known of one (group, source).
#[derive(Debug, Clone, Default)]
pub(crate) struct Entry {
    /// The interface that its traffic must come in by.
    pub(crate) upstream: Option<usize>,
    /// Interfaces that it leaves by.
    pub(crate) downstream: Vec<usize>,
    /// Interfaces that it would leave by, were this device the master.
    pub(crate) muted: Vec<usize>,
}

/// The forwarding table: entries are worked out at the first packet, and again after any change.
#[derive(Debug, Default)]
pub(crate) struct Forwarding {
    entries: BTreeMap<(Ipv6Addr, Ipv6Addr), Entry>,
    /// Packets forwarded, over all changes.
    counts: BTreeMap<(Ipv6Addr, Ipv6Addr), u64>,
}

impl Forwarding {
    /// Everything is worked out anew.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    fn clear_group(&mut self, group: Ipv6Addr) {
        let keys: Vec<_> = self
            .entries
            .range((group, Ipv6Addr::UNSPECIFIED)..)
            .take_while(|((g, _), _)| *g == group)
            .map(|(key, _)| *key)
            .collect();
        for key in keys {
            self.entries.remove(&key);
        }
    }

    /// (group, source) with packets forwarded.
    pub(crate) fn flows(&self) -> impl Iterator<Item = ((Ipv6Addr, Ipv6Addr), u64)> {
        self.counts.iter().map(|(key, count)| (*key, *count))
    }
}

/// Whether a group's packets may leave the link that they were sent on: scopes 0 to 2 don't.
const fn leaves_its_link(group: Ipv6Addr) -> bool {
    let [_, flags_and_scope, ..] = group.octets();
    flags_and_scope & 0xf > 2
}

impl Node {
    pub(crate) fn forward_multicast(
        &mut self,
        now: Instant,
        port: PortId,
        index: usize,
        packet: &Packet<'_>,
        octets: &[u8],
    ) {
        let (group, source) = (packet.destination, packet.source);
        if !leaves_its_link(group) || source.is_unicast_link_local() {
            return;
        }
        let key = (group, source);
        if !self.forwarding.entries.contains_key(&key) {
            if self.forwarding.entries.len() >= ENTRIES {
                self.forwarding.clear();
            }
            let entry = self.work_out(now, group, source);
            self.forwarding.entries.insert(key, entry);
        }
        let Some(entry) = self.forwarding.entries.get(&key) else {
            return;
        };
        // Reverse path forwarding: only what came the way that leads back to the source.
        if entry.upstream != Some(index) {
            self.discard(Some(port), "multicast", "wrong_interface");
            return;
        }
        if entry.downstream.is_empty() {
            return;
        }
        let downstream = entry.downstream.clone();
        let Some(forwarded) = decremented(octets) else {
            self.discard(Some(port), "ipv6", "hop_limit_exceeded");
            return;
        };
        *self.forwarding.counts.entry(key).or_insert(0) += 1;
        for to in downstream {
            self.send_on_interface(to, ipv6::multicast_mac(group), &forwarded);
        }
    }

    /// Works an entry out from routes, listeners and the pair's state.
    pub(crate) fn work_out(&self, now: Instant, group: Ipv6Addr, source: Ipv6Addr) -> Entry {
        let usable = |index: usize| self.interfaces.get(index).is_some_and(|i| i.up);
        let upstream = self
            .routes
            .lookup(source, usable)
            .map(|route| route.interface);
        let mut entry = Entry {
            upstream,
            ..Entry::default()
        };
        for (index, interface) in self.interfaces.iter().enumerate() {
            if Some(index) == upstream {
                continue;
            }
            let listens = interface
                .mld
                .as_ref()
                .is_some_and(|mld| mld.forwards(group, source));
            if interface.up && (listens || interface.statically_forwards(group, source)) {
                entry.downstream.push(index);
            } else if self.shadow_forwards(now, interface, group, source) {
                entry.muted.push(index);
            }
        }
        entry
    }

    /// Whether the backup's table says that a listener is there.
    fn shadow_forwards(
        &self,
        now: Instant,
        interface: &Interface,
        group: Ipv6Addr,
        source: Ipv6Addr,
    ) -> bool {
        let Some(bond) = interface.bond.and_then(|bond| self.bonds.get(bond)) else {
            return false;
        };
        let entry = self
            .shadow(bond)
            .and_then(|session| session.entry(now, bond.backup_id, bond.trunk_id, group));
        entry.is_some_and(|entry| entry_forwards(&entry, source))
    }

    pub(crate) fn settle_mld(&mut self, now: Instant) -> bool {
        let mut busy = false;
        for index in 0..self.interfaces.len() {
            while let Some(transmit) = self
                .mld_of(index)
                .and_then(dut_mld::Interface::poll_transmit)
            {
                busy = true;
                self.send_mld(index, transmit.destination, &transmit.message);
            }
            while let Some(event) = self.mld_of(index).and_then(dut_mld::Interface::poll_event) {
                busy = true;
                self.mld_event(now, index, event);
            }
        }
        busy
    }

    fn mld_of(&mut self, index: usize) -> Option<&mut dut_mld::Interface> {
        self.interfaces.get_mut(index)?.mld.as_mut()
    }

    fn send_mld(&mut self, index: usize, destination: Ipv6Addr, message: &[u8]) {
        let Some(interface) = self.interfaces.get(index) else {
            return;
        };
        let octets = mld_packet(interface.link_local, destination, message);
        self.send_on_interface(index, ipv6::multicast_mac(destination), &octets);
    }

    fn mld_event(&mut self, now: Instant, index: usize, event: MldEvent) {
        match event {
            MldEvent::Changed { group } => {
                self.forwarding.clear_group(group);
                self.back_up(now, index, group, Change::Record);
            }
            MldEvent::Refreshed { group } => self.back_up(now, index, group, Change::Refresh),
            MldEvent::Removed { group } => {
                self.forwarding.clear_group(group);
                self.back_up_removal(now, index, group);
            }
            MldEvent::Querier {
                address,
                other_querier,
            } => {
                let who = if other_querier {
                    "another router"
                } else {
                    "this router"
                };
                self.notice("mld", format!("querier {address} ({who})"));
                self.back_up_querier(now, index);
            }
            MldEvent::Row {
                group,
                from,
                to,
                id,
            } => {
                let scope = group.to_string();
                let machine = "Router state";
                self.transition(scope, machine, (from, to), id);
            }
            MldEvent::Discarded { reason } => self.discard(None, "mld", reason.name()),
            MldEvent::LimitHit { group } => {
                *self.discards.entry(("mld", "limit")).or_insert(0) += 1;
                self.notice("mld", format!("limit reached: {group} is not taken"));
            }
            MldEvent::VersionMismatch { source, version } => {
                let counted = ("mld", "version_mismatch");
                *self.discards.entry(counted).or_insert(0) += 1;
                self.notice("mld", format!("{source} queries in version {version}"));
            }
        }
    }

    /// The shadow table of an RBP has changed.
    pub(crate) fn shadow_changed(&mut self, group: Ipv6Addr) {
        self.forwarding.clear_group(group);
    }
}

/// An MLD message in its packet: hop limit 1 and a Router Alert.
//= MLD-001
//= MLD-003
pub(crate) fn mld_packet(source: Ipv6Addr, destination: Ipv6Addr, message: &[u8]) -> Vec<u8> {
    let packet = Packet {
        source,
        destination,
        hop_limit: 1,
        router_alert: Some(0),
        next_header: ipv6::ICMPV6,
        payload: message,
    };
    let mut octets = Vec::with_capacity(ipv6::HEADER_LEN + 8 + message.len());
    packet.emit(&mut octets);
    octets
}
