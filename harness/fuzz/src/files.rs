//! What reads files: configurations, captures, cases, and the judge of captures.
//!
//! Each function takes any octets and panics on a finding: a panic, a hang or memory without bound
//! of the reader, or two readings that differ.

use crate::beds;
use dut_device::{BuildSpec, MacAddr};
use harness_run::judge_trace;
use harness_suite::{SuiteFile, expand};
use harness_trace::{Record, read_capture, to_pcapng};
use std::collections::BTreeMap;

/// A VRP-style configuration file: it loads and a node is built from it, or every mistake is named
/// with a place in the file.
pub fn configuration(octets: &[u8]) {
    let Ok(text) = std::str::from_utf8(octets) else {
        return;
    };
    let files = [("fuzz.cfg".to_owned(), text.to_owned())];
    match dut_vrp::parse(&files) {
        Ok(loaded) => {
            let again = dut_vrp::parse(&files);
            assert!(
                again.is_ok_and(|again| again.config == loaded.config),
                "a configuration loads differently the second time"
            );
            let spec = BuildSpec::of_file("fuzz.cfg", text, MacAddr([0, 0xe0, 0xfc, 0, 0, 1]));
            if let Err(error) = dut_node::build(&spec) {
                panic!("a configuration that loads can't be built: {error}");
            }
        }
        Err(mistakes) => {
            assert!(!mistakes.is_empty(), "a refusal without a reason");
            let lines = text.lines().count().max(1);
            for mistake in &mistakes {
                assert!(mistake.line <= lines, "line {} of {lines}", mistake.line);
            }
            let shown = dut_vrp::render(&mistakes, &files, false);
            assert!(!shown.is_empty(), "a mistake that can't be shown");
        }
    }
}

/// A pcap or pcapng file: what is read, written and read again is the same.
pub fn capture(octets: &[u8]) {
    let Ok(trace) = read_capture(octets) else {
        return;
    };
    for record in &trace.records {
        if let Record::Frame(frame) = record {
            let points = trace.points.len();
            assert!(usize::from(frame.point.0) < points, "a frame at no point");
        }
    }
    let written = to_pcapng(&trace, "fuzz", &BTreeMap::new());
    let again = match read_capture(&written) {
        Ok(again) => again,
        Err(error) => panic!("a capture that was written can't be read: {error}"),
    };
    assert_eq!(
        again.records, trace.records,
        "records after writing and reading"
    );
}

/// A suite's file: it is refused with a place, or its cases expand, and as data are what they were.
pub fn cases(octets: &[u8]) {
    let Ok(text) = std::str::from_utf8(octets) else {
        return;
    };
    let Ok(file) = serde_saphyr::from_str::<SuiteFile>(text) else {
        return;
    };
    for case in &file.cases {
        let name = case.testbed.as_ref().unwrap_or(&file.testbed);
        let Some((_, bed)) = beds::catalogue().beds.get(name) else {
            continue;
        };
        for variant in expand(case, "fuzz.yaml", name, bed, None)
            .into_iter()
            .flatten()
            .take(8)
        {
            let value = serde_json::to_value(&variant);
            let value = value.unwrap_or_else(|error| panic!("a case can't be written: {error}"));
            let again = serde_json::from_value(value);
            assert!(
                again.is_ok_and(|again: harness_suite::ExpandedCase| again == variant),
                "a case changes when it is written and read"
            );
            // A case that can't be played is refused with a reason; nothing is played here.
            drop(harness_run::check_case(
                &variant,
                beds::catalogue(),
                &beds::reference(),
            ));
        }
    }
}

/// A capture of ours, judged: twice the same verdict, or a reason why it can't be judged.
pub fn judged(octets: &[u8]) {
    let Ok(trace) = read_capture(octets) else {
        return;
    };
    let verdict = || judge_trace(&trace).map(|result| (result.verdict, result.judged));
    assert_eq!(verdict(), verdict(), "judged differently the second time");
}
