//! What shows only when all devices of a network are held side by side.

use super::{Severity, Warning, joined, upper};
use crate::config::Interface;
use crate::loaded::{Loaded, Place};
use std::collections::BTreeMap;
use std::net::Ipv6Addr;

/// An E-Trunk's fail-time is slow from here on: 20 s in units of 100 ms, the vendor's default.
const SLOW_100MS: u32 = 200;

/// Holds any number of devices side by side: addresses given twice (NET-01), interfaces in an IS-IS
/// process that isn't there (NET-02), E-Trunks that take long to see a crash (NET-03) or can be
/// fooled by a replayed hello (NET-04). A pair's Eth-Trunks share their address by design and are
/// let be.
#[must_use]
pub fn network_check(devices: &[(&str, &Loaded)]) -> Vec<Warning> {
    let mut found = duplicate_addresses(devices);
    for (name, loaded) in devices {
        for interface in &loaded.config.interfaces {
            found.extend(missing_isis(name, loaded, interface));
        }
    }
    found.extend(detection(devices));
    found
}

fn duplicate_addresses(devices: &[(&str, &Loaded)]) -> Vec<Warning> {
    let mut seen: BTreeMap<Ipv6Addr, Vec<(&str, &Loaded, &Interface)>> = BTreeMap::new();
    let mut found = Vec::new();
    for (device, loaded) in devices {
        for interface in &loaded.config.interfaces {
            for (address, _) in &interface.addresses {
                let holders = seen.entry(*address).or_default();
                let other = holders
                    .iter()
                    .find(|(_, _, holder)| !shared(holder, interface));
                if let Some((other_device, other_loaded, other)) = other {
                    found.push(Warning {
                        id: "NET-01",
                        severity: Severity::Error,
                        text: format!(
                            "{} is on {other_device} {} and on {device} {}",
                            upper(*address),
                            other.name,
                            interface.name
                        ),
                        a: address_place(other_loaded, other, *address),
                        b: address_place(loaded, interface, *address),
                    });
                }
                holders.push((device, loaded, interface));
            }
        }
    }
    found
}

/// Whether the two are the Eth-Trunks of one E-Trunk member.
fn shared(a: &Interface, b: &Interface) -> bool {
    joined(a).is_some() && joined(a).map(|(id, _)| id) == joined(b).map(|(id, _)| id)
}

fn address_place(loaded: &Loaded, interface: &Interface, address: Ipv6Addr) -> Option<Place> {
    let view = format!("interface {}", interface.name);
    let names = |word: &str| {
        let address_of = |text: &str| text.parse::<Ipv6Addr>().ok();
        word.split('/').next().and_then(address_of) == Some(address)
    };
    let line = (loaded.lines.iter().rev())
        .filter(|line| line.view == view && line.command == "ipv6 address")
        .find(|line| line.text.split_whitespace().any(names));
    line.map(|line| line.place.clone())
        .or_else(|| loaded.place(&view, "ipv6 address"))
}

fn missing_isis(device: &str, loaded: &Loaded, interface: &Interface) -> Option<Warning> {
    let process = interface.isis?;
    if loaded.config.isis.contains_key(&process) {
        return None;
    }
    Some(Warning {
        id: "NET-02",
        severity: Severity::Warning,
        text: format!(
            "{device} {} is in IS-IS process {process}, which isn't there",
            interface.name
        ),
        a: loaded.place(&format!("interface {}", interface.name), "isis ipv6 enable"),
        b: None,
    })
}

fn detection(devices: &[(&str, &Loaded)]) -> Vec<Warning> {
    let mut found = Vec::new();
    for (device, loaded) in devices {
        for (number, e_trunk) in &loaded.config.e_trunks {
            let fail_time = u32::from(e_trunk.hello_100ms) * u32::from(e_trunk.multiplier);
            let mut warn = |id, text: String| {
                found.push(Warning {
                    id,
                    severity: Severity::Warning,
                    text: format!("{device} E-Trunk {number}: {text}"),
                    a: loaded.place(&format!("e-trunk {number}"), ""),
                    b: None,
                });
            };
            if fail_time >= SLOW_100MS {
                let text = format!(
                    "no BFD, hello {} × multiplier {}: a crash is seen after {}.{} s",
                    e_trunk.hello_100ms,
                    e_trunk.multiplier,
                    fail_time / 10,
                    fail_time % 10
                );
                warn("NET-03", text);
            }
            if !e_trunk.sequence {
                let text = "no `sequence enable`: old hellos can be replayed".to_owned();
                warn("NET-04", text);
            }
        }
    }
    found
}
