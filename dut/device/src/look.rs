//! What state equivalence of a pair looks at: a small part of a [`Snapshot`], cheap to take.

use crate::{Instant, MldGroupSnapshot, Snapshot};
use std::net::Ipv6Addr;

/// What a pair's oracle needs of one device. The same as the [`Snapshot`]'s services, profiles and
/// MLD interfaces say, without their words: it is taken at every event of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PairLook {
    /// When it was taken.
    pub at: Instant,
    /// Whether a profile's member is Master.
    pub master: bool,
    /// Remote backup services.
    pub services: u32,
    /// Of those, the ones that are connected.
    pub connected: u32,
    /// Messages of all services that the peer has not acknowledged.
    pub unacknowledged: u64,
    /// Whether a series of specific queries runs on an MLD interface.
    pub series: bool,
    /// A Master's groups on its Eth-Trunk, or what a Backup's first profile holds.
    pub groups: Vec<GroupLook>,
    /// Their sources, group by group.
    pub sources: Vec<SourceLook>,
}

/// A (link, multicast address) record; times as in [`MldGroupSnapshot`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupLook {
    /// Multicast address.
    pub group: Ipv6Addr,
    /// Filter timer in EXCLUDE mode, ms; `None` in INCLUDE.
    pub filter_timer_ms: Option<u64>,
    /// Older Version Host Present timer, ms; 0 when it doesn't run.
    pub v1_host_ms: u64,
    /// How many of [`PairLook::sources`] are this group's.
    pub sources: usize,
}

/// A source record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceLook {
    /// Source address.
    pub source: Ipv6Addr,
    /// Source timer, ms; 0 means excluded.
    pub timer_ms: u64,
}

impl PairLook {
    /// Forgets everything but the allocations.
    pub fn clear(&mut self) {
        let (mut groups, mut sources) = (
            std::mem::take(&mut self.groups),
            std::mem::take(&mut self.sources),
        );
        groups.clear();
        sources.clear();
        *self = Self {
            groups,
            sources,
            ..Self::default()
        };
    }

    /// What a snapshot says of it.
    #[must_use]
    pub fn of(snapshot: &Snapshot) -> Self {
        let mut look = Self::default();
        look.read(snapshot);
        look
    }

    /// Becomes what a snapshot says.
    pub fn read(&mut self, snapshot: &Snapshot) {
        self.clear();
        self.at = snapshot.at;
        self.master = snapshot.rbp.iter().any(|rbp| rbp.master);
        for rbs in &snapshot.rbs {
            self.services += 1;
            self.connected += u32::from(rbs.tcp_state == "connected");
            self.unacknowledged += rbs.unacknowledged;
        }
        let mut all = snapshot.mld.iter().flat_map(|interface| &interface.groups);
        self.series = all.any(|group| {
            group.query_count > 0 || group.sources.iter().any(|source| source.query_count > 0)
        });
        let held = if self.master {
            let interface = (snapshot.mld.iter()).find(|i| i.name.starts_with("Eth-Trunk"));
            interface.map(|interface| &interface.groups)
        } else {
            snapshot.rbp.first().map(|rbp| &rbp.entries)
        };
        for group in held.into_iter().flatten() {
            self.group(group);
        }
    }

    fn group(&mut self, group: &MldGroupSnapshot) {
        let sources = group.sources.iter().map(|source| SourceLook {
            source: source.source,
            timer_ms: source.timer_ms,
        });
        self.sources.extend(sources);
        let exclude = group.filter_mode == "EXCLUDE";
        self.groups.push(GroupLook {
            group: group.group,
            filter_timer_ms: exclude.then_some(group.filter_timer_ms),
            v1_host_ms: group.v1_host_ms,
            sources: group.sources.len(),
        });
    }

    /// Each group with its sources.
    pub fn records(&self) -> impl Iterator<Item = (&GroupLook, &[SourceLook])> {
        let mut rest = self.sources.as_slice();
        self.groups.iter().map(move |group| {
            let (own, others) = rest.split_at_checked(group.sources).unwrap_or((rest, &[]));
            rest = others;
            (group, own)
        })
    }
}
