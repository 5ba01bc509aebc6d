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
    rest: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Reads `octets` from their beginning.
    #[must_use]
    pub const fn new(octets: &'a [u8]) -> Self {
        let rest = octets;
        Self { rest, at: 0 }
    }

    /// Offset of the next octet.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.at
    }

    /// Octets not yet read.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    const fn cut_short(&self, field: &'static str) -> Malformed {
        Malformed {
            at: self.at,
            field,
            rule: "is cut short",
        }
    }

    /// The next `n` octets.
    ///
    /// # Errors
    /// [`Malformed`] when fewer are left; nothing is consumed then.
    #[inline]
    pub fn take(&mut self, n: usize, field: &'static str) -> Result<&'a [u8], Malformed> {
        let Some((taken, rest)) = self.rest.split_at_checked(n) else {
            return Err(self.cut_short(field));
        };
        self.rest = rest;
        // No slice is longer than isize::MAX.
        self.at = self.at.wrapping_add(n);
        Ok(taken)
    }

    /// The next `N` octets where they stand: a fixed layout costs one check of its length.
    ///
    /// # Errors
    /// [`Malformed`] when fewer are left; nothing is consumed then.
    #[inline]
    pub fn chunk<const N: usize>(&mut self, field: &'static str) -> Result<&'a [u8; N], Malformed> {
        let Some((taken, rest)) = self.rest.split_first_chunk() else {
            return Err(self.cut_short(field));
        };
        self.rest = rest;
        self.at = self.at.wrapping_add(N);
        Ok(taken)
    }

    /// The next `N` octets as an array.
    ///
    /// # Errors
    /// [`Malformed`] when fewer are left.
    #[inline]
    pub fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], Malformed> {
        self.chunk(field).copied()
    }

    /// The next octet.
    ///
    /// # Errors
    /// [`Malformed`] at the end.
    #[inline]
    pub fn u8(&mut self, field: &'static str) -> Result<u8, Malformed> {
        self.array::<1>(field).map(|[octet]| octet)
    }

    /// The next two octets.
    ///
    /// # Errors
    /// [`Malformed`] when fewer are left.
    #[inline]
    pub fn u16(&mut self, field: &'static str) -> Result<u16, Malformed> {
        self.array(field).map(u16::from_be_bytes)
    }

    /// The next four octets.
    ///
    /// # Errors
    /// [`Malformed`] when fewer are left.
    #[inline]
    pub fn u32(&mut self, field: &'static str) -> Result<u32, Malformed> {
        self.array(field).map(u32::from_be_bytes)
    }

    /// The next eight octets.
    ///
    /// # Errors
    /// [`Malformed`] when fewer are left.
    #[inline]
    pub fn u64(&mut self, field: &'static str) -> Result<u64, Malformed> {
        self.array(field).map(u64::from_be_bytes)
    }

    /// The next six octets as a MAC address.
    ///
    /// # Errors
    /// [`Malformed`] when fewer are left.
    #[inline]
    pub fn mac(&mut self, field: &'static str) -> Result<[u8; 6], Malformed> {
        self.array(field)
    }

    /// The next sixteen octets as an IPv6 address.
    ///
    /// # Errors
    /// [`Malformed`] when fewer are left.
    #[inline]
    pub fn ipv6(&mut self, field: &'static str) -> Result<Ipv6Addr, Malformed> {
        self.array::<16>(field).map(Ipv6Addr::from_octets)
    }
}

/// Fields of a fixed layout: read from its octets, put into them. That a field lies in its layout
/// is checked when compiled, so none costs a check at run time.
pub(crate) mod fixed {
    use std::net::Ipv6Addr;

    /// Puts `N` octets at `AT` of a layout of `L` octets.
    #[inline]
    pub(crate) const fn put<const AT: usize, const N: usize, const L: usize>(
        into: &mut [u8; L],
        octets: [u8; N],
    ) {
        const { assert!(AT + N <= L, "the field lies in its layout") };
        if let Some(field) = into.split_at_mut(AT).1.first_chunk_mut() {
            *field = octets;
        }
    }

    /// `N` octets at `AT` of a layout of `L` octets.
    #[inline]
    pub(crate) const fn octets<const AT: usize, const N: usize, const L: usize>(
        of: &[u8; L],
    ) -> [u8; N] {
        const { assert!(AT + N <= L, "the field lies in its layout") };
        match of.split_at(AT).1.first_chunk() {
            Some(octets) => *octets,
            None => [0; N],
        }
    }

    #[inline]
    pub(crate) const fn u16<const AT: usize, const L: usize>(of: &[u8; L]) -> u16 {
        u16::from_be_bytes(octets::<AT, 2, L>(of))
    }

    #[inline]
    pub(crate) const fn u32<const AT: usize, const L: usize>(of: &[u8; L]) -> u32 {
        u32::from_be_bytes(octets::<AT, 4, L>(of))
    }

    #[inline]
    pub(crate) const fn u64<const AT: usize, const L: usize>(of: &[u8; L]) -> u64 {
        u64::from_be_bytes(octets::<AT, 8, L>(of))
    }

    #[inline]
    pub(crate) const fn ipv6<const AT: usize, const L: usize>(of: &[u8; L]) -> Ipv6Addr {
        Ipv6Addr::from_octets(octets::<AT, 16, L>(of))
    }
}
