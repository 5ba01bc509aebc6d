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
mod pim;
mod rbs;
mod summary;
mod table;
mod value;

pub use build::{BuildError, FieldForm, FieldInfo, build, decoded_names, field_names, field_table};
pub use decode::{Anomaly, Decoded, classify, decode, renumber, stream_sequence};
pub use envelope::{Ip, Layers, checksum_holds, datagram_checksum_holds, layers};
pub use etrunk::{EtrunkTlv, EtrunkTlvs, digest_correct};
pub use hello_view::{HelloForm, HelloView};
pub use kind::Kind;
pub use lacp::{LacpView, STATE_BITS, lacpdu_anomalies, state_bits};
pub use mld::{MldRecord, MldView, MldWalked, mld_anomalies};
pub use rbs::{RbsRecords, build_message, decode_message, split_messages};
pub use summary::summary;
pub use table::Field;
pub use value::{Fields, mac_text, parse_hex, to_hex};

/// The fixed layouts that decoding reads, for those who compare numbers instead of a map's values.
pub mod layouts {
    /// IEEE 802.1AX 6.4.2.3 and 6.5.3, from the Subtype octet on.
    pub use crate::lacp::{LACPDU, MARKER};

    /// RFC 2710 3 and RFC 3810 5, from the ICMPv6 type on.
    pub mod mld {
        pub use crate::mld::{GROUP, HEAD, QUERY, REPORT};
    }

    /// The hello and its TLVs' values.
    pub mod etrunk {
        pub use crate::etrunk::{ADDR, ECHO, HEAD, LACP_SYS, MEMBER};
    }

    /// The header, bodies from octet 32 on, and what they list.
    pub mod rbs {
        pub use crate::rbs::{
            ACK, BEGIN, DIGEST, GOODBYE, HEAD, INTERFACE, NAK, NOTIFY, OPEN, PROFILE, RECORD,
            REQUEST, ROLE, SERVICE, SOURCE, TOMBSTONE, UPSERT,
        };
    }
}

#[cfg(test)]
mod tests;
