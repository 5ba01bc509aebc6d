//! A case's steps as sentences, for test plans.

use crate::step::{Fields, Frames, NodeAction, Step};
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
        .map(|(name, v)| format!("`{name}` {}", value(v)))
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

impl Step {
    /// What the step does, in a sentence without its full stop; `true` when it judges.
    #[must_use]
    pub fn sentence(&self) -> (String, bool) {
        if let Some(judged) = self.judged_sentence() {
            return (judged, true);
        }
        let text = match self {
            Self::Send(step) => {
                let times = step
                    .count
                    .map(|n| format!(" {n} times"))
                    .unwrap_or_default();
                let every = step
                    .every
                    .as_ref()
                    .map(|every| format!(", one every {every}"));
                let frame = frame(&step.frame);
                format!(
                    "Send {frame} on {}{times}{}",
                    step.on,
                    every.unwrap_or_default()
                )
            }
            Self::Wait(time) => format!("Wait {time}"),
            Self::WaitUntil(time) => format!("Wait until {time}"),
            Self::Mark(name) => format!("Call this instant *{name}*"),
            Self::Link(step) if step.up => format!("Give {} its carrier back", step.name),
            Self::Link(step) => format!("Take the carrier of {} away", step.name),
            Self::Node(step) => {
                let what = match step.action {
                    NodeAction::Crash => "Crash",
                    NodeAction::Hang => "Hang",
                    NodeAction::Resume => "Resume",
                    NodeAction::Restart => "Restart",
                };
                format!("{what} {}", step.name)
            }
            Self::Fault(step) => {
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
            Self::Heal(_) => "End the faults".to_owned(),
            Self::Partner(_)
            | Self::Neighbor(_)
            | Self::EtrunkPeer(_)
            | Self::RbsPeer(_)
            | Self::Stream(_) => self.actor_sentence(),
            Self::Command(step) => format!("Tell {} `{}`", step.node, step.text),
            Self::Expect(_)
            | Self::Never(_)
            | Self::Count(_)
            | Self::State(_)
            | Self::Equal(_)
            | Self::Loss(_)
            | Self::Display(_) => String::new(),
        };
        (text, false)
    }

    /// A step that starts, changes or stops what runs beside the steps.
    fn actor_sentence(&self) -> String {
        match self {
            Self::Partner(step) if step.stop => {
                format!("Let the partner on {} fall silent", step.on)
            }
            Self::Partner(step) if step.fields.is_empty() => {
                format!("Let a golden LACP partner run on {}", step.on)
            }
            Self::Partner(step) => {
                format!(
                    "Let a LACP partner run on {} with {}",
                    step.on,
                    fields(&step.fields)
                )
            }
            Self::Neighbor(step) => format!("Answer neighbour solicitations on {}", step.on),
            Self::EtrunkPeer(step) if step.stop => {
                format!("Let the E-Trunk peer on {} fall silent", step.on)
            }
            Self::EtrunkPeer(step) => peer("E-Trunk peer", &step.on, &step.fields),
            Self::RbsPeer(step) if step.stop => format!("Close the RBS connection on {}", step.on),
            Self::RbsPeer(step) => peer("RBS peer", &step.on, &step.fields),
            Self::Stream(step) if step.stop => format!("Stop the stream {}", step.name),
            Self::Stream(step) => format!("Start the stream {} on {}", step.name, step.on),
            Self::Send(_)
            | Self::Wait(_)
            | Self::WaitUntil(_)
            | Self::Mark(_)
            | Self::Link(_)
            | Self::Node(_)
            | Self::Fault(_)
            | Self::Heal(_)
            | Self::Command(_)
            | Self::Expect(_)
            | Self::Never(_)
            | Self::Count(_)
            | Self::State(_)
            | Self::Equal(_)
            | Self::Loss(_)
            | Self::Display(_) => String::new(),
        }
    }

    fn judged_sentence(&self) -> Option<String> {
        Some(match self {
            Self::Expect(step) => {
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
                let sender = from(step.from.as_ref());
                format!(
                    "{} is seen on {}{sender} {when}{first}",
                    frame(&step.frame),
                    step.on
                )
            }
            Self::Never(step) => {
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
            Self::Count(_) | Self::State(_) | Self::Equal(_) | Self::Loss(_) | Self::Display(_) => {
                self.sampled_sentence()
            }
            Self::Send(_)
            | Self::Wait(_)
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
            | Self::Command(_) => return None,
        })
    }

    /// A step that judges more than one frame, or no frame at all.
    fn sampled_sentence(&self) -> String {
        match self {
            Self::Count(step) => {
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
            Self::State(step) => {
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
            Self::Equal(step) => {
                let groups = step.groups.unwrap_or(1);
                format!(
                    "Master and backup hold the same {groups} groups or more within {}",
                    step.within
                )
            }
            Self::Loss(step) => {
                let most = step.gap_at_most.as_ref();
                let most = most
                    .map(|gap| format!("no gap longer than {gap}"))
                    .unwrap_or_default();
                format!("Since *{}* the listeners' streams have {most}", step.since)
            }
            Self::Display(step) => {
                format!(
                    "`{}` on {} prints what {} holds",
                    step.command, step.node, step.golden
                )
            }
            Self::Send(_)
            | Self::Wait(_)
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
            | Self::Expect(_)
            | Self::Never(_) => String::new(),
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
