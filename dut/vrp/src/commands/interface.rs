//! Commands of the interface views that aren't an Eth-Trunk's own or MLD's.

use super::{Command, command, not_yet};
use crate::builder::{Builder, Outcome, Target};
use crate::grammar::Args;
use crate::grammar::Part::{Address, AddressLength, Int, Name, OneOf, Word};

pub(super) const COMMON: &[Command] = &[
    command(&[Word("shutdown")], |b, _| {
        b.interface()?.shutdown = true;
        Ok(())
    }),
    command(&[Word("undo"), Word("shutdown")], |b, _| {
        b.interface()?.shutdown = false;
        Ok(())
    }),
];

pub(super) const LAYER_3: &[Command] = &[
    command(&[Word("ipv6"), Word("enable")], |b, _| {
        b.interface()?.ipv6 = true;
        Ok(())
    }),
    command(
        &[Word("ipv6"), Word("address"), AddressLength],
        ipv6_address,
    ),
    command(
        &[
            Word("ipv6"),
            Word("address"),
            Address("ipv6-address"),
            Int("prefix-length", 1, 128),
        ],
        ipv6_address,
    ),
    not_yet(
        &[Word("pim"), Word("ipv6"), Word("sm")],
        |b, _| {
            b.interface()?.pim_sm = true;
            Ok(())
        },
        "PIM isn't built: joins come from `mld static-group`",
    ),
    not_yet(
        &[
            Word("isis"),
            Word("ipv6"),
            Word("enable"),
            Int("process-id", 1, 65535),
        ],
        |b, args| {
            b.interface()?.isis = Some(args.u16(0));
            b.refer(Target::Isis(args.u16(0)), args, 0);
            Ok(())
        },
        "IS-IS isn't built: routes come from `ipv6 route-static`",
    ),
];

fn ipv6_address(b: &mut Builder, args: &Args) -> Outcome {
    let length = if args.length(0) == 0 {
        args.length(1)
    } else {
        args.length(0)
    };
    let address = (args.address(0), length);
    let interface = b.interface()?;
    // A second length for an address replaces the first.
    interface.addresses.retain(|(known, _)| *known != address.0);
    interface.addresses.push(address);
    Ok(())
}

pub(super) const LAYER_2: &[Command] = &[
    command(&[Word("portswitch")], |b, _| {
        b.interface()?.portswitch = true;
        Ok(())
    }),
    command(&[Word("undo"), Word("portswitch")], |b, _| {
        b.interface()?.portswitch = false;
        Ok(())
    }),
    command(
        &[Word("port"), Word("link-type"), OneOf(&["access"])],
        |b, _| b.interface().map(|_| ()),
    ),
    command(
        &[
            Word("port"),
            Word("default"),
            Word("vlan"),
            Int("vlan-id", 1, 4094),
        ],
        |b, args| {
            b.interface()?.access_vlan = Some(args.u16(0));
            b.refer(Target::Vlan(args.u16(0)), args, 0);
            Ok(())
        },
    ),
];

pub(super) const PORT: &[Command] = &[
    command(&[Word("eth-trunk"), Int("trunk-id", 0, 511)], |b, args| {
        b.interface()?.eth_trunk = Some(args.u16(0));
        b.refer(Target::EthTrunk(args.u16(0)), args, 0);
        Ok(())
    }),
    command(
        &[Word("lacp"), Word("priority"), Int("priority", 0, 65535)],
        |b, args| {
            b.interface()?.lacp_port_priority = args.u16(0);
            Ok(())
        },
    ),
    command(
        &[
            Word("tandem"),
            Word("lacp-activity"),
            OneOf(&["active", "passive"]),
        ],
        |b, args| {
            b.interface()?.lacp_passive = args.text(0) == "passive";
            Ok(())
        },
    ),
    command(
        &[
            Word("tandem"),
            Word("lacp-aggregation"),
            OneOf(&["aggregatable", "individual"]),
        ],
        |b, args| {
            b.interface()?.lacp_individual = args.text(0) == "individual";
            Ok(())
        },
    ),
];

pub(super) const PROFILE: &[Command] = &[command(
    &[Word("remote-backup-profile"), Name("profile-name", 128)],
    |b, args| {
        b.interface()?.rbp = Some(args.text(0).to_owned());
        b.refer(Target::Rbp(args.text(0).to_owned()), args, 0);
        Ok(())
    },
)];
