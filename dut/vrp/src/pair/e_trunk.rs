//! E-Trunks of the two devices.

use super::Severity::{Error, Warning};
use super::{Check, Election, Intent, Side, upper};
use crate::config::ETrunk;
use std::net::Ipv6Addr;

impl Check<'_> {
    pub(super) fn e_trunks(&mut self, intent: Option<Intent>) {
        let (a, b) = (&self.a.config.e_trunks, &self.b.config.e_trunks);
        if a.is_empty() && b.is_empty() {
            let text = "neither device has an E-Trunk";
            self.add("PAIR-23", Warning, text, None, None);
        }
        for (id, ours) in a {
            let view = format!("e-trunk {id}");
            let Some(theirs) = b.get(id) else {
                let text = format!("E-Trunk {id} is on the first device only");
                self.add("PAIR-23", Error, text, Some((&view, "")), None);
                continue;
            };
            self.election(*id, ours, theirs, intent);
            self.addresses(&view, ours.addresses, theirs.addresses);
            self.authentication(&view, ours, theirs);
            self.timers(&view, ours, theirs);
            if ours.port != theirs.port {
                let text = format!("E-Trunk UDP ports {} and {}", ours.port, theirs.port);
                self.both("PAIR-08", Error, text, ("", "e-trunk ipv6 port"));
            }
        }
        for id in b.keys().filter(|id| !a.contains_key(id)) {
            let text = format!("E-Trunk {id} is on the second device only");
            let view = format!("e-trunk {id}");
            self.add("PAIR-23", Error, text, None, Some((&view, "")));
        }
    }

    fn election(&mut self, id: u16, a: &ETrunk, b: &ETrunk, intent: Option<Intent>) {
        let view = format!("e-trunk {id}");
        let spot = (view.as_str(), "priority");
        if a.priority == b.priority {
            let text = format!(
                "E-Trunk {id}: both priorities are {}; the smaller system ID decides who is master",
                a.priority
            );
            self.both("PAIR-02", Warning, text, spot);
            return;
        }
        let Some(intent) = intent else {
            return;
        };
        let (rule, first_wins) = match intent.election {
            Election::SmallerWins => ("the smaller wins", a.priority < b.priority),
            Election::LargerWins => ("the larger wins", a.priority > b.priority),
        };
        if first_wins != (intent.master == Side::A) {
            let name = |loaded: &crate::Loaded| loaded.config.sysname.clone();
            let (meant, elected) = match intent.master {
                Side::A => (name(self.a), name(self.b)),
                Side::B => (name(self.b), name(self.a)),
            };
            let text = format!(
                "E-Trunk {id}: priorities {} and {} elect {elected}, not {meant}: {rule}",
                a.priority, b.priority
            );
            self.both("PAIR-01", Error, text, spot);
        }
    }

    fn addresses(
        &mut self,
        view: &str,
        a: Option<(Ipv6Addr, Ipv6Addr)>,
        b: Option<(Ipv6Addr, Ipv6Addr)>,
    ) {
        let spot = (view, "peer-ipv6 source-ipv6");
        match (a, b) {
            (Some(ours), Some(theirs)) => {
                let (peer, source) = theirs;
                if ours != (source, peer) {
                    let text = format!(
                        "{view}: the addresses are no mirror: {}",
                        both(ours, theirs)
                    );
                    self.both("PAIR-05", Error, text, spot);
                }
            }
            (None, None) => {
                let text = format!("{view}: no addresses on either device");
                self.both("PAIR-05", Error, text, spot);
            }
            (Some(_), None) | (None, Some(_)) => {
                let text = format!("{view}: addresses on one device only");
                self.both("PAIR-05", Error, text, spot);
            }
        }
    }

    fn authentication(&mut self, view: &str, a: &ETrunk, b: &ETrunk) {
        let spot = (view, "security-key");
        match (&a.security_key, &b.security_key) {
            (None, None) => {
                let text = format!("{view}: no security key on either device");
                self.both("PAIR-31", Warning, text, spot);
            }
            (Some(ours), Some(theirs)) if ours.cipher != theirs.cipher => {
                let text = format!(
                    "{view}: one key is a ciphertext, the other is plain: they can't be compared"
                );
                self.both("PAIR-09", Warning, text, spot);
            }
            (ours, theirs) if ours != theirs => {
                let text = format!("{view}: the security keys differ");
                self.both("PAIR-09", Error, text, spot);
            }
            (Some(_) | None, Some(_) | None) => {}
        }
        if a.authentication != b.authentication {
            let text = format!("{view}: the authentication modes differ");
            self.both("PAIR-10", Error, text, (view, "authentication-mode"));
        }
        if a.sequence != b.sequence {
            let text = format!(
                "{view}: `sequence enable` on one device only: each drops the other's hellos"
            );
            self.both("PAIR-11", Error, text, (view, "sequence enable"));
        }
    }

    fn timers(&mut self, view: &str, a: &ETrunk, b: &ETrunk) {
        if a.hello_100ms != b.hello_100ms {
            let text = format!(
                "{view}: hello periods {} and {} (100 ms)",
                a.hello_100ms, b.hello_100ms
            );
            self.both("PAIR-12", Warning, text, (view, "timer hello"));
        }
        if a.multiplier != b.multiplier {
            let text = format!("{view}: multipliers {} and {}", a.multiplier, b.multiplier);
            let command = "timer hold-on-failure multiplier";
            self.both("PAIR-13", Warning, text, (view, command));
        }
        if a.revert_delay_s != b.revert_delay_s {
            let shown = |delay: Option<u32>| delay.map_or("never".to_owned(), |s| format!("{s} s"));
            let text = format!(
                "{view}: revert delays {} and {}",
                shown(a.revert_delay_s),
                shown(b.revert_delay_s)
            );
            let command = |e_trunk: &ETrunk| match e_trunk.revert_delay_s {
                Some(_) => "timer revert delay",
                None => "revert disable",
            };
            let (a, b) = (command(a), command(b));
            self.add("PAIR-14", Error, text, Some((view, a)), Some((view, b)));
        }
    }
}

/// Both ends' (peer, source) in words.
pub(super) fn both(a: (Ipv6Addr, Ipv6Addr), b: (Ipv6Addr, Ipv6Addr)) -> String {
    format!(
        "peer {} source {}, and peer {} source {}",
        upper(a.0),
        upper(a.1),
        upper(b.0),
        upper(b.1)
    )
}
