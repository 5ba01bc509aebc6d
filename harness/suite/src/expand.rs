//! From a case as written to its variants: matrix, `let`, settings and constants filled in.

use crate::bed::Bed;
use crate::case::{Case, Located, Needs};
use crate::expression::{Expression, ExpressionError, Quantity, Scope};
use crate::step::{Fields, Step};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use thiserror::Error;

/// One variant of a case, with everything that running and judging it needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExpandedCase {
    /// `id` or `id#name=value,…`.
    pub id: String,
    /// The property.
    pub title: String,
    /// The suite: the id's first part.
    pub suite: String,
    /// Requirement ids.
    pub verifies: Vec<String>,
    /// Whether its stimulus is malformed, ill-timed or forbidden.
    pub negative: bool,
    /// Testbed's name.
    pub testbed: String,
    /// What it takes of the testbed.
    pub needs: Needs,
    /// Values of the knobs, defaults included.
    pub settings: Fields,
    /// Named times and numbers, in nanoseconds and millionths.
    pub constants: BTreeMap<String, Constant>,
    /// File that the case stands in.
    pub file: String,
    /// The steps.
    pub steps: Vec<Located>,
}

/// A named quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Constant {
    /// Nanoseconds.
    Ns(i64),
    /// Millionths.
    Millionths(i64),
}

impl ExpandedCase {
    /// The constants for expressions.
    #[must_use]
    pub fn scope(&self) -> Scope {
        let value = |constant: &Constant| match *constant {
            Constant::Ns(ns) => Quantity::Time(i128::from(ns)),
            Constant::Millionths(n) => Quantity::Number(i128::from(n)),
        };
        self.constants
            .iter()
            .map(|(name, constant)| (name.clone(), value(constant)))
            .collect()
    }
}

/// Why a case has no variants.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ExpandError {
    /// A `$name` that neither `matrix` nor `let` defines, in a place that can't wait for the run.
    #[error("step at line {line}: {what}")]
    Step {
        /// Line of the step.
        line: u64,
        /// What serde says of the substituted step.
        what: String,
    },
    /// A setting that the testbed has no knob for.
    #[error("setting `{name}`: the testbed `{bed}` has no such knob; it has {known}")]
    Setting {
        /// The setting.
        name: String,
        /// The testbed.
        bed: String,
        /// Its knobs.
        known: String,
    },
    /// A value that a knob doesn't take.
    #[error("setting `{name}`: {value} is none of {known}")]
    Value {
        /// The setting.
        name: String,
        /// The value.
        value: String,
        /// What the knob takes.
        known: String,
    },
    /// A constant that has no value.
    #[error("constant `{name}`: {source}")]
    Constant {
        /// The constant.
        name: String,
        /// Why.
        source: ExpressionError,
    },
}

/// The variants of a case on a testbed.
///
/// # Errors
/// [`ExpandError`].
pub fn expand(
    case: &Case,
    file: &str,
    bed_name: &str,
    bed: &Bed,
) -> Result<Vec<ExpandedCase>, ExpandError> {
    let mut variants = vec![Fields::new()];
    for (name, values) in &case.matrix {
        variants = variants
            .into_iter()
            .flat_map(|variant| {
                values.iter().map(move |value| {
                    let mut variant = variant.clone();
                    variant.insert(name.clone(), value.clone());
                    variant
                })
            })
            .collect();
    }
    variants
        .into_iter()
        .map(|variant| one(case, file, bed_name, bed, variant))
        .collect()
}

fn one(
    case: &Case,
    file: &str,
    bed_name: &str,
    bed: &Bed,
    variant: Fields,
) -> Result<ExpandedCase, ExpandError> {
    let mut id = case.id.value.clone();
    for (index, (name, value)) in variant.iter().enumerate() {
        let separator = if index == 0 { '#' } else { ',' };
        id.push_str(&format!("{separator}{name}={}", plain(value)));
    }
    let mut names = variant;
    for (name, value) in &case.let_ {
        let value = substitute(value, &names);
        names.insert(name.clone(), value);
    }
    let mut settings = bed.defaults.clone();
    for (name, value) in &case.settings {
        settings.insert(name.clone(), substitute(value, &names));
    }
    let constants = constants(bed_name, bed, &settings)?;
    let steps = case
        .steps
        .iter()
        .map(|step| located(step, &names))
        .collect::<Result<_, _>>()?;
    Ok(ExpandedCase {
        suite: case
            .id
            .value
            .split('/')
            .next()
            .unwrap_or_default()
            .to_owned(),
        id,
        title: case.title.clone(),
        verifies: case.verifies.iter().map(|id| id.value.clone()).collect(),
        negative: case.negative,
        testbed: bed_name.to_owned(),
        needs: case.needs.clone(),
        settings,
        constants,
        file: file.to_owned(),
        steps,
    })
}

fn located(step: &serde_saphyr::Spanned<Step>, names: &Fields) -> Result<Located, ExpandError> {
    let line = step.referenced.line();
    let wrong = |error: serde_json::Error| ExpandError::Step {
        line,
        what: error.to_string(),
    };
    let value = serde_json::to_value(&step.value).map_err(wrong)?;
    let step = serde_json::from_value(substitute(&value, names)).map_err(wrong)?;
    Ok(Located { line, step })
}

/// A value as it stands in an id.
pub(crate) fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Puts values for `$name` (a whole string: the value itself; `${name}` inside one: its text).
/// Names that aren't known stay: the run may save them.
fn substitute(value: &Value, names: &Fields) -> Value {
    match value {
        Value::String(text) => {
            if let Some(known) = text.strip_prefix('$').and_then(|name| names.get(name)) {
                return known.clone();
            }
            let mut text = text.clone();
            for (name, value) in names {
                text = text.replace(&format!("${{{name}}}"), &plain(value));
            }
            Value::String(text)
        }
        Value::Array(items) => items.iter().map(|item| substitute(item, names)).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, item)| (key.clone(), substitute(item, names)))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn constants(
    bed_name: &str,
    bed: &Bed,
    settings: &Fields,
) -> Result<BTreeMap<String, Constant>, ExpandError> {
    let mut scope = Scope::new();
    for (name, value) in settings {
        let knob = bed.knobs.get(name).ok_or_else(|| ExpandError::Setting {
            name: name.clone(),
            bed: bed_name.to_owned(),
            known: bed.knobs.keys().cloned().collect::<Vec<_>>().join(", "),
        })?;
        let text = plain(value);
        if !knob.values.contains_key(&text) && !knob.values.contains_key("any") {
            let known = knob.values.keys().cloned().collect::<Vec<_>>().join(", ");
            return Err(ExpandError::Value {
                name: name.clone(),
                value: text,
                known,
            });
        }
        if let Some(constant) = &knob.constant {
            let value = evaluate(name, &text, &scope)?;
            scope.insert(constant.clone(), value);
        }
    }
    for (name, text) in &bed.constants {
        let value = evaluate(name, text, &scope)?;
        scope.insert(name.clone(), value);
    }
    let clamp = |n: i128| i64::try_from(n).unwrap_or(i64::MAX);
    Ok(scope
        .into_iter()
        .map(|(name, value)| {
            let value = match value {
                Quantity::Time(ns) => Constant::Ns(clamp(ns)),
                Quantity::Number(n) => Constant::Millionths(clamp(n)),
            };
            (name, value)
        })
        .collect())
}

fn evaluate(name: &str, text: &str, scope: &Scope) -> Result<Quantity, ExpandError> {
    let value = Expression::parse(text).and_then(|expression| expression.value(scope));
    value.map_err(|source| ExpandError::Constant {
        name: name.to_owned(),
        source,
    })
}

impl Bed {
    /// The configuration fragments that these settings mean, by node.
    #[must_use]
    pub fn fragments(&self, settings: &Fields) -> BTreeMap<String, Vec<(String, String)>> {
        let mut fragments: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for (name, value) in settings {
            let Some(knob) = self.knobs.get(name) else {
                continue;
            };
            let text = plain(value);
            let fragment = knob.values.get(&text).or_else(|| knob.values.get("any"));
            let Some(fragment) = fragment.filter(|fragment| !fragment.is_empty()) else {
                continue;
            };
            let node = knob.node.as_deref().unwrap_or("dut");
            let fragment = fill(fragment, &text);
            fragments
                .entry(node.to_owned())
                .or_default()
                .push((format!("knob {name}"), fragment));
        }
        fragments
    }
}

pub(crate) fn fill(fragment: &str, value: &str) -> String {
    let mut text = fragment.to_owned();
    let ns = Expression::parse(value)
        .ok()
        .and_then(|e| e.duration(&Scope::new()).ok());
    if let Some(duration) = ns {
        text = text.replace("$seconds", &duration.as_secs().to_string());
        text = text.replace("$tenths", &(duration.as_millis() / 100).to_string());
        text = text.replace("$ms", &duration.as_millis().to_string());
    }
    text.replace("$value", value)
}
