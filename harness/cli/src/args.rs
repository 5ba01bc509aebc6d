//! The command line.

use clap::{Parser, Subcommand};
use harness_suite::{Expression, Scope};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Exit codes, as the design fixes them. When several apply the order is 2, 5, 6, 1, 3, 4.
pub(crate) mod code {
    /// All selected cases pass.
    pub(crate) const OK: u8 = 0;
    /// A case failed.
    pub(crate) const FAILED: u8 = 1;
    /// The command line or a file is wrong.
    pub(crate) const USAGE: u8 = 2;
    /// Nothing failed, but something is inconclusive, blocked or an error.
    pub(crate) const UNDECIDED: u8 = 3;
    /// Nothing was selected.
    pub(crate) const NOTHING: u8 = 4;
    /// The run was cut short.
    pub(crate) const INCOMPLETE: u8 = 5;
    /// A campaign found something.
    pub(crate) const FINDING: u8 = 6;
}

/// Where the suites are if nobody says.
pub(crate) const SUITES: &str = "suites";

/// The open conformance lab for LACP, MLD and dual-device hot backup.
///
/// Exit codes: 0 ok, 1 failed, 2 usage, 3 inconclusive, blocked or error only, 4 nothing selected,
/// 5 incomplete, 6 fuzz finding.
#[derive(Debug, Parser)]
#[command(name = "tandem", version, about, long_about)]
pub(crate) struct Args {
    /// The folder of cases, requirements and testbeds.
    #[arg(long, global = true, value_name = "DIR", default_value = SUITES)]
    pub(crate) suites: PathBuf,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs cases on the simulated testbeds, or on a testbed of a device on wires.
    Run(crate::run::Run),
    /// Lists cases.
    List(crate::run::List),
    /// Lists the field names that a kind of frame has in cases.
    Fields(crate::fields::FieldNames),
    /// Checks cases, requirements and testbeds without running anything.
    Lint(crate::lint::Lint),
    /// Checks the configuration files of a pair for what makes it fail.
    Check(crate::check::Check),
    /// A console on a simulated network.
    Lab(crate::lab::Lab),
    /// A requirement: why it matters, its cases, its defects, what devices in the field do.
    Explain(crate::explain::Explain),
    /// A suite's test plan, as Markdown.
    Plan(crate::plan::Plan),
    /// Requirement × cases × defects, and which case kills which defect.
    Trace(crate::trace::Trace),
    /// Judges captures: our own cases' again, or others' by invariants.
    Judge(crate::judge::Judge),
    /// A campaign of valid, odd and malformed frames around reached states; findings become cases.
    Fuzz(crate::fuzz::Fuzz),
    /// Writes a run's results on a device for publication.
    Publish(crate::publish::Publish),
    /// Plays one side of a capture into a reference device, or sends it to a real one.
    Replay(crate::replay::Replay),
    /// The reference as a device on real interfaces, in real time.
    #[cfg(feature = "live")]
    Dut(crate::dut::Dut),
    /// What this host can do for live runs, and what to install or grant.
    #[cfg(feature = "live")]
    Doctor(crate::doctor::Doctor),
    /// Testbeds of devices on wires: what they need.
    #[cfg(feature = "live")]
    Testbed(crate::doctor::Testbeds),
}

/// A time as the suites write it: `3s`, `250ms`.
pub(crate) fn parse_time(text: &str) -> Result<Duration, String> {
    Expression::time(text, &Scope::new()).map_err(|error| error.to_string())
}

/// Parses the command line and does what it says.
pub(crate) fn main() -> ExitCode {
    let args = Args::parse();
    let code = match &args.command {
        Command::Run(run) => crate::run::run(&args, run),
        Command::List(list) => crate::run::list(&args, list),
        Command::Fields(names) => crate::fields::fields(names),
        Command::Lint(lint) => crate::lint::lint(&args, lint),
        Command::Check(check) => crate::check::check(check),
        Command::Lab(lab) => crate::lab::lab(lab),
        Command::Explain(explain) => crate::explain::explain(&args, explain),
        Command::Plan(plan) => crate::plan::plan(&args, plan),
        Command::Trace(trace) => crate::trace::trace(&args, trace),
        Command::Judge(judge) => crate::judge::judge(judge),
        Command::Fuzz(fuzz) => crate::fuzz::fuzz(&args, fuzz),
        Command::Publish(publish) => crate::publish::publish(&args, publish),
        Command::Replay(replay) => crate::replay::replay(replay),
        #[cfg(feature = "live")]
        Command::Dut(dut) => crate::dut::dut(dut),
        #[cfg(feature = "live")]
        Command::Doctor(doctor) => crate::doctor::doctor(doctor),
        #[cfg(feature = "live")]
        Command::Testbed(testbeds) => crate::doctor::testbeds(&args, testbeds),
    };
    ExitCode::from(code)
}
