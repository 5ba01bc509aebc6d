//! E-Trunk's defects, by what they break.

mod checks;
mod frames;
mod hellos;
mod lacp;
mod members;
mod roles;

use crate::Defect;
use dut_etrunk::Role;
use dut_etrunk::policy::Policy;

/// The reference's decisions, which a defect changes in part.
const RIGHT: Policy = Policy::STANDARD;

/// The device's next state by the rows.
fn device(
    own: Role,
    says: dut_etrunk::rows::PeerSays,
    rank: dut_etrunk::rows::Rank,
    revert: dut_etrunk::rows::Revert,
) -> dut_etrunk::rows::Decision<Role, dut_wire::etrunk::Reason> {
    (RIGHT.device_row)(own, says, rank, revert)
}

/// E-Trunk's defects.
pub(crate) fn defects() -> Vec<Defect> {
    [
        checks::DEFECTS,
        hellos::DEFECTS,
        lacp::DEFECTS,
        members::DEFECTS,
        roles::DEFECTS,
    ]
    .concat()
}
