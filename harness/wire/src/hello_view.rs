//! A hello as the invariants look at every one: the same as [`decode`](crate::decode) says of it,
//! without building names.

use crate::decode::PAYLOAD_OVERRUNS;
use crate::envelope::{self, u16_at};
use crate::etrunk::{EtrunkTlvs, HEAD, MAGIC, TLV_OVERRUNS, WRONG_LENGTH, not_zero, odd_reserved};
use crate::table::Field;

const MAJOR: Field = Field::named(&HEAD, "major");
const KIND: Field = Field::named(&HEAD, "type");
const SEQUENCE_PRESENT: Field = Field::named(&HEAD, "sequence_present");
const E_TRUNK_ID: Field = Field::named(&HEAD, "e_trunk_id");
const BOOT_EPOCH: Field = Field::named(&HEAD, "boot_epoch");
const SEQUENCE: Field = Field::named(&HEAD, "sequence");

/// An E-Trunk hello in a frame.
#[derive(Debug, Clone, Copy)]
pub struct HelloView<'a> {
    hello: &'a [u8],
    /// The IPv6 packet is shorter than its header says.
    cut: bool,
}

/// What a walk over a hello's TLVs shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HelloForm {
    /// Types of the TLVs in their order.
    pub types: Vec<u16>,
    /// Reserved octets that aren't zero.
    pub reserved_not_zero: usize,
    /// The first thing that is wrong with the lengths.
    pub anomaly: Option<&'static str>,
}

impl<'a> HelloView<'a> {
    /// The view of a frame that is a hello.
    #[must_use]
    pub fn of(frame: &'a [u8]) -> Option<Self> {
        let ip = envelope::layers(frame)?.ip?;
        let cut = ip.payload.len() < usize::from(ip.payload_length) && ip.hop_by_hop.is_none();
        let hello = ip.payload.get(8..).filter(|_| ip.next_header == 17)?;
        hello.starts_with(MAGIC).then_some(Self { hello, cut })
    }

    /// A number of the fixed part; 0 where the hello ends before it does.
    fn number(&self, field: Field) -> u64 {
        let number = field.number(self.hello).unwrap_or_default();
        u64::try_from(number).unwrap_or_default()
    }

    /// Major version.
    #[must_use]
    pub fn major(&self) -> u64 {
        self.number(MAJOR)
    }

    /// Type.
    #[must_use]
    pub fn kind(&self) -> u64 {
        self.number(KIND)
    }

    /// Whether the flag says that Sequence is there.
    #[must_use]
    pub fn sequence_present(&self) -> bool {
        self.number(SEQUENCE_PRESENT) == 1
    }

    /// E_Trunk_ID.
    #[must_use]
    pub fn e_trunk_id(&self) -> u64 {
        self.number(E_TRUNK_ID)
    }

    /// Boot_Epoch.
    #[must_use]
    pub fn boot_epoch(&self) -> u64 {
        self.number(BOOT_EPOCH)
    }

    /// Sequence.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.number(SEQUENCE)
    }

    /// Walks over the TLVs.
    #[must_use]
    pub fn form(&self) -> HelloForm {
        let hello = self.hello;
        let mut form = HelloForm {
            types: Vec::with_capacity(8),
            reserved_not_zero: not_zero(hello.get(26..28)),
            anomaly: self.cut.then_some(PAYLOAD_OVERRUNS),
        };
        if u16_at(hello, 8).map(usize::from) != Some(hello.len()) {
            form.anomaly.get_or_insert(WRONG_LENGTH);
        }
        let mut walk = EtrunkTlvs::of(hello);
        for tlv in walk.by_ref() {
            form.reserved_not_zero += odd_reserved(hello, &tlv);
            form.types.push(tlv.kind);
        }
        if walk.overruns() {
            form.anomaly.get_or_insert(TLV_OVERRUNS);
        }
        form
    }
}
