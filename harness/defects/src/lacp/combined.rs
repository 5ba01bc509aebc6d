//! The combined Mux machine of 802.1AX-2020, arc by arc, and its WTR timer.

use super::{retarget, when, without};
use crate::Defect;
use dut_lacp::combined_mux::CombinedVars;
use dut_lacp::mux::MuxState;
use std::time::Duration;

const fn restored(v: &CombinedVars) -> bool {
    v.attached && v.port_operational && v.wtr_expired
}

/// Defects of the combined Mux machine.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::data(
        "lacp-combined-never-detaches",
        &["LACP-067", "LACP-119"],
        "with the combined Mux an unselected port stays attached",
        |rules| without(&mut rules.lacp.mux_combined, "LACP-MUX20-02"),
    ),
    Defect::data(
        "lacp-combined-no-wtr",
        &["LACP-071", "LACP-112"],
        "with the combined Mux a lost link is attached again without its WTR time",
        |rules| without(&mut rules.lacp.mux_combined, "LACP-MUX20-03"),
    ),
    Defect::data(
        "lacp-combined-restores-for-ever",
        &["LACP-071"],
        "with the combined Mux a port whose link was lost stays in ATTACHED_WTR",
        |rules| rules.lacp.policy.wait_to_restore = |_| Duration::from_secs(3600),
    ),
    Defect::data(
        "lacp-combined-sync-loss-unnoticed",
        &["LACP-069", "LACP-117"],
        "with the combined Mux a partner that leaves Synchronization changes nothing",
        |rules| {
            when(&mut rules.lacp.mux_combined, "LACP-MUX20-04", |v| {
                restored(v) && !v.partner_synchronization && !v.actor_synchronization
            });
        },
    ),
    Defect::data(
        "lacp-combined-sync-loss-detaches",
        &["LACP-069", "LACP-117"],
        "with the combined Mux a partner that leaves Synchronization takes the port out of it",
        |rules| {
            when(&mut rules.lacp.mux_combined, "LACP-MUX20-04", |v| {
                restored(v) && !v.partner_synchronization && v.actor_collecting
            });
            retarget(
                &mut rules.lacp.mux_combined,
                "LACP-MUX20-04",
                &MuxState::AttachedWtr,
            );
        },
    ),
    Defect::data(
        "lacp-combined-never-collects-alone",
        &["LACP-114"],
        "with the combined Mux and independent control the port doesn't collect before its partner",
        |rules| without(&mut rules.lacp.mux_combined, "LACP-MUX20-05"),
    ),
    Defect::data(
        "lacp-combined-distributes-first",
        &["LACP-114"],
        "with the combined Mux and independent control the port distributes before its partner \
         collects",
        |rules| {
            when(&mut rules.lacp.mux_combined, "LACP-MUX20-05", |_| false);
            when(&mut rules.lacp.mux_combined, "LACP-MUX20-06", |v| {
                restored(v) && v.partner_synchronization && !v.actor_distributing
            });
        },
    ),
    Defect::data(
        "lacp-combined-collects-out-of-sync",
        &["LACP-113"],
        "with the combined Mux the port collects from a partner that isn't in Synchronization",
        |rules| {
            when(&mut rules.lacp.mux_combined, "LACP-MUX20-05", |v| {
                restored(v)
                    && !v.coupled
                    && !v.partner_collecting
                    && (!v.actor_collecting || v.actor_distributing)
            });
            when(&mut rules.lacp.mux_combined, "LACP-MUX20-04", |_| false);
        },
    ),
    Defect::data(
        "lacp-combined-never-distributes",
        &["LACP-121"],
        "with the combined Mux the port never distributes",
        |rules| without(&mut rules.lacp.mux_combined, "LACP-MUX20-06"),
    ),
    Defect::data(
        "lacp-combined-attaches-at-once",
        &["LACP-112", "LACP-120"],
        "with the combined Mux a selected port is attached without Ready",
        |rules| {
            when(&mut rules.lacp.mux_combined, "LACP-MUX20-07", |v| {
                v.selected == dut_lacp::selection::Selected::Selected && !v.attached
            });
        },
    ),
    Defect::data(
        "lacp-combined-never-attaches",
        &["LACP-121"],
        "with the combined Mux a port is never attached",
        |rules| without(&mut rules.lacp.mux_combined, "LACP-MUX20-07"),
    ),
    Defect::data(
        "lacp-combined-coupled-waits-for-collecting",
        &["LACP-115"],
        "with the combined Mux coupled control waits until the partner collects",
        |rules| {
            when(&mut rules.lacp.mux_combined, "LACP-MUX20-06", |v| {
                restored(v)
                    && v.partner_synchronization
                    && v.partner_collecting
                    && !v.actor_distributing
            });
        },
    ),
];
