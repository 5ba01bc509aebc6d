//! `tandem lint`: everything in `suites/` that can be told to be wrong without running.

use crate::args::{Args, code};
use crate::factory;
use crate::run::catalogue;
use crate::terminal::Terminal;
use clap::Args as ClapArgs;
use harness_run::check_case;
use harness_suite::{Catalogue, bed_schema, case_schema, requirement_schema, testbed_schema};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// `tandem lint`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Lint {
    /// Writes the JSON Schemas for editors into this folder.
    #[arg(long, value_name = "DIR")]
    write_schema: Option<PathBuf>,
}

/// The schemas with their file names.
pub(crate) fn schemas() -> [(&'static str, String); 4] {
    [
        ("case.json", case_schema()),
        ("bed.json", bed_schema()),
        ("requirement.json", requirement_schema()),
        ("testbed.json", testbed_schema()),
    ]
}

/// What is wrong with the requirements' explanations.
fn texts(catalogue: &Catalogue) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut whys = BTreeMap::new();
    for requirement in catalogue.requirements.values() {
        let id = &requirement.id;
        match &requirement.why {
            None => wrong.push(format!("requirement {id} has no `why`")),
            Some(why) => {
                if let Some(other) = whys.insert(why, id) {
                    wrong.push(format!("requirement {id} has the `why` of {other}"));
                }
            }
        }
        for text in requirement.why.iter().chain(&requirement.field) {
            if !text.trim_end().ends_with('.') {
                wrong.push(format!("requirement {id}: `{text}` isn't a sentence"));
            }
        }
        for edition in requirement.editions.keys() {
            if requirement.clause.contains(&edition.to_string()) {
                let what = "is in its `clause` and in its `editions`";
                wrong.push(format!("requirement {id}: {edition} {what}"));
            }
        }
    }
    wrong
}

pub(crate) fn lint(args: &Args, lint: &Lint) -> u8 {
    let terminal = Terminal::new();
    if let Some(folder) = &lint.write_schema {
        for (name, text) in schemas() {
            if let Err(error) = std::fs::write(folder.join(name), text) {
                terminal.complain(&format!("{}: {error}", folder.join(name).display()));
                return code::USAGE;
            }
        }
    }
    let Some(catalogue) = catalogue(args, &terminal) else {
        return code::USAGE;
    };
    let mut mistakes = 0;
    // Variants of one case share their mistakes.
    let mut said = BTreeSet::new();
    for case in &catalogue.cases {
        if let Err(what) = check_case(case, &catalogue, &factory::reference()) {
            let id = case.written_id();
            if said.insert(format!("{id}: {what}")) {
                terminal.complain(&format!("{}: {}: {what}", case.file, case.id));
                mistakes += 1;
            }
        }
    }
    let verified: BTreeSet<&String> = catalogue
        .cases
        .iter()
        .flat_map(|case| &case.verifies)
        .collect();
    for requirement in catalogue.requirements.values() {
        let has_case = verified.contains(&requirement.id);
        let marked = requirement.planned || requirement.exception.is_some();
        let what = match (has_case, marked) {
            (true, true) => "has a case and is still marked planned or an exception",
            (false, false) => "has no case and no mark",
            (true, false) | (false, true) => continue,
        };
        terminal.complain(&format!("requirement {} {what}", requirement.id));
        mistakes += 1;
    }
    for what in texts(&catalogue) {
        terminal.complain(&what);
        mistakes += 1;
    }
    if mistakes > 0 {
        terminal.complain(&format!("{mistakes} mistakes"));
        return code::USAGE;
    }
    let planned = catalogue
        .requirements
        .values()
        .filter(|r| r.planned)
        .count();
    terminal.line(&format!(
        "{} requirements ({planned} planned), {} testbeds, {} devices, {} cases: no mistakes",
        catalogue.requirements.len(),
        catalogue.beds.len(),
        catalogue.testbeds.len(),
        catalogue.cases.len()
    ));
    code::OK
}
