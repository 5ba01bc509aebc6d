//! What can be said of a table by trying it on every value of its variables.

use crate::{Arc, Machine, Step, step};

/// Two arcs out of one box (or two global ones) that some variables enable together: their order in
/// the table decides between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overlap<S> {
    /// The box that both leave; `None` when both are global.
    pub from: Option<S>,
    /// Id of the arc that wins.
    pub first: &'static str,
    /// Id of the arc that loses.
    pub second: &'static str,
}

/// Every pair of arcs of one box that some of `all_vars` enable together, in table order.
///
/// Variables under which a global condition is true are left out for a box's own arcs: the global
/// arc is taken whatever they say.
pub fn overlaps<M: Machine>(all_vars: &[M::Vars]) -> Vec<Overlap<M::State>> {
    let mut found = Vec::new();
    for (at, first) in M::ARCS.iter().enumerate() {
        for second in M::ARCS.iter().skip(at + 1) {
            if first.from == second.from && together::<M>(first, second, all_vars) {
                let pair = Overlap {
                    from: first.from,
                    first: first.id,
                    second: second.id,
                };
                found.push(pair);
            }
        }
    }
    found
}

fn together<M: Machine>(
    first: &Arc<M::State, M::Vars>,
    second: &Arc<M::State, M::Vars>,
    all_vars: &[M::Vars],
) -> bool {
    let free = |vars: &M::Vars| {
        let mut globals = M::ARCS.iter().filter(|arc| arc.from.is_none());
        first.from.is_none() || !globals.any(|arc| (arc.when)(vars))
    };
    all_vars
        .iter()
        .any(|vars| free(vars) && (first.when)(vars) && (second.when)(vars))
}

/// The boxes that can be reached from `start` under some of `all_vars`, in figure order.
pub fn reachable<M: Machine>(start: M::State, all_vars: &[M::Vars]) -> Vec<M::State> {
    let mut seen = vec![start];
    let mut at = 0;
    while let Some(&state) = seen.get(at) {
        at += 1;
        for vars in all_vars {
            if let Step::Take(arc) = step(M::ARCS, state, vars)
                && !seen.contains(&arc.to)
            {
                seen.push(arc.to);
            }
        }
    }
    let in_order = M::STATES.iter().map(|(state, _)| *state);
    in_order.filter(|state| seen.contains(state)).collect()
}
