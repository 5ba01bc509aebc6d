//! Proves the commands beside `run`: the console on a simulated network, the check of a pair's
//! files, the lists, and that bad input is an error with what would be right.

mod common;

use std::io::Write;
use std::process::{Command, Stdio};

#[test]
fn a_script_cuts_a_link_and_sees_the_backup_take_over() {
    let output = common::tandem(&[
        "lab",
        "suites/testbeds/seed-twin",
        "--exec",
        "H1: join ff1e::1",
        "--exec",
        "run 1s",
        "--exec",
        "cut A-C",
        "--exec",
        "run 1s",
        "--exec",
        "DeviceB: display e-trunk 1",
        "--exec",
        "DeviceB: display mld group",
    ]);
    let said = common::text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        said.contains("State : Master") && said.contains("PEER_MEMBER_DOWN"),
        "{said}"
    );
    assert!(said.contains("FF1E::1"), "{said}");
}

#[test]
fn the_console_reads_lines_and_complains_of_what_it_does_not_know() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tandem"))
        .current_dir(common::root())
        .args(["lab", "suites/testbeds/seed-twin", "--log"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let lines =
        "names\ncrash DeviceA\nrun 25s\nDeviceB: display e-trunk brief\nfly DeviceB\nquit\n";
    child
        .stdin
        .take()
        .expect("a pipe")
        .write_all(lines.as_bytes())
        .expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let said = common::text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        said.contains("links: A-B, A-C") && said.contains("TIMEOUT"),
        "{said}"
    );
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        complaint.contains("`fly DeviceB` is no command here"),
        "{complaint}"
    );
}

#[test]
fn the_seeds_contradictions_are_found_and_the_twin_has_none() {
    let seed: Vec<String> = ["A", "B", "C", "D"]
        .map(|d| format!("suites/testbeds/seed/Device{d}.cfg"))
        .into();
    let mut arguments = vec!["check"];
    arguments.extend(seed.iter().map(String::as_str));
    let output = common::tandem(&arguments);
    let said = common::text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for wanted in [
        "elect DeviceB",
        "00e0-fc12-3456",
        "2001:DB8:35::3/64",
        "`lacp priority` is inert",
        "IS-IS process 1",
        "20.0 s",
    ] {
        assert!(said.contains(wanted), "`{wanted}` is missing in:\n{said}");
    }
    let twin = [
        "suites/testbeds/seed-twin/DeviceA.cfg",
        "suites/testbeds/seed-twin/DeviceB.cfg",
    ];
    let output = common::tandem(&["check", twin[0], twin[1]]);
    assert_eq!(output.status.code(), Some(0), "{}", common::text(&output));
}

#[test]
fn a_mistake_in_a_configuration_has_file_line_and_column() {
    let folder = common::folder("bad-configuration");
    let file = folder.join("bad.cfg").display().to_string();
    std::fs::write(
        &file,
        "#\nsysname X\n#\ne-trunk 1\n priority 300\n sequnce enable\n#\nreturn\n",
    )
    .expect("a file is written");
    let output = common::tandem(&["check", &file, &file]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    for wanted in ["bad.cfg:5:", "bad.cfg:6:", "254", "sequence enable"] {
        assert!(said.contains(wanted), "`{wanted}` is missing in:\n{said}");
    }
}

#[test]
fn lists_and_field_names_are_printed() {
    let output = common::tandem(&["list", "lacp", "--format", "json"]);
    let cases: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let cases = cases.as_array().expect("an array");
    assert!(
        cases
            .iter()
            .all(|case| case.get("suite") == Some(&"lacp".into()))
    );
    assert!(!cases.is_empty());
    let names = common::text(&common::tandem(&["fields", "lacpdu"]));
    assert!(
        names.lines().any(|name| name == "actor.synchronization"),
        "{names}"
    );
    let output = common::tandem(&["fields", "lacpdoo"]);
    assert_eq!(output.status.code(), Some(2));
}
