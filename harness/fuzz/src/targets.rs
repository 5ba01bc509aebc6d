//! The libFuzzer targets as plain functions: what each does with its input, and its seed corpus.
//!
//! A finding is a panic. What counts as one stands beside each target; README.md lists them.

use crate::oracle::run;
use crate::plan::{Protocol, plan};
use crate::player::Player;
use crate::{beds, codec, files, listener, pair, router, seeds, stream};

/// One target.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name: of the file in `fuzz_targets` and of the folder of its regressions.
    pub name: &'static str,
    /// What it does with an input; panics on a finding.
    pub run: fn(&[u8]),
    /// Its seed corpus.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

impl Target {
    /// Where its corpus and dictionary are: an agreement has those of its codec, as has the map of
    /// a frame.
    #[must_use]
    pub fn corpus(&self) -> String {
        match self.name {
            "frame_told" => "envelope_codec".to_owned(),
            name => name.replace("_agreement", "_codec"),
        }
    }
}

/// Every target but `empty` and `canary`.
pub const TARGETS: [Target; 26] = [
    Target {
        name: "slow_codec",
        run: codec::slow,
        seeds: seeds::slow,
    },
    Target {
        name: "slow_agreement",
        run: codec::slow_agreement,
        seeds: seeds::slow,
    },
    Target {
        name: "mld_codec",
        run: codec::mld,
        seeds: seeds::mld,
    },
    Target {
        name: "mld_agreement",
        run: codec::mld_agreement,
        seeds: seeds::mld,
    },
    Target {
        name: "mld_packed",
        run: codec::packed,
        seeds: seeds::packed,
    },
    Target {
        name: "etrunk_codec",
        run: codec::hello,
        seeds: seeds::hellos,
    },
    Target {
        name: "etrunk_agreement",
        run: codec::hello_agreement,
        seeds: seeds::hellos,
    },
    Target {
        name: "etrunk_digest",
        run: codec::sealed,
        seeds: seeds::sealed,
    },
    Target {
        name: "rbs_codec",
        run: codec::message,
        seeds: seeds::messages,
    },
    Target {
        name: "rbs_agreement",
        run: codec::message_agreement,
        seeds: seeds::messages,
    },
    Target {
        name: "rbs_framer",
        run: codec::stream,
        seeds: seeds::streams,
    },
    Target {
        name: "envelope_codec",
        run: codec::envelope,
        seeds: seeds::frames,
    },
    Target {
        name: "envelope_agreement",
        run: codec::envelope_agreement,
        seeds: seeds::frames,
    },
    Target {
        name: "frame_told",
        run: codec::told,
        seeds: seeds::frames,
    },
    Target {
        name: "built_frames",
        run: codec::built,
        seeds: seeds::choices,
    },
    Target {
        name: "lacp_port",
        run: lacp_port,
        seeds: seeds::choices,
    },
    Target {
        name: "mld_interface",
        run: mld_interface,
        seeds: seeds::choices,
    },
    Target {
        name: "mld_router",
        run: router::schedule,
        seeds: seeds::choices,
    },
    Target {
        name: "mld_listener",
        run: listener::schedule,
        seeds: seeds::choices,
    },
    Target {
        name: "etrunk_pair",
        run: etrunk_pair,
        seeds: seeds::choices,
    },
    Target {
        name: "rbs_stream",
        run: stream::session,
        seeds: seeds::choices,
    },
    Target {
        name: "pair",
        run: pair::schedule,
        seeds: seeds::choices,
    },
    Target {
        name: "vrp_config",
        run: files::configuration,
        seeds: seeds::configurations,
    },
    Target {
        name: "capture",
        run: files::capture,
        seeds: seeds::captures,
    },
    Target {
        name: "case_loader",
        run: files::cases,
        seeds: seeds::cases,
    },
    Target {
        name: "trace_judge",
        run: files::judged,
        seeds: seeds::judged,
    },
];

/// The target of this name.
#[must_use]
pub fn target(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|target| target.name == name)
}

/// A plan on the reference, with every oracle.
fn planned(protocol: Protocol, octets: &[u8]) {
    let plan = plan(protocol, octets);
    let reference = Player::simulated(beds::reference());
    match run(&plan, "fuzz/case", &reference, 1) {
        Ok(ran) => {
            if let Some(found) = ran.found {
                panic!("{}: {}", found.key(), found.what);
            }
        }
        Err(error) => panic!("the plan can't be run: {error}"),
    }
}

/// A LACP device with four ports under a schedule; its oracles are those of `tandem fuzz lacp`.
pub fn lacp_port(octets: &[u8]) {
    planned(Protocol::Lacp, octets);
}

/// An MLD router under a schedule; its oracles are those of `tandem fuzz mld`.
pub fn mld_interface(octets: &[u8]) {
    planned(Protocol::Mld, octets);
}

/// One device of an E-Trunk against a peer that is the schedule.
pub fn etrunk_pair(octets: &[u8]) {
    planned(Protocol::Etrunk, octets);
}
