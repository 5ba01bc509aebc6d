//! A cursor with checked takes, and the error that it gives.

use std::net::Ipv6Addr;
use thiserror::Error;

/// Why octets are no legal message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("octet {at}: {field} {rule}")]
pub struct Malformed {
    /// Offset of the offending field from the beginning of what was parsed.
    pub at: usize,
    /// The field's name in the standard.
    pub field: &'static str,
    /// The rule that it breaks, as `must be 20`.
    pub rule: &'static str,
}

/// Reads network-order fields from octets; no read can panic.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    octets: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Reads `octets` from their beginning.
    #[must_use]
    pub const fn new(octets: &'a [u8]) -> Self {
        Self { octets, at: 0 }
    }

    /// Offset of the next octet.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.at
    }

    /// Octets not yet read.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.octets.get(self.at..).unwrap_or_default()
    }

    /// The next `n` octets.
    ///
    /// # Errors
    /// [`Malformed`] when fewer are left; nothing is consumed then.
    pub fn take(&mut self, n: usize, field: &'static str) -> Result<&'a [u8], Malformed> {
        let end = self.at.saturating_add(n);
        let taken = self.octets.get(self.at..end);
        let taken = taken.ok_or(Malformed {
            at: self.at,
            field,
            rule: "is cut short",
        })?;
        self.at = end;
        Ok(taken)
    }

    /// The next `N` octets as an array.
    ///
    /// # Errors
    /// [`Malformed`] when fewer are left.
    pub fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], Malformed> {
        let rule = "is cut short";
        let at = self.at;
        self.take(N, field)?
            .try_into()
            .map_err(|_| Malformed { at, field, rule })
    }

    /// The next octet.
    ///
    /// # Errors
    /// [`Malformed`] at the end.
    pub fn u8(&mut self, field: &'static str) -> Result<u8, Malformed> {
        self.array::<1>(field).map(|[octet]| octet)
    }

    /// The next two octets.
    ///
    /// # Errors
    /// [`Malformed`] when fewer are left.
    pub fn u16(&mut self, field: &'static str) -> Result<u16, Malformed> {
        self.array(field).map(u16::from_be_bytes)
    }

    /// The next four octets.
    ///
    /// # Errors
    /// [`Malformed`] when fewer are left.
    pub fn u32(&mut self, field: &'static str) -> Result<u32, Malformed> {
        self.array(field).map(u32::from_be_bytes)
    }

    /// The next eight octets.
    ///
    /// # Errors
    /// [`Malformed`] when fewer are left.
    pub fn u64(&mut self, field: &'static str) -> Result<u64, Malformed> {
        self.array(field).map(u64::from_be_bytes)
    }

    /// The next six octets as a MAC address.
    ///
    /// # Errors
    /// [`Malformed`] when fewer are left.
    pub fn mac(&mut self, field: &'static str) -> Result<[u8; 6], Malformed> {
        self.array(field)
    }

    /// The next sixteen octets as an IPv6 address.
    ///
    /// # Errors
    /// [`Malformed`] when fewer are left.
    pub fn ipv6(&mut self, field: &'static str) -> Result<Ipv6Addr, Malformed> {
        self.array::<16>(field).map(Ipv6Addr::from_octets)
    }
}
