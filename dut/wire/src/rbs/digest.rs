//! The canonical digest: SHA-256 over a table without timers.

use super::{FilterMode, GroupRecord};
use sha2::{Digest, Sha256};
use std::net::Ipv6Addr;

/// Hashes a table row by row.
#[derive(Debug, Clone, Default)]
pub struct CanonicalDigest(Sha256);

impl CanonicalDigest {
    /// Adds a row. Rows come in the order of (Eth-Trunk id, group), sources ascending; `count` is
    /// the number of sources, each with whether it is requested (its timer is not 0).
    //= RBS-027
    pub fn row(
        &mut self,
        eth_trunk: u16,
        group: Ipv6Addr,
        mode: FilterMode,
        count: usize,
        sources: impl Iterator<Item = (Ipv6Addr, bool)>,
    ) {
        let count = u16::try_from(count).unwrap_or(u16::MAX);
        self.0.update(eth_trunk.to_be_bytes());
        self.0.update(group.octets());
        self.0.update([mode.code()]);
        self.0.update(count.to_be_bytes());
        for (source, requested) in sources {
            self.0.update(source.octets());
            self.0.update([u8::from(requested)]);
        }
    }

    /// The digest.
    #[must_use]
    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

/// The digest of a table given as group records in any order.
#[must_use]
pub fn digest_of(records: &[GroupRecord]) -> [u8; 32] {
    let mut sorted: Vec<&GroupRecord> = records.iter().collect();
    sorted.sort_by_key(|record| (record.eth_trunk, record.group));
    let mut digest = CanonicalDigest::default();
    for r in sorted {
        let sources = r.sources.iter().map(|(s, state)| (*s, state.timer_ms != 0));
        digest.row(
            r.eth_trunk,
            r.group,
            r.filter_mode,
            r.sources.len(),
            sources,
        );
    }
    digest.finish()
}
