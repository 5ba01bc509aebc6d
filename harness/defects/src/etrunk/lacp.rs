//! What LACP shows of a role (ETRUNK-049 to ETRUNK-053).

use crate::Defect;
use crate::lacp::frames::{Outgoing, at};
use crate::octets::{octet, put_all};

const SYNCHRONIZATION: u8 = 0x08;

/// Defects of the ties to LACP.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::data(
        "etrunk-backup-not-held",
        &["ETRUNK-049"],
        "a backup member sets Synchronization",
        |rules| rules.pair.holds = |_| false,
    ),
    Defect::data(
        "etrunk-master-held",
        &["ETRUNK-041"],
        "a master's member is held back too",
        |rules| rules.pair.holds = |_| true,
    ),
    Defect::frames(
        "etrunk-backup-without-lacp",
        &["ETRUNK-049"],
        "a backup member sends no LACPDU",
        || {
            Box::new(Outgoing(|_, frame| {
                octet(frame, at::ACTOR + at::STATE) & SYNCHRONIZATION != 0
            }))
        },
    ),
    Defect::frames(
        "etrunk-system-follows-role",
        &["ETRUNK-052"],
        "the LACP system identifier is the device's own while its member is Backup",
        || {
            Box::new(Outgoing(|_, frame| {
                if octet(frame, at::ACTOR + at::STATE) & SYNCHRONIZATION == 0 {
                    put_all(
                        frame,
                        at::ACTOR + at::SYSTEM,
                        &[0x00, 0xe0, 0xfc, 0, 0x0a, 0],
                    );
                }
                true
            }))
        },
    ),
    Defect::frames(
        "etrunk-key-follows-role",
        &["ETRUNK-052"],
        "a backup member announces another key",
        || {
            Box::new(Outgoing(|_, frame| {
                if octet(frame, at::ACTOR + at::STATE) & SYNCHRONIZATION == 0 {
                    put_all(frame, at::ACTOR + at::KEY, &[0x80, 1]);
                }
                true
            }))
        },
    ),
    Defect::frames(
        "etrunk-ordinary-lacp-priority",
        &["ETRUNK-053"],
        "the ordinary LACP priority is announced",
        || {
            Box::new(Outgoing(|_, frame| {
                put_all(frame, at::ACTOR + at::SYSTEM_PRIORITY, &[0, 100]);
                true
            }))
        },
    ),
    Defect::data(
        "etrunk-ports-not-raised",
        &["ETRUNK-051"],
        "no device raises its port numbers",
        |rules| rules.pair.raises_ports = |_, _| false,
    ),
    Defect::data(
        "etrunk-smaller-raises-ports",
        &["ETRUNK-051"],
        "the device with the smaller address raises its port numbers",
        |rules| rules.pair.raises_ports = |source, peer| source < peer,
    ),
];
