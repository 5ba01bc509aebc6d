//! The `tandem` program.

mod args;
mod factory;
mod run;
mod terminal;

use std::process::ExitCode;

fn main() -> ExitCode {
    args::main()
}
