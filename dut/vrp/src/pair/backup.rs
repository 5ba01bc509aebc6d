//! Remote backup services and profiles of the two devices.

use super::Severity::{Error, Warning};
use super::e_trunk::both;
use super::{Check, Member};
use crate::config::{Rbp, Rbs};
use crate::loaded::Loaded;
use std::collections::BTreeSet;

impl Check<'_> {
    pub(super) fn backup(&mut self, members: &[Member<'_>]) {
        let mut profiles: BTreeSet<(String, String)> = BTreeSet::new();
        for member in members {
            match (&member.a.rbp, &member.b.rbp) {
                (Some(a), Some(b)) => {
                    profiles.insert((a.clone(), b.clone()));
                }
                (None, None) => {}
                (Some(_), None) | (None, Some(_)) => {
                    let text = format!("{}: a profile on one device only", member.a.name);
                    let command = "remote-backup-profile";
                    let a = (&*member.view_a, command);
                    let b = (&*member.view_b, command);
                    self.add("PAIR-25", Error, text, Some(a), Some(b));
                }
            }
        }
        let (a, b) = (self.a, self.b);
        for ours in &a.config.rbp {
            if b.config.rbp.iter().any(|theirs| theirs.name == ours.name)
                && !profiles
                    .iter()
                    .any(|(a, b)| *a == ours.name || *b == ours.name)
            {
                profiles.insert((ours.name.clone(), ours.name.clone()));
            }
        }
        let mut services: BTreeSet<(String, String)> = BTreeSet::new();
        for (name_a, name_b) in &profiles {
            let (Some(ours), Some(theirs)) = (rbp(a, name_a), rbp(b, name_b)) else {
                continue;
            };
            self.profile(ours, theirs);
            if let (Some((_, ours)), Some((_, theirs))) = (&ours.backup_id, &theirs.backup_id) {
                services.insert((ours.clone(), theirs.clone()));
            }
        }
        for (name_a, name_b) in &services {
            if let (Some(ours), Some(theirs)) = (rbs(a, name_a), rbs(b, name_b)) {
                self.service(ours, theirs);
            }
        }
    }

    fn profile(&mut self, a: &Rbp, b: &Rbp) {
        let name = &a.name;
        let view_a = format!("remote-backup-profile {name}");
        let view_b = format!("remote-backup-profile {}", b.name);
        let mut differ = |id, severity, text: String, command: &str| {
            let (a, b) = ((&*view_a, command), (&*view_b, command));
            self.add(id, severity, text, Some(a), Some(b));
        };
        let ids = (
            a.backup_id.as_ref().map(|(id, _)| *id),
            b.backup_id.as_ref().map(|(id, _)| *id),
        );
        let shown = |id: Option<u16>| id.map_or("none".to_owned(), |id| id.to_string());
        if ids.0 != ids.1 {
            let text = format!("{name}: backup-ids {} and {}", shown(ids.0), shown(ids.1));
            differ("PAIR-15", Error, text, "backup-id remote-backup-service");
        }
        if a.mld != b.mld {
            let text = format!("{name}: `service-type mld` on one device only");
            differ("PAIR-16", Error, text, "service-type");
        }
        if a.track != b.track {
            let shown = |track: Option<(u16, u16)>| {
                track.map_or("nothing".to_owned(), |(e_trunk, eth_trunk)| {
                    format!("E-Trunk {e_trunk} Eth-Trunk{eth_trunk}")
                })
            };
            let text = format!("{name}: tracks {} and {}", shown(a.track), shown(b.track));
            // Eth-Trunks of different ids can be one member; E-Trunks can't.
            let same = a.track.map(|(id, _)| id) == b.track.map(|(id, _)| id);
            let severity = if same { Warning } else { Error };
            differ("PAIR-17", severity, text, "e-trunk eth-trunk");
        }
        if a.peer_backup != b.peer_backup {
            let text = format!("{name}: the modes of `peer-backup` differ");
            differ("PAIR-26", Error, text, "peer-backup");
        }
    }

    fn service(&mut self, a: &Rbs, b: &Rbs) {
        let view_a = format!("remote-backup-service {}", a.name);
        let view_b = format!("remote-backup-service {}", b.name);
        let mut differ = |id, text: String, command: &str| {
            let (a, b) = ((&*view_a, command), (&*view_b, command));
            self.add(id, Error, text, Some(a), Some(b));
        };
        let name = &a.name;
        let command = "peer-ipv6 source-ipv6 port";
        match (a.endpoint, b.endpoint) {
            (Some((peer, source, port)), Some((their_peer, their_source, their_port))) => {
                if (peer, source) != (their_source, their_peer) {
                    let ends = both((peer, source), (their_peer, their_source));
                    let text = format!("{name}: the addresses are no mirror: {ends}");
                    differ("PAIR-06", text, command);
                }
                if port != their_port {
                    let text = format!("{name}: RBS TCP ports {port} and {their_port}");
                    differ("PAIR-07", text, command);
                }
            }
            (Some(_), None) | (None, Some(_)) | (None, None) => {
                let text = format!("{name}: addresses are missing");
                differ("PAIR-06", text, command);
            }
        }
        if a.shutdown || b.shutdown {
            let text = format!("{name}: the service is shut down");
            differ("PAIR-27", text, "shutdown");
        }
    }
}

fn rbp<'a>(loaded: &'a Loaded, name: &str) -> Option<&'a Rbp> {
    loaded.config.rbp.iter().find(|rbp| rbp.name == name)
}

fn rbs<'a>(loaded: &'a Loaded, name: &str) -> Option<&'a Rbs> {
    (loaded.config.rbs.iter()).find(|rbs| rbs.name.eq_ignore_ascii_case(name))
}
