//! Replay: one side of a capture of real devices, played into a reference device at the capture's
//! times.
//!
//! The reference stands for the other side: it is given that side's identity, learnt from the
//! capture, or no LACPDU would ever match. What it says is laid beside what the other side said.

use crate::align::{Beside, align};
use crate::bed::{Factory, ORIGIN_S};
use dut_device::{
    BuildSpec, Control, Device, Event, Identity, Instant, LacpInfo, MacAddr, PortId, Snapshot,
};
use harness_trace::Trace;
use harness_wire::{LacpView, layers};
use std::collections::BTreeMap;
use thiserror::Error;

/// Why nothing can be replayed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReplayError {
    /// The reference device can't be built.
    #[error("{0}")]
    Build(String),
    /// The device has no such port.
    #[error("the device has no port `{port}`; it has {known}")]
    NoPort {
        /// The port.
        port: String,
        /// Its ports.
        known: String,
    },
    /// No frame has this source address.
    #[error("no frame of the capture comes from {mac}; there are {known}")]
    NoFrames {
        /// The address.
        mac: MacAddr,
        /// Source addresses with their number of frames.
        known: String,
    },
}

/// What is to be replayed into what.
#[derive(Debug)]
pub struct Replay<'a> {
    /// The capture.
    pub trace: &'a Trace,
    /// The reference device's configuration: (name, text).
    pub configuration: Vec<(String, String)>,
    /// The port that the frames come in by, as `GE0/1/2`.
    pub port: String,
    /// Source address of the side that is played.
    pub from: MacAddr,
    /// Source address of the side that the reference stands for.
    pub stands_for: Option<MacAddr>,
    /// When the reference's state is looked at on the way.
    pub looks: Vec<Instant>,
}

/// Something that happened in a replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// A frame of the capture was given to the reference.
    Heard {
        /// Its record in the trace.
        record: usize,
        /// When.
        at: Instant,
    },
    /// The reference's frame.
    Sent {
        /// When.
        at: Instant,
        /// The frame.
        octets: Vec<u8>,
    },
    /// What the reference reported.
    Said {
        /// When.
        at: Instant,
        /// What.
        event: Event,
    },
}

/// What a replay gave.
#[derive(Debug)]
pub struct Replayed {
    /// Everything in order.
    pub happened: Vec<Happened>,
    /// Frames given to the reference.
    pub heard: usize,
    /// Frames not used, by `protocol.reason`, with their records.
    pub discarded: BTreeMap<String, Vec<usize>>,
    /// Whom the reference stood for.
    pub identity: Identity,
    /// The other side's frames and the reference's, side by side.
    pub beside: Vec<Beside>,
    /// The states that were asked for on the way.
    pub looks: Vec<(Instant, Snapshot)>,
    /// The device after the capture's end.
    pub device: Box<dyn Device>,
    /// The capture's end.
    pub until: Instant,
}

/// The full name of a port: `GE0/1/2` is `GigabitEthernet0/1/2`.
fn full_name(port: &str) -> String {
    match port.strip_prefix("GE") {
        Some(rest) => format!("GigabitEthernet{rest}"),
        None => port.to_owned(),
    }
}

/// A LACPDU's port tuple: System_Priority, System, Key, Port_Priority, Port.
fn info(tuple: &[u8]) -> Option<LacpInfo> {
    let [a, b, system @ .., c, d, e, f, g, h] = tuple else {
        return None;
    };
    Some(LacpInfo {
        system_priority: u16::from_be_bytes([*a, *b]),
        system: MacAddr(system.try_into().ok()?),
        key: u16::from_be_bytes([*c, *d]),
        port_priority: u16::from_be_bytes([*e, *f]),
        port: u16::from_be_bytes([*g, *h]),
        state: 0,
    })
}

/// Whom a device must stand for to be `mac` in this capture: its Actor as its own LACPDUs show it
/// (or, if it sends none, as the others' name it as Partner), and its link-local address.
#[must_use]
pub fn identity(trace: &Trace, from: MacAddr, mac: MacAddr) -> Identity {
    let mut identity = Identity {
        mac: Some(mac),
        ..Identity::default()
    };
    let mut named = None;
    for (_, frame) in trace.frames() {
        let Some(layers) = layers(&frame.octets) else {
            continue;
        };
        let pdu = LacpView::of(&frame.octets);
        if layers.source == mac.0 {
            let actor = pdu.and_then(|pdu| info(pdu.actor_tuple()));
            identity.lacp = identity.lacp.or(actor);
            let source = layers.ip.map(|ip| ip.source);
            let local = source.filter(std::net::Ipv6Addr::is_unicast_link_local);
            identity.link_local = identity.link_local.or(local);
        } else if layers.source == from.0 {
            let partner = pdu.and_then(|pdu| info(pdu.partner_tuple()));
            named = named.or(partner.filter(|partner| partner.system != MacAddr([0; 6])));
        }
    }
    identity.lacp = identity.lacp.or(named);
    identity
}

/// Replays.
///
/// # Errors
/// [`ReplayError`].
pub fn replay(request: &Replay<'_>, factory: &Factory) -> Result<Replayed, ReplayError> {
    let Replay { trace, from, .. } = request;
    let name = full_name(&request.port);
    let records = frames_of(trace, *from);
    if records.is_empty() {
        let (mac, known) = (*from, senders(trace));
        return Err(ReplayError::NoFrames { mac, known });
    }
    let identity = request.stands_for.map(|mac| identity(trace, *from, mac));
    let identity = identity.unwrap_or_default();
    let spec = BuildSpec {
        configuration: request.configuration.clone(),
        base_mac: MacAddr([0x00, 0xe0, 0xfc, 0x00, 0x0f, 0x00]),
        election_larger_wins: false,
        secrets: BTreeMap::new(),
        seed: 0,
        boot_epoch: 1,
        wall_origin_s: if trace.origin_s == 0 {
            ORIGIN_S
        } else {
            trace.origin_s
        },
        identity: [(name.clone(), identity)].into(),
    };
    let device = factory(&spec).map_err(ReplayError::Build)?;
    let port = device.ports().iter().find(|info| info.name == name);
    let Some(port) = port.map(|info| info.id) else {
        let known = device.ports().iter().map(|info| info.name.as_str());
        return Err(ReplayError::NoPort {
            port: name,
            known: known.collect::<Vec<_>>().join(", "),
        });
    };
    let mut driver = Driver {
        device,
        now: Instant::ZERO,
        port,
        happened: Vec::new(),
        discarded: BTreeMap::new(),
        looks: Vec::new(),
        asked: request.looks.clone(),
    };
    driver.asked.sort_unstable();
    driver.play(trace, &records);
    let recorded = request.stands_for.map(|mac| frames_of(trace, mac));
    let beside = align(trace, &recorded.unwrap_or_default(), &driver.happened);
    Ok(Replayed {
        happened: driver.happened,
        heard: records.len(),
        discarded: driver.discarded,
        identity,
        beside,
        looks: driver.looks,
        device: driver.device,
        until: trace.until,
    })
}

/// Records of the frames with this source address.
pub(crate) fn frames_of(trace: &Trace, mac: MacAddr) -> Vec<usize> {
    let of = |octets: &[u8]| octets.get(6..12) == Some(&mac.0);
    let frames = trace.frames().filter(|(_, frame)| of(&frame.octets));
    frames.map(|(record, _)| record).collect()
}

/// The source addresses of a capture, with their number of frames, as errors list them.
pub(crate) fn senders(trace: &Trace) -> String {
    let counts = sources(trace);
    let shown = counts.iter().map(|(mac, n)| format!("{mac} ({n} frames)"));
    shown.collect::<Vec<_>>().join(", ")
}

/// Source addresses with their number of frames.
pub(crate) fn sources(trace: &Trace) -> BTreeMap<MacAddr, usize> {
    let mut counts: BTreeMap<MacAddr, usize> = BTreeMap::new();
    for (_, frame) in trace.frames() {
        let source = frame.octets.get(6..12).and_then(|o| o.try_into().ok());
        if let Some(source) = source {
            *counts.entry(MacAddr(source)).or_default() += 1;
        }
    }
    counts
}

/// Timeouts in a row at one instant.
const PATIENCE: u32 = 10_000;

struct Driver {
    device: Box<dyn Device>,
    now: Instant,
    port: PortId,
    happened: Vec<Happened>,
    discarded: BTreeMap<String, Vec<usize>>,
    looks: Vec<(Instant, Snapshot)>,
    /// Looks still to be taken, in order.
    asked: Vec<Instant>,
}

impl Driver {
    fn play(&mut self, trace: &Trace, records: &[usize]) {
        let up = Control::LinkUp(self.port);
        // The port is the device's own: it takes its carrier.
        drop(self.device.handle_control(Instant::ZERO, &up));
        self.drain(Instant::ZERO, None);
        for record in records {
            let Some(harness_trace::Record::Frame(frame)) = trace.records.get(*record) else {
                continue;
            };
            self.until(frame.at);
            let at = frame.at;
            self.happened.push(Happened::Heard {
                record: *record,
                at,
            });
            self.device.handle_frame(at, self.port, &frame.octets);
            self.drain(at, Some(*record));
        }
        self.until(trace.until);
    }

    /// Lets the device's time run up to `end`.
    fn until(&mut self, end: Instant) {
        while let Some(due) = self.next_look(end) {
            self.timers(due);
            if let Some(snapshot) = self.device.snapshot(due) {
                self.looks.push((due, snapshot));
            }
        }
        self.timers(end);
    }

    fn next_look(&mut self, end: Instant) -> Option<Instant> {
        let due = self.asked.first().copied().filter(|due| *due < end)?;
        self.asked.remove(0);
        Some(due)
    }

    fn timers(&mut self, end: Instant) {
        // A device that never comes to rest at one instant must not hang the replay.
        let mut patience = PATIENCE;
        while let Some(due) = self.device.next_timeout().filter(|due| *due <= end) {
            patience = if due > self.now {
                PATIENCE
            } else {
                patience - 1
            };
            self.now = self.now.max(due);
            self.device.handle_timeout(self.now);
            self.drain(self.now, None);
            if patience == 0 {
                break;
            }
        }
        self.now = self.now.max(end);
    }

    fn drain(&mut self, at: Instant, record: Option<usize>) {
        while let Some(event) = self.device.poll_event() {
            if let (
                Event::Discarded {
                    protocol, reason, ..
                },
                Some(record),
            ) = (&event, record)
            {
                let reason = format!("{protocol}.{reason}");
                self.discarded.entry(reason).or_default().push(record);
            }
            self.happened.push(Happened::Said { at, event });
        }
        while let Some(transmit) = self.device.poll_transmit() {
            self.device.handle_transmitted(at, transmit.tx);
            if transmit.port == self.port {
                let octets = transmit.frame;
                self.happened.push(Happened::Sent { at, octets });
            }
        }
    }
}
