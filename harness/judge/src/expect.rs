//! What the standards make of a device's frames, given everything that it was sent: independent
//! models that follow a trace and say where a device departs from them.
//!
//! Unlike the invariants they know the whole exchange of the tester's ports, and ask for what must
//! come as well as for what must not. Where the standard leaves a choice, or a frame's fate is the
//! device's to decide, a model takes every answer.

mod lacp;
mod lacp_command;
mod lacp_heard;
mod lacp_pdu;
mod mld;
mod mld_message;

pub use lacp::{LacpConfig, LacpModel};
pub use mld::{MldConfig, MldModel};

use crate::verdict::Finding;
use dut_device::Instant;

/// A finding of a model.
pub(crate) fn finding(requirement: &str, what: String, record: usize, at: Instant) -> Finding {
    Finding {
        what,
        line: None,
        requirement: Some(requirement.to_owned()),
        differences: Vec::new(),
        record: Some(record),
        at_ns: at.as_nanos(),
    }
}
