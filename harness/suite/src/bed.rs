//! Testbeds: nodes, links, hosts, the tester's ports, and the knobs that cases turn.

use crate::step::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A testbed of the simulation.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Bed {
    /// What it is.
    pub title: String,
    /// Reference nodes by name.
    pub nodes: BTreeMap<String, NodeSpec>,
    /// Links between nodes and hosts, by name; they are points of observation too.
    pub links: BTreeMap<String, LinkSpec>,
    /// The tester's ports by name, each wired to a node's port.
    pub ports: BTreeMap<String, Attach>,
    /// Hubs by name with their number of ports; a link's end is `HUB N`.
    pub hubs: BTreeMap<String, u16>,
    /// Simulated hosts by name.
    pub hosts: BTreeMap<String, HostSpec>,
    /// The E-Trunk election rule.
    pub election: Election,
    /// Keys in clear by the opaque text in the configuration files.
    pub secrets: BTreeMap<String, String>,
    /// Abstract settings → configuration.
    pub knobs: BTreeMap<String, Knob>,
    /// Default field values of the frames that the tester sends here, by kind (`etrunk`, `rbs`, …).
    pub frames: BTreeMap<String, crate::step::Fields>,
    /// Forms of the device or the tester in which every case runs, the first without a mark in the
    /// id, the others as `ID@NAME`.
    pub forms: Vec<Form>,
    /// Settings where a case gives none.
    pub defaults: crate::step::Fields,
    /// What a device may be otherwise, by name: `tandem run --profile NAME`.
    pub profiles: BTreeMap<String, Profile>,
    /// What a device's state can be judged by here; all when none is named.
    pub observers: Vec<Observer>,
    /// Named times and numbers for expressions, in an order in which each uses earlier ones.
    pub constants: Vec<(String, Time)>,
    /// The pair under the equivalence oracle: [a, b].
    pub pair: Vec<String>,
    /// Time in which the bed comes up before the first step.
    pub settle: Option<Time>,
}

impl Bed {
    /// Whether it is one device with nothing but the tester at its ports.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.nodes.len() == 1 && self.links.is_empty() && self.hosts.is_empty()
    }
}

/// Defaults of a device that follows another text, or less of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Profile {
    /// Settings instead of the testbed's defaults.
    pub settings: crate::step::Fields,
    /// Only cases that name the profile, or set what it sets themselves, are about it.
    pub opt_in: bool,
}

/// What a device's state is judged by, from outside first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Observer {
    /// What traffic reaches a listener.
    Forwarding,
    /// What the device joins and prunes upstream.
    Upstream,
    /// Which query a change makes the device send.
    Query,
    /// A look inside.
    Probe,
}

impl Observer {
    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Forwarding => "forwarding",
            Self::Upstream => "upstream",
            Self::Query => "query",
            Self::Probe => "probe",
        }
    }
}

/// A form in which every case of a testbed runs. A case that gives one of its settings itself, or
/// names its forms, runs without the others.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Form {
    /// Its name.
    pub name: String,
    /// Settings.
    pub settings: crate::step::Fields,
    /// Default field values of the tester's frames, by kind.
    pub frames: BTreeMap<String, crate::step::Fields>,
    /// What is expected of the device in this form, by names that cases use as `$name`.
    pub names: crate::step::Fields,
}

/// A reference node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct NodeSpec {
    /// Configuration files beside the testbed file; the first is the device's own, later ones
    /// fragments.
    pub configuration: Vec<String>,
    /// Bridge MAC address.
    pub base_mac: String,
}

/// A link between two ends, `NODE PORT` or a host's name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct LinkSpec {
    /// First-named end.
    pub a: String,
    /// Other end.
    pub b: String,
    /// One-way latency (default 10 us as `10us`).
    pub latency: Option<Time>,
}

/// Where a tester's port is wired to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Attach {
    /// `NODE PORT`, as `dut GE0/1/1`.
    pub to: String,
    /// The tester's MAC address there.
    pub mac: String,
}

/// A simulated host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct HostSpec {
    /// Its MAC address.
    pub mac: String,
    /// Its global address, when it has one.
    pub address: Option<std::net::Ipv6Addr>,
    /// Commands that it is given at the beginning, as `join ff1e::1`.
    pub start: Vec<String>,
}

/// The E-Trunk election rule of a testbed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Election {
    /// The vendor's published rule.
    #[default]
    SmallerWins,
    /// What the seed's text says of its own files.
    LargerWins,
}

/// An abstract setting: which configuration lines each value means.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Knob {
    /// The node that it configures (default `dut`).
    pub node: Option<String>,
    /// Configuration text by value; `any` stands for every other value, in which `$value` is it,
    /// and of a duration `$seconds`, `$tenths` and `$ms` are it in these units.
    pub values: BTreeMap<String, String>,
    /// The name under which expressions know the value.
    pub constant: Option<String>,
    /// What expressions know instead of a value that is no time and no number.
    pub numbers: BTreeMap<String, Time>,
}
