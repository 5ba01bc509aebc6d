//! Whether interfaces have a carrier, and when that changes.

use crate::readable::readable;
use netlink_packet_core::{NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkMessage};
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

/// What has changed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// A link's carrier, or something else of it.
    Of(String, Carrier),
    /// Something that isn't said, or that was lost: all are to be looked at.
    Any,
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

    /// Waits until some link has changed. What it has become is taken from the kernel's message:
    /// sysfs has to be asked for every port, waits for whoever changes a link in any namespace of
    /// this host, and shows a later state than that which was told.
    pub(crate) async fn changed(&self) -> io::Result<Vec<Change>> {
        loop {
            let mut ready = self.socket.readable().await?;
            let mut message = [0_u8; 8192];
            let read =
                ready.try_io(
                    |socket| match recv(socket, &mut message, RecvFlags::empty()) {
                        Ok((read, _)) => Ok(told(message.get(..read).unwrap_or(&message))),
                        Err(rustix::io::Errno::NOBUFS) => Ok(vec![Change::Any]),
                        Err(error) => Err(error.into()),
                    },
                );
            if let Ok(read) = read {
                return read;
            }
        }
    }
}

/// What messages of the kernel say.
fn told(mut messages: &[u8]) -> Vec<Change> {
    let mut changes = Vec::new();
    while !messages.is_empty() {
        let Ok(message) = NetlinkMessage::<RouteNetlinkMessage>::deserialize(messages) else {
            changes.push(Change::Any);
            break;
        };
        // Each begins at a multiple of four octets (NLMSG_ALIGNTO).
        let length = usize::try_from(message.header.length).unwrap_or(usize::MAX);
        let after = length.max(1).saturating_add(3) & !3;
        messages = messages.get(after..).unwrap_or_default();
        let change = if let NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewLink(link)) =
            message.payload
        {
            of(&link)
        } else {
            None
        };
        changes.push(change.unwrap_or(Change::Any));
    }
    changes
}

fn of(link: &LinkMessage) -> Option<Change> {
    /// The value of the first attribute of a kind.
    macro_rules! attribute {
        ($kind:ident) => {
            link.attributes.iter().find_map(|attribute| {
                if let LinkAttribute::$kind(value) = attribute {
                    Some(value.clone())
                } else {
                    None
                }
            })
        };
    }
    let carrier = Carrier {
        up: attribute!(Carrier)? == 1 && link.header.flags.contains(LinkFlags::Up),
        losses: u64::from(attribute!(CarrierDownCount)?),
        changes: u64::from(attribute!(CarrierChanges)?),
    };
    Some(Change::Of(attribute!(IfName)?, carrier))
}

/// The carrier of an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Carrier {
    /// The interface is up and has it.
    pub(crate) up: bool,
    /// How often it was lost so far: one that is back at once was lost too.
    pub(crate) losses: u64,
    /// How often it was lost or came back: the greater is the later.
    pub(crate) changes: u64,
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
            changes: read("carrier_changes").unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message of rtnetlink(7): RTM_NEWLINK of an Ethernet interface with flags and attributes.
    fn new_link(flags: u32, attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut body = vec![0, 0, 1, 0, 7, 0, 0, 0];
        body.extend(flags.to_le_bytes());
        body.extend([0; 4]);
        for (kind, value) in attributes {
            let length = u16::try_from(4 + value.len()).unwrap_or_default();
            body.extend(length.to_le_bytes());
            body.extend(kind.to_le_bytes());
            body.extend(*value);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        let length = u32::try_from(16 + body.len()).unwrap_or_default();
        let header = [length.to_le_bytes(), [16, 0, 0, 0], [0; 4], [0; 4]];
        [header.concat(), body].concat()
    }

    /// IFLA_IFNAME 3, IFLA_CARRIER 33, IFLA_CARRIER_CHANGES 35, IFLA_CARRIER_DOWN_COUNT 48; a
    /// carrier of an interface that is not IFF_UP is none, and what isn't said is to be looked at.
    #[test]
    fn a_message_says_what_a_link_has_become() {
        let named: (u16, &[u8]) = (3, b"eth1\0");
        let counts: [(u16, &[u8]); 2] = [(35, &[5, 0, 0, 0]), (48, &[2, 0, 0, 0])];
        let [changes, losses] = counts;
        let all = [named, (33, &[1]), changes, losses];
        let two = [new_link(1, &all), new_link(0, &all)].concat();
        let carrier = |up| Carrier {
            up,
            losses: 2,
            changes: 5,
        };
        let of = |carrier| Change::Of("eth1".to_owned(), carrier);
        assert_eq!(told(&two), [of(carrier(true)), of(carrier(false))]);
        assert_eq!(told(&new_link(1, &[named, changes, losses])), [Change::Any]);
        assert_eq!(told(&[0; 7]), [Change::Any]);
    }
}
