//! Sending of records: real-time changes and batches, in frames of bounded size.

use crate::connection::Connection;
use crate::entry::Key;
use crate::profile::{OutBatch, Profile};
use dut_device::Instant;
use dut_wire::rbs::{Body, Record};

/// Octets of records in one UPSERT, unless a single record is longer.
const RECORDS_MAX: usize = 16 * 1024;
/// Tombstones in one DELETE.
const TOMBSTONES_MAX: usize = 256;

/// Sends the changes that wait, as far as there is room.
pub(crate) fn flush(now: Instant, backup_id: u16, profile: &mut Profile, to: &mut Connection) {
    if profile.flush_at.is_none_or(|at| now < at) {
        return;
    }
    if profile.may_delete() {
        flush_deletions(now, backup_id, profile, to);
    }
    let may_upsert = profile.may_upsert();
    while may_upsert && to.has_room() && (profile.interface_changed || !profile.changed.is_empty())
    {
        let mut records = Vec::new();
        if std::mem::take(&mut profile.interface_changed)
            && let Some(interface) = profile.table.interface
        {
            records.push(Record::Interface(interface.to_record(now)));
        }
        let mut size = 0;
        while size < RECORDS_MAX
            && let Some(key) = profile.changed.pop_first()
        {
            size = push(now, profile, key, &mut records, size);
        }
        upsert(now, backup_id, 0, records, to);
    }
    if profile.changed.is_empty() && !profile.interface_changed && profile.deletions.is_empty() {
        profile.flush_at = None;
    }
}

fn flush_deletions(now: Instant, backup_id: u16, profile: &mut Profile, to: &mut Connection) {
    while to.has_room() && !profile.deletions.is_empty() {
        let mut adopted = Vec::new();
        let mut tombstones = Vec::new();
        let mut size = 0;
        while tombstones.len() < TOMBSTONES_MAX
            && size < RECORDS_MAX
            && let Some((_, deletion)) = profile.deletions.pop_first()
        {
            let adoption = deletion.adoption.map(Record::Group);
            size += adoption.as_ref().map_or(0, Record::len);
            adopted.extend(adoption);
            tombstones.push(deletion.tombstone);
        }
        upsert(now, backup_id, 0, adopted, to);
        to.send(now, backup_id, Body::Delete { tombstones });
    }
}

/// Appends the entry's record; the size with it.
fn push(
    now: Instant,
    profile: &Profile,
    key: Key,
    records: &mut Vec<Record>,
    size: usize,
) -> usize {
    let Some(held) = profile.table.entries.get(&key) else {
        return size;
    };
    let record = Record::Group(held.to_record(now, key));
    let length = record.len();
    records.push(record);
    size + length
}

/// Sends records in frames that hold them; nothing when there are none.
fn upsert(
    now: Instant,
    backup_id: u16,
    generation: u32,
    records: Vec<Record>,
    to: &mut Connection,
) {
    let mut frame = Vec::new();
    let mut size = 0;
    for record in records {
        if size + record.len() > RECORDS_MAX && !frame.is_empty() {
            let records = std::mem::take(&mut frame);
            let body = Body::Upsert {
                generation,
                records,
            };
            to.send(now, backup_id, body);
            size = 0;
        }
        size += record.len();
        frame.push(record);
    }
    if !frame.is_empty() {
        let body = Body::Upsert {
            generation,
            records: frame,
        };
        to.send(now, backup_id, body);
    }
}

/// Sends the next part of a batch, as far as there is room.
//= RBS-012
//= RBS-016
pub(crate) fn pump(now: Instant, backup_id: u16, profile: &mut Profile, to: &mut Connection) {
    let Some(mut batch) = profile.out_batch.take() else {
        return;
    };
    if !batch.begun {
        batch.begun = true;
        let count = batch.keys.len() + usize::from(batch.interface);
        let body = Body::SyncBegin {
            generation: batch.generation,
            count: u32::try_from(count).unwrap_or(u32::MAX),
        };
        to.send(now, backup_id, body);
    }
    while to.has_room() {
        let records = next_records(now, profile, &mut batch);
        if records.is_empty() {
            let digest = profile.table.remembered_digest();
            let end = (profile.policy.sync_end)(batch.generation, batch.sent, digest);
            if let Some(body) = end {
                to.send(now, backup_id, body);
            }
            return;
        }
        let count = u32::try_from(records.len()).unwrap_or(u32::MAX);
        batch.sent = batch.sent.saturating_add(count);
        upsert(now, backup_id, batch.generation, records, to);
    }
    profile.out_batch = Some(batch);
}

fn next_records(now: Instant, profile: &Profile, batch: &mut OutBatch) -> Vec<Record> {
    let mut records = Vec::new();
    if std::mem::take(&mut batch.interface)
        && let Some(interface) = profile.table.interface
    {
        records.push(Record::Interface(interface.to_record(now)));
    }
    let mut size = 0;
    while size < RECORDS_MAX
        && let Some(key) = batch.keys.pop_front()
    {
        size = push(now, profile, key, &mut records, size);
    }
    records
}
