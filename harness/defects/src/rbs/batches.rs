//! Batches, sweeping and digests (RBS-011 to RBS-014, RBS-019, RBS-027 to RBS-030).

use super::RIGHT;
use crate::Defect;
use dut_rbs::policy::{BatchEvent, OnNak};
use dut_wire::rbs::{Body, NakCode};

/// Defects of batches.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::data(
        "rbs-slave-does-not-ask",
        &["RBS-011"],
        "a slave waits for a batch and doesn't ask",
        |rules| rules.rbs.asks = |restarted, _, _| restarted,
    ),
    Defect::data(
        "rbs-slave-asks-a-slave",
        &["RBS-011"],
        "a slave asks a peer that is slave too",
        |rules| rules.rbs.asks = |_, master, _| !master,
    ),
    Defect::data(
        "rbs-batch-without-end",
        &["RBS-011", "RBS-012"],
        "a batch has no SYNC_END",
        |rules| rules.rbs.sync_end = |_, _, _| None,
    ),
    Defect::data(
        "rbs-end-without-count",
        &["RBS-012"],
        "SYNC_END says no count",
        |rules| {
            rules.rbs.sync_end = |generation, _, digest| (RIGHT.sync_end)(generation, 0, digest)
        },
    ),
    Defect::data(
        "rbs-end-without-digest",
        &["RBS-012", "RBS-027"],
        "SYNC_END says no digest",
        |rules| {
            rules.rbs.sync_end =
                |generation, count, _| (RIGHT.sync_end)(generation, count, [0; 32]);
        },
    ),
    Defect::data(
        "rbs-end-of-another-generation",
        &["RBS-011"],
        "SYNC_END says generation 0",
        |rules| {
            rules.rbs.sync_end = |_, count, digest| {
                Some(Body::SyncEnd {
                    generation: 0,
                    count,
                    digest,
                })
            };
        },
    ),
    Defect::data(
        "rbs-count-unchecked",
        &["RBS-012"],
        "the count of SYNC_END isn't looked at",
        |rules| rules.rbs.complete = |_, _| true,
    ),
    Defect::data(
        "rbs-never-sweeps",
        &["RBS-013"],
        "what a batch doesn't mention stays",
        |rules| rules.rbs.sweeps_on = |_| false,
    ),
    Defect::data(
        "rbs-sweeps-at-the-beginning",
        &["RBS-013", "RBS-014"],
        "the table is emptied when a batch begins",
        |rules| rules.rbs.sweeps_on = |event| event != BatchEvent::BreaksOff,
    ),
    Defect::data(
        "rbs-broken-batch-sweeps",
        &["RBS-014"],
        "a batch that breaks off with its connection sweeps",
        |rules| rules.rbs.sweeps_on = |event| event != BatchEvent::Begins,
    ),
    Defect::data(
        "rbs-sweeps-what-was-mentioned",
        &["RBS-013"],
        "the sweep is inverted",
        |rules| rules.rbs.spares = |mentioned, own| !mentioned || own,
    ),
    Defect::data(
        "rbs-nak-ignored",
        &["RBS-019"],
        "a NAK is counted and nothing more",
        |rules| rules.rbs.on_nak = |_, _| OnNak::Ignore,
    ),
    Defect::data(
        "rbs-overflow-suspends",
        &["RBS-019"],
        "a NAK of code 4 holds the profile back",
        |rules| {
            rules.rbs.on_nak = |code, master| match code {
                NakCode::Overflow => OnNak::Suspend,
                NakCode::MalformedRecord | NakCode::UnknownBackupId | NakCode::NotTheSlave => {
                    (RIGHT.on_nak)(code, master)
                }
            };
        },
    ),
    Defect::data(
        "rbs-nak-asks",
        &["RBS-019"],
        "a NAK makes a master ask",
        |rules| rules.rbs.on_nak = |_, _| OnNak::Ask,
    ),
    Defect::data(
        "rbs-digest-without-exclusion",
        &["RBS-027"],
        "the digest doesn't tell requested sources from excluded ones",
        |rules| rules.rbs.digest_source = |_| true,
    ),
    Defect::data(
        "rbs-digest-inverted",
        &["RBS-027"],
        "the digest marks excluded sources as requested, and the other way round",
        |rules| rules.rbs.digest_source = |requested| !requested,
    ),
    Defect::data(
        "rbs-digest-not-answered",
        &["RBS-028"],
        "a DIGEST is never answered",
        |rules| rules.rbs.answers = |_| false,
    ),
    Defect::data(
        "rbs-digest-always-answered",
        &["RBS-028"],
        "every DIGEST is answered",
        |rules| rules.rbs.answers = |_| true,
    ),
    Defect::data(
        "rbs-difference-ignored",
        &["RBS-029"],
        "a slave's digest that differs is ignored",
        |rules| rules.rbs.resyncs = |_| false,
    ),
    Defect::data(
        "rbs-role-not-told",
        &["RBS-030"],
        "a change of role isn't told",
        |rules| rules.rbs.announces = |told, _| told.is_none(),
    ),
    Defect::data(
        "rbs-master-takes-batches",
        &["RBS-030"],
        "a master takes a batch that it did not ask for",
        |rules| rules.rbs.takes_batch = |_, _| true,
    ),
    Defect::data(
        "rbs-master-refuses-what-it-asked-for",
        &["RBS-029", "RBS-030"],
        "a master takes no batch, asked for or not",
        |rules| rules.rbs.takes_batch = |master, _| !master,
    ),
];
