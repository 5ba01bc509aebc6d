//! One device: ports, IPv6 host stack, demultiplexing, and what ties the engines.
