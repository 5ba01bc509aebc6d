//! Built frames equal published ones octet by octet; what is decoded is what was built; nothing
//! panics.

use super::*;
use serde_json::{Value, json};

fn fields(value: Value) -> Fields {
    value.as_object().unwrap().clone().into_iter().collect()
}

/// Frames whose checksums Wireshark 4.0 agrees with (router 02:…:01, host 02:…:10:01).
fn golden() -> Vec<(Kind, Value, &'static str)> {
    let router = json!({"ether.source": "02:00:00:00:00:01", "ipv6.source": "fe80::1"});
    let host = json!({"ether.source": "02:00:00:00:10:01", "ipv6.source": "fe80::a1"});
    let with = |base: &Value, more: Value| {
        let mut all = base.as_object().unwrap().clone();
        all.extend(more.as_object().unwrap().clone());
        Value::Object(all)
    };
    let s = ["2001:db8::1", "2001:db8::2"];
    vec![
        (
            Kind::MldQuery,
            with(&router, json!({})),
            "33330000000102000000000186dd6000000000240001fe800000000000000000000000000001ff0200000000000000000000000000013a00050200000100820056962710000000000000000000000000000000000000027d0000",
        ),
        (
            Kind::MldQuery,
            with(&router, json!({"group": "ff1e::55", "s": 1})),
            "33330000005502000000000186dd6000000000240001fe800000000000000000000000000001ff1e00000000000000000000000000553a00050200000100820071da03e80000ff1e00000000000000000000000000550a7d0000",
        ),
        (
            Kind::MldQuery,
            with(&router, json!({"group": "ff1e::55", "sources": s})),
            "33330000005502000000000186dd6000000000440001fe800000000000000000000000000001ff1e00000000000000000000000000553a0005020000010082001e4303e80000ff1e0000000000000000000000000055027d000220010db800000000000000000000000120010db8000000000000000000000002",
        ),
        (
            Kind::MldQuery,
            with(&router, json!({"version": 1})),
            "33330000000102000000000186dd6000000000200001fe800000000000000000000000000001ff0200000000000000000000000000013a00050200000100820059172710000000000000000000000000000000000000",
        ),
        (
            Kind::MldV1Report,
            with(&host, json!({"group": "ff1e::55"})),
            "33330000005502000000100186dd6000000000200001fe8000000000000000000000000000a1ff1e00000000000000000000000000553a0005020000010083007ea300000000ff1e0000000000000000000000000055",
        ),
        (
            Kind::MldDone,
            with(&host, json!({"group": "ff1e::55"})),
            "33330000000202000000100186dd6000000000200001fe8000000000000000000000000000a1ff0200000000000000000000000000023a0005020000010084007e1200000000ff1e0000000000000000000000000055",
        ),
        (
            Kind::MldReport,
            with(
                &host,
                json!({"records": [{"type": "TO_EX", "group": "ff1e::55"}]}),
            ),
            "33330000001602000000100186dd6000000000240001fe8000000000000000000000000000a1ff0200000000000000000000000000163a000502000001008f006ef90000000104000000ff1e0000000000000000000000000055",
        ),
        (
            Kind::MldReport,
            with(
                &host,
                json!({"records": [
                    {"type": "ALLOW", "group": "ff1e::55", "sources": ["2001:db8::1"]},
                    {"type": "BLOCK", "group": "ff1e::55", "sources": ["2001:db8::2"]}]}),
            ),
            "33330000001602000000100186dd6000000000580001fe8000000000000000000000000000a1ff0200000000000000000000000000163a000502000001008f000cd90000000205000001ff1e000000000000000000000000005520010db800000000000000000000000106000001ff1e000000000000000000000000005520010db8000000000000000000000002",
        ),
        (
            Kind::MldReport,
            with(
                &host,
                json!({"records": [
                    {"type": "IS_EX", "group": "ff1e::55", "aux": "0102030405060708"},
                    {"type": "IS_IN", "group": "ff1e::56", "sources": ["2001:db8::1"]}]}),
            ),
            "33330000001602000000100186dd6000000000500001fe8000000000000000000000000000a1ff0200000000000000000000000000163a000502000001008f0032860000000202020000ff1e0000000000000000000000000055010203040506070801000001ff1e000000000000000000000000005620010db8000000000000000000000001",
        ),
    ]
}

#[test]
fn mld_frames_equal_published_ones() {
    for (kind, given, hex) in golden() {
        let frame = build(kind, &fields(given)).unwrap();
        assert_eq!(to_hex(&frame), hex, "{kind:?}");
        let decoded = decode(&frame);
        assert_eq!(
            (decoded.kind, decoded.anomalies.len()),
            (kind, 0),
            "{decoded:?}"
        );
        assert_eq!(decoded.fields["icmpv6.checksum"], "correct");
    }
}

#[test]
fn a_default_lacpdu_is_a_legal_one() {
    let frame = build(Kind::Lacpdu, &Fields::new()).unwrap();
    assert_eq!(frame.len(), 124);
    assert_eq!(&frame[..6], &[0x01, 0x80, 0xc2, 0, 0, 2]);
    assert_eq!(&frame[12..18], &[0x88, 0x09, 1, 1, 1, 20]);
    let decoded = decode(&frame);
    assert!(decoded.anomalies.is_empty(), "{decoded:?}");
}

#[test]
fn lacpdu_fields_stand_where_the_standard_puts_them() {
    let given = json!({
        "actor.system": "00:e0:fc:12:34:55", "actor.key": 305, "actor.port": 32769,
        "actor.state": 0x05, "actor.synchronization": 1, "partner.port_priority": 0x1234,
        "partner.expired": 1, "collector.max_delay": 0xabcd,
    });
    let frame = build(Kind::Lacpdu, &fields(given)).unwrap();
    let pdu = &frame[14..];
    assert_eq!(
        &pdu[6..14],
        &[0x00, 0xe0, 0xfc, 0x12, 0x34, 0x55, 0x01, 0x31]
    );
    assert_eq!(&pdu[16..19], &[0x80, 0x01, 0x0d]);
    assert_eq!((&pdu[34..36], pdu[38]), (&[0x12, 0x34][..], 0x80));
    assert_eq!(&pdu[44..46], &[0xab, 0xcd]);
    let decoded = decode(&frame).fields;
    assert_eq!(decoded["actor.synchronization"], 1);
    assert_eq!(decoded["actor.collecting"], 0);
    assert_eq!(decoded["actor.port"], 32769);
}

#[test]
fn anything_can_be_built_and_is_called_odd() {
    for given in [
        json!({"actor.length": 19}),
        json!({"cut": 60}),
        json!({"append": "6400"}),
        json!({"reserved": "ff".repeat(50)}),
        json!({"tlvs": "0406008 0c200".replace(' ', ""), "version": 1}),
    ] {
        let frame = build(Kind::Lacpdu, &fields(given.clone())).unwrap();
        assert!(!decode(&frame).anomalies.is_empty(), "{given}");
    }
    let given =
        fields(json!({"records": [{"type": 9, "group": "ff1e::1", "number_of_sources": 3}]}));
    assert!(
        !decode(&build(Kind::MldReport, &given).unwrap())
            .anomalies
            .is_empty()
    );
}

#[test]
fn an_unknown_field_names_the_known_ones() {
    let said = build(Kind::Lacpdu, &fields(json!({"actor.kee": 1})))
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("no field `actor.kee`") && said.contains("actor.key"),
        "{said}"
    );
    let said = build(Kind::Lacpdu, &fields(json!({"actor.key": 65536})))
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("actor.key") && said.contains("65536"),
        "{said}"
    );
}

#[test]
fn a_hello_decodes_to_what_it_was_built_of() {
    let given = json!({
        "priority": 20, "state": 3, "sequence_present": 1, "sequence": 7, "auth.key": "k",
        "members": [{"local_id": 1, "remote_id": 1, "link_ready": 1, "role": 2}],
        "echo.epoch": 5, "echo.state": 2,
    });
    for algorithm in 1..=3 {
        let mut given = fields(given.clone());
        given.insert("auth.algorithm".into(), algorithm.into());
        let frame = build(Kind::Etrunk, &given).unwrap();
        let decoded = decode(&frame);
        assert_eq!((decoded.kind, decoded.anomalies.len()), (Kind::Etrunk, 0));
        assert_eq!(decoded.fields["udp.checksum"], "correct");
        assert_eq!(decoded.fields["echo.epoch"], 5);
        assert_eq!(decoded.fields["members"][0]["role"], 2);
        assert_eq!(decoded.fields["addr.source"], decoded.fields["ipv6.source"]);
    }
}

#[test]
fn hmac_digests_are_those_of_the_rfcs() {
    // RFC 2202 case 2 and RFC 4231 case 2.
    let (key, text) = (
        b"Jefe".as_slice(),
        b"what do ya want for nothing?".as_slice(),
    );
    let none = (
        std::net::Ipv6Addr::UNSPECIFIED,
        std::net::Ipv6Addr::UNSPECIFIED,
    );
    let sha1 = etrunk::digest(1, key, text, none, (0, 0));
    assert_eq!(to_hex(&sha1), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    let sha256 = etrunk::digest(2, key, text, none, (0, 0));
    assert_eq!(
        to_hex(&sha256),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
}

#[test]
fn rbs_messages_are_split_and_decoded() {
    let upsert = fields(
        json!({"name": "UPSERT", "backup_id": 10, "service": 1, "records": [
        {"group": "ff1e::1", "filter_mode": 2, "filter_timer_ms": 1000,
         "sources": [{"source": "2001:db8::1", "timer_ms": 5}]}]}),
    );
    let mut stream = build_message(&upsert).unwrap();
    stream.extend(build_message(&fields(json!({"name": "KEEPALIVE"}))).unwrap());
    stream.extend(b"TRB");
    let messages = split_messages(&mut stream);
    assert_eq!((messages.len(), stream.as_slice()), (2, b"TRB".as_slice()));
    let decoded = decode_message(&messages[0]);
    assert_eq!(decoded.fields["name"], "UPSERT");
    assert_eq!(decoded.fields["length"], 32 + 8 + 96 + 24);
    assert_eq!(decoded.fields["records"][0]["sources"][0]["timer_ms"], 5);
    assert_eq!(decode_message(&messages[1]).fields["name"], "KEEPALIVE");
}

#[test]
fn no_octets_make_decoding_panic() {
    let mut samples: Vec<Vec<u8>> = golden()
        .iter()
        .map(|(.., hex)| parse_hex(hex).unwrap())
        .collect();
    samples.push(build(Kind::Lacpdu, &Fields::new()).unwrap());
    samples.push(build(Kind::Etrunk, &Fields::new()).unwrap());
    for sample in samples {
        for length in 0..=sample.len() {
            let _ = decode(&sample[..length]);
        }
        for at in 0..sample.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut changed = sample.clone();
                changed[at] = value;
                let _ = decode(&changed);
                let _ = decode_message(&changed);
            }
        }
    }
}

#[test]
fn a_hello_tells_whether_its_digest_is_the_keys_and_what_order_its_tlvs_have() {
    for algorithm in 1..=3 {
        let mut given = json!({"auth.algorithm": algorithm, "auth.key": "k", "caps": 0});
        let frame = build(Kind::Etrunk, &fields(given.clone())).unwrap();
        assert_eq!(digest_correct(&frame, "k"), Some(true), "{algorithm}");
        assert_eq!(digest_correct(&frame, "l"), Some(false), "{algorithm}");
        let mut changed = frame.clone();
        changed[14 + 40 + 8 + 12] ^= 1;
        assert_eq!(digest_correct(&changed, "k"), Some(false), "{algorithm}");
        let decoded = decode(&frame).fields;
        assert_eq!(decoded["tlvs.types"], "8001 8002 8003 8004 0006 8007");
        assert_eq!(decoded["reserved.not_zero"], 0);
        // Octet 26 of the payload is reserved.
        given["patch"] = json!([[14 + 40 + 8 + 26, "01"]]);
        let frame = build(Kind::Etrunk, &fields(given)).unwrap();
        assert_eq!(decode(&frame).fields["reserved.not_zero"], 1);
    }
    let without = build(Kind::Etrunk, &fields(json!({"omit": ["auth"]}))).unwrap();
    assert_eq!(digest_correct(&without, "k"), None);
    assert_eq!(digest_correct(&without[..50], "k"), None);
}

#[test]
fn tcp_ports_flags_and_length_are_decoded() {
    // RFC 9293 3.1: ports, sequence, acknowledgement, data offset 5, flags SYN and ACK, window, and
    // two octets of data.
    let segment = "0401c001 00000001 00000002 5012ffff 00000000 abcd";
    let ip =
        "60000000 0016 06 40 20010db8000000000000000000000001 20010db8000000000000000000000002";
    let octets = format!("020000000002 020000000001 86dd {ip} {segment}");
    let decoded = decode(&parse_hex(&octets).unwrap()).fields;
    for (name, value) in [
        ("tcp.source_port", 1025),
        ("tcp.destination_port", 49_153),
        ("tcp.syn", 1),
        ("tcp.ack", 1),
        ("tcp.fin", 0),
        ("tcp.rst", 0),
        ("tcp.length", 2),
    ] {
        assert_eq!(decoded[name], value, "{name}");
    }
}

/// Proves that a stream's packet with another number is the one that would be built with it, its
/// checksum included, and that no other frame is touched.
#[test]
fn a_renumbered_packet_is_the_one_with_that_number() {
    let numbered = |number: u64| {
        let given = json!({"ipv6.destination": "ff1e::101", "sequence": number});
        build(Kind::Udp, &fields(given)).unwrap()
    };
    let mut packet = numbered(1);
    for number in [2, 255, 0x1_0000, u64::MAX] {
        assert_eq!(renumber(&mut packet, number), Some(()));
        assert_eq!(packet, numbered(number), "{number}");
    }
    let mut other = build(Kind::Udp, &fields(json!({"payload": "00"}))).unwrap();
    let before = other.clone();
    assert_eq!(renumber(&mut other, 7), None);
    assert_eq!(other, before);
}
