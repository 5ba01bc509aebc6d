//! What stands between the frames of a case's trace: enough to judge it again.

use crate::measured::Measured;
use crate::onto::OntoNote;
use dut_device::Instant;
use harness_judge::{Difference, PairChange, Verdict};
use harness_suite::ExpandedCase;
use harness_tester::PairStatus;
use harness_wire::Fields;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A note.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Note {
    /// The case and what its player was made of.
    Case(Box<CaseNote>),
    /// The case was not played: it, the verdict, and why.
    Unplayed(Box<ExpandedCase>, Verdict, String),
    /// The player's first step begins.
    Start,
    /// The player asked for something other than a frame.
    Action(String),
    /// What a node answered to a probe.
    Probe(Fields),
    /// What differs of a display.
    Display(Vec<Difference>),
    /// The pair's state and what the equivalence oracle says; it stands where something changes.
    Pair(PairNote),
    /// What was measured of the run itself, on wires.
    Measured(Measured),
    /// One side of a capture was sent to a device on wires.
    Onto(OntoNote),
    /// A device has exceeded its budget: the case ends with this verdict, for this reason.
    Overrun(Verdict, String),
    /// The case is decided here; why the harness gave it up, if it did.
    Done(Option<String>),
}

/// See [`Note::Case`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct CaseNote {
    pub(crate) case: ExpandedCase,
    /// Tester's ports with their MAC addresses.
    pub(crate) ports: Vec<(String, String)>,
    pub(crate) frames: BTreeMap<String, Fields>,
    pub(crate) listeners: BTreeMap<String, String>,
    /// (near, far) of each point: the file's interfaces have their names only.
    pub(crate) ends: Vec<(String, String)>,
    /// Nanoseconds.
    pub(crate) tolerance: u64,
    /// The device's measured lateness, nanoseconds.
    #[serde(default)]
    pub(crate) lateness: u64,
    /// Names of the devices that the invariants are about.
    pub(crate) devices: Vec<String>,
    /// The pair under the equivalence oracle; empty where there is none.
    #[serde(default)]
    pub(crate) pair: Vec<String>,
    /// One-way latency of the pair's own link, nanoseconds.
    #[serde(default)]
    pub(crate) pair_latency: u64,
}

/// See [`Note::Pair`].
///
/// Judging recomputes the oracle from the frames and the changes; what the note says of it is
/// compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PairNote {
    pub(crate) equal: bool,
    pub(crate) groups: u32,
    #[serde(default)]
    pub(crate) change: PairChange,
}

impl PairNote {
    pub(crate) const fn status(&self) -> PairStatus {
        PairStatus {
            equal: self.equal,
            groups: self.groups,
        }
    }
}

impl Note {
    /// The note's text.
    pub(crate) fn text(&self) -> String {
        // Every part of a note is plain data with text keys: it serializes.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// A note of ours; `None` for what others may have put there.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// A time as notes write it.
pub(crate) const fn ns(at: Instant) -> u64 {
    at.as_nanos()
}
