//! LACPDU, versions 1 and 2 (IEEE 802.1AX 6.4.2).
