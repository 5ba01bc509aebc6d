//! The Selection Logic and standby links (LACP-095 to LACP-110).

use super::frames::{Answering, at, lacpdu};
use crate::octets::{copy, octet};
use crate::{Defect, Frames};
use dut_device::{Instant, PortId};
use dut_lacp::policy::deciding_port_id;
use dut_lacp::selection::{LagEnd, LagId};
use dut_wire::lacp::{Information, State};
use std::collections::BTreeMap;
use std::time::Duration;

/// A LAG ID of which both ends have been changed.
fn lag(actor: &Information, partner: &Information, change: fn(&mut LagEnd)) -> LagId {
    let mut lag = LagId::of(actor, partner);
    change(&mut lag.lower);
    change(&mut lag.higher);
    if lag.lower > lag.higher {
        std::mem::swap(&mut lag.lower, &mut lag.higher);
    }
    lag
}

/// Links whose LAG IDs differ in this alone are aggregated.
macro_rules! lag_without {
    ($change:expr) => {
        |rules| {
            rules.lacp.policy.lag_id = |actor, partner| lag(actor, partner, $change);
        }
    };
}

/// A partner that changes on one port has changed on its neighbour too.
#[derive(Debug, Default)]
struct ChangesTogether(BTreeMap<PortId, Vec<u8>>);

impl Frames for ChangesTogether {
    fn elsewhere(&mut self, _now: Instant, port: PortId, frame: &[u8]) -> Vec<(PortId, Vec<u8>)> {
        let system = at::ACTOR + at::SYSTEM;
        if !lacpdu(frame) {
            return Vec::new();
        }
        let old = self.0.insert(port, frame.to_vec());
        let new = frame.get(system..system + 6);
        let other = PortId(port.0 ^ 1);
        match (old, self.0.get(&other)) {
            (Some(old), Some(theirs)) if old.get(system..system + 6) != new => {
                let mut theirs = theirs.clone();
                copy(&mut theirs, system, frame, system, 6);
                vec![(other, theirs)]
            }
            (Some(_) | None, _) => Vec::new(),
        }
    }
}

/// Sends no LACPDU and takes none while either end is Individual.
#[derive(Debug)]
struct IndividualSilent;

impl Frames for IndividualSilent {
    fn sent(&mut self, _port: PortId, frame: Vec<u8>) -> Vec<Vec<u8>> {
        if lacpdu(&frame) && octet(&frame, at::ACTOR + at::STATE) & State::AGGREGATION == 0 {
            return Vec::new();
        }
        vec![frame]
    }

    fn received(&mut self, _now: Instant, _port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        if lacpdu(frame) && octet(frame, at::ACTOR + at::STATE) & State::AGGREGATION == 0 {
            return Vec::new();
        }
        vec![frame.to_vec()]
    }
}

fn same_system(frame: &[u8]) -> bool {
    frame.get(at::ACTOR + at::SYSTEM..at::ACTOR + at::KEY)
        == frame.get(at::PARTNER + at::SYSTEM..at::PARTNER + at::KEY)
}

/// Defects of the Selection Logic.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::data(
        "lacp-never-aggregates",
        &["LACP-095"],
        "every link stays alone",
        |rules| rules.lacp.policy.aggregatable = |_, _| false,
    ),
    Defect::data(
        "lacp-keys-ignored",
        &["LACP-096"],
        "links to different keys are aggregated",
        lag_without!(|end| end.key = 1),
    ),
    Defect::data(
        "lacp-systems-ignored",
        &["LACP-097"],
        "links to different systems are aggregated",
        lag_without!(|end| end.system = [2, 0, 0, 0, 0, 0]),
    ),
    Defect::data(
        "lacp-system-priorities-ignored",
        &["LACP-098"],
        "links to one address with different system priorities are aggregated",
        lag_without!(|end| end.system_priority = 1),
    ),
    Defect::data(
        "lacp-individual-partners-aggregated",
        &["LACP-100"],
        "links whose partners say Individual are aggregated",
        |rules| {
            rules.lacp.policy.aggregatable = |actor, _| actor.state.has(State::AGGREGATION);
            rules.lacp.policy.lag_id = |actor, partner| {
                lag(actor, partner, |end| {
                    end.port = 0;
                    end.port_priority = 0;
                })
            };
        },
    ),
    Defect::data(
        "lacp-individual-ports-aggregated",
        &["LACP-101"],
        "ports configured as Individual are aggregated",
        |rules| {
            rules.lacp.policy.aggregatable = |_, partner| partner.state.has(State::AGGREGATION);
            rules.lacp.policy.lag_id = |actor, partner| {
                lag(actor, partner, |end| {
                    end.port = 0;
                    end.port_priority = 0;
                })
            };
        },
    ),
    Defect::frames(
        "lacp-individual-silent",
        &["LACP-102"],
        "Individual links don't run LACP",
        || Box::new(IndividualSilent),
    )
    .seen("FreeBSD's lagg"),
    Defect::data(
        "lacp-loopback-aggregated",
        &["LACP-103", "LACP-104"],
        "a cable between two ports of one system is aggregated like any other link",
        |rules| rules.lacp.policy.loopback = |_, _| false,
    ),
    Defect::frames(
        "lacp-answers-itself",
        &["LACP-104"],
        "each LACPDU of the own system is answered by another",
        || {
            Box::new(Answering(|port, frame| {
                if lacpdu(frame) && same_system(frame) {
                    vec![(port, frame.to_vec())]
                } else {
                    Vec::new()
                }
            }))
        },
    )
    .seen("iPXE flooded a switch that echoed LACPDUs"),
    Defect::data(
        "lacp-same-port-twice",
        &["LACP-105"],
        "two links to one port of the partner are aggregated",
        |rules| rules.lacp.policy.same_port = |_, _| false,
    ),
    Defect::data(
        "lacp-no-standby",
        &["LACP-106"],
        "the greatest number of active links is ignored",
        |rules| rules.lacp.policy.max_active = |_| usize::MAX,
    ),
    Defect::data(
        "lacp-own-port-ids-decide",
        &["LACP-107"],
        "the own Port IDs decide which links are active, whoever has the lower System ID",
        |rules| {
            rules.lacp.policy.deciding_port_id = |actor, _| (actor.port_priority, actor.port);
        },
    ),
    Defect::data(
        "lacp-partner-port-ids-decide",
        &["LACP-107"],
        "the partner's Port IDs decide which links are active, whoever has the lower System ID",
        |rules| {
            rules.lacp.policy.deciding_port_id = |_, partner| (partner.port_priority, partner.port);
        },
    ),
    Defect::data(
        "lacp-port-priority-upside-down",
        &["LACP-107"],
        "the highest Port ID wins",
        |rules| {
            rules.lacp.policy.deciding_port_id = |actor, partner| {
                let (priority, port) = deciding_port_id(actor, partner);
                (u16::MAX - priority, u16::MAX - port)
            };
        },
    ),
    Defect::data(
        "lacp-standby-for-ever",
        &["LACP-108"],
        "a port that fails keeps its place",
        |rules| rules.lacp.policy.tier = |_, _| 0,
    ),
    Defect::data(
        "lacp-never-preempts",
        &["LACP-109"],
        "a better port that returns stays standby though preemption is configured",
        |rules| rules.lacp.policy.preempt_delay = |_| None,
    ),
    Defect::data(
        "lacp-always-preempts",
        &["LACP-109"],
        "a better port that returns takes its place at once though preemption isn't configured",
        |rules| rules.lacp.policy.preempt_delay = |_| Some(Duration::ZERO),
    ),
    Defect::frames(
        "lacp-moves-together",
        &["LACP-110"],
        "another partner on one link is another partner on all",
        || Box::new(ChangesTogether::default()),
    ),
];
