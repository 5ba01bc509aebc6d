//! RBS's defects, by what they break.

mod batches;
mod records;
mod session;

use crate::{Defect, Frames};
use dut_node::Rules;
use dut_rbs::policy::Policy;

/// The reference's decisions, which a defect changes in part.
const RIGHT: Policy = Policy::STANDARD;

/// One that is data.
const fn data(
    id: &'static str,
    breaks: &'static [&'static str],
    what: &'static str,
    change: fn(&mut Rules),
) -> Defect {
    Defect::data(id, breaks, what, change).of("rbs")
}

/// One that changes frames.
const fn framed(
    id: &'static str,
    breaks: &'static [&'static str],
    what: &'static str,
    frames: fn() -> Box<dyn Frames>,
) -> Defect {
    Defect::frames(id, breaks, what, frames).of("rbs")
}

/// RBS's defects.
pub(crate) fn defects() -> Vec<Defect> {
    [batches::DEFECTS, records::DEFECTS, session::DEFECTS].concat()
}
