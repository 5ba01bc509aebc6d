//! Two devices' configurations held against each other, and any number for what spans a network.
//!
//! Ids of findings stay what they are: `PAIR-nn` of [`pair_check`], `NET-nn` of [`network_check`].

mod backup;
mod e_trunk;
mod interface;
mod network;

use crate::config::{Interface, InterfaceKind};
use crate::loaded::{Loaded, Place};
use std::fmt;

pub use network::network_check;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Works, and not as well as it could or not as it looks.
    Warning,
    /// The pair doesn't work as a pair.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// A finding of the pair or network check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Stable id, as `PAIR-01`.
    pub id: &'static str,
    /// How bad.
    pub severity: Severity,
    /// What, in words.
    pub text: String,
    /// Where in the first device's files.
    pub a: Option<Place>,
    /// Where in the second's.
    pub b: Option<Place>,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.severity, self.id, self.text)?;
        let places: Vec<String> = [&self.a, &self.b]
            .into_iter()
            .flatten()
            .map(ToString::to_string)
            .collect();
        if places.is_empty() {
            return Ok(());
        }
        write!(f, " ({})", places.join(", "))
    }
}

/// One of the two devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The first.
    A,
    /// The second.
    B,
}

/// Which E-Trunk priority wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Election {
    /// The vendor's rule.
    #[default]
    SmallerWins,
    /// The rule under which the seed's own files mean what its text says.
    LargerWins,
}

/// Which device is meant to be master, and by which rule one is elected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intent {
    /// The device meant to be master.
    pub master: Side,
    /// The rule.
    pub election: Election,
}

impl Default for Intent {
    /// The first device is meant, and the vendor's rule holds.
    fn default() -> Self {
        Self {
            master: Side::A,
            election: Election::SmallerWins,
        }
    }
}

/// Holds two devices' configurations against each other. `intended_master` is `None` when it
/// doesn't matter who is elected. Findings in order of their ids.
#[must_use]
pub fn pair_check(a: &Loaded, b: &Loaded, intended_master: Option<Intent>) -> Vec<Warning> {
    let mut check = Check {
        a,
        b,
        found: Vec::new(),
    };
    check.e_trunks(intended_master);
    let members = check.members();
    for member in &members {
        check.lacp(member);
        check.layer_3(member);
        check.mld(member);
    }
    check.devices();
    check.backup(&members);
    check.found.sort_by_key(|warning| warning.id);
    check.found.dedup();
    check.found
}

/// A view and a command in it: where a finding stands.
type Spot<'a> = (&'a str, &'a str);

/// An Eth-Trunk of the first device and its counterpart on the second, in one E-Trunk.
struct Member<'a> {
    a: &'a Interface,
    b: &'a Interface,
    view_a: String,
    view_b: String,
}

struct Check<'a> {
    a: &'a Loaded,
    b: &'a Loaded,
    found: Vec<Warning>,
}

impl<'a> Check<'a> {
    fn add(
        &mut self,
        id: &'static str,
        severity: Severity,
        text: impl Into<String>,
        a: Option<Spot<'_>>,
        b: Option<Spot<'_>>,
    ) {
        self.found.push(Warning {
            id,
            severity,
            text: text.into(),
            a: a.and_then(|(view, command)| self.a.place(view, command)),
            b: b.and_then(|(view, command)| self.b.place(view, command)),
        });
    }

    /// A finding about the same command of the same view on both.
    fn both(
        &mut self,
        id: &'static str,
        severity: Severity,
        text: impl Into<String>,
        spot: Spot<'_>,
    ) {
        self.add(id, severity, text, Some(spot), Some(spot));
    }

    /// The Eth-Trunks that are one member of one E-Trunk; what has no counterpart is reported.
    fn members(&mut self) -> Vec<Member<'a>> {
        let (a, b) = (self.a, self.b);
        let mut members = Vec::new();
        for interface in &a.config.interfaces {
            let Some((e_trunk, remote)) = joined(interface) else {
                continue;
            };
            let view_a = format!("interface {}", interface.name);
            let view_b = format!("interface Eth-Trunk{remote}");
            match counterpart(interface, b) {
                Some(other) => members.push(Member {
                    a: interface,
                    b: other,
                    view_a,
                    view_b,
                }),
                None => self.alone(e_trunk, &interface.name, &view_a, &view_b),
            }
        }
        for interface in &b.config.interfaces {
            let Some((e_trunk, remote)) = joined(interface) else {
                continue;
            };
            if counterpart(interface, a).is_none() {
                let view_a = format!("interface Eth-Trunk{remote}");
                let view_b = format!("interface {}", interface.name);
                self.alone(e_trunk, &interface.name, &view_a, &view_b);
            }
        }
        members
    }

    fn alone(&mut self, e_trunk: u16, name: &str, view_a: &str, view_b: &str) {
        let text = format!(
            "E-Trunk {e_trunk}: what {name} names on the other device doesn't name it in turn"
        );
        let (a, b) = ((view_a, "e-trunk"), (view_b, "e-trunk"));
        self.add("PAIR-24", Severity::Error, text, Some(a), Some(b));
    }
}

/// The Eth-Trunk that an Eth-Trunk names on the other device, when that names it in turn.
fn counterpart<'a>(interface: &Interface, other: &'a Loaded) -> Option<&'a Interface> {
    let (e_trunk, remote) = joined(interface)?;
    let own = own_id(interface)?;
    (other.interface(&format!("Eth-Trunk{remote}")))
        .filter(|other| joined(other) == Some((e_trunk, own)))
}

fn own_id(interface: &Interface) -> Option<u16> {
    match interface.kind {
        InterfaceKind::EthTrunk(id) => Some(id),
        InterfaceKind::GigabitEthernet | InterfaceKind::LoopBack(_) | InterfaceKind::Null => None,
    }
}

/// The E-Trunk that an Eth-Trunk is in, and the Eth-Trunk that it names on the other device.
fn joined(interface: &Interface) -> Option<(u16, u16)> {
    let own = own_id(interface)?;
    (interface.trunk.e_trunk).map(|(e_trunk, remote)| (e_trunk, remote.unwrap_or(own)))
}

fn upper(address: std::net::Ipv6Addr) -> String {
    address.to_string().to_uppercase()
}
