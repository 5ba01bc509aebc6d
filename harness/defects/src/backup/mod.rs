//! Defects of the pair, by what they break.

mod roles;
mod state;
mod takeover;

use crate::{Defect, Frames};
use dut_node::Rules;
use dut_node::policy::Policy;

/// The reference's decisions, which a defect changes in part.
const RIGHT: Policy = Policy::STANDARD;

/// One that is data.
const fn data(
    id: &'static str,
    breaks: &'static [&'static str],
    what: &'static str,
    change: fn(&mut Rules),
) -> Defect {
    Defect::data(id, breaks, what, change).of("backup")
}

/// One that changes frames.
const fn framed(
    id: &'static str,
    breaks: &'static [&'static str],
    what: &'static str,
    frames: fn() -> Box<dyn Frames>,
) -> Defect {
    Defect::frames(id, breaks, what, frames).of("backup")
}

/// Defects of the pair.
pub(crate) fn defects() -> Vec<Defect> {
    [roles::DEFECTS, state::DEFECTS, takeover::DEFECTS].concat()
}
