//! Proves how an arc table is evaluated and printed, on a machine small enough to see through.

use dut_fsm::{Arc, Machine, Overlap, SETTLE_BOUND, Settled, Step, begin, dot, matrix};
use dut_fsm::{overlaps, reachable, settle, step};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lamp {
    Off,
    On,
    Broken,
    Spare,
}

#[derive(Debug, Clone, Copy)]
struct Vars {
    begin: bool,
    pressed: bool,
    overload: bool,
}

struct LampMachine;

impl Machine for LampMachine {
    type State = Lamp;
    type Vars = Vars;
    const NAME: &'static str = "Lamp machine";
    const STATES: &'static [(Lamp, &'static str)] = &[
        (Lamp::Off, "OFF"),
        (Lamp::On, "ON"),
        (Lamp::Broken, "BROKEN"),
    ];
    #[rustfmt::skip]
    const ARCS: &'static [Arc<Lamp, Vars>] = &[
        Arc { id: "L-1", from: None, to: Lamp::Off, label: "BEGIN", when: |v| v.begin },
        Arc { id: "L-2", from: Some(Lamp::Off), to: Lamp::On, label: "UCT", when: |_| true },
        Arc { id: "L-3", from: Some(Lamp::On), to: Lamp::Broken,
              label: "say \"overload\"", when: |v| v.overload },
        Arc { id: "L-4", from: Some(Lamp::On), to: Lamp::On,
              label: "pressed", when: |v| v.pressed },
    ];
}

fn every() -> Vec<Vars> {
    let bit = |n: u8, at: u8| n & (1 << at) != 0;
    (0..8)
        .map(|n| Vars {
            begin: bit(n, 0),
            pressed: bit(n, 1),
            overload: bit(n, 2),
        })
        .collect()
}

fn taken(state: Lamp, begin: bool, pressed: bool, overload: bool) -> Option<&'static str> {
    match step(
        LampMachine::ARCS,
        state,
        &Vars {
            begin,
            pressed,
            overload,
        },
    ) {
        Step::Take(arc) => Some(arc.id),
        Step::Held(_) | Step::Rest => None,
    }
}

#[test]
fn a_true_global_condition_holds_the_machine_in_its_target() {
    assert_eq!(taken(Lamp::Off, true, true, true), None);
    let vars = Vars {
        begin: true,
        pressed: false,
        overload: false,
    };
    assert!(
        matches!(step(LampMachine::ARCS, Lamp::Off, &vars), Step::Held(arc) if arc.id == "L-1")
    );
    assert_eq!(
        begin(LampMachine::ARCS, &vars).map(|arc| arc.id),
        Some("L-1")
    );
    let calm = Vars {
        begin: false,
        ..vars
    };
    assert!(begin(LampMachine::ARCS, &calm).is_none());
}

#[test]
fn globals_go_first_and_then_the_table_order() {
    assert_eq!(taken(Lamp::On, true, true, true), Some("L-1"));
    assert_eq!(taken(Lamp::On, false, true, true), Some("L-3"));
    assert_eq!(taken(Lamp::On, false, true, false), Some("L-4"));
    assert_eq!(taken(Lamp::Broken, false, true, true), None);
}

#[test]
fn settling_stops_where_nothing_is_true() {
    struct Context {
        state: Lamp,
        presses: u8,
        entered: Vec<&'static str>,
    }
    let mut context = Context {
        state: Lamp::Off,
        presses: 3,
        entered: Vec::new(),
    };
    let settled = settle(
        LampMachine::ARCS,
        &mut context,
        |c| {
            (
                c.state,
                Vars {
                    begin: false,
                    pressed: c.presses > 0,
                    overload: false,
                },
            )
        },
        |c, arc| {
            c.presses -= u8::from(arc.id == "L-4");
            c.state = arc.to;
            c.entered.push(arc.id);
        },
    );
    assert_eq!(
        settled,
        Settled {
            taken: 4,
            held: false
        }
    );
    assert_eq!(context.entered, ["L-2", "L-4", "L-4", "L-4"]);
}

#[test]
#[should_panic(expected = "took 32 arcs")]
#[cfg(debug_assertions)]
fn a_table_that_never_rests_is_asserted() {
    let mut count = 0;
    let vars = Vars {
        begin: false,
        pressed: true,
        overload: false,
    };
    settle(
        LampMachine::ARCS,
        &mut count,
        |_| (Lamp::On, vars),
        |count, _| *count += 1,
    );
    assert_eq!(count, SETTLE_BOUND);
}

#[test]
fn overlapping_arcs_and_reachable_boxes_are_found() {
    let pair = Overlap {
        from: Some(Lamp::On),
        first: "L-3",
        second: "L-4",
    };
    assert_eq!(overlaps::<LampMachine>(&every()), [pair]);
    assert_eq!(
        reachable::<LampMachine>(Lamp::Off, &every()),
        [Lamp::Off, Lamp::On, Lamp::Broken]
    );
    let calm = [Vars {
        begin: false,
        pressed: true,
        overload: false,
    }];
    assert_eq!(
        reachable::<LampMachine>(Lamp::Off, &calm),
        [Lamp::Off, Lamp::On]
    );
    assert_eq!(LampMachine::name_of(Lamp::Spare), "");
}

#[test]
fn the_matrix_names_every_arc_once() {
    let expected = "\
Lamp machine

         | OFF | ON | BROKEN
(global) | 1   | -  | -
OFF      | -   | 2  | -
ON       | -   | 4  | 3
BROKEN   | -   | -  | -

 1 L-1 (global) -> OFF: BEGIN
 2 L-2 OFF -> ON: UCT
 3 L-3 ON -> BROKEN: say \"overload\"
 4 L-4 ON -> ON: pressed
";
    assert_eq!(matrix::<LampMachine>(), expected);
}

#[test]
fn the_figure_is_dot() {
    let expected = "\
digraph \"Lamp machine\" {
  node [shape=box];
  OFF;
  ON;
  BROKEN;
  global_1 [shape=point];
  global_1 -> OFF [label=\"L-1\\nBEGIN\"];
  OFF -> ON [label=\"L-2\\nUCT\"];
  ON -> BROKEN [label=\"L-3\\nsay \\\"overload\\\"\"];
  ON -> ON [label=\"L-4\\npressed\"];
}
";
    assert_eq!(dot::<LampMachine>(), expected);
}
