//! What an E-Trunk is configured with, and what it is told of its members.

use crate::policy::Policy;
use crate::{AuthenticationMode, WorkMode};
use dut_device::MacAddr;
use dut_wire::etrunk::{ETrunkId, FailTime, MatchedConfiguration, Priority, SendPeriod};
use std::net::Ipv6Addr;
use std::time::Duration;

/// An Eth-Trunk in an E-Trunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberConfig {
    /// Eth-Trunk id on this device.
    pub eth_trunk: u16,
    /// Eth-Trunk id on the peer (`remote-eth-trunk`, or the same).
    pub remote_id: u16,
    /// `e-trunk mode`.
    pub work_mode: WorkMode,
}

/// An E-Trunk's configuration. Values outside their ranges act as the nearest legal one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ETrunkConfig {
    /// E-Trunk-ID, 1–128.
    pub id: u16,
    /// Priority, 1–254.
    pub priority: u8,
    /// E-Trunk system id: the device's bridge MAC.
    pub system_id: MacAddr,
    /// `source-ipv6`.
    pub source: Ipv6Addr,
    /// `peer-ipv6`.
    pub peer: Ipv6Addr,
    /// UDP port of both ends.
    pub port: u16,
    /// The security key's octets.
    pub key: Vec<u8>,
    /// `authentication-mode`.
    pub authentication: AuthenticationMode,
    /// `sequence enable`.
    pub sequence: bool,
    /// `timer hello`: 500 ms to 10 s, in units of 100 ms.
    pub hello: Duration,
    /// `timer hold-on-failure multiplier`, 3–300.
    pub multiplier: u16,
    /// `timer revert delay`; `None` is `revert disable`.
    pub revert_delay: Option<Duration>,
    /// Whether the larger priority wins; the vendor's rule is that the smaller does.
    pub larger_wins: bool,
    /// LACP E-Trunk system priority, as announced.
    pub lacp_system_priority: u16,
    /// LACP E-Trunk system id, as announced.
    pub lacp_system_id: MacAddr,
    /// Whether this device's port numbers are raised by 32768, as announced.
    pub port_offset: bool,
    /// The members; at most 62, the first of a repeated Eth-Trunk counts.
    pub members: Vec<MemberConfig>,
    /// How often the device has booted, from 1.
    pub boot_epoch: u64,
}

impl ETrunkConfig {
    pub(crate) const fn e_trunk_id(&self) -> ETrunkId {
        ETrunkId::clamped(self.id)
    }

    pub(crate) const fn wire_priority(&self) -> Priority {
        Priority::clamped(self.priority)
    }

    /// Send_Period.
    pub(crate) fn send_period(&self) -> SendPeriod {
        let tenths = self.hello.as_millis() / 100;
        SendPeriod::clamped(u16::try_from(tenths).unwrap_or(u16::MAX))
    }

    /// The same as a time.
    pub(crate) fn period(&self) -> Duration {
        tenths(self.send_period().get())
    }

    /// Local fail-time: hello times multiplier.
    pub(crate) fn fail_time(&self, policy: &Policy) -> FailTime {
        let multiplier = self.multiplier.clamp(3, 300);
        let period = self.send_period().get();
        FailTime::clamped((policy.local_fail_time)(period, multiplier))
    }

    /// What CFG_DIGEST is over.
    pub(crate) fn matched(&self, members: Vec<u16>, policy: &Policy) -> MatchedConfiguration {
        let seconds = |delay: Duration| u32::try_from(delay.as_secs()).unwrap_or(u32::MAX - 1);
        MatchedConfiguration {
            e_trunk_id: self.e_trunk_id().get(),
            send_period: self.send_period().get(),
            fail_time: self.fail_time(policy).get(),
            revert_delay_s: self.revert_delay.map(seconds),
            authentication: self.authentication,
            sequence: self.sequence,
            lacp_system_priority: self.lacp_system_priority,
            lacp_system_id: self.lacp_system_id.0,
            members,
        }
    }
}

/// A time on the wire, in units of 100 ms.
pub(crate) fn tenths(count: u16) -> Duration {
    Duration::from_millis(100).saturating_mul(u32::from(count))
}

/// What the node says of a member's Eth-Trunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemberStatus {
    /// Whether it could carry traffic if it were selected: this bit tells its health, because a
    /// backup's Eth-Trunk is held down.
    pub link_ready: bool,
    /// Whether it is operationally up (LocalPhyState).
    pub oper_up: bool,
    /// Selected ports.
    pub selected: u8,
    /// Bandwidth in Mbit/s.
    pub bandwidth_mbps: u32,
}
