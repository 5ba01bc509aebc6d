//! A device around a device: frames are changed on their way in or out.

use dut_device::{
    Control, ControlError, Device, Event, Instant, PairLook, PortId, PortInfo, Snapshot, Transmit,
    TxId,
};
use std::collections::VecDeque;

/// What is done to frames. Each method may drop, change or multiply them.
pub trait Frames: std::fmt::Debug {
    /// What the device inside is given for a received frame.
    fn received(&mut self, _now: Instant, _port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        vec![frame.to_vec()]
    }

    /// What leaves for a frame that the device inside sends.
    fn sent(&mut self, _port: PortId, frame: Vec<u8>) -> Vec<Vec<u8>> {
        vec![frame]
    }

    /// Frames that leave by other ports beside one that the device inside sends.
    fn beside(&mut self, _port: PortId, _frame: &[u8]) -> Vec<(PortId, Vec<u8>)> {
        Vec::new()
    }

    /// Frames that the device inside is given as if other ports had received them.
    fn elsewhere(&mut self, _now: Instant, _port: PortId, _frame: &[u8]) -> Vec<(PortId, Vec<u8>)> {
        Vec::new()
    }

    /// Whether all timers of the device inside stand still.
    fn frozen(&self) -> bool {
        false
    }

    /// Frames that leave by themselves after a received one: (port, frame).
    fn answer(&mut self, _now: Instant, _port: PortId, _frame: &[u8]) -> Vec<(PortId, Vec<u8>)> {
        Vec::new()
    }
}

/// A device with its frames changed.
#[derive(Debug)]
pub struct Wrapper {
    inside: Box<dyn Device>,
    frames: Box<dyn Frames>,
    queue: VecDeque<Transmit>,
    /// Names of our own transmissions begin above those of the device inside.
    next: u64,
}

impl Wrapper {
    /// Wraps a device.
    #[must_use]
    pub fn new(inside: Box<dyn Device>, frames: Box<dyn Frames>) -> Self {
        Self {
            inside,
            frames,
            queue: VecDeque::new(),
            next: u64::MAX / 2,
        }
    }

    fn push(&mut self, port: PortId, frame: Vec<u8>) {
        self.next += 1;
        self.queue.push_back(Transmit {
            port,
            tx: TxId(self.next),
            frame,
        });
    }
}

impl Device for Wrapper {
    fn ports(&self) -> &[PortInfo] {
        self.inside.ports()
    }

    fn handle_frame(&mut self, now: Instant, port: PortId, frame: &[u8]) {
        for frame in self.frames.received(now, port, frame) {
            self.inside.handle_frame(now, port, &frame);
        }
        for (port, frame) in self.frames.elsewhere(now, port, frame) {
            self.inside.handle_frame(now, port, &frame);
        }
        for (port, frame) in self.frames.answer(now, port, frame) {
            self.push(port, frame);
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        if !self.frames.frozen() {
            self.inside.handle_timeout(now);
        }
    }

    fn handle_control(&mut self, now: Instant, control: &Control) -> Result<(), ControlError> {
        self.inside.handle_control(now, control)
    }

    fn handle_transmitted(&mut self, at: Instant, tx: TxId) {
        if tx.0 <= u64::MAX / 2 {
            self.inside.handle_transmitted(at, tx);
        }
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        while let Some(transmit) = self.inside.poll_transmit() {
            let Transmit { port, frame, .. } = transmit;
            for (other, frame) in self.frames.beside(port, &frame) {
                self.push(other, frame);
            }
            for frame in self.frames.sent(port, frame) {
                self.push(port, frame);
            }
        }
        self.queue.pop_front()
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.inside.poll_event()
    }

    fn next_timeout(&self) -> Option<Instant> {
        if self.frames.frozen() {
            return None;
        }
        self.inside.next_timeout()
    }

    fn snapshot(&self, now: Instant) -> Option<Snapshot> {
        self.inside.snapshot(now)
    }

    fn look(&self, now: Instant, look: &mut PairLook) -> bool {
        self.inside.look(now, look)
    }

    fn display(&self, now: Instant, command: &str) -> Option<Result<String, String>> {
        self.inside.display(now, command)
    }
}
