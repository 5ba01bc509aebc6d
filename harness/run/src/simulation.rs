//! One case in the simulation: the world and the player take turns.

use crate::bed::{BedError, Factory, SimulatedBed, build_bed, mix};
use crate::event::CaseResult;
use crate::notes::{CaseNote, Note};
use crate::watch::PairWatch;
use dut_device::Instant;
use harness_judge::{Difference, Invariants, Verdict};
use harness_sim::{Budget, Fault, FaultMatch, NodeAction, World};
use harness_suite::{Bed, Catalogue, ExpandedCase};
use harness_tester::{Action, Player, Setup};
use harness_trace::Record;
use harness_wire::Fields;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// No case takes longer, in virtual time: a step that never ends is the harness's failure.
const LONGEST: Duration = Duration::from_secs(6 * 3600);

/// Runs one case. The run's `seed` and the case's id give the case's own seed; `lateness` is what
/// the device was measured to need to act, its tick.
#[must_use]
pub fn run_case(
    case: &ExpandedCase,
    catalogue: &Catalogue,
    factory: &Factory,
    seed: u64,
    lateness: Duration,
) -> CaseResult {
    let seed = mix(seed, &case.id);
    let begun = std::time::Instant::now();
    let bed = catalogue.beds.get(&case.testbed);
    let built = match bed {
        Some((folder, bed)) => {
            if let Some(missing) = missing(case, bed) {
                return CaseResult::unplayed(case, seed, Verdict::NotApplicable, missing);
            }
            build_bed(bed, folder, Some(case), factory, seed).map(|built| (built, bed, folder))
        }
        None => Err(BedError::Value(format!("no testbed `{}`", case.testbed))),
    };
    let mut result = match built {
        Ok((built, bed, _)) => match Driver::new(case, built, bed, lateness) {
            Ok(mut driver) => {
                driver.goldens = catalogue.root.join(&case.suite);
                driver.run();
                driver.finish(case, seed)
            }
            Err(why) => CaseResult::unplayed(case, seed, Verdict::Error, why),
        },
        Err(error) => CaseResult::unplayed(case, seed, Verdict::Error, error.to_string()),
    };
    result.wall = begun.elapsed();
    result
}

/// Whether a case's testbed can be built and its steps can be played, without running it.
///
/// # Errors
/// What is wrong, with the step's line where it is a step's.
pub fn check_case(
    case: &ExpandedCase,
    catalogue: &Catalogue,
    factory: &Factory,
) -> Result<(), String> {
    let (folder, bed) = catalogue.beds.get(&case.testbed).ok_or("no such testbed")?;
    let built = build_bed(bed, folder, Some(case), factory, 0).map_err(|e| e.to_string())?;
    Driver::new(case, built, bed, Duration::ZERO).map(drop)
}

/// What the case needs and the testbed hasn't.
fn missing(case: &ExpandedCase, bed: &Bed) -> Option<String> {
    if let Some(why) = case.beyond(&bed.observers) {
        return Some(why);
    }
    let links = usize::from(case.needs.links.unwrap_or(1));
    let needs_ports = case
        .steps
        .iter()
        .any(|located| located.step.frames().is_some_and(|f| f.2));
    (needs_ports && bed.ports.len() < links).then(|| {
        format!(
            "the case needs {links} links, the testbed has {}",
            bed.ports.len()
        )
    })
}

/// The tester's default frames: the testbed's, and over them those of the case's form.
#[must_use]
pub fn default_frames(case: &ExpandedCase, bed: &Bed) -> BTreeMap<String, Fields> {
    let mut frames = bed.frames.clone();
    for (kind, fields) in &case.frames {
        let of_kind = frames.entry(kind.clone()).or_default();
        of_kind.extend(fields.clone());
    }
    frames
}

struct Driver {
    world: World,
    player: Player,
    invariants: Invariants,
    pair: Option<PairWatch>,
    /// Records that the player has been shown.
    shown: usize,
    goldens: std::path::PathBuf,
}

impl Driver {
    fn new(
        case: &ExpandedCase,
        built: SimulatedBed,
        bed: &Bed,
        lateness: Duration,
    ) -> Result<Self, String> {
        let SimulatedBed {
            mut world,
            ports,
            listeners,
            nodes,
            settle,
            pair_latency,
        } = built;
        let points = world.trace().points.clone();
        let frames = default_frames(case, bed);
        let note = CaseNote {
            case: case.clone(),
            ports: ports
                .iter()
                .map(|port| (port.name.clone(), port.mac.clone()))
                .collect(),
            frames: frames.clone(),
            listeners: listeners.clone(),
            ends: points
                .iter()
                .map(|p| (p.near.clone(), p.far.clone()))
                .collect(),
            tolerance: 0,
            lateness: u64::try_from(lateness.as_nanos()).unwrap_or(u64::MAX),
            devices: nodes.clone(),
            pair: bed.pair.clone(),
            pair_latency: u64::try_from(pair_latency.as_nanos()).unwrap_or(u64::MAX),
        };
        world.note(Note::Case(Box::new(note)).text());
        let setup = Setup {
            case: case.clone(),
            points: points.clone(),
            ports,
            frames,
            listeners,
            tolerance: Duration::ZERO,
            lateness,
        };
        let player = Player::new(setup).map_err(|error| error.to_string())?;
        let invariants = Invariants::new(&points, &nodes);
        let pair = PairWatch::new(&points, &bed.pair, &case.scope(), pair_latency);
        world.set_budget(Budget::CASE);
        world.start();
        for (name, host) in &bed.hosts {
            for command in &host.start {
                world
                    .command(name, command)
                    .map_err(|error| error.to_string())?;
            }
        }
        let goldens = std::path::PathBuf::new();
        let mut driver = Self {
            world,
            player,
            invariants,
            pair,
            shown: 0,
            goldens,
        };
        driver.turn(Instant::ZERO + settle);
        driver.world.advance(Instant::ZERO + settle);
        driver.world.note(Note::Start.text());
        driver.player.start(Instant::ZERO + settle);
        driver.act();
        Ok(driver)
    }

    fn run(&mut self) {
        let end = Instant::ZERO + LONGEST;
        while !self.player.is_done() && !self.overran() {
            let Some(due) = self.player.next_timeout() else {
                self.player.abort("the player waits for nothing".to_owned());
                break;
            };
            if due > end {
                let line = self.player.step_line();
                self.player
                    .abort(format!("the step at line {line} does not end"));
                break;
            }
            // Everything that the world does up to and at that instant comes first.
            if self.turn(due) {
                self.world.advance(due);
                self.player.handle_timeout(due);
                self.act();
            }
        }
        self.world.note(Note::Done(None).text());
    }

    /// Whether a device has exceeded its budget. Then the case ends: by *fail* when the device is
    /// one under test, since no text lets a device act or send without end, whatever the case is
    /// about; by *error* when it is one of the testbed.
    fn overran(&mut self) -> bool {
        let Some(overrun) = self.world.overrun() else {
            return false;
        };
        let (verdict, what) = if overrun.node {
            (Verdict::Fail, format!("{overrun}: it was stopped"))
        } else {
            (Verdict::Error, format!("{overrun}, which is the testbed's"))
        };
        self.show();
        self.world.note(Note::Overrun(verdict, what.clone()).text());
        self.player.give_up(verdict, what);
        true
    }

    /// Lets the world go on up to `until`; `false` when the player's plans have changed before.
    fn turn(&mut self, until: Instant) -> bool {
        while self.world.overrun().is_none() {
            let sample = self.pair.as_ref().map(PairWatch::next);
            let next = self.world.next_event();
            let first = [next, sample].into_iter().flatten().min();
            let Some(first) = first.filter(|first| *first <= until) else {
                return true;
            };
            if next.is_none_or(|next| next > first) {
                self.world.advance(first);
                self.sample(first);
            } else {
                self.world.step();
            }
            let any = self.show();
            self.act();
            if any && self.player.is_done() {
                return false;
            }
            if self.player.next_timeout().is_some_and(|due| due < until) {
                return false;
            }
        }
        false
    }

    /// Shows the player, the invariants and the oracle what the world has recorded; whether there
    /// was anything. What the player asks for meanwhile is done after the last of it.
    fn show(&mut self) -> bool {
        let mut any = false;
        while let Some(record) = self.world.trace().records.get(self.shown) {
            let index = self.shown;
            self.shown += 1;
            if let Record::Frame(frame) = record {
                any = true;
                let frame = frame.clone();
                self.invariants.frame(index, &frame);
                if let Some(pair) = &mut self.pair {
                    pair.frame(index, &frame);
                }
                self.player.observe(index, &frame);
            }
        }
        any
    }

    /// Looks at the pair's state.
    fn sample(&mut self, now: Instant) {
        let pair = self.pair.as_mut();
        if let Some(note) = pair.and_then(|pair| pair.look(now, &self.world)) {
            self.player.pair_status(now, note.status());
            self.world.note(Note::Pair(note).text());
            self.act();
        }
    }

    /// Does what the player asks for.
    fn act(&mut self) {
        while let Some(action) = self.player.poll_action() {
            let now = self.world.now();
            if let Err(error) = self.one(now, action) {
                self.player.abort(error);
            }
            self.player.handle_timeout(now);
        }
    }

    fn one(&mut self, now: Instant, action: Action) -> Result<(), String> {
        let text = |error: harness_sim::SetupError| error.to_string();
        match action {
            Action::Send { port, octets } => {
                let record = self.world.inject(&port, octets).map_err(text)?;
                self.player.sent(now, record);
                self.show();
            }
            Action::Link { name, up } => {
                self.act_note(&format!("link {name} {}", if up { "up" } else { "down" }));
                self.world.set_link(&name, up).map_err(text)?;
            }
            Action::Node { name, action } => {
                self.act_note(&format!("{action:?} {name}"));
                if let Some(pair) = &mut self.pair {
                    pair.node(now, &name, action);
                }
                self.world.act(&name, node_action(action)).map_err(text)?;
            }
            Action::Fault(fault, delay) => {
                self.act_note(&format!("fault {}", fault.name));
                let fault = link_fault(fault, delay);
                self.world.fault(fault).map_err(text)?;
            }
            Action::Heal(name) => {
                self.act_note("heal");
                self.world.heal(name.as_deref());
            }
            Action::Command {
                node,
                text: command,
            } => {
                self.act_note(&format!("{node}: {command}"));
                self.world.command(&node, &command).map_err(text)?;
            }
            Action::Probe { node, pointers } => {
                let values = probe(&self.world, &node, &pointers)?;
                self.world.note(Note::Probe(values.clone()).text());
                self.player.probed(now, &values);
            }
            Action::Display {
                node,
                command,
                golden,
            } => {
                let differences = self.display(now, &node, &command, &golden)?;
                self.world.note(Note::Display(differences.clone()).text());
                self.player.displayed(now, differences);
            }
        }
        // What the action has made happen at once is shown before the next step begins.
        self.show();
        Ok(())
    }

    fn act_note(&mut self, text: &str) {
        self.invariants.disturbed(text.starts_with("fault "));
        self.world.note(Note::Action(text.to_owned()).text());
    }

    fn display(
        &self,
        now: Instant,
        node: &str,
        command: &str,
        golden: &str,
    ) -> Result<Vec<Difference>, String> {
        let device = self
            .world
            .device(node)
            .ok_or_else(|| format!("`{node}` is not alive"))?;
        let shown = device.display(now, command);
        let shown = shown.ok_or_else(|| format!("`{node}` has no command line"))??;
        let path: &Path = &self.goldens.join(golden);
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(crate::judge::compare_golden(&text, &shown))
    }

    fn finish(self, case: &ExpandedCase, seed: u64) -> CaseResult {
        let Self {
            world,
            player,
            invariants,
            pair,
            ..
        } = self;
        let outcome = player.outcome().clone();
        let oracle = pair.map(|pair| pair.finish(world.now()));
        let oracle = oracle.unwrap_or_default();
        let (trace, log) = world.finish();
        let mut reports = invariants.finish();
        let judged = crate::judge::overall(case, &outcome, &reports, &oracle);
        reports.extend(oracle);
        CaseResult {
            log,
            seed,
            ..CaseResult::played(case.clone(), outcome, judged, reports, trace)
        }
    }
}

fn node_action(action: harness_suite::NodeAction) -> NodeAction {
    match action {
        harness_suite::NodeAction::Crash => NodeAction::Crash,
        harness_suite::NodeAction::Hang => NodeAction::Hang,
        harness_suite::NodeAction::Resume => NodeAction::Resume,
        harness_suite::NodeAction::Restart => NodeAction::Restart,
    }
}

/// A case's fault as links take it.
#[must_use]
pub fn link_fault(fault: harness_suite::Fault, delay: Duration) -> Fault {
    Fault {
        name: fault.name,
        links: fault.links,
        matching: FaultMatch {
            ethertype: fault.match_.ethertype,
            next_header: fault.match_.next_header,
            port: fault.match_.port,
            from: fault.match_.from,
        },
        loss: fault.loss,
        delay,
    }
}

/// The values at these JSON pointers of a node's snapshot; a crashed node has none.
fn probe(world: &World, node: &str, pointers: &[String]) -> Result<Fields, String> {
    let Some(snapshot) = world.snapshot(node) else {
        return match world.names().any(|name| name == node) {
            true => Ok(BTreeMap::new()),
            false => Err(format!("no node `{node}`")),
        };
    };
    let value = serde_json::to_value(&snapshot).map_err(|error| error.to_string())?;
    let at = |pointer: &String| Some((pointer.clone(), value.pointer(pointer)?.clone()));
    Ok(pointers.iter().filter_map(at).collect())
}

#[cfg(test)]
mod tests;
