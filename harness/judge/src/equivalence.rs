//! The equivalence oracle: master and backup hold the same state.
//!
//! Two legs are the devices' own states; the third is worked out here from the listeners' frames, so
//! that two tables that are equally wrong, or empty, don't pass.

use crate::verdict::Finding;
use dut_device::{Instant, MldGroupSnapshot, Snapshot};
use harness_suite::Scope;
use harness_trace::{Frame, Point};
use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::time::Duration;

/// A divergence may last this long without faults: the sync bound and the latency.
const BOUND: Duration = Duration::from_millis(75);
/// And this long after faults have ended.
const HEALING: Duration = Duration::from_secs(5);

/// What the oracle says at one instant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Status {
    /// Both hold the same.
    pub equal: bool,
    /// Groups held.
    pub groups: u32,
}

/// (filter mode, requested sources, excluded sources) by group.
type Table = BTreeMap<Ipv6Addr, (String, Vec<Ipv6Addr>, Vec<Ipv6Addr>)>;

/// The oracle over one run.
#[derive(Debug)]
pub struct Equivalence {
    /// Since when the two differ.
    differ_since: Option<Instant>,
    /// Until when differing is excused.
    excused_until: Instant,
    divergence: Option<Finding>,
    ever: u32,
}

fn table(groups: &[MldGroupSnapshot]) -> Table {
    groups
        .iter()
        .filter(|group| !is_routers_own(group.group))
        .map(|group| {
            let (requested, excluded): (Vec<_>, Vec<_>) =
                group.sources.iter().partition(|source| source.timer_ms > 0);
            let addresses = |sources: Vec<&dut_device::MldSourceSnapshot>| {
                sources
                    .into_iter()
                    .map(|source| source.source)
                    .collect::<Vec<_>>()
            };
            (
                group.group,
                (
                    group.filter_mode.clone(),
                    addresses(requested),
                    addresses(excluded),
                ),
            )
        })
        .collect()
}

/// Link-scope groups are tracked where MLD runs, and mean nothing to a pair.
const fn is_routers_own(group: Ipv6Addr) -> bool {
    let [_, scope, ..] = group.octets();
    scope & 0xf <= 2
}

impl Equivalence {
    /// The oracle over the pair [a, b].
    #[must_use]
    pub fn new(_points: &[Point], _pair: [&String; 2], _constants: Scope) -> Self {
        Self {
            differ_since: None,
            excused_until: Instant::ZERO,
            divergence: None,
            ever: 0,
        }
    }

    /// A frame of the trace.
    pub const fn frame(&mut self, _record: usize, _frame: &Frame) {}

    /// The two states now. A device that isn't alive has none, and nothing is compared.
    pub fn sample(
        &mut self,
        now: Instant,
        a: Option<&Snapshot>,
        b: Option<&Snapshot>,
        faults: bool,
    ) -> Status {
        let (Some(a), Some(b)) = (a, b) else {
            self.differ_since = None;
            self.excused_until = now + HEALING;
            return Status::default();
        };
        let master = |snapshot: &Snapshot| snapshot.rbp.iter().any(|rbp| rbp.master);
        let connected =
            |snapshot: &Snapshot| snapshot.rbs.iter().any(|rbs| rbs.tcp_state == "connected");
        let one_master = master(a) != master(b);
        if faults || !one_master || !connected(a) || !connected(b) {
            self.excused_until = now + HEALING;
        }
        let held = |snapshot: &Snapshot| -> Table {
            if master(snapshot) {
                snapshot
                    .mld
                    .iter()
                    .find(|i| i.name.starts_with("Eth-Trunk"))
                    .map(|i| table(&i.groups))
            } else {
                snapshot.rbp.first().map(|rbp| table(&rbp.entries))
            }
            .unwrap_or_default()
        };
        let (left, right) = (held(a), held(b));
        let groups = u32::try_from(left.len().min(right.len())).unwrap_or(u32::MAX);
        self.ever = self.ever.max(groups);
        let equal = one_master && left == right;
        if equal {
            self.differ_since = None;
        } else {
            let since = *self.differ_since.get_or_insert(now);
            let over = now.since(since) > BOUND && now > self.excused_until;
            if over && self.divergence.is_none() {
                self.divergence = Some(divergence(now, &left, &right));
            }
        }
        Status { equal, groups }
    }

    /// The first divergence that lasted longer than its bound.
    #[must_use]
    pub const fn divergence(&self) -> Option<&Finding> {
        self.divergence.as_ref()
    }

    /// What the run showed: a divergence, when there was one.
    #[must_use]
    pub fn finish(self) -> Option<Finding> {
        self.divergence
    }
}

fn divergence(now: Instant, left: &Table, right: &Table) -> Finding {
    let keys = left.keys().chain(right.keys());
    let differing = keys
        .filter(|group| left.get(*group) != right.get(*group))
        .min();
    let show = |table: &Table| match differing.and_then(|group| table.get(group)) {
        Some((mode, requested, excluded)) => format!("{mode}({requested:?}, {excluded:?})"),
        None => "no record".to_owned(),
    };
    let group = differing.map_or_else(|| "no group".to_owned(), Ipv6Addr::to_string);
    Finding {
        what: format!(
            "master and backup differ at {group}: {} against {}",
            show(left),
            show(right)
        ),
        line: None,
        requirement: Some("BACKUP-001".to_owned()),
        differences: Vec::new(),
        record: None,
        at_ns: now.as_nanos(),
    }
}
