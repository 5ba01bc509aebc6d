//! A case and the file that it stands in.

use crate::bed::Observer;
use crate::step::{Fields, Step};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;
use std::collections::BTreeMap;

/// One file of a suite.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SuiteFile {
    /// The testbed of the cases that name none.
    pub testbed: String,
    /// The cases.
    pub cases: Vec<Case>,
}

/// A case as it is written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Case {
    /// Permanent, unique: `suite/section/name`.
    #[schemars(with = "String")]
    pub id: Spanned<String>,
    /// The property that it states.
    pub title: String,
    /// Requirement ids.
    #[schemars(with = "Vec<String>")]
    pub verifies: Vec<Spanned<String>>,
    /// Whether its stimulus is malformed, ill-timed or forbidden.
    #[serde(default)]
    pub negative: bool,
    /// Testbed instead of the file's.
    #[serde(default)]
    pub testbed: Option<String>,
    /// What it takes of the testbed.
    #[serde(default)]
    pub needs: Needs,
    /// What it judges the device's state by; a testbed that lacks one makes it not-applicable.
    #[serde(default)]
    pub observers: Vec<Observer>,
    /// Profiles that only the cases which name them are about.
    #[serde(default)]
    pub profiles: Vec<String>,
    /// Values for the testbed's knobs.
    #[serde(default)]
    pub settings: Fields,
    /// The testbed's forms in which it runs (default all).
    #[serde(default)]
    pub forms: Option<Vec<String>>,
    /// Runs before all other cases, once a form: what it tells of the device is reported, and the
    /// lateness that it measures widens the others' tolerances.
    #[serde(default)]
    pub preamble: bool,
    /// Variants: each combination of these values is one.
    #[serde(default)]
    pub matrix: BTreeMap<String, Vec<serde_json::Value>>,
    /// Names for values, used as `$name`.
    #[serde(default, rename = "let")]
    pub let_: Fields,
    /// The steps.
    #[schemars(with = "Vec<Step>")]
    pub steps: Vec<Spanned<Step>>,
}

/// What a case takes of the testbed; a testbed that hasn't it makes the case not-applicable.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Needs {
    /// Tester's ports (default 1).
    pub links: Option<u8>,
    /// Control over nodes and links, faults: a simulation or a testbed with hooks.
    pub control: bool,
    /// A device that can be looked into.
    pub probe: bool,
    /// Virtual time.
    pub virtual_time: bool,
}

/// A step with the place where it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Located {
    /// Line in the case's file, from 1.
    pub line: u64,
    /// The step.
    pub step: Step,
}
