//! `display mld interface` and `display mld group`.

use super::format::{column, hms, hms_or_off, ip, or_dash, seconds, uptime};
use dut_device::{MldGroupSnapshot, MldInterfaceSnapshot, Snapshot};

/// `display mld interface [IF] [verbose]`.
pub(super) fn interfaces(
    snapshot: &Snapshot,
    name: Option<&str>,
    verbose: bool,
) -> Result<String, String> {
    let mut text = "Interface information of VPN-Instance: public net\n".to_owned();
    let chosen: Vec<_> = (snapshot.mld.iter())
        .filter(|interface| name.is_none_or(|name| interface.name == name))
        .collect();
    if let (Some(name), true) = (name, chosen.is_empty()) {
        return Err(format!("Error: MLD is not enabled on {name}."));
    }
    for interface in chosen {
        text += &one(snapshot, interface, verbose);
    }
    Ok(text)
}

fn head(interface: &MldInterfaceSnapshot) -> String {
    let address = interface.link_local.map_or("-".to_owned(), ip);
    format!(" {}({address}):\n", interface.name)
}

fn total(groups: usize) -> String {
    let plural = if groups == 1 { "" } else { "s" };
    format!("  Total {groups} MLD Group{plural} reported\n")
}

fn one(snapshot: &Snapshot, interface: &MldInterfaceSnapshot, verbose: bool) -> String {
    let settings = snapshot.mld_settings.get(&interface.name);
    let state = if interface.up { "up" } else { "down" };
    let mut text = head(interface);
    let mut line = |line: String| text += &format!("   {line}\n");
    line("MLD is enabled".to_owned());
    line(format!("Current MLD version is {}", interface.version));
    line(format!("MLD state: {state}"));
    line("MLD group policy: none".to_owned());
    line(format!(
        "MLD limit: {}",
        or_dash(settings.and_then(|s| s.limit))
    ));
    let value = |what: &str, ms: u64| format!("Value of {what}: {} s", seconds(ms));
    line(value(
        "query interval for MLD (negotiated)",
        interface.negotiated_query_interval_ms,
    ));
    line(value(
        "query interval for MLD (configured)",
        interface.query_interval_ms,
    ));
    // A remaining time: what has begun to run counts.
    let other_querier = interface.other_querier_ms.unwrap_or(0).div_ceil(1000);
    line(format!(
        "Value of other querier timeout for MLD: {other_querier} s"
    ));
    line(value(
        "maximum query response time for MLD",
        interface.query_response_interval_ms,
    ));
    if verbose {
        text += &details(snapshot, interface);
    } else {
        text += &querier(interface);
    }
    text += &total(interface.groups.len());
    text
}

fn querier(interface: &MldInterfaceSnapshot) -> String {
    let address = interface.querier_address.map_or("none".to_owned(), ip);
    let own = if interface.querier {
        " (this router)"
    } else {
        ""
    };
    format!("   Querier for MLD: {address}{own}\n")
}

/// What `verbose` adds. The snapshot has no activity and no startup timer (`-`); the reference has
/// no policies, no prompt leave, no SSM mapping and no IPsec, and sends Router Alert always.
fn details(snapshot: &Snapshot, interface: &MldInterfaceSnapshot) -> String {
    let settings = snapshot.mld_settings.get(&interface.name);
    let last_listener = interface.last_listener_query_interval_ms;
    let last_listener_time = last_listener.saturating_mul(u64::from(interface.robustness));
    let startup = settings.map(|s| seconds(s.startup_query_interval_ms));
    let enabled = |on: bool| if on { "enabled" } else { "disabled" };
    let other_querier = interface.other_querier_ms;
    let required = settings.map(|s| enabled(s.require_router_alert));
    let mut text = String::new();
    let mut line = |line: String| text += &format!("   {line}\n");
    line(format!(
        "Value of last listener query time: {} s",
        seconds(last_listener_time)
    ));
    line(format!(
        "Value of last listener query interval: {} s",
        seconds(last_listener)
    ));
    line(format!(
        "Value of startup query interval: {} s",
        or_dash(startup)
    ));
    line(format!(
        "Value of startup query count: {}",
        or_dash(settings.map(|s| s.startup_query_count))
    ));
    line(format!(
        "General query timer expiry (hours:minutes:seconds): {}",
        interface.general_query_ms.map_or("off".to_owned(), hms)
    ));
    text += &querier(interface);
    let mut line = |line: String| text += &format!("   {line}\n");
    line("MLD activity: - joins, - dones".to_owned());
    line(format!("Robustness (negotiated): {}", interface.robustness));
    line(format!(
        "Robustness (configured): {}",
        or_dash(settings.map(|s| s.robustness))
    ));
    line(format!("Require-router-alert: {}", or_dash(required)));
    line("Send-router-alert: enabled".to_owned());
    line("Ip-source-policy: disabled".to_owned());
    line("Query Ip-source-policy: disabled".to_owned());
    line("Prompt-leave: disabled".to_owned());
    line("SSM-Mapping: disabled".to_owned());
    line("Startup-query-timer-expiry: -".to_owned());
    line(format!(
        "Other-querier-present-timer-expiry: {}",
        hms_or_off(other_querier)
    ));
    line("MLD ipsec: disabled".to_owned());
    text
}

/// `display mld group [verbose]`.
pub(super) fn groups(snapshot: &Snapshot, verbose: bool) -> String {
    let mut text = "Interface group report information of VPN-Instance: public net\n".to_owned();
    for interface in snapshot
        .mld
        .iter()
        .filter(|interface| !interface.groups.is_empty())
    {
        text += &head(interface);
        let count = interface.groups.len();
        if verbose {
            text += &format!("  Total entry on this interface: {count}\n");
        }
        text += &total(count);
        if verbose {
            for group in &interface.groups {
                text += &group_text(snapshot, group);
            }
        } else {
            text += &table(snapshot, &interface.groups);
        }
    }
    text
}

/// What is left until the group goes: its filter timer, in INCLUDE its longest source timer.
fn expires(group: &MldGroupSnapshot) -> u64 {
    let sources = group.sources.iter().map(|source| source.timer_ms).max();
    match group.filter_mode.as_str() {
        "EXCLUDE" => group.filter_timer_ms,
        _ => sources.unwrap_or(0),
    }
}

fn table(snapshot: &Snapshot, groups: &[MldGroupSnapshot]) -> String {
    let row = |group: &str, reporter: &str, uptime: &str, expires: &str| {
        format!(
            "   {}{}{}{expires}\n",
            column(group, 40),
            column(reporter, 40),
            column(uptime, 12)
        )
    };
    let mut text = row("Group Address", "Last Reporter", "Uptime", "Expires");
    for group in groups {
        text += &row(
            &ip(group.group),
            &group.last_reporter.map_or("-".to_owned(), ip),
            &uptime(snapshot, group.since),
            &hms(expires(group)),
        );
    }
    text
}

fn group_text(snapshot: &Snapshot, group: &MldGroupSnapshot) -> String {
    let mut text = format!("   Group: {}\n", ip(group.group));
    let mut line = |line: String| text += &format!("     {line}\n");
    line(format!("Uptime: {}", uptime(snapshot, group.since)));
    line(format!("Expires: {}", hms(expires(group))));
    line(format!(
        "Last reporter: {}",
        group.last_reporter.map_or("-".to_owned(), ip)
    ));
    line(format!(
        "Last-listener-query-counter: {}",
        group.query_count
    ));
    let series = if group.query_count == 0 { "off" } else { "on" };
    line(format!("Last-listener-query-timer-expiry: {series}"));
    line(format!("Group mode: {}", group.filter_mode.to_lowercase()));
    line(format!(
        "Version1-host-present-timer-expiry: {}",
        hms_or_off(Some(group.v1_host_ms))
    ));
    if !group.sources.is_empty() {
        line("Source list:".to_owned());
    }
    for source in &group.sources {
        line(format!("  Source: {}", ip(source.source)));
        line(format!(
            "    Expires: {}",
            hms_or_off(Some(source.timer_ms))
        ));
    }
    text
}
