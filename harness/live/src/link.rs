//! Takes interfaces up and down in one call: no program is started, so that what a device does
//! about it can be told from what it did before.

use crate::netns::enter;
use rustix::fd::OwnedFd;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with,
};

/// The links of one network namespace.
#[derive(Debug)]
pub(crate) struct Links {
    /// A routing socket of that namespace.
    socket: OwnedFd,
}

/// RTM_SETLINK, and what is asked: a request to be acknowledged.
const SET_LINK: u16 = 19;
const REQUEST: u16 = 0x05;
/// NLMSG_ERROR: the acknowledgement.
const ACKNOWLEDGED: u16 = 2;
/// IFF_UP.
const UP: u32 = 1;
/// IFLA_IFNAME.
const NAME: u16 = 3;

impl Links {
    /// Those of a namespace that Tandem made; `None`: of the thread's own.
    pub(crate) fn of(namespace: Option<&str>) -> Result<Self, String> {
        let open = || {
            let kind = (SocketType::RAW, SocketFlags::CLOEXEC);
            let socket = socket_with(AddressFamily::NETLINK, kind.0, kind.1, None);
            socket.map_err(|error| format!("routing socket: {error}"))
        };
        let Some(namespace) = namespace else {
            return Ok(Self { socket: open()? });
        };
        let namespace = namespace.to_owned();
        // Of a thread of its own: a thread is in one namespace, a socket stays in its own.
        let opened = std::thread::spawn(move || {
            enter(&namespace)?;
            open()
        });
        let socket = opened.join();
        let socket = socket.map_err(|_panic| "the routing socket's thread failed".to_owned())?;
        Ok(Self { socket: socket? })
    }

    /// Takes an interface up or down; it has happened when this returns.
    pub(crate) fn set(&self, interface: &str, up: bool) -> Result<(), String> {
        let state = if up { "up" } else { "down" };
        let wrong = |error: &dyn std::fmt::Display| format!("link {interface} {state}: {error}");
        let request = request(interface, up);
        let sent = send(&self.socket, &request, SendFlags::empty());
        sent.map_err(|error| wrong(&error))?;
        let mut answer = [0_u8; 1024];
        let received = recv(&self.socket, &mut answer, RecvFlags::empty());
        received.map_err(|error| wrong(&error))?;
        let number = |at: usize| answer.get(at..at + 4).and_then(|o| o.try_into().ok());
        let kind = answer.get(4..6).and_then(|octets| octets.try_into().ok());
        match (
            kind.map(u16::from_ne_bytes),
            number(16).map(i32::from_ne_bytes),
        ) {
            (Some(ACKNOWLEDGED), Some(0)) => Ok(()),
            (Some(ACKNOWLEDGED), Some(error)) => {
                let error = std::io::Error::from_raw_os_error(error.saturating_neg());
                Err(wrong(&error))
            }
            _ => Err(wrong(&"the kernel answers something else")),
        }
    }
}

/// The message: header, interface information (rtnetlink(7)), and the interface's name.
fn request(interface: &str, up: bool) -> Vec<u8> {
    let mut message = Vec::new();
    message.extend(SET_LINK.to_ne_bytes());
    message.extend(REQUEST.to_ne_bytes());
    // Sequence number, port; family, type and index: the name says which.
    message.extend([0; 4 + 4 + 4 + 4]);
    message.extend(if up { UP } else { 0 }.to_ne_bytes());
    message.extend(UP.to_ne_bytes());
    let length = u16::try_from(4 + interface.len() + 1).unwrap_or(u16::MAX);
    message.extend(length.to_ne_bytes());
    message.extend(NAME.to_ne_bytes());
    message.extend(interface.as_bytes());
    message.push(0);
    while message.len() % 4 != 0 {
        message.push(0);
    }
    let length = u32::try_from(message.len() + 4).unwrap_or(u32::MAX);
    let mut whole = length.to_ne_bytes().to_vec();
    whole.extend(message);
    whole
}
