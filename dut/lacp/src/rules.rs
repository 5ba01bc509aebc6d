//! Everything about the machines that is data: tables, constants, functions.

use crate::churn::{ActorChurn, ChurnState, ChurnVars, PartnerChurn};
use crate::combined_mux::{CombinedMux, CombinedVars};
use crate::constants::Constants;
use crate::functions::Functions;
use crate::mux::{CoupledMux, IndependentMux, MuxState, MuxVars};
use crate::periodic::{Periodic, PeriodicState, PeriodicVars};
use crate::policy::Policy;
use crate::receive::{Receive, ReceiveState, ReceiveVars};
use crate::transmit::{Transmit, TransmitState, TransmitVars};
use dut_fsm::{Arc, Machine};
use std::borrow::Cow;

/// A machine's table: the standard's, or one that was changed to show that a test sees it.
pub type Table<S, V> = Cow<'static, [Arc<S, V>]>;

/// What an Eth-Trunk's machines run by. The default is the standard.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Receive machine.
    pub receive: Table<ReceiveState, ReceiveVars>,
    /// Periodic Transmission machine.
    pub periodic: Table<PeriodicState, PeriodicVars>,
    /// Mux machine with independent control.
    pub mux_independent: Table<MuxState, MuxVars>,
    /// Mux machine with coupled control.
    pub mux_coupled: Table<MuxState, MuxVars>,
    /// Combined Mux machine of 802.1AX-2020.
    pub mux_combined: Table<MuxState, CombinedVars>,
    /// Transmit machine.
    pub transmit: Table<TransmitState, TransmitVars>,
    /// Actor Churn Detection machine.
    pub actor_churn: Table<ChurnState, ChurnVars>,
    /// Partner Churn Detection machine.
    pub partner_churn: Table<ChurnState, ChurnVars>,
    /// Constants.
    pub constants: Constants,
    /// Functions.
    pub functions: Functions,
    /// Decisions of the boxes and the Selection Logic.
    pub policy: Policy,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            receive: Cow::Borrowed(Receive::ARCS),
            periodic: Cow::Borrowed(Periodic::ARCS),
            mux_independent: Cow::Borrowed(IndependentMux::ARCS),
            mux_coupled: Cow::Borrowed(CoupledMux::ARCS),
            mux_combined: Cow::Borrowed(CombinedMux::ARCS),
            transmit: Cow::Borrowed(Transmit::ARCS),
            actor_churn: Cow::Borrowed(ActorChurn::ARCS),
            partner_churn: Cow::Borrowed(PartnerChurn::ARCS),
            constants: Constants::STANDARD,
            functions: Functions::STANDARD,
            policy: Policy::STANDARD,
        }
    }
}
