//! Periodic Transmission machine (IEEE 802.1AX 6.4.13).
//!
//! The partner's Timeout sets the rate; the own one only sets how long the port is patient.

use crate::port::Context;
use dut_fsm::{Arc, Machine};
use dut_wire::lacp::State;

/// Boxes of the Periodic Transmission machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeriodicState {
    /// NO_PERIODIC.
    NoPeriodic,
    /// FAST_PERIODIC.
    FastPeriodic,
    /// SLOW_PERIODIC.
    SlowPeriodic,
    /// PERIODIC_TX.
    PeriodicTx,
}

/// Variables that the conditions read.
#[derive(Debug, Clone, Copy, Default)]
pub struct PeriodicVars {
    /// BEGIN.
    pub begin: bool,
    /// LACP_Enabled.
    pub lacp_enabled: bool,
    /// port_enabled.
    pub port_enabled: bool,
    /// Whether Actor_Oper_Port_State.LACP_Activity is Active LACP.
    pub actor_active: bool,
    /// Whether Partner_Oper_Port_State.LACP_Activity is Active LACP.
    pub partner_active: bool,
    /// Whether Partner_Oper_Port_State.LACP_Timeout is Short Timeout.
    pub partner_short_timeout: bool,
    /// Whether periodic_timer has expired.
    pub periodic_timer_expired: bool,
}

/// The Periodic Transmission machine.
#[derive(Debug)]
pub struct Periodic;

use PeriodicState::{FastPeriodic, NoPeriodic, PeriodicTx, SlowPeriodic};

impl Machine for Periodic {
    type State = PeriodicState;
    type Vars = PeriodicVars;
    const NAME: &'static str = "Periodic Transmission machine";
    const STATES: &'static [(PeriodicState, &'static str)] = &[
        (NoPeriodic, "NO_PERIODIC"),
        (FastPeriodic, "FAST_PERIODIC"),
        (SlowPeriodic, "SLOW_PERIODIC"),
        (PeriodicTx, "PERIODIC_TX"),
    ];
    //= LACP-075
    //= LACP-076
    //= LACP-077
    //= LACP-078
    //= LACP-079
    //= LACP-080
    //= LACP-081
    //= LACP-082
    //= LACP-083
    //= LACP-084
    #[rustfmt::skip]
    const ARCS: &'static [Arc<PeriodicState, PeriodicVars>] = &[
        Arc { id: "LACP-PT-01", from: None, to: NoPeriodic,
              label: "(BEGIN = TRUE) OR (LACP_Enabled = FALSE) OR (port_enabled = FALSE) OR \
                      ((Actor_Oper_Port_State.LACP_Activity = Passive LACP) AND \
                      (Partner_Oper_Port_State.LACP_Activity = Passive LACP))",
              when: |v| v.begin || !v.lacp_enabled || !v.port_enabled
                  || (!v.actor_active && !v.partner_active) },
        Arc { id: "LACP-PT-02", from: Some(NoPeriodic), to: FastPeriodic,
              label: "UCT", when: |_| true },
        Arc { id: "LACP-PT-03", from: Some(FastPeriodic), to: PeriodicTx,
              label: "periodic_timer expired", when: |v| v.periodic_timer_expired },
        Arc { id: "LACP-PT-04", from: Some(FastPeriodic), to: SlowPeriodic,
              label: "Partner_Oper_Port_State.LACP_Timeout = Long Timeout",
              when: |v| !v.partner_short_timeout },
        Arc { id: "LACP-PT-05", from: Some(SlowPeriodic), to: PeriodicTx,
              label: "(periodic_timer expired) OR (Partner_Oper_Port_State.LACP_Timeout = Short \
                      Timeout)",
              when: |v| v.periodic_timer_expired || v.partner_short_timeout },
        Arc { id: "LACP-PT-06", from: Some(PeriodicTx), to: FastPeriodic,
              label: "Partner_Oper_Port_State.LACP_Timeout = Short Timeout",
              when: |v| v.partner_short_timeout },
        Arc { id: "LACP-PT-07", from: Some(PeriodicTx), to: SlowPeriodic,
              label: "Partner_Oper_Port_State.LACP_Timeout = Long Timeout",
              when: |v| !v.partner_short_timeout },
    ];
}

fn read(c: &Context<'_>) -> (PeriodicState, PeriodicVars) {
    let port = &c.port;
    let vars = PeriodicVars {
        begin: false,
        lacp_enabled: port.lacp_enabled,
        port_enabled: port.port_enabled,
        actor_active: port.actor.state.has(State::LACP_ACTIVITY),
        partner_active: port.partner.state.has(State::LACP_ACTIVITY),
        partner_short_timeout: (c.rules.policy.fast_periodic)(port.actor.state, port.partner.state),
        periodic_timer_expired: port.periodic_timer.expired(),
    };
    (port.periodic, vars)
}

/// (Re)initialises the machine: BEGIN.
pub(crate) fn begin(c: &mut Context<'_>) {
    let vars = PeriodicVars {
        begin: true,
        ..read(c).1
    };
    if let Some(arc) = dut_fsm::begin(&c.rules.periodic, &vars) {
        take(c, arc);
    }
}

/// Runs the machine to rest; whether it moved.
pub(crate) fn run(c: &mut Context<'_>) -> bool {
    dut_fsm::settle(&c.rules.periodic, c, read, take).taken > 0
}

fn take(c: &mut Context<'_>, arc: &Arc<PeriodicState, PeriodicVars>) {
    let from = std::mem::replace(&mut c.port.periodic, arc.to);
    c.transition::<Periodic>(from, arc);
    let constants = &c.rules.constants;
    let port = &mut *c.port;
    match arc.to {
        NoPeriodic => port.periodic_timer.stop(),
        FastPeriodic => port
            .periodic_timer
            .start(c.now, constants.fast_periodic_time),
        SlowPeriodic => port
            .periodic_timer
            .start(c.now, constants.slow_periodic_time),
        PeriodicTx => port.ntt = true,
    }
}
