//! Two sequences of frames side by side: by kind, and of one kind by the times that lie nearest.

use crate::replay::Happened;
use dut_device::Instant;
use harness_judge::Difference;
use harness_trace::{Record, Trace};
use harness_wire::{Fields, Kind, STATE_BITS, decode};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Frames that lie further apart are no pair.
const WINDOW: Duration = Duration::from_secs(2);
/// Products of lengths up to which the best alignment is looked for; beyond it only neighbours are
/// compared.
const CELLS: usize = 4_000_000;

/// A recorded frame and the reference's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    /// Kind of frame, and the group that it is about.
    pub kind: String,
    /// The other side's: its record and time.
    pub recorded: Option<(usize, Instant)>,
    /// The reference's: its index in what happened, and its time.
    pub reference: Option<(usize, Instant)>,
    /// Fields that differ: recorded (expected) and the reference's (seen).
    pub differences: Vec<Difference>,
}

#[derive(Debug, Default)]
struct Lane {
    recorded: Vec<(usize, Instant)>,
    reference: Vec<(usize, Instant)>,
}

/// What two frames must share to be compared.
fn lane(kind: Kind, fields: &Fields) -> Option<String> {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or("");
    Some(match kind {
        Kind::Lacpdu | Kind::Marker | Kind::Slow | Kind::Etrunk => kind.name().to_owned(),
        Kind::MldQuery | Kind::MldV1Report | Kind::MldDone => {
            format!("{} {}", kind.name(), text("group"))
        }
        Kind::MldReport => kind.name().to_owned(),
        Kind::PimHello | Kind::PimJoinPrune => kind.name().to_owned(),
        Kind::Neighbor | Kind::Rbs | Kind::Udp | Kind::Frame => return None,
    })
}

/// Lays the reference's frames beside the recorded ones, in the order of their times.
pub(crate) fn align(trace: &Trace, recorded: &[usize], happened: &[Happened]) -> Vec<Beside> {
    let mut lanes: BTreeMap<String, Lane> = BTreeMap::new();
    let frame = |record: usize| match trace.records.get(record) {
        Some(Record::Frame(frame)) => Some(frame),
        Some(Record::Note { .. }) | None => None,
    };
    for record in recorded {
        let Some(frame) = frame(*record) else {
            continue;
        };
        let decoded = decode(&frame.octets);
        if let Some(name) = lane(decoded.kind, &decoded.fields) {
            let lane = lanes.entry(name).or_default();
            lane.recorded.push((*record, frame.at));
        }
    }
    for (index, happened) in happened.iter().enumerate() {
        let Happened::Sent { at, octets } = happened else {
            continue;
        };
        let decoded = decode(octets);
        if let Some(name) = lane(decoded.kind, &decoded.fields) {
            lanes.entry(name).or_default().reference.push((index, *at));
        }
    }
    let mut beside = Vec::new();
    for (kind, lane) in lanes {
        for (left, right) in pair(&lane.recorded, &lane.reference) {
            let octets = |index: usize| match happened.get(index) {
                Some(Happened::Sent { octets, .. }) => Some(octets),
                Some(Happened::Heard { .. } | Happened::Said { .. }) | None => None,
            };
            let both = left.and_then(|(record, _)| frame(record));
            let both = both.zip(right.and_then(|(index, _)| octets(index)));
            beside.push(Beside {
                kind: kind.clone(),
                recorded: left,
                reference: right,
                differences: both.map_or_else(Vec::new, |(a, b)| differences(&a.octets, b)),
            });
        }
    }
    let time = |beside: &Beside| {
        let at = beside.recorded.or(beside.reference);
        at.map_or(Instant::ZERO, |(_, at)| at)
    };
    beside.sort_by_key(time);
    beside
}

type Side = Option<(usize, Instant)>;

const fn apart(a: Instant, b: Instant) -> Duration {
    let (first, second) = (a.since(b), b.since(a));
    if first.as_nanos() > second.as_nanos() {
        first
    } else {
        second
    }
}

/// The alignment in order whose pairs lie nearest in all; a frame alone costs half a window.
fn pair(left: &[(usize, Instant)], right: &[(usize, Instant)]) -> Vec<(Side, Side)> {
    let width = right.len() + 1;
    if (left.len() + 1).saturating_mul(width) > CELLS {
        return neighbours(left, right);
    }
    let alone = WINDOW / 2;
    let mut cost = vec![Duration::ZERO; (left.len() + 1) * width];
    let at = |cost: &[Duration], i: usize, j: usize| {
        cost.get(i * width + j).copied().unwrap_or(Duration::MAX)
    };
    let together = |i: usize, j: usize| {
        let (a, b) = left.get(i).zip(right.get(j))?;
        Some(apart(a.1, b.1)).filter(|apart| *apart <= WINDOW)
    };
    for i in (0..=left.len()).rev() {
        for j in (0..=right.len()).rev() {
            let skip_left = (i < left.len()).then(|| at(&cost, i + 1, j) + alone);
            let skip_right = (j < right.len()).then(|| at(&cost, i, j + 1) + alone);
            let both = together(i, j).map(|apart| at(&cost, i + 1, j + 1) + apart);
            let best = [skip_left, skip_right, both].into_iter().flatten().min();
            if let Some(cell) = cost.get_mut(i * width + j) {
                *cell = best.unwrap_or_default();
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut pairs = Vec::new();
    while i < left.len() || j < right.len() {
        let here = at(&cost, i, j);
        let both = together(i, j).map(|apart| at(&cost, i + 1, j + 1) + apart);
        if both == Some(here) {
            pairs.push((left.get(i).copied(), right.get(j).copied()));
            (i, j) = (i + 1, j + 1);
        } else if i < left.len() && at(&cost, i + 1, j) + alone == here {
            pairs.push((left.get(i).copied(), None));
            i += 1;
        } else {
            pairs.push((None, right.get(j).copied()));
            j += 1;
        }
    }
    pairs
}

/// A cheap alignment of long sequences: each takes the first that is near enough.
fn neighbours(left: &[(usize, Instant)], right: &[(usize, Instant)]) -> Vec<(Side, Side)> {
    let mut pairs = Vec::new();
    let mut others = right.iter().copied().peekable();
    for one in left.iter().copied() {
        while let Some(other) = others.next_if(|other| other.1 + WINDOW < one.1) {
            pairs.push((None, Some(other)));
        }
        let other = others.next_if(|other| apart(other.1, one.1) <= WINDOW);
        pairs.push((Some(one), other));
    }
    pairs.extend(others.map(|other| (None, Some(other))));
    pairs
}

/// The fields in which two frames differ.
fn differences(recorded: &[u8], reference: &[u8]) -> Vec<Difference> {
    let (a, b) = (decode(recorded).fields, decode(reference).fields);
    let mut names: Vec<&String> = a.keys().chain(b.keys()).collect();
    names.sort_unstable();
    names.dedup();
    // Single state bits repeat the state octet; checksums follow from the rest.
    let repeats = |name: &str| {
        let bit = name.split('.').next_back().unwrap_or(name);
        let of_state = ["actor.", "partner."]
            .iter()
            .any(|end| name.starts_with(end));
        name == "checksum" || (of_state && STATE_BITS.contains(&bit))
    };
    let show = |name: &str, value: Option<&Value>| match value {
        None => "absent".to_owned(),
        Some(value) if name.ends_with(".state") => {
            let octet = value.as_u64().and_then(|n| u8::try_from(n).ok());
            let bits = octet.map(harness_wire::state_bits).unwrap_or_default();
            format!("0x{:02x} ({bits})", octet.unwrap_or(0))
        }
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    };
    names
        .into_iter()
        .filter(|name| a.get(*name) != b.get(*name) && !repeats(name))
        .map(|name| Difference {
            field: name.clone(),
            expected: show(name, a.get(name)),
            seen: show(name, b.get(name)),
        })
        .collect()
}

#[cfg(test)]
mod tests;
