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
        if !(self.policy.e_trunk_id)(self.config.e_trunk_id().get(), envelope.e_trunk_id()) {
            return Err(Check::ETrunkId);
        }
        self.check_addresses(endpoints, envelope.addr())?;
        let body = envelope.body().map_err(|_| Check::Tlv)?;
        let (mode, key) = (self.config.authentication, &self.config.key);
        if !(self.policy.authentic)(&body, mode, key, endpoints) {
            return Err(Check::Authentication);
        }
        self.check_sequence(&body)?;
        self.check_system_id(&body)?;
        let hello = body.hello().map_err(|refused| refused.check)?;
        let unknown = u64::from(body.unknown_tlvs());
        self.unknown_tlvs = self.unknown_tlvs.saturating_add(unknown);
        Ok(hello)
    }

    fn check_addresses(&self, endpoints: &Endpoints, addr: Option<Addr>) -> Result<(), Check> {
        let mirror = Addr {
            source: self.config.peer,
            peer: self.config.source,
        };
        let datagram = Addr {
            source: endpoints.source,
            peer: endpoints.destination,
        };
        if (self.policy.addresses)(mirror, datagram, addr) {
            Ok(())
        } else {
            Err(Check::PeerIp)
        }
    }

    fn check_sequence(&self, body: &Body<'_>) -> Result<(), Check> {
        let last = self.peer.as_ref().map_or((0, 0), |peer| peer.window);
        let enabled = self.config.sequence;
        if (self.policy.sequence)(enabled, body.boot_epoch(), body.sequence(), last) {
            Ok(())
        } else {
            Err(Check::Sequence)
        }
    }

    fn check_system_id(&self, body: &Body<'_>) -> Result<(), Check> {
        let peer = self.peer.as_ref();
        let known = peer.map(|peer| (peer.hello.system_id.get(), peer.boot_epoch));
        let heard = (body.system_id(), body.boot_epoch());
        if (self.policy.system_id)(self.config.system_id.0, heard, known) {
            Ok(())
        } else {
            Err(Check::SystemId)
        }
    }

    fn accept(&mut self, now: Instant, hello: Hello) {
        self.received = self.received.saturating_add(1);
        let reply = (self.policy.replies)(hello.reply_requested) && hello.kind == Kind::Hello;
        let restarted = match &mut self.peer {
            Some(peer) => peer.heard(now, hello, &self.policy),
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
