//! What a device's configuration says, typed and in range. Defaults are the vendor's.

use dut_device::MacAddr;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;
use std::time::Duration;

/// A device's whole configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Config {
    /// `sysname`.
    pub sysname: String,
    /// `multicast ipv6 routing-enable`.
    pub multicast_ipv6: bool,
    /// `vlan batch`: 1–4094.
    pub vlans: BTreeSet<u16>,
    /// `e-trunk N`.
    pub e_trunks: BTreeMap<u16, ETrunk>,
    /// `lacp priority` of the system view; 32768 when absent.
    pub lacp_priority: Option<u16>,
    /// `lacp e-trunk system-id` of the system view.
    pub lacp_e_trunk_system_id: Option<MacAddr>,
    /// `lacp e-trunk priority` of the system view; 32768 when absent.
    pub lacp_e_trunk_priority: Option<u16>,
    /// `remote-backup-service NAME`, in order.
    pub rbs: Vec<Rbs>,
    /// `remote-backup-profile NAME`, in order.
    pub rbp: Vec<Rbp>,
    /// `isis N`: no effect yet.
    pub isis: BTreeMap<u16, Isis>,
    /// `interface NAME`, by full name with the vendor's capitals (`GigabitEthernet0/1/2`,
    /// `Eth-Trunk1`, `LoopBack0`, `NULL0`), in order.
    pub interfaces: Vec<Interface>,
    /// `pim-ipv6` / `static-rp`: no effect yet.
    pub static_rps: Vec<Ipv6Addr>,
    /// `ipv6 route-static`.
    pub routes: Vec<Route>,
}

/// `e-trunk N`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ETrunk {
    /// `priority`: 1–254, default 100.
    pub priority: u8,
    /// `peer-ipv6 P source-ipv6 S`: (peer, source).
    pub addresses: Option<(Ipv6Addr, Ipv6Addr)>,
    /// `security-key`.
    pub security_key: Option<SecurityKey>,
    /// `authentication-mode`, default enhanced-hmac-sha256.
    pub authentication: Authentication,
    /// `sequence enable`, default off.
    pub sequence: bool,
    /// `timer hello`: 5–100 units of 100 ms, default 10.
    pub hello_100ms: u16,
    /// `timer hold-on-failure multiplier`: 3–300, default 20.
    pub multiplier: u16,
    /// `timer revert delay`: 0–10800 s, default 120; `None` after `revert disable`.
    pub revert_delay_s: Option<u32>,
    /// `description`.
    pub description: Option<String>,
    /// `e-trunk ipv6 port` of the system view, which is all E-Trunks': 1025–65535, default 1025.
    pub port: u16,
}

impl Default for ETrunk {
    fn default() -> Self {
        Self {
            priority: 100,
            addresses: None,
            security_key: None,
            authentication: Authentication::EnhancedHmacSha256,
            sequence: false,
            hello_100ms: 10,
            multiplier: 20,
            revert_delay_s: Some(120),
            description: None,
            port: 1025,
        }
    }
}

/// `security-key simple TEXT` or `security-key cipher TEXT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityKey {
    /// Whether the text is a ciphertext between `%^%#` marks, hence opaque. A `cipher` text without
    /// the marks is the plain key, as an operator types it.
    pub cipher: bool,
    /// The text.
    pub text: String,
}

/// `authentication-mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authentication {
    /// `hmac-sha1`.
    HmacSha1,
    /// `hmac-sha256`.
    HmacSha256,
    /// `enhanced-hmac-sha256`.
    EnhancedHmacSha256,
}

/// `remote-backup-service NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rbs {
    /// Name, 1–32 characters.
    pub name: String,
    /// `peer-ipv6 P source-ipv6 S port N`: (peer, source, port 1024–55535).
    pub endpoint: Option<(Ipv6Addr, Ipv6Addr, u16)>,
    /// `shutdown`.
    pub shutdown: bool,
}

/// `remote-backup-profile NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rbp {
    /// Name, 1–128 characters.
    pub name: String,
    /// `service-type mld`.
    pub mld: bool,
    /// `backup-id N remote-backup-service NAME`: (1–4095, service).
    pub backup_id: Option<(u16, String)>,
    /// `peer-backup hot|warm|virtual`, default hot.
    pub peer_backup: PeerBackup,
    /// `e-trunk E eth-trunk T`.
    pub track: Option<(u16, u16)>,
}

/// `peer-backup`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PeerBackup {
    /// `hot`.
    #[default]
    Hot,
    /// `warm`: no service supports it.
    Warm,
    /// `virtual`: BRAS only.
    Virtual,
}

/// `isis N`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Isis {
    /// `network-entity`.
    pub network_entity: Option<String>,
    /// `ipv6 enable topology ipv6`.
    pub ipv6_topology: bool,
}

/// `ipv6 route-static PREFIX LENGTH [INTERFACE] NEXT-HOP`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Prefix, host bits zero.
    pub prefix: Ipv6Addr,
    /// Prefix length, 0–128.
    pub length: u8,
    /// Outgoing interface, when named.
    pub interface: Option<String>,
    /// Next hop.
    pub next_hop: Ipv6Addr,
}

/// `interface NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Full name.
    pub name: String,
    /// What it is.
    pub kind: InterfaceKind,
    /// Whether it is shut down (default: not).
    pub shutdown: bool,
    /// `ipv6 enable`.
    pub ipv6: bool,
    /// `ipv6 address A/L`.
    pub addresses: Vec<(Ipv6Addr, u8)>,
    /// `pim ipv6 sm`: no effect yet.
    pub pim_sm: bool,
    /// `isis ipv6 enable N`: no effect yet.
    pub isis: Option<u16>,
    /// `mld enable` and what goes with it.
    pub mld: Mld,
    /// `portswitch`.
    pub portswitch: bool,
    /// `port link-type access` with `port default vlan N`.
    pub access_vlan: Option<u16>,
    /// `eth-trunk N`: the Eth-Trunk that this port belongs to.
    pub eth_trunk: Option<u16>,
    /// `lacp priority` of a port: Actor_Port_Priority, default 32768.
    pub lacp_port_priority: u16,
    /// Our own `tandem lacp-activity passive`.
    pub lacp_passive: bool,
    /// Our own `tandem lacp-aggregation individual`.
    pub lacp_individual: bool,
    /// `remote-backup-profile NAME`.
    pub rbp: Option<String>,
    /// What only an Eth-Trunk has.
    pub trunk: Trunk,
}

/// What an interface is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InterfaceKind {
    /// An Ethernet port.
    GigabitEthernet,
    /// Eth-Trunk N: 0–511.
    EthTrunk(u16),
    /// LoopBack N.
    LoopBack(u16),
    /// NULL0.
    Null,
}

/// The part of an interface's configuration that only an Eth-Trunk has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trunk {
    /// `mode lacp-static`; otherwise manual.
    pub lacp_static: bool,
    /// `e-trunk E [remote-eth-trunk R]`: (E, R).
    pub e_trunk: Option<(u16, Option<u16>)>,
    /// `e-trunk mode`.
    pub work_mode: WorkMode,
    /// `lacp e-trunk system-id` of this Eth-Trunk.
    pub lacp_system_id: Option<MacAddr>,
    /// `lacp e-trunk priority` of this Eth-Trunk.
    pub lacp_system_priority: Option<u16>,
    /// `lacp timeout fast`.
    pub timeout_fast: bool,
    /// `max active-linknumber`: 1–64, default 16.
    pub max_active: u16,
    /// `least active-linknumber`: 1–64, default 1.
    pub least_active: u16,
    /// `lacp preempt enable` with `lacp preempt delay`: 0–180 s, default 30 when enabled.
    pub preempt_delay_s: Option<u32>,
    /// Our own `tandem mux`; default coupled.
    pub mux: Mux,
    /// Our own `tandem wait-to-restore`, of a combined Mux: 0–32767 s, default 0.
    pub wait_to_restore_s: u16,
    /// Our own `tandem ntt-on-expired enable|disable`; default enabled, as in Corrigendum 1.
    pub ntt_on_expired: bool,
    /// Our own `tandem protocol-da`, last octet of the address; default 2.
    pub protocol_da: u8,
}

/// `tandem mux`: which Mux machine runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mux {
    /// `coupled`.
    #[default]
    Coupled,
    /// `independent`.
    Independent,
    /// `combined`: that of 802.1AX-2020, Collecting and Distributing independent.
    Combined,
    /// `combined-coupled`: the same, Collecting and Distributing coupled.
    CombinedCoupled,
}

impl Default for Trunk {
    fn default() -> Self {
        Self {
            lacp_static: false,
            e_trunk: None,
            work_mode: WorkMode::Auto,
            lacp_system_id: None,
            lacp_system_priority: None,
            timeout_fast: false,
            max_active: 16,
            least_active: 1,
            preempt_delay_s: None,
            mux: Mux::Coupled,
            wait_to_restore_s: 0,
            ntt_on_expired: true,
            protocol_da: 2,
        }
    }
}

/// `e-trunk mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WorkMode {
    /// `auto`.
    #[default]
    Auto,
    /// `force-master`.
    ForceMaster,
    /// `force-backup`.
    ForceBackup,
}

/// MLD on an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mld {
    /// `mld enable`.
    pub enable: bool,
    /// `mld version 1|2`, default 2.
    pub version: u8,
    /// `mld timer query`: 1–18000 s, default 125 (`tandem mld-query-interval MS` gives
    /// milliseconds).
    pub query_interval: Duration,
    /// `mld max-response-time`: 1–125 s, default 10.
    pub max_response_time: Duration,
    /// `mld robust-count`: 2–5, default 2 (`tandem mld-robustness N`: 1–255).
    pub robust_count: u8,
    /// `mld lastlistener-queryinterval`: 1–25 s, default 1 (`tandem
    /// mld-last-listener-query-interval MS`).
    pub last_listener_query_interval: Duration,
    /// `tandem mld-last-listener-query-count N`: 1–255; default the robustness.
    pub last_listener_query_count: Option<u8>,
    /// `mld require-router-alert`; the reference requires it by default, as RFC 3810 does.
    pub require_router_alert: bool,
    /// `mld limit N`: groups.
    pub limit: Option<u32>,
    /// `tandem mld-source-limit N`: sources of a group.
    pub source_limit: Option<u32>,
    /// `tandem mld-report-limit N`: reports processed a second.
    pub report_limit: Option<u32>,
    /// `mld static-group G [inc-step-mask M number N] [source S]`: (group, source), expanded.
    ///
    /// The interface is an outgoing interface of each group (of the source alone, when one is
    /// given) for ever, whether or not `mld enable` is given; it needs `ipv6 enable` and
    /// `multicast ipv6 routing-enable`. N (2–512) groups are meant, each 2^(128−M) after the one
    /// before, M being 9–128: `FF1E::1 inc-step-mask 128 number 16` is FF1E::1 to FF1E::10.
    pub static_groups: Vec<(Ipv6Addr, Option<Ipv6Addr>)>,
    /// Our own `tandem mld-profile rfc9777`.
    pub rfc9777: bool,
    /// Our own `tandem mld-compatibility disable`.
    pub compatibility: bool,
}

impl Default for Mld {
    fn default() -> Self {
        Self {
            enable: false,
            version: 2,
            query_interval: Duration::from_secs(125),
            max_response_time: Duration::from_secs(10),
            robust_count: 2,
            last_listener_query_interval: Duration::from_secs(1),
            last_listener_query_count: None,
            require_router_alert: true,
            limit: None,
            source_limit: None,
            report_limit: None,
            static_groups: Vec::new(),
            rfc9777: false,
            compatibility: true,
        }
    }
}

impl Interface {
    /// An interface with nothing configured.
    #[must_use]
    pub fn new(name: &str, kind: InterfaceKind) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            shutdown: false,
            ipv6: false,
            addresses: Vec::new(),
            pim_sm: false,
            isis: None,
            mld: Mld::default(),
            portswitch: false,
            access_vlan: None,
            eth_trunk: None,
            lacp_port_priority: 32768,
            lacp_passive: false,
            lacp_individual: false,
            rbp: None,
            trunk: Trunk::default(),
        }
    }
}

impl From<&Mld> for dut_device::MldSettings {
    /// What `display mld interface verbose` prints of the configuration; the startup interval is a
    /// quarter of the query interval, the startup count the robustness.
    fn from(mld: &Mld) -> Self {
        let startup = mld.query_interval.as_millis() / 4;
        Self {
            robustness: mld.robust_count,
            startup_query_interval_ms: u64::try_from(startup).unwrap_or(u64::MAX),
            startup_query_count: mld.robust_count,
            require_router_alert: mld.require_router_alert,
            limit: mld.limit,
        }
    }
}
