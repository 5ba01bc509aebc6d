//! One pcapng a case: named interfaces, direction flags, a comment on the deciding frame.

use harness_run::CaseResult;
use harness_trace::to_pcapng;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// The capture file's name of a case, unique: every character that a file system may mind is `_`,
/// and a variant's id keeps its own letters.
#[must_use]
pub fn capture_name(id: &str) -> String {
    let safe = |c: char| {
        if c.is_ascii_alphanumeric() || "-._=,".contains(c) {
            c
        } else {
            '_'
        }
    };
    format!("{}.pcapng", id.chars().map(safe).collect::<String>())
}

/// Writes a case's capture under `captures/` of the report directory.
///
/// # Errors
/// Those of the file system.
pub fn write_capture(directory: &Path, result: &CaseResult) -> io::Result<()> {
    let mut comments: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    if let Some(record) = result.record {
        let verifies = result.case.verifies.join(" ");
        let text = match &result.finding {
            Some(finding) => format!("{} {verifies}: {}", result.verdict, finding.what),
            None => format!("{} {verifies}: decided here", result.verdict),
        };
        comments.entry(record).or_default().push(text);
    }
    let comment = format!("{}: {}", result.case.id, result.case.title);
    let octets = to_pcapng(&result.trace, &comment, &comments);
    std::fs::write(
        directory
            .join("captures")
            .join(capture_name(&result.case.id)),
        octets,
    )
}
