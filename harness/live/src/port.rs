//! One Ethernet interface through libpcap.

use crate::clock::Clock;
use crate::readable::readable;
use dut_device::Instant;
use pcap::{Active, Capture, Direction, Precision};
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::task::{Context, Poll};
use std::time::Duration;
use thiserror::Error;
use tokio::io::unix::AsyncFd;

/// Why an interface can't be used.
#[derive(Debug, Error)]
#[error("interface `{interface}`: {what}")]
pub struct PortError {
    /// The interface.
    pub interface: String,
    /// What the system says, and what would help.
    pub what: String,
}

/// How many frames a port has lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Frames that found the capture's buffer full.
    pub capture: u64,
    /// Frames that the interface dropped on receipt.
    pub interface: u64,
    /// Frames that it took from this host and dropped.
    pub sent: u64,
}

impl Counters {
    /// Received frames lost since an earlier reading.
    #[must_use]
    pub const fn since(&self, earlier: &Self) -> u64 {
        self.capture.saturating_sub(earlier.capture)
            + self.interface.saturating_sub(earlier.interface)
    }
}

/// An open interface: frames in with the kernel's timestamps, frames out. It never shows the frames
/// that are sent from this host through the interface, its own among them.
pub struct Port {
    interface: String,
    /// A descriptor of its own for the capture's socket; none of a port that is only polled.
    ready: Option<AsyncFd<OwnedFd>>,
    capture: Capture<Active>,
}

impl std::fmt::Debug for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Port")
            .field("interface", &self.interface)
            .finish_non_exhaustive()
    }
}

/// The longest frame that is captured whole, with a tag and more than any MTU here.
const SNAP_LENGTH: i32 = 9216;

impl Port {
    /// Opens an interface of the thread's network namespace, with a capture buffer of so many
    /// octets. Call within a runtime.
    ///
    /// # Errors
    /// [`PortError`], with what is missing: the interface, the right, libpcap's reason.
    pub fn open(interface: &str, buffer: i32) -> Result<Self, PortError> {
        let port = Self::polled(interface, buffer)?;
        let ready = port.socket().and_then(readable);
        let ready = ready.map_err(|error| PortError {
            interface: interface.to_owned(),
            what: error.to_string(),
        })?;
        Ok(Self {
            ready: Some(ready),
            ..port
        })
    }

    /// The same, whose readiness can't be waited for: who sends through its socket isn't slowed
    /// down by the kernel's looking for somebody who waits.
    ///
    /// # Errors
    /// As [`Port::open`].
    pub(crate) fn polled(interface: &str, buffer: i32) -> Result<Self, PortError> {
        let wrong = |what: String| PortError {
            interface: interface.to_owned(),
            what,
        };
        let pcap = |error: pcap::Error| {
            let text = error.to_string();
            let help = if text.contains("ermission") || text.contains("not permitted") {
                "; run as root or grant CAP_NET_RAW"
            } else {
                ""
            };
            wrong(format!("{text}{help}"))
        };
        let capture = Capture::from_device(interface)
            .map_err(pcap)?
            .promisc(true)
            .immediate_mode(true)
            .precision(Precision::Nano)
            .snaplen(SNAP_LENGTH)
            .buffer_size(buffer)
            .timeout(1)
            .open()
            .map_err(pcap)?;
        let capture = capture.setnonblock().map_err(pcap)?;
        capture.direction(Direction::In).map_err(pcap)?;
        Ok(Self {
            interface: interface.to_owned(),
            ready: None,
            capture,
        })
    }

    /// The interface's name.
    #[must_use]
    pub fn interface(&self) -> &str {
        &self.interface
    }

    /// Whether there may be a frame.
    pub fn poll_ready(&self, context: &mut Context<'_>) -> Poll<()> {
        let Some(ready) = &self.ready else {
            return Poll::Ready(());
        };
        match ready.poll_read_ready(context) {
            Poll::Ready(Ok(mut guard)) => {
                // It is drained before the next wait, or is still readable then.
                guard.clear_ready();
                Poll::Ready(())
            }
            Poll::Ready(Err(_)) => Poll::Ready(()),
            Poll::Pending => Poll::Pending,
        }
    }

    /// The next frame that has arrived, with when it did.
    ///
    /// # Errors
    /// [`PortError`] when the interface has gone.
    pub fn receive(&mut self, clock: &Clock) -> Result<Option<(Instant, Vec<u8>)>, PortError> {
        match self.capture.next_packet() {
            Ok(packet) => {
                let ts = packet.header.ts;
                let seconds = u64::try_from(ts.tv_sec).unwrap_or(0);
                // With this precision the field of microseconds holds nanoseconds.
                let nanoseconds = u32::try_from(ts.tv_usec).unwrap_or(0);
                let at = clock.at(Duration::new(seconds, nanoseconds));
                Ok(Some((at, packet.data.to_vec())))
            }
            Err(pcap::Error::TimeoutExpired | pcap::Error::NoMorePackets) => Ok(None),
            // The interface was taken down, which a case may do: the handle works again after.
            Err(pcap::Error::PcapError(text)) if text.contains("went down") => Ok(None),
            Err(error) => Err(PortError {
                interface: self.interface.clone(),
                what: error.to_string(),
            }),
        }
    }

    /// Sends a frame; whether the interface took it (it doesn't while it is down).
    ///
    /// # Errors
    /// [`PortError`] for what isn't a matter of the carrier.
    pub fn send(&mut self, frame: &[u8]) -> Result<bool, PortError> {
        match self.capture.sendpacket(frame) {
            Ok(()) => Ok(true),
            Err(error) => {
                let what = error.to_string();
                let down = ["is down", "No buffer space", "not available", "ENETDOWN"];
                if down.iter().any(|text| what.contains(text)) {
                    return Ok(false);
                }
                Err(PortError {
                    interface: self.interface.clone(),
                    what,
                })
            }
        }
    }

    /// A descriptor of its own for the capture's socket, to send by: the capture shows none of it.
    pub(crate) fn socket(&self) -> std::io::Result<OwnedFd> {
        Ok(rustix::io::dup(self.capture.as_fd())?)
    }

    /// What has been lost so far. The interface's counter is that of the thread's namespace.
    pub fn counters(&mut self) -> Counters {
        let capture = self.capture.stats().map(|stats| stats.dropped).unwrap_or(0);
        let [received, sent] = interface_drops(&self.interface);
        Counters {
            capture: u64::from(capture),
            interface: received,
            sent,
        }
    }
}

/// Drops of an interface on receipt and on sending, from the kernel's table; 0 where it isn't
/// there.
fn interface_drops(interface: &str) -> [u64; 2] {
    let table = fs::read_to_string("/proc/thread-self/net/dev").unwrap_or_default();
    let row = table
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.trim() == interface);
    let numbers: Vec<&str> = row
        .map(|(_, numbers)| numbers.split_whitespace().collect())
        .unwrap_or_default();
    [3, 11].map(|column| {
        let dropped = numbers.get(column).and_then(|text| text.parse().ok());
        dropped.unwrap_or(0)
    })
}

/// Waits until one of these ports may have a frame.
pub(crate) async fn any_ready(ports: &[Port]) {
    std::future::poll_fn(|context| {
        // Each is asked, so that each wakes the task.
        let ready = ports
            .iter()
            .filter(|port| port.poll_ready(context).is_ready())
            .count();
        if ready > 0 {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

/// Everything that has arrived at these ports, by time, with the port's index.
///
/// # Errors
/// [`PortError`] when an interface has gone.
pub(crate) fn drain(
    ports: &mut [Port],
    clock: &Clock,
) -> Result<Vec<(Instant, usize, Vec<u8>)>, PortError> {
    let mut arrived = Vec::new();
    for (index, port) in ports.iter_mut().enumerate() {
        // A flood on one port must not keep the others and the timers waiting.
        for _ in 0..MOST_AT_ONCE {
            match port.receive(clock)? {
                Some((at, octets)) => arrived.push((at, index, octets)),
                None => break,
            }
        }
    }
    arrived.sort_by_key(|(at, index, _)| (*at, *index));
    Ok(arrived)
}

/// Frames that are taken from one port before the others get their turn.
const MOST_AT_ONCE: usize = 4096;
