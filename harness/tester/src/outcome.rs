//! What a player asks for, what it ends with, and why it doesn't begin.

use harness_judge::{Finding, Verdict};
use harness_suite::{ExpressionError, Fault, NodeAction};
use std::collections::BTreeMap;
use std::time::Duration;
use thiserror::Error;

/// Something that the driver is asked to do at once.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Send a frame from a tester's port, then call [`Player::sent`](crate::Player::sent).
    Send {
        /// The port.
        port: String,
        /// The frame.
        octets: Vec<u8>,
    },
    /// Take a carrier away or give it back.
    Link {
        /// Tester's port or link.
        name: String,
        /// Whether there is a carrier.
        up: bool,
    },
    /// Crash, hang, resume or restart a node.
    Node {
        /// The node.
        name: String,
        /// What.
        action: NodeAction,
    },
    /// Begin a fault; its delay is worked out.
    Fault(Fault, Duration),
    /// End a fault, or all.
    Heal(Option<String>),
    /// Give a node a command.
    Command {
        /// Node or host.
        node: String,
        /// The command.
        text: String,
    },
    /// Look into a node: call [`Player::probed`](crate::Player::probed) with the values.
    Probe {
        /// The node.
        node: String,
        /// JSON pointers into its snapshot.
        pointers: Vec<String>,
    },
    /// Ask a node for a `display` output: call [`Player::displayed`](crate::Player::displayed).
    Display {
        /// The node.
        node: String,
        /// The command.
        command: String,
        /// The golden file's name.
        golden: String,
    },
}

/// What playing a case gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The steps' verdict; invariants are judged beside it.
    pub verdict: Verdict,
    /// Why it isn't pass.
    pub finding: Option<Finding>,
    /// Judging steps that were decided.
    pub judged: usize,
    /// The record that decided last.
    pub record: Option<usize>,
    /// Lines for the reader: measured intervals, losses.
    pub remarks: Vec<String>,
    /// Which of several permitted behaviours the device shows, by what was asked.
    pub classes: BTreeMap<String, String>,
    /// The longest of the times that were measured without being judged.
    pub lateness: Duration,
}

/// Why a case can't be played as written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SetupError {
    /// A step names a port or link that isn't there.
    #[error("line {line}: no port or link `{name}`; there are {known}")]
    NoPoint {
        /// Line of the step.
        line: u64,
        /// The name.
        name: String,
        /// The known names.
        known: String,
    },
    /// A step's frame names no kind, or several, or an unknown field.
    #[error("line {line}: {what}")]
    Frame {
        /// Line of the step.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// An expression that can't be parsed.
    #[error("line {line}: {source}")]
    Expression {
        /// Line of the step.
        line: u64,
        /// Why.
        source: ExpressionError,
    },
}

/// Fresh values are above this: no case gives these itself.
pub(crate) const FIRST_FRESH: u64 = 0x4000;
