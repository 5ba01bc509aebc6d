//! The steps that measure a device: repeated samples of a time, and which of several permitted
//! behaviours it shows.

use crate::step::{Fields, Frames, Time, Tolerance};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// See [`Step::Sample`](crate::Step::Sample).
///
/// A sample is the time from a stimulus to the frame, or without a stimulus the time between two
/// frames. The step holds when the tolerance interval of the samples (95 % of all, at 95 %
/// confidence) lies within what is allowed, fails on a sample outside, and is inconclusive when
/// neither: samples too few, too different, or drifting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sample {
    /// What is measured, as `current_while_timer`.
    pub what: String,
    /// The tester's port.
    pub on: String,
    /// The frame that ends a sample.
    pub frame: Frames,
    /// How many samples are taken, 1 to 1000.
    pub samples: u32,
    /// The frame that is sent at the beginning of each sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stimulus: Option<Frames>,
    /// This field of the stimulus gets a value that the case hasn't used, known as `$fresh`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fresh: Option<String>,
    /// A frame that must come after the stimulus before the last one counts: what was under way
    /// when the stimulus was sent is no sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Frames>,
    /// The sample begins with `started`, not with the stimulus.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub from_started: bool,
    /// Pause before each stimulus (default none).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest: Option<Time>,
    /// What each pause is longer by than the one before: samples begin in another phase of the
    /// device's own timers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stagger: Option<Time>,
    /// What the requirement says it is; without it the times are only reported, and the longest is
    /// the device's lateness.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Time>,
    /// Of `expected`; default 250 ms either way (802.1AX's timers).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<Tolerance>,
    /// A sample that takes longer fails (default twice what is expected, and a second).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest: Option<Time>,
}

/// See [`Step::Classify`](crate::Step::Classify).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Classify {
    /// What is told apart, as `mux`; the answer is saved under this name.
    pub what: String,
    /// The tester's port.
    pub on: String,
    /// The frames that are looked at.
    pub frame: Frames,
    /// For this time from now.
    #[serde(rename = "for")]
    pub for_: Time,
    /// What is permitted; the first that fits is the answer, none is a failure.
    pub classes: Vec<Class>,
    /// What the testbed says that the device is; another answer is a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared: Option<String>,
}

/// One permitted behaviour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Class {
    /// Its name.
    pub name: String,
    /// Only if an earlier step has answered so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<String>,
    /// Which of the frames count.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub fields: Fields,
    /// At least this many come (default 1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<u32>,
    /// At most this many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// No two of them are nearer to each other than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spaced: Option<Time>,
}

/// One frame for each value of a field, in ascending order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Vary {
    /// The field.
    pub field: String,
    /// Its first value.
    pub from: u64,
    /// Its last value.
    pub to: u64,
}

impl Sample {
    /// The expressions that it has.
    pub(crate) fn times(&self) -> Vec<Option<&Time>> {
        let tolerance = self.tolerance.as_ref();
        vec![
            self.rest.as_ref(),
            self.stagger.as_ref(),
            self.expected.as_ref(),
            self.longest.as_ref(),
            tolerance.map(|tolerance| &tolerance.early),
            tolerance.map(|tolerance| &tolerance.late),
        ]
    }
}
