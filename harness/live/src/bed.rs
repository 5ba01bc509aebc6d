//! A live bed: wires, open ports, and the device behind them from one case to the next.

mod faults;

use crate::barrier::barrier;
use crate::cable::{Cable, Shape, Tap, ports_of};
use crate::clock::Clock;
use crate::control::{Answer, Request};
use crate::hook::Hooks;
use crate::link::Links;
use crate::netns::{JUMBO, Namespaces, Veth, enter};
use crate::port::{Counters, Port, drain};
use crate::reference::{Place, Process, Reference};
use crate::warp::Warp;
use dut_device::{Instant, Snapshot};
use harness_sim::Faults;
use harness_suite::{
    Bed, ExpandedCase, Expression, NodeAction, Scope, Testbed, VirtualClock, Wires,
};
use harness_trace::Direction;
use std::collections::BTreeMap;
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
        let value = Expression::time(text, &Scope::new());
        value.map_err(|error| format!("{text}: {error}"))
    }
}

/// One bed.
#[derive(Debug)]
pub(crate) struct LiveBed<'a> {
    pub(crate) plan: &'a Plan,
    hooks: Hooks,
    /// What its wires are for.
    pub(crate) shape: Shape,
    pub(crate) cables: Vec<Cable>,
    /// The tester's ports first, in the order of their cables.
    pub(crate) ports: Vec<Port>,
    /// What each port shows.
    pub(crate) taps: Vec<Tap>,
    /// The reference's devices by name, and hosts and hubs beside them.
    devices: BTreeMap<String, Reference>,
    /// The device's clock, where the run moves it.
    pub(crate) warp: Option<Warp>,
    /// The bed is set up.
    ready: bool,
    /// Names of cables that a case has cut.
    cut: Vec<String>,
    /// Faults that a case has given links.
    pub(crate) faults: Faults,
    /// Memory that the device's processes held when it was last looked at, KiB.
    pub(crate) memory: Option<u64>,
    /// The links of the device's and the tester's namespace.
    links: [Links; 2],
    // Last: everything that uses the namespaces goes before them.
    namespaces: Option<Namespaces>,
}

/// Octets of a capture buffer for one port of a suite's bed.
const BUFFER: i32 = 8 << 20;

/// A device's MTU where hooks start it: Ethernet's.
const MTU: u16 = 1500;

impl<'a> LiveBed<'a> {
    /// Makes the wires for cases of a simulated testbed, opens the captures, shows that they see
    /// frames, and sets the device up. The calling thread is moved into the tester's namespace.
    pub(crate) async fn make(
        plan: &'a Plan,
        number: usize,
        (name, bed): (&str, &Bed),
    ) -> Result<Self, String> {
        let testbed = &plan.testbed;
        let shape = Shape::of(name, bed);
        let mut cables = shape.cables(testbed, bed);
        let (namespaces, folder) = match testbed.wires {
            Wires::Veth => {
                let pair = |cable: &Cable| Veth {
                    near: cable.near.clone(),
                    tester: cable.port,
                    far: cable.far.clone(),
                    mtu: if testbed.reference { JUMBO } else { MTU },
                };
                let pairs: Vec<Veth> = cables.iter().map(pair).collect();
                let made = Namespaces::make(number, &pairs)?;
                let folder = made.folder().to_path_buf();
                (Some(made), folder)
            }
            Wires::Interfaces => {
                for cable in &mut cables {
                    cable.near.clone_from(&cable.far);
                }
                let folder = std::env::temp_dir().join(format!("tandem-bench-{number}"));
                let made = std::fs::create_dir_all(&folder);
                made.map_err(|error| format!("{}: {error}", folder.display()))?;
                (None, folder)
            }
        };
        let (ports, taps) = open(namespaces.as_ref(), &cables)?;
        let device = namespaces.as_ref().map(Namespaces::device);
        let mut bed = Self {
            plan,
            hooks: hooks(plan, number, &cables, namespaces.as_ref(), folder)?,
            shape,
            cables,
            ports,
            taps,
            devices: BTreeMap::new(),
            warp: None,
            ready: false,
            cut: Vec::new(),
            faults: Faults::default(),
            memory: None,
            links: [Links::of(device.as_deref())?, Links::of(None)?],
            namespaces,
        };
        if let Some(device) = device {
            let far = bed.cables.iter().map(|cable| cable.far.clone()).collect();
            let towards = |tap: &Tap| tap.direction == Direction::In;
            barrier(&device, far, &mut bed.ports, |port| {
                bed.taps.get(port).is_some_and(towards)
            })?;
        }
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
        self.end_devices().await;
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
            return self.boot(case, (bed_folder, bed), seed, clock).await;
        }
        let mut script = self.plan.testbed.set(&case.settings)?;
        script.push_str(self.plan.testbed.start.as_deref().unwrap_or_default());
        self.hook("start", Some(&script)).await?;
        Ok(self.warp.as_ref().map_or_else(|| clock.now(), Warp::now))
    }

    /// Hosts and hubs come up, then the devices, all at about one instant; when that was.
    async fn boot(
        &mut self,
        case: &ExpandedCase,
        (bed_folder, bed): (&Path, &Bed),
        seed: u64,
        clock: &Clock,
    ) -> Result<Instant, String> {
        let namespace = self.namespaces.as_ref().map(Namespaces::device);
        let namespace = namespace.ok_or("a reference device needs veth wires")?;
        let place = Place {
            program: &self.plan.program,
            namespace: &namespace,
            folder: &self.hooks.folder,
            origin_s: clock.origin_s(),
        };
        let mut processes = Vec::new();
        let stations = bed.hubs.keys().chain(bed.hosts.keys());
        for name in stations {
            let ports = ports_of(bed, &self.cables, name);
            processes.push((name, Process::station(bed, name, seed, &ports, place)));
        }
        for name in bed.nodes.keys() {
            let ports = ports_of(bed, &self.cables, name);
            let process = Process::node((bed, bed_folder), name, case, seed, &ports, place)?;
            processes.push((name, process));
        }
        let names: Vec<&String> = processes.iter().map(|(name, _)| *name).collect();
        for (name, process) in processes {
            let device = Reference::start(process).await?;
            self.devices.insert(name.clone(), device);
        }
        let mut up = clock.now();
        for name in names {
            if bed.nodes.keys().next() == Some(name) {
                up = clock.now();
            }
            self.device(name)?.begin().await?;
            for command in bed.hosts.get(name).iter().flat_map(|host| &host.start) {
                self.ask(name, &Request::Command(command.clone())).await?;
            }
        }
        Ok(up)
    }

    fn device(&mut self, name: &str) -> Result<&mut Reference, String> {
        if self.devices.is_empty() {
            return Err("only the reference takes commands".to_owned());
        }
        let known = || format!("no device `{name}`");
        self.devices.get_mut(name).ok_or_else(known)
    }

    /// Why the device lives no longer, if so; its memory is noted.
    pub(crate) async fn dead(&mut self) -> Option<String> {
        self.memory = None;
        if !self.devices.is_empty() {
            let held = self.devices.values().filter_map(Reference::memory);
            self.memory = held.reduce(u64::saturating_add);
            return self.devices.values_mut().find_map(Reference::died);
        }
        let health = self.plan.testbed.health.as_ref();
        match self.hook("health", health).await {
            Ok(said) => {
                self.memory = memory(&said);
                None
            }
            Err(why) => Some(why),
        }
    }

    /// How late the reference's devices that work have acted at worst, nanoseconds.
    pub(crate) async fn lateness(&mut self) -> u64 {
        let mut worst = 0;
        for device in self.devices.values_mut().filter(|device| device.works()) {
            if let Ok(Answer::Late(ns)) = device.ask(&Request::Lateness).await {
                worst = worst.max(ns);
            }
        }
        worst
    }

    async fn end_devices(&mut self) {
        self.faults.heal(None);
        for mut device in std::mem::take(&mut self.devices).into_values() {
            device.kill().await;
        }
    }

    /// The device falls silent, and the links are whole again.
    pub(crate) async fn stop(&mut self) -> Result<(), String> {
        let crashed = self.devices.values().filter(|device| !device.is_up());
        let crashed: Vec<String> = crashed.flat_map(|d| d.interfaces()).cloned().collect();
        self.end_devices().await;
        let [of_device, _] = &self.links;
        for interface in crashed {
            of_device.set(&interface, true)?;
        }
        for name in std::mem::take(&mut self.cut) {
            self.set(&name, true).await?;
        }
        let stop = self.plan.testbed.stop.as_ref();
        self.hook("stop", stop).await.map(drop)
    }

    /// Takes the near end of a cable down or up.
    async fn set(&self, name: &str, up: bool) -> Result<(), String> {
        let cable = self.cables.iter().find(|cable| cable.name == name);
        let cable = cable.ok_or_else(|| format!("no port or link `{name}`"))?;
        if self.plan.testbed.manual {
            let verb = if up { "Plug" } else { "Unplug" };
            let text = format!("{verb} the link at this host's interface {}.", cable.near);
            return self.hook("link", Some(&text)).await.map(drop);
        }
        let [of_device, of_tester] = &self.links;
        let links = if cable.port { of_tester } else { of_device };
        links.set(&cable.near, up)
    }

    /// Takes the carrier of a tester's port or a link away or gives it back.
    pub(crate) async fn link(&mut self, name: &str, up: bool) -> Result<(), String> {
        self.set(name, up).await?;
        self.cut.retain(|cut| cut != name);
        if !up {
            self.cut.push(name.to_owned());
        }
        Ok(())
    }

    /// Crashes, hangs, resumes or restarts a device.
    pub(crate) async fn act(&mut self, name: &str, action: NodeAction) -> Result<(), String> {
        if !self.devices.is_empty() {
            return self.act_on(name, action).await;
        }
        let verb = serde_json::to_value(action).unwrap_or_default();
        let verb = verb.as_str().unwrap_or_default();
        let script = self.plan.testbed.actions.get(verb);
        if script.is_none() {
            return Err(format!("the testbed has no hook for {verb}"));
        }
        self.hook(verb, script).await.map(drop)
    }

    async fn act_on(&mut self, name: &str, action: NodeAction) -> Result<(), String> {
        let up = self.device(name)?.is_up();
        match action {
            NodeAction::Crash if up => {
                self.device(name)?.crash()?;
                self.carriers(name, false)?;
                self.device(name)?.kill().await;
                Ok(())
            }
            NodeAction::Restart if !up => {
                // A capture can't be opened on an interface that is down.
                self.carriers(name, true)?;
                self.device(name)?.boot().await?;
                for fault in self.faults.clone().iter() {
                    self.fault_at(name, fault).await?;
                }
                self.device(name)?.begin().await
            }
            NodeAction::Hang if up => self.device(name)?.hang().await,
            NodeAction::Resume if up => self.device(name)?.resume(),
            NodeAction::Crash | NodeAction::Restart | NodeAction::Hang | NodeAction::Resume => {
                Ok(())
            }
        }
    }

    /// Takes a device's own interfaces down or up; what a case has cut stays cut.
    fn carriers(&mut self, name: &str, up: bool) -> Result<(), String> {
        let interfaces = self.device(name)?.interfaces().to_vec();
        let cut = self.cables.iter().filter(|c| self.cut.contains(&c.name));
        let cut: Vec<&String> = cut.map(|cable| &cable.near).collect();
        let [of_device, _] = &self.links;
        for interface in interfaces.iter().filter(|i| !cut.contains(i)) {
            of_device.set(interface, up)?;
        }
        Ok(())
    }

    /// The device's state as JSON; `None` of a device that has crashed.
    pub(crate) async fn probe(&mut self, node: &str) -> Result<Option<serde_json::Value>, String> {
        if !self.devices.is_empty() {
            let device = self.device(node)?;
            if !device.is_up() {
                return Ok(None);
            }
            return match device.ask(&Request::Snapshot).await? {
                Answer::State(state) => Ok(Some(state)),
                Answer::Refused(why) => Err(why),
                Answer::Done | Answer::Text(_) | Answer::Late(_) => {
                    Err("an answer to another question".to_owned())
                }
            };
        }
        let probe = self.plan.testbed.probes.get(node);
        let text = self.hook("probe", probe).await?;
        let value = serde_json::from_str(&text);
        value
            .map_err(|error| format!("the probe printed no JSON: {error}"))
            .map(Some)
    }

    /// The state of a device of the reference; `None` of one that has crashed or hangs.
    pub(crate) async fn state(&mut self, name: &str) -> Result<Option<Snapshot>, String> {
        if !self.device(name)?.works() {
            return Ok(None);
        }
        let state = self.probe(name).await?.unwrap_or_default();
        let state = serde_json::from_value(state);
        state.map(Some).map_err(|error| format!("{name}: {error}"))
    }

    /// Gives a device of the reference a command, or a `display` command whose output it gives.
    /// Another device takes `listen` where its testbed says how.
    pub(crate) async fn ask(&mut self, node: &str, request: &Request) -> Result<String, String> {
        if let (Some(script), Request::Command(text)) = (&self.plan.testbed.listen, request)
            && let Some(words) = text.strip_prefix("listen ")
        {
            let asked = ("LISTEN".to_owned(), words.to_owned());
            self.hooks.variables.retain(|(name, _)| *name != asked.0);
            self.hooks.variables.push(asked);
            return self.hook("listen", Some(script)).await;
        }
        match self.device(node)?.ask(request).await? {
            Answer::Done => Ok(String::new()),
            Answer::Text(text) => Ok(text),
            Answer::Refused(why) => Err(why),
            Answer::State(_) | Answer::Late(_) => Err("an answer to another question".to_owned()),
        }
    }

    /// The tester's port of this name.
    pub(crate) fn port(&mut self, name: &str) -> Option<&mut Port> {
        let named = |cable: &Cable| cable.port && cable.name == name;
        let cable = self.cables.iter().position(named)?;
        let port = self.taps.iter().position(|tap| tap.cable == cable)?;
        self.ports.get_mut(port)
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
        self.end_devices().await;
        let teardown = self.plan.testbed.teardown.as_ref();
        self.hook("teardown", teardown).await.map(drop)
    }
}

/// What a health hook says of the processes' memory: lines `memory KIB`, added up.
fn memory(said: &str) -> Option<u64> {
    let number = |line: &str| line.strip_prefix("memory ")?.trim().parse::<u64>().ok();
    said.lines().filter_map(number).reduce(u64::saturating_add)
}

/// Opens a capture at each tester's port, and two at each link between devices.
fn open(
    namespaces: Option<&Namespaces>,
    cables: &[Cable],
) -> Result<(Vec<Port>, Vec<Tap>), String> {
    let (mut ports, mut taps) = (Vec::new(), Vec::new());
    let mut open = |interface: &str, cable: usize, direction: Direction| {
        let port = Port::open(interface, BUFFER).map_err(|error| error.to_string())?;
        ports.push(port);
        taps.push(Tap { cable, direction });
        Ok::<(), String>(())
    };
    // A socket stays in the namespace in which it was opened.
    if let Some(namespaces) = namespaces {
        enter(&namespaces.tester())?;
    }
    for (index, cable) in cables.iter().enumerate().filter(|(_, cable)| cable.port) {
        open(&cable.near, index, Direction::In)?;
    }
    let between = || cables.iter().enumerate().filter(|(_, cable)| !cable.port);
    if let (Some(namespaces), Some(_)) = (namespaces, between().next()) {
        enter(&namespaces.device())?;
        for (index, cable) in between() {
            open(&cable.near, index, Direction::In)?;
            open(&cable.far, index, Direction::Out)?;
        }
        enter(&namespaces.tester())?;
    }
    Ok((ports, taps))
}

fn hooks(
    plan: &Plan,
    number: usize,
    cables: &[Cable],
    namespaces: Option<&Namespaces>,
    folder: PathBuf,
) -> Result<Hooks, String> {
    let testbed = &plan.testbed;
    let mut variables = vec![
        ("RUN".to_owned(), folder.display().to_string()),
        ("BED".to_owned(), number.to_string()),
        ("TESTBED".to_owned(), plan.folder.display().to_string()),
        ("TANDEM".to_owned(), plan.program.display().to_string()),
    ];
    if let Some(namespaces) = namespaces {
        variables.push(("NS".to_owned(), namespaces.device()));
        variables.push(("TESTER_NS".to_owned(), namespaces.tester()));
    }
    for cable in cables {
        variables.push((format!("IF_{}", cable.name), cable.far.clone()));
    }
    Ok(Hooks {
        namespace: namespaces.map(Namespaces::device),
        folder,
        variables,
        limit: Plan::time(testbed.hook_limit.as_deref(), Duration::from_secs(10))?,
        manual: testbed.manual,
    })
}
