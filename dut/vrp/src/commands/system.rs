//! Commands of the system view.

use super::{Command, command, not_yet};
use crate::builder::{Builder, Outcome, Problem, Target, View};
use crate::config::{Interface, InterfaceKind, PeerBackup, Rbp, Rbs, Route};
use crate::grammar::Args;
use crate::grammar::Part::{
    Address, Int, Interface as Name, Mac, Name as Text, Prefix, Vlans, Word,
};
use dut_device::MacAddr;
use std::net::Ipv6Addr;

pub(super) const COMMANDS: &[Command] = &[
    command(&[Word("sysname"), Text("host-name", 246)], |b, args| {
        b.config.sysname = args.text(0).to_owned();
        Ok(())
    }),
    command(
        &[Word("multicast"), Word("ipv6"), Word("routing-enable")],
        |b, _| {
            b.config.multicast_ipv6 = true;
            Ok(())
        },
    ),
    command(&[Word("vlan"), Word("batch"), Vlans], |b, args| {
        b.config.vlans.extend(args.vlans(0));
        Ok(())
    }),
    command(&[Word("e-trunk"), Int("e-trunk-id", 1, 128)], e_trunk),
    command(
        &[
            Word("e-trunk"),
            Word("ipv6"),
            Word("port"),
            Int("port-number", 1025, 65535),
        ],
        |b, args| {
            b.e_trunk_port = Some(args.u16(0));
            Ok(())
        },
    ),
    command(
        &[Word("lacp"), Word("priority"), Int("priority", 0, 65535)],
        |b, args| {
            b.config.lacp_priority = Some(args.u16(0));
            Ok(())
        },
    ),
    command(
        &[
            Word("lacp"),
            Word("e-trunk"),
            Word("priority"),
            Int("priority", 0, 65535),
        ],
        |b, args| {
            b.config.lacp_e_trunk_priority = Some(args.u16(0));
            Ok(())
        },
    ),
    command(
        &[Word("lacp"), Word("e-trunk"), Word("system-id"), Mac],
        |b, args| {
            b.config.lacp_e_trunk_system_id = system_id(args)?;
            Ok(())
        },
    ),
    command(
        &[Word("remote-backup-service"), Text("service-name", 32)],
        service,
    ),
    command(
        &[Word("remote-backup-profile"), Text("profile-name", 128)],
        profile,
    ),
    not_yet(
        &[Word("isis"), Int("process-id", 1, 65535)],
        isis,
        "IS-IS isn't built: routes come from `ipv6 route-static`",
    ),
    command(&[Word("interface"), Name], interface),
    not_yet(
        &[Word("pim-ipv6")],
        |b, _| {
            b.open(View::PimIpv6);
            Ok(())
        },
        "PIM isn't built: joins come from `mld static-group`",
    ),
    command(
        &[
            Word("ipv6"),
            Word("route-static"),
            Prefix,
            Int("prefix-length", 0, 128),
            Address("nexthop-ipv6-address"),
        ],
        |b, args| route(b, args, None, 2),
    ),
    command(
        &[
            Word("ipv6"),
            Word("route-static"),
            Prefix,
            Int("prefix-length", 0, 128),
            Name,
            Address("nexthop-ipv6-address"),
        ],
        |b, args| route(b, args, Some(args.text(2).to_owned()), 3),
    ),
];

/// The MAC address of `lacp e-trunk system-id`: all ones is the default, zero and group addresses
/// aren't allowed.
pub(super) fn system_id(args: &Args) -> Result<Option<MacAddr>, Problem> {
    let mac = args.mac(0);
    if mac == MacAddr([0xff; 6]) {
        return Ok(None);
    }
    if mac == MacAddr::ZERO || mac.is_group() {
        return Err(Problem::at(
            0,
            format!(
                "{} is no system ID: it is an individual address",
                mac.to_vrp()
            ),
        ));
    }
    Ok(Some(mac))
}

fn e_trunk(b: &mut Builder, args: &Args) -> Outcome {
    let id = args.u16(0);
    b.config.e_trunks.entry(id).or_default();
    b.open(View::ETrunk(id));
    Ok(())
}

fn service(b: &mut Builder, args: &Args) -> Outcome {
    let name = args.text(0);
    if !name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
    {
        return Err(Problem::at(
            0,
            format!("`{name}`: a service's name has letters, digits, `_`, `-` and `.`"),
        ));
    }
    let known = |rbs: &&Rbs| rbs.name.eq_ignore_ascii_case(name);
    let name = match b.config.rbs.iter().find(known) {
        Some(rbs) => rbs.name.clone(),
        None => {
            b.config.rbs.push(Rbs {
                name: name.to_owned(),
                ..Rbs::default()
            });
            name.to_owned()
        }
    };
    b.open(View::Rbs(name));
    Ok(())
}

fn profile(b: &mut Builder, args: &Args) -> Outcome {
    let name = args.text(0).to_owned();
    if !b.config.rbp.iter().any(|rbp| rbp.name == name) {
        b.config.rbp.push(Rbp {
            name: name.clone(),
            mld: false,
            backup_id: None,
            peer_backup: PeerBackup::Hot,
            track: None,
        });
    }
    b.open(View::Rbp(name));
    Ok(())
}

fn isis(b: &mut Builder, args: &Args) -> Outcome {
    let id = args.u16(0);
    b.config.isis.entry(id).or_default();
    b.open(View::Isis(id));
    Ok(())
}

fn interface(b: &mut Builder, args: &Args) -> Outcome {
    let (name, kind): (&str, InterfaceKind) = (args.text(0), args.kind(0));
    if !b.config.interfaces.iter().any(|i| i.name == name) {
        b.config.interfaces.push(Interface::new(name, kind));
    }
    b.open(View::Interface(name.to_owned(), kind));
    Ok(())
}

fn route(b: &mut Builder, args: &Args, interface: Option<String>, next_hop: usize) -> Outcome {
    let (prefix, length) = (args.address(0), args.length(1));
    let mask = u128::MAX
        .checked_shl(128 - u32::from(length))
        .unwrap_or_default();
    let network = Ipv6Addr::from_bits(prefix.to_bits() & mask);
    if network != prefix {
        return Err(Problem::at(
            0,
            format!("{} has bits beyond its length {length}", upper(prefix)),
        )
        .accepted(&[&format!("{} {length}", upper(network))]));
    }
    if prefix.is_multicast() {
        return Err(Problem::at(0, "a static route leads to a unicast prefix"));
    }
    if let Some(name) = &interface {
        b.refer(Target::Interface(name.clone()), args, 2);
    }
    let route = Route {
        prefix,
        length,
        interface,
        next_hop: args.address(next_hop),
    };
    if !b.config.routes.contains(&route) {
        b.config.routes.push(route);
    }
    Ok(())
}

fn upper(address: Ipv6Addr) -> String {
    address.to_string().to_uppercase()
}
