//! One case on a live bed.

use crate::alarm::Alarm;
use crate::bed::LiveBed;
use crate::cable::{listeners, point, sends};
use crate::clock::Clock;
use crate::control::Request;
use crate::late::Lateness;
use crate::port::{Counters, any_ready, drain};
use dut_device::Instant;
use harness_judge::Verdict;
use harness_run::{CaseResult, Measured, Session, SessionSpec, default_frames, link_fault};
use harness_suite::{Bed, Constant, ExpandedCase, Expression, NodeAction, Quantity};
use harness_tester::{Action, TesterPort};
use harness_trace::{Direction, Point, PointId};
use harness_wire::Fields;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// No case takes longer: a step that never ends is the harness's failure.
const LONGEST: Duration = Duration::from_secs(3600);

/// How often a run looks whether it is to stop.
const GLANCE: Duration = Duration::from_millis(100);

/// In which the kernel tells a device of a changed carrier.
const CARRIED: Duration = Duration::from_millis(30);

struct Playing<'a, 'b> {
    bed: &'a mut LiveBed<'b>,
    simulated: &'a Bed,
    /// The point of each capture, and the way of its frames; none where the case's testbed has no
    /// such link.
    points: Vec<Option<(PointId, Direction)>>,
    session: Session,
    clock: Clock,
    alarm: Alarm,
    measured: Measured,
    lateness: Lateness,
    /// What has arrived and comes after what is being done.
    after: Vec<(Instant, usize, Vec<u8>)>,
    goldens: PathBuf,
    stop: &'a AtomicBool,
    /// Something was done to the device since its last barrier.
    touched: bool,
}

/// How a case is played.
pub(crate) struct How<'a> {
    /// The simulated testbed, and its folder.
    pub(crate) simulated: (&'a Path, &'a Bed),
    /// The case's own seed.
    pub(crate) seed: u64,
    /// How late the device was measured to act.
    pub(crate) lateness: Duration,
    /// Folder of golden files.
    pub(crate) goldens: PathBuf,
    /// The run is to end.
    pub(crate) stop: &'a AtomicBool,
}

/// Plays one case. A bed that isn't ready blocks it.
pub(crate) async fn play(bed: &mut LiveBed<'_>, case: &ExpandedCase, how: &How<'_>) -> CaseResult {
    let begun = std::time::Instant::now();
    let unplayed = |verdict, why| CaseResult::unplayed(case, how.seed, verdict, why);
    if !bed.is_ready()
        && let Err(why) = bed.reset().await
    {
        return unplayed(
            Verdict::Blocked,
            format!("the device can't be reset: {why}"),
        );
    }
    let mut result = match one(bed, case, how).await {
        Ok(result) => result,
        Err(why) => unplayed(Verdict::Error, why),
    };
    if let Err(why) = bed.stop().await {
        result.remarks.push(format!("afterwards: {why}"));
        if let Err(why) = bed.reset().await {
            result.remarks.push(format!("reset: {why}"));
        }
    }
    result.wall = begun.elapsed();
    result
}

async fn one(
    bed: &mut LiveBed<'_>,
    case: &ExpandedCase,
    how: &How<'_>,
) -> Result<CaseResult, String> {
    let How {
        simulated,
        seed,
        lateness,
        ..
    } = *how;
    let testbed = &bed.plan.testbed;
    let clock = Clock::starting_now();
    let mut case = case.clone();
    for (name, text) in &testbed.constants {
        let scope = case.scope();
        let value = Expression::parse(text).and_then(|e| e.value(&scope));
        let constant = match value.map_err(|error| format!("constant {name}: {error}"))? {
            Quantity::Time(ns) => Constant::Ns(i64::try_from(ns).unwrap_or(i64::MAX)),
            Quantity::Number(n) => Constant::Millionths(i64::try_from(n).unwrap_or(i64::MAX)),
        };
        case.constants.insert(name.clone(), constant);
    }
    let settle = testbed.settle.as_ref().or(simulated.1.settle.as_ref());
    let settle = settle.map(|text| Expression::time(text, &case.scope()));
    let settle = settle.transpose().map_err(|error| error.to_string())?;
    let settle = settle.unwrap_or_default();
    let spec = spec(bed, &case, simulated.1, lateness, &clock);
    let named = |cable: usize| {
        let name = &bed.cables.get(cable)?.name;
        let index = spec.points.iter().position(|point| point.name == *name)?;
        u16::try_from(index).ok().map(PointId)
    };
    let points = (bed.taps.iter())
        .map(|tap| Some((named(tap.cable)?, tap.direction)))
        .collect();
    let session = Session::new(spec)?;
    let mut playing = Playing {
        session,
        simulated: simulated.1,
        points,
        clock,
        alarm: Alarm::new().map_err(|error| error.to_string())?,
        measured: Measured::default(),
        lateness: Lateness::default(),
        after: Vec::new(),
        goldens: how.goldens.clone(),
        stop: how.stop,
        touched: false,
        bed,
    };
    if let Some(warp) = &mut playing.bed.warp {
        warp.begin();
    }
    playing.bed.forget(&clock)?;
    let before = playing.bed.counters();
    match playing.bed.start(&case, simulated, seed, &clock).await {
        Err(why) => playing.measured.blocked = Some(why),
        Ok(up) => {
            playing.settle(up + settle).await?;
            playing.steps().await?;
        }
    }
    playing.finish(&before, seed).await
}

fn spec(
    bed: &LiveBed<'_>,
    case: &ExpandedCase,
    simulated: &Bed,
    lateness: Duration,
    clock: &Clock,
) -> SessionSpec {
    let testbed = &bed.plan.testbed;
    let points = bed.cables.iter().filter_map(|c| point(simulated, c));
    let points: Vec<Point> = points.collect();
    let port = |point: &Point| {
        let mac = simulated.ports.get(&point.name)?.mac.clone();
        let name = point.name.clone();
        Some(TesterPort { name, mac })
    };
    let mut frames = default_frames(case, simulated);
    for (kind, fields) in &testbed.frames {
        frames
            .entry(kind.clone())
            .or_default()
            .extend(fields.clone());
    }
    SessionSpec {
        case: case.clone(),
        ports: points.iter().filter_map(port).collect(),
        points,
        listeners: listeners(simulated),
        frames,
        devices: simulated.nodes.keys().cloned().collect(),
        pair: simulated.pair.clone(),
        tolerance: bed.plan.tolerance,
        lateness,
        origin_s: clock.origin_s(),
    }
}

impl Playing<'_, '_> {
    /// Now: the wall clock's, or the device's where the run moves it.
    fn now(&self) -> Instant {
        match &self.bed.warp {
            Some(warp) => warp.now(),
            None => self.clock.now(),
        }
    }

    /// What has arrived. By a device's own clock that is now, whatever the kernel's stamps say.
    fn arrived(&mut self) -> Result<Vec<(Instant, usize, Vec<u8>)>, String> {
        let mut arrived = drain(&mut self.bed.ports, &self.clock).map_err(|e| e.to_string())?;
        if let Some(warp) = &self.bed.warp {
            for (at, ..) in &mut arrived {
                *at = warp.now();
            }
        }
        Ok(arrived)
    }

    /// Shows the session what has arrived.
    fn show(&mut self) -> Result<(), String> {
        loop {
            let arrived = self.arrived()?;
            if arrived.is_empty() {
                return Ok(());
            }
            self.tell(arrived);
        }
    }

    /// The device comes up; then the first step begins, at `until`, before what came later is
    /// shown.
    async fn settle(&mut self, until: Instant) -> Result<(), String> {
        while self.now() < until {
            self.show()?;
            self.wait(Some(until)).await?;
        }
        let arrived = self.arrived()?;
        let (before, after): (Vec<_>, Vec<_>) =
            arrived.into_iter().partition(|(at, ..)| *at < until);
        self.tell(before);
        self.session.start(until);
        self.tell(after);
        Ok(())
    }

    fn tell(&mut self, arrived: Vec<(Instant, usize, Vec<u8>)>) {
        for (at, port, octets) in arrived {
            if let Some(Some((point, direction))) = self.points.get(port) {
                self.session.received(*point, *direction, at, octets);
            }
        }
    }

    /// Waits until something may have arrived, or `due`. A device's own clock is only moved once
    /// the device has taken what was done to it.
    async fn wait(&mut self, due: Option<Instant>) -> Result<(), String> {
        if self.bed.warp.is_some() {
            return match std::mem::take(&mut self.touched) {
                true => self.bed.barrier().await,
                false => self.bed.advance(due).await,
            };
        }
        let wall = due.map(|due| self.clock.wall(due));
        tokio::select! {
            () = any_ready(&self.bed.ports) => {}
            done = self.alarm.until(wall) => {
                done.map_err(|error| error.to_string())?;
                let late = due.map_or(Duration::ZERO, |due| self.clock.now().since(due));
                self.late(late);
            }
            () = tokio::time::sleep(GLANCE) => {}
        }
        Ok(())
    }

    fn late(&mut self, late: Duration) {
        self.lateness.add(self.now(), late);
    }

    async fn steps(&mut self) -> Result<(), String> {
        let begun = std::time::Instant::now();
        while !self.session.is_done() {
            if let Err(why) = self.turn().await {
                match self.bed.dead().await {
                    Some(dead) => {
                        self.measured.blocked = Some(dead);
                        return Ok(());
                    }
                    None => self.session.abort(why),
                }
            }
            if self.stop.load(Ordering::Relaxed) {
                self.session.abort("the run was interrupted".to_owned());
            } else if begun.elapsed() > LONGEST {
                self.session.abort("the case does not end".to_owned());
            }
        }
        Ok(())
    }

    /// Shows what has come and does what is asked for, or waits for either.
    async fn turn(&mut self) -> Result<(), String> {
        self.show()?;
        self.session.pass(self.now());
        if self.session.action().is_some() {
            // What arrived before the action is done comes before it.
            self.show()?;
            self.touched = true;
            return self.actions().await;
        }
        if !self.session.is_done() {
            self.look().await?;
            let look = self.session.look().map(|(_, at)| at);
            let due = self.session.next_timeout().into_iter().chain(look).min();
            if due.is_none_or(|due| due > self.now()) {
                self.wait(due).await?;
            }
        }
        Ok(())
    }

    /// Does what is asked for at one instant, all of it before an answer to the first is shown: the
    /// step that waits for the answer may begin only after the last.
    async fn actions(&mut self) -> Result<(), String> {
        while self.session.action().is_some() {
            self.act().await?;
        }
        Ok(())
    }

    /// A device whose clock stands still hears of a carrier from its kernel, whose clock doesn't.
    async fn carried(&self) {
        if self.bed.warp.is_some() {
            tokio::time::sleep(CARRIED).await;
        }
    }

    /// Reads the pair's states when that is due.
    async fn look(&mut self) -> Result<(), String> {
        let now = self.now();
        let Some((names, at)) = self.session.look().filter(|(_, at)| *at <= now) else {
            return Ok(());
        };
        let [a, b] = names.clone();
        let asked = self.now().max(at);
        let states = [self.bed.state(&a).await?, self.bed.state(&b).await?];
        self.show()?;
        let now = self.now();
        self.session.pass(now);
        // The player may have something to do first: the states are read again then.
        if self.session.action().is_none() {
            self.late(now.since(asked));
            let [a, b] = &states;
            let faults = !self.bed.faults.is_empty();
            self.session.looked(now, [a.as_ref(), b.as_ref()], faults);
        }
        Ok(())
    }

    /// When something has happened that silences what `silent` captures show: what they have shown
    /// until then comes before it, and what others have shown since comes after. It was begun at
    /// `begun`.
    fn ended(&mut self, begun: Instant, silent: &[bool]) -> Result<Instant, String> {
        let arrived = self.arrived()?;
        let is_silent = |port: usize| silent.get(port) == Some(&true);
        let last = arrived.iter().filter(|(_, port, _)| is_silent(*port));
        let last = last.map(|(at, ..)| *at).max().unwrap_or(begun).max(begun);
        let before = |at: Instant, port: usize| at <= begun || (is_silent(port) && at <= last);
        let (before, after): (Vec<_>, Vec<_>) =
            (arrived.into_iter()).partition(|(at, port, _)| before(*at, *port));
        self.tell(before);
        self.after = after;
        Ok(last)
    }

    /// It is done, and what came after it is told.
    fn acted(&mut self, at: Instant, what: &str) {
        self.session.acted(at, what);
        let after = std::mem::take(&mut self.after);
        self.tell(after);
    }

    /// What was asked for at `at` is done. When within the time since then isn't known.
    fn took(&mut self, at: Instant, what: &str) {
        self.late(self.now().since(at));
        self.session.acted(at, what);
    }

    /// Cuts or mends a link.
    async fn cut(&mut self, name: &str, up: bool) -> Result<(), String> {
        let begun = self.now();
        self.bed.link(name, up).await?;
        self.carried().await;
        // A person's hand takes what it takes.
        if !self.bed.plan.testbed.manual {
            self.late(self.now().since(begun));
        }
        let cables = &self.bed.cables;
        let of_link = |cable: usize| cables.get(cable).is_some_and(|cable| cable.name == name);
        let taps = self.bed.taps.iter();
        let silent: Vec<bool> = taps.map(|tap| of_link(tap.cable)).collect();
        let at = match up {
            true => begun,
            false => self.ended(begun, &silent)?,
        };
        self.acted(
            at,
            &format!("link {name} {}", if up { "up" } else { "down" }),
        );
        Ok(())
    }

    /// Does something to a device.
    async fn node(&mut self, name: &str, action: NodeAction) -> Result<(), String> {
        let begun = self.now();
        self.bed.act(name, action).await?;
        let taps = self.bed.taps.iter();
        let own = taps.map(|tap| sends(self.simulated, &self.bed.cables, *tap, name));
        let silent: Vec<bool> = own.collect();
        let at = match action {
            NodeAction::Resume | NodeAction::Restart => begun,
            NodeAction::Crash | NodeAction::Hang => self.ended(begun, &silent)?,
        };
        self.acted(at, &format!("{action:?} {name}"));
        Ok(())
    }

    async fn act(&mut self) -> Result<(), String> {
        let Some(action) = self.session.action().cloned() else {
            return Ok(());
        };
        match action {
            Action::Send { port, octets } => {
                // Before it leaves: an answer may come within the call.
                let at = self.now();
                let open = self
                    .bed
                    .port(&port)
                    .ok_or_else(|| format!("no port `{port}`"))?;
                let left = open.send(&octets).map_err(|error| error.to_string())?;
                let took = self.now().since(at);
                let late = self.session.sent(at, !left);
                self.late(late.max(took));
            }
            Action::Link { name, up } => self.cut(&name, up).await?,
            Action::Node { name, action } => self.node(&name, action).await?,
            Action::Command { node, text } => {
                let at = self.now();
                let request = Request::Command(text.clone());
                self.bed.ask(&node, &request).await?;
                self.took(at, &format!("{node}: {text}"));
            }
            Action::Probe { node, pointers } => {
                let state = self.bed.probe(&node).await?.unwrap_or_default();
                let at =
                    |pointer: &String| Some((pointer.clone(), state.pointer(pointer)?.clone()));
                let values: Fields = pointers.iter().filter_map(at).collect();
                self.show()?;
                self.session.probed(self.now(), values);
            }
            Action::Display {
                node,
                command,
                golden,
            } => {
                let shown = self.bed.ask(&node, &Request::Display(command)).await?;
                let path = self.goldens.join(golden);
                let text = std::fs::read_to_string(&path);
                let text = text.map_err(|error| format!("{}: {error}", path.display()))?;
                self.show()?;
                self.session.displayed(self.now(), &shown, &text);
            }
            Action::Fault(fault, delay) => {
                let at = self.now();
                let what = format!("fault {}", fault.name);
                self.bed.fault(link_fault(fault, delay)).await?;
                self.took(at, &what);
            }
            Action::Heal(name) => {
                let at = self.now();
                self.bed.heal(name.as_deref()).await?;
                self.took(at, "heal");
            }
        }
        Ok(())
    }

    async fn finish(mut self, before: &[Counters], seed: u64) -> Result<CaseResult, String> {
        if self.measured.blocked.is_none() {
            self.measured.blocked = self.bed.dead().await;
        }
        if self.measured.blocked.is_some() {
            drop(self.bed.reset().await);
        }
        self.measured.late_ns = self.lateness.worst_ns();
        self.measured.device_late_ns = self.bed.lateness().await;
        let after = self.bed.counters();
        let lost = after.iter().zip(before);
        self.measured.dropped = lost.map(|(after, before)| after.since(before)).sum();
        let step = self.clock.step();
        self.measured.clock_step_ns = u64::try_from(step.as_nanos()).unwrap_or(u64::MAX);
        let now = self.now();
        Ok(self.session.finish(now, self.measured, seed))
    }
}
