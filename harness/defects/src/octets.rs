//! Octets of a frame that may be shorter than a defect expects.

/// An octet, 0 beyond the end.
pub(crate) fn octet(frame: &[u8], at: usize) -> u8 {
    frame.get(at).copied().unwrap_or(0)
}

/// Sets an octet, if it is there.
pub(crate) fn put(frame: &mut [u8], at: usize, value: u8) {
    if let Some(octet) = frame.get_mut(at) {
        *octet = value;
    }
}

/// Sets octets, if they are there.
pub(crate) fn put_all(frame: &mut [u8], at: usize, values: &[u8]) {
    if let Some(octets) = frame.get_mut(at..at + values.len()) {
        octets.copy_from_slice(values);
    }
}

/// Copies octets from another frame.
pub(crate) fn copy(to: &mut [u8], at: usize, from: &[u8], from_at: usize, length: usize) {
    if let Some(octets) = from.get(from_at..from_at + length) {
        put_all(to, at, octets);
    }
}
