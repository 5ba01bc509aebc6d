//! Interfaces: what excludes what, and MLD's limits.

use super::Checker;
use crate::config::{Interface, Mld};
use std::collections::BTreeMap;
use std::net::Ipv6Addr;

/// Commands of layer 3 and MLD that make no sense on a port of an Eth-Trunk or a switch port.
const LAYER_3: &[&str] = &[
    "ipv6 enable",
    "ipv6 address",
    "pim ipv6 sm",
    "isis ipv6 enable",
];
const MLD: &[&str] = &["mld enable", "mld static-group"];
const LAYER_2: &[&str] = &["portswitch", "port link-type", "port default vlan"];

impl Checker<'_> {
    pub(super) fn interfaces(&mut self) {
        let config = self.config;
        let mut addresses: BTreeMap<Ipv6Addr, &str> = BTreeMap::new();
        for interface in &config.interfaces {
            let view = format!("interface {}", interface.name);
            self.layers(&view, interface);
            self.mld(&view, interface);
            for (address, _) in &interface.addresses {
                if let Some(other) = addresses.insert(*address, &interface.name) {
                    let address = address.to_string().to_uppercase();
                    let message = format!("{address} is on {other} already");
                    self.error(&view, "ipv6 address", message);
                }
            }
        }
    }

    /// A port of an Eth-Trunk has nothing of its own; a switch port has no address.
    fn layers(&mut self, view: &str, interface: &Interface) {
        let refused: &[&[&str]] = if interface.eth_trunk.is_some() {
            &[LAYER_3, MLD, LAYER_2]
        } else if interface.portswitch {
            &[LAYER_3, MLD]
        } else {
            &[]
        };
        let why = if interface.eth_trunk.is_some() {
            "belongs to an Eth-Trunk"
        } else {
            "is a switch port"
        };
        for command in refused.iter().copied().flatten() {
            if self.given(view, command) && self.holds(interface, command) {
                self.error(
                    view,
                    command,
                    format!("`{command}` on an interface that {why}"),
                );
            }
        }
        if interface.eth_trunk.is_none() && !interface.portswitch {
            for command in ["port link-type", "port default vlan"] {
                if self.given(view, command) {
                    let message = format!("`{command}` needs `portswitch`");
                    self.error(view, command, message);
                }
            }
        }
        if interface.portswitch && interface.access_vlan.is_none() {
            self.inert(view, "portswitch", "the port is in no VLAN");
        }
        if interface.eth_trunk.is_none() && !interface.addresses.is_empty() && !interface.ipv6 {
            let message = "`ipv6 address` needs `ipv6 enable` on the interface".to_owned();
            self.error(view, "ipv6 address", message);
        }
        if interface.eth_trunk.is_none() {
            let reason = "the port belongs to no Eth-Trunk";
            for command in ["tandem lacp-activity", "tandem lacp-aggregation"] {
                self.inert(view, command, reason);
            }
            if self.given(view, "lacp priority") {
                self.inert(view, "lacp priority", reason);
            }
        }
    }

    /// Whether what a command sets is still set in the end (`undo` may have taken it back).
    fn holds(&self, interface: &Interface, command: &str) -> bool {
        match command {
            "mld enable" => interface.mld.enable,
            "portswitch" => interface.portswitch,
            _ => true,
        }
    }

    fn mld(&mut self, view: &str, interface: &Interface) {
        let mld = &interface.mld;
        if mld.max_response_time >= mld.query_interval {
            let message = format!(
                "the maximum response time, {} ms, is not less than the query interval, {} ms",
                mld.max_response_time.as_millis(),
                mld.query_interval.as_millis()
            );
            let command = [
                "mld max-response-time",
                "tandem mld-query-interval",
                "mld timer query",
            ]
            .into_iter()
            .find(|command| self.given(view, command))
            .unwrap_or_default();
            self.error(view, command, message);
        }
        if interface.portswitch || interface.eth_trunk.is_some() {
            return;
        }
        let reason = if !self.config.multicast_ipv6 {
            "`multicast ipv6 routing-enable` isn't given"
        } else if !interface.ipv6 {
            "`ipv6 enable` isn't given on the interface"
        } else if *mld != Mld::default() && !mld.enable && mld.static_groups.is_empty() {
            self.unused_mld(view);
            return;
        } else {
            return;
        };
        for command in MLD {
            self.inert(view, command, reason);
        }
    }

    /// MLD commands on an interface that neither runs MLD nor has static groups.
    fn unused_mld(&mut self, view: &str) {
        let commands: Vec<String> = self
            .lines
            .iter()
            .filter(|line| line.view == view)
            .map(|line| line.command.clone())
            .filter(|command| command.starts_with("mld ") || command.starts_with("tandem mld-"))
            .collect();
        for command in commands {
            self.inert(view, &command, "`mld enable` isn't given on the interface");
        }
    }
}
