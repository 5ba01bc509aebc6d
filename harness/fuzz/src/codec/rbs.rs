//! RBS messages in both codecs, and the cutting of a byte stream into messages.

use super::{LONGEST, number};
use dut_wire::rbs::{Frame, Framer};
use harness_wire::{Fields, decode_message, split_messages};
use serde_json::Value;

/// Fields that a strict encoder sets itself: what a receiver ignores comes out as its default.
const IGNORED: [&str; 4] = ["minor", "flags", "length", "reserved"];

fn told(message: &[u8]) -> Fields {
    let mut fields = decode_message(message).fields;
    fields.retain(|name, _| !IGNORED.contains(&name.as_str()));
    // Bits that nobody knows are ignored too.
    for (name, known) in [("capabilities", 3), ("digest_flags", 1)] {
        if let Some(value) = fields.get_mut(name) {
            *value = Value::from(value.as_u64().unwrap_or(0) & known);
        }
    }
    let records = fields.get_mut("records").and_then(Value::as_array_mut);
    for record in records.into_iter().flatten() {
        let known = u64::from(record.get("kind") == Some(&1.into()));
        if let Some(flags) = record.get_mut("flags") {
            *flags = Value::from(flags.as_u64().unwrap_or(0) & known);
        }
    }
    fields
}

/// One message, its octets exactly.
pub fn message(octets: &[u8]) {
    if octets.len() > LONGEST {
        return;
    }
    let decoded = decode_message(octets);
    let has = |name: &str, low: u64, high: u64| {
        number(&decoded.fields, name).is_some_and(|value| (low..=high).contains(&value))
    };
    let length = u64::try_from(octets.len()).unwrap_or(u64::MAX);
    let head = octets.len() >= 32
        && octets.starts_with(b"TRBS")
        && has("major", 1, 1)
        && has("type", 1, 14)
        && has("length", length, length)
        && has("backup_id", 0, 4095)
        && has("service", 0, 1);
    match Frame::parse(octets) {
        Ok(frame) => {
            assert!(head, "the strict codec accepts an illegal header");
            let again = frame.to_vec();
            assert_eq!(
                Frame::parse(&again).as_ref(),
                Ok(&frame),
                "a message encoded again"
            );
            assert_eq!(
                told(&again),
                told(octets),
                "fields of a message encoded again"
            );
            let odd = decode_message(&again).anomalies;
            assert!(odd.is_empty(), "an encoded message is odd: {odd:?}");
            assert_eq!(
                number(&decoded.fields, "message_id"),
                Some(frame.message_id),
                "id"
            );
            assert_eq!(
                number(&decoded.fields, "session_epoch"),
                Some(frame.session_epoch),
                "epoch"
            );
            let name = decoded.fields.get("name").and_then(Value::as_str);
            assert_eq!(name, Some(frame.body.name()), "name");
        }
        Err(_) => {
            // A message without a body has nothing beside its header that could be wrong.
            let bare = head && has("type", 4, 4) && octets.len() == 32;
            assert!(!bare, "the strict codec refuses a legal KEEPALIVE");
        }
    }
    framed(octets);
}

/// Both cut a stream at the same places, however it comes in.
fn framed(octets: &[u8]) {
    let mut stream = octets.to_vec();
    // A length that can't be makes the rest one message for the one, whatever its length; the
    // other waits for a header.
    let cut = split_messages(&mut stream);
    let cut: Vec<Vec<u8>> = cut
        .into_iter()
        .filter(|message| message.len() >= 32)
        .collect();
    let mut framer = Framer::new();
    let mut frames = 0;
    let mut broken = false;
    for piece in octets.chunks(7) {
        let mut input = piece;
        while let Some(next) = framer.next(&mut input) {
            frames += 1;
            broken |= next.is_err();
        }
    }
    assert!(
        framer.held() <= 65_536,
        "the framer holds {} octets",
        framer.held()
    );
    if !broken {
        assert_eq!(frames, cut.len(), "messages in the stream");
    }
}
