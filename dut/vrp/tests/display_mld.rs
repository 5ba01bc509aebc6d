//! `display mld` prints the published labels in the published order.
#![expect(clippy::unwrap_used, reason = "tests")]

use dut_device::{
    Instant, MldGroupSnapshot, MldInterfaceSnapshot, MldSettings, MldSourceSnapshot, Snapshot,
};
use dut_vrp::display;
use std::net::Ipv6Addr;
use std::time::Duration;

fn ip(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

/// A line with runs of blanks folded.
fn folded(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    words.join(" ")
}

fn mld() -> Snapshot {
    let mut snapshot = Snapshot::default();
    snapshot.at = Instant::ZERO + Duration::from_millis(100_900);
    let group = |low: u16, mode: &str| MldGroupSnapshot {
        group: Ipv6Addr::new(0xff1e, 0, 0, 0, 0, 0, 0, low),
        filter_mode: mode.to_owned(),
        filter_timer_ms: if mode == "EXCLUDE" { 224_500 } else { 0 },
        v1_host_ms: 0,
        sources: Vec::new(),
        last_reporter: Some(ip("fe80::215:e9ff:feac:7666")),
        since: Instant::ZERO + Duration::from_secs(33),
        query_count: 0,
    };
    let mut include = group(2, "INCLUDE");
    let source = |low, timer_ms| MldSourceSnapshot {
        source: Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, low),
        timer_ms,
        query_count: 0,
    };
    include.sources = vec![source(1, 60_000), source(2, 239_001)];
    snapshot.mld.push(MldInterfaceSnapshot {
        name: "Eth-Trunk1".to_owned(),
        link_local: Some(ip("fe80::2e0:fcff:fe12:3455")),
        up: true,
        version: 2,
        querier: true,
        querier_address: Some(ip("fe80::2e0:fcff:fe12:3455")),
        robustness: 2,
        query_interval_ms: 125_000,
        negotiated_query_interval_ms: 125_000,
        query_response_interval_ms: 10_000,
        last_listener_query_interval_ms: 1000,
        other_querier_ms: None,
        general_query_ms: Some(76_000),
        groups: vec![group(1, "EXCLUDE"), include],
    });
    snapshot.mld_settings.insert(
        "Eth-Trunk1".to_owned(),
        MldSettings::from(&dut_vrp::config::Mld::default()),
    );
    snapshot
}

#[test]
fn mld_groups() {
    let printed = display("display mld group", &mld(), 0).unwrap();
    let lines: Vec<String> = printed.lines().map(folded).collect();
    assert_eq!(
        lines,
        [
            "Interface group report information of VPN-Instance: public net",
            "Eth-Trunk1(FE80::2E0:FCFF:FE12:3455):",
            "Total 2 MLD Groups reported",
            "Group Address Last Reporter Uptime Expires",
            "FF1E::1 FE80::215:E9FF:FEAC:7666 00:01:07 00:03:45",
            "FF1E::2 FE80::215:E9FF:FEAC:7666 00:01:07 00:04:00",
        ]
    );
    let verbose = display("display mld group verbose", &mld(), 0).unwrap();
    let expected = "\
Interface group report information of VPN-Instance: public net
 Eth-Trunk1(FE80::2E0:FCFF:FE12:3455):
  Total entry on this interface: 2
  Total 2 MLD Groups reported
   Group: FF1E::1
     Uptime: 00:01:07
     Expires: 00:03:45
     Last reporter: FE80::215:E9FF:FEAC:7666
     Last-listener-query-counter: 0
     Last-listener-query-timer-expiry: off
     Group mode: exclude
     Version1-host-present-timer-expiry: off
   Group: FF1E::2
     Uptime: 00:01:07
     Expires: 00:04:00
     Last reporter: FE80::215:E9FF:FEAC:7666
     Last-listener-query-counter: 0
     Last-listener-query-timer-expiry: off
     Group mode: include
     Version1-host-present-timer-expiry: off
     Source list:
       Source: 2001:DB8:1::1
         Expires: 00:01:00
       Source: 2001:DB8:1::2
         Expires: 00:04:00
";
    assert_eq!(verbose, expected);
}

#[test]
fn an_mld_interface() {
    let printed = display("display mld interface Eth-Trunk1 verbose", &mld(), 0).unwrap();
    let expected = "\
Interface information of VPN-Instance: public net
 Eth-Trunk1(FE80::2E0:FCFF:FE12:3455):
   MLD is enabled
   Current MLD version is 2
   MLD state: up
   MLD group policy: none
   MLD limit: -
   Value of query interval for MLD (negotiated): 125 s
   Value of query interval for MLD (configured): 125 s
   Value of other querier timeout for MLD: 0 s
   Value of maximum query response time for MLD: 10 s
   Value of last listener query time: 2 s
   Value of last listener query interval: 1 s
   Value of startup query interval: 31 s
   Value of startup query count: 2
   General query timer expiry (hours:minutes:seconds): 00:01:16
   Querier for MLD: FE80::2E0:FCFF:FE12:3455 (this router)
   MLD activity: - joins, - dones
   Robustness (negotiated): 2
   Robustness (configured): 2
   Require-router-alert: enabled
   Send-router-alert: enabled
   Ip-source-policy: disabled
   Query Ip-source-policy: disabled
   Prompt-leave: disabled
   SSM-Mapping: disabled
   Startup-query-timer-expiry: -
   Other-querier-present-timer-expiry: off
   MLD ipsec: disabled
  Total 2 MLD Groups reported
";
    assert_eq!(printed, expected);
    let brief = display("display mld interface", &mld(), 0).unwrap();
    let short: Vec<&str> = brief.lines().collect();
    assert_eq!(short[..11], expected.lines().collect::<Vec<_>>()[..11]);
    assert_eq!(
        short[11..],
        [
            "   Querier for MLD: FE80::2E0:FCFF:FE12:3455 (this router)",
            "  Total 2 MLD Groups reported"
        ]
    );
}

#[test]
fn a_non_querier_and_a_lone_group() {
    let mut snapshot = mld();
    let interface = &mut snapshot.mld[0];
    interface.querier = false;
    interface.querier_address = Some(ip("fe80::1"));
    interface.other_querier_ms = Some(254_400);
    interface.general_query_ms = None;
    interface.groups.truncate(1);
    let printed = display("display mld interface verbose", &snapshot, 0).unwrap();
    for line in [
        "   Value of other querier timeout for MLD: 255 s\n",
        "   General query timer expiry (hours:minutes:seconds): off\n",
        "   Querier for MLD: FE80::1\n",
        "   Other-querier-present-timer-expiry: 00:04:15\n",
        "  Total 1 MLD Group reported\n",
    ] {
        assert!(printed.contains(line), "{line}{printed}");
    }
}

#[test]
fn an_interface_may_be_written_in_two_words_and_keywords_cut_short() {
    let mld = mld();
    let verbose = display("display mld interface eth-trunk 1 verbose", &mld, 0).unwrap();
    assert_eq!(display("dis ml i Eth-Trunk1 v", &mld, 0).unwrap(), verbose);
    assert_eq!(display("dis ml i v", &mld, 0).unwrap(), verbose);
}
