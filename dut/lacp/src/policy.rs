//! What a port's machines and the Selection Logic decide by, where it is neither arc nor function
//! of 6.4.9: choices that the boxes make on entry, and the rules of 6.3.6, 6.4.14 and 6.7.

use crate::constants::{Constants, TX_WINDOW_MARGIN};
use crate::mux::MuxState;
use crate::receive::ReceiveState;
use crate::selection::LagId;
use dut_device::{Instant, MacAddr};
use dut_wire::lacp::{Information, State};
use std::collections::VecDeque;
use std::time::Duration;

/// The decisions; [`Policy::STANDARD`] are the standard's.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// Partner_Admin_* of the port with this Actor_Port.
    pub partner_admin: fn(u16) -> Information,
    /// What EXPIRED makes of Partner_Oper_Port_State.
    pub expired_partner: fn(&mut State),
    /// What a box starts `current_while_timer` with, by the box and Actor_Oper_Port_State.
    pub current_while_time: fn(&Constants, ReceiveState, State) -> Duration,
    /// Whether entering this box of the Mux machine sets NTT.
    pub mux_ntt: fn(MuxState) -> bool,
    /// Whether entering EXPIRED sets NTT, by the edition that is configured.
    pub ntt_on_expired: fn(bool) -> bool,
    /// Whether LACPDUs leave every Fast_Periodic_Time, by the states of actor and partner.
    pub fast_periodic: fn(State, State) -> bool,
    /// When another LACPDU may leave after those that left last; `None` when nothing limits it.
    pub room_at: fn(&Constants, &VecDeque<Instant>) -> Option<Instant>,
    /// LAG ID of a link (6.3.6), by actor and partner.
    pub lag_id: fn(&Information, &Information) -> LagId,
    /// Whether the link between these ends is aggregatable.
    pub aggregatable: fn(&Information, &Information) -> bool,
    /// Whether such a partner could be aggregated with at all.
    pub valid_partner: fn(&Information) -> bool,
    /// Whether both ends of a link are in one System.
    pub loopback: fn(&Information, &Information) -> bool,
    /// Whether two recorded partners are one port.
    pub same_port: fn(&Information, &Information) -> bool,
    /// The Port ID by which the links of actor and partner are ranked (6.7).
    pub deciding_port_id: fn(&Information, &Information) -> (u16, u16),
    /// Rank before the Port ID, lower first, by box and whether the port works and keeps its place.
    pub tier: fn(ReceiveState, bool) -> u8,
    /// How many links may be active, by configuration.
    pub max_active: fn(u16) -> usize,
    /// How long a better port waits for a working one's place, by configuration.
    pub preempt_delay: fn(Option<Duration>) -> Option<Duration>,
    /// WTR time of the combined Mux machine, by configuration.
    pub wait_to_restore: fn(Duration) -> Duration,
    /// Ready for a port: whether all that wait are ready, and whether this one is.
    pub ready: fn(bool, bool) -> bool,
}

impl Policy {
    /// The standard's decisions.
    pub const STANDARD: Self = Self {
        partner_admin,
        expired_partner,
        current_while_time,
        mux_ntt,
        ntt_on_expired: |configured| configured,
        fast_periodic,
        room_at,
        lag_id: LagId::of,
        aggregatable,
        valid_partner,
        loopback,
        same_port,
        deciding_port_id,
        tier,
        max_active,
        preempt_delay: |configured| configured,
        wait_to_restore: |configured| configured,
        ready: |all, _| all,
    };
}

/// The standard's defaults, but for Synchronization: a Defaulted partner is passive, has long
/// timeouts, and never comes up.
#[must_use]
pub fn partner_admin(port: u16) -> Information {
    Information {
        key: port,
        port,
        ..Information::default()
    }
}

/// EXPIRED: the partner is out of Synchronization and is to be asked quickly.
//= LACP-049
//= LACP-061
//= LACP-063
pub fn expired_partner(state: &mut State) {
    state.set(State::SYNCHRONIZATION, false);
    state.set(State::LACP_TIMEOUT, true);
}

/// EXPIRED lasts Short_Timeout_Time whatever is configured.
//= LACP-048
//= LACP-059
//= LACP-060
//= LACP-062
#[must_use]
pub fn current_while_time(constants: &Constants, state: ReceiveState, actor: State) -> Duration {
    if state == ReceiveState::Expired || actor.has(State::LACP_TIMEOUT) {
        constants.short_timeout_time
    } else {
        constants.long_timeout_time
    }
}

/// All boxes that change a flag which the partner waits for; it doesn't wait for Distributing.
//= LACP-092
#[must_use]
pub fn mux_ntt(state: MuxState) -> bool {
    match state {
        MuxState::Detached
        | MuxState::Attached
        | MuxState::Collecting
        | MuxState::CollectingDistributing
        | MuxState::CollDist => true,
        MuxState::Waiting | MuxState::Distributing | MuxState::Attach | MuxState::AttachedWtr => {
            false
        }
    }
}

/// The partner's timeout alone sets the rate.
//= LACP-079
#[must_use]
pub fn fast_periodic(_actor: State, partner: State) -> bool {
    partner.has(State::LACP_TIMEOUT)
}

/// A sliding window over the last transmissions.
//= LACP-085
#[must_use]
pub fn room_at(constants: &Constants, transmitted: &VecDeque<Instant>) -> Option<Instant> {
    let full = transmitted.len() >= constants.tx_limit;
    let oldest = transmitted.front().copied().filter(|_| full)?;
    Some(oldest + constants.fast_periodic_time + TX_WINDOW_MARGIN)
}

/// Both ends say Aggregation.
//= LACP-100
//= LACP-101
#[must_use]
pub fn aggregatable(actor: &Information, partner: &Information) -> bool {
    actor.state.has(State::AGGREGATION) && partner.state.has(State::AGGREGATION)
}

/// A System that is an individual address, a key and a port number.
//= LACP-043
//= LACP-044
#[must_use]
pub fn valid_partner(partner: &Information) -> bool {
    partner.system != MacAddr::ZERO.0
        && !MacAddr(partner.system).is_group()
        && partner.key != 0
        && partner.port != 0
}

/// System ID: priority, then MAC; lower is better.
const fn system_id(info: &Information) -> (u16, [u8; 6]) {
    (info.system_priority, info.system)
}

/// Port ID: priority, then number; lower is better.
const fn port_id(info: &Information) -> (u16, u16) {
    (info.port_priority, info.port)
}

/// Both System IDs are one.
//= LACP-103
//= LACP-104
#[must_use]
pub fn loopback(actor: &Information, partner: &Information) -> bool {
    system_id(partner) == system_id(actor)
}

/// System ID and Port ID are the same.
//= LACP-072
//= LACP-105
#[must_use]
pub fn same_port(a: &Information, b: &Information) -> bool {
    system_id(a) == system_id(b) && port_id(a) == port_id(b)
}

/// That of the System with the numerically lower System ID.
//= LACP-107
#[must_use]
pub fn deciding_port_id(actor: &Information, partner: &Information) -> (u16, u16) {
    if system_id(actor) < system_id(partner) {
        port_id(actor)
    } else {
        port_id(partner)
    }
}

/// Ports that work and keep their places; those that hear their partner; those that remember it.
//= LACP-108
#[must_use]
pub fn tier(state: ReceiveState, working: bool) -> u8 {
    match state {
        ReceiveState::Current if working => 0,
        ReceiveState::Current => 1,
        ReceiveState::Initialize
        | ReceiveState::PortDisabled
        | ReceiveState::LacpDisabled
        | ReceiveState::Expired
        | ReceiveState::Defaulted => 2,
    }
}

/// As configured, and one at least.
//= LACP-106
#[must_use]
pub fn max_active(configured: u16) -> usize {
    usize::from(configured.max(1))
}
