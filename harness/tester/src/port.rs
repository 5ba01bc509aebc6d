//! What the tester knows and does on one of its ports.

use crate::etrunk_peer::ETrunkPeer;
use crate::partner::Partner;
use crate::rbs_peer::RbsPeer;
use harness_wire::Fields;
use std::collections::BTreeMap;
use std::net::Ipv6Addr;

/// One of the tester's ports.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) name: String,
    /// From 1: the default Actor_Port.
    pub(crate) number: u16,
    pub(crate) mac: String,
    /// Default fields by kind, of the testbed.
    pub(crate) defaults: BTreeMap<String, Fields>,
    /// The device's last Actor information, as `partner.*`.
    pub(crate) device_actor: Fields,
    /// The device's last LACPDU.
    pub(crate) device_pdu: Option<Fields>,
    /// Source MAC address of the device's last IPv6 frame.
    pub(crate) device_mac: Option<String>,
    pub(crate) partner: Option<Partner>,
    /// The port by which every frame of the device comes back.
    pub(crate) reflect: Option<String>,
    /// Addresses that it answers for, with its MAC address.
    pub(crate) addresses: Vec<Ipv6Addr>,
    pub(crate) etrunk: Option<ETrunkPeer>,
    pub(crate) rbs: Option<RbsPeer>,
}

impl Port {
    /// The tester's own Actor information here.
    pub(crate) fn lacp_defaults(&self) -> Fields {
        let mut fields = Fields::new();
        for (name, value) in [
            ("actor.system_priority", 32768_u64),
            ("actor.key", 17),
            ("actor.port_priority", 32768),
            ("actor.port", u64::from(self.number)),
            ("actor.state", 0x0d),
        ] {
            fields.insert(name.to_owned(), value.into());
        }
        fields.insert("actor.system".to_owned(), "02:00:00:00:00:01".into());
        if let Some(given) = self.defaults.get("lacpdu") {
            fields.extend(given.clone());
        }
        fields
    }
}

impl crate::player::Player {
    pub(crate) fn port_index(&self, name: &str) -> Result<usize, String> {
        let known = || {
            self.ports
                .iter()
                .map(|p| p.name.clone())
                .collect::<Vec<_>>()
                .join(", ")
        };
        let index = self.ports.iter().position(|port| port.name == name);
        index.ok_or_else(|| format!("no tester's port `{name}`; there are {}", known()))
    }

    pub(crate) fn port_named(&mut self, name: &str) -> Result<&mut Port, String> {
        let index = self.port_index(name)?;
        self.ports
            .get_mut(index)
            .ok_or_else(|| format!("no tester's port `{name}`"))
    }
}
