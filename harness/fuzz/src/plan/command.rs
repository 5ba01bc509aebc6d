//! Commands in the device's own language, between the stimuli of a plan. They are drawn after
//! everything else: octets that hold no more give the plan that they gave without commands.

use super::Plan;
use crate::mutate::Source;
use serde_json::json;
use std::collections::BTreeMap;

/// The device on the testbeds with one.
const DEVICE: &str = "dut";

impl Plan {
    /// A command to the device. Nothing is under way when it comes, and what it makes the device
    /// send at once has come when it is over.
    pub(super) fn command(&mut self, text: &str) {
        self.step(json!({"wait": "7ms"}));
        self.step(json!({"command": {"node": DEVICE, "text": text}}));
    }

    /// Draws a few blocks of steps and puts each before one of the stimuli, or after the last;
    /// `begins` says where each stimulus begins. To be called before the stimuli end.
    pub(super) fn between(
        &mut self,
        source: &mut Source<'_, '_>,
        begins: &[usize],
        mut block: impl FnMut(&mut Source<'_, '_>, &mut Self),
    ) {
        let mut places: Vec<usize> = (0..=source.below(4))
            .map(|_| source.below(begins.len() + 1))
            .collect();
        places.sort_unstable();
        let stimuli = begins.iter().rev().map(|at| self.steps.split_off(*at));
        let mut stimuli: Vec<_> = stimuli.collect();
        for number in 0..=begins.len() {
            for _ in places.iter().filter(|place| **place == number) {
                block(source, self);
            }
            self.steps.extend(stimuli.pop().unwrap_or_default());
        }
    }
}

/// The commands that put back what others have changed.
#[derive(Default)]
pub(super) struct Undo(BTreeMap<&'static str, String>);

impl Undo {
    /// A setting is changed: this is how it was at first.
    pub(super) fn note(&mut self, setting: &'static str, command: impl Into<String>) {
        self.0.entry(setting).or_insert_with(|| command.into());
    }

    /// A setting is as it was.
    pub(super) fn forget(&mut self, setting: &str) {
        self.0.remove(setting);
    }

    /// Whether a setting was changed.
    pub(super) fn knows(&self, setting: &str) -> bool {
        self.0.contains_key(setting)
    }

    /// Everything is put back; what was changed has so long to be as before.
    pub(super) fn put_back(&self, plan: &mut Plan, wait: &str) {
        for command in self.0.values() {
            plan.command(command);
        }
        if !self.0.is_empty() {
            plan.step(json!({"wait": wait}));
        }
    }
}
