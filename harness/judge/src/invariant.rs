//! Always-on invariants: what must hold of every device's frames under every case.
//!
//! Each counts how often its premise held: one that was never exercised says nothing.

use crate::foreign::Foreign;
use crate::verdict::Finding;
use crate::{etrunk, lacp, listener, mld};
use harness_trace::{Direction, Frame, Point, PointId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What an invariant found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvariantReport {
    /// Its name.
    pub name: String,
    /// The requirement that it stands for.
    pub requirement: String,
    /// How often its premise held.
    pub premises: u64,
    /// The first frame that broke it.
    pub broken: Option<Finding>,
}

/// A rule: the requirement that it stands for, and its name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule(pub(crate) &'static str, pub(crate) &'static str);

/// Collects what the rules of one protocol find.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    reports: BTreeMap<(&'static str, &'static str), (u64, Option<Finding>)>,
    broken: bool,
}

impl Ledger {
    /// Rules that are reported even if their premises never hold.
    fn expect(&mut self, rules: &[Rule]) {
        for Rule(requirement, name) in rules {
            self.reports.entry((requirement, name)).or_default();
        }
    }

    /// The premise of a rule held; `holds` says whether the rule did.
    pub(crate) fn rule(
        &mut self,
        Rule(requirement, name): Rule,
        (record, frame): (usize, &Frame),
        holds: bool,
        what: impl FnOnce() -> String,
    ) {
        let (premises, broken) = self.reports.entry((requirement, name)).or_default();
        *premises += 1;
        if !holds && broken.is_none() {
            self.broken = true;
            *broken = Some(Finding {
                requirement: Some(requirement.to_owned()),
                record: Some(record),
                at_ns: frame.at.as_nanos(),
                ..Finding::of(format!("{name}: {}", what()))
            });
        }
    }
}

/// The always-on invariants over one trace.
#[derive(Debug)]
pub struct Invariants {
    /// The judged device at each point and direction.
    senders: BTreeMap<(PointId, Direction), Arc<str>>,
    lacp: lacp::Rules,
    mld: mld::Rules,
    etrunk: etrunk::Rules,
    foreign: Foreign,
    ledger: Ledger,
}

impl Invariants {
    /// Invariants over the frames that these devices send at these points.
    #[must_use]
    pub fn new(points: &[Point], devices: &[String]) -> Self {
        let mut senders = BTreeMap::new();
        for (index, point) in points.iter().enumerate() {
            let id = PointId(u16::try_from(index).unwrap_or(u16::MAX));
            for (end, direction) in [(&point.near, Direction::Out), (&point.far, Direction::In)] {
                if devices.contains(end) {
                    senders.insert((id, direction), end.as_str().into());
                }
            }
        }
        Self {
            senders,
            lacp: lacp::Rules::default(),
            mld: mld::Rules::default(),
            etrunk: etrunk::Rules::default(),
            foreign: Foreign::default(),
            ledger: Ledger::default(),
        }
    }

    /// With times that are inexact by this much.
    #[must_use]
    pub fn tolerating(mut self, tolerance: Duration) -> Self {
        self.lacp.tolerance = tolerance;
        self
    }

    /// Invariants over a capture of devices in these roles, whose frames are told by
    /// [`Invariants::judge`]. They are devices that nobody restarts or configures meanwhile: what
    /// must stay, and come in time, is judged too, and rules that are never exercised are reported.
    #[must_use]
    pub fn foreign(roles: Roles) -> Self {
        let mut invariants = Self::new(&[], &[]);
        invariants.mld.undisturbed = true;
        invariants.lacp.undisturbed = true;
        for (has, rules) in [
            (roles.lacp, lacp::RULES),
            (roles.router || roles.listener, mld::COMMON),
            (roles.router, mld::QUERIES),
            (roles.listener, listener::RULES),
            (roles.etrunk, etrunk::RULES),
        ] {
            if has {
                invariants.ledger.expect(rules);
            }
        }
        invariants
    }

    /// A frame of the trace.
    pub fn frame(&mut self, record: usize, frame: &Frame) {
        let Some(sender) = self.senders.get(&(frame.point, frame.direction)).cloned() else {
            self.lacp.heard(frame);
            self.mld.heard(frame);
            self.foreign.heard(frame);
            return;
        };
        self.judge(
            record,
            frame,
            &sender,
            Roles {
                lacp: true,
                router: !self.foreign.relays(frame),
                listener: false,
                etrunk: true,
            },
        );
    }

    /// Something was done to links, devices or frames on their way, after which a device may
    /// rightly not know what it was sent before. With a fault, nobody knows when what is sent
    /// arrives.
    pub fn disturbed(&mut self, fault: bool) {
        self.lacp.disturbed(fault);
    }

    /// A frame that `sender` sent in these roles.
    pub fn judge(&mut self, record: usize, frame: &Frame, sender: &str, roles: Roles) {
        if roles.lacp {
            self.lacp.judge(&mut self.ledger, record, frame, sender);
        }
        if roles.router || roles.listener {
            (self.mld).judge(&mut self.ledger, (record, frame), sender, roles);
        } else {
            self.mld.heard(frame);
        }
        if roles.etrunk {
            (self.etrunk).judge(&mut self.ledger, (record, frame), sender);
        }
    }

    /// Whether anything was found by now: [`Self::finish`] says what.
    #[must_use]
    pub const fn is_broken(&self) -> bool {
        self.ledger.broken
    }

    /// What was found, by requirement.
    #[must_use]
    pub fn finish(self) -> Vec<InvariantReport> {
        let report = |((requirement, name), (premises, broken))| {
            let (requirement, name): (&str, &str) = (requirement, name);
            let (requirement, name) = (requirement.to_owned(), name.to_owned());
            InvariantReport {
                name,
                requirement,
                premises,
                broken,
            }
        };
        self.ledger.reports.into_iter().map(report).collect()
    }
}

/// What a device is judged as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Roles {
    /// An aggregation port's partner.
    pub lacp: bool,
    /// An MLD router.
    pub router: bool,
    /// An MLD listener.
    pub listener: bool,
    /// A device of an E-Trunk.
    pub etrunk: bool,
}
