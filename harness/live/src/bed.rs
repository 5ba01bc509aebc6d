//! A live bed: wires, open ports, and the device behind them from one case to the next.

use crate::clock::Clock;
use crate::control::{Answer, Request};
use crate::hook::Hooks;
use crate::netns::{Namespaces, enter};
use crate::port::{Counters, Port, drain};
use crate::reference::{Process, Reference, set_link};
use crate::warp::Warp;
use dut_device::Instant;
use harness_suite::{
    Bed, ExpandedCase, Expression, NodeAction, Scope, Testbed, VirtualClock, Wires,
};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A testbed ready to be used by a run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// What its file says, with the command line's interfaces.
    pub testbed: Testbed,
    /// This program, for processes of the reference and for hooks.
    pub program: PathBuf,
    /// How inexact times are on this host.
    pub tolerance: Duration,
}

/// The longest single warp where the testbed says none.
const STEP: Duration = Duration::from_millis(100);

/// The shortest warp: devices count in milliseconds.
const SHORTEST: Duration = Duration::from_millis(1);

impl Plan {
    /// The longest single warp of a device's clock: what it makes the device late by at most.
    ///
    /// # Errors
    /// A step that is no time.
    pub fn step(&self, clock: &VirtualClock) -> Result<Duration, String> {
        let step = Self::time(clock.step.as_deref(), STEP)?;
        let ms = u64::try_from(step.as_millis()).unwrap_or(u64::MAX);
        Ok(Duration::from_millis(ms).max(SHORTEST))
    }

    pub(crate) fn time(text: Option<&str>, default: Duration) -> Result<Duration, String> {
        let Some(text) = text else { return Ok(default) };
        let value = Expression::parse(text).and_then(|e| e.duration(&Scope::new()));
        value.map_err(|error| format!("{text}: {error}"))
    }
}

/// One bed.
#[derive(Debug)]
pub(crate) struct LiveBed<'a> {
    pub(crate) plan: &'a Plan,
    hooks: Hooks,
    /// Tester's port names, as the ports' indices.
    pub(crate) names: Vec<String>,
    /// Tester's port and interface of the device.
    links: Vec<(String, String)>,
    pub(crate) ports: Vec<Port>,
    reference: Option<Reference>,
    /// The device's clock, where the run moves it.
    pub(crate) warp: Option<Warp>,
    /// The bed is set up.
    ready: bool,
    /// Interfaces of the tester that a case has taken down.
    down: Vec<String>,
    // Last: everything that uses the namespaces goes before them.
    namespaces: Option<Namespaces>,
}

/// Octets of a capture buffer for one port of a suite's bed.
const BUFFER: i32 = 8 << 20;

impl<'a> LiveBed<'a> {
    /// Makes the wires, opens the captures, shows that they see frames, and sets the device up. The
    /// calling thread is moved into the tester's namespace.
    pub(crate) async fn make(plan: &'a Plan, number: usize) -> Result<Self, String> {
        let testbed = &plan.testbed;
        let names: Vec<String> = testbed.ports.keys().cloned().collect();
        let near: Vec<String> = (testbed.ports.iter())
            .map(|(name, port)| port.interface.clone().unwrap_or_else(|| name.clone()))
            .collect();
        let (namespaces, folder, own) = match testbed.wires {
            Wires::Veth => {
                let made = Namespaces::make(number, &near)?;
                enter(&made.tester())?;
                let own = made.links().iter().map(|(_, own)| own.clone()).collect();
                let folder = made.folder().to_path_buf();
                (Some(made), folder, own)
            }
            Wires::Interfaces => {
                let folder = std::env::temp_dir().join(format!("tandem-bench-{number}"));
                let made = std::fs::create_dir_all(&folder);
                made.map_err(|error| format!("{}: {error}", folder.display()))?;
                (None, folder, near.clone())
            }
        };
        let mut ports = Vec::new();
        for interface in &own {
            ports.push(Port::open(interface, BUFFER).map_err(|error| error.to_string())?);
        }
        if let Some(namespaces) = &namespaces {
            barrier(&namespaces.device(), &near, &mut ports)?;
        }
        let mut variables = vec![
            ("RUN".to_owned(), folder.display().to_string()),
            ("BED".to_owned(), number.to_string()),
            ("TESTBED".to_owned(), plan.folder.display().to_string()),
            ("TANDEM".to_owned(), plan.program.display().to_string()),
        ];
        if let Some(namespaces) = &namespaces {
            variables.push(("NS".to_owned(), namespaces.device()));
            variables.push(("TESTER_NS".to_owned(), namespaces.tester()));
        }
        for (name, interface) in names.iter().zip(&near) {
            variables.push((format!("IF_{name}"), interface.clone()));
        }
        let hooks = Hooks {
            namespace: namespaces.as_ref().map(Namespaces::device),
            folder,
            variables,
            limit: Plan::time(testbed.hook_limit.as_deref(), Duration::from_secs(10))?,
            manual: testbed.manual,
        };
        let mut bed = Self {
            plan,
            hooks,
            links: names.iter().cloned().zip(near).collect(),
            names,
            ports,
            reference: None,
            warp: None,
            ready: false,
            down: Vec::new(),
            namespaces,
        };
        bed.set_up().await?;
        Ok(bed)
    }

    async fn hook(&self, name: &str, script: Option<&String>) -> Result<String, String> {
        match script {
            Some(script) => {
                let ran = self.hooks.run(name, script).await;
                ran.map_err(|error| error.to_string())
            }
            None => Ok(String::new()),
        }
    }

    async fn set_up(&mut self) -> Result<(), String> {
        self.hook("setup", self.plan.testbed.setup.as_ref()).await?;
        self.stop_clock().await?;
        self.ready = true;
        Ok(())
    }

    async fn stop_clock(&mut self) -> Result<(), String> {
        // An old process of it ends first.
        self.warp = None;
        if let Some(clock) = &self.plan.testbed.clock {
            let step = self.plan.step(clock)?;
            self.warp = Some(Warp::stop(clock.clone(), step, &self.hooks).await?);
        }
        Ok(())
    }

    /// The device takes what has arrived; nothing to do where its clock runs by itself.
    pub(crate) async fn barrier(&mut self) -> Result<(), String> {
        match &mut self.warp {
            Some(warp) => warp.barrier(&self.hooks).await,
            None => Ok(()),
        }
    }

    /// Moves the device's clock towards `due`.
    pub(crate) async fn advance(&mut self, due: Option<Instant>) -> Result<(), String> {
        match &mut self.warp {
            Some(warp) => warp.towards(due, &self.hooks).await,
            None => Ok(()),
        }
    }

    /// Brings a bed whose device died back; it stays unusable when that fails.
    pub(crate) async fn reset(&mut self) -> Result<(), String> {
        self.ready = false;
        if let Some(mut reference) = self.reference.take() {
            reference.kill().await;
        }
        let testbed = &self.plan.testbed;
        if testbed.reset.is_some() {
            self.hook("reset", testbed.reset.as_ref()).await?;
            self.stop_clock().await?;
            self.ready = true;
            return Ok(());
        }
        // What is to be torn down may be gone.
        drop(self.hook("teardown", testbed.teardown.as_ref()).await);
        self.set_up().await
    }

    pub(crate) const fn is_ready(&self) -> bool {
        self.ready
    }

    /// The device comes up fresh with a case's settings; when it was up.
    pub(crate) async fn start(
        &mut self,
        case: &ExpandedCase,
        (bed_folder, bed): (&Path, &Bed),
        seed: u64,
        clock: &Clock,
    ) -> Result<Instant, String> {
        if self.plan.testbed.reference {
            let namespace = self.namespaces.as_ref().map(Namespaces::device);
            let namespace = namespace.ok_or("a reference device needs veth wires")?;
            let place = (
                self.plan.program.as_path(),
                namespace.as_str(),
                self.hooks.folder.as_path(),
            );
            let process = Process::of(bed, bed_folder, case, seed, &self.links, place)?;
            let reference = Reference::start(process).await?;
            let reference = self.reference.insert(reference);
            let up = clock.now();
            reference.begin().await?;
            return Ok(up);
        }
        let mut script = self.plan.testbed.set(&case.settings)?;
        script.push_str(self.plan.testbed.start.as_deref().unwrap_or_default());
        self.hook("start", Some(&script)).await?;
        Ok(self.warp.as_ref().map_or_else(|| clock.now(), Warp::now))
    }

    /// Why the device lives no longer, if so.
    pub(crate) async fn dead(&mut self) -> Option<String> {
        if let Some(reference) = &mut self.reference {
            return reference.died();
        }
        let health = self.plan.testbed.health.as_ref();
        self.hook("health", health).await.err()
    }

    /// The device falls silent, and the links are whole again.
    pub(crate) async fn stop(&mut self) -> Result<(), String> {
        let taken = self.reference.take();
        if let Some(mut reference) = taken {
            let crashed = !reference.is_up();
            reference.kill().await;
            if crashed {
                for (_, interface) in &self.links {
                    self.set(interface, true, true).await?;
                }
            }
        }
        for interface in std::mem::take(&mut self.down) {
            self.set(&interface, true, false).await?;
        }
        let stop = self.plan.testbed.stop.as_ref();
        self.hook("stop", stop).await.map(drop)
    }

    async fn set(&self, interface: &str, up: bool, of_device: bool) -> Result<(), String> {
        let state = if up { "up" } else { "down" };
        match &self.namespaces {
            Some(namespaces) => {
                let namespace = if of_device {
                    namespaces.device()
                } else {
                    namespaces.tester()
                };
                set_link(&namespace, interface, state).await
            }
            None if self.plan.testbed.manual => {
                let verb = if up { "Plug" } else { "Unplug" };
                let text = format!("{verb} the link at this host's interface {interface}.");
                self.hook("link", Some(&text)).await.map(drop)
            }
            None => {
                let args = ["link", "set", interface, state];
                crate::netns::run("ip", &args).map(drop)
            }
        }
    }

    /// Takes the carrier of a tester's port away or gives it back.
    pub(crate) async fn link(&mut self, name: &str, up: bool) -> Result<(), String> {
        let index = self.names.iter().position(|known| known == name);
        let port = index.and_then(|index| self.ports.get(index));
        let port = port.ok_or_else(|| format!("no port `{name}`"))?;
        let interface = port.interface().to_owned();
        self.set(&interface, up, false).await?;
        self.down.retain(|down| *down != interface);
        if !up {
            self.down.push(interface);
        }
        Ok(())
    }

    /// Crashes, hangs, resumes or restarts the device.
    pub(crate) async fn act(&mut self, action: NodeAction) -> Result<(), String> {
        if let Some(reference) = &mut self.reference {
            return reference.act(action).await;
        }
        let name = serde_json::to_value(action).unwrap_or_default();
        let name = name.as_str().unwrap_or_default();
        let script = self.plan.testbed.actions.get(name);
        if script.is_none() {
            return Err(format!("the testbed has no hook for {name}"));
        }
        self.hook(name, script).await.map(drop)
    }

    /// The device's state as JSON; `None` of a device that has crashed.
    pub(crate) async fn probe(&mut self, node: &str) -> Result<Option<serde_json::Value>, String> {
        if let Some(reference) = &mut self.reference {
            if !reference.is_up() {
                return Ok(None);
            }
            return match reference.ask(&Request::Snapshot).await? {
                Answer::State(state) => Ok(Some(state)),
                Answer::Refused(why) => Err(why),
                Answer::Done | Answer::Text(_) => Err("an answer to another question".to_owned()),
            };
        }
        let probe = self.plan.testbed.probes.get(node);
        let text = self.hook("probe", probe).await?;
        let value = serde_json::from_str(&text);
        value
            .map_err(|error| format!("the probe printed no JSON: {error}"))
            .map(Some)
    }

    /// Gives the reference a command, or a `display` command whose output it gives.
    pub(crate) async fn ask(&mut self, request: &Request) -> Result<String, String> {
        let reference = self.reference.as_mut();
        let reference = reference.ok_or("only the reference takes commands")?;
        match reference.ask(request).await? {
            Answer::Done => Ok(String::new()),
            Answer::Text(text) => Ok(text),
            Answer::Refused(why) => Err(why),
            Answer::State(_) => Err("an answer to another question".to_owned()),
        }
    }

    /// What the ports have lost so far.
    pub(crate) fn counters(&mut self) -> Vec<Counters> {
        self.ports.iter_mut().map(Port::counters).collect()
    }

    /// Forgets what has arrived.
    pub(crate) fn forget(&mut self, clock: &Clock) -> Result<(), String> {
        loop {
            let arrived = drain(&mut self.ports, clock).map_err(|error| error.to_string())?;
            if arrived.is_empty() {
                return Ok(());
            }
        }
    }

    /// Ends it; what its last hook says.
    pub(crate) async fn tear_down(mut self) -> Result<(), String> {
        if let Some(mut reference) = self.reference.take() {
            reference.kill().await;
        }
        let teardown = self.plan.testbed.teardown.as_ref();
        self.hook("teardown", teardown).await.map(drop)
    }
}

/// EtherType for local experiments (IEEE 802): no device does anything about it.
const EXPERIMENT: [u8; 2] = [0x88, 0xb5];

/// Sends a frame from each of the device's interfaces and waits until the captures show them: what
/// the device sends from now on is seen.
fn barrier(namespace: &str, interfaces: &[String], ports: &mut [Port]) -> Result<(), String> {
    let clock = Clock::starting_now();
    let (namespace, interfaces) = (namespace.to_owned(), interfaces.to_vec());
    // Of a thread of its own: a thread is in one namespace.
    let sender = std::thread::spawn(move || -> Result<(), String> {
        enter(&namespace)?;
        for interface in interfaces {
            let text = |error: pcap::Error| format!("barrier at {interface}: {error}");
            let opened = pcap::Capture::from_device(interface.as_str()).map_err(text)?;
            let mut sender = opened.open().map_err(text)?;
            let mut frame = vec![0x01, 0x80, 0xc2, 0, 0, 0x0f, 0x02, 0, 0, 0, 0, 0x01];
            frame.extend(EXPERIMENT);
            frame.resize(60, 0);
            sender.sendpacket(frame).map_err(text)?;
        }
        Ok(())
    });
    let sent = sender.join();
    sent.map_err(|_panic| "the barrier's sender failed".to_owned())??;
    let begun = std::time::Instant::now();
    let mut missing: Vec<usize> = (0..ports.len()).collect();
    while !missing.is_empty() {
        for (_, port, octets) in drain(ports, &clock).map_err(|error| error.to_string())? {
            if octets.get(12..14) == Some(&EXPERIMENT) {
                missing.retain(|index| *index != port);
            }
        }
        if begun.elapsed() > Duration::from_secs(5) {
            return Err("a capture does not show what was sent to it".to_owned());
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    Ok(())
}
