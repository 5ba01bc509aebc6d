//! `display remote-backup-profile` and `display remote-backup-service`.

use super::format::{column, ip_or_dashes, wall};
use dut_device::{RbpSnapshot, RbsSnapshot, Snapshot};

const PROFILE_RULE: &str = " -----------------------------------------------\n";
const SERVICE_RULE: &str = "----------------------------------------------------------\n";

/// `display remote-backup-profile`.
pub(super) fn profiles(snapshot: &Snapshot) -> String {
    let mut text = PROFILE_RULE.to_owned();
    text += &format!(" {}PROFILE-NAME\n", column("PROFILE-ID", 14));
    text += PROFILE_RULE;
    for rbp in &snapshot.rbp {
        let index = format!("{:#x}", rbp.index);
        text += &format!(" {}{}\n", column(&index, 14), rbp.name);
    }
    text += PROFILE_RULE;
    text += &format!(" Total {} printed.\n", snapshot.rbp.len());
    text
}

/// `display remote-backup-profile NAME`.
pub(super) fn profile(snapshot: &Snapshot, name: &str) -> Result<String, String> {
    let rbp = (snapshot.rbp.iter())
        .find(|rbp| rbp.name == name)
        .ok_or("Error: The remote-backup-profile does not exist.")?;
    Ok(profile_text(rbp))
}

fn profile_text(rbp: &RbpSnapshot) -> String {
    let line = |label: &str, value: &str| format!(" {label:<21}: {value}\n");
    let services = match rbp.services.as_slice() {
        [] => "--".to_owned(),
        services => services.join(" "),
    };
    let mut text = PROFILE_RULE.to_owned();
    text += &line("Profile-Index", &format!("{:#x}", rbp.index));
    text += &line("Profile-Name", &rbp.name);
    text += &line("Service", &services);
    text += &line("Remote-backup-service", &rbp.rbs);
    text += &line("Backup-ID", &rbp.backup_id.to_string());
    if let (Some(e_trunk), Some(eth_trunk)) = (rbp.e_trunk, rbp.eth_trunk) {
        text += &line("track protocol", "E-TRUNK");
        text += &line("    E-Trunk  ID", &e_trunk.to_string());
        text += &line("    Eth-trunk ID", &eth_trunk.to_string());
    } else {
        text += &line("track protocol", "--");
    }
    text += line("Interface", "").trim_end();
    text.push('\n');
    for interface in &rbp.interfaces {
        text += &format!("{:24}{interface}\n", "");
    }
    text += &line("Forwarding Configured", "Slave Forwarding");
    text += &line("Backup mode", &rbp.backup_mode);
    for label in ["Slot-Number", "Card-Number", "Port-Number"] {
        text += &line(label, "--");
    }
    text
}

/// `display remote-backup-service`.
pub(super) fn services(snapshot: &Snapshot) -> String {
    let mut text = SERVICE_RULE.to_owned();
    text += &format!(" {}SERVER NAME\n", column("SERVER ID", 14));
    text += SERVICE_RULE;
    for rbs in &snapshot.rbs {
        text += &format!(" {}{}\n", column(&rbs.index.to_string(), 14), rbs.name);
    }
    text += SERVICE_RULE;
    text
}

/// `display remote-backup-service NAME`; capitals of the name don't matter.
pub(super) fn service(snapshot: &Snapshot, name: &str) -> Result<String, String> {
    let rbs = (snapshot.rbs.iter())
        .find(|rbs| rbs.name.eq_ignore_ascii_case(name))
        .ok_or("Error: The remote-backup-service does not exist.")?;
    Ok(service_text(rbs))
}

fn service_text(rbs: &RbsSnapshot) -> String {
    let line = |label: &str, value: &str| format!(" {label:<17}: {value}\n");
    let mut text = SERVICE_RULE.to_owned();
    text += &line("Service-Index", &rbs.index.to_string());
    text += &line("Service-Name", &rbs.name);
    text += &line("TCP-State", &rbs.tcp_state);
    text += &line("Peer-ip", &ip_or_dashes(rbs.peer));
    text += &line("Source-ip", &ip_or_dashes(rbs.source));
    text += &line("TCP-Port", &rbs.tcp_port.to_string());
    for label in ["Track-BFD", "SSL-Policy-Name", "SSL-State"] {
        text += &line(label, "--");
    }
    text += &line("Last up time", &rbs.last_up_s.map_or("--".to_owned(), wall));
    if let Some(down) = rbs.last_down_s {
        text += &line("Last down time", &wall(down));
    }
    if let Some(reason) = &rbs.last_down_reason {
        text += &line("Last down reason", reason);
    }
    text += SERVICE_RULE;
    text
}
