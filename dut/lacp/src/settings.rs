//! Management changes at run time, with what the standard makes follow from them.
//!
//! Whatever changes a port's own parameters asks for a LACPDU. What changes the LAG ID unselects,
//! so that the port is detached, bound anew, and waits again (6.4.14).

use crate::eth_trunk::EthTrunk;
use crate::port::Port;
use crate::selection::Selected;
use dut_device::{Instant, MacAddr, PortId};
use dut_wire::lacp::State;
use std::time::Duration;

impl EthTrunk {
    /// Changes the operational key of all ports; unselects them.
    pub fn set_key(&mut self, now: Instant, key: u16) {
        self.config.key = key;
        self.change_all(now, |port| {
            let changed = port.actor.key != key;
            port.actor.key = key;
            changed
        });
    }

    /// Changes Actor_System_Priority; unselects all ports.
    pub fn set_system_priority(&mut self, now: Instant, system_priority: u16) {
        self.config.system_priority = system_priority;
        self.change_all(now, |port| {
            let changed = port.actor.system_priority != system_priority;
            port.actor.system_priority = system_priority;
            changed
        });
    }

    /// Changes Actor_System and what the display says of where it came from; unselects all ports
    /// when the address is another one.
    pub fn set_system_id(&mut self, now: Instant, system_id: MacAddr, source: String) {
        self.config.system_id = system_id;
        self.config.system_id_source = source;
        self.change_all(now, |port| {
            let changed = port.actor.system != system_id.0;
            port.actor.system = system_id.0;
            changed
        });
    }

    /// Changes a port's Actor_Port_Priority. It is part of the LAG ID of an Individual link only.
    pub fn set_port_priority(&mut self, now: Instant, port: PortId, port_priority: u16) {
        self.change(now, port, |port| {
            let changed = port.actor.port_priority != port_priority;
            port.actor.port_priority = port_priority;
            let aggregatable = port.actor.state.has(State::AGGREGATION)
                && port.partner.state.has(State::AGGREGATION);
            if changed && !aggregatable {
                port.selected = Selected::Unselected;
            }
            changed
        });
    }

    /// Changes a port's LACP_Timeout; the next LACPDU starts current_while_timer with it.
    pub fn set_timeout_short(&mut self, now: Instant, port: PortId, short: bool) {
        self.change(now, port, |port| set_flag(port, State::LACP_TIMEOUT, short));
    }

    /// Changes a port's LACP_Activity.
    pub fn set_activity(&mut self, now: Instant, port: PortId, active: bool) {
        self.change(now, port, |port| {
            set_flag(port, State::LACP_ACTIVITY, active)
        });
    }

    /// Changes a port's Aggregation; unselects it.
    pub fn set_aggregation(&mut self, now: Instant, port: PortId, aggregation: bool) {
        self.change(now, port, |port| {
            let changed = set_flag(port, State::AGGREGATION, aggregation);
            if changed {
                port.selected = Selected::Unselected;
            }
            changed
        });
    }

    /// Changes `max active-linknumber`.
    pub fn set_max_active(&mut self, now: Instant, max_active: u16) {
        self.advance(now);
        self.config.max_active = max_active;
        self.settle(now);
    }

    /// Changes `least active-linknumber`.
    pub fn set_least_active(&mut self, now: Instant, least_active: u16) {
        self.advance(now);
        self.config.least_active = least_active;
        self.settle(now);
    }

    /// Changes `lacp preempt`; a delay that runs begins anew.
    pub fn set_preempt_delay(&mut self, now: Instant, delay: Option<Duration>) {
        self.advance(now);
        if self.config.preempt_delay != delay {
            self.config.preempt_delay = delay;
            self.aggregator.preempt_timer.stop();
            self.settle(now);
        }
    }

    fn change(&mut self, now: Instant, port: PortId, change: impl Fn(&mut Port) -> bool) {
        self.advance(now);
        if let Some(port) = self.port_mut(port)
            && change(port)
        {
            port.ntt = true;
            self.settle(now);
        }
    }

    fn change_all(&mut self, now: Instant, change: impl Fn(&mut Port) -> bool) {
        self.advance(now);
        let mut changed = false;
        for port in &mut self.ports {
            if change(port) {
                port.selected = Selected::Unselected;
                port.ntt = true;
                changed = true;
            }
        }
        if changed {
            self.settle(now);
        }
    }
}

fn set_flag(port: &mut Port, flag: u8, on: bool) -> bool {
    let changed = port.actor.state.has(flag) != on;
    port.actor.state.set(flag, on);
    changed
}
