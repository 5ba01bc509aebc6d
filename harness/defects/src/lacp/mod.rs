//! LACP's defects, by the requirement that they break.

mod combined;
mod content;
mod data_plane;
mod frame;
pub(crate) mod frames;
mod hostile;
mod later;
mod marker;
mod mux;
mod parse;
mod periodic;
mod receive;
mod selection;
mod transmit;

use crate::Defect;
use dut_fsm::Arc;
use dut_lacp::Table;
use std::borrow::Cow;

/// A table without one arc.
fn without<S: Clone, V: Clone>(table: &mut Table<S, V>, id: &str) {
    let kept: Vec<Arc<S, V>> = table.iter().filter(|arc| arc.id != id).cloned().collect();
    *table = Cow::Owned(kept);
}

/// Gives one arc another condition.
fn when<S: Clone, V: Clone>(table: &mut Table<S, V>, id: &str, condition: fn(&V) -> bool) {
    for arc in table.to_mut().iter_mut().filter(|arc| arc.id == id) {
        arc.when = condition;
    }
}

/// Lets one arc enter another box.
fn retarget<S: Clone, V: Clone>(table: &mut Table<S, V>, id: &str, to: &S) {
    for arc in table.to_mut().iter_mut().filter(|arc| arc.id == id) {
        arc.to = to.clone();
    }
}

/// LACP's defects.
pub(crate) fn defects() -> Vec<Defect> {
    [
        combined::DEFECTS,
        content::DEFECTS,
        data_plane::DEFECTS,
        frame::DEFECTS,
        hostile::DEFECTS,
        later::DEFECTS,
        marker::DEFECTS,
        mux::DEFECTS,
        parse::DEFECTS,
        periodic::DEFECTS,
        receive::DEFECTS,
        selection::DEFECTS,
        transmit::DEFECTS,
    ]
    .concat()
}
