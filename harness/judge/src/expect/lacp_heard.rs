//! What a port must show of its partner after what it has recorded, and after silence.

use super::lacp_pdu::{ACTIVITY, AGGREGATION, DEFAULTED, EXPIRED, Pdu, SYNCHRONIZATION, TIMEOUT};
use dut_device::Instant;
use harness_trace::PointId;
use harness_wire::state_bits;
use std::time::Duration;

pub(super) const SHORT: Duration = Duration::from_secs(3);
pub(super) const LONG: Duration = Duration::from_secs(90);
/// The standard's tolerance of its timers.
const TOLERANCE: Duration = Duration::from_millis(250);
/// How long a Mux machine has for a step that waits for nothing.
const STEP: Duration = Duration::from_millis(500);
/// A frame that left so long before another is known to whoever sent the other.
const KNOWN: Duration = Duration::from_micros(3);

/// How the device is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LacpConfig {
    /// LACP_Timeout is Short_Timeout.
    pub short: bool,
    /// LACP_Activity is Active_LACP.
    pub active: bool,
    /// The coupled Mux machine runs.
    pub coupled: bool,
    /// The third and the fourth port are in a group of their own, with Short_Timeout.
    pub groups: bool,
    /// How inexact the trace's times are beside the device's own: zero in the simulation, the
    /// host's tolerance on wires.
    pub slack: Duration,
}

impl LacpConfig {
    /// What `current_while_timer` is started with in CURRENT.
    pub(super) const fn timeout(self) -> Duration {
        if self.short { SHORT } else { LONG }
    }

    /// How far from its nominal time a timer may run out.
    pub(super) const fn tolerance(self) -> Duration {
        TOLERANCE.saturating_add(self.slack)
    }

    /// How long a step that waits for nothing may take.
    pub(super) const fn step(self) -> Duration {
        STEP.saturating_add(self.slack)
    }

    /// A frame that left so long before another is known to whoever sent the other.
    pub(super) const fn known(self) -> Duration {
        KNOWN.saturating_add(self.slack)
    }

    /// How the port at a point is configured.
    pub(super) const fn at(self, PointId(index): PointId) -> Self {
        Self {
            short: self.short || (self.groups && matches!(index, 2 | 3)),
            ..self
        }
    }
}

/// What a port has recorded, for all that can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) pdu: Pdu,
    pub(super) at: Instant,
    pub(super) record: usize,
}

impl Heard {
    /// Why a LACPDU can't come from a port that has recorded this; `None` when it can.
    pub(super) fn against(
        &self,
        config: LacpConfig,
        pdu: &Pdu,
        at: Instant,
    ) -> Option<(&'static str, String)> {
        let age = at.since(self.at);
        let timeout = config.timeout();
        let has = |bit: u8| pdu.actor_state & bit != 0;
        let (state, partner) = (state_bits(pdu.actor_state), state_bits(pdu.partner_state));
        if age + config.tolerance() < timeout {
            if has(EXPIRED) || has(DEFAULTED) {
                let ms = age.as_millis();
                return Some((
                    "LACP-060",
                    format!("{state} {ms} ms after it heard its partner"),
                ));
            }
            return self.echoed(config, pdu);
        }
        if age < timeout + config.tolerance() {
            return None;
        }
        if age + config.tolerance() < timeout + SHORT {
            if !has(EXPIRED) {
                return Some((
                    "LACP-060",
                    format!("{state} though nothing was heard for {age:?}"),
                ));
            }
            if pdu.partner != self.pdu.actor {
                return Some(("LACP-063", "EXPIRED forgets who the partner was".to_owned()));
            }
            if pdu.partner_state & SYNCHRONIZATION != 0 || pdu.partner_state & TIMEOUT == 0 {
                return Some(("LACP-061", format!("EXPIRED has its partner as {partner}")));
            }
            return None;
        }
        if age > timeout + SHORT + config.tolerance() {
            if has(EXPIRED) || !has(DEFAULTED) {
                return Some((
                    "LACP-064",
                    format!("{state} though nothing was heard for {age:?}"),
                ));
            }
            if has(SYNCHRONIZATION) && age > timeout + SHORT + config.step() + config.tolerance() {
                return Some((
                    "LACP-064",
                    "DEFAULTED leaves the port in Synchronization".to_owned(),
                ));
            }
            if pdu.partner == self.pdu.actor {
                return Some(("LACP-064", "DEFAULTED keeps who the partner was".to_owned()));
            }
        }
        None
    }

    /// Whether the Partner Information is what was recorded (recordPDU).
    fn echoed(&self, config: LacpConfig, pdu: &Pdu) -> Option<(&'static str, String)> {
        if pdu.partner != self.pdu.actor {
            let what = format!(
                "Partner Information {:02x?} instead of {:02x?}",
                pdu.partner, self.pdu.actor
            );
            return Some(("LACP-053", what));
        }
        let individual = self.pdu.actor_state & AGGREGATION == 0;
        let active = self.pdu.actor_state & ACTIVITY != 0
            || (config.active && self.pdu.partner_state & ACTIVITY != 0);
        let sync = self.pdu.actor_state & SYNCHRONIZATION != 0
            && (self.pdu.matches(pdu) || individual)
            && active;
        let wanted =
            (self.pdu.actor_state & !SYNCHRONIZATION) | (if sync { SYNCHRONIZATION } else { 0 });
        (pdu.partner_state != wanted).then(|| {
            let (is, should) = (state_bits(pdu.partner_state), state_bits(wanted));
            (
                "LACP-055",
                format!("Partner_State {is} instead of {should}"),
            )
        })
    }
}
