//! The equivalence oracle: master and backup hold the same state, and what the listeners asked for.
//!
//! Three legs: the states of the two devices, and a table of our own worked out from the listeners'
//! frames ([`crate::mld_table`]), so that two tables that are equally wrong, or empty, don't pass.
//! What it says follows from its inputs alone, frames and changes of state with their times:
//! between them it computes exactly, so judging a capture again gives what the run gave.

use crate::difference::{Compared, compare, describe};
use crate::forwarding::{Forwarding, Packet};
use crate::invariant::InvariantReport;
use crate::mld_table::{MldConstants, MldTable, Record};
use crate::pair_state::{GroupState, PairChange, PairState};
use crate::verdict::Finding;
use dut_device::Instant;
use harness_suite::{Quantity, Scope};
use harness_trace::{Direction, Frame, Point, PointId};
use harness_wire::{Ip, LacpView, MldView, layers, stream_sequence, summary};
use message::{Asks, interface_id, is_valid, is_whole};
use standing::{Held, Standing};
use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::sync::Arc;
use std::time::Duration;
use takeover::Unsure;

/// The sync bound without the latency.
const SYNC: Duration = Duration::from_millis(50);
/// States are known to a millisecond, on both sides of a comparison.
const RESOLUTION: Duration = Duration::from_millis(2);
/// How late a state is known while nothing seems to happen; the driver looks at least as often.
const LOOK: Duration = Duration::from_millis(25);
/// Messages about a group and the query that the first of them triggers may cross on the way.
const CROSSING: Duration = Duration::from_millis(1);
/// Differing is excused for so long after faults have ended.
const HEALING: Duration = Duration::from_secs(5);

/// What the oracle says at one instant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Status {
    /// Both hold the same groups, filter modes and sources, and they are what the listeners asked
    /// for.
    pub equal: bool,
    /// Groups that both hold.
    pub groups: u32,
}

/// A link from a device of the pair to somebody else.
#[derive(Debug)]
struct Link {
    device: usize,
    /// The direction of the device's own frames.
    sends: Direction,
    /// The device's last LACPDU had Synchronization and Collecting: it takes what comes in.
    accepts: bool,
}

/// The last thing that happened to a group.
#[derive(Debug, Clone)]
struct Cause {
    record: usize,
    at: Instant,
    what: What,
    /// The queries that follow from it; none where one may have come between it and the one before.
    asks: Asks,
}

/// What it was; put into words only where a finding tells it.
#[derive(Debug, Clone)]
enum What {
    /// A message that named the group, once for all its groups.
    Message(Arc<[u8]>),
    TimerEnded,
}

impl std::fmt::Display for What {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Message(octets) => f.write_str(&summary(octets)),
            Self::TimerEnded => f.write_str("a timer ended"),
        }
    }
}

/// One comparison of two legs.
#[derive(Debug, Default)]
struct Leg {
    differ_since: Option<Instant>,
    premises: u64,
    broken: Option<Finding>,
}

/// The oracle over one run.
#[derive(Debug)]
pub struct Equivalence {
    names: [String; 2],
    links: BTreeMap<PointId, Link>,
    running: [bool; 2],
    bound: Duration,
    table: MldTable,
    /// When the table's next timer ends.
    wake: Option<Instant>,
    /// The link-local address that the pair queries from.
    querier: Option<Ipv6Addr>,
    causes: BTreeMap<Ipv6Addr, Cause>,
    last_record: usize,
    state: PairState,
    /// The last device that was Master alone.
    master: Option<usize>,
    /// The Master that is gone, and what was asked of it then, until there is one again.
    left: Option<(usize, BTreeMap<Ipv6Addr, Record>)>,
    /// What the Master may hold instead of what the table says.
    unsure: Unsure,
    /// Since when the channel is down, or what trouble kept from being acknowledged still is.
    channel_down_since: Option<Instant>,
    /// Groups, filter modes and sources of the two devices.
    entries: Leg,
    /// Their timers.
    timers: Leg,
    /// The master against the table.
    listeners: Leg,
    excused_until: Instant,
    /// How long after trouble the channel may take to come back, by the testbed's
    /// `channel_recovery`; the time for healing begins then.
    recovery: Duration,
    recovery_until: Instant,
    listeners_excused_until: Instant,
    /// Faults or a split have ended, and the two have not been seen equal since.
    healing: bool,
    healed: u64,
    forwarding: Forwarding,
    /// What the last comparison gave.
    held: Held,
}

impl Equivalence {
    /// The oracle over the pair [a, b], whose synchronisation channel has this one-way latency;
    /// `constants` are the testbed's (see [`MldConstants::of`]).
    #[must_use]
    pub fn new(points: &[Point], pair: [&String; 2], constants: &Scope, latency: Duration) -> Self {
        let device = |end: &String| pair.iter().position(|name| *name == end);
        let link = |point: &Point| {
            let (device, sends) = match (device(&point.near), device(&point.far)) {
                (Some(device), None) => (device, Direction::Out),
                (None, Some(device)) => (device, Direction::In),
                (Some(_), Some(_)) | (None, None) => return None,
            };
            Some(Link {
                device,
                sends,
                accepts: false,
            })
        };
        let ids = (0_u16..).map(PointId);
        Self {
            names: pair.map(Clone::clone),
            links: (ids.zip(points))
                .filter_map(|(id, point)| Some((id, link(point)?)))
                .collect(),
            running: [true; 2],
            bound: SYNC + latency + RESOLUTION,
            table: MldTable::new(MldConstants::of(constants)),
            wake: None,
            querier: None,
            causes: BTreeMap::new(),
            last_record: 0,
            state: PairState::default(),
            master: None,
            left: None,
            unsure: Unsure::default(),
            channel_down_since: None,
            entries: Leg::default(),
            timers: Leg::default(),
            listeners: Leg::default(),
            excused_until: Instant::ZERO,
            recovery: match constants.get("channel_recovery") {
                Some(Quantity::Time(ns)) => {
                    Duration::from_nanos(u64::try_from(*ns).unwrap_or(u64::MAX))
                }
                Some(Quantity::Number(_)) | None => Duration::ZERO,
            },
            recovery_until: Instant::ZERO,
            listeners_excused_until: Instant::ZERO,
            healing: false,
            healed: 0,
            forwarding: Forwarding::default(),
            held: Held::default(),
        }
    }

    /// A device works from now on, or works no longer (crashed, hung): what is sent to it is lost.
    pub fn node(&mut self, name: &str, running: bool) {
        let device = self.names.iter().position(|known| known == name);
        if let Some(device) = device
            && let Some(known) = self.running.get_mut(device)
        {
            *known = running;
            // A crash or a hang is a fault too, which ends when its device works again.
            self.healing |= running;
        }
    }

    /// A frame of the trace. `true` when the states should be looked at soon.
    pub fn frame(&mut self, record: usize, frame: &Frame) -> bool {
        self.last_record = record;
        let Some(link) = self.links.get_mut(&frame.point) else {
            return false;
        };
        let own = frame.direction == link.sends;
        let Some(layers) = layers(&frame.octets) else {
            return false;
        };
        if own && let Some(pdu) = LacpView::of(&frame.octets) {
            // Synchronization and Collecting.
            link.accepts = pdu.actor_state() & 0x18 == 0x18;
            return false;
        }
        let Some(ip) = layers.ip else { return false };
        if ip.next_header == 17 {
            let number = ip.payload.get(8..).and_then(stream_sequence);
            if let Some(number) = number.filter(|_| own) {
                let packet = Packet {
                    source: ip.source,
                    group: ip.destination,
                    number,
                };
                let at = (record, frame.at);
                (self.forwarding).sent(at, link.device, packet, &self.names);
            }
            return false;
        }
        let running = self.running.get(link.device) == Some(&true);
        let heard = !own && link.accepts && running && !frame.lost;
        let view = MldView::of(ip.payload).filter(|_| ip.next_header == 58 && is_valid(&ip));
        let Some(view) = view.filter(|view| own || (heard && is_whole(view))) else {
            return false;
        };
        self.advance(frame.at);
        if own {
            if view.kind() == 130 {
                self.querier = Some(ip.source);
                self.asked(frame.at, &view);
            }
        } else {
            self.hear(record, frame, &ip, &view);
        }
        self.changed(frame.at);
        true
    }

    /// A message has reached the pair.
    fn hear(&mut self, record: usize, frame: &Frame, ip: &Ip<'_>, view: &MldView<'_>) {
        let at = frame.at;
        let mut groups = Vec::new();
        let group = view.group().filter(|_| view.octets().len() >= 24);
        match (view.kind(), group) {
            (130, _) => {
                let lower = |own: &Ipv6Addr| interface_id(ip.source) < interface_id(*own);
                let other = self.querier.as_ref().is_none_or(lower);
                self.table.query(at, view, other);
                groups.extend(group.map(|group| (group, Asks::ALL)));
            }
            (131, Some(group)) => {
                self.table.report_1(at, group);
                groups.push((group, Asks::NOTHING));
            }
            (132, Some(group)) => {
                self.table.done(at, group);
                groups.push((group, Asks::ALL));
            }
            (143, _) => {
                for record in view.records() {
                    let sources = record.sources.iter().copied().collect();
                    self.table.record(at, record.kind, record.group, &sources);
                    groups.push((record.group, Asks::of(&record)));
                }
            }
            (_, _) => {}
        }
        let octets: Arc<[u8]> = frame.octets.as_slice().into();
        for (group, asks) in groups {
            self.unsure.remove(&group);
            let what = What::Message(Arc::clone(&octets));
            let before = self.causes.get(&group);
            let close = before.is_some_and(|before| at <= before.at + CROSSING);
            let cause = Cause {
                record,
                at,
                what,
                asks: if close { Asks::NOTHING } else { asks },
            };
            self.causes.insert(group, cause);
        }
    }

    /// The pair's state has changed.
    pub fn change(&mut self, at: Instant, change: PairChange) -> Status {
        self.advance(at);
        let nothing = change.is_nothing();
        let old = Standing::of(&self.state);
        let followed = self.followed(&change);
        let slept = self.state.devices.each_ref().map(|device| !device.running);
        self.state.apply(change);
        let new = Standing::of(&self.state);
        self.caught_up(followed);
        if new.connected {
            self.channel_down_since = None;
        } else {
            self.channel_down_since.get_or_insert(at);
        }
        let both = [old, new];
        let troubled = |s: &Standing| s.parted || s.cut || s.alone || s.master.is_none();
        if both.iter().any(troubled) {
            self.excused_until = at + HEALING;
            self.recovery_until = at + self.recovery;
        } else if !old.connected && new.connected {
            // What is excused may last from the channel's return on, if it returned in time.
            let back = at.min(self.recovery_until);
            self.excused_until = self.excused_until.max(back + HEALING);
        }
        let taken_over = self.master.filter(|device| {
            let device = self.state.devices.get(*device);
            !device.is_some_and(|device| device.running && device.master)
        });
        let excuse = if both.iter().any(|s| s.parted) {
            at + HEALING
        } else if taken_over.is_some() || both.iter().any(|s| s.master.is_none()) {
            at + self.bound
        } else {
            Instant::ZERO
        };
        self.listeners_excused_until = self.listeners_excused_until.max(excuse);
        self.healing |= (old.parted && !new.parted) || (old.cut && !new.cut);
        self.forwarding.split(at, new.split);
        self.master = new.master.or(self.master.filter(|_| taken_over.is_none()));
        if let Some(device) = taken_over {
            self.left = Some((device, self.table.groups.clone()));
            self.follow(at, 1 - device);
        }
        if let Some(master) = new.master {
            self.returned(master);
            // A split that began and ended between two looks: who woke up as Master has ousted
            // the one who had taken over.
            let woke = slept.get(master) == Some(&true) && old.master == Some(1 - master);
            if (old.split && !new.split) || woke {
                self.merged(master);
            }
        }
        self.resolve(at);
        if nothing && taken_over.is_none() {
            self.stands(at);
        } else {
            self.changed(at);
        }
        if self.state.quiet && at > self.pair_excused_until() {
            self.break_entries(at, true);
        }
        self.status()
    }

    fn own_table(&self) -> BTreeMap<Ipv6Addr, GroupState> {
        let groups = self.table.groups.iter();
        groups
            .map(|(group, record)| (*group, GroupState::of_record(record)))
            .collect()
    }

    /// Lets the table's timers end and the bounds run out that are due by `now`.
    pub fn advance(&mut self, now: Instant) {
        self.forwarding.advance(now);
        loop {
            let expiry = self.wake.filter(|at| *at <= now);
            let due = self.due().filter(|at| *at < now);
            match (expiry, due) {
                (Some(expiry), due) if due.is_none_or(|due| expiry <= due) => {
                    for group in self.table.expire(expiry) {
                        let record = self.causes.get(&group).map(|cause| cause.record);
                        let record = record.unwrap_or(self.last_record);
                        let cause = Cause {
                            record,
                            at: expiry,
                            what: What::TimerEnded,
                            asks: Asks::ALL,
                        };
                        self.causes.insert(group, cause);
                    }
                    self.changed(expiry);
                }
                (_, Some(due)) => self.break_due(due),
                (_, None) => return,
            }
        }
    }

    /// Until when the two devices may differ.
    fn pair_excused_until(&self) -> Instant {
        if self.state.connected {
            self.excused_until
        } else {
            let back = self.recovery_until + HEALING;
            self.excused_until.max(back)
        }
    }

    /// When the first comparison has differed for too long.
    fn due(&self) -> Option<Instant> {
        let (pair, own) = (self.pair_excused_until(), self.listeners_excused_until);
        let legs = [
            (&self.entries, pair),
            (&self.timers, pair),
            (&self.listeners, own),
        ];
        let due = |(leg, excused): (&Leg, Instant)| {
            let since = leg.differ_since.filter(|_| leg.broken.is_none())?;
            Some((since + self.bound).max(excused))
        };
        legs.into_iter().filter_map(due).min()
    }

    fn break_due(&mut self, at: Instant) {
        let over = |leg: &Leg, excused: Instant| {
            let since = leg.differ_since.filter(|_| leg.broken.is_none());
            since.is_some_and(|since| (since + self.bound).max(excused) <= at)
        };
        let excused = self.pair_excused_until();
        let entries = over(&self.entries, excused);
        let timers = over(&self.timers, excused);
        let listeners = over(&self.listeners, self.listeners_excused_until);
        if entries {
            self.break_entries(at, false);
        }
        if timers {
            let broken = self.pair_difference(true).map(|found| {
                let how = format!("later than the sync bound of {:?}", self.bound - RESOLUTION);
                self.finding(at, "BACKUP-034", &found, &how)
            });
            self.timers.broken = broken;
            self.timers.differ_since = None;
        }
        if listeners {
            let broken = self.listener_difference(true).map(|found| {
                let how = format!("for {:?}", self.bound - RESOLUTION);
                self.finding(at, "BACKUP-001", &found, &how)
            });
            self.listeners.broken = broken;
            self.listeners.differ_since = None;
        }
    }

    fn break_entries(&mut self, at: Instant, quiet: bool) {
        self.entries.differ_since = None;
        let Some(found) = self.pair_difference(false) else {
            return;
        };
        let (requirement, how) = if quiet {
            ("BACKUP-001", "with nothing under way".to_owned())
        } else if self.healing {
            ("BACKUP-003", format!("{HEALING:?} after faults ended"))
        } else {
            ("BACKUP-002", format!("for {:?}", self.bound - RESOLUTION))
        };
        let finding = self.finding(at, requirement, &found, &how);
        self.entries.broken.get_or_insert(finding);
    }

    fn finding(&self, at: Instant, requirement: &str, found: &Compared, how: &str) -> Finding {
        let group = found.group;
        let cause = self.causes.get(&group);
        let event = cause.map_or_else(
            || "no listener's message named it before".to_owned(),
            |cause| {
                let (s, ms) = (cause.at.as_millis() / 1000, cause.at.as_millis() % 1000);
                format!("the last event for it was at {s}.{ms:03} s: {}", cause.what)
            },
        );
        let (left, right) = (&found.left, &found.right);
        Finding {
            requirement: Some(requirement.to_owned()),
            differences: describe(found),
            record: Some(cause.map_or(self.last_record, |cause| cause.record)),
            at_ns: at.as_nanos(),
            ..Finding::of(format!(
                "{left} and {right} differ at {group} {how}; {event}"
            ))
        }
    }

    /// Where the two devices differ first, while they are comparable.
    fn pair_difference(&self, timers: bool) -> Option<Compared> {
        let (master, held, copy) = self.comparable()?;
        let [name_a, name_b] = &self.names;
        let (name, other) = if master == 0 {
            (name_a, name_b)
        } else {
            (name_b, name_a)
        };
        let left = (format!("master {name}"), held);
        let right = (format!("backup {other}"), copy);
        compare(left, right, timers.then_some(self.bound))
    }

    /// Where the master first differs from what the listeners asked for.
    fn listener_difference(&self, timers: bool) -> Option<Compared> {
        let master = self.state.master().filter(|_| !self.state.faults)?;
        let held = self.state.devices.get(master)?;
        let name = self.names.get(master).map_or("?", String::as_str);
        let own = self.own_table();
        let left = ("what the listeners asked for".to_owned(), &own);
        let right = (format!("master {name}"), &held.groups);
        compare(left, right, timers.then_some(self.bound))
    }

    /// Compares the legs after something has changed.
    fn changed(&mut self, at: Instant) {
        self.wake = self.table.next();
        let both = self.state.devices.iter().all(|device| device.running);
        let comparable = !self.state.faults && self.state.master().is_some();
        let entries = self.pair_differs(false);
        let timers = !entries && self.pair_differs(true);
        let listeners = self.listeners_differ(true);
        let filled = self.state.devices.iter().all(|d| !d.groups.is_empty());
        let equal = comparable && both && filled && !entries;
        self.held = Held {
            premises: [
                equal,
                equal && !timers,
                comparable && !listeners && !self.table.groups.is_empty(),
            ],
            differs: [entries, timers, listeners],
        };
        self.stands(at);
    }

    /// The pair's state as last told.
    #[must_use]
    pub const fn state(&self) -> &PairState {
        &self.state
    }

    /// What the oracle says now.
    #[must_use]
    pub fn status(&self) -> Status {
        let state = &self.state;
        let [a, b] = &state.devices;
        let comparable = state.master().is_some() && a.running && b.running;
        let held = state.master().and_then(|master| state.devices.get(master));
        let as_asked = held.is_some_and(|held| self.as_asked(held, None));
        let groups = a.groups.len().min(b.groups.len());
        Status {
            equal: comparable && state.same_entries() && as_asked,
            groups: u32::try_from(groups).unwrap_or(u32::MAX),
        }
    }

    /// What the run showed, at its end `at`.
    #[must_use]
    pub fn finish(mut self, at: Instant) -> Vec<InvariantReport> {
        self.advance(at);
        self.forwarding.advance(at + Duration::from_secs(1));
        let mut reports = Vec::new();
        let mut report = |requirement: &str, name: &str, premises, broken: Option<Finding>| {
            reports.push(InvariantReport {
                name: name.to_owned(),
                requirement: requirement.to_owned(),
                premises,
                broken,
            });
        };
        let of = |id: &str| {
            let broken = self.entries.broken.as_ref();
            let broken = broken.filter(|finding| finding.requirement.as_deref() == Some(id));
            broken.cloned()
        };
        let premises = self.entries.premises;
        let name = "master and backup hold the same groups, filter modes and sources";
        report("BACKUP-001", name, premises, of("BACKUP-001"));
        let name = "they do so within the sync bound of each change";
        report("BACKUP-002", name, premises, of("BACKUP-002"));
        let name = "they do so within 5 s of the end of faults";
        report("BACKUP-003", name, self.healed, of("BACKUP-003"));
        let name = "the master holds what the listeners asked for";
        let Leg {
            premises, broken, ..
        } = self.listeners;
        report("BACKUP-001", name, premises, broken);
        let name = "the backup's timers are the master's, within the sync bound";
        report("BACKUP-034", name, self.timers.premises, self.timers.broken);
        let name = "one device forwards, and nothing twice";
        let Forwarding {
            premises, broken, ..
        } = self.forwarding;
        report("BACKUP-010", name, premises, broken);
        reports
    }
}

mod message;
mod standing;
mod takeover;
#[cfg(test)]
mod tests;
