//! Defects of an MLD proxy and of a snooping bridge.

mod afterwards;
mod frames;
mod proxy;
mod snooper;

use crate::Defect;

/// Defects of both.
pub(crate) fn defects() -> Vec<Defect> {
    [afterwards::DEFECTS, proxy::DEFECTS, snooper::DEFECTS].concat()
}
