//! E-Trunk over its public API in virtual time: roles of a pair, receipt and sending of hellos.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;
mod receipt;
mod roles;
mod start;
