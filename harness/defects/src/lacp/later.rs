//! Defects that were invented after the suite was finished, to see whether it is.

use super::frames::{Incoming, at, lacpdu, slow};
use crate::octets::{octet, put, put_all};
use crate::{Defect, Frames};
use dut_device::{Instant, PortId};
use dut_lacp::policy::{deciding_port_id, valid_partner};
use dut_wire::lacp::State;
use std::collections::BTreeMap;

/// Hears nothing more after so many LACPDUs on a port.
#[derive(Debug, Default)]
struct CounterOverflows(BTreeMap<PortId, u16>);

impl Frames for CounterOverflows {
    fn received(&mut self, _now: Instant, port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        let count = self.0.entry(port).or_default();
        if lacpdu(frame) {
            *count = count.saturating_add(1);
        }
        if *count > 1000 {
            return Vec::new();
        }
        vec![frame.to_vec()]
    }
}

/// A partner that once asked for the fast rate is sent LACPDUs at it for ever.
#[derive(Debug, Default)]
struct FastForEver(BTreeMap<PortId, bool>);

impl Frames for FastForEver {
    fn received(&mut self, _now: Instant, port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        let mut frame = frame.to_vec();
        if lacpdu(&frame) {
            let fast = self.0.entry(port).or_default();
            let state = octet(&frame, at::ACTOR + at::STATE);
            *fast |= state & State::LACP_TIMEOUT != 0;
            if *fast {
                put(
                    &mut frame,
                    at::ACTOR + at::STATE,
                    state | State::LACP_TIMEOUT,
                );
            }
        }
        vec![frame]
    }
}

/// Answers every Marker PDU by the first port.
#[derive(Debug, Default)]
struct MarkersByFirst(Vec<Vec<u8>>);

impl Frames for MarkersByFirst {
    fn sent(&mut self, port: PortId, frame: Vec<u8>) -> Vec<Vec<u8>> {
        if slow(&frame, 2) && port != PortId(0) {
            self.0.push(frame);
            return Vec::new();
        }
        let mut frames = vec![frame];
        if port == PortId(0) {
            frames.append(&mut self.0);
        }
        frames
    }
}

/// Defects invented later.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::frames(
        "lacp-eighth-port-deaf",
        &["LACP-095"],
        "the eighth port of a group receives nothing",
        || Box::new(Incoming(|port, _| port != PortId(7))),
    ),
    Defect::frames(
        "lacp-deaf-after-a-thousand",
        &["LACP-045", "LACP-065"],
        "a port hears nothing more after its thousandth LACPDU",
        || Box::new(CounterOverflows::default()),
    ),
    Defect::frames(
        "lacp-fast-for-ever",
        &["LACP-078"],
        "a partner that once asked for the fast rate is sent LACPDUs at it for ever",
        || Box::new(FastForEver::default()),
    ),
    Defect::frames(
        "lacp-markers-by-first-port",
        &["LACP-125"],
        "every Marker PDU is answered by the group's first port",
        || Box::new(MarkersByFirst::default()),
    ),
    Defect::data(
        "lacp-signed-port-priorities",
        &["LACP-107"],
        "port priorities of 32768 and more are taken for negative ones, and are the best",
        |rules| {
            rules.lacp.policy.deciding_port_id = |actor, partner| {
                let (priority, port) = deciding_port_id(actor, partner);
                (priority.wrapping_add(0x8000), port)
            };
        },
    ),
    Defect::data(
        "lacp-lower-address-decides",
        &["LACP-107"],
        "the system with the lower address decides which links are active, whatever the priorities",
        |rules| {
            rules.lacp.policy.deciding_port_id = |actor, partner| {
                if actor.system < partner.system {
                    (actor.port_priority, actor.port)
                } else {
                    (partner.port_priority, partner.port)
                }
            };
        },
    ),
    Defect::data(
        "lacp-high-port-numbers-refused",
        &["LACP-095"],
        "a partner's port number above 32767 counts as none",
        |rules| {
            rules.lacp.policy.valid_partner =
                |partner| valid_partner(partner) && partner.port < 0x8000;
        },
    ),
    Defect::frames(
        "lacp-key-of-one-octet",
        &["LACP-052", "LACP-096"],
        "only the low octet of the partner's key is recorded",
        || {
            Box::new(Incoming(|_, frame| {
                if lacpdu(frame) {
                    put_all(frame, at::ACTOR + at::KEY, &[0]);
                }
                true
            }))
        },
    ),
    Defect::data(
        "lacp-fourth-link-standby",
        &["LACP-095"],
        "no more than three links are ever active",
        |rules| rules.lacp.policy.max_active = |configured| usize::from(configured.clamp(1, 3)),
    ),
    Defect::data(
        "lacp-standby-one-too-many",
        &["LACP-106"],
        "one link more than the greatest number is active when that is two or more",
        |rules| {
            rules.lacp.policy.max_active = |configured| {
                let more = u16::from(configured >= 2);
                usize::from(configured.saturating_add(more).max(1))
            };
        },
    ),
];
