//! E-Trunk hellos in both codecs.

use super::{LONGEST, agree, number};
use dut_wire::etrunk::{Envelope, Hello};
use harness_wire::{Decoded, Fields, decode};
use serde_json::Value;
use std::net::Ipv6Addr;

/// A UDP datagram around a payload.
fn frame(payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![
        0, 0xe0, 0xfc, 0, 0, 1, 2, 0, 0, 0, 0, 1, 0x86, 0xdd, 0x60, 0, 0, 0,
    ];
    let length = u16::try_from(payload.len() + 8).unwrap_or(u16::MAX);
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(&[17, 64]);
    frame.extend_from_slice(&Ipv6Addr::new(0x2001, 0xdb8, 0x33, 0, 0, 0, 0, 0x33).octets());
    frame.extend_from_slice(&Ipv6Addr::new(0x2001, 0xdb8, 0x11, 0, 0, 0, 0, 0x11).octets());
    frame.extend_from_slice(&[4, 1, 4, 1]);
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(&[0, 0]);
    frame.extend_from_slice(payload);
    frame
}

/// A TLV: type, place of its value, octets of its value.
type Tlv = (u16, usize, usize);

/// The TLVs of a payload; `None` when one overruns it or its padding isn't zero.
fn tlvs(payload: &[u8]) -> Option<Vec<Tlv>> {
    let mut found = Vec::new();
    let mut at = 44;
    while at < payload.len() {
        let u16_at = |at: usize| {
            let octets: [u8; 2] = payload.get(at..at + 2)?.try_into().ok()?;
            Some(u16::from_be_bytes(octets))
        };
        let (kind, length) = (u16_at(at)?, usize::from(u16_at(at + 2)?));
        let padding = payload.get(at + 4 + length..at + 4 + length.div_ceil(4) * 4)?;
        if padding.iter().any(|octet| *octet != 0) {
            return None;
        }
        found.push((kind, at + 4, length));
        at += 4 + length.div_ceil(4) * 4;
    }
    Some(found)
}

/// Check 4 of FORMATS: TLVs well-formed; AUTH last; ADDR, LACP_SYS, ECHO once; MEMBERs ascend; one
/// that must be understood and isn't known.
fn tlvs_legal(payload: &[u8]) -> bool {
    let Some(found) = tlvs(payload) else {
        return false;
    };
    let count = |wanted: u16| found.iter().filter(|(kind, ..)| *kind == wanted).count();
    let lengths = found.iter().all(|(kind, _, length)| match kind {
        0x8001 => *length == 16,
        0x8002 => *length == 10,
        0x8003 | 5 => *length == 32,
        0x8004 => *length == 20,
        6 => *length == 4,
        0x8007 => matches!(length, 24 | 36),
        other => other & 0x8000 == 0,
    });
    let ids = found.iter().filter(|(kind, ..)| *kind == 0x8001);
    let ids: Vec<Option<&[u8]>> = ids.map(|(_, at, _)| payload.get(at + 2..at + 4)).collect();
    let ascend = ids
        .iter()
        .zip(ids.iter().skip(1))
        .all(|(one, next)| one < next);
    lengths
        && ascend
        && ids.len() <= 62
        && found.last().is_some_and(|(kind, ..)| *kind == 0x8007)
        && [0x8002, 0x8003, 0x8004, 0x8007]
            .iter()
            .all(|kind| count(*kind) == 1)
        && [5, 6].iter().all(|kind| count(*kind) <= 1)
}

/// Checks 7 to 11 of FORMATS, and the id's range, over the permissive codec's fields.
fn ranges_legal(fields: &Fields, payload: &[u8]) -> bool {
    let within = |name: &str, low: u64, high: u64| {
        number(fields, name).is_some_and(|value| (low..=high).contains(&value))
    };
    let system = payload.get(16..22).unwrap_or_default();
    let echo = tlvs(payload).unwrap_or_default();
    let echo = echo.iter().find(|(kind, ..)| *kind == 0x8004);
    let silent = echo.is_some_and(|(_, at, _)| {
        payload
            .get(*at..at + 18)
            .is_some_and(|octets| octets.iter().all(|octet| *octet == 0))
    });
    let member = |member: &Value| {
        let within = |name: &str, low: u64, high: u64| {
            let value = member.get(name).and_then(Value::as_u64);
            value.is_some_and(|value| (low..=high).contains(&value))
        };
        within("type", 1, 1)
            && within("work_mode", 1, 3)
            && within("link_ready", 0, 1)
            && within("oper_up", 0, 1)
            && within("role", 1, 2)
            && within("reason", 1, 7)
    };
    within("e_trunk_id", 1, 128)
        && within("priority", 1, 254)
        && within("state", 1, 3)
        && within("reason", 1, 7)
        && within("expected_state", 1, 3)
        && system != [0; 6]
        && system.first().is_some_and(|octet| octet & 1 == 0)
        && within("send_period", 5, 100)
        && (within("fail_time", 0, 0) || within("fail_time", 15, 30_000))
        && (silent || (within("echo.state", 1, 3) && within("echo.reason", 1, 7)))
        && fields
            .get("members")
            .and_then(Value::as_array)
            .is_some_and(|list| list.iter().all(member))
}

/// Check 1 of FORMATS.
fn head_legal(payload: &[u8], fields: &Fields) -> bool {
    let has = |name: &str, value: u64| number(fields, name) == Some(value);
    payload.len() >= 44
        && payload.starts_with(b"TETK")
        && has("major", 1)
        && (has("type", 1) || has("type", 2))
        && u64::try_from(payload.len()).is_ok_and(|length| has("length", length))
}

/// Whether a payload with these decoded fields passes the checks that look at it alone.
pub(crate) fn acceptable(payload: &[u8], fields: &Fields) -> bool {
    head_legal(payload, fields) && tlvs_legal(payload) && ranges_legal(fields, payload)
}

/// A UDP payload: E-Trunk hello.
pub fn hello(payload: &[u8]) {
    if payload.len() > LONGEST {
        return;
    }
    let decoded = decode(&frame(payload));
    let head = head_legal(payload, &decoded.fields);
    let envelope = Envelope::parse(payload);
    agree(envelope.is_ok(), head, "hello (check 1)", payload);
    let Ok(envelope) = envelope else { return };
    let body = envelope.body();
    agree(
        body.is_ok(),
        tlvs_legal(payload),
        "hello (check 4)",
        payload,
    );
    let Ok(body) = body else { return };
    let parsed = body.hello();
    agree(
        parsed.is_ok(),
        ranges_legal(&decoded.fields, payload),
        "hello (ranges)",
        payload,
    );
    if let Ok(hello) = parsed {
        same(&hello, &decoded);
    }
}

fn same(hello: &Hello, decoded: &Decoded) {
    let fields = &decoded.fields;
    for (name, value) in [
        ("e_trunk_id", u64::from(hello.e_trunk_id.get())),
        ("priority", hello.priority.get().into()),
        ("state", hello.state.code().into()),
        ("reason", hello.reason.code().into()),
        ("expected_state", hello.expected_state.code().into()),
        ("send_period", hello.send_period.get().into()),
        (
            "fail_time",
            hello.fail_time.map_or(0, |time| time.get().into()),
        ),
        ("boot_epoch", hello.boot_epoch),
        ("triggered", hello.triggered.into()),
        ("restart", hello.restart.into()),
        ("reply_requested", hello.reply_requested.into()),
        ("sequence_present", hello.sequence.is_some().into()),
        ("lacp_system_priority", hello.lacp_sys.priority.into()),
        ("echo.epoch", hello.echo.map_or(0, |echo| echo.boot_epoch)),
        ("echo.sequence", hello.echo.map_or(0, |echo| echo.sequence)),
        (
            "echo.state",
            hello.echo.map_or(0, |echo| echo.state.code().into()),
        ),
    ] {
        assert_eq!(number(fields, name), Some(value), "{name}");
    }
    if let Some(sequence) = hello.sequence {
        assert_eq!(number(fields, "sequence"), Some(sequence), "sequence");
    }
    for (name, address) in [
        ("addr.source", hello.addr.source),
        ("addr.peer", hello.addr.peer),
    ] {
        let other = fields.get(name).and_then(Value::as_str);
        assert_eq!(other, Some(address.to_string().as_str()), "{name}");
    }
    let members = fields.get("members").and_then(Value::as_array);
    let members = members.map(Vec::as_slice).unwrap_or_default();
    assert_eq!(members.len(), hello.members.len(), "members");
    for ((id, own), other) in hello.members.iter().zip(members) {
        for (name, value) in [
            ("local_id", u64::from(*id)),
            ("remote_id", own.remote_id.into()),
            ("work_mode", own.work_mode.code().into()),
            ("link_ready", own.link_ready.into()),
            ("oper_up", own.oper_up.into()),
            ("selected", own.selected.into()),
            ("role", own.role.code().into()),
            ("reason", own.reason.code().into()),
            ("bandwidth", own.bandwidth_mbps.into()),
        ] {
            assert_eq!(
                other.get(name).and_then(Value::as_u64),
                Some(value),
                "member's {name}"
            );
        }
    }
}
