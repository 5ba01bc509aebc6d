//! Sending: periodic, triggered, fast and answering hellos.

use crate::config::tenths;
use crate::{ETrunk, ETrunkConfig};
use dut_device::Instant;
use dut_wire::etrunk::{Addr, Endpoints, Hello, Kind, LacpSys, SystemId};

/// Hellos that wait for the driver; older ones are dropped and counted.
const TRANSMITS_MAX: usize = 64;

/// Why a hello is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Occasion {
    kind: Kind,
    triggered: bool,
    restart: bool,
    reply_requested: bool,
}

const PERIODIC: Occasion = Occasion {
    kind: Kind::Hello,
    triggered: false,
    restart: false,
    reply_requested: false,
};
const TRIGGERED: Occasion = Occasion {
    triggered: true,
    ..PERIODIC
};
const FIRST: Occasion = Occasion {
    restart: true,
    reply_requested: true,
    ..PERIODIC
};
const GOODBYE: Occasion = Occasion {
    kind: Kind::Goodbye,
    ..TRIGGERED
};

impl ETrunk {
    /// The configuration that must match has changed.
    pub(crate) fn digest_configuration(&mut self) {
        let members = self.members.keys().copied().collect();
        self.cfg_digest = self.config.matched(members, &self.policy).digest();
    }

    /// What a hello says now, without flags, sequence and echo.
    fn content(&self, now: Instant) -> Hello {
        let config = &self.config;
        Hello {
            kind: Kind::Hello,
            triggered: false,
            restart: false,
            reply_requested: false,
            e_trunk_id: config.e_trunk_id(),
            priority: config.wire_priority(),
            state: self.role,
            reason: self.causation,
            expected_state: self.expected_state(now),
            system_id: SystemId::clamped(config.system_id.0),
            send_period: config.send_period(),
            fail_time: Some(config.fail_time(&self.policy)),
            boot_epoch: (self.policy.boot_epoch)(config.boot_epoch),
            sequence: None,
            members: (self.members.iter())
                .map(|(id, member)| (*id, member.to_wire(&self.policy)))
                .collect(),
            lacp_sys: LacpSys {
                priority: config.lacp_system_priority,
                system_id: config.lacp_system_id.0,
                port_offset: config.port_offset,
            },
            addr: Addr {
                source: config.source,
                peer: config.peer,
            },
            echo: None,
            cfg_digest: Some(self.cfg_digest),
            bfd_bound: Some(false),
        }
    }

    fn send(&mut self, content: Hello, occasion: Occasion) {
        self.last_sent = Some(self.now);
        self.sequence = self.sequence.saturating_add(1);
        let hello = Hello {
            kind: occasion.kind,
            triggered: occasion.triggered,
            restart: occasion.restart,
            reply_requested: occasion.reply_requested,
            sequence: self.config.sequence.then_some(self.sequence),
            echo: self.peer.as_ref().and_then(|peer| peer.echo(&self.policy)),
            ..content.clone()
        };
        self.announced = Some(content);
        let config = &self.config;
        let payload = hello.to_vec(config.authentication, &config.key, &outgoing(config));
        if self.transmits.len() >= TRANSMITS_MAX {
            self.transmits.pop_front();
            self.send_drops = self.send_drops.saturating_add(1);
        }
        self.transmits.push_back(payload);
        self.sent = self.sent.saturating_add(1);
    }

    /// The first hello of a boot.
    //= ETRUNK-003
    pub(crate) fn send_first(&mut self, now: Instant) {
        self.send(self.content(now), FIRST);
        self.next_periodic = Some(now + self.config.period());
    }

    pub(crate) fn send_goodbye(&mut self) {
        self.send(self.content(self.now), GOODBYE);
    }

    /// Answers a hello that asked for it, unless a change has just been told.
    //= ETRUNK-004
    pub(crate) fn send_reply(&mut self, now: Instant, sent_before: u64) {
        if self.sent == sent_before {
            self.send(self.content(now), PERIODIC);
        }
    }

    /// Tells a change of role, member, timer or configuration at once.
    //= ETRUNK-005
    //= ETRUNK-007
    pub(crate) fn announce_changes(&mut self, now: Instant) {
        let Some(announced) = &self.announced else {
            return;
        };
        let content = self.content(now);
        if !(self.policy.tells)(announced, &content) {
            return;
        }
        if (self.policy.hastens)(announced, &content) && self.policy.fast_count > 0 {
            self.fast = Some((self.policy.fast_count, now + self.policy.fast_period));
        }
        if content.send_period != announced.send_period {
            self.next_periodic = Some(now + tenths(content.send_period.get()));
        }
        self.send(content, TRIGGERED);
    }

    /// This device stood still for so long that its peer may have taken its role. What it would say
    /// of itself is out of date until it has learnt what happened meanwhile: only a change is told.
    //= ETRUNK-063
    pub(crate) fn hold_back(&mut self, now: Instant) {
        let unheard = self.last_sent.map(|at| now.since(at));
        let fail_time = self.local_fail_time();
        if unheard.is_some_and(|unheard| (self.policy.given_up)(unheard, fail_time)) {
            let until = now + self.policy.fast_period;
            let held = |at: Instant| at.max(until);
            self.next_periodic = self.next_periodic.map(held);
            self.fast = self.fast.map(|(left, at)| (left, held(at)));
        }
    }

    /// Sends the fast and the periodic hellos that are due. Late time sends one, not a burst.
    //= ETRUNK-002
    //= ETRUNK-006
    pub(crate) fn send_due(&mut self, now: Instant) {
        if let Some((left, at)) = self.fast
            && now >= at
        {
            self.fast = (left > 1).then(|| (left - 1, now + self.policy.fast_period));
            self.send(self.content(now), TRIGGERED);
        }
        if let Some(at) = self.next_periodic
            && now >= at
        {
            let period = self.config.period();
            let next = at + period;
            self.next_periodic = Some(if next > now { next } else { now + period });
            self.send(self.content(now), PERIODIC);
        }
    }
}

/// The datagrams that this device sends.
pub(crate) const fn outgoing(config: &ETrunkConfig) -> Endpoints {
    Endpoints {
        source: config.source,
        destination: config.peer,
        source_port: config.port,
        destination_port: config.port,
    }
}
