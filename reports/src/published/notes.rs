//! What a person says of a run's failures.

use super::Case;
use harness_judge::Verdict;
use serde::Deserialize;

/// `notes.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Notes {
    /// Name and version of the device, for the page's head.
    pub title: String,
    /// What else a reader should know: what the run took, what the bed can't do. Markdown.
    #[serde(default)]
    pub about: String,
    /// Why cases failed.
    #[serde(default)]
    pub causes: Vec<Cause>,
}

/// One deviation of the device, and the cases that failed of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Cause {
    /// What the device does, in one line.
    pub title: String,
    /// Why it is the device and not the tester: one paragraph. Markdown.
    pub text: String,
    /// Ids of the requirements that it breaks: a case often verifies others too, of which its
    /// failure then says nothing.
    pub breaks: Vec<String>,
    /// How it was confirmed by hand.
    pub confirmed: Confirmation,
    /// Ids of the cases that it explains, the confirmed one among them; a `*` at the end stands for
    /// every ending.
    pub cases: Vec<String>,
}

/// The frame in which a person saw it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Confirmation {
    /// Id of the failed case whose capture it is.
    pub case: String,
    /// The frame's number in that capture, from 1.
    pub frame: usize,
    /// What it shows, and by which tool it was seen.
    pub shows: String,
}

impl Cause {
    /// Whether it explains a case.
    #[must_use]
    pub fn explains(&self, id: &str) -> bool {
        self.cases.iter().any(|pattern| of(pattern, id))
    }
}

fn of(pattern: &str, id: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => id.starts_with(beginning),
        None => pattern == id,
    }
}

impl Notes {
    /// What keeps a run with these cases from being published.
    #[must_use]
    pub fn mistakes(&self, cases: &[Case]) -> Vec<String> {
        let failed = || cases.iter().filter(|case| case.verdict == Verdict::Fail);
        let mut wrong = Vec::new();
        for case in failed() {
            if !self.causes.iter().any(|cause| cause.explains(&case.id)) {
                wrong.push(format!("{}: failed, and no cause explains it", case.id));
            }
        }
        for cause in &self.causes {
            let title = &cause.title;
            if title.trim().is_empty() || cause.text.trim().is_empty() {
                wrong.push(format!("cause `{title}`: says nothing"));
            }
            if cause.breaks.is_empty() {
                wrong.push(format!(
                    "cause `{title}`: names no requirement that it breaks"
                ));
            }
            if cause.confirmed.shows.trim().is_empty() {
                wrong.push(format!(
                    "cause `{title}`: says nothing of what its frame shows"
                ));
            }
            for pattern in &cause.cases {
                if !failed().any(|case| of(pattern, &case.id)) {
                    let verdict = cases.iter().find(|case| of(pattern, &case.id));
                    let what = match verdict {
                        Some(case) => format!("`{pattern}` didn't fail: {}", case.verdict),
                        None => format!("no case `{pattern}` ran"),
                    };
                    wrong.push(format!("cause `{title}`: {what}"));
                }
            }
            let confirmed = &cause.confirmed.case;
            if !cause.explains(confirmed) || !failed().any(|case| case.id == *confirmed) {
                let what = "is none of the failed cases that it explains";
                wrong.push(format!(
                    "cause `{title}`: the confirmed `{confirmed}` {what}"
                ));
            }
        }
        wrong
    }
}
