//! Proves that one side of a real capture reaches a real device in order, that what comes back is
//! recorded and judged, and that what can't be sent is named. What needs a wire needs root and
//! `ip`; without, each says its name and skips.

#![cfg(feature = "live")]
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use dut_device::Instant;
use harness_run::{Measured, OntoNote};
use harness_trace::{Direction, Frame, Point, PointId, Record, Trace, read_capture, to_pcapng};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

const CAPTURE: &str = "corpus/captures/linux-listener-mldv2.pcapng";
const LISTENER: &str = "02:00:00:00:10:01";

fn ip(arguments: &str) -> Output {
    let words = arguments.split(' ');
    Command::new("ip").args(words).output().unwrap()
}

/// The tester's namespace and a device's, with a veth pair between them; `None` where that may not
/// be.
struct Wire(String);

impl Wire {
    fn make(name: &str) -> Option<Self> {
        let wire = Self(format!("onto-{}-{}", std::process::id(), name.len()));
        let (near, far) = (wire.0.clone(), wire.device());
        if !common::may(&format!("onto::{name}")) {
            return None;
        }
        for namespace in [&near, &far] {
            assert!(ip(&format!("netns add {namespace}")).status.success());
        }
        wire.ip(
            "add",
            &format!("t1 index 1001 type veth peer name d1 netns {far}"),
        );
        // No interface of the tester's says anything by itself.
        wire.within(&near, "echo 1 >/proc/sys/net/ipv6/conf/t1/disable_ipv6");
        wire.ip("set", "t1 up");
        Some(wire)
    }

    fn device(&self) -> String {
        format!("{}-d", self.0)
    }

    fn ip(&self, verb: &str, arguments: &str) {
        let output = ip(&format!("-n {} link {verb} {arguments}", self.0));
        assert!(output.status.success(), "{output:?}");
    }

    fn within(&self, namespace: &str, script: &str) -> String {
        let words = ["netns", "exec", namespace, "sh", "-ec", script];
        let output = Command::new("ip").args(words).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn tandem(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.0, env!("CARGO_BIN_EXE_tandem")]);
        command.current_dir(common::root()).env("NO_COLOR", "1");
        command.args(arguments).output().unwrap()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        for namespace in [&self.device(), &self.0] {
            ip(&format!("netns del {namespace}"));
        }
    }
}

/// A querier with tables that knows what was asked for within half a second.
const BRIDGE: &str = "
ip link add br0 type bridge mcast_snooping 1 mcast_querier 0 mcast_mld_version 2 \
  mcast_last_member_interval 20 mcast_last_member_count 2
ip link set d1 master br0
echo 0 >/proc/sys/net/ipv6/conf/br0/accept_dad
ip link set d1 up
ip link set br0 up
until ip -6 -o addr show dev br0 -tentative | grep -q fe80:; do sleep 0.01; done
ip link set br0 type bridge mcast_querier 1
";

/// The lines of the table that judging prints.
fn table(output: &Output) -> Vec<String> {
    let text = common::text(output);
    let lines = text
        .lines()
        .skip_while(|l| !l.contains(" frames of the named devices"));
    lines.map(str::to_owned).collect()
}

/// A recorded listener's side, four times as fast, onto a Linux bridge as querier: the recording
/// holds it octet by octet in its order, and the bridge's answers; the bridge ends with the groups
/// that the recorded sockets held at the capture's end; judging the recording again gives the same
/// table. How late frames left is told, not judged.
#[test]
fn a_real_capture_reaches_a_real_device() {
    let Some(wire) = Wire::make("a_real_capture_reaches_a_real_device") else {
        return;
    };
    wire.within(&wire.device(), BRIDGE);
    let record = common::folder("onto-bridge").join("record.pcapng");
    let shown = record.display().to_string();
    let begin = ["replay", CAPTURE, "--onto", "t1", "--from", LISTENER];
    let more = ["--speed", "4", "--record", &shown];
    let output = wire.tandem(&[&begin[..], &more].concat());
    let text = common::text(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    eprintln!("{}", text.lines().take(3).collect::<Vec<_>>().join("\n"));

    let of = |path: &Path| read_capture(&std::fs::read(path).unwrap()).unwrap();
    let (capture, recorded) = (of(&common::root().join(CAPTURE)), of(&record));
    let from = [2, 0, 0, 0, 0x10, 1];
    let side = capture.frames().filter(|(_, f)| f.octets[6..12] == from);
    let side: Vec<&[u8]> = side.map(|(_, frame)| frame.octets.as_slice()).collect();
    let way = |direction| {
        let frames = recorded.frames().map(|(_, frame)| frame);
        let those = frames.filter(move |frame| frame.direction == direction);
        those
            .map(|frame| frame.octets.as_slice())
            .collect::<Vec<_>>()
    };
    assert_eq!(side.len(), 22);
    assert_eq!(way(Direction::Out), side);
    assert!(way(Direction::In).len() > 2, "the bridge asks");

    // Its side file says what the sockets held at 17.5 s.
    let table_of_bridge = wire.within(&wire.device(), "bridge mdb show");
    let holds = |group: &str| table_of_bridge.contains(&format!("port d1 grp {group} "));
    assert!(holds("ff1e::2") && holds("ff1e::3"), "{table_of_bridge}");
    assert!(!holds("ff1e::1"), "{table_of_bridge}");

    let again = text
        .lines()
        .find_map(|line| line.strip_prefix("again: tandem "));
    let again: Vec<&str> = again.unwrap().split(' ').collect();
    let judged = common::tandem(&again);
    assert_eq!(judged.status.code(), Some(0));
    assert!(table(&output).len() > 10, "{text}");
    assert_eq!(table(&judged), table(&output));
    let held = table(&output);
    let asks = |line: &String| line.starts_with("held") && line.contains("a specific query goes");
    assert!(held.iter().any(asks), "{text}");
}

/// What an interface can't take, and one without a device, is named before or when it is met; a
/// frame that the other side has no room for is counted, as is the rate.
#[test]
fn what_an_interface_cant_take_is_named() {
    let Some(wire) = Wire::make("what_an_interface_cant_take_is_named") else {
        return;
    };
    let folder = common::folder("onto-interface");
    let record = folder.join("record.pcapng").display().to_string();
    let replay = |file: &str, interface: &str| {
        let begin = ["replay", file, "--onto", interface, "--from", LISTENER];
        let output = wire.tandem(&[&begin[..], &["--top", "--record", &record]].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), said)
    };
    let (code, said) = replay(CAPTURE, "t9");
    assert_eq!((code, said.contains("`t9`")), (Some(2), true), "{said}");
    let (code, said) = replay(CAPTURE, "t1");
    assert_eq!(
        (code, said.contains("no carrier")),
        (Some(2), true),
        "{said}"
    );
    assert!(!Path::new(&record).exists(), "nothing was sent");

    wire.within(&wire.device(), "ip link set d1 up");
    let large = folder.join("large.pcapng");
    let trace = Trace {
        points: vec![point()],
        records: vec![frame(0, 60), frame(1, 1700)],
        ..Trace::default()
    };
    std::fs::write(&large, to_pcapng(&trace, "", &BTreeMap::new())).unwrap();
    let (code, said) = replay(&large.display().to_string(), "t1");
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("packet 2 has 1700 octets, more than `t1` takes"),
        "{said}"
    );
}

fn point() -> Point {
    Point {
        name: "t1".to_owned(),
        near: "tandem".to_owned(),
        far: "device".to_owned(),
    }
}

/// A frame of the recorded listener's address.
fn frame(ms: u64, length: usize) -> Record {
    let mut octets = vec![2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0x10, 1, 0x88, 0xb5];
    octets.resize(length, 0);
    Record::Frame(Frame {
        at: Instant::from_millis(ms),
        point: PointId(0),
        direction: Direction::In,
        lost: false,
        octets,
    })
}

/// A recording that lost frames decides nothing: what it shows to hold is inconclusive, as is what
/// it shows to be broken; the same recording that lost none decides.
#[test]
fn a_recording_that_lost_frames_is_inconclusive() {
    let folder = common::folder("onto-lost");
    let capture = std::fs::read(common::root().join(CAPTURE)).unwrap();
    let trace = read_capture(&capture).unwrap();
    let role = format!("{LISTENER}=listener");
    let judge = |dropped: u64| {
        let note = OntoNote {
            measured: Measured {
                dropped,
                ..Measured::default()
            },
            tolerance_ns: 0,
        };
        let mut trace = trace.clone();
        trace.records.push(note.record(trace.until));
        let file = folder.join(format!("{dropped}.pcapng"));
        std::fs::write(&file, to_pcapng(&trace, "", &BTreeMap::new())).unwrap();
        let file = file.display().to_string();
        common::tandem(&["judge", &file, "--role", &role])
    };
    let whole = judge(0);
    let count = |output: &Output, state: &str| {
        let lines = table(output);
        lines.iter().filter(|line| line.starts_with(state)).count()
    };
    assert_eq!(whole.status.code(), Some(0), "{}", common::text(&whole));
    let held = count(&whole, "held");
    assert!(held > 5);
    let lost = judge(2);
    assert_eq!(lost.status.code(), Some(3), "{}", common::text(&lost));
    assert_eq!(
        (count(&lost, "held"), count(&lost, "inconclusive")),
        (0, held)
    );
    assert!(common::text(&lost).contains("2 frames were lost"));
}

/// Mistakes of the command line and of the file are said with what is meant, and nothing is sent:
/// the interface needn't even be there.
#[test]
fn mistakes_are_named() {
    let folder = common::folder("onto-mistakes");
    let file = |name: &str, octets: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, octets).unwrap();
        path.display().to_string()
    };
    let said = |arguments: &[&str]| {
        let begin = ["replay", arguments[0], "--onto", "no-such"];
        let output = common::tandem(&[&begin[..], &arguments[1..]].concat());
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let several = said(&[CAPTURE]);
    for part in [
        "02:00:00:00:00:01 (5 frames)",
        "02:00:00:00:10:01 (22 frames)",
        CAPTURE,
    ] {
        assert!(several.contains(part), "`{part}` is missing in: {several}");
    }
    let whole = std::fs::read(common::root().join(CAPTURE)).unwrap();
    let damaged = file("damaged.pcapng", &whole[..whole.len() - 9]);
    let text = said(&[&damaged, "--from", LISTENER]);
    assert!(
        text.contains(&damaged) && text.contains("after packet 2"),
        "{text}"
    );
    let mut trace = read_capture(&whole).unwrap();
    let Some(Record::Frame(frame)) = trace
        .records
        .iter_mut()
        .rfind(|r| matches!(r, Record::Frame(_)))
    else {
        return;
    };
    frame.octets.truncate(11);
    let short = file("short.pcapng", &to_pcapng(&trace, "", &BTreeMap::new()));
    let text = said(&[&short, "--from", LISTENER]);
    assert!(text.contains("packet 27 has 11 octets"), "{text}");
    let text = said(&[CAPTURE, "--from", LISTENER, "--record", CAPTURE]);
    assert!(text.contains("it is the capture itself"), "{text}");
    for wrong in [
        &["--speed", "0"][..],
        &["--speed", "2", "--top"],
        &["--port", "GE0/1/1"],
    ] {
        let text = said(&[&[CAPTURE, "--from", LISTENER], wrong].concat());
        assert!(text.contains(wrong[0]), "{text}");
    }
}
