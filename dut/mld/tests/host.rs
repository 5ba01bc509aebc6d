//! The listener's limits and errors, and that nothing on the link can bring it out of step. What it
//! says and when is proved by the suites (`suites/mld/host-*.yaml`).

use dut_device::Instant;
use dut_mld::host::{Filter, Host, HostConfig, ListenError, Policy};
use dut_mld::{Envelope, FilterMode};
use dut_wire::mld::{ALL_NODES, Message, Record, RecordType};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::net::Ipv6Addr;
use std::time::Duration;

const GROUP: Ipv6Addr = Ipv6Addr::new(0xff1e, 0, 0, 0, 0, 0, 0, 0x101);
const LINK_LOCAL: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x10);
const QUERIER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0xa1);

fn host(change: impl FnOnce(&mut HostConfig)) -> Host {
    let mut config = HostConfig::new(LINK_LOCAL);
    change(&mut config);
    let mut host = Host::new(config, Policy::STANDARD, 7);
    host.link_up(Instant::ZERO);
    host
}

fn source(n: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0x40, 0, 0, 0, 0, n)
}

/// The records that the host sends now.
fn told(host: &mut Host) -> Vec<Record> {
    let mut records = Vec::new();
    while let Some(sent) = host.poll_transmit() {
        let parsed = Message::parse(&sent.message);
        assert!(matches!(parsed, Ok(Message::Report(_))), "{parsed:?}");
        if let Ok(Message::Report(report)) = parsed {
            records.extend(report.records);
        }
    }
    records
}

#[test]
/// Proves that a request which can't be met is refused by name, and that nothing has changed then.
fn refused_requests_change_nothing() {
    let mut host = host(|config| {
        config.group_limit = 1;
        config.source_limit = 2;
    });
    let all = || Filter::exclude(BTreeSet::new());
    let ssm = Ipv6Addr::new(0xff3e, 0, 0, 0, 0, 0, 0x8000, 1);
    let three: BTreeSet<_> = (1..=3).map(source).collect();
    let now = Instant::ZERO;
    let mut listen = |group, filter| host.listen(now, "a", group, filter);
    assert_eq!(
        listen(source(1), all()),
        Err(ListenError::NotMulticast(source(1)))
    );
    assert_eq!(listen(ssm, all()), Err(ListenError::SourceSpecific(ssm)));
    assert_eq!(
        listen(GROUP, Filter::include(three)),
        Err(ListenError::TooManySources(3, 2))
    );
    assert_eq!(
        listen(GROUP, Filter::include([ALL_NODES].into())),
        Err(ListenError::SourceNotUnicast(ALL_NODES))
    );
    assert_eq!(listen(GROUP, all()), Ok(()));
    assert_eq!(
        listen(ssm, Filter::nothing()),
        Err(ListenError::TooManyGroups(1))
    );
    assert_eq!(host.filters().count(), 1);
    let types: Vec<_> = told(&mut host).iter().map(|r| r.record_type).collect();
    assert_eq!(types, [RecordType::ChangeToExclude]);
}

#[test]
/// Proves that INCLUDE can be asked of a source-specific address (RFC 4604 2).
fn source_specific_include_is_taken() {
    let mut host = host(|_| {});
    let ssm = Ipv6Addr::new(0xff3e, 0, 0, 0, 0, 0, 0x8000, 1);
    let filter = Filter::include([source(1)].into());
    assert_eq!(host.listen(Instant::ZERO, "a", ssm, filter), Ok(()));
    assert!(host.listens(ssm));
}

#[test]
/// Proves that more sources than may be recorded make the answer the whole state, as RFC 3810 6.2
/// allows a host that is out of memory.
fn recorded_sources_are_bounded() {
    let mut host = host(|config| config.source_limit = 2);
    let filter = Filter::include([source(1), source(2)].into());
    host.listen(Instant::ZERO, "a", GROUP, filter).unwrap();
    host.handle_timeout(Instant::from_secs(5));
    told(&mut host);
    for n in [1, 2, 3] {
        let query = dut_wire::mld::QueryV2 {
            maximum_response_code: dut_wire::mld::MaximumResponseCode(1000),
            group: GROUP,
            suppress: false,
            qrv: dut_wire::mld::Qrv::new(2),
            qqic: dut_wire::mld::Qqic(20),
            sources: vec![source(n)],
        };
        let message = Message::Query(dut_wire::mld::Query::V2(query)).to_vec(QUERIER, GROUP);
        host.handle_message(Instant::from_secs(6), &envelope(GROUP), &message);
    }
    host.handle_timeout(Instant::from_secs(8));
    let records = told(&mut host);
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].sources, [source(1), source(2)]);
}

fn envelope(destination: Ipv6Addr) -> Envelope {
    Envelope {
        source: QUERIER,
        destination,
        hop_limit: 1,
        router_alert: Some(0),
    }
}

/// What happens to a host.
#[derive(Debug, Clone)]
enum Step {
    Listen(u8, u8, bool, BTreeSet<u8>),
    Message(Vec<u8>),
    Wait(u16),
    Link(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let sources = prop::collection::btree_set(1..6u8, 0..4);
    let octets = prop::collection::vec(any::<u8>(), 0..60);
    prop_oneof![
        (0..3u8, 0..4u8, any::<bool>(), sources).prop_map(|(s, g, e, l)| Step::Listen(s, g, e, l)),
        (130..133u8, octets).prop_map(|(kind, mut octets)| {
            octets.insert(0, kind);
            Step::Message(octets)
        }),
        (0..20_000u16).prop_map(Step::Wait),
        any::<bool>().prop_map(Step::Link),
    ]
}

proptest! {
    #[test]
    /// Proves that whatever is asked and heard, no call fails, every report fits the MTU, and the
    /// interface's state is that of the sockets merged (RFC 3810 4.2, computed source by source).
    fn nothing_brings_it_out_of_step(steps in prop::collection::vec(step(), 1..60)) {
        let mut host = host(|_| {});
        let mut now = Instant::ZERO;
        let mut asked = std::collections::BTreeMap::new();
        for step in steps {
            match step {
                Step::Listen(socket, group, exclude, list) => {
                    let sources = list.iter().map(|n| source((*n).into())).collect();
                    let filter = Filter {
                        mode: if exclude { FilterMode::Exclude } else { FilterMode::Include },
                        sources,
                    };
                    let group = Ipv6Addr::new(0xff1e, 0, 0, 0, 0, 0, 0, group.into());
                    host.listen(now, &socket.to_string(), group, filter.clone()).unwrap();
                    asked.insert((group, socket), filter);
                }
                Step::Message(mut octets) => {
                    if octets.len() >= 4 {
                        octets[2..4].fill(0);
                        dut_wire::icmpv6::seal(&mut octets, QUERIER, ALL_NODES);
                    }
                    host.handle_message(now, &envelope(ALL_NODES), &octets);
                }
                Step::Wait(ms) => {
                    now += Duration::from_millis(ms.into());
                    host.handle_timeout(now);
                }
                Step::Link(true) => host.link_up(now),
                Step::Link(false) => host.link_down(),
            }
            while let Some(sent) = host.poll_transmit() {
                prop_assert!(sent.message.len() <= 1452);
                prop_assert!(Message::parse(&sent.message).is_ok());
            }
            while host.poll_event().is_some() {}
            if let Some(due) = host.next_timeout() {
                prop_assert!(due > now, "due {due:?} at {now:?}");
            }
        }
        for group in asked.keys().map(|(group, _)| *group).collect::<BTreeSet<_>>() {
            let of_group = asked.iter().filter(|((g, _), _)| *g == group).map(|(_, f)| f);
            let filters: Vec<&Filter> = of_group.collect();
            for n in 1..8 {
                // A packet of this source is wanted by the host when a socket wants it.
                let wanted = filters.iter().any(|filter| filter.wants(&source(n)));
                let held = host.filters().find(|(g, _)| *g == group);
                let passes = held.is_some_and(|(_, filter)| filter.wants(&source(n)));
                prop_assert_eq!(passes, wanted, "{} of {}", n, group);
            }
        }
    }
}
