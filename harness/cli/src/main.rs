//! The `tandem` program.

mod args;
mod check;
mod explain;
mod factory;
mod fields;
mod judge;
mod lab;
mod lint;
mod plan;
mod replay;
mod run;
mod terminal;
mod trace;

use std::process::ExitCode;

fn main() -> ExitCode {
    args::main()
}
