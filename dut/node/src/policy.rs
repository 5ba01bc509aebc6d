//! What the ties of a pair decide by: what a role means for LACP, what of MLD is told over RBS, and
//! what a device that becomes master takes over.

use dut_device::MacAddr;
use dut_mld::{FilterMode, GroupState, QuerierState, SourceState};
use dut_rbs::{Entry, EntrySource, InterfaceState};
use std::net::Ipv6Addr;
use std::time::Duration;

/// A change of an interface's MLD state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A record's mode, sources, timers or series.
    Record,
    /// Timers of a record alone.
    Refresh,
    /// A record is gone.
    Removal,
    /// The querier.
    Querier,
}

/// The decisions; [`Policy::STANDARD`] are the reference's.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// Whether the member's LACP is held back, by whether the member is Master.
    pub holds: fn(bool) -> bool,
    /// Whether the profile's role is master, by the member's.
    pub speaks: fn(bool) -> bool,
    /// Whether a change is told over RBS, by whether this device is master.
    pub tells: fn(bool, Change) -> bool,
    /// A record as it is told, by its Eth-Trunk.
    pub entry: fn(u16, &GroupState) -> Entry,
    /// A record as it is taken over.
    pub group: fn(&Entry) -> GroupState,
    /// Whether an interface that comes up takes over the profile's table, by whether it has one.
    pub adopts: fn(bool) -> bool,
    /// The other querier that a new master keeps in mind, by its own link-local address.
    pub querier: fn(Option<Ipv6Addr>, InterfaceState) -> Option<QuerierState>,
    /// Whether addresses are announced that an interface brings up.
    pub announces: bool,
    /// Whether the gate of a revert is open, by whether both devices are synchronised.
    pub gate: fn(bool) -> bool,
    /// Whether RBS connects anew at a hello, by the silence before it and the peer's period.
    pub retries: fn(Duration, Duration) -> bool,
    /// Whether what the peer has said reaches the device's own table, by whether it is master.
    pub merges: fn(bool) -> bool,
    /// Whether a master that keeps its own record against the peer's says it again.
    pub retells: bool,
    /// Whether LACP port numbers are raised, by `source-ipv6` and `peer-ipv6`.
    pub raises_ports: fn(Ipv6Addr, Ipv6Addr) -> bool,
    /// MAC address of an Eth-Trunk, by its LACP system id and the device's base address.
    pub trunk_mac: fn(MacAddr, MacAddr) -> MacAddr,
}

impl Default for Policy {
    fn default() -> Self {
        Self::STANDARD
    }
}

impl Policy {
    /// The reference's decisions.
    pub const STANDARD: Self = Self {
        //= ETRUNK-049
        holds: |master| !master,
        speaks: |master| master,
        //= BACKUP-002
        tells: |master, _| master,
        entry: to_entry,
        group: to_group,
        //= BACKUP-004
        adopts: |held| held,
        querier,
        announces: true,
        //= ETRUNK-039
        gate: |synchronized| synchronized,
        retries: |silence, period| silence > period * 3,
        //= BACKUP-018
        merges: |master| master,
        retells: true,
        //= ETRUNK-051
        raises_ports: |source, peer| source > peer,
        //= BACKUP-020
        trunk_mac: |system_id, _| system_id,
    };
}

/// The shared link-local address is the querier on both: only another router is kept in mind.
#[must_use]
pub fn querier(own: Option<Ipv6Addr>, state: InterfaceState) -> Option<QuerierState> {
    let another =
        state.querier.is_some() && state.querier != own && !state.other_querier_present.is_zero();
    another.then_some(QuerierState {
        querier: state.querier,
        other_querier_remaining: state.other_querier_present,
        general_query_in: state.general_query_due,
    })
}

/// All of a record, in remaining times.
//= BACKUP-005
#[must_use]
pub fn to_entry(eth_trunk: u16, state: &GroupState) -> Entry {
    let source = |source: &SourceState| EntrySource {
        source: source.source,
        timer: source.timer,
        query_count: source.query_count,
    };
    Entry {
        eth_trunk,
        group: state.group,
        filter_mode: match state.filter_mode {
            FilterMode::Include => dut_rbs::FilterMode::Include,
            FilterMode::Exclude => dut_rbs::FilterMode::Exclude,
        },
        filter_timer: state.filter_timer,
        v1_host_timer: state.v1_host,
        query_count: state.query_count,
        query_due: state.query_due.unwrap_or_default(),
        sources: state.sources.iter().map(source).collect(),
        last_reporter: state.last_reporter,
        since: state.since,
    }
}

/// The record that [`to_entry`] was given.
#[must_use]
pub fn to_group(entry: &Entry) -> GroupState {
    let source = |source: &EntrySource| SourceState {
        source: source.source,
        timer: source.timer,
        query_count: source.query_count,
    };
    GroupState {
        group: entry.group,
        filter_mode: match entry.filter_mode {
            dut_rbs::FilterMode::Include => FilterMode::Include,
            dut_rbs::FilterMode::Exclude => FilterMode::Exclude,
        },
        filter_timer: entry.filter_timer,
        v1_host: entry.v1_host_timer,
        sources: entry.sources.iter().map(source).collect(),
        query_count: entry.query_count,
        query_due: (entry.query_count > 0 || !entry.query_due.is_zero()).then_some(entry.query_due),
        last_reporter: entry.last_reporter,
        since: entry.since,
    }
}
