//! The simulated world: nodes, links, faults, one seed.
