//! Steps for listeners and for what a device draws at random.

use crate::step::{Step, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// See [`Step::Listen`]: the service interface of RFC 3810 section 3. INCLUDE without sources ends
/// the socket's interest. The device gets the command `listen SOCKET GROUP MODE [SOURCE,…]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Listen {
    /// The listening device (default `dut`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The socket (default `a`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub socket: Option<String>,
    /// Multicast address.
    pub group: String,
    /// Filter mode.
    pub mode: ListenMode,
    /// Source list (default empty).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// More sources: this many addresses that follow on the last one listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub following: Option<u16>,
}

/// Filter mode of a [`Listen`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ListenMode {
    /// The listed sources.
    Include,
    /// All but the listed sources.
    Exclude,
}

/// See [`Step::Repeat`]. Loading writes the steps out, so that a run never sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Repeat {
    /// How often, 1 to 10,000.
    pub times: u16,
    /// Name under which the steps have the number of the round, from 1, as `${name}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// The steps.
    pub steps: Vec<Step>,
}

/// See [`Step::Collect`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Collect {
    /// The collection.
    pub into: String,
    /// The duration, as `answered - asked`.
    pub value: Time,
}

/// See [`Step::Uniform`]: a Kolmogorov-Smirnov test of the collected durations against the uniform
/// distribution. Inconclusive when there are fewer than `at-least`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Uniform {
    /// The collection.
    pub samples: String,
    /// From this duration.
    pub from: Time,
    /// To this one.
    pub to: Time,
    /// How many durations it takes (default 100).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u16>,
    /// Significance: how often a device that is right may fail.
    pub alpha: Alpha,
}

/// Significance of a statistical test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Alpha {
    /// Once in a hundred.
    #[serde(rename = "1e-2")]
    E2,
    /// Once in ten thousand.
    #[serde(rename = "1e-4")]
    E4,
    /// Once in a million.
    #[serde(rename = "1e-6")]
    E6,
}
