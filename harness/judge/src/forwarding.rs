//! Who forwards: at most one device of the pair, and nothing twice outside a split.

use crate::verdict::Finding;
use dut_device::Instant;
use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::time::Duration;

/// The pair's roles are known this late at most: a packet that came twice is judged after it.
const LATE: Duration = Duration::from_millis(60);
/// A number that comes again after so long is another stream's.
const MEMORY: Duration = Duration::from_secs(1);
/// Packets of a stream that are remembered.
const PACKETS: usize = 2048;

/// A numbered packet on its way to the listeners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) source: Ipv6Addr,
    pub(crate) group: Ipv6Addr,
    pub(crate) number: u64,
}

#[derive(Debug, Clone, Copy)]
struct Sent {
    at: Instant,
    device: usize,
}

/// What the two devices have forwarded.
#[derive(Debug, Default)]
pub(crate) struct Forwarding {
    flows: BTreeMap<(Ipv6Addr, Ipv6Addr), BTreeMap<u64, Sent>>,
    split: bool,
    /// The end of the last split, with the time in which it is known.
    calm_from: Instant,
    /// Packets seen outside a split.
    pub(crate) premises: u64,
    /// A packet that came twice, while it isn't known whether a split has just begun.
    pending: Option<(Instant, Finding)>,
    pub(crate) broken: Option<Finding>,
}

impl Forwarding {
    /// A device has sent a packet towards the listeners.
    pub(crate) fn sent(
        &mut self,
        (record, at): (usize, Instant),
        device: usize,
        packet: Packet,
        names: &[String; 2],
    ) {
        self.advance(at);
        let flow = self.flows.entry((packet.source, packet.group)).or_default();
        let before = flow.insert(packet.number, Sent { at, device });
        while flow.len() > PACKETS {
            flow.pop_first();
        }
        if self.split || at < self.calm_from {
            return;
        }
        self.premises += 1;
        let Some(before) = before.filter(|before| at.since(before.at) < MEMORY) else {
            return;
        };
        if self.pending.is_none() && self.broken.is_none() {
            let name = |device: usize| names.get(device).map_or("?", String::as_str);
            let who = if before.device == device {
                format!("{} twice", name(device))
            } else {
                format!("{} and {}", name(before.device), name(device))
            };
            let Packet {
                source,
                group,
                number,
            } = packet;
            let what = format!(
                "packet {number} of ({source}, {group}) is forwarded by {who}, {} us apart",
                at.since(before.at).as_micros()
            );
            let finding = Finding {
                requirement: Some("BACKUP-010".to_owned()),
                record: Some(record),
                at_ns: at.as_nanos(),
                ..Finding::of(what)
            };
            self.pending = Some((at, finding));
        }
    }

    /// Whether both devices are Master from now on.
    pub(crate) fn split(&mut self, at: Instant, split: bool) {
        self.advance(at);
        if split {
            // It had begun before it was seen.
            self.pending = None;
        }
        if split || self.split {
            self.calm_from = at + LATE;
        }
        self.split = split;
    }

    /// Judges what has waited long enough.
    pub(crate) fn advance(&mut self, now: Instant) {
        if let Some((_, finding)) = self.pending.take_if(|(at, _)| now > *at + LATE) {
            self.broken.get_or_insert(finding);
        }
    }
}

#[cfg(test)]
mod tests;
