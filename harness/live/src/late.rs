//! How late a process acts: what its delays within a second add up to.

use dut_device::Instant;
use std::collections::VecDeque;
use std::time::Duration;

/// Delays that follow each other add up in what the other side sees.
const WINDOW: Duration = Duration::from_secs(1);

/// A shorter delay is the work itself, of which a flood has thousands.
const WORK: Duration = Duration::from_millis(1);

/// Delays of the last second, and the most that they have come to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lateness {
    recent: VecDeque<(Instant, Duration)>,
    sum: Duration,
    worst: Duration,
}

impl Lateness {
    /// Something was done at `now` that was due so long before.
    pub(crate) fn add(&mut self, now: Instant, late: Duration) {
        self.worst = self.worst.max(late);
        if late < WORK {
            return;
        }
        self.recent.push_back((now, late));
        self.sum += late;
        while let Some((at, late)) = self.recent.front().copied() {
            if now.since(at) <= WINDOW {
                break;
            }
            self.recent.pop_front();
            self.sum = self.sum.saturating_sub(late);
        }
        self.worst = self.worst.max(self.sum);
    }

    /// The worst so far, nanoseconds.
    pub(crate) fn worst_ns(&self) -> u64 {
        u64::try_from(self.worst.as_nanos()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Delays of one second add up; those of different seconds, and a flood's, don't.
    #[test]
    fn delays_of_one_second_add_up() {
        let ms = Duration::from_millis;
        let mut late = Lateness::default();
        for n in 0..5000 {
            late.add(Instant::from_millis(n), Duration::from_micros(50));
        }
        assert_eq!(late.worst_ns(), 50_000);
        late.add(Instant::from_millis(6000), ms(30));
        late.add(Instant::from_millis(6900), ms(25));
        assert_eq!(late.worst_ns(), 55_000_000);
        late.add(Instant::from_millis(7500), ms(20));
        assert_eq!(late.worst_ns(), 55_000_000);
    }
}
