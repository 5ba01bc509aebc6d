//! Eth-Trunks and E-Trunks.

use super::Checker;
use crate::config::{Interface, Mux};

/// LACP commands of an Eth-Trunk that negotiates; a manual one hears none of them.
const LACP: &[&str] = &[
    "lacp timeout",
    "lacp preempt enable",
    "lacp preempt delay",
    "lacp e-trunk system-id",
    "lacp e-trunk priority",
    "tandem mux",
    "tandem wait-to-restore",
    "tandem ntt-on-expired",
    "tandem protocol-da",
];

impl Checker<'_> {
    pub(super) fn trunks(&mut self) {
        let config = self.config;
        for interface in &config.interfaces {
            let view = format!("interface {}", interface.name);
            self.eth_trunk(&view, interface);
        }
        let negotiating = |i: &&Interface| i.trunk.lacp_static && i.trunk.e_trunk.is_some();
        let members: Vec<&str> = (config.interfaces.iter().filter(negotiating))
            .map(|i| i.name.as_str())
            .collect();
        if members.is_empty() {
            let reason = "no Eth-Trunk in mode lacp-static is in an E-Trunk";
            self.inert("", "lacp e-trunk system-id", reason);
            self.inert("", "lacp e-trunk priority", reason);
        } else {
            let reason = format!(
                "{} is in an E-Trunk, where only `lacp e-trunk priority` counts",
                members.join(", ")
            );
            self.inert("", "lacp priority", reason);
        }
        self.e_trunks();
    }

    fn eth_trunk(&mut self, view: &str, interface: &Interface) {
        let trunk = &interface.trunk;
        if trunk.least_active > trunk.max_active {
            let message = format!(
                "`least active-linknumber` {} is more than `max active-linknumber` {}",
                trunk.least_active, trunk.max_active
            );
            self.error(view, "least active-linknumber", message);
        }
        if !trunk.lacp_static {
            for command in LACP {
                self.inert(view, command, "the Eth-Trunk isn't in mode lacp-static");
            }
        } else if trunk.preempt_delay_s.is_none() {
            let reason = "`lacp preempt enable` isn't given";
            self.inert(view, "lacp preempt delay", reason);
        }
        if !matches!(trunk.mux, Mux::Combined | Mux::CombinedCoupled) {
            let reason = "`tandem mux combined` isn't given";
            self.inert(view, "tandem wait-to-restore", reason);
        }
        if trunk.e_trunk.is_none() {
            let reason = "the Eth-Trunk is in no E-Trunk";
            for command in [
                "e-trunk mode",
                "lacp e-trunk system-id",
                "lacp e-trunk priority",
            ] {
                self.inert(view, command, reason);
            }
        }
    }

    fn e_trunks(&mut self) {
        for (id, e_trunk) in &self.config.e_trunks {
            let view = format!("e-trunk {id}");
            let Some((_, source)) = e_trunk.addresses else {
                let reason = "without `peer-ipv6 … source-ipv6 …` the E-Trunk has no peer";
                self.inert(&view, "", reason);
                continue;
            };
            if !self.is_local(source) {
                let reason = "the source address is on none of the interfaces";
                self.inert(&view, "peer-ipv6 source-ipv6", reason);
            }
            if e_trunk.revert_delay_s.is_none() {
                self.inert(&view, "timer revert delay", "`revert disable` is given");
            }
        }
    }

    pub(super) fn is_local(&self, address: std::net::Ipv6Addr) -> bool {
        let mut addresses = self.config.interfaces.iter().flat_map(|i| &i.addresses);
        addresses.any(|(local, _)| *local == address)
    }
}
