//! Ethernet II frames and IEEE 802.1Q tags.
