//! What is known of the peer: its last accepted hello, and how long it has been heard.

use crate::config::tenths;
use crate::policy::Policy;
use crate::rows::{PeerMember, PeerSays};
use dut_device::Instant;
use dut_wire::etrunk::{Echo, Hello, Kind, MemberRole, Reason, State, WorkMode};
use std::time::Duration;

/// The peer, from its first accepted hello on.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    /// The last accepted hello.
    pub(crate) hello: Hello,
    /// When that was.
    last_heard: Instant,
    /// Since when it has been heard without a gap of more than two of its periods.
    heard_since: Instant,
    /// When this boot of it was heard first.
    boot_heard: Instant,
    /// Whether any member of it was link-ready since then.
    ever_ready: bool,
    /// Whether it has given up Master because its members were down, and wasn't heard while they
    /// were: they are ready again, but wait before they carry traffic. Until this device is Master.
    pub(crate) lost_members: bool,
    /// Whether it has booted anew while this device has been up.
    restarted: bool,
    /// Hellos of this boot that were accepted.
    count: u64,
    /// The highest Boot_Epoch accepted.
    pub(crate) boot_epoch: u64,
    /// The last accepted (Boot_Epoch, Sequence).
    pub(crate) window: (u64, u64),
    /// Whether the fail-time has run out or a goodbye came.
    pub(crate) silent: bool,
}

impl Peer {
    /// The peer after its first accepted hello.
    pub(crate) fn first(now: Instant, hello: Hello) -> Self {
        Self {
            last_heard: now,
            heard_since: now,
            boot_heard: now,
            ever_ready: any_ready(&hello),
            lost_members: false,
            restarted: false,
            count: 1,
            boot_epoch: hello.boot_epoch,
            window: (hello.boot_epoch, hello.sequence.unwrap_or(0)),
            silent: hello.kind == Kind::Goodbye,
            hello,
        }
    }

    /// Takes a further accepted hello; whether it is of a new boot.
    pub(crate) fn heard(&mut self, now: Instant, hello: Hello, policy: &Policy) -> bool {
        let restarted = hello.boot_epoch > self.boot_epoch;
        let gap = now.since(self.last_heard) > tenths(self.hello.send_period.get()) * 2;
        if restarted || self.silent || gap {
            self.heard_since = now;
        }
        if restarted {
            self.boot_heard = now;
            self.ever_ready = false;
            self.restarted = true;
        }
        self.ever_ready |= any_ready(&hello);
        let was_master = self.lost_members || self.hello.state == State::Master;
        self.lost_members = was_master && !restarted && (policy.lost_members)(&hello);
        self.count = if restarted {
            1
        } else {
            self.count.saturating_add(1)
        };
        self.boot_epoch = self.boot_epoch.max(hello.boot_epoch);
        self.window = (hello.boot_epoch, hello.sequence.unwrap_or(0));
        self.last_heard = now;
        self.silent = hello.kind == Kind::Goodbye;
        self.hello = hello;
        restarted
    }

    /// For so long this device stood still and couldn't hear it: that is no silence of the peer's.
    //= ETRUNK-062
    pub(crate) fn unheard_for(&mut self, time: Duration) {
        self.last_heard += time;
        self.heard_since += time;
    }

    /// When its silence counts as its failure: its own fail-time, else the local one.
    //= ETRUNK-033
    pub(crate) fn fail_deadline(&self, local: Duration, policy: &Policy) -> Instant {
        let fail_time = self.hello.fail_time.map(|time| tenths(time.get()));
        self.last_heard + (policy.fail_time)(fail_time, local)
    }

    /// What it says to a device of this role. `own_period` bounds how long it may take to hear us
    /// after a gap.
    pub(crate) fn says(
        &self,
        now: Instant,
        (own, own_period): (State, Duration),
        policy: &Policy,
    ) -> PeerSays {
        if self.silent {
            return PeerSays::Silent;
        }
        let heard = now.since(self.last_heard) <= tenths(self.hello.send_period.get()) * 2;
        let deaf = heard && self.deaf_at(own_period, policy).is_some_and(|at| now >= at);
        match self.hello.state {
            State::Initialize => PeerSays::Initialize,
            State::Backup if !self.answers(own, policy) => PeerSays::BackupOfMaster,
            State::Backup => PeerSays::Backup,
            State::Master if deaf => PeerSays::DeafMaster,
            State::Master => PeerSays::Master,
        }
    }

    /// Whether its last hello was sent after it had heard our present role. One without a
    /// link-ready member takes nothing over, so its answer needn't be waited for.
    fn answers(&self, own: State, policy: &Policy) -> bool {
        let heard = self.hello.echo.as_ref().map(|echo| echo.state);
        !any_ready(&self.hello) || (policy.answered)(own, heard)
    }

    /// When a Master that echoes nothing counts as deaf, if it goes on being heard.
    pub(crate) fn deaf_at(&self, own_period: Duration, policy: &Policy) -> Option<Instant> {
        let hello = &self.hello;
        let claims = hello.state == State::Master && hello.reason == Reason::Timeout;
        let period = own_period.max(tenths(hello.send_period.get()));
        (claims && hello.echo.is_none()).then(|| self.heard_since + period * policy.deaf_periods)
    }

    /// Whether its last hello echoes us.
    pub(crate) fn hears_us(&self) -> bool {
        !self.silent && self.hello.echo.is_some()
    }

    /// Whether it has members and none of them is link-ready. Members that are still negotiating
    /// after a boot don't count as down before the local fail-time has run.
    pub(crate) fn all_members_down(&self, now: Instant, local: Duration, policy: &Policy) -> bool {
        let settled = (policy.settled)(self.ever_ready, now >= self.boot_heard + local);
        settled && !self.hello.members.is_empty() && !any_ready(&self.hello)
    }

    /// When members that were never link-ready begin to count as down.
    pub(crate) fn settled_at(&self, local: Duration) -> Option<Instant> {
        (!self.ever_ready).then(|| self.boot_heard + local)
    }

    /// What it says of its member `remote_id`. While both devices boot, a member that was never
    /// link-ready negotiates; after a restart of the peer alone it is down, and ours, which has the
    /// state, may serve.
    pub(crate) fn member(&self, remote_id: u16, now: Instant, local: Duration) -> PeerMember {
        if self.silent {
            return PeerMember::Silent;
        }
        let Some(member) = self.hello.members.get(&remote_id) else {
            return PeerMember::Unknown;
        };
        let negotiates = !self.restarted && self.settled_at(local).is_some_and(|at| now < at);
        match (member.link_ready, member.role, member.work_mode) {
            (false, _, WorkMode::Auto | WorkMode::ForceMaster) if negotiates => {
                PeerMember::Negotiating
            }
            (false, _, _) | (true, _, WorkMode::ForceBackup) => PeerMember::Down,
            (true, MemberRole::Master, WorkMode::ForceMaster) => PeerMember::ForcedMaster,
            (true, MemberRole::Master, WorkMode::Auto) => PeerMember::Master,
            (true, MemberRole::Backup, WorkMode::Auto | WorkMode::ForceMaster) => {
                match self.hello.state {
                    State::Backup => PeerMember::Backup,
                    State::Initialize | State::Master => PeerMember::Waiting,
                }
            }
        }
    }

    /// The ECHO that our hellos carry.
    //= ETRUNK-036
    pub(crate) fn echo(&self, policy: &Policy) -> Option<Echo> {
        let echo = Echo {
            boot_epoch: self.hello.boot_epoch,
            sequence: self.hello.sequence.unwrap_or(self.count),
            state: self.hello.state,
            reason: self.hello.reason,
        };
        (policy.echo)(!self.silent, echo)
    }
}

fn any_ready(hello: &Hello) -> bool {
    hello.members.values().any(|member| member.link_ready)
}
