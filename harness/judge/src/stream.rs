//! What each listener got of numbered multicast streams: gaps, losses, duplicates.

use dut_device::Instant;
use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::time::Duration;

/// Arrivals of the streams at listeners, by (listener, group).
#[derive(Debug, Clone, Default)]
pub struct StreamMeter {
    streams: BTreeMap<(String, Ipv6Addr), Arrivals>,
}

/// What one listener got of one group.
#[derive(Debug, Clone, Default)]
pub struct Arrivals {
    /// (when, sequence number), in order of arrival.
    packets: Vec<(Instant, u64)>,
}

impl StreamMeter {
    /// A packet of a stream has arrived at a listener.
    pub fn arrived(&mut self, at: Instant, listener: &str, group: Ipv6Addr, sequence: u64) {
        let stream = self
            .streams
            .entry((listener.to_owned(), group))
            .or_default();
        stream.packets.push((at, sequence));
    }

    /// The streams seen so far: (listener, group) → arrivals.
    pub fn streams(&self) -> impl Iterator<Item = (&str, Ipv6Addr, &Arrivals)> {
        self.streams
            .iter()
            .map(|((listener, group), arrivals)| (listener.as_str(), *group, arrivals))
    }
}

impl Arrivals {
    /// Whether anything had come before `at`.
    #[must_use]
    pub fn began_before(&self, at: Instant) -> bool {
        self.packets.first().is_some_and(|(first, _)| *first < at)
    }

    /// The longest time without a packet between `since` and `until`: from the last packet before
    /// `since` (or the first after it) on, and up to `until`.
    #[must_use]
    pub fn longest_gap(&self, since: Instant, until: Instant) -> Duration {
        let before = self
            .packets
            .iter()
            .rev()
            .find(|(at, _)| *at < since)
            .map(|(at, _)| *at);
        let mut last = before;
        let mut longest = Duration::ZERO;
        for (at, _) in self
            .packets
            .iter()
            .filter(|(at, _)| *at >= since && *at <= until)
        {
            if let Some(last) = last {
                longest = longest.max(at.since(last));
            }
            last = Some(*at);
        }
        last.map_or(longest, |last| longest.max(until.since(last)))
    }

    /// Packets that never came of those sent between the last before `since` and the last before
    /// `until`.
    #[must_use]
    pub fn lost(&self, since: Instant, until: Instant) -> u64 {
        let before = self
            .packets
            .iter()
            .filter(|(at, _)| *at < since)
            .map(|(_, n)| *n)
            .max();
        let mut numbers: Vec<u64> = self.between(since, until).collect();
        numbers.extend(before);
        numbers.sort_unstable();
        numbers.dedup();
        let (Some(first), Some(last)) = (numbers.first(), numbers.last()) else {
            return 0;
        };
        let sent = last - first + 1;
        sent.saturating_sub(u64::try_from(numbers.len()).unwrap_or(u64::MAX))
    }

    /// Packets that came more than once between `since` and `until`.
    #[must_use]
    pub fn duplicates(&self, since: Instant, until: Instant) -> u64 {
        let mut numbers: Vec<u64> = self.between(since, until).collect();
        let all = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        u64::try_from(all - numbers.len()).unwrap_or(u64::MAX)
    }

    /// Packets that came between `since` and `until`.
    #[must_use]
    pub fn received(&self, since: Instant, until: Instant) -> u64 {
        u64::try_from(self.between(since, until).count()).unwrap_or(u64::MAX)
    }

    fn between(&self, since: Instant, until: Instant) -> impl Iterator<Item = u64> + '_ {
        let within = move |at: Instant| at >= since && at <= until;
        self.packets
            .iter()
            .filter(move |(at, _)| within(*at))
            .map(|(_, number)| *number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(packets: &[(u64, u64)]) -> Arrivals {
        let packets = packets
            .iter()
            .map(|(ms, n)| (Instant::from_millis(*ms), *n))
            .collect();
        Arrivals { packets }
    }

    #[test]
    fn a_gap_is_measured_from_the_last_packet_before_the_mark() {
        let arrivals = meter(&[(0, 1), (5, 2), (10, 3), (40, 9), (45, 10)]);
        let (since, until) = (Instant::from_millis(12), Instant::from_millis(50));
        assert_eq!(
            arrivals.longest_gap(since, until),
            Duration::from_millis(30)
        );
        assert_eq!(arrivals.lost(since, until), 5);
        assert_eq!(arrivals.duplicates(since, until), 0);
    }

    #[test]
    fn silence_up_to_the_end_is_a_gap() {
        let arrivals = meter(&[(0, 1), (5, 2)]);
        let gap = arrivals.longest_gap(Instant::from_millis(6), Instant::from_millis(100));
        assert_eq!(gap, Duration::from_millis(95));
    }

    #[test]
    fn a_packet_that_came_twice_is_a_duplicate_and_no_loss() {
        let arrivals = meter(&[(0, 1), (1, 1), (5, 2), (6, 2), (7, 2)]);
        let (since, until) = (Instant::ZERO, Instant::from_millis(10));
        assert_eq!(arrivals.duplicates(since, until), 3);
        assert_eq!(arrivals.lost(since, until), 0);
    }
}
