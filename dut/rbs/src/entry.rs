//! Entries in remaining times (outside), in deadlines (inside) and as records (on the wire).

use dut_device::{GroupLook, Instant, PairLook, SourceLook};
use dut_wire::rbs::{FilterMode, GroupRecord, InterfaceRecord, SourceRecord, Version};
use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::time::Duration;

/// Where an entry stands: (Eth-Trunk id, multicast address).
pub(crate) type Key = (u16, Ipv6Addr);

/// A source of an [`Entry`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntrySource {
    /// Source address.
    pub source: Ipv6Addr,
    /// Source timer remaining; zero means excluded.
    pub timer: Duration,
    /// Q(G,S) copies still to be sent.
    pub query_count: u8,
}

/// A (link, group) record with remaining times; zero means that a timer does not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Eth-Trunk id.
    pub eth_trunk: u16,
    /// Multicast address.
    pub group: Ipv6Addr,
    /// Filter mode.
    pub filter_mode: FilterMode,
    /// Filter timer remaining; ignored in INCLUDE.
    pub filter_timer: Duration,
    /// Older Version Host Present timer remaining.
    pub v1_host_timer: Duration,
    /// Q(G) copies still to be sent.
    pub query_count: u8,
    /// Next specific query due in.
    pub query_due: Duration,
    /// Sources; the last of a repeated source counts.
    pub sources: Vec<EntrySource>,
    /// Who reported last.
    pub last_reporter: Option<Ipv6Addr>,
    /// When the record was created here.
    pub since: Instant,
}

/// An interface's querier state with remaining times; zero means that a timer does not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InterfaceState {
    /// Eth-Trunk id.
    pub eth_trunk: u16,
    /// The querier's address.
    pub querier: Option<Ipv6Addr>,
    /// Other Querier Present timer remaining.
    pub other_querier_present: Duration,
    /// General query due in.
    pub general_query_due: Duration,
}

/// A source inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HeldSource {
    /// When a requested source's timer ends; `None` is excluded.
    pub(crate) deadline: Option<Instant>,
    query_count: u8,
}

/// An entry inside. A requested source stays requested when its deadline passes: only the master
/// decides what follows from that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) version: Version,
    /// The last version of another origin that this one replaces.
    pub(crate) covers: Option<Version>,
    pub(crate) filter_mode: FilterMode,
    filter_deadline: Instant,
    v1_host_deadline: Option<Instant>,
    query_count: u8,
    query_due: Option<Instant>,
    pub(crate) sources: BTreeMap<Ipv6Addr, HeldSource>,
    last_reporter: Ipv6Addr,
    since: Instant,
}

fn deadline(now: Instant, remaining: Duration) -> Option<Instant> {
    (!remaining.is_zero()).then(|| now + remaining)
}

fn from_ms(now: Instant, ms: u32) -> Option<Instant> {
    deadline(now, Duration::from_millis(u64::from(ms)))
}

/// Remaining milliseconds, rounded up.
fn to_ms(now: Instant, deadline: Instant) -> u32 {
    let remaining = deadline.since(now).as_nanos().div_ceil(1_000_000);
    u32::try_from(remaining).unwrap_or(u32::MAX)
}

/// A timer that runs has at least a millisecond left, whatever the time is.
fn running_ms(now: Instant, deadline: Option<Instant>) -> u32 {
    deadline.map_or(0, |deadline| to_ms(now, deadline).max(1))
}

fn running(now: Instant, deadline: Option<Instant>) -> Duration {
    let least = Duration::from_millis(1);
    deadline.map_or(Duration::ZERO, |deadline| deadline.since(now).max(least))
}

impl Held {
    pub(crate) fn from_entry(now: Instant, entry: &Entry, version: Version) -> Self {
        let sources = entry.sources.iter().map(|s| {
            let held = HeldSource {
                deadline: deadline(now, s.timer),
                query_count: s.query_count,
            };
            (s.source, held)
        });
        Self {
            version,
            covers: None,
            filter_mode: entry.filter_mode,
            filter_deadline: match entry.filter_mode {
                FilterMode::Include => now,
                FilterMode::Exclude => now + entry.filter_timer,
            },
            v1_host_deadline: deadline(now, entry.v1_host_timer),
            query_count: entry.query_count,
            query_due: deadline(now, entry.query_due),
            // INCLUDE has no excluded sources.
            sources: sources
                .filter(|(_, s)| entry.filter_mode == FilterMode::Exclude || s.deadline.is_some())
                .collect(),
            last_reporter: entry.last_reporter.unwrap_or(Ipv6Addr::UNSPECIFIED),
            since: entry.since,
        }
    }

    pub(crate) fn from_record(now: Instant, record: &GroupRecord) -> Self {
        let sources = record.sources.iter().map(|(source, state)| {
            let held = HeldSource {
                deadline: from_ms(now, state.timer_ms),
                query_count: state.query_count,
            };
            (*source, held)
        });
        Self {
            version: record.version,
            covers: None,
            filter_mode: record.filter_mode,
            filter_deadline: from_ms(now, record.filter_timer_ms).unwrap_or(now),
            v1_host_deadline: from_ms(now, record.v1_host_ms),
            query_count: record.query_count,
            query_due: from_ms(now, record.query_due_ms),
            sources: sources.collect(),
            last_reporter: record.last_reporter,
            since: now,
        }
    }

    //= BACKUP-005
    pub(crate) fn to_record(&self, now: Instant, key: Key) -> GroupRecord {
        let sources = self.sources.iter().map(|(source, held)| {
            let state = SourceRecord {
                timer_ms: running_ms(now, held.deadline),
                query_count: held.query_count,
            };
            (*source, state)
        });
        let v1_host = self.v1_host_deadline.filter(|at| *at > now);
        GroupRecord {
            eth_trunk: key.0,
            group: key.1,
            filter_mode: self.filter_mode,
            query_count: self.query_count,
            version: self.version,
            filter_timer_ms: match self.filter_mode {
                FilterMode::Include => 0,
                FilterMode::Exclude => to_ms(now, self.filter_deadline),
            },
            v1_host_ms: running_ms(now, v1_host),
            query_due_ms: running_ms(now, self.query_due),
            last_reporter: self.last_reporter,
            sources: sources.collect(),
        }
    }

    pub(crate) fn to_entry(&self, now: Instant, key: Key) -> Entry {
        let sources = self.sources.iter().map(|(source, held)| EntrySource {
            source: *source,
            timer: running(now, held.deadline),
            query_count: held.query_count,
        });
        let v1_host = self.v1_host_deadline.filter(|at| *at > now);
        Entry {
            eth_trunk: key.0,
            group: key.1,
            filter_mode: self.filter_mode,
            filter_timer: match self.filter_mode {
                FilterMode::Include => Duration::ZERO,
                FilterMode::Exclude => self.filter_deadline.since(now),
            },
            v1_host_timer: running(now, v1_host),
            query_count: self.query_count,
            query_due: running(now, self.query_due),
            sources: sources.collect(),
            last_reporter: Some(self.last_reporter).filter(|r| !r.is_unspecified()),
            since: self.since,
        }
    }

    /// [`Held::to_entry`] as a pair's oracle looks at it.
    pub(crate) fn look(&self, now: Instant, group: Ipv6Addr, look: &mut PairLook) {
        let ms =
            |time: Duration| u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
        let sources = self.sources.iter().map(|(source, held)| SourceLook {
            source: *source,
            timer_ms: ms(running(now, held.deadline)),
        });
        look.sources.extend(sources);
        let v1_host = self.v1_host_deadline.filter(|at| *at > now);
        let exclude = self.filter_mode == FilterMode::Exclude;
        look.groups.push(GroupLook {
            group,
            filter_timer_ms: exclude.then(|| ms(self.filter_deadline.since(now))),
            v1_host_ms: ms(running(now, v1_host)),
            sources: self.sources.len(),
        });
    }

    /// Whether a device (origin, boot epoch) made this version in this boot.
    pub(crate) fn is_of(&self, own: ([u8; 6], u64)) -> bool {
        (self.version.origin, self.version.epoch) == own
    }

    /// The same content as another version.
    pub(crate) fn versioned(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// Takes over from the version that was there before.
    pub(crate) fn replacing(mut self, old: Option<&Self>) -> Self {
        if let Some(old) = old {
            self.since = old.since;
            self.covers = if old.version.origin == self.version.origin {
                old.covers
            } else {
                Some(old.version)
            };
        }
        self
    }

    /// Whether the digest sees the same.
    pub(crate) fn same_content(&self, other: &Self) -> bool {
        let requested = |held: &Self| -> Vec<(Ipv6Addr, bool)> {
            let sources = held.sources.iter();
            sources.map(|(s, h)| (*s, h.deadline.is_some())).collect()
        };
        self.filter_mode == other.filter_mode && requested(self) == requested(other)
    }

    /// What is left of it at `now` when nobody refreshes it (RFC 3810 7.2.3 and 7.2.2).
    pub(crate) fn aged(&self, now: Instant) -> Option<Self> {
        let mut aged = self.clone();
        let alive = |held: &HeldSource| held.deadline.is_none_or(|at| at > now);
        match self.filter_mode {
            FilterMode::Exclude if self.filter_deadline > now => {
                for held in aged.sources.values_mut().filter(|held| !alive(held)) {
                    held.deadline = None;
                }
                return Some(aged);
            }
            // EXCLUDE whose filter timer has run out is INCLUDE of what is still requested.
            FilterMode::Exclude => aged.sources.retain(|_, held| held.deadline.is_some()),
            FilterMode::Include => {}
        }
        aged.filter_mode = FilterMode::Include;
        aged.sources.retain(|_, held| alive(held));
        (!aged.sources.is_empty()).then_some(aged)
    }

    /// When [`Held::aged`] changes next.
    pub(crate) fn next_ageing(&self, now: Instant) -> Option<Instant> {
        let filter = match self.filter_mode {
            FilterMode::Include => None,
            FilterMode::Exclude => Some(self.filter_deadline),
        };
        let sources = self.sources.values().filter_map(|held| held.deadline);
        sources.chain(filter).filter(|at| *at > now).min()
    }
}

/// An interface's state inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HeldInterface {
    pub(crate) version: Version,
    pub(crate) eth_trunk: u16,
    pub(crate) querier: Ipv6Addr,
    other_querier: Option<Instant>,
    general_query: Option<Instant>,
}

impl HeldInterface {
    pub(crate) fn from_state(now: Instant, state: &InterfaceState, version: Version) -> Self {
        Self {
            version,
            eth_trunk: state.eth_trunk,
            querier: state.querier.unwrap_or(Ipv6Addr::UNSPECIFIED),
            other_querier: deadline(now, state.other_querier_present),
            general_query: deadline(now, state.general_query_due),
        }
    }

    pub(crate) fn from_record(now: Instant, record: &InterfaceRecord) -> Self {
        Self {
            version: record.version,
            eth_trunk: record.eth_trunk,
            querier: record.querier,
            other_querier: from_ms(now, record.other_querier_ms),
            general_query: from_ms(now, record.general_query_ms),
        }
    }

    pub(crate) fn to_record(self, now: Instant) -> InterfaceRecord {
        let other_querier = self.other_querier.filter(|at| *at > now);
        InterfaceRecord {
            eth_trunk: self.eth_trunk,
            querier: self.querier,
            version: self.version,
            other_querier_ms: running_ms(now, other_querier),
            general_query_ms: running_ms(now, self.general_query),
        }
    }

    pub(crate) fn to_state(self, now: Instant) -> InterfaceState {
        let other_querier = self.other_querier.filter(|at| *at > now);
        InterfaceState {
            eth_trunk: self.eth_trunk,
            querier: Some(self.querier).filter(|querier| !querier.is_unspecified()),
            other_querier_present: running(now, other_querier),
            general_query_due: running(now, self.general_query),
        }
    }
}
