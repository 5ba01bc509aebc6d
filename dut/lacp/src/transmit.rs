//! Transmit machine (IEEE 802.1AX 6.4.16).
//!
//! Its limit is a sliding window over the last transmissions: the stricter reading of "no more than
//! three LACPDUs in any Fast_Periodic_Time". There is no burst that ends, hence no box that resets
//! a counter.

use crate::periodic::PeriodicState;
use crate::port::Context;
use dut_device::Instant;
use dut_fsm::{Arc, Machine};
use dut_wire::lacp::{Lacpdu, VERSION};

/// Boxes of the Transmit machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransmitState {
    /// NO_TX.
    NoTx,
    /// TX_LACPDU.
    TxLacpdu,
}

/// Variables that the conditions read.
#[derive(Debug, Clone, Copy, Default)]
pub struct TransmitVars {
    /// BEGIN.
    pub begin: bool,
    /// LACP_Enabled.
    pub lacp_enabled: bool,
    /// port_enabled.
    pub port_enabled: bool,
    /// Whether the Periodic Transmission machine is in NO_PERIODIC.
    pub no_periodic: bool,
    /// NTT.
    pub ntt: bool,
    /// Whether fewer LACPDUs than the limit left in the last Fast_Periodic_Time.
    pub below_tx_limit: bool,
}

/// The Transmit machine.
#[derive(Debug)]
pub struct Transmit;

use TransmitState::{NoTx, TxLacpdu};

impl Machine for Transmit {
    type State = TransmitState;
    type Vars = TransmitVars;
    const NAME: &'static str = "Transmit machine";
    const STATES: &'static [(TransmitState, &'static str)] =
        &[(NoTx, "NO_TX"), (TxLacpdu, "TX_LACPDU")];
    //= LACP-085
    //= LACP-086
    #[rustfmt::skip]
    const ARCS: &'static [Arc<TransmitState, TransmitVars>] = &[
        Arc { id: "LACP-TX-01", from: None, to: NoTx,
              label: "(BEGIN = TRUE) OR (LACP_Enabled = FALSE) OR (port_enabled = FALSE) OR \
                      (Periodic Transmission machine in NO_PERIODIC)",
              when: |v| v.begin || !v.lacp_enabled || !v.port_enabled || v.no_periodic },
        Arc { id: "LACP-TX-02", from: Some(NoTx), to: TxLacpdu,
              label: "(NTT = TRUE) AND (tx_count < tx_limit)",
              when: |v| v.ntt && v.below_tx_limit },
        Arc { id: "LACP-TX-03", from: Some(TxLacpdu), to: TxLacpdu,
              label: "(NTT = TRUE) AND (tx_count < tx_limit)",
              when: |v| v.ntt && v.below_tx_limit },
    ];
}

/// When the window has room for another LACPDU; `None` when it has now.
fn room_at(c: &Context<'_>) -> Option<Instant> {
    let room = (c.rules.policy.room_at)(&c.rules.constants, &c.port.transmitted);
    room.filter(|room| *room > c.now)
}

fn read(c: &Context<'_>) -> (TransmitState, TransmitVars) {
    let port = &c.port;
    let vars = TransmitVars {
        begin: false,
        lacp_enabled: port.lacp_enabled,
        port_enabled: port.port_enabled,
        no_periodic: port.periodic == PeriodicState::NoPeriodic,
        ntt: port.ntt,
        below_tx_limit: room_at(c).is_none(),
    };
    (port.transmit, vars)
}

/// (Re)initialises the machine: BEGIN.
pub(crate) fn begin(c: &mut Context<'_>) {
    let vars = TransmitVars {
        begin: true,
        ..read(c).1
    };
    if let Some(arc) = dut_fsm::begin(&c.rules.transmit, &vars) {
        take(c, arc);
    }
}

/// Runs the machine to rest. NTT that the limit delays stays set, and wakes up when there is room.
pub(crate) fn run(c: &mut Context<'_>) {
    let settled = dut_fsm::settle(&c.rules.transmit, c, read, take);
    //= LACP-094
    if settled.held {
        // NO_TX's own assignment, again for whatever was asked for while it holds.
        c.port.ntt = false;
    }
    c.port.tx_room_at = if c.port.ntt { room_at(c) } else { None };
}

fn take(c: &mut Context<'_>, arc: &Arc<TransmitState, TransmitVars>) {
    let from = std::mem::replace(&mut c.port.transmit, arc.to);
    c.transition::<Transmit>(from, arc);
    match arc.to {
        NoTx => c.port.ntt = false,
        TxLacpdu => transmit(c),
    }
}

/// Sends what is true now: the machines have come to rest before this one runs.
//= LACP-026
//= LACP-030
//= LACP-031
fn transmit(c: &mut Context<'_>) {
    let port = &mut *c.port;
    let pdu = Lacpdu {
        version: VERSION,
        actor: port.actor,
        partner: port.partner,
        collector_max_delay: c.collector_max_delay,
    };
    c.out.frames.push_back((port.id, pdu.octets().to_vec()));
    port.ntt = false;
    port.counters.lacpdus_tx += 1;
    while port.transmitted.len() >= c.rules.constants.tx_limit.max(1) {
        port.transmitted.pop_front();
    }
    port.transmitted.push_back(c.now);
}
