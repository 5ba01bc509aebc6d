//! Commands to a LACP device while it runs, what each must make it say, and how all of it is as
//! before when the golden exchange begins.

use super::super::Plan;
use super::super::command::Undo;
use crate::mutate::Source;
use serde_json::{Value, json};

/// A change of what a port says is said within a second, however much was sent before.
const SOON: &str = "1250ms";

/// What the device is set to now.
pub(super) struct Settings {
    short: bool,
    active: bool,
    key: Option<usize>,
    /// Actor_System_Priority.
    priority: u64,
    /// Whether LACP runs on p1.
    enabled: bool,
    groups: bool,
    /// What puts each setting back.
    undo: Undo,
}

impl Settings {
    pub(super) fn new(short: bool, active: bool, groups: bool) -> Self {
        Self {
            short,
            active,
            key: None,
            priority: 32_768,
            enabled: true,
            groups,
            undo: Undo::default(),
        }
    }

    /// p1 says this of itself soon, where it says anything unasked.
    fn says(&self, plan: &mut Plan, fields: &Value) {
        if self.active && self.enabled {
            plan.step(json!({"expect": {
                "on": "p1", "frame": {"lacpdu": fields}, "within": SOON,
            }}));
        }
    }

    /// One command, and what must follow.
    pub(super) fn change(&mut self, source: &mut Source<'_, '_>, plan: &mut Plan) {
        match source.below(12) {
            0 => self.timeout(plan),
            1 => self.activity(plan),
            2 => self.key(source, plan),
            3 => {
                let priority = *source.pick(&[0, 100, 32_767, 32_769, 65_535]);
                self.undo.note("priority", "lacp priority 32768");
                plan.command(&format!("lacp priority {priority}"));
                if priority != self.priority {
                    self.priority = priority;
                    self.says(plan, &json!({"actor.system_priority": priority}));
                }
            }
            4 => self.port_priority(source, plan),
            5 | 6 => self.enable(plan),
            7 => {
                let (name, value) = *source.pick(&[("individual", 0), ("aggregatable", 1)]);
                let known = self.undo.knows("aggregation");
                self.undo
                    .note("aggregation", "lacp aggregation aggregatable");
                plan.command(&format!("lacp aggregation {name}"));
                if known || value == 0 {
                    plan.step(json!({"wait": "1100ms"}));
                    self.says_soon(plan, &json!({"actor.aggregation": value}));
                }
            }
            8 => {
                self.undo.note("preempt", "undo lacp preempt");
                plan.command(&format!("lacp preempt delay {}", source.below(12)));
            }
            9 => plan.command("undo lacp preempt"),
            10 => {
                self.undo.note("max", "max active-linknumber 16");
                plan.command(&format!("max active-linknumber {}", 1 + source.below(2)));
            }
            _ => {
                self.undo.note("least", "least active-linknumber 1");
                plan.command(&format!("least active-linknumber {}", 1 + source.below(3)));
            }
        }
        plan.step(json!({"wait": *source.pick(&["100ms", "10ms", "1s", "3s", "6500ms"])}));
    }

    /// It may have said so already: whatever it says within its slowest period is right.
    fn says_soon(&self, plan: &mut Plan, fields: &Value) {
        let Some((name, value)) = fields.as_object().and_then(|map| map.iter().next()) else {
            return;
        };
        if self.active && self.enabled {
            plan.step(json!({"never": {
                "on": "p1", "frame": {"lacpdu": {name: {"not": value}}}, "for": "1s",
            }}));
        }
    }

    fn timeout(&mut self, plan: &mut Plan) {
        let name = |short: bool| if short { "fast" } else { "slow" };
        self.undo
            .note("timeout", format!("lacp timeout {}", name(self.short)));
        self.short = !self.short;
        plan.command(&format!("lacp timeout {}", name(self.short)));
        self.says(plan, &json!({"actor.lacp_timeout": u8::from(self.short)}));
    }

    fn activity(&mut self, plan: &mut Plan) {
        let name = |active: bool| if active { "active" } else { "passive" };
        self.undo
            .note("activity", format!("lacp activity {}", name(self.active)));
        self.active = !self.active;
        plan.command(&format!("lacp activity {}", name(self.active)));
        self.says(plan, &json!({"actor.lacp_activity": 1}));
    }

    fn key(&mut self, source: &mut Source<'_, '_>, plan: &mut Plan) {
        let key = 2000 + source.below(60_000);
        // One key for two groups would make them one.
        if self.groups || self.key == Some(key) {
            return;
        }
        self.key = Some(key);
        plan.command(&format!("lacp key {key}"));
        self.says(plan, &json!({"actor.key": key}));
    }

    fn port_priority(&mut self, source: &mut Source<'_, '_>, plan: &mut Plan) {
        let (undo, port) = *source.pick(&[("p1", "GE0/1/1"), ("p2", "GE0/1/2")]);
        let priority = *source.pick(&[0, 100, 32_767, 32_769, 65_535]);
        self.undo.note(undo, format!("lacp priority {port} 32768"));
        plan.command(&format!("lacp priority {port} {priority}"));
        if undo == "p1" {
            plan.step(json!({"wait": "1100ms"}));
            self.says_soon(plan, &json!({"actor.port_priority": priority}));
        }
    }

    /// LACP is disabled on p1, or enabled again.
    fn enable(&mut self, plan: &mut Plan) {
        if !self.enabled {
            self.enabled = true;
            self.undo.forget("enable");
            return plan.command("lacp enable GE0/1/1");
        }
        self.enabled = false;
        self.undo.note("enable", "lacp enable GE0/1/1");
        plan.command("lacp disable GE0/1/1");
        plan.step(json!({"wait": "1ms"}));
        plan.step(json!({"never": {"on": "p1", "frame": {"lacpdu": {}}, "for": "1200ms"}}));
    }

    /// Everything is put back, and links that nobody else touched come up again.
    pub(super) fn put_back(&self, plan: &mut Plan) {
        self.undo
            .put_back(plan, if self.groups { "7s" } else { "100ms" });
    }
}
