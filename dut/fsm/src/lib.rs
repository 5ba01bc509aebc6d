//! Arc tables: evaluation, matrix and DOT printing.
//!
//! A machine of boxes and arcs (IEEE 802.1AX clause 6.4) is a constant table, one line an arc, in
//! the figure's order. Conditions are pure functions of the variables that they read; timers only
//! set flags among those. Entering a box runs its actions, also when it is left for itself.

mod analyse;
mod print;

pub use analyse::{Overlap, overlaps, reachable};
pub use print::{dot, matrix};

use std::fmt::Debug;

/// Arcs that one machine may take on one stimulus: no table of 802.1AX needs as many as it has
/// boxes twice over, so that reaching this is an error of the table.
pub const SETTLE_BOUND: usize = 32;

/// One arc of a machine.
#[derive(Debug, Clone, Copy)]
pub struct Arc<S, V> {
    /// Permanent id, as `LACP-RX-07`.
    pub id: &'static str,
    /// The box that it leaves; `None` is a global arc (the figure's open-ended arrow).
    pub from: Option<S>,
    /// The box that it enters.
    pub to: S,
    /// The condition as the standard prints it; `UCT` is unconditional.
    pub label: &'static str,
    /// The condition.
    pub when: fn(&V) -> bool,
}

/// A machine as its figure draws it.
pub trait Machine {
    /// Its boxes.
    type State: Copy + Eq + Debug + 'static;
    /// Exactly the variables that the conditions read.
    type Vars: 'static;
    /// The machine's name in the standard.
    const NAME: &'static str;
    /// Boxes in the figure's order, with the standard's spelling.
    const STATES: &'static [(Self::State, &'static str)];
    /// Arcs in the figure's order.
    const ARCS: &'static [Arc<Self::State, Self::Vars>];

    /// The standard's spelling of a box; empty when the figure has no such box.
    #[must_use]
    fn name_of(state: Self::State) -> &'static str {
        let named = Self::STATES.iter().find(|(other, _)| *other == state);
        named.map_or("", |(_, name)| name)
    }
}

/// What the table says of a state under given variables.
#[derive(Debug, Clone, Copy)]
pub enum Step<'a, S, V> {
    /// This arc is taken.
    Take(&'a Arc<S, V>),
    /// This global arc's condition is true and its target is the state: nothing else can happen.
    Held(&'a Arc<S, V>),
    /// No condition is true.
    Rest,
}

/// Evaluates a table: globals first, then the state's own arcs, both in table order.
///
/// A true global condition holds the machine in its target: an unconditional arc out of
/// INITIALIZE must not fight BEGIN.
pub fn step<'a, S: Copy + Eq, V>(arcs: &'a [Arc<S, V>], state: S, vars: &V) -> Step<'a, S, V> {
    let mut own = None;
    for arc in arcs {
        match arc.from {
            None if (arc.when)(vars) => {
                return if arc.to == state {
                    Step::Held(arc)
                } else {
                    Step::Take(arc)
                };
            }
            Some(from) if own.is_none() && from == state && (arc.when)(vars) => own = Some(arc),
            None | Some(_) => {}
        }
    }
    own.map_or(Step::Rest, Step::Take)
}

/// The global arc that (re)initialises a machine: the first whose condition is true.
/// Unlike [`step`] it is to be taken even when the machine is in its target.
pub fn begin<'a, S, V>(arcs: &'a [Arc<S, V>], vars: &V) -> Option<&'a Arc<S, V>> {
    arcs.iter()
        .find(|arc| arc.from.is_none() && (arc.when)(vars))
}

/// How a machine came to rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// Arcs taken.
    pub taken: usize,
    /// Whether a global condition holds it where it is.
    pub held: bool,
}

/// Takes arcs until none can be taken.
///
/// `read` gives the machine's state and variables out of `context`; `take` sets the state and runs
/// the entered box's actions. More than [`SETTLE_BOUND`] arcs are an error of the table, which is
/// asserted; without assertions the machine stays where it is then.
pub fn settle<S: Copy + Eq, V, C>(
    arcs: &[Arc<S, V>],
    context: &mut C,
    read: impl Fn(&C) -> (S, V),
    mut take: impl FnMut(&mut C, &Arc<S, V>),
) -> Settled {
    for taken in 0..SETTLE_BOUND {
        let (state, vars) = read(context);
        match step(arcs, state, &vars) {
            Step::Take(arc) => take(context, arc),
            Step::Held(_) => return Settled { taken, held: true },
            Step::Rest => return Settled { taken, held: false },
        }
    }
    debug_assert!(false, "a machine took {SETTLE_BOUND} arcs on one stimulus");
    Settled {
        taken: SETTLE_BOUND,
        held: false,
    }
}
