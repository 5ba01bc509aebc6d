//! IEEE 802.1AX link aggregation: the machines of a port and the selection logic.
