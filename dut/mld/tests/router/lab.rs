//! A link with one router on it: stimuli in, times, states and messages out as short literals.
//!
//! Sources are numbers: 1 is 2001:db8::1. A record reads `IN{1:250}` or `EX({1:250},{2}) 260`:
//! requested sources with their timers, excluded sources, filter timer, all in seconds. A query
//! reads `Q` or `Q{1,2}`, with ` S` when the S flag is set.

use dut_device::Instant;
use dut_mld::{
    DiscardReason, Envelope, FilterMode, GroupState, Interface, InterfaceConfig, MldEvent,
    SourceState, Transmit,
};
use dut_wire::icmpv6;
use dut_wire::mld::{
    ALL_MLDV2_ROUTERS, ALL_NODES, ALL_ROUTERS, MaximumResponseCode, Message, Qqic, Qrv, Query,
    QueryV1, QueryV2, Record, RecordType, Report,
};
use std::net::Ipv6Addr;
use std::time::Duration;

pub(crate) const ROUTER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 2);
pub(crate) const LOWER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
pub(crate) const HIGHER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 3);
pub(crate) const HOST: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0xa1);
pub(crate) const G: Ipv6Addr = Ipv6Addr::new(0xff1e, 0, 0, 0, 0, 0, 0, 0x55);
pub(crate) const H: Ipv6Addr = Ipv6Addr::new(0xff1e, 0, 0, 0, 0, 0, 0, 0x56);

pub(crate) use RecordType::{
    AllowNewSources as ALLOW, BlockOldSources as BLOCK, ChangeToExclude as TO_EX,
    ChangeToInclude as TO_IN, ModeIsExclude as IS_EX, ModeIsInclude as IS_IN,
};

pub(crate) fn src(n: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, n)
}

pub(crate) fn addr(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

pub(crate) fn record(record_type: RecordType, group: Ipv6Addr, sources: &[u16]) -> Record {
    Record {
        record_type,
        group,
        sources: sources.iter().map(|n| src(*n)).collect(),
    }
}

/// A query as the other router would send it: MRC 1000, QRV 2, QQIC 125.
pub(crate) fn query(group: Ipv6Addr, suppress: bool, sources: &[u16]) -> QueryV2 {
    QueryV2 {
        maximum_response_code: MaximumResponseCode(1000),
        group,
        suppress,
        qrv: Qrv::new(2),
        qqic: Qqic(125),
        sources: sources.iter().map(|n| src(*n)).collect(),
    }
}

pub(crate) fn general(qrv: u8, qqic: u8) -> QueryV2 {
    QueryV2 {
        qrv: Qrv::new(qrv),
        qqic: Qqic(qqic),
        ..query(Ipv6Addr::UNSPECIFIED, false, &[])
    }
}

pub(crate) fn config() -> InterfaceConfig {
    InterfaceConfig::new("Eth-Trunk1", ROUTER)
}

/// RV 2, QI 20 s, QRI 3 s: OQPI 41.5 s, MALI 43 s, SQI 5 s.
pub(crate) fn fast() -> InterfaceConfig {
    InterfaceConfig {
        query_interval: Duration::from_secs(20),
        query_response_interval: Duration::from_secs(3),
        ..config()
    }
}

pub(crate) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[derive(Debug)]
pub(crate) struct Lab {
    pub(crate) router: Interface,
    pub(crate) now: Instant,
    /// When each message was sent.
    pub(crate) sent: Vec<(Instant, Transmit)>,
    pub(crate) events: Vec<MldEvent>,
}

impl Lab {
    pub(crate) fn new(config: InterfaceConfig) -> Self {
        let mut lab = Self {
            router: Interface::new(config),
            now: Instant::ZERO,
            sent: Vec::new(),
            events: Vec::new(),
        };
        lab.router.start(lab.now);
        lab.drain();
        lab
    }

    pub(crate) fn drain(&mut self) {
        while let Some(transmit) = self.router.poll_transmit() {
            let message = &transmit.message;
            assert!(icmpv6::checksum_holds(
                message,
                ROUTER,
                transmit.destination
            ));
            self.sent.push((self.now, transmit));
        }
        while let Some(event) = self.router.poll_event() {
            self.events.push(event);
        }
        if let Some(next) = self.router.next_timeout() {
            assert!(next >= self.now, "the past is still due");
        }
    }

    /// Runs to `ms` after the beginning, stopping at each deadline.
    pub(crate) fn at(&mut self, ms: u64) -> &mut Self {
        let until = Instant::from_millis(ms);
        assert!(until >= self.now, "time went back");
        while let Some(due) = self.router.next_timeout().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.router.handle_timeout(self.now);
            self.drain();
        }
        self.now = until;
        self
    }

    pub(crate) fn forget(&mut self) -> &mut Self {
        self.sent.clear();
        self.events.clear();
        self
    }

    pub(crate) fn octets(&mut self, envelope: Envelope, octets: &[u8]) -> &mut Self {
        self.router.handle_message(self.now, &envelope, octets);
        self.drain();
        self
    }

    pub(crate) fn message(
        &mut self,
        source: Ipv6Addr,
        destination: Ipv6Addr,
        message: &Message,
    ) -> &mut Self {
        let envelope = Envelope {
            source,
            destination,
            hop_limit: 1,
            router_alert: Some(0),
        };
        self.octets(envelope, &message.to_vec(source, destination))
    }

    pub(crate) fn records(&mut self, records: Vec<Record>) -> &mut Self {
        let report = Message::Report(Report { records });
        self.message(HOST, ALL_MLDV2_ROUTERS, &report)
    }

    /// One record for [`G`].
    pub(crate) fn record(&mut self, record_type: RecordType, sources: &[u16]) -> &mut Self {
        self.records(vec![record(record_type, G, sources)])
    }

    pub(crate) fn query(&mut self, source: Ipv6Addr, query: QueryV2) -> &mut Self {
        let destination = if query.group.is_unspecified() {
            ALL_NODES
        } else {
            query.group
        };
        self.message(source, destination, &Message::Query(Query::V2(query)))
    }

    pub(crate) fn query_v1(
        &mut self,
        source: Ipv6Addr,
        group: Ipv6Addr,
        maximum_response_delay: u16,
    ) -> &mut Self {
        let destination = if group.is_unspecified() {
            ALL_NODES
        } else {
            group
        };
        let query = Query::V1(QueryV1 {
            maximum_response_delay,
            group,
        });
        self.message(source, destination, &Message::Query(query))
    }

    pub(crate) fn report_v1(&mut self, group: Ipv6Addr) -> &mut Self {
        self.message(HOST, group, &Message::ReportV1 { group })
    }

    pub(crate) fn done(&mut self, group: Ipv6Addr) -> &mut Self {
        self.message(HOST, ALL_ROUTERS, &Message::Done { group })
    }

    /// INCLUDE with these sources.
    pub(crate) fn include(&mut self, sources: &[u16]) -> &mut Self {
        self.record(IS_IN, sources)
    }

    /// EXCLUDE with X and Y.
    pub(crate) fn exclude(&mut self, requested: &[u16], excluded: &[u16]) -> &mut Self {
        self.record(IS_EX, excluded).record(IS_IN, requested)
    }

    /// The record of [`G`].
    pub(crate) fn state(&self) -> String {
        self.state_of(G)
    }

    pub(crate) fn state_of(&self, group: Ipv6Addr) -> String {
        match self.router.group(self.now, group) {
            Some(state) => describe(&state),
            None => "none".to_owned(),
        }
    }

    /// The specific queries sent, with their times in seconds.
    pub(crate) fn queries(&self) -> Vec<String> {
        let specific = self.sent.iter().filter_map(|(at, transmit)| {
            let query = parse_query(transmit)?;
            if query.group().is_unspecified() {
                return None;
            }
            assert_eq!(transmit.destination, query.group());
            Some(format!(
                "{} {}",
                seconds(at.since(Instant::ZERO)),
                describe_query(&query)
            ))
        });
        specific.collect()
    }

    /// The times in seconds at which general queries were sent.
    pub(crate) fn general_queries(&self) -> Vec<String> {
        let general = self.sent.iter().filter(|(_, transmit)| {
            let query = parse_query(transmit);
            query.is_some_and(|query| query.group().is_unspecified())
        });
        general
            .map(|(at, _)| seconds(at.since(Instant::ZERO)))
            .collect()
    }

    /// The reports that the router itself sent.
    pub(crate) fn own_reports(&self) -> Vec<(String, Ipv6Addr, Message)> {
        let parsed = self.sent.iter().map(|(at, transmit)| {
            let message = Message::parse(&transmit.message).unwrap();
            (
                seconds(at.since(Instant::ZERO)),
                transmit.destination,
                message,
            )
        });
        parsed
            .filter(|(_, _, message)| !matches!(message, Message::Query(_)))
            .collect()
    }

    /// The ids of the rows taken.
    pub(crate) fn rows(&self) -> Vec<&'static str> {
        let row = |event: &MldEvent| match event {
            MldEvent::Row { id, .. } => Some(*id),
            _ => None,
        };
        self.events.iter().filter_map(row).collect()
    }

    /// What was discarded.
    pub(crate) fn discards(&self) -> Vec<DiscardReason> {
        let reason = |event: &MldEvent| match event {
            MldEvent::Discarded { reason } => Some(*reason),
            _ => None,
        };
        self.events.iter().filter_map(reason).collect()
    }

    pub(crate) fn has(&self, event: MldEvent) -> bool {
        self.events.contains(&event)
    }

    /// Of the sources 1 to 9, those whose traffic to [`G`] is forwarded.
    pub(crate) fn forwarded(&self) -> Vec<u16> {
        (1..=9)
            .filter(|n| self.router.forwards(G, src(*n)))
            .collect()
    }
}

pub(crate) fn parse_query(transmit: &Transmit) -> Option<Query> {
    match Message::parse(&transmit.message).unwrap() {
        Message::Query(query) => Some(query),
        _ => None,
    }
}

/// Seconds with as many decimals as needed, as `2` or `0.5`.
pub(crate) fn seconds(time: Duration) -> String {
    time.as_secs_f64().to_string()
}

fn number(source: Ipv6Addr) -> u16 {
    let number = source.segments()[7];
    assert_eq!(source, src(number));
    number
}

fn list(sources: impl Iterator<Item = String>) -> String {
    format!("{{{}}}", sources.collect::<Vec<_>>().join(","))
}

pub(crate) fn describe(state: &GroupState) -> String {
    let timed = |s: &SourceState| format!("{}:{}", number(s.source), seconds(s.timer));
    let running = state.sources.iter().filter(|s| !s.timer.is_zero());
    let requested = list(running.map(timed));
    let zero = state.sources.iter().filter(|s| s.timer.is_zero());
    let excluded = list(zero.map(|s| number(s.source).to_string()));
    match state.filter_mode {
        FilterMode::Include => {
            assert_eq!(
                (excluded.as_str(), state.filter_timer),
                ("{}", Duration::ZERO)
            );
            format!("IN{requested}")
        }
        FilterMode::Exclude => {
            format!("EX({requested},{excluded}) {}", seconds(state.filter_timer))
        }
    }
}

fn describe_query(query: &Query) -> String {
    let suppress = if query.suppress() { " S" } else { "" };
    let sources = query.sources();
    if sources.is_empty() {
        format!("Q{suppress}")
    } else {
        format!(
            "Q{}{suppress}",
            list(sources.iter().map(|s| number(*s).to_string()))
        )
    }
}
