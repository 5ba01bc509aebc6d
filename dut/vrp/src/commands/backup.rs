//! Commands of the remote-backup-service and the remote-backup-profile views.

use super::{Command, command};
use crate::builder::{Outcome, Problem, Target};
use crate::config::PeerBackup;
use crate::diagnostic::NoticeKind;
use crate::grammar::Args;
use crate::grammar::Part::{Address, Int, Name, OneOf, Word};

pub(super) const SERVICE: &[Command] = &[
    command(
        &[
            Word("peer-ipv6"),
            Address("peer-ipv6-address"),
            Word("source-ipv6"),
            Address("source-ipv6-address"),
            Word("port"),
            Int("port-number", 1024, 55535),
        ],
        |b, args| {
            let (peer, source) = (args.address(0), args.address(1));
            if peer == source {
                return Err(Problem::at(1, "peer and source are the same address"));
            }
            b.rbs()?.endpoint = Some((peer, source, args.u16(2)));
            Ok(())
        },
    ),
    command(&[Word("shutdown")], |b, _| {
        b.rbs()?.shutdown = true;
        Ok(())
    }),
    command(&[Word("undo"), Word("shutdown")], |b, _| {
        b.rbs()?.shutdown = false;
        Ok(())
    }),
];

pub(super) const PROFILE: &[Command] = &[
    command(&[Word("service-type"), OneOf(&["mld"])], |b, _| {
        b.rbp()?.mld = true;
        Ok(())
    }),
    command(
        &[
            Word("backup-id"),
            Int("backup-id", 1, 4095),
            Word("remote-backup-service"),
            Name("service-name", 32),
        ],
        |b, args| {
            b.rbp()?.backup_id = Some((args.u16(0), args.text(1).to_owned()));
            b.refer(Target::Rbs(args.text(1).to_owned()), args, 1);
            Ok(())
        },
    ),
    command(
        &[Word("peer-backup"), OneOf(&["hot", "warm", "virtual"])],
        peer_backup,
    ),
    command(
        &[
            Word("e-trunk"),
            Int("e-trunk-id", 1, 128),
            Word("eth-trunk"),
            Int("eth-trunk-id", 0, 511),
        ],
        |b, args| {
            b.rbp()?.track = Some((args.u16(0), args.u16(1)));
            b.refer(Target::ETrunk(args.u16(0)), args, 0);
            b.refer(Target::EthTrunk(args.u16(1)), args, 1);
            Ok(())
        },
    ),
];

fn peer_backup(b: &mut crate::builder::Builder, args: &Args) -> Outcome {
    let (mode, reason) = match args.text(0) {
        "warm" => (PeerBackup::Warm, "no service supports warm backup"),
        "virtual" => (PeerBackup::Virtual, "virtual backup is for BRAS services"),
        _ => (PeerBackup::Hot, ""),
    };
    b.rbp()?.peer_backup = mode;
    if mode != PeerBackup::Hot {
        b.notice(NoticeKind::NoEffectYet, reason);
    }
    Ok(())
}
