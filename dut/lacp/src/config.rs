//! What an Eth-Trunk and its ports are configured with.

use dut_device::{MacAddr, PortId};
use std::time::Duration;

/// Which of the two Mux machines runs; either is conformant (6.4.15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MuxControl {
    /// Collecting and Distributing are controlled independently.
    #[default]
    Independent,
    /// Collecting and Distributing are one.
    Coupled,
}

/// An Eth-Trunk and its Aggregator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EthTrunkConfig {
    /// Eth-Trunk id.
    pub id: u16,
    /// Actor_System_Priority; lower is better.
    pub system_priority: u16,
    /// Actor_System; individual and not zero.
    pub system_id: MacAddr,
    /// Where the System ID came from, as the display prints it: `(Local)` or nothing.
    pub system_id_source: String,
    /// Operational key, 1–65535.
    pub key: u16,
    /// Which Mux machine the ports run.
    pub mux: MuxControl,
    /// `max active-linknumber`: ports beyond these are STANDBY. At least 1.
    pub max_active: u16,
    /// `least active-linknumber`: below these Distributing ports the Eth-Trunk is down. At least 1.
    pub least_active: u16,
    /// `lacp preempt`: how long a better port waits before it takes a working one's place; `None`
    /// when it never does.
    pub preempt_delay: Option<Duration>,
    /// Whether entering EXPIRED asks for a LACPDU (802.1AX-2014/Cor1).
    pub ntt_on_expired: bool,
    /// Collector_Max_Delay in units of 10 µs.
    pub collector_max_delay: u16,
}

/// A port of an Eth-Trunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortConfig {
    /// The device's port.
    pub port: PortId,
    /// Interface name, as `GigabitEthernet0/1/2`.
    pub name: String,
    /// Actor_Port, 1–65535, unique under the System ID.
    pub port_number: u16,
    /// Actor_Port_Priority; lower is better.
    pub port_priority: u16,
    /// LACP_Activity: whether the port is Active.
    pub activity: bool,
    /// LACP_Timeout: whether the port wants Short Timeouts.
    pub timeout_short: bool,
    /// Aggregation: whether the port is aggregatable, not Individual.
    pub aggregation: bool,
}
