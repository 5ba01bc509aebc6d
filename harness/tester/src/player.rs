//! The player: runs a case's steps against what it observes.

use crate::among::Counted;
use crate::choosing::Choosing;
use crate::etrunk_peer::ETrunkPeer;
use crate::judging::{Counting, Expecting, Forbidding, Judged};
use crate::matching::Known;
use crate::measuring::{Classifying, Sampling, Varying};
use crate::outcome::{Action, FIRST_FRESH, Outcome, SetupError};
use crate::port::Port;
use crate::sampling::{Equalling, Probing};
use dut_device::Instant;
use harness_judge::{Finding, StreamMeter, Verdict};
use harness_suite::{ExpandedCase, Expression, ExpressionError, Located, Quantity, Scope, Step};
use harness_trace::{Direction, Frame, Point, PointId};
use harness_wire::{Fields, Kind};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// A tester's port as the testbed has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TesterPort {
    /// Name, as `p1`.
    pub name: String,
    /// MAC address.
    pub mac: String,
}

/// What a player is made of.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The case.
    pub case: ExpandedCase,
    /// The points that it will observe, as in the trace.
    pub points: Vec<Point>,
    /// Which of them are the tester's ports.
    pub ports: Vec<TesterPort>,
    /// Default field values by kind of frame.
    pub frames: BTreeMap<String, Fields>,
    /// Hosts by the link that ends at them: where streams arrive.
    pub listeners: BTreeMap<String, String>,
    /// How inexact this testbed's times are.
    pub tolerance: Duration,
    /// How late the device was measured to act: its tick.
    pub lateness: Duration,
}

/// What the equivalence oracle says of the pair.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PairStatus {
    /// Both hold the same groups, filter modes and sources, and what the listeners asked for.
    pub equal: bool,
    /// Groups held.
    pub groups: u32,
}

/// What the player is about.
#[derive(Debug)]
pub(crate) enum Current {
    Ready,
    Sleeping(Instant),
    Sending {
        port: usize,
        kind: Kind,
        fields: Fields,
        left: u32,
        every: Duration,
        next: Instant,
        varying: Varying,
    },
    Expecting(Expecting),
    Forbidding(Forbidding),
    Counting(Counting),
    Choosing(Choosing),
    Among(Counted),
    Sampling(Box<Sampling>),
    Classifying(Box<Classifying>),
    Probing(Probing),
    Equalling(Equalling),
    Displaying,
    Done,
}

/// A stream or a repeated send that goes on beside the steps.
#[derive(Debug)]
pub(crate) struct Background {
    pub(crate) name: String,
    pub(crate) port: usize,
    pub(crate) kind: Kind,
    pub(crate) fields: Fields,
    pub(crate) left: Option<u32>,
    pub(crate) every: Duration,
    pub(crate) next: Instant,
    /// Numbers its packets, from 1.
    pub(crate) sequence: Option<u64>,
    /// A numbered stream's packet before.
    pub(crate) packet: Option<Vec<u8>>,
    pub(crate) varying: Varying,
}

/// Plays one case. See the crate's page for the rules.
#[derive(Debug)]
pub struct Player {
    pub(crate) case: ExpandedCase,
    pub(crate) points: Vec<Point>,
    pub(crate) ports: Vec<Port>,
    /// The tester's port at each point.
    port_at: Vec<Option<usize>>,
    /// The listener behind each point, with the direction in which frames reach it.
    listener_at: Vec<Option<(String, Direction)>>,
    pub(crate) tolerance: Duration,
    pub(crate) now: Instant,
    started: bool,
    pub(crate) step: usize,
    pub(crate) current: Current,
    pub(crate) scope: Scope,
    pub(crate) known: Known,
    pub(crate) backgrounds: Vec<Background>,
    pub(crate) actions: VecDeque<Action>,
    pub(crate) streams: StreamMeter,
    pub(crate) outcome: Outcome,
    pub(crate) pair: PairStatus,
    /// What the next `sent` is to be saved as.
    pub(crate) save_sent: Option<String>,
    /// The last value given out as fresh.
    pub(crate) last_fresh: u64,
    /// Collected durations by name.
    pub(crate) samples: BTreeMap<String, Vec<Duration>>,
}

impl Player {
    /// A player at the beginning of its case.
    ///
    /// # Errors
    /// [`SetupError`] for what can be told without running.
    pub fn new(setup: Setup) -> Result<Self, SetupError> {
        let Setup {
            case,
            points,
            ports,
            frames,
            listeners,
            tolerance,
            lateness,
        } = setup;
        let index = |name: &str| ports.iter().position(|port| port.name == name);
        let port_at = points.iter().map(|point| index(&point.name)).collect();
        let listener = |point: &Point| {
            let host = listeners.get(&point.name)?;
            let direction = if point.near == *host {
                Direction::In
            } else {
                Direction::Out
            };
            Some((host.clone(), direction))
        };
        let listener_at = points.iter().map(listener).collect();
        let port = |(number, port): (usize, TesterPort)| Port {
            name: port.name,
            number: u16::try_from(number + 1).unwrap_or(u16::MAX),
            mac: port.mac,
            defaults: frames.clone(),
            device_actor: Fields::new(),
            device_pdu: None,
            device_mac: None,
            partner: None,
            reflect: None,
            addresses: Vec::new(),
            etrunk: None,
            rbs: None,
        };
        let scope = case.scope();
        let ports: Vec<Port> = ports.clone().into_iter().enumerate().map(port).collect();
        let player = Self {
            case,
            points,
            ports,
            port_at,
            listener_at,
            tolerance: tolerance + lateness,
            now: Instant::ZERO,
            started: false,
            step: 0,
            current: Current::Ready,
            scope,
            known: Known::new(),
            backgrounds: Vec::new(),
            actions: VecDeque::new(),
            streams: StreamMeter::default(),
            outcome: Outcome {
                verdict: Verdict::Inconclusive,
                finding: None,
                judged: 0,
                record: None,
                remarks: Vec::new(),
                classes: BTreeMap::new(),
                lateness: Duration::ZERO,
            },
            pair: PairStatus::default(),
            save_sent: None,
            last_fresh: FIRST_FRESH,
            samples: BTreeMap::new(),
        };
        player.check()?;
        Ok(player)
    }

    /// Begins with the first step.
    pub fn start(&mut self, now: Instant) {
        self.now = now;
        self.started = true;
        self.mark("start", now);
        self.mark("last_sent", now);
        self.mark("last_received", now);
        self.go_on();
    }

    /// A frame was seen at a point. `record` is its index in the trace.
    pub fn observe(&mut self, record: usize, frame: &Frame) {
        self.now = self.now.max(frame.at);
        let PointId(point) = frame.point;
        let point = usize::from(point);
        if let Some(Some((listener, direction))) = self.listener_at.get(point)
            && !frame.lost
            && *direction == frame.direction
            && let Some((group, sequence)) = stream_packet(&frame.octets)
        {
            self.streams.arrived(frame.at, listener, group, sequence);
        }
        if let Some(Some(port)) = self.port_at.get(point).copied()
            && frame.direction == Direction::In
        {
            self.mark("last_received", frame.at);
            for message in self.react(port, frame) {
                self.judge_fields(point, frame, record, Kind::Rbs, &message);
                self.look_on();
            }
        }
        let looked = self.current.looks();
        self.judge(record, point, frame);
        if looked {
            // What the device says next must be seen, however late the tester's own answer leaves.
            self.look_on();
        }
        self.go_on();
    }

    /// The driver has sent the frame of the last [`Action::Send`].
    pub fn sent(&mut self, at: Instant, _record: usize) {
        self.now = self.now.max(at);
        self.mark("last_sent", at);
        self.sample_sent(at);
        if let Some(name) = self.save_sent.take() {
            self.mark(&name, at);
        }
    }

    /// Time has reached `now`, and everything observed until then has been told.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = self.now.max(now);
        self.go_on();
    }

    /// What the equivalence oracle says now.
    pub fn pair_status(&mut self, now: Instant, status: PairStatus) {
        self.now = self.now.max(now);
        self.pair = status;
        self.go_on();
    }

    /// When [`Player::handle_timeout`] wants to be called next.
    pub fn next_timeout(&mut self) -> Option<Instant> {
        if self.is_done() || !self.started {
            return None;
        }
        let now = self.now;
        let current = match &self.current {
            Current::Ready => Some(now),
            Current::Sleeping(until) => Some(*until),
            Current::Sending { next, .. } => Some(*next),
            Current::Expecting(expecting) => Some(expecting.latest),
            Current::Forbidding(forbidding) => Some(forbidding.until),
            Current::Counting(counting) => Some(counting.over(self.tolerance)),
            Current::Choosing(choosing) => Some(choosing.until),
            Current::Among(counted) => Some(counted.until),
            Current::Sampling(sampling) => Some(sampling.next()),
            Current::Classifying(classifying) => Some(classifying.until),
            Current::Probing(probing) => Some(probing.next),
            Current::Equalling(equalling) => Some(equalling.deadline),
            Current::Displaying | Current::Done => None,
        };
        let backgrounds = self
            .backgrounds
            .iter()
            .map(|background| background.next)
            .min();
        let ports = self.ports.iter_mut().flat_map(|port| {
            [
                port.partner.as_ref().and_then(|partner| partner.next),
                port.etrunk.as_ref().and_then(ETrunkPeer::next),
                port.rbs.as_mut().and_then(|rbs| rbs.next(now)),
            ]
        });
        ports.flatten().chain(current).chain(backgrounds).min()
    }

    /// What the driver will be asked to do next. While there is something the player rests: it is
    /// shown frames, and begins nothing before it knows when that was done.
    #[must_use]
    pub fn next_action(&self) -> Option<&Action> {
        self.actions.front()
    }

    /// The next thing that the driver is asked to do.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Whether the case is decided.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self.current, Current::Done)
    }

    /// What playing gave; inconclusive while it isn't done.
    #[must_use]
    pub const fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// The streams' arrivals.
    #[must_use]
    pub const fn streams(&self) -> &StreamMeter {
        &self.streams
    }

    /// The step that is being played, for a watchdog's message.
    #[must_use]
    pub fn step_line(&self) -> u64 {
        self.case
            .steps
            .get(self.step)
            .map_or(0, |located| located.line)
    }

    /// The driver can't go on: the harness's own failure.
    pub fn abort(&mut self, what: String) {
        self.end(Verdict::Error, Some(self.finding(what)));
    }

    /// The case ends here with this verdict, whatever its steps still wait for.
    pub fn give_up(&mut self, verdict: Verdict, what: String) {
        self.end(verdict, Some(self.finding(what)));
    }

    pub(crate) fn mark(&mut self, name: &str, at: Instant) {
        let ns = i128::from(at.as_nanos());
        self.scope.insert(name.to_owned(), Quantity::Time(ns));
    }

    /// When a saved time is, if it is one.
    pub(crate) fn marked(&self, name: &str) -> Option<Instant> {
        match self.scope.get(name)? {
            Quantity::Time(ns) => u64::try_from(*ns).ok().map(Instant::from_nanos),
            Quantity::Number(_) => None,
        }
    }

    pub(crate) fn duration(&self, text: &str) -> Result<Duration, ExpressionError> {
        Expression::parse(text)?.duration(&self.scope)
    }

    /// An absolute time of an expression.
    pub(crate) fn instant(&self, text: &str) -> Result<Instant, ExpressionError> {
        let since_zero = Expression::parse(text)?.duration(&self.scope)?;
        Ok(Instant::ZERO + since_zero)
    }

    pub(crate) fn line(&self) -> Option<u64> {
        self.case.steps.get(self.step).map(|located| located.line)
    }

    pub(crate) fn finding(&self, what: String) -> Finding {
        Finding {
            line: self.line(),
            at_ns: self.now.as_nanos(),
            ..Finding::of(what)
        }
    }

    pub(crate) fn end(&mut self, verdict: Verdict, finding: Option<Finding>) {
        if self.is_done() {
            return;
        }
        self.outcome.verdict = verdict;
        if let Some(record) = finding.as_ref().and_then(|finding| finding.record) {
            self.outcome.record = Some(record);
        }
        self.outcome.finding = finding;
        self.current = Current::Done;
    }

    /// A judging step is decided.
    pub(crate) fn decided(&mut self, judged: Judged) {
        match judged {
            Judged::Holds(record) => {
                self.outcome.judged += 1;
                self.outcome.record = record.or(self.outcome.record);
                self.next_step();
            }
            Judged::Fails(finding) => {
                self.outcome.judged += 1;
                let step = self.case.steps.get(self.step).map(|located| &located.step);
                match step {
                    Some(Step::Expect(expect)) if expect.control => {
                        let what = format!(
                            "nothing is shown, for want of the control: {}",
                            finding.what
                        );
                        self.end(Verdict::Inconclusive, Some(Finding { what, ..finding }));
                    }
                    Some(_) | None => self.end(Verdict::Fail, Some(finding)),
                }
            }
            Judged::Undecided(finding) => {
                self.outcome.judged += 1;
                self.end(Verdict::Inconclusive, Some(finding));
            }
        }
    }

    fn next_step(&mut self) {
        self.step += 1;
        self.current = Current::Ready;
    }

    /// Does everything that is due now.
    fn go_on(&mut self) {
        if !self.started {
            return;
        }
        // Each round begins or ends a step or sends something; a case that never ends its steps at
        // one instant is a mistake in the harness.
        for _ in 0..100_000 {
            if self.is_done() || !self.round() {
                return;
            }
        }
        self.abort("the steps don't come to rest at one instant".to_owned());
    }

    fn round(&mut self) -> bool {
        if !self.actions.is_empty() {
            // The driver acts first: a send must have left before the next step looks at the time.
            return false;
        }
        if self.work_ports() || self.work_backgrounds() {
            return true;
        }
        match &mut self.current {
            Current::Done | Current::Displaying => false,
            Current::Sleeping(until) if *until <= self.now => {
                self.next_step();
                true
            }
            Current::Sleeping(_) => false,
            Current::Sending { .. } => self.work_sending(),
            Current::Ready => {
                self.begin();
                true
            }
            Current::Expecting(_)
            | Current::Forbidding(_)
            | Current::Counting(_)
            | Current::Choosing(_)
            | Current::Among(_)
            | Current::Classifying(_) => self.deadline(),
            Current::Sampling(_) => self.work_sampling(),
            Current::Probing(_) => self.work_probing(),
            Current::Equalling(_) => self.work_equalling(),
        }
    }

    pub(crate) fn begin(&mut self) {
        let Some(Located { step, .. }) = self.case.steps.get(self.step).cloned() else {
            let verdict = if self.outcome.judged > 0 {
                Verdict::Pass
            } else {
                Verdict::Inconclusive
            };
            let why = "no step judged anything";
            let finding = (self.outcome.judged == 0).then(|| self.finding(why.to_owned()));
            self.end(verdict, finding);
            return;
        };
        if let Err(error) = self.step(step) {
            self.abort(error);
        }
    }

    fn step(&mut self, step: Step) -> Result<(), String> {
        let text = |error: ExpressionError| error.to_string();
        match step {
            Step::Send(send) => return self.begin_send(send),
            Step::Expect(expect) => return self.begin_expect(expect),
            Step::Never(never) => return self.begin_never(never),
            Step::Count(count) => return self.begin_count(count),
            Step::Choice(choice) => return self.begin_choice(choice),
            Step::Among(among) => return self.begin_among(among),
            Step::Wait(time) => {
                self.current = Current::Sleeping(self.now + self.duration(&time).map_err(text)?);
                return Ok(());
            }
            Step::WaitUntil(time) => {
                self.current = Current::Sleeping(self.instant(&time).map_err(text)?);
                return Ok(());
            }
            Step::Mark(name) => self.mark(&name, self.now),
            Step::Link(harness_suite::Link { name, up }) => {
                self.actions.push_back(Action::Link { name, up });
            }
            Step::Node(harness_suite::Node { name, action }) => {
                self.actions.push_back(Action::Node { name, action });
            }
            Step::Fault(fault) => {
                let delay = fault.delay.as_deref().map(|delay| self.duration(delay));
                let delay = delay.transpose().map_err(text)?.unwrap_or_default();
                self.actions.push_back(Action::Fault(fault, delay));
            }
            Step::Heal(heal) => self.actions.push_back(Action::Heal(heal.name)),
            Step::Command(command) => {
                let (node, text) = (command.node, command.text);
                self.actions.push_back(Action::Command { node, text });
            }
            Step::Listen(step) => self.actions.push_back(crate::distribution::listen(step)?),
            Step::Collect(step) => self.collect(step)?,
            Step::Uniform(step) => return self.judge_uniform(&step),
            Step::Repeat(_) => return Err("a repetition that wasn't written out".to_owned()),
            Step::Stream(stream) => self.begin_stream(stream)?,
            Step::Partner(step) => self.begin_partner(&step)?,
            Step::Neighbor(step) => {
                let port = self.port_named(&step.on)?;
                port.addresses = step.addresses;
                port.mac = step.mac.unwrap_or_else(|| port.mac.clone());
            }
            Step::EtrunkPeer(step) => self.begin_etrunk_peer(&step)?,
            Step::RbsPeer(step) => self.begin_rbs_peer(&step)?,
            Step::State(state) => return self.begin_state(state),
            Step::Equal(equal) => return self.begin_equal(equal),
            Step::Loss(loss) => return self.judge_loss(&loss),
            Step::Sample(sample) => return self.begin_sample(*sample),
            Step::Classify(classify) => return self.begin_classify(classify),
            Step::Display(display) => {
                let (node, command, golden) = (display.node, display.command, display.golden);
                self.actions.push_back(Action::Display {
                    node,
                    command,
                    golden,
                });
                self.current = Current::Displaying;
                return Ok(());
            }
        }
        self.next_step();
        Ok(())
    }

    pub(crate) fn resolved(&self, given: &Fields) -> Fields {
        let resolve = |value| crate::matching::resolve(value, &self.known);
        given
            .iter()
            .map(|(name, value)| (name.clone(), resolve(value)))
            .collect()
    }
}

/// Group and number of a numbered stream's packet.
fn stream_packet(frame: &[u8]) -> Option<(std::net::Ipv6Addr, u64)> {
    let layers = harness_wire::layers(frame)?;
    let ip = layers.ip.filter(|ip| ip.next_header == 17)?;
    let number = harness_wire::stream_sequence(ip.payload.get(8..)?)?;
    Some((ip.destination, number))
}
