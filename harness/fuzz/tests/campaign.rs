//! Campaigns against the simulated reference and seeded faults of the simulation: they repeat
//! themselves, are clean on the reference, and what they find can be written, read and repeated.

use dut_device::{
    BuildSpec, Control, ControlError, Device, Event, Instant, PortId, PortInfo, Transmit, TxId,
};
use harness_fuzz::beds::reference;
use harness_fuzz::campaign::{Budget, Devices, Options, Report, campaign};
use harness_fuzz::finding::replay;
use harness_fuzz::plan::{Protocol, drawn, plan};
use harness_fuzz::player::Player;
use harness_run::Factory;
use harness_suite::Step;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

fn options(protocol: Protocol, cases: u64) -> Options {
    Options {
        repeat: 2,
        ..Options::new(protocol, 5, Budget::Cases(cases))
    }
}

fn on_reference(protocol: Protocol, cases: u64) -> std::io::Result<Report> {
    let devices = Devices {
        under_test: vec![Player::simulated(reference())],
        reference: None,
    };
    campaign(&options(protocol, cases), &devices, &|_| {})
}

/// A reference device whose LACP answers too late to a short timeout: another configuration, which
/// the oracles must tell from the right one.
fn slow_device() -> Factory {
    Arc::new(|spec: &BuildSpec| {
        let mut spec = spec.clone();
        for (_, text) in &mut spec.configuration {
            *text = text.replace("lacp timeout fast", "lacp timeout slow");
        }
        let node: Box<dyn Device> =
            Box::new(dut_node::build(&spec).map_err(|error| error.to_string())?);
        Ok(node)
    })
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("tandem-fuzz-{}-{name}", std::process::id()));
    drop(fs::remove_dir_all(&folder));
    folder
}

/// Proves that the oracles have nothing against the reference in a short campaign of each
/// protocol: a finding there is a device's defect or a model's mistake.
#[test]
fn the_reference_is_clean() {
    for (protocol, cases) in [
        (Protocol::Lacp, 60),
        (Protocol::Mld, 15),
        (Protocol::Etrunk, 60),
        (Protocol::Rbs, 60),
    ] {
        let report = on_reference(protocol, cases).unwrap();
        let found: Vec<_> = report.groups.iter().map(|group| &group.found).collect();
        assert!(found.is_empty(), "{}: {found:?}", protocol.name());
        assert!(report.errors.is_empty(), "{:?}", report.errors);
    }
}

/// Proves that two campaigns of a seed leave equal files, and that a finding read back repeats
/// itself on the device that has it and not on the reference.
#[test]
fn findings_repeat_themselves() {
    let devices = Devices {
        under_test: vec![Player::simulated(slow_device())],
        reference: Some(Player::simulated(reference())),
    };
    let run = |name: &str| {
        let folder = folder(name);
        let options = Options {
            folder: Some(folder.clone()),
            ..options(Protocol::Lacp, 6)
        };
        let report = campaign(&options, &devices, &|_| {}).unwrap();
        assert!(
            !report.groups.is_empty(),
            "a device with long timeouts isn't told apart"
        );
        folder
    };
    let (one, two) = (run("one"), run("two"));
    let mut names: Vec<_> = fs::read_dir(&one)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert!(names.len() >= 4, "{names:?}");
    for name in &names {
        assert_eq!(
            fs::read(one.join(name)).unwrap(),
            fs::read(two.join(name)).unwrap(),
            "{name:?}"
        );
    }
    let case = names
        .iter()
        .find(|name| name.to_string_lossy().ends_with(".yaml"))
        .unwrap();
    let (record, ran) = replay(&one.join(case), &Player::simulated(slow_device())).unwrap();
    assert_eq!(ran.found.unwrap().key(), record.found.key());
    let (_, ran) = replay(&one.join(case), &Player::simulated(reference())).unwrap();
    assert_eq!(ran.found, None);
    for folder in [one, two] {
        fs::remove_dir_all(folder).unwrap();
    }
}

/// A reference device that takes commands and does nothing about them.
#[derive(Debug)]
struct Deaf(dut_node::Node);

impl Device for Deaf {
    fn ports(&self) -> &[PortInfo] {
        self.0.ports()
    }

    fn handle_frame(&mut self, now: Instant, port: PortId, frame: &[u8]) {
        self.0.handle_frame(now, port, frame);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.0.handle_timeout(now);
    }

    fn handle_control(&mut self, now: Instant, control: &Control) -> Result<(), ControlError> {
        match control {
            Control::Command(_) => Ok(()),
            Control::LinkUp(_) | Control::LinkDown(_) => self.0.handle_control(now, control),
        }
    }

    fn handle_transmitted(&mut self, at: Instant, tx: TxId) {
        self.0.handle_transmitted(at, tx);
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        self.0.poll_transmit()
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.0.poll_event()
    }

    fn next_timeout(&self) -> Option<Instant> {
        self.0.next_timeout()
    }
}

/// Proves that the oracles hold a device to the commands that it takes: one that does nothing
/// about them is found in each protocol that has any.
#[test]
fn a_device_deaf_to_commands_is_found() {
    let deaf: Factory = Arc::new(|spec: &BuildSpec| {
        let node: Box<dyn Device> = Box::new(Deaf(
            dut_node::build(spec).map_err(|error| error.to_string())?,
        ));
        Ok(node)
    });
    for protocol in [Protocol::Lacp, Protocol::Etrunk, Protocol::Rbs] {
        let devices = Devices {
            under_test: vec![Player::simulated(Arc::clone(&deaf))],
            reference: Some(Player::simulated(reference())),
        };
        let options = Options {
            first: true,
            ..options(protocol, 40)
        };
        let report = campaign(&options, &devices, &|_| {}).unwrap();
        assert!(!report.groups.is_empty(), "{}", protocol.name());
    }
}

/// Proves that plans for devices that others wrote hold none of the reference's commands, and that
/// commands come after all that was drawn before them: octets that end there give one plan.
#[test]
fn commands_are_drawn_last() {
    let octets: Vec<u8> = (0..4096_u32)
        .map(|n| (n * n / 7).to_be_bytes()[3])
        .collect();
    let commands = |steps: &[Step]| {
        let is = |step: &&Step| matches!(step, Step::Command(_));
        steps.iter().filter(is).count()
    };
    let mut most = 0;
    for protocol in [Protocol::Lacp, Protocol::Etrunk, Protocol::Rbs] {
        assert_eq!(plan(protocol, &[]), drawn(protocol, &[], false));
        for from in (0..2048).step_by(16) {
            let octets = &octets[from..];
            assert_eq!(commands(&drawn(protocol, octets, false).steps), 0);
            most = most.max(commands(&plan(protocol, octets).steps));
        }
    }
    assert!(most > 2, "{most} commands at most");
}
