//! The wait before a return: the revert delay, counted while its occasion lasts.

use crate::policy::Policy;
use crate::rows::Revert;
use dut_device::Instant;
use std::time::Duration;

/// A revert delay; the device has one, each member has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct RevertTimer {
    since: Option<Instant>,
}

impl RevertTimer {
    /// Arms it when the occasion begins, disarms it when the occasion ends.
    pub(crate) fn update(&mut self, now: Instant, occasion: bool) {
        if !occasion {
            self.since = None;
        } else if self.since.is_none() {
            self.since = Some(now);
        }
    }

    /// When the delay will have run; `None` when it isn't armed or reverting is disabled.
    pub(crate) fn deadline(&self, delay: Option<Duration>) -> Option<Instant> {
        Some(self.since? + delay?)
    }

    /// Ready when the delay has run and the gate is open; never while it isn't armed.
    pub(crate) fn state(
        &self,
        now: Instant,
        delay: Option<Duration>,
        gate: bool,
        policy: &Policy,
    ) -> Revert {
        let run = delay.map(|delay| self.since.is_some_and(|since| now >= since + delay));
        if self.since.is_some() && (policy.revert_ready)(run, gate) {
            Revert::Ready
        } else {
            Revert::Waiting
        }
    }
}
