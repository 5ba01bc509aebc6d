//! An MLD router, from its frames and all that it was sent (RFC 3810 6.2 and 7, RFC 2710).
use super::finding;
use super::mld_message::{Fate, fate, fields, floating};
use crate::foreign::Foreign;
use crate::mld_table::{Asked, MldConstants, MldTable, Sources, is_shared};
use crate::verdict::Finding;
use dut_device::Instant;
use harness_suite::{Quantity, Scope};
use harness_trace::{Direction, Frame, PointId, Record, Trace};
use harness_wire::{Ip, MldView, layers, stream_sequence};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;
use std::time::Duration;

/// How late a router may do what it does at once.
const AT_ONCE: Duration = Duration::from_millis(250);
/// How close to the end of a timer nothing is said about what depends on it.
const NEAR: Duration = Duration::from_millis(300);
/// A packet takes no longer through the router.
const THROUGH: Duration = Duration::from_millis(5);

/// The variables of RFC 3810 section 9 with which the router is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MldConfig {
    pub(super) robustness: u32,
    pub(super) query_interval: Duration,
    pub(super) response_interval: Duration,
    pub(super) last_interval: Duration,
    /// How inexact the trace's times are beside the router's own.
    slack: Duration,
}

impl MldConfig {
    /// From a testbed's constants; the RFC's defaults where it has none. `slack` is how inexact the
    /// trace's times are beside the router's own: zero in the simulation, the host's tolerance on
    /// wires.
    #[must_use]
    pub fn of(scope: &Scope, slack: Duration) -> Self {
        let time = |name: &str, default: u64| match scope.get(name) {
            Some(Quantity::Time(ns)) => {
                Duration::from_nanos(u64::try_from(*ns).unwrap_or(u64::MAX))
            }
            Some(Quantity::Number(_)) | None => Duration::from_secs(default),
        };
        let robustness = match scope.get("robustness_variable") {
            Some(Quantity::Number(n)) => u32::try_from(n / 1_000_000).unwrap_or(2),
            Some(Quantity::Time(_)) | None => 2,
        };
        Self {
            robustness,
            query_interval: time("query_interval", 125),
            response_interval: time("query_response_interval", 10),
            last_interval: time("last_listener_query_interval", 1),
            slack,
        }
    }

    const fn at_once(self) -> Duration {
        AT_ONCE.saturating_add(self.slack)
    }

    const fn near(self) -> Duration {
        NEAR.saturating_add(self.slack)
    }

    const fn through(self) -> Duration {
        THROUGH.saturating_add(self.slack)
    }

    fn constants(self) -> MldConstants {
        let present = self.query_interval * self.robustness;
        MldConstants {
            listening_interval: present + self.response_interval,
            last_listener_query_time: self.last_interval * self.robustness,
            older_version_host_present: present + self.response_interval,
            other_querier_present: present + self.response_interval / 2,
        }
    }
}

/// What was asked of the querier about a group or one of its sources.
#[derive(Debug, Clone)]
struct Series {
    at: Instant,
    record: usize,
    /// How often it was named since.
    named: u32,
    /// It was being asked about already: how the two series merge is the router's choice.
    merged: bool,
    /// A query of the series before may be under way.
    before: bool,
}

type Subject = (Ipv6Addr, Option<Ipv6Addr>);

/// A link with listeners.
#[derive(Debug)]
struct Side {
    table: MldTable,
    /// Last Listener Query Time.
    lasts: Duration,
    /// The router's own address, once it has queried.
    own: Option<Ipv6Addr>,
    series: BTreeMap<Subject, Series>,
    /// Groups of which nothing more is said: what reached the router is its own choice.
    unsure: BTreeSet<Ipv6Addr>,
    /// When a group was last named by anybody, or one of its timers ended.
    touched: BTreeMap<Ipv6Addr, Instant>,
    general: Option<Instant>,
    /// Since when at least, and until when, another router is the querier.
    other: Option<(Instant, Instant)>,
    /// The role, and so its queries and variables, is the router's own choice.
    queries_unsure: bool,
}

/// A packet on its way through the router.
#[derive(Debug)]
struct Passing {
    side: PointId,
    source: Ipv6Addr,
    group: Ipv6Addr,
    number: u64,
    wanted: bool,
    at: Instant,
    record: usize,
}

/// Follows a trace of the tester's ports.
#[derive(Debug)]
pub struct MldModel {
    config: MldConfig,
    sides: BTreeMap<PointId, Side>,
    passing: Vec<Passing>,
    foreign: Foreign,
    findings: Vec<Finding>,
}

impl MldModel {
    /// What this router does wrong in a trace between the tester (the near ends) and it.
    #[must_use]
    pub fn judge(config: &MldConfig, trace: &Trace) -> Vec<Finding> {
        let mut model = Self {
            config: *config,
            sides: BTreeMap::new(),
            passing: Vec::new(),
            foreign: Foreign::default(),
            findings: Vec::new(),
        };
        for (index, record) in trace.records.iter().enumerate() {
            if let Record::Frame(frame) = record {
                model.advance(frame.at);
                model.frame(index, frame);
            }
        }
        model.advance(trace.until);
        model.findings.sort_by_key(|finding| finding.at_ns);
        model.findings
    }

    fn frame(&mut self, record: usize, frame: &Frame) {
        let at = (record, frame.at);
        let Some(layers) = layers(&frame.octets) else {
            return;
        };
        let out = frame.direction == Direction::Out;
        if self.foreign.passed_on(frame, out) {
            return;
        }
        if let Some(ip) = layers.ip.as_ref().filter(|ip| ip.next_header == 17) {
            let number = ip.payload.get(8..).and_then(stream_sequence);
            match number {
                Some(number) if out => self.enters(frame.point, ip, number, at),
                Some(number) => self.leaves(frame.point, ip, number, at),
                None => {}
            }
            return;
        }
        if out && !frame.lost {
            match fate(
                &frame.octets,
                self.sides.get(&frame.point).and_then(|side| side.own),
            ) {
                Fate::Taken(message) => self.hear(frame.point, &MldOwned(message), at),
                Fate::Open(message) => self.doubt(frame.point, &message),
                Fate::Refused => {}
            }
            return;
        }
        let query = layers.ip.as_ref().filter(|ip| ip.next_header == 58);
        if let Some((ip, view)) = query.and_then(|ip| Some((ip, MldView::of(ip.payload)?)))
            && view.kind() == 130
        {
            self.asks(frame.point, ip, &view, at);
        }
    }

    fn side(&mut self, point: PointId) -> &mut Side {
        let constants = self.config.constants();
        self.sides.entry(point).or_insert_with(|| Side {
            table: MldTable::new(constants),
            lasts: constants.last_listener_query_time,
            own: None,
            series: BTreeMap::new(),
            unsure: BTreeSet::new(),
            touched: BTreeMap::new(),
            general: None,
            other: None,
            queries_unsure: false,
        })
    }

    /// What the router may or may not take up.
    fn doubt(&mut self, point: PointId, message: &[u8]) {
        let Some(view) = MldView::of(message) else {
            return;
        };
        let side = self.side(point);
        if view.kind() == 130 {
            side.queries_unsure = true;
        }
        let listed = view.records().into_iter().map(|record| record.group);
        let groups: Vec<Ipv6Addr> = listed.chain(view.group()).collect();
        for group in groups {
            side.unsure.insert(group);
        }
    }

    /// A message that the router takes.
    fn hear(&mut self, point: PointId, message: &MldOwned<'_>, (record, at): (usize, Instant)) {
        let config = self.config;
        let Some(view) = MldView::of(message.0.0) else {
            return;
        };
        let side = self.side(point);
        match (view.kind(), view.group()) {
            (130, group) => side.query(config, &view, message.0.1, at, group),
            (131, Some(group)) => {
                side.table.report_1(at, group);
                side.said(group, at);
            }
            (132, Some(group)) => {
                let asked = side.table.done(at, group);
                side.said(group, at);
                side.ask(group, &asked, record, at);
            }
            (143, _) => {
                for item in view.records() {
                    let odd = |source: &Ipv6Addr| source.is_multicast() || source.is_unspecified();
                    if item.sources.iter().any(odd) {
                        side.unsure.insert(item.group);
                    }
                    if !item.group.is_multicast() {
                        continue;
                    }
                    let sources: Sources = item.sources.iter().copied().collect();
                    let asked = side.table.record(at, item.kind, item.group, &sources);
                    side.said(item.group, at);
                    side.ask(item.group, &asked, record, at);
                }
            }
            (_, _) => {}
        }
    }

    /// A query of the router's.
    fn asks(
        &mut self,
        point: PointId,
        ip: &Ip<'_>,
        view: &MldView<'_>,
        (record, at): (usize, Instant),
    ) {
        let config = self.config;
        let side = self.side(point);
        side.own.get_or_insert(ip.source);
        let mut wrong = Vec::new();
        if !side.queries_unsure {
            let quiet = |(since, until): &(Instant, Instant)| {
                at.since(*since) > config.through() && at + config.at_once() < *until
            };
            if let Some((_, until)) = side.other.filter(quiet) {
                let what = format!(
                    "it queries {} ms before the other querier is gone",
                    until.since(at).as_millis()
                );
                wrong.push(("MLD-075", what));
            }
            wrong.extend(fields(config, view));
        }
        let group = view.group().filter(|group| !group.is_unspecified());
        match group {
            None => {
                if let Some(last) = side.general.replace(at).filter(|_| !side.queries_unsure) {
                    let gap = at.since(last);
                    if gap + config.at_once() < config.query_interval / 4 {
                        wrong.push((
                            "MLD-061",
                            format!("general queries {} ms apart", gap.as_millis()),
                        ));
                    }
                }
            }
            Some(group) => {
                let unsure = side.is_unsure(group);
                wrong.extend(side.named(config, group, view, at).filter(|_| !unsure));
            }
        }
        for (requirement, what) in wrong {
            self.findings.push(finding(requirement, what, record, at));
        }
    }

    /// A packet of the stream side.
    fn enters(&mut self, point: PointId, ip: &Ip<'_>, number: u64, (record, at): (usize, Instant)) {
        if self
            .sides
            .get(&point)
            .is_some_and(|side| side.own.is_some())
        {
            return;
        }
        let config = self.config;
        for (point, side) in &self.sides {
            let (group, source) = (ip.destination, ip.source);
            if side.own.is_none() || side.is_unsure(group) || !is_shared(group) {
                continue;
            }
            let wanted = side.table.wants(group, source);
            let near = side.table.ends_within(group, at, config.near());
            let just = side
                .touched
                .get(&group)
                .is_some_and(|then| at.since(*then) < config.near());
            // What has just changed may have changed for the router already, or not yet.
            if near || just {
                continue;
            }
            self.passing.push(Passing {
                side: *point,
                source,
                group,
                number,
                wanted,
                at,
                record,
            });
        }
    }

    /// A packet that the router forwards.
    fn leaves(&mut self, point: PointId, ip: &Ip<'_>, number: u64, (record, at): (usize, Instant)) {
        let found = self.passing.iter().position(|passing| {
            passing.side == point
                && passing.number == number
                && passing.group == ip.destination
                && passing.source == ip.source
        });
        let Some(passing) = found.map(|index| self.passing.swap_remove(index)) else {
            return;
        };
        if !passing.wanted {
            let what = format!(
                "({}, {}) is forwarded and nobody asked for it",
                ip.source, ip.destination
            );
            self.findings.push(finding("MLD-117", what, record, at));
        }
    }

    /// Lets time pass: timers end, and what should have come is missed.
    fn advance(&mut self, now: Instant) {
        let config = self.config;
        let late = |passing: &Passing| now.since(passing.at) > config.through();
        for passing in self
            .passing
            .iter()
            .filter(|passing| late(passing) && passing.wanted)
        {
            let what = format!(
                "({}, {}) is asked for and not forwarded",
                passing.source, passing.group
            );
            self.findings.push(finding(
                "MLD-116",
                what,
                passing.record,
                passing.at + config.through(),
            ));
        }
        self.passing.retain(|passing| !late(passing));
        for side in self.sides.values_mut() {
            let missed = side.advance(config, now);
            for (requirement, what, record, at) in missed {
                self.findings.push(finding(requirement, what, record, at));
            }
        }
    }
}

/// A message with its source.
struct MldOwned<'a>((&'a [u8], Ipv6Addr));
impl Side {
    /// Whether nothing is said of a group: the variables may be another router's.
    fn is_unsure(&self, group: Ipv6Addr) -> bool {
        self.queries_unsure || self.unsure.contains(&group)
    }

    fn touch(&mut self, group: Ipv6Addr, at: Instant) {
        self.touched.insert(group, at);
    }

    /// A listener or another router names a group: series under way may end or merge.
    fn said(&mut self, group: Ipv6Addr, at: Instant) {
        self.touch(group, at);
        for ((of, _), series) in &mut self.series {
            series.merged |= *of == group;
        }
    }

    /// The querier is to ask about this from now on.
    fn ask(&mut self, group: Ipv6Addr, asked: &Asked, record: usize, at: Instant) {
        // A source that ends sooner anyhow isn't asked about (7.6.3.2); an address there is.
        let lowered = at + self.lasts;
        let Some(held) = self.table.groups.get(&group) else {
            return;
        };
        // One that ends just then, by the address's timer that was lowered, may be on either side.
        let sources = asked.sources.iter().filter_map(|source| {
            let end = held.requested.get(source)?;
            (*end >= lowered).then_some((Some(*source), *end > lowered))
        });
        let whole = held.filter.is_some_and(|end| end >= lowered);
        for (subject, whole) in sources.chain(asked.group.then_some((None, whole))) {
            let subject = (group, subject);
            let before = self.series.get(&subject);
            let series = Series {
                at,
                record,
                named: 0,
                merged: !whole || before.is_some(),
                before: before.is_some(),
            };
            self.series.insert(subject, series);
        }
    }

    /// Another router's query.
    fn query(
        &mut self,
        config: MldConfig,
        view: &MldView<'_>,
        source: Ipv6Addr,
        at: Instant,
        group: Option<Ipv6Addr>,
    ) {
        let Some(own) = self.own.filter(|own| *own != source) else {
            self.queries_unsure = true;
            return;
        };
        let id = |address: Ipv6Addr| address.to_bits() & u128::from(u64::MAX);
        let other = id(source) < id(own);
        let message = view.octets();
        let variables = message.get(24).zip(message.get(25));
        let same = variables.is_some_and(|(flags, qqic)| {
            let robustness = u32::from(flags & 7);
            Duration::from_secs(floating(u64::from(*qqic), 4)) == config.query_interval
                && (robustness == config.robustness || robustness == 0)
        });
        // A querier's other variables are adopted, and an older version is the router's affair.
        if !same && other {
            self.queries_unsure = true;
        }
        self.table.query(at, view, other);
        if other {
            self.other = Some((at, at + config.constants().other_querier_present));
            self.series.clear();
        }
        if let Some(group) = group {
            self.said(group, at);
        }
    }

    /// A specific query names these; what nobody asked for is a finding.
    fn named(
        &mut self,
        config: MldConfig,
        group: Ipv6Addr,
        view: &MldView<'_>,
        at: Instant,
    ) -> impl Iterator<Item = (&'static str, String)> + use<> {
        let lasts = config.constants().last_listener_query_time + config.at_once();
        let sources = view.sources();
        let subjects: Vec<Subject> = if sources.is_empty() {
            vec![(group, None)]
        } else {
            sources
                .into_iter()
                .map(|source| (group, Some(source)))
                .collect()
        };
        let mut wrong = Vec::new();
        // The queries of both may cross.
        if self
            .other
            .is_some_and(|(since, _)| at.since(since) <= config.through())
        {
            return wrong.into_iter();
        }
        for subject in subjects {
            match self.series.get_mut(&subject) {
                Some(series) if at.since(series.at) <= lasts => {
                    let crossed = at.since(series.at) <= config.through();
                    series.named += u32::from(!(std::mem::take(&mut series.before) && crossed));
                    if series.named > config.robustness {
                        wrong.push(("MLD-106", format!("a query too many for {group}")));
                    }
                }
                Some(_) | None => {
                    wrong.push((
                        "MLD-101",
                        format!("it asks about {group}: nothing calls for it"),
                    ));
                }
            }
        }
        self.touch(group, at);
        wrong.into_iter()
    }

    /// Timers that end by now, and queries that should have come.
    fn advance(
        &mut self,
        config: MldConfig,
        now: Instant,
    ) -> Vec<(&'static str, String, usize, Instant)> {
        let mut missed = Vec::new();
        while let Some(next) = self.table.next().filter(|next| *next <= now) {
            for group in self.table.expire(next) {
                self.touched.insert(group, next);
            }
        }
        let lasts = config.constants().last_listener_query_time + config.at_once();
        let mut over = Vec::new();
        for (subject, series) in &mut self.series {
            let (group, _) = *subject;
            let sure = !self.unsure.contains(&group) && !self.queries_unsure;
            let first = series.at + config.last_interval + config.at_once();
            if sure && !series.merged && series.named == 0 && now > first {
                let what = format!(
                    "no query about {group} came within {:?}",
                    config.last_interval
                );
                missed.push(("MLD-100", what, series.record, first));
                over.push(*subject);
            } else if now > series.at + lasts {
                if sure && !series.merged && series.named < config.robustness {
                    let what = format!(
                        "{} of {} queries about {group}",
                        series.named, config.robustness
                    );
                    missed.push(("MLD-105", what, series.record, series.at + lasts));
                }
                over.push(*subject);
            }
        }
        for subject in over {
            self.series.remove(&subject);
        }
        if let Some(what) = self.general_is_late(config, now) {
            missed.push(what);
        }
        missed
    }

    /// A general query that should have come.
    fn general_is_late(
        &mut self,
        config: MldConfig,
        now: Instant,
    ) -> Option<(&'static str, String, usize, Instant)> {
        let last = self.general.filter(|_| !self.queries_unsure)?;
        let (requirement, due) = match self.other {
            Some((_, until)) => ("MLD-072", until),
            None => ("MLD-061", last + config.query_interval),
        };
        if now <= due + config.at_once() {
            return None;
        }
        if self
            .other
            .take()
            .is_some_and(|(_, until)| last + config.at_once() >= until)
        {
            return None;
        }
        self.general = Some(now);
        let what = "no general query came when it was due".to_owned();
        Some((requirement, what, 0, due + config.at_once()))
    }
}
