//! The checks on receipt (ETRUNK-008 to ETRUNK-025, ETRUNK-057).

use super::RIGHT;
use super::frames::{Mends, at};
use crate::Defect;
use crate::octets::{octet, put_all};

fn word(payload: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([octet(payload, at), octet(payload, at + 1)])
}

/// A check that mends what it should refuse.
macro_rules! mends {
    ($change:expr) => {
        || Box::new(Mends($change))
    };
}

/// Defects of the checks.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::frames(
        "etrunk-magic-unchecked",
        &["ETRUNK-009"],
        "the magic isn't looked at",
        mends!(|payload| put_all(payload, at::MAGIC, b"TETK")),
    ),
    Defect::frames(
        "etrunk-major-unchecked",
        &["ETRUNK-009"],
        "a hello of another major version is read as one of version 1",
        mends!(|payload| put_all(payload, at::MAJOR, &[1])),
    ),
    Defect::frames(
        "etrunk-length-unchecked",
        &["ETRUNK-009"],
        "Length isn't compared with the datagram",
        mends!(|payload| {
            let length = u16::try_from(payload.len()).unwrap_or(0);
            put_all(payload, at::LENGTH, &length.to_be_bytes());
        }),
    ),
    Defect::data(
        "etrunk-id-unchecked",
        &["ETRUNK-008"],
        "hellos of another E-Trunk are taken",
        |rules| rules.etrunk.e_trunk_id = |_, _| true,
    ),
    Defect::data(
        "etrunk-addr-unchecked",
        &["ETRUNK-010"],
        "ADDR isn't compared with the configured addresses",
        |rules| rules.etrunk.addresses = |mirror, datagram, _| datagram == mirror,
    ),
    Defect::data(
        "etrunk-source-unchecked",
        &["ETRUNK-010"],
        "hellos of any source are taken when ADDR is right",
        |rules| {
            rules.etrunk.addresses =
                |mirror, datagram, told| told.map_or(datagram == mirror, |told| told == mirror);
        },
    ),
    Defect::frames(
        "etrunk-unknown-tlv-skipped",
        &["ETRUNK-011"],
        "an unknown TLV that must be understood is skipped",
        mends!(|payload| {
            for start in (44..payload.len().saturating_sub(3)).step_by(4) {
                if word(payload, start) == 0x80ff {
                    put_all(payload, start, &[0x7f]);
                }
            }
        }),
    ),
    Defect::frames(
        "etrunk-padding-unchecked",
        &["ETRUNK-011"],
        "padding isn't looked at",
        mends!(|payload| {
            for start in (44..payload.len().saturating_sub(7)).step_by(4) {
                if payload.get(start..start + 4) == Some(&[0x7f, 0xff, 0, 1]) {
                    put_all(payload, start + 5, &[0, 0, 0]);
                }
            }
        }),
    ),
    Defect::data(
        "etrunk-digest-unchecked",
        &["ETRUNK-013"],
        "the digest isn't looked at",
        |rules| rules.etrunk.authentic = |_, _, _, _| true,
    ),
    Defect::data(
        "etrunk-any-algorithm",
        &["ETRUNK-014"],
        "a right digest of any algorithm is taken",
        |rules| {
            rules.etrunk.authentic = |body, _, key, endpoints| {
                use dut_etrunk::AuthenticationMode as Mode;
                [Mode::HmacSha1, Mode::HmacSha256, Mode::EnhancedHmacSha256]
                    .into_iter()
                    .any(|mode| (RIGHT.authentic)(body, mode, key, endpoints))
            };
        },
    ),
    Defect::data(
        "etrunk-enhanced-without-ports",
        &["ETRUNK-016"],
        "the enhanced digest is computed with the ports left zero on receipt",
        |rules| {
            rules.etrunk.authentic = |body, mode, key, endpoints| {
                let mut wrong = *endpoints;
                wrong.source_port = 0;
                wrong.destination_port = 0;
                (RIGHT.authentic)(body, mode, key, &wrong)
            };
        },
    ),
    Defect::data(
        "etrunk-enhanced-mirrored",
        &["ETRUNK-016"],
        "the enhanced digest is computed with the own address as source on receipt",
        |rules| {
            rules.etrunk.authentic = |body, mode, key, endpoints| {
                let mut wrong = *endpoints;
                std::mem::swap(&mut wrong.source, &mut wrong.destination);
                (RIGHT.authentic)(body, mode, key, &wrong)
            };
        },
    ),
    Defect::data(
        "etrunk-replay-taken",
        &["ETRUNK-017"],
        "the same Sequence is taken again",
        |rules| {
            rules.etrunk.sequence = |enabled, epoch, sequence, last| {
                (RIGHT.sequence)(enabled, epoch, sequence, last)
                    || (enabled && sequence.is_some_and(|sequence| (epoch, sequence) == last))
            };
        },
    ),
    Defect::data(
        "etrunk-sequence-without-epoch",
        &["ETRUNK-018"],
        "the window looks at Sequence alone, so that a restarted peer isn't heard",
        |rules| {
            rules.etrunk.sequence = |enabled, _, sequence, last| match (enabled, sequence) {
                (true, Some(sequence)) => sequence > last.1,
                (false, None) => true,
                (true, None) | (false, Some(_)) => false,
            };
        },
    ),
    Defect::data(
        "etrunk-epoch-without-order",
        &["ETRUNK-018"],
        "any other Boot_Epoch begins a new window, an earlier one too",
        |rules| {
            rules.etrunk.sequence = |enabled, epoch, sequence, last| match (enabled, sequence) {
                (true, Some(sequence)) => epoch != last.0 || sequence > last.1,
                (false, None) => true,
                (true, None) | (false, Some(_)) => false,
            };
        },
    ),
    Defect::data(
        "etrunk-sequence-optional",
        &["ETRUNK-017", "ETRUNK-019"],
        "with sequence enabled a hello that isn't numbered is taken",
        |rules| {
            rules.etrunk.sequence = |enabled, epoch, sequence, last| {
                sequence.is_none() || (RIGHT.sequence)(enabled, epoch, sequence, last)
            };
        },
    ),
    Defect::data(
        "etrunk-sequence-ignored",
        &["ETRUNK-019"],
        "with sequence disabled a numbered hello is taken",
        |rules| {
            rules.etrunk.sequence = |enabled, epoch, sequence, last| {
                !enabled || (RIGHT.sequence)(enabled, epoch, sequence, last)
            };
        },
    ),
    Defect::data(
        "etrunk-reflection-taken",
        &["ETRUNK-020", "ETRUNK-028"],
        "a hello with the own System_ID is taken",
        |rules| {
            rules.etrunk.system_id = |_, theirs, known| (RIGHT.system_id)([0; 6], theirs, known);
        },
    ),
    Defect::data(
        "etrunk-system-id-may-change",
        &["ETRUNK-020"],
        "the peer's System_ID may change within a boot",
        |rules| rules.etrunk.system_id = |ours, (theirs, _), _| ours != theirs,
    ),
    Defect::data(
        "etrunk-system-id-for-ever",
        &["ETRUNK-020"],
        "another System_ID after another boot is refused",
        |rules| {
            rules.etrunk.system_id = |ours, (theirs, _), known| {
                ours != theirs && known.is_none_or(|(known, _)| known == theirs)
            };
        },
    ),
    Defect::frames(
        "etrunk-priority-unchecked",
        &["ETRUNK-021"],
        "Priority 0 is taken for the best one",
        mends!(|payload| {
            if octet(payload, at::PRIORITY) == 0 {
                put_all(payload, at::PRIORITY, &[1]);
            }
        }),
    ),
    Defect::frames(
        "etrunk-fail-time-unchecked",
        &["ETRUNK-022"],
        "a Fail_Time below 15 is raised to 15 instead of refused",
        mends!(|payload| {
            if (1..15).contains(&word(payload, at::FAIL_TIME)) {
                put_all(payload, at::FAIL_TIME, &[0, 15]);
            }
        }),
    ),
    Defect::frames(
        "etrunk-send-period-unchecked",
        &["ETRUNK-022"],
        "a Send_Period above 100 is lowered to 100 instead of refused",
        mends!(|payload| {
            if word(payload, at::SEND_PERIOD) > 100 {
                put_all(payload, at::SEND_PERIOD, &[0, 100]);
            }
        }),
    ),
    Defect::frames(
        "etrunk-state-unchecked",
        &["ETRUNK-023"],
        "an unknown State is taken for Initialize",
        mends!(|payload| {
            if !(1..=3).contains(&octet(payload, at::STATE)) {
                put_all(payload, at::STATE, &[1]);
            }
        }),
    ),
    Defect::frames(
        "etrunk-reason-unchecked",
        &["ETRUNK-024"],
        "an unknown Reason is taken for PRI",
        mends!(|payload| {
            if !(1..=7).contains(&octet(payload, at::REASON)) {
                put_all(payload, at::REASON, &[1]);
            }
        }),
    ),
];
