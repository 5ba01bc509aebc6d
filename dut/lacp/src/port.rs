//! A port's variables (IEEE 802.1AX 6.4.7, 6.4.8) and the order of its machines on one stimulus.
//!
//! The order is *Receive, Selection Logic, Mux, Periodic Transmission, Churn Detection*, over all
//! ports of the Eth-Trunk and again until none moves, then *Transmit*:
//!
//! - Receive first: recordPDU and update_Selected give what all others read.
//! - The Selection Logic next, over all ports at once: what one port has heard decides what
//!   another may do. It leaves an UNSELECTED port alone until Mux has brought it to DETACHED, so
//!   that no machine misses UNSELECTED.
//! - Mux before Periodic Transmission only as the standard has them; neither reads the other.
//! - Transmit alone comes after the fixed point. Hence one LACPDU answers one stimulus, and shows
//!   where it led, not a box on the way there.

use crate::churn::{self, Detector};
use crate::config::{MuxControl, PortConfig};
use crate::event::LacpEvent;
use crate::mux::{self, MuxState};
use crate::periodic::{self, PeriodicState};
use crate::policy::Policy;
use crate::receive::{self, ReceiveState};
use crate::rules::Rules;
use crate::selection::Selected;
use crate::timer::Timer;
use crate::transmit::{self, TransmitState};
use dut_device::{Instant, PortId};
use dut_fsm::{Arc, Machine};
use dut_wire::lacp::{Information, Lacpdu, State};
use std::collections::VecDeque;
use std::time::Duration;

/// Counters of 7.3.3.1.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counters {
    pub(crate) lacpdus_rx: u64,
    pub(crate) lacpdus_tx: u64,
    pub(crate) markers_rx: u64,
    pub(crate) marker_responses_rx: u64,
    pub(crate) marker_responses_tx: u64,
    pub(crate) unknown_rx: u64,
    pub(crate) illegal_rx: u64,
}

/// An aggregation port.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) id: PortId,
    pub(crate) name: String,
    pub(crate) policy: Policy,
    /// Actor_Oper_*, the state octet included.
    pub(crate) actor: Information,
    /// Partner_Admin_*.
    pub(crate) partner_admin: Information,
    /// Partner_Oper_*.
    pub(crate) partner: Information,
    pub(crate) port_enabled: bool,
    pub(crate) lacp_enabled: bool,
    pub(crate) port_moved: bool,
    pub(crate) selected: Selected,
    /// Ready of the Aggregator, as this port's Mux machine sees it.
    pub(crate) ready: bool,
    /// The port's wait was over when an E-Trunk's hold was released: it needn't wait for others.
    pub(crate) waited_while_held: bool,
    pub(crate) ntt: bool,
    /// A valid LACPDU that the Receive machine has not yet taken.
    pub(crate) received: Option<Lacpdu>,
    pub(crate) receive: ReceiveState,
    pub(crate) periodic: PeriodicState,
    pub(crate) mux: MuxState,
    pub(crate) transmit: TransmitState,
    pub(crate) actor_churn: Detector,
    pub(crate) partner_churn: Detector,
    pub(crate) current_while_timer: Timer,
    pub(crate) periodic_timer: Timer,
    pub(crate) wait_while_timer: Timer,
    /// Whether the port runs the Mux machine of 802.1AX-2020.
    pub(crate) combined: bool,
    /// WTR timer of that machine: stopped while it is loaded and the port isn't operational.
    pub(crate) wtr_timer: Timer,
    /// When the last LACPDUs left, as many as the limit counts.
    pub(crate) transmitted: VecDeque<Instant>,
    /// When the limiter lets a delayed LACPDU go.
    pub(crate) tx_room_at: Option<Instant>,
    pub(crate) counters: Counters,
}

impl Port {
    /// A port without carrier, before BEGIN.
    //= LACP-017
    //= LACP-018
    //= LACP-019
    //= LACP-020
    //= LACP-021
    //= LACP-022
    //= LACP-023
    //= LACP-024
    pub(crate) fn new(
        config: PortConfig,
        (system_priority, system): (u16, [u8; 6]),
        key: u16,
        mux: MuxControl,
        policy: Policy,
    ) -> Self {
        let mut state = State::default();
        state.set(State::LACP_ACTIVITY, config.activity);
        state.set(State::LACP_TIMEOUT, config.timeout_short);
        state.set(State::AGGREGATION, config.aggregation);
        let (port, port_priority) = (config.port_number, config.port_priority);
        let actor = Information {
            system_priority,
            system,
            key,
            port_priority,
            port,
            state,
        };
        let partner_admin = (policy.partner_admin)(port);
        Self {
            id: config.port,
            name: config.name,
            policy,
            actor,
            partner_admin,
            partner: partner_admin,
            port_enabled: false,
            lacp_enabled: true,
            port_moved: false,
            selected: Selected::Unselected,
            ready: false,
            waited_while_held: false,
            ntt: false,
            received: None,
            receive: ReceiveState::Initialize,
            periodic: PeriodicState::NoPeriodic,
            mux: MuxState::Detached,
            transmit: TransmitState::NoTx,
            actor_churn: Detector::new(),
            partner_churn: Detector::new(),
            current_while_timer: Timer::Stopped,
            periodic_timer: Timer::Stopped,
            wait_while_timer: Timer::Stopped,
            combined: mux.combined(),
            wtr_timer: Timer::Stopped,
            transmitted: VecDeque::new(),
            tx_room_at: None,
            counters: Counters::default(),
        }
    }

    /// Whether the port's wait_while_timer runs, or has expired and the port isn't attached yet: in
    /// WAITING, or in DETACHED where the Selection Logic keeps the timer (802.1AX-2020).
    pub(crate) fn waits(&self) -> bool {
        if self.combined {
            self.mux == MuxState::Detached && self.selected == Selected::Selected
        } else {
            self.mux == MuxState::Waiting
        }
    }

    /// Ready_N: the port waits and its wait_while_timer has expired.
    pub(crate) fn ready_n(&self) -> bool {
        self.waits() && self.wait_while_timer.expired()
    }

    /// Lets due timers expire; whether anything was due.
    pub(crate) fn tick(&mut self, now: Instant) -> bool {
        let mut due = self.tx_room_at.is_some_and(|at| at <= now);
        for timer in self.timers_mut() {
            due |= timer.tick(now);
        }
        due
    }

    /// When something will be due.
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        let timers = [
            self.current_while_timer,
            self.periodic_timer,
            self.wait_while_timer,
            self.wtr_timer,
            self.actor_churn.timer,
            self.partner_churn.timer,
        ];
        let deadlines = timers.into_iter().filter_map(Timer::deadline);
        deadlines.chain(self.tx_room_at).min()
    }

    fn timers_mut(&mut self) -> [&mut Timer; 6] {
        [
            &mut self.current_while_timer,
            &mut self.periodic_timer,
            &mut self.wait_while_timer,
            &mut self.wtr_timer,
            &mut self.actor_churn.timer,
            &mut self.partner_churn.timer,
        ]
    }
}

/// What the Eth-Trunk gives out; drained by its driver after each call.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pub(crate) frames: VecDeque<(PortId, Vec<u8>)>,
    pub(crate) events: VecDeque<LacpEvent>,
}

/// A port with all that its machines may see.
pub(crate) struct Context<'a> {
    pub(crate) port: &'a mut Port,
    pub(crate) now: Instant,
    pub(crate) rules: &'a Rules,
    pub(crate) mux: MuxControl,
    pub(crate) wait_to_restore: Duration,
    pub(crate) ntt_on_expired: bool,
    pub(crate) collector_max_delay: u16,
    pub(crate) out: &'a mut Output,
}

impl Context<'_> {
    /// Reports an arc that machine `M` takes out of `from`.
    pub(crate) fn transition<M: Machine>(&mut self, from: M::State, arc: &Arc<M::State, M::Vars>) {
        self.out.events.push_back(LacpEvent::Transition {
            port: self.port.id,
            machine: M::NAME,
            from: M::name_of(from),
            to: M::name_of(arc.to),
            arc: arc.id,
        });
    }

    /// (Re)initialises all machines: BEGIN.
    pub(crate) fn begin(&mut self) {
        receive::begin(self);
        mux::begin(self);
        periodic::begin(self);
        churn::begin(self);
        transmit::begin(self);
    }

    /// The machines that run before the Selection Logic; whether one moved.
    pub(crate) fn before_selection(&mut self) -> bool {
        receive::run(self)
    }

    /// The machines that run after the Selection Logic; whether one moved.
    pub(crate) fn after_selection(&mut self) -> bool {
        let mux = mux::run(self);
        let periodic = periodic::run(self);
        let churn = churn::run(self);
        mux || periodic || churn
    }

    /// The machine that runs once all others rest. A LACPDU that no box took is discarded by then.
    pub(crate) fn at_rest(&mut self) {
        self.port.received = None;
        transmit::run(self);
    }
}
