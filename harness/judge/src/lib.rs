//! Invariants over a whole Trace, written from the requirement.
