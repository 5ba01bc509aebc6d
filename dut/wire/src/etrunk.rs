//! E-Trunk hello: FORMATS.md section 1.
//!
//! Receipt is staged, because the eleven checks have an order and each has its own counter:
//! [`Envelope`] (check 1) gives the id and the addresses (checks 2 and 3, the engine's), then
//! [`Body`] (check 4), which answers whether the digest is right (check 5) and shows sequence and
//! system id (checks 6 and 7, the engine's), then [`Hello`] (checks 7 to 11). Nothing here knows
//! a state or a clock.

mod auth;
mod field;
mod receive;
mod send;

pub use auth::{AuthenticationMode, Endpoints};
pub use field::{
    ETrunkId, FailTime, MemberReason, MemberRole, Priority, Reason, SendPeriod, State, SystemId,
    WorkMode,
};
pub use receive::{Body, Envelope, peek_id};
pub use send::{MEMBERS_MAX, MatchedConfiguration};

use crate::Malformed;
use std::collections::BTreeMap;
use std::net::Ipv6Addr;

/// The first four octets of every hello: `TETK`.
pub const MAGIC: [u8; 4] = *b"TETK";
/// The format's major version.
pub const MAJOR: u8 = 1;
/// Octets before the first TLV.
pub const FIXED_LEN: usize = 44;

const MEMBER: u16 = 0x8001;
const LACP_SYS: u16 = 0x8002;
const ADDR: u16 = 0x8003;
const ECHO: u16 = 0x8004;
const CFG_DIGEST: u16 = 0x0005;
const CAPS: u16 = 0x0006;
const AUTH: u16 = 0x8007;

const TRIGGERED: u8 = 1;
const SEQUENCE: u8 = 2;
const RESTART: u8 = 4;
const REPLY_REQUESTED: u8 = 8;

/// One of the eleven checks on receipt, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// 1: size, magic, major version, Length, type.
    Length,
    /// 2: the E-Trunk is configured.
    ETrunkId,
    /// 3: the addresses mirror ours.
    PeerIp,
    /// 4: the TLVs are well-formed and complete.
    Tlv,
    /// 5: algorithm and digest.
    Authentication,
    /// 6: replay window.
    Sequence,
    /// 7: the sender's System_ID.
    SystemId,
    /// 8: Priority.
    Priority,
    /// 9: Send_Period and Fail_Time.
    FailTime,
    /// 10: State and Expected_State.
    State,
    /// 11: Reason and the MEMBER fields.
    StateReason,
}

impl Check {
    /// All of them, in order.
    pub const ALL: [Self; 11] = [
        Self::Length,
        Self::ETrunkId,
        Self::PeerIp,
        Self::Tlv,
        Self::Authentication,
        Self::Sequence,
        Self::SystemId,
        Self::Priority,
        Self::FailTime,
        Self::State,
        Self::StateReason,
    ];

    /// The name of the counter, as `display e-trunk packet-statistics` groups them.
    #[must_use]
    pub const fn counter(self) -> &'static str {
        match self {
            Self::Length => "length_error",
            Self::ETrunkId => "e_trunk_id_error",
            Self::PeerIp => "peer_ip_error",
            Self::Tlv => "tlv_check_error",
            Self::Authentication => "authentication_error",
            Self::Sequence => "sequence_error",
            Self::SystemId => "system_id_error",
            Self::Priority => "priority_error",
            Self::FailTime => "fail_time_error",
            Self::State => "state_error",
            Self::StateReason => "state_reason_error",
        }
    }
}

/// Why a hello is refused: the first check that failed, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}: {why}", check.counter())]
pub struct Refused {
    /// The check.
    pub check: Check,
    /// The offending field.
    pub why: Malformed,
}

/// Whether the sender stays or leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Type 1.
    Hello,
    /// Type 2: the sender leaves.
    Goodbye,
}

/// A MEMBER TLV without its local id, which is the key under which [`Hello::members`] holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Work mode (`e-trunk mode`).
    pub work_mode: WorkMode,
    /// The Eth-Trunk id at the other device.
    pub remote_id: u16,
    /// Whether the Eth-Trunk could carry traffic if it were selected.
    pub link_ready: bool,
    /// Whether the Eth-Trunk is operationally up.
    pub oper_up: bool,
    /// Selected ports.
    pub selected: u8,
    /// The member's role.
    pub role: MemberRole,
    /// Why it has that role.
    pub reason: MemberReason,
    /// Bandwidth in Mbit/s.
    pub bandwidth_mbps: u32,
}

/// The LACP_SYS TLV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LacpSys {
    /// LACP E-Trunk system priority.
    pub priority: u16,
    /// LACP E-Trunk system id.
    pub system_id: [u8; 6],
    /// Whether the sender's port numbers are raised by 32768.
    pub port_offset: bool,
}

/// The ADDR TLV: addresses as configured at the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addr {
    /// `source-ipv6`.
    pub source: Ipv6Addr,
    /// `peer-ipv6`.
    pub peer: Ipv6Addr,
}

/// The ECHO TLV: what the sender last heard of the receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Echo {
    /// Boot_Epoch last heard.
    pub boot_epoch: u64,
    /// Sequence last heard, or how many hellos of that boot were heard.
    pub sequence: u64,
    /// State last heard.
    pub state: State,
    /// Reason last heard.
    pub reason: Reason,
}

/// A hello or goodbye; every field is legal by its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// Hello or goodbye.
    pub kind: Kind,
    /// Flag bit 0: sent because of a change.
    pub triggered: bool,
    /// Flag bit 2: the first hello of a boot.
    pub restart: bool,
    /// Flag bit 3: an answer is wanted at once.
    pub reply_requested: bool,
    /// E_Trunk_ID.
    pub e_trunk_id: ETrunkId,
    /// Priority.
    pub priority: Priority,
    /// State.
    pub state: State,
    /// Reason.
    pub reason: Reason,
    /// Expected_State.
    pub expected_state: State,
    /// System_ID.
    pub system_id: SystemId,
    /// Send_Period.
    pub send_period: SendPeriod,
    /// Fail_Time; absent: the receiver uses its own.
    pub fail_time: Option<FailTime>,
    /// Boot_Epoch.
    pub boot_epoch: u64,
    /// Sequence, when flag bit 1 is set.
    pub sequence: Option<u64>,
    /// MEMBER TLVs by local id.
    pub members: BTreeMap<u16, Member>,
    /// LACP_SYS.
    pub lacp_sys: LacpSys,
    /// ADDR.
    pub addr: Addr,
    /// ECHO; `None` when the receiver of this hello is not heard by its sender.
    pub echo: Option<Echo>,
    /// CFG_DIGEST, when present.
    pub cfg_digest: Option<[u8; 32]>,
    /// CAPS bit 0 (BFD bound), when present.
    pub bfd_bound: Option<bool>,
}

#[cfg(test)]
mod tests;
