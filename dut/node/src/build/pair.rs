//! Builds what makes a node one of a pair: services, profiles, E-Trunks.

use super::Builder;
use crate::node::Service;
use crate::pair::Bond;
use dut_etrunk as etrunk;
use dut_rbs as rbs;
use dut_vrp::config::{self, InterfaceKind};
use dut_wire::rbs::MatchedProfile;
use std::net::Ipv6Addr;
use std::time::Duration;

impl Builder<'_> {
    pub(super) fn services(&mut self) {
        for (position, configured) in self.config.rbs.iter().enumerate() {
            let Some((peer, source, port)) = configured.endpoint.filter(|_| !configured.shutdown)
            else {
                continue;
            };
            let profiles = self.profiles(&configured.name);
            let session = rbs::SessionConfig {
                name: configured.name.clone(),
                index: u16::try_from(position + 1).unwrap_or(u16::MAX),
                source,
                peer,
                port,
                keepalive: Duration::from_secs(1),
                hold: Duration::from_secs(15),
                boot_epoch: self.spec.boot_epoch,
                origin: self.spec.base_mac,
                seed: self.spec.seed,
                wall_origin_s: self.spec.wall_origin_s,
                profiles,
            };
            let session = rbs::Session::with_policy(session, self.rules.rbs);
            let endpoint = self.node.host.endpoint(source, peer, port);
            self.node.services.push(Service {
                name: configured.name.clone(),
                session,
                endpoint,
            });
        }
    }

    fn profiles(&self, service: &str) -> Vec<rbs::ProfileConfig> {
        let of_service = |(_, rbp): &(usize, &config::Rbp)| {
            rbp.backup_id
                .as_ref()
                .is_some_and(|(_, name)| name == service)
        };
        self.config
            .rbp
            .iter()
            .enumerate()
            .filter(of_service)
            .map(|(n, rbp)| self.profile(n, rbp))
            .collect()
    }

    fn profile(&self, position: usize, rbp: &config::Rbp) -> rbs::ProfileConfig {
        let bound = |i: &&config::Interface| i.rbp.as_deref() == Some(rbp.name.as_str());
        let interfaces: Vec<&config::Interface> =
            self.config.interfaces.iter().filter(bound).collect();
        let (e_trunk, eth_trunk) = rbp.track.unwrap_or((0, 0));
        let mode = match rbp.peer_backup {
            config::PeerBackup::Hot => "hot",
            config::PeerBackup::Warm => "warm",
            config::PeerBackup::Virtual => "virtual",
        };
        let settings = interfaces.first().map(|interface| interface.mld.clone());
        let settings = settings.unwrap_or_default();
        let ms = |d: Duration| u32::try_from(d.as_millis()).unwrap_or(u32::MAX);
        let matched = MatchedProfile {
            service: if rbp.mld {
                rbs::Service::Mld
            } else {
                rbs::Service::None
            },
            e_trunk_id: e_trunk,
            eth_trunk,
            mld_version: settings.version,
            robustness: settings.robust_count,
            query_interval_ms: ms(settings.query_interval),
            query_response_interval_ms: ms(settings.max_response_time),
            last_listener_query_interval_ms: ms(settings.last_listener_query_interval),
        };
        rbs::ProfileConfig {
            index: 0x1000 + u16::try_from(position).unwrap_or(0),
            name: rbp.name.clone(),
            backup_id: rbp.backup_id.as_ref().map_or(0, |(id, _)| *id),
            mld: rbp.mld,
            e_trunk,
            eth_trunk,
            interfaces: interfaces
                .iter()
                .map(|interface| interface.name.clone())
                .collect(),
            backup_mode: mode.to_owned(),
            config_digest: matched.digest(),
        }
    }

    pub(super) fn bonds(&mut self) {
        let members: Vec<config::Interface> = self
            .config
            .interfaces
            .iter()
            .filter(|interface| interface.trunk.e_trunk.is_some())
            .cloned()
            .collect();
        for member in &members {
            self.bond(member);
        }
    }

    /// Ties an Eth-Trunk to its E-Trunk and to the profile that tracks them.
    fn bond(&mut self, member: &config::Interface) -> Option<()> {
        let InterfaceKind::EthTrunk(trunk_id) = member.kind else {
            return None;
        };
        let (id, remote) = member.trunk.e_trunk?;
        let configured = self.config.e_trunks.get(&id)?;
        let (peer, source) = configured.addresses?;
        let trunk = self
            .node
            .trunks
            .iter()
            .position(|trunk| trunk.id == trunk_id)?;
        let mut etrunk = self.etrunk(id, configured, member, trunk_id, remote);
        let profile = self
            .config
            .rbp
            .iter()
            .find(|rbp| rbp.track == Some((id, trunk_id)));
        let backup = profile.and_then(|rbp| rbp.backup_id.clone());
        let service = backup.as_ref().and_then(|(_, name)| {
            self.node
                .services
                .iter()
                .position(|service| service.name == *name)
        });
        if service.is_none() {
            // Without a profile nothing has to be synchronised before a revert.
            etrunk.set_revert_gate(dut_device::Instant::ZERO, true);
        }
        let socket = self.node.host.bind(source, configured.port);
        let bond = self.node.bonds.len();
        let interface = self
            .node
            .trunks
            .get(trunk)
            .and_then(|trunk| trunk.interface);
        // MLD is backed up on the interface that the profile is bound to, for `service-type mld`.
        let bound = profile.is_some_and(|rbp| rbp.mld && member.rbp.as_ref() == Some(&rbp.name));
        if let (Some(index), true) = (interface, bound)
            && let Some(interface) = self.node.interfaces.get_mut(index)
        {
            interface.bond = Some(bond);
        }
        let built = self.node.trunks.get_mut(trunk)?;
        built.bond = Some(bond);
        if let Some(lacp) = &mut built.lacp {
            // Until the E-Trunk has spoken, members hold Synchronization = 0.
            lacp.set_hold(dut_device::Instant::ZERO, (self.rules.pair.holds)(false));
        }
        self.node.bonds.push(Bond {
            etrunk,
            socket,
            peer,
            port: configured.port,
            trunk,
            trunk_id,
            status: None,
            service,
            backup_id: backup.map_or(0, |(id, _)| id),
            interface,
            master: false,
            hello_period: Duration::from_millis(u64::from(configured.hello_100ms) * 100),
            last_hello: None,
            mismatch: false,
        });
        Some(())
    }

    fn etrunk(
        &self,
        id: u16,
        configured: &config::ETrunk,
        member: &config::Interface,
        trunk_id: u16,
        remote: Option<u16>,
    ) -> etrunk::ETrunk {
        let (peer, source) = configured
            .addresses
            .unwrap_or((Ipv6Addr::UNSPECIFIED, Ipv6Addr::UNSPECIFIED));
        let (lacp_system_priority, lacp_system_id) = self.lacp_identity(member);
        let key = configured
            .security_key
            .as_ref()
            .map_or("", |key| key.text.as_str());
        // An opaque key is looked up among the testbed's secrets; else it serves as it stands.
        let key = self.spec.secrets.get(key).map_or(key, String::as_str);
        let configured = etrunk::ETrunkConfig {
            id,
            priority: configured.priority,
            system_id: self.spec.base_mac,
            source,
            peer,
            port: configured.port,
            key: key.as_bytes().to_vec(),
            authentication: match configured.authentication {
                config::Authentication::HmacSha1 => etrunk::AuthenticationMode::HmacSha1,
                config::Authentication::HmacSha256 => etrunk::AuthenticationMode::HmacSha256,
                config::Authentication::EnhancedHmacSha256 => {
                    etrunk::AuthenticationMode::EnhancedHmacSha256
                }
            },
            sequence: configured.sequence,
            hello: Duration::from_millis(u64::from(configured.hello_100ms) * 100),
            multiplier: configured.multiplier,
            revert_delay: configured
                .revert_delay_s
                .map(|s| Duration::from_secs(u64::from(s))),
            larger_wins: self.spec.election_larger_wins,
            lacp_system_priority,
            lacp_system_id,
            port_offset: (self.rules.pair.raises_ports)(source, peer),
            members: vec![etrunk::MemberConfig {
                eth_trunk: trunk_id,
                remote_id: remote.unwrap_or(trunk_id),
                work_mode: match member.trunk.work_mode {
                    config::WorkMode::Auto => etrunk::WorkMode::Auto,
                    config::WorkMode::ForceMaster => etrunk::WorkMode::ForceMaster,
                    config::WorkMode::ForceBackup => etrunk::WorkMode::ForceBackup,
                },
            }],
            boot_epoch: self.spec.boot_epoch,
        };
        etrunk::ETrunk::with_policy(configured, self.rules.etrunk)
    }
}
