//! Runs a target on every file of folders: what `run.sh coverage` measures.
//! `cargo run -p harness-fuzz --example reach -- TARGET FOLDER…`

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a tool of the project"
)]

use harness_fuzz::targets::target;
use std::fs;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let target = target(&arguments.next().unwrap()).unwrap();
    let mut inputs = 0;
    for folder in arguments {
        let mut files: Vec<_> = fs::read_dir(folder)
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        for file in files {
            (target.run)(&fs::read(&file).unwrap());
            inputs += 1;
        }
    }
    println!("{}: {inputs} inputs", target.name);
}
