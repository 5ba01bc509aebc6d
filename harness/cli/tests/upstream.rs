//! Proves that the cases of `mld/upstream` find a router that joins or prunes wrongly. The
//! reference speaks no PIM, so no seeded defect can run: recorded runs of a real router stand in,
//! with one fault each put into what it sent.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test"
)]

mod common;

use dut_device::Instant;
use harness_judge::Verdict;
use harness_run::JudgeError;
use harness_trace::{Direction, Frame, PointId, Record, Trace, read_capture};
use harness_wire::{Fields, Kind, build, decode, mac_text};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

const GROUP: &str = "ff1e::101";
const RP: &str = "2001:db8:22::22";
const S1: &str = "2001:db8:40::1";
const S2: &str = "2001:db8:40::2";

fn folder() -> PathBuf {
    common::root().join("corpus/judged/frr-upstream")
}

/// A recorded case, by the end of its id.
fn recorded(name: &str) -> Trace {
    let octets = std::fs::read(folder().join(format!("{name}.pcapng"))).unwrap();
    read_capture(&octets).unwrap()
}

/// The verdict on a trace into which a fault was put. Where it isn't decided when the recorded one
/// was, the run would have gone on; where the tester goes on because of what was taken away,
/// nothing more would have come.
fn verdict(trace: &Trace) -> Verdict {
    let mut trace = trace.clone();
    let end = trace.until + ms(100_000);
    for record in &mut trace.records {
        if let Record::Note { at, json } = record
            && json.starts_with("{\"done\"")
        {
            *at = end;
        }
    }
    trace.records.sort_by_key(Record::at);
    trace.until = end;
    match harness_run::judge_trace(&trace) {
        Ok(result) => result.verdict,
        Err(JudgeError::Contradiction { record, .. }) => {
            trace.records.drain(record..trace.records.len() - 1);
            harness_run::judge_trace(&trace).unwrap().verdict
        }
        Err(error) => panic!("{error}"),
    }
}

/// The group's lists in a Join/Prune of the device: (joined, pruned).
fn lists(frame: &Frame, group: &str) -> (Vec<Value>, Vec<Value>) {
    let decoded = decode(&frame.octets);
    let none = (Vec::new(), Vec::new());
    if decoded.kind != Kind::PimJoinPrune || frame.direction == Direction::Out {
        return none;
    }
    let groups = decoded.fields["groups"].as_array().unwrap();
    let list = |of: &Value, name: &str| of[name].as_array().unwrap().clone();
    let found = groups.iter().find(|one| one["group"] == group);
    found.map_or(none, |one| (list(one, "joined"), list(one, "pruned")))
}

fn joins(frame: &Frame) -> bool {
    !lists(frame, GROUP).0.is_empty()
}

fn prunes(frame: &Frame) -> bool {
    !lists(frame, GROUP).1.is_empty()
}

/// The nth of the tester's reports (version 1 and 2) and Dones, from 0.
fn told(trace: &Trace, nth: usize) -> Instant {
    let kinds = [Kind::MldReport, Kind::MldV1Report, Kind::MldDone];
    let own = trace.frames().map(|(_, frame)| frame).filter(|frame| {
        frame.direction == Direction::Out && kinds.contains(&decode(&frame.octets).kind)
    });
    own.map(|frame| frame.at).nth(nth).unwrap()
}

/// The trace without the device's frames that are so, and these.
fn without(trace: &Trace, is_so: impl Fn(&Frame) -> bool) -> (Trace, Vec<Frame>) {
    let mut rest = trace.clone();
    let mut taken = Vec::new();
    rest.records.retain(|record| match record {
        Record::Frame(frame) if is_so(frame) => {
            taken.push(frame.clone());
            false
        }
        Record::Frame(_) | Record::Note { .. } => true,
    });
    assert!(!taken.is_empty(), "the recorded router sent none such");
    (rest, taken)
}

fn with(trace: &Trace, frame: Frame) -> Trace {
    let mut trace = trace.clone();
    let at = trace
        .records
        .partition_point(|record| record.at() <= frame.at);
    trace.until = trace.until.max(frame.at);
    trace.records.insert(at, Record::Frame(frame));
    trace
}

/// The same frames at another time.
fn moved(trace: &Trace, is_so: impl Fn(&Frame) -> bool, to: Instant) -> Trace {
    let (rest, taken) = without(trace, is_so);
    taken
        .into_iter()
        .fold(rest, |trace, frame| with(&trace, Frame { at: to, ..frame }))
}

/// A Join/Prune as the recorded router would send it, with one group.
fn message(trace: &Trace, at: Instant, group: &Value, fields: &Value) -> Frame {
    let hello = trace.frames().map(|(_, frame)| frame).find(|frame| {
        frame.direction == Direction::In && decode(&frame.octets).kind == Kind::PimHello
    });
    let hello = hello.unwrap();
    let mut given: Fields = fields.as_object().unwrap().clone().into_iter().collect();
    let source = decode(&hello.octets).fields["ipv6.source"].clone();
    given.insert("ipv6.source".to_owned(), source);
    given.insert(
        "ether.source".to_owned(),
        mac_text(&hello.octets[6..12]).into(),
    );
    given
        .entry("upstream_neighbor".to_owned())
        .or_insert_with(|| "fe80::a1".into());
    given.insert("groups".to_owned(), json!([group]));
    Frame {
        at,
        point: PointId(hello.point.0),
        direction: Direction::In,
        lost: false,
        octets: build(Kind::PimJoinPrune, &given).unwrap(),
    }
}

fn shared() -> Value {
    json!({"source": RP, "wildcard": 1, "rpt": 1})
}

/// The recorded first Join for the group, made anew with other contents.
fn other_join(trace: &Trace, group: &Value, fields: &Value) -> Trace {
    let (rest, taken) = without(trace, joins);
    let frame = message(&rest, taken[0].at, group, fields);
    with(&rest, frame)
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Proves that what was recorded is what the suite asks today, and that the recorded verdict, which
/// the name of each capture's folder tells, can be recomputed.
#[test]
fn the_recorded_cases_are_those_of_the_suite() {
    let catalogue = harness_suite::load(&common::root().join("suites")).unwrap();
    let mut seen = 0;
    for file in common::files(&folder()) {
        let Some(name) = file.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        let Some(name) = name.strip_suffix(".pcapng") else {
            continue;
        };
        let result = harness_run::judge_trace(&recorded(name)).unwrap();
        let now = catalogue
            .cases
            .iter()
            .find(|case| case.id == result.case.id);
        let now = now.unwrap_or_else(|| panic!("{} is no case any more", result.case.id));
        assert_eq!(now.steps, result.case.steps, "{name}: record it anew");
        let fails = name.ends_with("-time") || name.ends_with("-expiry");
        let wanted = if fails { Verdict::Fail } else { Verdict::Pass };
        assert_eq!(result.verdict, wanted, "{name}");
        seen += 1;
    }
    assert!(seen >= 12, "{seen} captures");
}

/// Proves that a router that doesn't join, or not when a listener asks, fails.
#[test]
fn a_wrong_join_fails() {
    for name in [
        "join",
        "join-source",
        "version-1",
        "non-querier",
        "refused-checksum",
        "scope",
    ] {
        let silent = without(&recorded(name), joins).0;
        assert_eq!(verdict(&silent), Verdict::Fail, "{name}: no Join");
    }
    let join = recorded("join");
    let late = told(&join, 0) + ms(1_400);
    assert_eq!(verdict(&moved(&join, joins, late)), Verdict::Fail, "late");
    let early = join.frames().find(|(_, frame)| {
        frame.direction == Direction::Out && decode(&frame.octets).kind == Kind::PimHello
    });
    let early = early.unwrap().1.at + ms(1_000);
    assert!(early < told(&join, 0));
    assert_eq!(
        verdict(&moved(&join, joins, early)),
        Verdict::Fail,
        "before the report"
    );
}

/// Proves that a Join to another neighbor, by another tree, or that isn't whole fails.
#[test]
fn a_join_of_other_contents_fails() {
    let join = recorded("join");
    let group = |joined: &Value| json!({"group": GROUP, "joined": [joined]});
    let right = other_join(&join, &group(&shared()), &json!({}));
    assert_eq!(verdict(&right), Verdict::Pass, "made anew as it was");
    for (what, joined, fields) in [
        (
            "to another neighbor",
            shared(),
            json!({"upstream_neighbor": "fe80::a9"}),
        ),
        (
            "a wrong checksum",
            shared(),
            json!({"pim.checksum": "wrong"}),
        ),
        (
            "to the wrong address",
            shared(),
            json!({"ipv6.destination": "ff02::1"}),
        ),
        (
            "another rendezvous point",
            json!({"source": S1, "wildcard": 1, "rpt": 1}),
            json!({}),
        ),
        (
            "without the WC bit",
            json!({"source": RP, "rpt": 1}),
            json!({}),
        ),
        (
            "without the RPT bit",
            json!({"source": RP, "wildcard": 1}),
            json!({}),
        ),
        (
            "without the S bit",
            json!({"source": RP, "wildcard": 1, "rpt": 1, "sparse": 0}),
            json!({}),
        ),
    ] {
        let wrong = other_join(&join, &group(&joined), &fields);
        assert_eq!(verdict(&wrong), Verdict::Fail, "{what}");
    }
    let source = recorded("join-source");
    let wrong = other_join(&source, &group(&shared()), &json!({}));
    assert_eq!(
        verdict(&wrong),
        Verdict::Fail,
        "the group's tree for a source"
    );
    let both = message(
        &source,
        told(&source, 1) + ms(500),
        &group(&shared()),
        &json!({}),
    );
    assert_eq!(
        verdict(&with(&source, both)),
        Verdict::Fail,
        "the group's tree, too"
    );
}

/// Proves that a prune that comes with the leave, in spite of an answer or another listener, for
/// the wrong source, or not at all fails.
#[test]
fn a_wrong_prune_fails() {
    for (name, leave) in [
        ("leave", 1),
        ("block", 1),
        ("version-1", 1),
        ("to-include", 2),
    ] {
        let trace = recorded(name);
        let at = told(&trace, leave);
        let hasty = moved(&trace, prunes, at + ms(1));
        assert_eq!(verdict(&hasty), Verdict::Fail, "{name}: with the leave");
        let halfway = moved(&trace, prunes, at + ms(1_500));
        assert_eq!(
            verdict(&halfway),
            Verdict::Fail,
            "{name}: after half of the time"
        );
        let never = without(&trace, prunes).0;
        assert_eq!(verdict(&never), Verdict::Fail, "{name}: never");
    }
    let prune = |source: &Value| json!({"group": GROUP, "pruned": [source]});
    let answered = recorded("answered");
    let at = told(&answered, 1) + ms(2_001);
    let anyway = message(&answered, at, &prune(&shared()), &json!({}));
    assert_eq!(
        verdict(&with(&answered, anyway)),
        Verdict::Fail,
        "in spite of the answer"
    );
    let links = recorded("two-links");
    let at = told(&links, 2) + ms(2_001);
    let anyway = message(&links, at, &prune(&shared()), &json!({}));
    assert_eq!(
        verdict(&with(&links, anyway)),
        Verdict::Fail,
        "in spite of the other link"
    );
    let never = without(&links, prunes).0;
    assert_eq!(
        verdict(&never),
        Verdict::Fail,
        "when the other link leaves, too"
    );
    let block = recorded("block");
    let (_, taken) = without(&block, prunes);
    let too_much = message(
        &block,
        taken[0].at + ms(1),
        &prune(&json!({"source": S2})),
        &json!({}),
    );
    assert_eq!(
        verdict(&with(&block, too_much)),
        Verdict::Fail,
        "the other source, too"
    );
    let include = recorded("to-include");
    let (_, taken) = without(&include, prunes);
    let too_much = message(
        &include,
        taken[0].at + ms(1),
        &prune(&json!({"source": S1})),
        &json!({}),
    );
    assert_eq!(
        verdict(&with(&include, too_much)),
        Verdict::Fail,
        "the source that is wanted"
    );
}

/// Proves that a join for what has to be refused fails.
#[test]
fn a_join_for_nothing_fails() {
    for name in ["refused-hop-limit", "refused-source", "refused-checksum"] {
        let trace = recorded(name);
        let group = json!({"group": GROUP, "joined": [shared()]});
        let wrong = message(&trace, told(&trace, 0) + ms(1), &group, &json!({}));
        assert_eq!(verdict(&with(&trace, wrong)), Verdict::Fail, "{name}");
    }
    let trace = recorded("scope");
    let group = json!({"group": "ff02::101", "joined": [shared()]});
    let wrong = message(&trace, told(&trace, 0) + ms(1), &group, &json!({}));
    assert_eq!(
        verdict(&with(&trace, wrong)),
        Verdict::Fail,
        "a link-local group"
    );
}

/// Proves that the cases which the recorded router fails are passed by one that prunes in time.
#[test]
fn a_prune_in_time_passes() {
    for name in ["leave-time", "block-time", "version-1-time"] {
        let trace = recorded(name);
        let prune = match name {
            "block-time" => json!({"source": S1}),
            _ => shared(),
        };
        let group = json!({"group": GROUP, "pruned": [prune]});
        let right = |after: u64| {
            let at = told(&trace, 1) + ms(after);
            verdict(&with(&trace, message(&trace, at, &group, &json!({}))))
        };
        assert_eq!(right(2_001), Verdict::Pass, "{name}");
        assert_eq!(right(1_500), Verdict::Fail, "{name}: too early");
    }
    // MALI of the bed: 2 * 20 s + 3 s.
    for (name, last) in [("source-expiry", 1), ("filter-expiry", 0)] {
        let trace = recorded(name);
        let right = moved(&trace, prunes, told(&trace, last) + ms(43_001));
        assert_eq!(verdict(&right), Verdict::Pass, "{name}");
        let late = moved(&trace, prunes, told(&trace, last) + ms(45_500));
        assert_eq!(verdict(&late), Verdict::Fail, "{name}: too late");
    }
}
