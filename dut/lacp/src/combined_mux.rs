//! Combined Mux machine (IEEE 802.1AX-2020 6.4.13): one machine for independent and coupled
//! control, whose waits are the Selection Logic's, and which stays attached over a loss of the
//! link.
//!
//! All arcs but the one to ATTACH are global, in the figure's order; their conditions name the
//! flags that tell whether the box has been entered, so that none is entered twice.

use crate::config::MuxControl;
use crate::mux::{self, MuxState};
use crate::port::Context;
use crate::selection::Selected;
use dut_fsm::{Arc, Machine};
use dut_wire::lacp::State;

/// Variables that the conditions read.
#[derive(Debug, Clone, Copy)]
pub struct CombinedVars {
    /// BEGIN.
    pub begin: bool,
    /// Selected.
    pub selected: Selected,
    /// Ready of the port's Aggregator.
    pub ready: bool,
    /// Whether the port is attached, or begins to be.
    pub attached: bool,
    /// Whether the port is operational: it has its carrier.
    pub port_operational: bool,
    /// Whether the WTR timer holds its full time and doesn't run.
    pub wtr_loaded: bool,
    /// Whether nothing is left of the WTR timer.
    pub wtr_expired: bool,
    /// Whether Collecting and Distributing are coupled.
    pub coupled: bool,
    /// Actor_Oper_Port_State.Synchronization.
    pub actor_synchronization: bool,
    /// Actor_Oper_Port_State.Collecting.
    pub actor_collecting: bool,
    /// Actor_Oper_Port_State.Distributing.
    pub actor_distributing: bool,
    /// Partner_Oper_Port_State.Synchronization.
    pub partner_synchronization: bool,
    /// Partner_Oper_Port_State.Collecting; coupled control doesn't read it.
    pub partner_collecting: bool,
}

impl CombinedVars {
    /// The port is attached, works, and needn't wait to be restored.
    const fn restored(&self) -> bool {
        self.attached && self.port_operational && self.wtr_expired
    }
}

/// The combined Mux machine.
#[derive(Debug)]
pub struct CombinedMux;

use MuxState::{Attach, Attached, AttachedWtr, CollDist, Collecting, Detached};

impl Machine for CombinedMux {
    type State = MuxState;
    type Vars = CombinedVars;
    const NAME: &'static str = "Mux machine";
    const STATES: &'static [(MuxState, &'static str)] = &[
        (Detached, "DETACHED"),
        (Attach, "ATTACH"),
        (AttachedWtr, "ATTACHED_WTR"),
        (Attached, "ATTACHED"),
        (Collecting, "COLLECTING"),
        (CollDist, "COLL_DIST"),
    ];
    //= LACP-069
    //= LACP-113
    //= LACP-114
    //= LACP-115
    //= LACP-116
    //= LACP-117
    #[rustfmt::skip]
    const ARCS: &'static [Arc<MuxState, CombinedVars>] = &[
        Arc { id: "LACP-MUX20-01", from: None, to: Detached,
              label: "BEGIN = TRUE", when: |v| v.begin },
        Arc { id: "LACP-MUX20-02", from: None, to: Detached,
              label: "Selected != SELECTED",
              when: |v| !matches!(v.selected, Selected::Selected) },
        Arc { id: "LACP-MUX20-03", from: None, to: AttachedWtr,
              label: "attached AND !port_operational AND (WTR_timer isn't loaded)",
              when: |v| v.attached && !v.port_operational && !v.wtr_loaded },
        Arc { id: "LACP-MUX20-04", from: None, to: Attached,
              label: "attached AND port_operational AND (WTR_timer expired) AND !Partner.Sync AND \
                      (!Actor.Sync OR Actor.Collecting)",
              when: |v| v.restored() && !v.partner_synchronization
                        && (!v.actor_synchronization || v.actor_collecting) },
        Arc { id: "LACP-MUX20-05", from: None, to: Collecting,
              label: "attached AND port_operational AND (WTR_timer expired) AND Partner.Sync AND \
                      !coupled AND !Partner.Collecting AND (!Actor.Collecting OR \
                      Actor.Distributing)",
              when: |v| v.restored() && v.partner_synchronization && !v.coupled
                        && !v.partner_collecting
                        && (!v.actor_collecting || v.actor_distributing) },
        Arc { id: "LACP-MUX20-06", from: None, to: CollDist,
              label: "attached AND port_operational AND (WTR_timer expired) AND Partner.Sync AND \
                      (coupled OR Partner.Collecting) AND !Actor.Distributing",
              when: |v| v.restored() && v.partner_synchronization
                        && (v.coupled || v.partner_collecting) && !v.actor_distributing },
        Arc { id: "LACP-MUX20-07", from: Some(Detached), to: Attach,
              label: "(Selected = SELECTED) AND !attached AND Ready",
              when: |v| matches!(v.selected, Selected::Selected) && !v.attached && v.ready },
    ];
}

fn read(c: &Context<'_>) -> (MuxState, CombinedVars) {
    let port = &c.port;
    let waits_to_restore = port.mux == AttachedWtr;
    let vars = CombinedVars {
        begin: false,
        selected: port.selected,
        ready: port.ready,
        attached: port.mux != Detached,
        port_operational: port.port_enabled,
        wtr_loaded: waits_to_restore && port.wtr_timer.stopped(),
        wtr_expired: !waits_to_restore || port.wtr_timer.expired(),
        coupled: c.mux == MuxControl::CombinedCoupled,
        actor_synchronization: port.actor.state.has(State::SYNCHRONIZATION),
        actor_collecting: port.actor.state.has(State::COLLECTING),
        actor_distributing: port.actor.state.has(State::DISTRIBUTING),
        partner_synchronization: port.partner.state.has(State::SYNCHRONIZATION),
        partner_collecting: port.partner.state.has(State::COLLECTING),
    };
    (port.mux, vars)
}

/// (Re)initialises the machine: BEGIN.
pub(crate) fn begin(c: &mut Context<'_>) {
    let vars = CombinedVars {
        begin: true,
        ..read(c).1
    };
    if let Some(arc) = dut_fsm::begin(&c.rules.mux_combined, &vars) {
        take(c, arc);
    }
}

/// Runs the machine to rest; whether it moved.
pub(crate) fn run(c: &mut Context<'_>) -> bool {
    run_wtr(c);
    dut_fsm::settle(&c.rules.mux_combined, c, read, take).taken > 0
}

/// The loaded WTR timer runs as soon as the port is operational, and is loaded again when it no
/// longer is: a global arc into the box where the machine is isn't taken.
fn run_wtr(c: &mut Context<'_>) {
    let port = &mut *c.port;
    if port.mux != AttachedWtr {
        return;
    }
    if !port.port_enabled {
        port.wtr_timer.stop();
    } else if port.wtr_timer.stopped() {
        let time = (c.rules.policy.wait_to_restore)(c.wait_to_restore);
        port.wtr_timer.start(c.now, time);
        port.wtr_timer.tick(c.now);
    }
}

//= LACP-025
//= LACP-092
//= LACP-119
fn take(c: &mut Context<'_>, arc: &Arc<MuxState, CombinedVars>) {
    let from = std::mem::replace(&mut c.port.mux, arc.to);
    c.transition::<CombinedMux>(from, arc);
    // Stopped is loaded in ATTACHED_WTR, and of no meaning elsewhere.
    c.port.wtr_timer.stop();
    let before = c.port.actor.state;
    mux::enter(c, arc.to);
    let flag = |flag: u8| before.has(flag);
    let news = match arc.to {
        Detached => flag(State::SYNCHRONIZATION),
        Collecting => !flag(State::COLLECTING),
        Attached | CollDist => true,
        Attach
        | AttachedWtr
        | MuxState::Waiting
        | MuxState::Distributing
        | MuxState::CollectingDistributing => false,
    };
    if news && (c.rules.policy.mux_ntt)(arc.to) {
        c.port.ntt = true;
    }
}
