//! Where two tables differ, and how that reads.

use crate::pair_state::GroupState;
use crate::verdict::Difference;
use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::time::Duration;

pub(crate) type Table = BTreeMap<Ipv6Addr, GroupState>;

/// The first group in which two tables differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Compared {
    /// Whose the two tables are.
    pub(crate) left: String,
    pub(crate) right: String,
    pub(crate) group: Ipv6Addr,
    held: [Option<GroupState>; 2],
    timers: Option<Duration>,
}

/// Compares entries, and timers with a tolerance when one is given.
pub(crate) fn compare(
    (left, held): (String, &Table),
    (right, copy): (String, &Table),
    timers: Option<Duration>,
) -> Option<Compared> {
    let groups = held.keys().chain(copy.keys());
    let differs = |group: &&Ipv6Addr| match (held.get(*group), copy.get(*group)) {
        (Some(a), Some(b)) => {
            !a.same_entries(b) || timers.is_some_and(|most| !same_timers(a, b, most))
        }
        (None, None) => false,
        (Some(_), None) | (None, Some(_)) => true,
    };
    let group = *groups.filter(differs).min()?;
    Some(Compared {
        left,
        right,
        group,
        held: [held.get(&group).cloned(), copy.get(&group).cloned()],
        timers,
    })
}

/// Whether [`compare`] would find something.
pub(crate) fn differ(held: &Table, copy: &Table, timers: Option<Duration>) -> bool {
    held.len() != copy.len()
        || held.iter().zip(copy).any(|((group, a), (other, b))| {
            group != other
                || !a.same_entries(b)
                || timers.is_some_and(|most| !same_timers(a, b, most))
        })
}

fn near(a: Option<u64>, b: Option<u64>, most: Duration) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => Duration::from_millis(a.abs_diff(b)) <= most,
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn same_timers(a: &GroupState, b: &GroupState, most: Duration) -> bool {
    let sources = a.requested.iter().zip(&b.requested);
    near(a.filter, b.filter, most)
        && near(a.version_1, b.version_1, most)
        && (sources.into_iter()).all(|((_, a), (_, b))| near(Some(*a), Some(*b), most))
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03} s", ms / 1000, ms % 1000)
}

/// The fields that differ: as the left has them (expected), as the right has them (seen).
pub(crate) fn describe(found: &Compared) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut add = |field: &str, expected: String, seen: String| {
        if expected != seen {
            differences.push(Difference {
                field: format!("{} {field}", found.group),
                expected: format!("{expected} ({})", found.left),
                seen: format!("{seen} ({})", found.right),
            });
        }
    };
    let [left, right] = &found.held;
    let (Some(a), Some(b)) = (left, right) else {
        let entry = |held: &Option<GroupState>| held.as_ref().map_or("no record".to_owned(), show);
        add("record", entry(left), entry(right));
        return differences;
    };
    let mode = |state: &GroupState| {
        let exclude = state.filter.is_some();
        if exclude { "EXCLUDE" } else { "INCLUDE" }.to_owned()
    };
    add("filter_mode", mode(a), mode(b));
    let requested = |state: &GroupState| format!("{:?}", state.requested.keys());
    add("requested sources", requested(a), requested(b));
    let excluded = |state: &GroupState| format!("{:?}", state.excluded);
    add("excluded sources", excluded(a), excluded(b));
    let most = found.timers.unwrap_or(Duration::MAX);
    let end = |timer: Option<u64>| timer.map_or("not running".to_owned(), seconds);
    let mut timer = |field: &str, a: Option<u64>, b: Option<u64>| {
        if !near(a, b, most) {
            add(
                field,
                format!("ends at {}", end(a)),
                format!("ends at {}", end(b)),
            );
        }
    };
    timer("filter timer", a.filter, b.filter);
    timer("Older Version Host Present timer", a.version_1, b.version_1);
    for (source, end) in &a.requested {
        if let Some(other) = b.requested.get(source) {
            timer(&format!("source timer {source}"), Some(*end), Some(*other));
        }
    }
    differences
}

fn show(state: &GroupState) -> String {
    let requested: Vec<&Ipv6Addr> = state.requested.keys().collect();
    match state.filter {
        Some(end) => format!(
            "EXCLUDE ({requested:?}, {:?}) until {}",
            state.excluded,
            seconds(end)
        ),
        None => format!("INCLUDE ({requested:?})"),
    }
}
