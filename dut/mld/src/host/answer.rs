//! Delayed answers to queries (RFC 3810 6.2, 6.3).

use super::filter::{Filter, Sources};
use crate::FilterMode;
use dut_device::Instant;
use dut_wire::mld::{Record, RecordType};
use std::collections::BTreeMap;
use std::net::Ipv6Addr;

/// What a query asks for, with the delay that was drawn for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The address; `None` in a general query.
    pub group: Option<Ipv6Addr>,
    /// Queried sources; none asks for the whole state.
    pub sources: Sources,
    /// When the answer would be due.
    pub due: Instant,
    /// Most sources that are recorded; beyond it the whole state is the answer.
    pub limit: usize,
}

/// The answers that are owed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answers {
    /// The Interface Timer.
    pub general: Option<Instant>,
    /// The Multicast Address Timers, each with the recorded source list.
    pub specific: BTreeMap<Ipv6Addr, (Instant, Sources)>,
}

impl Answers {
    /// RFC 3810 6.2, rules 1 to 5.
    //= MLD-164
    pub fn schedule(&mut self, ask: Ask) {
        if self.general.is_some_and(|pending| pending <= ask.due) {
            return;
        }
        let Some(group) = ask.group else {
            self.general = Some(ask.due);
            return;
        };
        let Some((due, recorded)) = self.specific.get_mut(&group) else {
            self.specific.insert(group, (ask.due, ask.sources));
            return;
        };
        *due = ask.due.min(*due);
        let both = recorded.len().saturating_add(ask.sources.len());
        if ask.sources.is_empty() || both > ask.limit {
            recorded.clear();
        } else if !recorded.is_empty() {
            recorded.extend(ask.sources);
        }
    }

    /// When the earliest is due.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        let specific = self.specific.values().map(|(due, _)| *due).min();
        [self.general, specific].into_iter().flatten().min()
    }
}

/// The Current State Record of an address; none where nobody listens.
#[must_use]
pub(super) fn current(group: Ipv6Addr, filter: &Filter) -> Option<Record> {
    let record_type = match filter.mode {
        FilterMode::Include => RecordType::ModeIsInclude,
        FilterMode::Exclude => RecordType::ModeIsExclude,
    };
    let record = Record {
        record_type,
        group,
        sources: filter.sources.iter().copied().collect(),
    };
    (!filter.is_nothing()).then_some(record)
}

/// Which of the queried sources are wanted (RFC 3810 6.3: A*B in INCLUDE (A), B-A in EXCLUDE (A));
/// what can't be a source never is.
//= MLD-163
//= MLD-175
#[must_use]
pub(super) fn wanted(filter: &Filter, asked: &Sources) -> Sources {
    let unicast = |source: &&Ipv6Addr| !source.is_multicast() && !source.is_unspecified();
    let wanted = asked.iter().filter(|source| filter.wants(source));
    wanted.filter(unicast).copied().collect()
}
