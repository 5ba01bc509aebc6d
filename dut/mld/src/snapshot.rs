//! The interface's state as the Device contract shows it.

use crate::interface::Interface;
use crate::state::{FilterMode, GroupState, SourceState};
use dut_device::{GroupLook, PairLook, SourceLook};
use dut_device::{Instant, MldGroupSnapshot, MldInterfaceSnapshot, MldSourceSnapshot};
use std::time::Duration;

impl Interface {
    /// The interface's state, times rounded up to milliseconds.
    #[must_use]
    pub fn snapshot(&self, now: Instant) -> MldInterfaceSnapshot {
        let config = &self.config;
        let querier = self.querier_state(now);
        let is_querier = self.is_querier();
        MldInterfaceSnapshot {
            name: config.name.clone(),
            link_local: Some(config.link_local),
            up: self.is_up(),
            version: config.version,
            querier: is_querier,
            querier_address: querier.querier,
            robustness: self.robustness_variable(),
            query_interval_ms: ms(config.query_interval),
            negotiated_query_interval_ms: ms(self.query_interval()),
            query_response_interval_ms: ms(config.query_response_interval),
            last_listener_query_interval_ms: ms(config.last_listener_query_interval),
            other_querier_ms: (self.is_up() && !is_querier)
                .then(|| ms(querier.other_querier_remaining)),
            general_query_ms: is_querier.then(|| ms(querier.general_query_in)),
            groups: self
                .groups(now)
                .into_iter()
                .map(MldGroupSnapshot::from)
                .collect(),
        }
    }
}

impl Interface {
    /// What a pair's oracle looks at: whether a series runs and, if `groups`, the records.
    pub fn look(&self, now: Instant, groups: bool, look: &mut PairLook) {
        look.series |= self.table.series_runs();
        let listed = if groups {
            self.table.sorted()
        } else {
            Vec::new()
        };
        for (address, group) in listed {
            let remaining = |timer: Instant| ms(timer.since(now));
            let sources = group.sources.iter().map(|(source, held)| SourceLook {
                source: *source,
                timer_ms: held.timer.map_or(0, remaining),
            });
            look.sources.extend(sources);
            let exclude = group.filter_mode == FilterMode::Exclude;
            look.groups.push(GroupLook {
                group: address,
                filter_timer_ms: exclude.then(|| remaining(group.filter_timer)),
                v1_host_ms: group.v1_host.map_or(0, remaining),
                sources: group.sources.len(),
            });
        }
    }
}

impl From<GroupState> for MldGroupSnapshot {
    fn from(state: GroupState) -> Self {
        Self {
            group: state.group,
            filter_mode: state.filter_mode.name().to_owned(),
            filter_timer_ms: ms(state.filter_timer),
            v1_host_ms: ms(state.v1_host),
            sources: state
                .sources
                .into_iter()
                .map(MldSourceSnapshot::from)
                .collect(),
            last_reporter: state.last_reporter,
            since: state.since,
            query_count: state.query_count,
        }
    }
}

impl From<SourceState> for MldSourceSnapshot {
    fn from(state: SourceState) -> Self {
        Self {
            source: state.source,
            timer_ms: ms(state.timer),
            query_count: state.query_count,
        }
    }
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}
