//! Proves that published results are whole, that their captures give their verdicts again, and that
//! `tandem publish` refuses what isn't explained.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{folder, root, tandem, text};
use std::path::{Path, PathBuf};

fn published() -> Vec<PathBuf> {
    let folder = root().join("reports/published");
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    folders
}

/// Each published folder is what publishing its own report and notes writes: every failed case is
/// explained, every cause confirmed in a frame that is there, and no page was edited by hand.
#[test]
fn published_results_are_whole() {
    let suites = root().join("suites");
    let catalogue = harness_suite::load(&suites).unwrap();
    for folder in published() {
        let wrong = reports::published::mistakes(&folder, &catalogue.requirements);
        assert_eq!(wrong, Ok(Vec::new()), "{}", folder.display());
    }
}

/// The captures of the published folders give the published verdicts again.
#[test]
fn published_captures_are_judged_again() {
    for folder in published() {
        let captures = reports::published::captures(&folder);
        if captures.is_empty() {
            continue;
        }
        let events = folder.join("events.jsonl").display().to_string();
        let captures: Vec<String> = captures.iter().map(|p| p.display().to_string()).collect();
        let mut arguments = vec!["judge", "--against", &events];
        arguments.extend(captures.iter().map(String::as_str));
        let judged = tandem(&arguments);
        assert!(judged.status.success(), "{}", text(&judged));
    }
}

/// A report of three cases, of which two failed, with a recorded capture for each.
fn report(name: &str) -> PathBuf {
    let folder = folder(name);
    let captures = folder.join("captures");
    std::fs::create_dir_all(&captures).unwrap();
    let recorded = root().join("corpus/captures");
    let recorded = common::files(&recorded).into_iter().find(|path| {
        let name = path.display().to_string();
        name.ends_with(".pcap") || name.ends_with(".pcapng")
    });
    let mut lines = vec![
        r#"{"header":{"version":"1","seed":1,"world":"live: box","cases":3,"started_s":86400,
            "command":"tandem run lacp --testbed box","subject":{"testbed":"box","title":"A box",
            "device":"box","version":"box 2.0","clock":"real time"}}}"#
            .replace("\n            ", ""),
    ];
    for (id, verdict, finding) in [
        (
            "lacp/a/one",
            "fail",
            r#"{"what":"no answer came","line":3,"differences":[],"at_ns":1}"#,
        ),
        ("lacp/a/two", "pass", "null"),
        (
            "lacp/b/three",
            "fail",
            r#"{"what":"a|b","line":3,"differences":[],"at_ns":1}"#,
        ),
    ] {
        let capture = format!("captures/{}.pcapng", id.replace('/', "_"));
        std::fs::copy(recorded.as_ref().unwrap(), folder.join(&capture)).unwrap();
        lines.push(format!(
            r#"{{"case":{{"id":"{id}","title":"A title","verifies":["LACP-001"],
                "verdict":"{verdict}","finding":{finding},"frame":1,"capture":"{capture}"}}}}"#
        ));
    }
    lines.push(r#"{"footer":{"complete":true,"verdicts":{"fail":2,"pass":1}}}"#.to_owned());
    let text: Vec<String> = lines.iter().map(|line| line.replace('\n', " ")).collect();
    std::fs::write(folder.join("events.jsonl"), text.join("\n")).unwrap();
    folder
}

/// Publishes with these notes; what is complained of.
fn publish(report: &Path, notes: &str) -> (Option<i32>, String) {
    let path = report.join("given.yaml");
    std::fs::write(&path, notes).unwrap();
    let (from, to) = (report.display().to_string(), report.join("published"));
    let (notes, to) = (path.display().to_string(), to.display().to_string());
    let done = tandem(&["publish", &from, "--notes", &notes, "--to", &to]);
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    (done.status.code(), said)
}

const WHOLE: &str = "title: Box 2.0
causes:
  - title: It does not answer
    text: The standard asks for an answer and none is there.
    breaks: [LACP-126]
    confirmed: { case: lacp/a/one, frame: 1, shows: 'nothing after it (tshark)' }
    cases: [lacp/a/one, lacp/b/*]
";

/// A whole report is published: a page with each failed case, its requirement and its cause, and
/// only the confirmed capture; the folder passes the check that published folders must pass, until
/// somebody edits its page.
#[test]
fn a_report_is_published_with_its_notes() {
    let report = report("publish-whole");
    assert_eq!(publish(&report, WHOLE), (Some(0), String::new()));
    let to = report.join("published");
    let page = std::fs::read_to_string(to.join("README.md")).unwrap();
    for part in [
        "# Box 2.0",
        "| date | 1970-01-02 |",
        "3 cases: 1 pass, 2 fail.",
        // What the cause breaks, and what the failed cases verify beside it.
        "| LACP-126 | **fail** |",
        "| LACP-001 | inconclusive |",
        "#### `lacp/b/three`",
        "no answer came",
        "frame 1 of [captures/lacp_a_one.pcapng]",
    ] {
        assert!(page.contains(part), "{part} is not in:\n{page}");
    }
    let captures = reports::published::captures(&to);
    assert_eq!(captures, [to.join("captures/lacp_a_one.pcapng")]);
    let catalogue = harness_suite::load(&root().join("suites")).unwrap();
    let check = || reports::published::mistakes(&to, &catalogue.requirements).unwrap();
    assert_eq!(check(), Vec::<String>::new());
    std::fs::write(to.join("README.md"), page.replace("2 fail", "1 fail")).unwrap();
    assert_eq!(check().len(), 1);
}

/// Notes that leave a failed case open, speak of one that passed or never ran, or name a frame that
/// isn't there are refused, each by name, and nothing is written.
#[test]
fn what_is_not_explained_is_not_published() {
    let report = report("publish-refused");
    let refused = |from: &str, to: &str, named: &str| {
        let (code, said) = publish(&report, &WHOLE.replace(from, to));
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(named), "{named} is not in {said}");
        assert!(!report.join("published").exists());
    };
    refused(
        ", lacp/b/*",
        "",
        "lacp/b/three: failed, and no cause explains it",
    );
    refused(
        "lacp/b/*",
        "lacp/b/*, lacp/a/two",
        "`lacp/a/two` didn't fail: pass",
    );
    refused("lacp/b/*", "lacp/b/*, lacp/c", "no case `lacp/c` ran");
    refused("frame: 1", "frame: 1000000", "no frame 1000000");
    refused(
        "case: lacp/a/one",
        "case: lacp/a/two",
        "the confirmed `lacp/a/two`",
    );
    refused(
        "nothing after it (tshark)",
        "",
        "says nothing of what its frame shows",
    );
    refused("    text:", "    txt:", "unknown field `txt`");
}
