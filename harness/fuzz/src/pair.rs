//! Both devices of the pair under a schedule of listeners' frames, faults and time, then quiet, in
//! which they must be equal; with the invariants and the equivalence oracle on throughout.
//!
//! Building and electing a pair costs more than a hundred schedules. So a pair is kept while a
//! schedule leaves it as it found it: connected, equal, and without listeners. A finding drops it;
//! a replay begins with a fresh one.
//!
//! What the oracles see is what they see in a case. Cheap is only how it comes about: the devices
//! are looked at without their words, a frame is built once for each choice that gives it, and the
//! partner answers by copying octets.

use crate::beds;
use crate::mutate::{self, Source};
use dut_device::{BuildSpec, Instant, PairLook};
use harness_judge::{Equivalence, GroupState, Invariants, PairState, Way};
use harness_run::Factory;
use harness_sim::World;

use harness_suite::{Bed, Scope};
use harness_trace::{Direction, Record};
use harness_wire::{Fields, Kind, LacpView};
use message::{Message, built, partner};
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const NAMES: [&str; 2] = ["DeviceA", "DeviceB"];
/// The tester's ports in DeviceC's place.
const PORTS: [&str; 2] = ["c1", "c2"];
/// Schedules after which a pair is built anew, so that no state is carried on for ever.
const USES: u32 = 2000;
/// How long after an event the states are looked at.
const LOOK: Duration = Duration::from_millis(1);
/// What faults leave behind is excused for 5 s, and 52.1 ms are the sync bound.
const HEALED: Duration = Duration::from_millis(5100);
/// How long the channel may take to come back: its hold time and its longest back-off.
const RECOVERED: Duration = Duration::from_secs(45);
/// Steps of a schedule.
const STEPS: usize = 12;

/// The pair with the tester in DeviceC's place.
struct Bench {
    world: World,
    invariants: Invariants,
    oracle: Equivalence,
    looks: [PairLook; 2],
    records: usize,
    /// The device's last LACPDU by port, and when it was answered last.
    heard: [Option<Vec<u8>>; 2],
    /// What the partner sends on each port, but for its view of the device.
    partner: [Vec<u8>; 2],
    answered: Instant,
    /// A device has said something new by LACP, and waits for the answer.
    news: bool,
    /// When the states are looked at next: shortly after anything happened.
    look_at: Option<Instant>,
    uses: u32,
    /// Whether looks are compared with snapshots.
    checked: bool,
}

/// What the schedules of this thread were, for who measures them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Effort {
    /// Schedules run.
    pub schedules: u64,
    /// Pairs built and elected for them.
    pub built: u64,
    /// Frames that arrived and timeouts that were due, while schedules ran.
    pub events: u64,
    /// Times that both devices' states were looked at and compared.
    pub looks: u64,
    /// Simulated time that passed.
    pub simulated: Duration,
}

thread_local! {
    static KEPT: RefCell<Option<Bench>> = const { RefCell::new(None) };
    static EFFORT: Cell<Effort> = const { Cell::new(Effort {
        schedules: 0, built: 0, events: 0, looks: 0, simulated: Duration::ZERO,
    }) };
}

/// What the schedules of this thread were.
#[must_use]
pub fn effort() -> Effort {
    EFFORT.get()
}

fn spend(change: impl FnOnce(&mut Effort)) {
    let mut effort = EFFORT.get();
    change(&mut effort);
    EFFORT.set(effort);
}

fn bed() -> (&'static Path, &'static Bed) {
    match beds::catalogue().beds.get("pair") {
        Some((folder, bed)) => (folder.as_path(), bed),
        None => panic!("no testbed `pair`"),
    }
}

impl Bench {
    /// A pair of such devices, connected and elected.
    ///
    /// # Errors
    /// What is wrong with devices that get no further.
    fn new(factory: &Factory) -> Result<Self, String> {
        spend(|effort| effort.built += 1);
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
            let factory = Arc::clone(factory);
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
        world.set_logging(false);
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
            looks: <[PairLook; 2]>::default(),
            world,
            records: 0,
            heard: [None, None],
            partner: [partner(1), partner(2)],
            answered: Instant::ZERO,
            news: false,
            look_at: None,
            uses: 0,
            checked: false,
        };
        bench.world.start();
        for _ in 0..200 {
            bench.pass(Duration::from_millis(100));
            bench.compare();
        }
        match bench.state().master() {
            Some(_) => Ok(bench),
            None => Err("no master after 20 s".to_owned()),
        }
    }

    const fn state(&self) -> &PairState {
        self.oracle.state()
    }

    /// The partner's LACPDUs: it agrees with what it hears, on both ports, as one system.
    fn partner(&mut self) {
        for ((heard, frame), port) in self.heard.iter().zip(&mut self.partner).zip(PORTS) {
            let Some(heard) = heard else { continue };
            // System priority, System, Key, Port priority, Port and State: the device's Actor is
            // the partner's Partner.
            let (actor, partner) = (heard.get(18..33), frame.get_mut(38..53));
            if let (Some(actor), Some(partner)) = (actor, partner) {
                partner.copy_from_slice(actor);
            }
            wired(self.world.inject(port, frame.clone()).map(drop));
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
        for record in records {
            self.records += 1;
            if let Record::Frame(frame) = record {
                self.invariants.frame(self.records, &frame);
                self.oracle.frame(self.records, &frame);
                // The link between the two is point 0, the tester's ports follow.
                let port = usize::from(frame.point.0).checked_sub(1);
                if let Some(heard) = port.and_then(|port| self.heard.get_mut(port))
                    && frame.direction == Direction::In
                    && LacpView::of(&frame.octets).is_some()
                {
                    self.news |= heard.as_ref() != Some(&frame.octets);
                    *heard = Some(frame.octets);
                }
            }
        }
        if std::mem::take(&mut self.news) {
            self.partner();
        }
    }

    /// Takes both devices' states and compares.
    fn compare(&mut self) {
        self.look_at = None;
        spend(|effort| effort.looks += 1);
        let now = self.world.now();
        let way = Way {
            faults: self.world.has_faults(),
            cut: self.world.is_cut(NAMES[0], NAMES[1]),
            in_flight: self.world.in_flight(|_| true),
            exact: Duration::ZERO,
        };
        let [a, b] = &mut self.looks;
        let [name_a, name_b] = NAMES;
        let world = &self.world;
        let looked = |name, look| world.is_running(name) && world.look(name, look);
        let (seen_a, seen_b) = (looked(name_a, a), looked(name_b, b));
        if self.checked {
            let both = [(name_a, &*a, seen_a), (name_b, &*b, seen_b)];
            for (name, look, _) in both.into_iter().filter(|(_, _, seen)| *seen) {
                let snapshot = self.world.snapshot(name);
                let whole = snapshot.as_ref().map(PairLook::of);
                assert_eq!(whole.as_ref(), Some(look), "{name} at {now:?}");
            }
        }
        let looks = [seen_a.then_some(&*a), seen_b.then_some(&*b)];
        let change = self.oracle.state().seen(looks, way);
        self.oracle.advance(now);
        let _: harness_judge::Status = self.oracle.change(now, change);
    }

    fn send(&mut self, frame: &[u8]) {
        for port in PORTS {
            wired(self.world.inject(port, frame.to_vec()).map(drop));
        }
        // No two messages of the listeners cross a query on the way.
        self.pass(Duration::from_micros(100));
    }

    /// One step of a schedule; whether it takes long to heal.
    fn step(&mut self, source: &mut Source<'_, '_>) -> bool {
        let group = *source.pick(&mutate::GROUPS);
        match source.below(199) {
            0..=99 => {
                let drawn = mutate::drawn(source);
                // What no text decides is `mld_interface`'s; this must be taken, or refused.
                let wrong = source.chance(10);
                self.send(&Message::Report(drawn, wrong).frame());
            }
            100..=124 => {
                let message = if source.chance(50) {
                    Message::Done(group)
                } else {
                    Message::Report1(group)
                };
                self.send(&message.frame());
            }
            125..=196 => {
                let times = [1, 10, 60, 100, 500, 1000];
                self.pass(Duration::from_millis(*source.pick(&times)));
                self.compare();
            }
            197 => {
                self.trouble(source);
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
    ///
    /// Where nothing was broken, all is over in 60 ms. Else what follows must be judged without the
    /// oracle's excuse for what faults leave behind, 5 s from when the channel has caught up; and
    /// until the two are at rest, 50.1 s at most: the channel's hold time (15 s) and its back-off
    /// have ended then (`channel_recovery`, D-25), as have the E-Trunk's timers.
    ///
    /// # Errors
    /// How they differ.
    fn quiet(&mut self, long: bool) -> Result<(), String> {
        self.mend();
        let (least, most, look) = if long {
            (HEALED, RECOVERED + HEALED, 500)
        } else {
            let time = Duration::from_millis(60);
            (time, time, 20)
        };
        let begun = self.world.now();
        let mut caught_up = begun;
        while self.world.now() < begun + most {
            if long && !self.is_caught_up() {
                caught_up = self.world.now();
            }
            if self.world.now() >= caught_up + least && self.at_rest() {
                break;
            }
            let left = (begun + most).since(self.world.now());
            self.pass(left.min(Duration::from_millis(look)));
            self.compare();
        }
        if self.state().same_entries() {
            return Ok(());
        }
        let when = if long {
            "after 50 s of quiet"
        } else {
            "with nothing under way"
        };
        let state = self.state();
        Err(format!("master and backup differ {when}: {state:?}"))
    }

    /// The channel is connected, and what it lost has been acknowledged since.
    fn is_caught_up(&self) -> bool {
        self.state().connected && self.looks.iter().all(|look| look.unacknowledged == 0)
    }

    /// One Master, the channel connected and all acknowledged, no series of queries, and both
    /// equal.
    fn at_rest(&self) -> bool {
        self.state().master().is_some()
            && self.is_caught_up()
            && self.state().same_entries()
            && self.looks.iter().all(|look| !look.series)
    }

    /// All listeners leave; whether the pair is as it was.
    fn leave(&mut self) -> bool {
        let [a, _] = &self.state().devices;
        // As it was found: the better device is Master.
        if self.state().master() != Some(0) || !self.state().connected {
            return false;
        }
        if a.groups.is_empty() {
            return true;
        }
        let leave = |(group, held): (&std::net::Ipv6Addr, &GroupState)| {
            // With version 1 listeners there is no BLOCK (RFC 3810 8.3.2).
            if held.filter.is_some() || held.version_1.is_some() {
                return json!({"type": "TO_IN", "group": group.to_string()});
            }
            let sources: Vec<String> = held.requested.keys().map(ToString::to_string).collect();
            json!({"type": "BLOCK", "group": group.to_string(), "sources": sources})
        };
        let records: Vec<Value> = a.groups.iter().map(leave).collect();
        let fields: Fields = [("records".to_owned(), Value::from(records))].into();
        self.send(&built(Kind::MldReport, &fields));
        self.pass(Duration::from_millis(2100));
        self.compare();
        let [a, b] = &self.state().devices;
        a.groups.is_empty() && b.groups.is_empty() && self.state().connected
    }
}

fn wired<T>(done: Result<T, harness_sim::SetupError>) {
    if let Err(error) = done {
        panic!("the pair's bench: {error}");
    }
}

/// A schedule on a kept pair, or on a new one.
///
/// # Panics
/// On a finding.
pub fn schedule(octets: &[u8]) {
    let mut kept = KEPT.with(RefCell::take);
    let played = play(&mut kept, &beds::reference(), octets);
    KEPT.with(|place| place.replace(kept));
    if let Err(found) = played {
        panic!("{found}");
    }
}

/// A schedule on a pair of its own: for replays.
pub fn fresh(octets: &[u8]) {
    drop(KEPT.with(RefCell::take));
    schedule(octets);
}

/// A schedule on a pair of its own, where each cheap look at a device is compared with a snapshot
/// of it.
///
/// # Panics
/// On a finding, and where the two differ.
pub fn checked(octets: &[u8]) {
    let done = Bench::new(&beds::reference()).and_then(|mut bench| {
        bench.checked = true;
        play(&mut Some(bench), &beds::reference(), octets)
    });
    if let Err(found) = done {
        panic!("{found}");
    }
}

/// Random schedules on pairs of such devices until something is found or the time is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// Schedules that were played.
    pub schedules: u64,
    /// How long they took.
    pub took: Duration,
    /// What the last of them found.
    pub found: Option<String>,
}

/// Looks for `time` for what is wrong with a pair of such devices, as libFuzzer does, but blindly.
#[must_use]
pub fn search(factory: &Factory, seed: u64, time: Duration) -> Search {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let begun = std::time::Instant::now();
    let (mut schedules, mut found, mut kept) = (0, None, None);
    while found.is_none() && begun.elapsed() < time {
        let mut octets = [0; 64];
        random.fill_bytes(&mut octets);
        found = play(&mut kept, factory, &octets).err();
        schedules += 1;
    }
    Search {
        schedules,
        took: begun.elapsed(),
        found,
    }
}

/// Plays a schedule on the pair that is kept, if there is one, and keeps it if it may.
///
/// # Errors
/// The finding.
fn play(kept: &mut Option<Bench>, factory: &Factory, octets: &[u8]) -> Result<(), String> {
    let mut bench = match kept.take() {
        Some(bench) => bench,
        None => Bench::new(factory)?,
    };
    let (events, begun) = (bench.world.steps(), bench.world.now());
    run(&mut bench, octets)?;
    bench.uses += 1;
    let left = bench.leave();
    spend(|effort| {
        effort.schedules += 1;
        effort.events += bench.world.steps() - events;
        effort.simulated += bench.world.now().since(begun);
    });
    let broken = bench.oracle.is_broken() || bench.invariants.is_broken();
    if bench.uses < USES && left && !broken {
        *kept = Some(bench);
        return Ok(());
    }
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
    match reports.filter_map(|report| report.broken).next() {
        Some(finding) => Err(format!("{}: {:?}", finding.what, finding.differences)),
        None => Ok(()),
    }
}

fn run(bench: &mut Bench, octets: &[u8]) -> Result<(), String> {
    let mut unstructured = arbitrary::Unstructured::new(octets);
    let mut source = Source::new(&mut unstructured);
    let mut long = false;
    for _ in 0..STEPS {
        if source.is_empty() {
            break;
        }
        long |= bench.step(&mut source);
    }
    bench.quiet(long)
}

mod message;
mod trouble;
