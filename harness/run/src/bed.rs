//! A testbed of the simulation: the world that its file describes.

use dut_device::{BuildSpec, Device, MacAddr};
use harness_sim::{Host, Hub, SetupError, World};
use harness_suite::{Bed, Election, ExpandedCase, Expression, Scope};
use harness_tester::TesterPort;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// Builds a reference device; the program passes it in, so that the harness never sees the
/// reference.
pub type Factory = Arc<dyn Fn(&BuildSpec) -> Result<Box<dyn Device>, String> + Send + Sync>;

/// Why a testbed can't be built.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BedError {
    /// A configuration file can't be read.
    #[error("{0}: {1}")]
    File(String, String),
    /// A value of the testbed file is no MAC address or time.
    #[error("{0}")]
    Value(String),
    /// The world refuses it.
    #[error(transparent)]
    World(#[from] SetupError),
}

/// A built testbed.
#[derive(Debug)]
pub struct SimulatedBed {
    /// The world, not yet started.
    pub world: World,
    /// The tester's ports.
    pub ports: Vec<TesterPort>,
    /// Host by link.
    pub listeners: BTreeMap<String, String>,
    /// The nodes' names.
    pub nodes: Vec<String>,
    /// Time in which the bed comes up.
    pub settle: Duration,
    /// One-way latency of the slowest link between the pair's devices; zero without one.
    pub pair_latency: Duration,
}

/// Wall-clock origin of every simulated world: 2021-05-29T03:21:00Z, shortly before the seed's
/// displays.
pub(crate) const ORIGIN_S: u64 = 1_622_258_460;

fn mac(text: &str, of: &str) -> Result<MacAddr, BedError> {
    text.parse()
        .map_err(|error| BedError::Value(format!("{of}: {error}")))
}

fn duration(text: &str, scope: &Scope, of: &str) -> Result<Duration, BedError> {
    let value = Expression::time(text, scope);
    value.map_err(|error| BedError::Value(format!("{of}: {error}")))
}

/// A number mixed out of a seed and a name: what is random in one place doesn't depend on another.
pub fn mix(seed: u64, name: &str) -> u64 {
    let step = |hash: u64, octet: u8| (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3);
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325 ^ seed, step);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

/// Builds the world of a testbed with these settings.
///
/// # Errors
/// [`BedError`].
pub fn build_bed(
    bed: &Bed,
    folder: &Path,
    case: Option<&ExpandedCase>,
    factory: &Factory,
    seed: u64,
) -> Result<SimulatedBed, BedError> {
    let mut world = World::new(mix(seed, "world"), ORIGIN_S);
    let settings = case.map_or_else(|| bed.defaults.clone(), |case| case.settings.clone());
    let scope = case.map(ExpandedCase::scope).unwrap_or_default();
    let mut fragments = bed.fragments(&settings);
    for (name, node) in &bed.nodes {
        let mut configuration = Vec::new();
        for file in &node.configuration {
            let path = folder.join(file);
            let text = fs::read_to_string(&path);
            let shown = path.display().to_string();
            let text = text.map_err(|error| BedError::File(shown.clone(), error.to_string()))?;
            configuration.push((shown, text));
        }
        configuration.extend(fragments.remove(name).unwrap_or_default());
        let spec = BuildSpec {
            configuration,
            base_mac: mac(&node.base_mac, name)?,
            election_larger_wins: bed.election == Election::LargerWins,
            secrets: bed.secrets.clone(),
            seed: mix(seed, name),
            boot_epoch: 1,
            wall_origin_s: ORIGIN_S,
            identity: BTreeMap::new(),
        };
        let factory = Arc::clone(factory);
        world.add_node(name, move |boot_epoch| {
            factory(&BuildSpec {
                boot_epoch,
                ..spec.clone()
            })
        })?;
    }
    for (name, ports) in &bed.hubs {
        world.add_device(name, Box::new(Hub::new(*ports)));
    }
    for (name, host) in &bed.hosts {
        let device = Host::new(mac(&host.mac, name)?, host.address, mix(seed, name));
        world.add_device(name, Box::new(device));
    }
    let (listeners, pair_latency) = connect(&mut world, bed, &scope)?;
    let mut ports = Vec::new();
    for (name, port) in &bed.ports {
        world.attach_tester(name, &port.to)?;
        mac(&port.mac, name)?;
        ports.push(TesterPort {
            name: name.clone(),
            mac: port.mac.clone(),
        });
    }
    let settle = bed
        .settle
        .as_deref()
        .map(|text| duration(text, &scope, "settle"));
    let nodes = bed.nodes.keys().cloned().collect();
    Ok(SimulatedBed {
        world,
        ports,
        listeners,
        nodes,
        settle: settle.transpose()?.unwrap_or_default(),
        pair_latency,
    })
}

/// Wires the links; gives the hosts by link, and the latency of the slowest link between the pair's
/// devices.
fn connect(
    world: &mut World,
    bed: &Bed,
    scope: &Scope,
) -> Result<(BTreeMap<String, String>, Duration), BedError> {
    let mut listeners = BTreeMap::new();
    let mut pair_latency = Duration::ZERO;
    for (name, link) in &bed.links {
        let latency = duration(link.latency.as_deref().unwrap_or("10us"), scope, name)?;
        let of_pair = |end: &str| {
            bed.pair
                .iter()
                .any(|node| end.split(' ').next() == Some(node))
        };
        if of_pair(&link.a) && of_pair(&link.b) {
            pair_latency = pair_latency.max(latency);
        }
        world.connect(name, &link.a, &link.b, latency)?;
        let host = [&link.a, &link.b]
            .into_iter()
            .find(|end| bed.hosts.contains_key(*end));
        if let Some(host) = host {
            listeners.insert(name.clone(), host.clone());
        }
    }
    Ok((listeners, pair_latency))
}
