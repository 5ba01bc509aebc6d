//! The test bench: one Eth-Trunk faced with hand-made LACPDUs, or several with cables between them,
//! in virtual time.

use dut_device::{AggregationPortSnapshot, Instant, MacAddr, PortId};
use dut_lacp::{EthTrunk, EthTrunkConfig, LacpEvent, MuxControl, PortConfig};
use dut_wire::lacp::{Information, Lacpdu, State};
use std::time::Duration;

/// The Eth-Trunk's own System and key.
pub(crate) const SYSTEM: [u8; 6] = [0x00, 0xe0, 0xfc, 0x12, 0x34, 0x55];
pub(crate) const KEY: u16 = 305;
/// The partner's System and key.
pub(crate) const PARTNER: [u8; 6] = [0x00, 0xe0, 0xfc, 0xaa, 0xbb, 0xcc];
pub(crate) const PARTNER_KEY: u16 = 7;

pub(crate) fn ms(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

pub(crate) fn config(system: [u8; 6], key: u16) -> EthTrunkConfig {
    EthTrunkConfig {
        id: 1,
        system_priority: 0x8000,
        system_id: MacAddr(system),
        system_id_source: "(Local)".to_owned(),
        key,
        mux: MuxControl::Independent,
        wait_to_restore: Duration::ZERO,
        max_active: 16,
        least_active: 1,
        preempt_delay: None,
        ntt_on_expired: true,
        collector_max_delay: 0,
    }
}

/// Port `n`: index, number and name say `n`; active, long timeout, aggregatable.
pub(crate) fn port(n: u16) -> PortConfig {
    PortConfig {
        port: PortId(n),
        name: format!("GigabitEthernet0/1/{n}"),
        port_number: n,
        port_priority: 0x8000,
        activity: true,
        timeout_short: false,
        aggregation: true,
    }
}

/// What left, and when.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) at: Instant,
    pub(crate) trunk: usize,
    pub(crate) port: PortId,
    pub(crate) payload: Vec<u8>,
}

impl Sent {
    pub(crate) fn lacpdu(&self) -> Lacpdu {
        Lacpdu::parse(&self.payload).unwrap()
    }
}

/// Eth-Trunks and the cables between their ports.
#[derive(Debug, Default)]
pub(crate) struct Net {
    pub(crate) trunks: Vec<EthTrunk>,
    pub(crate) now: Instant,
    pub(crate) sent: Vec<Sent>,
    pub(crate) events: Vec<(Instant, usize, LacpEvent)>,
    cables: Vec<[(usize, PortId); 2]>,
}

impl Net {
    pub(crate) fn new(trunks: Vec<EthTrunk>) -> Self {
        let mut net = Self {
            trunks,
            ..Self::default()
        };
        net.drain();
        net
    }

    /// Joins two ports and brings their carriers up, one after the other.
    pub(crate) fn cable(&mut self, one: (usize, u16), other: (usize, u16)) {
        let ends = [one, other].map(|(trunk, port)| (trunk, PortId(port)));
        self.cables.push(ends);
        for (trunk, port) in ends {
            self.trunks[trunk].set_port_enabled(self.now, port, true);
        }
        self.drain();
    }

    /// Takes a cable away: both carriers go.
    pub(crate) fn cut(&mut self, one: (usize, u16)) {
        let end = (one.0, PortId(one.1));
        let at = self
            .cables
            .iter()
            .position(|cable| cable.contains(&end))
            .unwrap();
        for (trunk, port) in self.cables.remove(at) {
            self.trunks[trunk].set_port_enabled(self.now, port, false);
        }
        self.drain();
    }

    /// Does something to one Eth-Trunk now.
    pub(crate) fn with(&mut self, trunk: usize, action: impl FnOnce(&mut EthTrunk, Instant)) {
        action(&mut self.trunks[trunk], self.now);
        self.drain();
    }

    pub(crate) fn run_until(&mut self, end: Instant) {
        while let Some(next) = self.trunks.iter().filter_map(EthTrunk::next_timeout).min() {
            if next > end {
                break;
            }
            assert!(next >= self.now, "a timeout lies behind");
            self.now = next;
            for trunk in &mut self.trunks {
                trunk.handle_timeout(next);
            }
            self.drain();
        }
        self.now = end;
    }

    pub(crate) fn run_for(&mut self, time: Duration) {
        self.run_until(self.now + time);
    }

    pub(crate) fn port(&self, trunk: usize, port: u16) -> AggregationPortSnapshot {
        port_of(&self.trunks[trunk], self.now, port)
    }

    pub(crate) fn distributing(&self, trunk: usize, port: u16) -> bool {
        self.trunks[trunk].distributing(PortId(port))
    }

    fn drain(&mut self) {
        let mut deliveries = std::collections::VecDeque::new();
        for _ in 0..10_000 {
            for (at, trunk) in self.trunks.iter_mut().enumerate() {
                while let Some((port, payload)) = trunk.poll_transmit() {
                    deliveries.push_back(Sent {
                        at: self.now,
                        trunk: at,
                        port,
                        payload,
                    });
                }
                while let Some(event) = trunk.poll_event() {
                    self.events.push((self.now, at, event));
                }
            }
            let Some(sent) = deliveries.pop_front() else {
                return;
            };
            let end = (sent.trunk, sent.port);
            let cable = self.cables.iter().find(|cable| cable.contains(&end));
            if let Some([one, other]) = cable {
                let (trunk, port) = if *one == end { *other } else { *one };
                self.trunks[trunk].handle_slow(self.now, port, &sent.payload);
            }
            self.sent.push(sent);
        }
        panic!("the Eth-Trunks never fall silent");
    }
}

fn port_of(trunk: &EthTrunk, now: Instant, port: u16) -> AggregationPortSnapshot {
    let name = format!("GigabitEthernet0/1/{port}");
    let ports = trunk.snapshot(now).ports;
    ports.into_iter().find(|port| port.name == name).unwrap()
}

/// One Eth-Trunk whose partner is the test.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) net: Net,
}

impl Bench {
    /// With carrier on every port from time 0.
    pub(crate) fn new(config: EthTrunkConfig, ports: Vec<PortConfig>) -> Self {
        let ids: Vec<PortId> = ports.iter().map(|port| port.port).collect();
        let mut bench = Self {
            net: Net::new(vec![EthTrunk::new(config, ports)]),
        };
        for id in ids {
            bench.with(|trunk, now| trunk.set_port_enabled(now, id, true));
        }
        bench
    }

    /// One port, long timeout, active.
    pub(crate) fn one() -> Self {
        Self::new(config(SYSTEM, KEY), vec![port(1)])
    }

    /// [`Self::one`] after the handshake: 0x3D both ways, and nothing about to be sent but slow
    /// periodic LACPDUs. Time is 5 s.
    pub(crate) fn up() -> Self {
        let mut bench = Self::one();
        bench.golden(1, 0x3d);
        bench.at(2_000);
        bench.golden(1, 0x3d);
        bench.at(5_000);
        bench.golden(1, 0x3d);
        assert_eq!(bench.port(1).actor.state, 0x3d);
        assert_eq!(bench.port(1).partner.state, 0x3d);
        bench.sent();
        bench
    }

    pub(crate) fn with(&mut self, action: impl FnOnce(&mut EthTrunk, Instant)) {
        self.net.with(0, action);
    }

    pub(crate) fn trunk(&self) -> &EthTrunk {
        &self.net.trunks[0]
    }

    /// Lets time pass until `ms` milliseconds after the beginning.
    pub(crate) fn at(&mut self, ms: u64) {
        assert!(self.net.now <= Instant::from_millis(ms));
        self.net.run_until(Instant::from_millis(ms));
    }

    /// Lets `ms` milliseconds pass.
    pub(crate) fn wait(&mut self, ms: u64) {
        self.net.run_for(Duration::from_millis(ms));
    }

    pub(crate) fn port(&self, port: u16) -> AggregationPortSnapshot {
        self.net.port(0, port)
    }

    pub(crate) fn receive(&mut self, port: u16, payload: &[u8]) {
        self.with(|trunk, now| trunk.handle_slow(now, PortId(port), payload));
    }

    /// The LACPDU of a partner that knows this port as it is, and is in `state`.
    pub(crate) fn golden_pdu(&self, port: u16, state: u8) -> Lacpdu {
        let known = self.port(port).actor;
        let partner = Information {
            system_priority: known.system_priority,
            system: known.system.0,
            key: known.key,
            port_priority: known.port_priority,
            port: known.port,
            state: State(known.state),
        };
        let actor = Information {
            system_priority: 0x8000,
            system: PARTNER,
            key: PARTNER_KEY,
            port_priority: 0x8000,
            port: 100 + port,
            state: State(state),
        };
        Lacpdu {
            version: 1,
            actor,
            partner,
            collector_max_delay: 0,
        }
    }

    /// Sends [`Self::golden_pdu`].
    pub(crate) fn golden(&mut self, port: u16, state: u8) {
        self.send(port, &self.golden_pdu(port, state));
    }

    /// Sends a golden LACPDU with a change.
    pub(crate) fn golden_but(&mut self, port: u16, state: u8, change: impl FnOnce(&mut Lacpdu)) {
        let mut pdu = self.golden_pdu(port, state);
        change(&mut pdu);
        self.send(port, &pdu);
    }

    pub(crate) fn send(&mut self, port: u16, pdu: &Lacpdu) {
        self.receive(port, &pdu.octets());
    }

    /// What was sent since the last call.
    pub(crate) fn sent(&mut self) -> Vec<Sent> {
        std::mem::take(&mut self.net.sent)
    }

    /// LACPDUs that a port sent since the last call of this or [`Self::sent`].
    pub(crate) fn lacpdus(&mut self, port: u16) -> Vec<(Instant, Lacpdu)> {
        let sent = self
            .sent()
            .into_iter()
            .filter(|sent| sent.port == PortId(port));
        sent.map(|sent| (sent.at, sent.lacpdu())).collect()
    }

    /// Events since the last call.
    pub(crate) fn events(&mut self) -> Vec<LacpEvent> {
        std::mem::take(&mut self.net.events)
            .into_iter()
            .map(|(_, _, event)| event)
            .collect()
    }
}
