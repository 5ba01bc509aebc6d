//! Commands of the IS-IS and the pim-ipv6 views: known, kept, without effect.

use super::{Command, not_yet};
use crate::grammar::Part::{Address, Name, Word};

const NO_ISIS: &str = "IS-IS isn't built: routes come from `ipv6 route-static`";

pub(super) const ISIS: &[Command] = &[
    not_yet(
        &[Word("network-entity"), Name("network-entity", 59)],
        |b, args| {
            b.isis()?.network_entity = Some(args.text(0).to_owned());
            Ok(())
        },
        NO_ISIS,
    ),
    not_yet(
        &[Word("ipv6"), Word("enable"), Word("topology"), Word("ipv6")],
        |b, _| {
            b.isis()?.ipv6_topology = true;
            Ok(())
        },
        NO_ISIS,
    ),
];

pub(super) const PIM: &[Command] = &[not_yet(
    &[Word("static-rp"), Address("rp-address")],
    |b, args| {
        let rp = args.address(0);
        if !b.config.static_rps.contains(&rp) {
            b.config.static_rps.push(rp);
        }
        Ok(())
    },
    "PIM isn't built: joins come from `mld static-group`",
)];
