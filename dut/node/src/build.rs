//! Builds a node from its configuration.

mod pair;

use crate::host::Host;
use crate::interface::{Carrier, Interface};
use crate::multicast::Forwarding;
use crate::neighbor::Neighbors;
use crate::node::{Node, Settings};
use crate::port::{Port, PortRole};
use crate::route::Routes;
use crate::station::policy::{ProxyPolicy, SnooperPolicy};
use crate::switch::{Bridge, BridgePort};
use crate::trunk::Trunk;
use dut_device::{BuildSpec, Event, Identity, MacAddr, PortId, PortInfo};
use dut_lacp as lacp;
use dut_mld as mld;
use dut_vrp::config::{self, Config, InterfaceKind};
use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv6Addr;
use std::time::Duration;
use thiserror::Error;

/// Why a node can't be built.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BuildError {
    /// The configuration doesn't load: every mistake, rendered with its place.
    #[error("{0}")]
    Configuration(String),
}

/// LACP and E-Trunk keys by our own rule: the operational key of Eth-Trunk n is 304 + n.
const KEY_BASE: u16 = 304;
/// What the device with the numerically larger `source-ipv6` adds to its LACP port numbers.
const PORT_OFFSET: u16 = 32768;
/// Megabits per second of a GigabitEthernet port.
const PORT_MBPS: u32 = 1000;

/// Builds a node.
///
/// # Errors
/// [`BuildError::Configuration`] with every mistake of the files.
pub fn build(spec: &BuildSpec) -> Result<Node, BuildError> {
    build_with(spec, &Rules::default())
}

/// What of the engines is data: tables, constants, functions of the standards. The default is the
/// reference; anything else is a device with a defect, which the suites must find.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// LACP's.
    pub lacp: lacp::Rules,
    /// E-Trunk's.
    pub etrunk: dut_etrunk::policy::Policy,
    /// RBS's.
    pub rbs: dut_rbs::policy::Policy,
    /// Those of the pair's ties.
    pub pair: crate::policy::Policy,
    /// An MLD listener's.
    pub listener: mld::host::Policy,
    /// MLD's.
    pub mld: mld::Policy,
    /// An MLD proxy's.
    pub proxy: ProxyPolicy,
    /// A snooping bridge's.
    pub snooper: SnooperPolicy,
}

/// Builds a node by other rules.
///
/// # Errors
/// As [`build`].
pub fn build_with(spec: &BuildSpec, rules: &Rules) -> Result<Node, BuildError> {
    let loaded = dut_vrp::parse(&spec.configuration).map_err(|diagnostics| {
        BuildError::Configuration(dut_vrp::render(&diagnostics, &spec.configuration, false))
    })?;
    let mut builder = Builder {
        spec,
        rules,
        config: &loaded.config,
        node: empty(spec, &loaded.config, rules),
    };
    for notice in &loaded.notices {
        let text = notice.to_string();
        builder
            .node
            .events
            .push_back(Event::Notice { what: "load", text });
    }
    builder.ports();
    builder.trunks();
    builder.interfaces();
    builder.bridge();
    builder.routes();
    builder.host();
    builder.services();
    builder.bonds();
    Ok(builder.node)
}

fn empty(spec: &BuildSpec, config: &Config, rules: &Rules) -> Node {
    Node {
        infos: Vec::new(),
        sysname: config.sysname.clone(),
        settings: settings(config),
        wall_origin_s: spec.wall_origin_s,
        ports: Vec::new(),
        trunks: Vec::new(),
        interfaces: Vec::new(),
        bridge: Bridge::default(),
        routes: Routes::default(),
        neighbors: Neighbors::default(),
        host: Host::new(&[], spec.seed),
        services: Vec::new(),
        bonds: Vec::new(),
        policy: rules.pair,
        forwarding: Forwarding::default(),
        discards: BTreeMap::new(),
        transmits: VecDeque::new(),
        events: VecDeque::new(),
        next_tx: 0,
        started: false,
        timeout: None,
    }
}

fn settings(config: &Config) -> Settings {
    let described = |(id, e_trunk): (&u16, &config::ETrunk)| {
        e_trunk
            .description
            .clone()
            .map(|description| (*id, description))
    };
    let enabled = config
        .interfaces
        .iter()
        .filter(|interface| interface.mld.enable);
    Settings {
        e_trunk_descriptions: config.e_trunks.iter().filter_map(described).collect(),
        mld: enabled.map(|i| (i.name.clone(), (&i.mld).into())).collect(),
    }
}

struct Builder<'a> {
    spec: &'a BuildSpec,
    rules: &'a Rules,
    config: &'a Config,
    node: Node,
}

/// The base address raised by `n`.
fn raised(base: MacAddr, n: u16) -> MacAddr {
    let [a, b, c, d, e, f] = base.0;
    let low = u32::from_be_bytes([0, d, e, f]).wrapping_add(u32::from(n)) & 0x00ff_ffff;
    let [_, d, e, f] = low.to_be_bytes();
    MacAddr([a, b, c, d, e, f])
}

impl Builder<'_> {
    /// Configured Ethernet ports, in order: the device's ports.
    fn physical(&self) -> impl Iterator<Item = &config::Interface> {
        self.config
            .interfaces
            .iter()
            .filter(|i| i.kind == InterfaceKind::GigabitEthernet)
    }

    fn ports(&mut self) {
        let found: Vec<(String, bool)> = self
            .physical()
            .map(|i| (i.name.clone(), i.shutdown))
            .collect();
        for (index, (name, shutdown)) in found.into_iter().enumerate() {
            let number = u16::try_from(index).unwrap_or(u16::MAX);
            let id = PortId(number);
            let mac = self.identity(&name).mac;
            let mac = mac.unwrap_or_else(|| raised(self.spec.base_mac, number + 1));
            self.node.infos.push(PortInfo { id, name, mac });
            let role = PortRole::Unused;
            self.node.ports.push(Port {
                id,
                mac,
                carrier: false,
                shutdown,
                role,
            });
        }
    }

    /// Whom the device stands for on a port.
    fn identity(&self, port: &str) -> Identity {
        self.spec.identity.get(port).copied().unwrap_or_default()
    }

    fn etrunk_of(&self, interface: &config::Interface) -> Option<&config::ETrunk> {
        let (id, _) = interface.trunk.e_trunk?;
        self.config.e_trunks.get(&id)
    }

    /// LACP system priority and id of an Eth-Trunk: an E-Trunk's member uses those of the E-Trunk.
    fn lacp_identity(&self, interface: &config::Interface) -> (u16, MacAddr) {
        if interface.trunk.e_trunk.is_some() {
            let priority = interface.trunk.lacp_system_priority;
            let priority = priority
                .or(self.config.lacp_e_trunk_priority)
                .unwrap_or(32768);
            let id = interface.trunk.lacp_system_id;
            let id = id
                .or(self.config.lacp_e_trunk_system_id)
                .unwrap_or(self.spec.base_mac);
            (priority, id)
        } else {
            (
                self.config.lacp_priority.unwrap_or(32768),
                self.spec.base_mac,
            )
        }
    }

    /// Whether this device is the one whose port numbers are raised.
    fn port_offset(&self, interface: &config::Interface) -> bool {
        let addresses = self
            .etrunk_of(interface)
            .and_then(|etrunk| etrunk.addresses);
        addresses.is_some_and(|(peer, source)| (self.rules.pair.raises_ports)(source, peer))
    }

    fn trunks(&mut self) {
        let trunks: Vec<config::Interface> = self
            .config
            .interfaces
            .iter()
            .filter(|i| matches!(i.kind, InterfaceKind::EthTrunk(_)))
            .cloned()
            .collect();
        for interface in trunks {
            let InterfaceKind::EthTrunk(id) = interface.kind else {
                continue;
            };
            let (system_priority, system_id) = self.lacp_identity(&interface);
            let offset = if self.port_offset(&interface) {
                PORT_OFFSET
            } else {
                0
            };
            let members: Vec<(usize, u16, config::Interface)> = self
                .physical()
                .enumerate()
                .filter(|(_, port)| port.eth_trunk == Some(id))
                .zip(1_u16..)
                .map(|((index, port), number)| (index, number, port.clone()))
                .collect();
            let index = self.node.trunks.len();
            let mut config = lacp_config(id, &interface, system_priority, system_id);
            let mut mac = (self.rules.pair.trunk_mac)(system_id, self.spec.base_mac);
            let mut ports = Vec::new();
            let mut aggregation = Vec::new();
            for (port, number, configured) in members {
                let identity = self.identity(&configured.name);
                mac = identity.mac.unwrap_or(mac);
                if let Some(actor) = identity.lacp {
                    config.system_priority = actor.system_priority;
                    config.system_id = actor.system;
                    config.key = actor.key;
                }
                let port = PortId(u16::try_from(port).unwrap_or(u16::MAX));
                ports.push(port);
                if let Some(port) = self.node.ports.get_mut(usize::from(port.0)) {
                    port.role = PortRole::Trunk(index);
                }
                aggregation.push(lacp::PortConfig {
                    port,
                    name: configured.name.clone(),
                    port_number: (identity.lacp)
                        .map_or(number.saturating_add(offset), |actor| actor.port),
                    port_priority: (identity.lacp)
                        .map_or(configured.lacp_port_priority, |actor| actor.port_priority),
                    activity: !configured.lacp_passive,
                    timeout_short: interface.trunk.timeout_fast,
                    aggregation: !configured.lacp_individual,
                });
            }
            let lacp = interface
                .trunk
                .lacp_static
                .then(|| lacp::EthTrunk::with_rules(config, aggregation, self.rules.lacp.clone()));
            self.node.trunks.push(Trunk {
                id,
                mac,
                ports,
                protocol_da: [0x01, 0x80, 0xc2, 0x00, 0x00, interface.trunk.protocol_da],
                lacp,
                manual_up: Vec::new(),
                interface: None,
                bond: None,
                port_mbps: PORT_MBPS,
            });
        }
    }

    fn interfaces(&mut self) {
        let all = self.config.interfaces.clone();
        for configured in &all {
            let carrier = match configured.kind {
                InterfaceKind::GigabitEthernet => {
                    if configured.eth_trunk.is_some() {
                        continue;
                    }
                    let index = self
                        .node
                        .infos
                        .iter()
                        .position(|info| info.name == configured.name);
                    let Some(index) = index else { continue };
                    if let Some(vlan) = configured.access_vlan.filter(|_| configured.portswitch) {
                        if let Some(port) = self.node.ports.get_mut(index) {
                            port.role = PortRole::Access(vlan);
                        }
                        continue;
                    }
                    Carrier::Port(PortId(u16::try_from(index).unwrap_or(u16::MAX)))
                }
                InterfaceKind::EthTrunk(id) => {
                    let index = self.node.trunks.iter().position(|trunk| trunk.id == id);
                    match index {
                        Some(index) if !configured.portswitch => Carrier::Trunk(index),
                        _ => continue,
                    }
                }
                InterfaceKind::LoopBack(_) => Carrier::Loopback,
                InterfaceKind::Null => continue,
            };
            if configured.ipv6 {
                self.interface(configured, carrier);
            }
        }
    }

    fn interface(&mut self, configured: &config::Interface, carrier: Carrier) {
        let index = self.node.interfaces.len();
        let mut port_name = configured.name.as_str();
        let mac = match carrier {
            Carrier::Port(port) => {
                if let Some(port) = self.node.ports.get_mut(usize::from(port.0)) {
                    port.role = PortRole::Routed(index);
                    port.mac
                } else {
                    self.spec.base_mac
                }
            }
            Carrier::Trunk(trunk) => {
                if let Some(trunk) = self.node.trunks.get_mut(trunk) {
                    trunk.interface = Some(index);
                    let port = trunk.ports.first().map(|port| usize::from(port.0));
                    let info = port.and_then(|port| self.node.infos.get(port));
                    port_name = info.map_or(port_name, |info| info.name.as_str());
                    trunk.mac
                } else {
                    self.spec.base_mac
                }
            }
            Carrier::Loopback => self.spec.base_mac,
        };
        let link_local = self.identity(port_name).link_local;
        let link_local = link_local.unwrap_or_else(|| mac.link_local());
        let enabled = configured.mld.enable && self.config.multicast_ipv6;
        let policy = || self.rules.mld.clone();
        let mld_config = || mld::InterfaceConfig {
            seed: self.spec.seed,
            ..mld_config(configured, link_local)
        };
        let mld = enabled.then(|| mld::Interface::with_policy(mld_config(), policy()));
        self.node.interfaces.push(Interface {
            name: configured.name.clone(),
            carrier,
            mac,
            link_local,
            addresses: configured.addresses.clone(),
            up: false,
            mld,
            static_groups: configured.mld.static_groups.clone(),
            bond: None,
        });
    }

    fn bridge(&mut self) {
        let mut members: BTreeMap<u16, Vec<BridgePort>> = BTreeMap::new();
        for port in &self.node.ports {
            if let (PortRole::Access(vlan), Some(bridge)) = (port.role, Node::bridge_port_of(port))
            {
                members.entry(vlan).or_default().push(bridge);
            }
        }
        for configured in &self.config.interfaces {
            let InterfaceKind::EthTrunk(id) = configured.kind else {
                continue;
            };
            let index = self.node.trunks.iter().position(|trunk| trunk.id == id);
            let vlan = configured.access_vlan.filter(|_| configured.portswitch);
            if let (Some(index), Some(vlan)) = (index, vlan) {
                members
                    .entry(vlan)
                    .or_default()
                    .push(BridgePort::Trunk(index));
            }
        }
        self.node.bridge.members = members;
    }

    fn routes(&mut self) {
        for (index, interface) in self.node.interfaces.iter().enumerate() {
            if interface.carrier == Carrier::Loopback {
                continue;
            }
            for (address, length) in &interface.addresses {
                self.node.routes.add(*address, *length, index, None);
            }
        }
        for route in &self.config.routes {
            let named = |name: &String| self.node.interfaces.iter().position(|i| i.name == *name);
            let through = route.interface.as_ref().and_then(named);
            let connected = self.node.routes.lookup(route.next_hop, |_| true);
            let index = through.or_else(|| connected.map(|route| route.interface));
            // A next hop on no link stays out until IS-IS can resolve it; the load has said so.
            if let Some(index) = index {
                self.node
                    .routes
                    .add(route.prefix, route.length, index, Some(route.next_hop));
            }
        }
    }

    /// The host stack's addresses, those of the services first.
    fn host(&mut self) {
        let services = self
            .config
            .rbs
            .iter()
            .filter_map(|rbs| rbs.endpoint.map(|(_, s, _)| s));
        let trunks = self
            .config
            .e_trunks
            .values()
            .filter_map(|e| e.addresses.map(|(_, s)| s));
        let own = self
            .node
            .interfaces
            .iter()
            .flat_map(|i| i.addresses.iter().map(|(a, _)| *a));
        let mut addresses: Vec<Ipv6Addr> = Vec::new();
        for address in services.chain(trunks).chain(own) {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        let seed = self.spec.seed ^ (self.spec.boot_epoch << 48);
        self.node.host = Host::new(&addresses, seed);
    }
}

fn lacp_config(
    id: u16,
    interface: &config::Interface,
    system_priority: u16,
    system_id: MacAddr,
) -> lacp::EthTrunkConfig {
    let trunk = &interface.trunk;
    lacp::EthTrunkConfig {
        id,
        system_priority,
        system_id,
        system_id_source: if trunk.e_trunk.is_some() {
            "(Local)"
        } else {
            ""
        }
        .to_owned(),
        key: KEY_BASE.saturating_add(id),
        mux: match trunk.mux {
            config::Mux::Coupled => lacp::MuxControl::Coupled,
            config::Mux::Independent => lacp::MuxControl::Independent,
            config::Mux::Combined => lacp::MuxControl::Combined,
            config::Mux::CombinedCoupled => lacp::MuxControl::CombinedCoupled,
        },
        wait_to_restore: Duration::from_secs(u64::from(trunk.wait_to_restore_s)),
        max_active: trunk.max_active,
        least_active: trunk.least_active,
        preempt_delay: trunk
            .preempt_delay_s
            .map(|s| Duration::from_secs(u64::from(s))),
        ntt_on_expired: trunk.ntt_on_expired,
        collector_max_delay: 0,
    }
}

fn mld_config(interface: &config::Interface, link_local: Ipv6Addr) -> mld::InterfaceConfig {
    let settings = &interface.mld;
    let mut config = mld::InterfaceConfig::new(interface.name.clone(), link_local);
    config.version = settings.version;
    config.profile = if settings.rfc9777 {
        mld::Profile::Rfc9777
    } else {
        mld::Profile::Rfc3810
    };
    config.robustness = settings.robust_count;
    config.query_interval = settings.query_interval;
    config.query_response_interval = settings.max_response_time;
    config.last_listener_query_interval = settings.last_listener_query_interval;
    config.last_listener_query_count = settings.last_listener_query_count;
    config.require_router_alert = settings.require_router_alert;
    config.compatibility = settings.compatibility;
    let limit = |limit: Option<u32>, default: usize| {
        limit.map_or(default, |limit| {
            usize::try_from(limit).unwrap_or(usize::MAX)
        })
    };
    config.group_limit = limit(settings.limit, config.group_limit);
    config.source_limit = limit(settings.source_limit, config.source_limit);
    config.report_limit = settings.report_limit.unwrap_or(config.report_limit);
    config
}
