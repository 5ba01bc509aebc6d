//! MLD: reports, queries and noise around a querier, a non-querier and version 1 mode.

use super::{Plan, Protocol};
use crate::mutate::{self, GROUPS, SOURCES, Source};
use harness_wire::{Fields, Kind};
use serde_json::{Value, json};

/// A query of a router with a lower address than the device's.
const OTHER: &str = "fe80::1";

pub(super) fn plan(source: &mut Source<'_, '_>) -> Plan {
    let mut plan = Plan::new(Protocol::Mld);
    if source.chance(20) {
        plan.set("mld.robustness", 3);
    }
    let [g1, g2, g3, g4] = GROUPS;
    let [s1, s2, s3, s4] = SOURCES;
    let streams = [(g1, s1), (g1, s2), (g2, s1), (g2, s4), (g3, s3), (g4, s1)];
    for (number, (group, from)) in streams.into_iter().enumerate() {
        plan.step(json!({"stream": {
            "name": format!("s{number}"), "on": "p2", "group": group,
            "source": from, "every": "250ms",
        }}));
    }
    // What must not be harmed: a listener on the other link.
    report(
        &mut plan,
        "p3",
        &json!([{"type": "TO_EX", "group": "ff1e::33"}]),
    );
    plan.step(json!({"stream": {
        "name": "other", "on": "p2", "group": "ff1e::33", "source": SOURCES[0], "every": "250ms",
    }}));
    plan.step(json!({"wait": "300ms"}));
    state(source, &mut plan);
    plan.begin();
    for _ in 0..1 + source.below(8) {
        stimulus(source, &mut plan);
        let times = ["600ms", "100ms", "10ms", "1s", "2500ms", "6s", "20s", "44s"];
        plan.step(json!({"wait": *source.pick(&times)}));
    }
    plan.end();
    golden(&mut plan);
    plan
}

fn report(plan: &mut Plan, port: &str, records: &Value) {
    plan.step(json!({"send": {"on": port, "frame": {"mld-report": {"records": records}}}}));
}

/// The dialogue that reaches a state.
fn state(source: &mut Source<'_, '_>, plan: &mut Plan) {
    let (one, two) = (SOURCES[0], SOURCES[1]);
    match source.below(6) {
        0 => report(plan, "p1", &json!([{"type": "TO_EX", "group": GROUPS[0]}])),
        1 => report(
            plan,
            "p1",
            &json!([{"type": "ALLOW", "group": GROUPS[0], "sources": [one, two]}]),
        ),
        2 => report(
            plan,
            "p1",
            &json!([{"type": "TO_EX", "group": GROUPS[0], "sources": [one]}]),
        ),
        3 => {
            let frame = json!({"mld-v1-report": {"group": GROUPS[0]}});
            plan.step(json!({"send": {"on": "p1", "frame": frame}}));
        }
        4 => {
            report(plan, "p1", &json!([{"type": "TO_EX", "group": GROUPS[0]}]));
            plan.step(json!({"wait": "100ms"}));
            let frame = json!({"mld-query": {"ipv6.source": OTHER}});
            plan.step(json!({"send": {"on": "p1", "frame": frame}}));
        }
        _ => {}
    }
    plan.step(json!({"wait": "500ms"}));
}

/// A legal version 2 report's records, one or two.
fn records(source: &mut Source<'_, '_>) -> Value {
    let mut records = vec![mutate::record(source)];
    if source.chance(20) {
        records.push(mutate::record(source));
    }
    records.into()
}

fn fields(value: &Value) -> Fields {
    value
        .as_object()
        .cloned()
        .unwrap_or_default()
        .into_iter()
        .collect()
}

fn stimulus(source: &mut Source<'_, '_>, plan: &mut Plan) {
    let group = *source.pick(&GROUPS);
    let (kind, name, base) = match source.below(16) {
        0..=8 => (
            Kind::MldReport,
            "mld-report",
            json!({"records": records(source)}),
        ),
        9 | 10 => (Kind::MldV1Report, "mld-v1-report", json!({"group": group})),
        11 => (Kind::MldDone, "mld-done", json!({"group": group})),
        12 => (Kind::MldQuery, "mld-query", json!({"ipv6.source": OTHER})),
        13 => {
            let query = json!({"ipv6.source": OTHER, "group": group, "s": source.below(2)});
            (Kind::MldQuery, "mld-query", query)
        }
        14 => {
            let sources = json!([SOURCES[0], SOURCES[1]]);
            let query = json!({
                "ipv6.source": OTHER, "group": group, "sources": sources, "s": source.below(2),
            });
            (Kind::MldQuery, "mld-query", query)
        }
        // A router with a higher address, and one with version 1.
        _ => {
            let query =
                json!({"ipv6.source": "fe80::ffff:ffff:ffff:ffff", "version": 1 + source.below(2)});
            (Kind::MldQuery, "mld-query", query)
        }
    };
    let base = fields(&base);
    let sent = if source.chance(35) {
        mutate::frame(source, kind, &base)
    } else {
        base
    };
    let count = if source.chance(4) { 40 } else { 1 };
    let mut step = json!({"on": "p1", "frame": {name: sent}});
    if let (true, Some(map)) = (count > 1, step.as_object_mut()) {
        map.insert("count".to_owned(), count.into());
        map.insert("every".to_owned(), "1ms".into());
    }
    plan.step(json!({"send": step}));
}

/// The golden exchange: a listener joins, is served, leaves and is no longer; the other link's
/// listener was served all the time.
fn golden(plan: &mut Plan) {
    let group = "ff1e::77";
    plan.step(json!({"stream": {
        "name": "golden", "on": "p2", "group": group, "source": SOURCES[0], "every": "100ms",
    }}));
    report(
        plan,
        "p3",
        &json!([
            {"type": "TO_EX", "group": "ff1e::33"},
            {"type": "ALLOW", "group": group, "sources": [SOURCES[0]]},
        ]),
    );
    for wanted in [group, "ff1e::33"] {
        plan.step(json!({"expect": {
            "on": "p3", "frame": {"udp": {"ipv6.destination": wanted}}, "within": "1s",
        }}));
    }
    report(
        plan,
        "p1",
        &json!([{"type": "ALLOW", "group": group, "sources": [SOURCES[0]]}]),
    );
    plan.step(json!({"expect": {
        "on": "p1", "frame": {"udp": {"ipv6.destination": group}}, "within": "1s",
    }}));
    report(
        plan,
        "p3",
        &json!([{"type": "BLOCK", "group": group, "sources": [SOURCES[0]]}]),
    );
    plan.step(json!({"expect": {
        "on": "p3", "frame": {"mld-query": {"group": group}}, "within": "500ms",
    }}));
    plan.step(json!({"wait": "4s"}));
    plan.step(json!({"never": {
        "on": "p3", "frame": {"udp": {"ipv6.destination": group}}, "for": "500ms",
    }}));
    // The next general queries, and timers that began meanwhile.
    plan.step(json!({"wait": "50s"}));
}
