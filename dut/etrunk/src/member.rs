//! One member's state.

use crate::policy::Policy;
use crate::revert::RevertTimer;
use crate::{MemberConfig, MemberStatus};
use dut_wire::etrunk::{Member as WireMember, MemberReason, MemberRole};

/// A member of the E-Trunk.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) config: MemberConfig,
    pub(crate) status: MemberStatus,
    pub(crate) role: MemberRole,
    pub(crate) causation: MemberReason,
    /// The row taken last.
    pub(crate) row: &'static str,
    pub(crate) revert: RevertTimer,
}

impl Member {
    pub(crate) fn new(config: MemberConfig) -> Self {
        Self {
            config,
            status: MemberStatus::default(),
            role: MemberRole::Backup,
            causation: MemberReason::ETrunkInit,
            row: "",
            revert: RevertTimer::default(),
        }
    }

    /// As the hello carries it.
    //= ETRUNK-048
    pub(crate) fn to_wire(&self, policy: &Policy) -> WireMember {
        WireMember {
            work_mode: self.config.work_mode,
            remote_id: self.config.remote_id,
            link_ready: (policy.link_ready)(&self.status),
            oper_up: self.status.oper_up,
            selected: self.status.selected,
            role: self.role,
            reason: self.causation,
            bandwidth_mbps: self.status.bandwidth_mbps,
        }
    }
}
