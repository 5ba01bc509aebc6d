//! Receipt of a hello: the eleven checks of FORMATS.md in their order.

use crate::peer::Peer;
use crate::{ETrunk, ETrunkEvent};
use dut_device::Instant;
use dut_wire::etrunk::{Addr, Body, Check, Endpoints, Envelope, Hello, Kind};
use std::net::Ipv6Addr;

impl ETrunk {
    /// Takes a UDP payload. What fails a check is counted, reported and changes nothing else.
    //= ETRUNK-057
    //= ETRUNK-060
    pub fn handle_hello(
        &mut self,
        now: Instant,
        source: Ipv6Addr,
        destination: Ipv6Addr,
        source_port: u16,
        destination_port: u16,
        payload: &[u8],
    ) {
        if self.started.is_none() {
            return;
        }
        self.due(now);
        let endpoints = Endpoints {
            source,
            destination,
            source_port,
            destination_port,
        };
        match self.check(&endpoints, payload) {
            Ok(hello) => self.accept(now, hello),
            Err(check) => {
                let count = self.refusals.entry(check).or_insert(0);
                *count = count.saturating_add(1);
                self.events.push_back(ETrunkEvent::Discarded {
                    reason: check.counter(),
                });
            }
        }
    }

    //= ETRUNK-008
    //= ETRUNK-025
    fn check(&mut self, endpoints: &Endpoints, payload: &[u8]) -> Result<Hello, Check> {
        let envelope = Envelope::parse(payload).map_err(|_| Check::Length)?;
        if envelope.e_trunk_id() != self.config.e_trunk_id().get() {
            return Err(Check::ETrunkId);
        }
        self.check_addresses(endpoints, envelope.addr())?;
        let body = envelope.body().map_err(|_| Check::Tlv)?;
        if !body.authenticates(self.config.authentication, &self.config.key, endpoints) {
            return Err(Check::Authentication);
        }
        self.check_sequence(&body)?;
        self.check_system_id(&body)?;
        let hello = body.hello().map_err(|refused| refused.check)?;
        let unknown = u64::from(body.unknown_tlvs());
        self.unknown_tlvs = self.unknown_tlvs.saturating_add(unknown);
        Ok(hello)
    }

    /// The addresses mirror ours, on the datagram and in ADDR where that is found.
    //= ETRUNK-010
    fn check_addresses(&self, endpoints: &Endpoints, addr: Option<Addr>) -> Result<(), Check> {
        let mirror = Addr {
            source: self.config.peer,
            peer: self.config.source,
        };
        let datagram = Addr {
            source: endpoints.source,
            peer: endpoints.destination,
        };
        if datagram == mirror && addr.is_none_or(|addr| addr == mirror) {
            Ok(())
        } else {
            Err(Check::PeerIp)
        }
    }

    /// The replay window. The feature must be on at both ends or at none.
    //= ETRUNK-017
    //= ETRUNK-018
    //= ETRUNK-019
    fn check_sequence(&self, body: &Body<'_>) -> Result<(), Check> {
        let last = self.peer.as_ref().map_or((0, 0), |peer| peer.window);
        match (self.config.sequence, body.sequence()) {
            (true, Some(sequence)) if (body.boot_epoch(), sequence) > last => Ok(()),
            (false, None) => Ok(()),
            (true, Some(_) | None) | (false, Some(_)) => Err(Check::Sequence),
        }
    }

    /// Not our own (a reflection), and the peer's since its first hello of this boot.
    //= ETRUNK-020
    fn check_system_id(&self, body: &Body<'_>) -> Result<(), Check> {
        let changed = self.peer.as_ref().is_some_and(|peer| {
            peer.hello.system_id.get() != body.system_id() && body.boot_epoch() <= peer.boot_epoch
        });
        if body.system_id() == self.config.system_id.0 || changed {
            Err(Check::SystemId)
        } else {
            Ok(())
        }
    }

    fn accept(&mut self, now: Instant, hello: Hello) {
        self.received = self.received.saturating_add(1);
        let reply = hello.reply_requested && hello.kind == Kind::Hello;
        let restarted = match &mut self.peer {
            Some(peer) => peer.heard(now, hello),
            None => {
                self.peer = Some(Peer::first(now, hello));
                false
            }
        };
        if restarted {
            self.peer_restarted();
        }
        let sent = self.sent;
        self.settle(now);
        if reply {
            self.send_reply(now, sent);
        }
    }
}
