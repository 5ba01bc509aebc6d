//! An Eth-Trunk: its ports, its one Aggregator, and what drives them.

use crate::config::{EthTrunkConfig, PortConfig};
use crate::event::{DiscardReason, LacpEvent};
use crate::marker;
use crate::mux::MuxState;
use crate::port::{Context, Output, Port};
use crate::receive::{self, ReceiveState};
use crate::rules::Rules;
use crate::selection::{Aggregator, LagId, Limits, Selected};
use dut_device::{Instant, PortId};
use dut_wire::lacp::{self, Lacpdu, State};

/// Rounds over all ports that one stimulus may need. A round in which anything moved brings some
/// port nearer to rest, and no chain of clause 6.4 is longer than a walk through all machines.
const ROUND_BOUND: usize = 64;

/// An Eth-Trunk with LACP.
///
/// A call with a port that isn't one of its own does nothing.
#[derive(Debug)]
pub struct EthTrunk {
    pub(crate) config: EthTrunkConfig,
    pub(crate) rules: Rules,
    pub(crate) ports: Vec<Port>,
    pub(crate) aggregator: Aggregator,
    hold: bool,
    oper_up: bool,
    out: Output,
    next: Option<Instant>,
}

impl EthTrunk {
    /// An Eth-Trunk whose ports have no carrier yet.
    #[must_use]
    pub fn new(config: EthTrunkConfig, ports: Vec<PortConfig>) -> Self {
        Self::with_rules(config, ports, Rules::default())
    }

    /// The same with other rules than the standard's: to show that a test notices.
    #[must_use]
    pub fn with_rules(config: EthTrunkConfig, ports: Vec<PortConfig>, rules: Rules) -> Self {
        let EthTrunkConfig {
            system_priority,
            system_id,
            key,
            mux,
            ..
        } = config;
        let policy = rules.policy;
        let system = (system_priority, system_id.0);
        let port = |port| Port::new(port, system, key, mux, policy);
        let mut trunk = Self {
            ports: ports.into_iter().map(port).collect(),
            config,
            rules,
            aggregator: Aggregator::default(),
            hold: false,
            oper_up: false,
            out: Output::default(),
            next: None,
        };
        trunk.each(Instant::ZERO, |c| {
            c.begin();
            false
        });
        trunk.settle(Instant::ZERO);
        trunk
    }

    /// The port's carrier has come or gone.
    pub fn set_port_enabled(&mut self, now: Instant, port: PortId, enabled: bool) {
        self.advance(now);
        let time = self.rules.constants.churn_detection_time;
        if let Some(port) = self.port_mut(port)
            && port.port_enabled != enabled
        {
            port.port_enabled = enabled;
            if enabled {
                port.actor_churn.released(now, time);
                port.partner_churn.released(now, time);
            }
            self.settle(now);
        }
    }

    /// LACP has been enabled or disabled on the port.
    ///
    /// The Receive machine leaves its other boxes for LACP_DISABLED only by way of BEGIN.
    //= LACP-073
    pub fn set_lacp_enabled(&mut self, now: Instant, port: PortId, enabled: bool) {
        self.advance(now);
        let Some(found) = self
            .port_mut(port)
            .filter(|found| found.lacp_enabled != enabled)
        else {
            return;
        };
        found.lacp_enabled = enabled;
        if !enabled {
            self.each(now, |c| {
                if c.port.id == port {
                    receive::begin(c);
                }
                false
            });
        }
        self.settle(now);
    }

    /// E-Trunk backup. While held, every port that would be SELECTED is STANDBY: it waits its
    /// Aggregate_Wait_Time once, keeps LACP running, and holds Synchronization = 0. A port whose
    /// wait is over when the hold is released attaches at once, and doesn't wait for one whose wait
    /// isn't.
    pub fn set_hold(&mut self, now: Instant, hold: bool) {
        self.advance(now);
        if self.hold == hold {
            return;
        }
        self.hold = hold;
        if !hold {
            for port in &mut self.ports {
                port.waited_while_held = port.ready_n();
            }
        }
        self.settle(now);
    }

    /// A slow protocol frame was received, from the Subtype octet on. The caller has checked the
    /// destination address and that the frame is untagged.
    //= LACP-008
    //= LACP-009
    //= LACP-012
    //= LACP-041
    pub fn handle_slow(&mut self, now: Instant, port: PortId, payload: &[u8]) {
        self.advance(now);
        let Some(found) = self.port_mut(port) else {
            return;
        };
        let used = match (found.port_enabled, payload.first()) {
            (false, _) => Err(DiscardReason::PortDisabled),
            (true, Some(&lacp::SUBTYPE)) => receive_lacpdu(found, payload).map(|()| None),
            (true, Some(&dut_wire::marker::SUBTYPE)) => marker::receive(found, payload),
            (true, Some(3..=10)) => {
                found.counters.unknown_rx += 1;
                Err(DiscardReason::UnknownSubtype)
            }
            (true, Some(0 | 11..=255) | None) => {
                found.counters.illegal_rx += 1;
                Err(DiscardReason::IllegalSubtype)
            }
        };
        let to_take = found.received.is_some();
        match used {
            Ok(Some(response)) => self.out.frames.push_back((port, response)),
            Ok(None) => {}
            Err(reason) => self
                .out
                .events
                .push_back(LacpEvent::Discarded { port, reason }),
        }
        if to_take {
            self.settle(now);
        }
    }

    /// Time has reached `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
    }

    /// When [`Self::handle_timeout`] wants to be called next.
    #[must_use]
    pub const fn next_timeout(&self) -> Option<Instant> {
        self.next
    }

    /// The next PDU to send: the port and what follows the EtherType.
    pub fn poll_transmit(&mut self) -> Option<(PortId, Vec<u8>)> {
        self.out.frames.pop_front()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<LacpEvent> {
        self.out.events.pop_front()
    }

    /// Whether the port collects: whether frames that it receives may be used.
    //= LACP-118
    #[must_use]
    pub fn collecting(&self, port: PortId) -> bool {
        self.port(port)
            .is_some_and(|port| port.actor.state.has(State::COLLECTING))
    }

    /// Whether the port distributes: whether frames may be sent by it.
    //= LACP-118
    #[must_use]
    pub fn distributing(&self, port: PortId) -> bool {
        self.port(port)
            .is_some_and(|port| port.actor.state.has(State::DISTRIBUTING))
    }

    /// Whether the Eth-Trunk is up: at least `least_active` ports are Distributing.
    #[must_use]
    pub const fn oper_up(&self) -> bool {
        self.oper_up
    }

    /// Ports that are SELECTED and have their carrier.
    #[must_use]
    pub fn selected_count(&self) -> u16 {
        count(&self.ports, |port| {
            port.selected == Selected::Selected && port.port_enabled
        })
    }

    /// Whether the Eth-Trunk could carry traffic if it weren't held: some port has its carrier,
    /// hears its partner (CURRENT), and is bound to the Aggregator.
    #[must_use]
    pub fn link_ready(&self) -> bool {
        self.ports.iter().any(|port| {
            port.port_enabled
                && port.receive == ReceiveState::Current
                && port.selected != Selected::Unselected
        })
    }

    /// The Aggregator's LAG ID; `None` while no port is bound to it.
    #[must_use]
    pub const fn lag_id(&self) -> Option<LagId> {
        self.aggregator.lag
    }

    /// Whether the Eth-Trunk is held (see [`Self::set_hold`]).
    #[must_use]
    pub const fn held(&self) -> bool {
        self.hold
    }

    /// The port's Mux machine.
    #[must_use]
    pub fn mux_state(&self, port: PortId) -> Option<MuxState> {
        self.port(port).map(|port| port.mux)
    }

    pub(crate) fn port(&self, id: PortId) -> Option<&Port> {
        self.ports.iter().find(|port| port.id == id)
    }

    pub(crate) fn port_mut(&mut self, id: PortId) -> Option<&mut Port> {
        self.ports.iter_mut().find(|port| port.id == id)
    }

    /// Does what is due before anything else happens at `now`: what a timer would have done mustn't
    /// depend on whether the driver came late.
    pub(crate) fn advance(&mut self, now: Instant) {
        if self.next.is_none_or(|next| next > now) {
            return;
        }
        for port in &mut self.ports {
            port.tick(now);
        }
        self.aggregator.preempt_timer.tick(now);
        self.settle(now);
    }

    /// Runs all machines until none moves, then transmits. The order is explained in `port.rs`.
    pub(crate) fn settle(&mut self, now: Instant) {
        let limits = Limits {
            max_active: (self.rules.policy.max_active)(self.config.max_active),
            preempt_delay: (self.rules.policy.preempt_delay)(self.config.preempt_delay),
            hold: self.hold,
            aggregate_wait_time: self.rules.constants.aggregate_wait_time,
        };
        let mut rounds = 0;
        loop {
            let before = self.each(now, |c| c.before_selection());
            let selection = self.aggregator.run(&mut self.ports, limits, now);
            let after = self.each(now, |c| c.after_selection());
            if !(before || selection || after) {
                break;
            }
            rounds += 1;
            debug_assert!(rounds < ROUND_BOUND, "the machines don't come to rest");
            if rounds == ROUND_BOUND {
                break;
            }
        }
        self.each(now, |c| {
            c.at_rest();
            false
        });
        self.report_oper_up();
        let ports = self.ports.iter().filter_map(Port::next_timeout);
        self.next = ports.chain(self.aggregator.preempt_timer.deadline()).min();
    }

    fn report_oper_up(&mut self) {
        let up = count(&self.ports, |port| {
            port.actor.state.has(State::DISTRIBUTING)
        });
        let oper_up = up >= self.config.least_active.max(1);
        if self.oper_up != oper_up {
            self.oper_up = oper_up;
            self.out.events.push_back(LacpEvent::OperUp(oper_up));
        }
    }

    /// Runs `action` on every port; whether it said so of any.
    fn each(&mut self, now: Instant, mut action: impl FnMut(&mut Context<'_>) -> bool) -> bool {
        let mut moved = false;
        for port in &mut self.ports {
            let mut context = Context {
                port,
                now,
                rules: &self.rules,
                mux: self.config.mux,
                wait_to_restore: self.config.wait_to_restore,
                ntt_on_expired: self.config.ntt_on_expired,
                collector_max_delay: self.config.collector_max_delay,
                out: &mut self.out,
            };
            moved |= action(&mut context);
        }
        moved
    }
}

fn count(ports: &[Port], which: impl Fn(&Port) -> bool) -> u16 {
    let counted = ports.iter().filter(|port| which(port)).count();
    u16::try_from(counted).unwrap_or(u16::MAX)
}

/// Parses a LACPDU and leaves it for the Receive machine.
//= LACP-040
//= LACP-066
fn receive_lacpdu(port: &mut Port, payload: &[u8]) -> Result<(), DiscardReason> {
    if !port.lacp_enabled {
        return Err(DiscardReason::LacpDisabled);
    }
    let Ok(pdu) = Lacpdu::parse(payload) else {
        port.counters.illegal_rx += 1;
        let short = payload.len() < lacp::LEN;
        return Err(if short {
            DiscardReason::TooShort
        } else {
            DiscardReason::BadLength
        });
    };
    port.counters.lacpdus_rx += 1;
    port.received = Some(pdu);
    Ok(())
}
