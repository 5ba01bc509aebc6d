//! The reference with one named defect each, and the kill matrix.
//!
//! A defect is data where it can be (an arc removed, a constant or a function of the standard
//! changed), a wrapper around the Device where it must be; the reference's own code holds no `if
//! defect`. The suites must kill each, without knowing it.

mod backup;
mod etrunk;
mod lacp;
mod listener;
mod matrix;
mod mld;
mod octets;
mod rbs;
mod station;
mod wrapper;

pub use matrix::{Kill, kill};
pub use wrapper::{Frames, Wrapper};

use dut_device::BuildSpec;
use dut_node::Rules;
use harness_run::Factory;
use std::sync::Arc;

/// How a defect is made.
#[derive(Debug, Clone, Copy)]
pub enum Make {
    /// The engines' data are changed.
    Rules(fn(&mut Rules)),
    /// Frames are changed on their way in or out.
    Frames(fn() -> Box<dyn Frames>),
}

/// A named defect.
#[derive(Debug, Clone, Copy)]
pub struct Defect {
    /// `lacp-no-match`; never reused.
    pub id: &'static str,
    /// The suite that must kill it.
    pub suite: &'static str,
    /// Requirements that it breaks.
    pub breaks: &'static [&'static str],
    /// What is wrong with the device, in one sentence.
    pub what: &'static str,
    /// Where such a device was seen; empty when nowhere.
    pub seen: &'static str,
    /// How it is made.
    pub make: Make,
    /// Why no case kills it; empty when one must.
    pub survives: &'static str,
}

impl Defect {
    /// One that is data; [`all`] says of which suite.
    pub(crate) const fn data(
        id: &'static str,
        breaks: &'static [&'static str],
        what: &'static str,
        change: fn(&mut Rules),
    ) -> Self {
        Self {
            id,
            suite: "",
            breaks,
            what,
            seen: "",
            make: Make::Rules(change),
            survives: "",
        }
    }

    /// One that changes frames.
    pub(crate) const fn frames(
        id: &'static str,
        breaks: &'static [&'static str],
        what: &'static str,
        frames: fn() -> Box<dyn Frames>,
    ) -> Self {
        Self {
            make: Make::Frames(frames),
            ..Self::data(id, breaks, what, |_| {})
        }
    }

    /// The same, seen there.
    pub(crate) const fn seen(mut self, seen: &'static str) -> Self {
        self.seen = seen;
        self
    }

    /// The same, not to be killed for this reason.
    pub(crate) const fn survives(mut self, survives: &'static str) -> Self {
        self.survives = survives;
        self
    }
}

/// Every defect, by suite and id.
#[must_use]
pub fn all() -> Vec<Defect> {
    let suites = [
        ("lacp", lacp::defects()),
        ("etrunk", etrunk::defects()),
        ("rbs", rbs::defects()),
        ("backup", backup::defects()),
        ("mld", listener::defects()),
        ("mld", mld::defects()),
        ("mld", station::defects()),
    ];
    let of_suite = |(suite, defects): (_, Vec<Defect>)| {
        let tagged = move |defect| Defect { suite, ..defect };
        defects.into_iter().map(tagged)
    };
    let mut defects: Vec<Defect> = suites.into_iter().flat_map(of_suite).collect();
    defects.sort_by_key(|defect| (defect.suite, defect.id));
    defects
}

impl Defect {
    /// Builds devices with this defect.
    #[must_use]
    pub fn factory(&self) -> Factory {
        let make = self.make;
        Arc::new(move |spec: &BuildSpec| {
            let mut rules = Rules::default();
            if let Make::Rules(change) = make {
                change(&mut rules);
            }
            let device = dut_node::device(spec, &rules).map_err(|error| error.to_string())?;
            Ok(match make {
                Make::Rules(_) => device,
                Make::Frames(frames) => Box::new(Wrapper::new(device, frames())),
            })
        })
    }
}
