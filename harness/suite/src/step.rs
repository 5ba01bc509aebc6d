//! The steps of a case, each with what it does and when it fails.

use crate::among::Among;
use crate::choice::Choice;
pub use crate::frames::Frames;
use crate::measure::{Classify, Sample, Vary};
use crate::step_listener::{Collect, Listen, Repeat, Uniform};
pub use harness_wire::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Field names of a frame with their values; the names are the codec's (`tandem fields`). In a
/// `send` everything left out is legal and matches the peer. In an `expect` a value is exact, or
/// one of `{not: v}`, `{min: a, max: b}`, `{has: [v…]}` (a list that contains these), `{any: true}`
/// (the field is there), `{none: true}` (it isn't).
pub type Fields = BTreeMap<String, serde_json::Value>;

/// A time or duration: `3s`, `250ms`, or an expression over the bed's constants and saved times, as
/// `last_sent + short_timeout_time` or `2*query_interval + 100ms`.
pub type Time = String;

/// One step of a case. They run in order; a judging step ends when it is decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Sends a frame.
    Send(Send),
    /// Waits for a frame; fails when it doesn't come in time, or comes too early.
    Expect(Expect),
    /// Watches for a time; fails on the first frame that matches.
    Never(Never),
    /// Counts matching frames for a time; fails outside the bounds.
    Count(Count),
    /// Records which of the ways that the texts leave open the device takes.
    Choice(Choice),
    /// Watches how many of several ports show something; fails outside the bounds.
    Among(Among),
    /// Lets this much time pass.
    Wait(Time),
    /// Lets time pass until then.
    WaitUntil(Time),
    /// Names this instant for later expressions.
    Mark(String),
    /// Takes the carrier of a tester's port or a link away, or gives it back.
    Link(Link),
    /// Crashes, hangs, resumes or restarts a node.
    Node(Node),
    /// Begins to lose or delay what matches.
    Fault(Fault),
    /// Ends faults.
    Heal(Heal),
    /// Starts, changes or stops the golden LACP partner on a tester's port.
    Partner(Partner),
    /// Answers neighbour solicitations on a tester's port.
    Neighbor(Neighbor),
    /// Starts, changes or stops an E-Trunk peer on a tester's port.
    EtrunkPeer(Peer),
    /// Starts, changes or stops an RBS peer on a tester's port.
    RbsPeer(Peer),
    /// Starts or stops a numbered stream of multicast packets on a tester's port.
    Stream(Stream),
    /// Gives a node or host a command in its own language.
    Command(Command),
    /// Waits until a node's state is as said; for what no frame can show.
    State(State),
    /// Waits until master and backup hold the same state.
    Equal(Equal),
    /// Judges what each listener lost and got twice of a stream since a mark.
    Loss(Loss),
    /// Compares a `display` output with a golden file.
    Display(Display),
    /// Takes repeated samples of a time and judges them together.
    Sample(Box<Sample>),
    /// Tells which of several permitted behaviours the device shows.
    Classify(Classify),
    /// What a socket of a listener asks of a multicast address.
    Listen(Listen),
    /// Carries out steps several times.
    Repeat(Repeat),
    /// Puts a duration into a named collection.
    Collect(Collect),
    /// Judges whether a collection's durations are spread evenly.
    Uniform(Uniform),
}

/// See [`Step::Send`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Send {
    /// The tester's port.
    pub on: String,
    /// The frame.
    pub frame: Frames,
    /// How often (default 1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// Time between two (default 0).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Time>,
    /// Sends one for each of these values instead of `count`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vary: Option<Vary>,
    /// This field gets a value that the case hasn't used, another one in each frame, known as
    /// `$fresh` from then on: an echo of it proves that this very frame was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fresh: Option<String>,
    /// Go on with the next step while it sends.
    #[serde(default, skip_serializing_if = "is_false")]
    pub background: bool,
    /// Saves when it left (of several: the last) under this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub save: Option<String>,
}

/// How far from `at` a frame may come, as the requirement says; the bed's own tolerance is added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tolerance {
    /// Early by this at most.
    pub early: Time,
    /// Late by this at most.
    pub late: Time,
}

/// See [`Step::Expect`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expect {
    /// The tester's port or the link.
    pub on: String,
    /// On a link: the end that must have sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The frame.
    pub frame: Frames,
    /// Within this time from now (default 1 s).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Time>,
    /// Not before this time from now: a match before it fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Time>,
    /// At this instant, within `tolerance`; a match before it fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
    /// Of `at`; default 250 ms either way (802.1AX's timers).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<Tolerance>,
    /// The first frame of this kind decides: when it doesn't match, the step fails at once.
    #[serde(default, skip_serializing_if = "is_false")]
    pub first: bool,
    /// It is no requirement of the case but what its other steps need to say anything: without it
    /// the case is inconclusive.
    #[serde(default, skip_serializing_if = "is_false")]
    pub control: bool,
    /// Saves fields of the frame (`time` is when it came) under these names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub save: BTreeMap<String, String>,
}

/// See [`Step::Never`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Never {
    /// The tester's port or the link.
    pub on: String,
    /// On a link: the end that must not have sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The frame.
    pub frame: Frames,
    /// For this time from now.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub for_: Option<Time>,
    /// Until this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

/// See [`Step::Count`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Count {
    /// The tester's port or the link.
    pub on: String,
    /// On a link: the end whose frames count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The frame.
    pub frame: Frames,
    /// For this time from now.
    #[serde(rename = "for")]
    pub for_: Time,
    /// At least this many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<u32>,
    /// At most this many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// The gaps between two are within these bounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<Tolerance>,
    /// At most `max` in any window of this length, instead of over the whole time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per: Option<Time>,
}

/// See [`Step::Link`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The tester's port or the link.
    pub name: String,
    /// Whether there is a carrier.
    pub up: bool,
}

/// What can happen to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NodeAction {
    /// State lost, carrier lost at the neighbours.
    Crash,
    /// Frames stop, carrier stays.
    Hang,
    /// Ends a hang.
    Resume,
    /// Boots after a crash with a higher boot epoch.
    Restart,
}

/// See [`Step::Node`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// The node.
    pub name: String,
    /// What happens.
    pub action: NodeAction,
}

/// Which frames a fault takes; what is left out matches all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct FaultMatch {
    /// EtherType.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ethertype: Option<u16>,
    /// IPv6 Next Header after a Hop-by-Hop header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_header: Option<u8>,
    /// UDP or TCP port, source or destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Only frames that this end sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// See [`Step::Fault`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fault {
    /// Name to heal it by.
    pub name: String,
    /// Links; default all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<String>,
    /// Which frames.
    #[serde(default, rename = "match")]
    pub match_: FaultMatch,
    /// Percentage lost, 0–100.
    #[serde(default)]
    pub loss: u8,
    /// Added delay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<Time>,
}

/// See [`Step::Heal`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Heal {
    /// The fault's name; default all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// See [`Step::Partner`]. A golden partner echoes the device's Actor information, follows the
/// standard and sends at the rate that the device asks for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Partner {
    /// The tester's port.
    pub on: String,
    /// Falls silent.
    #[serde(skip_serializing_if = "is_false")]
    pub stop: bool,
    /// No partner but a cable: every frame of the device comes back unchanged, by this port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reflect: Option<String>,
    /// Values that replace those of the golden partner, by LACPDU field name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: Fields,
    /// This field gets a value that the case hasn't used, known as `$fresh` from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fresh: Option<String>,
}

/// See [`Step::Neighbor`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Neighbor {
    /// The tester's port.
    pub on: String,
    /// Addresses that it answers for.
    pub addresses: Vec<std::net::Ipv6Addr>,
    /// Its MAC address; default the port's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
}

/// See [`Step::EtrunkPeer`] and [`Step::RbsPeer`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Peer {
    /// The tester's port.
    pub on: String,
    /// Falls silent (RBS: closes the connection).
    #[serde(skip_serializing_if = "is_false")]
    pub stop: bool,
    /// Values that replace the peer's own, by field name of the hello or the OPEN.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: Fields,
}

/// See [`Step::Stream`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Stream {
    /// Name to stop it by.
    pub name: String,
    /// The tester's port.
    pub on: String,
    /// Ends it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub stop: bool,
    /// Group; needed to start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<std::net::Ipv6Addr>,
    /// Source address; needed to start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<std::net::Ipv6Addr>,
    /// Time between two packets (default 50 ms).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Time>,
}

/// See [`Step::Command`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// The node or host.
    pub node: String,
    /// The command.
    pub text: String,
}

/// See [`Step::State`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct State {
    /// The node.
    pub node: String,
    /// JSON pointer into its snapshot → value, exact or `{min, max}` or `{not}`.
    pub has: Fields,
    /// Within this time from now (default: at once).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Time>,
    /// And then stays so for this time.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub for_: Option<Time>,
}

/// See [`Step::Equal`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Equal {
    /// Within this time from now.
    pub within: Time,
    /// At least this many groups (default 1): two empty tables don't pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<u32>,
}

/// See [`Step::Loss`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Loss {
    /// Listener; default each one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Since this mark.
    pub since: String,
    /// No gap in a stream is longer than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap_at_most: Option<Time>,
    /// The longest gap is at least this (the outage that the rules predict).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap_at_least: Option<Time>,
    /// Packets that came twice: at most this many (default 0).
    #[serde(default)]
    pub duplicates_at_most: u32,
    /// Packets that came twice: at least this many.
    #[serde(default)]
    pub duplicates_at_least: u32,
}

/// See [`Step::Display`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Display {
    /// The node.
    pub node: String,
    /// The command.
    pub command: String,
    /// The golden file beside the suite: the expected text, `~ REASON` lines explaining a
    /// difference.
    pub golden: String,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl Step {
    /// The points and the frame that a step is about, and whether it sends it.
    #[must_use]
    pub fn frames(&self) -> Option<(&[String], &Frames, bool)> {
        let one = std::slice::from_ref;
        match self {
            Self::Send(step) => Some((one(&step.on), &step.frame, true)),
            Self::Expect(step) => Some((one(&step.on), &step.frame, false)),
            Self::Never(step) => Some((one(&step.on), &step.frame, false)),
            Self::Count(step) => Some((one(&step.on), &step.frame, false)),
            Self::Choice(step) => Some((one(&step.on), &step.frame, false)),
            Self::Among(step) => Some((&step.on, &step.frame, false)),
            Self::Sample(step) => Some((one(&step.on), &step.frame, false)),
            Self::Classify(step) => Some((one(&step.on), &step.frame, false)),
            Self::Wait(_)
            | Self::WaitUntil(_)
            | Self::Mark(_)
            | Self::Link(_)
            | Self::Node(_)
            | Self::Fault(_)
            | Self::Heal(_)
            | Self::Partner(_)
            | Self::Neighbor(_)
            | Self::EtrunkPeer(_)
            | Self::RbsPeer(_)
            | Self::Stream(_)
            | Self::Command(_)
            | Self::State(_)
            | Self::Equal(_)
            | Self::Loss(_)
            | Self::Display(_)
            | Self::Listen(_)
            | Self::Repeat(_)
            | Self::Collect(_)
            | Self::Uniform(_) => None,
        }
    }

    /// The expressions that a step has.
    #[must_use]
    pub fn times(&self) -> Vec<&str> {
        let mut times: Vec<Option<&String>> = Vec::new();
        match self {
            Self::Send(step) => times.push(step.every.as_ref()),
            Self::Expect(step) => {
                times.extend([step.within.as_ref(), step.after.as_ref(), step.at.as_ref()]);
                let tolerance = step.tolerance.as_ref();
                times.extend([tolerance.map(|t| &t.early), tolerance.map(|t| &t.late)]);
            }
            Self::Never(step) => times.extend([step.for_.as_ref(), step.until.as_ref()]),
            Self::Count(step) => times.extend([Some(&step.for_), step.per.as_ref()]),
            Self::Choice(step) => {
                times.extend([step.for_.as_ref(), step.until.as_ref()]);
                for option in &step.options {
                    times.extend([option.from.as_ref(), option.to.as_ref()]);
                }
            }
            Self::Among(step) => times.push(Some(&step.for_)),
            Self::Wait(time) | Self::WaitUntil(time) => times.push(Some(time)),
            Self::Fault(step) => times.push(step.delay.as_ref()),
            Self::Stream(step) => times.push(step.every.as_ref()),
            Self::State(step) => times.extend([step.within.as_ref(), step.for_.as_ref()]),
            Self::Equal(step) => times.push(Some(&step.within)),
            Self::Collect(step) => times.push(Some(&step.value)),
            Self::Uniform(step) => times.extend([Some(&step.from), Some(&step.to)]),
            Self::Loss(step) => {
                times.extend([step.gap_at_most.as_ref(), step.gap_at_least.as_ref()]);
            }
            Self::Sample(step) => times.extend(step.times()),
            Self::Classify(step) => {
                times.push(Some(&step.for_));
                times.extend(step.classes.iter().map(|class| class.spaced.as_ref()));
            }
            Self::Mark(_)
            | Self::Link(_)
            | Self::Node(_)
            | Self::Heal(_)
            | Self::Partner(_)
            | Self::Neighbor(_)
            | Self::EtrunkPeer(_)
            | Self::RbsPeer(_)
            | Self::Command(_)
            | Self::Display(_)
            | Self::Listen(_)
            | Self::Repeat(_) => {}
        }
        times.into_iter().flatten().map(String::as_str).collect()
    }
}
