//! Commands to one device of an E-Trunk while it runs, and what each must make it say at once.

use super::super::Plan;
use super::super::command::Undo;
use crate::mutate::Source;
use serde_json::{Value, json};

/// How soon a change is told (FORMATS 1: a triggered hello).
const AT_ONCE: &str = "20ms";

/// What the device is set to now.
pub(super) struct Settings {
    priority: u64,
    /// Tenths of a second.
    hello: u64,
    multiplier: u64,
    mode: u64,
    /// What puts each setting back.
    undo: Undo,
}

impl Settings {
    pub(super) fn new(multiplier: u64) -> Self {
        Self {
            priority: 20,
            hello: 10,
            multiplier,
            mode: 1,
            undo: Undo::default(),
        }
    }

    fn tells(plan: &mut Plan, fields: &Value) {
        plan.step(json!({"expect": {
            "on": "p1", "frame": {"etrunk": fields}, "within": AT_ONCE,
        }}));
    }

    /// One command, and what must follow. `member`: whether the member has a partner.
    pub(super) fn change(&mut self, source: &mut Source<'_, '_>, plan: &mut Plan, member: bool) {
        match source.below(8) {
            0 | 1 => {
                let priority = *source.pick(&[1, 10, 19, 21, 254]);
                self.undo.note("priority", "e-trunk priority 20");
                plan.command(&format!("e-trunk priority {priority}"));
                if priority != self.priority {
                    self.priority = priority;
                    Self::tells(plan, &json!({"triggered": 1, "priority": priority}));
                }
            }
            2 => {
                let hello = *source.pick(&[5, 7, 20, 100]);
                self.undo.note("hello", "e-trunk timer hello 10");
                plan.command(&format!("e-trunk timer hello {hello}"));
                if hello != self.hello {
                    self.hello = hello;
                    self.tells_timers(plan);
                }
            }
            3 => {
                let multiplier = *source.pick(&[3, 10, 300]);
                let undo = format!(
                    "e-trunk timer hold-on-failure multiplier {}",
                    self.multiplier
                );
                self.undo.note("multiplier", undo);
                plan.command(&format!(
                    "e-trunk timer hold-on-failure multiplier {multiplier}"
                ));
                if multiplier != self.multiplier {
                    self.multiplier = multiplier;
                    self.tells_timers(plan);
                }
            }
            4 | 5 => {
                let (name, mode) = *source.pick(&[("force-master", 3), ("force-backup", 2)]);
                self.mode(plan, name, mode);
                if mode == 2 && member {
                    // A member in force-backup is Backup on whatever device (ETRUNK-044).
                    plan.step(json!({"wait": "1200ms"}));
                    plan.step(json!({"never": {
                        "on": "p2", "frame": {"lacpdu": {"actor.synchronization": 1}},
                        "for": "2s",
                    }}));
                }
                if source.chance(50) {
                    self.mode(plan, "auto", 1);
                }
            }
            6 => {
                self.undo.note("revert", "e-trunk timer revert delay 120");
                plan.command(&format!("e-trunk timer revert delay {}", source.below(4)));
            }
            _ => {
                self.undo.note("revert", "e-trunk timer revert delay 120");
                plan.command("e-trunk revert disable");
            }
        }
        plan.step(json!({"wait": *source.pick(&["100ms", "10ms", "1s", "3s"])}));
    }

    fn mode(&mut self, plan: &mut Plan, name: &str, mode: u64) {
        self.undo.note("mode", "e-trunk mode auto");
        plan.command(&format!("e-trunk mode {name}"));
        if self.mode != mode {
            self.mode = mode;
            Self::tells(
                plan,
                &json!({"triggered": 1, "members": [{"work_mode": mode}]}),
            );
        }
    }

    fn tells_timers(&self, plan: &mut Plan) {
        // The field's greatest is an hour.
        let fail = (self.hello * self.multiplier).min(36_000);
        Self::tells(
            plan,
            &json!({"triggered": 1, "send_period": self.hello, "fail_time": fail}),
        );
    }

    /// It says goodbye, neither speaks nor hears, and boots anew.
    pub(super) fn shut_down(&self, source: &mut Source<'_, '_>, plan: &mut Plan) {
        plan.command("e-trunk shutdown");
        plan.step(json!({"expect": {
            "on": "p1", "frame": {"etrunk": {"type": 2}}, "within": AT_ONCE,
        }}));
        plan.step(json!({"wait": "1ms"}));
        plan.step(json!({"send": {"on": "p1", "frame": {"etrunk": {"reply_requested": 1}}}}));
        let time = *source.pick(&["1500ms", "12s", "40s"]);
        plan.step(json!({"never": {"on": "p1", "frame": {"etrunk": {}}, "for": time}}));
        plan.command("undo e-trunk shutdown");
        plan.step(json!({"expect": {
            "on": "p1", "within": AT_ONCE, "frame": {"etrunk": {
                "restart": 1, "state": 1, "reason": 7, "send_period": self.hello,
            }},
        }}));
    }

    pub(super) fn put_back(&self, plan: &mut Plan) {
        self.undo.put_back(plan, "600ms");
    }
}
