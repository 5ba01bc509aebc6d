//! The commands of every view, as tables: a command's parts, what it does, whether it does.

mod backup;
mod e_trunk;
mod interface;
mod mld;
mod routing;
mod system;
mod trunk;

use crate::builder::{Builder, Outcome, View};
use crate::config::InterfaceKind;
use crate::grammar::{Args, Part};

/// Whether a command does anything in this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It does.
    Now,
    /// It is kept and does nothing, for this reason.
    NotYet(&'static str),
}

/// A command.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) parts: &'static [Part],
    pub(crate) run: fn(&mut Builder, &Args) -> Outcome,
    pub(crate) effect: Effect,
}

/// A command that has an effect.
const fn command(parts: &'static [Part], run: fn(&mut Builder, &Args) -> Outcome) -> Command {
    Command {
        parts,
        run,
        effect: Effect::Now,
    }
}

/// A command that is kept and has none yet.
const fn not_yet(
    parts: &'static [Part],
    run: fn(&mut Builder, &Args) -> Outcome,
    reason: &'static str,
) -> Command {
    Command {
        parts,
        run,
        effect: Effect::NotYet(reason),
    }
}

/// A view's name in messages, and its tables.
pub(crate) type Tables = (&'static str, &'static [&'static [Command]]);

const SYSTEM: Tables = ("system", &[system::COMMANDS]);
const E_TRUNK: Tables = ("e-trunk", &[e_trunk::COMMANDS]);
const RBS: Tables = ("remote-backup-service", &[backup::SERVICE]);
const RBP: Tables = ("remote-backup-profile", &[backup::PROFILE]);
const ISIS: Tables = ("isis", &[routing::ISIS]);
const PIM: Tables = ("pim-ipv6", &[routing::PIM]);
const GIGABIT_ETHERNET: Tables = (
    "GigabitEthernet interface",
    &[
        interface::COMMON,
        interface::LAYER_3,
        interface::LAYER_2,
        interface::PORT,
        mld::COMMANDS,
    ],
);
const ETH_TRUNK: Tables = (
    "Eth-Trunk interface",
    &[
        interface::COMMON,
        interface::LAYER_3,
        interface::LAYER_2,
        interface::PROFILE,
        trunk::COMMANDS,
        mld::COMMANDS,
    ],
);
const LOOP_BACK: Tables = (
    "LoopBack interface",
    &[interface::COMMON, interface::LAYER_3],
);
const NULL: Tables = ("NULL interface", &[]);

/// Every view.
pub(crate) const ALL: &[Tables] = &[
    SYSTEM,
    E_TRUNK,
    RBS,
    RBP,
    ISIS,
    PIM,
    GIGABIT_ETHERNET,
    ETH_TRUNK,
    LOOP_BACK,
    NULL,
];

/// The commands of a view.
pub(crate) const fn tables(view: &View) -> Tables {
    match view {
        View::System => SYSTEM,
        View::ETrunk(_) => E_TRUNK,
        View::Rbs(_) => RBS,
        View::Rbp(_) => RBP,
        View::Isis(_) => ISIS,
        View::PimIpv6 => PIM,
        View::Interface(_, InterfaceKind::GigabitEthernet) => GIGABIT_ETHERNET,
        View::Interface(_, InterfaceKind::EthTrunk(_)) => ETH_TRUNK,
        View::Interface(_, InterfaceKind::LoopBack(_)) => LOOP_BACK,
        View::Interface(_, InterfaceKind::Null) => NULL,
    }
}
