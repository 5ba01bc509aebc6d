//! Addresses, tags and lengths (LACP-001 to LACP-012).

use super::frames::{Answering, Incoming, Outgoing, at, lacpdu, slow};
use crate::Defect;
use crate::octets::{octet, put, put_all};
use dut_device::PortId;

const SLOW: [u8; 6] = [0x01, 0x80, 0xc2, 0, 0, 2];

/// Defects of frames and addresses.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::frames(
        "lacp-nearest-bridge-address",
        &["LACP-001"],
        "LACPDUs go to 01-80-C2-00-00-00",
        || {
            Box::new(Outgoing(|_, frame| {
                put(frame, 5, 0);
                true
            }))
        },
    ),
    Defect::frames(
        "lacp-one-source-address",
        &["LACP-002"],
        "all ports send from one MAC address",
        || {
            Box::new(Outgoing(|_, frame| {
                put_all(frame, 6, &[0x00, 0xe0, 0xfc, 0, 0, 1]);
                true
            }))
        },
    ),
    Defect::frames(
        "lacp-source-changes",
        &["LACP-002"],
        "the source address follows the port's state",
        || {
            Box::new(Outgoing(|_, frame| {
                let state = octet(frame, at::ACTOR + at::STATE);
                put(frame, 10, state);
                true
            }))
        },
    ),
    Defect::frames(
        "lacp-priority-tag",
        &["LACP-003"],
        "LACPDUs leave with a priority tag",
        || {
            Box::new(Outgoing(|_, frame| {
                frame.splice(12..12, [0x81, 0x00, 0xe0, 0x00]);
                true
            }))
        },
    ),
    Defect::frames(
        "lacp-length-128",
        &["LACP-004"],
        "four octets follow the LACPDU",
        || {
            Box::new(Outgoing(|_, frame| {
                frame.extend([0; 4]);
                true
            }))
        },
    ),
    Defect::frames(
        "lacp-any-destination",
        &["LACP-005"],
        "a LACPDU to any address is taken",
        || {
            Box::new(Incoming(|_, frame| {
                if lacpdu(frame) {
                    put_all(frame, 0, &SLOW);
                }
                true
            }))
        },
    ),
    Defect::frames(
        "lacp-takes-tags",
        &["LACP-006"],
        "a tag before a LACPDU is stripped",
        || {
            Box::new(Incoming(|_, frame| {
                if frame.get(12..14) == Some(&[0x81, 0x00]) {
                    frame.drain(12..16);
                }
                true
            }))
        },
    ),
    Defect::frames(
        "lacp-forwards",
        &["LACP-007"],
        "LACPDUs are forwarded like any multicast frame",
        || {
            Box::new(Answering(|port, frame| {
                if lacpdu(frame) {
                    vec![(PortId(port.0 ^ 1), frame.to_vec())]
                } else {
                    Vec::new()
                }
            }))
        },
    ),
    Defect::frames(
        "lacp-illegal-subtype-taken",
        &["LACP-008"],
        "an illegal subtype is read as LACP",
        || {
            Box::new(Incoming(|_, frame| {
                let subtype = octet(frame, at::SUBTYPE);
                if slow(frame, subtype) && (subtype == 0 || subtype > 10) {
                    put(frame, at::SUBTYPE, 1);
                }
                true
            }))
        },
    ),
    Defect::frames(
        "lacp-illegal-subtype-answered",
        &["LACP-008"],
        "a frame with an illegal subtype is sent back",
        || {
            Box::new(Answering(|port, frame| {
                let subtype = octet(frame, at::SUBTYPE);
                if slow(frame, subtype) && (subtype == 0 || subtype > 10) {
                    vec![(port, frame.to_vec())]
                } else {
                    Vec::new()
                }
            }))
        },
    ),
    Defect::frames(
        "lacp-unsupported-subtype-taken",
        &["LACP-009"],
        "another slow protocol's frame is read as LACP",
        || {
            Box::new(Incoming(|_, frame| {
                let subtype = octet(frame, at::SUBTYPE);
                if slow(frame, subtype) && (3..=10).contains(&subtype) {
                    put(frame, at::SUBTYPE, 1);
                }
                true
            }))
        },
    ),
    Defect::data(
        "lacp-no-limit",
        &["LACP-010", "LACP-085"],
        "transmission is not limited",
        |rules| {
            rules.lacp.constants.tx_limit = 1000;
        },
    ),
    Defect::frames(
        "lacp-silent-out-of-sync",
        &["LACP-012"],
        "a port that hears its partner sends only in Synchronization",
        || {
            Box::new(Outgoing(|_, frame| {
                // Synchronization, Defaulted and Expired.
                octet(frame, at::ACTOR + at::STATE) & 0xc8 != 0
            }))
        },
    ),
];
