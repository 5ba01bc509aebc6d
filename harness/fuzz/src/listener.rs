//! An MLD listener's engine under requests of sockets, messages of any octets, time and its link,
//! without frames and a device around it. What it must do is a model of its own ([`model`]).

mod model;

use crate::mutate::Source;
use crate::router::{GROUPS, OWN, spoken, well_formed};
use dut_device::Instant;
use dut_mld::host::{Filter, Host, HostConfig, Policy, Sent};
use dut_mld::{Envelope, FilterMode, Profile};
use dut_wire::mld::{ALL_MLDV2_ROUTERS, ALL_NODES, ALL_ROUTERS};
use dut_wire::mld::{MaximumResponseCode, Message, Qqic, Qrv, Query, QueryV1, QueryV2, Report};
use model::{Listed, Model, Told, Wish};
use std::net::Ipv6Addr;
use std::time::Duration;

/// What sockets ask for: addresses that are reported, ff02::1, an interface-local one and no
/// multicast address.
const ASKED: [Ipv6Addr; 7] = [
    GROUPS[0],
    GROUPS[1],
    GROUPS[2],
    ALL_NODES,
    Ipv6Addr::new(0xff01, 0, 0, 0, 0, 0, 0, 5),
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 6),
    OWN,
];
const DESTINATIONS: [Ipv6Addr; 7] = [
    ALL_NODES,
    ALL_NODES,
    OWN,
    GROUPS[0],
    GROUPS[1],
    GROUPS[2],
    ALL_MLDV2_ROUTERS,
];
const SOCKETS: [&str; 3] = ["a", "b", "c"];
const GROUP_LIMIT: usize = 5;
/// More timeouts than any schedule's time has.
const TIMEOUTS_MAX: usize = 5_000;
/// What is behind the message in a packet: IPv6 header and Hop-by-Hop header.
const AROUND: usize = 48;

struct Bench {
    host: Host,
    model: Model,
    mtu: usize,
    now: Instant,
}

/// A schedule from these octets: requests, queries, other listeners, noise, time, the link.
///
/// # Panics
/// When the listener sends what isn't legal, isn't true or isn't wanted; leaves a query unanswered;
/// tells a change too rarely, too late or too often; holds another state than its sockets ask for;
/// has a timeout in the past or timeouts without end.
pub fn schedule(octets: &[u8]) {
    schedule_of(octets, Policy::STANDARD);
}

/// The same of a listener that decides otherwise.
///
/// # Panics
/// As [`schedule`], which a listener with the standard's decisions doesn't.
pub fn schedule_of(octets: &[u8], policy: Policy) {
    let mut unstructured = arbitrary::Unstructured::new(octets);
    let mut source = Source::new(&mut unstructured);
    let config = HostConfig {
        address_after: Duration::from_millis(*source.pick(&[0, 0, 700])),
        profile: *source.pick(&[Profile::Rfc9777, Profile::Rfc3810]),
        version: *source.pick(&[2, 2, 2, 1]),
        robustness: *source.pick(&[2, 1, 3, 7]),
        unsolicited_report_interval: Duration::from_millis(*source.pick(&[1000, 50])),
        query_interval: Duration::from_secs(*source.pick(&[125, 2])),
        compatibility: source.chance(80),
        mtu: *source.pick(&[1500, 1280, 0]),
        group_limit: GROUP_LIMIT,
        source_limit: *source.pick(&[1024, 4]),
        ..HostConfig::new(OWN)
    };
    let mut bench = Bench {
        mtu: config.mtu.max(1280).into(),
        model: Model::new(config.clone()),
        host: Host::new(config, policy, source.number()),
        now: Instant::from_secs(1),
    };
    if source.chance(95) {
        bench.link(true);
    }
    for _ in 0..64 {
        if source.is_empty() {
            break;
        }
        bench.stimulus(&mut source);
        bench.pass(Duration::ZERO);
    }
    bench.end();
}

impl Bench {
    fn stimulus(&mut self, source: &mut Source<'_, '_>) {
        match source.below(16) {
            0..=3 => {
                let times = [0, 1, 30, 500, 1000, 10_000, 300_000];
                self.pass(Duration::from_millis(*source.pick(&times)));
            }
            4 if source.chance(30) => {
                self.link(false);
                if source.chance(80) {
                    self.pass(Duration::from_millis(*source.pick(&[0, 400])));
                    self.link(true);
                }
            }
            4..=9 => self.ask(source),
            10..=12 => {
                let query = query(source);
                let to = *source.pick(&[ALL_NODES, query.group(), OWN]);
                self.hear(&whole(&Message::Query(query), to));
            }
            13 => {
                let group = *source.pick(&ASKED);
                self.hear(&whole(&Message::ReportV1 { group }, group));
            }
            _ => {
                let heard = spoken(source, &DESTINATIONS);
                self.hear(&heard);
            }
        }
    }

    fn link(&mut self, up: bool) {
        if up {
            self.host.link_up(self.now);
        } else {
            self.host.link_down();
        }
        self.model.link(self.now, up);
        self.judge(false);
    }

    fn hear(&mut self, (envelope, octets): &(Envelope, Vec<u8>)) {
        self.host.handle_message(self.now, envelope, octets);
        self.model.hear(self.now, envelope, octets);
        self.judge(true);
    }

    /// A socket's request.
    fn ask(&mut self, source: &mut Source<'_, '_>) {
        let group = *source.pick(&ASKED);
        let socket = *source.pick(&SOCKETS);
        let exclude = source.chance(50);
        let mut sources = Listed::new();
        // More than a report has room for, now and then.
        let first = u16::try_from(source.below(4)).unwrap_or(0);
        let number = *source.pick(&[0, 0, 1, 1, 2, 2, 3, 3, 4, 5, 0, 0, 1, 2, 3, 95]);
        sources.extend((first..first + number).map(|n| unicast(n + 1)));
        if source.chance(2) {
            sources.insert(GROUPS[0]);
        }
        let filter = Filter {
            mode: match exclude {
                true => FilterMode::Exclude,
                false => FilterMode::Include,
            },
            sources: sources.clone(),
        };
        let full = self.host.listen(self.now, socket, group, filter).err();
        let wish = Wish { exclude, sources };
        self.model.ask(self.now, socket, group, wish, full);
        self.judge(false);
        self.state();
    }

    /// Its state is what its sockets ask for, whether anything is told of it or not.
    fn state(&self) {
        let held = self.host.filters().map(|(group, filter)| {
            let exclude = filter.mode == FilterMode::Exclude;
            let sources = filter.sources.clone();
            (group, Wish { exclude, sources })
        });
        assert!(held.eq(self.model.merged()), "its state, by its sockets");
    }

    /// Time passes, and every timeout in it is met at its instant.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        for _ in 0..TIMEOUTS_MAX {
            let due = self.host.next_timeout().filter(|due| *due <= end);
            let Some(due) = due else {
                return self.at(end);
            };
            assert!(due >= self.now, "a timeout in the past");
            self.at(due);
        }
        panic!("timeouts without end");
    }

    fn at(&mut self, now: Instant) {
        self.now = now;
        self.host.handle_timeout(now);
        let changed = self.model.at(now);
        self.judge(changed);
    }

    /// What it sends is legal and true. Where its version has just changed, both are spoken.
    fn judge(&mut self, changes: bool) {
        while self.host.poll_event().is_some() {}
        let mut told = Told::default();
        while let Some(sent) = self.host.poll_transmit() {
            self.legal(&sent);
            match Message::parse(&sent.message) {
                Ok(Message::Report(report)) => self.report(&sent, report, &mut told),
                Ok(Message::ReportV1 { group }) => {
                    assert_eq!(sent.destination, group, "where a version 1 Report goes");
                    told.version_1.insert(group);
                }
                Ok(Message::Done { group }) => {
                    assert_eq!(sent.destination, ALL_ROUTERS, "where a Done goes");
                    told.done.insert(group);
                }
                other => panic!("it sends {other:?}"),
            }
        }
        self.model.judge(self.now, &told, changes, self.room());
        assert_eq!(self.host.speaks_version_1(), self.model.speaks_version_1());
    }

    /// How many sources a record has room for.
    const fn room(&self) -> usize {
        (self.mtu - AROUND - 28) / 16
    }

    fn legal(&self, sent: &Sent) {
        let octets = &sent.message;
        well_formed(octets, sent.source, sent.destination);
        assert!(octets.len() + AROUND <= self.mtu, "beyond the link's MTU");
        assert_eq!(sent.source, self.model.source(), "its source address");
    }

    fn report(&self, sent: &Sent, report: Report, told: &mut Told) {
        assert_eq!(sent.destination, ALL_MLDV2_ROUTERS, "where a Report goes");
        assert!(!report.records.is_empty(), "a Report without records");
        for record in report.records {
            let key = (record.group, record.record_type.value());
            let listed = told.records.entry(key).or_default();
            let before = listed.len() + record.sources.len();
            listed.extend(record.sources);
            assert_eq!(listed.len(), before, "a source is listed twice");
        }
    }

    /// When nothing is asked any more, everything has been told; a last general query is answered
    /// by what the sockets ask for, and by nothing else.
    fn end(&mut self) {
        self.link(true);
        self.settle();
        let query = Query::V1(QueryV1 {
            maximum_response_delay: 1000,
            group: Ipv6Addr::UNSPECIFIED,
        });
        let version_2 = Query::V2(QueryV2 {
            maximum_response_code: MaximumResponseCode(1000),
            group: Ipv6Addr::UNSPECIFIED,
            suppress: false,
            qrv: Qrv::new(2),
            qqic: Qqic(125),
            sources: Vec::new(),
        });
        self.hear(&whole(&Message::Query(version_2), ALL_NODES));
        self.settle();
        self.hear(&whole(&Message::Query(query), ALL_NODES));
        self.settle();
        self.state();
    }

    fn settle(&mut self) {
        for _ in 0..TIMEOUTS_MAX {
            let Some(due) = self.host.next_timeout() else {
                return self.pass(Duration::from_secs(20));
            };
            self.pass(due.since(self.now));
        }
        panic!("timeouts without end");
    }
}

const fn unicast(n: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, n)
}

/// A message that must be taken.
fn whole(message: &Message, destination: Ipv6Addr) -> (Envelope, Vec<u8>) {
    let source = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
    let envelope = Envelope {
        source,
        destination,
        hop_limit: 1,
        router_alert: Some(0),
    };
    (envelope, message.to_vec(source, destination))
}

fn query(source: &mut Source<'_, '_>) -> Query {
    let group = *source.pick(&[
        Ipv6Addr::UNSPECIFIED,
        GROUPS[0],
        GROUPS[1],
        GROUPS[2],
        ALL_NODES,
    ]);
    if source.chance(25) {
        return Query::V1(QueryV1 {
            maximum_response_delay: *source.pick(&[1000, 0, 10_000, 100]),
            group,
        });
    }
    let listed = match group.is_unspecified() {
        true => 0,
        false => u16::try_from(source.below(6)).unwrap_or(0),
    };
    let first = u16::try_from(source.below(4)).unwrap_or(0) + 1;
    Query::V2(QueryV2 {
        maximum_response_code: MaximumResponseCode(*source.pick(&[1000, 0, 0x8000, 10_000, 100])),
        group,
        suppress: source.chance(30),
        qrv: Qrv::new(*source.pick(&[2, 0, 7])),
        qqic: Qqic(*source.pick(&[125, 0, 2, 140])),
        sources: (first..first + listed).map(unicast).collect(),
    })
}
