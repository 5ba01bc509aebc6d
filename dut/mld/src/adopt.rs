//! Switchover: a link's records, held elsewhere so far, become this interface's.

use crate::event::MldEvent;
use crate::group::{Group, Source};
use crate::interface::Interface;
use crate::scope::is_tracked;
use crate::state::{FilterMode, GroupState, QuerierState, SourceState};
use dut_device::Instant;
use std::net::Ipv6Addr;

impl Interface {
    /// Takes the records that a backup held for this link, without relearning: remaining times,
    /// running series, version-1 mode. No timer is lengthened or shortened.
    ///
    /// An interface that is down starts: as [`Self::start`] does, or, when `querier` names another
    /// router whose Other Querier Present timer runs, as a non-querier with that time remaining.
    /// A group that the interface holds already stays as it is: what it has heard itself is newer.
    /// Untracked addresses and what exceeds the limits are left out.
    pub fn adopt(&mut self, now: Instant, entries: &[GroupState], querier: Option<QuerierState>) {
        if !self.is_up() {
            self.start_beside(now, querier);
        }
        for entry in entries {
            let address = entry.group;
            if !is_tracked(address) || self.table.get(address).is_some() {
                continue;
            }
            if self.table.len() >= self.config.group_limit {
                self.limit_hit(address);
                continue;
            }
            if entry.sources.len() > self.config.source_limit {
                self.limit_hit(address);
            }
            let mut group = from_state(entry, now, self.config.source_limit);
            if !self.is_querier() && !self.config.is_version_1() {
                group.stop_series();
            }
            if group.is_empty() {
                continue;
            }
            self.table.insert(address, group);
            self.event(MldEvent::Changed { group: address });
        }
        self.handle_timeout(now);
    }

    fn start_beside(&mut self, now: Instant, querier: Option<QuerierState>) {
        let other = querier.and_then(|state| {
            let address = state.querier?;
            let remaining = state.other_querier_remaining;
            let other = address != self.config.link_local && !remaining.is_zero();
            other.then_some((address, remaining))
        });
        match other {
            None => self.start(now),
            Some((address, remaining)) => {
                self.follow(address, now + remaining, None, None);
                self.begin_listening(now);
            }
        }
    }
}

fn from_state(entry: &GroupState, now: Instant, source_limit: usize) -> Group {
    let mut group = Group::new(now);
    group.filter_mode = entry.filter_mode;
    group.filter_timer = now + entry.filter_timer;
    group.v1_host = (!entry.v1_host.is_zero()).then(|| now + entry.v1_host);
    group.query_count = entry.query_count;
    group.checking = entry.query_count > 0;
    group.last_reporter = entry.last_reporter;
    group.since = entry.since;
    let source = |state: &SourceState| -> (Ipv6Addr, Source) {
        let excluded = entry.filter_mode == FilterMode::Exclude && state.timer.is_zero();
        let source = Source {
            timer: (!excluded).then(|| now + state.timer),
            query_count: if excluded { 0 } else { state.query_count },
            query_skip: false,
        };
        (state.source, source)
    };
    group.sources = entry
        .sources
        .iter()
        .take(source_limit)
        .map(source)
        .collect();
    if group.series_runs() {
        group.query_due = Some(now + entry.query_due.unwrap_or_default());
    }
    group
}
