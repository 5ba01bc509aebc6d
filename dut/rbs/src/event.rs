//! What a session reports.

use std::net::Ipv6Addr;

/// Something that a session reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RbsEvent {
    /// Both have opened: the session is connected.
    Up,
    /// The session, or the attempt, has ended.
    Down {
        /// Last down reason, as `TCP closed for packet error.`
        reason: &'static str,
    },
    /// The peer has given an entry. A master adopts it into its live state.
    Upserted {
        /// Backup-ID.
        backup_id: u16,
        /// Eth-Trunk id.
        eth_trunk: u16,
        /// Multicast address.
        group: Ipv6Addr,
    },
    /// An entry heard from the peer is gone: deleted, swept or aged out.
    Deleted {
        /// Backup-ID.
        backup_id: u16,
        /// Eth-Trunk id.
        eth_trunk: u16,
        /// Multicast address.
        group: Ipv6Addr,
    },
    /// The peer has given the interface's state.
    InterfaceChanged {
        /// Backup-ID.
        backup_id: u16,
    },
    /// [`crate::Session::synchronized`] has changed.
    Synchronized {
        /// Backup-ID.
        backup_id: u16,
        /// What it is now.
        synchronized: bool,
    },
    /// A message was refused, or the session was for it.
    Discarded {
        /// The counter's name, as `malformed`.
        reason: &'static str,
    },
}
