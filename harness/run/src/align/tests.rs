//! Which frames are laid beside which.

use super::*;

fn at(times_ms: &[u64]) -> Vec<(usize, Instant)> {
    let at = |(n, ms): (usize, &u64)| (n, Instant::from_millis(*ms));
    times_ms.iter().enumerate().map(at).collect()
}

fn paired(left: &[u64], right: &[u64]) -> Vec<(Option<usize>, Option<usize>)> {
    let pairs = pair(&at(left), &at(right)).into_iter();
    pairs
        .map(|(a, b)| (a.map(|a| a.0), b.map(|b| b.0)))
        .collect()
}

#[test]
fn frames_of_one_time_are_a_pair_and_strangers_stand_alone() {
    let pairs = paired(&[1000, 2000, 30_000], &[1001, 1900, 20_000, 30_400]);
    let wanted = [
        (Some(0), Some(0)),
        (Some(1), Some(1)),
        (None, Some(2)),
        (Some(2), Some(3)),
    ];
    assert_eq!(pairs, wanted);
}

#[test]
fn of_two_near_ones_the_nearer_is_taken() {
    let pairs = paired(&[5000], &[3500, 4990, 6000]);
    assert_eq!(
        pairs,
        [(None, Some(0)), (Some(0), Some(1)), (None, Some(2))]
    );
}

#[test]
fn nothing_beside_nothing() {
    assert_eq!(paired(&[], &[]), []);
    assert_eq!(paired(&[7], &[]), [(Some(0), None)]);
    assert_eq!(paired(&[7], &[9000]), [(Some(0), None), (None, Some(0))]);
}

#[test]
fn long_sequences_are_paired_with_neighbours() {
    let pairs = neighbours(&at(&[1000, 20_000]), &at(&[1500, 9000, 20_100]));
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(a, b)| (a.is_some(), b.is_some()))
        .collect();
    assert_eq!(pairs, [(true, true), (false, true), (true, true)]);
}

#[test]
fn only_what_differs_is_told_and_state_bits_once() {
    let build = |state: u8| {
        let fields = serde_json::json!({"actor.state": state});
        let fields = serde_json::from_value(fields).unwrap();
        harness_wire::build(Kind::Lacpdu, &fields).unwrap()
    };
    let differences = differences(&build(0x3d), &build(0x05));
    assert_eq!(differences.len(), 1, "{differences:?}");
    let [difference] = differences.as_slice() else {
        return;
    };
    assert_eq!(difference.field, "actor.state");
    assert_eq!(difference.seen, "0x05 (lacp_activity+aggregation)");
}
