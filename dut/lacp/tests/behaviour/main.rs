//! Proves how an Eth-Trunk behaves in virtual time: faced with hand-made LACPDUs, and two or three
//! of them with cables between. Expected values are those of IEEE 802.1AX.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]
#![expect(clippy::panic, reason = "a test that can't go on has failed")]
#![expect(clippy::indexing_slicing, reason = "tests know what they have built")]

mod bench;
mod bring_up;
mod churn;
mod combined;
mod functions;
mod hold;
mod marker;
mod random;
mod receive;
mod rules;
mod selection;
mod settings;
mod standby;
mod transmit;
