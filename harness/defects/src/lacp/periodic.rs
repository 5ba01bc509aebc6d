//! The Periodic Transmission machine (LACP-075 to LACP-084).

use super::{retarget, when};
use crate::Defect;
use dut_lacp::periodic::PeriodicState;
use dut_lacp::policy::partner_admin;
use dut_wire::lacp::State;
use std::time::Duration;

/// Defects of the Periodic Transmission machine.
pub(super) const DEFECTS: &[Defect] = &[
    Defect::data(
        "lacp-fast-is-2500-ms",
        &["LACP-075"],
        "the fast period is 2.5 s",
        |rules| rules.lacp.constants.fast_periodic_time = Duration::from_millis(2500),
    )
    .seen("RTLPlayground's switch firmware: 2 to 3 s"),
    Defect::data(
        "lacp-short-ignored",
        &["LACP-075", "LACP-077", "LACP-081"],
        "the partner's short timeout is ignored",
        |rules| rules.lacp.policy.fast_periodic = |_, _| false,
    )
    .seen("VPP-1247"),
    Defect::data(
        "lacp-slow-is-94-s",
        &["LACP-076"],
        "the slow period is 94 s",
        |rules| rules.lacp.constants.slow_periodic_time = Duration::from_secs(94),
    )
    .seen("RTLPlayground's switch firmware"),
    Defect::data(
        "lacp-fast-after-slow-period",
        &["LACP-077"],
        "short timeout is seen only when the slow period is over",
        |rules| {
            when(&mut rules.lacp.periodic, "LACP-PT-05", |v| {
                v.periodic_timer_expired
            });
        },
    ),
    Defect::data(
        "lacp-long-answered",
        &["LACP-078"],
        "a partner that changes to long timeout is sent a LACPDU",
        |rules| {
            retarget(
                &mut rules.lacp.periodic,
                "LACP-PT-04",
                &PeriodicState::PeriodicTx,
            )
        },
    ),
    Defect::data(
        "lacp-own-timeout-is-rate",
        &["LACP-079"],
        "the port's own timeout sets its rate",
        |rules| rules.lacp.policy.fast_periodic = |actor, _| actor.has(State::LACP_TIMEOUT),
    ),
    Defect::data(
        "lacp-passive-transmits",
        &["LACP-080", "LACP-082"],
        "a passive port transmits whatever its partner",
        |rules| {
            when(&mut rules.lacp.periodic, "LACP-PT-01", |v| {
                v.begin || !v.lacp_enabled || !v.port_enabled
            });
        },
    )
    .seen("VPP-1551"),
    Defect::data(
        "lacp-passive-for-ever",
        &["LACP-081"],
        "a passive port is silent even with an active partner",
        |rules| {
            when(&mut rules.lacp.periodic, "LACP-PT-01", |v| {
                v.begin || !v.lacp_enabled || !v.port_enabled || !v.actor_active
            });
        },
    ),
    Defect::data(
        "lacp-passive-answers",
        &["LACP-082"],
        "a passive port answers a passive partner that knows it wrongly",
        |rules| {
            when(&mut rules.lacp.transmit, "LACP-TX-01", |v| {
                v.begin || !v.lacp_enabled || !v.port_enabled
            });
        },
    ),
    Defect::data(
        "lacp-passive-goes-on",
        &["LACP-083"],
        "a passive port that has begun to transmit goes on when its partner turns passive",
        |rules| {
            when(&mut rules.lacp.periodic, "LACP-PT-01", |v| {
                v.begin || !v.lacp_enabled || !v.port_enabled
            });
            when(&mut rules.lacp.periodic, "LACP-PT-02", |v| {
                v.actor_active || v.partner_active
            });
        },
    ),
    Defect::data(
        "lacp-defaulted-is-fast",
        &["LACP-084"],
        "a port in DEFAULTED transmits at the fast rate though the administrative partner says \
         long",
        |rules| {
            rules.lacp.policy.fast_periodic =
                |actor, partner| partner.has(State::LACP_TIMEOUT) || actor.has(State::DEFAULTED);
        },
    ),
    Defect::data(
        "lacp-administrative-partner-active",
        &["LACP-080"],
        "the administrative partner of a passive port is active",
        |rules| {
            rules.lacp.policy.partner_admin = |port| {
                let mut partner = partner_admin(port);
                partner.state.set(State::LACP_ACTIVITY, true);
                partner
            };
        },
    ),
];
