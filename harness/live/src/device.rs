//! A sans-I/O device on real interfaces, in real time.

use crate::alarm::Alarm;
use crate::carrier::{Carrier, Carriers, Change};
use crate::clock::Clock;
use crate::control::{Answer, Channel, Request};
use crate::faulty::Faulty;
use crate::late::Lateness;
use crate::port::{Port, PortError, any_ready, drain};
use dut_device::{Control, Device, Event, Instant, PortId};
use rustix::process::{Signal, getpid, kill_process};
use std::io;
use std::path::PathBuf;
use thiserror::Error;
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};

/// Octets of a device's capture buffer for one port.
const BUFFER: i32 = 8 << 20;

/// Why a device can't run, or runs no longer.
#[derive(Debug, Error)]
pub enum DriveError {
    /// An interface can't be used.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The device has no such port.
    #[error("the device has no port `{0}`; it has {1}")]
    NoPort(String, String),
    /// The system refuses something else.
    #[error("{0}")]
    System(#[from] io::Error),
}

/// What a device is wired to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wiring {
    /// (the device's full port name, interface) pairs.
    pub ports: Vec<(String, String)>,
    /// Where it listens for [`Request`]s.
    pub control: Option<PathBuf>,
    /// It is held until it is asked to begin: its boot is then an instant, however long a process
    /// takes to start.
    pub held: bool,
    /// Of what chance its links' faults have.
    pub seed: u64,
}

struct Driver<'a> {
    device: &'a mut dyn Device,
    clock: Clock,
    /// Ids by open port.
    ids: Vec<PortId>,
    ports: Vec<Port>,
    carriers: Vec<Carrier>,
    /// Time never goes back for a device.
    last: Instant,
    /// How long frames and timers have waited for it.
    late: Lateness,
    /// What its links do to what it sends.
    faulty: Faulty,
    log: &'a mut dyn FnMut(Instant, Event),
}

/// Runs a device until the process is told to end (SIGTERM or SIGINT). `log` is told its events.
/// `clock`'s time zero is the device's.
///
/// # Errors
/// [`DriveError`].
pub async fn drive(
    device: &mut dyn Device,
    clock: Clock,
    wiring: &Wiring,
    log: &mut dyn FnMut(Instant, Event),
) -> Result<(), DriveError> {
    let (ids, ports) = open(device, wiring)?;
    let (mut terminate, mut interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    let links = Carriers::watch()?;
    let alarm = Alarm::new()?;
    let carriers = vec![Carrier::default(); ports.len()];
    let mut driver = Driver {
        device,
        clock,
        ids,
        ports,
        carriers,
        last: Instant::ZERO,
        late: Lateness::default(),
        faulty: Faulty::new(wiring.seed),
        log,
    };
    let listener = (wiring.control.as_ref())
        .map(UnixListener::bind)
        .transpose()?;
    let mut channel: Option<Channel> = None;
    if wiring.held {
        channel = tokio::select! {
            begun = begun(listener.as_ref(), &mut driver.faulty) => Some(begun?),
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
        };
        while !drain(&mut driver.ports, &clock)?.is_empty() {}
    }
    let now = driver.now();
    driver.device.handle_timeout(now);
    driver.flush()?;
    driver.look_at_carriers()?;
    driver.late = Lateness::default();
    if let (true, Some(open)) = (wiring.held, &mut channel) {
        open.write(&Answer::Done).await?;
    }
    loop {
        let due = driver.work()?;
        let wall = due.map(|due| clock.wall(due));
        tokio::select! {
            () = any_ready(&driver.ports) => {}
            done = alarm.until(wall) => done?,
            changed = links.changed() => {
                let changes = changed?;
                driver.work()?;
                driver.carriers_changed(changes)?;
            }
            accepted = accept(listener.as_ref()) => channel = Some(Channel::of(accepted?.0)),
            request = next(channel.as_mut()) => {
                driver.work()?;
                let open = channel.take().zip(request);
                channel = match open {
                    Some((open, request)) => driver.serve(open, request).await?,
                    None => None,
                };
            }
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
        }
    }
}

/// The device's ports on their interfaces.
fn open(device: &dyn Device, wiring: &Wiring) -> Result<(Vec<PortId>, Vec<Port>), DriveError> {
    let mut ids = Vec::new();
    let mut ports = Vec::new();
    for (name, interface) in &wiring.ports {
        let known = device.ports();
        let found = known.iter().find(|info| info.name == *name);
        let id = found.map(|info| info.id).ok_or_else(|| {
            let known: Vec<&str> = known.iter().map(|info| info.name.as_str()).collect();
            DriveError::NoPort(name.clone(), known.join(", "))
        })?;
        ids.push(id);
        ports.push(Port::open(interface, BUFFER)?);
    }
    Ok((ids, ports))
}

/// Waits for somebody who asks the device to begin; its links may be faulty before.
async fn begun(listener: Option<&UnixListener>, faulty: &mut Faulty) -> io::Result<Channel> {
    loop {
        let (stream, _) = accept(listener).await?;
        let mut channel = Channel::of(stream);
        while let Some(request) = channel.request().await {
            let answer = match request {
                Ok(Request::Begin) => return Ok(channel),
                Ok(Request::Fault(fault)) => {
                    faulty.begin(fault);
                    Answer::Done
                }
                _ => Answer::Refused("the device is held: it must begin first".to_owned()),
            };
            channel.write(&answer).await?;
        }
    }
}

async fn accept(
    listener: Option<&UnixListener>,
) -> io::Result<(tokio::net::UnixStream, tokio::net::unix::SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

async fn next(channel: Option<&mut Channel>) -> Option<Result<Request, String>> {
    match channel {
        Some(channel) => channel.request().await,
        None => std::future::pending().await,
    }
}

impl Driver<'_> {
    fn now(&mut self) -> Instant {
        self.last = self.last.max(self.clock.now());
        self.last
    }

    /// Tells the device what has arrived and what is due, each at its own time; when it wants to be
    /// woken.
    fn work(&mut self) -> Result<Option<Instant>, DriveError> {
        loop {
            let arrived = drain(&mut self.ports, &self.clock)?;
            let any = !arrived.is_empty();
            for (at, port, octets) in arrived {
                let now = self.clock.now();
                self.late.add(now, now.since(at));
                self.last = self.last.max(at);
                self.timers(self.last)?;
                if let Some(id) = self.ids.get(port) {
                    self.device.handle_frame(self.last, *id, &octets);
                    self.flush()?;
                }
            }
            let now = self.now();
            self.timers(now)?;
            while let Some((port, frame)) = self.faulty.due(now) {
                if let Some(port) = self.ports.get_mut(port) {
                    port.send(&frame)?;
                }
            }
            if !any {
                let due = [self.device.next_timeout(), self.faulty.next()];
                return Ok(due.into_iter().flatten().min());
            }
        }
    }

    fn timers(&mut self, now: Instant) -> Result<(), DriveError> {
        if let Some(due) = self.device.next_timeout().filter(|due| *due <= now) {
            self.late.add(now, now.since(due));
            self.device.handle_timeout(now);
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), DriveError> {
        while let Some(transmit) = self.device.poll_transmit() {
            let now = self.now();
            let mut ports = self.ids.iter().zip(&mut self.ports).enumerate();
            if let Some((index, (_, port))) = ports.find(|(_, (id, _))| **id == transmit.port)
                && (self.faulty).send(now, (index, port.interface()), &transmit.frame)
            {
                port.send(&transmit.frame)?;
            }
            let at = self.now();
            self.device.handle_transmitted(at, transmit.tx);
        }
        while let Some(event) = self.device.poll_event() {
            (self.log)(self.last, event);
        }
        Ok(())
    }

    fn look_at_carriers(&mut self) -> Result<(), DriveError> {
        for index in 0..self.ports.len() {
            if let Some(port) = self.ports.get(index) {
                self.carrier(index, Carrier::of(port.interface()))?;
            }
        }
        Ok(())
    }

    fn carriers_changed(&mut self, changes: Vec<Change>) -> Result<(), DriveError> {
        for change in changes {
            match change {
                Change::Of(interface, carrier) => {
                    let of = |port: &Port| port.interface() == interface;
                    if let Some(index) = self.ports.iter().position(of) {
                        self.carrier(index, carrier)?;
                    }
                }
                Change::Any => self.look_at_carriers()?,
            }
        }
        Ok(())
    }

    /// A port's carrier is so; what is older than what is known changes nothing.
    fn carrier(&mut self, index: usize, carrier: Carrier) -> Result<(), DriveError> {
        let now = self.now();
        let (Some(id), Some(known)) = (self.ids.get(index), self.carriers.get_mut(index)) else {
            return Ok(());
        };
        if carrier.changes < known.changes {
            return Ok(());
        }
        let before = std::mem::replace(known, carrier);
        let lost = before.up && (!carrier.up || carrier.losses > before.losses);
        let back = carrier.up && (lost || !before.up);
        let changes = [
            lost.then_some(Control::LinkDown(*id)),
            back.then_some(Control::LinkUp(*id)),
        ];
        for control in changes.into_iter().flatten() {
            // The port is one of the device's own.
            drop(self.device.handle_control(now, &control));
            self.flush()?;
        }
        Ok(())
    }

    /// Stops this process until it gets SIGCONT. What was sent to it meanwhile is lost, as to a box
    /// whose control plane hangs, though a socket has kept it; and that it comes late to what was
    /// due is the case's doing and not the host's.
    fn hang(&mut self) -> Result<(), DriveError> {
        kill_process(getpid(), Signal::STOP).map_err(io::Error::from)?;
        while !drain(&mut self.ports, &self.clock)?.is_empty() {}
        let now = self.now();
        self.device.handle_timeout(now);
        self.flush()
    }

    /// Does what is asked; the channel, while it is open.
    async fn serve(
        &mut self,
        mut channel: Channel,
        request: Result<Request, String>,
    ) -> Result<Option<Channel>, DriveError> {
        let hangs = request == Ok(Request::Hang);
        let answer = self.answer(request)?;
        let written = channel.write(&answer).await;
        if hangs {
            self.hang()?;
        }
        Ok(written.is_ok().then_some(channel))
    }

    fn answer(&mut self, request: Result<Request, String>) -> Result<Answer, DriveError> {
        let now = self.now();
        Ok(match request {
            Ok(Request::Begin) => Answer::Refused("the device runs".to_owned()),
            Ok(Request::Command(text)) => {
                let done = self.device.handle_control(now, &Control::Command(text));
                self.flush()?;
                match done {
                    Ok(()) => Answer::Done,
                    Err(error) => Answer::Refused(error.to_string()),
                }
            }
            Ok(Request::Display(command)) => match self.device.display(now, &command) {
                Some(Ok(text)) => Answer::Text(text),
                Some(Err(why)) => Answer::Refused(why),
                None => Answer::Refused("it has no command line".to_owned()),
            },
            Ok(Request::Snapshot) => {
                let state = self.device.snapshot(now).map(serde_json::to_value);
                match state {
                    Some(Ok(state)) => Answer::State(state),
                    Some(Err(error)) => Answer::Refused(error.to_string()),
                    None => Answer::Refused("it can't be looked into".to_owned()),
                }
            }
            Ok(Request::Lateness) => Answer::Late(self.late.worst_ns()),
            Ok(Request::Fault(fault)) => {
                self.faulty.begin(fault);
                Answer::Done
            }
            Ok(Request::Heal(name)) => {
                self.faulty.heal(name.as_deref());
                Answer::Done
            }
            Ok(Request::Hang) => Answer::Done,
            Err(why) => Answer::Refused(why),
        })
    }
}
