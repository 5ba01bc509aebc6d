//! RBS messages, and the cutting of a byte stream into messages.

use super::{LONGEST, agree, holds, mac, same, with_buffer};
use dut_wire::rbs::{Body, Frame, Framer, GroupRecord, Open, Record, Version, digest_of};
use harness_wire::layouts::rbs::{
    ACK, BEGIN, DIGEST, GOODBYE, HEAD, INTERFACE, NAK, NOTIFY, OPEN, PROFILE, RECORD, REQUEST,
    ROLE, SERVICE, SOURCE, TOMBSTONE, UPSERT,
};
use harness_wire::{Field, RbsRecords, decode_message, split_messages};
use std::collections::BTreeMap;

/// A message, its octets exactly, through the strict codec: decoded, encoded, decoded.
pub fn message(octets: &[u8]) {
    let Ok(frame) = Frame::parse(octets) else {
        return;
    };
    with_buffer(|again| {
        frame.emit(again);
        assert_eq!(
            again.len(),
            octets.len(),
            "octets of a message encoded again"
        );
        // The same octets are read to the same message.
        if again != octets {
            let parsed = Frame::parse(again);
            assert_eq!(parsed.as_ref(), Ok(&frame), "a message encoded again");
        }
    });
}

/// A message, its octets exactly, in both codecs.
pub fn message_agreement(octets: &[u8]) {
    if octets.len() > LONGEST {
        return;
    }
    let Ok(frame) = Frame::parse(octets) else {
        // A message without a body has nothing beside its header that could be wrong.
        let bare = octets.len() == 32 && holds!(octets, HEAD, { "type": 4_u8 });
        return agree(false, bare && head_legal(octets), "KEEPALIVE", octets);
    };
    agree(true, head_legal(octets), "RBS header", octets);
    read_alike(&frame, octets);
    with_buffer(|again| {
        frame.emit(again);
        read_alike(&frame, again);
    });
}

/// The frame header of FORMATS section 2.
fn head_legal(octets: &[u8]) -> bool {
    const KIND: Field = Field::named(&HEAD, "type");
    const BACKUP_ID: Field = Field::named(&HEAD, "backup_id");
    const OF: Field = Field::named(&SERVICE, "service");
    let length = u64::from_be_bytes(octets.len().to_be_bytes());
    octets.len() >= 32
        && holds!(octets, HEAD, { "magic": 0x5452_4253_u32, "major": 1_u8, "length": length })
        && KIND
            .number(octets)
            .is_some_and(|kind| (1..=14).contains(&kind))
        && BACKUP_ID.number(octets).is_some_and(|id| id <= 4095)
        && OF.number(octets).is_some_and(|service| service <= 1)
}

/// Every field that means something, as both read it.
fn read_alike(frame: &Frame, octets: &[u8]) {
    same!("header", octets, HEAD, {
        "type": frame.body.kind(),
        "session_epoch": frame.session_epoch,
        "message_id": frame.message_id,
        "backup_id": frame.backup_id,
    });
    same!("header", octets, SERVICE, { "service": frame.service.code() });
    let body = octets.get(32..).unwrap_or_default();
    match &frame.body {
        Body::Open(open) | Body::OpenAck(open) => same_open(open, body),
        Body::Notify { code, refused } => {
            same!("NOTIFY", body, NOTIFY, { "code": code.code(), "refused_id": *refused });
        }
        Body::Keepalive => assert!(body.is_empty(), "KEEPALIVE has no body"),
        Body::SyncReq { number } => same!("SYNC_REQ", body, REQUEST, { "request": *number }),
        Body::SyncBegin { generation, count } => {
            same!("SYNC_BEGIN", body, BEGIN, { "generation": *generation, "count": *count });
        }
        Body::Upsert {
            generation,
            records,
        } => {
            same!("UPSERT", body, UPSERT, { "generation": *generation });
            let mut others = RbsRecords::of(octets);
            for own in records {
                let other = others.next();
                same_record(own, other.unwrap_or_default());
            }
            assert!(others.next().is_none(), "records");
        }
        Body::Delete { tombstones } => {
            let (others, rest) = body.get(4..).unwrap_or_default().as_chunks::<48>();
            let all = others.len() == tombstones.len() && rest.is_empty();
            assert!(all, "tombstones");
            for (own, other) in tombstones.iter().zip(others) {
                same!("tombstone", other, TOMBSTONE, {
                    "eth_trunk": own.eth_trunk,
                    "group": own.group.to_bits(),
                    "origin": mac(own.version.origin),
                    "epoch": own.version.epoch,
                    "sequence": own.version.sequence,
                });
            }
        }
        Body::SyncEnd {
            generation,
            count,
            digest,
        } => {
            same!("SYNC_END", body, BEGIN, { "generation": *generation, "count": *count });
            assert_eq!(body.get(8..), Some(digest.as_slice()), "digest");
        }
        Body::Ack { message_id } => same!("ACK", body, ACK, { "acknowledged": *message_id }),
        Body::Nak { refused, code } => {
            same!("NAK", body, NAK, { "refused_id": *refused, "code": code.code() });
        }
        Body::Digest {
            count,
            answer_wanted,
            digest,
        } => {
            same!("DIGEST", body, DIGEST, { "count": *count });
            // Flag bit 0; what the others mean nobody knows.
            let wanted = body.get(7).is_some_and(|flags| flags & 1 == 1);
            assert_eq!(wanted, *answer_wanted, "whether an answer is wanted");
            assert_eq!(body.get(8..), Some(digest.as_slice()), "digest");
        }
        Body::Role { role } => same!("ROLE", body, ROLE, { "role": role.code() }),
        Body::Goodbye { cause } => same!("GOODBYE", body, GOODBYE, { "cause": cause.code() }),
    }
}

fn same_open(open: &Open, body: &[u8]) {
    same!("OPEN", body, OPEN, {
        "minimum_major": open.minimum.0,
        "minimum_minor": open.minimum.1,
        "maximum_major": open.maximum.0,
        "maximum_minor": open.maximum.1,
        "keepalive": open.keepalive,
        "hold": open.hold,
    });
    let capabilities = body.get(11).map(|octet| octet & 3);
    let own = u8::from(open.digest) | u8::from(open.timers) << 1;
    assert_eq!(capabilities, Some(own), "capabilities");
    let (others, rest) = body.get(16..).unwrap_or_default().as_chunks::<48>();
    let all = others.len() == open.profiles.len() && rest.is_empty();
    assert!(all, "profiles");
    for (own, other) in open.profiles.iter().zip(others) {
        same!("profile", other, PROFILE, {
            "backup_id": own.backup_id,
            "service": own.service.code(),
            "mode": 1_u8,
            "role": own.role.code(),
            "e_trunk": own.e_trunk_id,
            "eth_trunk": own.eth_trunk,
        });
        const DIGEST: Field = Field::named(&PROFILE, "configuration_digest");
        let digest = Some(own.configuration_digest.as_slice());
        assert_eq!(DIGEST.octets(other), digest, "configuration digest");
    }
}

fn same_record(record: &Record, octets: &[u8]) {
    match record {
        Record::Group(group) => same_group(group, octets),
        Record::Interface(own) => {
            let Version {
                epoch,
                sequence,
                origin,
            } = own.version;
            same!("interface record", octets, INTERFACE, {
                "kind": 2_u8,
                "eth_trunk": own.eth_trunk,
                "querier": own.querier.to_bits(),
                "origin": mac(origin),
                "epoch": epoch,
                "sequence": sequence,
                "other_querier_ms": own.other_querier_ms,
                "general_query_ms": own.general_query_ms,
            });
        }
    }
}

fn same_group(own: &GroupRecord, octets: &[u8]) {
    let number = own.sources.len().to_be_bytes();
    same!("group record", octets, RECORD, {
        "kind": 1_u8,
        "eth_trunk": own.eth_trunk,
        "filter_mode": own.filter_mode.code(),
        "query_count": own.query_count,
        "group": own.group.to_bits(),
        "origin": mac(own.version.origin),
        "epoch": own.version.epoch,
        "sequence": own.version.sequence,
        "filter_timer_ms": own.filter_timer_ms,
        "v1_host_ms": own.v1_host_ms,
        "query_due_ms": own.query_due_ms,
        "number_of_sources": u64::from_be_bytes(number),
        "last_reporter": own.last_reporter.to_bits(),
    });
    let (others, rest) = octets.get(96..).unwrap_or_default().as_chunks::<24>();
    let all = others.len() == own.sources.len() && rest.is_empty();
    assert!(all, "sources");
    for ((source, state), other) in own.sources.iter().zip(others) {
        same!("source", other, SOURCE, {
            "source": source.to_bits(),
            "timer_ms": state.timer_ms,
            "query_count": state.query_count,
        });
    }
}

/// Both cut a stream at the same places, however it comes in. The first octet says in pieces of
/// how many octets.
pub fn stream(input: &[u8]) {
    let Some((piece, octets)) = input.split_first().filter(|_| input.len() <= LONGEST) else {
        return;
    };
    let mut stream = octets.to_vec();
    // A length that can't be makes the rest one message for the one, whatever its length; the
    // other waits for a header.
    let mut cut = split_messages(&mut stream);
    cut.retain(|message| message.len() >= 32);
    let mut framer = Framer::new();
    let mut frames = Vec::new();
    let mut broken = false;
    for piece in octets.chunks(usize::from(*piece).max(1)) {
        let mut input = piece;
        while let Some(next) = framer.next(&mut input) {
            broken |= next.is_err();
            frames.push(next);
        }
    }
    let held = framer.held();
    assert!(held <= 65_536, "the framer holds {held} octets");
    if broken {
        return;
    }
    assert_eq!(frames.len(), cut.len(), "messages in the stream");
    let whole: usize = cut.iter().map(Vec::len).sum();
    assert_eq!(
        held + whole,
        octets.len(),
        "octets of an unfinished message"
    );
    for (frame, octets) in frames.iter().zip(&cut) {
        assert_eq!(*frame, Frame::parse(octets), "a message of the stream");
        let decoded = decode_message(octets);
        let odd = &decoded.anomalies;
        if let Ok(frame) = frame {
            assert!(odd.is_empty(), "a legal message is odd: {odd:?}");
            let name = decoded.fields.get("name").and_then(|name| name.as_str());
            assert_eq!(name, Some(frame.body.name()), "its name");
            digest_in_any_order(frame);
        }
    }
}

/// The digest is over a table: the order in which its rows come is nothing to it.
fn digest_in_any_order(frame: &Frame) {
    let Body::Upsert { records, .. } = &frame.body else {
        return;
    };
    let groups = records.iter().filter_map(|record| match record {
        Record::Group(group) => Some(group.clone()),
        Record::Interface(_) => None,
    });
    let mut groups: BTreeMap<_, _> = groups
        .map(|row| ((row.eth_trunk, row.group), row))
        .collect();
    let ascending: Vec<GroupRecord> = groups.values().cloned().collect();
    let descending: Vec<GroupRecord> = groups.values().rev().cloned().collect();
    assert_eq!(digest_of(&ascending), digest_of(&descending), "digest");
    // One row fewer is another table.
    if groups.pop_first().is_some() {
        let fewer: Vec<GroupRecord> = groups.into_values().collect();
        assert_ne!(digest_of(&ascending), digest_of(&fewer), "digest");
    }
}
