//! What a report costs: decoded, taken at an interface that holds many groups, and by the round.

fn main() {}
