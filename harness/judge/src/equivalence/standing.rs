//! What the oracle remembers of the last comparison, and of the pair's state before a change.

use super::Equivalence;
use crate::difference::{Table, differ};
use crate::pair_state::{DeviceState, PairState};
use dut_device::Instant;
use std::time::Duration;

/// How the pair stands, as far as excuses and takeovers hang on it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    /// A fault is on, or both are Master.
    pub(super) parted: bool,
    pub(super) split: bool,
    pub(super) cut: bool,
    /// A device doesn't work.
    pub(super) alone: bool,
    pub(super) connected: bool,
    pub(super) master: Option<usize>,
}

impl Standing {
    pub(super) fn of(state: &PairState) -> Self {
        let split = state.split();
        Self {
            parted: state.faults || split,
            split,
            cut: state.cut,
            alone: state.devices.iter().any(|device| !device.running),
            connected: state.connected,
            master: state.master(),
        }
    }
}

/// What the last comparison of the legs gave. It follows from the pair's state and the table alone:
/// while both stand, so does it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Held {
    /// Which premises held: entries, timers, listeners.
    pub(super) premises: [bool; 3],
    /// Which legs differ.
    pub(super) differs: [bool; 3],
}

impl Equivalence {
    /// Whether anything was found by now: [`Self::finish`] says what.
    #[must_use]
    pub const fn is_broken(&self) -> bool {
        self.entries.broken.is_some()
            || self.timers.broken.is_some()
            || self.listeners.broken.is_some()
            || self.forwarding.broken.is_some()
    }

    /// Counts the last comparison, which stands.
    pub(super) fn stands(&mut self, at: Instant) {
        let Held { premises, differs } = self.held;
        let [entries, ..] = premises;
        if entries {
            self.healed += u64::from(std::mem::take(&mut self.healing));
        }
        let legs = [&mut self.entries, &mut self.timers, &mut self.listeners];
        for (leg, (premise, differs)) in legs.into_iter().zip(premises.into_iter().zip(differs)) {
            leg.premises += u64::from(premise);
            leg.differ_since = match leg.differ_since {
                since @ Some(_) if differs => since,
                Some(_) | None => differs.then_some(at),
            };
        }
    }

    /// The master, its table and the backup's copy, while they can be compared.
    pub(super) fn comparable(&self) -> Option<(usize, &Table, &Table)> {
        let state = &self.state;
        let master = state.master().filter(|_| !state.faults)?;
        let [a, b] = &state.devices;
        if !a.running || !b.running {
            return None;
        }
        let (held, copy) = if master == 0 { (a, b) } else { (b, a) };
        Some((master, &held.groups, &copy.groups))
    }

    /// Whether [`Self::pair_difference`] finds anything.
    pub(super) fn pair_differs(&self, timers: bool) -> bool {
        let timers = timers.then_some(self.bound);
        self.comparable()
            .is_some_and(|(_, held, copy)| differ(held, copy, timers))
    }

    /// Whether [`Self::listener_difference`] finds anything.
    pub(super) fn listeners_differ(&self, timers: bool) -> bool {
        let master = self.state.master().filter(|_| !self.state.faults);
        let held = master.and_then(|master| self.state.devices.get(master));
        let timers = timers.then_some(self.bound);
        held.is_some_and(|held| !self.as_asked(held, timers))
    }

    /// Whether a device holds what the listeners asked for, with timers to so much.
    pub(super) fn as_asked(&self, held: &DeviceState, timers: Option<Duration>) -> bool {
        let asked = &self.table.groups;
        let most = timers.map(|most| u64::try_from(most.as_millis()).unwrap_or(u64::MAX));
        held.groups.len() == asked.len()
            && (held.groups.iter().zip(asked)).all(|((group, held), (other, asked))| {
                group == other
                    && held.same_entries_as(asked)
                    && most.is_none_or(|most| held.near_record(asked, most))
            })
    }
}
