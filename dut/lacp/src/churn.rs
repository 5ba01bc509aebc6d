//! Actor and Partner Churn Detection machines (IEEE 802.1AX 6.4.17). Only management sees them.

use crate::port::Context;
use crate::timer::Timer;
use dut_device::Instant;
use dut_fsm::{Arc, Machine};
use dut_wire::lacp::State;
use std::time::Duration;

/// Boxes of a Churn Detection machine, the actor's or the partner's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChurnState {
    /// ACTOR_CHURN_MONITOR or PARTNER_CHURN_MONITOR.
    ChurnMonitor,
    /// NO_ACTOR_CHURN or NO_PARTNER_CHURN.
    NoChurn,
    /// ACTOR_CHURN or PARTNER_CHURN.
    Churn,
}

/// Variables that the conditions read.
#[derive(Debug, Clone, Copy, Default)]
pub struct ChurnVars {
    /// BEGIN.
    pub begin: bool,
    /// port_enabled.
    pub port_enabled: bool,
    /// Synchronization of Actor_Oper_Port_State, or of Partner_Oper_Port_State.
    pub synchronization: bool,
    /// Whether actor_churn_timer, or partner_churn_timer, has expired.
    pub churn_timer_expired: bool,
}

/// The Actor Churn Detection machine.
#[derive(Debug)]
pub struct ActorChurn;

/// The Partner Churn Detection machine.
#[derive(Debug)]
pub struct PartnerChurn;

use ChurnState::{Churn, ChurnMonitor, NoChurn};

impl Machine for ActorChurn {
    type State = ChurnState;
    type Vars = ChurnVars;
    const NAME: &'static str = "Actor Churn Detection machine";
    const STATES: &'static [(ChurnState, &'static str)] = &[
        (ChurnMonitor, "ACTOR_CHURN_MONITOR"),
        (NoChurn, "NO_ACTOR_CHURN"),
        (Churn, "ACTOR_CHURN"),
    ];
    //= LACP-124
    #[rustfmt::skip]
    const ARCS: &'static [Arc<ChurnState, ChurnVars>] = &[
        Arc { id: "LACP-ACD-01", from: None, to: ChurnMonitor,
              label: "(BEGIN = TRUE) OR (port_enabled = FALSE)",
              when: |v| v.begin || !v.port_enabled },
        Arc { id: "LACP-ACD-02", from: Some(ChurnMonitor), to: NoChurn,
              label: "Actor_Oper_Port_State.Synchronization = TRUE", when: |v| v.synchronization },
        Arc { id: "LACP-ACD-03", from: Some(ChurnMonitor), to: Churn,
              label: "actor_churn_timer expired", when: |v| v.churn_timer_expired },
        Arc { id: "LACP-ACD-04", from: Some(NoChurn), to: ChurnMonitor,
              label: "Actor_Oper_Port_State.Synchronization = FALSE",
              when: |v| !v.synchronization },
        Arc { id: "LACP-ACD-05", from: Some(Churn), to: NoChurn,
              label: "Actor_Oper_Port_State.Synchronization = TRUE", when: |v| v.synchronization },
    ];
}

impl Machine for PartnerChurn {
    type State = ChurnState;
    type Vars = ChurnVars;
    const NAME: &'static str = "Partner Churn Detection machine";
    const STATES: &'static [(ChurnState, &'static str)] = &[
        (ChurnMonitor, "PARTNER_CHURN_MONITOR"),
        (NoChurn, "NO_PARTNER_CHURN"),
        (Churn, "PARTNER_CHURN"),
    ];
    //= LACP-123
    #[rustfmt::skip]
    const ARCS: &'static [Arc<ChurnState, ChurnVars>] = &[
        Arc { id: "LACP-PCD-01", from: None, to: ChurnMonitor,
              label: "(BEGIN = TRUE) OR (port_enabled = FALSE)",
              when: |v| v.begin || !v.port_enabled },
        Arc { id: "LACP-PCD-02", from: Some(ChurnMonitor), to: NoChurn,
              label: "Partner_Oper_Port_State.Synchronization = TRUE",
              when: |v| v.synchronization },
        Arc { id: "LACP-PCD-03", from: Some(ChurnMonitor), to: Churn,
              label: "partner_churn_timer expired", when: |v| v.churn_timer_expired },
        Arc { id: "LACP-PCD-04", from: Some(NoChurn), to: ChurnMonitor,
              label: "Partner_Oper_Port_State.Synchronization = FALSE",
              when: |v| !v.synchronization },
        Arc { id: "LACP-PCD-05", from: Some(Churn), to: NoChurn,
              label: "Partner_Oper_Port_State.Synchronization = TRUE",
              when: |v| v.synchronization },
    ];
}

/// One port's Churn Detection machine: its box and its timer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Detector {
    pub(crate) state: ChurnState,
    pub(crate) timer: Timer,
}

impl Detector {
    pub(crate) const fn new() -> Self {
        Self {
            state: ChurnMonitor,
            timer: Timer::Stopped,
        }
    }

    /// Entry actions. *actor_churn* and *partner_churn* are TRUE in the box of that name alone, so
    /// the box is the variable.
    fn enter(&mut self, to: ChurnState, running: bool, now: Instant, time: Duration) {
        self.state = to;
        self.timer.stop();
        match to {
            ChurnMonitor if running => self.timer.start(now, time),
            ChurnMonitor | NoChurn | Churn => {}
        }
    }

    /// port_enabled has become TRUE: while it was FALSE it held the machine in its first box, whose
    /// time begins only now.
    pub(crate) fn released(&mut self, now: Instant, time: Duration) {
        if self.state == ChurnMonitor {
            self.timer.start(now, time);
        }
    }

    fn vars(&self, port_enabled: bool, synchronization: bool) -> ChurnVars {
        let churn_timer_expired = self.timer.expired();
        ChurnVars {
            begin: false,
            port_enabled,
            synchronization,
            churn_timer_expired,
        }
    }
}

fn read_actor(c: &Context<'_>) -> (ChurnState, ChurnVars) {
    let synchronization = c.port.actor.state.has(State::SYNCHRONIZATION);
    let detector = &c.port.actor_churn;
    (
        detector.state,
        detector.vars(c.port.port_enabled, synchronization),
    )
}

fn read_partner(c: &Context<'_>) -> (ChurnState, ChurnVars) {
    let synchronization = c.port.partner.state.has(State::SYNCHRONIZATION);
    let detector = &c.port.partner_churn;
    (
        detector.state,
        detector.vars(c.port.port_enabled, synchronization),
    )
}

fn take_actor(c: &mut Context<'_>, arc: &Arc<ChurnState, ChurnVars>) {
    c.transition::<ActorChurn>(c.port.actor_churn.state, arc);
    let (running, time) = (c.port.port_enabled, c.rules.constants.churn_detection_time);
    c.port.actor_churn.enter(arc.to, running, c.now, time);
}

fn take_partner(c: &mut Context<'_>, arc: &Arc<ChurnState, ChurnVars>) {
    c.transition::<PartnerChurn>(c.port.partner_churn.state, arc);
    let (running, time) = (c.port.port_enabled, c.rules.constants.churn_detection_time);
    c.port.partner_churn.enter(arc.to, running, c.now, time);
}

/// (Re)initialises both machines: BEGIN.
pub(crate) fn begin(c: &mut Context<'_>) {
    let actor = ChurnVars {
        begin: true,
        ..read_actor(c).1
    };
    if let Some(arc) = dut_fsm::begin(&c.rules.actor_churn, &actor) {
        take_actor(c, arc);
    }
    let partner = ChurnVars {
        begin: true,
        ..read_partner(c).1
    };
    if let Some(arc) = dut_fsm::begin(&c.rules.partner_churn, &partner) {
        take_partner(c, arc);
    }
}

/// Runs both machines to rest; whether one moved.
pub(crate) fn run(c: &mut Context<'_>) -> bool {
    let actor = dut_fsm::settle(&c.rules.actor_churn, c, read_actor, take_actor);
    let partner = dut_fsm::settle(&c.rules.partner_churn, c, read_partner, take_partner);
    actor.taken + partner.taken > 0
}
