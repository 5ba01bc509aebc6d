//! The pair: listeners' frames, faults and time against both devices, then quiet, in which they
//! must hold the same state and serve.

use super::{Plan, Protocol};
use crate::mutate::{self, GROUPS, SOURCES, Source};
use harness_wire::Fields;
use serde_json::{Value, json};

pub(super) fn plan(source: &mut Source<'_, '_>) -> Plan {
    let mut plan = Plan::new(Protocol::Pair);
    plan.step(json!({"wait": "10s"}));
    plan.step(json!({"command": {"node": "Source", "text": "stream ff1e::1 every 100"}}));
    plan.step(json!({"command": {"node": "H1", "text": "join ff1e::1"}}));
    plan.step(json!({"equal": {"within": "1s", "groups": 1}}));
    plan.begin();
    // One of the two is left alone: nothing is promised to who loses both.
    let mut broken = source.below(2);
    if source.chance(20) {
        series(source, &mut plan);
        broken = 0;
    }
    for _ in 0..2 + source.below(7) {
        stimulus(source, &mut plan, broken);
        let times = ["500ms", "10ms", "100ms", "1s", "3s", "25s"];
        plan.step(json!({"wait": *source.pick(&times)}));
    }
    plan.end();
    plan.step(json!({"heal": {}}));
    for name in LINKS {
        plan.step(json!({"link": {"name": name, "up": true}}));
    }
    for name in ["DeviceA", "DeviceB"] {
        plan.step(json!({"node": {"name": name, "action": "resume"}}));
        plan.step(json!({"node": {"name": name, "action": "restart"}}));
    }
    // Carriers come back, LACP collects, the channel's back-off ends (D-25), a better device
    // takes its role back.
    let reverts = source.chance(50);
    plan.step(json!({"wait": if reverts { "200s" } else { "60s" }}));
    if reverts {
        // The better device has its links again: its local fail time, the channel's back-off and
        // the revert delay of 120 s are over (BACKUP-014).
        let role = json!({"/e_trunks/0/state": "Master"});
        plan.step(json!({"state": {"node": "DeviceA", "within": "30s", "has": role}}));
    }
    plan.step(json!({"command": {"node": "H1", "text": "join ff1e::9"}}));
    plan.step(json!({"equal": {"within": "5s"}}));
    plan.step(json!({"command": {"node": "Source", "text": "stream ff1e::9 every 100"}}));
    plan.step(json!({"expect": {
        "on": "p1", "frame": {"udp": {"ipv6.destination": "ff1e::9"}}, "within": "1s",
    }}));
    plan.step(json!({"command": {"node": "H1", "text": "leave ff1e::9"}}));
    plan.step(json!({"wait": "4s"}));
    plan.step(json!({"never": {
        "on": "p1", "frame": {"udp": {"ipv6.destination": "ff1e::9"}}, "for": "500ms",
    }}));
    // Whoever has left may have been the only listener.
    plan.step(json!({"equal": {"within": "1s", "groups": 0}}));
    plan
}

/// A group is left, and the master's link is cut while the series of queries runs: it goes on with
/// the copies that remain, at their times (BACKUP-007, BACKUP-008; RFC 3810 7.6.3).
fn series(source: &mut Source<'_, '_>, plan: &mut Plan) {
    let group = *source.pick(&["ff1e::2", "ff1e::3"]);
    let single = source.chance(50);
    let address = *source.pick(&SOURCES);
    let (asks, leaves) = if single {
        ("ALLOW", "BLOCK")
    } else {
        ("TO_EX", "TO_IN")
    };
    let record = |kind: &str| {
        let sources: &[&str] = if single { &[address] } else { &[] };
        let records = json!([{"type": kind, "group": group, "sources": sources}]);
        json!({"mld-report": {"records": records}})
    };
    let query = json!({"mld-query": {"group": group}});
    plan.step(json!({"send": {"on": "p1", "frame": record(asks)}}));
    plan.step(json!({"wait": "1s"}));
    plan.step(json!({"send": {"on": "p1", "frame": record(leaves), "save": "left"}}));
    plan.step(json!({"expect": {"on": "p1", "within": "100ms", "frame": query}}));
    // Not before the first copy has been told the backup, not so late that the second is under way.
    let (cut, silent) = *source.pick(&[("200ms", "700ms"), ("500ms", "400ms"), ("800ms", "100ms")]);
    plan.step(json!({"wait-until": format!("left + {cut}")}));
    plan.step(json!({"link": {"name": "A-C", "up": false}}));
    plan.step(json!({"never": {"on": "p1", "frame": query, "for": silent}}));
    plan.step(json!({"expect": {
        "on": "p1", "frame": query, "at": "left + last_listener_query_interval",
        "tolerance": {"early": "50ms", "late": "100ms"},
    }}));
    plan.step(json!({"never": {"on": "p1", "frame": query, "for": "1500ms"}}));
}

/// The pair's links.
const LINKS: [&str; 5] = ["A-C", "B-C", "A-B", "A-D", "B-D"];

/// What makes a router refuse a report (RFC 3810 6.2; RFC 4443 2.1).
const REFUSED: [(&str, u64); 2] = [("icmpv6.checksum", 1), ("ipv6.hop_limit", 2)];

fn stimulus(source: &mut Source<'_, '_>, plan: &mut Plan, broken: usize) {
    let (device, links) = if broken == 0 {
        ("DeviceA", ["A-C", "A-B", "A-D"])
    } else {
        ("DeviceB", ["B-C", "A-B", "B-D"])
    };
    match source.below(16) {
        0..=5 => {
            let records = vec![mutate::record(source)];
            let base: Fields = [("records".to_owned(), Value::from(records))].into();
            let mut fields = base;
            // What must be refused; what no text decides is the target `mld`'s.
            if source.chance(15) {
                let (name, value) = source.pick(&REFUSED);
                fields.insert((*name).to_owned(), Value::from(*value));
            }
            plan.step(json!({"send": {"on": "p1", "frame": {"mld-report": fields}}}));
        }
        6 => {
            let name = *source.pick(&["mld-v1-report", "mld-done"]);
            let frame = json!({name: {"group": *source.pick(&GROUPS)}});
            plan.step(json!({"send": {"on": "p1", "frame": frame}}));
        }
        7 | 8 => {
            let group = *source.pick(&GROUPS);
            let address = *source.pick(&SOURCES);
            let text = match source.below(4) {
                0 => format!("join {group}"),
                1 => format!("join {group} include {address}"),
                2 => format!("join {group} exclude {address}"),
                _ => format!("leave {group}"),
            };
            // Source-specific groups have no EXCLUDE mode; a host refuses to join one so.
            let refused = group.starts_with("ff3") && !text.contains("include");
            if !refused {
                plan.step(json!({"command": {"node": "H1", "text": text}}));
            }
        }
        9 | 10 => {
            let name = *source.pick(&links);
            plan.step(json!({"link": {"name": name, "up": false}}));
            if source.chance(50) {
                plan.step(json!({"wait": *source.pick(&["1s", "100ms", "5s"])}));
                plan.step(json!({"link": {"name": name, "up": true}}));
            }
        }
        11 => {
            plan.step(json!({"node": {"name": device, "action": "crash"}}));
        }
        12 => {
            plan.step(json!({"node": {"name": device, "action": "hang"}}));
        }
        13 => {
            let fault = json!({
                "name": "f", "links": [*source.pick(&links)], "loss": *source.pick(&[10, 50, 100]),
            });
            plan.step(json!({"fault": fault}));
        }
        14 => {
            let port = json!({"port": 1025, "next-header": *source.pick(&[6, 17])});
            let loss = *source.pick(&[20, 100]);
            plan.step(
                json!({"fault": {"name": "f", "links": ["A-B"], "match": port, "loss": loss}}),
            );
        }
        _ => plan.step(json!({"heal": {}})),
    }
}
