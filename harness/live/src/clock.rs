//! The wall clock, which is what the kernel stamps frames with.

use dut_device::Instant;
use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Instants of a run: nanoseconds since a whole second of the wall clock.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    origin_s: u64,
    /// Wall clock minus monotonic clock when this was made: it changes when the clock is set.
    offset: i128,
}

fn nanoseconds(clock: ClockId) -> i128 {
    let time = clock_gettime(clock);
    i128::from(time.tv_sec) * 1_000_000_000 + i128::from(time.tv_nsec)
}

fn offset() -> i128 {
    // The reading between which the least time passed is the most exact.
    let read = || {
        let before = nanoseconds(ClockId::Monotonic);
        let wall = nanoseconds(ClockId::Realtime);
        let after = nanoseconds(ClockId::Monotonic);
        (after - before, wall - (before + after) / 2)
    };
    let readings = [read(), read(), read()];
    readings.into_iter().min().map_or(0, |(_, offset)| offset)
}

impl Clock {
    /// A clock whose time zero is the current second.
    #[must_use]
    pub fn starting_now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Self::starting(since.unwrap_or_default().as_secs())
    }

    /// A clock whose time zero is this second since 1970.
    #[must_use]
    pub fn starting(origin_s: u64) -> Self {
        Self {
            origin_s,
            offset: offset(),
        }
    }

    /// Seconds since 1970 of time zero.
    #[must_use]
    pub const fn origin_s(&self) -> u64 {
        self.origin_s
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Instant {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        self.at(since.unwrap_or_default())
    }

    /// The instant that is `since_1970` on the wall clock; earlier than time zero is time zero.
    #[must_use]
    pub fn at(&self, since_1970: Duration) -> Instant {
        let since = since_1970.saturating_sub(Duration::from_secs(self.origin_s));
        Instant::ZERO + since
    }

    /// An instant on the wall clock, since 1970.
    #[must_use]
    pub fn wall(&self, at: Instant) -> Duration {
        Duration::from_secs(self.origin_s) + Duration::from_nanos(at.as_nanos())
    }

    /// By how much the wall clock was set since this was made.
    #[must_use]
    pub fn step(&self) -> Duration {
        let moved = (offset() - self.offset).unsigned_abs();
        Duration::from_nanos(u64::try_from(moved).unwrap_or(u64::MAX))
    }
}
