//! Proves the LACPDU and Marker codecs against octets written by hand from the field tables of
//! IEEE 802.1AX 6.4.2.3 and 6.5.3.
#![expect(
    clippy::indexing_slicing,
    reason = "tests patch octets of known arrays"
)]

use dut_wire::Malformed;
use dut_wire::lacp::{Information, Lacpdu, State};
use dut_wire::marker::{MarkerKind, MarkerPdu, response_to};
use proptest::prelude::*;

/// Fields in the order of the table; reserved octets zero.
#[rustfmt::skip]
const LACPDU: [u8; 110] = [
    0x01, 0x01,
    0x01, 0x14, 0x80, 0x01, 0x00, 0xe0, 0xfc, 0x12, 0x34, 0x55, 0x01, 0x31,
    0x90, 0x02, 0x80, 0x01, 0x3d, 0, 0, 0,
    0x02, 0x14, 0x70, 0x03, 0x02, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0x12, 0x34,
    0x60, 0x04, 0x00, 0x07, 0xc5, 0, 0, 0,
    0x03, 0x10, 0x12, 0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0x00, 0x00,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
];

const FIELDS: Lacpdu = Lacpdu {
    version: 1,
    actor: Information {
        system_priority: 0x8001,
        system: [0x00, 0xe0, 0xfc, 0x12, 0x34, 0x55],
        key: 305,
        port_priority: 0x9002,
        port: 32769,
        state: State(0x3d),
    },
    partner: Information {
        system_priority: 0x7003,
        system: [0x02, 0xaa, 0xbb, 0xcc, 0xdd, 0xee],
        key: 0x1234,
        port_priority: 0x6004,
        port: 7,
        state: State(0xc5),
    },
    collector_max_delay: 0x1234,
};

#[rustfmt::skip]
const MARKER: [u8; 24] = [
    0x02, 0x01,
    0x01, 0x10, 0x80, 0x01, 0x00, 0xe0, 0xfc, 0x12, 0x34, 0x55, 0xde, 0xad, 0xbe, 0xef, 0x00, 0x00,
    0x00, 0x00, 0, 0, 0, 0,
];

fn marker() -> [u8; 110] {
    let mut octets = [0; 110];
    octets[..24].copy_from_slice(&MARKER);
    octets
}

fn patched(at: usize, value: u8) -> [u8; 110] {
    let mut octets = LACPDU;
    octets[at] = value;
    octets
}

#[test]
fn every_field_stands_where_the_table_says() {
    assert_eq!(Lacpdu::parse(&LACPDU), Ok(FIELDS));
    assert_eq!(FIELDS.octets(), LACPDU);
    let mut out = vec![9];
    FIELDS.emit(&mut out);
    assert_eq!(out[1..], LACPDU);
}

#[test]
fn a_shorter_one_is_refused_at_every_length() {
    for length in 0..110 {
        let refused = Lacpdu::parse(&LACPDU[..length]).unwrap_err();
        assert_eq!((refused.at, refused.field), (length, "LACPDU"));
    }
}

#[test]
fn what_follows_is_ignored() {
    for extra in [1, 14, 64, 1400] {
        let mut octets = LACPDU.to_vec();
        octets.resize(110 + extra, 0x64);
        assert_eq!(Lacpdu::parse(&octets), Ok(FIELDS));
    }
}

#[test]
fn version_types_and_reserved_octets_are_ignored() {
    for version in [0, 2, 3, 127, 0xf1, 255] {
        let expected = Lacpdu { version, ..FIELDS };
        let read = Lacpdu::parse(&patched(1, version)).unwrap();
        assert_eq!(read, expected);
        assert_eq!(
            read.octets(),
            LACPDU,
            "version 1 is written whatever was read"
        );
    }
    let reserved = (19..22).chain(39..42).chain(46..58).chain(60..110);
    for at in [2, 22, 42, 58, 59].into_iter().chain(reserved) {
        for value in [0x7f, 0xff] {
            assert_eq!(Lacpdu::parse(&patched(at, value)), Ok(FIELDS), "octet {at}");
        }
    }
}

#[test]
fn three_lengths_are_checked_and_the_terminator_is_not() {
    for (at, right, field) in [
        (3, 20, "Actor_Information_Length"),
        (23, 20, "Partner_Information_Length"),
        (43, 16, "Collector_Information_Length"),
    ] {
        for wrong in (0..=255).filter(|value| *value != right) {
            let refused = Lacpdu::parse(&patched(at, wrong)).unwrap_err();
            assert_eq!((refused.at, refused.field), (at, field));
        }
    }
    for length in 0..=255 {
        assert_eq!(Lacpdu::parse(&patched(59, length)), Ok(FIELDS));
    }
    assert_eq!(Lacpdu::parse(&patched(0, 2)).unwrap_err().field, "Subtype");
}

#[test]
fn a_version_2_lacpdu_is_usable() {
    let mut octets = LACPDU;
    octets[1] = 2;
    octets[58..64].copy_from_slice(&[0x04, 0x06, 0x00, 0x80, 0xc2, 0x01]);
    octets[64..66].copy_from_slice(&[0x05, 0x14]);
    assert_eq!(
        Lacpdu::parse(&octets),
        Ok(Lacpdu {
            version: 2,
            ..FIELDS
        })
    );
}

#[test]
fn state_flags_are_the_eight_bits() {
    let flags = [
        State::LACP_ACTIVITY,
        State::LACP_TIMEOUT,
        State::AGGREGATION,
        State::SYNCHRONIZATION,
        State::COLLECTING,
        State::DISTRIBUTING,
        State::DEFAULTED,
        State::EXPIRED,
    ];
    assert_eq!(flags, [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80]);
    let mut state = State(0x3f);
    state.set(State::COLLECTING | State::DISTRIBUTING, false);
    assert_eq!(state, State(0x0f));
    state.set(State::DEFAULTED, true);
    assert_eq!(state, State(0x4f));
    assert!(state.has(State::DEFAULTED | State::AGGREGATION));
    assert!(!state.has(State::DEFAULTED | State::EXPIRED));
}

#[test]
fn a_marker_is_read_and_written() {
    let expected = MarkerPdu {
        kind: MarkerKind::MarkerInformation,
        requester_port: 0x8001,
        requester_system: [0x00, 0xe0, 0xfc, 0x12, 0x34, 0x55],
        requester_transaction_id: 0xdead_beef,
    };
    assert_eq!(MarkerPdu::parse(&marker()), Ok(expected));
    assert_eq!(expected.octets(), marker());
    let response = MarkerPdu {
        kind: MarkerKind::MarkerResponseInformation,
        ..expected
    };
    assert_eq!(MarkerPdu::parse(&response.octets()), Ok(response));
}

#[test]
fn the_response_keeps_every_octet_but_the_type() {
    let mut request = marker().to_vec();
    request[1] = 9;
    for octet in &mut request[16..110] {
        *octet = 0x5a;
    }
    request.extend([1, 2, 3]);
    let mut expected = request.clone();
    expected[2] = 2;
    assert_eq!(response_to(&request), Ok(expected.clone()));
    let refused = Malformed {
        at: 2,
        field: "TLV_type",
        rule: "must be 1",
    };
    assert_eq!(response_to(&expected), Err(refused));
}

#[test]
fn a_marker_of_another_shape_is_refused() {
    for length in 0..110 {
        assert_eq!(
            MarkerPdu::parse(&marker()[..length]).unwrap_err().at,
            length
        );
    }
    for (at, values) in [(0, [0, 1, 3]), (2, [0, 3, 255]), (3, [0, 15, 255])] {
        for value in values {
            let mut octets = marker();
            octets[at] = value;
            assert_eq!(MarkerPdu::parse(&octets).unwrap_err().at, at);
            assert!(response_to(&octets).is_err());
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_octets_never_panic(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Lacpdu::parse(&octets);
        let _ = MarkerPdu::parse(&octets);
        let _ = response_to(&octets);
    }

    #[test]
    fn whatever_is_read_is_written_back(
        information in proptest::array::uniform30(any::<u8>()),
        delay in any::<u16>(),
    ) {
        let mut octets = LACPDU;
        octets[4..19].copy_from_slice(&information[..15]);
        octets[24..39].copy_from_slice(&information[15..]);
        octets[44..46].copy_from_slice(&delay.to_be_bytes());
        prop_assert_eq!(Lacpdu::parse(&octets).unwrap().octets(), octets);
    }
}
