//! What plays a campaign's cases: the simulation, or whatever a program puts behind it.

use crate::beds;
use harness_run::{CaseResult, Factory, run_case};
use harness_suite::ExpandedCase;
use std::sync::Arc;
use std::time::Duration;

/// One case played.
#[derive(Debug)]
pub struct Played {
    /// Its verdict, trace and findings.
    pub result: CaseResult,
    /// Memory that the device's processes hold afterwards, KiB, where that is known.
    pub memory: Option<u64>,
}

type Play = dyn Fn(&ExpandedCase, u64) -> Played + Send + Sync;

/// Plays cases on one device.
#[derive(Clone)]
pub struct Player {
    play: Arc<Play>,
    wires: Option<Duration>,
}

impl std::fmt::Debug for Player {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let wires = &self.wires;
        f.debug_struct("Player").field("wires", wires).finish()
    }
}

impl Player {
    /// A device in the simulation, built anew for each case.
    #[must_use]
    pub fn simulated(factory: Factory) -> Self {
        let play = move |case: &ExpandedCase, seed| Played {
            result: run_case(case, beds::catalogue(), &factory, seed, Duration::ZERO),
            memory: None,
        };
        Self {
            play: Arc::new(play),
            wires: None,
        }
    }

    /// A device on wires; `tolerance` is how inexact times are there.
    #[must_use]
    pub fn live(
        tolerance: Duration,
        play: impl Fn(&ExpandedCase, u64) -> Played + Send + Sync + 'static,
    ) -> Self {
        Self {
            play: Arc::new(play),
            wires: Some(tolerance),
        }
    }

    /// Whether what it plays on may lose frames, be late, lack a setting, or die.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        self.wires.is_some()
    }

    /// How inexact the trace's times are beside the device's own.
    #[must_use]
    pub fn slack(&self) -> Duration {
        self.wires.unwrap_or_default()
    }

    /// Plays a case; `seed` is the case's own.
    #[must_use]
    pub fn play(&self, case: &ExpandedCase, seed: u64) -> Played {
        (self.play)(case, seed)
    }
}
