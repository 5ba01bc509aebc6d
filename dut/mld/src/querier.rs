//! General queries and the querier election (RFC 3810 7.6.2).

use crate::event::MldEvent;
use crate::interface::Interface;
use crate::policy::{Asked, Candidate};
use crate::state::QuerierState;
use dut_device::Instant;
use dut_wire::mld::{ALL_NODES, Message, Query};
use std::net::Ipv6Addr;
use std::time::Duration;

/// What this router is to the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The interface is down.
    Down,
    /// It queries.
    Querier {
        /// When the next general query is due.
        general_query: Instant,
        /// Startup queries that are still to come.
        startup_left: u8,
    },
    /// Another router with a lower address queries.
    NonQuerier {
        /// The other router.
        querier: Ipv6Addr,
        /// When the Other Querier Present timer expires.
        other_querier_present: Instant,
        /// QRV of its last query.
        robustness: Option<u8>,
        /// QQI of its last query.
        query_interval: Option<Duration>,
    },
}

impl Role {
    pub(crate) const fn next_timeout(&self) -> Option<Instant> {
        match *self {
            Self::Down => None,
            Self::Querier { general_query, .. } => Some(general_query),
            Self::NonQuerier {
                other_querier_present,
                ..
            } => Some(other_querier_present),
        }
    }

    /// The adopted Robustness Variable.
    pub(crate) const fn robustness(&self) -> Option<u8> {
        match *self {
            Self::Down | Self::Querier { .. } => None,
            Self::NonQuerier { robustness, .. } => robustness,
        }
    }

    /// The adopted Query Interval.
    pub(crate) const fn query_interval(&self) -> Option<Duration> {
        match *self {
            Self::Down | Self::Querier { .. } => None,
            Self::NonQuerier { query_interval, .. } => query_interval,
        }
    }
}

impl Interface {
    /// Whether this router is the querier.
    #[must_use]
    pub const fn is_querier(&self) -> bool {
        matches!(self.role, Role::Querier { .. })
    }

    /// Who queries, with times remaining at `now`.
    #[must_use]
    pub fn querier_state(&self, now: Instant) -> QuerierState {
        match self.role {
            Role::Down => QuerierState::default(),
            Role::Querier { general_query, .. } => QuerierState {
                querier: Some(self.config.link_local),
                other_querier_remaining: Duration::ZERO,
                general_query_in: general_query.since(now),
            },
            Role::NonQuerier {
                querier,
                other_querier_present,
                ..
            } => QuerierState {
                querier: Some(querier),
                other_querier_remaining: other_querier_present.since(now),
                general_query_in: Duration::ZERO,
            },
        }
    }

    /// Queries from now on; the first of `startup` startup queries goes at once.
    pub(crate) fn become_querier(&mut self, now: Instant, startup: u8) {
        self.role = Role::Querier {
            general_query: now,
            startup_left: startup,
        };
        self.event(MldEvent::Querier {
            address: self.config.link_local,
            other_querier: false,
        });
        self.querier_timeout(now);
    }

    /// The general query is due, or the other querier has fallen silent.
    pub(crate) fn querier_timeout(&mut self, now: Instant) {
        match &mut self.role {
            Role::Down => {}
            Role::Querier {
                general_query,
                startup_left,
            } => {
                *startup_left = startup_left.saturating_sub(1);
                let gap = self.policy.general_query_gap;
                let interval = gap(&self.config, *startup_left > 0);
                *general_query = now + interval;
                //= MLD-005
                //= MLD-009
                //= MLD-012
                let asked = Asked {
                    group: Ipv6Addr::UNSPECIFIED,
                    delay: self.config.query_response_interval,
                    suppress: false,
                    sources: Vec::new(),
                };
                let query = (self.policy.query)(&self.config, asked);
                self.send(ALL_NODES, &Message::Query(query));
            }
            //= MLD-072
            Role::NonQuerier { .. } => self.become_querier(now, 1),
        }
    }

    /// A valid query of `source` takes part in the election, whatever it asks for.
    pub(crate) fn elect(&mut self, now: Instant, source: Ipv6Addr, query: &Query) {
        let querier = match self.role {
            Role::NonQuerier { querier, .. } => Some(querier),
            Role::Down | Role::Querier { .. } => None,
        };
        let own = self.config.link_local;
        let candidate = Candidate {
            own,
            source,
            querier,
            query,
        };
        if !(self.policy.loses)(&candidate) {
            return;
        }
        let (robustness, query_interval) = (self.policy.adopts)(&self.config, query);
        self.follow(source, now, robustness, query_interval);
        let present = now + self.variables().other_querier_present;
        if let Role::NonQuerier {
            other_querier_present,
            ..
        } = &mut self.role
        {
            *other_querier_present = present;
        }
    }

    /// Leaves querying to another router.
    pub(crate) fn follow(
        &mut self,
        querier: Ipv6Addr,
        other_querier_present: Instant,
        robustness: Option<u8>,
        query_interval: Option<Duration>,
    ) {
        //= MLD-062
        let before = std::mem::replace(
            &mut self.role,
            Role::NonQuerier {
                querier,
                other_querier_present,
                robustness,
                query_interval,
            },
        );
        let same = match before {
            Role::NonQuerier { querier: last, .. } => last == querier,
            Role::Down => false,
            Role::Querier { .. } => {
                self.stop_all_series();
                false
            }
        };
        if !same {
            self.event(MldEvent::Querier {
                address: querier,
                other_querier: true,
            });
        }
    }

    /// Only the querier sends specific queries; in version 1 a series runs to its end all the same
    /// (RFC 2710 6).
    fn stop_all_series(&mut self) {
        if (self.policy.series_run_on)(&self.config) {
            return;
        }
        for (group, slot) in self.table.with_series() {
            if let Some(record) = self.table.get_mut(slot) {
                record.stop_series();
                self.table.settle(slot);
                self.event(MldEvent::Refreshed { group });
            }
        }
    }
}
