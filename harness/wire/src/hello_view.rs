//! A hello as the invariants look at every one: the same as [`decode`](crate::decode) says of it,
//! without building names.

use crate::decode::PAYLOAD_OVERRUNS;
use crate::envelope::{self, u16_at};
use crate::etrunk::{HEAD_LENGTH, MAGIC, TLV_OVERRUNS, WRONG_LENGTH, not_zero, reserved};

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
    fn number(&self, at: usize, octets: usize) -> u64 {
        let octets = self.hello.get(at..at + octets).unwrap_or_default();
        octets.iter().fold(0, |n, octet| n << 8 | u64::from(*octet))
    }

    /// Major version.
    #[must_use]
    pub fn major(&self) -> u64 {
        self.number(4, 1)
    }

    /// Type.
    #[must_use]
    pub fn kind(&self) -> u64 {
        self.number(6, 1)
    }

    /// Whether the flag says that Sequence is there.
    #[must_use]
    pub fn sequence_present(&self) -> bool {
        self.number(7, 1) & 2 != 0
    }

    /// E_Trunk_ID.
    #[must_use]
    pub fn e_trunk_id(&self) -> u64 {
        self.number(10, 2)
    }

    /// Boot_Epoch.
    #[must_use]
    pub fn boot_epoch(&self) -> u64 {
        self.number(28, 8)
    }

    /// Sequence.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.number(36, 8)
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
        let mut at = HEAD_LENGTH;
        while let (Some(kind), Some(length)) = (u16_at(hello, at), u16_at(hello, at + 2)) {
            let length = usize::from(length);
            let Some(value) = hello.get(at + 4..at + 4 + length) else {
                form.anomaly.get_or_insert(TLV_OVERRUNS);
                break;
            };
            let padded = length.div_ceil(4) * 4;
            let (first, octets) = reserved(kind);
            form.reserved_not_zero += not_zero(value.get(first..first + octets));
            form.reserved_not_zero += not_zero(hello.get(at + 4 + length..at + 4 + padded));
            form.types.push(kind);
            at += 4 + padded;
        }
        form
    }
}
