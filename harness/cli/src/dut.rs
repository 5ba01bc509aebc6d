//! `tandem dut`: the reference as a device on real interfaces.

use crate::args::code;
use crate::factory;
use crate::terminal::Terminal;
use clap::Args as ClapArgs;
use dut_device::{BuildSpec, Device, Event, MacAddr};
use harness_live::Clock;
use harness_live::device::{Wiring, drive};
use harness_sim::{Host, Hub};
use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::path::PathBuf;

/// `tandem dut`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Dut {
    /// Configuration file; the first is the device's own, later ones are fragments.
    #[arg(long, required_unless_present_any = ["host", "hub"], value_name = "FILE")]
    config: Vec<PathBuf>,
    /// Be a host with this MAC address instead: a listener, and a source of numbered streams, with
    /// one port `0`.
    #[arg(long, value_name = "MAC", conflicts_with = "config")]
    host: Option<MacAddr>,
    /// What the host's streams carry as source.
    #[arg(long, value_name = "ADDRESS", requires = "host")]
    address: Option<Ipv6Addr>,
    /// Be a repeater with this many ports `0`, `1`, … instead.
    #[arg(long, value_name = "PORTS", conflicts_with_all = ["config", "host"])]
    hub: Option<u16>,
    /// A port and the interface that it is, as `GE0/1/1=eth1`.
    #[arg(long, required = true, value_name = "NAME=IFACE", value_parser = parse_pair)]
    port: Vec<(String, String)>,
    /// Bridge MAC address.
    #[arg(long, value_name = "MAC", default_value = "00e0-fc00-0001")]
    base_mac: MacAddr,
    /// The numerically larger E-Trunk priority wins, as the seed's literal files need.
    #[arg(long)]
    larger_wins: bool,
    /// A key in clear by the opaque text in the configuration.
    #[arg(long, value_name = "OPAQUE=CLEAR", value_parser = parse_secret)]
    secret: Vec<(String, String)>,
    /// The seed from which everything random in it comes.
    #[arg(long, default_value_t = 1, value_parser = crate::run::parse_seed)]
    seed: u64,
    /// How often it has booted.
    #[arg(long, default_value_t = 1)]
    boot_epoch: u64,
    /// Time zero of its clock, seconds since 1970 (default: now).
    #[arg(long, value_name = "SECONDS")]
    origin: Option<u64>,
    /// A Unix socket to make, on which it answers one JSON object a line: `{"display": "…"}`,
    /// `{"command": "…"}`, `"snapshot"`.
    #[arg(long, value_name = "SOCKET")]
    control: Option<PathBuf>,
    /// Boot only when the control socket is asked to `"begin"`.
    #[arg(long, requires = "control")]
    held: bool,
    /// Print what it reports.
    #[arg(long)]
    log: bool,
}

fn parse_pair(text: &str) -> Result<(String, String), String> {
    let (name, interface) = text
        .split_once('=')
        .ok_or("use NAME=IFACE, as GE0/1/1=eth1")?;
    let name = match name.strip_prefix("GE") {
        Some(rest) => format!("GigabitEthernet{rest}"),
        None => name.to_owned(),
    };
    Ok((name, interface.to_owned()))
}

fn parse_secret(text: &str) -> Result<(String, String), String> {
    // An opaque text may hold the sign itself; a key in clear can't.
    let (opaque, clear) = text.rsplit_once('=').ok_or("use OPAQUE=CLEAR")?;
    Ok((opaque.to_owned(), clear.to_owned()))
}

pub(crate) fn dut(dut: &Dut) -> u8 {
    let terminal = Terminal::new();
    match run(dut, &terminal) {
        Ok(()) => code::OK,
        Err(why) => {
            terminal.complain(&why);
            code::USAGE
        }
    }
}

fn run(dut: &Dut, terminal: &Terminal) -> Result<(), String> {
    let clock = dut.origin.map_or_else(Clock::starting_now, Clock::starting);
    let mut device = build(dut, clock.origin_s())?;
    let _granted = harness_live::turn::at_once();
    let wiring = Wiring {
        ports: dut.port.clone(),
        control: dut.control.clone(),
        held: dut.held,
        seed: dut.seed,
    };
    let mut log = |at: dut_device::Instant, event: Event| {
        if dut.log {
            let ms = at.as_millis();
            terminal.line(&format!("{}.{:03} {event:?}", ms / 1000, ms % 1000));
        }
    };
    let runtime = harness_live::runtime().map_err(|error| error.to_string())?;
    let drive = drive(device.as_mut(), clock, &wiring, &mut log);
    runtime.block_on(drive).map_err(|error| error.to_string())
}

fn build(dut: &Dut, wall_origin_s: u64) -> Result<Box<dyn Device>, String> {
    if let Some(mac) = dut.host {
        return Ok(Box::new(Host::new(mac, dut.address, dut.seed)));
    }
    if let Some(ports) = dut.hub {
        return Ok(Box::new(Hub::new(ports)));
    }
    let mut configuration = Vec::new();
    for path in &dut.config {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|error| format!("{}: {error}", path.display()))?;
        configuration.push((path.display().to_string(), text));
    }
    (factory::reference())(&BuildSpec {
        configuration,
        base_mac: dut.base_mac,
        election_larger_wins: dut.larger_wins,
        secrets: dut.secret.iter().cloned().collect(),
        seed: dut.seed,
        boot_epoch: dut.boot_epoch,
        wall_origin_s,
        identity: BTreeMap::new(),
    })
}
