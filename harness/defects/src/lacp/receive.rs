//! The Receive machine and what it records (LACP-047 to LACP-074).

use super::frames::{at, lacpdu, slow};
use super::{retarget, when, without};
use crate::{Defect, Frames};
use dut_device::{Instant, PortId};
use dut_lacp::functions::{self, same};
use dut_lacp::policy::current_while_time;
use dut_lacp::receive::ReceiveState;
use dut_wire::lacp::{Information, State};
use std::collections::BTreeMap;

const AGGREGATION: u8 = State::AGGREGATION;

/// `other` with one field of `like`: so that a comparison doesn't see it.
fn blind(
    other: &Information,
    like: &Information,
    change: fn(&mut Information, &Information),
) -> Information {
    let mut other = *other;
    change(&mut other, like);
    other
}

/// *matched* that overlooks one field.
macro_rules! match_without {
    ($change:expr) => {
        |rules| {
            rules.lacp.functions.matched =
                |pdu, actor| same(&blind(&pdu.partner, actor, $change), actor, AGGREGATION);
        }
    };
}

/// *update_Selected* that overlooks one field.
macro_rules! keep_selected {
    ($change:expr) => {
        |rules| {
            rules.lacp.functions.update_selected =
                |pdu, partner| !same(&blind(&pdu.actor, partner, $change), partner, AGGREGATION);
        }
    };
}

/// Takes the same LACPDU only once.
#[derive(Debug, Default)]
struct Once(BTreeMap<PortId, Vec<u8>>);

impl Frames for Once {
    fn received(&mut self, _now: Instant, port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        if lacpdu(frame) && self.0.insert(port, frame.to_vec()).as_deref() == Some(frame) {
            return Vec::new();
        }
        vec![frame.to_vec()]
    }
}

/// Takes the last good LACPDU again for one that is too short.
#[derive(Debug, Default)]
struct RefreshedByShort(BTreeMap<PortId, Vec<u8>>);

impl Frames for RefreshedByShort {
    fn received(&mut self, _now: Instant, port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        if lacpdu(frame) {
            self.0.insert(port, frame.to_vec());
        } else if slow(frame, 1)
            && let Some(last) = self.0.get(&port)
        {
            return vec![last.clone()];
        }
        vec![frame.to_vec()]
    }
}

/// Stands still after a LACPDU of its own system.
#[derive(Debug, Default)]
struct FrozenByOwn {
    own: Vec<u8>,
    frozen: bool,
}

impl Frames for FrozenByOwn {
    fn sent(&mut self, _port: PortId, frame: Vec<u8>) -> Vec<Vec<u8>> {
        if lacpdu(&frame) {
            let system = at::ACTOR + at::SYSTEM;
            self.own = frame.get(system..system + 6).unwrap_or_default().to_vec();
        }
        vec![frame]
    }

    fn received(&mut self, _now: Instant, _port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        let system = at::ACTOR + at::SYSTEM;
        self.frozen |= lacpdu(frame) && frame.get(system..system + 6) == Some(&self.own[..]);
        vec![frame.to_vec()]
    }

    fn frozen(&self) -> bool {
        self.frozen
    }
}

/// Receives nothing in the last five seconds of each minute.
#[derive(Debug)]
struct DeafSometimes;

impl Frames for DeafSometimes {
    fn received(&mut self, now: Instant, _port: PortId, frame: &[u8]) -> Vec<Vec<u8>> {
        if now.since(Instant::ZERO).as_secs() % 60 >= 55 {
            return Vec::new();
        }
        vec![frame.to_vec()]
    }
}

/// Defects of the Receive machine.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::data(
        "lacp-no-first-lacpdu",
        &["LACP-047"],
        "the periodic timer doesn't run after a late link-up",
        |rules| without(&mut rules.lacp.periodic, "LACP-PT-02"),
    )
    .seen("VPP-1409"),
    Defect::data(
        "lacp-expired-for-ever",
        &["LACP-048", "LACP-062"],
        "EXPIRED never becomes DEFAULTED",
        |rules| without(&mut rules.lacp.receive, "LACP-RX-09"),
    ),
    Defect::data(
        "lacp-expired-keeps-long",
        &["LACP-049", "LACP-063"],
        "EXPIRED leaves the partner's timeout as it was",
        |rules| {
            rules.lacp.policy.expired_partner = |state| state.set(State::SYNCHRONIZATION, false);
        },
    ),
    Defect::data(
        "lacp-expired-deaf",
        &["LACP-050"],
        "a LACPDU doesn't end EXPIRED",
        |rules| without(&mut rules.lacp.receive, "LACP-RX-08"),
    ),
    Defect::data(
        "lacp-defaulted-deaf",
        &["LACP-051"],
        "a LACPDU doesn't end DEFAULTED",
        |rules| without(&mut rules.lacp.receive, "LACP-RX-10"),
    ),
    Defect::data(
        "lacp-records-no-port-priority",
        &["LACP-052"],
        "recordPDU forgets the port priority",
        |rules| {
            rules.lacp.functions.record_pdu = |functions, pdu, actor| {
                let mut partner = functions::record_pdu(functions, pdu, actor);
                partner.port_priority = 0x8000;
                partner
            };
        },
    ),
    Defect::data(
        "lacp-sync-never-recorded",
        &["LACP-053"],
        "the partner is never recorded in Synchronization",
        |rules| rules.lacp.functions.matched = |_, _| false,
    ),
    Defect::data(
        "lacp-sync-forced",
        &["LACP-054"],
        "a partner that matches is recorded in Synchronization even when it says that it isn't",
        |rules| {
            rules.lacp.functions.record_pdu = |functions, pdu, actor| {
                let mut partner = functions::record_pdu(functions, pdu, actor);
                if (functions.matched)(pdu, actor) {
                    partner.state.set(State::SYNCHRONIZATION, true);
                }
                partner
            };
        },
    )
    .seen("FreeBSD's lagg in strict mode"),
    Defect::data(
        "lacp-no-match",
        &["LACP-055"],
        "any partner information counts as a match",
        |rules| rules.lacp.functions.matched = |_, _| true,
    )
    .seen("VPP's lacp plugin compares the wrong pair"),
    Defect::data(
        "lacp-matches-any-port",
        &["LACP-055"],
        "the partner's view of the port number isn't compared",
        match_without!(|view, actor| view.port = actor.port),
    ),
    Defect::data(
        "lacp-matches-any-port-priority",
        &["LACP-055"],
        "the partner's view of the port priority isn't compared",
        match_without!(|view, actor| view.port_priority = actor.port_priority),
    ),
    Defect::data(
        "lacp-matches-any-system",
        &["LACP-055"],
        "the partner's view of the system isn't compared",
        match_without!(|view, actor| view.system = actor.system),
    ),
    Defect::data(
        "lacp-matches-any-system-priority",
        &["LACP-055"],
        "the partner's view of the system priority isn't compared",
        match_without!(|view, actor| view.system_priority = actor.system_priority),
    ),
    Defect::data(
        "lacp-matches-any-key",
        &["LACP-055"],
        "the partner's view of the key isn't compared",
        match_without!(|view, actor| view.key = actor.key),
    ),
    Defect::data(
        "lacp-matches-any-aggregation",
        &["LACP-055"],
        "the partner's view of Aggregation isn't compared",
        match_without!(|view, actor| view.state = actor.state),
    ),
    Defect::data(
        "lacp-individual-must-match",
        &["LACP-056"],
        "an Individual partner must match too",
        |rules| {
            rules.lacp.functions.record_pdu = |functions, pdu, actor| {
                let mut partner = functions::record_pdu(functions, pdu, actor);
                if !(functions.matched)(pdu, actor) {
                    partner.state.set(State::SYNCHRONIZATION, false);
                }
                partner
            };
        },
    )
    .seen("FreeBSD's lagg looks for Aggregation in the wrong TLV"),
    Defect::data(
        "lacp-no-activity-clause",
        &["LACP-057"],
        "a passive pair counts as maintained",
        |rules| rules.lacp.functions.active = |_, _| true,
    ),
    Defect::data(
        "lacp-passive-partner-ignored",
        &["LACP-058"],
        "a passive partner is never recorded in Synchronization",
        |rules| {
            rules.lacp.functions.active = |pdu, _| pdu.actor.state.has(State::LACP_ACTIVITY);
        },
    ),
    Defect::data(
        "lacp-always-short-timeout",
        &["LACP-059"],
        "long timeout is as short as short timeout",
        |rules| {
            rules.lacp.policy.current_while_time = |constants, _, _| constants.short_timeout_time;
        },
    ),
    Defect::data(
        "lacp-always-long-timeout",
        &["LACP-060"],
        "CURRENT lasts Long_Timeout_Time always",
        |rules| {
            rules.lacp.policy.current_while_time = |constants, state, _| match state {
                ReceiveState::Expired => constants.short_timeout_time,
                ReceiveState::Initialize
                | ReceiveState::PortDisabled
                | ReceiveState::LacpDisabled
                | ReceiveState::Defaulted
                | ReceiveState::Current => constants.long_timeout_time,
            };
        },
    ),
    Defect::data(
        "lacp-never-expires",
        &["LACP-059", "LACP-060"],
        "CURRENT never expires",
        |rules| without(&mut rules.lacp.receive, "LACP-RX-12"),
    ),
    Defect::data(
        "lacp-expired-stays-up",
        &["LACP-061"],
        "EXPIRED leaves the partner in Synchronization",
        |rules| {
            rules.lacp.policy.expired_partner = |state| state.set(State::LACP_TIMEOUT, true);
        },
    ),
    Defect::data(
        "lacp-expired-as-configured",
        &["LACP-062"],
        "EXPIRED lasts as long as the configured timeout",
        |rules| {
            rules.lacp.policy.current_while_time =
                |constants, _, actor| current_while_time(constants, ReceiveState::Current, actor);
        },
    )
    .seen("VPP's lacp plugin: 90 s and 90 s in slow mode"),
    Defect::data(
        "lacp-defaulted-stays-selected",
        &["LACP-064"],
        "DEFAULTED leaves the port selected",
        |rules| {
            rules.lacp.functions.update_default_selected = |_, _| false;
            rules.lacp.policy.valid_partner = |_| true;
        },
    ),
    Defect::frames(
        "lacp-repetition-ignored",
        &["LACP-065"],
        "a LACPDU that repeats the last one doesn't restart the timer",
        || Box::new(Once::default()),
    ),
    Defect::frames(
        "lacp-short-refreshes",
        &["LACP-066"],
        "a LACPDU that is too short restarts the timer",
        || Box::new(RefreshedByShort::default()),
    ),
    Defect::data(
        "lacp-selected-for-ever",
        &["LACP-067"],
        "no change of the partner unselects the port",
        |rules| rules.lacp.functions.update_selected = |_, _| false,
    ),
    Defect::data(
        "lacp-port-change-unnoticed",
        &["LACP-067"],
        "a change of the partner's port doesn't unselect",
        keep_selected!(|new, old| new.port = old.port),
    ),
    Defect::data(
        "lacp-port-priority-change-unnoticed",
        &["LACP-067"],
        "a change of the partner's port priority doesn't unselect",
        keep_selected!(|new, old| new.port_priority = old.port_priority),
    ),
    Defect::data(
        "lacp-system-priority-change-unnoticed",
        &["LACP-067"],
        "a change of the partner's system priority doesn't unselect",
        keep_selected!(|new, old| new.system_priority = old.system_priority),
    ),
    Defect::data(
        "lacp-aggregation-change-unnoticed",
        &["LACP-067"],
        "a change of the partner's Aggregation doesn't unselect",
        keep_selected!(|new, old| new.state = old.state),
    ),
    Defect::data(
        "lacp-any-flag-unselects",
        &["LACP-068"],
        "any change of the partner's state unselects",
        |rules| {
            rules.lacp.functions.update_selected = |pdu, partner| !same(&pdu.actor, partner, 0xff);
        },
    ),
    Defect::data(
        "lacp-timeout-change-unselects",
        &["LACP-068"],
        "a change of the partner's timeout unselects",
        |rules| {
            rules.lacp.functions.update_selected =
                |pdu, partner| !same(&pdu.actor, partner, AGGREGATION | State::LACP_TIMEOUT);
        },
    ),
    Defect::data(
        "lacp-link-loss-unnoticed",
        &["LACP-070"],
        "the Receive machine stays in CURRENT while the link is down",
        |rules| without(&mut rules.lacp.receive, "LACP-RX-02"),
    ),
    Defect::data(
        "lacp-link-up-defaulted",
        &["LACP-047", "LACP-071"],
        "a link that comes up begins in DEFAULTED",
        |rules| {
            retarget(
                &mut rules.lacp.receive,
                "LACP-RX-05",
                &ReceiveState::Defaulted,
            )
        },
    ),
    Defect::data(
        "lacp-no-port-moved",
        &["LACP-072"],
        "a port without carrier remembers a partner that has moved",
        |rules| when(&mut rules.lacp.receive, "LACP-RX-04", |_| false),
    ),
    Defect::frames(
        "lacp-own-lacpdu-freezes",
        &["LACP-074"],
        "no timer runs any more after a LACPDU of the own system",
        || Box::new(FrozenByOwn::default()),
    ),
    Defect::frames(
        "lacp-deaf-sometimes",
        &["LACP-122"],
        "for five seconds of every minute nothing is received",
        || Box::new(DeafSometimes),
    ),
];
