//! Defects of an MLD proxy and of a snooping bridge.

mod frames;
mod proxy;
mod snooper;

use crate::Defect;

/// Defects of both.
pub(crate) fn defects() -> Vec<Defect> {
    [proxy::DEFECTS, snooper::DEFECTS].concat()
}
