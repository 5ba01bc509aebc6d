//! Where the harness gets its reference devices from.

use dut_device::{BuildSpec, Device};
use harness_run::Factory;
use std::sync::Arc;

/// Builds reference nodes.
pub(crate) fn reference() -> Factory {
    Arc::new(|spec: &BuildSpec| {
        let node: Box<dyn Device> =
            Box::new(dut_node::build(spec).map_err(|error| error.to_string())?);
        Ok(node)
    })
}
