//! What only the whole configuration shows: names of nothing, limits, lines that do nothing.

mod backup;
mod interface;
mod trunk;

use crate::builder::{Builder, Target};
use crate::config::Config;
use crate::diagnostic::NoticeKind;
use crate::loaded::{Line, find};

/// A finding about an accepted line.
enum Finding {
    Error(Line, String, Vec<String>),
    Notice(Line, NoticeKind, String),
}

/// The whole configuration under examination.
struct Checker<'a> {
    config: &'a Config,
    lines: &'a [Line],
    findings: Vec<Finding>,
}

impl Checker<'_> {
    /// An error about a command of a view, or about the view where the command isn't given.
    fn error(&mut self, view: &str, command: &str, message: String) {
        if let Some(line) = self.line(view, command) {
            self.findings
                .push(Finding::Error(line, message, Vec::new()));
        }
    }

    /// A notice that a command of a view does nothing. Nothing where it isn't given.
    fn inert(&mut self, view: &str, command: &str, reason: impl Into<String>) {
        if let Some(line) = find(self.lines, view, command).cloned() {
            self.findings
                .push(Finding::Notice(line, NoticeKind::Inert, reason.into()));
        }
    }

    fn given(&self, view: &str, command: &str) -> bool {
        find(self.lines, view, command).is_some()
    }

    fn line(&self, view: &str, command: &str) -> Option<Line> {
        find(self.lines, view, command)
            .or_else(|| find(self.lines, view, ""))
            .cloned()
    }
}

/// Completes the configuration and examines it.
pub(crate) fn finish(b: &mut Builder) {
    complete(b);
    references(b);
    let config = b.config.clone();
    let lines = b.lines.clone();
    let mut checker = Checker {
        config: &config,
        lines: &lines,
        findings: Vec::new(),
    };
    checker.interfaces();
    checker.trunks();
    checker.backup();
    for finding in checker.findings {
        match finding {
            Finding::Error(line, message, accepted) => b.error_of(&line, message, accepted),
            Finding::Notice(line, kind, reason) => {
                inert_instead(b, &line);
                b.notice_of(&line, kind, &reason);
            }
        }
    }
}

/// What is given in one place and counts in another.
fn complete(b: &mut Builder) {
    if let Some(port) = b.e_trunk_port {
        for e_trunk in b.config.e_trunks.values_mut() {
            e_trunk.port = port;
        }
    }
    for interface in &mut b.config.interfaces {
        let delay = b.preempt_delays.get(&interface.name);
        if let (Some(used), Some(delay)) = (&mut interface.trunk.preempt_delay_s, delay) {
            *used = *delay;
        }
    }
    let names: Vec<String> = b.config.rbs.iter().map(|rbs| rbs.name.clone()).collect();
    // Service names ignore capitals: the one that the service has been given counts.
    for rbp in &mut b.config.rbp {
        if let Some((_, service)) = &mut rbp.backup_id
            && let Some(name) = names.iter().find(|n| n.eq_ignore_ascii_case(service))
        {
            service.clone_from(name);
        }
    }
}

/// A line that is inert has no other reason to do nothing.
fn inert_instead(b: &mut Builder, line: &Line) {
    b.notices.retain(|notice| {
        notice.kind != NoticeKind::NoEffectYet
            || notice.file != line.place.file
            || notice.line != line.place.line
    });
}

fn references(b: &mut Builder) {
    for reference in std::mem::take(&mut b.references) {
        let Some(line) = b.lines.get(reference.line).cloned() else {
            continue;
        };
        let Some((missing, offers)) = missing(&b.config, &reference.target) else {
            continue;
        };
        if let Target::Isis(_) = reference.target {
            inert_instead(b, &line);
            b.notice_of(&line, NoticeKind::Inert, &missing);
        } else {
            b.error_at(&line.place, &reference.token, missing, offers);
        }
    }
}

/// What is missing and what there is instead; `None` when the target exists.
fn missing(config: &Config, target: &Target) -> Option<(String, Vec<String>)> {
    let interface = |name: &str| config.interfaces.iter().any(|i| i.name == name);
    let eth_trunks = || {
        let names = config.interfaces.iter().map(|i| i.name.clone());
        names.filter(|name| name.starts_with("Eth-Trunk")).collect()
    };
    let (exists, message, offers): (bool, String, Vec<String>) = match target {
        Target::ETrunk(id) => (
            config.e_trunks.contains_key(id),
            format!("there is no `e-trunk {id}` in the system view"),
            (config.e_trunks.keys())
                .map(|id| format!("e-trunk {id}"))
                .collect(),
        ),
        Target::EthTrunk(id) => (
            interface(&format!("Eth-Trunk{id}")),
            format!("there is no `interface Eth-Trunk{id}`"),
            eth_trunks(),
        ),
        Target::Rbs(name) => (
            (config.rbs.iter()).any(|rbs| rbs.name.eq_ignore_ascii_case(name)),
            format!("there is no `remote-backup-service {name}`"),
            config.rbs.iter().map(|rbs| rbs.name.clone()).collect(),
        ),
        Target::Rbp(name) => (
            config.rbp.iter().any(|rbp| rbp.name == *name),
            format!("there is no `remote-backup-profile {name}`"),
            config.rbp.iter().map(|rbp| rbp.name.clone()).collect(),
        ),
        Target::Vlan(id) => (
            config.vlans.contains(id),
            format!("there is no VLAN {id}: `vlan batch` makes it"),
            config.vlans.iter().map(|id| format!("VLAN {id}")).collect(),
        ),
        Target::Interface(name) => (
            interface(name),
            format!("there is no `interface {name}`"),
            config.interfaces.iter().map(|i| i.name.clone()).collect(),
        ),
        Target::Isis(id) => (
            config.isis.contains_key(id),
            format!("there is no `isis {id}` process"),
            Vec::new(),
        ),
    };
    (!exists).then_some((message, offers))
}
