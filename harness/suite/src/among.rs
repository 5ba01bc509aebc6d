//! The step over several ports: how many of them show something.

use crate::step::{Frames, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// See [`Step::Among`](crate::Step::Among). Which of the ports it was is reported: where the
/// standard leaves the choice to the device, each choice passes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Among {
    /// The tester's ports.
    pub on: Vec<String>,
    /// The frame. A port counts while its last frame of this kind since the step began matches.
    pub frame: Frames,
    /// For this time from now.
    #[serde(rename = "for")]
    pub for_: Time,
    /// Never more ports than this for longer than 10 ms, in which one decision is told on all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// At the end no fewer ports than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<u32>,
}
