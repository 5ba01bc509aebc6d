//! Which of the tester's ports a step uses.

use crate::step::Step;

impl Step {
    /// The tester's ports or links that a step names.
    #[must_use]
    pub fn ports(&self) -> Vec<&str> {
        let one: &str = match self {
            Self::Send(step) => &step.on,
            Self::Expect(step) => &step.on,
            Self::Never(step) => &step.on,
            Self::Count(step) => &step.on,
            Self::Choice(step) => &step.on,
            Self::Sample(step) => &step.on,
            Self::Classify(step) => &step.on,
            Self::Link(step) => &step.name,
            Self::Partner(step) => &step.on,
            Self::Neighbor(step) => &step.on,
            Self::EtrunkPeer(step) | Self::RbsPeer(step) => &step.on,
            Self::Stream(step) => &step.on,
            Self::Among(step) => return step.on.iter().map(String::as_str).collect(),
            Self::Repeat(step) => return step.steps.iter().flat_map(Self::ports).collect(),
            Self::Wait(_)
            | Self::WaitUntil(_)
            | Self::Mark(_)
            | Self::Node(_)
            | Self::Fault(_)
            | Self::Heal(_)
            | Self::Command(_)
            | Self::State(_)
            | Self::Equal(_)
            | Self::Loss(_)
            | Self::Listen(_)
            | Self::Collect(_)
            | Self::Uniform(_)
            | Self::Display(_) => return Vec::new(),
        };
        vec![one]
    }
}
