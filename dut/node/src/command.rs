//! The commands that a node takes while it runs. They are a configuration's own words, for all of
//! its groups, E-Trunks and services at once.

use crate::node::Node;
use crate::trunk::Trunk;
use dut_device::{ControlError, Instant, PortId};
use dut_etrunk::{ETrunk, WorkMode};
use dut_lacp::EthTrunk;
use dut_rbs::GoodbyeCause;
use std::time::Duration;

const KNOWN: &str = "`e-trunk mode auto|force-master|force-backup`, `e-trunk priority N`, \
     `e-trunk timer hello TENTHS`, `e-trunk timer hold-on-failure multiplier N`, \
     `e-trunk timer revert delay SECONDS`, `e-trunk revert disable`, `[undo] e-trunk shutdown`, \
     `[undo] remote-backup-service shutdown`, `batch-backup`, `lacp key N`, `lacp priority N`, \
     `lacp priority PORT N`, `lacp enable|disable PORT`, `lacp timeout fast|slow`, \
     `lacp activity active|passive`, `lacp aggregation aggregatable|individual`, \
     `lacp preempt delay SECONDS`, `undo lacp preempt`, `max active-linknumber N`, \
     `least active-linknumber N`";

/// A number of a command.
fn in_range(text: &str, least: u16, most: u16) -> Option<u16> {
    let number = text.parse().ok()?;
    (least..=most).contains(&number).then_some(number)
}

impl Node {
    pub(crate) fn command(&mut self, now: Instant, text: &str) -> Result<(), ControlError> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let done = match words.as_slice() {
            ["lacp", rest @ ..] => self.lacp_command(now, rest),
            ["undo", "lacp", "preempt"] => {
                self.each_lacp(|lacp, _| lacp.set_preempt_delay(now, None))
            }
            ["max", "active-linknumber", number] => in_range(number, 1, 64)
                .and_then(|number| self.each_lacp(|lacp, _| lacp.set_max_active(now, number))),
            ["least", "active-linknumber", number] => in_range(number, 1, 64)
                .and_then(|number| self.each_lacp(|lacp, _| lacp.set_least_active(now, number))),
            ["e-trunk", rest @ ..] => self.e_trunk_command(now, rest),
            ["undo", "e-trunk", "shutdown"] => self.each_e_trunk(|e_trunk, _| e_trunk.start(now)),
            words => self.service_command(now, words),
        };
        done.ok_or_else(|| ControlError::UnknownCommand(format!("`{text}`: a node takes {KNOWN}")))
    }

    /// A command to the groups; `None` when it is none.
    fn lacp_command(&mut self, now: Instant, words: &[&str]) -> Option<()> {
        match words {
            ["key", key] => {
                let key = in_range(key, 1, u16::MAX)?;
                self.each_lacp(|lacp, _| lacp.set_key(now, key))
            }
            ["priority", priority] => {
                let priority = in_range(priority, 0, u16::MAX)?;
                // A member of an E-Trunk has the E-Trunk's System ID.
                //= ETRUNK-053
                let trunks = self.trunks.iter_mut().filter(|trunk| trunk.bond.is_none());
                for lacp in trunks.filter_map(|trunk| trunk.lacp.as_mut()) {
                    lacp.set_system_priority(now, priority);
                }
                Some(())
            }
            ["priority", port, priority] => {
                let priority = in_range(priority, 0, u16::MAX)?;
                let (lacp, port) = self.lacp_of(port)?;
                lacp.set_port_priority(now, port, priority);
                Some(())
            }
            [what @ ("enable" | "disable"), port] => {
                let (lacp, port) = self.lacp_of(port)?;
                lacp.set_lacp_enabled(now, port, *what == "enable");
                Some(())
            }
            ["timeout", timeout @ ("fast" | "slow")] => {
                let short = *timeout == "fast";
                self.each_port(|lacp, port| lacp.set_timeout_short(now, port, short))
            }
            ["activity", activity @ ("active" | "passive")] => {
                let active = *activity == "active";
                self.each_port(|lacp, port| lacp.set_activity(now, port, active))
            }
            ["aggregation", aggregation @ ("aggregatable" | "individual")] => {
                let aggregates = *aggregation == "aggregatable";
                self.each_port(|lacp, port| lacp.set_aggregation(now, port, aggregates))
            }
            ["preempt", "delay", seconds] => {
                let delay = Duration::from_secs(in_range(seconds, 0, 180)?.into());
                self.each_lacp(|lacp, _| lacp.set_preempt_delay(now, Some(delay)))
            }
            _ => None,
        }
    }

    /// A command to the E-Trunks; `None` when it is none.
    fn e_trunk_command(&mut self, now: Instant, words: &[&str]) -> Option<()> {
        match words {
            ["mode", mode] => {
                let mode = match *mode {
                    "auto" => WorkMode::Auto,
                    "force-master" => WorkMode::ForceMaster,
                    "force-backup" => WorkMode::ForceBackup,
                    _ => return None,
                };
                self.each_e_trunk(|e_trunk, trunk_id| e_trunk.set_mode(now, trunk_id, mode))
            }
            ["priority", priority] => {
                let priority = u8::try_from(in_range(priority, 1, 254)?).ok()?;
                self.each_e_trunk(|e_trunk, _| e_trunk.set_priority(now, priority))
            }
            ["timer", "hello", tenths] => {
                let hello = Duration::from_millis(100) * u32::from(in_range(tenths, 5, 100)?);
                self.each_e_trunk(|e_trunk, _| {
                    let multiplier = e_trunk.config().multiplier;
                    e_trunk.set_timers(now, hello, multiplier);
                })
            }
            ["timer", "hold-on-failure", "multiplier", multiplier] => {
                let multiplier = in_range(multiplier, 3, 300)?;
                self.each_e_trunk(|e_trunk, _| {
                    let hello = e_trunk.config().hello;
                    e_trunk.set_timers(now, hello, multiplier);
                })
            }
            ["timer", "revert", "delay", seconds] => {
                let delay = Duration::from_secs(in_range(seconds, 0, 10_800)?.into());
                self.each_e_trunk(|e_trunk, _| e_trunk.set_revert_delay(now, Some(delay)))
            }
            ["revert", "disable"] => {
                self.each_e_trunk(|e_trunk, _| e_trunk.set_revert_delay(now, None))
            }
            ["shutdown"] => self.each_e_trunk(|e_trunk, _| e_trunk.stop(now)),
            _ => None,
        }
    }

    /// A command to the services; `None` when it is none.
    fn service_command(&mut self, now: Instant, words: &[&str]) -> Option<()> {
        match words {
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

    fn each_lacp(&mut self, change: impl Fn(&mut EthTrunk, &[PortId])) -> Option<()> {
        for Trunk { lacp, ports, .. } in &mut self.trunks {
            if let Some(lacp) = lacp {
                change(lacp, ports);
            }
        }
        Some(())
    }

    fn each_port(&mut self, change: impl Fn(&mut EthTrunk, PortId)) -> Option<()> {
        self.each_lacp(|lacp, ports| ports.iter().for_each(|port| change(lacp, *port)))
    }

    fn each_e_trunk(&mut self, change: impl Fn(&mut ETrunk, u16)) -> Option<()> {
        for bond in &mut self.bonds {
            change(&mut bond.etrunk, bond.trunk_id);
        }
        Some(())
    }

    /// The group of a port, which is named as in a configuration or as in a testbed.
    fn lacp_of(&mut self, name: &str) -> Option<(&mut EthTrunk, PortId)> {
        let full = name.replacen("GE", "GigabitEthernet", 1);
        let mut infos = self.infos.iter();
        let port = infos
            .find(|info| info.name == name || info.name == full)?
            .id;
        let mut trunks = self.trunks.iter_mut();
        let trunk = trunks.find(|trunk| trunk.ports.contains(&port))?;
        Some((trunk.lacp.as_mut()?, port))
    }
}
