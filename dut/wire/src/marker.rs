//! Marker and Marker Response PDUs (IEEE 802.1AX 6.5).
