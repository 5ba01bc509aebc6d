//! The UDP and TCP host stack: smoltcp with one interface that holds all of the node's own
//! addresses.
//!
//! It sees only packets addressed to the node; routing, neighbour discovery, hop limits and
//! Ethernet are the node's.

use dut_device::Instant;
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::{tcp, udp};
use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr, IpEndpoint};
use std::collections::VecDeque;
use std::net::Ipv6Addr;
use std::time::Duration;

/// Octets of a TCP socket's buffer, each way.
const TCP_BUFFER: usize = 262_144;

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

/// A received datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Datagram {
    pub(crate) source: Ipv6Addr,
    pub(crate) source_port: u16,
    pub(crate) destination: Ipv6Addr,
    pub(crate) payload: Vec<u8>,
}

/// What happened to a service's TCP connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stream {
    Connected,
    Bytes(Vec<u8>),
    Closed,
    /// The peer has made a second connection beside the one that is up: see [`Host::refuse`].
    Second,
}

/// A TCP endpoint of one service: the connection, and a listening socket beside it.
#[derive(Debug)]
struct Endpoint {
    connection: SocketHandle,
    listener: Option<SocketHandle>,
    /// A second connection, to be refused.
    second: Option<SocketHandle>,
    local: Ipv6Addr,
    peer: Ipv6Addr,
    port: u16,
    /// The connection was seen established and its end hasn't been told.
    established: bool,
    /// An attempt that must be told as closed when it fails.
    attempting: bool,
    unsent: VecDeque<u8>,
}

/// The host stack.
pub(crate) struct Host {
    interface: Interface,
    packets: Packets,
    sockets: SocketSet<'static>,
    udp: Vec<(SocketHandle, Ipv6Addr, u16)>,
    endpoints: Vec<Endpoint>,
    next_port: u16,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host")
            .field("endpoints", &self.endpoints)
            .finish()
    }
}

/// How long a connection that the peer is opening, or that has been closed, waits for what it has
/// sent to be acknowledged. A peer that is gone mustn't keep the socket: TCP would say it again for
/// minutes, and a service listens no further while a half-open or refused connection is there.
const PASSING: smoltcp::time::Duration = smoltcp::time::Duration::from_secs(2);

/// The first ephemeral port (RFC 6335 6: 49152 to 65535): another one after each boot, since the
/// peer may still hold connections of the last life (RFC 6056 3.2).
const fn first_port(seed: u64) -> u16 {
    // The upper bits of a product depend on all bits of the seed.
    let [high, low, ..] = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
    49_152 + (u16::from_be_bytes([high, low]) >> 2)
}

fn close(socket: &mut tcp::Socket<'_>) {
    socket.set_timeout(Some(PASSING));
    socket.close();
}

fn time(now: Instant) -> smoltcp::time::Instant {
    smoltcp::time::Instant::from_micros(i64::try_from(now.as_nanos() / 1000).unwrap_or(i64::MAX))
}

fn socket() -> tcp::Socket<'static> {
    let buffer = || tcp::SocketBuffer::new(vec![0; TCP_BUFFER]);
    let mut socket = tcp::Socket::new(buffer(), buffer());
    socket.set_nagle_enabled(false);
    socket
}

impl Host {
    /// A stack with these addresses; initial sequence numbers and ports come from `seed`.
    pub(crate) fn new(addresses: &[Ipv6Addr], seed: u64) -> Self {
        let mut packets = Packets::default();
        let mut config = Config::new(HardwareAddress::Ip);
        config.random_seed = seed;
        let mut interface = Interface::new(config, &mut packets, time(Instant::ZERO));
        interface.update_ip_addrs(|list| {
            for address in addresses {
                // The build raises the limit to eight: the services' addresses come first.
                if list
                    .push(IpCidr::new(IpAddress::Ipv6(*address), 128))
                    .is_err()
                {
                    break;
                }
            }
        });
        let next_port = first_port(seed);
        let sockets = SocketSet::new(Vec::new());
        Self {
            interface,
            packets,
            sockets,
            udp: Vec::new(),
            endpoints: Vec::new(),
            next_port,
        }
    }

    /// Binds a UDP socket; its index.
    pub(crate) fn bind(&mut self, address: Ipv6Addr, port: u16) -> usize {
        let buffer =
            || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; 32], vec![0; 65_536]);
        let mut socket = udp::Socket::new(buffer(), buffer());
        // A fresh socket on a port that isn't zero binds.
        let _: Result<_, _> = socket.bind((IpAddress::Ipv6(address), port));
        self.udp.push((self.sockets.add(socket), address, port));
        self.udp.len() - 1
    }

    /// Queues a datagram; `false` when the socket can't take it.
    pub(crate) fn send_datagram(&mut self, index: usize, to: Ipv6Addr, payload: &[u8]) -> bool {
        let Some((handle, _, port)) = self.udp.get(index).copied() else {
            return false;
        };
        let endpoint = IpEndpoint::new(IpAddress::Ipv6(to), port);
        self.sockets
            .get_mut::<udp::Socket<'_>>(handle)
            .send_slice(payload, endpoint)
            .is_ok()
    }

    /// The next datagram that a socket has received.
    pub(crate) fn datagram(&mut self, index: usize) -> Option<Datagram> {
        let (handle, address, _) = self.udp.get(index).copied()?;
        let socket = self.sockets.get_mut::<udp::Socket<'_>>(handle);
        let (payload, meta) = socket.recv().ok()?;
        let IpAddress::Ipv6(source) = meta.endpoint.addr;
        let local = meta.local_address.map(|IpAddress::Ipv6(local)| local);
        Some(Datagram {
            source,
            source_port: meta.endpoint.port,
            destination: local.unwrap_or(address),
            payload: payload.to_vec(),
        })
    }

    /// Makes a TCP endpoint of a service; its index.
    pub(crate) fn endpoint(&mut self, local: Ipv6Addr, peer: Ipv6Addr, port: u16) -> usize {
        let connection = self.sockets.add(socket());
        self.endpoints.push(Endpoint {
            connection,
            listener: None,
            second: None,
            local,
            peer,
            port,
            established: false,
            attempting: false,
            unsent: VecDeque::new(),
        });
        self.endpoints.len() - 1
    }

    /// Tries to connect.
    pub(crate) fn connect(&mut self, index: usize) {
        let Some(endpoint) = self.endpoints.get_mut(index) else {
            return;
        };
        self.next_port = self.next_port.checked_add(1).unwrap_or(49_152);
        let from = (IpAddress::Ipv6(endpoint.local), self.next_port);
        let to = (IpAddress::Ipv6(endpoint.peer), endpoint.port);
        let socket = self.sockets.get_mut::<tcp::Socket<'_>>(endpoint.connection);
        socket.abort();
        // An attempt gives up by itself: the session's back-off tries again.
        socket.set_timeout(Some(smoltcp::time::Duration::from_secs(20)));
        let started = socket.connect(self.interface.context(), to, from).is_ok();
        endpoint.attempting = true;
        endpoint.established = false;
        endpoint.unsent.clear();
        if !started {
            socket.abort();
        }
    }

    /// Listens, beside a connection.
    pub(crate) fn listen(&mut self, index: usize) {
        let Some(endpoint) = self.endpoints.get_mut(index) else {
            return;
        };
        if endpoint.listener.is_some() || endpoint.second.is_some() {
            return;
        }
        let handle = self.sockets.add(socket());
        let at = (IpAddress::Ipv6(endpoint.local), endpoint.port);
        let socket = self.sockets.get_mut::<tcp::Socket<'_>>(handle);
        socket.set_timeout(Some(PASSING));
        if socket.listen(at).is_ok() {
            endpoint.listener = Some(handle);
        } else {
            self.sockets.remove(handle);
        }
    }

    /// Queues octets on the connection.
    pub(crate) fn send(&mut self, index: usize, octets: &[u8]) {
        if let Some(endpoint) = self.endpoints.get_mut(index) {
            endpoint.unsent.extend(octets);
        }
    }

    /// Closes the connection; `abort` resets it.
    pub(crate) fn close(&mut self, index: usize, abort: bool) {
        let Some(endpoint) = self.endpoints.get_mut(index) else {
            return;
        };
        endpoint.established = false;
        endpoint.attempting = false;
        if !abort {
            // What is queued leaves before the end does.
            flush(&mut self.sockets, endpoint);
        }
        endpoint.unsent.clear();
        let socket = self.sockets.get_mut::<tcp::Socket<'_>>(endpoint.connection);
        if abort {
            socket.abort();
        } else {
            close(socket);
        }
    }

    /// An IPv6 packet for this node has come.
    pub(crate) fn receive(&mut self, packet: &[u8]) {
        self.packets.incoming.push_back(packet.to_vec());
    }

    /// Lets the stack work.
    pub(crate) fn poll(&mut self, now: Instant) {
        for endpoint in &mut self.endpoints {
            flush(&mut self.sockets, endpoint);
        }
        self.interface
            .poll(time(now), &mut self.packets, &mut self.sockets);
    }

    /// What has happened to a service's connection.
    pub(crate) fn stream(&mut self, index: usize) -> Option<Stream> {
        self.reap(index);
        let endpoint = self.endpoints.get_mut(index)?;
        if let Some(listener) = endpoint.listener
            && self.sockets.get::<tcp::Socket<'_>>(listener).may_send()
        {
            return self.accept(index, listener);
        }
        let socket = self.sockets.get_mut::<tcp::Socket<'_>>(endpoint.connection);
        if endpoint.attempting && socket.may_send() {
            endpoint.attempting = false;
            endpoint.established = true;
            socket.set_timeout(None);
            return Some(Stream::Connected);
        }
        if socket.can_recv() {
            let octets = socket.recv(|octets| (octets.len(), octets.to_vec()));
            return octets
                .ok()
                .filter(|octets| !octets.is_empty())
                .map(Stream::Bytes);
        }
        let ended = (endpoint.established && !socket.may_recv())
            || (endpoint.attempting && !socket.is_open());
        if ended {
            endpoint.established = false;
            endpoint.attempting = false;
            close(socket);
            return Some(Stream::Closed);
        }
        None
    }

    /// A connection has come in by the listening socket: only the peer's is taken, and only while
    /// none is up. A peer that has forgotten its old one resets it at the next keepalive.
    fn accept(&mut self, index: usize, listener: SocketHandle) -> Option<Stream> {
        let endpoint = self.endpoints.get_mut(index)?;
        endpoint.listener = None;
        let socket = self.sockets.get_mut::<tcp::Socket<'_>>(listener);
        socket.set_timeout(None);
        let from = socket.remote_endpoint().map(|remote| remote.addr);
        if from != Some(IpAddress::Ipv6(endpoint.peer)) {
            socket.abort();
            self.listen(index);
            return None;
        }
        if endpoint.established {
            endpoint.second = Some(listener);
            return Some(Stream::Second);
        }
        let older = std::mem::replace(&mut endpoint.connection, listener);
        endpoint.established = true;
        endpoint.attempting = false;
        endpoint.unsent.clear();
        self.sockets.get_mut::<tcp::Socket<'_>>(older).abort();
        self.sockets.remove(older);
        self.listen(index);
        Some(Stream::Connected)
    }

    /// Tells a second connection why it is refused, and closes it. Until it has gone the service
    /// listens no further: connections can't pile up.
    pub(crate) fn refuse(&mut self, index: usize, octets: &[u8]) {
        let Some(handle) = self
            .endpoints
            .get(index)
            .and_then(|endpoint| endpoint.second)
        else {
            return;
        };
        let socket = self.sockets.get_mut::<tcp::Socket<'_>>(handle);
        let _: Result<_, _> = socket.send_slice(octets);
        close(socket);
    }

    /// Forgets a refused connection that has gone, and one that never came about; listens again.
    fn reap(&mut self, index: usize) {
        let Some(endpoint) = self.endpoints.get_mut(index) else {
            return;
        };
        if let Some(half) = endpoint.listener
            && !self.sockets.get::<tcp::Socket<'_>>(half).is_open()
        {
            endpoint.listener = None;
            self.sockets.remove(half);
            self.listen(index);
            return;
        }
        let Some(handle) = endpoint.second else {
            return;
        };
        let socket = self.sockets.get_mut::<tcp::Socket<'_>>(handle);
        // What a refused peer still says is read and dropped, so that the close can end.
        let _: Result<_, _> = socket.recv(|octets| (octets.len(), ()));
        if !socket.is_open() || socket.state() == tcp::State::TimeWait {
            endpoint.second = None;
            self.sockets.remove(handle);
            self.listen(index);
        }
    }

    /// The next IPv6 packet to route.
    pub(crate) fn outgoing(&mut self) -> Option<Vec<u8>> {
        self.packets.outgoing.pop_front()
    }

    /// When [`Host::poll`] wants to be called.
    pub(crate) fn next_timeout(&mut self, now: Instant) -> Option<Instant> {
        let delay = self.interface.poll_delay(time(now), &self.sockets)?;
        // What is due at once has been done by the poll before; a microsecond keeps time going.
        Some(now + Duration::from_micros(delay.total_micros().max(1)))
    }
}

fn flush(sockets: &mut SocketSet<'static>, endpoint: &mut Endpoint) {
    let socket = sockets.get_mut::<tcp::Socket<'_>>(endpoint.connection);
    while !endpoint.unsent.is_empty() && socket.can_send() {
        let (front, _) = endpoint.unsent.as_slices();
        let Ok(sent) = socket.send_slice(front) else {
            return;
        };
        if sent == 0 {
            return;
        }
        endpoint.unsent.drain(..sent);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Eight boots of one device begin with eight ports, far enough apart for the attempts of a
    /// life, all of them ephemeral.
    #[test]
    fn a_boot_begins_with_a_port_of_its_own() {
        let mut ports: Vec<u16> = (1..=8_u64)
            .map(|boot| first_port(7 ^ (boot << 48)))
            .collect();
        ports.sort_unstable();
        assert!(ports.iter().all(|port| *port >= 49_152));
        let near = ports
            .windows(2)
            .filter(|pair| matches!(pair, [a, b] if b - a < 64));
        assert_eq!(near.count(), 0, "{ports:?}");
    }
}
