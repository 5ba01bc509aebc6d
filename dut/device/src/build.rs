//! What a device is built from, and nothing else: no clock, no ambient randomness.

use crate::{LacpInfo, MacAddr};
use std::collections::BTreeMap;
use std::net::Ipv6Addr;

/// Everything that a reference device is built from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildSpec {
    /// Configuration files in the order in which they apply: (name for messages, text).
    /// The first is the device's own file, later ones are the testbed's fragments.
    pub configuration: Vec<(String, String)>,
    /// The device's bridge MAC address; the testbed gives it.
    pub base_mac: MacAddr,
    /// The testbed's `election: larger-wins` (the seed's literal files) instead of the vendor's
    /// rule that the smaller E-Trunk priority wins.
    pub election_larger_wins: bool,
    /// Keys in clear by the opaque text that stands in the configuration.
    pub secrets: BTreeMap<String, String>,
    /// Seed from which everything random in this device comes.
    pub seed: u64,
    /// How often this device has booted, from 1; the world raises it at each restart.
    pub boot_epoch: u64,
    /// Wall-clock time of `Instant::ZERO`, in seconds since 1970-01-01T00:00:00Z.
    pub wall_origin_s: u64,
    /// Whom the device stands for on a link, by full port name: for playing one side of a recorded
    /// link to it. Empty in every other use.
    pub identity: BTreeMap<String, Identity>,
}

/// What a device shows of itself on a port, in place of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Identity {
    /// The port's address, which is that of the interface on it too.
    pub mac: Option<MacAddr>,
    /// Link-local address of the interface on the port.
    pub link_local: Option<Ipv6Addr>,
    /// The Actor's system priority, system, key, port priority and port. The state is not taken.
    pub lacp: Option<LacpInfo>,
}

impl BuildSpec {
    /// A spec of one configuration file under the default rules: seed 0, boot epoch 1, wall clock
    /// 2021-05-29T03:21:00Z, no secrets.
    #[must_use]
    pub fn of_file(name: &str, text: &str, base_mac: MacAddr) -> Self {
        Self {
            configuration: vec![(name.to_owned(), text.to_owned())],
            base_mac,
            election_larger_wins: false,
            secrets: BTreeMap::new(),
            seed: 0,
            boot_epoch: 1,
            wall_origin_s: 1_622_258_460,
            identity: BTreeMap::new(),
        }
    }
}
