//! Permissive codec, written independently of the reference's: build anything, refuse nothing, list
//! anomalies.
//!
//! A frame is a flat map of field names to values, both ways. Building starts from a legal default,
//! overrides fields by name, then applies raw patches; decoding gives every field that is there and
//! a list of what a strict receiver would object to. Nothing is ever refused on decoding.
//!
//! The length fields of `pnet_packet`'s views are clamped to the buffer, so it serves for building
//! the envelopes; decoding looks at the octets.

mod build;
mod decode;
mod envelope;
mod etrunk;
mod hello_view;
mod kind;
mod lacp;
mod mld;
mod rbs;
mod summary;
mod table;
mod value;

pub use build::{BuildError, FieldForm, FieldInfo, build, decoded_names, field_names, field_table};
pub use decode::{Anomaly, Decoded, classify, decode, stream_sequence};
pub use envelope::{Ip, Layers, checksum_holds, datagram_checksum_holds, layers};
pub use etrunk::digest_correct;
pub use hello_view::{HelloForm, HelloView};
pub use kind::Kind;
pub use lacp::{LacpView, STATE_BITS, state_bits};
pub use mld::{MldRecord, MldView};
pub use rbs::{build_message, decode_message, split_messages};
pub use summary::summary;
pub use value::{Fields, mac_text, parse_hex, to_hex};

#[cfg(test)]
mod tests;
