//! Two E-Trunks on a path with faults, in virtual time.

use dut_device::{Instant, MacAddr};
use dut_etrunk::{
    AuthenticationMode, ETrunk, ETrunkConfig, ETrunkEvent, MemberConfig, MemberStatus, Role,
    WorkMode,
};
use dut_wire::etrunk::{Envelope, Hello};
use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::time::Duration;

pub(crate) const LATENCY: Duration = Duration::from_millis(1);

pub(crate) fn a_address() -> Ipv6Addr {
    "2001:db8:11::11".parse().unwrap()
}

pub(crate) fn b_address() -> Ipv6Addr {
    "2001:db8:33::33".parse().unwrap()
}

pub(crate) const UP: MemberStatus = MemberStatus {
    link_ready: true,
    oper_up: true,
    selected: 1,
    bandwidth_mbps: 1000,
};

pub(crate) fn member(id: u16) -> MemberConfig {
    MemberConfig {
        eth_trunk: id,
        remote_id: id,
        work_mode: WorkMode::Auto,
    }
}

/// Device A: the better one under the default rule.
pub(crate) fn config_a() -> ETrunkConfig {
    ETrunkConfig {
        id: 1,
        priority: 20,
        system_id: MacAddr([0, 0xe0, 0xfc, 0, 0, 1]),
        source: a_address(),
        peer: b_address(),
        port: 1025,
        key: b"secret".to_vec(),
        authentication: AuthenticationMode::EnhancedHmacSha256,
        sequence: true,
        hello: Duration::from_secs(1),
        multiplier: 20,
        revert_delay: Some(Duration::from_secs(120)),
        larger_wins: false,
        lacp_system_priority: 32768,
        lacp_system_id: MacAddr([0, 0xe0, 0xfc, 0x12, 0x34, 0x55]),
        port_offset: false,
        members: vec![member(1)],
        boot_epoch: 1,
    }
}

/// Device B.
pub(crate) fn config_b() -> ETrunkConfig {
    ETrunkConfig {
        priority: 30,
        system_id: MacAddr([0, 0xe0, 0xfc, 0, 0, 2]),
        source: b_address(),
        peer: a_address(),
        port_offset: true,
        ..config_a()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dev {
    A,
    B,
}

/// The fixed and TLV fields of an own hello.
pub(crate) fn decode(payload: &[u8]) -> Hello {
    Envelope::parse(payload)
        .unwrap()
        .body()
        .unwrap()
        .hello()
        .unwrap()
}

/// The payload of `hello` signed as the device configured so would sign it.
pub(crate) fn forge(from: &ETrunkConfig, hello: &Hello) -> Vec<u8> {
    let endpoints = dut_wire::etrunk::Endpoints {
        source: from.source,
        destination: from.peer,
        source_port: from.port,
        destination_port: from.port,
    };
    hello.to_vec(from.authentication, &from.key, &endpoints)
}

pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) a: Option<ETrunk>,
    pub(crate) b: Option<ETrunk>,
    pub(crate) a_to_b: bool,
    pub(crate) b_to_a: bool,
    flight: BTreeMap<(Instant, u64), (Dev, Vec<u8>)>,
    order: u64,
    /// (when, whose, what).
    pub(crate) log: Vec<(Instant, Dev, ETrunkEvent)>,
    /// (when, whose, hello).
    pub(crate) hellos: Vec<(Instant, Dev, Hello)>,
}

impl World {
    pub(crate) fn new(a: ETrunkConfig, b: ETrunkConfig) -> Self {
        Self {
            now: Instant::ZERO,
            a: Some(ETrunk::new(a)),
            b: Some(ETrunk::new(b)),
            a_to_b: true,
            b_to_a: true,
            flight: BTreeMap::new(),
            order: 0,
            log: Vec::new(),
            hellos: Vec::new(),
        }
    }

    /// Both started with link-ready members and open gates, settled: A Master, B Backup.
    pub(crate) fn settled() -> Self {
        let mut world = Self::new(config_a(), config_b());
        world.boot(Dev::A);
        world.boot(Dev::B);
        world.run_ms(1500);
        assert_eq!(world.roles(), (Role::Master, Role::Backup));
        assert_eq!(world.members(1), (true, false));
        world
    }

    pub(crate) fn with<T>(&mut self, dev: Dev, f: impl FnOnce(&mut ETrunk, Instant) -> T) -> T {
        let now = self.now;
        let slot = match dev {
            Dev::A => &mut self.a,
            Dev::B => &mut self.b,
        };
        let result = f(slot.as_mut().unwrap(), now);
        self.drain(dev);
        result
    }

    /// Members ready, gate open, started.
    pub(crate) fn boot(&mut self, dev: Dev) {
        self.with(dev, |e, now| {
            let ids: Vec<u16> = e.config().members.iter().map(|m| m.eth_trunk).collect();
            for id in ids {
                e.set_member(now, id, UP);
            }
            e.set_revert_gate(now, true);
            e.start(now);
        });
    }

    /// The device is gone; the log tells its members' end.
    pub(crate) fn crash(&mut self, dev: Dev) {
        for eth_trunk in [1, 2] {
            let event = ETrunkEvent::MemberRole {
                eth_trunk,
                from: Role::Master,
                to: Role::Backup,
                causation: "crash",
            };
            self.log.push((self.now, dev, event));
        }
        match dev {
            Dev::A => self.a = None,
            Dev::B => self.b = None,
        }
    }

    pub(crate) fn restart(&mut self, dev: Dev, config: ETrunkConfig) {
        match dev {
            Dev::A => self.a = Some(ETrunk::new(config)),
            Dev::B => self.b = Some(ETrunk::new(config)),
        }
        self.boot(dev);
    }

    pub(crate) fn link(&mut self, dev: Dev, id: u16, ready: bool) {
        let status = MemberStatus {
            link_ready: ready,
            oper_up: ready,
            ..UP
        };
        self.with(dev, |e, now| e.set_member(now, id, status));
    }

    pub(crate) fn gate(&mut self, dev: Dev, open: bool) {
        self.with(dev, |e, now| e.set_revert_gate(now, open));
    }

    fn drain(&mut self, dev: Dev) {
        let (slot, passes, to) = match dev {
            Dev::A => (&mut self.a, self.a_to_b, Dev::B),
            Dev::B => (&mut self.b, self.b_to_a, Dev::A),
        };
        let Some(engine) = slot else { return };
        while let Some(event) = engine.poll_event() {
            self.log.push((self.now, dev, event));
        }
        while let Some(payload) = engine.poll_transmit() {
            self.hellos.push((self.now, dev, decode(&payload)));
            if passes {
                self.order += 1;
                self.flight
                    .insert((self.now + LATENCY, self.order), (to, payload));
            }
        }
        if let Some(next) = engine.next_timeout() {
            assert!(next > self.now, "a timeout that is never done");
        }
    }

    pub(crate) fn run_ms(&mut self, ms: u64) {
        self.run_until(self.now + Duration::from_millis(ms));
    }

    pub(crate) fn run_until(&mut self, end: Instant) {
        loop {
            let timeouts = [&self.a, &self.b].map(|e| e.as_ref().and_then(ETrunk::next_timeout));
            let frame = self.flight.keys().next().map(|(at, _)| *at);
            let next = timeouts.into_iter().chain([frame]).flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else {
                break;
            };
            self.now = next;
            if frame == Some(next) {
                let (_, (to, payload)) = self.flight.pop_first().unwrap();
                self.deliver(to, &payload);
            } else {
                for (dev, due) in [(Dev::A, timeouts[0]), (Dev::B, timeouts[1])] {
                    if due.is_some_and(|due| due <= next) {
                        self.with(dev, |e, now| e.handle_timeout(now));
                    }
                }
            }
        }
        self.now = end;
    }

    pub(crate) fn deliver(&mut self, to: Dev, payload: &[u8]) {
        let (source, destination, alive) = match to {
            Dev::A => (b_address(), a_address(), self.a.is_some()),
            Dev::B => (a_address(), b_address(), self.b.is_some()),
        };
        if alive {
            self.with(to, |e, now| {
                e.handle_hello(now, source, destination, 1025, 1025, payload)
            });
        }
    }

    pub(crate) fn roles(&self) -> (Role, Role) {
        let role = |e: &Option<ETrunk>| e.as_ref().map_or(Role::Initialize, ETrunk::role);
        (role(&self.a), role(&self.b))
    }

    pub(crate) fn members(&self, id: u16) -> (bool, bool) {
        let master = |e: &Option<ETrunk>| e.as_ref().is_some_and(|e| e.member_is_master(id));
        (master(&self.a), master(&self.b))
    }

    pub(crate) fn causations(&self, dev: Dev) -> (String, String) {
        let engine = match dev {
            Dev::A => &self.a,
            Dev::B => &self.b,
        };
        let snapshot = engine.as_ref().unwrap().snapshot(self.now);
        (snapshot.causation, snapshot.members[0].causation.clone())
    }

    /// When the member of `dev` last took `role`.
    pub(crate) fn member_took(&self, dev: Dev, role: Role) -> Instant {
        let taken = self.log.iter().rev().find(|(_, whose, event)| {
            *whose == dev && matches!(event, ETrunkEvent::MemberRole { to, .. } if *to == role)
        });
        taken.unwrap().0
    }

    pub(crate) fn rows(&self, dev: Dev) -> Vec<&'static str> {
        let mut rows = Vec::new();
        for (_, whose, event) in &self.log {
            if let ETrunkEvent::Row { id, .. } = event
                && *whose == dev
            {
                rows.push(*id);
            }
        }
        rows
    }

    /// Asserts that at no time both members `id` were Master, between log entries from `from` on.
    pub(crate) fn assert_never_two_masters_since(&self, from: Instant, id: u16) {
        let mut master = [false, false];
        for (at, dev, event) in &self.log {
            if let ETrunkEvent::MemberRole { eth_trunk, to, .. } = event
                && *eth_trunk == id
            {
                master[usize::from(*dev == Dev::B)] = *to == Role::Master;
                assert!(*at < from || master != [true, true], "two Masters at {at}");
            }
        }
    }
}

pub(crate) const BACKUP_MASTER: (Role, Role) = (Role::Backup, Role::Master);
pub(crate) const MASTER_BACKUP: (Role, Role) = (Role::Master, Role::Backup);

pub(crate) fn texts(pair: (String, String)) -> [String; 2] {
    [pair.0, pair.1]
}
