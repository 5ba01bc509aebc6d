//! What the program's tests share.

#![expect(clippy::unwrap_used, reason = "a test fails where its set-up does")]
#![allow(
    dead_code,
    unreachable_pub,
    clippy::print_stderr,
    reason = "each test binary uses a part of it"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// Runs the program from the repository's root.
pub fn tandem(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
    command
        .current_dir(root())
        .env("NO_COLOR", "1")
        .args(arguments);
    command.output().unwrap()
}

/// Standard output as text.
pub fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A fresh folder of this test's own under the build's temporary folder.
pub fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if path.exists() {
        std::fs::remove_dir_all(&path).unwrap();
    }
    std::fs::create_dir_all(&path).unwrap();
    path
}

/// Every file below a folder, sorted.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Whether network namespaces can be made here; where not, says which test is skipped for it.
pub fn may(test: &str) -> bool {
    let probe = format!("probe-{}-{}", std::process::id(), test.len());
    let ip = |verb| Command::new("ip").args(["netns", verb, &probe]).output();
    let may = ip("add").is_ok_and(|done| done.status.success());
    if may {
        ip("del").unwrap();
    } else {
        eprintln!("skipped by name: {test} (needs root, iproute2 and network namespaces)");
    }
    may
}
