//! Proves what a run leaves behind: JUnit that parses, captures that tshark reads as we do, reports
//! of an interrupted run that say so, failures that can be understood.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use serde_json::Value;
use std::fs;
use std::process::Command;

fn run(name: &str, filter: &[&str]) -> std::path::PathBuf {
    let folder = common::folder(name);
    let report = folder.display().to_string();
    let mut arguments = vec!["run", "--report", &report];
    arguments.extend(filter);
    let output = common::tandem(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", common::text(&output));
    folder
}

#[test]
fn junit_names_are_unique_and_attachments_exist() {
    let folder = run("junit", &["lacp/rx", "backup/failover/link-cut"]);
    let xml = fs::read_to_string(folder.join("junit.xml")).unwrap();
    assert!(xml.starts_with("<?xml"), "{xml:.100}");
    let names: Vec<&str> = xml
        .split("<testcase name=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap_or_default())
        .collect();
    let mut unique = names.clone();
    unique.sort_unstable();
    unique.dedup();
    assert!(!names.is_empty() && unique.len() == names.len());
    let attachments: Vec<&str> = xml
        .split("[[ATTACHMENT|")
        .skip(1)
        .map(|rest| rest.split("]]").next().unwrap_or_default())
        .collect();
    assert_eq!(attachments.len(), names.len());
    for attachment in attachments {
        assert!(folder.join(attachment).is_file(), "{attachment}");
    }
    assert!(xml.contains("requirement LACP-0") && xml.contains("virtual time: "));
}

/// What tshark says of one field of every frame, `None` where it isn't there.
fn tshark(capture: &std::path::Path, fields: &[&str]) -> Option<Vec<Vec<String>>> {
    let mut command = Command::new("tshark");
    command
        .args(["-n", "-r"])
        .arg(capture)
        .args(["-T", "fields", "-E", "separator=|"]);
    for field in fields {
        command.args(["-e", field]);
    }
    let output = command.output().ok()?;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(
        text.lines()
            .map(|line| line.split('|').map(str::to_owned).collect())
            .collect(),
    )
}

/// What a code of an MLDv2 query stands for: tshark prints that, the codec the code (RFC 9777
/// 5.1.3 and 5.1.9).
fn floating(field: &str, code: u64) -> u64 {
    match (field, code) {
        ("max_response_code", 0x8000..) => ((code & 0xfff) | 0x1000) << (((code >> 12) & 7) + 3),
        ("qqic", 0x80..) => ((code & 0xf) | 0x10) << (((code >> 4) & 7) + 3),
        _ => code,
    }
}

/// A number as tshark writes it, decimal or hex.
fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

#[test]
fn tshark_agrees_with_the_codec() {
    let folder = run("tshark", &["lacp/rx", "mld/", "backup/failover/bring-up"]);
    // Our field, tshark's.
    let wanted = [
        ("actor.system_priority", "lacp.actor.sys_priority"),
        ("actor.key", "lacp.actor.key"),
        ("actor.port", "lacp.actor.port"),
        ("actor.state", "lacp.actor.state"),
        ("partner.key", "lacp.partner.key"),
        ("partner.port", "lacp.partner.port"),
        ("partner.state", "lacp.partner.state"),
        ("type", "icmpv6.type"),
        ("max_response_code", "icmpv6.mld.maximum_response_code"),
        ("qqic", "icmpv6.mld.qqi"),
    ];
    let names: Vec<&str> = wanted.iter().map(|(_, theirs)| *theirs).collect();
    let mut compared = 0;
    for capture in common::files(&folder.join("captures")).iter().step_by(12) {
        let Some(rows) = tshark(capture, &names) else {
            // The summary names what wasn't done.
            eprintln!("skipped: tshark is not installed");
            return;
        };
        let trace = harness_trace::read_capture(&fs::read(capture).unwrap()).unwrap();
        let frames: Vec<_> = trace.frames().map(|(_, frame)| frame).collect();
        assert_eq!(rows.len(), frames.len(), "{}", capture.display());
        for (row, frame) in rows.iter().zip(frames) {
            let decoded = harness_wire::decode(&frame.octets);
            for ((ours, _), theirs) in wanted.iter().zip(row) {
                let ours_value = decoded.fields.get(*ours).and_then(Value::as_u64);
                let (Some(ours_value), Some(theirs)) = (ours_value, number(theirs)) else {
                    continue;
                };
                let ours_value = floating(ours, ours_value);
                assert_eq!(ours_value, theirs, "{ours} in {}", capture.display());
                compared += 1;
            }
        }
    }
    assert!(compared > 1000, "{compared} fields compared");
}

#[test]
fn a_run_that_is_cut_short_says_so() {
    let folder = common::folder("cut");
    let suites = folder.join("suites");
    copy(&common::root().join("suites"), &suites);
    // A case that fails, so that --max-fail ends the run.
    let case = "testbed: lacp\ncases:\n- id: lacp/a/fails\n  title: t\n  verifies: [LACP-001]\n  \
                steps:\n  - expect: {on: p1, frame: {lacpdu: {actor.key: 1}}}\n";
    fs::write(suites.join("lacp/a.yaml"), case).unwrap();
    let (suites, report) = (
        suites.display().to_string(),
        folder.join("r").display().to_string(),
    );
    let arguments = [
        "--suites",
        &suites,
        "run",
        "--report",
        &report,
        "--max-fail",
        "1",
        "--jobs",
        "1",
        "lacp",
    ];
    let output = common::tandem(&arguments);
    assert_eq!(output.status.code(), Some(5), "{}", common::text(&output));
    let events = fs::read_to_string(folder.join("r/events.jsonl")).unwrap();
    assert!(events.contains("\"complete\":false"));
    assert!(
        fs::read_to_string(folder.join("r/junit.xml"))
            .unwrap()
            .contains("<failure")
    );
    let said = common::text(&output);
    for part in [
        "LACP-001: ",
        "suites/lacp/a.yaml:7",
        "actor.key: expected 1, seen 305",
        "capture: ",
        "repeat: tandem run 'lacp/a/fails'",
    ] {
        assert!(said.contains(part), "`{part}` is missing in:\n{said}");
    }
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    for path in common::files(from) {
        let target = to.join(path.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(&path, target).unwrap();
    }
}

#[test]
fn a_mistake_in_a_case_is_an_error_with_its_place() {
    let folder = common::folder("mistake");
    let suites = folder.join("suites");
    copy(&common::root().join("suites"), &suites);
    let write = |text: &str| fs::write(suites.join("lacp/a.yaml"), text).unwrap();
    let suites = suites.display().to_string();
    for (text, wanted) in [
        (
            "testbed: lacp\ncases:\n- id: lacp/a/b\n  titel: t\n",
            "a.yaml:",
        ),
        (
            "testbed: no\ncases:\n- {id: lacp/a/b, title: t, verifies: [LACP-001], steps: []}\n",
            "no testbed `no`",
        ),
        (
            "testbed: lacp\ncases:\n- {id: lacp/a/b, title: t, verifies: [LACP-999], steps: []}\n",
            "no requirement `LACP-999`",
        ),
        (
            "testbed: lacp\ncases:\n- {id: mld/a/b, title: t, verifies: [LACP-001], steps: []}\n",
            "must begin with `lacp/`",
        ),
        (
            "testbed: lacp\ncases:\n- {id: lacp/a/b, title: t, verifies: [LACP-001], settings: {lacp.timeot: short}, steps: []}\n",
            "no such knob",
        ),
    ] {
        write(text);
        let output = common::tandem(&["--suites", &suites, "lint"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(wanted), "`{wanted}` is missing in:\n{said}");
    }
}

#[test]
fn what_selects_nothing_exits_with_4() {
    let report = common::folder("nothing").display().to_string();
    let output = common::tandem(&["run", "--report", &report, "no/such/case"]);
    assert_eq!(output.status.code(), Some(4));
}
