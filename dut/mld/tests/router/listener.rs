//! The router as a listener of its own groups (RFC 3810 6; RFC 2710 4).

use crate::lab::G;
use crate::lab::*;
use dut_mld::InterfaceConfig;
use dut_wire::mld::{
    ALL_MLDV2_ROUTERS, MaximumResponseCode, Message, QueryV2, Record, RecordType, Report,
};
use std::net::Ipv6Addr;

/// ff02::2, ff02::d, ff02::16 and the solicited-node group of fe80::2.
fn own() -> [Ipv6Addr; 4] {
    ["ff02::2", "ff02::d", "ff02::16", "ff02::1:ff00:2"].map(addr)
}

fn all(record_type: RecordType) -> Message {
    let records = own()
        .iter()
        .map(|group| record(record_type, *group, &[]))
        .collect();
    Message::Report(Report { records })
}

fn one(record: Record) -> Message {
    Message::Report(Report {
        records: vec![record],
    })
}

/// A router whose unsolicited reports are over.
fn settled() -> Lab {
    let mut lab = Lab::new(config());
    lab.at(10_000).forget();
    lab
}

#[test]
fn reports_its_groups_when_it_starts() {
    let mut lab = Lab::new(config());
    lab.at(30_000);
    let expected = [("0", all(TO_EX)), ("0.5", all(TO_EX))];
    let expected = expected.map(|(at, message)| (at.to_owned(), ALL_MLDV2_ROUTERS, message));
    assert_eq!(lab.own_reports(), expected);
}

#[test]
fn answers_a_general_query() {
    let mut lab = settled();
    lab.query(LOWER, general(2, 125)).at(20_000);
    // Within (0, MRD], MRD 1 s; ff02::16 is among them.
    assert_eq!(
        lab.own_reports(),
        [("10.5".to_owned(), ALL_MLDV2_ROUTERS, all(IS_EX))]
    );
}

#[test]
fn answers_specific_queries_for_its_groups_alone() {
    let mut lab = settled();
    lab.query(LOWER, query(ALL_MLDV2_ROUTERS, false, &[]))
        .query(LOWER, query(G, false, &[]));
    lab.at(11_000)
        .query(LOWER, query(ALL_MLDV2_ROUTERS, true, &[2, 1]))
        .at(20_000);
    let expected = [
        ("10.5", one(record(IS_EX, ALL_MLDV2_ROUTERS, &[]))),
        ("11.5", one(record(IS_IN, ALL_MLDV2_ROUTERS, &[1, 2]))),
    ];
    let expected = expected.map(|(at, message)| (at.to_owned(), ALL_MLDV2_ROUTERS, message));
    assert_eq!(lab.own_reports(), expected);
}

#[test]
fn pending_answers_merge() {
    let slow = |sources: &[u16]| QueryV2 {
        maximum_response_code: MaximumResponseCode(3000),
        ..query(ALL_MLDV2_ROUTERS, false, sources)
    };
    // Two source lists become one report.
    let mut lab = settled();
    lab.query(LOWER, slow(&[1]))
        .at(10_100)
        .query(LOWER, slow(&[2]))
        .at(20_000);
    let both = one(record(IS_IN, ALL_MLDV2_ROUTERS, &[1, 2]));
    assert_eq!(
        lab.own_reports(),
        [("11.5".to_owned(), ALL_MLDV2_ROUTERS, both)]
    );
    // A list and a query for everything become the whole state, at the earlier time.
    let mut lab = settled();
    lab.query(LOWER, slow(&[1]))
        .query(LOWER, query(ALL_MLDV2_ROUTERS, false, &[]))
        .at(20_000);
    let whole = one(record(IS_EX, ALL_MLDV2_ROUTERS, &[]));
    assert_eq!(
        lab.own_reports(),
        [("10.5".to_owned(), ALL_MLDV2_ROUTERS, whole)]
    );
    // A general answer that comes sooner covers a specific query.
    let mut lab = settled();
    lab.query(LOWER, general(2, 125))
        .query(LOWER, slow(&[1]))
        .at(20_000);
    assert_eq!(
        lab.own_reports(),
        [("10.5".to_owned(), ALL_MLDV2_ROUTERS, all(IS_EX))]
    );
}

#[test]
fn answers_a_version_1_querier_in_version_1() {
    let mut lab = settled();
    lab.query_v1(LOWER, Ipv6Addr::UNSPECIFIED, 1_000).at(12_000);
    let expected = own().map(|group| ("10.5".to_owned(), group, Message::ReportV1 { group }));
    assert_eq!(lab.own_reports(), expected);
    // Older Version Querier Present: 2 * 125 s + 1 s after the last version 1 query.
    lab.at(260_000)
        .forget()
        .query(LOWER, general(2, 125))
        .at(260_600);
    assert_eq!(lab.own_reports().len(), 4);
    lab.at(261_000)
        .forget()
        .query(LOWER, general(2, 125))
        .at(262_000);
    assert_eq!(
        lab.own_reports(),
        [("261.5".to_owned(), ALL_MLDV2_ROUTERS, all(IS_EX))]
    );
}

#[test]
fn another_version_1_report_is_enough() {
    let mut lab = settled();
    lab.query_v1(LOWER, Ipv6Addr::UNSPECIFIED, 1_000)
        .report_v1(ALL_MLDV2_ROUTERS)
        .at(12_000);
    let groups: Vec<Ipv6Addr> = lab.own_reports().into_iter().map(|(_, to, _)| to).collect();
    assert_eq!(groups, ["ff02::2", "ff02::d", "ff02::1:ff00:2"].map(addr));
}

#[test]
fn a_version_1_router_reports_in_version_1() {
    let mut lab = Lab::new(InterfaceConfig {
        version: 1,
        listener_groups: vec![ALL_MLDV2_ROUTERS, addr("ff02::1"), addr("ff01::7")],
        ..config()
    });
    lab.at(30_000);
    let group = ALL_MLDV2_ROUTERS;
    let expected = ["0", "5"].map(|at| (at.to_owned(), group, Message::ReportV1 { group }));
    assert_eq!(lab.own_reports(), expected);
}

#[test]
fn a_delay_of_nothing_is_answered_soon() {
    let mut lab = settled();
    let now = QueryV2 {
        maximum_response_code: MaximumResponseCode(0),
        ..general(2, 125)
    };
    lab.query(LOWER, now).at(20_000);
    assert_eq!(
        lab.own_reports(),
        [("10.01".to_owned(), ALL_MLDV2_ROUTERS, all(IS_EX))]
    );
}
