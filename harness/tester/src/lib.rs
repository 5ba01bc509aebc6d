//! Tester side: LACP partner, MLD listener and querier, E-Trunk and RBS peer, the step player.
