//! The E-Trunk's state as `display e-trunk` prints it.

use crate::ETrunk;
use dut_device::{ETrunkMemberSnapshot, ETrunkSnapshot, Instant, MacAddr};

impl ETrunk {
    /// The state at `now`.
    #[must_use]
    //= ETRUNK-056
    pub fn snapshot(&self, _now: Instant) -> ETrunkSnapshot {
        let config = &self.config;
        let peer = self.peer.as_ref().map(|peer| &peer.hello);
        let members = self.members.iter();
        ETrunkSnapshot {
            id: config.id,
            priority: config.priority,
            system_id: config.system_id,
            revert_delay_s: (config.revert_delay)
                .map(|delay| u32::try_from(delay.as_secs()).unwrap_or(u32::MAX)),
            peer: Some(config.peer),
            source: Some(config.source),
            state: self.role.name().to_owned(),
            causation: self.causation.name().to_owned(),
            send_period_100ms: config.send_period().get(),
            fail_time_100ms: config.fail_time(&self.policy).get(),
            receive: self.received,
            send: self.sent,
            rec_drop: self.refusals.values().sum(),
            snd_drop: self.send_drops,
            peer_priority: peer.map(|hello| hello.priority.get()),
            peer_system_id: peer.map(|hello| MacAddr(hello.system_id.get())),
            peer_fail_time_100ms: peer.and_then(|hello| hello.fail_time).map(|t| t.get()),
            sequence: config.sequence,
            errors: (self.refusals.iter())
                .map(|(check, count)| (check.counter().to_owned(), *count))
                .collect(),
            members: members
                .map(|(id, member)| ETrunkMemberSnapshot {
                    id: *id,
                    phy_up: member.status.oper_up,
                    link_ready: member.status.link_ready,
                    work_mode: member.config.work_mode.name().to_owned(),
                    state: member.role.name().to_owned(),
                    causation: member.causation.name().to_owned(),
                    remote_id: member.config.remote_id,
                })
                .collect(),
        }
    }
}
