//! The session's state as `display remote-backup-service` and `-profile` print it.

use crate::Session;
use crate::entry::Entry;
use crate::session::Link;
use dut_device::{
    Instant, MldGroupSnapshot, MldSourceSnapshot, PairLook, RbpSnapshot, RbsSnapshot,
};
use std::time::Duration;

impl Session {
    /// The service and its profiles at `now`.
    #[must_use]
    pub fn snapshot(&self, now: Instant) -> (RbsSnapshot, Vec<RbpSnapshot>) {
        (self.service(), self.profiles(now))
    }

    //= RBS-034
    fn service(&self) -> RbsSnapshot {
        let config = &self.config;
        let unacknowledged = match &self.link {
            Link::Up(connection) => connection.unacknowledged.len(),
            Link::Idle | Link::BackOff(_) | Link::Connecting(_) | Link::Listening => 0,
        };
        RbsSnapshot {
            index: config.index,
            name: config.name.clone(),
            tcp_state: self.tcp_state().to_owned(),
            peer: Some(config.peer),
            source: Some(config.source),
            tcp_port: config.port,
            last_up_s: self.last_up_s,
            last_down_s: self.last_down_s,
            last_down_reason: self.last_down_reason.map(str::to_owned),
            unacknowledged: u64::try_from(unacknowledged).unwrap_or(u64::MAX),
            errors: (self.errors.iter())
                .map(|(reason, count)| ((*reason).to_owned(), *count))
                .collect(),
        }
    }

    /// What a pair's oracle looks at of the service.
    pub fn look_at_service(&self, look: &mut PairLook) {
        look.services += 1;
        if let Link::Up(connection) = &self.link {
            look.connected += u32::from(connection.connected);
            let unacknowledged = connection.unacknowledged.len();
            look.unacknowledged += u64::try_from(unacknowledged).unwrap_or(u64::MAX);
        }
        look.master |= self.profiles.values().any(|profile| profile.master);
    }

    /// What a pair's oracle looks at of the first profile's entries; `false` when there is none.
    pub fn look_at_entries(&self, now: Instant, look: &mut PairLook) -> bool {
        let Some(profile) = self.profiles.values().next() else {
            return false;
        };
        for ((_, group), held) in &profile.table.entries {
            if !self.ages(profile) {
                held.look(now, *group, look);
            } else if let Some(held) = self.left_of(now, held) {
                held.look(now, *group, look);
            }
        }
        true
    }

    fn tcp_state(&self) -> &'static str {
        match &self.link {
            Link::Idle => "init",
            Link::BackOff(_) | Link::Connecting(_) => "connecting",
            Link::Listening => "listening",
            Link::Up(connection) if connection.connected => "connected",
            Link::Up(_) if self.config.source < self.config.peer => "connecting",
            Link::Up(_) => "listening",
        }
    }

    fn profiles(&self, now: Instant) -> Vec<RbpSnapshot> {
        let profiles = self.profiles.iter();
        profiles
            .map(|(backup_id, profile)| {
                let config = &profile.config;
                let digest = profile.table.digest();
                let entries = self.entries(now, *backup_id);
                RbpSnapshot {
                    index: config.index,
                    name: config.name.clone(),
                    services: config.mld.then(|| "MLD".to_owned()).into_iter().collect(),
                    rbs: self.config.name.clone(),
                    backup_id: *backup_id,
                    e_trunk: Some(config.e_trunk),
                    eth_trunk: Some(config.eth_trunk),
                    interfaces: config.interfaces.clone(),
                    backup_mode: config.backup_mode.clone(),
                    master: profile.master,
                    digest: digest.iter().map(|octet| format!("{octet:02x}")).collect(),
                    synchronized: self.synchronized(*backup_id),
                    entries: entries.iter().map(group).collect(),
                }
            })
            .collect()
    }
}

/// Milliseconds, rounded up.
fn ms(d: Duration) -> u64 {
    u64::try_from(d.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

fn group(entry: &Entry) -> MldGroupSnapshot {
    let sources = entry.sources.iter().map(|source| MldSourceSnapshot {
        source: source.source,
        timer_ms: ms(source.timer),
        query_count: source.query_count,
    });
    MldGroupSnapshot {
        group: entry.group,
        filter_mode: entry.filter_mode.name().to_owned(),
        filter_timer_ms: ms(entry.filter_timer),
        v1_host_ms: ms(entry.v1_host_timer),
        sources: sources.collect(),
        last_reporter: entry.last_reporter,
        since: entry.since,
        query_count: entry.query_count,
    }
}
