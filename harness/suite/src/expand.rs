//! From a case as written to its variants: matrix, `let`, settings and constants filled in.

use crate::bed::{Bed, Form, Observer};
use crate::case::{Case, Located, Needs};
use crate::expression::{Expression, ExpressionError, Quantity, Scope};
use crate::step::{Fields, Step};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;
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
    /// What it judges the device's state by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observers: Vec<Observer>,
    /// The profile that it was expanded for, when it isn't about that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_profile: Option<String>,
    /// The testbed's form; empty for the first.
    #[serde(default)]
    pub form: String,
    /// Whether it runs before all other cases.
    #[serde(default)]
    pub preamble: bool,
    /// Default field values of the tester's frames in this form, by kind.
    #[serde(default)]
    pub frames: BTreeMap<String, Fields>,
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
    /// A case that no file holds: made by a program, with these settings over the testbed's
    /// defaults. Its steps' lines are their numbers, from 1; it verifies no requirement.
    ///
    /// # Errors
    /// [`ExpandError`] for a setting that the testbed hasn't or doesn't take.
    pub fn made(
        id: &str,
        title: &str,
        (bed_name, bed): (&str, &Bed),
        settings: &Fields,
        steps: Vec<Step>,
    ) -> Result<Self, ExpandError> {
        let mut all = bed.defaults.clone();
        all.extend(settings.clone());
        let constants = constants(bed_name, bed, &all)?;
        let steps = (1..).zip(steps);
        Ok(Self {
            suite: id.split('/').next().unwrap_or_default().to_owned(),
            id: id.to_owned(),
            title: title.to_owned(),
            verifies: Vec::new(),
            negative: true,
            testbed: bed_name.to_owned(),
            needs: Needs::default(),
            observers: Vec::new(),
            other_profile: None,
            form: String::new(),
            preamble: false,
            frames: BTreeMap::new(),
            settings: all,
            constants,
            file: String::new(),
            steps: steps.map(|(line, step)| Located { line, step }).collect(),
        })
    }

    /// The id of the case as it is written: without variant and form.
    #[must_use]
    pub fn written_id(&self) -> &str {
        self.id.split(['#', '@']).next().unwrap_or(&self.id)
    }

    /// Why the case isn't about a device whose state can be judged by `offered` (all when that is
    /// empty), or about the profile that it was expanded for.
    #[must_use]
    pub fn beyond(&self, offered: &[Observer]) -> Option<String> {
        if let Some(profile) = &self.other_profile {
            return Some(format!("the case isn't about the profile {profile}"));
        }
        let offers = |observer: &&Observer| offered.is_empty() || offered.contains(observer);
        let lacking = self.observers.iter().find(|observer| !offers(observer))?;
        Some(format!(
            "the case judges by {}, which the testbed doesn't offer",
            lacking.name()
        ))
    }

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
    /// A form that the testbed hasn't.
    #[error("form `{name}`: the testbed `{bed}` has no such form; it has {known}")]
    Form {
        /// The form.
        name: String,
        /// The testbed.
        bed: String,
        /// Its forms.
        known: String,
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

/// The variants of a case on a testbed, in one of its profiles when it has that one.
///
/// # Errors
/// [`ExpandError`].
pub fn expand(
    case: &Case,
    file: &str,
    bed_name: &str,
    bed: &Bed,
    profile: Option<&str>,
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
    let forms = forms(case, bed_name, bed)?;
    let each = variants.iter();
    each.flat_map(|variant| forms.iter().map(move |form| (variant, form)))
        .map(|(variant, form)| one(case, file, (bed_name, bed), profile, variant.clone(), form))
        .collect()
}

/// The forms in which a case runs, each with its mark in the id.
fn forms<'a>(
    case: &Case,
    bed_name: &str,
    bed: &'a Bed,
) -> Result<Vec<(String, Cow<'a, Form>)>, ExpandError> {
    let of_bed = |name: &String| bed.forms.iter().any(|form| form.name == *name);
    if let Some(name) = case.forms.iter().flatten().find(|name| !of_bed(name)) {
        return Err(ExpandError::Form {
            name: name.clone(),
            bed: bed_name.to_owned(),
            known: (bed.forms.iter().map(|form| form.name.as_str()))
                .collect::<Vec<_>>()
                .join(", "),
        });
    }
    let mut found: Vec<(String, Cow<'a, Form>)> = Vec::new();
    for (at, form) in bed.forms.iter().enumerate() {
        let own = form
            .settings
            .keys()
            .any(|key| case.settings.contains_key(key));
        let runs = match &case.forms {
            Some(wanted) => wanted.contains(&form.name),
            None => at == 0 || !own,
        };
        if runs {
            let mark = if at == 0 { "" } else { &form.name };
            found.push((mark.to_owned(), Cow::Borrowed(form)));
        }
    }
    if found.is_empty() {
        found.push((String::new(), Cow::Owned(Form::default())));
    }
    Ok(found)
}

fn one(
    case: &Case,
    file: &str,
    (bed_name, bed): (&str, &Bed),
    profile: Option<&str>,
    variant: Fields,
    (mark, form): &(String, Cow<'_, Form>),
) -> Result<ExpandedCase, ExpandError> {
    let mut id = case.id.value.clone();
    for (index, (name, value)) in variant.iter().enumerate() {
        let separator = if index == 0 { '#' } else { ',' };
        id.push_str(&format!("{separator}{name}={}", plain(value)));
    }
    if !mark.is_empty() {
        id.push_str(&format!("@{mark}"));
    }
    let mut names = form.names.clone();
    names.extend(variant);
    for (name, value) in &case.let_ {
        let value = substitute(value, &names);
        names.insert(name.clone(), value);
    }
    let mut settings = bed.defaults.clone();
    let mut other_profile = None;
    if let Some((name, profile)) = profile.and_then(|name| bed.profiles.get_key_value(name)) {
        settings.extend(profile.settings.clone());
        let sets = |name: &String| case.settings.contains_key(name);
        let about = case.profiles.contains(name) || profile.settings.keys().any(sets);
        other_profile = (profile.opt_in && !about).then(|| name.clone());
    }
    settings.extend(form.settings.clone());
    for (name, value) in &case.settings {
        settings.insert(name.clone(), substitute(value, &names));
    }
    let constants = constants(bed_name, bed, &settings)?;
    let mut steps = Vec::new();
    for step in &case.steps {
        let Located { line, step } = located(step, &names)?;
        write_out(line, step, &mut steps)?;
    }
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
        observers: case.observers.clone(),
        other_profile,
        form: mark.clone(),
        preamble: case.preamble,
        frames: form.frames.clone(),
        settings,
        constants,
        file: file.to_owned(),
        steps,
    })
}

fn located(step: &serde_saphyr::Spanned<Step>, names: &Fields) -> Result<Located, ExpandError> {
    let line = step.referenced.line();
    let step = filled(line, &step.value, names)?;
    Ok(Located { line, step })
}

/// A step with the names filled in.
fn filled(line: u64, step: &Step, names: &Fields) -> Result<Step, ExpandError> {
    let wrong = |error: serde_json::Error| ExpandError::Step {
        line,
        what: error.to_string(),
    };
    let value = serde_json::to_value(step).map_err(wrong)?;
    serde_json::from_value(substitute(&value, names)).map_err(wrong)
}

/// A step, or those of a repetition as often as it says.
fn write_out(line: u64, step: Step, steps: &mut Vec<Located>) -> Result<(), ExpandError> {
    let Step::Repeat(repeat) = step else {
        steps.push(Located { line, step });
        return Ok(());
    };
    if repeat.times == 0 || repeat.times > 10_000 || repeat.steps.is_empty() {
        let what = "`repeat` takes 1 to 10000 `times` and at least one step".to_owned();
        return Err(ExpandError::Step { line, what });
    }
    for round in 1..=repeat.times {
        let number = repeat.number.iter();
        let names = number.map(|name| (name.clone(), round.into())).collect();
        for step in &repeat.steps {
            write_out(line, filled(line, step, &names)?, steps)?;
        }
    }
    Ok(())
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
            let text = knob.numbers.get(&text).unwrap_or(&text);
            let value = evaluate(name, text, &scope)?;
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
