//! Mux machine (IEEE 802.1AX-2014 6.4.15), with independent and with coupled control, and what
//! entering a box does; the machine of 802.1AX-2020 is in [`crate::combined_mux`].
//!
//! Attach_Mux_To_Aggregator and its siblings take no time here: the box itself says whether the
//! port is attached, and the Actor's flags are what the Frame Collector and Distributor go by.

use crate::combined_mux::{self, CombinedMux};
use crate::config::MuxControl;
use crate::event::LacpEvent;
use crate::port::Context;
use crate::selection::Selected;
use dut_fsm::{Arc, Machine};
use dut_wire::lacp::State;

/// Boxes of all Mux machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MuxState {
    /// DETACHED.
    Detached,
    /// WAITING.
    Waiting,
    /// ATTACHED.
    Attached,
    /// COLLECTING, with independent control.
    Collecting,
    /// DISTRIBUTING, with independent control.
    Distributing,
    /// COLLECTING_DISTRIBUTING, with coupled control.
    CollectingDistributing,
    /// ATTACH of the combined machine.
    Attach,
    /// ATTACHED_WTR of the combined machine.
    AttachedWtr,
    /// COLL_DIST of the combined machine.
    CollDist,
}

/// Variables that the conditions read.
#[derive(Debug, Clone, Copy)]
pub struct MuxVars {
    /// BEGIN.
    pub begin: bool,
    /// Selected.
    pub selected: Selected,
    /// Ready of the port's Aggregator.
    pub ready: bool,
    /// Partner_Oper_Port_State.Synchronization.
    pub partner_synchronization: bool,
    /// Partner_Oper_Port_State.Collecting; coupled control doesn't read it.
    pub partner_collecting: bool,
}

/// The Mux machine with independent control.
#[derive(Debug)]
pub struct IndependentMux;

/// The Mux machine with coupled control.
#[derive(Debug)]
pub struct CoupledMux;

use MuxState::{
    Attach, Attached, AttachedWtr, CollDist, Collecting, CollectingDistributing, Detached,
    Distributing, Waiting,
};
use Selected::{Standby, Unselected};

const NAME: &str = "Mux machine";

const fn chosen(v: &MuxVars) -> bool {
    matches!(v.selected, Selected::Selected)
}

impl Machine for IndependentMux {
    type State = MuxState;
    type Vars = MuxVars;
    const NAME: &'static str = NAME;
    const STATES: &'static [(MuxState, &'static str)] = &[
        (Detached, "DETACHED"),
        (Waiting, "WAITING"),
        (Attached, "ATTACHED"),
        (Collecting, "COLLECTING"),
        (Distributing, "DISTRIBUTING"),
    ];
    //= LACP-069
    //= LACP-112
    //= LACP-113
    //= LACP-114
    //= LACP-116
    //= LACP-117
    #[rustfmt::skip]
    const ARCS: &'static [Arc<MuxState, MuxVars>] = &[
        Arc { id: "LACP-MUX-01", from: None, to: Detached,
              label: "BEGIN = TRUE", when: |v| v.begin },
        Arc { id: "LACP-MUX-02", from: Some(Detached), to: Waiting,
              label: "(Selected = SELECTED) OR (Selected = STANDBY)",
              when: |v| v.selected != Unselected },
        Arc { id: "LACP-MUX-03", from: Some(Waiting), to: Detached,
              label: "Selected = UNSELECTED", when: |v| v.selected == Unselected },
        Arc { id: "LACP-MUX-04", from: Some(Waiting), to: Attached,
              label: "(Selected = SELECTED) AND (Ready = TRUE)", when: |v| chosen(v) && v.ready },
        Arc { id: "LACP-MUX-05", from: Some(Attached), to: Detached,
              label: "(Selected = UNSELECTED) OR (Selected = STANDBY)",
              when: |v| v.selected == Unselected || v.selected == Standby },
        Arc { id: "LACP-MUX-06", from: Some(Attached), to: Collecting,
              label: "(Selected = SELECTED) AND (Partner.Sync = TRUE)",
              when: |v| chosen(v) && v.partner_synchronization },
        Arc { id: "LACP-MUX-07", from: Some(Collecting), to: Distributing,
              label: "(Selected = SELECTED) AND (Partner.Sync = TRUE) AND (Partner.Collecting = \
                      TRUE)",
              when: |v| chosen(v) && v.partner_synchronization && v.partner_collecting },
        Arc { id: "LACP-MUX-08", from: Some(Collecting), to: Attached,
              label: "(Selected = UNSELECTED) OR (Selected = STANDBY) OR (Partner.Sync = FALSE)",
              when: |v| !chosen(v) || !v.partner_synchronization },
        Arc { id: "LACP-MUX-09", from: Some(Distributing), to: Collecting,
              label: "(Selected = UNSELECTED) OR (Selected = STANDBY) OR (Partner.Sync = FALSE) OR \
                      (Partner.Collecting = FALSE)",
              when: |v| !chosen(v) || !v.partner_synchronization || !v.partner_collecting },
    ];
}

impl Machine for CoupledMux {
    type State = MuxState;
    type Vars = MuxVars;
    const NAME: &'static str = NAME;
    const STATES: &'static [(MuxState, &'static str)] = &[
        (Detached, "DETACHED"),
        (Waiting, "WAITING"),
        (Attached, "ATTACHED"),
        (CollectingDistributing, "COLLECTING_DISTRIBUTING"),
    ];
    //= LACP-115
    #[rustfmt::skip]
    const ARCS: &'static [Arc<MuxState, MuxVars>] = &[
        Arc { id: "LACP-MUXC-01", from: None, to: Detached,
              label: "BEGIN = TRUE", when: |v| v.begin },
        Arc { id: "LACP-MUXC-02", from: Some(Detached), to: Waiting,
              label: "(Selected = SELECTED) OR (Selected = STANDBY)",
              when: |v| v.selected != Unselected },
        Arc { id: "LACP-MUXC-03", from: Some(Waiting), to: Detached,
              label: "Selected = UNSELECTED", when: |v| v.selected == Unselected },
        Arc { id: "LACP-MUXC-04", from: Some(Waiting), to: Attached,
              label: "(Selected = SELECTED) AND (Ready = TRUE)", when: |v| chosen(v) && v.ready },
        Arc { id: "LACP-MUXC-05", from: Some(Attached), to: Detached,
              label: "(Selected = UNSELECTED) OR (Selected = STANDBY)",
              when: |v| v.selected == Unselected || v.selected == Standby },
        Arc { id: "LACP-MUXC-06", from: Some(Attached), to: CollectingDistributing,
              label: "(Selected = SELECTED) AND (Partner.Sync = TRUE)",
              when: |v| chosen(v) && v.partner_synchronization },
        Arc { id: "LACP-MUXC-07", from: Some(CollectingDistributing), to: Attached,
              label: "(Selected = UNSELECTED) OR (Selected = STANDBY) OR (Partner.Sync = FALSE)",
              when: |v| !chosen(v) || !v.partner_synchronization },
    ];
}

fn read(c: &Context<'_>) -> (MuxState, MuxVars) {
    let port = &c.port;
    let vars = MuxVars {
        begin: false,
        selected: port.selected,
        ready: port.ready,
        partner_synchronization: port.partner.state.has(State::SYNCHRONIZATION),
        partner_collecting: port.partner.state.has(State::COLLECTING),
    };
    (port.mux, vars)
}

/// The table with independent or coupled control; the combined machine has its own.
fn table<'a>(c: &Context<'a>) -> &'a [Arc<MuxState, MuxVars>] {
    if c.mux == MuxControl::Independent {
        &c.rules.mux_independent
    } else {
        &c.rules.mux_coupled
    }
}

/// (Re)initialises the machine: BEGIN.
pub(crate) fn begin(c: &mut Context<'_>) {
    if c.mux.combined() {
        return combined_mux::begin(c);
    }
    let vars = MuxVars {
        begin: true,
        ..read(c).1
    };
    if let Some(arc) = dut_fsm::begin(table(c), &vars) {
        take(c, arc);
    }
}

/// Runs the machine to rest; whether it moved.
pub(crate) fn run(c: &mut Context<'_>) -> bool {
    if c.mux.combined() {
        return combined_mux::run(c);
    }
    dut_fsm::settle(table(c), c, read, take).taken > 0
}

/// The standard's spelling of a box of any machine.
pub(crate) fn name(state: MuxState) -> &'static str {
    match state {
        CollectingDistributing => CoupledMux::name_of(state),
        Attach | AttachedWtr | CollDist => CombinedMux::name_of(state),
        Detached | Waiting | Attached | Collecting | Distributing => IndependentMux::name_of(state),
    }
}

//= LACP-025
//= LACP-092
//= LACP-119
fn take(c: &mut Context<'_>, arc: &Arc<MuxState, MuxVars>) {
    let from = std::mem::replace(&mut c.port.mux, arc.to);
    if c.mux == MuxControl::Independent {
        c.transition::<IndependentMux>(from, arc);
    } else {
        c.transition::<CoupledMux>(from, arc);
    }
    enter(c, arc.to);
    if (c.rules.policy.mux_ntt)(arc.to) {
        c.port.ntt = true;
    }
}

/// What entering a box does, but for NTT.
pub(crate) fn enter(c: &mut Context<'_>, to: MuxState) {
    let port = &mut *c.port;
    port.wait_while_timer.stop();
    port.ready = false;
    port.waited_while_held = false;
    match to {
        Detached => {
            port.actor.state.set(State::SYNCHRONIZATION, false);
            distributing(c, false);
            collecting(c, false);
        }
        //= LACP-120
        Waiting => {
            port.wait_while_timer
                .start(c.now, c.rules.constants.aggregate_wait_time);
        }
        Attached => {
            port.actor.state.set(State::SYNCHRONIZATION, true);
            distributing(c, false);
            collecting(c, false);
        }
        Collecting => {
            c.port.actor.state.set(State::SYNCHRONIZATION, true);
            collecting(c, true);
            distributing(c, false);
        }
        Distributing => distributing(c, true),
        CollectingDistributing | CollDist => {
            // The combined machine comes here from ATTACH and sets all three flags.
            c.port.actor.state.set(State::SYNCHRONIZATION, true);
            collecting(c, true);
            distributing(c, true);
        }
        Attach => {}
        AttachedWtr => {
            port.actor.state.set(State::SYNCHRONIZATION, false);
            distributing(c, false);
            collecting(c, false);
        }
    }
}

fn collecting(c: &mut Context<'_>, on: bool) {
    if c.port.actor.state.has(State::COLLECTING) != on {
        c.port.actor.state.set(State::COLLECTING, on);
        c.out.events.push_back(LacpEvent::Collecting {
            port: c.port.id,
            on,
        });
    }
}

fn distributing(c: &mut Context<'_>, on: bool) {
    if c.port.actor.state.has(State::DISTRIBUTING) != on {
        c.port.actor.state.set(State::DISTRIBUTING, on);
        c.out.events.push_back(LacpEvent::Distributing {
            port: c.port.id,
            on,
        });
    }
}
