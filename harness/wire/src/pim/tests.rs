//! FRR 10.3's own messages, captured by the project (Wireshark 4.0 finds their checksums right),
//! are what is built of what they say.

use crate::{Fields, Kind, build, classify, decode, parse_hex, to_hex};
use serde_json::{Value, json};

fn fields(value: &Value) -> Fields {
    value.as_object().unwrap().clone().into_iter().collect()
}

/// Its source's link-local address and the message, from the PIM header on.
const SOURCE: &str = "fe80::e4e1:a8ff:fe2b:f94";
const HELLO: &str = "\
    2000e4000001000200690002000401f409c400130004000000010014000415df0ff0001800120200\
    20010db8002000000000000000000001";
const JOIN: &str = "\
    2300070d0200fe8000000000000000000000000000a1000100d202000080ff1e0000000000000000\
    000000000101000100000200078020010db8002200000000000000000022";
const PRUNE: &str = "\
    2300070d0200fe8000000000000000000000000000a1000100d202000080ff1e0000000000000000\
    000000000101000000010200078020010db8002200000000000000000022";

fn said() -> [(Kind, &'static str, Value); 3] {
    let tree = json!({"source": "2001:db8:22::22", "wildcard": 1, "rpt": 1});
    let group = |list: &str| json!([{"group": "ff1e::101", list: [tree]}]);
    [
        (
            Kind::PimHello,
            HELLO,
            json!({
                "holdtime": 105, "propagation_delay": 500, "override_interval": 2500,
                "dr_priority": 1, "generation_id": 0x15df_0ff0, "addresses": ["2001:db8:20::1"],
            }),
        ),
        (
            Kind::PimJoinPrune,
            JOIN,
            json!({"upstream_neighbor": "fe80::a1", "holdtime": 210, "groups": group("joined")}),
        ),
        (
            Kind::PimJoinPrune,
            PRUNE,
            json!({"upstream_neighbor": "fe80::a1", "holdtime": 210, "groups": group("pruned")}),
        ),
    ]
}

/// Proves that a router's messages are built octet by octet as a real one sends them.
#[test]
fn messages_equal_a_real_routers() {
    for (kind, octets, given) in said() {
        let mut given = fields(&given);
        given.insert("ipv6.source".to_owned(), SOURCE.into());
        let frame = build(kind, &given).unwrap();
        assert_eq!(to_hex(&frame[54..]), octets, "{kind:?}");
        assert_eq!(&frame[..6], &[0x33, 0x33, 0, 0, 0, 0xd]);
        assert_eq!(
            (frame[20], frame[21]),
            (103, 1),
            "Next Header and Hop Limit"
        );
    }
}

/// Proves that what they say is read out of them, and that nothing in them is odd.
#[test]
fn messages_of_a_real_router_are_read() {
    for (kind, _, given) in said() {
        let mut of = fields(&given);
        of.insert("ipv6.source".to_owned(), SOURCE.into());
        let frame = build(kind, &of).unwrap();
        assert_eq!(classify(&frame), kind);
        let decoded = decode(&frame);
        assert!(decoded.anomalies.is_empty(), "{:?}", decoded.anomalies);
        assert_eq!(decoded.fields["pim.checksum"], "correct");
        assert_eq!(decoded.fields["version"], 2);
        for (name, value) in fields(&given).iter().filter(|(name, _)| *name != "groups") {
            assert_eq!(decoded.fields.get(name), Some(value), "{name}");
        }
    }
    let read = |octets: &str| {
        let mut frame = build(Kind::PimJoinPrune, &Fields::new()).unwrap();
        frame.truncate(54);
        frame.extend(parse_hex(octets).unwrap());
        let length = u16::try_from(frame.len() - 54).unwrap();
        frame[18..20].copy_from_slice(&length.to_be_bytes());
        decode(&frame).fields["groups"].clone()
    };
    let tree =
        json!([{"source": "2001:db8:22::22", "sparse": 1, "wildcard": 1, "rpt": 1, "mask": 128}]);
    let group = |joined: &Value, pruned: &Value| {
        let group = "ff1e::101";
        json!([{"group": group, "joined": joined, "pruned": pruned}])
    };
    assert_eq!(read(JOIN), group(&tree, &json!([])));
    assert_eq!(read(PRUNE), group(&json!([]), &tree));
}

/// Proves that a cut or damaged message is read as far as it goes and called odd.
#[test]
fn a_damaged_message_is_odd() {
    for (kind, octets, given) in said() {
        let whole = build(kind, &fields(&given)).unwrap();
        for cut in 1..octets.len() / 2 {
            let mut given = fields(&given);
            given.insert("cut".to_owned(), (whole.len() - cut).into());
            let frame = build(kind, &given).unwrap();
            assert!(
                !decode(&frame).anomalies.is_empty(),
                "{kind:?} cut by {cut}"
            );
        }
    }
    let odd = |kind: Kind, given: &Value| {
        let frame = build(kind, &fields(given)).unwrap();
        decode(&frame).anomalies.first().map(|anomaly| anomaly.what)
    };
    assert_eq!(
        odd(Kind::PimHello, &json!({"options": "0001000100"})),
        Some("a Hello option hasn't its length")
    );
    assert_eq!(
        odd(Kind::PimJoinPrune, &json!({"number_of_groups": 1})),
        Some("Num Groups or a number of sources overruns the message")
    );
    assert_eq!(
        odd(Kind::PimHello, &json!({"pim.checksum": "wrong"})),
        Some("the PIM checksum is wrong")
    );
}
