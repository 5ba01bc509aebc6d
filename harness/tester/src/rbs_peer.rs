//! An RBS peer on a tester's port: a real TCP endpoint, and the session's courtesies.
//!
//! What it does by itself is opened by `auto`: `open` (OPEN, OPEN_ACK), `keepalive`, `ack`, `sync`
//! (as slave it asks for a batch). Everything else is a case's own `send`. `listen: false` refuses
//! connections, `role` is told for every profile, `second: true` opens another connection beside
//! the one that is up: it only listens, and what comes on it has `connection` 2.

use dut_device::Instant;
use harness_wire::{BuildError, Fields, build_message, decode_message, split_messages};
use serde_json::{Value, json};
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::tcp;
use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr};
use std::collections::VecDeque;
use std::net::Ipv6Addr;
use std::time::Duration;

/// IPv6 packets in and out of the TCP endpoint.
#[derive(Debug, Default)]
struct Packets {
    incoming: VecDeque<Vec<u8>>,
    outgoing: VecDeque<Vec<u8>>,
}

struct Incoming(Vec<u8>);

struct Outgoing<'a>(&'a mut VecDeque<Vec<u8>>);

impl RxToken for Incoming {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

impl TxToken for Outgoing<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        let mut packet = vec![0; length];
        let result = f(&mut packet);
        self.0.push_back(packet);
        result
    }
}

impl Device for Packets {
    type RxToken<'a> = Incoming;
    type TxToken<'a> = Outgoing<'a>;

    fn receive(
        &mut self,
        _now: smoltcp::time::Instant,
    ) -> Option<(Self::RxToken<'_>, Self::TxToken<'_>)> {
        let packet = self.incoming.pop_front()?;
        Some((Incoming(packet), Outgoing(&mut self.outgoing)))
    }

    fn transmit(&mut self, _now: smoltcp::time::Instant) -> Option<Self::TxToken<'_>> {
        Some(Outgoing(&mut self.outgoing))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = 1500;
        capabilities
    }
}

/// An RBS peer.
pub(crate) struct RbsPeer {
    overrides: Fields,
    local: Ipv6Addr,
    remote: Ipv6Addr,
    port: u16,
    connects: bool,
    interface: Interface,
    packets: Packets,
    sockets: SocketSet<'static>,
    handle: SocketHandle,
    stream: Vec<u8>,
    message_id: u64,
    connected: bool,
    session: Session,
    keepalive: Option<Instant>,
    unsent: Vec<u8>,
    /// Local port of the last attempt to connect.
    from: u16,
    second: Option<Second>,
    /// When the endpoint wants to work next by itself.
    due: Option<Instant>,
    /// Something was done to it since it worked last.
    wakes: bool,
}

/// A further connection.
struct Second {
    handle: SocketHandle,
    stream: Vec<u8>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Session {
    opened: bool,
    acknowledged: bool,
}

impl std::fmt::Debug for RbsPeer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RbsPeer")
            .field("local", &self.local)
            .field("session", &self.session)
            .finish()
    }
}

fn time(now: Instant) -> smoltcp::time::Instant {
    smoltcp::time::Instant::from_micros(i64::try_from(now.as_nanos() / 1000).unwrap_or(i64::MAX))
}

fn socket() -> tcp::Socket<'static> {
    let buffer = || tcp::SocketBuffer::new(vec![0; 262_144]);
    let mut socket = tcp::Socket::new(buffer(), buffer());
    socket.set_nagle_enabled(false);
    socket
}

/// What has come.
fn taken(socket: &mut tcp::Socket<'_>) -> Vec<u8> {
    let mut octets = Vec::new();
    while socket.can_recv() {
        let taken = socket.recv(|octets| (octets.len(), octets.to_vec()));
        octets.extend(taken.unwrap_or_default());
    }
    octets
}

fn address(fields: &Fields, name: &str, default: &str) -> Ipv6Addr {
    let given = fields.get(name).and_then(Value::as_str).unwrap_or(default);
    given.parse().unwrap_or(Ipv6Addr::UNSPECIFIED)
}

impl RbsPeer {
    /// A peer that listens, or connects where `connect` is true.
    pub(crate) fn new(now: Instant, overrides: Fields) -> Self {
        let mut packets = Packets::default();
        let mut config = Config::new(HardwareAddress::Ip);
        config.random_seed = 0x7461_6e64_656d;
        let mut interface = Interface::new(config, &mut packets, time(now));
        let local = address(&overrides, "source", "2001:db8:33::33");
        let remote = address(&overrides, "peer", "2001:db8:11::11");
        interface.update_ip_addrs(|addresses| {
            // The list has room for two.
            let _: Result<_, _> = addresses.push(IpCidr::new(IpAddress::Ipv6(local), 128));
        });
        let mut sockets = SocketSet::new(Vec::new());
        let handle = sockets.add(socket());
        let port = overrides
            .get("port")
            .and_then(Value::as_u64)
            .unwrap_or(1025);
        let connects = overrides.get("connect") == Some(&Value::Bool(true));
        let mut peer = Self {
            overrides,
            local,
            remote,
            port: u16::try_from(port).unwrap_or(1025),
            connects,
            interface,
            packets,
            sockets,
            handle,
            stream: Vec::new(),
            message_id: 0,
            connected: false,
            session: Session::default(),
            keepalive: None,
            unsent: Vec::new(),
            from: 49_152,
            second: None,
            due: None,
            wakes: true,
        };
        peer.open();
        peer
    }

    fn socket(&mut self) -> &mut tcp::Socket<'static> {
        self.sockets.get_mut(self.handle)
    }

    fn open(&mut self) {
        if self.connects {
            self.connect(self.handle);
        } else if self.overrides.get("listen") != Some(&Value::Bool(false)) {
            let at = (IpAddress::Ipv6(self.local), self.port);
            // It can't fail: the address is set and the socket is closed.
            let _: Result<_, _> = self.socket().listen(at);
        }
    }

    fn connect(&mut self, handle: SocketHandle) {
        self.from += 1;
        let from = (IpAddress::Ipv6(self.local), self.from);
        let to = (IpAddress::Ipv6(self.remote), self.port);
        let context = self.interface.context();
        let socket = self.sockets.get_mut::<tcp::Socket<'_>>(handle);
        // It can't fail: the addresses are set and the socket is closed.
        let _: Result<_, _> = socket.connect(context, to, from);
    }

    /// Other values from now on; a connection stays, one that is gone is opened again.
    pub(crate) fn change(&mut self, overrides: Fields) {
        self.wakes = true;
        self.overrides.extend(overrides);
        if self.connects && !self.socket().is_open() {
            self.connected = false;
            self.open();
        }
        if self.second.is_none() && self.overrides.get("second") == Some(&Value::Bool(true)) {
            let handle = self.sockets.add(socket());
            self.connect(handle);
            let stream = Vec::new();
            self.second = Some(Second { handle, stream });
        }
    }

    /// Whether a packet is for its endpoint.
    pub(crate) fn is_for(&self, destination: Ipv6Addr) -> bool {
        destination == self.local
    }

    /// An IPv6 packet has come.
    pub(crate) fn packet(&mut self, packet: &[u8]) {
        self.packets.incoming.push_back(packet.to_vec());
    }

    /// Closes the connection.
    pub(crate) fn close(&mut self) {
        self.wakes = true;
        self.socket().close();
    }

    fn auto(&self, what: &str) -> bool {
        match self.overrides.get("auto").and_then(Value::as_array) {
            None => true,
            Some(list) => list.iter().any(|item| item.as_str() == Some(what)),
        }
    }

    /// Queues a message.
    ///
    /// # Errors
    /// [`BuildError`] when it can't be built.
    pub(crate) fn send(&mut self, fields: &Fields) -> Result<(), BuildError> {
        let mut fields = fields.clone();
        self.message_id += 1;
        fields
            .entry("message_id".to_owned())
            .or_insert_with(|| self.message_id.into());
        let epoch = self
            .overrides
            .get("session_epoch")
            .cloned()
            .unwrap_or_else(|| 1.into());
        fields.entry("session_epoch".to_owned()).or_insert(epoch);
        self.unsent.extend(build_message(&fields)?);
        self.keepalive = None;
        Ok(())
    }

    fn courtesy(&mut self, fields: Value) {
        if let Value::Object(map) = fields {
            // The peer's own messages are legal: they can be built.
            let _: Result<_, _> = self.send(&map.into_iter().collect());
        }
    }

    fn open_message(&mut self, name: &str) {
        const KNOWN: [&str; 8] = [
            "minimum_major",
            "minimum_minor",
            "maximum_major",
            "maximum_minor",
            "keepalive",
            "hold",
            "capabilities",
            "profiles",
        ];
        let mut fields: Fields = self
            .overrides
            .iter()
            .filter(|(name, _)| KNOWN.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        fields.insert("name".to_owned(), name.into());
        let role = self.overrides.get("role");
        if let (Some(role), Some(Value::Array(list))) = (role, fields.get_mut("profiles")) {
            for profile in list.iter_mut().filter_map(Value::as_object_mut) {
                profile.insert("role".to_owned(), role.clone());
            }
        }
        // What a case gives here that can't be built is seen by the OPEN that doesn't come.
        let _: Result<_, _> = self.send(&fields);
    }

    /// Lets the endpoint work; messages that have come, decoded.
    pub(crate) fn poll(&mut self, now: Instant) -> Vec<Fields> {
        self.interface
            .poll(time(now), &mut self.packets, &mut self.sockets);
        let up = self.socket().may_send();
        if up && !self.connected {
            self.connected = true;
            self.session = Session::default();
            self.message_id = 0;
            self.stream.clear();
            if self.auto("open") {
                self.open_message("OPEN");
            }
        }
        let mut received = Vec::new();
        let octets = taken(self.socket());
        self.stream.extend(octets);
        for message in split_messages(&mut self.stream) {
            let mut decoded = decode_message(&message).fields;
            self.answer(now, &decoded);
            decoded.insert("connection".to_owned(), 1.into());
            received.push(decoded);
        }
        if self.connected && !self.socket().may_recv() {
            self.connected = false;
            self.socket().close();
        }
        if !self.connected && !self.connects && !self.socket().is_open() {
            self.open();
        }
        self.poll_second(&mut received);
        self.keep_alive(now);
        while !self.unsent.is_empty()
            && self
                .sockets
                .get_mut::<tcp::Socket<'_>>(self.handle)
                .can_send()
        {
            let unsent = std::mem::take(&mut self.unsent);
            let sent = self.socket().send_slice(&unsent).unwrap_or(0);
            self.unsent = unsent.get(sent..).unwrap_or_default().to_vec();
            if sent == 0 {
                break;
            }
        }
        self.interface
            .poll(time(now), &mut self.packets, &mut self.sockets);
        let delay = self.interface.poll_delay(time(now), &self.sockets);
        self.due = delay.map(|delay| now + Duration::from_micros(delay.total_micros().max(1)));
        self.wakes = false;
        received
    }

    fn poll_second(&mut self, received: &mut Vec<Fields>) {
        let Some(second) = &mut self.second else {
            return;
        };
        let socket = self.sockets.get_mut::<tcp::Socket<'_>>(second.handle);
        second.stream.extend(taken(socket));
        if !socket.may_recv() && socket.may_send() {
            socket.close();
        }
        for message in split_messages(&mut second.stream) {
            let mut decoded = decode_message(&message).fields;
            decoded.insert("connection".to_owned(), 2.into());
            received.push(decoded);
        }
    }

    fn keep_alive(&mut self, now: Instant) {
        if !(self.connected && self.auto("keepalive")) {
            return;
        }
        match self.keepalive {
            Some(due) if due <= now => {
                self.courtesy(json!({"name": "KEEPALIVE"}));
                self.keepalive = Some(now + Duration::from_secs(1));
            }
            Some(_) => {}
            None => self.keepalive = Some(now + Duration::from_secs(1)),
        }
    }

    fn answer(&mut self, now: Instant, message: &Fields) {
        let name = message
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        match name {
            "OPEN" if self.auto("open") => {
                self.open_message("OPEN_ACK");
                self.session.opened = true;
            }
            "OPEN_ACK" => self.session.acknowledged = true,
            "UPSERT" | "DELETE" | "SYNC_END" | "ROLE" if self.auto("ack") => {
                let id = message.get("message_id").cloned().unwrap_or(Value::Null);
                self.courtesy(json!({"name": "ACK", "acknowledged": id}));
            }
            _ => {}
        }
        let both = Session {
            opened: true,
            acknowledged: true,
        };
        if self.session == both && self.auto("sync") {
            self.session.opened = false;
            let backup_id = self
                .overrides
                .get("backup_id")
                .cloned()
                .unwrap_or_else(|| 10.into());
            self.courtesy(json!({
                "name": "SYNC_REQ", "request": 1, "backup_id": backup_id, "service": 1
            }));
        }
        self.keepalive.get_or_insert(now + Duration::from_secs(1));
    }

    /// IPv6 packets to send.
    pub(crate) fn outgoing(&mut self) -> Option<Vec<u8>> {
        self.packets.outgoing.pop_front()
    }

    /// When it must be polled next.
    pub(crate) fn next(&mut self, now: Instant) -> Option<Instant> {
        let writes = !self.unsent.is_empty() && self.socket().can_send();
        if self.wakes || writes {
            return Some(now);
        }
        let keeps = self.connected && self.auto("keepalive");
        let keepalive = self.keepalive.filter(|_| keeps);
        [self.due, keepalive].into_iter().flatten().min()
    }
}
