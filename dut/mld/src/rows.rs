//! The router tables of RFC 3810 7.4.1 and 7.4.2 (RFC 9777's are the same), one arm a row in the
//! document's order, and the timer expiries of 7.2.3, 7.5 and 8.3.2.
//!
//! A row changes the record and names the queries that it asks for; whether they are sent is
//! [`crate::series`]' business, because only the querier sends any.

use crate::Row;
use crate::config::Variables;
use crate::group::{Group, Sources};
use crate::state::FilterMode::{self, Exclude, Include};
use dut_device::Instant;
use dut_wire::mld::RecordType;
use std::net::Ipv6Addr;

/// A known record type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Received {
    IsIn,
    IsEx,
    Allow,
    Block,
    ToEx,
    ToIn,
}

impl Received {
    pub(crate) const fn of(record_type: RecordType) -> Option<Self> {
        match record_type {
            RecordType::ModeIsInclude => Some(Self::IsIn),
            RecordType::ModeIsExclude => Some(Self::IsEx),
            RecordType::ChangeToInclude => Some(Self::ToIn),
            RecordType::ChangeToExclude => Some(Self::ToEx),
            RecordType::AllowNewSources => Some(Self::Allow),
            RecordType::BlockOldSources => Some(Self::Block),
            RecordType::Unknown(_) => None,
        }
    }

    /// Whether the new source list is the record's alone.
    pub(crate) const fn replaces(self) -> bool {
        matches!(self, Self::IsEx | Self::ToEx)
    }
}

/// What a row did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) row: Row,
    pub(crate) from: FilterMode,
    /// Whether filter mode or lists changed.
    pub(crate) changed: bool,
    /// Q(G,X): the X; empty when no such query is asked for.
    pub(crate) query_sources: Sources,
    /// Q(G).
    pub(crate) query_group: bool,
}

/// Takes the row for a record with these sources. The row's algebra stands in the RFC's notation.
pub(crate) fn apply(
    group: &mut Group,
    received: Received,
    listed: &Sources,
    now: Instant,
    variables: &Variables,
) -> Taken {
    let from = group.filter_mode;
    let mali = now + variables.listening_interval;
    let filter_timer = group.filter_timer;
    let mut query_sources = Sources::new();
    let mut query_group = false;
    let (row, changed) = match (from, received) {
        //= MLD-084
        //= MLD-102
        // INCLUDE (A)    IS_IN (B)  INCLUDE (A+B)        (B)=MALI
        (Include, Received::IsIn) => (Row::IncludeIsIn, group.request(listed, mali)),
        //= MLD-085
        //= MLD-103
        // INCLUDE (A)    IS_EX (B)  EXCLUDE (A*B,B-A)    (B-A)=0, Delete (A-B), Filter Timer=MALI
        (Include, Received::IsEx) => (Row::IncludeIsEx, include_to_exclude(group, listed, mali)),
        //= MLD-086
        // EXCLUDE (X,Y)  IS_IN (A)  EXCLUDE (X+A,Y-A)    (A)=MALI
        (Exclude, Received::IsIn) => (Row::ExcludeIsIn, group.request(listed, mali)),
        //= MLD-087
        //= MLD-099
        // EXCLUDE (X,Y)  IS_EX (A)  EXCLUDE (A-Y,Y*A)    (A-X-Y)=MALI, Delete (X-A),
        //                                                Delete (Y-A), Filter Timer=MALI
        (Exclude, Received::IsEx) => {
            let changed = exclude_to_exclude(group, listed, mali);
            group.listen_any(mali);
            (Row::ExcludeIsEx, changed)
        }
        //= MLD-088
        // INCLUDE (A)    ALLOW (B)  INCLUDE (A+B)        (B)=MALI
        (Include, Received::Allow) => (Row::IncludeAllow, group.request(listed, mali)),
        //= MLD-089
        //= MLD-090
        // INCLUDE (A)    BLOCK (B)  INCLUDE (A)          Send Q(MA,A*B)
        (Include, Received::Block) => {
            query_sources = intersection(listed, &group.requested());
            (Row::IncludeBlock, false)
        }
        //= MLD-091
        // INCLUDE (A)    TO_EX (B)  EXCLUDE (A*B,B-A)    (B-A)=0, Delete (A-B), Send Q(MA,A*B),
        //                                                Filter Timer=MALI
        (Include, Received::ToEx) => {
            query_sources = intersection(listed, &group.requested());
            (Row::IncludeToEx, include_to_exclude(group, listed, mali))
        }
        //= MLD-092
        // INCLUDE (A)    TO_IN (B)  INCLUDE (A+B)        (B)=MALI, Send Q(MA,A-B)
        (Include, Received::ToIn) => {
            query_sources = difference(&group.requested(), listed);
            (Row::IncludeToIn, group.request(listed, mali))
        }
        //= MLD-093
        // EXCLUDE (X,Y)  ALLOW (A)  EXCLUDE (X+A,Y-A)    (A)=MALI
        (Exclude, Received::Allow) => (Row::ExcludeAllow, group.request(listed, mali)),
        //= MLD-094
        // EXCLUDE (X,Y)  BLOCK (A)  EXCLUDE (X+(A-Y),Y)  (A-X-Y)=Filter Timer, Send Q(MA,A-Y)
        (Exclude, Received::Block) => {
            query_sources = difference(listed, &group.excluded());
            let new = difference(&query_sources, &group.requested());
            (Row::ExcludeBlock, group.request(&new, filter_timer))
        }
        //= MLD-095
        // EXCLUDE (X,Y)  TO_EX (A)  EXCLUDE (A-Y,Y*A)    (A-X-Y)=Filter Timer, Delete (X-A),
        //                                                Delete (Y-A), Send Q(MA,A-Y),
        //                                                Filter Timer=MALI
        (Exclude, Received::ToEx) => {
            query_sources = difference(listed, &group.excluded());
            let changed = exclude_to_exclude(group, listed, filter_timer);
            group.listen_any(mali);
            (Row::ExcludeToEx, changed)
        }
        //= MLD-096
        // EXCLUDE (X,Y)  TO_IN (A)  EXCLUDE (X+A,Y-A)    (A)=MALI, Send Q(MA,X-A), Send Q(MA)
        (Exclude, Received::ToIn) => {
            query_sources = difference(&group.requested(), listed);
            query_group = true;
            (Row::ExcludeToIn, group.request(listed, mali))
        }
    };
    Taken {
        row,
        from,
        changed,
        query_sources,
        query_group,
    }
}

/// EXCLUDE (A*B,B-A) from INCLUDE (A).
fn include_to_exclude(group: &mut Group, b: &Sources, mali: Instant) -> bool {
    let new = difference(b, &group.requested());
    group.keep(b);
    group.exclude(&new);
    group.listen_any(mali)
}

/// EXCLUDE (A-Y,Y*A) from EXCLUDE (X,Y), with (A-X-Y) at `timer`.
fn exclude_to_exclude(group: &mut Group, a: &Sources, timer: Instant) -> bool {
    //= MLD-101
    let new = a
        .iter()
        .filter(|source| !group.sources.contains_key(source));
    let new: Sources = new.copied().collect();
    let deleted = group.keep(a);
    group.request(&new, timer) || deleted
}

fn intersection(a: &Sources, b: &Sources) -> Sources {
    a.intersection(b).copied().collect()
}

fn difference(a: &Sources, b: &Sources) -> Sources {
    a.difference(b).copied().collect()
}

/// What the timers that have run out by `now` did.
#[derive(Debug, Default)]
pub(crate) struct Expired {
    /// Rows taken: the row, the states left and entered.
    pub(crate) rows: Vec<(Row, &'static str, &'static str)>,
    /// Whether filter mode or lists changed.
    pub(crate) changed: bool,
}

/// Expires the timers of a version 2 record; afterwards it may be empty.
pub(crate) fn expire(group: &mut Group, now: Instant) -> Expired {
    let mut expired = Expired::default();
    let mode = group.filter_mode;
    //= MLD-143
    if group.v1_host.is_some_and(|timer| timer <= now) {
        group.v1_host = None;
        let row = (Row::OlderVersionHostExpires, "MLDv1", "MLDv2");
        expired.rows.push(row);
    }
    let out = |timer: Option<Instant>| timer.is_some_and(|timer| timer <= now);
    if group.sources.values().any(|source| out(source.timer)) {
        expired.changed = true;
        let row = match mode {
            //= MLD-118
            Include => {
                group.sources.retain(|_, source| !out(source.timer));
                Row::IncludeSourceExpires
            }
            //= MLD-129
            Exclude => {
                for source in group
                    .sources
                    .values_mut()
                    .filter(|source| out(source.timer))
                {
                    source.timer = None;
                    source.query_count = 0;
                    source.query_skip = false;
                }
                Row::ExcludeSourceExpires
            }
        };
        expired.rows.push((row, mode.name(), mode.name()));
    }
    if mode == Exclude && group.filter_timer <= now {
        expired.changed = true;
        group.filter_mode = Include;
        group.query_count = 0;
        group.query_skip = false;
        //= MLD-130
        group.sources.retain(|_, source| source.timer.is_some());
        //= MLD-117
        //= MLD-127
        //= MLD-128
        let row = if group.sources.is_empty() {
            Row::FilterExpiresToNone
        } else {
            Row::FilterExpiresToInclude
        };
        expired.rows.push((row, mode.name(), Include.name()));
    }
    expired
}

/// The sources of a record that fit the limit: those held come first, then the others in order.
/// The second value says whether any was left out.
pub(crate) fn admit(
    group: &Group,
    received: Received,
    listed: impl Iterator<Item = Ipv6Addr>,
    limit: usize,
) -> (Sources, bool) {
    //= MLD-039
    let listed: Sources = listed.collect();
    let held = group.sources.len();
    if held.saturating_add(listed.len()) <= limit {
        return (listed, false);
    }
    let known = |source: &&Ipv6Addr| group.sources.contains_key(source);
    let mut admitted: Sources = listed.iter().filter(known).copied().collect();
    let stays = if received.replaces() {
        admitted.len()
    } else {
        held
    };
    let room = limit.saturating_sub(stays);
    let new = listed.len().saturating_sub(admitted.len());
    admitted.extend(listed.iter().filter(|source| !known(source)).take(room));
    let grows = !(group.filter_mode == Include && received == Received::Block);
    (admitted, grows && new > room)
}
