//! Timers of the machines (IEEE 802.1AX 6.4.10): they set a flag, conditions read the flag.

use dut_device::Instant;
use std::time::Duration;

/// A timer: stopped, running or expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Timer {
    /// Not running, not expired.
    #[default]
    Stopped,
    /// Expires at this time.
    Running(Instant),
    /// Has expired and not been started again.
    Expired,
}

impl Timer {
    /// Starts it anew.
    pub(crate) fn start(&mut self, now: Instant, time: Duration) {
        *self = Self::Running(now + time);
    }

    /// Stops it and forgets that it has expired.
    pub(crate) fn stop(&mut self) {
        *self = Self::Stopped;
    }

    /// Lets it expire if it is due; whether it has expired by this call.
    pub(crate) fn tick(&mut self, now: Instant) -> bool {
        let due = self.deadline().is_some_and(|deadline| deadline <= now);
        if due {
            *self = Self::Expired;
        }
        due
    }

    /// Whether it has expired.
    pub(crate) fn expired(self) -> bool {
        self == Self::Expired
    }

    /// Whether it is stopped.
    pub(crate) fn stopped(self) -> bool {
        self == Self::Stopped
    }

    /// When it will expire.
    pub(crate) fn deadline(self) -> Option<Instant> {
        match self {
            Self::Running(deadline) => Some(deadline),
            Self::Stopped | Self::Expired => None,
        }
    }
}
