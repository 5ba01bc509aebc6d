//! RBS frames against hand-assembled octets.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::net::Ipv6Addr;

fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex
        .bytes()
        .filter_map(|c| char::from(c).to_digit(16))
        .map(|d| u8::try_from(d).unwrap())
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

fn ip(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

const ORIGIN: [u8; 6] = [0, 0xe0, 0xfc, 0, 0, 1];

fn version(sequence: u64) -> Version {
    Version {
        epoch: 3,
        sequence,
        origin: ORIGIN,
    }
}

fn group(name: &str, mode: FilterMode, sources: &[(&str, u32)]) -> GroupRecord {
    let sources = sources.iter().map(|(source, timer_ms)| {
        let state = SourceRecord {
            timer_ms: *timer_ms,
            query_count: 0,
        };
        (ip(source), state)
    });
    GroupRecord {
        eth_trunk: 1,
        group: ip(name),
        filter_mode: mode,
        query_count: 0,
        version: version(7),
        filter_timer_ms: if mode == FilterMode::Exclude {
            260_000
        } else {
            0
        },
        v1_host_ms: 0,
        query_due_ms: 0,
        last_reporter: ip("fe80::1"),
        sources: sources.collect(),
    }
}

fn frame(backup_id: u16, service: Service, body: Body) -> Frame {
    Frame {
        session_epoch: 3,
        message_id: 5,
        backup_id,
        service,
        body,
    }
}

fn open() -> Open {
    Open {
        minimum: (1, 0),
        maximum: (1, 0),
        keepalive: 10,
        hold: 150,
        digest: true,
        timers: true,
        profiles: vec![OpenProfile {
            backup_id: 100,
            service: Service::Mld,
            role: Role::Master,
            e_trunk_id: 1,
            eth_trunk: 1,
            configuration_digest: [0xab; 32],
        }],
    }
}

/// Every type once.
fn all() -> Vec<Frame> {
    let mut busy = group(
        "ff3e::2",
        FilterMode::Exclude,
        &[("2001:db8::1", 1000), ("2001:db8::9", 0)],
    );
    busy.v1_host_ms = 5;
    busy.query_count = 2;
    busy.query_due_ms = 1000;
    let interface = InterfaceRecord {
        eth_trunk: 1,
        querier: ip("fe80::1"),
        version: version(1),
        other_querier_ms: 255_000,
        general_query_ms: 0,
    };
    let tombstone = Tombstone {
        eth_trunk: 1,
        group: ip("ff3e::2"),
        version: version(8),
    };
    let profile = |body| frame(100, Service::Mld, body);
    let session = |body| frame(0, Service::None, body);
    let digest = [0x5a; 32];
    vec![
        session(Body::Open(open())),
        session(Body::OpenAck(open())),
        session(Body::Notify {
            code: NotifyCode::Malformed,
            refused: 4,
        }),
        session(Body::Keepalive),
        profile(Body::SyncReq { number: 1 }),
        profile(Body::SyncBegin {
            generation: 1,
            count: 2,
        }),
        profile(Body::Upsert {
            generation: 1,
            records: vec![Record::Group(busy), Record::Interface(interface)],
        }),
        profile(Body::Delete {
            tombstones: vec![tombstone],
        }),
        profile(Body::SyncEnd {
            generation: 1,
            count: 2,
            digest,
        }),
        session(Body::Ack { message_id: 9 }),
        profile(Body::Nak {
            refused: 9,
            code: NakCode::Overflow,
        }),
        profile(Body::Digest {
            count: 1,
            answer_wanted: true,
            digest,
        }),
        profile(Body::Role { role: Role::Slave }),
        session(Body::Goodbye {
            cause: GoodbyeCause::Restart,
        }),
    ]
}

#[test]
fn an_upsert_has_the_octets_of_the_page() {
    let record = group("ff3e::1", FilterMode::Include, &[("2001:db8::1", 0x1234)]);
    let body = Body::Upsert {
        generation: 0,
        records: vec![Record::Group(record)],
    };
    let expected = octets(
        "54524253 01 00 07 00 000000a0 0000000000000003 0000000000000005 0064 01 00
         00000000 0001 0000
         0078 01 00 0001 01 00 ff3e0000000000000000000000000001
         00e0fc000001 0000 0000000000000003 0000000000000007
         00000000 00000000 00000000 0001 0000
         fe800000000000000000000000000001 00000000000000000000000000000000
         20010db8000000000000000000000001 00001234 00 000000",
    );
    let frame = frame(100, Service::Mld, body);
    assert_eq!(frame.to_vec(), expected);
    assert_eq!(Frame::parse(&expected), Ok(frame));
}

#[test]
fn an_open_has_the_octets_of_the_page() {
    let expected = octets(
        "54524253 01 00 01 00 00000060 0000000000000003 0000000000000005 0000 00 00
         01000100 000a 0096 00000003 0001 0000
         0064 01 01 02 000000 0001 0001 00000000
         abababababababababababababababababababababababababababababababab",
    );
    let frame = frame(0, Service::None, Body::Open(open()));
    assert_eq!(frame.to_vec(), expected);
    assert_eq!(Frame::parse(&expected), Ok(frame));
}

#[test]
fn an_interface_record_and_a_tombstone_have_the_octets_of_the_page() {
    let frames = all();
    let upsert = frames[6].to_vec();
    let interface = octets(
        "0040 02 00 0001 0000 fe800000000000000000000000000001 00e0fc000001 0000
         0000000000000003 0000000000000001 0003e418 00000000 0000000000000000",
    );
    assert!(upsert.ends_with(&interface));
    let tombstone = octets(
        "0001 0000 ff3e0000000000000000000000000002 00000000 00e0fc000001 0000
         0000000000000003 0000000000000008",
    );
    assert!(frames[7].to_vec().ends_with(&tombstone));
}

#[test]
fn every_type_round_trips_with_its_number() {
    for (number, frame) in (1..=14).zip(all()) {
        let octets = frame.to_vec();
        assert_eq!(octets[6], number);
        assert_eq!(frame.body.kind(), number);
        assert_eq!(
            Frame::parse(&octets),
            Ok(frame.clone()),
            "{}",
            frame.body.name()
        );
    }
}

#[test]
fn data_messages_are_the_four_of_the_page() {
    let data: Vec<&str> = all()
        .iter()
        .filter(|frame| frame.body.is_data())
        .map(|frame| match frame.body.kind() {
            7 => "UPSERT",
            8 => "DELETE",
            9 => "SYNC_END",
            13 => "ROLE",
            _ => "another",
        })
        .collect();
    assert_eq!(data, ["UPSERT", "DELETE", "SYNC_END", "ROLE"]);
}

#[test]
fn cut_short_or_too_long_every_frame_is_malformed() {
    for frame in all() {
        let octets = frame.to_vec();
        for length in 0..octets.len() {
            let mut cut = octets[..length].to_vec();
            assert!(
                Frame::parse(&cut).is_err(),
                "{} {length}",
                frame.body.name()
            );
            if let Some(field) = cut.get_mut(8..12) {
                field.copy_from_slice(&u32::try_from(length).unwrap().to_be_bytes());
                assert!(
                    Frame::parse(&cut).is_err(),
                    "{} {length}",
                    frame.body.name()
                );
            }
        }
        let mut long = octets.clone();
        long.push(0);
        let length = u32::try_from(long.len()).unwrap();
        long[8..12].copy_from_slice(&length.to_be_bytes());
        assert!(Frame::parse(&long).is_err(), "{}", frame.body.name());
    }
}

fn changed(kind: usize, at: usize, value: u8) -> Result<Frame, FrameError> {
    let mut octets = all()[kind - 1].to_vec();
    octets[at] = value;
    Frame::parse(&octets)
}

#[test]
fn header_fields_are_judged() {
    assert!(matches!(changed(4, 0, 0), Err(FrameError::Malformed(_))));
    assert_eq!(changed(4, 4, 2), Err(FrameError::Version(2)));
    assert!(changed(4, 5, 7).is_ok(), "minor version");
    assert!(matches!(changed(4, 6, 0), Err(FrameError::Malformed(_))));
    assert!(matches!(changed(4, 6, 15), Err(FrameError::Malformed(_))));
    assert!(matches!(
        changed(4, 28, 0x10),
        Err(FrameError::Malformed(_))
    ));
    assert!(matches!(changed(4, 30, 2), Err(FrameError::Malformed(_))));
    assert!(changed(4, 31, 0xff).is_ok(), "reserved");
    for kind in [5, 6, 7, 8, 9, 12, 13] {
        let session = changed(kind, 29, 0);
        assert!(
            matches!(session, Err(FrameError::Malformed(_))),
            "type {kind}"
        );
    }
}

#[test]
fn body_fields_are_judged() {
    // (type, offset, value): version range, keepalive, hold, count of profiles, Backup_ID,
    // service, mode, role; codes of NOTIFY, NAK, ROLE, GOODBYE; generation 0 of a batch.
    let cases = [
        (1, 32, 2),
        (1, 37, 0),
        (1, 36, 0xff),
        (1, 39, 29),
        (1, 45, 2),
        (1, 48, 0x10),
        (1, 50, 2),
        (1, 51, 2),
        (1, 52, 3),
        (3, 33, 0),
        (3, 33, 10),
        (6, 35, 0),
        (7, 37, 0),
        (7, 37, 1),
        (7, 37, 3),
        (7, 41, 7),
        (8, 33, 2),
        (9, 35, 0),
        (11, 41, 0),
        (11, 41, 5),
        (13, 32, 3),
        (14, 33, 0),
        (14, 33, 3),
    ];
    for (kind, at, value) in cases {
        let result = changed(kind, at, value);
        assert!(
            matches!(result, Err(FrameError::Malformed(_))),
            "{kind} {at}: {result:?}"
        );
    }
    assert!(changed(1, 53, 0xff).is_ok(), "reserved");
}

#[test]
fn a_record_alone_is_refused_when_the_frame_is_delimited() {
    // Offsets in the frame: the group record begins at 40, the interface record after it.
    let group = 40;
    let interface = 40 + 96 + 48;
    let cases = [
        (7, group + 2, 3),
        (7, group + 3, 0),
        (7, group + 6, 0),
        (7, group + 6, 3),
        (7, group + 6, 1),
        (7, group + 8, 0xfe),
        (7, group + 61, 1),
        (7, group + 61, 3),
        // The second source below the first.
        (7, group + 96 + 24 + 1, 0),
        (7, interface + 2, 1),
        // Tombstone of a unicast address.
        (8, 40, 0x20),
    ];
    for (kind, at, value) in cases {
        let why = match changed(kind, at, value) {
            Err(FrameError::Record {
                session_epoch: 3,
                message_id: 5,
                backup_id: 100,
                why,
            }) => why,
            other => panic!("{kind} {at}: {other:?}"),
        };
        assert!(!why.rule.is_empty());
    }
}

#[test]
fn an_included_source_has_a_timer() {
    let record = group("ff3e::1", FilterMode::Include, &[("2001:db8::1", 0)]);
    let mut octets = Vec::new();
    Record::Group(record).emit(&mut octets);
    assert!(Record::parse(&octets).is_err());
}

#[test]
fn the_largest_group_record_fits_into_a_frame() {
    let mut record = group("ff3e::1", FilterMode::Include, &[]);
    record.sources = (1..=SOURCES_MAX)
        .map(|n| {
            let source = Ipv6Addr::from(u128::try_from(n).unwrap());
            let state = SourceRecord {
                timer_ms: 1,
                query_count: 0,
            };
            (source, state)
        })
        .collect();
    let body = Body::Upsert {
        generation: 0,
        records: vec![Record::Group(record)],
    };
    let frame = frame(1, Service::Mld, body);
    let octets = frame.to_vec();
    assert!(octets.len() <= FRAME_MAX && octets.len() + 24 > FRAME_MAX);
    assert_eq!(Frame::parse(&octets), Ok(frame));
}

#[test]
fn the_canonical_digest_is_that_of_another_implementation() {
    // SHA-256 of the rows as the page lists them, computed outside this crate.
    let one = group(
        "ff3e::1",
        FilterMode::Include,
        &[("2001:db8::1", 5), ("2001:db8::2", 9)],
    );
    let mut two = group(
        "ff3e::2",
        FilterMode::Exclude,
        &[("2001:db8::1", 1000), ("2001:db8::9", 0)],
    );
    let expected = octets("c6646c7c2a3ae0af67955cadaaf746f4a9452418b300b1bef4d1162dee7e43f5");
    assert_eq!(digest_of(&[two.clone(), one.clone()])[..], expected[..]);
    two.filter_timer_ms = 1;
    two.version = version(99);
    assert_eq!(
        digest_of(&[one, two])[..],
        expected[..],
        "no timers, no versions"
    );
    let empty = octets("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_eq!(digest_of(&[])[..], empty[..]);
}

#[test]
fn the_configuration_digest_is_that_of_another_implementation() {
    let matched = MatchedProfile {
        service: Service::Mld,
        e_trunk_id: 1,
        eth_trunk: 1,
        mld_version: 2,
        robustness: 2,
        query_interval_ms: 125_000,
        query_response_interval_ms: 10_000,
        last_listener_query_interval_ms: 1000,
    };
    let expected = octets("a0b067c791b475866eb72b8ad7a630f170f5780694f5efd57b83fbc528670a5a");
    assert_eq!(matched.digest()[..], expected[..]);
}

fn frames(mut input: &[u8], framer: &mut Framer) -> Vec<Result<Frame, FrameError>> {
    let mut out = Vec::new();
    while let Some(frame) = framer.next(&mut input) {
        out.push(frame);
    }
    assert!(input.is_empty());
    out
}

#[test]
fn a_stream_is_cut_wherever_the_segments_fall() {
    let expected: Vec<_> = all().into_iter().map(Ok).collect();
    let stream: Vec<u8> = all().iter().flat_map(Frame::to_vec).collect();
    for size in [1, 7, 31, 32, 33, 100, stream.len()] {
        let mut framer = Framer::new();
        let mut seen = Vec::new();
        for segment in stream.chunks(size) {
            seen.extend(frames(segment, &mut framer));
        }
        assert_eq!(seen, expected, "segments of {size}");
        assert_eq!(framer.held(), 0);
    }
}

#[test]
fn a_broken_stream_stays_broken_and_holds_nothing() {
    let mut framer = Framer::new();
    let mut stream = all()[3].to_vec();
    stream.extend_from_slice(&[0xff; 40]);
    stream.extend_from_slice(&all()[3].to_vec());
    let seen = frames(&stream, &mut framer);
    assert!(matches!(seen[..], [Ok(_), Err(FrameError::Malformed(_))]));
    assert_eq!(framer.held(), 0);
    assert!(frames(&all()[3].to_vec(), &mut framer).is_empty());
}

#[test]
fn an_illegal_length_is_refused_before_its_octets_are_awaited() {
    for length in [0_u32, 31, 65537, u32::MAX] {
        let mut octets = all()[3].to_vec();
        octets[8..12].copy_from_slice(&length.to_be_bytes());
        let seen = frames(&octets, &mut Framer::new());
        assert!(
            matches!(seen[..], [Err(FrameError::Malformed(_))]),
            "{length}"
        );
    }
}

#[test]
fn a_record_error_does_not_break_the_stream() {
    let mut octets = all()[6].to_vec();
    octets[46] = 3;
    octets.extend_from_slice(&all()[3].to_vec());
    let seen = frames(&octets, &mut Framer::new());
    assert!(matches!(seen[..], [Err(FrameError::Record { .. }), Ok(_)]));
}

proptest! {
    #[test]
    fn arbitrary_octets_never_panic(stream in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = frames(&stream, &mut Framer::new());
        let _ = Frame::parse(&stream);
        let _ = Record::parse(&stream);
    }

    #[test]
    fn one_octet_changed_never_panics_and_what_parses_round_trips(
        kind in 0_usize..14,
        at in any::<prop::sample::Index>(),
        value in any::<u8>(),
    ) {
        let mut octets = all()[kind].to_vec();
        let at = at.index(octets.len());
        octets[at] = value;
        if let Ok(frame) = Frame::parse(&octets) {
            prop_assert_eq!(Frame::parse(&frame.to_vec()), Ok(frame));
        }
    }

    #[test]
    fn a_group_record_round_trips(
        mode in prop::bool::ANY,
        timers in prop::collection::btree_map(any::<u128>(), 1_u32.., 0..20),
        counts in any::<(u8, u8, u32, u32)>(),
    ) {
        let mode = if mode { FilterMode::Exclude } else { FilterMode::Include };
        let mut record = group("ff05::1", mode, &[]);
        record.query_count = counts.0;
        record.query_due_ms = counts.2;
        record.v1_host_ms = counts.3;
        record.sources = timers
            .into_iter()
            .map(|(source, timer_ms)| {
                let state = SourceRecord { timer_ms, query_count: counts.1 };
                (Ipv6Addr::from(source), state)
            })
            .collect::<BTreeMap<_, _>>();
        let mut octets = Vec::new();
        let record = Record::Group(record);
        record.emit(&mut octets);
        prop_assert_eq!(octets.len(), record.len());
        prop_assert_eq!(Record::parse(&octets), Ok(record));
    }
}
