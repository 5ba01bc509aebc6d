//! What a session is built from, and what it asks of the TCP stack.

use dut_device::MacAddr;
use std::net::Ipv6Addr;
use std::time::Duration;

/// A remote backup service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionConfig {
    /// Service-Name.
    pub name: String,
    /// Service-Index, from 1.
    pub index: u16,
    /// `source-ipv6`.
    pub source: Ipv6Addr,
    /// `peer-ipv6`. The numerically lower of both connects, the other listens.
    pub peer: Ipv6Addr,
    /// TCP port of the listener.
    pub port: u16,
    /// Keepalive interval, 100 ms to 60 s.
    pub keepalive: Duration,
    /// Hold time, at least thrice the keepalive interval, at most 180 s.
    pub hold: Duration,
    /// How often the device has booted, from 1. Above 1 it has restarted.
    pub boot_epoch: u64,
    /// The device's base MAC: the origin of its entries.
    pub origin: MacAddr,
    /// Seed of the back-off's jitter.
    pub seed: u64,
    /// Wall-clock time of `Instant::ZERO`, seconds since 1970.
    pub wall_origin_s: u64,
    /// The profiles; the first of a repeated Backup-ID counts.
    pub profiles: Vec<ProfileConfig>,
}

/// A remote backup profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileConfig {
    /// Profile-Index.
    pub index: u16,
    /// Profile-Name.
    pub name: String,
    /// Backup-ID, 1–4095.
    pub backup_id: u16,
    /// `service-type mld`.
    pub mld: bool,
    /// Tracked E-Trunk.
    pub e_trunk: u16,
    /// Tracked Eth-Trunk.
    pub eth_trunk: u16,
    /// Interfaces that the profile is bound to.
    pub interfaces: Vec<String>,
    /// `hot`, `warm` or `virtual`.
    pub backup_mode: String,
    /// SHA-256 over what must match on both devices.
    pub config_digest: [u8; 32],
}

/// What the session asks of the TCP stack, in order.
///
/// After [`Command::Close`] or [`Command::Abort`] the session is done with the connection: bytes
/// and the end of that connection need not be told any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Open a connection to the peer.
    Connect,
    /// Have a listening socket, beside a connected one if there is one.
    Listen,
    /// Send what was given, then close.
    Close,
    /// Reset the connection, or give the attempt up. When it comes in answer to a further
    /// `handle_connected` it means the old connection; what follows is for the new one.
    Abort,
    /// Send these octets on the connection.
    Send(Vec<u8>),
}
