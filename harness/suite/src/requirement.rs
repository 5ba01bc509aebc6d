//! The requirement catalogue.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// One document's requirements.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RequirementFile {
    /// The document and edition that the clauses are of.
    pub document: String,
    /// The requirements, by id.
    pub requirements: Vec<Requirement>,
}

/// A document that has an edition, or a successor, with the same clause under another number.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum Edition {
    /// IEEE 802.3-2005, clause 43.
    #[serde(rename = "802.3-2005")]
    Ieee8023Of2005,
    /// IEEE 802.1AX-2008, clauses 5 and 6.
    #[serde(rename = "802.1AX-2008")]
    Ieee8021AxOf2008,
    /// IEEE 802.1AX-2014 with Corrigendum 1, clauses 6 and 7.
    #[serde(rename = "802.1AX-2014")]
    Ieee8021AxOf2014,
    /// IEEE 802.1AX-2020, clauses 6 and 7.
    #[serde(rename = "802.1AX-2020")]
    Ieee8021AxOf2020,
    /// MLD version 1.
    #[serde(rename = "RFC 2710")]
    Rfc2710,
    /// MLD version 2.
    #[serde(rename = "RFC 3810")]
    Rfc3810,
    /// MLD version 2 as an Internet Standard.
    #[serde(rename = "RFC 9777")]
    Rfc9777,
}

impl fmt::Display for Edition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ieee8023Of2005 => "802.3-2005",
            Self::Ieee8021AxOf2008 => "802.1AX-2008",
            Self::Ieee8021AxOf2014 => "802.1AX-2014",
            Self::Ieee8021AxOf2020 => "802.1AX-2020",
            Self::Rfc2710 => "RFC 2710",
            Self::Rfc3810 => "RFC 3810",
            Self::Rfc9777 => "RFC 9777",
        })
    }
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

impl fmt::Display for Visible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OneLink => "in the packets of one link",
            Self::TwoLinks => "in the packets of several links",
            Self::DataPlane => "in what the device forwards",
            Self::Inside => "by management only, or in a read-out of the device's state",
        })
    }
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

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "a public standard, or a vendor's published page",
            Self::Inferred => "inferred from public evidence",
            Self::Ours => "our own choice, documented",
        })
    }
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
    /// The same in the editions that `clause` doesn't name, where known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub editions: BTreeMap<Edition, String>,
    /// `shall`, `should`, `may`, `MUST`, `SHOULD`, `MAY`, `desc`, `robustness`, `vendor` or `ours`.
    pub level: String,
    /// Our own sentence.
    pub text: String,
    /// Why it matters on the wire, in our own words: what breaks without it, and what a capture
    /// shows then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What devices in the field are known to do, one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub field: Vec<String>,
    /// Where it can be seen from.
    pub visible: Visible,
    /// What it rests on.
    pub evidence: Evidence,
    /// It has no case yet.
    #[serde(default)]
    pub planned: bool,
    /// It has no case for this reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<Exception>,
}
