//! Which frame a step is about, by the codec's kinds.

use crate::step::Fields;
use harness_wire::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which frame a step is about: exactly one kind, with its fields.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Frames {
    /// LACPDU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lacpdu: Option<Fields>,
    /// Marker or Marker Response PDU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<Fields>,
    /// Any other slow protocol frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slow: Option<Fields>,
    /// MLD query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mld_query: Option<Fields>,
    /// Version 2 report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mld_report: Option<Fields>,
    /// Version 1 report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mld_v1_report: Option<Fields>,
    /// Version 1 done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mld_done: Option<Fields>,
    /// E-Trunk hello.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etrunk: Option<Fields>,
    /// RBS message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rbs: Option<Fields>,
    /// UDP datagram.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub udp: Option<Fields>,
    /// Neighbour discovery message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub neighbor: Option<Fields>,
    /// PIM Hello.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pim_hello: Option<Fields>,
    /// PIM Join/Prune.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pim_join_prune: Option<Fields>,
    /// Any frame; in a `send` with `octets` in hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame: Option<Fields>,
}

impl Frames {
    /// The kind and its fields, when exactly one is named.
    #[must_use]
    pub fn only(&self) -> Option<(Kind, &Fields)> {
        let named = [
            (Kind::Lacpdu, &self.lacpdu),
            (Kind::Marker, &self.marker),
            (Kind::Slow, &self.slow),
            (Kind::MldQuery, &self.mld_query),
            (Kind::MldReport, &self.mld_report),
            (Kind::MldV1Report, &self.mld_v1_report),
            (Kind::MldDone, &self.mld_done),
            (Kind::Etrunk, &self.etrunk),
            (Kind::Rbs, &self.rbs),
            (Kind::Udp, &self.udp),
            (Kind::Neighbor, &self.neighbor),
            (Kind::PimHello, &self.pim_hello),
            (Kind::PimJoinPrune, &self.pim_join_prune),
            (Kind::Frame, &self.frame),
        ];
        let mut named = named
            .into_iter()
            .filter_map(|(kind, f)| f.as_ref().map(|f| (kind, f)));
        let first = named.next();
        if named.next().is_some() { None } else { first }
    }
}
