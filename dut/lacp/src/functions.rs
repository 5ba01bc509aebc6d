//! Functions of LACP (IEEE 802.1AX 6.4.9), pure: what they would set is what they return.

use dut_wire::lacp::{Information, Lacpdu, State};

/// The functions that the machines call; [`Functions::STANDARD`] are the standard's.
#[derive(Debug, Clone, Copy)]
pub struct Functions {
    /// *matched* of recordPDU: whether the partner knows this port as it is.
    pub matched: fn(&Lacpdu, &Information) -> bool,
    /// *active* of recordPDU: whether LACP actively maintains the link.
    pub active: fn(&Lacpdu, &Information) -> bool,
    /// recordPDU: Partner_Oper_* after the LACPDU.
    pub record_pdu: fn(&Self, &Lacpdu, &Information) -> Information,
    /// update_Selected: whether Selected becomes UNSELECTED.
    pub update_selected: fn(&Lacpdu, &Information) -> bool,
    /// update_Default_Selected: whether Selected becomes UNSELECTED.
    pub update_default_selected: fn(&Information, &Information) -> bool,
    /// update_NTT: whether NTT becomes TRUE.
    pub update_ntt: fn(&Lacpdu, &Information) -> bool,
}

impl Functions {
    /// The standard's functions.
    pub const STANDARD: Self = Self {
        matched,
        active,
        record_pdu,
        update_selected,
        update_default_selected,
        update_ntt,
    };
}

/// Whether two ends agree in port number, port priority, system, system priority, key and those of
/// `flags`.
#[must_use]
pub fn same(a: &Information, b: &Information, flags: u8) -> bool {
    a.port == b.port
        && a.port_priority == b.port_priority
        && a.system == b.system
        && a.system_priority == b.system_priority
        && a.key == b.key
        && a.state.0 & flags == b.state.0 & flags
}

/// *matched*: the LACPDU's partner is this port in all five values and in Aggregation.
//= LACP-053
//= LACP-055
#[must_use]
pub fn matched(pdu: &Lacpdu, actor: &Information) -> bool {
    same(&pdu.partner, actor, State::AGGREGATION)
}

/// *active*: one end is Active and the other knows it, or the sender itself is.
//= LACP-057
//= LACP-058
#[must_use]
pub fn active(pdu: &Lacpdu, actor: &Information) -> bool {
    pdu.actor.state.has(State::LACP_ACTIVITY)
        || (actor.state.has(State::LACP_ACTIVITY) && pdu.partner.state.has(State::LACP_ACTIVITY))
}

/// recordPDU: the LACPDU's actor becomes the partner, except that Synchronization is TRUE only when
/// the sender says so, LACP actively maintains the link, and the sender means this port or is
/// Individual.
//= LACP-027
//= LACP-052
//= LACP-054
//= LACP-056
#[must_use]
pub fn record_pdu(functions: &Functions, pdu: &Lacpdu, actor: &Information) -> Information {
    let mut partner = pdu.actor;
    let agreed = (functions.matched)(pdu, actor) || !pdu.actor.state.has(State::AGGREGATION);
    let synchronized =
        pdu.actor.state.has(State::SYNCHRONIZATION) && (functions.active)(pdu, actor) && agreed;
    partner.state.set(State::SYNCHRONIZATION, synchronized);
    partner
}

/// update_Selected: the LACPDU's actor is another one than was recorded. To be called before
/// recordPDU.
//= LACP-067
//= LACP-068
#[must_use]
pub fn update_selected(pdu: &Lacpdu, partner: &Information) -> bool {
    !same(&pdu.actor, partner, State::AGGREGATION)
}

/// update_Default_Selected: what was recorded is another one than the Partner_Admin_* values.
//= LACP-064
#[must_use]
pub fn update_default_selected(admin: &Information, partner: &Information) -> bool {
    !same(admin, partner, State::AGGREGATION)
}

/// update_NTT: the sender knows this port otherwise than it is. Collecting, Distributing, Defaulted
/// and Expired don't matter.
//= LACP-087
//= LACP-088
//= LACP-089
//= LACP-090
#[must_use]
pub fn update_ntt(pdu: &Lacpdu, actor: &Information) -> bool {
    let flags =
        State::LACP_ACTIVITY | State::LACP_TIMEOUT | State::SYNCHRONIZATION | State::AGGREGATION;
    !same(&pdu.partner, actor, flags)
}
