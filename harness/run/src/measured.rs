//! What a live run measures of itself, and what that takes from a verdict.

use harness_judge::{Finding, Verdict};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How well a live case was run. A simulation's is all zero.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Measured {
    /// Frames that the kernel or an interface dropped before the capture saw them.
    pub dropped: u64,
    /// The tester's worst lateness within a second, nanoseconds: frames that left after their time,
    /// and wakings after it.
    pub late_ns: u64,
    /// The same of the device's own process, where it tells.
    pub device_late_ns: u64,
    /// By how much the wall clock was set meanwhile, nanoseconds.
    pub clock_step_ns: u64,
    /// Why the device can't be judged any more: it died, or a hook of its testbed failed.
    pub blocked: Option<String>,
}

/// How a finding begins that a host's lateness leaves undecided; how late it was follows.
pub const LATE: &str = "the tester was ";

impl Measured {
    /// The verdict that stands in view of this: a device that died is blocked; with frames lost
    /// nothing is decided; a failure that the tester's own lateness may have made is none.
    #[must_use]
    pub fn temper(
        &self,
        (verdict, finding): (Verdict, Option<Finding>),
        tolerance: Duration,
    ) -> (Verdict, Option<Finding>) {
        let tolerance = u64::try_from(tolerance.as_nanos()).unwrap_or(u64::MAX);
        let ms = |ns: u64| format!("{}.{:03} ms", ns / 1_000_000, ns / 1000 % 1000);
        let (tempered, why) = if let Some(why) = &self.blocked {
            (Verdict::Blocked, why.clone())
        } else if !matches!(verdict, Verdict::Pass | Verdict::Fail) {
            return (verdict, finding);
        } else if self.dropped > 0 {
            let why = format!("{} frames were lost to the capture", self.dropped);
            (Verdict::Inconclusive, why)
        } else if self.clock_step_ns > tolerance {
            let why = format!("the clock was set by {}", ms(self.clock_step_ns));
            (Verdict::Inconclusive, why)
        } else if verdict == Verdict::Fail && self.late_ns + self.device_late_ns > tolerance {
            let device = match self.device_late_ns {
                0 => String::new(),
                ns => format!(" and the device's process {}", ms(ns)),
            };
            let why = format!(
                "{LATE}{}{device} late, more than the {} that this host may be",
                ms(self.late_ns),
                ms(tolerance)
            );
            (Verdict::Inconclusive, why)
        } else {
            return (verdict, finding);
        };
        let what = match &finding {
            Some(finding) => format!("{why}; else: {}", finding.what),
            None => why,
        };
        let finding = finding.unwrap_or_else(|| Finding::of(String::new()));
        (tempered, Some(Finding { what, ..finding }))
    }
}
