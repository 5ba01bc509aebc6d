//! `display e-trunk` and its kin.

use super::format::{column, ip, or_dash, two};
use dut_device::{ETrunkSnapshot, Snapshot};
use std::net::Ipv6Addr;

const RULE: &str =
    "--------------------------------------------------------------------------------\n";

/// Counters of `display e-trunk packet-statistics`: the name that the engine counts under, and the
/// label. The first two belong to no one E-Trunk.
const GLOBAL: &[(&str, &str)] = &[
    ("e_trunk_id_error", "E-Trunk-ID errors"),
    ("length_error", "Length errors"),
];
const COUNTERS: &[(&str, &str)] = &[
    ("priority_error", "Priority errors"),
    ("fail_time_error", "Fail-time errors"),
    ("state_error", "State errors"),
    ("state_reason_error", "State reason errors"),
    ("peer_ip_error", "Peer-IP errors"),
    ("authentication_error", "Authentication errors"),
    ("tlv_check_error", "TLV check errors"),
    ("system_id_error", "System-ID errors"),
    ("sequence_error", "Sequence errors"),
];

/// `display e-trunk [ID]`.
pub(super) fn all(snapshot: &Snapshot, id: Option<u16>) -> Result<String, String> {
    let texts: Vec<String> = (snapshot.e_trunks.iter())
        .filter(|e_trunk| id.is_none_or(|id| e_trunk.id == id))
        .map(|e_trunk| one(snapshot, e_trunk))
        .collect();
    match id {
        Some(id) if texts.is_empty() => Err(format!("Error: E-Trunk {id} does not exist.")),
        Some(_) | None => Ok(texts.join("\n")),
    }
}

fn one(snapshot: &Snapshot, e_trunk: &ETrunkSnapshot) -> String {
    let pair = |left: (&str, String), right: (&str, String)| {
        two(
            &format!("{} : {}", left.0, left.1),
            &format!("{} : {}", right.0, right.1),
        )
    };
    let address = |address: Option<Ipv6Addr>| address.map_or("-".to_owned(), ip);
    let mut text = format!("{:26}The E-Trunk information\n", "");
    let rows = [
        (
            ("E-Trunk-ID", e_trunk.id.to_string()),
            ("Revert-Delay-Time (s)", or_dash(e_trunk.revert_delay_s)),
        ),
        (
            ("Priority", e_trunk.priority.to_string()),
            ("System-ID", e_trunk.system_id.to_vrp()),
        ),
        (
            ("Peer-IP", address(e_trunk.peer)),
            ("Source-IP", address(e_trunk.source)),
        ),
        (
            ("State", state(e_trunk).to_owned()),
            ("Causation", e_trunk.causation.clone()),
        ),
        (
            ("Send-Period (100ms)", e_trunk.send_period_100ms.to_string()),
            ("Fail-Time (100ms)", e_trunk.fail_time_100ms.to_string()),
        ),
        (
            ("Receive", e_trunk.receive.to_string()),
            ("Send", e_trunk.send.to_string()),
        ),
        (
            ("RecDrop", e_trunk.rec_drop.to_string()),
            ("SndDrop", e_trunk.snd_drop.to_string()),
        ),
        (
            ("Peer-Priority", or_dash(e_trunk.peer_priority)),
            (
                "Peer-System-ID",
                or_dash(e_trunk.peer_system_id.map(dut_device::MacAddr::to_vrp)),
            ),
        ),
        (
            (
                "Peer-Fail-Time (100ms)",
                or_dash(e_trunk.peer_fail_time_100ms),
            ),
            ("BFD-Session", "-".to_owned()),
        ),
    ];
    for (left, right) in rows {
        text += &pair(left, right);
    }
    let description = snapshot.e_trunk_descriptions.get(&e_trunk.id);
    text += &format!("Description : {}\n", or_dash(description));
    let sequence = if e_trunk.sequence {
        "Enable"
    } else {
        "Disable"
    };
    text += &format!("Sequence : {sequence}\n");
    text += &two("Dynamic-BFD : Disabled", "BFD-State : -");
    text += &two("TX (ms) : -", "RX (ms) : -");
    text += "Multiplier : -\n";
    text += RULE;
    text += &members(e_trunk);
    text
}

fn members(e_trunk: &ETrunkSnapshot) -> String {
    let mut text = format!("{:28}The Member information\n", "");
    text += "Type      ID   LocalPhyState   Work-Mode     State    Causation         Remote-ID\n";
    for member in &e_trunk.members {
        text += &[
            column("Eth-Trunk", 10),
            column(&member.id.to_string(), 5),
            column(if member.phy_up { "Up" } else { "Down" }, 16),
            column(&member.work_mode, 14),
            column(&member.state, 9),
            column(&member.causation, 18),
            format!("{}\n", member.remote_id),
        ]
        .concat();
    }
    text
}

/// The state as it is printed: Initialize is cut short.
fn state(e_trunk: &ETrunkSnapshot) -> &str {
    match e_trunk.state.as_str() {
        "Initialize" => "Init",
        state => state,
    }
}

/// `display e-trunk brief`.
pub(super) fn brief(snapshot: &Snapshot) -> String {
    let mut text = format!(
        "{}{}{}{}Source-IP\n",
        column("E-TRUNK-ID", 12),
        column("State", 9),
        column("VPN-Instance", 14),
        column("Peer-IP", 40)
    );
    let address = |address: Option<Ipv6Addr>| address.map_or("-".to_owned(), ip);
    for e_trunk in &snapshot.e_trunks {
        text += &format!(
            "{}{}{}{}{}\n",
            column(&e_trunk.id.to_string(), 12),
            column(state(e_trunk), 9),
            column("-", 14),
            column(&address(e_trunk.peer), 40),
            address(e_trunk.source)
        );
    }
    let count = |name: &str| {
        snapshot
            .e_trunks
            .iter()
            .filter(|e| state(e) == name)
            .count()
    };
    text += &format!(
        "Total:{} Master:{} Backup:{} Init:{}\n",
        snapshot.e_trunks.len(),
        count("Master"),
        count("Backup"),
        count("Init")
    );
    text
}

/// `display e-trunk packet-statistics`.
pub(super) fn packet_statistics(snapshot: &Snapshot) -> String {
    let line = |label: &str, value: u64| format!(" {}: {value}\n", column(label, 38));
    let mut text = "The global E-Trunk packet statistics\n".to_owned();
    for (name, label) in GLOBAL {
        // What names no E-Trunk of ours may be counted by the node alone.
        let engines = snapshot
            .e_trunks
            .iter()
            .filter_map(|e| e.errors.get(*name))
            .sum();
        let node = snapshot
            .discards
            .get(&format!("etrunk.{name}"))
            .copied()
            .unwrap_or(0);
        text += &line(label, node.max(engines));
    }
    for e_trunk in &snapshot.e_trunks {
        text += &format!("The packet statistics of E-Trunk {}\n", e_trunk.id);
        for (name, label) in COUNTERS {
            text += &line(label, e_trunk.errors.get(*name).copied().unwrap_or(0));
        }
        text += &line("Dropped packets with BFD protection", 0);
        text += &line("Sent", e_trunk.send);
        text += &line("Failed to send", e_trunk.snd_drop);
        text += &line("Received", e_trunk.receive);
    }
    text
}
