//! Executes cases on a testbed and emits run events.
