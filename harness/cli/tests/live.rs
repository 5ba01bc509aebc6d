//! Proves that cases on wires give the simulation's verdicts, that their captures give them
//! again, and that a run leaves nothing behind. Needs root and `ip`; without, each says its name
//! and skips.

#![cfg(feature = "live")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The fixed sample: cases of a few seconds of every suite, with links cut, partners, hellos and
/// sessions; routers, listeners, a snooping bridge and the pair; one case that wires can't have.
const SAMPLE: [&str; 28] = [
    "lacp/rx/version",
    "lacp/rx/reserved",
    "lacp/rx/link-down",
    "lacp/frame/other-destination",
    "lacp/marker/lenient",
    "lacp/marker/one-response",
    "lacp/mux/wait",
    "lacp/selection/attach-together",
    "lacp/tx/echo",
    "lacp/tx/system",
    "lacp/tx/timeout",
    "lacp/tx/activity-passive",
    "mld/report/code-and-flags",
    "mld/report/checksum",
    "mld/state/include-",
    "mld/series/group",
    "mld/version1/done",
    "mld/transmit/last-listener-code",
    "rbs/open/lower-connects",
    "rbs/session/length",
    "rbs/data/acknowledged",
    "etrunk/check/",
    "etrunk/auth/",
    "mld/host-change",
    "mld/snooper/report",
    "backup/failover/link-cut",
    "backup/failover/bring-up",
    "backup/split/hellos-lost",
];

fn tandem(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
    command.current_dir(common::root()).args(arguments);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// Verdict and finding by case id.
fn verdicts(report: &Path) -> BTreeMap<String, (String, String)> {
    let text = std::fs::read_to_string(report.join("events.jsonl")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let cases = lines.filter_map(|line: serde_json::Value| line.get("case").cloned());
    cases
        .map(|case| {
            let verdict = case["verdict"].as_str().unwrap().to_owned();
            let why = case["finding"]["what"].as_str().unwrap_or_default();
            let id = case["id"].as_str().unwrap().to_owned();
            (id, (verdict, why.to_owned()))
        })
        .collect()
}

/// The reference over veth pairs gives the simulation's verdict for every case of the sample, but
/// for what the host was too slow to judge, and each capture gives its verdict again.
#[test]
fn the_reference_on_wires_agrees_with_the_simulation() {
    if !common::may("live::the_reference_on_wires_agrees_with_the_simulation") {
        return;
    }
    // `make test-live` runs all.
    let all = std::env::var_os("TANDEM_LIVE_ALL").is_some();
    let filter: Vec<&str> = if all {
        vec!["lacp", "mld", "etrunk", "rbs", "backup"]
    } else {
        SAMPLE.to_vec()
    };
    let (simulated, live) = (folder("live-simulated"), folder("live-wires"));
    let run = |report: &Path, more: &[&str]| {
        let report = report.display().to_string();
        let begin = ["run", "--report", &report];
        let arguments: Vec<&str> = begin.iter().chain(more).chain(&filter).copied().collect();
        tandem(&arguments).status().unwrap();
    };
    run(&simulated, &[]);
    let jobs = if all { "24" } else { "8" };
    run(&live, &["--testbed", "reference", "--jobs", jobs]);
    let (expected, seen) = (verdicts(&simulated), verdicts(&live));
    let mut undecided = Vec::new();
    let mut differ = Vec::new();
    let mut applicable = 0;
    let mut suites = std::collections::BTreeSet::new();
    for (id, (verdict, _)) in &expected {
        match seen.get(id) {
            // What the simulated device can't be judged by, the live one can't either.
            Some((live, _)) if live == "not-applicable" && live == verdict => continue,
            Some((live, why)) if live == "not-applicable" => {
                assert!(
                    ["faulty link", "virtual time"]
                        .iter()
                        .any(|w| why.contains(w)),
                    "{id}: {why}"
                );
                continue;
            }
            _ => applicable += 1,
        }
        suites.extend(id.split('/').next());
        match seen.get(id) {
            Some((live, why)) if live == "inconclusive" => undecided.push(format!("{id}: {why}")),
            Some((live, _)) if live == verdict => {}
            other => differ.push(format!(
                "{id}: {verdict} in the simulation, {other:?} on wires"
            )),
        }
    }
    assert!(differ.is_empty(), "{differ:#?}");
    assert!(applicable >= 60, "{applicable} cases");
    assert_eq!(suites.len(), 5, "{suites:?}");
    let few = expected.len() / 10;
    assert!(undecided.len() <= few, "too slow a host: {undecided:#?}");
    let captures = std::fs::read_dir(live.join("captures")).unwrap();
    let captures: Vec<String> = captures
        .map(|entry| entry.unwrap().path().display().to_string())
        .collect();
    let events = live.join("events.jsonl").display().to_string();
    let mut judge = vec!["judge", "--against", &events];
    judge.extend(captures.iter().map(String::as_str));
    assert!(
        tandem(&judge).status().unwrap().success(),
        "verdicts judged again differ"
    );
}

/// Namespaces, processes and folders of a run.
fn left_of(run: u32) -> Vec<String> {
    let mine = format!("tandem-{run}-");
    let mut left = Vec::new();
    for folder in ["/run/netns", &std::env::temp_dir().display().to_string()] {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        left.extend(names.filter(|name| name.starts_with(&mine)));
    }
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let command = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        if command.contains(" dut ") && command.contains(&mine) {
            left.push(command);
        }
    }
    left
}

fn links() -> usize {
    std::fs::read_dir("/sys/class/net").unwrap().count()
}

/// A run, on four beds or of the pair, that is in the middle of its cases.
fn under_way(name: &str, case: &str) -> Child {
    let report = folder(name).display().to_string();
    let arguments = [
        "run",
        case,
        "--testbed",
        "reference",
        "--jobs",
        "4",
        "--report",
    ];
    let child = tandem(&arguments).arg(&report).spawn().unwrap();
    let begun = Instant::now();
    let dut = |left: &String| left.contains(" dut ");
    while left_of(child.id()).iter().filter(|l| dut(l)).count() < 4 {
        assert!(begun.elapsed() < Duration::from_secs(60), "no bed came up");
        std::thread::sleep(Duration::from_millis(50));
    }
    child
}

fn end(child: &mut Child, signal: &str) {
    let pid = child.id().to_string();
    Command::new("kill").args([signal, &pid]).status().unwrap();
    child.wait().unwrap();
}

/// After Ctrl-C nothing of a run is left; what a killed run leaves is swept up by the next run, and
/// a living run's beds are not.
#[test]
fn a_run_leaves_nothing_behind() {
    if !common::may("live::a_run_leaves_nothing_behind") {
        return;
    }
    let before = links();
    let case = "lacp/rx/expire";
    let pair = "backup/failover/crash";
    let mut child = under_way("live-pair-interrupted", pair);
    end(&mut child, "-INT");
    assert_eq!(left_of(child.id()), Vec::<String>::new());
    let mut killed = under_way("live-pair-killed", pair);
    end(&mut killed, "-KILL");
    let mut child = under_way("live-interrupted", case);
    assert_eq!(left_of(killed.id()), Vec::<String>::new());
    end(&mut child, "-INT");
    assert_eq!(left_of(child.id()), Vec::<String>::new());
    let mut killed = under_way("live-killed", case);
    end(&mut killed, "-KILL");
    assert!(
        !left_of(killed.id()).is_empty(),
        "nothing to sweep: the test shows nothing"
    );
    let mut next = under_way("live-next", case);
    assert_eq!(left_of(killed.id()), Vec::<String>::new());
    end(&mut next, "-TERM");
    assert_eq!(left_of(next.id()), Vec::<String>::new());
    assert_eq!(links(), before);
}

/// A testbed of shell hooks whose device dies during its first case.
const DYING: &str = r#"
title: A device that dies
device: dying
stands-for: [lacp]
ports: { p1: {}, p2: {}, p3: {}, p4: {} }
setup: echo setup >>"$LIVE_LOG"; echo 1 >$RUN/alive
start: echo start >>"$LIVE_LOG"; rm -f $RUN/alive
health: test -f $RUN/alive || { echo it is dead; exit 1; }
teardown: echo teardown >>"$LIVE_LOG"
knobs:
  lacp.timeout: { short: "" }
  lacp.activity: { active: "" }
  lacp.mux: { coupled: "" }
"#;

/// A device that dies blocks its case with what the hook said, is set up anew, and the run goes on.
/// A case whose settings the device can't be given isn't applicable.
#[test]
fn a_device_that_dies_is_blocked_and_set_up_again() {
    if !common::may("live::a_device_that_dies_is_blocked_and_set_up_again") {
        return;
    }
    let folder = common::folder("live-dying");
    let (file, log) = (folder.join("dying.yaml"), folder.join("log"));
    std::fs::write(&file, DYING).unwrap();
    let (file, report) = (file.display().to_string(), folder.join("report"));
    let report_text = report.display().to_string();
    let mut run = tandem(&[
        "run",
        "lacp/tx/system",
        "lacp/tx/timeout-long",
        "--jobs",
        "1",
    ]);
    run.args(["--testbed", &file, "--report", &report_text]);
    let status = run.env("LIVE_LOG", &log).status().unwrap();
    assert_eq!(status.code(), Some(3));
    let seen = verdicts(&report);
    let blocked = |id: &str| seen[id].0 == "blocked" && seen[id].1.contains("it is dead");
    assert!(blocked("lacp/tx/system"), "{seen:?}");
    assert_eq!(seen["lacp/tx/timeout-long"].0, "not-applicable", "{seen:?}");
    assert_eq!(
        seen["lacp/tx/system-priority"].0, "not-applicable",
        "{seen:?}"
    );
    let log = std::fs::read_to_string(log).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    // Each case that the device can be given: started, dead, set up again. The preamble has a bed
    // of its own.
    let blocked = seen.values().filter(|(verdict, _)| verdict == "blocked");
    let events = std::fs::read_to_string(report.join("events.jsonl")).unwrap();
    let lines_of = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
    let troubles = events.lines().map(lines_of).filter_map(|line| {
        let troubles = line.pointer("/classification/troubles")?.as_object()?;
        Some(troubles.len())
    });
    let mut expected = Vec::new();
    for cases in [troubles.sum(), blocked.count()] {
        expected.push("setup");
        expected.extend(["start", "teardown", "setup"].repeat(cases));
        expected.push("teardown");
    }
    assert!(expected.len() > 2);
    assert_eq!(lines, expected);
}

/// Devices that others wrote, with cases whose verdicts were confirmed by hand: (testbed, ids that
/// pass, ids that fail).
const DEVICES: [(&str, &[&str], &[&str]); 4] = [
    (
        "linux-bridge",
        &["mld/report/valid", "mld/snooper/members-only"],
        &[
            "mld/transmit/source-specific-query",
            "mld/snooper/done-to-routers",
        ],
    ),
    (
        "linux-host",
        &[
            "mld/host-change/join",
            "mld/host-v1/done",
            "mld/host-1/leave",
        ],
        &["mld/host-answer/source-exclude"],
    ),
    (
        "ovs-snooper",
        &["mld/snooper/members-only", "mld/snooper/report-not-back"],
        &["mld/snooper/blocked-sources", "mld/snooper/shared-port"],
    ),
    (
        "frr",
        &["mld/transmit/general-query"],
        &["mld/transmit/address-specific-query"],
    ),
];

/// Each testbed of MLD brings its device up, plays on it, gives the known verdicts, which its
/// captures give again, and leaves nothing behind. A device that isn't installed is skipped by
/// name.
#[test]
fn devices_of_others_give_their_known_verdicts() {
    if !common::may("live::devices_of_others_give_their_known_verdicts") {
        return;
    }
    for (testbed, passing, failing) in DEVICES {
        let lacks = tandem(&["testbed", "install", "--dry-run", testbed]);
        if !{ lacks }.status().unwrap().success() {
            eprintln!("skipped by name: live::devices ({testbed} is not installed)");
            continue;
        }
        let report = folder(&format!("live-{testbed}"));
        let text = report.display().to_string();
        let mut run = tandem(&[
            "run",
            "--testbed",
            testbed,
            "--jobs",
            "4",
            "--report",
            &text,
        ]);
        let mut child = run.args(passing).args(failing).spawn().unwrap();
        child.wait().unwrap();
        assert_eq!(left_of(child.id()), Vec::<String>::new());
        let seen = verdicts(&report);
        let wanted = passing.iter().map(|id| (id, "pass"));
        for (id, verdict) in wanted.chain(failing.iter().map(|id| (id, "fail"))) {
            let (given, why) = &seen[*id];
            // A host that was too slow decides nothing.
            let fits = given == verdict || given == "inconclusive";
            assert!(fits, "{testbed}: {id} is {given}, not {verdict}: {why}");
        }
        let captures = std::fs::read_dir(report.join("captures")).unwrap();
        let captures = captures.map(|entry| entry.unwrap().path().display().to_string());
        let events = report.join("events.jsonl").display().to_string();
        let mut judge = tandem(&["judge", "--against", &events]);
        assert!(
            judge.args(captures).status().unwrap().success(),
            "{testbed}"
        );
    }
}

/// A silent device whose clock is a process that keeps a log of what it is fed.
const STOPPED: &str = r#"
title: A device whose clock stands
device: stopped
stands-for: [lacp]
ports: { p1: {}, p2: {}, p3: {}, p4: {} }
start: ":"
knobs:
  lacp.timeout: { short: "" }
  lacp.activity: { active: "" }
  lacp.mux: { coupled: "" }
clock:
  process: |
    while read line; do echo "$line" >>"$LIVE_LOG"; echo "${LIVE_ANSWER:-ok}"; done
  stop: hold
  warp: forward $ms
  barrier: |
    look
    look
  step: 500ms
"#;

/// A case in a device's own time is as long as the clock was moved, in warps of at most a step with
/// a barrier after each, far faster than the wall; a clock that doesn't answer `ok` is named.
#[test]
fn a_case_runs_by_the_devices_clock() {
    if !common::may("live::a_case_runs_by_the_devices_clock") {
        return;
    }
    let folder = common::folder("live-stopped");
    let (file, log, report) = (
        folder.join("stopped.yaml"),
        folder.join("log"),
        folder.join("report"),
    );
    std::fs::write(&file, STOPPED).unwrap();
    let run = |answer: &str| {
        let mut run = tandem(&["run", "lacp/rx/expire", "--jobs", "1", "--testbed"]);
        run.arg(&file).arg("--report").arg(&report);
        run.env("LIVE_LOG", &log).env("LIVE_ANSWER", answer);
        run.status().unwrap().code()
    };
    let begun = Instant::now();
    assert_eq!(run("ok"), Some(1));
    let took = begun.elapsed();
    let text = std::fs::read_to_string(report.join("events.jsonl")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let cases = lines.filter_map(|line: serde_json::Value| line["case"]["virtual_ms"].as_u64());
    let each: Vec<u64> = cases.filter(|ms| *ms > 0).collect();
    let (virtual_ms, most) = (
        each.iter().sum::<u64>(),
        each.iter().map(|_| 700).sum::<u64>(),
    );
    let log = std::fs::read_to_string(&log).unwrap();
    assert_eq!(log.lines().next(), Some("hold"));
    // The preamble had a bed of its own before.
    let last = log.rsplit("hold\n").next().unwrap_or_default();
    let lines = last.lines();
    let (mut moved, mut barriers) = (0, 2);
    for line in lines {
        if line == "look" {
            barriers += 1;
        } else {
            assert!(barriers >= 2, "a warp without a barrier after the last");
            let ms: u64 = line.strip_prefix("forward ").unwrap().parse().unwrap();
            assert!((1..=500).contains(&ms), "{line}");
            (moved, barriers) = (moved + ms, 0);
        }
    }
    // Beside a case's time, its bed's 200 ms before the first step and a last warp.
    assert!(virtual_ms > 3000, "{virtual_ms}");
    let more = virtual_ms..=virtual_ms + most;
    assert!(more.contains(&moved), "{moved}, {virtual_ms}");
    let wall = u64::try_from(took.as_millis()).unwrap();
    assert!(wall < virtual_ms, "{wall} ms for {virtual_ms} ms");
    assert_eq!(run("what"), Some(3));
    let why = verdicts(&report);
    let told = why
        .values()
        .any(|(_, why)| why.contains("answers `hold` with `what`"));
    assert!(told, "{why:?}");
}
