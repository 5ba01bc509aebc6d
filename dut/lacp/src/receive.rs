//! Receive machine (IEEE 802.1AX 6.4.12).

use crate::port::Context;
use crate::selection::Selected;
use dut_fsm::{Arc, Machine};
use dut_wire::lacp::State;

/// Boxes of the Receive machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiveState {
    /// INITIALIZE.
    Initialize,
    /// PORT_DISABLED.
    PortDisabled,
    /// LACP_DISABLED.
    LacpDisabled,
    /// EXPIRED.
    Expired,
    /// DEFAULTED.
    Defaulted,
    /// CURRENT.
    Current,
}

/// Variables that the conditions read.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReceiveVars {
    /// BEGIN.
    pub begin: bool,
    /// port_enabled: the carrier is there.
    pub port_enabled: bool,
    /// port_moved.
    pub port_moved: bool,
    /// LACP_Enabled.
    pub lacp_enabled: bool,
    /// Whether a valid LACPDU is there to be taken.
    pub lacpdu_received: bool,
    /// Whether current_while_timer has expired.
    pub current_while_timer_expired: bool,
}

/// The Receive machine.
#[derive(Debug)]
pub struct Receive;

use ReceiveState::{Current, Defaulted, Expired, Initialize, LacpDisabled, PortDisabled};

impl Machine for Receive {
    type State = ReceiveState;
    type Vars = ReceiveVars;
    const NAME: &'static str = "Receive machine";
    const STATES: &'static [(ReceiveState, &'static str)] = &[
        (Initialize, "INITIALIZE"),
        (PortDisabled, "PORT_DISABLED"),
        (LacpDisabled, "LACP_DISABLED"),
        (Expired, "EXPIRED"),
        (Defaulted, "DEFAULTED"),
        (Current, "CURRENT"),
    ];
    //= LACP-050
    //= LACP-051
    //= LACP-059
    //= LACP-060
    //= LACP-062
    #[rustfmt::skip]
    const ARCS: &'static [Arc<ReceiveState, ReceiveVars>] = &[
        Arc { id: "LACP-RX-01", from: None, to: Initialize,
              label: "BEGIN = TRUE", when: |v| v.begin },
        Arc { id: "LACP-RX-02", from: None, to: PortDisabled,
              label: "(BEGIN = FALSE) AND (port_enabled = FALSE) AND (port_moved = FALSE)",
              when: |v| !v.begin && !v.port_enabled && !v.port_moved },
        Arc { id: "LACP-RX-03", from: Some(Initialize), to: PortDisabled,
              label: "UCT", when: |_| true },
        Arc { id: "LACP-RX-04", from: Some(PortDisabled), to: Initialize,
              label: "port_moved = TRUE", when: |v| v.port_moved },
        Arc { id: "LACP-RX-05", from: Some(PortDisabled), to: Expired,
              label: "(port_enabled = TRUE) AND (LACP_Enabled = TRUE)",
              when: |v| v.port_enabled && v.lacp_enabled },
        Arc { id: "LACP-RX-06", from: Some(PortDisabled), to: LacpDisabled,
              label: "(port_enabled = TRUE) AND (LACP_Enabled = FALSE)",
              when: |v| v.port_enabled && !v.lacp_enabled },
        Arc { id: "LACP-RX-07", from: Some(LacpDisabled), to: PortDisabled,
              label: "LACP_Enabled = TRUE", when: |v| v.lacp_enabled },
        Arc { id: "LACP-RX-08", from: Some(Expired), to: Current,
              label: "LACPDU received", when: |v| v.lacpdu_received },
        Arc { id: "LACP-RX-09", from: Some(Expired), to: Defaulted,
              label: "current_while_timer expired", when: |v| v.current_while_timer_expired },
        Arc { id: "LACP-RX-10", from: Some(Defaulted), to: Current,
              label: "LACPDU received", when: |v| v.lacpdu_received },
        Arc { id: "LACP-RX-11", from: Some(Current), to: Current,
              label: "LACPDU received", when: |v| v.lacpdu_received },
        Arc { id: "LACP-RX-12", from: Some(Current), to: Expired,
              label: "current_while_timer expired", when: |v| v.current_while_timer_expired },
    ];
}

fn read(c: &Context<'_>) -> (ReceiveState, ReceiveVars) {
    let port = &c.port;
    let vars = ReceiveVars {
        begin: false,
        port_enabled: port.port_enabled,
        port_moved: port.port_moved,
        lacp_enabled: port.lacp_enabled,
        lacpdu_received: port.received.is_some(),
        current_while_timer_expired: port.current_while_timer.expired(),
    };
    (port.receive, vars)
}

/// (Re)initialises the machine: BEGIN.
pub(crate) fn begin(c: &mut Context<'_>) {
    let vars = ReceiveVars {
        begin: true,
        ..read(c).1
    };
    if let Some(arc) = dut_fsm::begin(&c.rules.receive, &vars) {
        take(c, arc);
    }
}

/// Runs the machine to rest; whether it moved.
pub(crate) fn run(c: &mut Context<'_>) -> bool {
    dut_fsm::settle(&c.rules.receive, c, read, take).taken > 0
}

fn take(c: &mut Context<'_>, arc: &Arc<ReceiveState, ReceiveVars>) {
    let from = std::mem::replace(&mut c.port.receive, arc.to);
    c.transition::<Receive>(from, arc);
    let port = &mut *c.port;
    // No box but EXPIRED and CURRENT lets the timer run; a stopped one wakes nobody up.
    port.current_while_timer.stop();
    match arc.to {
        Initialize => {
            port.selected = Selected::Unselected;
            record_default(c);
            c.port.actor.state.set(State::EXPIRED, false);
            c.port.port_moved = false;
        }
        //= LACP-070
        //= LACP-071
        PortDisabled => port.partner.state.set(State::SYNCHRONIZATION, false),
        //= LACP-073
        LacpDisabled => {
            port.selected = Selected::Unselected;
            record_default(c);
            c.port.partner.state.set(State::AGGREGATION, false);
            c.port.actor.state.set(State::EXPIRED, false);
        }
        Expired => enter_expired(c),
        Defaulted => {
            if (c.rules.functions.update_default_selected)(&port.partner_admin, &port.partner) {
                port.selected = Selected::Unselected;
            }
            record_default(c);
            c.port.actor.state.set(State::EXPIRED, false);
        }
        Current => enter_current(c),
    }
}

//= LACP-028
fn record_default(c: &mut Context<'_>) {
    let port = &mut *c.port;
    port.partner = port.partner_admin;
    port.actor.state.set(State::DEFAULTED, true);
}

//= LACP-048
//= LACP-049
//= LACP-061
//= LACP-063
fn enter_expired(c: &mut Context<'_>) {
    let port = &mut *c.port;
    let policy = &c.rules.policy;
    (policy.expired_partner)(&mut port.partner.state);
    let time = (policy.current_while_time)(&c.rules.constants, Expired, port.actor.state);
    port.current_while_timer.start(c.now, time);
    port.actor.state.set(State::EXPIRED, true);
    //= LACP-047
    //= LACP-093
    if (policy.ntt_on_expired)(c.ntt_on_expired) {
        port.ntt = true;
    }
}

/// The order is the box's: what is compared is compared with the old partner, and the answer that
/// NTT asks for leaves when all of this is done.
//= LACP-029
//= LACP-065
//= LACP-074
//= LACP-091
fn enter_current(c: &mut Context<'_>) {
    let port = &mut *c.port;
    let Some(pdu) = port.received.take() else {
        return;
    };
    let functions = &c.rules.functions;
    if (functions.update_selected)(&pdu, &port.partner) {
        port.selected = Selected::Unselected;
    }
    if (functions.update_ntt)(&pdu, &port.actor) {
        port.ntt = true;
    }
    port.partner = (functions.record_pdu)(functions, &pdu, &port.actor);
    port.actor.state.set(State::DEFAULTED, false);
    let policy = &c.rules.policy;
    let time = (policy.current_while_time)(&c.rules.constants, Current, port.actor.state);
    port.current_while_timer.start(c.now, time);
    port.actor.state.set(State::EXPIRED, false);
}
