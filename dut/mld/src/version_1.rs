//! The router of RFC 2710 section 6, which runs where version 1 is configured: one match arm a row.
//!
//! A record here is EXCLUDE without sources; its filter timer is the text's *timer*, its series
//! the *retransmit timer*.

use crate::Row;
use crate::config::Variables;
use crate::group::Group;
use crate::rows::Expired;
use crate::sources::Sources;
use crate::state::FilterMode;
use dut_device::Instant;
use std::net::Ipv6Addr;
use std::time::Duration;

/// The text's states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// No listener.
    NoListenersPresent,
    /// Listeners, and none has left.
    ListenersPresent,
    /// A listener has left, and the others are asked.
    CheckingListeners,
}

impl State {
    /// The text's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoListenersPresent => "No Listeners Present",
            Self::ListenersPresent => "Listeners Present",
            Self::CheckingListeners => "Checking Listeners",
        }
    }
}

/// The state that a record is in.
#[must_use]
pub fn state(group: &Group) -> State {
    if group.is_empty() {
        State::NoListenersPresent
    } else if group.checking {
        State::CheckingListeners
    } else {
        State::ListenersPresent
    }
}

/// What is received for a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// Report, and who sent it.
    Report(Ipv6Addr),
    /// Done.
    Done,
    /// Specific query with this Maximum Response Delay.
    SpecificQuery(Duration),
}

/// What a row did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Which row.
    pub row: Row,
    /// Whether the mode or lists changed: only of a record that was adopted from version 2.
    pub changed: bool,
    /// Whether a specific query is to be sent now.
    pub query: bool,
}

/// The machine's two functions, as an interface runs them.
#[derive(Debug, Clone, Copy)]
pub struct Machine {
    /// Takes the row for what was received.
    pub apply: fn(&mut Group, Received, bool, Instant, &Variables) -> Option<Taken>,
    /// `timer expired`.
    pub expire: fn(&mut Group, Instant) -> Expired,
}

impl Machine {
    /// RFC 2710's.
    pub const STANDARD: Self = Self { apply, expire };
}

/// Takes the row for what was received; `None` when the text has none.
#[must_use]
pub fn apply(
    group: &mut Group,
    received: Received,
    querier: bool,
    now: Instant,
    variables: &Variables,
) -> Option<Taken> {
    use State::{CheckingListeners, ListenersPresent, NoListenersPresent};
    let mut changed = false;
    let mut query = false;
    let row = match (state(group), received) {
        (NoListenersPresent, Received::Report(reporter)) => {
            changed = start_timer(group, reporter, now, variables);
            Row::NoListenersReport
        }
        (NoListenersPresent, Received::Done | Received::SpecificQuery(_)) => {
            //= MLD-151
            return None;
        }
        (ListenersPresent, Received::Report(reporter)) => {
            changed = start_timer(group, reporter, now, variables);
            Row::ListenersReport
        }
        (ListenersPresent, Received::Done) => {
            //= MLD-150
            if !querier {
                return None;
            }
            group.lower_filter(now + variables.llqt);
            group.checking = true;
            group.query_count = variables.llqc.saturating_sub(1);
            group.query_due = Some(now + variables.llqi);
            query = true;
            Row::ListenersDone
        }
        (ListenersPresent, Received::SpecificQuery(delay)) => {
            if querier {
                return None;
            }
            group.lower_filter(now + delay.saturating_mul(variables.llqc.into()));
            group.checking = true;
            Row::ListenersSpecificQuery
        }
        (CheckingListeners, Received::Report(reporter)) => {
            //= MLD-152
            group.stop_series();
            changed = start_timer(group, reporter, now, variables);
            Row::CheckingReport
        }
        (CheckingListeners, Received::Done) => return None,
        (CheckingListeners, Received::SpecificQuery(delay)) => {
            if querier {
                return None;
            }
            group.lower_filter(now + delay.saturating_mul(variables.llqc.into()));
            Row::CheckingSpecificQuery
        }
    };
    Some(Taken {
        row,
        changed,
        query,
    })
}

/// `start timer`. True when the record wasn't EXCLUDE without sources.
fn start_timer(group: &mut Group, reporter: Ipv6Addr, now: Instant, variables: &Variables) -> bool {
    let kept = group.keep(&Sources::new());
    group.checking = false;
    group.last_reporter = Some(reporter);
    group.listen_any(now + variables.listening_interval) || kept
}

/// Whether a record is one of this machine's.
#[must_use]
pub fn runs(group: &Group) -> bool {
    group.filter_mode == FilterMode::Exclude && group.sources.is_empty()
}

/// `timer expired`, when it has by `now`.
#[must_use]
pub fn expire(group: &mut Group, now: Instant) -> Expired {
    let mut expired = Expired::default();
    if group.v1_host.is_some_and(|timer| timer <= now) {
        group.v1_host = None;
    }
    if group.filter_timer > now {
        return expired;
    }
    let from = state(group);
    let row = match from {
        State::NoListenersPresent => return expired,
        State::ListenersPresent => Row::ListenersTimerExpires,
        State::CheckingListeners => Row::CheckingTimerExpires,
    };
    group.filter_mode = FilterMode::Include;
    expired.changed = true;
    expired
        .rows
        .push((row, from.name(), State::NoListenersPresent.name()));
    expired
}

/// `rexmt timer expired`: the row of a transmission that has just happened.
#[must_use]
pub fn retransmitted(group: &Group) -> Option<(Row, &'static str, &'static str)> {
    //= MLD-083
    match state(group) {
        State::NoListenersPresent | State::ListenersPresent => None,
        checking @ State::CheckingListeners => Some((
            Row::CheckingRexmtTimerExpires,
            checking.name(),
            checking.name(),
        )),
    }
}
