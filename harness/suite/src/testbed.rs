//! Testbeds of devices on wires: what stands in `suites/testbeds/NAME.yaml`.

use crate::bed::{Bed, Observer};
use crate::expand::{ExpandedCase, fill, plain};
use crate::step::{Fields, Step, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU8;

/// A device on wires: how it is started, set, looked into and stopped, and what it claims.
///
/// Hooks are shell scripts. They run within the device's network namespace where Tandem makes one,
/// in a folder of the bed's own, and know: `RUN` that folder, `BED` the bed's number, `TESTBED` the
/// folder of the testbed's file, `TANDEM` this program, `NS` and `TESTER_NS` the namespaces, and
/// the interface of each port `p1` as `IF_p1`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Testbed {
    /// What it is.
    pub title: String,
    /// The device's name, as a folder's name in `reports/published`.
    pub device: String,
    /// Shell script that prints the device's version on its first line.
    pub version: Option<String>,
    /// The simulated testbeds whose cases this one can run.
    pub stands_for: Vec<String>,
    /// The device is the reference as a process, `tandem dut`, configured by the simulated
    /// testbed's own files and knobs; no hook is needed.
    pub reference: bool,
    /// Who makes the links.
    pub wires: Wires,
    /// The tester's ports that are wired, by their name in cases.
    pub ports: BTreeMap<String, TestbedPort>,
    /// Programs that the hooks need.
    pub programs: Vec<String>,
    /// Debian packages that hold them.
    pub packages: Vec<String>,
    /// Shell script that installs what is missing, where packages alone don't do.
    pub install: Option<String>,
    /// Once a bed, before its first case.
    pub setup: Option<String>,
    /// Before each case, after the scripts of its settings, in one shell with them: the device
    /// comes up fresh. Captures are open before it begins.
    pub start: Option<String>,
    /// After each case: the device falls silent.
    pub stop: Option<String>,
    /// Brings a bed whose device died or whose hook failed back to where `setup` left it; default
    /// `teardown`, then `setup`.
    pub reset: Option<String>,
    /// Fails when the device has died; after each case.
    pub health: Option<String>,
    /// Once a bed, after its last case. Processes in its namespaces are ended anyway.
    pub teardown: Option<String>,
    /// How many beds run side by side where the command line doesn't say; default 8. Most cases
    /// wait: what a device needs of the processors decides.
    pub beds: Option<NonZeroU8>,
    /// No hook takes longer (default 10 s).
    pub hook_limit: Option<Time>,
    /// Hooks and link changes are texts that a person is shown, who presses Enter when done.
    pub manual: bool,
    /// What the device can be set to: setting → value → shell script, run before `start` in one
    /// shell. `any` stands for every other value, in which `$value` is it, and of a duration
    /// `$seconds`, `$tenths` and `$ms` are it in these units. A case with another value isn't
    /// applicable.
    pub knobs: BTreeMap<String, BTreeMap<String, String>>,
    /// Shell scripts that print a node's state as JSON in the standard's names, by node.
    pub probes: BTreeMap<String, String>,
    /// What the device's state can be judged by here; all when none is named.
    pub observers: Vec<Observer>,
    /// Shell script that does a case's `listen` step: `$LISTEN` is `SOCKET GROUP MODE [SOURCE,…]`.
    /// A device without one has no sockets that a case may use.
    pub listen: Option<String>,
    /// What can be done to a node besides frames (`crash`, `hang`, `resume`, `restart`), by action.
    pub actions: BTreeMap<String, String>,
    /// Default values of the tester's frames here, over those of the simulated testbed.
    pub frames: BTreeMap<String, Fields>,
    /// Constants with another value here.
    pub constants: BTreeMap<String, Time>,
    /// Time in which the device comes up before the first step (default the simulated testbed's).
    pub settle: Option<Time>,
    /// What the device doesn't claim: its cases aren't applicable.
    pub unclaimed: Vec<Remark>,
    /// What the device is known to do otherwise: its cases must fail.
    pub deviations: Vec<Remark>,
    /// A clock of the device's own that hooks stop and move.
    pub clock: Option<VirtualClock>,
}

/// Who makes the links of a testbed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Wires {
    /// Tandem: a pair of network namespaces a bed, a veth pair a port.
    #[default]
    Veth,
    /// They are there: each port names the tester's interface. One bed, in this namespace.
    Interfaces,
}

/// A wired port.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TestbedPort {
    /// With veth the device's interface (default the port's name), else the tester's own.
    pub interface: Option<String>,
}

/// Cases, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Remark {
    /// Id of a case, of one of its variants, or the ids' beginning with a `*` at the end.
    pub case: String,
    /// Why, for the report.
    pub reason: String,
}

/// Hooks of a device whose clock can be stopped and moved. A warp is done when the device's clock
/// shows it; the barrier follows each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct VirtualClock {
    /// Shell script of a process that lives as long as the bed. Then `stop`, `warp` and `barrier`
    /// are no scripts: each of their lines is a line that it is fed, and it answers each with one
    /// line that begins with `ok`, or says what is wrong. Far faster than a hook a warp.
    pub process: Option<String>,
    /// Stops the clock.
    pub stop: String,
    /// Moves it by `$ms` milliseconds.
    pub warp: String,
    /// Returns when the device has taken what had arrived.
    pub barrier: String,
    /// The longest single warp (default 100 ms).
    pub step: Option<Time>,
}

impl VirtualClock {
    fn mistakes(&self, of_no_hooks: bool) -> Vec<String> {
        let mut mistakes = Vec::new();
        if of_no_hooks {
            mistakes.push("clock: only a device with hooks has one".to_owned());
        }
        for (name, text) in [
            ("stop", &self.stop),
            ("warp", &self.warp),
            ("barrier", &self.barrier),
        ] {
            if text.trim().is_empty() {
                mistakes.push(format!("clock: {name} is missing"));
            }
        }
        if !self.warp.contains("$ms") {
            mistakes.push("clock: warp says nowhere by how much: $ms".to_owned());
        }
        mistakes
    }
}

impl Remark {
    /// Whether it speaks of a case.
    #[must_use]
    pub fn of(&self, id: &str) -> bool {
        match self.case.strip_suffix('*') {
            Some(beginning) => id.starts_with(beginning),
            None => id == self.case || id.split('#').next() == Some(&self.case),
        }
    }
}

impl Testbed {
    /// The shell scripts that a case's settings mean, in the settings' order.
    ///
    /// # Errors
    /// The setting that the device can't be given.
    pub fn set(&self, settings: &Fields) -> Result<String, String> {
        let mut script = String::new();
        for (name, value) in settings {
            let value = plain(value);
            let values = self.knobs.get(name);
            let found = values.and_then(|v| v.get(&value).or_else(|| v.get("any")));
            let found = found.ok_or_else(|| format!("{name} can't be set to {value}"))?;
            script.push_str(&fill(found, &value));
            script.push('\n');
        }
        Ok(script)
    }

    /// Why a case can't be run here, in words; `None` when it can.
    #[must_use]
    pub fn inapplicable(&self, case: &ExpandedCase, bed: &Bed) -> Option<String> {
        if let Some(remark) = self.unclaimed.iter().find(|remark| remark.of(&case.id)) {
            return Some(format!("not claimed: {}", remark.reason));
        }
        if !bed.is_alone() && !self.reference {
            return Some(format!("`{}` has several devices", case.testbed));
        }
        // The reference can be judged by what its simulated bed offers.
        let offered = if self.reference {
            &bed.observers
        } else {
            &self.observers
        };
        if let Some(why) = case.beyond(offered) {
            return Some(why);
        }
        if case.needs.virtual_time && self.clock.is_none() {
            return Some("it needs virtual time".to_owned());
        }
        if !self.reference
            && let Err(why) = self.set(&case.settings)
        {
            return Some(why);
        }
        let mut ports = BTreeSet::new();
        for located in &case.steps {
            ports.extend(located.step.ports());
            if let Some(why) = self.lacks(&located.step, bed) {
                return Some(why);
            }
        }
        let known = |port: &str| match bed.is_alone() {
            true => self.ports.contains_key(port),
            false => bed.ports.contains_key(port) || bed.links.contains_key(port),
        };
        let missing = ports.iter().find(|port| !known(port));
        missing.map(|port| format!("it uses port {port}; there are {} ports", self.ports.len()))
    }

    fn lacks(&self, step: &Step, bed: &Bed) -> Option<String> {
        let between = |link: &String| bed.links.contains_key(link);
        let what = match step {
            Step::State(state) if !self.reference && !self.probes.contains_key(&state.node) => {
                "it looks into the device, which has no probe".to_owned()
            }
            Step::Node(node) if !self.reference => {
                let action = serde_json::to_value(node.action).unwrap_or_default();
                let action = plain(&action);
                if self.actions.contains_key(&action) {
                    return None;
                }
                format!("the device has no hook for {action}")
            }
            Step::Command(_) | Step::Display(_) if !self.reference => {
                "it uses the reference's command line".to_owned()
            }
            Step::Listen(_) if !self.reference && self.listen.is_none() => {
                "it uses a listener's sockets".to_owned()
            }
            Step::Repeat(repeat) => {
                return repeat.steps.iter().find_map(|step| self.lacks(step, bed));
            }
            Step::Fault(_) if !self.reference => "it needs a faulty link".to_owned(),
            Step::Fault(fault) if fault.links.is_empty() || !fault.links.iter().all(between) => {
                "on wires only links between devices have faults".to_owned()
            }
            Step::Equal(_) | Step::Loss(_) if !self.reference => "it is about a pair".to_owned(),
            Step::State(_)
            | Step::Node(_)
            | Step::Command(_)
            | Step::Display(_)
            | Step::Fault(_)
            | Step::Heal(_)
            | Step::Send(_)
            | Step::Expect(_)
            | Step::Never(_)
            | Step::Among(_)
            | Step::Choice(_)
            | Step::Count(_)
            | Step::Wait(_)
            | Step::WaitUntil(_)
            | Step::Mark(_)
            | Step::Link(_)
            | Step::Partner(_)
            | Step::Neighbor(_)
            | Step::EtrunkPeer(_)
            | Step::RbsPeer(_)
            | Step::Listen(_)
            | Step::Sample(_)
            | Step::Classify(_)
            | Step::Collect(_)
            | Step::Uniform(_)
            | Step::Equal(_)
            | Step::Loss(_)
            | Step::Stream(_) => return None,
        };
        Some(what)
    }

    /// What is wrong with it beside its syntax.
    #[must_use]
    pub fn mistakes(&self, beds: &BTreeMap<String, (std::path::PathBuf, Bed)>) -> Vec<String> {
        let mut mistakes = Vec::new();
        for name in &self.stands_for {
            let Some((_, bed)) = beds.get(name) else {
                let known: Vec<&str> = beds.keys().map(String::as_str).collect();
                let known = known.join(", ");
                mistakes.push(format!(
                    "stands-for: no testbed `{name}`; there are {known}"
                ));
                continue;
            };
            // The reference has a bed's ports as far as they go.
            let unknown = |port: &&String| !self.reference && !bed.ports.contains_key(*port);
            for port in self.ports.keys().filter(unknown) {
                mistakes.push(format!("ports: `{name}` has no port `{port}`"));
            }
        }
        let stood_for = || self.stands_for.iter().filter_map(|name| beds.get(name));
        let known: BTreeSet<&String> = stood_for().flat_map(|(_, bed)| bed.knobs.keys()).collect();
        for knob in self.knobs.keys().filter(|knob| !known.contains(knob)) {
            let names = self.stands_for.join("`, `");
            let known: Vec<&str> = known.iter().map(|name| name.as_str()).collect();
            let known = known.join(", ");
            mistakes.push(format!("knobs: `{names}` has no `{knob}`; it has {known}"));
        }
        if self.stands_for.is_empty() {
            mistakes.push("stands-for: names no testbed whose cases it can run".to_owned());
        }
        if self.ports.is_empty() {
            mistakes.push("ports: there is none".to_owned());
        }
        if !self.reference && !self.manual && self.start.is_none() {
            mistakes.push("start: nothing brings the device up".to_owned());
        }
        for (name, remarks) in [
            ("unclaimed", &self.unclaimed),
            ("deviations", &self.deviations),
        ] {
            for remark in remarks.iter().filter(|r| r.reason.trim().is_empty()) {
                mistakes.push(format!("{name}: `{}` gives no reason", remark.case));
            }
        }
        if let Some(clock) = &self.clock {
            mistakes.extend(clock.mistakes(self.manual || self.reference));
        }
        for action in self.actions.keys() {
            if !["crash", "hang", "resume", "restart"].contains(&action.as_str()) {
                let what = format!("actions: `{action}` is none of crash, hang, resume, restart");
                mistakes.push(what);
            }
        }
        mistakes
    }
}
