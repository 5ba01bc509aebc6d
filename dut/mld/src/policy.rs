//! What a router interface decides by, as data and plain functions: the tables' rows, the checks of
//! what is received, the variables of RFC 3810 section 9, how queries are made and when they are
//! repeated, and who is querier.

use crate::checks::{CHECKS, Check, OLDER_CHECKS, OlderCheck, RECORD_CHECKS, RecordCheck};
use crate::config::InterfaceConfig;
pub use crate::config::Variables;
pub use crate::group::{Group, Source};
pub use crate::rows::{Expired, ROUTER_TABLE, Received, RouterTable, Rule, Set, Timer};
pub use crate::series::Specific;
pub use crate::sources::{SourceRecords, Sources};
pub use crate::version_1;
use crate::{rows, scope, series};
use dut_device::Instant;
use dut_wire::mld::{
    LinkMtu, MaximumResponseCode, Message, Qqic, Qrv, Query, QueryV1, QueryV2, Refused, delay_v1,
};
use std::borrow::Cow;
use std::net::Ipv6Addr;
use std::time::Duration;

/// A query that is to be made.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Multicast address; `::` in a general query.
    pub group: Ipv6Addr,
    /// Maximum Response Delay.
    pub delay: Duration,
    /// S flag.
    pub suppress: bool,
    /// Sources.
    pub sources: Vec<Ipv6Addr>,
}

/// A valid query that was heard, for the election.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// This router's link-local address.
    pub own: Ipv6Addr,
    /// The query's source.
    pub source: Ipv6Addr,
    /// Who queries now, if another router does.
    pub querier: Option<Ipv6Addr>,
    /// The query.
    pub query: &'a Query,
}

/// Robustness Variable and Query Interval of another querier, where it says them.
pub type Adopted = (Option<u8>, Option<Duration>);

/// The decisions; the default are the standard's.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Decodes an ICMPv6 message whose checks have passed.
    pub parse: fn(&[u8]) -> Result<Message, Refused>,
    /// What a message must pass, in order.
    pub checks: Cow<'static, [Check]>,
    /// What a record must pass, in order.
    pub record_checks: Cow<'static, [RecordCheck]>,
    /// What a version 1 Report or Done must pass, in order.
    pub older_checks: Cow<'static, [OlderCheck]>,
    /// What a record of this type may list, by whether a version 1 listener is present.
    pub lists: fn(Received, bool) -> bool,
    /// What a version 1 Report, and what a Done is taken for.
    pub older: (Received, Received),
    /// Whether a router that runs version 1 takes a Done, by whether it is querier.
    pub hears_done: fn(bool) -> bool,
    /// When a version 1 listener is forgotten, after a Report of that version.
    pub older_version_host: fn(Instant, &Variables, Option<Instant>) -> Option<Instant>,
    /// The tables' rows.
    pub table: RouterTable,
    /// Which of the listed sources are taken under a limit, and whether any is left out.
    pub admit: fn(&Group, Received, Sources, usize) -> (Sources, bool),
    /// What timers that have run out do.
    pub expire: fn(&mut Group, Instant) -> Expired,
    /// RFC 2710's machine.
    pub version_1: version_1::Machine,
    /// The variables in use, by configuration, Robustness Variable and Query Interval.
    pub variables: fn(&InterfaceConfig, u8, Duration) -> Variables,
    /// Startup Query Count.
    pub startup_count: fn(&InterfaceConfig) -> u8,
    /// Time from a general query to the next, by whether startup queries are still to come.
    pub general_query_gap: fn(&InterfaceConfig, bool) -> Duration,
    /// Makes a query.
    pub query: fn(&InterfaceConfig, Asked) -> Query,
    /// Cuts a query to the link's MTU.
    pub split: fn(QueryV2, LinkMtu) -> Vec<QueryV2>,
    /// Where a specific query for a group goes.
    pub destination: fn(Ipv6Addr) -> Ipv6Addr,
    /// Whether specific queries are sent, by whether the router is querier.
    pub asks: fn(bool) -> bool,
    /// Lowers timers for what is asked, and says what to send at once.
    pub trigger: fn(&mut Group, &Sources, bool, Instant, &Variables) -> Vec<Specific>,
    /// The transmission of a series that is due.
    pub transmit: fn(&mut Group, Instant, &Variables) -> Vec<Specific>,
    /// Whether series run on at a router that isn't querier any more.
    pub series_run_on: fn(&InterfaceConfig) -> bool,
    /// Whether another router's query makes this one leave querying to it.
    pub loses: fn(&Candidate<'_>) -> bool,
    /// What is adopted from another querier.
    pub adopts: fn(&InterfaceConfig, &Query) -> Adopted,
    /// What a specific query that was heard lowers; true when anything.
    pub lower: fn(&mut Group, &Query, Instant) -> bool,
    /// Whether a record forwards a source.
    pub forwards: fn(&Group, Ipv6Addr) -> bool,
    /// Whether anything is forwarded to a group.
    pub forwardable: fn(Ipv6Addr) -> bool,
    /// Time between two reports of a version mismatch.
    pub mismatch_gap: fn(&InterfaceConfig) -> Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            parse: Message::parse,
            checks: Cow::Borrowed(CHECKS),
            record_checks: Cow::Borrowed(RECORD_CHECKS),
            older_checks: Cow::Borrowed(OLDER_CHECKS),
            lists,
            //= MLD-138
            //= MLD-139
            //= MLD-140
            older: (Received::IsEx, Received::ToIn),
            hears_done: |querier| querier,
            older_version_host,
            table: ROUTER_TABLE,
            admit: rows::admit,
            expire: rows::expire,
            version_1: version_1::Machine::STANDARD,
            variables: Variables::new,
            startup_count: InterfaceConfig::startup_query_count,
            general_query_gap,
            query,
            split: QueryV2::split,
            destination: |group| group,
            //= MLD-075
            //= MLD-098
            asks: |querier| querier,
            trigger: series::trigger,
            transmit: series::transmit,
            //= MLD-083
            series_run_on: InterfaceConfig::is_version_1,
            loses,
            adopts,
            lower,
            forwards: Group::forwards,
            forwardable: scope::is_forwardable,
            mismatch_gap: |config| config.query_interval,
        }
    }
}

/// `CHANGE_TO_EXCLUDE_MODE` lists nothing while a version 1 listener is present.
//= MLD-142
#[must_use]
pub fn lists(received: Received, older: bool) -> bool {
    !(older && received == Received::ToEx)
}

/// Every version 1 Report begins the Older Version Host Present Timeout anew.
//= MLD-144
//= MLD-145
#[must_use]
pub fn older_version_host(
    now: Instant,
    variables: &Variables,
    _running: Option<Instant>,
) -> Option<Instant> {
    Some(now + variables.older_version_host_present)
}

/// The gap after a general query: after the last startup query it is Query Interval.
//= MLD-060
//= MLD-061
#[must_use]
pub fn general_query_gap(config: &InterfaceConfig, startup: bool) -> Duration {
    if startup {
        config.startup_query_interval()
    } else {
        config.query_interval
    }
}

/// A query of the configured version.
#[must_use]
pub fn query(config: &InterfaceConfig, asked: Asked) -> Query {
    if config.is_version_1() {
        //= MLD-146
        return Query::V1(QueryV1 {
            maximum_response_delay: delay_v1(asked.delay),
            group: asked.group,
        });
    }
    //= MLD-015
    Query::V2(QueryV2 {
        maximum_response_code: MaximumResponseCode::encode(asked.delay),
        group: asked.group,
        suppress: asked.suppress,
        qrv: Qrv::new(config.robustness),
        qqic: Qqic::encode(config.query_interval),
        sources: asked.sources,
    })
}

/// The lower interface identifier queries, whatever it asks for.
//= MLD-063
//= MLD-064
//= MLD-071
//= MLD-073
//= MLD-074
#[must_use]
pub fn loses(candidate: &Candidate<'_>) -> bool {
    scope::interface_id(candidate.source) < scope::interface_id(candidate.own)
}

/// QRV and QQIC of a version 2 query unless they are 0.
//= MLD-067
//= MLD-068
//= MLD-069
//= MLD-070
#[must_use]
pub fn adopts(config: &InterfaceConfig, query: &Query) -> Adopted {
    match query {
        Query::V2(query) if !config.is_version_1() => {
            let interval = query.qqic.interval();
            let known = !interval.is_zero();
            (query.qrv.robustness_variable(), known.then_some(interval))
        }
        Query::V1(_) | Query::V2(_) => (None, None),
    }
}

/// Q(MA) lowers the filter timer, Q(MA,A) the timers of A; the S flag and a general query nothing.
//= MLD-077
//= MLD-079
//= MLD-081
#[must_use]
pub fn lower(group: &mut Group, query: &Query, until: Instant) -> bool {
    if query.suppress() {
        false
    } else if query.sources().is_empty() {
        group.lower_filter(until)
    } else {
        group.lower_sources(query.sources(), until)
    }
}
