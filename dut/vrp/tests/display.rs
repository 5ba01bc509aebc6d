//! The displays are the published ones, line by line; what isn't published has the vendor's labels.
#![expect(clippy::unwrap_used, reason = "tests")]

use dut_device::{
    AggregationPortSnapshot, ETrunkMemberSnapshot, ETrunkSnapshot, EthTrunkSnapshot,
    ForwardingEntry, Instant, LacpInfo, MacAddr, RbpSnapshot, RbsSnapshot, Snapshot,
};
use dut_vrp::display;
use std::net::Ipv6Addr;
use std::path::Path;
use std::time::Duration;

fn ip(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

fn mac(text: &str) -> MacAddr {
    text.parse().unwrap()
}

/// 2021-05-29 03:21:36 UTC: 18776 days after 1970-01-01, 3 h 21 min 36 s.
const LAST_UP_S: u64 = 18_776 * 86_400 + 3 * 3600 + 21 * 60 + 36;

fn golden(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    std::fs::read_to_string(path.join(name)).unwrap()
}

/// A line with runs of blanks folded; the document prints `(hr)` with and without a blank before
/// it.
fn folded(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    words.join(" ").replace(" (hr)", "(hr)")
}

fn compare(command: &str, snapshot: &Snapshot, name: &str) {
    let golden = golden(name);
    let printed = display(command, snapshot, 0).unwrap();
    let lines = |text: &str| text.lines().map(folded).collect::<Vec<_>>();
    assert_eq!(lines(&printed), lines(&golden), "{printed}");
}

/// One device of the pair as the document prints it.
struct Seed {
    port: &'static str,
    system: &'static str,
    up: bool,
    number: u16,
    state: u8,
    partner_system: &'static str,
    partner_port: u16,
    partner_state: u8,
    peer: &'static str,
    source: &'static str,
}

const A: Seed = Seed {
    port: "GigabitEthernet0/1/2",
    system: "00e0-fc12-3455",
    up: true,
    number: 1,
    // 10111100, LACP_Activity first: 0x3D.
    state: 0x3d,
    partner_system: "00e0-fc12-3460",
    partner_port: 1,
    partner_state: 0x3d,
    peer: "2001:db8:33::33",
    source: "2001:db8:11::11",
};

const B: Seed = Seed {
    port: "GigabitEthernet0/1/3",
    system: "00e0-fc12-3456",
    up: false,
    number: 32769,
    // 10110000: 0x0D.
    state: 0x0d,
    partner_system: "00e0-fc12-3461",
    partner_port: 2,
    // 10100000: 0x05.
    partner_state: 0x05,
    peer: "2001:db8:11::11",
    source: "2001:db8:33::33",
};

fn snapshot(seed: &Seed) -> Snapshot {
    let info = |system: &str, port, state| LacpInfo {
        system_priority: 32768,
        system: mac(system),
        key: 305,
        port_priority: 32768,
        port,
        state,
    };
    let mut snapshot = Snapshot::default();
    snapshot.eth_trunks.push(EthTrunkSnapshot {
        id: 1,
        lacp_static: true,
        preempt_delay_s: None,
        actor_system_priority: 32768,
        actor_system: mac(seed.system),
        system_id_source: "(Local)".to_owned(),
        least_active_linknumber: 1,
        max_active_linknumber: 16,
        operate_up: seed.up,
        up_ports: u16::from(seed.up),
        timeout_fast: false,
        ports: vec![AggregationPortSnapshot {
            name: seed.port.to_owned(),
            actor: info(seed.system, seed.number, seed.state),
            partner: info(seed.partner_system, seed.partner_port, seed.partner_state),
            selected: if seed.up { "SELECTED" } else { "STANDBY" }.to_owned(),
            reference_port: true,
            lacpdus_rx: 17,
            lacpdus_tx: 189,
            markers_rx: 3,
            marker_responses_tx: 2,
            ..AggregationPortSnapshot::default()
        }],
    });
    snapshot.rbs.push(RbsSnapshot {
        index: 1,
        name: "service1".to_owned(),
        tcp_state: "connected".to_owned(),
        peer: Some(ip(seed.peer)),
        source: Some(ip(seed.source)),
        tcp_port: 1025,
        last_up_s: Some(LAST_UP_S),
        ..RbsSnapshot::default()
    });
    snapshot.rbp.push(RbpSnapshot {
        index: 0x1000,
        name: "profile1".to_owned(),
        services: vec!["MLD".to_owned()],
        rbs: "service1".to_owned(),
        backup_id: 10,
        e_trunk: Some(1),
        eth_trunk: Some(1),
        interfaces: vec!["Eth-Trunk1".to_owned()],
        backup_mode: "hot".to_owned(),
        ..RbpSnapshot::default()
    });
    snapshot
}

#[test]
fn the_six_displays_of_the_document() {
    for (device, seed) in [("DeviceA", &A), ("DeviceB", &B)] {
        let snapshot = snapshot(seed);
        for (command, name) in [
            (
                "display remote-backup-profile profile1",
                "remote-backup-profile",
            ),
            (
                "display remote-backup-service service1",
                "remote-backup-service",
            ),
            ("display eth-trunk", "eth-trunk"),
        ] {
            compare(command, &snapshot, &format!("{device}-{name}.txt"));
        }
    }
}

#[test]
fn device_as_displays_to_the_blank() {
    let snapshot = snapshot(&A);
    for (command, name) in [
        (
            "display remote-backup-profile profile1",
            "remote-backup-profile",
        ),
        (
            "display remote-backup-service service1",
            "remote-backup-service",
        ),
        ("display eth-trunk 1", "eth-trunk"),
    ] {
        let printed = display(command, &snapshot, 0).unwrap();
        assert_eq!(printed, golden(&format!("DeviceA-{name}.txt")));
    }
}

#[test]
fn marks_follow_priority_and_reference() {
    let mut snapshot = snapshot(&A);
    let trunk = &mut snapshot.eth_trunks[0];
    let mut second = trunk.ports[0].clone();
    second.name = "GigabitEthernet0/1/4".to_owned();
    second.reference_port = false;
    second.selected = "STANDBY".to_owned();
    second.actor.state = 0x05;
    let mut third = second.clone();
    third.name = "GigabitEthernet0/1/5".to_owned();
    trunk.ports[0].actor.port_priority = 40000;
    third.actor.port_priority = 40000;
    trunk.ports.extend([second, third]);
    trunk.preempt_delay_s = Some(10);
    trunk.timeout_fast = true;
    let printed = display("display eth-trunk 1", &snapshot, 0).unwrap();
    let lines: Vec<String> = printed.lines().map(folded).collect();
    for line in [
        "Preempt Delay Time: 10 Hash arithmetic: According to flow",
        "Timeout Period: Fast",
        "GigabitEthernet0/1/2 (r) Selected 1GE 40000 1 305 10111100 1",
        "GigabitEthernet0/1/4 (h) Unselect 1GE 32768 1 305 10100000 1",
        "GigabitEthernet0/1/5 Unselect 1GE 40000 1 305 10100000 1",
    ] {
        assert!(lines.iter().any(|found| found == line), "{line}\n{printed}");
    }
}

#[test]
fn a_port_that_holds_synchronization_is_not_selected() {
    let mut snapshot = snapshot(&A);
    snapshot.eth_trunks[0].ports[0].actor.state = 0x05;
    let printed = display("display eth-trunk", &snapshot, 0).unwrap();
    assert!(printed.contains("GigabitEthernet0/1/2 (hr) Unselect"));
}

#[test]
fn lacp_statistics() {
    let printed = display("display lacp statistics eth-trunk", &snapshot(&A), 0).unwrap();
    let lines: Vec<String> = printed.lines().map(folded).collect();
    assert_eq!(lines[0], "Eth-trunk1's PDU statistic is:");
    assert_eq!(
        lines[2],
        "Port LacpRevPdu LacpSentPdu MarkerRevPdu MarkerSentPdu"
    );
    assert_eq!(lines[3], "GigabitEthernet0/1/2 17 189 3 2");
    let one = display("display lacp statistics eth-trunk 1", &snapshot(&A), 0).unwrap();
    assert_eq!(one, printed);
}

/// The published sample of a pair with hello 9 and multiplier 30.
fn e_trunks() -> Snapshot {
    let mut snapshot = Snapshot::default();
    snapshot.e_trunks.push(ETrunkSnapshot {
        id: 1,
        priority: 10,
        system_id: mac("00e0-fc12-3457"),
        revert_delay_s: Some(120),
        peer: Some(ip("2001:db8::2")),
        source: Some(ip("2001:db8::1")),
        state: "Master".to_owned(),
        causation: "PRI".to_owned(),
        send_period_100ms: 9,
        fail_time_100ms: 270,
        receive: 1149,
        send: 1182,
        rec_drop: 5,
        snd_drop: 0,
        peer_priority: Some(20),
        peer_system_id: Some(mac("00e0-fc12-3456")),
        peer_fail_time_100ms: Some(270),
        sequence: false,
        errors: [
            ("authentication_error".to_owned(), 4),
            ("length_error".to_owned(), 1),
        ]
        .into(),
        members: vec![ETrunkMemberSnapshot {
            id: 10,
            phy_up: true,
            link_ready: true,
            work_mode: "auto".to_owned(),
            state: "Master".to_owned(),
            causation: "PEER_MEMBER_DOWN".to_owned(),
            remote_id: 10,
        }],
    });
    snapshot
        .e_trunk_descriptions
        .insert(1, "PE1_to_PE2".to_owned());
    snapshot
}

#[test]
fn an_e_trunk() {
    let printed = display("display e-trunk 1", &e_trunks(), 0).unwrap();
    let expected = "                          The E-Trunk information
E-Trunk-ID : 1                          Revert-Delay-Time (s) : 120
Priority : 10                           System-ID : 00e0-fc12-3457
Peer-IP : 2001:DB8::2                   Source-IP : 2001:DB8::1
State : Master                          Causation : PRI
Send-Period (100ms) : 9                 Fail-Time (100ms) : 270
Receive : 1149                          Send : 1182
RecDrop : 5                             SndDrop : 0
Peer-Priority : 20                      Peer-System-ID : 00e0-fc12-3456
Peer-Fail-Time (100ms) : 270            BFD-Session : -
Description : PE1_to_PE2
Sequence : Disable
Dynamic-BFD : Disabled                  BFD-State : -
TX (ms) : -                             RX (ms) : -
Multiplier : -
--------------------------------------------------------------------------------
                            The Member information
Type      ID   LocalPhyState   Work-Mode     State    Causation         Remote-ID
Eth-Trunk 10   Up              auto          Master   PEER_MEMBER_DOWN  10
";
    assert_eq!(printed, expected);
    assert_eq!(
        display("display e-trunk", &e_trunks(), 0).unwrap(),
        expected
    );
}

#[test]
fn an_e_trunk_without_peer() {
    let mut snapshot = e_trunks();
    let e_trunk = &mut snapshot.e_trunks[0];
    e_trunk.state = "Initialize".to_owned();
    e_trunk.causation = "INIT".to_owned();
    e_trunk.revert_delay_s = None;
    e_trunk.peer_priority = None;
    e_trunk.peer_system_id = None;
    e_trunk.peer_fail_time_100ms = None;
    let printed = display("display e-trunk 1", &snapshot, 0).unwrap();
    let lines: Vec<String> = printed.lines().map(folded).collect();
    assert_eq!(lines[1], "E-Trunk-ID : 1 Revert-Delay-Time (s) : -");
    assert_eq!(lines[4], "State : Init Causation : INIT");
    assert_eq!(lines[8], "Peer-Priority : - Peer-System-ID : -");
    let brief = display("display e-trunk brief", &snapshot, 0).unwrap();
    let lines: Vec<String> = brief.lines().map(folded).collect();
    assert_eq!(
        lines,
        [
            "E-TRUNK-ID State VPN-Instance Peer-IP Source-IP",
            "1 Init - 2001:DB8::2 2001:DB8::1",
            "Total:1 Master:0 Backup:0 Init:1"
        ]
    );
}

#[test]
fn packet_statistics_have_the_published_counters() {
    let mut snapshot = e_trunks();
    snapshot
        .discards
        .insert("etrunk.length_error".to_owned(), 6);
    let printed = display("display e-trunk packet-statistics", &snapshot, 0).unwrap();
    let lines: Vec<String> = printed.lines().map(folded).collect();
    let expected = [
        "The global E-Trunk packet statistics",
        "E-Trunk-ID errors : 0",
        "Length errors : 6",
        "The packet statistics of E-Trunk 1",
        "Priority errors : 0",
        "Fail-time errors : 0",
        "State errors : 0",
        "State reason errors : 0",
        "Peer-IP errors : 0",
        "Authentication errors : 4",
        "TLV check errors : 0",
        "System-ID errors : 0",
        "Sequence errors : 0",
        "Dropped packets with BFD protection : 0",
        "Sent : 1182",
        "Failed to send : 0",
        "Received : 1149",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn lists_of_profiles_and_services() {
    let snapshot = snapshot(&A);
    let profiles = display("display remote-backup-profile", &snapshot, 0).unwrap();
    let lines: Vec<String> = profiles.lines().map(folded).collect();
    assert_eq!(lines[1], "PROFILE-ID PROFILE-NAME");
    assert_eq!(lines[3], "0x1000 profile1");
    assert_eq!(lines[5], "Total 1 printed.");
    let services = display("display remote-backup-service", &snapshot, 0).unwrap();
    let lines: Vec<String> = services.lines().map(folded).collect();
    assert_eq!(lines[1], "SERVER ID SERVER NAME");
    assert_eq!(lines[3], "1 service1");
}

#[test]
fn a_service_that_went_down_says_when_and_why() {
    let mut snapshot = snapshot(&A);
    let rbs = &mut snapshot.rbs[0];
    rbs.tcp_state = "connecting".to_owned();
    rbs.last_down_s = Some(LAST_UP_S + 24);
    rbs.last_down_reason = Some("TCP closed for packet error.".to_owned());
    let printed = display("display remote-backup-service SERVICE1", &snapshot, 0).unwrap();
    let lines: Vec<String> = printed.lines().map(folded).collect();
    assert_eq!(
        lines[10..13],
        [
            "Last up time : 2021-05-29 03:21:36",
            "Last down time : 2021-05-29 03:22:00",
            "Last down reason : TCP closed for packet error."
        ]
    );
    assert_eq!(lines[3], "TCP-State : connecting");
}

#[test]
fn the_forwarding_table() {
    let mut snapshot = Snapshot::default();
    snapshot.forwarding.push(ForwardingEntry {
        group: ip("ff1e::1"),
        source: None,
        upstream: Some("GigabitEthernet0/1/3".to_owned()),
        downstream: vec!["Eth-Trunk1".to_owned(), "GigabitEthernet0/1/4".to_owned()],
        muted: vec!["Eth-Trunk1".to_owned()],
        forwarded: 19648,
    });
    let printed = display("display multicast ipv6 forwarding-table", &snapshot, 0).unwrap();
    assert_eq!(
        printed,
        "\
IPv6 Multicast Forwarding Table of VPN-Instance: public net
Total 1 entry, 1 matched

00001. (*, FF1E::1)
     Incoming interface: GigabitEthernet0/1/3
     List of 2 outgoing interfaces:
       1: Eth-Trunk1 (muted)
       2: GigabitEthernet0/1/4
     Forwarded 19648 packets
"
    );
}

#[test]
fn the_clock_is_the_devices_own() {
    let mut snapshot = Snapshot::default();
    snapshot.at = Instant::ZERO + Duration::from_millis(24_999);
    let printed = display("display clock", &snapshot, LAST_UP_S).unwrap();
    // The 29th of May 2021 was a Saturday.
    assert_eq!(
        printed,
        "2021-05-29 03:22:00\nSaturday\nTime Zone(DefaultZoneName) : UTC\n"
    );
}

#[test]
fn commands_may_be_cut_short_while_they_are_unambiguous() {
    let a = snapshot(&A);
    let whole = display("display eth-trunk", &a, 0).unwrap();
    for short in ["dis eth", "DISP ETH-T", "display  eth-trunk 1"] {
        assert_eq!(display(short, &a, 0).unwrap(), whole, "{short}");
    }
    // `e` begins both; `remote-backup-` too.
    let error = display("dis e", &a, 0).unwrap_err();
    assert!(error.starts_with("Error: Ambiguous command found: `dis e`."));
    assert!(error.contains("\n display e-trunk\n") && error.ends_with("\n display eth-trunk"));
    assert!(display("dis remote-backup- x", &a, 0).is_err());
}

#[test]
fn an_unknown_command_is_answered_with_the_known_ones() {
    let error = display("display bgp", &Snapshot::default(), 0).unwrap_err();
    assert!(error.starts_with("Error: Unrecognized command found: `display bgp`."));
    for known in [
        "display eth-trunk <id>",
        "display e-trunk brief",
        "display e-trunk packet-statistics",
        "display remote-backup-profile <name>",
        "display remote-backup-service <name>",
        "display mld group",
        "display mld interface <interface> verbose",
        "display lacp statistics eth-trunk <id>",
        "display multicast ipv6 forwarding-table",
    ] {
        assert!(error.contains(&format!("\n {known}")), "{known}");
    }
    for other in [
        "",
        "di eth-trunk",
        "ping",
        "display",
        "display eth-trunk x",
        "dis\u{1b}",
    ] {
        assert!(display(other, &Snapshot::default(), 0).is_err(), "{other}");
    }
    for nothing in [
        "display eth-trunk 7",
        "display e-trunk 7",
        "display remote-backup-profile x",
        "display remote-backup-service x",
        "display mld interface Eth-Trunk7",
    ] {
        let error = display(nothing, &Snapshot::default(), 0).unwrap_err();
        assert!(!error.contains("Unrecognized"), "{error}");
    }
}
