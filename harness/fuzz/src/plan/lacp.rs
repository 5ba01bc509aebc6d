//! LACP: LACPDUs, Marker PDUs and noise around each state of the Receive and Mux machines.

mod command;
mod standby;

use super::{Plan, Protocol};
use crate::mutate::{self, Source};
use command::Settings;
use harness_wire::{Fields, Kind};
use serde_json::{Value, json};

/// What a golden partner shows: it asks for a LACPDU a second, so that the device is seen.
fn fast() -> Value {
    json!({"actor.lacp_timeout": 1})
}

/// The state in which the stimuli meet the port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reached {
    /// Distributing, the partner goes on.
    Distributing,
    /// Distributing, the partner has just fallen silent.
    Silent,
    /// The partner's information has expired.
    Expired,
    /// It has been defaulted.
    Defaulted,
    /// Current, and the partner is out of Synchronization.
    Unsynchronized,
    /// Current, and the port waits before it attaches.
    Waiting,
    /// Nobody has spoken.
    Fresh,
}

pub(super) fn plan(source: &mut Source<'_, '_>, commands: bool) -> Plan {
    let mut plan = Plan::new(Protocol::Lacp);
    let short = source.chance(85) || source.is_empty();
    plan.set("lacp.timeout", if short { "short" } else { "long" });
    let mut combined = false;
    match source.below(6) {
        4 => plan.set("lacp.mux", "independent"),
        5 => {
            plan.set("lacp.mux", "combined");
            combined = true;
        }
        _ => {}
    }
    let passive = source.chance(15);
    if passive {
        plan.set("lacp.activity", "passive");
    }
    let groups = source.chance(30);
    if groups {
        plan.set("lacp.groups", "two");
    }
    if source.chance(6) {
        return standby::plan(source, plan, commands);
    }
    let reached = *source.pick(&[
        Reached::Distributing,
        Reached::Silent,
        Reached::Silent,
        Reached::Expired,
        Reached::Defaulted,
        Reached::Unsynchronized,
        Reached::Waiting,
        Reached::Fresh,
    ]);
    let beside = source.chance(75);
    dialogue(&mut plan, reached, short, beside, groups);
    plan.begin();
    let mut begins = Vec::new();
    for _ in 0..=source.below(6) {
        begins.push(plan.steps.len());
        stimulus(source, &mut plan);
    }
    let mut settings = Settings::new(short, !passive, groups);
    if commands {
        // Where a port's carrier is back it waits before it is attached, or not so long.
        if combined && source.chance(60) {
            plan.set("lacp.wait-to-restore", *source.pick(&[5, 1, 3]));
        }
        if source.chance(20) {
            plan.set("lacp.preempt", *source.pick(&[0, 2, 10]));
        }
        if source.chance(60) {
            plan.between(source, &begins, |source, plan| {
                settings.change(source, plan);
            });
        }
        if beside && source.chance(10) {
            moved(&mut plan);
        }
    }
    plan.end();
    settings.put_back(&mut plan);
    golden(&mut plan, beside, groups);
    plan
}

/// The partner's cable is put from p1 to p2, and back: p2 hears what p1 only remembers.
fn moved(plan: &mut Plan) {
    plan.step(json!({"partner": {"on": "p1", "fields": fast()}}));
    plan.step(json!({"wait": "3500ms"}));
    plan.step(json!({"link": {"name": "p1", "up": false}}));
    let mut fields = fast();
    if let Some(map) = fields.as_object_mut() {
        map.insert("actor.port".to_owned(), 1.into());
    }
    plan.step(json!({"partner": {"on": "p2", "fields": fields}}));
    plan.step(json!({"wait": "4s"}));
    plan.step(json!({"partner": {"on": "p2", "fields": fast()}}));
    plan.step(json!({"wait": "4s"}));
    plan.step(json!({"link": {"name": "p1", "up": true}}));
    plan.step(json!({"wait": "1s"}));
}

fn up(plan: &mut Plan, port: &str) {
    plan.step(json!({"expect": {
        "on": port, "frame": {"lacpdu": {"actor.distributing": 1}}, "within": "6s",
    }}));
}

fn dialogue(plan: &mut Plan, reached: Reached, short: bool, beside: bool, groups: bool) {
    if beside {
        plan.step(json!({"partner": {"on": "p2", "fields": fast()}}));
    }
    if groups {
        plan.step(json!({"partner": {"on": "p3", "fields": fast()}}));
        up(plan, "p3");
    }
    if reached == Reached::Fresh {
        return;
    }
    let mut fields = fast();
    if let (Reached::Unsynchronized, Some(map)) = (reached, fields.as_object_mut()) {
        map.insert("actor.synchronization".to_owned(), 0.into());
    }
    plan.step(json!({"partner": {"on": "p1", "fields": fields}}));
    match reached {
        Reached::Waiting => return plan.step(json!({"wait": "700ms"})),
        Reached::Unsynchronized => return plan.step(json!({"wait": "3s"})),
        Reached::Distributing
        | Reached::Silent
        | Reached::Expired
        | Reached::Defaulted
        | Reached::Fresh => up(plan, "p1"),
    }
    plan.step(json!({"wait": "1500ms"}));
    if reached == Reached::Distributing {
        return;
    }
    plan.step(json!({"partner": {"on": "p1", "stop": true}}));
    let time = match (reached, short) {
        (Reached::Expired, true) => "4s",
        (Reached::Expired, false) => "91500ms",
        (Reached::Defaulted, true) => "7s",
        (Reached::Defaulted, false) => "94s",
        (_, _) => "100ms",
    };
    plan.step(json!({"wait": time}));
}

/// A LACPDU that says one thing differently, and is legal.
fn telling(source: &mut Source<'_, '_>) -> Fields {
    let choices = [
        json!({}),
        json!({"actor.key": 99}),
        json!({"actor.port": 77}),
        json!({"actor.port_priority": 7}),
        json!({"actor.system_priority": 7}),
        json!({"actor.system": "02:00:00:00:00:77"}),
        json!({"actor.synchronization": 0}),
        json!({"actor.aggregation": 0}),
        json!({"actor.lacp_timeout": 0}),
        json!({"actor.lacp_timeout": 1}),
        json!({"actor.lacp_activity": 0}),
        json!({"actor.collecting": 0, "actor.distributing": 0}),
        json!({"actor.expired": 1}),
        json!({"actor.defaulted": 1}),
        json!({"actor.state": 0}),
        json!({"actor.state": 0xff}),
        json!({"partner.port": 9}),
        json!({"partner.key": 9}),
        json!({"partner.system": "02:00:00:00:00:09"}),
        json!({"partner.port_priority": 9}),
        json!({"partner.system_priority": 9}),
        json!({"partner.synchronization": 0}),
        json!({"partner.lacp_timeout": 0}),
        json!({"partner.lacp_activity": 0}),
        json!({"partner.aggregation": 0}),
        json!({"actor.key": 0}),
        json!({"actor.port": 0}),
        json!({"actor.system": "00:00:00:00:00:00"}),
        json!({"actor.system": "00:e0:fc:00:00:01"}),
        json!({"version": 2, "tlvs": "0404deadbeef", "actor.key": 98}),
        json!({"terminator.length": 20, "actor.key": 97}),
    ];
    source
        .pick(&choices)
        .as_object()
        .cloned()
        .unwrap_or_default()
        .into_iter()
        .collect()
}

const TIMES: [&str; 12] = [
    "1300ms", "100ms", "10ms", "500ms", "1s", "2s", "2500ms", "2900ms", "3200ms", "4s", "6500ms",
    "33s",
];

fn time(source: &mut Source<'_, '_>) -> &'static str {
    source.pick::<&str>(&TIMES)
}

fn stimulus(source: &mut Source<'_, '_>, plan: &mut Plan) {
    // p1 is asked; p2 works beside it, and only the odd link event touches it.
    let send = |plan: &mut Plan, kind: &str, fields: Fields, count: usize| {
        let mut step = json!({"on": "p1", "frame": {kind: fields}});
        if let (true, Some(map)) = (count > 1, step.as_object_mut()) {
            map.insert("count".to_owned(), count.into());
            map.insert("every".to_owned(), "1ms".into());
        }
        plan.step(json!({"send": step}));
    };
    match source.below(20) {
        0..=6 => send(plan, "lacpdu", telling(source), 1),
        7..=12 => {
            let mut base = telling(source);
            // What was accepted is told by its key.
            base.insert("actor.key".to_owned(), (100 + source.below(900)).into());
            let fields = mutate::frame(source, Kind::Lacpdu, &base);
            send(plan, "lacpdu", fields, 1);
        }
        13 => {
            let count = *source.pick(&[3, 12, 150]);
            send(plan, "lacpdu", telling(source), count);
        }
        14 | 15 => {
            let number = source.below(65_536);
            let mut base = Fields::new();
            base.insert("requester_transaction_id".to_owned(), number.into());
            if source.chance(60) {
                base = mutate::frame(source, Kind::Marker, &base);
            }
            send(plan, "marker", base, 1);
        }
        16 => {
            let mut base = Fields::new();
            base.insert(
                "subtype".to_owned(),
                (*source.pick(&[0, 3, 10, 11, 255])).into(),
            );
            send(plan, "slow", base, 1);
        }
        17 => {
            let name = *source.pick(&["p1", "p1", "p2"]);
            // Nothing is on its way when the carrier goes.
            plan.step(json!({"wait": "10ms"}));
            plan.step(json!({"link": {"name": name, "up": false}}));
            plan.step(json!({"wait": *source.pick(&["200ms", "1s", "5s"])}));
            plan.step(json!({"link": {"name": name, "up": true}}));
        }
        18 => {
            let mut fields = telling(source);
            fields
                .entry("actor.lacp_timeout".to_owned())
                .or_insert_with(|| 1.into());
            plan.step(json!({"partner": {"on": "p1", "fields": fields}}));
        }
        _ => plan.step(json!({"partner": {"on": "p1", "stop": true}})),
    }
    plan.step(json!({"wait": time(source)}));
}

/// The golden exchange: a LACPDU with a key of its own is echoed, then the link comes up; what
/// nobody touched works.
fn golden(plan: &mut Plan, beside: bool, groups: bool) {
    plan.step(json!({"link": {"name": "p1", "up": true}}));
    let mut fields = fast();
    if let Some(map) = fields.as_object_mut() {
        map.insert("actor.key".to_owned(), 4711.into());
    }
    plan.step(json!({"partner": {"on": "p1", "fields": fields}}));
    plan.step(json!({"expect": {
        "on": "p1", "frame": {"lacpdu": {"partner.key": 4711}}, "within": "2500ms",
    }}));
    if groups {
        plan.step(json!({"expect": {
            "on": "p3", "frame": {"lacpdu": {"actor.distributing": 1}}, "within": "1300ms",
            "first": true,
        }}));
    }
    plan.step(json!({"partner": {"on": "p1", "fields": fast()}}));
    plan.step(json!({"wait": "200ms"}));
    plan.step(json!({"expect": {
        "on": "p1", "frame": {"lacpdu": {"actor.distributing": 1}}, "within": "10s",
    }}));
    if beside {
        plan.step(json!({"expect": {
            "on": "p2", "frame": {"lacpdu": {"actor.distributing": 1}}, "within": "5s",
        }}));
    }
    let marker = json!({"requester_transaction_id": 4711});
    plan.step(json!({"send": {"on": "p1", "frame": {"marker": marker}}}));
    plan.step(json!({"expect": {
        "on": "p1", "frame": {"marker": {"tlv_type": 2, "requester_transaction_id": 4711}},
        "within": "500ms",
    }}));
    plan.step(json!({"wait": "4s"}));
}
