//! The router tables of RFC 3810 7.4.1 and 7.4.2 (RFC 9777's are the same), one entry a row in
//! the document's order, and the timer expiries of 7.2.3, 7.5 and 8.3.2.
//!
//! A row changes the record and names the queries that it asks for; whether they are sent is
//! [`crate::series`]' business, because only the querier sends any.

use crate::Row;
use crate::config::Variables;
use crate::group::{Group, Source};
use crate::sources::Sources;
use crate::state::FilterMode::{self, Exclude, Include};
use dut_device::Instant;
use dut_wire::mld::RecordType;
use std::borrow::Cow;
use std::net::Ipv6Addr;

/// A known record type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// `MODE_IS_INCLUDE`.
    IsIn,
    /// `MODE_IS_EXCLUDE`.
    IsEx,
    /// `ALLOW_NEW_SOURCES`.
    Allow,
    /// `BLOCK_OLD_SOURCES`.
    Block,
    /// `CHANGE_TO_EXCLUDE_MODE`.
    ToEx,
    /// `CHANGE_TO_INCLUDE_MODE`.
    ToIn,
}

impl Received {
    /// The type, when it is known.
    #[must_use]
    pub const fn of(record_type: RecordType) -> Option<Self> {
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
    #[must_use]
    pub const fn replaces(self) -> bool {
        matches!(self, Self::IsEx | Self::ToEx)
    }
}

/// A set of sources, as a row names it: A or B is the record's list, X what is requested (in
/// INCLUDE the A of the state), Y what is excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Set {
    /// None.
    Empty,
    /// The record's list.
    Listed,
    /// X.
    Requested,
    /// X*A; in INCLUDE A*B.
    ListedRequested,
    /// A-X; in INCLUDE B-A.
    ListedNotRequested,
    /// A-Y.
    ListedNotExcluded,
    /// A-X-Y.
    ListedNew,
    /// X-A; in INCLUDE A-B.
    RequestedNotListed,
}

impl Set {
    fn of<'a>(self, listed: &'a Sources, group: &Group) -> Cow<'a, Sources> {
        let held = |address: &Ipv6Addr| group.sources.get(address);
        let requested = |a: &Ipv6Addr| held(a).is_some_and(Source::runs);
        let excluded = |a: &Ipv6Addr| held(a).is_some_and(|source| !source.runs());
        let only = |keep: &dyn Fn(&Ipv6Addr) -> bool| {
            Cow::Owned(listed.iter().copied().filter(keep).collect())
        };
        match self {
            Self::Empty => Cow::Owned(Sources::new()),
            Self::Listed => Cow::Borrowed(listed),
            Self::Requested => Cow::Owned(group.requested()),
            Self::ListedRequested => only(&requested),
            Self::ListedNotRequested => only(&|a| !requested(a)),
            Self::ListedNotExcluded => only(&|a| !excluded(a)),
            Self::ListedNew => only(&|a| held(a).is_none()),
            Self::RequestedNotListed => {
                let unlisted = |a: &Ipv6Addr| !listed.contains(a);
                Cow::Owned(group.requested().into_iter().filter(unlisted).collect())
            }
        }
    }
}

/// What a row sets a timer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timer {
    /// Multicast Address Listening Interval.
    Mali,
    /// What the filter timer has left before the row.
    FilterTimer,
}

/// A row of the tables of RFC 3810 7.4.1 and 7.4.2 as data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Which row.
    pub row: Row,
    /// New filter mode.
    pub to: FilterMode,
    /// Sources that become or stay requested, and their timer.
    pub request: (Set, Timer),
    /// Sources that become excluded: timer 0.
    pub exclude: Set,
    /// Delete (X-A) and Delete (Y-A).
    pub delete_unlisted: bool,
    /// New filter timer.
    pub filter_timer: Option<Timer>,
    /// Send Q(MA, this).
    pub query_sources: Set,
    /// Send Q(MA).
    pub query_group: bool,
}

impl Rule {
    /// A row that changes and asks nothing.
    const fn row(row: Row, to: FilterMode) -> Self {
        Self {
            row,
            to,
            request: (Set::Empty, Timer::Mali),
            exclude: Set::Empty,
            delete_unlisted: false,
            filter_timer: None,
            query_sources: Set::Empty,
            query_group: false,
        }
    }

    /// `(set) = timer`.
    const fn request(mut self, set: Set, timer: Timer) -> Self {
        self.request = (set, timer);
        self
    }

    /// The record's list replaces the lists that there were, and Filter Timer=MALI.
    const fn replace(mut self) -> Self {
        self.delete_unlisted = true;
        self.filter_timer = Some(Timer::Mali);
        self
    }

    /// `(set) = 0`.
    const fn exclude(mut self, set: Set) -> Self {
        self.exclude = set;
        self
    }

    /// `Send Q(MA, set)`.
    const fn query(mut self, set: Set) -> Self {
        self.query_sources = set;
        self
    }
}

/// Both tables in the document's order.
pub type RouterTable = [Rule; 12];

/// RFC 3810's, which are RFC 9777's. Above each row is its algebra in the RFC's notation.
pub const ROUTER_TABLE: RouterTable = [
    //= MLD-084
    //= MLD-102
    // INCLUDE (A)    IS_IN (B)  INCLUDE (A+B)        (B)=MALI
    Rule::row(Row::IncludeIsIn, Include).request(Set::Listed, Timer::Mali),
    //= MLD-085
    //= MLD-103
    // INCLUDE (A)    IS_EX (B)  EXCLUDE (A*B,B-A)    (B-A)=0, Delete (A-B), Filter Timer=MALI
    Rule::row(Row::IncludeIsEx, Exclude)
        .exclude(Set::ListedNotRequested)
        .replace(),
    //= MLD-086
    // EXCLUDE (X,Y)  IS_IN (A)  EXCLUDE (X+A,Y-A)    (A)=MALI
    Rule::row(Row::ExcludeIsIn, Exclude).request(Set::Listed, Timer::Mali),
    //= MLD-087
    //= MLD-099
    //= MLD-101
    // EXCLUDE (X,Y)  IS_EX (A)  EXCLUDE (A-Y,Y*A)    (A-X-Y)=MALI, Delete (X-A),
    //                                                Delete (Y-A), Filter Timer=MALI
    Rule::row(Row::ExcludeIsEx, Exclude)
        .request(Set::ListedNew, Timer::Mali)
        .replace(),
    //= MLD-088
    // INCLUDE (A)    ALLOW (B)  INCLUDE (A+B)        (B)=MALI
    Rule::row(Row::IncludeAllow, Include).request(Set::Listed, Timer::Mali),
    //= MLD-089
    //= MLD-090
    // INCLUDE (A)    BLOCK (B)  INCLUDE (A)          Send Q(MA,A*B)
    Rule::row(Row::IncludeBlock, Include).query(Set::ListedRequested),
    //= MLD-091
    // INCLUDE (A)    TO_EX (B)  EXCLUDE (A*B,B-A)    (B-A)=0, Delete (A-B), Send Q(MA,A*B),
    //                                                Filter Timer=MALI
    Rule::row(Row::IncludeToEx, Exclude)
        .exclude(Set::ListedNotRequested)
        .replace()
        .query(Set::ListedRequested),
    //= MLD-092
    // INCLUDE (A)    TO_IN (B)  INCLUDE (A+B)        (B)=MALI, Send Q(MA,A-B)
    Rule::row(Row::IncludeToIn, Include)
        .request(Set::Listed, Timer::Mali)
        .query(Set::RequestedNotListed),
    //= MLD-093
    // EXCLUDE (X,Y)  ALLOW (A)  EXCLUDE (X+A,Y-A)    (A)=MALI
    Rule::row(Row::ExcludeAllow, Exclude).request(Set::Listed, Timer::Mali),
    //= MLD-094
    // EXCLUDE (X,Y)  BLOCK (A)  EXCLUDE (X+(A-Y),Y)  (A-X-Y)=Filter Timer, Send Q(MA,A-Y)
    Rule::row(Row::ExcludeBlock, Exclude)
        .request(Set::ListedNew, Timer::FilterTimer)
        .query(Set::ListedNotExcluded),
    //= MLD-095
    // EXCLUDE (X,Y)  TO_EX (A)  EXCLUDE (A-Y,Y*A)    (A-X-Y)=Filter Timer, Delete (X-A),
    //                                                Delete (Y-A), Send Q(MA,A-Y),
    //                                                Filter Timer=MALI
    Rule::row(Row::ExcludeToEx, Exclude)
        .request(Set::ListedNew, Timer::FilterTimer)
        .replace()
        .query(Set::ListedNotExcluded),
    //= MLD-096
    // EXCLUDE (X,Y)  TO_IN (A)  EXCLUDE (X+A,Y-A)    (A)=MALI, Send Q(MA,X-A), Send Q(MA)
    Rule {
        query_group: true,
        ..Rule::row(Row::ExcludeToIn, Exclude)
            .request(Set::Listed, Timer::Mali)
            .query(Set::RequestedNotListed)
    },
];

/// The row for a record of this type.
const fn rule(table: &RouterTable, from: FilterMode, received: Received) -> &Rule {
    let [
        include_is_in,
        include_is_ex,
        exclude_is_in,
        exclude_is_ex,
        include_allow,
        include_block,
        include_to_ex,
        include_to_in,
        exclude_allow,
        exclude_block,
        exclude_to_ex,
        exclude_to_in,
    ] = table;
    match (from, received) {
        (Include, Received::IsIn) => include_is_in,
        (Include, Received::IsEx) => include_is_ex,
        (Exclude, Received::IsIn) => exclude_is_in,
        (Exclude, Received::IsEx) => exclude_is_ex,
        (Include, Received::Allow) => include_allow,
        (Include, Received::Block) => include_block,
        (Include, Received::ToEx) => include_to_ex,
        (Include, Received::ToIn) => include_to_in,
        (Exclude, Received::Allow) => exclude_allow,
        (Exclude, Received::Block) => exclude_block,
        (Exclude, Received::ToEx) => exclude_to_ex,
        (Exclude, Received::ToIn) => exclude_to_in,
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

/// Takes the row for a record with these sources.
pub(crate) fn apply(
    table: &RouterTable,
    group: &mut Group,
    received: Received,
    listed: &Sources,
    now: Instant,
    variables: &Variables,
) -> Taken {
    let from = group.filter_mode;
    let filter_timer = group.filter_timer;
    let time = |timer| match timer {
        Timer::Mali => now + variables.listening_interval,
        Timer::FilterTimer => filter_timer,
    };
    let rule = rule(table, from, received);
    let (set, timer) = rule.request;
    let request = set.of(listed, group);
    let exclude = rule.exclude.of(listed, group);
    let query_sources = rule.query_sources.of(listed, group).into_owned();
    let mut changed = from != rule.to;
    if rule.delete_unlisted {
        changed |= group.keep(listed);
    }
    changed |= group.request(&request, time(timer));
    changed |= group.exclude(&exclude);
    group.filter_mode = rule.to;
    if let Some(timer) = rule.filter_timer {
        //= MLD-136
        group.filter_timer = time(timer);
    }
    Taken {
        row: rule.row,
        from,
        changed,
        query_sources,
        query_group: rule.query_group,
    }
}

/// What the timers that have run out by `now` did.
#[derive(Debug, Default)]
pub struct Expired {
    /// Rows taken: the row, the states left and entered.
    pub rows: Vec<(Row, &'static str, &'static str)>,
    /// Whether filter mode or lists changed.
    pub changed: bool,
}

/// Expires the timers of a version 2 record; afterwards it may be empty.
pub fn expire(group: &mut Group, now: Instant) -> Expired {
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
        group.sources.retain(|_, source| source.runs());
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
#[must_use]
pub fn admit(group: &Group, received: Received, listed: Sources, limit: usize) -> (Sources, bool) {
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
    let fresh = listed.iter().filter(|source| !known(source));
    admitted.extend(fresh.take(room).copied());
    let grows = !(group.filter_mode == Include && received == Received::Block);
    (admitted, grows && new > room)
}
