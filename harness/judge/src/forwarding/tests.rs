//! Both forwarding, one forwarding twice, a split, and numbers that begin again.

use super::*;

fn names() -> [String; 2] {
    ["DeviceA".to_owned(), "DeviceB".to_owned()]
}

fn packet(number: u64) -> Packet {
    Packet {
        source: "2001:db8:40::100".parse().unwrap(),
        group: "ff1e::1".parse().unwrap(),
        number,
    }
}

fn at(ms: u64) -> (usize, Instant) {
    (usize::try_from(ms).unwrap(), Instant::from_millis(ms))
}

#[test]
fn one_device_forwards_and_the_other_takes_over() {
    let mut forwarding = Forwarding::default();
    forwarding.sent(at(0), 0, packet(1), &names());
    forwarding.sent(at(5), 0, packet(2), &names());
    forwarding.sent(at(40), 1, packet(9), &names());
    forwarding.advance(Instant::from_secs(9));
    assert_eq!((forwarding.premises, forwarding.broken), (3, None));
}

#[test]
fn both_forwarding_one_packet_is_a_break() {
    let mut forwarding = Forwarding::default();
    forwarding.sent(at(0), 0, packet(1), &names());
    forwarding.sent(at(1), 1, packet(1), &names());
    assert_eq!(forwarding.broken, None, "a split may have begun");
    forwarding.advance(Instant::from_millis(100));
    let finding = forwarding.broken.unwrap();
    assert_eq!(
        finding.what,
        "packet 1 of (2001:db8:40::100, ff1e::1) is forwarded by DeviceA and DeviceB, 1000 us apart"
    );
    assert_eq!(finding.record, Some(1));
}

#[test]
fn one_device_forwarding_twice_is_a_break() {
    let mut forwarding = Forwarding::default();
    forwarding.sent(at(0), 1, packet(1), &names());
    forwarding.sent(at(3), 1, packet(1), &names());
    forwarding.sent(at(100), 1, packet(2), &names());
    assert!(forwarding.broken.unwrap().what.contains("DeviceB twice"));
}

#[test]
fn in_a_split_packets_may_come_twice() {
    let mut forwarding = Forwarding::default();
    forwarding.sent(at(0), 0, packet(1), &names());
    forwarding.sent(at(1), 1, packet(1), &names());
    forwarding.split(Instant::from_millis(25), true);
    forwarding.sent(at(30), 0, packet(2), &names());
    forwarding.sent(at(31), 1, packet(2), &names());
    forwarding.split(Instant::from_millis(500), false);
    forwarding.advance(Instant::from_millis(900));
    assert_eq!(forwarding.broken, None);
    // After it they may not.
    forwarding.sent(at(900), 0, packet(3), &names());
    forwarding.sent(at(901), 1, packet(3), &names());
    forwarding.advance(Instant::from_millis(1000));
    assert!(forwarding.broken.is_some());
}

#[test]
fn a_stream_that_begins_again_is_no_duplicate() {
    let mut forwarding = Forwarding::default();
    forwarding.sent(at(0), 0, packet(1), &names());
    forwarding.sent(at(60_000), 0, packet(1), &names());
    forwarding.advance(Instant::from_secs(90));
    assert_eq!(forwarding.broken, None);
}
