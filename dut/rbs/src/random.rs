//! The back-off's jitter: SplitMix64 from the session's seed.

use std::time::Duration;

/// A small deterministic generator.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// `d` ± 10 %.
    pub(crate) fn jitter(&mut self, d: Duration) -> Duration {
        let permille = 900 + u32::try_from(self.next() % 201).unwrap_or(100);
        d.saturating_mul(permille) / 1000
    }
}
