//! The codecs' targets: each takes any octets and panics on a finding.
//!
//! One kind is about the strict codec alone: what it decodes it encodes, and decodes to the same.
//! The other, the agreements, is about both: what one accepts the other finds legal, and every
//! field is read alike. What is legal is worked out here from the permissive codec's layouts and
//! the format's text, never from the strict codec. Fields are compared as numbers, read where they
//! lie: a map of names and texts would cost more than both codecs.

mod built;
mod envelope;
mod etrunk;
mod mld;
mod rbs;
mod slow;

pub use built::{built, told};
pub use envelope::{envelope, envelope_agreement};
pub(crate) use etrunk::acceptable;
pub use etrunk::{hello, hello_agreement, sealed};
pub use mld::{mld, mld_agreement, packed};
pub use rbs::{message, message_agreement, stream};
pub use slow::{slow, slow_agreement};

use std::cell::Cell;
use std::mem::ManuallyDrop;

/// No frame is longer: its length fields have 16 bits.
const LONGEST: usize = 60_000;

/// A strict decoder's answer against what the format says.
#[inline]
pub(crate) fn agree(accepted: bool, legal: bool, what: &str, octets: &[u8]) {
    if accepted != legal {
        disagree(accepted, legal, what, octets);
    }
}

#[cold]
fn disagree(accepted: bool, legal: bool, what: &str, octets: &[u8]) -> ! {
    panic!(
        "{what}: the strict codec {} what the format {}: {}",
        if accepted { "accepts" } else { "refuses" },
        if legal { "allows" } else { "forbids" },
        harness_wire::to_hex(octets)
    )
}

/// The bits in which fields of a layout differ from values.
macro_rules! unlike {
    ($octets:expr, $layout:expr, { $($name:literal: $value:expr),+ $(,)? }) => {
        0_u128 $(| {
            const FIELD: harness_wire::Field = harness_wire::Field::named(&$layout, $name);
            FIELD.number($octets).map_or(u128::MAX, |number| number ^ u128::from($value))
        })+
    };
}
pub(crate) use unlike;

/// Whether fields of a layout have these values.
macro_rules! holds {
    ($octets:expr, $layout:expr, $fields:tt) => {
        $crate::codec::unlike!($octets, $layout, $fields) == 0
    };
}
pub(crate) use holds;

/// Fields of a layout have these values, which the strict codec read.
macro_rules! same {
    ($what:literal, $octets:expr, $layout:expr, { $($name:literal: $value:expr),+ $(,)? }) => {
        if $crate::codec::unlike!($octets, $layout, { $($name: $value),+ }) != 0 {
            $crate::codec::differ($what, &[$((
                $name,
                harness_wire::Field::named(&$layout, $name).number($octets),
                u128::from($value),
            )),+]);
        }
    };
}
pub(crate) use same;

/// Names the fields that the two codecs read differently.
#[cold]
fn differ(what: &str, fields: &[(&str, Option<u128>, u128)]) -> ! {
    let different = fields.iter().filter(|(_, one, other)| *one != Some(*other));
    let different: Vec<String> = different
        .map(|(name, one, other)| format!("{name}: permissive {one:?}, strict {other}"))
        .collect();
    panic!("{what}: {}", different.join("; "))
}

/// A MAC address as the number that its octets are.
#[inline]
const fn mac(octets: [u8; 6]) -> u64 {
    let [a, b, c, d, e, f] = octets;
    u64::from_be_bytes([0, 0, a, b, c, d, e, f])
}

/// Lends an empty buffer that keeps its room from input to input. It is never dropped, and whether
/// it is would be asked at each input; after a panic there is a new one.
fn with_buffer(fill: impl FnOnce(&mut Vec<u8>)) {
    thread_local! {
        static BUFFER: Cell<ManuallyDrop<Vec<u8>>> =
            const { Cell::new(ManuallyDrop::new(Vec::new())) };
    }
    let mut buffer = BUFFER.take();
    buffer.clear();
    fill(&mut buffer);
    BUFFER.set(buffer);
}
