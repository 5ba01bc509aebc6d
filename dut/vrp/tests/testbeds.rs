//! The seed's files load, mean what they say, and the twin differs in exactly its three lines.
#![expect(clippy::unwrap_used, reason = "tests")]

use dut_device::MacAddr;
use dut_vrp::config::{InterfaceKind, Route};
use dut_vrp::{Loaded, NoticeKind, parse};
use sha2::{Digest, Sha256};
use std::net::Ipv6Addr;
use std::path::Path;

fn text(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../suites/testbeds");
    std::fs::read_to_string(root.join(path)).unwrap()
}

fn load(paths: &[&str]) -> Loaded {
    let files: Vec<(String, String)> = paths
        .iter()
        .map(|path| ((*path).to_owned(), text(path)))
        .collect();
    parse(&files).unwrap()
}

fn ip(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

/// Lines that differ, as (number, seed's, twin's).
fn differences(device: &str) -> Vec<(usize, String, String)> {
    let (seed, twin) = (
        text(&format!("seed/{device}.cfg")),
        text(&format!("seed-twin/{device}.cfg")),
    );
    assert_eq!(seed.split('\n').count(), twin.split('\n').count());
    let pairs = seed.split('\n').zip(twin.split('\n')).enumerate();
    pairs
        .filter(|(_, (seed, twin))| seed != twin)
        .map(|(index, (seed, twin))| (index + 1, seed.to_owned(), twin.to_owned()))
        .collect()
}

#[test]
fn the_twin_differs_in_three_lines_of_device_b() {
    for device in ["DeviceA", "DeviceC", "DeviceD"] {
        assert_eq!(differences(device), [], "{device}");
    }
    let line = |at: usize, seed: &str, twin: &str| (at, seed.to_owned(), twin.to_owned());
    assert_eq!(
        differences("DeviceB"),
        [
            line(7, " priority 10", " priority 30"),
            line(
                11,
                "lacp e-trunk system-id 00e0-fc12-3456",
                "lacp e-trunk system-id 00e0-fc12-3455"
            ),
            line(
                30,
                " ipv6 address 2001:DB8:35::3/64",
                " ipv6 address 2001:DB8:15::1/64"
            ),
        ]
    );
}

#[test]
fn the_seeds_files_are_verbatim() {
    // What an editor would mend: the blank after the key and after DeviceC's NULL0.
    let key = " security-key cipher %^%#VQE;E!Dl&Rr]if$F>}w9uk5C>y-4|MS$unQ!#Mb#%^%# ";
    for device in ["DeviceA", "DeviceB"] {
        let text = text(&format!("seed/{device}.cfg"));
        assert!(text.split('\n').any(|line| line == key), "{device}");
        assert!(text.split('\n').any(|line| line == "interface Loopback0"));
    }
    let device_c = text("seed/DeviceC.cfg");
    assert!(device_c.split('\n').any(|line| line == "interface NULL0 "));
    // SHA-256 of the document's code blocks with the list's indentation taken off.
    for (device, digest) in [
        (
            "DeviceA",
            "5a3099a34b7864e448a4c7a82379b840630fbb2b49310d5232e8bccc60281f0c",
        ),
        (
            "DeviceB",
            "6254f08f196ab7a676359f296efe40c05003373605c9cb70e811f987a06ec30f",
        ),
        (
            "DeviceC",
            "637d3894cbd671d0e1c77206f6b5d077a4332e0c8605570bf8d44778835f6729",
        ),
        (
            "DeviceD",
            "15b390bcce20e9c92554f710d1e0d3f17ee2823c93d1583f78da410ab4f684c1",
        ),
    ] {
        let found = Sha256::digest(text(&format!("seed/{device}.cfg")).as_bytes());
        let found: String = found.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(found, digest, "{device}");
    }
    for device in ["DeviceA", "DeviceB", "DeviceC", "DeviceD"] {
        let text = text(&format!("seed/{device}.cfg"));
        assert!(text.starts_with(&format!("#\nsysname {device}\n#\n")));
        assert!(text.ends_with("#\nreturn\n"));
    }
}

#[test]
fn device_a_means_what_it_says() {
    let loaded = load(&["seed/DeviceA.cfg"]);
    let config = &loaded.config;
    assert_eq!(config.sysname, "DeviceA");
    assert!(config.multicast_ipv6);
    let e_trunk = &config.e_trunks[&1];
    assert_eq!(e_trunk.priority, 20);
    let (a, b) = (ip("2001:db8:11::11"), ip("2001:db8:33::33"));
    assert_eq!(e_trunk.addresses, Some((b, a)));
    let key = e_trunk.security_key.clone().unwrap();
    assert!(key.cipher);
    assert_eq!(key.text, "%^%#VQE;E!Dl&Rr]if$F>}w9uk5C>y-4|MS$unQ!#Mb#%^%#");
    // The vendor's defaults stand where the file is silent.
    assert_eq!((e_trunk.hello_100ms, e_trunk.multiplier), (10, 20));
    assert_eq!(e_trunk.revert_delay_s, Some(120));
    assert_eq!(e_trunk.port, 1025);
    assert_eq!(config.lacp_priority, Some(100));
    let system_id: MacAddr = "00e0-fc12-3455".parse().unwrap();
    assert_eq!(config.lacp_e_trunk_system_id, Some(system_id));
    assert_eq!(config.rbs[0].name, "service1");
    assert_eq!(config.rbs[0].endpoint, Some((b, a, 1025)));
    let rbp = &config.rbp[0];
    assert_eq!(rbp.name, "profile1");
    assert!(rbp.mld);
    assert_eq!(rbp.backup_id, Some((10, "service1".to_owned())));
    assert_eq!(rbp.track, Some((1, 1)));
    let isis = &config.isis[&1];
    assert_eq!(isis.network_entity.as_deref(), Some("10.0000.0000.0001.00"));
    assert!(isis.ipv6_topology);
    assert_eq!(config.static_rps, [ip("2001:db8:22::22")]);
    let names: Vec<&str> = config.interfaces.iter().map(|i| i.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "Eth-Trunk1",
            "GigabitEthernet0/1/1",
            "GigabitEthernet0/1/2",
            "GigabitEthernet0/1/3",
            "LoopBack0",
            "NULL0"
        ]
    );
    let trunk = loaded.interface("Eth-Trunk1").unwrap();
    assert_eq!(trunk.kind, InterfaceKind::EthTrunk(1));
    assert!(trunk.ipv6 && trunk.pim_sm && trunk.mld.enable && trunk.trunk.lacp_static);
    assert_eq!(trunk.trunk.e_trunk, Some((1, None)));
    assert_eq!(trunk.isis, Some(1));
    assert_eq!(trunk.rbp.as_deref(), Some("profile1"));
    assert_eq!(trunk.addresses, [(ip("2001:db8:15::1"), 64)]);
    let port = loaded.interface("GigabitEthernet0/1/2").unwrap();
    assert_eq!(port.eth_trunk, Some(1));
}

#[test]
fn device_c_is_a_switch_with_an_inert_line() {
    let loaded = load(&["seed/DeviceC.cfg"]);
    assert!(loaded.config.vlans.contains(&100));
    let port = loaded.interface("GigabitEthernet0/1/1").unwrap();
    assert!(port.portswitch);
    assert_eq!(port.access_vlan, Some(100));
    let trunk = loaded.interface("Eth-Trunk1").unwrap();
    assert!(trunk.portswitch && trunk.trunk.lacp_static);
    assert_eq!(trunk.access_vlan, Some(100));
    // `isis ipv6 enable 1` without `isis 1`: accepted, and the only notice.
    let inert: Vec<_> = loaded.notices.iter().map(|n| (n.kind, n.line)).collect();
    assert_eq!(inert, [(NoticeKind::Inert, 31)]);
    assert_eq!(loaded.notices[0].text, "isis ipv6 enable 1");
}

#[test]
fn what_has_no_effect_is_listed() {
    let loaded = load(&["seed/DeviceA.cfg"]);
    let of = |kind| {
        let kinds = loaded.notices.iter().filter(move |n| n.kind == kind);
        kinds.map(|n| n.text.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(of(NoticeKind::Inert), ["lacp priority 100"]);
    let keys = of(NoticeKind::OpaqueKey);
    assert_eq!(keys.len(), 1);
    assert!(keys[0].starts_with("security-key cipher %^%#"));
    let idle = of(NoticeKind::NoEffectYet);
    for (text, times) in [
        ("isis 1", 1),
        ("network-entity 10.0000.0000.0001.00", 1),
        ("ipv6 enable topology ipv6", 1),
        ("isis ipv6 enable 1", 4),
        ("pim ipv6 sm", 3),
        ("pim-ipv6", 1),
        ("static-rp 2001:DB8:22::22", 1),
    ] {
        let found = idle.iter().filter(|line| **line == text).count();
        assert_eq!(found, times, "{text}");
    }
    assert_eq!(idle.len(), 12);
}

#[test]
fn the_fragments_bring_routes_and_joins_to_both_testbeds() {
    for testbed in ["seed", "seed-twin"] {
        let a = load(&[&format!("{testbed}/DeviceA.cfg"), "seed/static/DeviceA.cfg"]);
        let route = |prefix: &str, length, next_hop: &str| Route {
            prefix: ip(prefix),
            length,
            interface: None,
            next_hop: ip(next_hop),
        };
        assert_eq!(
            a.config.routes,
            [
                route("2001:db8:33::33", 128, "2001:db8:10::2"),
                route("2001:db8:40::", 64, "2001:db8:20::2"),
                route("2001:db8:22::22", 128, "2001:db8:20::2"),
            ]
        );
        let b = load(&[&format!("{testbed}/DeviceB.cfg"), "seed/static/DeviceB.cfg"]);
        assert_eq!(
            b.config.routes,
            [
                route("2001:db8:11::11", 128, "2001:db8:10::1"),
                route("2001:db8:40::", 64, "2001:db8:30::2"),
                route("2001:db8:22::22", 128, "2001:db8:30::2"),
            ]
        );
        let d = load(&[&format!("{testbed}/DeviceD.cfg"), "seed/static/DeviceD.cfg"]);
        let groups: Vec<_> = (1..=16_u16)
            .map(|low| (Ipv6Addr::new(0xff1e, 0, 0, 0, 0, 0, 0, low), None))
            .collect();
        for name in ["GigabitEthernet0/1/2", "GigabitEthernet0/1/3"] {
            let port = d.interface(name).unwrap();
            assert_eq!(port.mld.static_groups, groups);
            // The fragment adds to the interface and takes nothing away.
            assert!(port.ipv6 && port.pim_sm && !port.addresses.is_empty());
        }
        assert!(
            d.interface("GigabitEthernet0/1/0")
                .unwrap()
                .mld
                .static_groups
                .is_empty()
        );
    }
}
