//! What is wrong in a file is told with its place and what would be accepted, all at once.
#![expect(clippy::unwrap_used, reason = "tests")]

use dut_vrp::{Diagnostic, Loaded, NoticeKind, parse, render};

fn files(text: &str) -> Vec<(String, String)> {
    vec![("x.cfg".to_owned(), text.to_owned())]
}

fn load(text: &str) -> Result<Loaded, Vec<Diagnostic>> {
    parse(&files(text))
}

/// The one error of a file.
fn refused(text: &str) -> Diagnostic {
    let errors = load(text).unwrap_err();
    assert_eq!(errors.len(), 1, "{errors:#?}");
    errors.into_iter().next().unwrap()
}

fn at(error: &Diagnostic) -> (usize, usize, usize) {
    (error.line, error.column, error.length)
}

#[test]
fn an_unknown_command_offers_its_neighbours() {
    let error = refused("e-trunk 1\n prioritty 20\n");
    assert_eq!(at(&error), (2, 2, 9));
    assert_eq!(
        error.message,
        "unknown command `prioritty` in the e-trunk view"
    );
    assert_eq!(error.accepted[0], "priority <priority 1–254>");
}

/// The ranges, from the vendor's command reference: the last value inside and the first outside.
#[test]
fn values_are_in_range_to_the_unit() {
    let trunk = "interface Eth-Trunk1\n mode lacp-static\n";
    let port = "interface Eth-Trunk1\n#\ninterface GigabitEthernet0/1/1\n";
    let layer_3 = "multicast ipv6 routing-enable\ninterface GigabitEthernet0/1/1\n ipv6 enable\n \
                   mld timer query 18000\n";
    let cases: &[(&str, &str, u64, u64)] = &[
        ("", "e-trunk #", 1, 128),
        ("e-trunk 1\n", " priority #", 1, 254),
        ("e-trunk 1\n", " timer hello #", 5, 100),
        ("e-trunk 1\n", " timer hold-on-failure multiplier #", 3, 300),
        ("e-trunk 1\n", " timer revert delay #", 0, 10800),
        ("", "e-trunk ipv6 port #", 1025, 65535),
        ("", "lacp priority #", 0, 65535),
        ("", "lacp e-trunk priority #", 0, 65535),
        ("", "vlan batch #", 1, 4094),
        (
            "remote-backup-service s\n",
            " peer-ipv6 2001:DB8::1 source-ipv6 2001:DB8::2 port #",
            1024,
            55535,
        ),
        (
            "remote-backup-service s\n#\nremote-backup-profile p\n",
            " backup-id # remote-backup-service s",
            1,
            4095,
        ),
        ("", "interface Eth-Trunk#", 0, 511),
        (trunk, " max active-linknumber #", 1, 64),
        (trunk, " lacp e-trunk priority #", 0, 65535),
        (
            "interface Eth-Trunk1\n max active-linknumber 64\n",
            " least active-linknumber #",
            1,
            64,
        ),
        (trunk, " lacp preempt delay #", 0, 180),
        (port, " lacp priority #", 0, 65535),
        (layer_3, " mld version #", 1, 2),
        (layer_3, " mld max-response-time #", 1, 125),
        (layer_3, " mld robust-count #", 2, 5),
        (layer_3, " mld lastlistener-queryinterval #", 1, 25),
        (layer_3, " tandem mld-robustness #", 1, 255),
        (layer_3, " tandem mld-last-listener-query-count #", 1, 255),
        (
            layer_3,
            " mld static-group FF1E::1 inc-step-mask 128 number #",
            2,
            512,
        ),
        ("", "ipv6 route-static :: 0 2001:DB8::1\nisis #", 1, 65535),
    ];
    for (before, command, min, max) in cases {
        let with = |value: u64| {
            load(&format!(
                "{before}{}\n",
                command.replace('#', &value.to_string())
            ))
        };
        for value in [*min, *max] {
            assert!(with(value).is_ok(), "{command} {value}: {:#?}", with(value));
        }
        let outside = [min.checked_sub(1), Some(max + 1), Some(u64::MAX)];
        for value in outside.into_iter().flatten() {
            assert!(with(value).is_err(), "{command} {value}");
        }
        assert!(with_text(before, command, "x").is_err(), "{command} x");
    }
}

fn with_text(before: &str, command: &str, value: &str) -> Result<Loaded, Vec<Diagnostic>> {
    load(&format!("{before}{}\n", command.replace('#', value)))
}

#[test]
fn a_value_out_of_range_is_pointed_at() {
    let error = refused("e-trunk 1\n priority 255\n");
    assert_eq!(at(&error), (2, 11, 3));
    assert_eq!(error.message, "priority 255 is out of range: 1–254");
    assert_eq!(error.accepted, ["priority <priority 1–254>"]);
}

#[test]
fn the_wrong_view_is_named() {
    let error = refused("interface Eth-Trunk1\n lacp priority 100\n");
    assert_eq!(at(&error), (2, 2, 17));
    assert_eq!(
        error.message,
        "`lacp priority 100` belongs to the system or the GigabitEthernet interface view, \
         not to the Eth-Trunk interface view"
    );
    let error = refused("mld enable\n");
    assert!(error.message.contains("GigabitEthernet interface"));
    // `mode` belongs to the Eth-Trunk alone.
    let error = refused("interface GigabitEthernet0/1/1\n mode lacp-static\n");
    assert!(
        error
            .message
            .contains("belongs to the Eth-Trunk interface view")
    );
}

#[test]
fn an_incomplete_or_overlong_command_is_pointed_at() {
    let error = refused("e-trunk 1\n timer hello\n");
    assert_eq!(at(&error), (2, 13, 1));
    assert_eq!(error.message, "the command isn't complete");
    assert_eq!(error.accepted, ["timer hello <hello-time 5–100>"]);
    let error = refused("e-trunk 1\n priority 20 30\n");
    assert_eq!(at(&error), (2, 14, 2));
    assert_eq!(error.message, "the command ends before `30`");
}

#[test]
fn a_name_of_nothing_is_refused_where_it_stands() {
    let error = refused("interface Eth-Trunk1\n mode lacp-static\n e-trunk 1\n");
    assert_eq!(at(&error), (3, 10, 1));
    assert_eq!(error.message, "there is no `e-trunk 1` in the system view");
    let error = refused("interface GigabitEthernet0/1/2\n eth-trunk 1\n");
    assert_eq!(at(&error), (2, 12, 1));
    assert_eq!(error.message, "there is no `interface Eth-Trunk1`");
    let error = refused(
        "remote-backup-service service2\n#\nremote-backup-profile p\n \
         backup-id 10 remote-backup-service service1\n",
    );
    assert_eq!(at(&error), (4, 37, 8));
    assert_eq!(
        error.message,
        "there is no `remote-backup-service service1`"
    );
    assert_eq!(error.accepted, ["service2"]);
    let error = refused("interface Eth-Trunk1\n remote-backup-profile profile1\n");
    assert_eq!(at(&error), (2, 24, 8));
    assert_eq!(
        error.message,
        "there is no `remote-backup-profile profile1`"
    );
    let error = refused("interface GigabitEthernet0/1/1\n portswitch\n port default vlan 100\n");
    assert_eq!(error.message, "there is no VLAN 100: `vlan batch` makes it");
    let error = refused("ipv6 route-static :: 0 GigabitEthernet0/1/9 2001:DB8::1\n");
    assert_eq!(
        error.message,
        "there is no `interface GigabitEthernet0/1/9`"
    );
    // The tracked E-Trunk and Eth-Trunk are both named, and both missing.
    let errors = load("remote-backup-profile p\n e-trunk 1 eth-trunk 1\n").unwrap_err();
    let places: Vec<_> = errors.iter().map(at).collect();
    assert_eq!(places, [(2, 10, 1), (2, 22, 1)]);
}

#[test]
fn what_excludes_itself_is_refused() {
    let interface = "multicast ipv6 routing-enable\ninterface GigabitEthernet0/1/1\n ipv6 enable\n \
                     mld enable\n";
    for (text, message) in [
        (
            format!("{interface} mld timer query 10\n"),
            "the maximum response time, 10000 ms, is not less than the query interval, 10000 ms",
        ),
        (
            format!("{interface} tandem mld-query-interval 10000\n"),
            "the maximum response time, 10000 ms, is not less than the query interval, 10000 ms",
        ),
        (
            "e-trunk 1\n#\ne-trunk 2\n#\ninterface Eth-Trunk1\n e-trunk 1\n e-trunk 2\n".to_owned(),
            "the Eth-Trunk is in E-Trunk 1 already: it can be in one",
        ),
        (
            "e-trunk 1\n#\ninterface Eth-Trunk1\n e-trunk 1\n mode lacp-static\n".to_owned(),
            "the mode can't be changed while the Eth-Trunk is in an E-Trunk: it goes before \
             `e-trunk`",
        ),
        (
            "interface Eth-Trunk1\n max active-linknumber 2\n least active-linknumber 3\n"
                .to_owned(),
            "`least active-linknumber` 3 is more than `max active-linknumber` 2",
        ),
        (
            "interface GigabitEthernet0/1/1\n ipv6 address 2001:DB8::1/64\n".to_owned(),
            "`ipv6 address` needs `ipv6 enable` on the interface",
        ),
        (
            "interface Eth-Trunk1\n#\ninterface GigabitEthernet0/1/1\n ipv6 enable\n eth-trunk 1\n"
                .to_owned(),
            "`ipv6 enable` on an interface that belongs to an Eth-Trunk",
        ),
        (
            "lacp e-trunk system-id 0000-0000-0000\n".to_owned(),
            "0000-0000-0000 is no system ID: it is an individual address",
        ),
        (
            "ipv6 route-static 2001:DB8:40::1 64 2001:DB8:20::2\n".to_owned(),
            "2001:DB8:40::1 has bits beyond its length 64",
        ),
        (
            "e-trunk 1\n peer-ipv6 2001:DB8::1 source-ipv6 2001:DB8::1\n".to_owned(),
            "peer and source are the same address",
        ),
    ] {
        assert_eq!(refused(&text).message, message, "{text}");
    }
    // The mode of a member is lacp-static or manual; the vendor's third mode can't join.
    let error = refused("interface Eth-Trunk1\n mode lacp-dynamic\n");
    assert_eq!(
        error.accepted,
        ["mode lacp-static", "mode manual load-balance"]
    );
}

#[test]
fn all_errors_of_all_files_are_told_at_once() {
    let files = [
        (
            "a.cfg".to_owned(),
            "sysname\ne-trunk 200\n priority 7\nbogus\n".to_owned(),
        ),
        (
            "b.cfg".to_owned(),
            " mld enable\ninterface Eth-Trunk1\n e-trunk 5\n".to_owned(),
        ),
    ];
    let errors = parse(&files).unwrap_err();
    let places: Vec<_> = errors.iter().map(|e| (e.file.as_str(), e.line)).collect();
    // Not the line below the refused `e-trunk 200`: its view is not known.
    assert_eq!(
        places,
        [
            ("a.cfg", 1),
            ("a.cfg", 2),
            ("a.cfg", 4),
            ("b.cfg", 1),
            ("b.cfg", 3)
        ]
    );
}

#[test]
fn the_report_looks_like_rustcs() {
    let text = "#\ne-trunk 1\n priority 255\n";
    let errors = load(text).unwrap_err();
    assert_eq!(
        render(&errors, &files(text), false),
        "error: priority 255 is out of range: 1–254\n \
         --> x.cfg:3:11\n  \
         |\n\
         3 |  priority 255\n  \
         |           ^^^\n  \
         |\n  \
         = help: accepted: priority <priority 1–254>"
    );
    assert!(render(&errors, &files(text), true).contains("\u{1b}["));
}

#[test]
fn a_file_that_is_no_text_of_ours_is_refused_and_nothing_breaks() {
    let long = "x".repeat(100_000);
    for text in [
        "\u{1b}[31m\u{0}",
        "interface \u{fffd}\u{1f4a9}1",
        "e-trunk 99999999999999999999999",
        "vlan batch 1 to",
        "ipv6 route-static ::1 129 ::",
        "return\nsysname X",
        long.as_str(),
    ] {
        let errors = load(text).unwrap_err();
        let report = render(&errors, &files(text), false);
        assert!(report.starts_with("error: "), "{report}");
    }
    assert!(load("").is_ok());
    assert!(load("#\r\nsysname X\r\n#\r\nreturn\r\n").is_ok());
}

#[test]
fn lines_that_do_nothing_are_told() {
    let inert = |text: &str| -> Vec<String> {
        let loaded = load(text).unwrap();
        let inert = (loaded.notices.into_iter()).filter(|n| n.kind == NoticeKind::Inert);
        inert.map(|notice| notice.text).collect()
    };
    assert_eq!(
        inert("interface GigabitEthernet0/1/1\n ipv6 enable\n mld enable\n"),
        ["mld enable"]
    );
    assert_eq!(inert("lacp priority 100\n"), Vec::<String>::new());
    assert_eq!(inert("e-trunk 1\n priority 3\n"), ["e-trunk 1"]);
    assert_eq!(
        inert("interface Eth-Trunk1\n lacp timeout fast\n"),
        ["lacp timeout fast"]
    );
    assert_eq!(
        inert("interface Eth-Trunk1\n mode lacp-static\n lacp preempt delay 3\n"),
        ["lacp preempt delay 3"]
    );
    assert_eq!(
        inert("lacp e-trunk system-id 00e0-fc12-3455\n"),
        ["lacp e-trunk system-id 00e0-fc12-3455"]
    );
}
