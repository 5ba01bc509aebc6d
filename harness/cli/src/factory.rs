//! Where the harness gets its reference devices from.

use dut_device::BuildSpec;
use dut_node::Rules;
use harness_run::Factory;
use std::sync::Arc;

/// Builds reference devices.
pub(crate) fn reference() -> Factory {
    Arc::new(|spec: &BuildSpec| {
        dut_node::device(spec, &Rules::default()).map_err(|error| error.to_string())
    })
}
