//! Where messages are put: their length is known, so their room is made once.

use std::net::Ipv6Addr;

/// Octets at a buffer's end that a message fills.
#[derive(Debug)]
pub(super) struct Room<'a>(&'a mut [u8]);

impl<'a> Room<'a> {
    /// Appends so many octets to fill.
    pub(super) fn new(out: &'a mut Vec<u8>, length: usize) -> Self {
        let from = out.len();
        out.resize(from + length, 0);
        Self(out.get_mut(from..).unwrap_or_default())
    }

    /// The next octets.
    pub(super) fn put<const N: usize>(&mut self, octets: [u8; N]) {
        if let Some((next, rest)) = std::mem::take(&mut self.0).split_first_chunk_mut() {
            *next = octets;
            self.0 = rest;
        }
    }

    /// The next octets, and the first `count` addresses.
    pub(super) fn put_list<const N: usize>(
        &mut self,
        octets: [u8; N],
        addresses: &[Ipv6Addr],
        count: u16,
    ) {
        let length = N + 16 * usize::from(count);
        let Some((next, rest)) = std::mem::take(&mut self.0).split_at_mut_checked(length) else {
            return;
        };
        self.0 = rest;
        if let Some((head, list)) = next.split_first_chunk_mut() {
            *head = octets;
            copy(list.as_chunks_mut().0, addresses);
        }
    }

    /// The message ends here.
    pub(super) const fn is_full(&self) -> bool {
        self.0.is_empty()
    }
}

/// How many elements a count of 16 bits says.
pub(super) fn count<T>(list: &[T]) -> u16 {
    u16::try_from(list.len().min(u16::MAX.into())).unwrap_or(u16::MAX)
}

/// One copy of all: what is lent to a function isn't taken to overlap.
fn copy(to: &mut [[u8; 16]], from: &[Ipv6Addr]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = from.octets();
    }
}
