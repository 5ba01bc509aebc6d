//! A device's state in the standards' own names: plain structs, ordered, serializable.
//!
//! Remaining times are in milliseconds, rounded up. Uptimes are [`Instant`]s of the beginning.

use crate::{Instant, MacAddr};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::Ipv6Addr;

/// The whole state of one device.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// When it was taken.
    pub at: Instant,
    /// The device's `sysname`.
    pub sysname: String,
    /// Eth-Trunks, by id.
    pub eth_trunks: Vec<EthTrunkSnapshot>,
    /// E-Trunks, by id.
    pub e_trunks: Vec<ETrunkSnapshot>,
    /// Remote backup services, in configuration order.
    pub rbs: Vec<RbsSnapshot>,
    /// Remote backup profiles, in configuration order.
    pub rbp: Vec<RbpSnapshot>,
    /// Interfaces with MLD, by name.
    pub mld: Vec<MldInterfaceSnapshot>,
    /// Multicast forwarding entries, by (group, source).
    pub forwarding: Vec<ForwardingEntry>,
    /// Discards by `protocol.reason`.
    pub discards: BTreeMap<String, u64>,
    /// `description` of E-Trunks that have one, by id.
    #[serde(default)]
    pub e_trunk_descriptions: BTreeMap<u16, String>,
    /// What MLD is configured with, by interface name.
    #[serde(default)]
    pub mld_settings: BTreeMap<String, MldSettings>,
}

/// What an interface's MLD is configured with and doesn't change by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MldSettings {
    /// Robustness Variable configured.
    pub robustness: u8,
    /// Startup Query Interval, ms.
    pub startup_query_interval_ms: u64,
    /// Startup Query Count.
    pub startup_query_count: u8,
    /// Whether messages without Router Alert are dropped.
    pub require_router_alert: bool,
    /// Most groups, when limited.
    pub limit: Option<u32>,
}

/// An Eth-Trunk and the Aggregator under it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EthTrunkSnapshot {
    /// Eth-Trunk id; also the LAG ID that the display prints.
    pub id: u16,
    /// Whether it negotiates with LACP (`mode lacp-static`).
    pub lacp_static: bool,
    /// `lacp preempt` delay in seconds, when enabled.
    pub preempt_delay_s: Option<u32>,
    /// Actor_System_Priority in use.
    pub actor_system_priority: u16,
    /// Actor_System in use.
    pub actor_system: MacAddr,
    /// Where the System ID in use came from: `(Local)` or empty.
    pub system_id_source: String,
    /// `least active-linknumber`.
    pub least_active_linknumber: u16,
    /// `max active-linknumber`.
    pub max_active_linknumber: u16,
    /// Whether the Eth-Trunk is operationally up.
    pub operate_up: bool,
    /// Ports that are Distributing.
    pub up_ports: u16,
    /// Short_Timeout (`Fast`) or Long_Timeout (`Slow`).
    pub timeout_fast: bool,
    /// Aggregation ports by port number.
    pub ports: Vec<AggregationPortSnapshot>,
}

/// The operational parameters that a LACPDU carries for one end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LacpInfo {
    /// System_Priority.
    pub system_priority: u16,
    /// System.
    pub system: MacAddr,
    /// Key.
    pub key: u16,
    /// Port_Priority.
    pub port_priority: u16,
    /// Port.
    pub port: u16,
    /// State octet: bit 0 LACP_Activity … bit 7 Expired.
    pub state: u8,
}

/// One aggregation port (802.1AX 6.4.7).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AggregationPortSnapshot {
    /// Interface name, as `GigabitEthernet0/1/2`.
    pub name: String,
    /// Actor_Oper_* values.
    pub actor: LacpInfo,
    /// Partner_Oper_* values.
    pub partner: LacpInfo,
    /// `SELECTED`, `STANDBY` or `UNSELECTED`.
    pub selected: String,
    /// State of the Receive machine.
    pub receive: String,
    /// State of the Periodic Transmission machine.
    pub periodic: String,
    /// State of the Mux machine.
    pub mux: String,
    /// State of the Actor Churn machine.
    pub actor_churn: String,
    /// State of the Partner Churn machine.
    pub partner_churn: String,
    /// Whether the port's carrier is there.
    pub port_enabled: bool,
    /// The first port that was selected, by which the others are measured: `(r)`.
    pub reference_port: bool,
    /// LACPDUs received and used.
    pub lacpdus_rx: u64,
    /// LACPDUs sent.
    pub lacpdus_tx: u64,
    /// Marker PDUs received.
    pub markers_rx: u64,
    /// Marker Response PDUs received.
    pub marker_responses_rx: u64,
    /// Marker Response PDUs sent.
    pub marker_responses_tx: u64,
    /// Slow protocol frames of an unsupported subtype.
    pub unknown_rx: u64,
    /// Badly formed PDUs and illegal subtypes.
    pub illegal_rx: u64,
}

/// An E-Trunk; the fields of `display e-trunk`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ETrunkSnapshot {
    /// E-Trunk-ID.
    pub id: u16,
    /// Priority, 1–254.
    pub priority: u8,
    /// E-Trunk system id (the bridge MAC).
    pub system_id: MacAddr,
    /// Revert-Delay-Time in seconds; `None` when `revert disable`.
    pub revert_delay_s: Option<u32>,
    /// Peer-IP.
    pub peer: Option<Ipv6Addr>,
    /// Source-IP.
    pub source: Option<Ipv6Addr>,
    /// `Initialize`, `Backup` or `Master`.
    pub state: String,
    /// Causation, as `PRI`.
    pub causation: String,
    /// Send-Period in units of 100 ms.
    pub send_period_100ms: u16,
    /// Fail-Time in units of 100 ms.
    pub fail_time_100ms: u16,
    /// Hellos received and used.
    pub receive: u64,
    /// Hellos sent.
    pub send: u64,
    /// Hellos refused.
    pub rec_drop: u64,
    /// Hellos that could not be sent.
    pub snd_drop: u64,
    /// Peer-Priority, once heard.
    pub peer_priority: Option<u8>,
    /// Peer-System-ID, once heard.
    pub peer_system_id: Option<MacAddr>,
    /// Peer-Fail-Time in units of 100 ms, once heard.
    pub peer_fail_time_100ms: Option<u16>,
    /// `sequence enable`.
    pub sequence: bool,
    /// Refusals by reason (`display e-trunk packet-statistics`).
    pub errors: BTreeMap<String, u64>,
    /// Members, by Eth-Trunk id.
    pub members: Vec<ETrunkMemberSnapshot>,
}

/// A member of an E-Trunk.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ETrunkMemberSnapshot {
    /// Eth-Trunk id.
    pub id: u16,
    /// LocalPhyState: whether the Eth-Trunk is operationally up.
    pub phy_up: bool,
    /// Whether the Eth-Trunk could carry traffic if it were selected.
    pub link_ready: bool,
    /// `auto`, `force-master` or `force-backup`.
    pub work_mode: String,
    /// `Master` or `Backup`.
    pub state: String,
    /// Causation, as `ETRUNK_MASTER`.
    pub causation: String,
    /// Remote-ID.
    pub remote_id: u16,
}

/// A remote backup service; the fields of `display remote-backup-service`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RbsSnapshot {
    /// Service-Index, from 1.
    pub index: u16,
    /// Service-Name.
    pub name: String,
    /// `init`, `listening`, `connecting` or `connected`.
    pub tcp_state: String,
    /// Peer-ip.
    pub peer: Option<Ipv6Addr>,
    /// Source-ip.
    pub source: Option<Ipv6Addr>,
    /// TCP-Port.
    pub tcp_port: u16,
    /// Last up time: seconds since 1970 (device's own wall clock).
    pub last_up_s: Option<u64>,
    /// Last down time.
    pub last_down_s: Option<u64>,
    /// Last down reason, as `TCP closed for packet error.`
    pub last_down_reason: Option<String>,
    /// Messages sent and not yet acknowledged.
    pub unacknowledged: u64,
    /// Refusals by reason.
    pub errors: BTreeMap<String, u64>,
}

/// A remote backup profile with its shadow table.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RbpSnapshot {
    /// Profile-Index, from 0x1000.
    pub index: u16,
    /// Profile-Name.
    pub name: String,
    /// Service types, as `MLD`.
    pub services: Vec<String>,
    /// Remote-backup-service.
    pub rbs: String,
    /// Backup-ID.
    pub backup_id: u16,
    /// Tracked E-Trunk.
    pub e_trunk: Option<u16>,
    /// Tracked Eth-Trunk.
    pub eth_trunk: Option<u16>,
    /// Interfaces that the profile is bound to.
    pub interfaces: Vec<String>,
    /// `hot`, `warm` or `virtual`.
    pub backup_mode: String,
    /// Whether the tracked member is Master.
    pub master: bool,
    /// SHA-256 over the canonical table without timers, in hex.
    pub digest: String,
    /// Whether the peer's last digest equals ours and nothing is unacknowledged.
    pub synchronized: bool,
    /// The profile's table: on the master what it has said, on the backup what it has heard.
    pub entries: Vec<MldGroupSnapshot>,
}

/// An interface's MLD state.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MldInterfaceSnapshot {
    /// Interface name.
    pub name: String,
    /// Link-local address that its queries carry.
    pub link_local: Option<Ipv6Addr>,
    /// Whether the interface is up for MLD.
    pub up: bool,
    /// Configured version, 1 or 2.
    pub version: u8,
    /// Whether this router is the querier.
    pub querier: bool,
    /// The querier's address.
    pub querier_address: Option<Ipv6Addr>,
    /// Robustness Variable in use.
    pub robustness: u8,
    /// Query Interval configured, ms.
    pub query_interval_ms: u64,
    /// Query Interval in use, ms.
    pub negotiated_query_interval_ms: u64,
    /// Query Response Interval, ms.
    pub query_response_interval_ms: u64,
    /// Last Listener Query Interval, ms.
    pub last_listener_query_interval_ms: u64,
    /// Other Querier Present timer remaining, ms.
    pub other_querier_ms: Option<u64>,
    /// Time to the next general query, ms.
    pub general_query_ms: Option<u64>,
    /// Groups in address order.
    pub groups: Vec<MldGroupSnapshot>,
}

/// One (link, group) record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MldGroupSnapshot {
    /// Multicast address.
    pub group: Ipv6Addr,
    /// `INCLUDE` or `EXCLUDE`.
    pub filter_mode: String,
    /// Filter timer remaining, ms; 0 in INCLUDE.
    pub filter_timer_ms: u64,
    /// Older Version Host Present timer remaining, ms; 0 when not in version-1 mode.
    pub v1_host_ms: u64,
    /// Sources in address order.
    pub sources: Vec<MldSourceSnapshot>,
    /// Who reported last.
    pub last_reporter: Option<Ipv6Addr>,
    /// When the record was created (on a backup: received first).
    pub since: Instant,
    /// Specific queries for the group still to be sent.
    pub query_count: u8,
}

/// A source of a (link, group) record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MldSourceSnapshot {
    /// Source address.
    pub source: Ipv6Addr,
    /// Source timer remaining, ms; 0 means excluded.
    pub timer_ms: u64,
    /// Source-specific queries still to be sent.
    pub query_count: u8,
}

/// A multicast forwarding entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForwardingEntry {
    /// Group.
    pub group: Ipv6Addr,
    /// Source; `None` is (*,G).
    pub source: Option<Ipv6Addr>,
    /// Interface that its traffic must come in by.
    pub upstream: Option<String>,
    /// Interfaces that it leaves by; muted ones too.
    pub downstream: Vec<String>,
    /// Downstream interfaces held without forwarding (the backup's).
    pub muted: Vec<String>,
    /// Packets forwarded.
    pub forwarded: u64,
}
