//! The state of an Eth-Trunk in the standard's names.

use crate::churn::{ActorChurn, PartnerChurn};
use crate::eth_trunk::EthTrunk;
use crate::mux;
use crate::periodic::Periodic;
use crate::port::Port;
use crate::receive::Receive;
use dut_device::{AggregationPortSnapshot, EthTrunkSnapshot, Instant, LacpInfo, MacAddr};
use dut_fsm::Machine;
use dut_wire::lacp::{Information, State};

impl EthTrunk {
    /// The state at `now`; ports by port number.
    #[must_use]
    pub fn snapshot(&self, _now: Instant) -> EthTrunkSnapshot {
        let config = &self.config;
        let mut ports: Vec<_> = self
            .ports
            .iter()
            .map(|port| self.port_snapshot(port))
            .collect();
        ports.sort_by_key(|port| port.actor.port);
        let distributing = |port: &&Port| port.actor.state.has(State::DISTRIBUTING);
        let up_ports = self.ports.iter().filter(distributing).count();
        let delay = |delay: std::time::Duration| u32::try_from(delay.as_secs()).unwrap_or(u32::MAX);
        EthTrunkSnapshot {
            id: config.id,
            lacp_static: true,
            preempt_delay_s: config.preempt_delay.map(delay),
            actor_system_priority: config.system_priority,
            actor_system: config.system_id,
            system_id_source: config.system_id_source.clone(),
            least_active_linknumber: config.least_active,
            max_active_linknumber: config.max_active,
            operate_up: self.oper_up(),
            up_ports: u16::try_from(up_ports).unwrap_or(u16::MAX),
            timeout_fast: self
                .ports
                .iter()
                .any(|port| port.actor.state.has(State::LACP_TIMEOUT)),
            ports,
        }
    }

    fn port_snapshot(&self, port: &Port) -> AggregationPortSnapshot {
        let counters = &port.counters;
        AggregationPortSnapshot {
            name: port.name.clone(),
            actor: info(&port.actor),
            partner: info(&port.partner),
            selected: port.selected.name().to_owned(),
            receive: Receive::name_of(port.receive).to_owned(),
            periodic: Periodic::name_of(port.periodic).to_owned(),
            mux: mux::name(port.mux).to_owned(),
            actor_churn: ActorChurn::name_of(port.actor_churn.state).to_owned(),
            partner_churn: PartnerChurn::name_of(port.partner_churn.state).to_owned(),
            port_enabled: port.port_enabled,
            reference_port: self.aggregator.reference == Some(port.id),
            lacpdus_rx: counters.lacpdus_rx,
            lacpdus_tx: counters.lacpdus_tx,
            markers_rx: counters.markers_rx,
            marker_responses_rx: counters.marker_responses_rx,
            marker_responses_tx: counters.marker_responses_tx,
            unknown_rx: counters.unknown_rx,
            illegal_rx: counters.illegal_rx,
        }
    }
}

fn info(info: &Information) -> LacpInfo {
    LacpInfo {
        system_priority: info.system_priority,
        system: MacAddr(info.system),
        key: info.key,
        port_priority: info.port_priority,
        port: info.port,
        state: info.state.0,
    }
}
