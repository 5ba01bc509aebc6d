//! Version 1: compatibility of one group (RFC 3810 8.3.2), and the router that is configured for
//! version 1 (RFC 2710 6, RFC 3810 8.3.1).

use crate::lab::*;
use dut_mld::{DiscardReason, InterfaceConfig, MldEvent};
use std::net::Ipv6Addr;

fn version_1() -> Lab {
    let mut lab = Lab::new(InterfaceConfig {
        version: 1,
        ..config()
    });
    lab.forget();
    lab
}

#[test]
fn a_report_is_is_ex_and_makes_the_group_version_1() {
    let mut lab = Lab::new(config());
    lab.exclude(&[1], &[2]).at(10_000).forget().report_v1(G);
    assert_eq!(lab.state(), "EX({},{}) 260");
    assert_eq!(lab.rows(), ["MLD-ROW-04"]);
    assert_eq!(lab.router.group(lab.now, G).unwrap().v1_host, ms(260_000));
}

#[test]
fn a_done_is_to_in_and_asks_in_version_2() {
    let mut lab = Lab::new(config());
    lab.report_v1(G).at(10_000).forget().done(G);
    assert_eq!(lab.rows(), ["MLD-ROW-12"]);
    assert_eq!(lab.sent[0].1.message.len(), 28);
    assert_eq!(lab.at(11_999).queries(), ["10 Q", "11 Q"]);
    assert_eq!(lab.forwarded().len(), 9);
    assert_eq!(lab.at(12_000).state(), "none");
}

#[test]
fn a_done_for_an_unknown_group_is_nothing() {
    let mut lab = Lab::new(config());
    lab.forget().done(G).at(10_000);
    assert!(lab.queries().is_empty());
    assert_eq!(lab.state(), "none");
}

#[test]
fn block_is_ignored_while_a_version_1_host_is_present() {
    let mut lab = Lab::new(config());
    lab.report_v1(G).at(10_000).forget().record(BLOCK, &[1]);
    assert_eq!(lab.discards(), [DiscardReason::BlockInVersion1]);
    assert_eq!(lab.state(), "EX({},{}) 250");
    // Another group on the link isn't touched by that.
    lab.records(vec![record(ALLOW, H, &[1])]);
    lab.records(vec![record(BLOCK, H, &[1])]);
    assert_eq!(lab.at(20_000).queries(), ["10 Q{1}", "11 Q{1}"]);
}

#[test]
fn the_list_of_to_ex_is_ignored_while_a_version_1_host_is_present() {
    let mut lab = Lab::new(config());
    lab.report_v1(G).at(10_000).forget().record(TO_EX, &[1]);
    assert_eq!(lab.state(), "EX({},{}) 260");
    assert!(lab.at(20_000).queries().is_empty());
    // Everything else is as ever.
    lab.record(IS_EX, &[1]).record(ALLOW, &[2]);
    assert_eq!(lab.state(), "EX({1:260,2:260},{}) 260");
}

#[test]
fn back_to_version_2_after_the_last_report() {
    let mut lab = Lab::new(config());
    lab.report_v1(G)
        .at(200_000)
        .report_v1(G)
        .at(450_000)
        .record(IS_EX, &[]);
    lab.at(459_999).record(BLOCK, &[1]);
    assert_eq!(lab.state(), "EX({},{}) 250.001");
    lab.forget().at(460_000);
    assert_eq!(lab.rows(), ["MLD-ROW-17"]);
    assert!(lab.has(MldEvent::Refreshed { group: G }));
    lab.record(BLOCK, &[1]);
    assert_eq!(lab.queries(), ["460 Q{1}"]);
}

#[test]
fn longer_version_1_messages_are_used() {
    let mut lab = Lab::new(config());
    let mut octets = dut_wire::mld::Message::ReportV1 { group: G }.to_vec(HOST, G);
    octets[2..4].fill(0);
    octets.resize(32, 0x77);
    octets[4..8].fill(0xff);
    dut_wire::icmpv6::seal(&mut octets, HOST, G);
    let envelope = dut_mld::Envelope {
        source: HOST,
        destination: G,
        hop_limit: 1,
        router_alert: Some(0),
    };
    lab.octets(envelope, &octets);
    assert_eq!(lab.state(), "EX({},{}) 260");
}

#[test]
fn compatibility_off_ignores_version_1_listeners() {
    let mut lab = Lab::new(InterfaceConfig {
        compatibility: false,
        ..config()
    });
    lab.forget()
        .report_v1(G)
        .record(TO_EX, &[])
        .at(1_000)
        .done(G);
    let off = DiscardReason::CompatibilityOff;
    assert_eq!(lab.discards(), [off, off]);
    assert_eq!(lab.state(), "EX({},{}) 259");
    assert_eq!(lab.router.group(lab.now, G).unwrap().v1_host, ms(0));
    assert!(lab.at(5_000).queries().is_empty());
}

#[test]
fn version_mismatch_is_reported_once_an_interval() {
    let mut lab = Lab::new(fast());
    lab.forget();
    for at in 0..100 {
        lab.at(at * 100)
            .query_v1(HIGHER, Ipv6Addr::UNSPECIFIED, 10_000);
    }
    let warned = |lab: &Lab| {
        let mismatch = MldEvent::VersionMismatch {
            source: HIGHER,
            version: 1,
        };
        lab.events
            .iter()
            .filter(|event| **event == mismatch)
            .count()
    };
    assert_eq!(warned(&lab), 1);
    lab.at(20_000)
        .query_v1(HIGHER, Ipv6Addr::UNSPECIFIED, 10_000);
    assert_eq!(warned(&lab), 2);
}

#[test]
fn a_version_1_query_takes_part_in_the_election_with_configured_values() {
    let mut lab = Lab::new(fast());
    lab.at(1_000).query_v1(LOWER, Ipv6Addr::UNSPECIFIED, 10_000);
    assert!(!lab.router.is_querier());
    lab.forget().at(42_500);
    assert_eq!(lab.general_queries(), ["42.5"]);
    // A specific one lowers, as one with the S flag clear.
    lab.record(TO_EX, &[]).query_v1(LOWER, G, 1_000);
    assert_eq!(lab.state(), "EX({},{}) 2");
}

#[test]
fn version_1_queries_have_24_octets_and_a_linear_delay() {
    let mut router = dut_mld::Interface::new(InterfaceConfig {
        version: 1,
        query_response_interval: ms(40_000),
        ..config()
    });
    router.start(dut_device::Instant::ZERO);
    let octets = router.poll_transmit().unwrap().message;
    assert_eq!(octets.len(), 24);
    assert_eq!(octets[4..8], [0x9c, 0x40, 0, 0]);
    assert_eq!(octets[8..], [0; 16]);
}

#[test]
fn no_listeners_report() {
    let mut lab = version_1();
    lab.report_v1(G);
    assert_eq!(lab.state(), "EX({},{}) 260");
    assert_eq!(lab.rows(), ["MLD-ROW-18"]);
    assert!(lab.has(MldEvent::Changed { group: G }));
}

#[test]
fn listeners_report() {
    let mut lab = version_1();
    lab.report_v1(G).at(10_000).forget().report_v1(G);
    assert_eq!(lab.state(), "EX({},{}) 260");
    assert_eq!(lab.rows(), ["MLD-ROW-19"]);
    assert!(lab.has(MldEvent::Refreshed { group: G }));
}

#[test]
fn listeners_done_and_checking() {
    let mut lab = version_1();
    lab.report_v1(G).at(10_000).forget().done(G);
    assert_eq!(lab.state(), "EX({},{}) 2");
    assert_eq!(lab.rows(), ["MLD-ROW-20"]);
    assert_eq!(lab.sent[0].1.message.len(), 24);
    assert_eq!(lab.sent[0].1.message[4..6], [0x03, 0xe8]);
    // A second Done in Checking is no event of the table.
    lab.at(10_500).done(G).at(11_500).done(G);
    lab.at(20_000);
    assert_eq!(lab.queries(), ["10 Q", "11 Q"]);
    assert_eq!(lab.rows(), ["MLD-ROW-20", "MLD-ROW-24", "MLD-ROW-26"]);
    assert_eq!(lab.state(), "none");
    assert!(lab.has(MldEvent::Removed { group: G }));
}

#[test]
fn checking_report_stops_the_series() {
    let mut lab = version_1();
    lab.report_v1(G).at(10_000).forget().done(G);
    lab.at(10_300).report_v1(G).at(20_000);
    assert_eq!(lab.queries(), ["10 Q"]);
    assert_eq!(lab.rows(), ["MLD-ROW-20", "MLD-ROW-23"]);
    assert_eq!(lab.state(), "EX({},{}) 250.3");
}

#[test]
fn listeners_timer_expires() {
    let mut lab = version_1();
    lab.report_v1(G).forget().at(260_000);
    assert_eq!(lab.rows(), ["MLD-ROW-22"]);
    assert_eq!(lab.state(), "none");
}

#[test]
fn listeners_and_checking_specific_query() {
    let mut lab = version_1();
    lab.report_v1(G)
        .query_v1(LOWER, Ipv6Addr::UNSPECIFIED, 10_000)
        .at(10_000)
        .forget();
    // min(timer, MRD in the query * LLQC).
    lab.query_v1(LOWER, G, 3_000);
    assert_eq!(lab.state(), "EX({},{}) 6");
    lab.at(11_000).query_v1(LOWER, G, 3_000);
    assert_eq!(lab.state(), "EX({},{}) 5");
    lab.query_v1(LOWER, G, 0);
    assert_eq!(lab.rows(), ["MLD-ROW-21", "MLD-ROW-25", "MLD-ROW-25"]);
    assert_eq!(lab.at(11_000).state(), "none");
}

#[test]
fn querier_takes_no_row_for_a_specific_query() {
    let mut lab = version_1();
    lab.report_v1(G)
        .at(10_000)
        .forget()
        .query_v1(HIGHER, G, 1_000);
    assert!(lab.rows().is_empty());
    assert_eq!(lab.state(), "EX({},{}) 250");
}

#[test]
fn non_querier_ignores_done() {
    let mut lab = version_1();
    lab.report_v1(G)
        .query_v1(LOWER, Ipv6Addr::UNSPECIFIED, 10_000)
        .at(10_000)
        .forget();
    lab.done(G).at(20_000);
    assert_eq!(lab.discards(), [DiscardReason::DoneAtNonQuerier]);
    assert_eq!(lab.state(), "EX({},{}) 240");
    assert!(lab.queries().is_empty());
}

#[test]
fn the_series_outlives_a_lost_election() {
    let mut lab = Lab::new(InterfaceConfig {
        version: 1,
        robustness: 3,
        ..config()
    });
    lab.report_v1(G).at(10_000).forget().done(G);
    lab.at(10_500)
        .query_v1(LOWER, Ipv6Addr::UNSPECIFIED, 10_000);
    assert!(!lab.router.is_querier());
    assert_eq!(lab.at(20_000).queries(), ["10 Q", "11 Q", "12 Q"]);
}

#[test]
fn version_2_is_unknown_to_a_version_1_router() {
    let mut lab = version_1();
    lab.record(TO_EX, &[]).record(ALLOW, &[1]).at(10_000);
    let unknown = DiscardReason::Version2Report;
    assert_eq!(lab.discards(), [unknown, unknown]);
    assert_eq!(lab.state(), "none");
    // A version 2 query counts in the election; its QRV and QQIC don't.
    lab.query(LOWER, general(7, 10));
    assert!(!lab.router.is_querier());
    assert_eq!(lab.router.robustness_variable(), 2);
    let mismatch = MldEvent::VersionMismatch {
        source: LOWER,
        version: 2,
    };
    assert!(lab.has(mismatch));
}

#[test]
fn the_listener_interval_of_version_1_knows_no_profile() {
    let mut lab = Lab::new(InterfaceConfig {
        version: 1,
        profile: dut_mld::Profile::Rfc9777,
        ..config()
    });
    lab.report_v1(G);
    assert_eq!(lab.state(), "EX({},{}) 260");
}

#[test]
fn an_unknown_group_takes_no_row_for_done_and_query() {
    let mut lab = version_1();
    lab.done(G).query_v1(HIGHER, G, 1_000).at(10_000);
    assert!(lab.rows().is_empty() && lab.queries().is_empty());
}
