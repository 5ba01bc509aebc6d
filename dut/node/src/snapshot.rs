//! The node's state as plain data.

use crate::node::Node;
use dut_device::{ForwardingEntry, Instant, PairLook, Snapshot};

impl Node {
    pub(crate) fn take_snapshot(&self, now: Instant) -> Snapshot {
        let mut snapshot = Snapshot::default();
        snapshot.at = now;
        snapshot.sysname = self.sysname.clone();
        snapshot.e_trunk_descriptions = self.settings.e_trunk_descriptions.clone();
        snapshot.mld_settings = self.settings.mld.clone();
        let lacp = self.trunks.iter().filter_map(|trunk| trunk.lacp.as_ref());
        snapshot.eth_trunks = lacp.map(|lacp| lacp.snapshot(now)).collect();
        snapshot.e_trunks = self
            .bonds
            .iter()
            .map(|bond| bond.etrunk.snapshot(now))
            .collect();
        for service in &self.services {
            let (rbs, rbp) = service.session.snapshot(now);
            snapshot.rbs.push(rbs);
            snapshot.rbp.extend(rbp);
        }
        let mld = self
            .interfaces
            .iter()
            .filter_map(|interface| interface.mld.as_ref());
        snapshot.mld = mld.map(|mld| mld.snapshot(now)).collect();
        snapshot.forwarding = self.forwarding_entries(now);
        let discards = self.discards.iter();
        snapshot.discards = discards
            .map(|((protocol, why), n)| (format!("{protocol}.{why}"), *n))
            .collect();
        snapshot
    }

    /// What a snapshot says of the pair.
    pub(crate) fn take_look(&self, now: Instant, look: &mut PairLook) {
        look.clear();
        look.at = now;
        for service in &self.services {
            service.session.look_at_service(look);
        }
        if !look.master {
            let mut services = self.services.iter();
            services.any(|service| service.session.look_at_entries(now, look));
        }
        let mut held = look.master;
        for interface in &self.interfaces {
            let Some(mld) = &interface.mld else { continue };
            let groups = held && interface.name.starts_with("Eth-Trunk");
            held &= !groups;
            mld.look(now, groups, look);
        }
    }

    fn forwarding_entries(&self, now: Instant) -> Vec<ForwardingEntry> {
        let name = |index: &usize| self.interfaces.get(*index).map(|i| i.name.clone());
        self.forwarding
            .flows()
            .map(|((group, source), forwarded)| {
                let entry = self.work_out(now, group, source);
                ForwardingEntry {
                    group,
                    source: Some(source),
                    upstream: entry.upstream.as_ref().and_then(name),
                    downstream: entry.downstream.iter().filter_map(name).collect(),
                    muted: entry.muted.iter().filter_map(name).collect(),
                    forwarded,
                }
            })
            .collect()
    }
}
