//! Always-on invariants: what must hold of every device's frames under every case.
//!
//! Each counts how often its premise held: one that was never exercised says nothing.

use crate::verdict::Finding;
use crate::{lacp, mld};
use harness_trace::{Direction, Frame, Point, PointId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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

/// Collects what the rules of one protocol find.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    reports: BTreeMap<(&'static str, &'static str), (u64, Option<Finding>)>,
}

impl Ledger {
    /// A premise of `requirement` held; `holds` says whether the rule did.
    pub(crate) fn rule(
        &mut self,
        requirement: &'static str,
        name: &'static str,
        (record, frame): (usize, &Frame),
        holds: bool,
        what: impl FnOnce() -> String,
    ) {
        let (premises, broken) = self.reports.entry((requirement, name)).or_default();
        *premises += 1;
        if !holds && broken.is_none() {
            *broken = Some(Finding {
                what: format!("{name}: {}", what()),
                line: None,
                requirement: Some(requirement.to_owned()),
                differences: Vec::new(),
                record: Some(record),
                at_ns: frame.at.as_nanos(),
            });
        }
    }
}

/// The always-on invariants over one trace.
#[derive(Debug)]
pub struct Invariants {
    /// The judged device at each point and direction.
    senders: BTreeMap<(PointId, Direction), String>,
    lacp: lacp::Rules,
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
                    senders.insert((id, direction), end.clone());
                }
            }
        }
        Self {
            senders,
            lacp: lacp::Rules::default(),
            ledger: Ledger::default(),
        }
    }

    /// A frame of the trace.
    pub fn frame(&mut self, record: usize, frame: &Frame) {
        let Some(sender) = self.senders.get(&(frame.point, frame.direction)).cloned() else {
            self.lacp.heard(frame);
            return;
        };
        self.judge(
            record,
            frame,
            &sender,
            Roles {
                lacp: true,
                router: true,
                listener: false,
            },
        );
    }

    /// A frame that `sender` sent in these roles.
    pub fn judge(&mut self, record: usize, frame: &Frame, sender: &str, roles: Roles) {
        if roles.lacp {
            self.lacp.judge(&mut self.ledger, record, frame, sender);
        }
        if roles.router || roles.listener {
            mld::judge(&mut self.ledger, record, frame, roles);
        }
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
}
