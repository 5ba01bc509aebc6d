//! Defects of E-Trunk, of the remote backup service and of the pair, as wrappers of frames.

mod backup;
mod datagram;
mod etrunk;
mod rbs;

use crate::Defect;

/// Their defects.
pub(crate) fn defects() -> Vec<Defect> {
    [etrunk::DEFECTS, rbs::DEFECTS, backup::DEFECTS].concat()
}
