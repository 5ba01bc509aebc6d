//! Whether interfaces have a carrier, and when that changes.

use crate::readable::readable;
use rustix::fd::OwnedFd;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recv, socket_with};
use std::fs;
use std::io;
use tokio::io::unix::AsyncFd;

/// Multicast group of link changes (RTMGRP_LINK).
const LINK_GROUP: u32 = 1;

/// Watches the links of the thread's network namespace.
#[derive(Debug)]
pub(crate) struct Carriers {
    socket: AsyncFd<OwnedFd>,
}

impl Carriers {
    pub(crate) fn watch() -> io::Result<Self> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        // Protocol 0 of netlink is routing.
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
        bind(&socket, &SocketAddrNetlink::new(0, LINK_GROUP))?;
        Ok(Self {
            socket: readable(socket)?,
        })
    }

    /// Waits until some link has changed.
    pub(crate) async fn changed(&self) -> io::Result<()> {
        loop {
            let mut ready = self.socket.readable().await?;
            let mut message = [0_u8; 8192];
            let read = ready.try_io(|socket| {
                // What changed doesn't matter: all are looked at. An overrun says the same.
                match recv(socket, &mut message, RecvFlags::empty()) {
                    Ok(_) | Err(rustix::io::Errno::NOBUFS) => Ok(()),
                    Err(error) => Err(error.into()),
                }
            });
            if let Ok(read) = read {
                return read;
            }
        }
    }
}

/// The carrier of an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Carrier {
    /// The interface is up and has it.
    pub(crate) up: bool,
    /// How often it was lost so far: one that is back at once was lost too.
    pub(crate) losses: u64,
}

impl Carrier {
    /// That of an interface; none where it isn't there.
    pub(crate) fn of(interface: &str) -> Self {
        let read = |name: &str| {
            let text = fs::read_to_string(format!("/sys/class/net/{interface}/{name}"));
            text.ok()?.trim().parse::<u64>().ok()
        };
        Self {
            up: read("carrier") == Some(1),
            losses: read("carrier_down_count").unwrap_or(0),
        }
    }
}
