//! Both devices of the pair under a schedule of listeners' frames, faults and time, then quiet, in
//! which they must be equal; with the invariants and the equivalence oracle on throughout.
//!
//! Building and electing a pair costs more than a thousand schedules. So a pair is kept while a
//! schedule leaves it as it found it: connected, equal, and without listeners. A finding drops it;
//! a replay begins with a fresh one.

use crate::beds;
use crate::mutate::{self, Source};
use dut_device::{BuildSpec, Instant};
use harness_judge::{Equivalence, Invariants, PairState, Way};
use harness_sim::{Fault, FaultMatch, World};
use harness_suite::{Bed, Scope};
use harness_trace::{Direction, Record};
use harness_wire::{Fields, Kind, LacpView, build, decode};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

const NAMES: [&str; 2] = ["DeviceA", "DeviceB"];
/// The tester's ports in DeviceC's place.
const PORTS: [&str; 2] = ["c1", "c2"];
/// Schedules after which a pair is built anew, so that no state is carried on for ever.
const USES: u32 = 2000;
/// How long after an event the states are looked at.
const LOOK: Duration = Duration::from_millis(1);
/// Steps of a schedule.
const STEPS: usize = 12;

/// The pair with the tester in DeviceC's place.
struct Bench {
    world: World,
    invariants: Invariants,
    oracle: Equivalence,
    state: PairState,
    records: usize,
    /// The device's last LACPDU by port, and when it was answered last.
    heard: BTreeMap<&'static str, Vec<u8>>,
    answered: Instant,
    /// When the states are looked at next: shortly after anything happened.
    look_at: Option<Instant>,
    uses: u32,
}

thread_local! {
    static KEPT: RefCell<Option<Bench>> = const { RefCell::new(None) };
}

fn bed() -> (&'static Path, &'static Bed) {
    match beds::catalogue().beds.get("pair") {
        Some((folder, bed)) => (folder.as_path(), bed),
        None => panic!("no testbed `pair`"),
    }
}

impl Bench {
    fn new() -> Self {
        let (folder, bed) = bed();
        let mut world = World::new(1, 0);
        for name in NAMES {
            let Some(node) = bed.nodes.get(name) else {
                panic!("the testbed `pair` has no {name}");
            };
            let read = |file: &String| {
                let text = std::fs::read_to_string(folder.join(file));
                (file.clone(), text.unwrap_or_default())
            };
            let Ok(mac) = node.base_mac.parse() else {
                panic!("{name}: no MAC address");
            };
            let mut spec = BuildSpec::of_file(name, "", mac);
            spec.configuration = node.configuration.iter().map(read).collect();
            spec.secrets = bed.secrets.clone();
            let factory = beds::reference();
            let added = world.add_node(name, move |boot_epoch| {
                factory(&BuildSpec {
                    boot_epoch,
                    ..spec.clone()
                })
            });
            wired(added);
        }
        let latency = Duration::from_micros(100);
        wired(world.connect("A-B", "DeviceA GE0/1/1", "DeviceB GE0/1/1", latency));
        wired(world.attach_tester("c1", "DeviceA GE0/1/2"));
        wired(world.attach_tester("c2", "DeviceB GE0/1/3"));
        let names = NAMES.map(str::to_owned);
        let points = world.trace().points.clone();
        let [a, b] = &names;
        let mut scope = Scope::new();
        scope.insert(
            "channel_recovery".to_owned(),
            harness_suite::Quantity::Time(36_000_000_000),
        );
        let mut bench = Self {
            invariants: Invariants::new(&points, &names),
            oracle: Equivalence::new(&points, [a, b], &scope, latency),
            state: PairState::default(),
            world,
            records: 0,
            heard: BTreeMap::new(),
            answered: Instant::ZERO,
            look_at: None,
            uses: 0,
        };
        bench.world.start();
        for _ in 0..200 {
            bench.pass(Duration::from_millis(100));
            bench.partner();
            bench.compare();
        }
        assert!(bench.state.master().is_some(), "no master after 20 s");
        bench
    }

    /// The partner's LACPDUs: it agrees with what it hears, on both ports, as one system.
    fn partner(&mut self) {
        for (number, port) in (1_u64..).zip(PORTS) {
            let Some(heard) = self.heard.get(port) else {
                continue;
            };
            let decoded = decode(heard).fields;
            let mut fields = Fields::new();
            for (name, value) in &decoded {
                if let Some(name) = name.strip_prefix("actor.")
                    && !matches!(name, "tlv_type" | "length" | "reserved")
                {
                    fields.insert(format!("partner.{name}"), value.clone());
                }
            }
            let own = json!({
                "ether.source": format!("02:00:00:00:00:0{number}"),
                "actor.system": "00e0-fc12-3460",
                "actor.key": 305, "actor.port": number, "actor.state": 0x3d,
            });
            fields.extend(own.as_object().cloned().unwrap_or_default());
            if let Ok(frame) = build(Kind::Lacpdu, &fields) {
                wired(self.world.inject(port, frame).map(drop));
            }
        }
        self.answered = self.world.now();
    }

    /// Lets time pass under the oracles' eyes.
    fn pass(&mut self, time: Duration) {
        let until = self.world.now() + time;
        loop {
            let event = self.world.next_event();
            let first = [event, self.look_at].into_iter().flatten().min();
            let Some(first) = first.filter(|first| *first <= until) else {
                break;
            };
            self.world.run_until(first);
            self.look();
            if self.look_at.is_some_and(|at| at <= first) {
                self.compare();
            } else {
                self.look_at.get_or_insert(first + LOOK);
            }
        }
        self.world.run_until(until);
        self.look();
        // A partner with long timeouts is asked every 30 s.
        if self.world.now().since(self.answered) > Duration::from_secs(20) {
            self.partner();
        }
    }

    /// Shows the oracles what has been seen.
    fn look(&mut self) {
        let records = self.world.take_records();
        if records.is_empty() {
            return;
        }
        for record in records {
            self.records += 1;
            if let Record::Frame(frame) = record {
                self.invariants.frame(self.records, &frame);
                self.oracle.frame(self.records, &frame);
                let port = PORTS
                    .iter()
                    .zip([1, 2])
                    .find(|(_, point)| frame.point.0 == *point);
                if let Some((port, _)) = port
                    && frame.direction == Direction::In
                    && LacpView::of(&frame.octets).is_some()
                {
                    self.heard.insert(port, frame.octets);
                }
            }
        }
    }

    /// Takes both devices' states and compares.
    fn compare(&mut self) {
        self.look_at = None;
        let [a, b] = NAMES.map(|name| self.world.snapshot(name));
        let now = self.world.now();
        let way = Way {
            faults: self.world.has_faults(),
            cut: false,
            in_flight: self.world.in_flight(|_| true),
            exact: Duration::ZERO,
        };
        let new = self.state.next([a.as_ref(), b.as_ref()], way);
        self.oracle.advance(now);
        let _: harness_judge::Status = self.oracle.change(now, self.state.change(&new));
        self.state = new;
    }

    fn send(&mut self, kind: Kind, fields: &Fields) {
        if let Ok(frame) = build(kind, fields) {
            for port in PORTS {
                wired(self.world.inject(port, frame.clone()).map(drop));
            }
            // No two messages of the listeners cross a query on the way.
            self.pass(Duration::from_micros(100));
        }
    }

    /// One step of a schedule; whether it takes long to heal.
    fn step(&mut self, source: &mut Source<'_, '_>) -> bool {
        let group = *source.pick(&mutate::GROUPS);
        match source.below(199) {
            0..=99 => {
                let records = vec![mutate::record(source)];
                let base: Fields = [("records".to_owned(), Value::from(records))].into();
                // What no text decides is `mld_interface`'s; this must be taken, or refused.
                let mut fields = base;
                if source.chance(10) {
                    fields.insert("icmpv6.checksum".to_owned(), 1.into());
                }
                self.send(Kind::MldReport, &fields);
            }
            100..=124 => {
                let fields: Fields = [("group".to_owned(), Value::from(group))].into();
                let kind = if source.chance(50) {
                    Kind::MldDone
                } else {
                    Kind::MldV1Report
                };
                self.send(kind, &fields);
            }
            125..=196 => {
                let times = [1, 10, 60, 100, 500, 1000];
                self.pass(Duration::from_millis(*source.pick(&times)));
                self.compare();
            }
            197 => {
                // Hellos are lost. What the channel itself loses or puts out of order comes late by
                // TCP's retransmission, and its timers with it, which the oracle rightly minds.
                let loss = *source.pick(&[50, 20]);
                let fault = Fault {
                    name: "f".to_owned(),
                    links: vec!["A-B".to_owned()],
                    matching: FaultMatch {
                        next_header: Some(17),
                        ..FaultMatch::default()
                    },
                    loss,
                    delay: Duration::ZERO,
                };
                wired(self.world.fault(fault));
                self.compare();
                return true;
            }
            _ => {
                self.world.heal(None);
                self.compare();
            }
        }
        false
    }

    /// Quiet: what was broken is mended, and within the oracle's bound both are equal.
    fn quiet(&mut self, long: bool) {
        self.world.heal(None);
        self.compare();
        // What is at once is over; what was broken had time to heal.
        let time = if long {
            Duration::from_secs(45)
        } else {
            Duration::from_millis(60)
        };
        let healed = self.world.now() + time;
        while self.world.now() < healed {
            let left = healed.since(self.world.now());
            self.pass(left.min(Duration::from_millis(if long { 500 } else { 20 })));
            self.compare();
        }
        assert!(
            long || self.state.same_entries(),
            "master and backup differ with nothing under way: {:?}",
            self.state
        );
        if long {
            assert!(
                self.state.same_entries(),
                "master and backup differ after 45 s of quiet"
            );
        }
    }

    /// All listeners leave; whether the pair is as it was.
    fn leave(&mut self) -> bool {
        let [a, _] = &self.state.devices;
        let version_1 = a.groups.values().any(|group| group.version_1.is_some());
        if version_1 || self.state.master().is_none() || !self.state.connected {
            return false;
        }
        if a.groups.is_empty() {
            return true;
        }
        let leave = |group: &std::net::Ipv6Addr| {
            let name = if a.groups.get(group).is_some_and(|g| g.filter.is_some()) {
                "TO_IN"
            } else {
                "BLOCK"
            };
            let sources: Vec<String> = a
                .groups
                .get(group)
                .map(|g| g.requested.keys().map(ToString::to_string).collect())
                .unwrap_or_default();
            let sources = if name == "TO_IN" { Vec::new() } else { sources };
            json!({"type": name, "group": group.to_string(), "sources": sources})
        };
        let records: Vec<Value> = a.groups.keys().map(leave).collect();
        let fields: Fields = [("records".to_owned(), Value::from(records))].into();
        self.send(Kind::MldReport, &fields);
        self.pass(Duration::from_millis(2100));
        self.compare();
        let [a, b] = &self.state.devices;
        a.groups.is_empty() && b.groups.is_empty() && self.state.connected
    }
}

fn wired<T>(done: Result<T, harness_sim::SetupError>) {
    if let Err(error) = done {
        panic!("the pair's bench: {error}");
    }
}

/// A schedule on a kept pair, or on a new one.
pub fn schedule(octets: &[u8]) {
    let mut bench = KEPT.with(RefCell::take).unwrap_or_else(Bench::new);
    run(&mut bench, octets);
    bench.uses += 1;
    if bench.uses < USES && bench.leave() {
        KEPT.with(|kept| kept.replace(Some(bench)));
    } else {
        // The oracles report at their end.
        let Bench {
            world,
            invariants,
            oracle,
            ..
        } = bench;
        let reports = invariants
            .finish()
            .into_iter()
            .chain(oracle.finish(world.now()));
        let broken = reports.filter_map(|report| report.broken).next();
        if let Some(finding) = broken {
            panic!("{}: {:?}", finding.what, finding.differences);
        }
    }
}

/// A schedule on a pair of its own: for replays.
pub fn fresh(octets: &[u8]) {
    drop(KEPT.with(RefCell::take));
    schedule(octets);
}

fn run(bench: &mut Bench, octets: &[u8]) {
    let mut unstructured = arbitrary::Unstructured::new(octets);
    let mut source = Source::new(&mut unstructured);
    let mut long = false;
    for _ in 0..STEPS {
        if source.is_empty() {
            break;
        }
        long |= bench.step(&mut source);
    }
    bench.quiet(long);
}
