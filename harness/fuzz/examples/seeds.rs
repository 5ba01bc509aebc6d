//! Writes the seed corpora: `cargo run -p harness-fuzz --example seeds -- corpus/fuzz`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a tool of the project"
)]

use harness_fuzz::targets::TARGETS;
use std::path::PathBuf;

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap());
    for target in TARGETS {
        if target.corpus() != target.name {
            continue;
        }
        let folder = folder.join(target.name);
        std::fs::create_dir_all(&folder).unwrap();
        let seeds = (target.seeds)();
        for (number, seed) in seeds.iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{number:02}")), seed).unwrap();
        }
        println!("{}: {} seeds", target.name, seeds.len());
    }
}
