//! The Marker responder (LACP-125 to LACP-130).

use super::frames::{Answering, Incoming, at, slow};
use crate::octets::{copy, octet, put, put_all};
use crate::{Defect, Frames};
use dut_device::{Instant, PortId};
use std::time::Duration;

/// Where the Marker PDU's TLV_type is.
const TLV_TYPE: usize = 16;
/// Where its reserved octets begin.
const RESERVED: usize = 34;

fn marker(frame: &[u8]) -> bool {
    slow(frame, 2) && frame.len() >= at::END
}

/// The response to a Marker PDU, from a source of its own.
fn response(frame: &[u8]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    put_all(&mut frame, 6, &[0x00, 0xe0, 0xfc, 0, 0, 9]);
    put(&mut frame, TLV_TYPE, 2);
    frame
}

/// Changes every Marker Response PDU.
#[derive(Debug)]
struct Responses(fn(&mut Vec<u8>));

impl Frames for Responses {
    fn sent(&mut self, _port: PortId, mut frame: Vec<u8>) -> Vec<Vec<u8>> {
        if marker(&frame) {
            (self.0)(&mut frame);
        }
        vec![frame]
    }
}

/// Answers three Marker PDUs a second.
#[derive(Debug, Default)]
struct Limited {
    since: Option<Instant>,
    taken: u32,
}

impl Frames for Limited {
    fn received(&mut self, now: Instant, _port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        if !marker(frame) {
            return vec![frame.to_vec()];
        }
        let since = *self.since.get_or_insert(now);
        if now.since(since) >= Duration::from_secs(1) {
            self.since = Some(now);
            self.taken = 0;
        }
        self.taken += 1;
        if self.taken > 3 {
            Vec::new()
        } else {
            vec![frame.to_vec()]
        }
    }
}

/// Defects of the Marker responder.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::frames(
        "lacp-marker-not-answered",
        &["LACP-125"],
        "Marker PDUs aren't answered",
        || Box::new(Incoming(|_, frame| !marker(frame))),
    ),
    Defect::frames(
        "lacp-marker-answered-twice",
        &["LACP-125"],
        "a Marker PDU is answered twice",
        || {
            Box::new(Answering(|port, frame| {
                if marker(frame) && octet(frame, TLV_TYPE) == 1 {
                    vec![(port, response(frame))]
                } else {
                    Vec::new()
                }
            }))
        },
    ),
    Defect::frames(
        "lacp-marker-answered-elsewhere",
        &["LACP-125"],
        "a Marker PDU is answered on another link of the group too",
        || {
            Box::new(Answering(|port, frame| {
                if marker(frame) && octet(frame, TLV_TYPE) == 1 {
                    vec![(PortId(port.0 ^ 1), response(frame))]
                } else {
                    Vec::new()
                }
            }))
        },
    ),
    Defect::frames(
        "lacp-marker-reserved-cleared",
        &["LACP-126"],
        "a response has zero in its reserved octets",
        || Box::new(Responses(|frame| put_all(frame, RESERVED, &[0; 90]))),
    ),
    Defect::frames(
        "lacp-marker-destination",
        &["LACP-126"],
        "a response goes to the requester's own address",
        || {
            Box::new(Responses(|frame| {
                let requester = frame.clone();
                copy(frame, 0, &requester, 20, 6);
            }))
        },
    ),
    Defect::frames(
        "lacp-marker-transaction-of-16-bits",
        &["LACP-126", "LACP-129"],
        "a response repeats 16 bits of the transaction",
        || Box::new(Responses(|frame| put_all(frame, 26, &[0, 0]))),
    ),
    Defect::frames(
        "lacp-marker-version-validated",
        &["LACP-127"],
        "only Marker PDUs of version 1 are answered",
        || {
            Box::new(Incoming(|_, frame| {
                !marker(frame) || octet(frame, at::VERSION) == 1
            }))
        },
    )
    .seen("FreeBSD's lagg"),
    Defect::frames(
        "lacp-marker-response-answered",
        &["LACP-128"],
        "Marker Response PDUs are answered",
        || {
            Box::new(Answering(|port, frame| {
                if marker(frame) && octet(frame, TLV_TYPE) == 2 {
                    vec![(port, response(frame))]
                } else {
                    Vec::new()
                }
            }))
        },
    )
    .seen("VPP's lacp plugin and OpenSwitch's lacpd: two of them loop for ever"),
    Defect::frames(
        "lacp-marker-limited",
        &["LACP-129"],
        "three Marker PDUs a second are answered",
        || Box::new(Limited::default()),
    ),
    Defect::frames(
        "lacp-marker-unknown-cut",
        &["LACP-130"],
        "a Marker PDU of an unknown type is answered with what of it was understood",
        || {
            Box::new(Answering(|port, frame| {
                if marker(frame) && octet(frame, TLV_TYPE) > 2 {
                    let mut answer = response(frame);
                    answer.truncate(TLV_TYPE + 2);
                    vec![(port, answer)]
                } else {
                    Vec::new()
                }
            }))
        },
    ),
];
