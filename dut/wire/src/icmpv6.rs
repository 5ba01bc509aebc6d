//! ICMPv6 checksum and neighbour discovery messages (RFC 4443, RFC 4861).
