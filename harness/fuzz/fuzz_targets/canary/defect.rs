//! The canary's planted defect: a decoder that believes a length octet. It is no part of the
//! library, whose edges aren't counted (`instrument.sh`).

/// # Panics
/// On a LACPDU whose fourth octet, the Actor_Information_Length, is 0xC3 and whose state says
/// Expired: an input that is far from every seed.
pub(crate) fn canary(octets: &[u8]) {
    let lacpdu = octets.first() == Some(&1);
    let length = octets.get(3) == Some(&0xc3);
    let expired = octets.get(18).is_some_and(|state| state & 0x80 != 0);
    assert!(
        !(lacpdu && length && expired),
        "the canary's planted defect"
    );
}
