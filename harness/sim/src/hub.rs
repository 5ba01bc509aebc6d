//! A repeater: what comes in by one port leaves by all others at once.

use dut_device::{
    Control, ControlError, Device, Event, Instant, MacAddr, PortId, PortInfo, Transmit, TxId,
};
use std::collections::VecDeque;

/// A repeater with a number of ports named `0`, `1`, ….
#[derive(Debug)]
pub struct Hub {
    ports: Vec<PortInfo>,
    queue: VecDeque<Transmit>,
    next: u64,
}

impl Hub {
    /// A repeater of `ports` ports.
    #[must_use]
    pub fn new(ports: u16) -> Self {
        let info = |n: u16| PortInfo {
            id: PortId(n),
            name: n.to_string(),
            mac: MacAddr::ZERO,
        };
        Self {
            ports: (0..ports).map(info).collect(),
            queue: VecDeque::new(),
            next: 0,
        }
    }
}

impl Device for Hub {
    fn ports(&self) -> &[PortInfo] {
        &self.ports
    }

    fn handle_frame(&mut self, _now: Instant, from: PortId, frame: &[u8]) {
        for port in self
            .ports
            .iter()
            .map(|port| port.id)
            .filter(|port| *port != from)
        {
            self.next += 1;
            self.queue.push_back(Transmit {
                port,
                tx: TxId(self.next),
                frame: frame.to_vec(),
            });
        }
    }

    fn handle_timeout(&mut self, _now: Instant) {}

    fn handle_control(&mut self, _now: Instant, control: &Control) -> Result<(), ControlError> {
        match control {
            Control::LinkUp(_) | Control::LinkDown(_) => Ok(()),
            Control::Command(_) => Err(ControlError::UnknownCommand(
                "a hub takes no commands".to_owned(),
            )),
        }
    }

    fn handle_transmitted(&mut self, _at: Instant, _tx: TxId) {}

    fn poll_transmit(&mut self) -> Option<Transmit> {
        self.queue.pop_front()
    }

    fn poll_event(&mut self) -> Option<Event> {
        None
    }

    fn next_timeout(&self) -> Option<Instant> {
        None
    }
}
