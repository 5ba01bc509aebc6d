//! Proves that the tree is tidy: lines of at most 100 columns, files of at most 600 lines, no marks
//! of unfinished work, every test says what it proves, every capture has a side file.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::path::PathBuf;

/// Rust sources of the workspace, with their text.
fn sources() -> Vec<(PathBuf, String)> {
    let root = common::root();
    ["dut", "harness", "reports"]
        .iter()
        .flat_map(|folder| common::files(&root.join(folder)))
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .filter(|path| !path.components().any(|part| part.as_os_str() == "target"))
        .map(|path| (path.clone(), std::fs::read_to_string(path).unwrap()))
        .collect()
}

/// Tests and tables of literal expectations may be longer than code.
fn is_test(path: &std::path::Path) -> bool {
    let in_tests = path.components().any(|part| part.as_os_str() == "tests");
    in_tests || path.file_name().is_some_and(|name| name == "tests.rs")
}

#[test]
fn lines_have_at_most_100_columns() {
    let mut long = Vec::new();
    for (path, text) in sources() {
        for (number, line) in text.lines().enumerate() {
            // A published frame in hex can't be broken.
            let literal = line.trim_start().starts_with('"') && is_test(&path);
            if line.chars().count() > 100 && !literal {
                long.push(format!("{}:{}", path.display(), number + 1));
            }
        }
    }
    assert!(long.is_empty(), "{long:#?}");
}

/// The catalogue is read as text too.
#[test]
fn requirements_have_lines_of_at_most_100_columns() {
    for path in common::files(&common::root().join("suites/requirements")) {
        let text = std::fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            let columns = line.chars().count();
            assert!(
                columns <= 100,
                "{}:{}: {columns}",
                path.display(),
                number + 1
            );
        }
    }
}

#[test]
fn files_have_at_most_600_lines() {
    let long: Vec<String> = sources()
        .into_iter()
        .filter(|(path, text)| text.lines().count() > 600 && !is_test(path))
        .map(|(path, text)| format!("{}: {} lines", path.display(), text.lines().count()))
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn nothing_is_marked_unfinished() {
    // Put together, so that this file doesn't find itself.
    let marks = [
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
        ["XX", "X:"].concat(),
    ];
    let mut found = Vec::new();
    for (path, text) in sources() {
        for (number, line) in text.lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark.as_str())) {
                found.push(format!("{}:{}", path.display(), number + 1));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_module_and_test_says_what_it_is() {
    let silent: Vec<PathBuf> = sources()
        .into_iter()
        .filter(|(_, text)| !text.trim_start().starts_with("//!"))
        .map(|(path, _)| path)
        .collect();
    assert!(silent.is_empty(), "{silent:#?}");
}

#[test]
fn every_capture_has_a_side_file() {
    let folder = common::root().join("corpus/captures");
    for path in common::files(&folder) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let capture = name.ends_with(".pcap") || name.ends_with(".pcapng");
        let side = folder.join(format!("{}.yaml", name.split('.').collect::<Vec<_>>()[0]));
        assert!(!capture || side.is_file(), "{} is missing", side.display());
    }
}
