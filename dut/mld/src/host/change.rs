//! State Change Reports and their retransmission (RFC 3810 6.1).

use super::filter::{Filter, Sources};
use crate::FilterMode;
use dut_device::Instant;
use dut_wire::mld::{Record, RecordType};
use std::collections::BTreeMap;
use std::net::Ipv6Addr;

/// What a change of an interface's state consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// The filter mode changed.
    Mode,
    /// These sources began or ceased to be wanted.
    Sources(Sources),
}

impl Difference {
    /// From one state of an address to the next.
    #[must_use]
    pub fn between(before: &Filter, after: &Filter) -> Self {
        if before.mode == after.mode {
            let changed = before.sources.symmetric_difference(&after.sources);
            Self::Sources(changed.copied().collect())
        } else {
            Self::Mode
        }
    }
}

/// What of an address's changes is still to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pending {
    /// Filter Mode Retransmission Counter: how many reports still carry the filter mode.
    pub filter_mode: u8,
    /// Retransmission List with its Source Retransmission Counters.
    pub sources: BTreeMap<Ipv6Addr, u8>,
    /// When the next report is due.
    pub due: Option<Instant>,
}

impl Pending {
    /// Merges a change with what is pending: `copies` reports carry it, beginning at once.
    //= MLD-158
    //= MLD-160
    pub fn join(&mut self, difference: &Difference, copies: u8) {
        match difference {
            Difference::Mode => self.filter_mode = copies,
            Difference::Sources(changed) => {
                self.sources
                    .extend(changed.iter().map(|source| (*source, copies)));
            }
        }
    }

    /// One report has left: counts down. A source that changes while the filter mode is sent is
    /// named by source list records as often as its counter outlasts the other.
    pub fn sent(&mut self) {
        self.filter_mode = self.filter_mode.saturating_sub(1);
        for left in self.sources.values_mut() {
            *left = left.saturating_sub(1);
        }
        self.sources.retain(|_, left| *left > 0);
    }

    /// Whether no report is left to send.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.filter_mode == 0 && self.sources.is_empty()
    }

    /// The records of the next report, by the state that now holds.
    //= MLD-159
    #[must_use]
    pub fn records(&self, group: Ipv6Addr, filter: &Filter) -> Vec<Record> {
        let record = |record_type, sources: Vec<Ipv6Addr>| Record {
            record_type,
            group,
            sources,
        };
        if self.filter_mode > 0 {
            let record_type = match filter.mode {
                FilterMode::Include => RecordType::ChangeToInclude,
                FilterMode::Exclude => RecordType::ChangeToExclude,
            };
            return vec![record(
                record_type,
                filter.sources.iter().copied().collect(),
            )];
        }
        let (allow, block) = self
            .sources
            .keys()
            .copied()
            .partition(|source| filter.wants(source));
        [
            record(RecordType::AllowNewSources, allow),
            record(RecordType::BlockOldSources, block),
        ]
        .into_iter()
        .filter(|record| !record.sources.is_empty())
        .collect()
    }
}
