//! A decoder that believes a length octet: the defect that smoke runs must find.
#![no_main]

// It panics on a LACPDU whose fourth octet, the Actor_Information_Length, is 0xC3 and whose state
// says Expired: an input that is far from every seed.
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let lacpdu = data.first() == Some(&1);
    let length = data.get(3) == Some(&0xc3);
    let expired = data.get(18).is_some_and(|state| state & 0x80 != 0);
    assert!(
        !(lacpdu && length && expired),
        "the canary's planted defect"
    );
});
