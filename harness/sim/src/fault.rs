//! Faults of links: loss and delay of what matches.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Which frames a fault takes; what is `None` matches all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultMatch {
    /// EtherType.
    pub ethertype: Option<u16>,
    /// IPv6 Next Header, after a Hop-by-Hop header.
    pub next_header: Option<u8>,
    /// UDP or TCP port, source or destination.
    pub port: Option<u16>,
    /// Name of the end that sent it.
    pub from: Option<String>,
}

/// A fault on some links.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Name to heal it by.
    pub name: String,
    /// Names of links; empty means all.
    pub links: Vec<String>,
    /// Which frames.
    pub matching: FaultMatch,
    /// Percentage lost, 0–100.
    pub loss: u8,
    /// Added delay.
    pub delay: Duration,
}

impl Fault {
    /// What this fault does to a frame that `from` sends on a link: `None` when it is lost, else
    /// the added delay.
    fn apply(
        &self,
        link: &str,
        from: &str,
        frame: &[u8],
        rng: &mut ChaCha8Rng,
    ) -> Option<Duration> {
        let here = self.links.is_empty() || self.links.iter().any(|name| name == link);
        if !here || !self.matching.holds(from, frame) {
            return Some(Duration::ZERO);
        }
        let lost = match self.loss {
            0 => false,
            100.. => true,
            percent => rng.next_u32() % 100 < u32::from(percent),
        };
        (!lost).then_some(self.delay)
    }
}

/// The faults that are on.
#[derive(Debug, Clone, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Begins a fault.
    pub fn begin(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// Ends the fault of this name, or all.
    pub fn heal(&mut self, name: Option<&str>) {
        self.0
            .retain(|fault| name.is_some_and(|name| fault.name != name));
    }

    /// Whether none is on.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In the order in which they began.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }

    /// What they do together to a frame that `from` sends on a link: `None` when it is lost, else
    /// the added delay. Each draws its chance, whatever the others do.
    #[must_use]
    pub fn apply(
        &self,
        link: &str,
        from: &str,
        frame: &[u8],
        rng: &mut ChaCha8Rng,
    ) -> Option<Duration> {
        let mut delay = Some(Duration::ZERO);
        for fault in &self.0 {
            let added = fault.apply(link, from, frame, rng);
            delay = delay.and_then(|delay| added.map(|added| delay + added));
        }
        delay
    }
}

impl FaultMatch {
    fn holds(&self, from: &str, frame: &[u8]) -> bool {
        if self.from.as_deref().is_some_and(|name| name != from) {
            return false;
        }
        let headers = Headers::of(frame);
        let agrees = |wanted: Option<u16>, found: &[Option<u16>]| {
            wanted.is_none_or(|wanted| found.contains(&Some(wanted)))
        };
        agrees(self.ethertype, &[headers.ethertype])
            && agrees(
                self.next_header.map(u16::from),
                &[headers.next_header.map(u16::from)],
            )
            && agrees(self.port, &headers.ports)
    }
}

#[derive(Default)]
struct Headers {
    ethertype: Option<u16>,
    next_header: Option<u8>,
    ports: [Option<u16>; 2],
}

impl Headers {
    fn of(frame: &[u8]) -> Self {
        let u16_at = |at: usize| {
            frame
                .get(at..at + 2)
                .and_then(|f| f.try_into().ok())
                .map(u16::from_be_bytes)
        };
        let mut headers = Self {
            ethertype: u16_at(12),
            ..Self::default()
        };
        let mut at = 14;
        if headers.ethertype == Some(0x8100) {
            headers.ethertype = u16_at(16);
            at = 18;
        }
        if headers.ethertype != Some(0x86dd) {
            return headers;
        }
        headers.next_header = frame.get(at + 6).copied();
        at += 40;
        if headers.next_header == Some(0) {
            headers.next_header = frame.get(at).copied();
            at += 8 + frame
                .get(at + 1)
                .map_or(0, |length| usize::from(*length) * 8);
        }
        if matches!(headers.next_header, Some(6 | 17)) {
            headers.ports = [u16_at(at), u16_at(at + 2)];
        }
        headers
    }
}
