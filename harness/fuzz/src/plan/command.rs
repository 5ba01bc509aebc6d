//! Commands in the device's own language, between the stimuli of a plan. They are drawn after
//! everything else: octets that hold no more give the plan that they gave without commands.

use super::Plan;
use crate::mutate::Source;
use serde_json::json;

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
        let first = begins.first().copied().unwrap_or(self.steps.len());
        let mut rest = self.steps.split_off(first).into_iter();
        let ends = begins.iter().skip(1).copied();
        let ends: Vec<usize> = ends.chain([usize::MAX]).collect();
        let mut at = first;
        for (number, end) in ends.into_iter().enumerate() {
            for _ in places.iter().filter(|place| **place == number) {
                block(source, self);
            }
            let length = end.saturating_sub(at);
            self.steps.extend(rest.by_ref().take(length));
            at = end;
        }
        for _ in places.iter().filter(|place| **place == begins.len()) {
            block(source, self);
        }
    }
}
