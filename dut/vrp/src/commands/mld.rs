//! MLD commands of the interface views; `tandem` commands reach what the vendor's can't.

use super::{Command, command};
use crate::builder::{Builder, Outcome, Problem};
use crate::grammar::Args;
use crate::grammar::Part::{Address, Group, Int, OneOf, Word};
use crate::interface_name::is_routed_group;
use std::net::Ipv6Addr;
use std::time::Duration;

/// Groups that one interface holds at most from `mld static-group`.
const STATIC_GROUPS: usize = 65_536;

pub(super) const COMMANDS: &[Command] = &[
    command(&[Word("mld"), Word("enable")], |b, _| {
        b.interface()?.mld.enable = true;
        Ok(())
    }),
    command(&[Word("undo"), Word("mld"), Word("enable")], |b, _| {
        b.interface()?.mld.enable = false;
        Ok(())
    }),
    command(
        &[Word("mld"), Word("version"), Int("version", 1, 2)],
        |b, args| {
            b.interface()?.mld.version = args.u8(0);
            Ok(())
        },
    ),
    command(
        &[
            Word("mld"),
            Word("timer"),
            Word("query"),
            Int("interval", 1, 18_000),
        ],
        |b, args| {
            b.interface()?.mld.query_interval = seconds(args);
            Ok(())
        },
    ),
    command(
        &[
            Word("mld"),
            Word("max-response-time"),
            Int("interval", 1, 125),
        ],
        |b, args| {
            b.interface()?.mld.max_response_time = seconds(args);
            Ok(())
        },
    ),
    command(
        &[Word("mld"), Word("robust-count"), Int("robust-value", 2, 5)],
        |b, args| {
            b.interface()?.mld.robust_count = args.u8(0);
            Ok(())
        },
    ),
    command(
        &[
            Word("mld"),
            Word("lastlistener-queryinterval"),
            Int("interval", 1, 25),
        ],
        |b, args| {
            b.interface()?.mld.last_listener_query_interval = seconds(args);
            Ok(())
        },
    ),
    command(&[Word("mld"), Word("require-router-alert")], |b, _| {
        b.interface()?.mld.require_router_alert = true;
        Ok(())
    }),
    command(
        &[Word("undo"), Word("mld"), Word("require-router-alert")],
        |b, _| {
            b.interface()?.mld.require_router_alert = false;
            Ok(())
        },
    ),
    command(
        &[Word("mld"), Word("limit"), Int("number", 1, 65_536)],
        |b, args| {
            b.interface()?.mld.limit = Some(args.int(0));
            Ok(())
        },
    ),
    command(
        &[
            Word("mld"),
            Word("static-group"),
            Group("ipv6-group-address"),
        ],
        |b, args| static_groups(b, args, 1, 128, None),
    ),
    command(
        &[
            Word("mld"),
            Word("static-group"),
            Group("ipv6-group-address"),
            Word("source"),
            Address("ipv6-source-address"),
        ],
        |b, args| static_groups(b, args, 1, 128, Some(args.address(1))),
    ),
    command(
        &[
            Word("mld"),
            Word("static-group"),
            Group("ipv6-group-address"),
            Word("inc-step-mask"),
            Int("ipv6-group-mask-length", 9, 128),
            Word("number"),
            Int("group-number", 2, 512),
        ],
        |b, args| static_groups(b, args, args.int(2), args.int(1), None),
    ),
    command(
        &[
            Word("mld"),
            Word("static-group"),
            Group("ipv6-group-address"),
            Word("inc-step-mask"),
            Int("ipv6-group-mask-length", 9, 128),
            Word("number"),
            Int("group-number", 2, 512),
            Word("source"),
            Address("ipv6-source-address"),
        ],
        |b, args| static_groups(b, args, args.int(2), args.int(1), Some(args.address(3))),
    ),
    command(
        &[
            Word("tandem"),
            Word("mld-query-interval"),
            Int("milliseconds", 1, 31_744_000),
        ],
        |b, args| {
            b.interface()?.mld.query_interval = milliseconds(args);
            Ok(())
        },
    ),
    command(
        &[
            Word("tandem"),
            Word("mld-robustness"),
            Int("robustness", 1, 255),
        ],
        |b, args| {
            b.interface()?.mld.robust_count = args.u8(0);
            Ok(())
        },
    ),
    command(
        &[
            Word("tandem"),
            Word("mld-last-listener-query-interval"),
            Int("milliseconds", 1, 8_387_584),
        ],
        |b, args| {
            b.interface()?.mld.last_listener_query_interval = milliseconds(args);
            Ok(())
        },
    ),
    command(
        &[
            Word("tandem"),
            Word("mld-last-listener-query-count"),
            Int("count", 1, 255),
        ],
        |b, args| {
            b.interface()?.mld.last_listener_query_count = Some(args.u8(0));
            Ok(())
        },
    ),
    command(
        &[
            Word("tandem"),
            Word("mld-source-limit"),
            Int("number", 1, 65_536),
        ],
        |b, args| {
            b.interface()?.mld.source_limit = Some(args.int(0));
            Ok(())
        },
    ),
    command(
        &[
            Word("tandem"),
            Word("mld-report-limit"),
            Int("number", 1, 1_000_000),
        ],
        |b, args| {
            b.interface()?.mld.report_limit = Some(args.int(0));
            Ok(())
        },
    ),
    command(
        &[
            Word("tandem"),
            Word("mld-profile"),
            OneOf(&["rfc3810", "rfc9777"]),
        ],
        |b, args| {
            b.interface()?.mld.rfc9777 = args.text(0) == "rfc9777";
            Ok(())
        },
    ),
    command(
        &[
            Word("tandem"),
            Word("mld-compatibility"),
            OneOf(&["enable", "disable"]),
        ],
        |b, args| {
            b.interface()?.mld.compatibility = args.text(0) == "enable";
            Ok(())
        },
    ),
];

fn seconds(args: &Args) -> Duration {
    Duration::from_secs(u64::from(args.int(0)))
}

fn milliseconds(args: &Args) -> Duration {
    Duration::from_millis(u64::from(args.int(0)))
}

/// `number` groups from the one given on, each one step after the one before: the step is the
/// lowest bit that a mask of this length covers, so 128 counts in ones.
fn static_groups(
    b: &mut Builder,
    args: &Args,
    number: u32,
    mask: u32,
    source: Option<Ipv6Addr>,
) -> Outcome {
    let first = args.address(0).to_bits();
    let step = 1_u128 << 128_u32.saturating_sub(mask).min(127);
    let mut groups = Vec::new();
    for index in 0..u128::from(number) {
        let group = step
            .checked_mul(index)
            .and_then(|offset| first.checked_add(offset))
            .map(Ipv6Addr::from_bits)
            .filter(|group| is_routed_group(*group));
        let Some(group) = group else {
            return Err(Problem::line(format!(
                "group {} of {number} is outside the multicast addresses that are routed",
                index + 1
            )));
        };
        groups.push((group, source));
    }
    let known = &mut b.interface()?.mld.static_groups;
    groups.retain(|group| !known.contains(group));
    if known.len() + groups.len() > STATIC_GROUPS {
        return Err(Problem::line(format!(
            "an interface has at most {STATIC_GROUPS} static groups"
        )));
    }
    known.append(&mut groups);
    Ok(())
}
