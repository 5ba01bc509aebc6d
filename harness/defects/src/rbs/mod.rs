//! RBS's defects, by what they break.

mod batches;
mod records;
mod session;

use crate::Defect;
use dut_rbs::policy::Policy;

/// The reference's decisions, which a defect changes in part.
const RIGHT: Policy = Policy::STANDARD;

/// RBS's defects.
pub(crate) fn defects() -> Vec<Defect> {
    [batches::DEFECTS, records::DEFECTS, session::DEFECTS].concat()
}
