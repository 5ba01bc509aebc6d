//! Fixed layouts as tables: name, offset and width in bits, form.

use crate::value::{Fields, integer, mac_text, parse_hex, parse_mac, to_hex};
use serde_json::Value;
use std::net::Ipv6Addr;

/// How a field's octets are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Int,
    Mac,
    Ipv6,
    Hex,
}

/// One field of a fixed layout: offset and width in bits. All but integers are on octet bounds.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    pub(crate) name: &'static str,
    pub(crate) at: usize,
    pub(crate) bits: usize,
    pub(crate) form: Form,
}

/// An integer field by octet offset and octets.
pub(crate) const fn int(name: &'static str, at: usize, octets: usize) -> Field {
    Field {
        name,
        at: at * 8,
        bits: octets * 8,
        form: Form::Int,
    }
}

/// One bit of an octet, from bit 0 (the least significant).
pub(crate) const fn bit(name: &'static str, at: usize, bit: usize) -> Field {
    Field {
        name,
        at: at * 8 + 7 - bit,
        bits: 1,
        form: Form::Int,
    }
}

/// Some bits of an octet: the lowest is `low`.
pub(crate) const fn bits(name: &'static str, at: usize, low: usize, bits: usize) -> Field {
    Field {
        name,
        at: at * 8 + 8 - low - bits,
        bits,
        form: Form::Int,
    }
}

/// A MAC address.
pub(crate) const fn mac(name: &'static str, at: usize) -> Field {
    Field {
        name,
        at: at * 8,
        bits: 48,
        form: Form::Mac,
    }
}

/// An IPv6 address.
pub(crate) const fn ipv6(name: &'static str, at: usize) -> Field {
    Field {
        name,
        at: at * 8,
        bits: 128,
        form: Form::Ipv6,
    }
}

/// Octets.
pub(crate) const fn hex(name: &'static str, at: usize, octets: usize) -> Field {
    Field {
        name,
        at: at * 8,
        bits: octets * 8,
        form: Form::Hex,
    }
}

impl Field {
    /// The field of this name in a layout, for constants: a name that isn't there doesn't compile.
    ///
    /// # Panics
    /// When the layout has no such field.
    #[must_use]
    #[expect(clippy::panic, reason = "at compile time")]
    pub const fn named(layout: &[Self], name: &str) -> Self {
        let mut rest = layout;
        while let [field, after @ ..] = rest {
            if same(field.name.as_bytes(), name.as_bytes()) {
                return *field;
            }
            rest = after;
        }
        panic!("the layout has no such field")
    }

    /// The field's octets; of bits that share an octet, the whole octet. `None` when the octets
    /// end before it does.
    #[must_use]
    #[inline(always)]
    pub fn octets<'a>(&self, of: &'a [u8]) -> Option<&'a [u8]> {
        of.get(self.at / 8..(self.at + self.bits).div_ceil(8))
    }

    /// The field as a number in network order, addresses too: what [`decode`](crate::decode) makes
    /// its values of. `None` when the octets end before it does, or when it is wider than 128 bits.
    #[must_use]
    #[inline(always)]
    pub fn number(&self, of: &[u8]) -> Option<u128> {
        let octets = self.octets(of)?;
        if octets.len() > 16 {
            return None;
        }
        let all = octets
            .iter()
            .fold(0_u128, |all, octet| all << 8 | u128::from(*octet));
        let after = octets.len() * 8 - self.at % 8 - self.bits;
        Some((all >> after) & (u128::MAX >> (128 - self.bits)))
    }

    /// The field's value; `None` when the octets end before it does.
    pub(crate) fn get(&self, of: &[u8]) -> Option<Value> {
        let octets = self.octets(of)?;
        match self.form {
            Form::Int => u64::try_from(self.number(of)?).ok().map(Value::from),
            Form::Mac => Some(Value::from(mac_text(octets))),
            Form::Ipv6 => {
                let octets: [u8; 16] = octets.try_into().ok()?;
                Some(Value::from(Ipv6Addr::from_octets(octets).to_string()))
            }
            Form::Hex => Some(Value::from(to_hex(octets))),
        }
    }

    /// Stores a value; `None` when it isn't of the field's form or doesn't fit.
    pub(crate) fn set(&self, into: &mut [u8], value: &Value) -> Option<()> {
        let range = self.at / 8..(self.at + self.bits).div_ceil(8);
        let octets = into.get_mut(range)?;
        match self.form {
            Form::Int => {
                let value = u128::from(integer(value)?);
                if value >> self.bits != 0 {
                    return None;
                }
                let length = octets.len();
                let after = length * 8 - self.at % 8 - self.bits;
                let mask = ((1_u128 << self.bits) - 1) << after;
                let all = octets
                    .iter()
                    .fold(0_u128, |all, octet| all << 8 | u128::from(*octet));
                let all = (all & !mask) | (value << after);
                let stored = all.to_be_bytes();
                octets.copy_from_slice(stored.get(16 - length..)?);
            }
            Form::Mac => octets.copy_from_slice(&parse_mac(value.as_str()?)?),
            Form::Ipv6 => {
                octets.copy_from_slice(&value.as_str()?.parse::<Ipv6Addr>().ok()?.octets());
            }
            Form::Hex => {
                let wanted = parse_hex(value.as_str()?)?;
                if wanted.len() != octets.len() {
                    return None;
                }
                octets.copy_from_slice(&wanted);
            }
        }
        Some(())
    }
}

/// Whether two texts are the same, in a constant.
const fn same(one: &[u8], other: &[u8]) -> bool {
    let (mut one, mut other) = (one, other);
    while let ([a, rest @ ..], [b, others @ ..]) = (one, other) {
        if *a != *b {
            return false;
        }
        (one, other) = (rest, others);
    }
    one.is_empty() && other.is_empty()
}

/// Every field of a table that is there, under `prefix`.
pub(crate) fn read(table: &[Field], of: &[u8], prefix: &str, into: &mut Fields) {
    for field in table {
        if let Some(value) = field.get(of) {
            into.insert(format!("{prefix}{}", field.name), value);
        }
    }
}
