//! Proves the direction between the crates: the reference never needs the harness, protocol crates
//! don't see each other, and the harness sees of the reference only the contract.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod common;

use std::collections::BTreeMap;
use std::process::Command;

/// Crates of the reference that speak a protocol each.
const PROTOCOLS: [&str; 4] = ["dut-lacp", "dut-etrunk", "dut-rbs", "dut-mld"];
/// Crates that may see the whole reference.
const SEE_ALL: [&str; 3] = ["harness-cli", "harness-defects", "harness-fuzz"];

/// Workspace crates with the workspace crates that they need (not for their tests).
fn needs() -> BTreeMap<String, Vec<String>> {
    let output = Command::new(env!("CARGO"))
        .current_dir(common::root())
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let names: Vec<&str> = packages
        .iter()
        .map(|p| p["name"].as_str().unwrap())
        .collect();
    let mut needs = BTreeMap::new();
    for package in packages {
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        let of_workspace = dependencies
            .filter(|dependency| dependency["kind"].is_null())
            .map(|dependency| dependency["name"].as_str().unwrap().to_owned())
            .filter(|name| names.contains(&name.as_str()))
            .collect();
        needs.insert(package["name"].as_str().unwrap().to_owned(), of_workspace);
    }
    needs
}

#[test]
fn the_reference_never_needs_the_harness() {
    for (name, needed) in needs().iter().filter(|(name, _)| name.starts_with("dut-")) {
        let wrong = needed
            .iter()
            .find(|n| n.starts_with("harness-") || *n == "reports");
        assert!(wrong.is_none(), "{name} needs {wrong:?}");
    }
}

#[test]
fn protocol_crates_do_not_see_each_other() {
    for (name, needed) in needs() {
        if PROTOCOLS.contains(&name.as_str()) {
            let wrong = needed.iter().find(|n| PROTOCOLS.contains(&n.as_str()));
            assert!(wrong.is_none(), "{name} needs {wrong:?}");
        }
    }
}

#[test]
fn the_harness_sees_only_the_contract() {
    for (name, needed) in needs() {
        let tester = name.starts_with("harness-") || name == "reports";
        if tester && !SEE_ALL.contains(&name.as_str()) {
            let wrong = needed
                .iter()
                .find(|n| n.starts_with("dut-") && *n != "dut-device");
            assert!(wrong.is_none(), "{name} needs {wrong:?}");
        }
    }
}

#[test]
fn crate_names_equal_their_paths() {
    let root = common::root();
    for name in needs().keys() {
        let path = match name.split_once('-') {
            Some((world, rest)) => root.join(world).join(rest),
            None => root.join(name),
        };
        if !path.join("Cargo.toml").is_file() {
            panic!("{name} is not in {}", path.display());
        }
    }
}
