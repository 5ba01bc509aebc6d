//! The Transmit machine and NTT (LACP-085 to LACP-094).

use super::frames::{Memory, at, lacpdu};
use super::when;
use crate::octets::{copy, octet};
use crate::{Defect, Frames};
use dut_device::PortId;
use dut_fsm::Arc;
use dut_lacp::functions::same;
use dut_lacp::transmit::{TransmitState, TransmitVars};
use dut_wire::lacp::State;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a need to transmit that the limit holds back is forgotten by.
fn forgets(from: TransmitState) -> Arc<TransmitState, TransmitVars> {
    Arc {
        id: "LACP-TX-04",
        from: Some(from),
        to: TransmitState::NoTx,
        label: "(NTT = TRUE) AND (tx_count = tx_limit)",
        when: |v| v.ntt && !v.below_tx_limit,
    }
}

const FLAGS: u8 =
    State::LACP_ACTIVITY | State::LACP_TIMEOUT | State::SYNCHRONIZATION | State::AGGREGATION;

/// update_NTT that compares only these flags of the state.
macro_rules! ntt_by_flags {
    ($flags:expr) => {
        |rules| {
            rules.lacp.functions.update_ntt = |pdu, actor| !same(&pdu.partner, actor, $flags);
        }
    };
}

/// update_NTT that overlooks one field.
macro_rules! ntt_without {
    ($change:expr) => {
        |rules| {
            rules.lacp.functions.update_ntt = |pdu, actor| {
                let mut view = pdu.partner;
                let change: fn(&mut dut_wire::lacp::Information, &dut_wire::lacp::Information) =
                    $change;
                change(&mut view, actor);
                !same(&view, actor, FLAGS)
            };
        }
    };
}

/// Keeps back the first two LACPDUs in EXPIRED.
#[derive(Debug, Default)]
struct TwoExpiredLate(BTreeMap<PortId, u8>);

impl Frames for TwoExpiredLate {
    fn sent(&mut self, port: PortId, frame: Vec<u8>) -> Vec<Vec<u8>> {
        if !lacpdu(&frame) {
            return vec![frame];
        }
        let count = self.0.entry(port).or_default();
        let expired = octet(&frame, at::ACTOR + at::STATE) & State::EXPIRED != 0;
        *count = if expired { count.saturating_add(1) } else { 0 };
        if (1..=2).contains(count) {
            Vec::new()
        } else {
            vec![frame]
        }
    }
}

/// Defects of the Transmit machine.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::data(
        "lacp-limit-by-spacing",
        &["LACP-085"],
        "the limit is a spacing of 333 ms, so that four LACPDUs fit into a second",
        |rules| {
            rules.lacp.policy.room_at =
                |_, sent| sent.back().map(|last| *last + Duration::from_millis(333));
        },
    )
    .seen("VPP's lacp plugin"),
    Defect::data(
        "lacp-limit-per-two-seconds",
        &["LACP-086"],
        "what the limit holds back leaves only after two seconds",
        |rules| {
            rules.lacp.policy.room_at = |constants, sent| {
                let full = sent.len() >= constants.tx_limit;
                sent.back()
                    .filter(|_| full)
                    .map(|last| *last + Duration::from_secs(2))
            };
        },
    ),
    Defect::data(
        "lacp-limit-drops",
        &["LACP-086"],
        "what the limit holds back is lost",
        |rules| {
            let arcs = rules.lacp.transmit.to_mut();
            arcs.insert(1, forgets(TransmitState::TxLacpdu));
            arcs.insert(2, forgets(TransmitState::NoTx));
        },
    ),
    Defect::data(
        "lacp-ntt-without-identity",
        &["LACP-087"],
        "a wrong view of the port's identity isn't answered",
        |rules| {
            rules.lacp.functions.update_ntt =
                |pdu, actor| pdu.partner.state.0 & FLAGS != actor.state.0 & FLAGS;
        },
    ),
    Defect::data(
        "lacp-ntt-without-port-priority",
        &["LACP-087"],
        "a wrong view of the port priority isn't answered",
        ntt_without!(|view, actor| view.port_priority = actor.port_priority),
    ),
    Defect::data(
        "lacp-ntt-without-system-priority",
        &["LACP-087"],
        "a wrong view of the system priority isn't answered",
        ntt_without!(|view, actor| view.system_priority = actor.system_priority),
    ),
    Defect::data(
        "lacp-ntt-without-key",
        &["LACP-087"],
        "a wrong view of the key isn't answered",
        ntt_without!(|view, actor| view.key = actor.key),
    ),
    Defect::data(
        "lacp-ntt-without-timeout",
        &["LACP-088"],
        "a wrong view of LACP_Timeout isn't answered",
        ntt_by_flags!(FLAGS & !State::LACP_TIMEOUT),
    )
    .seen("FreeBSD's lagg"),
    Defect::data(
        "lacp-ntt-without-activity",
        &["LACP-088"],
        "a wrong view of LACP_Activity isn't answered",
        ntt_by_flags!(FLAGS & !State::LACP_ACTIVITY),
    ),
    Defect::data(
        "lacp-ntt-without-synchronization",
        &["LACP-088"],
        "a wrong view of Synchronization isn't answered",
        ntt_by_flags!(FLAGS & !State::SYNCHRONIZATION),
    ),
    Defect::data(
        "lacp-ntt-without-aggregation",
        &["LACP-088"],
        "a wrong view of Aggregation isn't answered",
        ntt_by_flags!(FLAGS & !State::AGGREGATION),
    ),
    Defect::data(
        "lacp-ntt-on-any-difference",
        &["LACP-089"],
        "a wrong view of any flag is answered",
        ntt_by_flags!(0xff),
    )
    .seen("teamd"),
    Defect::data(
        "lacp-ntt-on-collecting",
        &["LACP-089"],
        "a wrong view of Collecting is answered",
        ntt_by_flags!(FLAGS | State::COLLECTING),
    ),
    Defect::data(
        "lacp-ntt-always",
        &["LACP-090"],
        "every LACPDU is answered",
        |rules| rules.lacp.functions.update_ntt = |_, _| true,
    ),
    Defect::frames(
        "lacp-answers-before-recording",
        &["LACP-091"],
        "the answer to a LACPDU shows the partner as it was before",
        || {
            Memory::boxed(|frame, known| {
                if !known.fresh.is_empty() {
                    copy(frame, at::PARTNER + 2, &known.sent, at::PARTNER + 2, 15);
                }
            })
        },
    ),
    Defect::data(
        "lacp-mux-says-nothing",
        &["LACP-092"],
        "the Mux machine's boxes don't ask for a LACPDU",
        |rules| rules.lacp.policy.mux_ntt = |_| false,
    ),
    Defect::data(
        "lacp-collecting-says-nothing",
        &["LACP-092"],
        "a port that begins to collect tells its partner only at the next period",
        |rules| {
            rules.lacp.policy.mux_ntt = |state| {
                use dut_lacp::mux::MuxState;
                matches!(state, MuxState::Detached | MuxState::Attached)
            };
        },
    ),
    Defect::frames(
        "lacp-expired-told-late",
        &["LACP-093"],
        "the first two LACPDUs that would show EXPIRED don't leave",
        || Box::new(TwoExpiredLate::default()),
    ),
    Defect::data(
        "lacp-need-remembered",
        &["LACP-094"],
        "a need that arose in NO_PERIODIC is made up for later",
        |rules| {
            let arcs = &mut rules.lacp.transmit;
            when(arcs, "LACP-TX-01", |v| {
                v.begin || !v.lacp_enabled || !v.port_enabled
            });
            when(arcs, "LACP-TX-02", |v| {
                v.ntt && v.below_tx_limit && !v.no_periodic
            });
            when(arcs, "LACP-TX-03", |v| {
                v.ntt && v.below_tx_limit && !v.no_periodic
            });
        },
    ),
];
