//! Remote backup services and profiles.

use super::Checker;
use crate::config::{InterfaceKind, Rbp};
use std::collections::BTreeMap;

impl Checker<'_> {
    pub(super) fn backup(&mut self) {
        self.services();
        let config = self.config;
        let mut ids: BTreeMap<(u16, String), &str> = BTreeMap::new();
        for rbp in &config.rbp {
            let view = format!("remote-backup-profile {}", rbp.name);
            self.incomplete(&view, rbp);
            self.tracked(&view, rbp);
            let Some((id, service)) = rbp.backup_id.clone() else {
                continue;
            };
            if let Some(other) = ids.insert((id, service.to_ascii_lowercase()), &rbp.name) {
                let message = format!("backup-id {id} on {service} is profile {other}'s already");
                self.error(&view, "backup-id remote-backup-service", message);
            }
        }
        self.bindings();
    }

    fn services(&mut self) {
        for rbs in &self.config.rbs {
            let view = format!("remote-backup-service {}", rbs.name);
            let Some((_, source, _)) = rbs.endpoint else {
                let reason = "without `peer-ipv6 … source-ipv6 … port …` it has no peer";
                self.inert(&view, "", reason);
                continue;
            };
            if !self.is_local(source) {
                let reason = "the source address is on none of the interfaces";
                self.inert(&view, "peer-ipv6 source-ipv6 port", reason);
            }
        }
    }

    fn incomplete(&mut self, view: &str, rbp: &Rbp) {
        let mut missing = Vec::new();
        if !rbp.mld {
            missing.push("`service-type`");
        }
        if rbp.backup_id.is_none() {
            missing.push("`backup-id`");
        }
        if rbp.track.is_none() {
            missing.push("`e-trunk … eth-trunk …`");
        }
        if !missing.is_empty() {
            let reason = format!(
                "the profile backs nothing up without {}",
                missing.join(", ")
            );
            self.inert(view, "", reason);
        }
    }

    /// The tracked Eth-Trunk must be a member of the tracked E-Trunk.
    fn tracked(&mut self, view: &str, rbp: &Rbp) {
        let Some((e_trunk, eth_trunk)) = rbp.track else {
            return;
        };
        let kind = InterfaceKind::EthTrunk(eth_trunk);
        let Some(interface) = self.config.interfaces.iter().find(|i| i.kind == kind) else {
            return;
        };
        let joined = interface.trunk.e_trunk.map(|(id, _)| id);
        if joined != Some(e_trunk) && self.config.e_trunks.contains_key(&e_trunk) {
            let message = format!("Eth-Trunk{eth_trunk} is not in E-Trunk {e_trunk}");
            self.error(view, "e-trunk eth-trunk", message);
        }
    }

    /// A profile on an interface: it tracks that Eth-Trunk, and there is MLD to back up.
    fn bindings(&mut self) {
        for interface in &self.config.interfaces {
            let Some(name) = &interface.rbp else {
                continue;
            };
            let view = format!("interface {}", interface.name);
            let profile = self.config.rbp.iter().find(|rbp| rbp.name == *name);
            let tracked = profile.and_then(|rbp| rbp.track);
            if let Some((_, eth_trunk)) = tracked
                && interface.kind != InterfaceKind::EthTrunk(eth_trunk)
            {
                let message = format!("profile {name} tracks Eth-Trunk{eth_trunk}");
                self.error(&view, "remote-backup-profile", message);
            }
            if !interface.mld.enable {
                let reason = "`mld enable` isn't given on the interface";
                self.inert(&view, "remote-backup-profile", reason);
            }
        }
    }
}
