//! IEEE 802.1AX link aggregation: the machines of a port and the selection logic.
//!
//! One file a machine, each a table of arcs ([`dut_fsm`]) beside what its boxes do: [`receive`],
//! [`periodic`], [`mux`], [`combined_mux`], [`transmit`], [`churn`]. [`selection`] is the
//! Selection Logic over the ports of one [`EthTrunk`], which has exactly one Aggregator.
//! [`functions`] and [`constants`] are those of clause 6.4.9 and 6.4.4;
//! [`Rules`] bundles whatever of all this is data.
//!
//! Nothing here reads a clock, draws a random number or sends: time comes in with each call, PDUs
//! go out through [`EthTrunk::poll_transmit`].

pub mod churn;
pub mod combined_mux;
mod config;
pub mod constants;
mod eth_trunk;
mod event;
pub mod functions;
mod marker;
pub mod mux;
pub mod periodic;
pub mod policy;
mod port;
pub mod receive;
mod rules;
pub mod selection;
mod settings;
mod snapshot;
mod timer;
pub mod transmit;

pub use config::{EthTrunkConfig, MuxControl, PortConfig};
pub use eth_trunk::EthTrunk;
pub use event::{DiscardReason, LacpEvent};
pub use rules::{Rules, Table};
