//! The Mux and Churn Detection machines (LACP-069, LACP-111 to LACP-124).

use super::{retarget, when, without};
use crate::Defect;
use dut_lacp::mux::{MuxState, MuxVars};
use dut_lacp::selection::Selected;
use std::time::Duration;

fn chosen(v: &MuxVars) -> bool {
    v.selected == Selected::Selected
}

/// Defects of the Mux and Churn Detection machines.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::data(
        "lacp-attaches-alone",
        &["LACP-111"],
        "a port attaches when it is ready itself",
        |rules| rules.lacp.policy.ready = |_, own| own,
    ),
    Defect::data(
        "lacp-no-wait",
        &["LACP-112", "LACP-120"],
        "a port attaches without Aggregate_Wait_Time",
        |rules| rules.lacp.constants.aggregate_wait_time = Duration::from_millis(1),
    ),
    Defect::data(
        "lacp-waits-once",
        &["LACP-120"],
        "a port that is unselected while it waits waits on for the old time",
        |rules| {
            without(&mut rules.lacp.mux_coupled, "LACP-MUXC-03");
            without(&mut rules.lacp.mux_independent, "LACP-MUX-03");
        },
    ),
    Defect::data(
        "lacp-waits-ten-seconds",
        &["LACP-121"],
        "Aggregate_Wait_Time is 10 s",
        |rules| rules.lacp.constants.aggregate_wait_time = Duration::from_secs(10),
    ),
    Defect::data(
        "lacp-collects-out-of-sync",
        &["LACP-113"],
        "an attached port collects without its partner's Synchronization",
        |rules| {
            when(&mut rules.lacp.mux_coupled, "LACP-MUXC-06", chosen);
            when(&mut rules.lacp.mux_coupled, "LACP-MUXC-07", |v| !chosen(v));
            when(&mut rules.lacp.mux_independent, "LACP-MUX-06", chosen);
            when(&mut rules.lacp.mux_independent, "LACP-MUX-08", |v| {
                !chosen(v)
            });
        },
    ),
    Defect::data(
        "lacp-distributes-first",
        &["LACP-114"],
        "with independent control a port distributes before its partner collects",
        |rules| {
            let arcs = &mut rules.lacp.mux_independent;
            when(arcs, "LACP-MUX-07", |v| {
                chosen(v) && v.partner_synchronization
            });
            when(arcs, "LACP-MUX-09", |v| {
                !chosen(v) || !v.partner_synchronization
            });
        },
    ),
    Defect::data(
        "lacp-coupled-waits-for-collecting",
        &["LACP-115"],
        "with coupled control a port waits until its partner collects",
        |rules| {
            when(&mut rules.lacp.mux_coupled, "LACP-MUXC-06", |v| {
                chosen(v) && v.partner_synchronization && v.partner_collecting
            });
        },
    ),
    Defect::data(
        "lacp-falls-to-attached",
        &["LACP-116"],
        "with independent control a partner that stops collecting takes the port to ATTACHED",
        |rules| {
            retarget(
                &mut rules.lacp.mux_independent,
                "LACP-MUX-09",
                &MuxState::Attached,
            );
            when(&mut rules.lacp.mux_independent, "LACP-MUX-06", |v| {
                chosen(v) && v.partner_synchronization && v.partner_collecting
            });
        },
    )
    .seen("OpenSwitch's lacpd"),
    Defect::data(
        "lacp-partner-sync-loss-detaches",
        &["LACP-069", "LACP-117"],
        "a partner that leaves Synchronization takes the port to DETACHED",
        |rules| {
            retarget(
                &mut rules.lacp.mux_coupled,
                "LACP-MUXC-07",
                &MuxState::Detached,
            );
            retarget(
                &mut rules.lacp.mux_independent,
                "LACP-MUX-08",
                &MuxState::Detached,
            );
        },
    ),
    Defect::data(
        "lacp-partner-sync-loss-unnoticed",
        &["LACP-069", "LACP-117"],
        "a partner that leaves Synchronization changes nothing",
        |rules| {
            when(&mut rules.lacp.mux_coupled, "LACP-MUXC-07", |v| !chosen(v));
            when(&mut rules.lacp.mux_independent, "LACP-MUX-08", |v| {
                !chosen(v)
            });
            when(&mut rules.lacp.mux_independent, "LACP-MUX-09", |v| {
                !chosen(v) || !v.partner_collecting
            });
        },
    ),
    Defect::data(
        "lacp-no-churn-detection",
        &["LACP-123"],
        "churn is never reported",
        |rules| without(&mut rules.lacp.partner_churn, "LACP-PCD-03"),
    ),
    Defect::data(
        "lacp-churn-after-two-minutes",
        &["LACP-123"],
        "churn is reported after 120 s",
        |rules| rules.lacp.constants.churn_detection_time = Duration::from_secs(120),
    ),
    Defect::data(
        "lacp-churn-for-ever",
        &["LACP-124"],
        "churn isn't withdrawn when Synchronization is reached",
        |rules| without(&mut rules.lacp.partner_churn, "LACP-PCD-05"),
    )
    .seen("Linux before 2025 looked again only when a timer expired"),
];
