//! `tandem publish`: a device's results for everybody, from a run's report and a person's notes.

use crate::args::{Args, code};
use crate::run::catalogue;
use crate::terminal::Terminal;
use clap::Args as ClapArgs;
use reports::published::Published;
use std::path::PathBuf;

/// `tandem publish`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Publish {
    /// The report of a run on a testbed, or a published folder.
    report: PathBuf,
    /// What the failures come from: causes with the cases that each explains, and the frame in
    /// which each was confirmed by hand.
    #[arg(long, value_name = "NOTES.YAML")]
    notes: PathBuf,
    /// The folder to write, as `reports/published/openvswitch-3.1.0`.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

pub(crate) fn publish(args: &Args, publish: &Publish) -> u8 {
    let terminal = Terminal::new();
    let Some(catalogue) = catalogue(args, &terminal) else {
        return code::USAGE;
    };
    let published = match Published::read(&publish.report, &publish.notes) {
        Ok(published) => published,
        Err(wrong) => {
            for what in &wrong {
                terminal.complain(what);
            }
            terminal.complain(&format!("not published: {} mistakes", wrong.len()));
            return code::USAGE;
        }
    };
    if let Err(error) = published.write(&publish.to, &catalogue.requirements) {
        terminal.complain(&format!("{}: {error}", publish.to.display()));
        return code::USAGE;
    }
    let (cases, failed) = published.counts();
    let page = publish.to.join("README.md");
    terminal.line(&format!(
        "{}: {cases} cases, {failed} failed",
        page.display()
    ));
    code::OK
}
