//! Two sessions on a byte pipe with latency and faults.

use dut_device::{Instant, MacAddr};
use dut_rbs::SessionConfig;
use dut_rbs::{Command, Entry, EntrySource, FilterMode, ProfileConfig, RbsEvent, Session};
use dut_wire::rbs::{Body, Frame, Framer};
use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::time::Duration;

pub(crate) const LATENCY: Duration = Duration::from_millis(1);
pub(crate) const ID: u16 = 100;

pub(crate) fn ip(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

pub(crate) fn profile() -> ProfileConfig {
    ProfileConfig {
        index: 0x1000,
        name: "rbp1".to_owned(),
        backup_id: ID,
        mld: true,
        e_trunk: 1,
        eth_trunk: 1,
        interfaces: vec!["Eth-Trunk1".to_owned()],
        backup_mode: "hot".to_owned(),
        config_digest: [7; 32],
    }
}

/// Device A: the lower address, so it connects.
pub(crate) fn config_a() -> SessionConfig {
    SessionConfig {
        name: "rbs1".to_owned(),
        index: 1,
        source: ip("2001:db8:11::11"),
        peer: ip("2001:db8:33::33"),
        port: 1025,
        keepalive: Duration::from_secs(1),
        hold: Duration::from_secs(15),
        boot_epoch: 1,
        origin: MacAddr([0, 0xe0, 0xfc, 0, 0, 1]),
        seed: 1,
        wall_origin_s: 1_622_258_460,
        profiles: vec![profile()],
    }
}

pub(crate) fn config_b() -> SessionConfig {
    SessionConfig {
        source: ip("2001:db8:33::33"),
        peer: ip("2001:db8:11::11"),
        origin: MacAddr([0, 0xe0, 0xfc, 0, 0, 2]),
        seed: 2,
        ..config_a()
    }
}

pub(crate) fn source(text: &str, timer_ms: u64) -> EntrySource {
    EntrySource {
        source: ip(text),
        timer: Duration::from_millis(timer_ms),
        query_count: 0,
    }
}

pub(crate) fn include(group: &str, sources: &[(&str, u64)]) -> Entry {
    Entry {
        eth_trunk: 1,
        group: ip(group),
        filter_mode: FilterMode::Include,
        filter_timer: Duration::ZERO,
        v1_host_timer: Duration::ZERO,
        query_count: 0,
        query_due: Duration::ZERO,
        sources: sources.iter().map(|(s, ms)| source(s, *ms)).collect(),
        last_reporter: Some(ip("fe80::1")),
        since: Instant::ZERO,
    }
}

pub(crate) fn exclude(group: &str, timer_ms: u64, sources: &[(&str, u64)]) -> Entry {
    Entry {
        filter_mode: FilterMode::Exclude,
        filter_timer: Duration::from_millis(timer_ms),
        ..include(group, sources)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Dev {
    A,
    B,
}

impl Dev {
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

#[derive(Debug, Clone)]
enum Flight {
    /// Number of the attempt.
    Syn(u64),
    /// Number of the attempt, number of the connection.
    SynAck(u64, u64),
    Bytes(u64, Vec<u8>),
    Fin(u64),
}

/// One TCP end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct End {
    listening: bool,
    attempt: Option<u64>,
    connection: Option<u64>,
}

pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) a: Option<Session>,
    pub(crate) b: Option<Session>,
    /// Nothing passes while it is off; what is in flight is lost.
    pub(crate) path: bool,
    ends: BTreeMap<Dev, End>,
    connections: u64,
    flight: BTreeMap<(Instant, u64), (Dev, Flight)>,
    order: u64,
    pub(crate) events: Vec<(Instant, Dev, RbsEvent)>,
    framers: BTreeMap<Dev, Framer>,
    /// (when, who sent, what).
    pub(crate) frames: Vec<(Instant, Dev, Frame)>,
}

impl World {
    pub(crate) fn new(a: SessionConfig, b: SessionConfig) -> Self {
        let ends = [(Dev::A, End::default()), (Dev::B, End::default())];
        Self {
            now: Instant::ZERO,
            a: Some(Session::new(a)),
            b: Some(Session::new(b)),
            path: true,
            ends: ends.into_iter().collect(),
            connections: 0,
            flight: BTreeMap::new(),
            order: 0,
            events: Vec::new(),
            framers: BTreeMap::new(),
            frames: Vec::new(),
        }
    }

    /// Both started, A Master, connected and synchronised with an empty table.
    pub(crate) fn settled() -> Self {
        let mut world = Self::new(config_a(), config_b());
        world.with(Dev::B, |s, now| s.start(now));
        world.with(Dev::A, |s, now| s.start(now));
        world.with(Dev::A, |s, now| s.set_role(now, ID, true));
        world.run_ms(100);
        assert!(world.synchronized());
        world
    }

    pub(crate) fn session(&self, dev: Dev) -> &Session {
        match dev {
            Dev::A => self.a.as_ref().unwrap(),
            Dev::B => self.b.as_ref().unwrap(),
        }
    }

    pub(crate) fn with<T>(&mut self, dev: Dev, f: impl FnOnce(&mut Session, Instant) -> T) -> T {
        let now = self.now;
        let slot = match dev {
            Dev::A => &mut self.a,
            Dev::B => &mut self.b,
        };
        let result = f(slot.as_mut().unwrap(), now);
        self.drain(dev);
        result
    }

    pub(crate) fn upsert(&mut self, dev: Dev, entry: Entry) {
        self.with(dev, |s, now| s.upsert(now, ID, entry, true));
    }

    pub(crate) fn delete(&mut self, dev: Dev, group: &str) {
        self.with(dev, |s, now| s.delete(now, ID, 1, ip(group)));
    }

    pub(crate) fn role(&mut self, dev: Dev, master: bool) {
        self.with(dev, |s, now| s.set_role(now, ID, master));
    }

    pub(crate) fn crash(&mut self, dev: Dev) {
        match dev {
            Dev::A => self.a = None,
            Dev::B => self.b = None,
        }
        self.ends.insert(dev, End::default());
    }

    pub(crate) fn boot(&mut self, dev: Dev, config: SessionConfig) {
        match dev {
            Dev::A => self.a = Some(Session::new(config)),
            Dev::B => self.b = Some(Session::new(config)),
        }
        self.with(dev, |s, now| s.start(now));
    }

    /// Resets TCP on both ends.
    pub(crate) fn reset(&mut self) {
        for dev in [Dev::A, Dev::B] {
            if self.ends.get_mut(&dev).unwrap().connection.take().is_some() {
                self.with(dev, |s, now| s.handle_closed(now));
            }
        }
    }

    /// Lets octets that `from` never sent arrive at the other end.
    pub(crate) fn inject(&mut self, from: Dev, octets: &[u8]) {
        self.with(from.other(), |s, now| s.handle_bytes(now, octets));
    }

    fn send(&mut self, to: Dev, what: Flight) {
        if self.path {
            self.order += 1;
            self.flight
                .insert((self.now + LATENCY, self.order), (to, what));
        }
    }

    fn drain(&mut self, dev: Dev) {
        loop {
            let slot = match dev {
                Dev::A => &mut self.a,
                Dev::B => &mut self.b,
            };
            let Some(session) = slot else { return };
            while let Some(event) = session.poll_event() {
                self.events.push((self.now, dev, event));
            }
            let Some(command) = session.poll_command() else {
                break;
            };
            self.command(dev, command);
        }
        let session = self.session(dev);
        if let Some(next) = session.next_timeout() {
            assert!(next > self.now, "a timeout that is never done");
        }
    }

    fn command(&mut self, dev: Dev, command: Command) {
        let connection = self.ends[&dev].connection;
        match command {
            Command::Connect => {
                self.connections += 1;
                let end = self.ends.get_mut(&dev).unwrap();
                end.connection = None;
                end.attempt = Some(self.connections);
                self.send(dev.other(), Flight::Syn(self.connections));
            }
            Command::Listen => self.ends.get_mut(&dev).unwrap().listening = true,
            Command::Close | Command::Abort => {
                let end = self.ends.get_mut(&dev).unwrap();
                (end.connection, end.attempt) = (None, None);
                if let Some(connection) = connection {
                    self.send(dev.other(), Flight::Fin(connection));
                }
            }
            Command::Send(octets) => {
                let framer = self.framers.entry(dev).or_default();
                let mut input = octets.as_slice();
                while let Some(frame) = framer.next(&mut input) {
                    self.frames.push((self.now, dev, frame.unwrap()));
                }
                if let Some(connection) = connection {
                    self.send(dev.other(), Flight::Bytes(connection, octets));
                }
            }
        }
    }

    fn arrive(&mut self, to: Dev, what: Flight) {
        let alive = match to {
            Dev::A => self.a.is_some(),
            Dev::B => self.b.is_some(),
        };
        if !alive {
            return;
        }
        let end = *self.ends.get(&to).unwrap();
        match what {
            Flight::Syn(attempt) if end.listening => {
                self.connections += 1;
                let connection = self.connections;
                self.send(to.other(), Flight::SynAck(attempt, connection));
                let end = self.ends.get_mut(&to).unwrap();
                let older = end.connection.replace(connection);
                end.listening = false;
                if older.is_some() {
                    self.with(to, |s, now| s.handle_closed(now));
                }
                self.with(to, |s, now| s.handle_connected(now));
            }
            Flight::Syn(_) => {}
            Flight::SynAck(attempt, connection) if end.attempt == Some(attempt) => {
                let end = self.ends.get_mut(&to).unwrap();
                (end.connection, end.attempt) = (Some(connection), None);
                self.with(to, |s, now| s.handle_connected(now));
            }
            // As TCP resets what it does not know.
            Flight::SynAck(_, connection) => self.send(to.other(), Flight::Fin(connection)),
            Flight::Bytes(connection, octets) if end.connection == Some(connection) => {
                self.with(to, |s, now| s.handle_bytes(now, &octets));
            }
            Flight::Fin(connection) if end.connection == Some(connection) => {
                self.ends.get_mut(&to).unwrap().connection = None;
                self.with(to, |s, now| s.handle_closed(now));
            }
            Flight::Bytes(connection, _) => self.send(to.other(), Flight::Fin(connection)),
            Flight::Fin(_) => {}
        }
    }

    pub(crate) fn run_ms(&mut self, ms: u64) {
        self.run_until(self.now + Duration::from_millis(ms));
    }

    pub(crate) fn run_until(&mut self, end: Instant) {
        for _ in 0..200_000 {
            let timeouts = [&self.a, &self.b].map(|s| s.as_ref().and_then(Session::next_timeout));
            let frame = self.flight.keys().next().map(|(at, _)| *at);
            let next = timeouts.into_iter().chain([frame]).flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else {
                self.now = end;
                return;
            };
            self.now = next;
            if frame == Some(next) {
                let (_, (to, what)) = self.flight.pop_first().unwrap();
                if self.path {
                    self.arrive(to, what);
                }
            } else {
                for (dev, due) in [(Dev::A, timeouts[0]), (Dev::B, timeouts[1])] {
                    if due.is_some_and(|due| due <= next) {
                        self.with(dev, |s, now| s.handle_timeout(now));
                    }
                }
            }
        }
        unreachable!("the world does not come to rest");
    }

    pub(crate) fn connected(&self) -> bool {
        self.session(Dev::A).is_connected() && self.session(Dev::B).is_connected()
    }

    pub(crate) fn synchronized(&self) -> bool {
        self.session(Dev::A).synchronized(ID) && self.session(Dev::B).synchronized(ID)
    }

    pub(crate) fn groups(&self, dev: Dev) -> Vec<String> {
        let entries = self.session(dev).entries(self.now, ID);
        entries
            .iter()
            .map(|entry| entry.group.to_string())
            .collect()
    }

    pub(crate) fn entry(&self, dev: Dev, group: &str) -> Option<Entry> {
        self.session(dev).entry(self.now, ID, 1, ip(group))
    }

    /// Asserts equal tables without timers, and equal digests.
    pub(crate) fn assert_equal(&self) {
        let content = |dev| {
            let entries = self.session(dev).entries(self.now, ID).into_iter();
            let content = entries.map(|entry| {
                let sources = entry.sources.iter().map(|s| (s.source, s.timer.is_zero()));
                (entry.group, entry.filter_mode, sources.collect::<Vec<_>>())
            });
            content.collect::<Vec<_>>()
        };
        assert_eq!(content(Dev::A), content(Dev::B));
        let digest = |dev| self.session(dev).snapshot(self.now).1[0].digest.clone();
        assert_eq!(digest(Dev::A), digest(Dev::B));
    }

    /// Names of the frames that `dev` sent since `from`, without ACK, DIGEST and KEEPALIVE.
    pub(crate) fn sent(&self, dev: Dev, from: Instant) -> Vec<&'static str> {
        let frames = self
            .frames
            .iter()
            .filter(|(at, whose, _)| *whose == dev && *at >= from);
        frames
            .filter(|(_, _, frame)| {
                !matches!(
                    frame.body,
                    Body::Ack { .. } | Body::Digest { .. } | Body::Keepalive
                )
            })
            .map(|(_, _, frame)| frame.body.name())
            .collect()
    }

    pub(crate) fn errors(&self, dev: Dev, reason: &str) -> u64 {
        let errors = self.session(dev).snapshot(self.now).0.errors;
        errors.get(reason).copied().unwrap_or(0)
    }

    pub(crate) fn down_reason(&self, dev: Dev) -> String {
        let service = self.session(dev).snapshot(self.now).0;
        service.last_down_reason.unwrap_or_default()
    }
}
