//! What is taken and what is refused (LACP-032 to LACP-046).

use super::frames::{Dies, Incoming, at, lacpdu, slow};
use crate::octets::{octet, put, put_all};
use crate::{Defect, Frames};
use dut_device::{Instant, PortId};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Where LACPDUs have a type octet; the length follows it.
const TLVS: [usize; 4] = [at::ACTOR, at::PARTNER, at::COLLECTOR, at::TERMINATOR];
const TYPES: [u8; 4] = [1, 2, 3, 0];
const LENGTHS: [u8; 4] = [20, 20, 16, 0];

fn types_hold(frame: &[u8]) -> bool {
    TLVS.iter()
        .zip(TYPES)
        .all(|(at, value)| octet(frame, *at) == value)
}

fn lengths_hold(frame: &[u8]) -> bool {
    TLVS.iter()
        .zip(LENGTHS)
        .all(|(at, value)| octet(frame, at + 1) == value)
}

/// Takes a LACPDU only when this holds.
macro_rules! only_if {
    ($holds:expr) => {
        || {
            Box::new(Incoming(|_, frame| {
                let holds: fn(&[u8]) -> bool = $holds;
                !lacpdu(frame) || holds(frame)
            }))
        }
    };
}

/// Answers LACPDUs on a port that has never sent one.
#[derive(Debug, Default)]
struct AnswersDisabled {
    talks: BTreeSet<PortId>,
}

impl Frames for AnswersDisabled {
    fn sent(&mut self, port: PortId, frame: Vec<u8>) -> Vec<Vec<u8>> {
        if lacpdu(&frame) {
            self.talks.insert(port);
        }
        vec![frame]
    }

    fn answer(&mut self, _now: Instant, port: PortId, frame: &[u8]) -> Vec<(PortId, Vec<u8>)> {
        if !lacpdu(frame) || self.talks.contains(&port) {
            return Vec::new();
        }
        let mut answer = frame.to_vec();
        put_all(&mut answer, 6, &[0x00, 0xe0, 0xfc, 0, 0, 2]);
        put_all(
            &mut answer,
            at::ACTOR + at::SYSTEM,
            &[0x00, 0xe0, 0xfc, 0, 0, 1],
        );
        vec![(port, answer)]
    }
}

/// Has buffers for this many frames, and gives none back.
#[derive(Debug)]
struct Leaks(u32);

impl Frames for Leaks {
    fn received(&mut self, _now: Instant, _port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        self.0 = self.0.saturating_sub(1);
        if self.0 == 0 {
            Vec::new()
        } else {
            vec![frame.to_vec()]
        }
    }
}

/// Takes a hundred frames a second on all ports together, and none for ten seconds after more.
#[derive(Debug, Default)]
struct OneBudget {
    since: Option<Instant>,
    taken: u32,
}

impl Frames for OneBudget {
    fn received(&mut self, now: Instant, _port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        let since = *self.since.get_or_insert(now);
        let window = if self.taken > 100 { 10 } else { 1 };
        if now.since(since) >= Duration::from_secs(window) {
            self.since = Some(now);
            self.taken = 0;
        }
        self.taken += 1;
        if self.taken > 100 {
            Vec::new()
        } else {
            vec![frame.to_vec()]
        }
    }
}

/// Takes the source address for the partner when it has changed.
#[derive(Debug, Default)]
struct SourceIsIdentity {
    first: BTreeMap<PortId, Vec<u8>>,
}

impl Frames for SourceIsIdentity {
    fn received(&mut self, _now: Instant, port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        let mut frame = frame.to_vec();
        let source = frame.get(6..12).unwrap_or_default().to_vec();
        let first = self.first.entry(port).or_insert_with(|| source.clone());
        if lacpdu(&frame) && *first != source {
            put_all(&mut frame, at::ACTOR + at::SYSTEM, &source);
        }
        vec![frame]
    }
}

/// Defects of the parser and of what a flood does.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::frames(
        "lacp-version-validated",
        &["LACP-032"],
        "only LACPDUs of version 1 are taken",
        only_if!(|frame| octet(frame, at::VERSION) == 1),
    ),
    Defect::frames(
        "lacp-types-validated",
        &["LACP-033"],
        "LACPDUs with another TLV type are dropped",
        only_if!(types_hold),
    ),
    Defect::frames(
        "lacp-terminator-type-validated",
        &["LACP-033"],
        "LACPDUs with another type in the last TLV are dropped",
        only_if!(|frame| octet(frame, at::TERMINATOR) == 0),
    ),
    Defect::frames(
        "lacp-reserved-validated",
        &["LACP-034"],
        "LACPDUs with reserved octets that aren't zero are dropped",
        only_if!(|frame| octet(frame, at::ACTOR + at::RESERVED) == 0),
    ),
    Defect::frames(
        "lacp-wrong-length-half-taken",
        &["LACP-035"],
        "of a LACPDU with a wrong TLV length a part is recorded",
        || {
            Box::new(Incoming(|_, frame| {
                if lacpdu(frame) && !lengths_hold(frame) {
                    for (at, length) in TLVS.iter().zip(LENGTHS) {
                        put(frame, at + 1, length);
                    }
                    put_all(frame, at::ACTOR + at::PORT, &[0, 0]);
                }
                true
            }))
        },
    ),
    Defect::frames(
        "lacp-short-padded",
        &["LACP-036", "LACP-066"],
        "a LACPDU that is too short is read as if zeros followed",
        || {
            Box::new(Incoming(|_, frame| {
                if slow(frame, 1) && frame.len() < at::END {
                    frame.resize(at::END, 0);
                    for (at, length) in TLVS.iter().zip(LENGTHS) {
                        put(frame, at + 1, length);
                    }
                }
                true
            }))
        },
    )
    .seen("OpenSwitch's lacpd doesn't check the length"),
    Defect::frames(
        "lacp-short-taken",
        &["LACP-036"],
        "73 octets of a LACPDU are enough",
        || {
            Box::new(Incoming(|_, frame| {
                if slow(frame, 1) && frame.len() > at::TERMINATOR {
                    let length = frame.len().max(at::END);
                    frame.resize(length, 0);
                }
                true
            }))
        },
    ),
    Defect::frames(
        "lacp-exact-length",
        &["LACP-037"],
        "a LACPDU with octets after the 110th is dropped",
        only_if!(|frame| frame.len() == at::END),
    )
    .seen("FreeBSD's lagg requires 124 octets exactly"),
    Defect::frames(
        "lacp-version-2-half-taken",
        &["LACP-038"],
        "of a LACPDU with further TLVs only the first half of the Actor TLV is recorded",
        || {
            Box::new(Incoming(|_, frame| {
                if lacpdu(frame) && octet(frame, at::TERMINATOR) == 4 {
                    put_all(frame, at::ACTOR + at::PORT, &[0, 0]);
                }
                true
            }))
        },
    ),
    Defect::frames(
        "lacp-dies-of-long-lacpdus",
        &["LACP-039"],
        "nothing is received any more after a LACPDU of more than 600 octets",
        || Dies::of(|frame| lacpdu(frame) && frame.len() > 600),
    ),
    Defect::frames(
        "lacp-answers-when-disabled",
        &["LACP-040", "LACP-073"],
        "LACPDUs are answered on a port on which LACP is disabled",
        || Box::new(AnswersDisabled::default()),
    ),
    Defect::frames(
        "lacp-source-is-identity",
        &["LACP-041"],
        "another source address is another partner",
        || Box::new(SourceIsIdentity::default()),
    ),
    Defect::frames(
        "lacp-dies-of-a-state",
        &["LACP-042"],
        "nothing is received any more after an Actor_State of 0xAA",
        || Dies::of(|frame| lacpdu(frame) && octet(frame, at::ACTOR + at::STATE) == 0xaa),
    ),
    Defect::data(
        "lacp-any-system",
        &["LACP-043"],
        "a partner whose system is zero or a group address is aggregated",
        |rules| {
            rules.lacp.policy.valid_partner = |partner| partner.key != 0 && partner.port != 0;
        },
    ),
    Defect::data(
        "lacp-port-zero",
        &["LACP-044"],
        "a partner's port 0 is aggregated",
        |rules| {
            rules.lacp.policy.valid_partner =
                |partner| partner.key != 0 && partner.system != [0; 6];
        },
    ),
    Defect::data(
        "lacp-key-zero",
        &["LACP-044"],
        "a partner's key 0 is aggregated",
        |rules| {
            rules.lacp.policy.valid_partner =
                |partner| partner.port != 0 && partner.system != [0; 6];
        },
    ),
    Defect::frames(
        "lacp-leaks",
        &["LACP-045"],
        "nothing is received any more after 20,000 frames",
        || Box::new(Leaks(20_000)),
    ),
    Defect::frames(
        "lacp-one-budget",
        &["LACP-046"],
        "all ports share one limit of received LACPDUs",
        || Box::new(OneBudget::default()),
    ),
];
