//! Proves what a testbed file offers for devices that aren't the reference's own: hooks, knobs,
//! probes, known deviations, and a person's hands, tried on a device. Needs root and `ip`; without,
//! each says its name and skips.

#![cfg(feature = "live")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

fn ip(arguments: &str) -> bool {
    let done = Command::new("ip").args(arguments.split(' ')).output();
    done.is_ok_and(|done| done.status.success())
}

/// Two namespaces of a test's own, with two links between them; `None` where that may not be.
struct Bench(String);

impl Bench {
    fn make(name: &str) -> Option<Self> {
        let bench = Self(format!("bench-{}-{}", std::process::id(), name.len()));
        let (near, far) = (bench.0.clone(), bench.device());
        if !common::may(&format!("bench::{name}")) {
            return None;
        }
        assert!(ip(&format!("netns add {near}")) && ip(&format!("netns add {far}")));
        for port in 1..=2 {
            let pair = format!("link add t{port} index {} type veth", 1000 + port);
            let peer = format!("peer name d{port} netns {far}");
            assert!(ip(&format!("-n {near} {pair} {peer}")));
            assert!(ip(&format!("-n {near} link set t{port} up")));
            assert!(ip(&format!("-n {far} link set d{port} up")));
        }
        Some(bench)
    }

    fn device(&self) -> String {
        format!("{}-d", self.0)
    }

    fn within(namespace: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", namespace, env!("CARGO_BIN_EXE_tandem")]);
        command.current_dir(common::root()).args(arguments);
        command
    }

    /// The reference as the device on the bench, with fast timeouts.
    fn dut(&self, fast: &Path) -> Child {
        let fast = fast.display().to_string();
        let mut arguments = vec!["dut", "--config", "suites/testbeds/lacp/dut.cfg"];
        arguments.extend(["--config", &fast]);
        arguments.extend(["--port", "GE0/1/1=d1", "--port", "GE0/1/2=d2"]);
        let mut command = Self::within(&self.device(), &arguments);
        command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        for namespace in [&self.device(), &self.0] {
            ip(&format!("netns del {namespace}"));
        }
    }
}

/// Verdict by case id.
fn verdicts(report: &Path) -> std::collections::BTreeMap<String, String> {
    let text = std::fs::read_to_string(report.join("events.jsonl")).unwrap();
    let lines = text.lines().map(|l| serde_json::from_str(l).unwrap());
    let cases = lines.filter_map(|line: serde_json::Value| line.get("case").cloned());
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    cases
        .map(|case| (text(&case["id"]), text(&case["verdict"])))
        .collect()
}

const FAST: &str = "interface Eth-Trunk1\n lacp timeout fast\n";

/// A device on a bench, whose hooks are texts for a person.
const BY_HAND: &str = "
title: A box on a bench
device: box
stands-for: [lacp]
wires: interfaces
manual: true
ports: { p1: {}, p2: {} }
start: Start the device.
knobs:
  lacp.timeout: { short: Set its timeout to fast. }
  lacp.activity: { active: Set it to active. }
  lacp.mux: { coupled: Nothing is to be set for its Mux. }
";

/// Everything is asked of a person, links too; interfaces stand on the command line, PTF's way and
/// by name. The device is one that a script's hands start and unplug.
#[test]
fn a_person_does_what_hooks_would() {
    let Some(bench) = Bench::make("a_person_does_what_hooks_would") else {
        return;
    };
    let folder = common::folder("bench-by-hand");
    let (file, fast) = (folder.join("box.yaml"), folder.join("fast.cfg"));
    std::fs::write(&file, BY_HAND).unwrap();
    std::fs::write(&fast, FAST).unwrap();
    let report = folder.join("report");
    let (file, shown) = (file.display().to_string(), report.display().to_string());
    let mut run = Bench::within(&bench.0, &["run", "lacp/tx/system", "lacp/rx/link-down"]);
    run.args([
        "--testbed",
        &file,
        "-i",
        "0-0@t1",
        "-i",
        "p2@t2",
        "--report",
        &shown,
    ]);
    let mut run = (run.stdin(Stdio::piped()).stdout(Stdio::piped()))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (mut answers, asked) = (run.stdin.take().unwrap(), run.stdout.take().unwrap());
    let mut device: Option<Child> = None;
    let mut hands = Vec::new();
    for line in BufReader::new(asked).lines().map_while(Result::ok) {
        if line.contains("Start the device.") {
            if let Some(mut old) = device.take() {
                old.kill().unwrap();
                old.wait().unwrap();
            }
            device = Some(bench.dut(&fast));
            std::thread::sleep(std::time::Duration::from_millis(300));
        } else if let Some((verb, port)) = line.split_once(" the link at this host's interface ") {
            let state = if verb.ends_with("Unplug") {
                "down"
            } else {
                "up"
            };
            let port = port.trim_end_matches('.');
            assert!(ip(&format!("-n {} link set {port} {state}", bench.0)));
            hands.push(format!("{port} {state}"));
        } else if line.contains("[Enter") {
            answers.write_all(b"\n").unwrap();
        }
    }
    run.wait().unwrap();
    if let Some(mut device) = device {
        device.kill().unwrap();
        device.wait().unwrap();
    }
    let seen = verdicts(&report);
    assert_eq!(seen["lacp/tx/system"], "pass", "{seen:?}");
    let down: Vec<_> = seen
        .iter()
        .filter(|(id, _)| id.starts_with("lacp/rx/link-down"))
        .collect();
    assert!(
        down.iter().any(|(_, verdict)| *verdict == "pass"),
        "{seen:?}"
    );
    assert!(!seen.values().any(|verdict| verdict == "fail"), "{seen:?}");
    assert!(
        hands.contains(&"t1 down".to_owned()) && hands.contains(&"t1 up".to_owned()),
        "{hands:?}"
    );
}

/// A device that hooks start and look into: always with long timeouts, whatever the knob says.
const HOOKED: &str = r#"
title: A device by hooks
device: hooked
stands-for: [lacp]
ports: { p1: {}, p2: {} }
start: |
  rm -f $RUN/dut.sock
  $TANDEM dut --config $TESTBED/dut.cfg --config $TESTBED/long.cfg --port GE0/1/1=$IF_p1 \
    --port GE0/1/2=$IF_p2 --control $RUN/dut.sock >$RUN/dut.log 2>&1 & echo $! >$RUN/pid
  until test -S $RUN/dut.sock; do sleep 0.01; done
stop: kill $(cat $RUN/pid)
health: kill -0 $(cat $RUN/pid)
probes:
  dut: |
    python3 -c "import socket,json; s=socket.socket(socket.AF_UNIX); s.connect('$RUN/dut.sock')
    f=s.makefile('rw'); f.write('\"snapshot\"\n'); f.flush()
    print(json.dumps(json.loads(f.readline())['state']))"
knobs:
  lacp.timeout: { short: "", long: "" }
  lacp.activity: { active: "" }
  lacp.mux: { coupled: "" }
deviations:
  - { case: lacp/tx/timeout-short, reason: its timeout can't be set }
  - { case: lacp/tx/system, reason: an old one that no longer shows }
"#;

/// Hooks start a device and its state is read by a probe; a known deviation that shows doesn't
/// count, and one that no longer shows fails.
#[test]
fn deviations_and_probes_by_hook() {
    let Some(_bench) = Bench::make("deviations_and_probes_by_hook") else {
        return;
    };
    let folder = common::folder("bench-hooked");
    let file = folder.join("hooked.yaml");
    std::fs::write(&file, HOOKED).unwrap();
    std::fs::write(folder.join("long.cfg"), "interface Eth-Trunk1\n").unwrap();
    let dut = common::root().join("suites/testbeds/lacp/dut.cfg");
    std::fs::copy(dut, folder.join("dut.cfg")).unwrap();
    let (file, report) = (file.display().to_string(), folder.join("report"));
    let shown = report.display().to_string();
    let mut arguments = vec![
        "run",
        "lacp/tx/timeout",
        "lacp/tx/system",
        "lacp/mux/partner-churn",
    ];
    arguments.extend(["--testbed", &file, "--report", &shown, "--jobs", "4"]);
    let output = common::tandem(&arguments);
    let text = common::text(&output);
    let seen = verdicts(&report);
    assert_eq!(seen["lacp/tx/timeout-short"], "fail", "{text}");
    assert!(
        text.contains("known deviation: its timeout can't be set"),
        "{text}"
    );
    assert_eq!(seen["lacp/tx/timeout-long"], "pass", "{text}");
    assert_eq!(seen["lacp/tx/system"], "fail", "{text}");
    assert!(
        text.contains("the known deviation no longer shows"),
        "{text}"
    );
    assert_eq!(seen["lacp/mux/partner-churn"], "pass", "{text}");
    assert_eq!(output.status.code(), Some(1));
}
