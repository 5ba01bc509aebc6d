//! A listener as a device: one port, and the sockets that a command speaks for.

use super::settings::Settings;
use super::{Received, discard, mld_frame, received};
use dut_device::{
    BuildSpec, Control, ControlError, Device, Event, Instant, PortId, PortInfo, Transmit, TxId,
};
use dut_mld::host::{Filter, Host, HostConfig, HostEvent, Policy};
use dut_wire::ipv6;
use std::collections::VecDeque;
use std::net::Ipv6Addr;

/// What a listener understands.
const COMMAND: &str = "a listener takes `listen SOCKET GROUP include|exclude [SOURCE,SOURCE…]`; \
     `include` without sources ends it";
/// The socket of the stack itself.
const STACK: &str = "stack";
/// Its one port.
const PORT: PortId = PortId(0);

/// A listener on one port, `eth0`.
#[derive(Debug)]
pub(super) struct Station {
    ports: [PortInfo; 1],
    host: Host,
    transmits: VecDeque<Transmit>,
    events: VecDeque<Event>,
    sent: u64,
}

impl Station {
    /// A listener with the bridge MAC address, and the link-local address made of it.
    pub(super) fn new(spec: &BuildSpec, settings: &Settings, policy: Policy) -> Self {
        let link_local = spec.base_mac.link_local();
        let config = HostConfig {
            link_local,
            ..settings.host.clone()
        };
        let host = listener(config, policy, spec.seed ^ spec.boot_epoch);
        Self {
            ports: [PortInfo {
                id: PORT,
                name: "eth0".to_owned(),
                mac: spec.base_mac,
            }],
            host,
            transmits: VecDeque::new(),
            events: VecDeque::new(),
            sent: 0,
        }
    }

    fn collect(&mut self) {
        let [port] = &self.ports;
        while let Some(sent) = self.host.poll_transmit() {
            let ends = (sent.source, sent.destination);
            self.sent += 1;
            self.transmits.push_back(Transmit {
                port: PORT,
                tx: TxId(self.sent),
                frame: mld_frame(port.mac, ends, &sent.message),
            });
        }
        while let Some(event) = self.host.poll_event() {
            self.events.push_back(match event {
                HostEvent::Discarded { reason } => discard(PORT, "mld", reason.name()),
                HostEvent::Version { version } => Event::Notice {
                    what: "mld",
                    text: format!("the listener speaks version {version}"),
                },
            });
        }
    }

    fn command(&mut self, now: Instant, text: &str) -> Result<(), String> {
        let (socket, group, filter) = parse(text).ok_or(COMMAND)?;
        let done = self.host.listen(now, socket, group, filter);
        done.map_err(|error| error.to_string())
    }
}

/// A listener of its own solicited-node address, which the stack joins before it may use the
/// address itself (RFC 4862 5.4.2).
pub(super) fn listener(config: HostConfig, policy: Policy, seed: u64) -> Host {
    let own = ipv6::solicited_node(config.link_local);
    let mut host = Host::new(config, policy, seed);
    // The first address is within every limit.
    let joined = host.listen(Instant::ZERO, STACK, own, Filter::exclude([].into()));
    debug_assert!(joined.is_ok(), "{joined:?}");
    host
}

/// `listen SOCKET GROUP include|exclude [SOURCE,SOURCE…]`.
pub(super) fn parse(text: &str) -> Option<(&str, Ipv6Addr, Filter)> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (socket, group, mode, sources) = match words.as_slice() {
        ["listen", socket, group, mode] => (*socket, *group, *mode, ""),
        ["listen", socket, group, mode, sources] => (*socket, *group, *mode, *sources),
        _ => return None,
    };
    let sources = sources.split(',').filter(|source| !source.is_empty());
    let sources = sources.map(str::parse).collect::<Result<_, _>>().ok()?;
    let filter = match mode {
        "include" => Filter::include(sources),
        "exclude" => Filter::exclude(sources),
        _ => return None,
    };
    Some((socket, group.parse().ok()?, filter))
}

impl Device for Station {
    fn ports(&self) -> &[PortInfo] {
        &self.ports
    }

    fn handle_frame(&mut self, now: Instant, port: PortId, frame: &[u8]) {
        let [own] = &self.ports;
        match received(own.mac, frame) {
            Received::Mld(envelope, message) => self.host.handle_message(now, &envelope, message),
            Received::Packet => self.events.push_back(discard(port, "ipv6", "no_listener")),
            Received::Refused(protocol, reason) => {
                self.events.push_back(discard(port, protocol, reason));
            }
        }
        self.collect();
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.host.handle_timeout(now);
        self.collect();
    }

    fn handle_control(&mut self, now: Instant, control: &Control) -> Result<(), ControlError> {
        let result = match control {
            Control::LinkUp(port) | Control::LinkDown(port) if *port != PORT => {
                return Err(ControlError::UnknownPort(*port));
            }
            Control::LinkUp(_) => {
                self.host.link_up(now);
                Ok(())
            }
            Control::LinkDown(_) => {
                self.host.link_down();
                Ok(())
            }
            Control::Command(text) => self
                .command(now, text)
                .map_err(|what| ControlError::UnknownCommand(format!("`{text}`: {what}"))),
        };
        self.collect();
        result
    }

    fn handle_transmitted(&mut self, _at: Instant, _tx: TxId) {}

    fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn next_timeout(&self) -> Option<Instant> {
        self.host.next_timeout()
    }
}
