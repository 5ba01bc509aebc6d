//! Proves that the project's own captures are what their side files say, and that the reference
//! makes of them what the recorded devices did.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use dut_device::{BuildSpec, Device, Instant, MacAddr};
use harness_run::{Beside, Factory, Replay, Replayed, replay};
use harness_tester::compare;
use harness_trace::{Trace, read_capture};
use harness_wire::Fields;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Side {
    capture: String,
    sha256: String,
    origin: String,
    recorded: String,
    licence: String,
    shows: String,
    devices: BTreeMap<String, String>,
    replay: Played,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Played {
    into: String,
    port: String,
    from: String,
    #[serde(rename = "as")]
    stands_for: String,
    discarded: BTreeMap<String, usize>,
    states: Vec<State>,
    beside: Option<Together>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    at: f64,
    has: Fields,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Together {
    pairs: usize,
    kind: String,
    differing: BTreeSet<String>,
}

/// The captures with their side files.
fn captures() -> Vec<(Side, Vec<u8>)> {
    let folder = common::root().join("corpus/captures");
    let sides = common::files(&folder).into_iter();
    let sides = sides.filter(|path| path.extension().is_some_and(|e| e == "yaml"));
    let read = |path: std::path::PathBuf| {
        let side: Side = serde_saphyr::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let octets = std::fs::read(folder.join(&side.capture)).unwrap();
        (side, octets)
    };
    sides.map(read).collect()
}

fn factory() -> Factory {
    Arc::new(|spec: &BuildSpec| {
        let node: Box<dyn Device> = Box::new(dut_node::build(spec).map_err(|e| e.to_string())?);
        Ok(node)
    })
}

fn play(side: &Side, trace: &Trace) -> Replayed {
    let Played {
        into,
        port,
        from,
        stands_for,
        states,
        ..
    } = &side.replay;
    let text = std::fs::read_to_string(common::root().join(into)).unwrap();
    let mac = |text: &String| -> MacAddr { text.parse().unwrap() };
    let at = |state: &State| Instant::ZERO + std::time::Duration::from_secs_f64(state.at);
    let request = Replay {
        trace,
        configuration: vec![(into.clone(), text)],
        port: port.clone(),
        from: mac(from),
        stands_for: Some(mac(stands_for)),
        looks: states.iter().map(at).collect(),
    };
    replay(&request, &factory()).unwrap()
}

#[test]
fn captures_are_those_that_their_side_files_describe() {
    let captures = captures();
    assert!(!captures.is_empty());
    for (side, octets) in captures {
        let digest = Sha256::digest(&octets);
        let hex: String = digest.iter().map(|octet| format!("{octet:02x}")).collect();
        assert_eq!(hex, side.sha256, "{}", side.capture);
        for text in [&side.origin, &side.recorded, &side.licence, &side.shows] {
            assert!(!text.trim().is_empty(), "{}", side.capture);
        }
    }
}

#[test]
fn the_reference_holds_what_the_recorded_listeners_asked_for() {
    for (side, octets) in captures() {
        let trace = read_capture(&octets).unwrap();
        let replayed = play(&side, &trace);
        let name = &side.capture;
        let discarded = replayed.discarded.iter();
        let discarded: BTreeMap<String, usize> = discarded
            .map(|(reason, records)| (reason.clone(), records.len()))
            .collect();
        assert_eq!(discarded, side.replay.discarded, "{name}");
        assert_eq!(replayed.looks.len(), side.replay.states.len(), "{name}");
        for (state, (at, snapshot)) in side.replay.states.iter().zip(&replayed.looks) {
            let value = serde_json::to_value(snapshot).unwrap();
            let seen = state.has.keys().filter_map(|pointer| {
                let value = value.pointer(pointer)?;
                Some((pointer.clone(), value.clone()))
            });
            let differences = compare(&state.has, &seen.collect(), &Fields::new());
            assert!(differences.is_empty(), "{name} at {at}: {differences:#?}");
        }
    }
}

#[test]
fn the_reference_asks_what_the_recorded_querier_asked() {
    let mut compared = 0;
    for (side, octets) in captures() {
        let Some(together) = &side.replay.beside else {
            continue;
        };
        let trace = read_capture(&octets).unwrap();
        let replayed = play(&side, &trace);
        let of_kind = |beside: &&Beside| beside.kind.starts_with(&together.kind);
        let both = |beside: &&Beside| beside.recorded.is_some() && beside.reference.is_some();
        let pairs: Vec<&Beside> = replayed
            .beside
            .iter()
            .filter(of_kind)
            .filter(both)
            .collect();
        assert_eq!(pairs.len(), together.pairs, "{}", side.capture);
        let differing = pairs.iter().flat_map(|beside| &beside.differences);
        let differing: BTreeSet<String> = differing.map(|d| d.field.clone()).collect();
        assert_eq!(differing, together.differing, "{}", side.capture);
        compared += 1;
    }
    assert!(compared > 0);
}

#[test]
fn the_program_shows_frames_state_and_what_stands_beside() {
    for (side, _) in captures() {
        let capture = format!("corpus/captures/{}", side.capture);
        let Played {
            into,
            port,
            from,
            stands_for,
            ..
        } = &side.replay;
        let mut arguments = vec!["replay", &capture, "--into", into, "--port", port];
        arguments.extend(["--from", from, "--as", stands_for]);
        let output = common::tandem(&arguments);
        assert_eq!(output.status.code(), Some(0), "{}", side.capture);
        let long = common::text(&output);
        assert!(long.contains("(MLD-ROW-"), "{long}");
        assert!(long.contains("display mld group verbose"), "{long}");
        assert!(long.contains("beside the "), "{long}");
        arguments.push("--fast");
        let output = common::tandem(&arguments);
        assert_eq!(output.status.code(), Some(0), "{}", side.capture);
        let short = common::text(&output);
        assert!(!short.contains("(MLD-ROW-") && short.len() < long.len());
    }
}

#[test]
fn what_cant_be_replayed_is_named() {
    let capture = "corpus/captures/linux-listener-mldv2.pcapng";
    let config = "suites/testbeds/replay/mld.cfg";
    let run = |port: &str, from: &str| {
        let options = ["replay", capture, "--into", config];
        let output = common::tandem(&[&options[..], &["--port", port, "--from", from]].concat());
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), text)
    };
    let (code, text) = run("GE0/1/9", "02:00:00:00:10:01");
    assert_eq!(code, Some(2));
    assert!(text.contains("no port `GigabitEthernet0/1/9`"), "{text}");
    let (code, text) = run("GE0/1/2", "02:00:00:00:10:09");
    assert_eq!(code, Some(2));
    assert!(text.contains("(22 frames)"), "{text}");
}

#[test]
fn the_invariants_hold_of_the_recorded_devices() {
    for (side, _) in captures() {
        let capture = format!("corpus/captures/{}", side.capture);
        let roles = side
            .devices
            .iter()
            .flat_map(|(mac, role)| ["--role".to_owned(), format!("{mac}={role}")]);
        let roles: Vec<String> = roles.collect();
        let mut arguments = vec!["judge", capture.as_str()];
        arguments.extend(roles.iter().map(String::as_str));
        let output = common::tandem(&arguments);
        assert_eq!(output.status.code(), Some(0), "{}", common::text(&output));
    }
}
