//! `tandem plan`: a test plan in the customary form, from the cases.

use crate::args::{Args, code};
use crate::run::catalogue;
use crate::terminal::Terminal;
use clap::Args as ClapArgs;
use harness_suite::{Catalogue, ExpandedCase};

/// `tandem plan`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Plan {
    /// The suite.
    suite: String,
}

/// The cases of a suite, the first variant of each.
fn first_variants<'a>(catalogue: &'a Catalogue, suite: &str) -> Vec<(&'a ExpandedCase, usize)> {
    let mut found: Vec<(&ExpandedCase, usize)> = Vec::new();
    for case in catalogue.cases.iter().filter(|case| case.suite == suite) {
        match found.last_mut() {
            Some((last, variants)) if last.written_id() == case.written_id() => *variants += 1,
            _ => found.push((case, 1)),
        }
    }
    found
}

pub(crate) fn plan(args: &Args, plan: &Plan) -> u8 {
    let terminal = Terminal::new();
    let Some(catalogue) = catalogue(args, &terminal) else {
        return code::USAGE;
    };
    let cases = first_variants(&catalogue, &plan.suite);
    if cases.is_empty() {
        terminal.complain(&format!("no suite `{}`", plan.suite));
        return code::NOTHING;
    }
    terminal.line(&format!("# Test plan: {}\n", plan.suite));
    terminal.line(&format!(
        "{} cases, generated from `suites/{}`. Times are formulas over the device's configured \
         values.\n",
        cases.len(),
        plan.suite
    ));
    for (case, variants) in cases {
        terminal.line(&markdown(&catalogue, case, variants));
    }
    code::OK
}

/// One case in the customary form.
fn markdown(catalogue: &Catalogue, case: &ExpandedCase, variants: usize) -> String {
    let id = case.written_id();
    let mut text = format!(
        "## {id}\n\n**Purpose.** {}.\n\n**References.**\n\n",
        case.title
    );
    for requirement in &case.verifies {
        if let Some(found) = catalogue.requirements.get(requirement) {
            text.push_str(&format!(
                "- {requirement} ({}): {}\n",
                found.clause, found.text
            ));
        }
    }
    let bed = catalogue
        .beds
        .get(&case.testbed)
        .map_or("", |(_, bed)| bed.title.as_str());
    text.push_str(&format!("\n**Set-up.** {bed} (`{}`).", case.testbed));
    let settings: Vec<String> = case
        .settings
        .iter()
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    if !settings.is_empty() {
        text.push_str(&format!(
            " Settings: {}.",
            settings.join(", ").replace('"', "")
        ));
    }
    if variants > 1 {
        text.push_str(&format!(
            " The first of {variants} variants is written out."
        ));
    }
    let observers: Vec<&str> = case.observers.iter().map(|one| one.name()).collect();
    if !observers.is_empty() {
        text.push_str(&format!(" State is judged by {}.", observers.join(" and ")));
    }
    text.push_str("\n\n**Procedure and observable results.**\n\n");
    for (number, located) in case.steps.iter().enumerate() {
        let (sentence, judges) = located.step.sentence();
        let mut characters = sentence.chars();
        let first = characters
            .next()
            .map(|c| c.to_uppercase().to_string())
            .unwrap_or_default();
        let mark = if judges { "*Observe:* " } else { "" };
        text.push_str(&format!(
            "{}. {mark}{first}{}.\n",
            number + 1,
            characters.as_str()
        ));
    }
    let problems = problems(catalogue, case);
    text.push_str(&format!("\n**Possible problems.** {problems}\n"));
    text
}

/// What the case's needs make difficult, and what devices in the field are known to do with what it
/// verifies.
fn problems(catalogue: &Catalogue, case: &ExpandedCase) -> String {
    let mut problems = Vec::new();
    if case.negative {
        problems.push(
            "The stimulus is malformed, ill-timed or forbidden: a device that ignores everything \
             would look right here but for the positive control in the procedure.",
        );
    }
    if case.needs.probe {
        problems.push("The device must offer a read-out of its state.");
    } else if case.needs.control {
        problems.push("The testbed must be able to cut links, or to stop and start the devices.");
    } else if case.needs.links.unwrap_or(1) > 1 {
        problems.push("The device must have that many links to the tester.");
    }
    let verified = case.verifies.iter();
    let known = verified.filter_map(|id| catalogue.requirements.get(id));
    let mut field: Vec<&str> = Vec::new();
    for sentence in known.flat_map(|requirement| &requirement.field) {
        if !field.contains(&sentence.as_str()) {
            field.push(sentence);
        }
    }
    if problems.is_empty() && field.is_empty() {
        problems.push("None known.");
    }
    let mut text = problems.join(" ");
    if !field.is_empty() {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str("Seen in the field: ");
        text.push_str(&field.join(" "));
    }
    text
}
