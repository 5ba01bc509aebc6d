//! JSON Schemas for editors: what `suites/schema/` holds.

use crate::bed::Bed;
use crate::case::SuiteFile;
use crate::requirement::RequirementFile;
use crate::testbed::Testbed;

fn text(schema: &schemars::Schema) -> String {
    let mut text = serde_json::to_string_pretty(schema).unwrap_or_default();
    text.push('\n');
    text
}

/// The schema of a suite's file.
#[must_use]
pub fn case_schema() -> String {
    text(&schemars::schema_for!(SuiteFile))
}

/// The schema of a simulated testbed.
#[must_use]
pub fn bed_schema() -> String {
    text(&schemars::schema_for!(Bed))
}

/// The schema of a requirement file.
#[must_use]
pub fn requirement_schema() -> String {
    text(&schemars::schema_for!(RequirementFile))
}

/// The schema of a testbed of a device on wires.
#[must_use]
pub fn testbed_schema() -> String {
    text(&schemars::schema_for!(Testbed))
}
