//! What a campaign sends: a valid dialogue that reaches a state, stimuli around it, and a golden
//! exchange at the end. A plan is a case's steps, so whatever runs cases runs plans.

mod command;
mod etrunk;
mod lacp;
mod mld;
mod pair;
mod rbs;

use crate::beds;
use crate::mutate::Source;
use harness_suite::{ExpandError, ExpandedCase, Expression, Fields, Scope, Step};
use serde_json::Value;
use std::ops::Range;
use std::time::Duration;

/// Changes whenever the same seed gives other plans.
pub const GENERATOR: u32 = 4;

/// What is fuzzed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// A LACP device's ports.
    Lacp,
    /// An MLD router's interfaces.
    Mld,
    /// One device of an E-Trunk.
    Etrunk,
    /// One end of a remote backup service.
    Rbs,
    /// Both devices of a pair, by what their listeners send and what breaks.
    Pair,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Lacp, Self::Mld, Self::Etrunk, Self::Rbs, Self::Pair];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lacp => "lacp",
            Self::Mld => "mld",
            Self::Etrunk => "etrunk",
            Self::Rbs => "rbs",
            Self::Pair => "pair",
        }
    }

    /// The testbed that its plans are for.
    #[must_use]
    pub const fn bed(self) -> &'static str {
        match self {
            Self::Lacp => "lacp",
            Self::Mld => "mld",
            Self::Etrunk | Self::Rbs => "etrunk",
            Self::Pair => "pair",
        }
    }
}

/// One case of a campaign.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What is fuzzed.
    pub protocol: Protocol,
    /// Values of the testbed's knobs.
    pub settings: Fields,
    /// The steps.
    pub steps: Vec<Step>,
    /// Which of them are stimuli, with the expectations that belong to one; before them stands the
    /// dialogue, after them the golden exchange.
    pub stimuli: Range<usize>,
}

impl Plan {
    /// An empty plan.
    const fn new(protocol: Protocol) -> Self {
        Self {
            protocol,
            settings: Fields::new(),
            steps: Vec::new(),
            stimuli: 0..0,
        }
    }

    /// Adds a step, written as in a case's file.
    ///
    /// # Panics
    /// On what is no step: a generator's mistake.
    fn step(&mut self, value: Value) {
        match serde_json::from_value(value) {
            Ok(step) => self.steps.push(step),
            Err(error) => panic!("a generator's step: {error}"),
        }
    }

    /// The stimuli begin here.
    const fn begin(&mut self) {
        self.stimuli.start = self.steps.len();
    }

    /// The stimuli end here.
    const fn end(&mut self) {
        self.stimuli.end = self.steps.len();
    }

    fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.settings.insert(name.to_owned(), value.into());
    }

    /// The same without its stimuli.
    #[must_use]
    pub fn bare(mut self) -> Self {
        self.steps.drain(self.stimuli.clone());
        self.stimuli.end = self.stimuli.start;
        self
    }

    /// The same in less time: no wait among the stimuli or at the end is longer.
    pub fn hurry(&mut self, most: Duration) {
        let waits = self.stimuli.clone().chain(self.steps.len().checked_sub(1));
        for index in waits {
            let Some(Step::Wait(time)) = self.steps.get_mut(index) else {
                continue;
            };
            let long = Expression::time(time, &Scope::new());
            if long.is_ok_and(|long| long > most) {
                *time = format!("{}ms", most.as_millis());
            }
        }
    }

    /// The case that it is.
    ///
    /// # Errors
    /// [`ExpandError`] where the testbed doesn't have what the plan sets.
    pub fn case(&self, id: &str) -> Result<ExpandedCase, ExpandError> {
        let name = self.protocol.bed();
        let title = "A campaign's case";
        match beds::catalogue().beds.get(name) {
            Some((_, bed)) => {
                ExpandedCase::made(id, title, (name, bed), &self.settings, self.steps.clone())
            }
            None => Err(ExpandError::Setting {
                name: "testbed".to_owned(),
                bed: name.to_owned(),
                known: String::new(),
            }),
        }
    }
}

/// A plan drawn from these octets.
#[must_use]
pub fn plan(protocol: Protocol, octets: &[u8]) -> Plan {
    drawn(protocol, octets, true)
}

/// A plan drawn from these octets; with commands in the device's own language and settings of its
/// own among the stimuli, or without, for a device that others wrote.
#[must_use]
pub fn drawn(protocol: Protocol, octets: &[u8], commands: bool) -> Plan {
    let mut unstructured = arbitrary::Unstructured::new(octets);
    let mut source = Source::new(&mut unstructured);
    match protocol {
        Protocol::Lacp => lacp::plan(&mut source, commands),
        Protocol::Mld => mld::plan(&mut source),
        Protocol::Etrunk => etrunk::plan(&mut source, commands),
        Protocol::Rbs => rbs::plan(&mut source, commands),
        // Its hosts take commands, and both devices are the reference's.
        Protocol::Pair => pair::plan(&mut source),
    }
}
