//! What LACPDUs say (LACP-013 to LACP-031).

use super::frames::{Memory, Outgoing, Translate, at};
use crate::Defect;
use crate::octets::{copy, octet, put, put_all};

const STATE: usize = at::ACTOR + at::STATE;
const PARTNER_STATE: usize = at::PARTNER + at::STATE;
const FIVE: usize = at::SYSTEM_PRIORITY;

fn set(frame: &mut [u8], at: usize, bits: u8) {
    let value = octet(frame, at) | bits;
    put(frame, at, value);
}

fn clear(frame: &mut [u8], at: usize, bits: u8) {
    let value = octet(frame, at) & !bits;
    put(frame, at, value);
}

/// Defects of what is said.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::frames(
        "lacp-says-version-2",
        &["LACP-013"],
        "version 1 LACPDUs are called version 2",
        || {
            Box::new(Outgoing(|_, frame| {
                put(frame, at::VERSION, 2);
                true
            }))
        },
    ),
    Defect::frames(
        "lacp-collector-length",
        &["LACP-014"],
        "the Collector TLV is said to have 20 octets",
        || {
            Box::new(Outgoing(|_, frame| {
                put(frame, at::COLLECTOR + 1, 20);
                true
            }))
        },
    ),
    Defect::frames(
        "lacp-reserved-not-zero",
        &["LACP-015"],
        "reserved octets are sent as ones",
        || {
            Box::new(Outgoing(|_, frame| {
                put(frame, at::ACTOR + at::RESERVED, 0xff);
                true
            }))
        },
    ),
    Defect::frames(
        "lacp-reserved-reflected",
        &["LACP-016"],
        "reserved octets of the partner's TLV come back",
        || {
            Memory::boxed(|frame, known| {
                let from = at::ACTOR + at::RESERVED;
                copy(frame, at::PARTNER + at::RESERVED, &known.received, from, 3);
            })
        },
    ),
    Defect::frames(
        "lacp-system-per-port",
        &["LACP-017"],
        "each port says its own MAC address as the system",
        || {
            fn change(port: u16, frame: &mut [u8], at: usize) {
                let own = u8::try_from(port).unwrap_or(0x7f);
                let value = octet(frame, at) ^ own;
                put(frame, at, value);
            }
            Box::new(Translate(
                |port, frame| change(port.0, frame, at::ACTOR + at::SYSTEM + 5),
                |port, frame| change(port.0, frame, at::PARTNER + at::SYSTEM + 5),
            ))
        },
    ),
    Defect::frames(
        "lacp-system-priority-fixed",
        &["LACP-018"],
        "Actor_System_Priority is 32768 whatever is configured",
        || {
            Box::new(Outgoing(|_, frame| {
                put_all(frame, at::ACTOR + at::SYSTEM_PRIORITY, &[0x80, 0]);
                true
            }))
        },
    ),
    Defect::frames(
        "lacp-port-number-shared",
        &["LACP-019"],
        "every port is port 1",
        || {
            Box::new(Outgoing(|_, frame| {
                put_all(frame, at::ACTOR + at::PORT, &[0, 1]);
                true
            }))
        },
    ),
    Defect::frames(
        "lacp-key-per-port",
        &["LACP-020"],
        "ports of one group say different keys",
        || {
            Box::new(Outgoing(|port, frame| {
                let [high, low] = port.0.wrapping_add(1).to_be_bytes();
                put_all(frame, at::ACTOR + at::KEY, &[high, low]);
                true
            }))
        },
    ),
    Defect::frames(
        "lacp-one-key",
        &["LACP-020", "LACP-099"],
        "ports of different groups say one key",
        || {
            Box::new(Outgoing(|_, frame| {
                put_all(frame, at::ACTOR + at::KEY, &[0, 1]);
                true
            }))
        },
    ),
    Defect::frames(
        "lacp-port-priority-fixed",
        &["LACP-021"],
        "Actor_Port_Priority is 32768 whatever is configured",
        || {
            Box::new(Outgoing(|_, frame| {
                put_all(frame, at::ACTOR + at::PORT_PRIORITY, &[0x80, 0]);
                true
            }))
        },
    ),
    Defect::frames(
        "lacp-always-says-active",
        &["LACP-022"],
        "a passive port says that it is active",
        || {
            Box::new(Outgoing(|_, frame| {
                set(frame, STATE, 0x01);
                true
            }))
        },
    ),
    Defect::frames(
        "lacp-never-says-active",
        &["LACP-022"],
        "an active port says that it is passive",
        || {
            Box::new(Outgoing(|_, frame| {
                clear(frame, STATE, 0x01);
                true
            }))
        },
    )
    .seen("faucet didn't set the bit when configured active"),
    Defect::frames(
        "lacp-always-says-short",
        &["LACP-023"],
        "a port with long timeout says short",
        || {
            Box::new(Outgoing(|_, frame| {
                set(frame, STATE, 0x02);
                true
            }))
        },
    ),
    Defect::frames(
        "lacp-never-says-short",
        &["LACP-023"],
        "a port with short timeout says long",
        || {
            Box::new(Outgoing(|_, frame| {
                clear(frame, STATE, 0x02);
                true
            }))
        },
    ),
    Defect::frames(
        "lacp-always-says-aggregatable",
        &["LACP-024", "LACP-101"],
        "a port configured as Individual says that it is aggregatable",
        || {
            Box::new(Outgoing(|_, frame| {
                set(frame, STATE, 0x04);
                true
            }))
        },
    ),
    Defect::frames(
        "lacp-collecting-out-of-sync",
        &["LACP-025"],
        "Collecting and Distributing are cleared one LACPDU after Synchronization",
        || {
            Memory::boxed(|frame, known| {
                if octet(frame, STATE) & 0x08 == 0 {
                    set(frame, STATE, octet(&known.sent, STATE) & 0x30);
                }
            })
        },
    ),
    Defect::frames(
        "lacp-distributing-lingers",
        &["LACP-025", "LACP-119"],
        "Distributing is cleared one LACPDU after Collecting",
        || {
            Memory::boxed(|frame, known| {
                if octet(frame, STATE) & 0x10 == 0 {
                    set(frame, STATE, octet(&known.sent, STATE) & 0x20);
                }
            })
        },
    ),
    Defect::frames(
        "lacp-echoes-no-port",
        &["LACP-026"],
        "the Partner TLV says port 0",
        || {
            Box::new(Outgoing(|_, frame| {
                put_all(frame, at::PARTNER + at::PORT, &[0, 0]);
                true
            }))
        },
    ),
    Defect::frames(
        "lacp-echoes-raw-state",
        &["LACP-027"],
        "Partner_State repeats Synchronization as received, not as recordPDU computed it",
        || {
            Memory::boxed(|frame, known| {
                let heard = octet(frame, STATE) & 0xc0 == 0;
                if heard && octet(&known.received, STATE) & 0x08 != 0 {
                    set(frame, PARTNER_STATE, 0x08);
                }
            })
        },
    ),
    Defect::frames(
        "lacp-echoes-no-collecting",
        &["LACP-027"],
        "Partner_State is said without Collecting and Distributing",
        || {
            Box::new(Outgoing(|_, frame| {
                clear(frame, PARTNER_STATE, 0x30);
                true
            }))
        },
    ),
    Defect::frames(
        "lacp-defaulted-remembers",
        &["LACP-028"],
        "a port in DEFAULTED says the partner that it lost",
        || {
            Memory::boxed(|frame, known| {
                if octet(frame, STATE) & 0x40 != 0 {
                    let from = at::ACTOR + FIVE;
                    copy(frame, at::PARTNER + FIVE, &known.received, from, 14);
                }
            })
        },
    ),
    Defect::frames(
        "lacp-defaulted-and-expired",
        &["LACP-029"],
        "DEFAULTED leaves Expired set",
        || {
            Memory::boxed(|frame, known| {
                if octet(frame, STATE) & 0x40 != 0 && !known.received.is_empty() {
                    set(frame, STATE, 0x80);
                }
            })
        },
    ),
    Defect::frames(
        "lacp-collector-delay-counts",
        &["LACP-030"],
        "Collector_Max_Delay holds whatever the memory held",
        || {
            Memory::boxed(|frame, known| {
                put_all(frame, at::COLLECTOR + 2, &known.count.to_be_bytes());
            })
        },
    ),
    Defect::frames(
        "lacp-queued-content",
        &["LACP-031"],
        "a LACPDU that the limit holds back is made when it is asked for",
        || {
            Memory::boxed(|frame, known| {
                if let Some(first) = known.fresh.first() {
                    let from = at::ACTOR + FIVE;
                    copy(frame, at::PARTNER + FIVE, first, from, 14);
                }
            })
        },
    ),
];
