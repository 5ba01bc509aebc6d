//! What an Eth-Trunk and its ports are configured with.

use dut_device::{MacAddr, PortId};
use std::time::Duration;

/// Which Mux machine runs; each is conformant to its edition (6.4.15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MuxControl {
    /// Collecting and Distributing are controlled independently (802.1AX-2014 and before).
    #[default]
    Independent,
    /// Collecting and Distributing are one (802.1AX-2014 and before).
    Coupled,
    /// The combined machine of 802.1AX-2020, with Collecting and Distributing independent.
    Combined,
    /// The combined machine of 802.1AX-2020, with Collecting and Distributing coupled.
    CombinedCoupled,
}

impl MuxControl {
    /// Whether it is the machine of 802.1AX-2020.
    pub(crate) const fn combined(self) -> bool {
        matches!(self, Self::Combined | Self::CombinedCoupled)
    }
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
    /// WTR time of the combined Mux machine, 0–32767 s: how long a port whose carrier is back waits
    /// before it is attached again. Always revertive, the default of 802.1AX-2020.
    pub wait_to_restore: Duration,
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
