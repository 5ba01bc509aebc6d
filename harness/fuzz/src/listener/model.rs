//! What a listener must tell, by RFC 3810 4.2, 5.2, 6 and 8.2 and RFC 2710 4, worked out without
//! the engine: what sockets ask for, which answers are owed, which changes are to be told.

use dut_device::Instant;
use dut_mld::host::{HostConfig, ListenError};
use dut_mld::{Envelope, Profile};
use dut_wire::icmpv6::checksum_holds;
use dut_wire::mld::{ALL_NODES, Message, Query};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;
use std::time::Duration;

/// A list of sources.
pub(super) type Listed = BTreeSet<Ipv6Addr>;

/// What is asked of an address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Wish {
    pub(super) exclude: bool,
    pub(super) sources: Listed,
}

impl Wish {
    fn is_nothing(&self) -> bool {
        !self.exclude && self.sources.is_empty()
    }

    fn wants(&self, source: &Ipv6Addr) -> bool {
        self.sources.contains(source) != self.exclude
    }
}

/// What was told at one instant: records by address and type with all that they list.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) records: BTreeMap<(Ipv6Addr, u8), Listed>,
    pub(super) version_1: BTreeSet<Ipv6Addr>,
    pub(super) done: BTreeSet<Ipv6Addr>,
}

/// An answer that is owed.
#[derive(Debug)]
struct Owed {
    group: Ipv6Addr,
    /// Queried sources; none: all that is asked of the address.
    sources: Listed,
    until: Instant,
}

/// A change that is still to be told so many times, next until then.
#[derive(Debug, Clone, Copy)]
struct Change {
    left: u8,
    until: Instant,
}

#[derive(Debug)]
pub(super) struct Model {
    config: HostConfig,
    up: bool,
    tentative_until: Option<Instant>,
    /// Until when version 1 is spoken.
    older_until: Option<Instant>,
    query_interval: Duration,
    sockets: BTreeMap<Ipv6Addr, BTreeMap<&'static str, Wish>>,
    owed: Vec<Owed>,
    changes: BTreeMap<Ipv6Addr, Change>,
}

/// RFC 3810 6: ff02::1 and scopes 0 and 1 are never reported.
fn is_reported(group: Ipv6Addr) -> bool {
    group != ALL_NODES && group.segments()[0] & 0xf > 1
}

/// ff3x::/32 (RFC 4607 1).
fn is_source_specific(group: Ipv6Addr) -> bool {
    let [first, second, ..] = group.segments();
    first & 0xfff0 == 0xff30 && second == 0
}

impl Model {
    pub(super) const fn new(config: HostConfig) -> Self {
        Self {
            up: false,
            tentative_until: None,
            older_until: None,
            query_interval: config.query_interval,
            config,
            sockets: BTreeMap::new(),
            owed: Vec::new(),
            changes: BTreeMap::new(),
        }
    }

    pub(super) const fn speaks_version_1(&self) -> bool {
        self.config.version == 1 || self.older_until.is_some()
    }

    pub(super) const fn source(&self) -> Ipv6Addr {
        match self.tentative_until {
            Some(_) => Ipv6Addr::UNSPECIFIED,
            None => self.config.link_local,
        }
    }

    /// RFC 3810 4.2: EXCLUDE when a socket has it, then what all these exclude and none includes.
    fn wish(&self, group: Ipv6Addr) -> Wish {
        let sockets = self.sockets.get(&group);
        let sockets = || sockets.into_iter().flat_map(BTreeMap::values);
        let any = |source: &Ipv6Addr| sockets().any(|wish| wish.wants(source));
        let exclude = sockets().any(|wish| wish.exclude);
        let named = sockets().flat_map(|wish| &wish.sources);
        let sources = named.filter(|source| any(source) != exclude);
        Wish {
            exclude,
            sources: sources.copied().collect(),
        }
    }

    /// What is asked of every address of which anything is.
    pub(super) fn merged(&self) -> impl Iterator<Item = (Ipv6Addr, Wish)> {
        let all = self.sockets.keys().map(|group| (*group, self.wish(*group)));
        all.filter(|(_, wish)| !wish.is_nothing())
    }

    fn reported(&self) -> Vec<Ipv6Addr> {
        let groups = self.merged().map(|(group, _)| group);
        groups.filter(|group| is_reported(*group)).collect()
    }

    /// A change is told Robustness Variable times, first at once (6.1).
    fn begin(&mut self, now: Instant, group: Ipv6Addr) {
        let left = self.config.robustness.max(1);
        self.changes.insert(group, Change { left, until: now });
    }

    fn forget(&mut self) {
        self.owed.clear();
        self.changes.clear();
    }

    pub(super) fn link(&mut self, now: Instant, up: bool) {
        if self.up == up {
            return;
        }
        self.up = up;
        self.forget();
        self.older_until = None;
        if up {
            let after = self.config.address_after;
            self.tentative_until = (!after.is_zero()).then(|| now + after);
            for group in self.reported() {
                self.begin(now, group);
            }
        } else {
            self.query_interval = self.config.query_interval;
        }
    }

    /// A request that was answered; whether it was refused as it must be.
    pub(super) fn ask(
        &mut self,
        now: Instant,
        socket: &'static str,
        group: Ipv6Addr,
        wish: Wish,
        refused: Option<ListenError>,
    ) {
        let unicast = |source: &Ipv6Addr| !source.is_multicast() && !source.is_unspecified();
        let legal = group.is_multicast()
            && wish.sources.iter().all(unicast)
            && !(wish.exclude && is_source_specific(group))
            && wish.sources.len() <= self.config.source_limit;
        if let Some(refused) = refused {
            let full = matches!(refused, ListenError::TooManyGroups(_));
            // An address that was left is held until that has been told.
            let held: BTreeSet<&Ipv6Addr> =
                self.sockets.keys().chain(self.changes.keys()).collect();
            let full = full && held.len() >= self.config.group_limit && !held.contains(&group);
            assert!(full || !legal, "a request refused: {refused}");
            return;
        }
        assert!(legal, "a request that should be refused");
        let before = self.wish(group);
        let sockets = self.sockets.entry(group).or_default();
        if wish.is_nothing() {
            sockets.remove(socket);
        } else {
            sockets.insert(socket, wish);
        }
        if sockets.is_empty() {
            self.sockets.remove(&group);
        }
        let after = self.wish(group);
        if !self.up || !is_reported(group) || before == after {
            return;
        }
        let left = after.is_nothing();
        let stays = |owed: &Owed| owed.group != group || (owed.sources.is_empty() && !left);
        self.owed.retain(stays);
        if !self.speaks_version_1() || before.is_nothing() {
            self.begin(now, group);
        } else if left {
            self.changes.remove(&group);
        }
    }

    /// What is due by itself; true when the version changes.
    pub(super) fn at(&mut self, now: Instant) -> bool {
        if !self.up {
            return false;
        }
        let due = |until: &mut Instant| *until <= now;
        if self.tentative_until.take_if(due).is_some() {
            for group in self.reported() {
                self.begin(now, group);
            }
        }
        let changes = self.older_until.take_if(due).is_some();
        if changes {
            self.forget();
        }
        changes
    }

    /// RFC 3810 6.2: what is taken at all.
    fn accepts(&self, envelope: &Envelope, octets: &[u8]) -> bool {
        let to = envelope.destination;
        let listened = self.merged().any(|(group, _)| group == to);
        self.up
            && envelope.hop_limit == 1
            && envelope.router_alert.is_some()
            && envelope.source.is_unicast_link_local()
            && envelope.source != self.config.link_local
            && checksum_holds(octets, envelope.source, to)
            && (listened || to == ALL_NODES || to == self.config.link_local)
    }

    pub(super) fn hear(&mut self, now: Instant, envelope: &Envelope, octets: &[u8]) {
        if !self.accepts(envelope, octets) {
            return;
        }
        let octets = match self.config.version {
            1 => octets.get(..24).unwrap_or(octets),
            _ => octets,
        };
        match Message::parse(octets) {
            Ok(Message::Query(query)) => self.query(now, &query),
            // RFC 2710 4: another has reported.
            Ok(Message::ReportV1 { group })
                if self.speaks_version_1() && !is_source_specific(group) =>
            {
                self.owed.retain(|owed| owed.group != group);
                self.changes.remove(&group);
            }
            Ok(Message::ReportV1 { .. } | Message::Report(_) | Message::Done { .. }) | Err(_) => {}
        }
    }

    fn query(&mut self, now: Instant, query: &Query) {
        let delay = query.maximum_response_delay();
        let (older, sources) = match query {
            Query::V1(one) => {
                let older = self.config.profile == Profile::Rfc3810 || one.group.is_unspecified();
                (older, Listed::new())
            }
            Query::V2(two) => {
                if two.qqic.0 != 0 {
                    self.query_interval = two.qqic.interval();
                }
                (false, two.sources.iter().copied().collect())
            }
        };
        if older && self.config.version == 2 && self.config.compatibility {
            if self.older_until.is_none() {
                self.forget();
            }
            let robustness = u32::from(self.config.robustness.max(1));
            self.older_until = Some(now + self.query_interval * robustness + delay);
        }
        // Where no time is given, answers spread over 10 ms.
        let until = now + delay.max(Duration::from_millis(10));
        let asked = query.group();
        for group in self.reported() {
            if asked.is_unspecified() || asked == group {
                let version_1 = self.speaks_version_1();
                self.owed.push(Owed {
                    group,
                    sources: match version_1 {
                        true => Listed::new(),
                        false => sources.clone(),
                    },
                    until,
                });
            }
        }
    }

    /// What was told at this instant is true and was due; nothing is overdue.
    pub(super) fn judge(&mut self, now: Instant, told: &Told, changes: bool, room: usize) {
        let any = !(told.records.is_empty() && told.version_1.is_empty() && told.done.is_empty());
        assert!(self.up || !any, "it sends on a link that is down");
        for (key, listed) in &told.records {
            self.record(*key, listed, room);
        }
        let one = self.speaks_version_1();
        let records: BTreeSet<Ipv6Addr> = told.records.keys().map(|(group, _)| *group).collect();
        assert!(changes || !one || records.is_empty(), "version 2 is spoken");
        let older = !told.version_1.is_empty() || !told.done.is_empty();
        assert!(changes || one || !older, "version 1 is spoken");
        for group in &told.version_1 {
            let joined = is_reported(*group) && !self.wish(*group).is_nothing();
            assert!(joined, "a version 1 Report of {group}");
            self.owed.retain(|owed| owed.group != *group);
            // An answer can't be told from a copy.
            self.told(now, *group, self.config.unsolicited_report_interval_v1);
        }
        for group in &told.done {
            let left = is_reported(*group) && self.wish(*group).is_nothing();
            assert!(left, "a Done of {group}");
        }
        for group in records {
            let of = |kind: u8| told.records.get(&(group, kind));
            if (3..=6).any(|kind| of(kind).is_some()) {
                let due = self.changes.contains_key(&group);
                assert!(due, "a change of {group} is told once too often");
                self.told(now, group, self.config.unsolicited_report_interval);
            }
            if let Some(listed) = of(1).or_else(|| of(2)) {
                let wish = self.wish(group);
                let all =
                    wish.exclude == of(2).is_some() && (wish.exclude || *listed == wish.sources);
                let answers = |owed: &Owed| {
                    let mut asked = owed.sources.iter().filter(|source| wish.wants(source));
                    all || (!owed.sources.is_empty() && asked.all(|s| listed.contains(s)))
                };
                self.owed
                    .retain(|owed| owed.group != group || !answers(owed));
            }
        }
        let changes = self.changes.iter().find(|(_, change)| change.until < now);
        assert!(changes.is_none(), "a change is told too late: {changes:?}");
        let late = |owed: &&Owed| {
            let wish = self.wish(owed.group);
            let wanted = owed.sources.iter().any(|source| wish.wants(source));
            owed.until < now && (wanted || owed.sources.is_empty())
        };
        let owed = self.owed.iter().find(late);
        assert!(owed.is_none(), "an answer is owed: {owed:?}");
        self.owed.retain(|owed| owed.until >= now);
    }

    /// A change has been told once more.
    fn told(&mut self, now: Instant, group: Ipv6Addr, interval: Duration) {
        if let Some(change) = self.changes.get_mut(&group) {
            change.left -= 1;
            change.until = now + interval;
            if change.left == 0 {
                self.changes.remove(&group);
            }
        }
    }

    /// RFC 3810 5.2.12, 6.1, 6.3: what a record says is what is asked for now.
    fn record(&self, (group, kind): (Ipv6Addr, u8), listed: &Listed, room: usize) {
        assert!(is_reported(group), "a record of {group}");
        let wish = self.wish(group);
        // A list that has no room is cut (5.2.15).
        let cut = listed.is_subset(&wish.sources) && listed.len() == wish.sources.len().min(room);
        let right = match kind {
            1 => !listed.is_empty() && listed.iter().all(|source| wish.wants(source)),
            2 | 4 => wish.exclude && cut,
            3 => !wish.exclude && *listed == wish.sources,
            5 => listed.iter().all(|source| wish.wants(source)),
            6 => !listed.iter().any(|source| wish.wants(source)),
            _ => false,
        };
        assert!(
            right,
            "a record of type {kind} of {group} lists {listed:?}, for {wish:?}"
        );
    }
}
