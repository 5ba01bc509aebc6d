//! What is done to the world from outside: frames, carriers, crashes, faults, commands.

use crate::fault::Fault;
use crate::link::End;
use crate::world::{Life, LogLine, NodeAction, SetupError, World};
use dut_device::{Control, Event, PortId};
use harness_trace::{Direction, Record};

impl NodeAction {
    const fn past(self) -> &'static str {
        match self {
            Self::Crash => "crashed",
            Self::Hang => "hangs",
            Self::Resume => "resumed",
            Self::Restart => "booted again",
        }
    }
}

impl World {
    /// Sends a frame from the tester's port of this name; the index of its record.
    ///
    /// # Errors
    /// [`SetupError::NoLink`].
    pub fn inject(&mut self, port: &str, octets: Vec<u8>) -> Result<usize, SetupError> {
        let index = self.link_index(port)?;
        let record = self.trace.records.len();
        if self.carrier(index) {
            self.transmit(index, End::Tester, octets);
        } else {
            // The tester tried: the trace says so, or the case could not be judged from it again.
            let point = self.links.get(index).and_then(|link| link.point);
            self.record(point, Direction::Out, true, octets);
        }
        Ok(record)
    }

    /// Takes a carrier away or gives it back.
    ///
    /// # Errors
    /// [`SetupError::NoLink`].
    pub fn set_link(&mut self, name: &str, up: bool) -> Result<(), SetupError> {
        let index = self.link_index(name)?;
        let before = self.carrier(index);
        self.say(format!("link {name} {}", if up { "mended" } else { "cut" }));
        if let Some(link) = self.links.get_mut(index) {
            link.whole = up;
        }
        if self.carrier(index) != before {
            self.tell_carrier(index, up);
        }
        Ok(())
    }

    fn tell_carrier(&mut self, index: usize, up: bool) {
        let Some(link) = self.links.get_mut(index) else {
            return;
        };
        link.generation += 1;
        for end in [link.near, link.far] {
            let End::Device(node, port) = end else {
                continue;
            };
            let control = if up {
                Control::LinkUp(port)
            } else {
                Control::LinkDown(port)
            };
            self.control(node, &control);
        }
    }

    fn control(&mut self, index: usize, control: &Control) {
        let now = self.now;
        let Some(node) = self.nodes.get_mut(index) else {
            return;
        };
        if node.life == Life::Hung {
            // Its hardware sees the carrier; its software will when it goes on.
            node.missed.push(control.clone());
            return;
        }
        if let Some(device) = &mut node.device {
            // A port that a link was wired to is there: the set-up has looked.
            drop(device.handle_control(now, control));
        }
        self.drain(index);
    }

    pub(crate) fn carriers_of(&mut self, index: usize, up: bool) {
        let links = self
            .nodes
            .get(index)
            .map(|node| node.links.clone())
            .unwrap_or_default();
        for (port, link) in links.iter().enumerate() {
            let Some(link) = *link else { continue };
            let port = PortId(u16::try_from(port).unwrap_or(u16::MAX));
            if self.carrier(link) == up {
                let control = if up {
                    Control::LinkUp(port)
                } else {
                    Control::LinkDown(port)
                };
                self.control(index, &control);
            }
        }
    }

    /// Crashes, hangs, resumes or restarts a node. What doesn't apply (a restart of what runs) does
    /// nothing.
    ///
    /// # Errors
    /// [`SetupError`] for an unknown name, and for a host, which can't crash.
    pub fn act(&mut self, name: &str, action: NodeAction) -> Result<(), SetupError> {
        let index = self.index(name)?;
        let Some(node) = self.nodes.get_mut(index) else {
            return Ok(());
        };
        if node.factory.is_none() {
            let why = "is no node: only nodes crash, hang and restart".to_owned();
            return Err(SetupError::Refused(name.to_owned(), why));
        }
        let life = node.life;
        self.say(format!("{name} {}", action.past()));
        let Some(node) = self.nodes.get_mut(index) else {
            return Ok(());
        };
        match (action, life) {
            (NodeAction::Crash, Life::Running | Life::Hung) => {
                let links: Vec<usize> = node.links.iter().flatten().copied().collect();
                let up: Vec<usize> = links
                    .into_iter()
                    .filter(|link| self.carrier(*link))
                    .collect();
                if let Some(node) = self.nodes.get_mut(index) {
                    node.life = Life::Crashed;
                    node.device = None;
                    node.armed = None;
                }
                for link in up {
                    self.tell_carrier(link, false);
                }
            }
            (NodeAction::Hang, Life::Running) => node.life = Life::Hung,
            (NodeAction::Resume, Life::Hung) => {
                node.life = Life::Running;
                node.armed = None;
                let missed = std::mem::take(&mut node.missed);
                if let Some(device) = &mut node.device {
                    device.handle_timeout(self.now);
                }
                self.drain(index);
                for control in missed {
                    self.control(index, &control);
                }
            }
            (NodeAction::Restart, Life::Crashed) => self.restart(index)?,
            (NodeAction::Crash, Life::Crashed)
            | (NodeAction::Hang, Life::Hung | Life::Crashed)
            | (NodeAction::Resume, Life::Running | Life::Crashed)
            | (NodeAction::Restart, Life::Running | Life::Hung) => {}
        }
        Ok(())
    }

    /// A line of the event log about what the world did.
    fn say(&mut self, text: String) {
        if self.recording {
            let event = Event::Notice {
                what: "world",
                text,
            };
            self.log.push(LogLine {
                at: self.now,
                node: "world".to_owned(),
                event,
            });
        }
    }

    fn restart(&mut self, index: usize) -> Result<(), SetupError> {
        let Some(node) = self.nodes.get_mut(index) else {
            return Ok(());
        };
        node.boot_epoch += 1;
        let Some(factory) = &node.factory else {
            return Ok(());
        };
        let device = factory(node.boot_epoch);
        node.device = Some(device.map_err(|why| SetupError::Refused(node.name.clone(), why))?);
        node.life = Life::Running;
        // A device begins at the time that it is told first.
        if let Some(device) = &mut node.device {
            device.handle_timeout(self.now);
        }
        let links: Vec<usize> = node.links.iter().flatten().copied().collect();
        self.drain(index);
        for link in links {
            if self.carrier(link) {
                self.tell_carrier(link, true);
            }
        }
        Ok(())
    }

    /// Begins a fault.
    ///
    /// # Errors
    /// [`SetupError::NoLink`] when it names a link that isn't there.
    pub fn fault(&mut self, fault: Fault) -> Result<(), SetupError> {
        for link in &fault.links {
            self.link_index(link)?;
        }
        self.say(format!("fault {} begins", fault.name));
        self.faults.begin(fault);
        Ok(())
    }

    /// Ends the fault of this name, or all.
    pub fn heal(&mut self, name: Option<&str>) {
        self.say(format!("{} healed", name.unwrap_or("all faults")));
        self.faults.heal(name);
    }

    /// Takes what was seen so far out of the world, and forgets what the devices said: for who
    /// looks on all the while and keeps nothing.
    pub fn take_records(&mut self) -> Vec<Record> {
        self.log.clear();
        std::mem::take(&mut self.trace.records)
    }

    /// Whether any fault is on.
    #[must_use]
    pub const fn has_faults(&self) -> bool {
        !self.faults.is_empty()
    }

    /// Whether a link between these two nodes is cut.
    #[must_use]
    pub fn is_cut(&self, a: &str, b: &str) -> bool {
        let name = |end: End| match end {
            End::Device(node, _) => self.nodes.get(node).map(|node| node.name.as_str()),
            End::Tester => None,
        };
        self.links.iter().any(|link| {
            let ends = [name(link.near), name(link.far)];
            !link.whole && (ends == [Some(a), Some(b)] || ends == [Some(b), Some(a)])
        })
    }

    /// Gives a device a command in its own language.
    ///
    /// # Errors
    /// [`SetupError`] for an unknown name, a crashed device, and a command that it refuses.
    pub fn command(&mut self, name: &str, text: &str) -> Result<(), SetupError> {
        let index = self.index(name)?;
        let now = self.now;
        let refused = |why: String| SetupError::Refused(name.to_owned(), why);
        let Some(node) = self.nodes.get_mut(index) else {
            return Ok(());
        };
        let device = node
            .device
            .as_mut()
            .ok_or_else(|| refused("has crashed".to_owned()))?;
        let done = device.handle_control(now, &Control::Command(text.to_owned()));
        self.drain(index);
        done.map_err(|error| refused(error.to_string()))
    }
}
