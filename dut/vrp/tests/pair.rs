//! The pair check finds the seed's contradictions, nothing grave in the twin, and each kind of
//! difference that is planted into it.
#![expect(clippy::unwrap_used, reason = "tests")]

use dut_vrp::{
    Election, Intent, Loaded, Severity, Side, Warning, network_check, pair_check, parse,
};
use std::path::Path;

fn text(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../suites/testbeds");
    std::fs::read_to_string(root.join(path)).unwrap()
}

fn load(name: &str, text: &str) -> Loaded {
    parse(&[(name.to_owned(), text.to_owned())]).unwrap()
}

fn file(path: &str) -> Loaded {
    load(path.rsplit('/').next().unwrap(), &text(path))
}

fn shown(warning: &Warning) -> (&str, Severity, String, String) {
    let place =
        |place: &Option<dut_vrp::Place>| place.as_ref().map_or(String::new(), ToString::to_string);
    (
        warning.id,
        warning.severity,
        place(&warning.a),
        place(&warning.b),
    )
}

fn seen<'a>(
    id: &'a str,
    severity: Severity,
    a: &str,
    b: &str,
) -> (&'a str, Severity, String, String) {
    (id, severity, a.to_owned(), b.to_owned())
}

#[test]
fn the_seeds_contradictions_are_found_where_they_stand() {
    let (a, b) = (file("seed/DeviceA.cfg"), file("seed/DeviceB.cfg"));
    let found = pair_check(&a, &b, Some(Intent::default()));
    let shown: Vec<_> = found.iter().map(shown).collect();
    assert_eq!(
        shown,
        [
            seen("PAIR-01", Severity::Error, "DeviceA.cfg:7", "DeviceB.cfg:7"),
            seen(
                "PAIR-03",
                Severity::Error,
                "DeviceA.cfg:12",
                "DeviceB.cfg:11"
            ),
            seen(
                "PAIR-18",
                Severity::Error,
                "DeviceA.cfg:31",
                "DeviceB.cfg:30"
            ),
            seen("PAIR-22", Severity::Note, "DeviceA.cfg:11", ""),
        ]
    );
    assert_eq!(
        found[0].to_string(),
        "error PAIR-01: E-Trunk 1: priorities 20 and 10 elect DeviceB, not DeviceA: the smaller \
         wins (DeviceA.cfg:7, DeviceB.cfg:7)"
    );
    assert!(found[2].text.contains("different subnets"));
    assert!(
        found[2]
            .text
            .contains("2001:DB8:15::1/64 and 2001:DB8:35::3/64")
    );
}

#[test]
fn the_literal_testbeds_rule_elects_device_a() {
    let (a, b) = (file("seed/DeviceA.cfg"), file("seed/DeviceB.cfg"));
    let ids = |intent| {
        let found = pair_check(&a, &b, intent);
        found.iter().map(|w| w.id).collect::<Vec<_>>()
    };
    let larger = Intent {
        master: Side::A,
        election: Election::LargerWins,
    };
    assert_eq!(ids(Some(larger)), ["PAIR-03", "PAIR-18", "PAIR-22"]);
    let b_is_meant = Intent {
        master: Side::B,
        election: Election::SmallerWins,
    };
    assert_eq!(ids(Some(b_is_meant)), ["PAIR-03", "PAIR-18", "PAIR-22"]);
    assert_eq!(ids(None), ["PAIR-03", "PAIR-18", "PAIR-22"]);
}

#[test]
fn the_twin_has_nothing_grave() {
    let (a, b) = (file("seed-twin/DeviceA.cfg"), file("seed-twin/DeviceB.cfg"));
    let found = pair_check(&a, &b, Some(Intent::default()));
    let shown: Vec<_> = found.iter().map(shown).collect();
    assert_eq!(
        shown,
        [seen("PAIR-22", Severity::Note, "DeviceA.cfg:11", "")]
    );
}

/// What the twin's DeviceB has, what it gets instead, and what must be found besides PAIR-22.
type Planted = (
    &'static str,
    &'static str,
    &'static [(&'static str, Severity)],
);

const PLANTED: &[Planted] = &[
    (
        "priority 30",
        "priority 10",
        &[("PAIR-01", Severity::Error)],
    ),
    (
        "priority 30",
        "priority 20",
        &[("PAIR-02", Severity::Warning)],
    ),
    (
        "system-id 00e0-fc12-3455",
        "system-id 00e0-fc12-3450",
        &[("PAIR-03", Severity::Error)],
    ),
    (
        "lacp e-trunk system-id 00e0-fc12-3455\n",
        "",
        &[("PAIR-03", Severity::Error)],
    ),
    (
        "lacp e-trunk system-id",
        "lacp e-trunk priority 7\nlacp e-trunk system-id",
        &[("PAIR-04", Severity::Error)],
    ),
    (
        "peer-ipv6 2001:DB8:11::11 source-ipv6 2001:DB8:33::33\n",
        "peer-ipv6 2001:DB8:11::12 source-ipv6 2001:DB8:33::33\n",
        &[("PAIR-05", Severity::Error)],
    ),
    (
        " peer-ipv6 2001:DB8:11::11 source-ipv6 2001:DB8:33::33\n",
        "",
        &[("PAIR-05", Severity::Error)],
    ),
    (
        "source-ipv6 2001:DB8:33::33 port 1025",
        "source-ipv6 2001:DB8:33::34 port 1025",
        &[("PAIR-06", Severity::Error)],
    ),
    (" port 1025", " port 1026", &[("PAIR-07", Severity::Error)]),
    (
        "lacp e-trunk system-id",
        "e-trunk ipv6 port 1026\nlacp e-trunk system-id",
        &[("PAIR-08", Severity::Error)],
    ),
    ("VQE;E!Dl", "VQE;E!Dm", &[("PAIR-09", Severity::Error)]),
    (
        "priority 30",
        "priority 30\n authentication-mode hmac-sha1",
        &[("PAIR-10", Severity::Error)],
    ),
    (
        "priority 30",
        "priority 30\n sequence enable",
        &[("PAIR-11", Severity::Error)],
    ),
    (
        "priority 30",
        "priority 30\n timer hello 9",
        &[("PAIR-12", Severity::Warning)],
    ),
    (
        "priority 30",
        "priority 30\n timer hold-on-failure multiplier 30",
        &[("PAIR-13", Severity::Warning)],
    ),
    (
        "priority 30",
        "priority 30\n timer revert delay 60",
        &[("PAIR-14", Severity::Error)],
    ),
    (
        "priority 30",
        "priority 30\n revert disable",
        &[("PAIR-14", Severity::Error)],
    ),
    (
        "backup-id 10",
        "backup-id 11",
        &[("PAIR-15", Severity::Error)],
    ),
    (" service-type mld\n", "", &[("PAIR-16", Severity::Error)]),
    (
        " e-trunk 1 eth-trunk 1\n",
        "",
        &[("PAIR-17", Severity::Error)],
    ),
    (
        "2001:DB8:15::1/64",
        "2001:DB8:15::2/64",
        &[("PAIR-18", Severity::Error)],
    ),
    (
        "2001:DB8:15::1/64",
        "2001:DB8:35::3/64",
        &[("PAIR-18", Severity::Error)],
    ),
    (
        " mld enable\n",
        " mld enable\n mld timer query 60\n",
        &[("PAIR-19", Severity::Error)],
    ),
    (
        " mld enable\n",
        " mld enable\n mld max-response-time 9\n",
        &[("PAIR-19", Severity::Error)],
    ),
    (
        " mld enable\n",
        " mld enable\n mld robust-count 3\n",
        &[("PAIR-19", Severity::Error)],
    ),
    (
        " mld enable\n",
        " mld enable\n mld version 1\n",
        &[("PAIR-19", Severity::Error)],
    ),
    (
        " mld enable\n",
        " mld enable\n mld lastlistener-queryinterval 2\n",
        &[("PAIR-19", Severity::Error)],
    ),
    (
        " mld enable\n",
        " mld enable\n mld limit 5\n",
        &[("PAIR-19", Severity::Warning)],
    ),
    (" mld enable\n", "", &[("PAIR-19", Severity::Error)]),
    (
        "mode lacp-static",
        "mode lacp-static\n max active-linknumber 1",
        &[("PAIR-21", Severity::Warning)],
    ),
    (
        " e-trunk 1\n isis",
        " e-trunk 1 remote-eth-trunk 2\n isis",
        &[("PAIR-24", Severity::Error), ("PAIR-24", Severity::Error)],
    ),
    (
        " remote-backup-profile profile1\n",
        "",
        &[("PAIR-25", Severity::Error)],
    ),
    (
        "peer-backup hot",
        "peer-backup virtual",
        &[("PAIR-26", Severity::Error)],
    ),
    (
        " port 1025",
        " port 1025\n shutdown",
        &[("PAIR-27", Severity::Error)],
    ),
    (
        " e-trunk 1\n isis",
        " e-trunk 1\n e-trunk mode force-backup\n isis",
        &[("PAIR-28", Severity::Warning)],
    ),
    (" mode lacp-static\n", "", &[("PAIR-29", Severity::Error)]),
    (
        " mode lacp-static\n",
        " mode lacp-static\n lacp timeout fast\n",
        &[("PAIR-29", Severity::Warning)],
    ),
    (
        "multicast ipv6 routing-enable\n",
        "",
        &[("PAIR-30", Severity::Error)],
    ),
];

#[test]
fn each_planted_difference_is_found_and_no_other() {
    let a = file("seed-twin/DeviceA.cfg");
    let twin = text("seed-twin/DeviceB.cfg");
    for (from, to, expected) in PLANTED {
        assert!(twin.contains(from), "{from}");
        let b = load("DeviceB.cfg", &twin.replacen(from, to, 1));
        for (first, second) in [(&a, &b), (&b, &a)] {
            let intent = Intent {
                master: if std::ptr::eq(first, &raw const a) {
                    Side::A
                } else {
                    Side::B
                },
                election: Election::SmallerWins,
            };
            let found = pair_check(first, second, Some(intent));
            let found: Vec<_> = found
                .iter()
                .filter(|w| w.id != "PAIR-22")
                .map(|w| (w.id, w.severity))
                .collect();
            assert_eq!(found, *expected, "{from} → {to}");
        }
    }
}

#[test]
fn what_is_on_one_device_only_or_on_none() {
    let a = file("seed-twin/DeviceA.cfg");
    let d = file("seed/DeviceD.cfg");
    let ids = |a: &Loaded, b: &Loaded| {
        let found = pair_check(a, b, Some(Intent::default()));
        found.iter().map(|w| w.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(&a, &d), ["PAIR-22", "PAIR-23", "PAIR-24"]);
    assert_eq!(ids(&d, &a), ["PAIR-22", "PAIR-23", "PAIR-24"]);
    assert_eq!(ids(&d, &d), ["PAIR-23"]);
    // VLANs are compared where both have some.
    let vlans = |ids: &str| load("x", &format!("vlan batch {ids}\n"));
    assert_eq!(
        ids(&vlans("100"), &vlans("100 200")),
        ["PAIR-20", "PAIR-23"]
    );
    assert_eq!(ids(&vlans("100"), &d), ["PAIR-23", "PAIR-30"]);
}

#[test]
fn both_forced_and_both_keyless() {
    let twin = |device: &str, from: &str, to: &str| {
        let text = text(&format!("seed-twin/{device}.cfg"));
        assert!(text.contains(from));
        load(device, &text.replacen(from, to, 1))
    };
    let pair = |from: &str, to: &str| {
        let (a, b) = (twin("DeviceA", from, to), twin("DeviceB", from, to));
        let found = pair_check(&a, &b, Some(Intent::default()));
        let found = found.iter().filter(|w| w.id != "PAIR-22");
        found.map(|w| (w.id, w.severity)).collect::<Vec<_>>()
    };
    let member = " e-trunk 1\n isis";
    assert_eq!(
        pair(member, " e-trunk 1\n e-trunk mode force-backup\n isis"),
        [("PAIR-28", Severity::Error)]
    );
    assert_eq!(
        pair(member, " e-trunk 1\n e-trunk mode force-master\n isis"),
        [("PAIR-28", Severity::Note)]
    );
    let key = " security-key cipher %^%#VQE;E!Dl&Rr]if$F>}w9uk5C>y-4|MS$unQ!#Mb#%^%# \n";
    assert_eq!(pair(key, ""), [("PAIR-31", Severity::Warning)]);
}

#[test]
fn the_seeds_network_is_slow_to_see_a_crash_and_misses_a_process() {
    let devices = ["DeviceA", "DeviceB", "DeviceC", "DeviceD"];
    let loaded: Vec<Loaded> = devices
        .iter()
        .map(|device| file(&format!("seed/{device}.cfg")))
        .collect();
    let network: Vec<(&str, &Loaded)> = devices.into_iter().zip(&loaded).collect();
    let found = network_check(&network);
    let shown: Vec<_> = found.iter().map(shown).collect();
    assert_eq!(
        shown,
        [
            seen("NET-02", Severity::Warning, "DeviceC.cfg:31", ""),
            seen("NET-03", Severity::Warning, "DeviceA.cfg:6", ""),
            seen("NET-04", Severity::Warning, "DeviceA.cfg:6", ""),
            seen("NET-03", Severity::Warning, "DeviceB.cfg:6", ""),
            seen("NET-04", Severity::Warning, "DeviceB.cfg:6", ""),
        ]
    );
    assert_eq!(
        found[1].text,
        "DeviceA E-Trunk 1: no BFD, hello 10 × multiplier 20: a crash is seen after 20.0 s"
    );
}

/// The document's table gives DeviceC's and DeviceD's GE0/1/0 one address; DeviceC's file doesn't
/// say so. With the table's line in it, it is found.
#[test]
fn an_address_on_two_devices_is_found() {
    let table = "interface GigabitEthernet0/1/0\n ipv6 enable\n ipv6 address 2001:DB8:40::1/64\n";
    let c = load("DeviceC.cfg", table);
    let d = file("seed/DeviceD.cfg");
    let found = network_check(&[("DeviceC", &c), ("DeviceD", &d)]);
    let shown: Vec<_> = found.iter().map(shown).collect();
    assert_eq!(
        shown,
        [seen(
            "NET-01",
            Severity::Error,
            "DeviceC.cfg:3",
            "DeviceD.cfg:15"
        )]
    );
}

#[test]
fn the_pairs_shared_address_is_let_be() {
    let (a, b) = (file("seed-twin/DeviceA.cfg"), file("seed-twin/DeviceB.cfg"));
    let ids: Vec<_> = network_check(&[("DeviceA", &a), ("DeviceB", &b)])
        .iter()
        .map(|w| w.id)
        .collect();
    assert!(!ids.contains(&"NET-01"), "{ids:?}");
}
