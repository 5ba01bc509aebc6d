//! The event loop: devices, links, faults, and what was seen of them.

use crate::budget::{Budget, Overrun, Spent};
use crate::fault::Faults;
use crate::link::{End, Link};
use dut_device::{Control, Device, Event, Instant, PairLook, PortId, Snapshot};
use harness_trace::{Direction, Frame, Point, PointId, Record, Trace};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;
use thiserror::Error;

/// Builds a node for a boot epoch.
pub(crate) type Factory = Box<dyn Fn(u64) -> Result<Box<dyn Device>, String>>;

/// Why a world can't be set up as asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SetupError {
    /// No device of this name.
    #[error("no node or host `{0}`; there are {1}")]
    NoDevice(String, String),
    /// The device has no such port.
    #[error("`{0}` has no port `{1}`; it has {2}")]
    NoPort(String, String, String),
    /// The port has a link already.
    #[error("port `{1}` of `{0}` is linked twice")]
    Taken(String, String),
    /// No link or tester's port of this name.
    #[error("no link or port `{0}`; there are {1}")]
    NoLink(String, String),
    /// The device can't be built or refused a command.
    #[error("`{0}`: {1}")]
    Refused(String, String),
}

/// What can be done to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeAction {
    /// State lost, carrier lost at the neighbours.
    Crash,
    /// Frames stop, carrier stays.
    Hang,
    /// Ends a hang.
    Resume,
    /// Boots after a crash.
    Restart,
}

/// One line of the event log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When.
    pub at: Instant,
    /// Which device; `world` for what the world did.
    pub node: String,
    /// What.
    pub event: Event,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    Running,
    Hung,
    Crashed,
}

pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) device: Option<Box<dyn Device>>,
    pub(crate) factory: Option<Factory>,
    pub(crate) life: Life,
    pub(crate) boot_epoch: u64,
    /// Link by port.
    pub(crate) links: Vec<Option<usize>>,
    /// The earliest timeout that stands in the queue.
    pub(crate) armed: Option<Instant>,
    /// Carrier changes that a hung device will learn of when it goes on.
    pub(crate) missed: Vec<Control>,
    pub(crate) spent: Spent,
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node")
            .field("name", &self.name)
            .field("life", &self.life)
            .finish()
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Happening {
    Arrive {
        link: usize,
        to_far: bool,
        generation: u64,
        octets: Vec<u8>,
    },
    Timeout {
        node: usize,
    },
}

/// The simulated world.
#[derive(Debug)]
pub struct World {
    pub(crate) now: Instant,
    pub(crate) sequence: u64,
    pub(crate) queue: BinaryHeap<Reverse<(Instant, u64, Happening)>>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) links: Vec<Link>,
    pub(crate) faults: Faults,
    pub(crate) rng: ChaCha8Rng,
    pub(crate) trace: Trace,
    pub(crate) log: Vec<LogLine>,
    pub(crate) recording: bool,
    pub(crate) logging: bool,
    pub(crate) steps: u64,
    pub(crate) started: bool,
    pub(crate) budget: Option<Budget>,
    pub(crate) overrun: Option<Overrun>,
}

impl World {
    /// An empty world at time zero. Everything random of its own comes from `seed`; `origin_s` is
    /// the wall-clock time of its beginning in seconds since 1970, for captures.
    #[must_use]
    pub fn new(seed: u64, origin_s: u64) -> Self {
        let resolution = Duration::from_nanos(1);
        Self {
            now: Instant::ZERO,
            sequence: 0,
            queue: BinaryHeap::new(),
            nodes: Vec::new(),
            links: Vec::new(),
            faults: Faults::default(),
            rng: ChaCha8Rng::seed_from_u64(seed),
            trace: Trace {
                resolution,
                origin_s,
                ..Trace::default()
            },
            log: Vec::new(),
            recording: true,
            logging: true,
            steps: 0,
            started: false,
            budget: None,
            overrun: None,
        }
    }

    /// Whether frames and events are kept (default). A benchmark turns it off.
    pub const fn set_recording(&mut self, recording: bool) {
        self.recording = recording;
    }

    /// Whether the devices' events are kept (default, while recording). Who looks at frames and
    /// states alone turns it off.
    pub const fn set_logging(&mut self, logging: bool) {
        self.logging = logging;
    }

    /// How many events have happened: frames that arrived, timeouts that were due.
    #[must_use]
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// Adds a node that can crash and restart; `factory` builds it for a boot epoch, from 1.
    ///
    /// # Errors
    /// [`SetupError::Refused`] when it can't be built.
    pub fn add_node(
        &mut self,
        name: &str,
        factory: impl Fn(u64) -> Result<Box<dyn Device>, String> + 'static,
    ) -> Result<(), SetupError> {
        let device = factory(1).map_err(|why| SetupError::Refused(name.to_owned(), why))?;
        self.push(name, device, Some(Box::new(factory)));
        Ok(())
    }

    /// Adds a host, a hub or any other device that never crashes.
    pub fn add_device(&mut self, name: &str, device: Box<dyn Device>) {
        self.push(name, device, None);
    }

    fn push(&mut self, name: &str, device: Box<dyn Device>, factory: Option<Factory>) {
        let links = vec![None; device.ports().len()];
        self.nodes.push(Node {
            name: name.to_owned(),
            device: Some(device),
            factory,
            life: Life::Running,
            boot_epoch: 1,
            links,
            armed: None,
            missed: Vec::new(),
            spent: Spent::default(),
        });
    }

    /// Links two devices' ports; each end is `NAME PORT`, or a host's name for its only port.
    ///
    /// # Errors
    /// [`SetupError`] when an end doesn't exist or is taken.
    pub fn connect(
        &mut self,
        name: &str,
        near: &str,
        far: &str,
        latency: Duration,
    ) -> Result<(), SetupError> {
        let (near_end, far_end) = (self.end(near)?, self.end(far)?);
        self.link(name, (near_end, near), (far_end, far), latency)
    }

    /// Wires a tester's port to a device's port.
    ///
    /// # Errors
    /// [`SetupError`] when the end doesn't exist or is taken.
    pub fn attach_tester(&mut self, name: &str, far: &str) -> Result<(), SetupError> {
        let end = self.end(far)?;
        self.link(
            name,
            (End::Tester, "tester"),
            (end, far),
            Duration::from_micros(1),
        )
    }

    fn link(
        &mut self,
        name: &str,
        (near, near_name): (End, &str),
        (far, far_name): (End, &str),
        latency: Duration,
    ) -> Result<(), SetupError> {
        let index = self.links.len();
        for end in [near, far] {
            let End::Device(node, PortId(port)) = end else {
                continue;
            };
            let Some(node) = self.nodes.get_mut(node) else {
                continue;
            };
            if let Some(slot) = node.links.get_mut(usize::from(port)) {
                if slot.is_some() {
                    return Err(SetupError::Taken(node.name.clone(), far_name.to_owned()));
                }
                *slot = Some(index);
            }
        }
        let point = u16::try_from(self.trace.points.len()).ok().map(PointId);
        let device = |end: &str| end.split(' ').next().unwrap_or(end).to_owned();
        self.trace.points.push(Point {
            name: name.to_owned(),
            near: device(near_name),
            far: device(far_name),
        });
        let name = name.to_owned();
        self.links.push(Link {
            name,
            near,
            far,
            latency,
            whole: true,
            point,
            generation: 0,
        });
        Ok(())
    }

    fn end(&self, text: &str) -> Result<End, SetupError> {
        let (name, port) = text.split_once(' ').unwrap_or((text, ""));
        let node = self.index(name)?;
        let ports = self
            .nodes
            .get(node)
            .and_then(|n| n.device.as_ref())
            .map(|d| d.ports());
        let ports = ports.unwrap_or_default();
        let wanted = full_name(port);
        let found = match ports {
            [only] if port.is_empty() => Some(only),
            _ => ports.iter().find(|info| info.name == wanted),
        };
        found.map(|info| End::Device(node, info.id)).ok_or_else(|| {
            let known = ports
                .iter()
                .map(|info| info.name.as_str())
                .collect::<Vec<_>>();
            SetupError::NoPort(name.to_owned(), wanted, known.join(", "))
        })
    }

    pub(crate) fn index(&self, name: &str) -> Result<usize, SetupError> {
        self.nodes
            .iter()
            .position(|node| node.name == name)
            .ok_or_else(|| {
                let known = self
                    .nodes
                    .iter()
                    .map(|node| node.name.as_str())
                    .collect::<Vec<_>>();
                SetupError::NoDevice(name.to_owned(), known.join(", "))
            })
    }

    pub(crate) fn link_index(&self, name: &str) -> Result<usize, SetupError> {
        self.links
            .iter()
            .position(|link| link.name == name)
            .ok_or_else(|| {
                let known = self
                    .links
                    .iter()
                    .map(|link| link.name.as_str())
                    .collect::<Vec<_>>();
                SetupError::NoLink(name.to_owned(), known.join(", "))
            })
    }

    /// Gives every linked port its carrier. Call once, after the set-up.
    pub fn start(&mut self) {
        self.started = true;
        for node in 0..self.nodes.len() {
            self.carriers_of(node, true);
        }
    }

    /// Now.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// When the next event is due.
    #[must_use]
    pub fn next_event(&self) -> Option<Instant> {
        self.queue.peek().map(|Reverse((at, _, _))| *at)
    }

    /// Lets the next event happen; `false` when there is none.
    pub fn step(&mut self) -> bool {
        let Some(Reverse((at, _, happening))) = self.queue.pop() else {
            return false;
        };
        self.now = self.now.max(at);
        self.steps += 1;
        match happening {
            Happening::Arrive {
                link,
                to_far,
                generation,
                octets,
            } => {
                self.arrive(link, to_far, generation, octets);
            }
            Happening::Timeout { node } => self.timeout(node, at),
        }
        true
    }

    /// Lets everything up to and at `until` happen.
    pub fn run_until(&mut self, until: Instant) {
        while self.next_event().is_some_and(|at| at <= until) {
            self.step();
        }
        self.now = self.now.max(until);
        self.trace.until = self.now;
    }

    /// Advances time without an event; a driver does it before its own actions.
    pub fn advance(&mut self, now: Instant) {
        self.now = self.now.max(now);
        self.trace.until = self.now;
    }

    fn timeout(&mut self, index: usize, at: Instant) {
        let now = self.now;
        let Some(node) = self.nodes.get_mut(index) else {
            return;
        };
        if node.armed != Some(at) {
            return;
        }
        node.armed = None;
        if node.life == Life::Running
            && let Some(device) = &mut node.device
            && device.next_timeout().is_some_and(|due| due <= now)
        {
            node.spent.events += 1;
            device.handle_timeout(now);
        }
        self.drain(index);
    }

    fn arrive(&mut self, index: usize, to_far: bool, generation: u64, octets: Vec<u8>) {
        let now = self.now;
        let Some(link) = self.links.get(index) else {
            return;
        };
        if link.generation != generation || !self.carrier(index) {
            return;
        }
        let end = if to_far { link.far } else { link.near };
        let point = link.point;
        match end {
            End::Tester => {
                let direction = if to_far {
                    Direction::Out
                } else {
                    Direction::In
                };
                self.record(point, direction, false, octets);
            }
            End::Device(index, port) => {
                let Some(node) = self.nodes.get_mut(index) else {
                    return;
                };
                if node.life == Life::Running
                    && let Some(device) = &mut node.device
                {
                    device.handle_frame(now, port, &octets);
                    self.drain(index);
                }
            }
        }
    }

    pub(crate) fn record(
        &mut self,
        point: Option<PointId>,
        direction: Direction,
        lost: bool,
        octets: Vec<u8>,
    ) {
        if let (true, Some(point)) = (self.recording, point) {
            let frame = Frame {
                at: self.now,
                point,
                direction,
                lost,
                octets,
            };
            self.trace.records.push(Record::Frame(frame));
        }
    }

    pub(crate) fn transmit(&mut self, index: usize, from: End, octets: Vec<u8>) {
        if !self.carrier(index) {
            return;
        }
        let Some(link) = self.links.get(index) else {
            return;
        };
        let to_far = link.near == from;
        let sender = match from {
            End::Tester => "tester",
            End::Device(node, _) => self.nodes.get(node).map_or("", |node| node.name.as_str()),
        };
        let rng = &mut self.rng;
        let added = self.faults.apply(&link.name, sender, &octets, rng);
        let delay = added.map(|added| link.latency + added);
        let (point, generation) = (link.point, link.generation);
        let to_tester = (if to_far { link.far } else { link.near }) == End::Tester;
        if !to_tester && self.recording {
            let direction = if to_far {
                Direction::Out
            } else {
                Direction::In
            };
            self.record(point, direction, delay.is_none(), octets.clone());
        }
        if let Some(delay) = delay {
            self.sequence += 1;
            let happening = Happening::Arrive {
                link: index,
                to_far,
                generation,
                octets,
            };
            self.queue
                .push(Reverse((self.now + delay, self.sequence, happening)));
        }
    }

    /// Whether both ends of a link see a carrier.
    pub(crate) fn carrier(&self, index: usize) -> bool {
        let alive = |end: End| match end {
            End::Tester => true,
            End::Device(node, _) => self
                .nodes
                .get(node)
                .is_some_and(|n| n.life != Life::Crashed),
        };
        self.links
            .get(index)
            .is_some_and(|link| link.whole && alive(link.near) && alive(link.far))
    }

    /// A device that is alive.
    #[must_use]
    pub fn device(&self, name: &str) -> Option<&dyn Device> {
        let node = self.nodes.iter().find(|node| node.name == name)?;
        node.device.as_deref()
    }

    /// Whether a device works: neither crashed nor hung.
    #[must_use]
    pub fn is_running(&self, name: &str) -> bool {
        let mut nodes = self.nodes.iter();
        nodes.any(|node| node.name == name && node.life == Life::Running)
    }

    /// A device's state, where it is alive and can be looked into.
    #[must_use]
    pub fn snapshot(&self, name: &str) -> Option<Snapshot> {
        self.device(name)?.snapshot(self.now)
    }

    /// What a pair's oracle looks at of a device; `false` where it can't be looked into.
    pub fn look(&self, name: &str, look: &mut PairLook) -> bool {
        let device = self.device(name);
        device.is_some_and(|device| device.look(self.now, look))
    }

    /// Names of all devices.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.nodes.iter().map(|node| node.name.as_str())
    }

    /// Puts a note into the trace.
    pub fn note(&mut self, json: String) {
        if self.recording {
            self.trace.records.push(Record::Note { at: self.now, json });
        }
    }

    /// What was seen so far.
    #[must_use]
    pub const fn trace(&self) -> &Trace {
        &self.trace
    }

    /// What the devices said so far.
    #[must_use]
    pub fn log(&self) -> &[LogLine] {
        &self.log
    }

    /// Frames on the wire that satisfy `matching`; for telling whether the world is quiescent.
    pub fn in_flight(&self, matching: impl Fn(&[u8]) -> bool) -> usize {
        let frames = self
            .queue
            .iter()
            .filter_map(|Reverse((_, _, happening))| match happening {
                Happening::Arrive { octets, .. } => Some(octets),
                Happening::Timeout { .. } => None,
            });
        frames.filter(|octets| matching(octets)).count()
    }

    /// Ends the world; its trace and log.
    #[must_use]
    pub fn finish(mut self) -> (Trace, Vec<LogLine>) {
        self.trace.until = self.now;
        (self.trace, self.log)
    }
}

/// The full name of a port: `GE0/1/2` is `GigabitEthernet0/1/2`.
fn full_name(port: &str) -> String {
    match port.strip_prefix("GE") {
        Some(rest) => format!("GigabitEthernet{rest}"),
        None => port.to_owned(),
    }
}
