//! The step that records what a device chose where the texts leave it a choice.

use crate::step::{Frames, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One of the ways that the texts leave open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alternative {
    /// What it is called in the report.
    pub name: String,
    /// The deciding frame came then at the earliest (default: the step's beginning).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Time>,
    /// And then at the latest (default: the step's end).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Time>,
}

/// See [`crate::Step::Choice`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Choice {
    /// What is chosen.
    pub about: String,
    /// The tester's port or the link.
    pub on: String,
    /// The frame that decides.
    pub frame: Frames,
    /// For this time from now.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub for_: Option<Time>,
    /// Until this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// The last such frame decides, not the first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub last: bool,
    /// The ways, by when the frame came; the first that fits counts.
    pub options: Vec<Alternative>,
    /// The way that it is when none fits; without it that fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<String>,
}
