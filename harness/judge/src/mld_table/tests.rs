//! One test a row of RFC 3810 7.4.1, 7.4.2, 7.2.3 and 8.3.2, expected values from the document:
//! default variables, so MALI is 260 s and LLQT 2 s. A record arrives at 100 s unless a test says
//! so.

use super::*;

const G: Ipv6Addr = Ipv6Addr::new(0xff1e, 0, 0, 0, 0, 0, 0, 0x55);

fn s(n: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, n)
}

fn set(list: &[u16]) -> BTreeSet<Ipv6Addr> {
    list.iter().map(|n| s(*n)).collect()
}

fn at(seconds: u64) -> Instant {
    Instant::from_secs(seconds)
}

/// A record: filter timer's end (`None`: INCLUDE), (requested source, end), excluded sources.
fn record(filter: Option<u64>, requested: &[(u16, u64)], excluded: &[u16]) -> Record {
    Record {
        filter: filter.map(at),
        requested: requested.iter().map(|(n, t)| (s(*n), at(*t))).collect(),
        excluded: set(excluded),
        version_1: None,
    }
}

/// What becomes of `before` when a record comes in at 100 s.
fn after(before: Option<Record>, kind: u8, sources: &[u16]) -> Option<Record> {
    let mut table = MldTable::new(MldConstants::of(&Scope::new()));
    if let Some(before) = before {
        table.groups.insert(G, before);
    }
    table.record(at(100), kind, G, &set(sources));
    table.groups.remove(&G)
}

fn include(requested: &[(u16, u64)]) -> Record {
    record(None, requested, &[])
}

const IS_IN: u8 = 1;
const IS_EX: u8 = 2;
const TO_IN: u8 = 3;
const TO_EX: u8 = 4;
const ALLOW: u8 = 5;
const BLOCK: u8 = 6;

#[test]
fn the_defaults_are_the_documents() {
    let constants = MldConstants::of(&Scope::new());
    assert_eq!(constants.listening_interval, Duration::from_secs(260));
    assert_eq!(constants.last_listener_query_time, Duration::from_secs(2));
    assert_eq!(
        constants.older_version_host_present,
        Duration::from_secs(260)
    );
    assert_eq!(constants.other_querier_present, Duration::from_secs(255));
    let fast = [
        ("query_interval", Quantity::Time(20_000_000_000)),
        ("query_response_interval", Quantity::Time(3_000_000_000)),
        ("robustness", Quantity::Number(3_000_000)),
    ];
    let scope = fast.into_iter().map(|(n, v)| (n.to_owned(), v)).collect();
    let constants = MldConstants::of(&scope);
    assert_eq!(constants.listening_interval, Duration::from_secs(63));
    assert_eq!(constants.last_listener_query_time, Duration::from_secs(3));
}

#[test]
fn include_is_in_joins_the_lists() {
    let before = include(&[(1, 150), (2, 150)]);
    let wanted = include(&[(1, 150), (2, 360), (3, 360)]);
    assert_eq!(after(Some(before), IS_IN, &[2, 3]), Some(wanted));
}

#[test]
fn include_is_ex_excludes_what_was_not_known() {
    let before = include(&[(1, 150), (2, 150)]);
    let wanted = record(Some(360), &[(2, 150)], &[3]);
    assert_eq!(after(Some(before), IS_EX, &[2, 3]), Some(wanted));
}

#[test]
fn exclude_is_in_requests_them() {
    let before = record(Some(200), &[(1, 150)], &[2]);
    let wanted = record(Some(200), &[(1, 150), (2, 360), (3, 360)], &[]);
    assert_eq!(after(Some(before), IS_IN, &[2, 3]), Some(wanted));
}

#[test]
fn exclude_is_ex_gives_new_sources_the_listening_interval() {
    // EX({1},{2}) + IS_EX{2,3} is EX({3},{2}), source 3 at MALI and source 1 deleted.
    let before = record(Some(200), &[(1, 150)], &[2]);
    let wanted = record(Some(360), &[(3, 360)], &[2]);
    assert_eq!(after(Some(before), IS_EX, &[2, 3]), Some(wanted));
    // EX({},{1,2}) + IS_EX{2,3} is EX({3},{2}).
    let before = record(Some(200), &[], &[1, 2]);
    let wanted = record(Some(360), &[(3, 360)], &[2]);
    assert_eq!(after(Some(before), IS_EX, &[2, 3]), Some(wanted));
}

#[test]
fn include_allow_joins_the_lists() {
    let wanted = include(&[(1, 150), (2, 360)]);
    assert_eq!(after(Some(include(&[(1, 150)])), ALLOW, &[2]), Some(wanted));
    assert_eq!(after(None, ALLOW, &[1]), Some(include(&[(1, 360)])));
}

#[test]
fn include_block_asks_about_what_is_known() {
    let before = include(&[(1, 150), (2, 150)]);
    let wanted = include(&[(1, 150), (2, 102)]);
    assert_eq!(after(Some(before), BLOCK, &[2, 9]), Some(wanted));
    // IN{1} + BLOCK{9}: no query, nothing changes.
    let before = include(&[(1, 150)]);
    assert_eq!(after(Some(before.clone()), BLOCK, &[9]), Some(before));
    assert_eq!(after(None, BLOCK, &[1]), None);
}

#[test]
fn include_to_ex_asks_about_both_lists_common_sources() {
    // IN{1,2} + TO_EX{2,3} is EX({2},{3}), source 1 deleted, Q(G,{2}).
    let before = include(&[(1, 150), (2, 150)]);
    let wanted = record(Some(360), &[(2, 102)], &[3]);
    assert_eq!(after(Some(before), TO_EX, &[2, 3]), Some(wanted));
    // Nothing + TO_EX{} is EX({},{}).
    assert_eq!(after(None, TO_EX, &[]), Some(record(Some(360), &[], &[])));
}

#[test]
fn include_to_in_asks_about_what_is_not_listed() {
    // IN{1,2} + TO_IN{2,3} is IN{1,2,3}, Q(G,{1}).
    let before = include(&[(1, 150), (2, 150)]);
    let wanted = include(&[(1, 102), (2, 360), (3, 360)]);
    assert_eq!(after(Some(before), TO_IN, &[2, 3]), Some(wanted));
}

#[test]
fn exclude_allow_requests_them() {
    // EX({},{1}) + ALLOW{1} is EX({1},{}), source 1 at MALI.
    let before = record(Some(200), &[], &[1]);
    let wanted = record(Some(200), &[(1, 360)], &[]);
    assert_eq!(after(Some(before), ALLOW, &[1]), Some(wanted));
}

#[test]
fn exclude_block_gives_new_sources_the_filter_timer_and_asks() {
    // EX({},{}) + BLOCK{1} is EX({1},{}), Q(G,{1}); the filter timer's rest is above LLQT.
    let before = record(Some(200), &[], &[]);
    let wanted = record(Some(200), &[(1, 102)], &[]);
    assert_eq!(after(Some(before), BLOCK, &[1]), Some(wanted));
    // With less than LLQT left on the filter timer it is the filter timer that source 1 gets.
    let before = record(Some(101), &[], &[]);
    let wanted = record(Some(101), &[(1, 101)], &[]);
    assert_eq!(after(Some(before), BLOCK, &[1]), Some(wanted));
    // EX({1},{2}) + BLOCK{2}: A-Y is empty, no query.
    let before = record(Some(200), &[(1, 150)], &[2]);
    assert_eq!(after(Some(before.clone()), BLOCK, &[2]), Some(before));
}

#[test]
fn exclude_to_ex_gives_new_sources_the_old_filter_timer() {
    let before = record(Some(101), &[(1, 150), (4, 150)], &[2, 5]);
    let wanted = record(Some(360), &[(3, 101), (4, 102)], &[2]);
    assert_eq!(after(Some(before), TO_EX, &[2, 3, 4]), Some(wanted));
}

#[test]
fn exclude_to_in_asks_about_the_group_and_what_is_not_listed() {
    // EX({1,2},{3}) + TO_IN{2,3} is EX({1,2,3},{}), Q(G,{1}), Q(G).
    let before = record(Some(200), &[(1, 150), (2, 150)], &[3]);
    let wanted = record(Some(102), &[(1, 102), (2, 360), (3, 360)], &[]);
    assert_eq!(after(Some(before), TO_IN, &[2, 3]), Some(wanted));
}

#[test]
fn an_include_source_ends_and_the_last_takes_the_record_along() {
    let mut table = MldTable::new(MldConstants::of(&Scope::new()));
    table.groups.insert(G, include(&[(1, 150), (2, 160)]));
    assert_eq!(table.next(), Some(at(150)));
    assert!(table.expire(at(149)).is_empty());
    assert_eq!(table.expire(at(150)), [G]);
    assert_eq!(table.groups.get(&G), Some(&include(&[(2, 160)])));
    table.expire(at(160));
    assert_eq!(table.groups.get(&G), None);
}

#[test]
fn an_exclude_source_ends_and_is_excluded() {
    let mut table = MldTable::new(MldConstants::of(&Scope::new()));
    table.groups.insert(G, record(Some(200), &[(1, 150)], &[2]));
    table.expire(at(150));
    assert_eq!(table.groups.get(&G), Some(&record(Some(200), &[], &[1, 2])));
}

#[test]
fn the_filter_timer_ends_and_leaves_what_is_requested() {
    let mut table = MldTable::new(MldConstants::of(&Scope::new()));
    table.groups.insert(G, record(Some(200), &[(1, 250)], &[2]));
    table.expire(at(200));
    assert_eq!(table.groups.get(&G), Some(&include(&[(1, 250)])));
    table.groups.insert(G, record(Some(300), &[], &[2]));
    table.expire(at(300));
    assert_eq!(table.groups.get(&G), None);
}

#[test]
fn version_1_listeners_keep_block_and_to_ex_sources_out() {
    let mut table = MldTable::new(MldConstants::of(&Scope::new()));
    table.report_1(at(100), G);
    let with_version_1 = |record: Record| Record {
        version_1: Some(at(360)),
        ..record
    };
    let joined = with_version_1(record(Some(360), &[], &[]));
    assert_eq!(table.groups.get(&G), Some(&joined));
    table.record(at(110), BLOCK, G, &set(&[1]));
    assert_eq!(table.groups.get(&G), Some(&joined));
    table.record(at(110), TO_EX, G, &set(&[1]));
    let refreshed = with_version_1(record(Some(370), &[], &[]));
    assert_eq!(table.groups.get(&G), Some(&refreshed));
    // A done is TO_IN ({}).
    table.done(at(120), G);
    let leaving = with_version_1(record(Some(122), &[], &[]));
    assert_eq!(table.groups.get(&G), Some(&leaving));
    // The compatibility timer ends by itself.
    table.record(at(121), IS_EX, G, &set(&[]));
    table.expire(at(360));
    let version_2 = record(Some(381), &[], &[]);
    assert_eq!(table.groups.get(&G), Some(&version_2));
}

#[test]
fn a_query_lowers_only_without_the_s_flag() {
    let mut table = MldTable::new(MldConstants::of(&Scope::new()));
    table.groups.insert(G, record(Some(300), &[(1, 300)], &[]));
    let mut message = vec![130, 0, 0, 0, 0x03, 0xe8, 0, 0];
    message.extend(G.octets());
    message.extend([0x0a, 125, 0, 0]);
    let view = |message: &[u8]| MldView::of(message).map(|view| view.octets().to_vec());
    assert_eq!(view(&message), Some(message.clone()));
    table.query(at(100), &MldView::of(&message).unwrap(), false);
    assert_eq!(
        table.groups.get(&G),
        Some(&record(Some(300), &[(1, 300)], &[]))
    );
    message[24] = 0x02;
    table.query(at(100), &MldView::of(&message).unwrap(), false);
    assert_eq!(
        table.groups.get(&G),
        Some(&record(Some(102), &[(1, 300)], &[]))
    );
    message[27] = 1;
    message.extend(s(1).octets());
    table.query(at(101), &MldView::of(&message).unwrap(), false);
    assert_eq!(
        table.groups.get(&G),
        Some(&record(Some(102), &[(1, 103)], &[]))
    );
}

#[test]
fn a_non_querier_lowers_nothing_on_a_record() {
    let mut table = MldTable::new(MldConstants::of(&Scope::new()));
    table.groups.insert(G, record(Some(300), &[], &[]));
    let mut general = vec![130, 0, 0, 0, 0x27, 0x10, 0, 0];
    general.extend([0; 16]);
    general.extend([0x02, 125, 0, 0]);
    table.query(at(90), &MldView::of(&general).unwrap(), true);
    table.record(at(100), TO_IN, G, &set(&[]));
    assert_eq!(table.groups.get(&G), Some(&record(Some(300), &[], &[])));
    // The other querier has been silent for 255 s.
    table.groups.insert(G, record(Some(600), &[], &[]));
    table.record(at(346), TO_IN, G, &set(&[]));
    assert_eq!(table.groups.get(&G), Some(&record(Some(348), &[], &[])));
}

#[test]
fn link_scope_groups_and_unknown_types_make_no_record() {
    let mut table = MldTable::new(MldConstants::of(&Scope::new()));
    table.record(at(100), TO_EX, "ff02::16".parse().unwrap(), &set(&[]));
    table.record(at(100), TO_EX, "ff01::1".parse().unwrap(), &set(&[]));
    table.record(at(100), 7, G, &set(&[1]));
    assert!(table.groups.is_empty());
}

#[test]
fn source_specific_groups_have_no_exclude_and_no_version_1() {
    let group: Ipv6Addr = "ff3e::1234".parse().unwrap();
    let mut table = MldTable::new(MldConstants::of(&Scope::new()));
    table.record(at(100), TO_EX, group, &set(&[]));
    table.record(at(100), IS_EX, group, &set(&[1]));
    table.report_1(at(100), group);
    assert!(table.groups.is_empty());
    table.record(at(100), ALLOW, group, &set(&[1]));
    table.done(at(101), group);
    assert_eq!(table.groups.get(&group), Some(&include(&[(1, 360)])));
    // ff3e:1::/32 is no longer in the range: the 16 bits after the scope are not zero.
    let other: Ipv6Addr = "ff3e:1::1234".parse().unwrap();
    table.record(at(100), TO_EX, other, &set(&[]));
    assert!(table.groups.contains_key(&other));
}
