//! Cases, requirements and testbeds: loading and checking.
//!
//! Cases are data: a permanent id, the property that they state, the requirements that they verify,
//! and timed steps. Everything is parsed with source positions and unknown names are refused, so
//! that a mistake is an error with file, line and what would be accepted.

mod among;
mod bed;
mod case;
mod choice;
mod expand;
mod expression;
mod frames;
mod load;
mod measure;
mod prose;
mod reach;
mod requirement;
mod schema;
mod step;
mod step_listener;
mod testbed;

pub use among::Among;
pub use bed::{Attach, Bed, Election, Form, HostSpec, Knob, LinkSpec, NodeSpec, Observer, Profile};
pub use case::{Case, Located, Needs, SuiteFile};
pub use choice::{Alternative, Choice};
pub use expand::{Constant, ExpandError, ExpandedCase, expand};
pub use expression::{Expression, ExpressionError, Quantity, Scope};
pub use load::{Catalogue, LoadError, load, load_bed, load_profile, load_testbed};
pub use measure::{Class, Classify, Sample, Vary};
pub use requirement::{Edition, Evidence, Exception, Requirement, RequirementFile, Visible};
pub use schema::{bed_schema, case_schema, requirement_schema, testbed_schema};
pub use step::{
    Command, Count, Display, Equal, Expect, Fault, FaultMatch, Fields, Frames, Heal, Kind, Link,
    Loss, Neighbor, Never, Node, NodeAction, Partner, Peer, Send, State, Step, Stream, Time,
    Tolerance,
};
pub use step_listener::{Alpha, Collect, Listen, ListenMode, Repeat, Uniform};
pub use testbed::{Remark, Testbed, TestbedPort, VirtualClock, Wires};
