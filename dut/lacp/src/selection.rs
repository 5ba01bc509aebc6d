//! Selection Logic (IEEE 802.1AX 6.4.14) and the choice of standby ports (6.7) of one Eth-Trunk,
//! which has exactly one Aggregator.
//!
//! The Aggregator takes its LAG ID from the port with the lowest Port ID that hears a partner when
//! it is free, and keeps it while a port of that LAG has its carrier: a link to another partner
//! neither joins nor disturbs. A port without carrier keeps its place for when it comes back, as
//! long as nobody else needs it. Neither does a loopback keep the Aggregator from a real partner.
//!
//! A port whose partner is Defaulted is never selected, nor is one whose partner gives a null
//! key, a null port or a System that is no individual address.

use crate::mux::MuxState;
use crate::policy::aggregatable;
use crate::port::Port;
use crate::receive::ReceiveState;
use crate::timer::Timer;
use dut_device::{Instant, MacAddr, PortId};
use dut_wire::lacp::{Information, State};
use std::fmt;
use std::time::Duration;

/// Selected (6.4.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Selected {
    /// UNSELECTED: the port is bound to no Aggregator.
    #[default]
    Unselected,
    /// SELECTED: the port is to be attached to the Aggregator.
    Selected,
    /// STANDBY: the port is bound to the Aggregator and mustn't be attached.
    Standby,
}

impl Selected {
    /// The standard's spelling.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unselected => "UNSELECTED",
            Self::Selected => "SELECTED",
            Self::Standby => "STANDBY",
        }
    }
}

/// One end of a LAG ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LagEnd {
    /// System_Priority, the high part of the System ID.
    pub system_priority: u16,
    /// System, the low part of the System ID.
    pub system: [u8; 6],
    /// Operational key.
    pub key: u16,
    /// Port_Priority, the high part of the Port ID; 0 when both ends are aggregatable.
    pub port_priority: u16,
    /// Port, the low part of the Port ID; 0 when both ends are aggregatable.
    pub port: u16,
}

/// LAG ID (6.3.6): both ends, the numerically lower System ID first.
///
/// The System IDs include the priorities: two partners of one MAC address and different priorities
/// are different LAGs.
//= LACP-096
//= LACP-097
//= LACP-098
//= LACP-099
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LagId {
    /// The end with the numerically lower System ID.
    pub lower: LagEnd,
    /// The other end.
    pub higher: LagEnd,
}

impl LagId {
    /// The LAG ID of a link between two ends.
    #[must_use]
    pub fn of(actor: &Information, partner: &Information) -> Self {
        //= LACP-100
        //= LACP-101
        let individual = !aggregatable(actor, partner);
        let end = |info: &Information| LagEnd {
            system_priority: info.system_priority,
            system: info.system,
            key: info.key,
            port_priority: if individual { info.port_priority } else { 0 },
            port: if individual { info.port } else { 0 },
        };
        let (one, other) = (end(actor), end(partner));
        if one <= other {
            Self {
                lower: one,
                higher: other,
            }
        } else {
            Self {
                lower: other,
                higher: one,
            }
        }
    }
}

impl fmt::Display for LagEnd {
    /// As `(8000,00-e0-fc-12-34-55,0131,0000,0000)`, all in hex.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mac = MacAddr(self.system).to_string().replace(':', "-");
        let Self {
            system_priority,
            system: _,
            key,
            port_priority,
            port,
        } = self;
        write!(
            f,
            "({system_priority:04x},{mac},{key:04x},{port_priority:04x},{port:04x})"
        )
    }
}

impl fmt::Display for LagId {
    /// As the standard writes it: `[(…),(…)]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{},{}]", self.lower, self.higher)
    }
}

/// The LAG ID of the port's link.
fn lag_of(port: &Port) -> LagId {
    (port.policy.lag_id)(&port.actor, &port.partner)
}

/// Port ID: priority, then number; lower is better.
const fn port_id(info: &Information) -> (u16, u16) {
    (info.port_priority, info.port)
}

/// How many ports the Aggregator takes, and how a better one gets in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) max_active: usize,
    pub(crate) preempt_delay: Option<Duration>,
    pub(crate) hold: bool,
    pub(crate) aggregate_wait_time: Duration,
}

/// The Aggregator of an Eth-Trunk.
#[derive(Debug, Default)]
pub(crate) struct Aggregator {
    /// The LAG ID of its ports; `None` while it has none.
    pub(crate) lag: Option<LagId>,
    /// The port that gave it the LAG ID.
    pub(crate) reference: Option<PortId>,
    /// Runs while a better port waits for a working one's place.
    pub(crate) preempt_timer: Timer,
}

impl Aggregator {
    /// Runs the Selection Logic once over all ports; whether it changed anything.
    pub(crate) fn run(&mut self, ports: &mut [Port], limits: Limits, now: Instant) -> bool {
        forget_waits(ports);
        let moved = find_moved(ports);
        let released = release(ports) | yield_to_others(ports);
        if !ports.iter().any(bound) {
            self.lag = None;
            self.reference = None;
            self.choose_lag(ports);
        }
        let joined = self.bind(ports);
        let chosen = self.choose_active(ports, limits, now);
        run_waits(ports, limits.aggregate_wait_time, now);
        let ready = set_ready(ports);
        moved || released || joined || chosen || ready
    }

    /// Gives a free Aggregator the LAG ID of the candidate with the lowest Port ID; a loopback
    /// comes last.
    fn choose_lag(&mut self, ports: &[Port]) {
        let candidates = ports.iter().filter(|port| candidate(ports, port));
        if let Some(port) = candidates.min_by_key(|port| (loopback(port), port_id(&port.actor))) {
            self.lag = Some(lag_of(port));
            self.reference = Some(port.id);
        }
    }

    /// Binds every candidate of the Aggregator's LAG that may be beside those already bound.
    //= LACP-095
    //= LACP-102
    //= LACP-110
    fn bind(&self, ports: &mut [Port]) -> bool {
        let Some(lag) = self.lag else {
            return false;
        };
        let mut joined = false;
        for at in 0..ports.len() {
            let joins = ports.get(at).is_some_and(|port| {
                candidate(ports, port) && lag_of(port) == lag && may_join(ports, port)
            });
            if let Some(port) = ports.get_mut(at).filter(|_| joins) {
                port.selected = Selected::Standby;
                joined = true;
            }
        }
        joined
    }

    /// Makes the best bound ports SELECTED and the others STANDBY.
    //= LACP-106
    //= LACP-107
    //= LACP-108
    fn choose_active(&mut self, ports: &mut [Port], limits: Limits, now: Instant) -> bool {
        let max = limits.max_active;
        let over = ports.iter().filter(|port| bound(port)).count() > max;
        let keep_working = if over {
            self.keep_working(ports, max, limits.preempt_delay, now)
        } else {
            self.preempt_timer.stop();
            true
        };
        let mut changed = false;
        for at in 0..ports.len() {
            let Some(port) = ports.get(at).filter(|port| bound(port)) else {
                continue;
            };
            let active = !limits.hold && (!over || rank(ports, port, keep_working) < max);
            let selected = if active {
                Selected::Selected
            } else {
                Selected::Standby
            };
            if port.selected != selected
                && let Some(port) = ports.get_mut(at)
            {
                port.selected = selected;
                changed = true;
            }
        }
        changed
    }

    /// Whether ports that work keep their places before better ones: always without preemption,
    /// else until the better one has waited.
    //= LACP-109
    fn keep_working(
        &mut self,
        ports: &[Port],
        max: usize,
        delay: Option<Duration>,
        now: Instant,
    ) -> bool {
        let differs =
            |port: &Port| (rank(ports, port, true) < max) != (rank(ports, port, false) < max);
        let Some(delay) = delay.filter(|_| ports.iter().any(|port| bound(port) && differs(port)))
        else {
            self.preempt_timer.stop();
            return true;
        };
        if self.preempt_timer.stopped() {
            self.preempt_timer.start(now, delay);
            self.preempt_timer.tick(now);
        }
        !self.preempt_timer.expired()
    }
}

fn bound(port: &Port) -> bool {
    port.selected != Selected::Unselected
}

/// Whether the port's recorded partner could be aggregated with at all.
//= LACP-043
//= LACP-044
fn valid_partner(port: &Port) -> bool {
    !port.actor.state.has(State::DEFAULTED) && (port.policy.valid_partner)(&port.partner)
}

/// Whether the port may be selected now: it hears a valid partner, and Mux has detached it from
/// what it was bound to before.
fn candidate(ports: &[Port], port: &Port) -> bool {
    !bound(port)
        && port.mux == MuxState::Detached
        && port.receive == ReceiveState::Current
        && valid_partner(port)
        && port_exists_elsewhere(ports, port)
}

/// A loopback's other end must be a port that is known here, or have another key, so that it can't
/// be in this Aggregator. The System ID of a pair of devices is one: a cable between the two looks
/// like a loopback to a port that isn't here.
fn port_exists_elsewhere(ports: &[Port], port: &Port) -> bool {
    !loopback(port)
        || port.partner.key != port.actor.key
        || ports
            .iter()
            .any(|other| port_id(&other.actor) == port_id(&port.partner))
}

/// Whether both ends of the port's link are in this System.
fn loopback(port: &Port) -> bool {
    (port.policy.loopback)(&port.actor, &port.partner)
}

/// Whether the port hears itself.
fn same_port_loopback(port: &Port) -> bool {
    loopback(port) && port_id(&port.partner) == port_id(&port.actor)
}

/// Whether two ports have recorded the same port of the same partner.
fn same_partner_port(a: &Port, b: &Port) -> bool {
    (a.policy.same_port)(&a.partner, &b.partner)
}

/// Whether a port may be bound beside those that are.
fn may_join(ports: &[Port], port: &Port) -> bool {
    let others = || {
        ports
            .iter()
            .filter(|other| bound(other) && other.id != port.id)
    };
    let alone = !(port.policy.aggregatable)(&port.actor, &port.partner);
    others().all(|other| {
        let ends_of_one_link = loopback(port)
            && (port_id(&port.partner) == port_id(&other.actor)
                || port_id(&other.partner) == port_id(&port.actor));
        //= LACP-103
        let apart = !ends_of_one_link;
        //= LACP-104
        let alike = same_port_loopback(port) == same_port_loopback(other);
        //= LACP-105
        let distinct = !same_partner_port(port, other);
        !alone && apart && alike && distinct
    })
}

/// port_moved: what a port without carrier remembers is heard by another port now.
//= LACP-072
fn find_moved(ports: &mut [Port]) -> bool {
    let mut found = false;
    for at in 0..ports.len() {
        let moved = ports.get(at).is_some_and(|port| {
            !port.port_enabled && !port.port_moved && valid_partner(port) && heard(ports, port)
        });
        if let Some(port) = ports.get_mut(at).filter(|_| moved) {
            port.port_moved = true;
            found = true;
        }
    }
    found
}

/// Whether another port hears the partner port that this one only remembers.
fn heard(ports: &[Port], port: &Port) -> bool {
    ports.iter().any(|other| {
        other.id != port.id
            && other.receive == ReceiveState::Current
            && same_partner_port(port, other)
    })
}

/// Unselects what mustn't stay bound: ports without a valid partner, and ports that hear nothing
/// while another hears their partner's port.
fn release(ports: &mut [Port]) -> bool {
    let mut released = false;
    for at in 0..ports.len() {
        let leaves = ports.get(at).is_some_and(|port| {
            let silent = port.receive != ReceiveState::Current;
            bound(port) && (!valid_partner(port) || (silent && heard(ports, port)))
        });
        if let Some(port) = ports.get_mut(at).filter(|_| leaves) {
            port.selected = Selected::Unselected;
            released = true;
        }
    }
    released
}

/// Frees the Aggregator when a port of another LAG could carry traffic and none of its own could:
/// they have lost their carrier, or lead back into this System.
fn yield_to_others(ports: &mut [Port]) -> bool {
    let waits = |port: &Port| candidate(ports, port) && !loopback(port);
    let idle = |port: &Port| !bound(port) || !port.port_enabled || loopback(port);
    if !(ports.iter().any(bound) && ports.iter().all(idle) && ports.iter().any(waits)) {
        return false;
    }
    let kept = ports.iter().find(|port| bound(port)).map(lag_of);
    if ports
        .iter()
        .any(|port| waits(port) && Some(lag_of(port)) == kept)
    {
        return false;
    }
    for port in ports.iter_mut() {
        port.selected = Selected::Unselected;
    }
    true
}

/// How many bound ports come before this one: those that work, if they keep their places; then
/// those that hear their partner before those that only remember it; then by ascending Port ID of
/// the System with the numerically lower System ID.
fn rank(ports: &[Port], port: &Port, keep_working: bool) -> usize {
    let own = order(port, keep_working);
    let before = |other: &&Port| bound(other) && order(other, keep_working) < own;
    ports.iter().filter(before).count()
}

fn order(port: &Port, keep_working: bool) -> (u8, (u16, u16), u16) {
    let working = keep_working && port.actor.state.has(State::COLLECTING);
    let tier = (port.policy.tier)(port.receive, working);
    let deciding = (port.policy.deciding_port_id)(&port.actor, &port.partner);
    (tier, deciding, port.actor.port)
}

/// A port of the combined Mux machine that was unselected waits anew, even if it is selected again
/// at once: the Selection Logic itself keeps the timer there.
//= LACP-120
fn forget_waits(ports: &mut [Port]) {
    for port in ports
        .iter_mut()
        .filter(|port| port.combined && !bound(port))
    {
        port.wait_while_timer.stop();
    }
}

/// Starts wait_while_timer of ports of the combined Mux machine when they become SELECTED.
//= LACP-112
fn run_waits(ports: &mut [Port], time: Duration, now: Instant) {
    for port in ports.iter_mut().filter(|port| port.combined) {
        if !port.waits() {
            port.wait_while_timer.stop();
        } else if port.wait_while_timer.stopped() {
            port.wait_while_timer.start(now, time);
        }
    }
}

/// Ready: all ports that wait to be attached have waited long enough. STANDBY ports wait for
/// something else and delay nobody.
//= LACP-111
fn set_ready(ports: &mut [Port]) -> bool {
    let waits = |port: &Port| port.waits() && port.selected == Selected::Selected;
    let all = ports.iter().filter(|port| waits(port)).all(Port::ready_n);
    let mut changed = false;
    for port in ports.iter_mut() {
        let attaches = (port.policy.ready)(all, port.ready_n());
        let ready = waits(port) && (attaches || port.waited_while_held);
        changed |= port.ready != ready;
        port.ready = ready;
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(system_priority: u16, last: u8, key: u16, port: u16, state: u8) -> Information {
        let system = [0x00, 0xe0, 0xfc, 0x12, 0x34, last];
        let state = State(state);
        Information {
            system_priority,
            system,
            key,
            port_priority: 0x8000,
            port,
            state,
        }
    }

    #[test]
    fn the_lower_system_id_is_written_first_from_either_end() {
        let (one, other) = (
            end(0x8000, 0x55, 305, 1, 0x05),
            end(0x7fff, 0x66, 7, 9, 0x05),
        );
        let lag = LagId::of(&one, &other);
        assert_eq!(lag, LagId::of(&other, &one));
        let expected =
            "[(7fff,00-e0-fc-12-34-66,0007,0000,0000),(8000,00-e0-fc-12-34-55,0131,0000,0000)]";
        assert_eq!(lag.to_string(), expected);
    }

    #[test]
    fn an_individual_end_brings_the_port_ids_in() {
        let (one, other) = (
            end(0x8000, 0x55, 305, 1, 0x05),
            end(0x8000, 0x66, 7, 9, 0x01),
        );
        let expected =
            "[(8000,00-e0-fc-12-34-55,0131,8000,0001),(8000,00-e0-fc-12-34-66,0007,8000,0009)]";
        assert_eq!(LagId::of(&one, &other).to_string(), expected);
        assert_eq!(LagId::of(&other, &one).to_string(), expected);
    }
}
