//! Defects of the remote backup service.

use super::datagram::{BODY, DELETE, Learns, TOMBSTONE, Tells, kind, number, put, records};
use crate::Defect;

macro_rules! tells {
    ($id:literal, $breaks:expr, $what:literal, $change:expr) => {
        Defect::frames($id, $breaks, $what, || Box::new(Tells($change))).of("rbs")
    };
}

macro_rules! learns {
    ($id:literal, $breaks:expr, $what:literal, $change:expr) => {
        Defect::frames($id, $breaks, $what, || Box::new(Learns($change))).of("rbs")
    };
}

/// Their defects.
pub(super) const DEFECTS: &[Defect] = &[
    tells!(
        "rbs-digest-off",
        &["RBS-012"],
        "DIGEST holds another digest",
        |message| {
            if kind(message) == 12 {
                number(message, BODY + 8, |digest| !digest);
            }
        }
    ),
    tells!(
        "rbs-count-off",
        &["RBS-012"],
        "DIGEST counts one more",
        |message| {
            if kind(message) == 12 {
                number(message, BODY, |count| count.wrapping_add(1));
            }
        }
    ),
    tells!(
        "rbs-mode-told-wrong",
        &["BACKUP-002"],
        "UPSERT tells INCLUDE of what is EXCLUDE",
        |message| {
            records(message, |record| {
                if record.get(60..62) == Some(&[0, 0]) {
                    put(record, 6, &[1]);
                    put(record, 48, &[0; 4]);
                }
            });
        }
    ),
    tells!(
        "rbs-origin-off",
        &["BACKUP-002"],
        "UPSERT names another origin",
        |message| {
            records(message, |record| put(record, 29, &[0x99]));
        }
    ),
    tells!(
        "rbs-timers-short",
        &["BACKUP-005"],
        "UPSERT tells half of what source timers have left",
        |message| {
            records(message, |record| number(record, 112, |ms| ms / 2));
        }
    ),
    tells!(
        "rbs-reporter-off",
        &["BACKUP-002"],
        "UPSERT names no last reporter",
        |message| {
            records(message, |record| put(record, 64, &[0; 16]));
        }
    ),
    tells!(
        "rbs-role-off",
        &["RBS-030"],
        "OPEN says the wrong role",
        |message| {
            if matches!(kind(message), 1 | 2) {
                put(message, BODY + 16 + 4, &[2]);
            }
        }
    ),
    tells!(
        "rbs-acks-nothing",
        &["RBS-018"],
        "what was applied is refused",
        |message| {
            if kind(message) == 10 {
                put(message, 6, &[4]);
            }
        }
    ),
    learns!(
        "rbs-old-taken",
        &["RBS-015"],
        "a record of an older version is taken",
        |message| {
            records(message, |record| put(record, 40, &[0x7f]));
        }
    ),
    learns!(
        "rbs-deletes-unheard",
        &["RBS-017"],
        "DELETE deletes nothing",
        |message| {
            if kind(message) == DELETE {
                put(message, TOMBSTONE + 40, &[0; 8]);
            }
        }
    ),
    learns!(
        "rbs-sources-unheard",
        &["RBS-016"],
        "a source is taken for another",
        |message| {
            records(message, |record| put(record, 111, &[0x77]));
        }
    ),
    learns!(
        "rbs-generation-unheard",
        &["RBS-012"],
        "a batch's count is read one too high",
        |message| {
            if kind(message) == 6 {
                number(message, BODY + 4, |count| count.wrapping_add(1));
            }
        }
    )
    .survives("equivalent: the count that a receiver judges stands in SYNC_END"),
];
