//! A simulated host: a listener that answers queries, and a source of numbered streams.

use dut_device::{
    Control, ControlError, Device, Event, Instant, MacAddr, PortId, PortInfo, Transmit, TxId,
};
use harness_wire::{Fields, Kind, MldView, build, decode, layers};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::Ipv6Addr;
use std::time::Duration;

/// What a host understands.
const COMMANDS: &str = "`join GROUP [include S,S… | exclude S,S…]`, `leave GROUP`, `silent`, \
     `answer`, `stream GROUP [every MS]`, `stop GROUP`";

/// Filter mode with its sources: what this host asks of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Filter {
    exclude: bool,
    sources: BTreeSet<Ipv6Addr>,
}

#[derive(Debug, Clone, Copy)]
struct Stream {
    next: Instant,
    every: Duration,
    sequence: u64,
}

/// A host on one port. It speaks MLD version 2 as a listener (RFC 3810 section 6) and sends streams
/// of numbered UDP packets.
#[derive(Debug)]
pub struct Host {
    ports: [PortInfo; 1],
    address: Option<Ipv6Addr>,
    link_local: Ipv6Addr,
    up: bool,
    silent: bool,
    groups: BTreeMap<Ipv6Addr, Filter>,
    /// Responses to queries by when they are due; `None` is the whole state.
    responses: BTreeMap<Option<Ipv6Addr>, Instant>,
    /// State changes to be repeated: when, and the record.
    repeats: VecDeque<(Instant, Value)>,
    streams: BTreeMap<Ipv6Addr, Stream>,
    queue: VecDeque<Transmit>,
    sent: u64,
    rng: ChaCha8Rng,
}

impl Host {
    /// A host with a MAC address, from which its link-local address is made; `address` is what its
    /// streams carry as source. Response delays come from `seed`.
    #[must_use]
    pub fn new(mac: MacAddr, address: Option<Ipv6Addr>, seed: u64) -> Self {
        Self {
            ports: [PortInfo {
                id: PortId(0),
                name: "0".to_owned(),
                mac,
            }],
            address,
            link_local: mac.link_local(),
            up: false,
            silent: false,
            groups: BTreeMap::new(),
            responses: BTreeMap::new(),
            repeats: VecDeque::new(),
            streams: BTreeMap::new(),
            queue: VecDeque::new(),
            sent: 0,
            rng: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    fn mac(&self) -> String {
        let [port] = &self.ports;
        port.mac.to_string()
    }

    fn send(&mut self, kind: Kind, mut fields: Fields) {
        fields.insert("ether.source".to_owned(), self.mac().into());
        // The fields are this file's own: a frame that can't be built isn't sent, and is missed.
        let Ok(frame) = build(kind, &fields) else {
            return;
        };
        self.sent += 1;
        self.queue.push_back(Transmit {
            port: PortId(0),
            tx: TxId(self.sent),
            frame,
        });
    }

    fn report(&mut self, records: Vec<Value>) {
        if self.up && !self.silent && !records.is_empty() {
            let fields = [
                ("ipv6.source".to_owned(), self.link_local.to_string().into()),
                ("records".to_owned(), Value::Array(records)),
            ];
            self.send(Kind::MldReport, fields.into_iter().collect());
        }
    }

    /// A state change is sent at once and repeated once within a second (RFC 3810 6.1).
    fn change(&mut self, now: Instant, record: Value) {
        self.report(vec![record.clone()]);
        let delay = Duration::from_millis(u64::from(self.rng.next_u32() % 800) + 100);
        self.repeats.push_back((now + delay, record));
    }

    fn current(&self, group: Ipv6Addr) -> Option<Value> {
        let filter = self.groups.get(&group)?;
        let kind = if filter.exclude { "IS_EX" } else { "IS_IN" };
        Some(record(kind, group, &filter.sources))
    }

    /// A new change of a group takes the place of what was still to be repeated (RFC 3810 6.1).
    fn forget_repeats(&mut self, group: Ipv6Addr) {
        let group = Value::from(group.to_string());
        self.repeats
            .retain(|(_, record)| record.get("group") != Some(&group));
    }

    fn join(&mut self, now: Instant, group: Ipv6Addr, filter: Filter) {
        self.forget_repeats(group);
        let none = Filter {
            exclude: false,
            sources: BTreeSet::new(),
        };
        let before = self.groups.insert(group, filter.clone()).unwrap_or(none);
        match (before.exclude, filter.exclude) {
            (false, true) => self.change(now, record("TO_EX", group, &filter.sources)),
            (true, false) => self.change(now, record("TO_IN", group, &filter.sources)),
            (mode, _) => {
                let more = filter
                    .sources
                    .difference(&before.sources)
                    .copied()
                    .collect();
                let fewer = before
                    .sources
                    .difference(&filter.sources)
                    .copied()
                    .collect();
                // In EXCLUDE mode a source more on the list is a source less wanted.
                let (allow, block) = if mode { (fewer, more) } else { (more, fewer) };
                for (kind, sources) in [("ALLOW", allow), ("BLOCK", block)] {
                    let sources: BTreeSet<Ipv6Addr> = sources;
                    if !sources.is_empty() {
                        self.change(now, record(kind, group, &sources));
                    }
                }
            }
        }
    }

    fn leave(&mut self, now: Instant, group: Ipv6Addr) {
        self.forget_repeats(group);
        let Some(filter) = self.groups.remove(&group) else {
            return;
        };
        let nothing = BTreeSet::new();
        let record = if filter.exclude {
            record("TO_IN", group, &nothing)
        } else {
            record("BLOCK", group, &filter.sources)
        };
        self.change(now, record);
    }

    /// The rest of a `join`: nothing, `include S,…` or `exclude S,…`.
    fn filter(words: &[&str]) -> Option<Filter> {
        let (exclude, list) = match words {
            [] => {
                return Some(Filter {
                    exclude: true,
                    sources: BTreeSet::new(),
                });
            }
            ["include", list] => (false, list),
            ["exclude", list] => (true, list),
            _ => return None,
        };
        let sources = list
            .split(',')
            .map(str::parse)
            .collect::<Result<_, _>>()
            .ok()?;
        Some(Filter { exclude, sources })
    }

    fn command(&mut self, now: Instant, text: &str) -> Option<()> {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            ["join", group, rest @ ..] => {
                let filter = Self::filter(rest)?;
                self.join(now, multicast(group)?, filter);
            }
            ["leave", group] => self.leave(now, multicast(group)?),
            ["silent"] => self.silent = true,
            ["answer"] => self.silent = false,
            ["stream", group, rest @ ..] => {
                let ms = match rest {
                    [] => 5,
                    ["every", ms] => ms.parse().ok().filter(|ms| *ms > 0)?,
                    _ => return None,
                };
                let every = Duration::from_millis(ms);
                let stream = Stream {
                    next: now,
                    every,
                    sequence: 1,
                };
                self.streams.insert(multicast(group)?, stream);
                self.due(now);
            }
            ["stop", group] => {
                self.streams.remove(&multicast(group)?);
            }
            _ => return None,
        }
        Some(())
    }

    fn query(&mut self, now: Instant, message: &[u8], delay_ms: u64) {
        let group = MldView::of(message).and_then(|view| view.group());
        let group = group.filter(|group| !group.is_unspecified());
        if group.is_some_and(|group| !self.groups.contains_key(&group)) || self.groups.is_empty() {
            return;
        }
        // Never at once: the answers of many hosts must spread (RFC 3810 6.2).
        let span = delay_ms.clamp(10, 8_387_584) - 9;
        let delay = Duration::from_millis(9 + self.rng.next_u64() % span);
        let due = now + delay;
        let pending = self.responses.entry(group).or_insert(due);
        *pending = (*pending).min(due);
    }

    fn due(&mut self, now: Instant) {
        while let Some(at) = self.repeats.iter().position(|(due, _)| *due <= now) {
            if let Some((_, record)) = self.repeats.remove(at) {
                self.report(vec![record]);
            }
        }
        let ready: Vec<Option<Ipv6Addr>> = self
            .responses
            .iter()
            .filter(|(_, due)| **due <= now)
            .map(|(group, _)| *group)
            .collect();
        for group in ready {
            self.responses.remove(&group);
            let groups: Vec<Ipv6Addr> = match group {
                Some(group) => vec![group],
                None => self.groups.keys().copied().collect(),
            };
            let records = groups.into_iter().filter_map(|group| self.current(group));
            // 72 records without sources fill 1500 octets.
            let records: Vec<Value> = records.collect();
            for chunk in records.chunks(60) {
                self.report(chunk.to_vec());
            }
        }
        let groups: Vec<Ipv6Addr> = self.streams.keys().copied().collect();
        for group in groups {
            self.stream(now, group);
        }
    }

    fn stream(&mut self, now: Instant, group: Ipv6Addr) {
        let Some(source) = self.address else { return };
        let Some(stream) = self.streams.get_mut(&group) else {
            return;
        };
        if stream.next > now {
            return;
        }
        let sequence = stream.sequence;
        stream.sequence += 1;
        stream.next += stream.every;
        let fields = json!({
            "ipv6.source": source.to_string(),
            "ipv6.destination": group.to_string(),
            "sequence": sequence,
        });
        if self.up
            && let Value::Object(fields) = fields
        {
            self.send(Kind::Udp, fields.into_iter().collect());
        }
    }
}

fn multicast(text: &str) -> Option<Ipv6Addr> {
    text.parse().ok().filter(Ipv6Addr::is_multicast)
}

fn record(kind: &str, group: Ipv6Addr, sources: &BTreeSet<Ipv6Addr>) -> Value {
    let sources: Vec<String> = sources.iter().map(Ipv6Addr::to_string).collect();
    json!({"type": kind, "group": group.to_string(), "sources": sources})
}

impl Device for Host {
    fn ports(&self) -> &[PortInfo] {
        &self.ports
    }

    fn handle_frame(&mut self, now: Instant, _port: PortId, frame: &[u8]) {
        // A host that takes no notice of streams must not pay for decoding them.
        let Some(layers) = layers(frame) else { return };
        let Some(ip) = layers.ip.filter(|ip| ip.next_header == 58) else {
            return;
        };
        if ip.payload.first() == Some(&130) {
            let decoded = decode(frame);
            let delay = decoded
                .fields
                .get("max_response_delay_ms")
                .and_then(Value::as_u64);
            if decoded.anomalies.is_empty() && ip.hop_limit == 1 && !ip.router_alerts.is_empty() {
                self.query(now, ip.payload, delay.unwrap_or(0));
            }
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.due(now);
    }

    fn handle_control(&mut self, now: Instant, control: &Control) -> Result<(), ControlError> {
        match control {
            Control::LinkUp(_) => {
                let was = std::mem::replace(&mut self.up, true);
                if !was {
                    let groups: Vec<Ipv6Addr> = self.groups.keys().copied().collect();
                    for group in groups {
                        let current = self.current(group);
                        self.report(current.into_iter().collect());
                    }
                }
                Ok(())
            }
            Control::LinkDown(_) => {
                self.up = false;
                Ok(())
            }
            Control::Command(text) => self.command(now, text).ok_or_else(|| {
                ControlError::UnknownCommand(format!("`{text}`: a host takes {COMMANDS}"))
            }),
        }
    }

    fn handle_transmitted(&mut self, _at: Instant, _tx: TxId) {}

    fn poll_transmit(&mut self) -> Option<Transmit> {
        self.queue.pop_front()
    }

    fn poll_event(&mut self) -> Option<Event> {
        None
    }

    fn next_timeout(&self) -> Option<Instant> {
        let repeats = self.repeats.iter().map(|(due, _)| *due);
        let responses = self.responses.values().copied();
        let streams = self.streams.values().map(|stream| stream.next);
        repeats.chain(responses).chain(streams).min()
    }
}
