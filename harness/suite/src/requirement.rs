//! The requirement catalogue.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One document's requirements.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RequirementFile {
    /// The document and edition that the clauses are of.
    pub document: String,
    /// The requirements, by id.
    pub requirements: Vec<Requirement>,
}

/// Where a requirement can be seen from.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Visible {
    /// Packets of one link.
    OneLink,
    /// Packets of several links.
    TwoLinks,
    /// Data traffic.
    DataPlane,
    /// Only inside, or by management.
    Inside,
}

/// What a requirement rests on.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// A public standard or a vendor's published page.
    Public,
    /// Inferred from public evidence.
    Inferred,
    /// Our own choice, documented.
    Ours,
}

/// Why a requirement has no case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// The reason.
    pub reason: String,
}

/// One requirement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Requirement {
    /// `LACP-055`; never reused.
    pub id: String,
    /// Clause or section, as `6.4.9` or `RFC 3810 7.4.2`.
    pub clause: String,
    /// `shall`, `should`, `may`, `MUST`, `SHOULD`, `MAY`, `desc`, `robustness`, `vendor` or `ours`.
    pub level: String,
    /// Our own sentence.
    pub text: String,
    /// Where it can be seen from.
    pub visible: Visible,
    /// What it rests on.
    pub evidence: Evidence,
    /// Why it matters on the wire, in our own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What devices in the field are known to do, one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub field: Vec<String>,
    /// It has no case yet.
    #[serde(default)]
    pub planned: bool,
    /// It has no case for this reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<Exception>,
}
