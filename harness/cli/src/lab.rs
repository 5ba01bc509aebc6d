//! `tandem lab`: a console on a simulated network.

use crate::args::{code, parse_time};
use crate::factory;
use crate::terminal::Terminal;
use clap::Args as ClapArgs;
use dut_device::{Event, Instant};
use harness_run::build_bed;
use harness_sim::{LogLine, NodeAction, World};
use harness_suite::{Bed, load_bed};
use std::io::{BufRead, IsTerminal, stdin};
use std::path::PathBuf;
use std::time::Duration;

/// `tandem lab`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Lab {
    /// A testbed's folder: its `bed.yaml` names configuration files, links and hosts.
    directory: PathBuf,
    /// Virtual time that passes before the first command.
    #[arg(long, default_value = "10s", value_parser = parse_time)]
    until: Duration,
    /// Commands to carry out in order instead of a console, as `DeviceA: display eth-trunk`.
    #[arg(long, value_name = "COMMAND")]
    exec: Vec<String>,
    /// The seed from which everything random comes.
    #[arg(long, default_value_t = 1, value_parser = crate::run::parse_seed)]
    seed: u64,
    /// Print what the devices report while time passes.
    #[arg(long)]
    log: bool,
}

const HELP: &str = "\
NODE: COMMAND   a node's or host's own command: `DeviceA: display eth-trunk`, `H1: join ff1e::1`,
                `Source: stream ff1e::1`
run TIME        lets virtual time pass: `run 30s`
cut LINK        takes a link's carrier away; `mend LINK` gives it back
crash NODE      `hang NODE`, `resume NODE`, `restart NODE`
log on|off      prints what the devices report while time passes
names           nodes, hosts and links
quit            ends";

pub(crate) fn lab(lab: &Lab) -> u8 {
    let terminal = Terminal::new();
    let file = lab.directory.join("bed.yaml");
    let bed: Bed = match load_bed(&file) {
        Ok(bed) => bed,
        Err(error) => {
            terminal.complain(&error.to_string());
            return code::USAGE;
        }
    };
    let built = build_bed(&bed, &lab.directory, None, &factory::reference(), lab.seed);
    let mut world = match built {
        Ok(built) => built.world,
        Err(error) => {
            terminal.complain(&error.to_string());
            return code::USAGE;
        }
    };
    world.start();
    for (name, host) in &bed.hosts {
        for command in &host.start {
            if let Err(error) = world.command(name, command) {
                terminal.complain(&error.to_string());
                return code::USAGE;
            }
        }
    }
    let mut console = Console {
        terminal,
        world,
        log: lab.log,
        shown: 0,
        bed,
    };
    console.pass(lab.until);
    if lab.exec.is_empty() {
        console.talk()
    } else {
        console.carry_out(&lab.exec)
    }
}

struct Console {
    terminal: Terminal,
    world: World,
    log: bool,
    /// Lines of the event log that were printed or passed over.
    shown: usize,
    bed: Bed,
}

impl Console {
    fn pass(&mut self, time: Duration) {
        let until = self.world.now() + time;
        self.world.run_until(until);
        let new = self.world.log().get(self.shown..).unwrap_or_default();
        if self.log {
            for line in new {
                if let Some(text) = log_line(line) {
                    self.terminal.line(&text);
                }
            }
        }
        self.shown += new.len();
    }

    fn carry_out(&mut self, commands: &[String]) -> u8 {
        for command in commands {
            self.terminal.line(&format!("{}> {command}", self.clock()));
            if let Err(error) = self.command(command) {
                self.terminal.complain(&error);
                return code::USAGE;
            }
        }
        code::OK
    }

    fn talk(&mut self) -> u8 {
        let typed = stdin().is_terminal();
        if typed {
            self.terminal
                .line("A console on the simulated network; `help` lists the commands.");
        }
        for line in stdin().lock().lines() {
            let Ok(line) = line else { break };
            let line = line.trim();
            if line == "quit" || line == "exit" {
                break;
            }
            if !line.is_empty() && !line.starts_with('#') {
                if !typed {
                    self.terminal.line(&format!("{}> {line}", self.clock()));
                }
                if let Err(error) = self.command(line) {
                    self.terminal.complain(&error);
                }
                if typed {
                    self.terminal.line(&format!("[{} virtual]", self.clock()));
                }
            }
        }
        code::OK
    }

    fn clock(&self) -> String {
        let now = self.world.now().as_millis();
        format!("{}.{:03}", now / 1000, now % 1000)
    }

    fn command(&mut self, text: &str) -> Result<(), String> {
        let world = |error: harness_sim::SetupError| error.to_string();
        if let Some((node, command)) = text.split_once(':')
            && self.world.names().any(|name| name == node.trim())
        {
            return self.device(node.trim(), command.trim());
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            ["help"] => self.terminal.line(HELP),
            ["run", time] => self.pass(parse_time(time)?),
            ["cut", link] => self.world.set_link(link, false).map_err(world)?,
            ["mend", link] => self.world.set_link(link, true).map_err(world)?,
            ["crash", node] => self.world.act(node, NodeAction::Crash).map_err(world)?,
            ["hang", node] => self.world.act(node, NodeAction::Hang).map_err(world)?,
            ["resume", node] => self.world.act(node, NodeAction::Resume).map_err(world)?,
            ["restart", node] => self.world.act(node, NodeAction::Restart).map_err(world)?,
            ["log", state @ ("on" | "off")] => self.log = *state == "on",
            ["names"] => {
                let names: Vec<&str> = self.world.names().collect();
                self.terminal
                    .line(&format!("nodes and hosts: {}", names.join(", ")));
                let links: Vec<&str> = self.bed.links.keys().map(String::as_str).collect();
                self.terminal.line(&format!("links: {}", links.join(", ")));
            }
            _ => return Err(format!("`{text}` is no command here:\n{HELP}")),
        }
        Ok(())
    }

    fn device(&mut self, node: &str, command: &str) -> Result<(), String> {
        if command.starts_with("dis") {
            let now: Instant = self.world.now();
            let device = self.world.device(node);
            let device = device.ok_or_else(|| format!("{node} has crashed"))?;
            let shown = device.display(now, command);
            let shown = shown.ok_or_else(|| format!("{node} has no displays"))??;
            self.terminal.line(shown.trim_end());
            return Ok(());
        }
        self.world
            .command(node, command)
            .map_err(|error| error.to_string())
    }
}

/// One line of the event log, in fixed columns; discards are left to the counters.
fn log_line(line: &LogLine) -> Option<String> {
    let at = line.at.as_millis();
    let head = format!("{:>6}.{:03} {:<9}", at / 1000, at % 1000, line.node);
    match &line.event {
        Event::Transition {
            scope,
            machine,
            from,
            to,
            arc,
        } if from != to => Some(format!(
            "{head} {scope:<22} {machine:<18} {from} -> {to} [{arc}]"
        )),
        Event::Transition { .. } | Event::Discarded { .. } => None,
        Event::Notice { what, text } => Some(format!("{head} {what:<22} {text}")),
    }
}
