//! Specific queries and their retransmission (RFC 3810 7.6.3).
//!
//! A group has one series. What a new trigger asks for is sent at once and then rides on the
//! running series, except on a transmission that comes less than half an interval later: so each
//! source is named [Last Listener Query Count] times, never twice in quick succession, and always
//! before its lowered timer runs out.

use crate::config::Variables;
use crate::group::Group;
use crate::sources::Sources;
use crate::state::FilterMode;
use dut_device::Instant;
use std::net::Ipv6Addr;

/// A specific query to send, before it is cut to the MTU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Specific {
    /// S flag.
    pub suppress: bool,
    /// Empty in Q(G).
    pub sources: Vec<Ipv6Addr>,
}

/// Querier: lowers timers to LLQT, and gives what is to be sent at once.
#[must_use]
pub fn trigger(
    group: &mut Group,
    query_sources: &Sources,
    query_group: bool,
    now: Instant,
    variables: &Variables,
) -> Vec<Specific> {
    let until = now + variables.llqt;
    //= MLD-116
    let above = |address: &&Ipv6Addr| {
        let timer = group.sources.get(address).and_then(|source| source.timer);
        timer.is_some_and(|timer| timer > until)
    };
    //= MLD-011
    let asked: Vec<Ipv6Addr> = query_sources.iter().filter(above).copied().collect();
    // A Q(G) whose series runs unanswered is merged into it.
    let exclude = group.filter_mode == FilterMode::Exclude;
    let ask_group =
        query_group && exclude && (group.filter_timer > until || group.query_count == 0);
    //= MLD-097
    if asked.is_empty() && !ask_group {
        return Vec::new();
    }
    let skip = merge(group, &asked, ask_group, now, variables);
    let mut sent = Vec::new();
    let rest = variables.llqc.saturating_sub(1);
    for address in &asked {
        if let Some(source) = group.sources.get_mut(address) {
            //= MLD-119
            source.timer = Some(until);
            source.query_count = rest;
            source.query_skip = skip && rest > 0;
        }
    }
    //= MLD-109
    if !asked.is_empty() {
        sent.push(Specific {
            suppress: false,
            sources: asked,
        });
    }
    if ask_group {
        group.lower_filter(until);
        group.query_count = rest;
        group.query_skip = skip && rest > 0;
        sent.push(Specific {
            suppress: false,
            sources: Vec::new(),
        });
    }
    if !group.series_runs() {
        group.query_due = None;
    }
    sent
}

/// Sets when the series goes on. True when what is asked now misses its next transmission.
fn merge(
    group: &mut Group,
    asked: &[Ipv6Addr],
    ask_group: bool,
    now: Instant,
    variables: &Variables,
) -> bool {
    //= MLD-115
    let others = (group.query_count > 0 && !ask_group)
        || group.sources.iter().any(|(address, source)| {
            source.query_count > 0 && asked.binary_search(address).is_err()
        });
    match group.query_due {
        Some(due) if others => due.since(now) < variables.llqi / 2,
        Some(_) | None => {
            group.query_due = Some(now + variables.llqi);
            false
        }
    }
}

/// The series' transmission that is due at `now`: at each one the S flag is decided anew.
#[must_use]
pub fn transmit(group: &mut Group, now: Instant, variables: &Variables) -> Vec<Specific> {
    let until = now + variables.llqt;
    let mut refreshed = Vec::new();
    let mut unanswered = Vec::new();
    for (address, source) in &mut group.sources {
        if source.query_count == 0 || std::mem::take(&mut source.query_skip) {
            continue;
        }
        source.query_count -= 1;
        //= MLD-113
        //= MLD-124
        if source.timer.is_some_and(|timer| timer > until) {
            refreshed.push(*address);
        } else {
            unanswered.push(*address);
        }
    }
    let mut sent = Vec::new();
    //= MLD-114
    for (suppress, sources) in [(true, refreshed), (false, unanswered)] {
        if !sources.is_empty() {
            sent.push(Specific { suppress, sources });
        }
    }
    if group.query_count > 0 && !std::mem::take(&mut group.query_skip) {
        group.query_count -= 1;
        //= MLD-111
        //= MLD-112
        let suppress = group.filter_mode == FilterMode::Exclude && group.filter_timer > until;
        sent.push(Specific {
            suppress,
            sources: Vec::new(),
        });
    }
    //= MLD-110
    group.query_due = group.series_runs().then(|| now + variables.llqi);
    sent
}
