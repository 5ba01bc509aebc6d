//! E-Trunk hellos.

use super::{LONGEST, agree, holds, mac, same};
use dut_wire::etrunk::{AuthenticationMode, Endpoints, Envelope, Hello, Kind, peek_id};
use harness_wire::layouts::etrunk::{ADDR, ECHO, HEAD, LACP_SYS, MEMBER};
use harness_wire::{EtrunkTlv, EtrunkTlvs, Field, digest_correct};
use std::net::Ipv6Addr;

const SOURCE: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0x33, 0, 0, 0, 0, 0x33);
const DESTINATION: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0x11, 0, 0, 0, 0, 0x11);
const PORT: u16 = 1025;

/// What FORMATS says of a hello whose head is legal.
struct Judged {
    /// Check 4: TLVs well-formed; AUTH last; ADDR, LACP_SYS, ECHO once; MEMBERs ascend; none that
    /// must be understood and isn't known.
    tlvs: bool,
    /// Checks 7 to 11, and the id's range.
    ranges: bool,
}

fn judge(payload: &[u8]) -> Judged {
    let (mut last, mut member) = (0, -1);
    let (mut well_formed, mut ranges) = (true, head_in_range(payload));
    // How often each is there: MEMBER, LACP_SYS, ADDR, ECHO, CFG_DIGEST, CAPS, AUTH.
    let mut seen = [0_u32; 7];
    let mut tlvs = EtrunkTlvs::of(payload);
    for tlv in tlvs.by_ref() {
        last = tlv.kind;
        let length = tlv.value.len();
        let (slot, fits) = match tlv.kind {
            0x8001 => {
                let id = tlv.value.get(2..4).and_then(|id| id.try_into().ok());
                let id = id.map_or(-1, |id| i32::from(u16::from_be_bytes(id)));
                let ascends = id > member;
                member = id;
                (0, (length == 16) & ascends)
            }
            0x8002 => (1, length == 10),
            0x8003 => (2, length == 32),
            0x8004 => (3, length == 20),
            5 => (4, length == 32),
            6 => (5, length == 4),
            0x8007 => (6, matches!(length, 24 | 36)),
            other => (7, other & 0x8000 == 0),
        };
        if let Some(count) = seen.get_mut(slot) {
            *count += 1;
        }
        if !length.is_multiple_of(4) {
            let end = tlv.at + 4 + length;
            let padding = payload.get(end..end.next_multiple_of(4));
            well_formed &= padding.is_some_and(is_zero);
        }
        well_formed &= fits;
        ranges &= in_range(&tlv);
    }
    let [members, lacp_sys, addr, echo, cfg_digest, caps, auth] = seen;
    let once = [lacp_sys, addr, echo, auth] == [1; 4] && (cfg_digest | caps) <= 1;
    let whole = tlvs.rest().is_empty() && last == 0x8007 && members <= 62;
    let tlvs = well_formed && once && whole;
    Judged { tlvs, ranges }
}

/// The highest bit is set when a number of fewer than 64 bits isn't within bounds.
#[inline(always)]
fn outside(octets: &[u8], field: Field, low: u64, high: u64) -> u64 {
    let number = field
        .number(octets)
        .and_then(|number| u64::try_from(number).ok());
    number.map_or(u64::MAX, |number| {
        number.wrapping_sub(low) | high.wrapping_sub(number)
    })
}

macro_rules! ranges {
    ($octets:expr, $layout:expr, { $($name:literal: $low:literal ..= $high:literal),+ $(,)? }) => {
        (0_u64 $(| {
            const FIELD: Field = Field::named(&$layout, $name);
            outside($octets, FIELD, $low, $high)
        })+) >> 63 == 0
    };
}

fn head_in_range(payload: &[u8]) -> bool {
    let head = ranges!(payload, HEAD, {
        "e_trunk_id": 1..=128,
        "priority": 1..=254,
        "state": 1..=3,
        "reason": 1..=7,
        "expected_state": 1..=3,
        "system_id": 1..=0xffff_ffff_ffff,
        "send_period": 5..=100,
    });
    let individual = payload.get(16).is_some_and(|octet| octet & 1 == 0);
    let fail_time = holds!(payload, HEAD, { "fail_time": 0_u8 })
        | ranges!(payload, HEAD, { "fail_time": 15..=30_000 });
    head & individual & fail_time
}

fn in_range(tlv: &EtrunkTlv<'_>) -> bool {
    match tlv.kind {
        0x8001 => ranges!(tlv.value, MEMBER, {
            "type": 1..=1,
            "work_mode": 1..=3,
            "link_ready": 0..=1,
            "oper_up": 0..=1,
            "role": 1..=2,
            "reason": 1..=7,
        }),
        0x8004 => {
            let ranges = ranges!(tlv.value, ECHO, { "echo.state": 1..=3, "echo.reason": 1..=7 });
            ranges || is_zero(tlv.value.get(..18).unwrap_or(tlv.value))
        }
        _ => true,
    }
}

fn is_zero(octets: &[u8]) -> bool {
    octets.iter().fold(0, |all, octet| all | octet) == 0
}

/// Check 1 of FORMATS.
fn head_legal(payload: &[u8]) -> bool {
    let is = |kind: u8| holds!(payload, HEAD, { "type": kind });
    let length = u64::from_be_bytes(payload.len().to_be_bytes());
    payload.len() >= 44
        && holds!(payload, HEAD, { "magic": 0x5445_544b_u32, "major": 1_u8, "length": length })
        && (is(1) || is(2))
}

/// Whether a payload passes the checks that look at it alone.
pub(crate) fn acceptable(payload: &[u8]) -> bool {
    head_legal(payload) && {
        let judged = judge(payload);
        judged.tlvs && judged.ranges
    }
}

/// A UDP payload through the strict decoder, in the stages of its checks.
pub fn hello(payload: &[u8]) {
    let Ok(envelope) = Envelope::parse(payload) else {
        return;
    };
    let id = envelope.e_trunk_id();
    assert_eq!(peek_id(payload), Some(id), "the id that is looked at first");
    let Ok(body) = envelope.body() else { return };
    let Ok(hello) = body.hello() else { return };
    assert_eq!(hello.e_trunk_id.get(), id, "the id of check 2");
    assert_eq!(
        envelope.addr(),
        Some(hello.addr),
        "the addresses of check 3"
    );
    let (sequence, system_id) = (body.sequence(), body.system_id());
    assert_eq!(hello.sequence, sequence, "the sequence of check 6");
    assert_eq!(hello.system_id.get(), system_id, "the System_ID of check 7");
}

/// A UDP payload in both codecs.
pub fn hello_agreement(payload: &[u8]) {
    if payload.len() > LONGEST {
        return;
    }
    let envelope = Envelope::parse(payload);
    let legal = head_legal(payload);
    agree(envelope.is_ok(), legal, "hello (check 1)", payload);
    let Ok(envelope) = envelope else { return };
    let judged = judge(payload);
    let body = envelope.body();
    agree(body.is_ok(), judged.tlvs, "hello (check 4)", payload);
    let Ok(body) = body else { return };
    let hello = body.hello();
    agree(hello.is_ok(), judged.ranges, "hello (ranges)", payload);
    if let Ok(hello) = hello {
        read_alike(&hello, payload);
    }
}

/// Every field as both read it.
fn read_alike(hello: &Hello, payload: &[u8]) {
    same!("hello", payload, HEAD, {
        "type": match hello.kind {
            Kind::Hello => 1_u8,
            Kind::Goodbye => 2,
        },
        "triggered": hello.triggered,
        "sequence_present": hello.sequence.is_some(),
        "restart": hello.restart,
        "reply_requested": hello.reply_requested,
        "e_trunk_id": hello.e_trunk_id.get(),
        "priority": hello.priority.get(),
        "state": hello.state.code(),
        "reason": hello.reason.code(),
        "expected_state": hello.expected_state.code(),
        "system_id": mac(hello.system_id.get()),
        "send_period": hello.send_period.get(),
        "fail_time": hello.fail_time.map_or(0, |time| time.get()),
        "boot_epoch": hello.boot_epoch,
    });
    if let Some(sequence) = hello.sequence {
        same!("hello", payload, HEAD, { "sequence": sequence });
    }
    let mut members = hello.members.iter();
    let (mut cfg_digest, mut bfd_bound) = (None, None);
    for tlv in EtrunkTlvs::of(payload) {
        match tlv.kind {
            0x8001 => {
                let Some((id, own)) = members.next() else {
                    panic!("the strict codec has fewer members")
                };
                same!("MEMBER", tlv.value, MEMBER, {
                    "local_id": *id,
                    "remote_id": own.remote_id,
                    "work_mode": own.work_mode.code(),
                    "link_ready": own.link_ready,
                    "oper_up": own.oper_up,
                    "selected": own.selected,
                    "role": own.role.code(),
                    "reason": own.reason.code(),
                    "bandwidth": own.bandwidth_mbps,
                });
            }
            0x8002 => {
                same!("LACP_SYS", tlv.value, LACP_SYS, {
                    "lacp_system_priority": hello.lacp_sys.priority,
                    "lacp_system_id": mac(hello.lacp_sys.system_id),
                });
                let offset = tlv.value.get(8).is_some_and(|flags| flags & 1 == 1);
                assert_eq!(hello.lacp_sys.port_offset, offset, "port offset");
            }
            0x8003 => same!("ADDR", tlv.value, ADDR, {
                "addr.source": hello.addr.source.to_bits(),
                "addr.peer": hello.addr.peer.to_bits(),
            }),
            0x8004 => same!("ECHO", tlv.value, ECHO, {
                "echo.epoch": hello.echo.map_or(0, |echo| echo.boot_epoch),
                "echo.sequence": hello.echo.map_or(0, |echo| echo.sequence),
                "echo.state": hello.echo.map_or(0, |echo| echo.state.code()),
                "echo.reason": hello.echo.map_or(0, |echo| echo.reason.code()),
            }),
            5 => cfg_digest = Some(tlv.value),
            6 => bfd_bound = tlv.value.last().map(|octet| octet & 1 == 1),
            _ => {}
        }
    }
    assert!(members.next().is_none(), "members");
    let own = hello.cfg_digest.as_ref().map(<[u8; 32]>::as_slice);
    assert_eq!(own, cfg_digest, "CFG_DIGEST");
    assert_eq!(hello.bfd_bound, bfd_bound, "CAPS");
}

/// A UDP datagram around a payload.
fn frame(payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![
        0, 0xe0, 0xfc, 0, 0, 1, 2, 0, 0, 0, 0, 1, 0x86, 0xdd, 0x60, 0, 0, 0,
    ];
    let length = u16::try_from(payload.len() + 8).unwrap_or(u16::MAX);
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(&[17, 64]);
    frame.extend_from_slice(&SOURCE.octets());
    frame.extend_from_slice(&DESTINATION.octets());
    frame.extend_from_slice(&PORT.to_be_bytes());
    frame.extend_from_slice(&PORT.to_be_bytes());
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(&[0, 0]);
    frame.extend_from_slice(payload);
    frame
}

/// A hello that is legal, encoded again: the same with a digest that both codecs find right, and
/// not with another key, another address or a changed octet. The first octet chooses algorithm and
/// key, the rest is the UDP payload.
pub fn sealed(input: &[u8]) {
    let Some((choice, payload)) = input.split_first().filter(|_| input.len() <= LONGEST) else {
        return;
    };
    let read = |payload: &[u8]| Envelope::parse(payload).ok()?.body().ok()?.hello().ok();
    let Some(hello) = read(payload) else { return };
    let mode = match choice % 3 {
        0 => AuthenticationMode::HmacSha1,
        1 => AuthenticationMode::HmacSha256,
        _ => AuthenticationMode::EnhancedHmacSha256,
    };
    let key = ["", "k", "a key of 32 octets and a few more"];
    let key = key.get(usize::from(choice / 3 % 3)).copied().unwrap_or("");
    let endpoints = Endpoints {
        source: SOURCE,
        destination: DESTINATION,
        source_port: PORT,
        destination_port: PORT,
    };
    let again = hello.to_vec(mode, key.as_bytes(), &endpoints);
    assert!(acceptable(&again), "an encoded hello is not legal");
    read_alike(&hello, &again);
    assert_eq!(read(&again).as_ref(), Some(&hello), "a hello encoded again");
    let right = |payload: &[u8], key: &str, endpoints: &Endpoints| {
        let body = Envelope::parse(payload).ok()?.body().ok()?;
        Some(body.authenticates(mode, key.as_bytes(), endpoints))
    };
    assert_eq!(right(&again, key, &endpoints), Some(true), "own digest");
    assert_eq!(
        digest_correct(&frame(&again), key),
        Some(true),
        "other's digest"
    );
    assert_eq!(
        right(&again, "another", &endpoints),
        Some(false),
        "another key"
    );
    let other = AuthenticationMode::from_code(1 + mode.code() % 3).unwrap_or(mode);
    let body = Envelope::parse(&again).and_then(|envelope| envelope.body());
    let other = body.is_ok_and(|body| body.authenticates(other, key.as_bytes(), &endpoints));
    assert!(!other, "another algorithm");
    let moved = Endpoints {
        source_port: PORT + 1,
        ..endpoints
    };
    let bound = mode == AuthenticationMode::EnhancedHmacSha256;
    assert_eq!(right(&again, key, &moved), Some(!bound), "another port");
    // Octets of the Boot_Epoch: every value is legal there.
    let mut changed = again;
    if let Some(octet) = changed.get_mut(28 + usize::from(choice % 8)) {
        *octet ^= 1 << (choice >> 5);
    }
    assert_eq!(
        right(&changed, key, &endpoints),
        Some(false),
        "changed octet"
    );
    assert_eq!(
        digest_correct(&frame(&changed), key),
        Some(false),
        "changed octet"
    );
}
