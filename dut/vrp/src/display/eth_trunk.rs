//! `display eth-trunk` and `display lacp statistics eth-trunk`.

use super::format::column;
use dut_device::{AggregationPortSnapshot, EthTrunkSnapshot, Snapshot};

const RULE: &str =
    "--------------------------------------------------------------------------------\n";
const SYNCHRONIZATION: u8 = 0x08;

/// `display eth-trunk [ID]`.
pub(super) fn all(snapshot: &Snapshot, id: Option<u16>) -> Result<String, String> {
    let trunks = chosen(snapshot, id)?;
    let texts: Vec<String> = trunks.into_iter().map(one).collect();
    Ok(texts.join("\n"))
}

fn chosen(snapshot: &Snapshot, id: Option<u16>) -> Result<Vec<&EthTrunkSnapshot>, String> {
    let chosen: Vec<_> = (snapshot.eth_trunks.iter())
        .filter(|trunk| id.is_none_or(|id| trunk.id == id))
        .collect();
    match id {
        Some(id) if chosen.is_empty() => Err(format!("Error: Eth-Trunk{id} does not exist.")),
        Some(_) | None => Ok(chosen),
    }
}

fn one(trunk: &EthTrunkSnapshot) -> String {
    if trunk.lacp_static {
        lacp_static(trunk)
    } else {
        manual(trunk)
    }
}

const fn up_down(up: bool) -> &'static str {
    if up { "up" } else { "down" }
}

fn lacp_static(trunk: &EthTrunkSnapshot) -> String {
    let pair = |left: String, right: String| format!("{}{right}\n", column(&left, 43));
    let preempt = trunk
        .preempt_delay_s
        .map_or("Preempt Delay: Disabled".to_owned(), |delay| {
            format!("Preempt Delay Time: {delay}")
        });
    let mut text = format!("Eth-Trunk{}'s state information is:\n", trunk.id);
    text += "(h): high priority\n(r): reference port\nLocal:\n";
    text += &pair(
        format!("LAG ID: {}", trunk.id),
        "WorkingMode: STATIC".to_owned(),
    );
    text += &pair(preempt, "Hash arithmetic: According to flow".to_owned());
    text += &pair(
        format!("System Priority: {}", trunk.actor_system_priority),
        format!(
            "System ID: {}{}",
            trunk.actor_system.to_vrp(),
            trunk.system_id_source
        ),
    );
    text += &pair(
        format!("Least Active-linknumber: {}", trunk.least_active_linknumber),
        format!("Max Active-linknumber: {}", trunk.max_active_linknumber),
    );
    text += &pair(
        format!("Operate status: {}", up_down(trunk.operate_up)),
        format!("Number Of Up Ports In Trunk: {}", trunk.up_ports),
    );
    let timeout = if trunk.timeout_fast { "Fast" } else { "Slow" };
    text += &format!("Timeout Period: {timeout}\nPortKeyMode: Auto\n");
    text += RULE;
    text += "ActorPortName             Status    PortType   PortPri   PortNo  PortKey   PortState  \
             Weight\n";
    let best = trunk
        .ports
        .iter()
        .map(|port| port.actor.port_priority)
        .min();
    for port in &trunk.ports {
        text += &actor(port, best);
    }
    text += "Partner:\n";
    text += RULE;
    text += "ActorPortName        SysPri      SystemID        PortPri   PortNo   PortKey    \
             PortState\n";
    for port in &trunk.ports {
        text += &partner(port);
    }
    text
}

/// `h` marks the ports of the best priority, `r` the reference port.
fn actor(port: &AggregationPortSnapshot, best: Option<u16>) -> String {
    let high = best == Some(port.actor.port_priority);
    let name = match (high, port.reference_port) {
        (true, true) => format!("{} (hr)", port.name),
        (true, false) => format!("{} (h)", port.name),
        (false, true) => format!("{} (r)", port.name),
        (false, false) => port.name.clone(),
    };
    let selected = port.selected == "SELECTED" && port.actor.state & SYNCHRONIZATION != 0;
    let status = if selected { "Selected" } else { "Unselect" };
    [
        column(&name, 26),
        column(status, 10),
        column("1GE", 11),
        column(&port.actor.port_priority.to_string(), 10),
        column(&port.actor.port.to_string(), 8),
        column(&port.actor.key.to_string(), 10),
        column(&bits(port.actor.state), 11),
        "1\n".to_owned(),
    ]
    .concat()
}

fn partner(port: &AggregationPortSnapshot) -> String {
    let partner = &port.partner;
    [
        column(&port.name, 21),
        column(&partner.system_priority.to_string(), 12),
        column(&partner.system.to_vrp(), 16),
        column(&partner.port_priority.to_string(), 10),
        column(&partner.port.to_string(), 9),
        column(&partner.key.to_string(), 11),
        format!("{}\n", bits(partner.state)),
    ]
    .concat()
}

/// A state octet with bit 0, LACP_Activity, first.
fn bits(state: u8) -> String {
    format!("{:08b}", state.reverse_bits())
}

fn manual(trunk: &EthTrunkSnapshot) -> String {
    let pair = |left: String, right: String| format!("{}{right}\n", column(&left, 29));
    let mut text = format!("Eth-Trunk{}'s state information is:\n", trunk.id);
    text += &pair(
        "WorkingMode: NORMAL".to_owned(),
        "Hash arithmetic: According to flow".to_owned(),
    );
    text += &pair(
        format!("Least Active-linknumber: {}", trunk.least_active_linknumber),
        format!(
            "Max Bandwidth-affected-linknumber: {}",
            trunk.max_active_linknumber
        ),
    );
    text += &pair(
        format!("Operate status: {}", up_down(trunk.operate_up)),
        format!("Number Of Up Ports In Trunk: {}", trunk.up_ports),
    );
    text += RULE;
    text += "PortName                      Status      Weight\n";
    for port in &trunk.ports {
        let status = if port.port_enabled { "Up" } else { "Down" };
        text += &format!("{}{}1\n", column(&port.name, 30), column(status, 12));
    }
    text
}

/// `display lacp statistics eth-trunk [ID]`: Markers received are Marker PDUs, Markers sent are
/// Marker Response PDUs, the only ones that the reference sends.
pub(super) fn statistics(snapshot: &Snapshot, id: Option<u16>) -> Result<String, String> {
    let mut text = String::new();
    for trunk in chosen(snapshot, id)?
        .into_iter()
        .filter(|trunk| trunk.lacp_static)
    {
        text += &format!("Eth-trunk{}'s PDU statistic is:\n", trunk.id);
        text += "------------------------------------------------------------------------------\n";
        text += "Port                   LacpRevPdu  LacpSentPdu  MarkerRevPdu  MarkerSentPdu\n";
        for port in &trunk.ports {
            text += &format!(
                "{}{:>10} {:>12} {:>13} {:>14}\n",
                column(&port.name, 23),
                port.lacpdus_rx,
                port.lacpdus_tx,
                port.markers_rx,
                port.marker_responses_tx
            );
        }
    }
    Ok(text)
}
