//! Proves the MLD codec against nine golden frames, the code tables of RFC 3810 5.1.3 and 5.1.9,
//! every truncation, and arbitrary octets.

#![expect(clippy::unwrap_used, reason = "tests")]

use dut_wire::mld::{
    ALL_MLDV2_ROUTERS, ALL_NODES, ALL_ROUTERS, LinkMtu, MaximumResponseCode, Message, Qqic, Qrv,
    Query, QueryV1, QueryV2, Record, RecordType, Refused, Report, delay_v1,
};
use dut_wire::{ether, icmpv6, ipv6};
use proptest::prelude::*;
use std::net::Ipv6Addr;
use std::time::Duration;

const G1: &str = "\
    33330000000102000000000186dd6000000000240001fe800000000000000000000000000001ff0200000000000000\
    000000000000013a00050200000100820056962710000000000000000000000000000000000000027d0000";
const G2: &str = "\
    33330000005502000000000186dd6000000000240001fe800000000000000000000000000001ff1e00000000000000\
    000000000000553a00050200000100820071da03e80000ff1e00000000000000000000000000550a7d0000";
const G3: &str = "\
    33330000005502000000000186dd6000000000440001fe800000000000000000000000000001ff1e00000000000000\
    000000000000553a0005020000010082001e4303e80000ff1e0000000000000000000000000055027d000220010db8\
    00000000000000000000000120010db8000000000000000000000002";
const G4: &str = "\
    33330000000102000000000186dd6000000000200001fe800000000000000000000000000001ff0200000000000000\
    000000000000013a00050200000100820059172710000000000000000000000000000000000000";
const G5: &str = "\
    33330000005502000000100186dd6000000000200001fe8000000000000000000000000000a1ff1e00000000000000\
    000000000000553a0005020000010083007ea300000000ff1e0000000000000000000000000055";
const G6: &str = "\
    33330000000202000000100186dd6000000000200001fe8000000000000000000000000000a1ff0200000000000000\
    000000000000023a0005020000010084007e1200000000ff1e0000000000000000000000000055";
const G7: &str = "\
    33330000001602000000100186dd6000000000240001fe8000000000000000000000000000a1ff0200000000000000\
    000000000000163a000502000001008f006ef90000000104000000ff1e0000000000000000000000000055";
const G8: &str = "\
    33330000001602000000100186dd6000000000580001fe8000000000000000000000000000a1ff0200000000000000\
    000000000000163a000502000001008f000cd90000000205000001ff1e000000000000000000000000005520010db8\
    00000000000000000000000106000001ff1e000000000000000000000000005520010db80000000000000000000000\
    02";
const G9: &str = "\
    33330000001602000000100186dd6000000000500001fe8000000000000000000000000000a1ff0200000000000000\
    000000000000163a000502000001008f0032860000000202020000ff1e000000000000000000000000005501020304\
    0506070801000001ff1e000000000000000000000000005620010db8000000000000000000000001";

fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let octet = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(octet).collect()
}

fn addr(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

fn router() -> Ipv6Addr {
    addr("fe80::1")
}
fn host() -> Ipv6Addr {
    addr("fe80::a1")
}

/// The envelope's facts and the ICMPv6 message of a frame.
fn strip(frame: &[u8]) -> (Ipv6Addr, Ipv6Addr, Vec<u8>) {
    let frame = ether::Frame::parse(frame).unwrap();
    assert_eq!(frame.ethertype, ether::IPV6);
    let packet = ipv6::Packet::parse(frame.payload).unwrap();
    assert_eq!(
        (packet.hop_limit, packet.router_alert, packet.next_header),
        (1, Some(0), ipv6::ICMPV6)
    );
    let (source, destination) = (packet.source, packet.destination);
    assert_eq!(frame.destination, ipv6::multicast_mac(destination));
    assert!(icmpv6::checksum_holds(packet.payload, source, destination));
    (source, destination, packet.payload.to_vec())
}

/// The whole frame around a message.
fn wrap(source: Ipv6Addr, destination: Ipv6Addr, mac: [u8; 6], message: &[u8]) -> Vec<u8> {
    let mut payload = Vec::new();
    let packet = ipv6::Packet {
        source,
        destination,
        hop_limit: 1,
        router_alert: Some(0),
        next_header: ipv6::ICMPV6,
        payload: message,
    };
    packet.emit(&mut payload);
    let frame = ether::Frame {
        destination: ipv6::multicast_mac(destination),
        source: mac,
        ethertype: ether::IPV6,
        payload: &payload,
    };
    frame.to_vec()
}

const ROUTER_MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
const HOST_MAC: [u8; 6] = [2, 0, 0, 0, 0x10, 1];

fn query(delay: u16, group: &str, suppress: bool, sources: &[&str]) -> Message {
    Message::Query(Query::V2(QueryV2 {
        maximum_response_code: MaximumResponseCode(delay),
        group: addr(group),
        suppress,
        qrv: Qrv::new(2),
        qqic: Qqic(125),
        sources: sources.iter().map(|s| addr(s)).collect(),
    }))
}

fn record(record_type: RecordType, group: &str, sources: &[&str]) -> Record {
    Record {
        record_type,
        group: addr(group),
        sources: sources.iter().map(|s| addr(s)).collect(),
    }
}

/// The frames that we would send ourselves: message, source, destination, octets.
fn golden() -> Vec<(Message, Ipv6Addr, Ipv6Addr, Vec<u8>)> {
    let group = addr("ff1e::55");
    let report = |records| Message::Report(Report { records });
    vec![
        (
            query(10000, "::", false, &[]),
            router(),
            ALL_NODES,
            octets(G1),
        ),
        (
            query(1000, "ff1e::55", true, &[]),
            router(),
            group,
            octets(G2),
        ),
        (
            query(1000, "ff1e::55", false, &["2001:db8::1", "2001:db8::2"]),
            router(),
            group,
            octets(G3),
        ),
        (
            Message::Query(Query::V1(QueryV1 {
                maximum_response_delay: 10000,
                group: Ipv6Addr::UNSPECIFIED,
            })),
            router(),
            ALL_NODES,
            octets(G4),
        ),
        (Message::ReportV1 { group }, host(), group, octets(G5)),
        (Message::Done { group }, host(), ALL_ROUTERS, octets(G6)),
        (
            report(vec![record(RecordType::ChangeToExclude, "ff1e::55", &[])]),
            host(),
            ALL_MLDV2_ROUTERS,
            octets(G7),
        ),
        (
            report(vec![
                record(RecordType::AllowNewSources, "ff1e::55", &["2001:db8::1"]),
                record(RecordType::BlockOldSources, "ff1e::55", &["2001:db8::2"]),
            ]),
            host(),
            ALL_MLDV2_ROUTERS,
            octets(G8),
        ),
    ]
}

/// G9 carries auxiliary data, which is never sent.
fn golden_aux() -> Message {
    Message::Report(Report {
        records: vec![
            record(RecordType::ModeIsExclude, "ff1e::55", &[]),
            record(RecordType::ModeIsInclude, "ff1e::56", &["2001:db8::1"]),
        ],
    })
}

#[test]
fn golden_frames_parse() {
    for (message, source, destination, frame) in golden() {
        let (from, to, octets) = strip(&frame);
        assert_eq!((from, to), (source, destination));
        assert_eq!(Message::parse(&octets), Ok(message));
    }
    let (from, to, octets) = strip(&octets(G9));
    assert_eq!((from, to), (host(), ALL_MLDV2_ROUTERS));
    assert_eq!(Message::parse(&octets), Ok(golden_aux()));
}

#[test]
fn golden_frames_are_emitted() {
    for (message, source, destination, frame) in golden() {
        let octets = message.to_vec(source, destination);
        assert_eq!(octets.len(), message.emitted_len());
        let mac = if source == router() {
            ROUTER_MAC
        } else {
            HOST_MAC
        };
        assert_eq!(wrap(source, destination, mac, &octets), frame);
    }
}

/// Lengths below which a message of each golden frame is refused, and why.
#[test]
fn truncation_at_every_length() {
    for frame in [G1, G2, G3, G4, G5, G6, G7, G8, G9] {
        let (_, _, whole) = strip(&octets(frame));
        for length in 0..whole.len() {
            let cut = Message::parse(&whole[..length]);
            let refused = match (whole[0], length) {
                // A version 2 query cut to 24 octets is a version 1 query by its length alone.
                (130, 24) => None,
                (130, 28..) => Some("overrun"),
                (143, 8..) => Some("overrun"),
                _ => Some("length"),
            };
            let seen = match cut {
                Ok(Message::Query(Query::V1(_))) => None,
                Err(Refused::Length(_)) => Some("length"),
                Err(Refused::Overrun(_)) => Some("overrun"),
                other => panic!("{length}: {other:?}"),
            };
            assert_eq!(seen, refused, "{length} octets of {whole:02x?}");
        }
    }
}

#[test]
fn trailing_octets_are_ignored() {
    let mut frames: Vec<(Message, Vec<u8>)> = golden()
        .into_iter()
        .filter(|(message, ..)| !matches!(message, Message::Query(Query::V1(_))))
        .map(|(message, source, destination, _)| {
            let octets = message.to_vec(source, destination);
            (message, octets)
        })
        .collect();
    frames.push((golden_aux(), strip(&octets(G9)).2));
    for (message, octets) in frames {
        for extra in [1, 4, 7, 64] {
            let mut longer = octets.clone();
            longer.resize(octets.len() + extra, 0xa5);
            assert_eq!(Message::parse(&longer), Ok(message.clone()));
        }
    }
}

#[test]
fn a_query_of_25_to_27_octets_is_of_no_version() {
    let (_, _, octets) = strip(&octets(G4));
    for extra in 1..=3 {
        let mut longer = octets.clone();
        longer.resize(24 + extra, 0);
        assert!(matches!(Message::parse(&longer), Err(Refused::Length(_))));
    }
}

#[test]
fn code_reserved_and_flags_are_ignored() {
    let (_, _, mut g2) = strip(&octets(G2));
    g2[1] = 0x55;
    g2[6] = 0xff;
    g2[7] = 0xff;
    g2[24] |= 0xf0;
    assert_eq!(Message::parse(&g2), Ok(query(1000, "ff1e::55", true, &[])));
    let (_, _, mut g7) = strip(&octets(G7));
    g7[1] = 0x55;
    g7[4] = 0xff;
    g7[5] = 0xff;
    let report = Report {
        records: vec![record(RecordType::ChangeToExclude, "ff1e::55", &[])],
    };
    assert_eq!(Message::parse(&g7), Ok(Message::Report(report)));
    let (_, _, mut g5) = strip(&octets(G5));
    g5[1] = 0x55;
    g5[4..8].fill(0xff);
    let group = addr("ff1e::55");
    assert_eq!(Message::parse(&g5), Ok(Message::ReportV1 { group }));
}

#[test]
fn what_is_not_multicast_is_refused_in_queries_and_version_1() {
    for (frame, also_unspecified) in [(G2, false), (G4, false), (G5, true), (G6, true)] {
        let (_, _, mut octets) = strip(&octets(frame));
        octets[8..24].copy_from_slice(&addr("2001:db8::1").octets());
        assert!(matches!(Message::parse(&octets), Err(Refused::Group(_))));
        octets[8..24].fill(0);
        let refused = matches!(Message::parse(&octets), Err(Refused::Group(_)));
        assert_eq!(refused, also_unspecified);
    }
}

#[test]
fn a_general_query_with_sources_is_refused() {
    let (_, _, mut octets) = strip(&octets(G3));
    octets[8..24].fill(0);
    assert!(matches!(Message::parse(&octets), Err(Refused::Sources(_))));
}

#[test]
fn counts_that_overrun_are_refused_without_an_allocation_of_their_size() {
    let (_, _, mut g7) = strip(&octets(G7));
    for count in [2_u16, 3, 65535] {
        g7[6..8].copy_from_slice(&count.to_be_bytes());
        assert!(matches!(Message::parse(&g7), Err(Refused::Overrun(_))));
    }
    let (_, _, mut g8) = strip(&octets(G8));
    for (at, value) in [(46, 0xff), (45, 9), (45, 255)] {
        let before = g8[at];
        g8[at] = value;
        assert!(matches!(Message::parse(&g8), Err(Refused::Overrun(_))));
        g8[at] = before;
    }
}

#[test]
fn unknown_record_types_are_kept() {
    let (_, _, mut g8) = strip(&octets(G8));
    for value in [0, 7, 9, 255] {
        g8[8] = value;
        let report = Report {
            records: vec![
                record(RecordType::Unknown(value), "ff1e::55", &["2001:db8::1"]),
                record(RecordType::BlockOldSources, "ff1e::55", &["2001:db8::2"]),
            ],
        };
        assert_eq!(Message::parse(&g8), Ok(Message::Report(report)));
        assert_eq!(RecordType::from_value(value).value(), value);
    }
}

#[test]
fn other_types_are_refused() {
    for kind in [0, 1, 129, 133, 142, 144, 150, 200, 206] {
        let (_, _, mut octets) = strip(&octets(G7));
        octets[0] = kind;
        assert!(matches!(Message::parse(&octets), Err(Refused::Type(_))));
    }
    assert!(matches!(Message::parse(&[]), Err(Refused::Length(_))));
}

#[test]
fn maximum_response_code_table() {
    let table = [
        (0x03e8, 1000),
        (0x2710, 10000),
        (0x7fff, 32767),
        (0x8000, 32768),
        (0x8001, 32776),
        (0x8fff, 65528),
        (0x9000, 65536),
        (0xc123, 561_536),
        (0xffff, 8_387_584),
    ];
    for (code, ms) in table {
        let delay = Duration::from_millis(ms);
        assert_eq!(MaximumResponseCode(code).delay(), delay);
        assert_eq!(MaximumResponseCode::encode(delay).0, code);
    }
    // Rounding down, and the end of the scale.
    for (ms, code) in [
        (33000, 0x801d),
        (32775, 0x8000),
        (8_387_585, 0xffff),
        (u64::MAX, 0xffff),
    ] {
        assert_eq!(
            MaximumResponseCode::encode(Duration::from_millis(ms)).0,
            code
        );
    }
    assert_eq!(
        MaximumResponseCode::encode(Duration::from_millis(16_777_216)).0,
        0xffff
    );
}

#[test]
fn qqic_table() {
    let table = [
        (0x7d, 125),
        (0x7f, 127),
        (0x80, 128),
        (0x81, 136),
        (0x8f, 248),
        (0x90, 256),
        (0xa5, 672),
        (0xf0, 16384),
        (0xff, 31744),
    ];
    for (code, s) in table {
        let interval = Duration::from_secs(s);
        assert_eq!(Qqic(code).interval(), interval);
        assert_eq!(Qqic::encode(interval).0, code);
    }
    for (s, code) in [
        (20, 0x14),
        (130, 0x80),
        (31745, 0xff),
        (65536, 0xff),
        (u64::MAX, 0xff),
    ] {
        assert_eq!(Qqic::encode(Duration::from_secs(s)).0, code);
    }
}

#[test]
fn codes_round_down_over_their_whole_range() {
    for code in 0..=u16::MAX {
        let delay = MaximumResponseCode(code).delay();
        assert_eq!(MaximumResponseCode::encode(delay).0, code);
        if code > 0 {
            let less = MaximumResponseCode::encode(delay - Duration::from_millis(1));
            assert_eq!(less.0, code - 1);
        }
    }
    for code in 0..=u8::MAX {
        let interval = Qqic(code).interval();
        assert_eq!(Qqic::encode(interval).0, code);
        if code > 0 {
            let less = Qqic::encode(interval - Duration::from_secs(1));
            assert_eq!(less.0, code - 1);
        }
    }
}

#[test]
fn version_1_delay_is_linear() {
    assert_eq!(delay_v1(Duration::from_secs(40)), 0x9c40);
    assert_eq!(delay_v1(Duration::from_millis(65_535)), 0xffff);
    assert_eq!(delay_v1(Duration::from_secs(66)), 0xffff);
    let query = Query::V1(QueryV1 {
        maximum_response_delay: 0x9c40,
        group: Ipv6Addr::UNSPECIFIED,
    });
    assert_eq!(query.maximum_response_delay(), Duration::from_secs(40));
}

#[test]
fn qrv_is_zero_above_seven() {
    for (robustness, field, read) in [
        (2, 2, Some(2)),
        (7, 7, Some(7)),
        (8, 0, None),
        (255, 0, None),
    ] {
        assert_eq!(Qrv::new(robustness).get(), field);
        assert_eq!(Qrv::new(robustness).robustness_variable(), read);
    }
}

fn numbered(n: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, n)
}

#[test]
fn queries_are_split_to_the_mtu() {
    // (MTU, what fits one query): (M - 76) / 16.
    for (mtu, capacity) in [(1500, 89), (1280, 75), (0, 75), (9000, 557)] {
        let whole = QueryV2 {
            maximum_response_code: MaximumResponseCode(1000),
            group: addr("ff1e::55"),
            suppress: true,
            qrv: Qrv::new(2),
            qqic: Qqic(125),
            sources: (0..601).map(numbered).collect(),
        };
        let parts = whole.clone().split(LinkMtu::new(mtu));
        let lengths: Vec<usize> = parts.iter().map(|part| part.sources.len()).collect();
        let mut expected = vec![capacity; 601 / capacity];
        expected.push(601 % capacity);
        assert_eq!(lengths, expected);
        let joined: Vec<Ipv6Addr> = parts.iter().flat_map(|part| part.sources.clone()).collect();
        assert_eq!(joined, whole.sources);
        for part in parts {
            assert!(part.suppress);
            let room = usize::from(LinkMtu::new(mtu).octets()) - 48;
            assert!(Message::Query(Query::V2(part)).emitted_len() <= room);
        }
    }
}

#[test]
fn records_are_packed_to_the_mtu() {
    // (sources a record, what fits 1500 octets, what fits 1280).
    for (sources, ethernet, least) in [(0, 72, 61), (1, 40, 34)] {
        let list: Vec<&str> = ["2001:db8::1"].into_iter().take(sources).collect();
        let records = vec![record(RecordType::ModeIsExclude, "ff1e::55", &list); 100];
        for (mtu, capacity) in [(1500, ethernet), (1280, least)] {
            let reports = Report::pack(records.clone(), LinkMtu::new(mtu));
            let lengths: Vec<usize> = reports.iter().map(|r| r.records.len()).collect();
            let mut expected = vec![capacity; 100 / capacity];
            expected.push(100 % capacity);
            assert_eq!(lengths, expected);
        }
    }
}

#[test]
fn a_list_too_long_is_split_or_cut() {
    let long = |record_type| Record {
        record_type,
        group: addr("ff1e::55"),
        sources: (0..200).map(numbered).collect(),
    };
    let lengths = |record_type| -> Vec<usize> {
        let reports = Report::pack(vec![long(record_type)], LinkMtu::new(1500));
        reports
            .iter()
            .map(|report| report.records[0].sources.len())
            .collect()
    };
    for splits in [
        RecordType::ModeIsInclude,
        RecordType::ChangeToInclude,
        RecordType::AllowNewSources,
        RecordType::BlockOldSources,
    ] {
        assert_eq!(lengths(splits), [89, 89, 22]);
    }
    assert_eq!(lengths(RecordType::ModeIsExclude), [89]);
    assert_eq!(lengths(RecordType::ChangeToExclude), [89]);
}

fn address() -> impl Strategy<Value = Ipv6Addr> {
    any::<u128>().prop_map(Ipv6Addr::from_bits)
}

fn multicast() -> impl Strategy<Value = Ipv6Addr> {
    any::<u128>().prop_map(|bits| Ipv6Addr::from_bits(bits | 0xff << 120))
}

fn legal() -> impl Strategy<Value = Message> {
    let record = (
        any::<u8>(),
        address(),
        prop::collection::vec(address(), 0..5),
    )
        .prop_map(|(value, group, sources)| Record {
            record_type: RecordType::from_value(value),
            group,
            sources,
        });
    let query = (
        any::<u16>(),
        multicast(),
        any::<bool>(),
        0..8_u8,
        any::<u8>(),
        prop::collection::vec(address(), 0..5),
    );
    let query = query.prop_map(|(code, group, suppress, qrv, qqic, sources)| QueryV2 {
        maximum_response_code: MaximumResponseCode(code),
        group,
        suppress,
        qrv: Qrv::new(qrv),
        qqic: Qqic(qqic),
        sources,
    });
    prop_oneof![
        query.prop_map(|query| Message::Query(Query::V2(query))),
        (any::<u16>(), multicast()).prop_map(|(maximum_response_delay, group)| {
            Message::Query(Query::V1(QueryV1 {
                maximum_response_delay,
                group,
            }))
        }),
        multicast().prop_map(|group| Message::ReportV1 { group }),
        multicast().prop_map(|group| Message::Done { group }),
        prop::collection::vec(record, 0..5).prop_map(|records| Message::Report(Report { records })),
    ]
}

proptest! {
    #[test]
    fn what_is_emitted_parses_back(message in legal(), source in address(), to in address()) {
        let octets = message.to_vec(source, to);
        prop_assert_eq!(octets.len(), message.emitted_len());
        prop_assert!(icmpv6::checksum_holds(&octets, source, to));
        prop_assert_eq!(Message::parse(&octets), Ok(message));
    }

    #[test]
    fn arbitrary_octets_never_panic(
        kind in prop::sample::select(vec![130_u8, 131, 132, 143, 0]),
        mut octets in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        if let Some(first) = octets.first_mut() {
            *first = kind;
        }
        let _ = Message::parse(&octets);
    }
}
