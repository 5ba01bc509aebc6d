//! Verdicts in ISO/IEC 9646's words, and what stands behind one.

use serde::{Deserialize, Serialize};

/// What judging a trace gives. The order is that of severity: of several the greatest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every requirement that the case names was exercised and held.
    Pass,
    /// The testbed hasn't what the case needs.
    NotApplicable,
    /// The trace doesn't decide.
    Inconclusive,
    /// An earlier fault of the testbed kept it from running.
    Blocked,
    /// The harness itself failed.
    Error,
    /// A requirement didn't hold.
    Fail,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Pass => "pass",
            Self::NotApplicable => "not-applicable",
            Self::Inconclusive => "inconclusive",
            Self::Blocked => "blocked",
            Self::Error => "error",
            Self::Fail => "fail",
        })
    }
}

/// One field that isn't as expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Field name.
    pub field: String,
    /// What was expected.
    pub expected: String,
    /// What was seen.
    pub seen: String,
}

/// Why a verdict isn't pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// One sentence.
    pub what: String,
    /// Line of the deciding step in the case's file; `None` for an invariant.
    pub line: Option<u64>,
    /// Requirement that an invariant stands for; for a step the case's own ids count.
    pub requirement: Option<String>,
    /// The fields that differ, of the frame that came closest.
    pub differences: Vec<Difference>,
    /// Index of the deciding record in the trace.
    pub record: Option<usize>,
    /// When it was decided, nanoseconds of the run.
    pub at_ns: u64,
}

impl Finding {
    /// A finding of no step, requirement or record.
    #[must_use]
    pub const fn of(what: String) -> Self {
        Self {
            what,
            line: None,
            requirement: None,
            differences: Vec::new(),
            record: None,
            at_ns: 0,
        }
    }
}
