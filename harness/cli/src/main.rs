//! The `tandem` program.

mod args;
mod check;
#[cfg(feature = "live")]
mod doctor;
#[cfg(feature = "live")]
mod dut;
mod explain;
mod factory;
mod fields;
mod fuzz;
mod fuzz_sample;
mod judge;
mod lab;
mod lint;
#[cfg(feature = "live")]
mod live;
#[cfg(feature = "live")]
mod onto;
mod plan;
mod publish;
mod replay;
mod run;
mod terminal;
mod trace;

use std::process::ExitCode;

fn main() -> ExitCode {
    args::main()
}
