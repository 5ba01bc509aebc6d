//! What a device may do before the world stops listening to it, and how it is listened to.

use crate::link::End;
use crate::world::{Happening, Life, LogLine, World};
use dut_device::Instant;
use std::cmp::Reverse;

/// How much each device of a world may do from its beginning. A device that does more has gone
/// wrong: its timer is due again and again at one instant, or it sends without end.
///
/// What a device does within one call can't be limited from outside: one that never returns hangs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Frames sent.
    pub frames: u64,
    /// Timeouts handled and events told.
    pub events: u64,
}

impl Budget {
    /// A case's. The dearest case of the suites needs about a tenth of either.
    pub const CASE: Self = Self {
        frames: 600_000,
        events: 2_000_000,
    };
}

/// What a device has done too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Excess {
    /// It has sent more than so many frames.
    Frames(u64),
    /// Its timers have run out, or it has told events, more often than so.
    Events(u64),
}

/// A device that has exceeded its budget: the world goes no further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overrun {
    /// The device's name.
    pub device: String,
    /// Whether it is a node: a device under test, not a host or a hub of the testbed.
    pub node: bool,
    /// What it has done.
    pub excess: Excess,
    /// When it was stopped.
    pub at: Instant,
}

impl std::fmt::Display for Overrun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { device, at, .. } = self;
        match self.excess {
            Excess::Frames(most) => write!(f, "{device} has sent more than {most} frames")?,
            Excess::Events(most) => {
                write!(f, "{device} has acted more than {most} times")?;
            }
        }
        write!(f, " by {} ms", at.as_millis())
    }
}

/// What a device has done so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spent {
    pub(crate) frames: u64,
    pub(crate) events: u64,
}

impl Spent {
    const fn excess(self, budget: Option<Budget>) -> Option<Excess> {
        match budget {
            Some(budget) if self.frames > budget.frames => Some(Excess::Frames(budget.frames)),
            Some(budget) if self.events > budget.events => Some(Excess::Events(budget.events)),
            Some(_) | None => None,
        }
    }
}

impl World {
    /// Limits what each device may do (default: nothing is limited).
    pub const fn set_budget(&mut self, budget: Budget) {
        self.budget = Some(budget);
    }

    /// The first device that has exceeded its budget. From then on devices are asked nothing more.
    #[must_use]
    pub const fn overrun(&self) -> Option<&Overrun> {
        self.overrun.as_ref()
    }

    /// Takes everything out of a device that it wants to say, and arms its timeout.
    pub(crate) fn drain(&mut self, index: usize) {
        let now = self.now;
        let mut sent = Vec::new();
        let budget = self.budget;
        let Some(node) = self.nodes.get_mut(index) else {
            return;
        };
        if self.overrun.is_some() {
            return;
        }
        // A device that is silent spends too: its timeouts.
        let mut excess = node.spent.excess(budget);
        if let Some(device) = &mut node.device {
            let spent = &mut node.spent;
            while excess.is_none()
                && let Some(transmit) = device.poll_transmit()
            {
                device.handle_transmitted(now, transmit.tx);
                sent.push(transmit);
                spent.frames += 1;
                excess = spent.excess(budget);
            }
            while excess.is_none()
                && let Some(event) = device.poll_event()
            {
                if self.recording && self.logging {
                    self.log.push(LogLine {
                        at: now,
                        node: node.name.clone(),
                        event,
                    });
                }
                spent.events += 1;
                excess = spent.excess(budget);
            }
            if node.life == Life::Running
                && let Some(due) = device.next_timeout()
            {
                let due = due.max(now);
                if node.armed.is_none_or(|armed| due < armed) {
                    node.armed = Some(due);
                    self.sequence += 1;
                    let happening = Happening::Timeout { node: index };
                    self.queue.push(Reverse((due, self.sequence, happening)));
                }
            }
        }
        if let Some(excess) = excess {
            self.overrun = Some(Overrun {
                device: node.name.clone(),
                node: node.factory.is_some(),
                excess,
                at: now,
            });
            // What it has said in this call alone may be a flood.
            return;
        }
        if node.life == Life::Running {
            let links: Vec<Option<usize>> = sent
                .iter()
                .map(|t| node.links.get(usize::from(t.port.0)).copied().flatten())
                .collect();
            for (transmit, link) in sent.into_iter().zip(links) {
                if let Some(link) = link {
                    self.transmit(link, End::Device(index, transmit.port), transmit.frame);
                }
            }
        }
    }
}
