//! A multicast address record (RFC 3810 7.2) and the few operations that the tables are made of.

use crate::sources::{SourceRecords, Sources};
use crate::state::{FilterMode, GroupState, SourceState};
use dut_device::Instant;
use std::net::Ipv6Addr;
use std::time::Duration;

/// The record of one group on the link.
#[derive(Debug, Clone)]
pub struct Group {
    /// Filter mode.
    pub filter_mode: FilterMode,
    /// When the filter timer expires; meaningless in INCLUDE.
    pub filter_timer: Instant,
    /// INCLUDE: A. EXCLUDE: X and Y.
    pub sources: SourceRecords,
    /// When the Older Version Host Present timer expires; `None` when not in version-1 mode.
    pub v1_host: Option<Instant>,
    /// Copies of Q(G) still to be sent.
    pub query_count: u8,
    /// Whether the next transmission leaves Q(G) out: it was sent too shortly before.
    pub query_skip: bool,
    /// RFC 2710: Checking Listeners. Meaningless in version 2.
    pub checking: bool,
    /// When the series' next transmission is due.
    pub query_due: Option<Instant>,
    /// Who reported last.
    pub last_reporter: Option<Ipv6Addr>,
    /// When the record was created.
    pub since: Instant,
}

/// A source record. It is packed, so that a group's record with four of them fits three lines of
/// cache: what a report costs among many groups is how many of these it touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(Rust, packed)]
pub struct Source {
    /// When the source timer expires; `None` is zero: excluded.
    pub timer: Option<Instant>,
    /// Copies of Q(G,S) that still name the source.
    pub query_count: u8,
    /// Whether the next transmission leaves it out: it was queried too shortly before.
    pub query_skip: bool,
}

impl Source {
    /// Requested until then.
    #[must_use]
    pub const fn running(timer: Instant) -> Self {
        Self {
            timer: Some(timer),
            query_count: 0,
            query_skip: false,
        }
    }

    /// Whether it is requested: the timer runs.
    #[must_use]
    pub const fn runs(&self) -> bool {
        let timer = self.timer;
        timer.is_some()
    }

    /// Excluded: the timer is zero.
    pub const EXCLUDED: Self = Self {
        timer: None,
        query_count: 0,
        query_skip: false,
    };
}

impl Group {
    /// No record: INCLUDE with an empty list.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self {
            filter_mode: FilterMode::Include,
            filter_timer: now,
            sources: SourceRecords::new(),
            v1_host: None,
            query_count: 0,
            query_skip: false,
            checking: false,
            query_due: None,
            last_reporter: None,
            since: now,
        }
    }

    /// Whether this is no record at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.filter_mode == FilterMode::Include && self.sources.is_empty()
    }

    /// INCLUDE's A, EXCLUDE's X: sources whose timer runs.
    #[must_use]
    pub fn requested(&self) -> Sources {
        let running = self.sources.iter().filter(|(_, source)| source.runs());
        running.map(|(address, _)| *address).collect()
    }

    /// EXCLUDE's Y.
    #[must_use]
    pub fn excluded(&self) -> Sources {
        let excluded = self.sources.iter().filter(|(_, source)| !source.runs());
        excluded.map(|(address, _)| *address).collect()
    }

    /// `(sources) := timer`: lists them as requested. True when the lists changed.
    pub fn request(&mut self, sources: &Sources, timer: Instant) -> bool {
        let mut again = false;
        let new = Source::running(timer);
        let added = self.sources.put(sources, new, |source| {
            again |= !source.runs();
            //= MLD-120
            //= MLD-121
            source.timer = Some(timer);
        });
        added || again
    }

    /// `(sources) := 0`: lists them as excluded. True when the lists changed.
    pub fn exclude(&mut self, sources: &Sources) -> bool {
        let excluded = Source::EXCLUDED;
        self.sources
            .put(sources, excluded, |source| *source = excluded);
        !sources.is_empty()
    }

    /// `Delete (X-A)` and `Delete (Y-A)`: keeps A alone. True when the lists changed.
    pub fn keep(&mut self, sources: &Sources) -> bool {
        let before = self.sources.len();
        self.sources.retain(|address, _| sources.contains(address));
        before != self.sources.len()
    }

    /// Enters or stays in EXCLUDE with a new filter timer. True when the mode changed.
    pub fn listen_any(&mut self, filter_timer: Instant) -> bool {
        let changed = self.filter_mode == FilterMode::Include;
        self.filter_mode = FilterMode::Exclude;
        //= MLD-136
        self.filter_timer = filter_timer;
        changed
    }

    /// `Filter Timer := min(Filter Timer, until)`. True when it was lowered.
    pub fn lower_filter(&mut self, until: Instant) -> bool {
        //= MLD-080
        let lower = self.filter_mode == FilterMode::Exclude && self.filter_timer > until;
        if lower {
            self.filter_timer = until;
        }
        lower
    }

    /// Lowers the timers of these sources to `until` where they run longer. True when any did.
    pub fn lower_sources(&mut self, sources: &[Ipv6Addr], until: Instant) -> bool {
        //= MLD-078
        let mut lowered = false;
        for address in sources {
            if let Some(source) = self.sources.get_mut(address)
                && source.timer.is_some_and(|timer| timer > until)
            {
                source.timer = Some(until);
                lowered = true;
            }
        }
        lowered
    }

    /// Whether traffic of `source` is forwarded (RFC 9777 7.3).
    #[must_use]
    pub fn forwards(&self, source: Ipv6Addr) -> bool {
        match (self.filter_mode, self.sources.get(&source)) {
            //= MLD-131
            (FilterMode::Include, None) => false,
            (FilterMode::Include, Some(listed)) => listed.runs(),
            //= MLD-132
            (FilterMode::Exclude, None) => true,
            (FilterMode::Exclude, Some(listed)) => listed.runs(),
        }
    }

    /// Whether a specific-query series runs.
    #[must_use]
    pub fn series_runs(&self) -> bool {
        self.query_count > 0 || self.sources.values().any(|source| source.query_count > 0)
    }

    /// Ends the series.
    pub fn stop_series(&mut self) {
        self.query_count = 0;
        self.query_skip = false;
        self.query_due = None;
        for source in self.sources.values_mut() {
            source.query_count = 0;
            source.query_skip = false;
        }
    }

    /// The earliest of the group's timers.
    #[must_use]
    pub fn next_timer(&self) -> Option<Instant> {
        let filter = (self.filter_mode == FilterMode::Exclude).then_some(self.filter_timer);
        let sources = self
            .sources
            .values()
            .filter_map(|source| source.timer)
            .min();
        [filter, sources, self.v1_host, self.query_due]
            .into_iter()
            .flatten()
            .min()
    }

    /// What is shown and handed over.
    #[must_use]
    pub fn state(&self, group: Ipv6Addr, now: Instant) -> GroupState {
        let remaining = |timer: Option<Instant>| timer.map_or(Duration::ZERO, |t| t.since(now));
        let filter = (self.filter_mode == FilterMode::Exclude).then_some(self.filter_timer);
        let source = |(source, entry): (&Ipv6Addr, &Source)| SourceState {
            source: *source,
            timer: remaining(entry.timer),
            query_count: entry.query_count,
        };
        GroupState {
            group,
            filter_mode: self.filter_mode,
            filter_timer: remaining(filter),
            v1_host: remaining(self.v1_host),
            sources: self.sources.iter().map(source).collect(),
            query_count: self.query_count,
            query_due: self.query_due.map(|due| due.since(now)),
            last_reporter: self.last_reporter,
            since: self.since,
        }
    }
}
