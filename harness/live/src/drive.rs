//! One case on a live bed.

use crate::alarm::Alarm;
use crate::bed::{LiveBed, Plan};
use crate::clock::Clock;
use crate::control::Request;
use crate::port::{Counters, any_ready, drain};
use dut_device::Instant;
use harness_judge::Verdict;
use harness_run::{CaseResult, Measured, Session, SessionSpec, default_frames, mix};
use harness_suite::{Bed, Catalogue, Constant, ExpandedCase, Expression, NodeAction, Quantity};
use harness_tester::{Action, TesterPort};
use harness_trace::PointId;
use harness_wire::Fields;
use std::path::Path;
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
    /// The point of each port; none of one that the case's testbed hasn't.
    points: Vec<Option<PointId>>,
    session: Session,
    clock: Clock,
    alarm: Alarm,
    measured: Measured,
    goldens: std::path::PathBuf,
    stop: &'a AtomicBool,
    /// Something was done to the device since its last barrier.
    touched: bool,
}

/// Plays one case. A bed that isn't ready blocks it.
pub(crate) async fn play(
    bed: &mut LiveBed<'_>,
    case: &ExpandedCase,
    catalogue: &Catalogue,
    seed: u64,
    stop: &AtomicBool,
) -> CaseResult {
    let begun = std::time::Instant::now();
    let seed = mix(seed, &case.id);
    let unplayed = |verdict, why| CaseResult::unplayed(case, seed, verdict, why);
    let Some((folder, simulated)) = catalogue.beds.get(&case.testbed) else {
        return unplayed(Verdict::Error, format!("no testbed `{}`", case.testbed));
    };
    if let Some(why) = bed.plan.testbed.inapplicable(case, simulated) {
        return unplayed(Verdict::NotApplicable, why);
    }
    if !bed.is_ready()
        && let Err(why) = bed.reset().await
    {
        return unplayed(
            Verdict::Blocked,
            format!("the device can't be reset: {why}"),
        );
    }
    let goldens = catalogue.root.join(&case.suite);
    let mut result = match one(bed, case, (folder, simulated), seed, goldens, stop).await {
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
    simulated: (&Path, &Bed),
    seed: u64,
    goldens: std::path::PathBuf,
    stop: &AtomicBool,
) -> Result<CaseResult, String> {
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
    let settle = Plan::time(settle.map(String::as_str), Duration::ZERO)?;
    let spec = spec(bed, &case, simulated.1, &clock);
    let point = |name: &String| {
        let index = spec.ports.iter().position(|(port, _)| port.name == *name);
        index
            .and_then(|index| u16::try_from(index).ok())
            .map(PointId)
    };
    let points = bed.names.iter().map(point).collect();
    let session = Session::new(spec)?;
    let mut playing = Playing {
        session,
        points,
        clock,
        alarm: Alarm::new().map_err(|error| error.to_string())?,
        measured: Measured::default(),
        goldens,
        stop,
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

fn spec(bed: &LiveBed<'_>, case: &ExpandedCase, simulated: &Bed, clock: &Clock) -> SessionSpec {
    let testbed = &bed.plan.testbed;
    let device = simulated.nodes.keys().next().cloned().unwrap_or_default();
    let mac = |name: &String| simulated.ports.get(name).map(|port| port.mac.clone());
    let ports = bed.names.iter().filter_map(|name| {
        let port = TesterPort {
            name: name.clone(),
            mac: mac(name)?,
        };
        Some((port, device.clone()))
    });
    let mut frames = default_frames(case, simulated);
    for (kind, fields) in &testbed.frames {
        frames
            .entry(kind.clone())
            .or_default()
            .extend(fields.clone());
    }
    SessionSpec {
        case: case.clone(),
        ports: ports.collect(),
        frames,
        devices: vec![device],
        tolerance: bed.plan.tolerance,
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
            if let Some(Some(point)) = self.points.get(port) {
                self.session.received(*point, at, octets);
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
        let ns = u64::try_from(late.as_nanos()).unwrap_or(u64::MAX);
        self.measured.late_ns = self.measured.late_ns.max(ns);
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
            let due = self.session.next_timeout();
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

    /// When something that silences the device has happened: what it had sent until then comes
    /// before it, while what begins something comes before its consequences.
    fn ended(&mut self) -> Result<Instant, String> {
        self.show()?;
        Ok(self.now())
    }

    async fn act(&mut self) -> Result<(), String> {
        let Some(action) = self.session.action().cloned() else {
            return Ok(());
        };
        match action {
            Action::Send { port, octets } => {
                // Before it leaves: an answer may come within the call.
                let at = self.now();
                let index = self.bed.names.iter().position(|name| *name == port);
                let open = index.and_then(|index| self.bed.ports.get_mut(index));
                let open = open.ok_or_else(|| format!("no port `{port}`"))?;
                let left = open.send(&octets).map_err(|error| error.to_string())?;
                let took = self.now().since(at);
                let late = self.session.sent(at, !left);
                self.late(late.max(took));
            }
            Action::Link { name, up } => {
                let before = self.now();
                self.bed.link(&name, up).await?;
                self.carried().await;
                let at = if up { before } else { self.ended()? };
                let state = if up { "up" } else { "down" };
                self.session.acted(at, &format!("link {name} {state}"));
            }
            Action::Node { name, action } => {
                let before = self.now();
                self.bed.act(action).await?;
                let at = match action {
                    NodeAction::Resume | NodeAction::Restart => before,
                    NodeAction::Crash | NodeAction::Hang => self.ended()?,
                };
                self.session.acted(at, &format!("{action:?} {name}"));
            }
            Action::Command { node, text } => {
                let at = self.now();
                self.bed.ask(&Request::Command(text.clone())).await?;
                self.session.acted(at, &format!("{node}: {text}"));
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
                command, golden, ..
            } => {
                let shown = self.bed.ask(&Request::Display(command)).await?;
                let path = self.goldens.join(golden);
                let text = std::fs::read_to_string(&path);
                let text = text.map_err(|error| format!("{}: {error}", path.display()))?;
                self.show()?;
                self.session.displayed(self.now(), &shown, &text);
            }
            Action::Fault(..) | Action::Heal(_) => {
                return Err("a wire has no faults".to_owned());
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
        let after = self.bed.counters();
        let lost = after.iter().zip(before);
        self.measured.dropped = lost.map(|(after, before)| after.since(before)).sum();
        let step = self.clock.step();
        self.measured.clock_step_ns = u64::try_from(step.as_nanos()).unwrap_or(u64::MAX);
        let now = self.now();
        Ok(self.session.finish(now, self.measured, seed))
    }
}
