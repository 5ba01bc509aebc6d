//! A table as text: the state transition matrix and the figure in DOT.

use crate::Machine;
use std::fmt::Write;

/// The machine as a matrix of boxes left (rows) by boxes entered (columns), each cell the arcs'
/// numbers, followed by the arcs themselves: number, id, boxes, condition as printed.
#[must_use]
pub fn matrix<M: Machine>() -> String {
    let mut out = format!("{}\n\n", M::NAME);
    let names = || M::STATES.iter().map(|(_, name)| *name);
    let width = names()
        .map(str::len)
        .max()
        .unwrap_or(0)
        .max("(global)".len());
    let _ = write!(out, "{:width$}", "");
    for name in names() {
        let _ = write!(out, " | {name}");
    }
    out.push('\n');
    let rows = std::iter::once((None, "(global)"))
        .chain(M::STATES.iter().map(|(state, name)| (Some(*state), *name)));
    for (from, name) in rows {
        let _ = write!(out, "{name:width$}");
        for (to, column) in M::STATES {
            let cell = cell::<M>(from, *to);
            let _ = write!(out, " | {cell:<0$}", column.len());
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
    }
    out.push('\n');
    for (number, arc) in (1..).zip(M::ARCS) {
        let from = arc.from.map_or("(global)", M::name_of);
        let to = M::name_of(arc.to);
        let _ = writeln!(out, "{number:2} {} {from} -> {to}: {}", arc.id, arc.label);
    }
    out
}

fn cell<M: Machine>(from: Option<M::State>, to: M::State) -> String {
    let arcs = (1_u32..).zip(M::ARCS);
    let numbers = arcs.filter(|(_, arc)| arc.from == from && arc.to == to);
    let numbers: Vec<String> = numbers.map(|(number, _)| number.to_string()).collect();
    if numbers.is_empty() {
        "-".to_owned()
    } else {
        numbers.join(",")
    }
}

/// The machine's figure in the DOT language; global arcs come out of an invisible point each.
#[must_use]
pub fn dot<M: Machine>() -> String {
    let mut out = format!("digraph \"{}\" {{\n  node [shape=box];\n", M::NAME);
    for (_, name) in M::STATES {
        let _ = writeln!(out, "  {name};");
    }
    for (number, arc) in (1_u32..).zip(M::ARCS) {
        let to = M::name_of(arc.to);
        let from = arc.from.map_or_else(
            || {
                let _ = writeln!(out, "  global_{number} [shape=point];");
                format!("global_{number}")
            },
            |state| M::name_of(state).to_owned(),
        );
        let label = arc.label.replace('\\', "\\\\").replace('"', "\\\"");
        let _ = writeln!(out, "  {from} -> {to} [label=\"{}\\n{label}\"];", arc.id);
    }
    out.push_str("}\n");
    out
}
