//! Defects of the pair, by what they break.

mod roles;
mod state;
mod takeover;

use crate::Defect;
use dut_node::policy::Policy;

/// The reference's decisions, which a defect changes in part.
const RIGHT: Policy = Policy::STANDARD;

/// Defects of the pair.
pub(crate) fn defects() -> Vec<Defect> {
    [roles::DEFECTS, state::DEFECTS, takeover::DEFECTS].concat()
}
