//! A case's steps as sentences, for test plans.

use crate::among::Among;
use crate::choice::{Alternative, Choice};
use crate::measure::{Classify, Sample};
use crate::step::{
    Count, Display, Equal, Expect, Fault, Fields, Frames, Link, Loss, Never, Node, NodeAction,
    Partner, Peer, Send, State, Step, Stream,
};
use crate::step_listener::{Listen, ListenMode, Uniform};
use serde_json::Value;

fn value(value: &Value) -> String {
    let operators = |map: &serde_json::Map<String, Value>| {
        let part = |(key, item): (&String, &Value)| match key.as_str() {
            "not" => format!("not {}", self::value(item)),
            "min" => format!("at least {}", self::value(item)),
            "max" => format!("at most {}", self::value(item)),
            "has" => format!("holding {}", self::value(item)),
            "one_of" => format!("one of {}", self::value(item)),
            "any" => "any value".to_owned(),
            "none" => "absent".to_owned(),
            _ => format!("{key} {}", self::value(item)),
        };
        map.iter().map(part).collect::<Vec<_>>().join(", ")
    };
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(self::value).collect();
            format!("[{}]", items.join("; "))
        }
        Value::Object(map) => operators(map),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn fields(fields: &Fields) -> String {
    let shown: Vec<String> = fields
        .iter()
        .map(|(name, v)| match v.as_u64() {
            // A state octet is read by its bits.
            Some(state) if name.ends_with(".state") => format!("`{name}` 0x{state:02x}"),
            _ => format!("`{name}` {}", value(v)),
        })
        .collect();
    shown.join(", ")
}

/// A frame with its fields, as "a LACPDU with `actor.key` 17".
fn frame(frames: &Frames) -> String {
    match frames.only() {
        None => "a frame".to_owned(),
        Some((kind, given)) if given.is_empty() => format!("a {}", kind.name()),
        Some((kind, given)) => format!("a {} with {}", kind.name(), fields(given)),
    }
}

fn from(end: Option<&String>) -> String {
    end.map(|end| format!(" from {end}")).unwrap_or_default()
}

fn send(step: &Send) -> String {
    let times = step
        .count
        .map(|n| format!(" {n} times"))
        .unwrap_or_default();
    let every = step
        .every
        .as_ref()
        .map(|every| format!(", one every {every}"));
    let frame = frame(&step.frame);
    let vary = step.vary.as_ref().map(|vary| {
        format!(
            ", one with each `{}` from {} to {}",
            vary.field, vary.from, vary.to
        )
    });
    let fresh = step.fresh.as_ref();
    let fresh = fresh.map(|field| format!(", each with a `{field}` of its own (*fresh*)"));
    format!(
        "Send {frame} on {}{times}{}{}{}",
        step.on,
        vary.unwrap_or_default(),
        fresh.unwrap_or_default(),
        every.unwrap_or_default()
    )
}

fn link(step: &Link) -> String {
    if step.up {
        format!("Give {} its carrier back", step.name)
    } else {
        format!("Take the carrier of {} away", step.name)
    }
}

fn node(step: &Node) -> String {
    let what = match step.action {
        NodeAction::Crash => "Crash",
        NodeAction::Hang => "Hang",
        NodeAction::Resume => "Resume",
        NodeAction::Restart => "Restart",
    };
    format!("{what} {}", step.name)
}

fn fault(step: &Fault) -> String {
    let links = if step.links.is_empty() {
        "all links".to_owned()
    } else {
        step.links.join(", ")
    };
    format!(
        "Begin to lose {} % of the matching frames on {links}",
        step.loss
    )
}

fn partner(step: &Partner) -> String {
    if let Some(by) = &step.reflect {
        format!("Let every frame from {} come back by {by}", step.on)
    } else if step.stop {
        format!("Let the partner on {} fall silent", step.on)
    } else if step.fields.is_empty() {
        format!("Let a golden LACP partner run on {}", step.on)
    } else {
        format!(
            "Let a LACP partner run on {} with {}",
            step.on,
            fields(&step.fields)
        )
    }
}

fn etrunk_peer(step: &Peer) -> String {
    if step.stop {
        format!("Let the E-Trunk peer on {} fall silent", step.on)
    } else {
        peer("E-Trunk peer", &step.on, &step.fields)
    }
}

fn rbs_peer(step: &Peer) -> String {
    if step.stop {
        format!("Close the RBS connection on {}", step.on)
    } else {
        peer("RBS peer", &step.on, &step.fields)
    }
}

fn stream(step: &Stream) -> String {
    if step.stop {
        format!("Stop the stream {}", step.name)
    } else {
        format!("Start the stream {} on {}", step.name, step.on)
    }
}

fn expect(step: &Expect) -> String {
    let when = match (&step.at, &step.after, &step.within) {
        (Some(at), ..) => format!("at {at}"),
        (None, Some(after), within) => {
            format!(
                "not before {after} and within {}",
                within.as_deref().unwrap_or("1s")
            )
        }
        (None, None, within) => format!("within {}", within.as_deref().unwrap_or("1s")),
    };
    let first = if step.first {
        ", as the first of its kind"
    } else {
        ""
    };
    let control = if step.control {
        ", without which nothing is shown"
    } else {
        ""
    };
    let sender = from(step.from.as_ref());
    format!(
        "{} is seen on {}{sender} {when}{first}{control}",
        frame(&step.frame),
        step.on
    )
}

fn never(step: &Never) -> String {
    let until = step.for_.as_ref().map(|time| format!("for {time}"));
    let until = until.or_else(|| step.until.as_ref().map(|at| format!("until {at}")));
    let sender = from(step.from.as_ref());
    let frame = frame(&step.frame);
    format!(
        "{frame} is not seen on {}{sender} {}",
        step.on,
        until.unwrap_or_default()
    )
}

fn count(step: &Count) -> String {
    let least = step.min.map(|n| format!("at least {n}"));
    let most = step.max.map(|n| format!("at most {n}"));
    let per = step
        .per
        .as_ref()
        .map(|per| format!(" in any {per}"))
        .unwrap_or_default();
    let bounds: Vec<String> = least.into_iter().chain(most).collect();
    let bounds = bounds.join(" and ");
    format!(
        "{} comes {bounds} times{per} on {} in {}",
        frame(&step.frame),
        step.on,
        step.for_
    )
}

fn choice(step: &Choice) -> String {
    let one = |option: &Alternative| -> String {
        let from = option.from.as_ref().map(|from| format!("from {from}"));
        let to = option.to.as_ref().map(|to| format!("until {to}"));
        let when: Vec<String> = from.into_iter().chain(to).collect();
        if when.is_empty() {
            option.name.clone()
        } else {
            format!("{} ({})", option.name, when.join(" "))
        }
    };
    let ways: Vec<String> = step.options.iter().map(one).collect();
    let which = if step.last { "last" } else { "first" };
    let otherwise = step.otherwise.as_ref();
    let otherwise = otherwise.map(|name| format!(", otherwise {name}"));
    format!(
        "Record {}, by the {which} frame on {} that is {}: {}{}",
        step.about,
        step.on,
        frame(&step.frame),
        ways.join(", "),
        otherwise.unwrap_or_default()
    )
}

fn among(step: &Among) -> String {
    let most = step
        .max
        .map(|n| format!("at no time on more than {n} of them"));
    let least = step
        .min
        .map(|n| format!("at the end on {n} of them at least"));
    let bounds: Vec<String> = most.into_iter().chain(least).collect();
    format!(
        "Of {} in {}: the last one of its kind is {}, {}",
        step.on.join(", "),
        step.for_,
        frame(&step.frame),
        bounds.join(" and ")
    )
}

fn state(step: &State) -> String {
    let has: Vec<String> = step
        .has
        .iter()
        .map(|(at, v)| format!("`{at}` is {}", value(v)))
        .collect();
    format!(
        "The state of {} shows that {}",
        step.node,
        has.join(" and ")
    )
}

fn equal(step: &Equal) -> String {
    let groups = step.groups.unwrap_or(1);
    format!(
        "Master and backup hold the same {groups} groups or more within {}",
        step.within
    )
}

fn loss(step: &Loss) -> String {
    let most = step.gap_at_most.as_ref();
    let most = most
        .map(|gap| format!("no gap longer than {gap}"))
        .unwrap_or_default();
    format!("Since *{}* the listeners' streams have {most}", step.since)
}

fn display(step: &Display) -> String {
    format!(
        "`{}` on {} prints what {} holds",
        step.command, step.node, step.golden
    )
}

fn sample(step: &Sample) -> String {
    let sent = step.stimulus.as_ref();
    let begins = match (&step.started, sent) {
        (Some(started), _) if step.from_started => format!("from {}", frame(started)),
        (_, Some(sent)) => format!("from {} sent", frame(sent)),
        (_, None) => "between two of".to_owned(),
    };
    let to = if sent.is_some() { "to " } else { "" };
    let judged = step.expected.as_ref().map_or_else(
        || "is reported".to_owned(),
        |expected| format!("is {expected}, as far as {} samples tell", step.samples),
    );
    format!(
        "`{}`, the time {begins} {to}{} on {}, {judged}",
        step.what,
        frame(&step.frame),
        step.on
    )
}

fn classify(step: &Classify) -> String {
    let names: Vec<&str> = step
        .classes
        .iter()
        .map(|class| class.name.as_str())
        .collect();
    format!(
        "What comes on {} in {} tells `{}`: {}",
        step.on,
        step.for_,
        step.what,
        names.join(", ")
    )
}

fn listen(step: &Listen) -> String {
    let mode = match step.mode {
        ListenMode::Include => "INCLUDE",
        ListenMode::Exclude => "EXCLUDE",
    };
    let more = step.following.map(|n| format!(" and the next {n}"));
    format!(
        "Let socket {} listen to {} with {mode} ({}{})",
        step.socket.as_deref().unwrap_or("a"),
        step.group,
        step.sources.join(", "),
        more.unwrap_or_default()
    )
}

fn uniform(step: &Uniform) -> String {
    format!(
        "The durations in *{}* are spread evenly from {} to {}",
        step.samples, step.from, step.to
    )
}

impl Step {
    /// What the step does, in a sentence without its full stop; `true` when it judges.
    #[must_use]
    pub fn sentence(&self) -> (String, bool) {
        let done = |text: String| (text, false);
        let judged = |text: String| (text, true);
        match self {
            Self::Send(step) => done(send(step)),
            Self::Wait(time) => done(format!("Wait {time}")),
            Self::WaitUntil(time) => done(format!("Wait until {time}")),
            Self::Mark(name) => done(format!("Call this instant *{name}*")),
            Self::Link(step) => done(link(step)),
            Self::Node(step) => done(node(step)),
            Self::Fault(step) => done(fault(step)),
            Self::Heal(_) => done("End the faults".to_owned()),
            Self::Partner(step) => done(partner(step)),
            Self::Neighbor(step) => done(format!("Answer neighbour solicitations on {}", step.on)),
            Self::EtrunkPeer(step) => done(etrunk_peer(step)),
            Self::RbsPeer(step) => done(rbs_peer(step)),
            Self::Stream(step) => done(stream(step)),
            Self::Command(step) => done(format!("Tell {} `{}`", step.node, step.text)),
            Self::Expect(step) => judged(expect(step)),
            Self::Never(step) => judged(never(step)),
            Self::Count(step) => judged(count(step)),
            Self::Choice(step) => judged(choice(step)),
            Self::Among(step) => judged(among(step)),
            Self::State(step) => judged(state(step)),
            Self::Equal(step) => judged(equal(step)),
            Self::Loss(step) => judged(loss(step)),
            Self::Display(step) => judged(display(step)),
            Self::Sample(step) => judged(sample(step)),
            Self::Classify(step) => judged(classify(step)),
            Self::Listen(step) => done(listen(step)),
            Self::Repeat(step) => done(format!("Carry out the next steps {} times", step.times)),
            Self::Collect(step) => done(format!("Put {} into *{}*", step.value, step.into)),
            Self::Uniform(step) => judged(uniform(step)),
        }
    }
}

fn peer(what: &str, on: &str, given: &Fields) -> String {
    if given.is_empty() {
        format!("Let an {what} run on {on}")
    } else {
        format!("Let an {what} run on {on} with {}", fields(given))
    }
}
