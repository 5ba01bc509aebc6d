//! `tandem plan`: a test plan in the customary form, from the cases. `tandem explain`: one
//! requirement.

use crate::args::{Args, code};
use crate::run::catalogue;
use crate::terminal::Terminal;
use clap::Args as ClapArgs;
use harness_defects::all;
use harness_suite::{Catalogue, ExpandedCase};

/// `tandem plan`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Plan {
    /// The suite.
    suite: String,
}

/// `tandem explain`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Explain {
    /// A requirement's id, as `LACP-055`.
    id: String,
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
    let negative = "The stimulus is malformed, ill-timed or forbidden: a device that ignores \
                    everything would look right here but for the positive control in the \
                    procedure.";
    let problems = if case.negative {
        negative
    } else {
        problems(case)
    };
    text.push_str(&format!("\n**Possible problems.** {problems}\n"));
    text
}

/// What the case's needs make difficult.
fn problems(case: &ExpandedCase) -> &'static str {
    if case.needs.probe {
        "The device must offer a read-out of its state."
    } else if case.needs.control {
        "The testbed must be able to cut links, or to stop and start the devices."
    } else if case.needs.links.unwrap_or(1) > 1 {
        "The device must have that many links to the tester."
    } else {
        "None known."
    }
}

pub(crate) fn explain(args: &Args, explain: &Explain) -> u8 {
    let terminal = Terminal::new();
    let Some(catalogue) = catalogue(args, &terminal) else {
        return code::USAGE;
    };
    let wanted = explain.id.to_uppercase();
    let Some(requirement) = catalogue.requirements.get(&wanted) else {
        let near: Vec<&str> = catalogue
            .requirements
            .keys()
            .filter(|id| id.split('-').next() == wanted.split('-').next())
            .map(String::as_str)
            .collect();
        let known = match (near.first(), near.last()) {
            (Some(first), Some(last)) => format!("there are {first} to {last}"),
            _ => "there are LACP, MLD, ETRUNK, RBS and BACKUP ids".to_owned(),
        };
        terminal.complain(&format!("no requirement `{wanted}`: {known}"));
        return code::USAGE;
    };
    terminal.line(&terminal.paint(
        "1",
        &format!("{wanted} ({}, {})", requirement.clause, requirement.level),
    ));
    terminal.line(&requirement.text);
    if let Some(why) = &requirement.why {
        terminal.line(&format!("\nOn the wire: {why}"));
    }
    if let Some(exception) = &requirement.exception {
        terminal.line(&format!("\nNo case: {}", exception.reason));
    }
    terminal.line("\nCases:");
    let mut last = "";
    for case in catalogue
        .cases
        .iter()
        .filter(|case| case.verifies.contains(&wanted))
    {
        let id = case.written_id();
        if id != last {
            terminal.line(&format!("  {id:<44} {}", case.title));
            last = id;
        }
    }
    let defects = all();
    let breaking: Vec<_> = defects
        .iter()
        .filter(|defect| defect.breaks.contains(&wanted.as_str()))
        .collect();
    if !breaking.is_empty() {
        terminal.line("\nSeeded defects:");
        for defect in breaking {
            let seen = if defect.seen.is_empty() {
                String::new()
            } else {
                format!(" ({})", defect.seen)
            };
            terminal.line(&format!("  {:<34} {}{seen}", defect.id, defect.what));
        }
    }
    if !requirement.field.is_empty() {
        terminal.line("\nIn the field:");
        for deviation in &requirement.field {
            terminal.line(&format!("  {deviation}"));
        }
    }
    code::OK
}
