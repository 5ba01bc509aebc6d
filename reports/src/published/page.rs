//! The published page.

use super::{Case, Cause, Published, Requirements};
use harness_judge::Verdict;
use std::collections::{BTreeMap, BTreeSet};

/// Verdicts in the order in which the summary counts them.
const VERDICTS: [Verdict; 6] = [
    Verdict::Pass,
    Verdict::Fail,
    Verdict::Inconclusive,
    Verdict::Blocked,
    Verdict::Error,
    Verdict::NotApplicable,
];

/// The whole page, Markdown.
pub(super) fn page(published: &Published, requirements: &Requirements) -> String {
    let mut page = format!("# {}\n\n", published.notes.title.trim());
    page.push_str(&head(published));
    let about = published.notes.about.trim();
    if !about.is_empty() {
        page.push_str(&format!("{about}\n\n"));
    }
    page.push_str(&summary(published));
    page.push_str(&table(published, requirements));
    page.push_str(&failures(published, requirements));
    page.push_str(&others(published));
    page
}

/// Text within a table's cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn head(published: &Published) -> String {
    let header = &published.header;
    let subject = header.subject.clone().unwrap_or_default();
    let started = i64::try_from(header.started_s).unwrap_or(0);
    let date = time::OffsetDateTime::from_unix_timestamp(started);
    let date = date.map_or_else(|_| String::new(), |date| date.date().to_string());
    let rows = [
        (
            "device",
            format!("{}, `{}`", subject.device, subject.version),
        ),
        (
            "testbed",
            format!("`{}`: {}", subject.testbed, subject.title),
        ),
        ("date", date),
        ("clock", subject.clock),
        ("command", format!("`{}`", header.command)),
        (
            "program",
            format!("Tandem {}, seed {}", header.version, header.seed),
        ),
    ];
    let rows = rows.map(|(name, text)| format!("| {name} | {} |\n", cell(&text)));
    format!("| | |\n|---|---|\n{}\n", rows.concat())
}

fn summary(published: &Published) -> String {
    let count = |verdict| {
        let cases = published
            .cases
            .iter()
            .filter(|case| case.verdict == verdict);
        cases.count()
    };
    let counted = VERDICTS.map(|verdict| (verdict, count(verdict)));
    let counted = counted.iter().filter(|(_, count)| *count > 0);
    let counted: Vec<String> = counted
        .map(|(verdict, n)| format!("{n} {verdict}"))
        .collect();
    let (cases, counted) = (published.cases.len(), counted.join(", "));
    let mut text = format!("## Summary\n\n{cases} cases: {counted}.\n\n");
    if !published.notes.causes.is_empty() {
        text.push_str("What the failures come from:\n\n");
        for (number, cause) in published.notes.causes.iter().enumerate() {
            let failed = failed_of(published, cause).count();
            let title = cause.title.trim();
            text.push_str(&format!("{}. {title} ({failed} cases)\n", number + 1));
        }
        text.push('\n');
    }
    text
}

fn failed_of<'a>(published: &'a Published, cause: &'a Cause) -> impl Iterator<Item = &'a Case> {
    let failed = published
        .cases
        .iter()
        .filter(|case| case.verdict == Verdict::Fail);
    failed.filter(|case| cause.explains(&case.id))
}

/// The requirements that a failed case shows broken: those that its causes name.
fn broken<'a>(published: &'a Published, case: &Case) -> BTreeSet<&'a String> {
    let causes = published.notes.causes.iter();
    let causes = causes.filter(|cause| cause.explains(&case.id));
    causes.flat_map(|cause| &cause.breaks).collect()
}

/// What a case's verdict says of requirements: a failed one breaks those that its causes name, and
/// decides nothing of the others that it verifies.
fn about<'a>(published: &'a Published, case: &'a Case) -> Vec<(&'a String, Verdict)> {
    if case.verdict != Verdict::Fail {
        return case.verifies.iter().map(|id| (id, case.verdict)).collect();
    }
    let broken = broken(published, case);
    let others = case.verifies.iter().filter(|id| !broken.contains(id));
    let others = others.map(|id| (id, Verdict::Inconclusive));
    let failed = broken.iter().map(|id| (*id, Verdict::Fail));
    failed.chain(others).collect()
}

fn table(published: &Published, requirements: &Requirements) -> String {
    let mut by_id: BTreeMap<&String, BTreeMap<Verdict, usize>> = BTreeMap::new();
    for case in &published.cases {
        for (id, verdict) in about(published, case) {
            *by_id.entry(id).or_default().entry(verdict).or_default() += 1;
        }
    }
    let mut text = "## Requirements\n\n\
                    A requirement's verdict is the gravest of its cases'; a case that its device \
                    can't be set up for says nothing. A failed case counts against the \
                    requirements that its cause breaks, and is inconclusive of the others that it \
                    verifies.\n\n\
                    | requirement | verdict | says | cases |\n|---|---|---|---|\n"
        .to_owned();
    for (id, verdicts) in by_id {
        let gravest = verdicts
            .keys()
            .filter(|v| **v != Verdict::NotApplicable)
            .max();
        let gravest = gravest.copied().unwrap_or(Verdict::NotApplicable);
        let counts = VERDICTS.iter().filter_map(|v| Some((v, verdicts.get(v)?)));
        let counts: Vec<String> = counts
            .map(|(verdict, n)| format!("{n} {verdict}"))
            .collect();
        let says = requirements
            .get(id)
            .map_or("", |requirement| requirement.text.trim());
        let (says, counts) = (cell(says), counts.join(", "));
        let gravest = match gravest == Verdict::Fail {
            true => format!("**{gravest}**"),
            false => gravest.to_string(),
        };

        text.push_str(&format!("| {id} | {gravest} | {says} | {counts} |\n"));
    }
    text + "\n"
}

fn failures(published: &Published, requirements: &Requirements) -> String {
    if published.notes.causes.is_empty() {
        return String::new();
    }
    let mut text = "## Failures\n\n".to_owned();
    let mut told = BTreeSet::new();
    for (number, cause) in published.notes.causes.iter().enumerate() {
        let number = number + 1;
        let confirmed = &cause.confirmed;
        let capture = published
            .cases
            .iter()
            .find(|case| case.id == confirmed.case);
        let capture = capture.map_or("", |case| case.capture.as_str());
        text.push_str(&format!(
            "### {number}. {}\n\n{}\n\n\
             Confirmed by hand in frame {} of [{capture}]({capture}): {}\n\n",
            cause.title.trim(),
            cause.text.trim(),
            confirmed.frame,
            confirmed.shows.trim(),
        ));
        for case in failed_of(published, cause) {
            if told.insert(&case.id) {
                let required = broken(published, case);
                text.push_str(&failure(case, number, &required, requirements));
            } else {
                text.push_str(&format!("`{}` (above) fails of this too.\n\n", case.id));
            }
        }
    }
    text
}

/// One failed case: what is required, what the device did and where, and why it is the device.
fn failure(
    case: &Case,
    cause: usize,
    required: &BTreeSet<&String>,
    requirements: &Requirements,
) -> String {
    let mut text = format!("#### `{}`: {}\n\n", case.id, case.title.trim());
    for id in required {
        if let Some(requirement) = requirements.get(*id) {
            let (clause, says) = (&requirement.clause, requirement.text.trim());
            text.push_str(&format!("- **Required** ({id}, {clause}): {says}\n"));
        }
    }
    if let Some(finding) = &case.finding {
        let (seconds, ms) = (
            finding.at_ns / 1_000_000_000,
            finding.at_ns / 1_000_000 % 1000,
        );
        text.push_str(&format!(
            "- **The device**, at {seconds}.{ms:03} s: {}\n",
            finding.what
        ));
        let differences = finding.differences.iter().map(|difference| {
            let (field, expected) = (&difference.field, &difference.expected);
            format!("{field} expected {expected}, seen {}", difference.seen)
        });
        let differences: Vec<String> = differences.collect();
        let differences = match differences.is_empty() {
            true => String::new(),
            false => format!("; {}", differences.join("; ")),
        };
        let shows = case.shows.as_deref().unwrap_or_default();
        text.push_str(&match case.frame {
            Some(frame) => format!("- **Frame {frame}**: {shows}{differences}\n"),
            None => format!("- **No frame** decided it{differences}\n"),
        });
    }
    text + &format!("- **Why the device**: cause {cause}.\n\n")
}

/// Cases that neither passed nor failed.
fn others(published: &Published) -> String {
    let mut text = String::new();
    let why = |case: &Case| match &case.finding {
        Some(finding) => finding.what.clone(),
        None => "no reason is given".to_owned(),
    };
    let open = [Verdict::Inconclusive, Verdict::Blocked, Verdict::Error];
    let undecided = published
        .cases
        .iter()
        .filter(|case| open.contains(&case.verdict));
    let lines = undecided.map(|case| format!("- `{}` {}: {}\n", case.id, case.verdict, why(case)));
    let lines: String = lines.collect();
    if !lines.is_empty() {
        text.push_str(&format!("## Undecided\n\n{lines}\n"));
    }
    let mut reasons: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for case in &published.cases {
        if case.verdict == Verdict::NotApplicable {
            reasons.entry(why(case)).or_default().push(&case.id);
        }
    }
    if !reasons.is_empty() {
        text.push_str("## Not applicable\n\n");
        for (reason, ids) in reasons {
            text.push_str(&format!("- {reason}: `{}`\n", ids.join("`, `")));
        }
    }
    text
}
