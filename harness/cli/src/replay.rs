//! `tandem replay`: one side of a capture of real devices, played into a reference device, or sent
//! to a real one.

use crate::args::code;
#[cfg(feature = "live")]
use crate::args::parse_time;
use crate::factory;
use crate::terminal::Terminal;
use clap::{ArgGroup, Args as ClapArgs};
use dut_device::{Event, Instant, LacpInfo, MacAddr, Snapshot};
#[cfg(feature = "live")]
use harness_run::Speed;
use harness_run::{Beside, Happened, Replay as Request, ReplayError, Replayed, replay as play};
use harness_trace::{Record, Trace, read_capture};
use harness_wire::summary;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
#[cfg(feature = "live")]
use std::time::Duration;

/// `tandem replay`.
#[derive(Debug, ClapArgs)]
#[command(group = ArgGroup::new("where").required(true))]
pub(crate) struct Replay {
    /// A pcap or pcapng file.
    pub(crate) file: PathBuf,
    /// Configuration of the reference device that it is played into.
    #[arg(long, value_name = "CONFIG", group = "where", requires_all = ["port", "from"])]
    into: Option<PathBuf>,
    /// The reference's port that the frames come in by, as `GE0/1/2`.
    #[arg(long, requires = "into")]
    #[cfg_attr(feature = "live", arg(conflicts_with = "onto"))]
    port: Option<String>,
    /// Source address of the side that is played; onto an interface it needs none where the
    /// capture has one side only.
    #[arg(long, value_name = "MAC", value_parser = parse_mac)]
    pub(crate) from: Option<MacAddr>,
    /// Source address of the side that the reference stands for: its system, key, port and
    /// link-local address are taken from the capture. Without it no LACPDU can match.
    #[arg(long = "as", value_name = "MAC", value_parser = parse_mac, requires = "into")]
    #[cfg_attr(feature = "live", arg(conflicts_with = "onto"))]
    stands_for: Option<MacAddr>,
    /// Print what came of it only, not each frame.
    #[arg(long, requires = "into")]
    #[cfg_attr(feature = "live", arg(conflicts_with = "onto"))]
    fast: bool,
    #[cfg(feature = "live")]
    #[command(flatten)]
    pub(crate) wire: Wire,
}

/// Where and how frames are sent to a real device.
#[cfg(feature = "live")]
#[derive(Debug, ClapArgs)]
pub(crate) struct Wire {
    /// The interface behind which a real device is: the frames are sent to it, what comes back is
    /// recorded and judged.
    #[arg(long, value_name = "IFACE", group = "where")]
    onto: Option<String>,
    /// How many times as fast as recorded, as 2 or 0.5.
    #[arg(long, value_name = "X", default_value = "1", value_parser = Speed::parse)]
    #[arg(conflicts_with = "into")]
    pub(crate) speed: Speed,
    /// As fast as it goes.
    #[arg(long, conflicts_with_all = ["into", "speed"])]
    pub(crate) top: bool,
    /// How long what comes back is recorded after the last frame.
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = parse_time)]
    #[arg(conflicts_with = "into")]
    pub(crate) linger: Duration,
    /// Where both directions are recorded.
    #[arg(long, value_name = "PCAPNG", default_value = "tandem-replay.pcapng")]
    #[arg(conflicts_with = "into")]
    pub(crate) record: PathBuf,
    /// What a device is, as of `tandem judge`; several by repeating it. Else it is what it sends.
    #[arg(long, value_name = "MAC=ROLE", value_parser = crate::judge::parse_role)]
    #[arg(conflicts_with = "into")]
    pub(crate) role: Vec<crate::judge::Named>,
}

fn parse_mac(text: &str) -> Result<MacAddr, String> {
    text.parse()
        .map_err(|error: dut_device::ParseMacError| error.to_string())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Plays it where the arguments say.
pub(crate) fn replay(args: &Replay) -> u8 {
    #[cfg(feature = "live")]
    if let Some(interface) = &args.wire.onto {
        return crate::onto::onto(args, interface);
    }
    // One of both is required, and this needs the other two.
    match (&args.into, &args.port, args.from) {
        (Some(into), Some(port), Some(from)) => Into {
            args,
            into,
            port,
            from,
        }
        .replay(),
        _ => code::USAGE,
    }
}

/// A replay into a reference device.
struct Into<'a> {
    args: &'a Replay,
    into: &'a Path,
    port: &'a str,
    from: MacAddr,
}

impl Into<'_> {
    /// Exit code 0 when the capture was played, 2 when it can't be, 3 when the reference used none
    /// of its frames.
    fn replay(&self) -> u8 {
        let Self {
            args,
            into,
            port,
            from,
        } = self;
        let terminal = Terminal::new();
        let trace = read(&args.file).and_then(|octets| {
            let trace = read_capture(&octets);
            trace.map_err(|error| format!("{}: {error}", args.file.display()))
        });
        let configuration = read(into).and_then(|octets| {
            let text = String::from_utf8(octets);
            text.map_err(|_| format!("{}: not UTF-8", into.display()))
        });
        let (trace, configuration) = match (trace, configuration) {
            (Ok(trace), Ok(configuration)) => (trace, configuration),
            (Err(error), _) | (_, Err(error)) => {
                terminal.complain(&error);
                return code::USAGE;
            }
        };
        let request = Request {
            trace: &trace,
            configuration: vec![(into.display().to_string(), configuration)],
            port: (*port).to_owned(),
            from: *from,
            stands_for: args.stands_for,
            looks: Vec::new(),
        };
        let replayed: Result<Replayed, ReplayError> = play(&request, &factory::reference());
        let replayed = match replayed {
            Ok(replayed) => replayed,
            Err(error) => {
                terminal.complain(&error.to_string());
                return code::USAGE;
            }
        };
        let page = Page {
            terminal: &terminal,
            trace: &trace,
            replayed: &replayed,
        };
        page.head(self);
        if !args.fast {
            page.frames();
        }
        page.discarded();
        page.state();
        if args.stands_for.is_some() {
            page.beside(args.fast);
        }
        let used = replayed.heard > page.lost();
        if used { code::OK } else { code::UNDECIDED }
    }
}

struct Page<'a> {
    terminal: &'a Terminal,
    trace: &'a Trace,
    replayed: &'a Replayed,
}

fn clock(at: Instant) -> String {
    let us = at.as_nanos() / 1000;
    format!("{:>5}.{:06}", us / 1_000_000, us % 1_000_000)
}

fn actor(info: &LacpInfo) -> String {
    format!(
        "system {}/{} key {} port {}/{}",
        info.system_priority, info.system, info.key, info.port_priority, info.port
    )
}

fn said(event: &Event) -> Option<String> {
    Some(match event {
        Event::Transition {
            scope,
            machine,
            from,
            to,
            arc,
        } => format!("{machine} of {scope}: {from} -> {to} ({arc})"),
        Event::Discarded {
            protocol, reason, ..
        } => format!("discarded: {protocol}.{reason}"),
        Event::Notice { what, text } => format!("{what}: {text}"),
    })
}

impl Page<'_> {
    fn number(&self, record: usize) -> usize {
        self.trace.frame_number(record).unwrap_or(0)
    }

    fn octets(&self, record: usize) -> &[u8] {
        match self.trace.records.get(record) {
            Some(Record::Frame(frame)) => &frame.octets,
            Some(Record::Note { .. }) | None => &[],
        }
    }

    /// Frames of which nothing was used: something of them was discarded, and nothing else came of
    /// them.
    fn lost(&self) -> usize {
        let mut lost = 0;
        let (mut discarded, mut used) = (false, false);
        for happened in &self.replayed.happened {
            match happened {
                Happened::Heard { .. } => {
                    lost += usize::from(discarded && !used);
                    (discarded, used) = (false, false);
                }
                Happened::Said { event, .. } => {
                    let refused = matches!(event, Event::Discarded { .. });
                    discarded |= refused;
                    used |= !refused;
                }
                Happened::Sent { .. } => {}
            }
        }
        lost + usize::from(discarded && !used)
    }

    fn head(&self, of: &Into<'_>) {
        let Replayed {
            heard, identity, ..
        } = self.replayed;
        let lost = self.lost();
        let ms = self.trace.until.as_millis();
        self.terminal.line(&format!(
            "{heard} frames of {} in {}.{:03} s into {} of {}: {} used, {lost} discarded",
            of.from,
            ms / 1000,
            ms % 1000,
            of.port,
            of.into.display(),
            heard - lost,
        ));
        let Some(mac) = of.args.stands_for else {
            return;
        };
        let mut parts = vec![format!("standing for {mac}")];
        parts.extend(identity.lacp.as_ref().map(actor));
        parts.extend(identity.link_local.map(|address| address.to_string()));
        self.terminal.line(&parts.join(", "));
    }

    /// Every frame with what the reference made of it.
    fn frames(&self) {
        for happened in &self.replayed.happened {
            let line = match happened {
                Happened::Heard { record, at } => {
                    let number = format!("frame {}", self.number(*record));
                    let text = summary(self.octets(*record));
                    format!("{} > {number:<10} {text}", clock(*at))
                }
                Happened::Sent { at, octets } => {
                    format!("{} < {:<10} {}", clock(*at), "reference", summary(octets))
                }
                Happened::Said { at, event } => match said(event) {
                    Some(text) => format!("{} . {:<10} {text}", clock(*at), ""),
                    None => continue,
                },
            };
            self.terminal.line(&line);
        }
    }

    /// What wasn't used, and why.
    fn discarded(&self) {
        for (reason, records) in &self.replayed.discarded {
            let count = records.len();
            self.terminal.line(&format!("discarded {reason}: {count}"));
            for record in records.iter().take(8) {
                let number = self.number(*record);
                let text = summary(self.octets(*record));
                self.terminal.line(&format!("  frame {number}: {text}"));
            }
            if count > 8 {
                self.terminal.line(&format!("  and {} more", count - 8));
            }
        }
    }

    /// The state at the end, as the device displays it.
    fn state(&self) {
        let Replayed { device, until, .. } = self.replayed;
        let snapshot = device.snapshot(*until).unwrap_or_default();
        for command in commands(&snapshot) {
            if let Some(Ok(text)) = device.display(*until, &command) {
                self.terminal.line("");
                self.terminal
                    .line(&format!("<{}> {command}", snapshot.sysname));
                self.terminal.line(text.trim_end());
            }
        }
    }

    /// The reference's frames beside the recorded ones.
    fn beside(&self, fast: bool) {
        let beside = &self.replayed.beside;
        let both = |beside: &&Beside| beside.recorded.is_some() && beside.reference.is_some();
        let recorded = beside.iter().filter(|b| b.recorded.is_some()).count();
        let paired: Vec<&Beside> = beside.iter().filter(both).collect();
        let same = paired.iter().filter(|b| b.differences.is_empty()).count();
        let alone = beside.iter().filter(|b| b.recorded.is_none()).count();
        self.terminal.line("");
        self.terminal.line(&format!(
            "beside the {recorded} recorded frames: the reference has {} within 2 s, {same} of \
             them the same in every field, and {alone} of its own",
            paired.len(),
        ));
        if fast {
            let mut fields: BTreeMap<&str, (usize, String)> = BTreeMap::new();
            for difference in paired.iter().flat_map(|beside| &beside.differences) {
                let (field, a, b) = (&difference.field, &difference.expected, &difference.seen);
                let example = || format!("recorded {a}, reference {b}");
                let entry = fields.entry(field).or_insert_with(|| (0, example()));
                entry.0 += 1;
            }
            for (field, (count, example)) in fields {
                let line = format!("  {field} differs in {count}: {example}");
                self.terminal.line(&line);
            }
            return;
        }
        for beside in beside {
            self.one(beside);
        }
    }

    fn one(&self, beside: &Beside) {
        let kind = &beside.kind;
        match (beside.recorded, beside.reference) {
            (Some((record, at)), Some((_, other))) => {
                let (sign, apart) = if other < at {
                    ('-', at.since(other))
                } else {
                    ('+', other.since(at))
                };
                let number = self.number(record);
                self.terminal.line(&format!(
                    "{} frame {number:<4} {kind}, reference {sign}{:.3} s",
                    clock(at),
                    apart.as_secs_f64()
                ));
                for difference in &beside.differences {
                    let (a, b) = (&difference.expected, &difference.seen);
                    let field = &difference.field;
                    let line = format!("{:>18}{field}: recorded {a}, reference {b}", "");
                    self.terminal.line(&line);
                }
            }
            (Some((record, at)), None) => {
                let number = self.number(record);
                let text = summary(self.octets(record));
                let line = format!("{} frame {number:<4} only recorded: {text}", clock(at));
                self.terminal.line(&line);
            }
            (None, Some((index, at))) => {
                let text = match self.replayed.happened.get(index) {
                    Some(Happened::Sent { octets, .. }) => summary(octets),
                    Some(Happened::Heard { .. } | Happened::Said { .. }) | None => String::new(),
                };
                let line = format!("{} reference  only: {text}", clock(at));
                self.terminal.line(&line);
            }
            (None, None) => {}
        }
    }
}

/// The displays that show something of a device.
fn commands(snapshot: &Snapshot) -> Vec<String> {
    let mut commands = Vec::new();
    for trunk in &snapshot.eth_trunks {
        commands.push(format!("display eth-trunk {}", trunk.id));
        commands.push(format!("display lacp statistics eth-trunk {}", trunk.id));
    }
    if !snapshot.mld.is_empty() {
        commands.push("display mld interface".to_owned());
        commands.push("display mld group verbose".to_owned());
    }
    commands
}
