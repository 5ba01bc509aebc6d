//! The node's state as plain data, and the commands that it takes.

use crate::node::Node;
use dut_device::{ControlError, ForwardingEntry, Instant, PairLook, Snapshot};
use dut_rbs::GoodbyeCause;
use std::time::Duration;

/// A number of a command.
fn in_range(text: &str, least: u16, most: u16) -> Option<u16> {
    let number = text.parse().ok()?;
    (least..=most).contains(&number).then_some(number)
}

impl Node {
    pub(crate) fn take_snapshot(&self, now: Instant) -> Snapshot {
        let mut snapshot = Snapshot::default();
        snapshot.at = now;
        snapshot.sysname = self.sysname.clone();
        snapshot.e_trunk_descriptions = self.settings.e_trunk_descriptions.clone();
        snapshot.mld_settings = self.settings.mld.clone();
        let lacp = self.trunks.iter().filter_map(|trunk| trunk.lacp.as_ref());
        snapshot.eth_trunks = lacp.map(|lacp| lacp.snapshot(now)).collect();
        snapshot.e_trunks = self
            .bonds
            .iter()
            .map(|bond| bond.etrunk.snapshot(now))
            .collect();
        for service in &self.services {
            let (rbs, rbp) = service.session.snapshot(now);
            snapshot.rbs.push(rbs);
            snapshot.rbp.extend(rbp);
        }
        let mld = self
            .interfaces
            .iter()
            .filter_map(|interface| interface.mld.as_ref());
        snapshot.mld = mld.map(|mld| mld.snapshot(now)).collect();
        snapshot.forwarding = self.forwarding_entries(now);
        let discards = self.discards.iter();
        snapshot.discards = discards
            .map(|((protocol, why), n)| (format!("{protocol}.{why}"), *n))
            .collect();
        snapshot
    }

    /// What a snapshot says of the pair.
    pub(crate) fn take_look(&self, now: Instant, look: &mut PairLook) {
        look.clear();
        look.at = now;
        for service in &self.services {
            service.session.look_at_service(look);
        }
        if !look.master {
            let mut services = self.services.iter();
            services.any(|service| service.session.look_at_entries(now, look));
        }
        let mut held = look.master;
        for interface in &self.interfaces {
            let Some(mld) = &interface.mld else { continue };
            let groups = held && interface.name.starts_with("Eth-Trunk");
            held &= !groups;
            mld.look(now, groups, look);
        }
    }

    fn forwarding_entries(&self, now: Instant) -> Vec<ForwardingEntry> {
        let name = |index: &usize| self.interfaces.get(*index).map(|i| i.name.clone());
        self.forwarding
            .flows()
            .map(|((group, source), forwarded)| {
                let entry = self.work_out(now, group, source);
                ForwardingEntry {
                    group,
                    source: Some(source),
                    upstream: entry.upstream.as_ref().and_then(name),
                    downstream: entry.downstream.iter().filter_map(name).collect(),
                    muted: entry.muted.iter().filter_map(name).collect(),
                    forwarded,
                }
            })
            .collect()
    }

    pub(crate) fn command(&mut self, now: Instant, text: &str) -> Result<(), ControlError> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let known = "`e-trunk mode auto|force-master|force-backup`, `e-trunk timer hello TENTHS`, \
             `e-trunk timer hold-on-failure multiplier N`, `remote-backup-service shutdown`, \
             `undo remote-backup-service shutdown`, `batch-backup`, `lacp key N`, \
             `lacp enable|disable PORT`, \
             `lacp timeout fast|slow`";
        let unknown = || ControlError::UnknownCommand(format!("`{text}`: a node takes {known}"));
        match words.as_slice() {
            ["e-trunk", "mode", mode] => {
                let mode = match *mode {
                    "auto" => dut_etrunk::WorkMode::Auto,
                    "force-master" => dut_etrunk::WorkMode::ForceMaster,
                    "force-backup" => dut_etrunk::WorkMode::ForceBackup,
                    _ => return Err(unknown()),
                };
                for bond in &mut self.bonds {
                    bond.etrunk.set_mode(now, bond.trunk_id, mode);
                }
            }
            ["lacp", "key", key] => {
                let key = key
                    .parse()
                    .ok()
                    .filter(|key| *key > 0)
                    .ok_or_else(unknown)?;
                for lacp in self
                    .trunks
                    .iter_mut()
                    .filter_map(|trunk| trunk.lacp.as_mut())
                {
                    lacp.set_key(now, key);
                }
            }
            ["lacp", what @ ("enable" | "disable"), port] => {
                let full = port.replacen("GE", "GigabitEthernet", 1);
                let found = self
                    .infos
                    .iter()
                    .find(|info| info.name == *port || info.name == full);
                let id = found.ok_or_else(unknown)?.id;
                let trunk = self
                    .trunks
                    .iter_mut()
                    .find(|trunk| trunk.ports.contains(&id));
                let lacp = trunk.and_then(|trunk| trunk.lacp.as_mut());
                lacp.ok_or_else(unknown)?
                    .set_lacp_enabled(now, id, *what == "enable");
            }
            ["lacp", "timeout", timeout @ ("fast" | "slow")] => {
                for trunk in &mut self.trunks {
                    let Some(lacp) = &mut trunk.lacp else {
                        continue;
                    };
                    for port in &trunk.ports {
                        lacp.set_timeout_short(now, *port, *timeout == "fast");
                    }
                }
            }
            words => self.pair_command(now, words).ok_or_else(unknown)?,
        }
        Ok(())
    }

    /// A command to the pair's engines; `None` when it is none.
    fn pair_command(&mut self, now: Instant, words: &[&str]) -> Option<()> {
        match words {
            ["e-trunk", "timer", "hello", tenths] => {
                let tenths = in_range(tenths, 5, 100)?;
                let hello = Duration::from_millis(100) * u32::from(tenths);
                for bond in &mut self.bonds {
                    let multiplier = bond.etrunk.config().multiplier;
                    bond.etrunk.set_timers(now, hello, multiplier);
                }
            }
            [
                "e-trunk",
                "timer",
                "hold-on-failure",
                "multiplier",
                multiplier,
            ] => {
                let multiplier = in_range(multiplier, 3, 300)?;
                for bond in &mut self.bonds {
                    let hello = bond.etrunk.config().hello;
                    bond.etrunk.set_timers(now, hello, multiplier);
                }
            }
            ["remote-backup-service", "shutdown"] => {
                for service in &mut self.services {
                    service.session.stop(now, GoodbyeCause::Administrative);
                }
            }
            ["undo", "remote-backup-service", "shutdown"] => {
                for service in &mut self.services {
                    service.session.start(now);
                }
            }
            ["batch-backup"] => {
                for bond in &self.bonds {
                    let service = bond.service.and_then(|index| self.services.get_mut(index));
                    if let Some(service) = service {
                        service.session.batch_now(now, bond.backup_id);
                    }
                }
            }
            _ => return None,
        }
        Some(())
    }
}
