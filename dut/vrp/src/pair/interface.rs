//! The Eth-Trunks that are one member of an E-Trunk, and what counts for the whole device.

use super::Severity::{self, Error, Note, Warning};
use super::{Check, Member, upper};
use crate::config::{Config, Interface, Mld, WorkMode};
use crate::loaded::Loaded;
use dut_device::MacAddr;

impl Check<'_> {
    pub(super) fn lacp(&mut self, member: &Member<'_>) {
        let (a, b) = (&member.a.trunk, &member.b.trunk);
        let name = &member.a.name;
        if a.lacp_static != b.lacp_static {
            let text = format!("{name}: the modes differ");
            self.on("PAIR-29", Error, text, member, "mode lacp-static");
        }
        if a.timeout_fast != b.timeout_fast {
            let text = format!("{name}: LACP timeouts fast and slow");
            self.on("PAIR-29", Warning, text, member, "lacp timeout");
        }
        if a.least_active != b.least_active {
            let text = format!(
                "{name}: least active-linknumber {} and {}",
                a.least_active, b.least_active
            );
            self.on("PAIR-29", Warning, text, member, "least active-linknumber");
        }
        if a.lacp_static && b.lacp_static {
            self.system(member);
        }
        self.max_active(member);
        self.work_mode(member);
    }

    /// A finding about a command of both members.
    fn on(
        &mut self,
        id: &'static str,
        severity: Severity,
        text: String,
        member: &Member<'_>,
        command: &str,
    ) {
        let (a, b) = ((&*member.view_a, command), (&*member.view_b, command));
        self.add(id, severity, text, Some(a), Some(b));
    }

    fn system(&mut self, member: &Member<'_>) {
        let name = &member.a.name;
        let (a, b) = (&self.a.config, &self.b.config);
        let ids = (system_id(a, member.a), system_id(b, member.b));
        let priorities = (system_priority(a, member.a), system_priority(b, member.b));
        let command = "lacp e-trunk system-id";
        let text = match ids {
            (Some(a), Some(b)) if a == b => None,
            (None, None) => Some("neither configures one, so each has its own".to_owned()),
            (a, b) => {
                let shown = |id: Option<MacAddr>| id.map_or("its own".to_owned(), MacAddr::to_vrp);
                Some(format!("{} and {}", shown(a), shown(b)))
            }
        };
        if let Some(text) = text {
            let text = format!(
                "{name}: LACP E-Trunk system IDs differ: {text}: the E-Trunk can't steer the trunk"
            );
            self.per_device("PAIR-03", text, member, command);
        }
        if priorities.0 != priorities.1 {
            let text = format!(
                "{name}: LACP E-Trunk priorities {} and {}: the E-Trunk can't steer the trunk",
                priorities.0, priorities.1
            );
            self.per_device("PAIR-04", text, member, "lacp e-trunk priority");
        }
    }

    /// A finding about a command of the Eth-Trunk view, or of the system view where it isn't there.
    fn per_device(&mut self, id: &'static str, text: String, member: &Member<'_>, command: &str) {
        let view = |loaded: &Loaded, view: &str| {
            let own = loaded.line(view, command).is_some();
            if own { view.to_owned() } else { String::new() }
        };
        let a = view(self.a, &member.view_a);
        let b = view(self.b, &member.view_b);
        self.add(id, Error, text, Some((&a, command)), Some((&b, command)));
    }

    fn max_active(&mut self, member: &Member<'_>) {
        let command = "max active-linknumber";
        let a = self.a.line(&member.view_a, command).is_some();
        let b = self.b.line(&member.view_b, command).is_some();
        if a || b {
            let text = format!("{}: `{command}` on a device of an E-Trunk", member.a.name);
            self.add(
                "PAIR-21",
                Warning,
                text,
                a.then_some((&*member.view_a, command)),
                b.then_some((&*member.view_b, command)),
            );
        }
    }

    fn work_mode(&mut self, member: &Member<'_>) {
        let modes = (member.a.trunk.work_mode, member.b.trunk.work_mode);
        let (severity, what) = match modes {
            (WorkMode::Auto, WorkMode::Auto) => return,
            (WorkMode::ForceBackup, WorkMode::ForceBackup) => {
                (Error, "both are force-backup: nobody forwards")
            }
            (WorkMode::ForceMaster, WorkMode::ForceMaster) => {
                (Note, "both are force-master: active-active")
            }
            (WorkMode::ForceMaster | WorkMode::Auto, WorkMode::ForceBackup | WorkMode::Auto)
            | (WorkMode::ForceBackup | WorkMode::Auto, WorkMode::ForceMaster)
            | (WorkMode::ForceBackup, WorkMode::Auto) => {
                (Warning, "a forced mode: it doesn't follow faults")
            }
        };
        let text = format!("{}: {what}", member.a.name);
        self.on("PAIR-28", severity, text, member, "e-trunk mode");
    }

    pub(super) fn layer_3(&mut self, member: &Member<'_>) {
        let name = &member.a.name;
        let (a, b) = (sorted(member.a), sorted(member.b));
        if a != b {
            let networks = |addresses: &[(std::net::Ipv6Addr, u8)]| {
                let mut networks: Vec<_> = addresses.iter().map(network).collect();
                networks.sort_unstable();
                networks
            };
            let what = if networks(&a) == networks(&b) {
                "addresses differ"
            } else {
                "addresses are in different subnets"
            };
            let text = format!("{name}: the IPv6 {what}: {} and {}", shown(&a), shown(&b));
            self.on("PAIR-18", Error, text, member, "ipv6 address");
        }
        if member.a.access_vlan != member.b.access_vlan {
            let text = format!("{name}: the VLANs differ");
            self.on("PAIR-20", Error, text, member, "port default vlan");
        }
    }

    pub(super) fn mld(&mut self, member: &Member<'_>) {
        let (a, b) = (&member.a.mld, &member.b.mld);
        for (what, commands, severity, value) in MLD {
            let (ours, theirs) = (value(a), value(b));
            if ours != theirs {
                let text = format!("{}: MLD {what} {ours} and {theirs}", member.a.name);
                let given = |loaded: &Loaded, view: &str| {
                    let given = |command: &&&str| loaded.line(view, command).is_some();
                    (**commands.iter().find(given).unwrap_or(&"")).to_owned()
                };
                let ours = given(self.a, &member.view_a);
                let theirs = given(self.b, &member.view_b);
                let a = (&*member.view_a, &*ours);
                let b = (&*member.view_b, &*theirs);
                self.add("PAIR-19", *severity, text, Some(a), Some(b));
            }
        }
    }

    /// What counts for a whole device.
    pub(super) fn devices(&mut self) {
        let (a, b) = (&self.a.config, &self.b.config);
        if !a.vlans.is_empty() && !b.vlans.is_empty() && a.vlans != b.vlans {
            self.both("PAIR-20", Warning, "the VLANs differ", ("", "vlan batch"));
        }
        if a.multicast_ipv6 != b.multicast_ipv6 {
            let text = "`multicast ipv6 routing-enable` on one device only";
            let command = "multicast ipv6 routing-enable";
            self.both("PAIR-30", Error, text, ("", command));
        }
        let inert = |config: &Config| {
            let member = |i: &Interface| i.trunk.lacp_static && i.trunk.e_trunk.is_some();
            config.lacp_priority.is_some() && config.interfaces.iter().any(member)
        };
        let (a, b) = (inert(a), inert(b));
        if a || b {
            let text = "`lacp priority` is inert: in an E-Trunk `lacp e-trunk priority` counts";
            let spot = ("", "lacp priority");
            self.add("PAIR-22", Note, text, a.then_some(spot), b.then_some(spot));
        }
    }
}

/// A parameter: what, the commands that set it, how bad a difference is, its value in words.
type Parameter = (
    &'static str,
    &'static [&'static str],
    Severity,
    fn(&Mld) -> String,
);

const MLD: &[Parameter] = &[
    ("enable", &["mld enable", "undo mld enable"], Error, |mld| {
        mld.enable.to_string()
    }),
    ("version", &["mld version"], Error, |mld| {
        mld.version.to_string()
    }),
    (
        "query interval (ms)",
        &["mld timer query", "tandem mld-query-interval"],
        Error,
        |mld| mld.query_interval.as_millis().to_string(),
    ),
    (
        "maximum response time (ms)",
        &["mld max-response-time"],
        Error,
        |mld| mld.max_response_time.as_millis().to_string(),
    ),
    (
        "robustness",
        &["mld robust-count", "tandem mld-robustness"],
        Error,
        |mld| mld.robust_count.to_string(),
    ),
    (
        "last listener query interval (ms)",
        &[
            "mld lastlistener-queryinterval",
            "tandem mld-last-listener-query-interval",
        ],
        Error,
        |mld| mld.last_listener_query_interval.as_millis().to_string(),
    ),
    (
        "last listener query count",
        &["tandem mld-last-listener-query-count"],
        Error,
        |mld| or_default(mld.last_listener_query_count.map(u32::from)),
    ),
    ("profile", &["tandem mld-profile"], Error, |mld| {
        if mld.rfc9777 { "rfc9777" } else { "rfc3810" }.to_owned()
    }),
    (
        "version 1 compatibility",
        &["tandem mld-compatibility"],
        Error,
        |mld| mld.compatibility.to_string(),
    ),
    (
        "requirement of Router Alert",
        &["mld require-router-alert", "undo mld require-router-alert"],
        Warning,
        |mld| mld.require_router_alert.to_string(),
    ),
    ("limit of groups", &["mld limit"], Warning, |mld| {
        or_default(mld.limit)
    }),
    (
        "limit of sources",
        &["tandem mld-source-limit"],
        Warning,
        |mld| or_default(mld.source_limit),
    ),
    (
        "report limit",
        &["tandem mld-report-limit"],
        Warning,
        |mld| or_default(mld.report_limit),
    ),
    (
        "static groups",
        &[
            "mld static-group",
            "mld static-group source",
            "mld static-group inc-step-mask number",
            "mld static-group inc-step-mask number source",
        ],
        Warning,
        |mld| {
            let mut groups = mld.static_groups.clone();
            groups.sort_unstable();
            let shown = |(group, source): &(std::net::Ipv6Addr, Option<_>)| {
                let source = source.map_or("*".to_owned(), upper);
                format!("({source}, {})", upper(*group))
            };
            let groups: Vec<String> = groups.iter().map(shown).collect();
            format!("[{}]", groups.join(" "))
        },
    ),
];

fn or_default(value: Option<u32>) -> String {
    value.map_or("default".to_owned(), |value| value.to_string())
}

fn system_id(config: &Config, interface: &Interface) -> Option<MacAddr> {
    (interface.trunk.lacp_system_id).or(config.lacp_e_trunk_system_id)
}

fn system_priority(config: &Config, interface: &Interface) -> u16 {
    (interface.trunk.lacp_system_priority)
        .or(config.lacp_e_trunk_priority)
        .unwrap_or(32768)
}

fn sorted(interface: &Interface) -> Vec<(std::net::Ipv6Addr, u8)> {
    let mut addresses = interface.addresses.clone();
    addresses.sort_unstable();
    addresses
}

fn network((address, length): &(std::net::Ipv6Addr, u8)) -> (u128, u8) {
    let shift = 128_u32.saturating_sub(u32::from(*length));
    let mask = u128::MAX.checked_shl(shift).unwrap_or_default();
    (address.to_bits() & mask, *length)
}

fn shown(addresses: &[(std::net::Ipv6Addr, u8)]) -> String {
    if addresses.is_empty() {
        return "none".to_owned();
    }
    let texts: Vec<String> = addresses
        .iter()
        .map(|(address, length)| format!("{}/{length}", upper(*address)))
        .collect();
    texts.join(" ")
}
