//! One link may be active: that of the lower Port ID in the system with the lower System ID, which
//! is the device. The other stands by until it fails, and keeps the place or gives it back, as
//! preemption is configured.

use super::super::Plan;
use super::{fast, up};
use crate::mutate::Source;
use serde_json::json;

pub(super) fn plan(source: &mut Source<'_, '_>, mut plan: Plan, commands: bool) -> Plan {
    plan.settings.remove("lacp.groups");
    plan.set("lacp.max-active", 1);
    plan.set("lacp.activity", "active");
    let delay = commands.then(|| *source.pick(&[0, 2, 5, 10]));
    let configured = delay.filter(|delay| *delay > 0 && source.chance(50));
    if let Some(delay) = configured {
        plan.set("lacp.preempt", delay);
    }
    for port in ["p1", "p2"] {
        plan.step(json!({"partner": {"on": port, "fields": fast()}}));
    }
    up(&mut plan, "p1");
    plan.step(json!({"never": {
        "on": "p2", "frame": {"lacpdu": {"actor.synchronization": 1}}, "for": "4s",
    }}));
    plan.begin();
    plan.step(json!({"link": {"name": "p1", "up": false}}));
    plan.end();
    up(&mut plan, "p2");
    plan.step(json!({"wait": "4s"}));
    let Some(delay) = delay else { return plan };
    plan.step(json!({"link": {"name": "p1", "up": true}}));
    if configured.is_none() {
        stays_away(&mut plan, "p1", 4);
        if source.chance(50) {
            more(&mut plan);
        }
        if delay == 0 {
            return plan;
        }
        plan.command(&format!("lacp preempt delay {delay}"));
    }
    stays_away(&mut plan, "p1", delay - 1);
    up(&mut plan, "p1");
    plan.step(json!({"wait": "200ms"}));
    stays_away(&mut plan, "p2", 3);
    plan
}

/// The port isn't in Synchronization for so many seconds.
fn stays_away(plan: &mut Plan, port: &str, seconds: u64) {
    if seconds > 0 {
        plan.step(json!({"never": {
            "on": port, "frame": {"lacpdu": {"actor.synchronization": 1}},
            "for": format!("{seconds}s"),
        }}));
    }
}

/// Both links may be active, then one again: the better one, for both work.
fn more(plan: &mut Plan) {
    plan.command("max active-linknumber 2");
    up(plan, "p1");
    plan.command("max active-linknumber 1");
    plan.step(json!({"expect": {
        "on": "p2", "frame": {"lacpdu": {"actor.synchronization": 0}}, "within": "1250ms",
    }}));
    plan.step(json!({"wait": "200ms"}));
    stays_away(plan, "p2", 3);
    // The better one fails again, so that what follows finds the other one active.
    plan.step(json!({"link": {"name": "p1", "up": false}}));
    up(plan, "p2");
    plan.step(json!({"link": {"name": "p1", "up": true}}));
    stays_away(plan, "p1", 4);
}
