//! An MLD interface under messages of any octets, without frames and a device around it: what the
//! whole device is too slow for.

use crate::mutate::Source;
use dut_device::Instant;
use dut_mld::{Envelope, FilterMode, Interface, InterfaceConfig, is_tracked};
use dut_wire::icmpv6;
use dut_wire::mld::{ALL_MLDV2_ROUTERS, ALL_NODES, ALL_ROUTERS};
use dut_wire::mld::{MaximumResponseCode, Message, Qqic, Qrv, Query, QueryV1, QueryV2};
use dut_wire::mld::{Record, RecordType, Report};
use std::net::Ipv6Addr;
use std::time::Duration;

pub(crate) const OWN: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x11);
/// A better querier, a worse one, a listener, and who may not speak.
const SPEAKERS: [Ipv6Addr; 4] = [
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1),
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0xff),
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0xa1),
    Ipv6Addr::UNSPECIFIED,
];
pub(crate) const GROUPS: [Ipv6Addr; 5] = [
    Ipv6Addr::new(0xff1e, 0, 0, 0, 0, 0, 0, 1),
    Ipv6Addr::new(0xff1e, 0, 0, 0, 0, 0, 0, 2),
    Ipv6Addr::new(0xff3e, 0, 0, 0, 0, 0, 0, 3),
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1),
    Ipv6Addr::UNSPECIFIED,
];
const DESTINATIONS: [Ipv6Addr; 5] = [ALL_MLDV2_ROUTERS, ALL_NODES, ALL_ROUTERS, OWN, GROUPS[0]];
/// More timeouts than any schedule's time has.
const TIMEOUTS_MAX: usize = 20_000;
const GROUP_LIMIT: usize = 3;
const SOURCE_LIMIT: usize = 6;

struct Bench {
    interface: Interface,
    now: Instant,
}

/// A schedule from these octets: queries, reports and noise from several speakers, time, the link.
///
/// # Panics
/// When the interface sends what isn't legal, holds more than its limits or an illegal record, has
/// a timeout in the past or timeouts without end, or keeps a group that nobody reports any longer.
pub fn schedule(octets: &[u8]) {
    let mut unstructured = arbitrary::Unstructured::new(octets);
    let mut source = Source::new(&mut unstructured);
    let config = InterfaceConfig {
        version: *source.pick(&[2, 2, 1]),
        robustness: *source.pick(&[2, 1, 7]),
        query_interval: Duration::from_secs(*source.pick(&[125, 20, 1])),
        compatibility: source.chance(80),
        require_router_alert: source.chance(80),
        group_limit: GROUP_LIMIT,
        source_limit: SOURCE_LIMIT,
        report_limit: *source.pick(&[20_000, 3]),
        ..InterfaceConfig::new("fuzz", OWN)
    };
    let mut bench = Bench {
        interface: Interface::new(config.clone()),
        now: Instant::from_secs(1),
    };
    if source.chance(95) {
        bench.interface.start(bench.now);
    }
    for _ in 0..64 {
        if source.is_empty() {
            break;
        }
        bench.stimulus(&mut source, &config);
        // A timer may be due at once: a query can ask for an answer in no time.
        bench.pass(Duration::ZERO);
    }
    // Whatever was said: what nobody reports any longer is forgotten when its timers have run.
    for _ in 0..3 {
        let longest = bench.longest_timer();
        bench.pass(longest + Duration::from_secs(60));
    }
    let left = bench.interface.groups(bench.now);
    assert!(left.is_empty(), "nobody reports {left:?}");
}

impl Bench {
    fn stimulus(&mut self, source: &mut Source<'_, '_>, config: &InterfaceConfig) {
        match source.below(16) {
            0 => {
                let times = [0, 1, 500, 1000, 10_000, 130_000, 270_000];
                self.pass(Duration::from_millis(*source.pick(&times)));
            }
            1 if source.chance(20) => {
                self.interface.stop(self.now);
                if source.chance(80) {
                    self.interface.start(self.now);
                }
            }
            // A device that takes over: what this one holds, in another.
            2 if source.chance(30) => {
                let groups = self.interface.groups(self.now);
                let querier = self.interface.querier_state(self.now);
                self.interface = Interface::new(config.clone());
                self.interface.adopt(self.now, &groups, Some(querier));
            }
            _ => self.hear(source),
        }
    }

    fn hear(&mut self, source: &mut Source<'_, '_>) {
        let (envelope, octets) = spoken(source, &DESTINATIONS);
        self.interface.handle_message(self.now, &envelope, &octets);
        for group in GROUPS {
            // Any answer will do: it must have one.
            let _forwarded = self.interface.forwards(group, SPEAKERS[0]);
        }
    }

    fn longest_timer(&self) -> Duration {
        let groups = self.interface.groups(self.now);
        let timers = groups.iter().flat_map(|group| {
            let sources = group.sources.iter().map(|source| source.timer);
            sources.chain([group.filter_timer, group.v1_host])
        });
        timers.max().unwrap_or_default()
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        for _ in 0..TIMEOUTS_MAX {
            let due = self.interface.next_timeout().filter(|due| *due <= end);
            let Some(due) = due else {
                self.now = end;
                self.interface.handle_timeout(self.now);
                return self.judge();
            };
            assert!(due >= self.now, "a timeout in the past");
            self.now = due;
            self.interface.handle_timeout(self.now);
            self.judge();
        }
        panic!("timeouts without end");
    }

    /// What it sends is legal and its table too.
    fn judge(&mut self) {
        while self.interface.poll_event().is_some() {}
        while let Some(sent) = self.interface.poll_transmit() {
            let parsed = Message::parse(&sent.message);
            assert!(parsed.is_ok(), "it sends {parsed:?}");
            well_formed(&sent.message, OWN, sent.destination);
        }
        let groups = self.interface.groups(self.now);
        assert!(groups.len() <= GROUP_LIMIT, "{} groups", groups.len());
        for state in groups {
            assert!(is_tracked(state.group), "a record for {}", state.group);
            assert!(state.sources.len() <= SOURCE_LIMIT, "{state:?}");
            let mut sources = state.sources.iter();
            match state.filter_mode {
                FilterMode::Include => {
                    let run = sources.all(|source| !source.timer.is_zero());
                    assert!(run && state.filter_timer.is_zero(), "{state:?}");
                }
                FilterMode::Exclude => assert!(!state.filter_timer.is_zero(), "{state:?}"),
            }
        }
    }
}

/// What an engine sends is odd in nothing, and its checksum is right.
pub(crate) fn well_formed(octets: &[u8], source: Ipv6Addr, destination: Ipv6Addr) {
    let odd = harness_wire::mld_anomalies(octets).next();
    assert!(odd.is_none(), "it sends what is odd: {odd:?}");
    let right = icmpv6::checksum_holds(octets, source, destination);
    assert!(right, "its checksum");
}

/// Any message of any speaker to one of these, some of them damaged.
pub(crate) fn spoken(source: &mut Source<'_, '_>, to: &[Ipv6Addr]) -> (Envelope, Vec<u8>) {
    let message = message(source);
    let from = *source.pick(&SPEAKERS);
    let to = *source.pick(to);
    let mut octets = message.to_vec(from, to);
    if source.chance(20) {
        let at = source.below(octets.len());
        if let Some(octet) = octets.get_mut(at) {
            *octet = u8::try_from(source.below(256)).unwrap_or(0);
        }
        if source.chance(40) {
            octets.truncate(source.below(octets.len() + 1));
        }
        // The checksum is right again but for some.
        if let Some(checksum) = octets.get_mut(2..4).filter(|_| source.chance(90)) {
            checksum.fill(0);
            icmpv6::seal(&mut octets, from, to);
        }
    }
    let envelope = Envelope {
        source: from,
        destination: to,
        hop_limit: *source.pick(&[1, 1, 1, 64]),
        router_alert: *source.pick(&[Some(0), Some(0), Some(0), None]),
    };
    (envelope, octets)
}

fn message(source: &mut Source<'_, '_>) -> Message {
    let group = *source.pick(&GROUPS);
    let sources = |source: &mut Source<'_, '_>| -> Vec<Ipv6Addr> {
        let number = u16::try_from(source.below(9)).unwrap_or(0);
        let first = u16::try_from(source.below(4)).unwrap_or(0);
        let address = |n| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, n);
        (first..first + number).map(address).collect()
    };
    match source.below(10) {
        0 => Message::ReportV1 { group },
        1 => Message::Done { group },
        2 => Message::Query(Query::V1(QueryV1 {
            maximum_response_delay: *source.pick(&[1000, 0, 10_000]),
            group,
        })),
        3 | 4 => Message::Query(Query::V2(QueryV2 {
            maximum_response_code: MaximumResponseCode(*source.pick(&[1000, 0, 0x8000, 10_000])),
            group,
            suppress: source.chance(30),
            qrv: Qrv::new(*source.pick(&[2, 0, 7])),
            qqic: Qqic(*source.pick(&[125, 0, 20, 140])),
            sources: sources(source),
        })),
        _ => {
            let number = source.below(4);
            let record = |source: &mut Source<'_, '_>| Record {
                record_type: RecordType::from_value(*source.pick(&[1, 2, 3, 4, 5, 6, 7, 4])),
                group: *source.pick(&GROUPS),
                sources: sources(source),
            };
            let records = (0..number).map(|_| record(source)).collect();
            Message::Report(Report { records })
        }
    }
}
