//! Proves each machine's arc table against the state tables of IEEE 802.1AX 6.4.12 to 6.4.17: the
//! arcs as a literal list, and every box under every value of the variables against the exits that
//! the standard gives it, written here a second time.

use dut_fsm::{Machine, Step, dot, matrix, overlaps, reachable, step};
use dut_lacp::churn::{ActorChurn, ChurnState, ChurnVars, PartnerChurn};
use dut_lacp::combined_mux::{CombinedMux, CombinedVars};
use dut_lacp::mux::{CoupledMux, IndependentMux, MuxState, MuxVars};
use dut_lacp::periodic::{Periodic, PeriodicState, PeriodicVars};
use dut_lacp::receive::{Receive, ReceiveState, ReceiveVars};
use dut_lacp::selection::Selected;
use dut_lacp::transmit::{Transmit, TransmitState, TransmitVars};

fn bit(n: u32, at: u32) -> bool {
    n & (1 << at) != 0
}

/// The table as `from -> to`, in order, a global arc's box left empty.
fn arcs<M: Machine>() -> Vec<String> {
    let from = |state: Option<M::State>| state.map_or("", M::name_of);
    M::ARCS
        .iter()
        .map(|arc| format!("{} -> {}", from(arc.from), M::name_of(arc.to)))
        .collect()
}

/// Compares every box under all variables with `expected`: `None` is rest, `Some` an entered box.
fn compare<M: Machine>(
    all_vars: &[M::Vars],
    expected: impl Fn(M::State, &M::Vars) -> Option<M::State>,
) where
    M::Vars: std::fmt::Debug,
{
    for (state, name) in M::STATES {
        for vars in all_vars {
            let entered = match step(M::ARCS, *state, vars) {
                Step::Take(arc) => Some(arc.to),
                Step::Held(_) | Step::Rest => None,
            };
            assert_eq!(entered, expected(*state, vars), "{name} under {vars:?}");
        }
    }
}

/// The pairs of arcs that can be enabled together: order decides between these and no others.
fn pairs<M: Machine>(all_vars: &[M::Vars]) -> Vec<(&'static str, &'static str)> {
    overlaps::<M>(all_vars)
        .iter()
        .map(|pair| (pair.first, pair.second))
        .collect()
}

fn all_states<M: Machine>() -> Vec<M::State> {
    M::STATES.iter().map(|(state, _)| *state).collect()
}

/// Ids are unique, and the printed forms name every arc and box.
fn printable<M: Machine>() {
    let (matrix, dot) = (matrix::<M>(), dot::<M>());
    assert!(matrix.starts_with(M::NAME));
    for arc in M::ARCS {
        assert_eq!(
            M::ARCS.iter().filter(|other| other.id == arc.id).count(),
            1,
            "{}",
            arc.id
        );
        let line = format!(
            "{} {} -> {}: {}\n",
            arc.id,
            arc.from.map_or("(global)", M::name_of),
            M::name_of(arc.to),
            arc.label
        );
        assert!(matrix.contains(&line), "{line}");
        assert!(dot.contains(&format!("-> {} [label=\"{}\\n", M::name_of(arc.to), arc.id)));
    }
    for (_, name) in M::STATES {
        assert!(dot.contains(&format!("  {name};\n")));
    }
}

fn receive_vars() -> Vec<ReceiveVars> {
    let vars = |n| ReceiveVars {
        begin: bit(n, 0),
        port_enabled: bit(n, 1),
        port_moved: bit(n, 2),
        lacp_enabled: bit(n, 3),
        lacpdu_received: bit(n, 4),
        current_while_timer_expired: bit(n, 5),
    };
    (0..64).map(vars).collect()
}

#[test]
fn receive_machine() {
    use ReceiveState::{Current, Defaulted, Expired, Initialize, LacpDisabled, PortDisabled};
    let expected = [
        " -> INITIALIZE",
        " -> PORT_DISABLED",
        "INITIALIZE -> PORT_DISABLED",
        "PORT_DISABLED -> INITIALIZE",
        "PORT_DISABLED -> EXPIRED",
        "PORT_DISABLED -> LACP_DISABLED",
        "LACP_DISABLED -> PORT_DISABLED",
        "EXPIRED -> CURRENT",
        "EXPIRED -> DEFAULTED",
        "DEFAULTED -> CURRENT",
        "CURRENT -> CURRENT",
        "CURRENT -> EXPIRED",
    ];
    assert_eq!(arcs::<Receive>(), expected);
    compare::<Receive>(&receive_vars(), |state, v| {
        if v.begin {
            return (state != Initialize).then_some(Initialize);
        }
        if !v.port_enabled && !v.port_moved {
            return (state != PortDisabled).then_some(PortDisabled);
        }
        match state {
            Initialize => Some(PortDisabled),
            PortDisabled if v.port_moved => Some(Initialize),
            PortDisabled if v.lacp_enabled => Some(Expired),
            PortDisabled => Some(LacpDisabled),
            LacpDisabled => v.lacp_enabled.then_some(PortDisabled),
            Expired | Defaulted | Current if v.lacpdu_received => Some(Current),
            Expired => v.current_while_timer_expired.then_some(Defaulted),
            Defaulted => None,
            Current => v.current_while_timer_expired.then_some(Expired),
        }
    });
    // A moved port is initialised before it is enabled; a LACPDU is taken before a timer.
    let together = [
        ("LACP-RX-04", "LACP-RX-05"),
        ("LACP-RX-04", "LACP-RX-06"),
        ("LACP-RX-08", "LACP-RX-09"),
        ("LACP-RX-11", "LACP-RX-12"),
    ];
    assert_eq!(pairs::<Receive>(&receive_vars()), together);
    assert_eq!(
        reachable::<Receive>(Initialize, &receive_vars()),
        all_states::<Receive>()
    );
    printable::<Receive>();
}

#[test]
fn receive_machine_as_matrix() {
    let expected = "\
Receive machine

              | INITIALIZE | PORT_DISABLED | LACP_DISABLED | EXPIRED | DEFAULTED | CURRENT
(global)      | 1          | 2             | -             | -       | -         | -
INITIALIZE    | -          | 3             | -             | -       | -         | -
PORT_DISABLED | 4          | -             | 6             | 5       | -         | -
LACP_DISABLED | -          | 7             | -             | -       | -         | -
EXPIRED       | -          | -             | -             | -       | 9         | 8
DEFAULTED     | -          | -             | -             | -       | -         | 10
CURRENT       | -          | -             | -             | 12      | -         | 11

";
    assert!(
        matrix::<Receive>().starts_with(expected),
        "{}",
        matrix::<Receive>()
    );
}

fn periodic_vars() -> Vec<PeriodicVars> {
    let vars = |n| PeriodicVars {
        begin: bit(n, 0),
        lacp_enabled: bit(n, 1),
        port_enabled: bit(n, 2),
        actor_active: bit(n, 3),
        partner_active: bit(n, 4),
        partner_short_timeout: bit(n, 5),
        periodic_timer_expired: bit(n, 6),
    };
    (0..128).map(vars).collect()
}

#[test]
fn periodic_transmission_machine() {
    use PeriodicState::{FastPeriodic, NoPeriodic, PeriodicTx, SlowPeriodic};
    let expected = [
        " -> NO_PERIODIC",
        "NO_PERIODIC -> FAST_PERIODIC",
        "FAST_PERIODIC -> PERIODIC_TX",
        "FAST_PERIODIC -> SLOW_PERIODIC",
        "SLOW_PERIODIC -> PERIODIC_TX",
        "PERIODIC_TX -> FAST_PERIODIC",
        "PERIODIC_TX -> SLOW_PERIODIC",
    ];
    assert_eq!(arcs::<Periodic>(), expected);
    compare::<Periodic>(&periodic_vars(), |state, v| {
        let passive = !v.actor_active && !v.partner_active;
        if v.begin || !v.port_enabled || !v.lacp_enabled || passive {
            return (state != NoPeriodic).then_some(NoPeriodic);
        }
        match (state, v.periodic_timer_expired, v.partner_short_timeout) {
            (NoPeriodic, _, _) | (PeriodicTx, _, true) => Some(FastPeriodic),
            (FastPeriodic, true, _) | (SlowPeriodic, true, _) | (SlowPeriodic, _, true) => {
                Some(PeriodicTx)
            }
            (FastPeriodic, false, false) | (PeriodicTx, _, false) => Some(SlowPeriodic),
            (FastPeriodic, false, true) | (SlowPeriodic, false, false) => None,
        }
    });
    // A due periodic LACPDU is sent before the rate slows down.
    assert_eq!(
        pairs::<Periodic>(&periodic_vars()),
        [("LACP-PT-03", "LACP-PT-04")]
    );
    assert_eq!(
        reachable::<Periodic>(NoPeriodic, &periodic_vars()),
        all_states::<Periodic>()
    );
    printable::<Periodic>();
}

fn mux_vars() -> Vec<MuxVars> {
    let selected = [Selected::Unselected, Selected::Selected, Selected::Standby];
    let vars = |selected: Selected, n| MuxVars {
        begin: bit(n, 0),
        selected,
        ready: bit(n, 1),
        partner_synchronization: bit(n, 2),
        partner_collecting: bit(n, 3),
    };
    selected
        .into_iter()
        .flat_map(|selected| (0..16).map(move |n| vars(selected, n)))
        .collect()
}

#[test]
fn mux_machine_with_independent_control() {
    use MuxState::{Attached, Collecting, CollectingDistributing, Detached, Distributing, Waiting};
    let expected = [
        " -> DETACHED",
        "DETACHED -> WAITING",
        "WAITING -> DETACHED",
        "WAITING -> ATTACHED",
        "ATTACHED -> DETACHED",
        "ATTACHED -> COLLECTING",
        "COLLECTING -> DISTRIBUTING",
        "COLLECTING -> ATTACHED",
        "DISTRIBUTING -> COLLECTING",
    ];
    assert_eq!(arcs::<IndependentMux>(), expected);
    compare::<IndependentMux>(&mux_vars(), |state, v| {
        if v.begin {
            return (state != Detached).then_some(Detached);
        }
        let selected = v.selected == Selected::Selected;
        let synchronized = selected && v.partner_synchronization;
        match state {
            Detached => (v.selected != Selected::Unselected).then_some(Waiting),
            Waiting if v.selected == Selected::Unselected => Some(Detached),
            Waiting => (selected && v.ready).then_some(Attached),
            Attached if !selected => Some(Detached),
            Attached => v.partner_synchronization.then_some(Collecting),
            Collecting if !synchronized => Some(Attached),
            Collecting => v.partner_collecting.then_some(Distributing),
            Distributing => (!synchronized || !v.partner_collecting).then_some(Collecting),
            CollectingDistributing
            | MuxState::Attach
            | MuxState::AttachedWtr
            | MuxState::CollDist => None,
        }
    });
    assert_eq!(pairs::<IndependentMux>(&mux_vars()), []);
    let reached = reachable::<IndependentMux>(Detached, &mux_vars());
    assert_eq!(reached, all_states::<IndependentMux>());
    printable::<IndependentMux>();
}

#[test]
fn mux_machine_with_coupled_control() {
    use MuxState::{Attached, Collecting, CollectingDistributing, Detached, Distributing, Waiting};
    let expected = [
        " -> DETACHED",
        "DETACHED -> WAITING",
        "WAITING -> DETACHED",
        "WAITING -> ATTACHED",
        "ATTACHED -> DETACHED",
        "ATTACHED -> COLLECTING_DISTRIBUTING",
        "COLLECTING_DISTRIBUTING -> ATTACHED",
    ];
    assert_eq!(arcs::<CoupledMux>(), expected);
    compare::<CoupledMux>(&mux_vars(), |state, v| {
        if v.begin {
            return (state != Detached).then_some(Detached);
        }
        let selected = v.selected == Selected::Selected;
        match state {
            Detached => (v.selected != Selected::Unselected).then_some(Waiting),
            Waiting if v.selected == Selected::Unselected => Some(Detached),
            Waiting => (selected && v.ready).then_some(Attached),
            Attached if !selected => Some(Detached),
            Attached => v.partner_synchronization.then_some(CollectingDistributing),
            CollectingDistributing => (!selected || !v.partner_synchronization).then_some(Attached),
            Collecting
            | Distributing
            | MuxState::Attach
            | MuxState::AttachedWtr
            | MuxState::CollDist => None,
        }
    });
    assert_eq!(pairs::<CoupledMux>(&mux_vars()), []);
    assert_eq!(
        reachable::<CoupledMux>(Detached, &mux_vars()),
        all_states::<CoupledMux>()
    );
    printable::<CoupledMux>();
}

fn combined_vars() -> Vec<CombinedVars> {
    let selected = [Selected::Unselected, Selected::Standby, Selected::Selected];
    let vars = |selected, n| CombinedVars {
        begin: bit(n, 0),
        selected,
        ready: bit(n, 1),
        attached: bit(n, 2),
        port_operational: bit(n, 3),
        wtr_loaded: bit(n, 4),
        wtr_expired: bit(n, 5),
        coupled: bit(n, 6),
        actor_synchronization: bit(n, 7),
        actor_collecting: bit(n, 8),
        actor_distributing: bit(n, 9),
        partner_synchronization: bit(n, 10),
        partner_collecting: bit(n, 11),
    };
    let each = selected.into_iter();
    each.flat_map(|selected| (0..4096).map(move |n| vars(selected, n)))
        .collect()
}

/// 802.1AX-2020's machine: its global conditions in their order, then the way out of DETACHED.
#[test]
fn combined_mux_machine() {
    use MuxState::{Attach, Attached, AttachedWtr, CollDist, Collecting, Detached};
    let expected = [
        " -> DETACHED",
        " -> DETACHED",
        " -> ATTACHED_WTR",
        " -> ATTACHED",
        " -> COLLECTING",
        " -> COLL_DIST",
        "DETACHED -> ATTACH",
    ];
    assert_eq!(arcs::<CombinedMux>(), expected);
    compare::<CombinedMux>(&combined_vars(), |state, v| {
        let selected = v.selected == Selected::Selected;
        let (collecting, distributing) = (v.actor_collecting, v.actor_distributing);
        let wanted = if v.begin || !selected {
            Some(Detached)
        } else if v.attached && !v.port_operational && !v.wtr_loaded {
            Some(AttachedWtr)
        } else if !(v.attached && v.port_operational && v.wtr_expired) {
            None
        } else if !v.partner_synchronization {
            (collecting || !v.actor_synchronization).then_some(Attached)
        } else if v.coupled || v.partner_collecting {
            (!distributing).then_some(CollDist)
        } else {
            (distributing || !collecting).then_some(Collecting)
        };
        match wanted {
            Some(wanted) => (state != wanted).then_some(wanted),
            None => (state == Detached && !v.attached && v.ready).then_some(Attach),
        }
    });
    assert_eq!(
        reachable::<CombinedMux>(Detached, &combined_vars()),
        all_states::<CombinedMux>()
    );
    printable::<CombinedMux>();
}

fn transmit_vars() -> Vec<TransmitVars> {
    let vars = |n| TransmitVars {
        begin: bit(n, 0),
        lacp_enabled: bit(n, 1),
        port_enabled: bit(n, 2),
        no_periodic: bit(n, 3),
        ntt: bit(n, 4),
        below_tx_limit: bit(n, 5),
    };
    (0..64).map(vars).collect()
}

#[test]
fn transmit_machine() {
    use TransmitState::{NoTx, TxLacpdu};
    let expected = [" -> NO_TX", "NO_TX -> TX_LACPDU", "TX_LACPDU -> TX_LACPDU"];
    assert_eq!(arcs::<Transmit>(), expected);
    compare::<Transmit>(&transmit_vars(), |state, v| {
        if v.begin || v.no_periodic || !v.lacp_enabled || !v.port_enabled {
            return (state != NoTx).then_some(NoTx);
        }
        (v.ntt && v.below_tx_limit).then_some(TxLacpdu)
    });
    assert_eq!(pairs::<Transmit>(&transmit_vars()), []);
    assert_eq!(
        reachable::<Transmit>(NoTx, &transmit_vars()),
        all_states::<Transmit>()
    );
    printable::<Transmit>();
}

fn churn_vars() -> Vec<ChurnVars> {
    let vars = |n| ChurnVars {
        begin: bit(n, 0),
        port_enabled: bit(n, 1),
        synchronization: bit(n, 2),
        churn_timer_expired: bit(n, 3),
    };
    (0..16).map(vars).collect()
}

fn churn_exit(state: ChurnState, v: &ChurnVars) -> Option<ChurnState> {
    use ChurnState::{Churn, ChurnMonitor, NoChurn};
    if v.begin || !v.port_enabled {
        return (state != ChurnMonitor).then_some(ChurnMonitor);
    }
    match state {
        ChurnMonitor if v.synchronization => Some(NoChurn),
        ChurnMonitor => v.churn_timer_expired.then_some(Churn),
        NoChurn => (!v.synchronization).then_some(ChurnMonitor),
        Churn => v.synchronization.then_some(NoChurn),
    }
}

#[test]
fn churn_detection_machines() {
    let expected = [
        " -> ACTOR_CHURN_MONITOR",
        "ACTOR_CHURN_MONITOR -> NO_ACTOR_CHURN",
        "ACTOR_CHURN_MONITOR -> ACTOR_CHURN",
        "NO_ACTOR_CHURN -> ACTOR_CHURN_MONITOR",
        "ACTOR_CHURN -> NO_ACTOR_CHURN",
    ];
    assert_eq!(arcs::<ActorChurn>(), expected);
    let partner = expected.map(|arc| arc.replace("ACTOR", "PARTNER"));
    assert_eq!(arcs::<PartnerChurn>(), partner);
    compare::<ActorChurn>(&churn_vars(), churn_exit);
    compare::<PartnerChurn>(&churn_vars(), churn_exit);
    // Synchronization that comes with the end of the time is no churn.
    assert_eq!(
        pairs::<ActorChurn>(&churn_vars()),
        [("LACP-ACD-02", "LACP-ACD-03")]
    );
    assert_eq!(
        pairs::<PartnerChurn>(&churn_vars()),
        [("LACP-PCD-02", "LACP-PCD-03")]
    );
    let monitor = ChurnState::ChurnMonitor;
    assert_eq!(
        reachable::<ActorChurn>(monitor, &churn_vars()),
        all_states::<ActorChurn>()
    );
    assert_eq!(
        reachable::<PartnerChurn>(monitor, &churn_vars()),
        all_states::<PartnerChurn>()
    );
    printable::<ActorChurn>();
    printable::<PartnerChurn>();
}
