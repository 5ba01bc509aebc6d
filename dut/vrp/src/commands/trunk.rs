//! Commands that only an Eth-Trunk interface has.

use super::system::system_id;
use super::{Command, command};
use crate::builder::{Builder, Outcome, Problem, Target};
use crate::config::{Mux, WorkMode};
use crate::grammar::Args;
use crate::grammar::Part::{Int, Mac, OneOf, Word};

pub(super) const COMMANDS: &[Command] = &[
    command(&[Word("mode"), Word("lacp-static")], |b, _| mode(b, true)),
    command(
        &[Word("mode"), Word("manual"), Word("load-balance")],
        |b, _| mode(b, false),
    ),
    command(&[Word("e-trunk"), Int("e-trunk-id", 1, 128)], |b, args| {
        join(b, args, None)
    }),
    command(
        &[
            Word("e-trunk"),
            Int("e-trunk-id", 1, 128),
            Word("remote-eth-trunk"),
            Int("eth-trunk-id", 0, 511),
        ],
        |b, args| join(b, args, Some(args.u16(1))),
    ),
    command(
        &[
            Word("e-trunk"),
            Word("mode"),
            OneOf(&["auto", "force-master", "force-backup"]),
        ],
        |b, args| {
            b.interface()?.trunk.work_mode = match args.text(0) {
                "force-master" => WorkMode::ForceMaster,
                "force-backup" => WorkMode::ForceBackup,
                _ => WorkMode::Auto,
            };
            Ok(())
        },
    ),
    command(
        &[Word("lacp"), Word("e-trunk"), Word("system-id"), Mac],
        |b, args| {
            b.interface()?.trunk.lacp_system_id = system_id(args)?;
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
            b.interface()?.trunk.lacp_system_priority = Some(args.u16(0));
            Ok(())
        },
    ),
    command(
        &[Word("lacp"), Word("timeout"), OneOf(&["fast", "slow"])],
        |b, args| {
            b.interface()?.trunk.timeout_fast = args.text(0) == "fast";
            Ok(())
        },
    ),
    command(
        &[
            Word("max"),
            Word("active-linknumber"),
            Int("link-number", 1, 64),
        ],
        |b, args| {
            b.interface()?.trunk.max_active = args.u16(0);
            Ok(())
        },
    ),
    command(
        &[
            Word("least"),
            Word("active-linknumber"),
            Int("link-number", 1, 64),
        ],
        |b, args| {
            b.interface()?.trunk.least_active = args.u16(0);
            Ok(())
        },
    ),
    command(&[Word("lacp"), Word("preempt"), Word("enable")], |b, _| {
        b.interface()?.trunk.preempt_delay_s = Some(30);
        Ok(())
    }),
    command(
        &[
            Word("lacp"),
            Word("preempt"),
            Word("delay"),
            Int("delay-time", 0, 180),
        ],
        |b, args| {
            let name = b.interface()?.name.clone();
            b.preempt_delays.insert(name, args.int(0));
            Ok(())
        },
    ),
    command(
        &[
            Word("tandem"),
            Word("mux"),
            OneOf(&["coupled", "independent", "combined", "combined-coupled"]),
        ],
        |b, args| {
            b.interface()?.trunk.mux = match args.text(0) {
                "independent" => Mux::Independent,
                "combined" => Mux::Combined,
                "combined-coupled" => Mux::CombinedCoupled,
                _ => Mux::Coupled,
            };
            Ok(())
        },
    ),
    command(
        &[
            Word("tandem"),
            Word("wait-to-restore"),
            Int("seconds", 0, 32767),
        ],
        |b, args| {
            b.interface()?.trunk.wait_to_restore_s = args.u16(0);
            Ok(())
        },
    ),
    command(
        &[
            Word("tandem"),
            Word("ntt-on-expired"),
            OneOf(&["enable", "disable"]),
        ],
        |b, args| {
            b.interface()?.trunk.ntt_on_expired = args.text(0) == "enable";
            Ok(())
        },
    ),
    command(
        &[
            Word("tandem"),
            Word("protocol-da"),
            OneOf(&["0180-c200-0000", "0180-c200-0002", "0180-c200-0003"]),
        ],
        |b, args| {
            b.interface()?.trunk.protocol_da = match args.text(0) {
                "0180-c200-0000" => 0,
                "0180-c200-0003" => 3,
                _ => 2,
            };
            Ok(())
        },
    ),
];

/// The vendor lets the mode be set only while the Eth-Trunk is in no E-Trunk.
fn mode(b: &mut Builder, lacp_static: bool) -> Outcome {
    let trunk = &mut b.interface()?.trunk;
    if trunk.e_trunk.is_some() && trunk.lacp_static != lacp_static {
        return Err(Problem::line(
            "the mode can't be changed while the Eth-Trunk is in an E-Trunk: it goes before \
             `e-trunk`",
        ));
    }
    trunk.lacp_static = lacp_static;
    Ok(())
}

fn join(b: &mut Builder, args: &Args, remote: Option<u16>) -> Outcome {
    let id = args.u16(0);
    let trunk = &mut b.interface()?.trunk;
    if let Some((other, _)) = trunk.e_trunk
        && other != id
    {
        return Err(Problem::at(
            0,
            format!("the Eth-Trunk is in E-Trunk {other} already: it can be in one"),
        ));
    }
    trunk.e_trunk = Some((id, remote));
    b.refer(Target::ETrunk(id), args, 0);
    Ok(())
}
