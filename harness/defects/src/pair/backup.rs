//! Defects of a pair: both devices have them.

use super::datagram::{
    DELETE, Learns, TOMBSTONE, Tells, UPSERT, hello_payload, kind, messages, number, put, records,
};
use crate::{Defect, Frames};
use dut_device::{Instant, PortId};
use dut_wire::ipv6::{self, Packet};
use std::collections::BTreeSet;

macro_rules! tells {
    ($id:literal, $breaks:expr, $what:literal, $change:expr) => {
        Defect::frames($id, $breaks, $what, || {
            Box::new(Tells(|m| records(m, $change)))
        })
        .of("backup")
    };
}

/// Drops the first transmission of every UPSERT: the backup learns by TCP's retransmission.
#[derive(Debug, Default)]
struct Late(BTreeSet<Vec<u8>>);

impl Frames for Late {
    fn sent(&mut self, _port: PortId, mut frame: Vec<u8>) -> Vec<Vec<u8>> {
        let mut upserts = Vec::new();
        messages(&mut frame, |message| {
            if kind(message) == UPSERT {
                upserts.push(message.get(12..28).unwrap_or_default().to_vec());
            }
        });
        let new = upserts.into_iter().any(|upsert| self.0.insert(upsert));
        if new { Vec::new() } else { vec![frame] }
    }
}

/// The ICMPv6 message of a frame, or a UDP datagram.
fn upper(frame: &[u8], next_header: u8) -> Option<Packet<'_>> {
    if frame.get(12..14) != Some(&[0x86, 0xdd]) {
        return None;
    }
    let packet = Packet::parse(frame.get(14..)?).ok()?;
    (packet.next_header == next_header).then_some(packet)
}

/// Doesn't receive MLD messages for which this holds, by the message and their number.
#[derive(Debug)]
struct Deaf(fn(&[u8], u32) -> bool, u32);

impl Frames for Deaf {
    fn received(&mut self, _now: Instant, _port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        let packet = upper(frame, ipv6::ICMPV6);
        let mld = packet.filter(|p| matches!(p.payload.first(), Some(131 | 132 | 143)));
        let Some(packet) = mld else {
            return vec![frame.to_vec()];
        };
        self.1 += 1;
        if (self.0)(packet.payload, self.1) {
            Vec::new()
        } else {
            vec![frame.to_vec()]
        }
    }
}

/// Forwards multicast packets twice.
#[derive(Debug)]
struct Twice;

impl Frames for Twice {
    fn sent(&mut self, _port: PortId, frame: Vec<u8>) -> Vec<Vec<u8>> {
        let stream = upper(&frame, ipv6::UDP).is_some_and(|p| p.destination.is_multicast());
        if stream {
            vec![frame.clone(), frame]
        } else {
            vec![frame]
        }
    }
}

/// Sends no hello after so many.
#[derive(Debug)]
struct FallsSilent(u32);

impl Frames for FallsSilent {
    fn sent(&mut self, _port: PortId, frame: Vec<u8>) -> Vec<Vec<u8>> {
        if hello_payload(&frame).is_none() {
            return vec![frame];
        }
        self.0 = self.0.saturating_sub(1);
        if self.0 == 0 { Vec::new() } else { vec![frame] }
    }
}

/// Their defects.
pub(super) const DEFECTS: &[Defect] = &[
    tells!(
        "backup-mode-inverted",
        &["BACKUP-001"],
        "the backup is told INCLUDE of EXCLUDE",
        |record| {
            if record.get(60..62) != Some(&[0, 0]) && record.get(6) == Some(&1) {
                put(record, 6, &[2]);
                put(record, 48, &[0, 3, 0, 0]);
            }
        }
    ),
    tells!(
        "backup-group-off",
        &["BACKUP-001"],
        "the backup is told of another group",
        |record| {
            put(record, 23, &[0x55]);
        }
    ),
    tells!(
        "backup-timer-long",
        &["BACKUP-005"],
        "the backup's filter timers run a minute longer",
        |record| {
            if record.get(6) == Some(&2) {
                number(record, 48, |ms| ms + 60_000);
            }
        }
    ),
    tells!(
        "backup-timer-short",
        &["BACKUP-005"],
        "the backup's filter timers run half as long",
        |record| {
            if record.get(6) == Some(&2) {
                number(record, 48, |ms| ms / 2);
            }
        }
    ),
    tells!(
        "backup-timer-constant",
        &["BACKUP-005"],
        "the backup is told the full filter timer always",
        |record| {
            if record.get(6) == Some(&2) {
                number(record, 48, |_| 260_000);
            }
        }
    ),
    tells!(
        "backup-source-timer-long",
        &["BACKUP-005"],
        "the first source's timer runs a minute longer",
        |record| {
            number(record, 112, |ms| if ms > 0 { ms + 60_000 } else { 0 });
        }
    ),
    tells!(
        "backup-source-excluded",
        &["BACKUP-001"],
        "a requested source is told as excluded",
        |record| {
            if record.get(6) == Some(&2) {
                number(record, 112, |_| 0);
            }
        }
    ),
    tells!(
        "backup-source-requested",
        &["BACKUP-001"],
        "an excluded source is told as requested",
        |record| {
            if record.get(6) == Some(&2) && record.get(60..62) != Some(&[0, 0]) {
                number(record, 112, |ms| ms.max(100_000));
            }
        }
    ),
    tells!(
        "backup-source-off",
        &["BACKUP-001"],
        "the backup is told of another source",
        |record| {
            put(record, 110, &[0x66]);
        }
    ),
    tells!(
        "backup-version-1-forgotten",
        &["BACKUP-009"],
        "the backup isn't told of version 1 hosts",
        |record| {
            put(record, 3, &[0]);
            put(record, 52, &[0; 4]);
        }
    ),
    Defect::frames(
        "backup-deletes-unheard",
        &["BACKUP-001"],
        "the backup deletes nothing",
        || {
            Box::new(Learns(|message| {
                if kind(message) == DELETE {
                    put(message, TOMBSTONE + 40, &[0; 8]);
                }
            }))
        },
    )
    .of("backup"),
    Defect::frames(
        "backup-late",
        &["BACKUP-002"],
        "the backup learns a second late",
        || Box::new(Late::default()),
    )
    .of("backup"),
    Defect::frames(
        "backup-stream-twice",
        &["BACKUP-010"],
        "multicast packets are forwarded twice",
        || Box::new(Twice),
    )
    .of("backup"),
    Defect::frames(
        "backup-deaf-at-times",
        &["BACKUP-001"],
        "every fourth report isn't received",
        || Box::new(Deaf(|_, number| number.is_multiple_of(4), 0)),
    )
    .of("backup"),
    Defect::frames(
        "backup-block-unheard",
        &["BACKUP-001"],
        "reports with BLOCK aren't received",
        || {
            Box::new(Deaf(
                |message, _| message.first() == Some(&143) && message.get(8) == Some(&6),
                0,
            ))
        },
    )
    .of("backup"),
    Defect::frames(
        "backup-allow-unheard",
        &["BACKUP-001"],
        "reports with ALLOW aren't received",
        || {
            Box::new(Deaf(
                |message, _| message.first() == Some(&143) && message.get(8) == Some(&5),
                0,
            ))
        },
    )
    .of("backup"),
    Defect::frames(
        "backup-falls-silent",
        &["BACKUP-010"],
        "hellos stop after fifteen: both serve",
        || Box::new(FallsSilent(15)),
    )
    .of("backup"),
];
